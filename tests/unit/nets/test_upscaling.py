import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.unit.nets.reaching import noise, randomised, reach
from zeuxis.degrade import resize
from zeuxis.nets import upscaling
from zeuxis.nets.upscaling import (
    BODIES,
    BranchedConv,
    PlainUpscaler,
    ResidualUpscaler,
    SpanUpscaler,
    folded,
    plain_radius,
    residual_radius,
    span_radius,
)


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("size", [(2, 2), (5, 9)])
def test_the_bicubic_base_is_matlabs(size, scale):
    x = noise(2, 3, *size)
    torch.testing.assert_close(upscaling.bicubic(x, scale), resize.bicubic(x, scale), rtol=0, atol=1e-12)
    x = x.float()
    torch.testing.assert_close(upscaling.bicubic(x, scale), resize.bicubic(x, scale), rtol=0, atol=1e-5)


@given(st.integers(1, 4), st.integers(2, 9), st.integers(2, 9), st.sampled_from([2, 3, 4]))
def test_a_flat_picture_stays_flat(channels, height, width, scale):
    x = torch.full((1, channels, height, width), 0.3)
    for base in ("bicubic", "nearest"):
        big = upscaling.BASES[base](x, scale)
        assert big.shape == (1, channels, height * scale, width * scale)
        torch.testing.assert_close(big, torch.full_like(big, 0.3), rtol=0, atol=1e-6)


def test_nearest_repeats():
    x = torch.tensor([[[[1.0, 2.0]]]])
    assert upscaling.nearest(x, 2)[0, 0].tolist() == [[1, 1, 2, 2], [1, 1, 2, 2]]


def test_counts_of_the_plain_stack():
    """Real-ESRGAN's realesr-animevideov3 (64 wide, 16 convolutions, x4) and the default (32 wide, 8)."""
    first, slopes, body, last = 3 * 64 * 9 + 64, 17 * 64, 16 * (64 * 64 * 9 + 64), 64 * 48 * 9 + 48
    assert first + slopes + body + last == 621_424
    assert count(PlainUpscaler(3, 4, 64, 16)) == 621_424
    default = (3 * 32 * 9 + 32) + 9 * 32 + 8 * (32 * 32 * 9 + 32) + (32 * 48 * 9 + 48)
    assert count(PlainUpscaler(3, 4, 32, 8)) == default == 89_040
    at_two = default - (32 * 48 * 9 + 48) + (32 * 12 * 9 + 12)
    assert count(PlainUpscaler(3, 2, 32, 8)) == at_two == 78_636


def test_counts_of_span():
    """28, 48 and 52 channels at x4: 151, 426 and 498 thousand folded; 634 thousand with branches at 28."""
    for width, wanted in ((28, 150_688), (48, 426_288), (52, 498_208)):
        conv = width * width * 9 + width
        arithmetic = (3 * width * 9 + width) + 19 * conv + (4 * width * width + width) + (width * 48 * 9 + 48)
        assert arithmetic == wanted
        assert count(SpanUpscaler(3, 4, width, 6)) == wanted
    branched = (28 * 56 + 56) + (56 * 56 * 9 + 56) + (56 * 28 + 28) + (28 * 28 + 28)
    first = (3 * 6 + 6) + (6 * 56 * 9 + 56) + (56 * 28 + 28) + (3 * 28 + 28)
    whole = first + 19 * branched + (4 * 28 * 28 + 28) + (28 * 48 * 9 + 48)
    assert whole == 634_048
    net = SpanUpscaler(3, 4, 28, 6, conv=BranchedConv)
    assert count(net) == whole
    assert count(folded(net)) == 150_688


def test_counts_of_srresnet():
    """As published for x4 in colour, with one slope per PReLU."""
    ends = (3 * 64 * 81 + 64) + (64 * 3 * 81 + 3)
    conv, norm = 64 * 64 * 9 + 64, 2 * 64
    blocks, merge = 16 * (2 * conv + 2 * norm + 1), conv + norm
    ups = 2 * (64 * 256 * 9 + 256 + 1)
    assert ends + 1 + blocks + merge + ups == 1_549_462
    assert count(ResidualUpscaler(3, 4, 64, 16)) == 1_549_462


