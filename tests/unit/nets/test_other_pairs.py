import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zeuxis.draw import Draw
from zeuxis.nets import dcgan, mlp, sngan, wgan
from zeuxis.nets.randomness import bind

PAIRS = {
    "mlp": (
        lambda c, s, k: mlp.MLPGenerator(5, [8, 16], (c, *s), k),
        lambda c, s, k: mlp.MLPCritic((c, *s), [16, 8], k),
    ),
    "example": (
        lambda c, s, k: dcgan.ExampleGenerator(5, 4, c, s, k),
        lambda c, s, k: dcgan.ExampleCritic(c, s, 4, k),
    ),
    "tutorial": (
        lambda c, s, k: dcgan.TutorialGenerator(5, 4, c, s, k),
        lambda c, s, k: dcgan.TutorialCritic(c, s, 4, k),
    ),
    "dense-start": (
        lambda c, s, k: dcgan.DenseStartGenerator(5, 4, c, s, k),
        lambda c, s, k: dcgan.DenseStartCritic(c, s, 4, k),
    ),
    "wgan": (
        lambda c, s, k: wgan.CroppingGenerator(5, 4, c, s, k),
        lambda c, s, k: wgan.PlainCritic(c, s, 4, k),
    ),
    "sngan": (
        lambda c, s, k: sngan.SNGANGenerator(5, 8, c, s, k),
        lambda c, s, k: sngan.SNGANCritic(c, s, 4, k),
    ),
}


@settings(max_examples=24, deadline=None)
@given(
    st.sampled_from(sorted(PAIRS)),
    st.sampled_from([(8, 8), (8, 12), (16, 8), (20, 28)]),
    st.integers(1, 4),
    st.sampled_from([0, 3]),
)
def test_any_size_channels_and_classes(name, size, channels, classes):
    generator, critic = (make(channels, size, classes) for make in PAIRS[name])
    bind(critic, Draw(0))
    label = torch.tensor([0, 2, 1]) if classes else None
    image = generator(Draw(1).at("z").normal(3, 5), label)
    logits = critic(image, label)
    assert image.shape == (3, channels, *size)
    assert image.abs().max() <= 1
    assert logits.shape == (3,)
    assert torch.isfinite(logits).all()


def test_labels_change_picture_and_logit():
    for generator, critic in PAIRS.values():
        g, d = generator(1, (8, 8), 2).eval(), critic(1, (8, 8), 2).eval()
        for module in g.modules():
            if getattr(module, "gain", None) is not None:
                torch.nn.init.normal_(module.gain)
        z, x = torch.randn(2, 5), torch.randn(1, 1, 8, 8).repeat(2, 1, 1, 1)
        zero, one = torch.zeros(2, dtype=torch.int64), torch.ones(2, dtype=torch.int64)
        assert not torch.equal(g(z, zero), g(z, one))
        assert not torch.equal(d(x, zero), d(x, one))


def test_sides_are_halved_rounded_up():
    assert wgan.sizes(28, 28) == [(28, 28), (14, 14), (7, 7), (4, 4)]
    assert wgan.sizes(9, 30) == [(9, 30), (5, 15), (3, 8)]


def test_doublings_of_the_residual_pair():
    assert [sngan.ups(s, s) for s in (8, 28, 32, 64)] == [1, 2, 3, 4]
    assert [sngan.downs(s, s) for s in (8, 28, 32, 64)] == [2, 2, 2, 3]


def test_every_layer_of_the_residual_critic_is_spectrally_normal():
    critic = sngan.SNGANCritic(1, (8, 8), 8, 3)
    x, label = torch.randn(2, 1, 8, 8), torch.tensor([0, 1])
    for _ in range(100):
        critic(x, label)
    layers = [m for m in critic.modules() if hasattr(m, "parametrizations")]
    assert len(layers) == 4 * 2 + 2 + 2
    for layer in layers:
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.02)


def test_a_transposed_7x7_start_covers_28_px():
    net = dcgan.ExampleGenerator(5, 4, 1, (28, 28))
    assert tuple(net.up[0].weight.shape) == (5, 8, 7, 7)
    assert net(torch.randn(2, 5)).shape == (2, 1, 28, 28)
