import pytest
import torch
from torch import nn

from tests.unit.nets.reaching import noise, randomised
from zeuxis.nets.critics import NORMS, PatchCritic, PyramidCritic, UNetCritic, feature_distance


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def test_the_pyramid_as_published():
    """Ledig et al. 2017, figure 4, at 96 px: 64 to 512 channels in eight convolutions, dense 1024, dense 1."""
    with torch.device("meta"):
        net = PyramidCritic(3, (96, 96))
    widths = [3, 64, 64, 128, 128, 256, 256, 512, 512]
    convs = sum(9 * a * b + b for a, b in zip(widths, widths[1:], strict=False))
    norms = 2 * sum(widths[2:])
    assert count(net) == convs + norms + (512 * 6 * 6 * 1024 + 1024) + (1024 + 1) == 23_565_505
    assert [c.stride[0] for c in net.convs] == [1, 2] * 4
    assert [type(n) for n in net.norms] == [nn.Identity, *[nn.BatchNorm2d] * 7]


def test_the_unet_as_published():
    """Real-ESRGAN's: 4.38 million weights at width 64."""
    with torch.device("meta"):
        net = UNetCritic(3)
    down = 16 * (64 * 128 + 128 * 256 + 256 * 512)
    up = 9 * (512 * 256 + 256 * 128 + 128 * 64)
    assert count(net) == (27 * 64 + 64) + down + up + 2 * 9 * 64 * 64 + (9 * 64 + 1) == 4_376_897


def test_the_patches_as_published():
    """Isola et al. 2017: 70 pixels at three halvings; with the count of CycleGAN's critics."""
    with torch.device("meta"):
        assert count(PatchCritic(3)) == 2_764_737
    for halvings, patch, side in ((3, 70, 128), (2, 34, 64)):
        net = randomised(PatchCritic(1, 4, halvings))
        image = noise(1, 1, side, side).float().requires_grad_()
        logits = net.float()(image)
        assert logits.shape == (1, side // 2**halvings - 2, side // 2**halvings - 2)
        logits[0, logits.shape[1] // 2, logits.shape[2] // 2].backward()
        seen = image.grad[0, 0] != 0
        assert seen.any(0).sum() == seen.any(1).sum() == patch


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("size", [(16, 16), (24, 40)])
def test_shapes_of_the_pyramid(size, norm):
    net = PyramidCritic(3, size, 4, 8, norm)
    logits, maps = net.read(noise(2, 3, *size).float())
    assert logits.shape == (2,)
    ends = [tuple(-(-side // 2 ** (k // 2 + k % 2)) for side in size) for k in range(8)]
    assert [tuple(m.shape[2:]) for m in maps] == ends
    assert [m.shape[1] for m in maps] == [4, 4, 8, 8, 16, 16, 32, 32]


def test_a_pooling_pyramid_takes_any_size():
    net = PyramidCritic(1, (32, 32), 4, 8, "none", pool=True).eval()
    assert net.dense.in_features == 32
    for size in ((32, 32), (17, 50)):
        assert net(noise(3, 1, *size).float()).shape == (3,)
    whole = PyramidCritic(1, (32, 32), 4, 8, "none")
    assert whole.dense.in_features == 32 * 2 * 2


@pytest.mark.parametrize("size", [(8, 8), (16, 24), (13, 21)])
def test_the_unet_judges_every_pixel(size):
    net = UNetCritic(2, 4)
    logits, maps = net.read(noise(3, 2, *size).float())
    assert logits.shape == (3, 1, *size)
    assert [m.shape[1] for m in maps] == [4, 8, 16, 32]


def test_the_unet_equals_its_plain_form():
    """Without spectral norm, step by step as in the source."""
    net = randomised(UNetCritic(1, 4))
    f, x = nn.functional, noise(1, 1, 16, 16)
    act = lambda y: f.leaky_relu(y, 0.2)  # noqa: E731
    with torch.no_grad():
        x0 = act(net.first(x))
        x1 = act(f.conv2d(x0, net.down[0].weight, stride=2, padding=1))
        x2 = act(f.conv2d(x1, net.down[1].weight, stride=2, padding=1))
        x3 = act(f.conv2d(x2, net.down[2].weight, stride=2, padding=1))
        double = lambda y: f.interpolate(y, scale_factor=2, mode="bilinear", align_corners=False)  # noqa: E731
        x4 = act(f.conv2d(double(x3), net.up[0].weight, padding=1)) + x2
        x5 = act(f.conv2d(double(x4), net.up[1].weight, padding=1)) + x1
        x6 = act(f.conv2d(double(x5), net.up[2].weight, padding=1)) + x0
        out = act(f.conv2d(x6, net.out[0].weight, padding=1))
        out = net.last(act(f.conv2d(out, net.out[1].weight, padding=1)))
        torch.testing.assert_close(net(x), out)


def test_spectral_norm_is_on_the_inner_layers():
    names = [n for n, _ in UNetCritic(3, 4).named_parameters()]
    assert sum("parametrizations" in n for n in names) == 3 + 3 + 2
    names = [n for n, _ in PyramidCritic(3, (16, 16), 4, 8, "spectral").named_parameters()]
    assert sum("parametrizations" in n for n in names) == 7 + 1


def test_feature_distance_against_its_closed_form():
    fake = [torch.full((2, 1, 2, 2), 1.0, requires_grad=True), torch.zeros(2, 3, 1, 1, requires_grad=True)]
    real = [torch.full((2, 1, 2, 2), 3.0, requires_grad=True), torch.full((2, 3, 1, 1), 0.5, requires_grad=True)]
    distance = feature_distance(fake, real)
    assert float(distance.detach()) == (2.0 + 0.5) / 2
    distance.backward()
    assert all(m.grad is None for m in real)
    assert all(m.grad is not None for m in fake)