def test_layers_of_srresnet():
    net = ResidualUpscaler(3, 4, 64, 16)
    convs = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
    assert len(convs) == 1 + 32 + 1 + 2 + 1
    assert [c.kernel_size[0] for c in convs] == [9, *[3] * 35, 9]
    assert [c.out_channels for c in convs[-3:]] == [256, 256, 3]
    assert sum(isinstance(m, nn.BatchNorm2d) for m in net.modules()) == 33
    assert [m.upscale_factor for m in net.modules() if isinstance(m, nn.PixelShuffle)] == [2, 2]
    plain = ResidualUpscaler(3, 3, 8, 2, 3, "none", "bicubic")
    assert not [m for m in plain.modules() if isinstance(m, nn.BatchNorm2d)]
    assert [m.upscale_factor for m in plain.modules() if isinstance(m, nn.PixelShuffle)] == [3]


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("base", ["bicubic", "nearest"])
def test_the_first_answer_is_the_base(base, scale):
    x = noise(2, 2, 6, 7).float()
    nets = [make(2, scale, 8, 2, base, conv) for make, _ in BODIES.values() for conv in upscaling.CONVS.values()]
    for net in [*nets, ResidualUpscaler(2, scale, 8, 2, 3, "none", base)]:
        assert torch.equal(net(x), upscaling.BASES[base](x, scale))


def test_without_a_base_the_answer_is_the_net_alone():
    net = ResidualUpscaler(1, 2, 4, 1, 3, "none", "none")
    for p in net.parameters():
        p.data.zero_()
    net.last.bias.data.fill_(0.25)
    assert torch.equal(net(torch.zeros(1, 1, 4, 5)), torch.full((1, 1, 8, 10), 0.25))


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("blocks", [1, 3])
def test_radius_of_the_fast_bodies(blocks, scale):
    for (make, radius), stated in zip(BODIES.values(), (plain_radius, span_radius), strict=True):
        assert radius is stated
        net = randomised(make(1, scale, 6, blocks, "bicubic", upscaling.plain_conv))
        assert reach(net, 2 * radius(blocks) + 8, scale) == radius(blocks)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize(("blocks", "ends"), [(1, 3), (2, 9)])
def test_radius_of_srresnet(blocks, ends, scale):
    net = randomised(ResidualUpscaler(1, scale, 4, blocks, ends, "batch", "bicubic"))
    radius = residual_radius(scale, blocks, ends)
    assert reach(net, 2 * radius + 8, scale) == radius


def test_radius_of_the_bases():
    class Base(nn.Module):
        def forward(self, x):
            return upscaling.bicubic(x, 4)

    assert reach(Base(), 12, 4) == upscaling.BASE_REACH


@torch.no_grad()
@pytest.mark.parametrize(("a", "b"), [(3, 5), (4, 4)])
def test_a_folded_branch_is_equal_including_borders(a, b):
    branch = BranchedConv(a, b)
    for i, p in enumerate(branch.parameters()):
        p.data = noise(*p.shape, name=f"branch {i}").float()
    x = noise(2, a, 6, 7).float()
    one = branch.folded()
    assert one.kernel_size == (3, 3) and one.padding == (1, 1)
    assert float((one(x) - branch(x)).abs().max() / branch(x).abs().max()) < 1e-6
    exact = branch.double()
    torch.testing.assert_close(exact.folded()(x.double()), exact(x.double()), rtol=0, atol=1e-12)


@torch.no_grad()
@pytest.mark.parametrize("body", BODIES)
def test_a_folded_net_is_equal(body):
    net = BODIES[body][0](3, 2, 8, 2, "bicubic", BranchedConv)
    for i, p in enumerate(net.last.parameters()):
        p.data = 0.1 * noise(*p.shape, name=f"last {i}").float()
    x = noise(1, 3, 9, 8).float()
    one = folded(net)
    assert not [m for m in one.modules() if isinstance(m, BranchedConv)]
    assert [m for m in net.modules() if isinstance(m, BranchedConv)]
    assert float((one(x) - net(x)).abs().max()) < 1e-5
    assert not torch.equal(net(x), upscaling.bicubic(x, 2))


@torch.no_grad()
def test_attention_against_its_formula():
    block = upscaling.AttentionBlock(1, upscaling.plain_conv).double()
    for conv in block.convs:
        conv.weight.data.zero_()
        conv.weight.data[0, 0, 1, 1] = 2.0
        conv.bias.data.zero_()
    x = torch.tensor(0.7, dtype=torch.float64)
    silu = nn.functional.silu
    first = silu(2 * x)
    last = 2 * silu(2 * first)
    out, inner = block(x.reshape(1, 1, 1, 1))
    assert float(inner) == pytest.approx(float(first))
    assert float(out) == pytest.approx(float((last + x) * (torch.sigmoid(last) - 0.5)))
