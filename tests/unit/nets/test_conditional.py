import pytest
import torch

from zeuxis.nets.conditional import ClassNorm, ProjectionHead


def test_without_classes_it_is_batch_norm():
    x = torch.arange(24.0).reshape(4, 3, 2, 1)
    y = ClassNorm(3)(x)
    known = (x - x.mean((0, 2, 3), keepdim=True)) / (x.var((0, 2, 3), unbiased=False, keepdim=True) + 1e-5).sqrt()
    assert torch.allclose(y, known, atol=1e-6)


@pytest.mark.parametrize("maps", [True, False])
def test_each_class_has_its_gain_and_shift(maps):
    norm = ClassNorm(2, classes=3, maps=maps)
    x = torch.randn(6, 2, 4, 4) if maps else torch.randn(6, 2)
    label = torch.tensor([0, 1, 2, 0, 1, 2])
    plain = norm(x, label)
    with torch.no_grad():
        norm.gain[1] = torch.tensor([2.0, 3.0])
        norm.shift[1] = torch.tensor([-1.0, 5.0])
    changed = norm(x, label)
    tail = (1, 1) if maps else ()
    gain, shift = torch.tensor([2.0, 3.0]).reshape(2, *tail), torch.tensor([-1.0, 5.0]).reshape(2, *tail)
    assert torch.allclose(changed[label == 1], plain[label == 1] * gain + shift, atol=1e-6)
    assert torch.equal(changed[label != 1], plain[label != 1])
    assert sum(p.numel() for p in norm.parameters()) == 2 * 3 * 2


def test_a_conditional_net_wants_labels():
    with pytest.raises(ValueError, match="needs a label"):
        ClassNorm(2, classes=3)(torch.randn(4, 2, 1, 1))


def test_projection_is_linear_plus_inner_product():
    head, f = ProjectionHead(5, classes=3), torch.randn(4, 5)
    label = torch.tensor([2, 0, 1, 2])
    known = f @ head.linear.weight[0] + head.linear.bias + (f * head.embedding.weight[label]).sum(1)
    assert torch.allclose(head(f, label), known, atol=1e-6)


def test_spectral_projection_has_unit_weights():
    head = ProjectionHead(16, classes=4, spectral=True)
    for _ in range(50):
        head(torch.randn(2, 16), torch.tensor([0, 1]))
    for layer in (head.linear, head.embedding):
        assert torch.linalg.matrix_norm(layer.weight, 2).item() == pytest.approx(1, abs=1e-3)
