import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zeuxis.draw import Draw
from zeuxis.nets import inpainting
from zeuxis.nets.inpainting import (
    FourierConv,
    GatedConv,
    InpaintingUNet,
    PatchCritic,
    Shape,
    SpectralTransform,
    fourier_middle,
)


def seeded(make):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make()


def unet(channels=1, body="gated", **shape):
    return InpaintingUNet(channels, Shape(**{"width": 4, "fold": 1, "dilations": (1, 2), "blocks": 1, **shape}), body)


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def noise(name: str, *shape: int) -> torch.Tensor:
    return Draw(7).at(name).normal(*shape)


def test_gated_convolution_is_elu_times_sigmoid():
    net = GatedConv(1, 1, separable=False)
    for i, (weight, bias) in enumerate([(2.0, 0.5), (-1.0, 0.25)]):
        net.conv[0].weight.data[i].zero_()[:, 1, 1] = weight
        net.conv[0].bias.data[i] = bias
    x = torch.tensor([[[[0.3, -2.0]]]])
    feature, gate = 2 * x + 0.5, 0.25 - x
    wanted = torch.where(feature > 0, feature, feature.exp() - 1) / (1 + (-gate).exp())
    torch.testing.assert_close(net(x), wanted)


@pytest.mark.parametrize(("separable", "weights"), [(True, 9 * 6 + 6 * 10 + 10), (False, 9 * 6 * 10 + 10)])
def test_gated_convolution_counts_and_shapes(separable, weights):
    assert count(GatedConv(6, 5, separable=separable)) == weights
    assert GatedConv(6, 5, 2, separable=separable)(torch.zeros(1, 6, 8, 12)).shape == (1, 5, 4, 6)
    assert GatedConv(6, 5, 1, 8, separable)(torch.zeros(1, 6, 4, 4)).shape == (1, 5, 4, 4)


@pytest.mark.parametrize("separable", [True, False])
def test_first_weights_keep_the_second_moment(separable):
    x = noise("moment", 2, 24, 24, 24)
    for net in seeded(lambda: [GatedConv(24, 24, separable=separable) for _ in range(6)]):
        x = net(x)
    assert 0.2 < float(x.detach().square().mean()) < 5


def test_counts_of_the_u_net_against_arithmetic():
    def gated(a, b):
        return 9 * a * 2 * b + 2 * b

    w = 32
    down = gated(16, w) + gated(w, 2 * w) + gated(2 * w, 2 * w)
    up = gated(3 * w, w) + (9 * w * 12 + 12)
    assert count(InpaintingUNet(3, Shape())) == down + 5 * gated(2 * w, 2 * w) + up


def test_counts_of_a_fourier_block_against_arithmetic():
    near, far = 8, 24
    spectral = (far * 12 + 12) + (24 * 24 + 24) + (12 * far + far)
    conv = (9 * 32 * near + near) + (9 * near * far + far) + spectral
    assert count(FourierConv(32)) == conv
    assert count(fourier_middle(32, Shape(blocks=3))) == 3 * 2 * conv


def test_spectral_transform_with_known_weights():
    """conv1 that passes on, a spectrum that passes on where it is positive: a constant comes back doubled."""
    net = SpectralTransform(2, 2)
    for layer in (net.enter, net.mix, net.leave):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    net.enter.weight.data[0, 0] = 1
    net.mix.weight.data[0, 0] = 1
    net.mix.weight.data[1, 1] = 1
    net.leave.weight.data[:, 0] = 1
    x = torch.full((1, 2, 4, 6), 0.5)
    torch.testing.assert_close(net(x), 2 * x)


@pytest.mark.parametrize("body", ["gated", "fourier"])
@settings(max_examples=8)
@given(st.integers(1, 4), st.integers(2, 5), st.integers(2, 5), st.integers(1, 3))
def test_any_size_and_channels(body, channels, rows, columns, levels):
    net = unet(channels, body, levels=levels, fold=2)
    assert net.cell == 2 << (levels - 1)
    size = (rows * net.cell, columns * net.cell)
    image, known = torch.zeros(2, channels, *size), torch.ones(2, 1, *size)
    assert net(image, known).shape == image.shape


@pytest.mark.parametrize("body", ["gated", "fourier"])
def test_what_lies_in_holes_is_not_read(body):
    net = seeded(lambda: unet(2, body, fold=2))
    image, known = noise("image", 1, 2, 16, 16), torch.ones(1, 1, 16, 16)
    known[..., 4:9, 5:12] = 0
    spoiled = torch.where(known > 0, image, torch.nan)
    assert torch.equal(net(image, known), net(spoiled, known))
    assert not torch.equal(net(image, known), net(image, torch.ones_like(known)))


