import pytest
import torch
from torch.nn.functional import conv2d

from zeuxis.nets import vgg


def tensors(make):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = make().state_dict()
    return {**state, "heads.0": torch.ones(4), "heads.1": torch.zeros(4)}


def test_alexnet_has_its_taps():
    net = vgg.alexnet(tensors(vgg.AlexNet))
    maps = net(torch.zeros(2, 3, 64, 64))
    assert [tuple(m.shape) for m in maps] == [
        (2, 64, 15, 15), (2, 192, 7, 7), (2, 384, 3, 3), (2, 256, 3, 3), (2, 256, 3, 3)
    ]  # fmt: skip
    assert all(float(m.detach().min()) >= 0 for m in maps)
    assert sum(p.numel() for p in net.parameters()) == 2_469_696  # torchvision's AlexNet.features


def test_vgg16_has_its_taps():
    net = vgg.vgg16(tensors(vgg.VGG16))
    maps = net(torch.zeros(1, 3, 32, 48))
    assert [tuple(m.shape) for m in maps] == [
        (1, 64, 32, 48), (1, 128, 16, 24), (1, 256, 8, 12), (1, 512, 4, 6), (1, 512, 2, 3)
    ]  # fmt: skip
    assert sum(p.numel() for p in net.parameters()) == 14_714_688  # torchvision's VGG16.features


def test_input_is_normalised_as_imagenet():
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    image = torch.linspace(-1, 1, 3 * 16).reshape(1, 3, 4, 4)
    usual = ((image + 1) / 2 - mean.reshape(1, 3, 1, 1)) / deviation.reshape(1, 3, 1, 1)
    assert torch.allclose(vgg.Trunk().normalised(image), usual, atol=1e-5)


def test_taps_and_raw_maps():
    state = tensors(vgg.VGG16)
    image = torch.linspace(-1, 1, 3 * 256).reshape(1, 3, 16, 16)
    (raw,), (plain,) = (vgg.vgg16(state, taps=(12,), raw=raw)(image) for raw in (True, False))
    assert torch.equal(raw.relu(), plain) and float(raw.min()) < 0
    (first,) = vgg.vgg16(state, taps=(0,), raw=True)(image)
    by_hand = conv2d(vgg.Trunk().normalised(image), state["convs.0.weight"], state["convs.0.bias"], padding=1)
    assert torch.allclose(first, by_hand, atol=1e-6)


def test_weights_are_frozen_and_no_random_number_is_drawn():
    state, before = tensors(vgg.AlexNet), torch.random.get_rng_state()
    net = vgg.alexnet(state)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not net.training and not any(p.requires_grad for p in net.parameters())
    assert all(torch.equal(t, state[name]) for name, t in net.state_dict().items())
    assert [h.tolist() for h in vgg.heads(state)] == [[1] * 4, [0] * 4]


def test_gradient_reaches_the_picture():
    image = torch.zeros(1, 3, 32, 32, requires_grad=True)
    sum(m.sum() for m in vgg.alexnet(tensors(vgg.AlexNet))(image)).backward()
    assert image.grad.abs().sum() > 0


def test_missing_tensors_are_refused():
    with pytest.raises(RuntimeError):
        vgg.vgg16(tensors(vgg.AlexNet))
