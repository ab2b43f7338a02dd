import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.unit.nets.reaching import noise, randomised, reach
from zeuxis.nets.autoencoding import ConvDecoder, ConvEncoder
from zeuxis.nets.reconstructing import (
    ConvBottleneck,
    LatentBottleneck,
    LinearFilter,
    PatchMLP,
    bottleneck_radius,
    mlp_radius,
)


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("size", [1, 3, 9])
def test_the_filter_begins_as_the_identity_and_is_linear(size):
    net, x, y = LinearFilter(3, size).double(), noise(2, 3, 7, 6), noise(2, 3, 7, 6, name="other")
    assert torch.equal(net(x), x)
    randomised(net)
    net.conv.bias.data.zero_()
    torch.testing.assert_close(net(2 * x - y), 2 * net(x) - net(y))
    assert count(net) == 9 * size * size + 3
    assert reach(LinearFilter(1, size).double(), 24) == 0
    assert reach(randomised(LinearFilter(1, size)), 24) == size // 2


def by_hand(net: PatchMLP, image: torch.Tensor, seen: int, given: int, step: int) -> torch.Tensor:
    """Patch by patch, as it would be written down."""
    over, rim = given - 1, (seen - given) // 2
    wide = nn.functional.pad(image, (over + rim,) * 4, mode="replicate")
    height, width = image.shape[2:]
    total = torch.zeros(1, image.shape[1], height + 2 * over, width + 2 * over, dtype=image.dtype)
    times = torch.zeros_like(total)
    for top in range(0, height + over, step):
        for left in range(0, width + over, step):
            x = wide[:, :, top : top + seen, left : left + seen].flatten(1)
            if x.shape[1] < image.shape[1] * seen**2:
                continue
            x = torch.tanh(x @ net.first.weight.flatten(1).T + net.first.bias)
            for layer in net.middle:
                x = torch.tanh(x @ layer.weight[:, :, 0, 0].T + layer.bias)
            x = x @ net.last.weight[:, :, 0, 0].T + net.last.bias
            place = (..., slice(top, top + given), slice(left, left + given))
            total[place] += x.reshape(1, image.shape[1], given, given)
            times[place] += 1
    return (total / times)[:, :, over : over + height, over : over + width]


@pytest.mark.parametrize(("seen", "given", "step"), [(5, 3, 1), (3, 3, 2), (7, 3, 3), (1, 1, 1)])
def test_the_mlp_equals_itself_patch_by_patch(seen, given, step):
    net = randomised(PatchMLP(2, (6, 5), seen, given, step, False))
    x = noise(1, 2, 8, 7)
    torch.testing.assert_close(net(x), by_hand(net, x, seen, given, step))


@given(st.integers(0, 3), st.integers(1, 5), st.integers(1, 9), st.integers(1, 9), st.data())
def test_every_pixel_is_covered(rim, given, height, width, data):
    step = data.draw(st.integers(1, given))
    net = PatchMLP(1, (2,), given + 2 * rim, given, step, False)
    net.last.weight.data.zero_()
    net.last.bias.data.fill_(0.5)
    out = net(torch.zeros(2, 1, height, width))
    torch.testing.assert_close(out, torch.full((2, 1, height, width), 0.5))


def test_the_residual_mlp_begins_as_the_identity():
    x = noise(2, 3, 9, 8).float()
    assert torch.equal(PatchMLP(3, (6, 6), 5, 3, 1, True)(x), x)


@pytest.mark.parametrize(("seen", "given", "step"), [(5, 3, 1), (9, 5, 2), (3, 3, 1)])
def test_radius_of_the_mlp(seen, given, step):
    radius = mlp_radius(seen, given)
    found = reach(randomised(PatchMLP(1, (4, 4), seen, given, step, False)), 4 * radius + 8)
    assert found == radius if step == 1 else found <= radius


def test_counts_of_the_mlp():
    net = PatchMLP(3, (128, 128), 13, 7, 1, True)
    assert count(net) == (3 * 13 * 13 * 128 + 128) + (128 * 128 + 128) + (128 * 3 * 49 + 3 * 49) == 100_499


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_the_conv_bottleneck(levels):
    net = ConvBottleneck(2, 4, levels, 6)
    side = 2**levels * 2
    x = noise(1, 2, side, 2 * side).float()
    assert net.encode(x).shape == (1, 6, 2, 4)
    out = net(x)
    assert out.shape == x.shape
    assert float(out.detach().abs().max()) < 1
    radius = bottleneck_radius(levels)
    side = 2**levels * (2 * radius // 2**levels + 4)
    assert reach(randomised(ConvBottleneck(1, 4, levels, 6)), side, cell=2**levels) == radius


def test_counts_of_the_conv_bottleneck():
    down = (16 * 3 * 32 + 32) + (16 * 32 * 48 + 48)
    up = (9 * 48 * 32 + 32) + (9 * 32 * 32 + 32)
    assert count(ConvBottleneck(3, 32, 2, 48)) == down + up + (9 * 32 * 3 + 3) == 50_163


def test_the_latent_bottleneck_uses_both_halves():
    size = (12, 10)
    net = LatentBottleneck(ConvEncoder(1, size, 3, 4), ConvDecoder(1, size, 6, 4))
    x = noise(2, 1, *size).float()
    code = net.encode(x)
    assert code.shape == (2, 6)
    torch.testing.assert_close(code, torch.cat(net.encoder(x), 1))
    torch.testing.assert_close(net(x), 2 * torch.sigmoid(net.decoder(code)) - 1)