@pytest.mark.parametrize(
    "shape",
    [
        {"levels": 1, "dilations": (1, 3)},
        {"levels": 1, "dilations": (1,), "fold": 2},
        {"levels": 2, "dilations": (2,)},
        {"levels": 2, "dilations": (1,), "fold": 2},
        {"levels": 3, "dilations": (1, 2)},
        {"levels": 4, "dilations": (1,)},
    ],
    ids=str,
)
def test_radius_by_perturbation(shape):
    """Pixels beyond the radius do not touch an output pixel, whatever its place in the cells; some near it do."""
    net, reach = seeded(lambda: unet(1, width=2, **shape)).double(), Shape(**{"fold": 1, **shape}).radius()
    side = -(-(2 * reach + 10) // 8) * 8
    farthest = 0
    for place in range(side // 2, side // 2 + net.cell):
        image = noise("row", 1, 1, 8, side).double().requires_grad_()
        net(image, torch.ones(1, 1, 8, side).double())[..., place].sum().backward()
        assert image.grad is not None
        touched = image.grad.abs().sum((0, 1, 2)).nonzero()[:, 0]
        farthest = max(farthest, int((touched - place).abs().max()))
    assert reach - net.cell <= farthest <= reach


def test_nearby_mean_of_one_known_pixel_is_its_value_everywhere():
    """Both sums hold one pixel alone, so their ratio is its value wherever it is in reach."""
    image, known = torch.zeros(1, 2, 16, 16), torch.zeros(1, 1, 16, 16)
    known[..., 5, 6] = 1
    image[0, :, 5, 6] = torch.tensor([0.5, -0.25])
    found = inpainting.nearby_mean(image, known, 4, 4)
    torch.testing.assert_close(found, torch.tensor([0.5, -0.25]).reshape(1, 2, 1, 1).expand(1, 2, 16, 16))
    assert inpainting.nearby_mean(image, known, 4, 1)[..., 15, 15].abs().max() == 0


def test_nearby_mean_by_hand():
    """Fold 1, squares of reach 1 and 2: pixels 1 and 2 away weigh (1/3 + 1/5/4) and 1/5/4 on a line."""
    image, known = torch.tensor([[[[0.0, 0.0, 3.0, 0.0, 1.0]]]]), torch.tensor([[[[0.0, 0.0, 1.0, 0.0, 1.0]]]])
    near, far = 1 / 9 + 1 / 25 / 4, 1 / 25 / 4
    found = inpainting.nearby_mean(image, known, 1, 3).flatten().tolist()
    wanted = [3.0, 3.0, (3 * near + far) / (near + far), 2.0, (near + 3 * far) / (near + far)]
    assert found == pytest.approx(wanted, rel=1e-5)


def test_a_hole_in_a_flat_picture_begins_flat():
    image, known = torch.full((1, 3, 64, 64), 0.7), torch.ones(1, 1, 64, 64)
    known[..., 8:56, 10:60] = 0
    net = seeded(lambda: InpaintingUNet(3, Shape(width=16)))
    assert (net(image, known) - 0.7).abs().max() < 0.1


def test_default_radius_reaches_across_a_hole_of_64_pixels():
    net, means = 2 * (2 * (1 + 31) + 2 + 3) + 1, 4 * (32 + 1) + 2
    assert net == 139 and Shape().radius() == net + means == 273


def test_a_lighter_picture_gives_a_lighter_answer():
    net = seeded(lambda: unet(2, fold=2))
    image, known = 0.3 * noise("image", 1, 2, 32, 32), torch.ones(1, 1, 32, 32)
    known[..., 8:20, 10:22] = 0
    torch.testing.assert_close(net(image + 0.4, known), net(image, known) + 0.4, atol=1e-4, rtol=0)


def test_fourier_body_touches_every_pixel():
    net = seeded(lambda: unet(1, "fourier", width=8))
    image = noise("far", 1, 1, 64, 64).requires_grad_()
    net(image, torch.ones(1, 1, 64, 64))[0, 0, 0, 0].backward()
    assert image.grad is not None and int((image.grad[0, 0, 40:, 40:] != 0).sum()) == 24 * 24


def test_critic_shapes_and_counts():
    critic = seeded(lambda: PatchCritic(3, 8))
    logits, maps = critic(torch.zeros(2, 3, 32, 40), torch.zeros(2, 1, 32, 40))
    assert logits.shape == (2, 1, 4, 5)
    assert [tuple(x.shape[1:]) for x in maps] == [(8, 16, 20), (16, 8, 10), (32, 4, 5), (32, 4, 5)]
    pairs = [(4, 8), (8, 16), (16, 32), (32, 32), (32, 1)]
    assert count(critic) == sum(25 * a * b + b for a, b in pairs)
    assert sum("original" in name for name, _ in critic.named_parameters()) == 5


def test_critic_takes_the_smallest_pictures():
    assert PatchCritic(1, 4)(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8))[0].shape == (1, 1, 1, 1)


def test_share_of_hole_for_each_logit():
    hole = torch.zeros(1, 1, 16, 24)
    hole[..., :8, :8] = 1  # a whole piece
    hole[..., :8, 8:10] = 1  # a quarter of the next
    hole[..., 8, 16] = 1  # one pixel of 64
    share = inpainting.hole_share(hole, torch.zeros(1, 1, 2, 3))
    torch.testing.assert_close(share, torch.tensor([[[[1.0, 0.25, 0.0], [0.0, 0.0, 1 / 64]]]]))
