"""Nets from picture to picture: their published sizes, what they reach, and norms that a large picture shares."""

import pytest
import torch
from torch import nn
from torch.nn.functional import conv_transpose2d, instance_norm, pad

from tests.unit.nets.reaching import noise, randomised, reach
from zeuxis.nets.critics import PatchCritic, ScaledCritics
from zeuxis.nets.picture_norm import PictureNorm, statistics_of
from zeuxis.nets.translating import (
    UPS,
    PatchProjector,
    ResidualTranslator,
    UNetTranslator,
    doubled,
    filled,
    residual_radius,
)


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def test_published_sizes():
    """Of pytorch-CycleGAN-and-pix2pix, instance norm with biases: 11.378 M, 2.765 M; its U-Net has 54.41 M."""
    with torch.device("meta"):
        assert count(ResidualTranslator(3, 3, 64, 9, "transposed")) == 11_378_179
        assert count(PatchCritic(3, 64, 3, "instance")) == 2_764_737
        assert count(UNetTranslator(3, 3, 64, 8, "transposed", 0.5)) == pytest.approx(54.41e6, rel=1e-3)


@pytest.mark.parametrize("halvings", [1, 2, 3, 4])
def test_a_critic_sees_patches_of_the_stated_size(halvings):
    """16, 34, 70 and 142 pixels."""
    critic = randomised(PatchCritic(1, 2, halvings))
    side = {1: 48, 2: 96, 3: 192, 4: 384}[halvings]
    image = noise(1, 1, side, side).requires_grad_()
    logits = critic(image)
    middle = logits.shape[1] // 2
    logits[0, middle, middle].backward()
    seen = (image.grad[0, 0] != 0).any(0).nonzero()
    assert int(seen.max() - seen.min()) + 1 == {1: 16, 2: 34, 3: 70, 4: 142}[halvings]


def test_critics_of_several_scales_see_the_picture_smaller():
    critics = ScaledCritics(3, 4, 2, "instance", 3)
    shapes = [tuple(x.shape) for x in critics(torch.zeros(2, 3, 64, 96))]
    assert [s[0] for s in shapes] == [2, 2, 2] and shapes[0][1] > shapes[1][1] > shapes[2][1]


@pytest.mark.parametrize("up", UPS)
def test_a_map_is_doubled(up):
    for size in (3, 4):
        assert doubled(4, 6, up, size)(torch.zeros(2, 4, 5, 7)).shape == (2, 6, 10, 14)


@pytest.mark.parametrize("up", UPS)
@pytest.mark.parametrize("smooth", [False, True])
def test_a_residual_translator_reaches_no_farther_than_stated(up, smooth):
    net = ResidualTranslator(1, 1, 2, 1, up, smooth)
    for norm in (m for m in net.modules() if isinstance(m, PictureNorm)):
        norm.forward = lambda x: x  # type: ignore[method-assign]
    far = reach(randomised(net), 96)
    assert residual_radius(1) - 10 <= far <= residual_radius(1)


def test_a_map_is_resized_by_the_filter_of_cut():
    """Zeros between the pixels and [1, 3, 3, 1] along both axes, as CUT has it, borders repeated."""
    x = noise(1, 1, 5, 7).float()
    one = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4
    padded = pad(x, (1, 1, 1, 1), mode="replicate")
    wanted = conv_transpose2d(padded, (one[:, None] * one)[None, None], stride=2)[..., 3:-3, 3:-3]
    assert torch.allclose(doubled(1, 1, "resize", smooth=True)[0](x), wanted, atol=1e-6)


class TestAChange:
    def net(self) -> ResidualTranslator:
        return randomised(ResidualTranslator(3, 3, 4, 1, "resize", change=True))

    def test_it_begins_with_the_picture(self):
        net, image = self.net(), noise(2, 3, 22, 17).clamp(-1, 1)
        nn.init.zeros_(net.last.weight), nn.init.zeros_(net.last.bias)
        assert torch.equal(net(image), image)

    @pytest.mark.parametrize("far", [-50.0, 50.0])
    def test_any_colour_can_come_of_any(self, far):
        net, image = self.net(), noise(1, 3, 16, 16).clamp(-1, 1)
        nn.init.constant_(net.last.bias, far)
        assert torch.allclose(net(image), torch.full_like(image, far).sign(), atol=1e-4)

    def test_it_needs_as_many_channels(self):
        with pytest.raises(ValueError, match="not 3 of 1"):
            ResidualTranslator(1, 3, 4, 1, "resize", change=True)


@pytest.mark.parametrize(("height", "width", "depth"), [(64, 64, 6), (32, 48, 4), (16, 16, 3)])
def test_a_unet_gives_the_size_that_it_is_given(height, width, depth):
    net = UNetTranslator(4, 2, 4, depth, "resize", 0.5).eval()
    assert net(torch.zeros(1, 4, height, width)).shape == (1, 2, height, width)


@pytest.mark.parametrize("side", [40, 72, 100])
def test_a_unet_takes_sides_that_are_no_multiples(side):
    net = UNetTranslator(3, 3, 4, 6, "resize", 0.0).eval()
    assert net(torch.zeros(1, 3, side, 64)).shape == (1, 3, side, 64)


@pytest.mark.parametrize("size", [(22, 17), (16, 30), (33, 64)])
def test_a_residual_translator_takes_sides_that_are_no_multiples(size):
    net = ResidualTranslator(3, 1, 2, 1, "resize").eval()
    assert net(torch.zeros(1, 3, *size)).shape == (1, 1, *size)


@pytest.mark.parametrize(("side", "multiple"), [(8, 8), (5, 4), (3, 16), (1, 8), (30, 64)])
def test_what_is_filled_up_holds_the_picture_and_its_mirror_images(side, multiple):
    image = torch.arange(float(side * 4)).reshape(1, 1, side, 4)
    whole, (rows, columns) = filled(image, multiple)
    assert all(length % multiple == 0 and length < n + multiple for length, n in zip(whole.shape[2:], (side, 4)))
    assert torch.equal(whole[..., rows, columns], image)
    assert {float(x) for x in whole.flatten()} == {float(x) for x in image.flatten()}
    if rows.start and side > 1:
        assert torch.equal(whole[..., rows.start - 1, columns], image[..., 1, :])


def test_dropout_stands_in_the_three_doublings_after_the_innermost():
    net = UNetTranslator(3, 3, 4, 8, "resize", 0.5)
    assert ["Dropout" in type(m).__name__ for m in net.drop] == [False, True, True, True, False, False, False]


def test_a_norm_is_instance_norm_and_knows_nothing_of_other_pictures():
    x = noise(3, 4, 6, 5).float()
    norm = PictureNorm(4, affine=True)
    norm.weight.data = torch.arange(1.0, 5.0)
    assert torch.allclose(norm(x), instance_norm(x, weight=norm.weight, bias=norm.bias))
    assert torch.equal(norm.train()(x)[:1], norm.eval()(x[:1]))


def test_parts_have_the_statistics_of_the_whole():
    """A part of a large picture gives what it gives in the whole, and afterwards every picture its own again."""
    net = ResidualTranslator(1, 1, 4, 1, "resize").eval()
    whole = noise(1, 1, 128, 128).float()
    whole[..., 64:] *= 3
    with torch.no_grad():
        wanted, alone = net(whole), net(whole[..., :64])
        with statistics_of(net, net, [lambda: (whole, lambda maps: maps)]):
            part = net(whole[..., :64])
        reached = residual_radius(1)
        assert torch.allclose(part[..., : 64 - reached], wanted[..., : 64 - reached], atol=1e-5)
        assert not torch.allclose(alone[..., : 64 - reached], wanted[..., : 64 - reached], atol=1e-2)
        assert torch.equal(net(whole[..., :64]), alone)


def test_a_projector_gives_unit_vectors_of_the_places():
    maps = [noise(2, 3, 4, 5).float(), noise(2, 8, 2, 2).float()]
    places = [torch.tensor([[0, 7, 19], [1, 2, 3]]), torch.tensor([[3], [0]])]
    first, second = PatchProjector([3, 8], 16)(maps, places)
    assert first.shape == (2, 3, 16) and second.shape == (2, 1, 16)
    assert torch.allclose(first.norm(dim=2), torch.ones(2, 3))
    other = [maps[0].clone(), maps[1]]
    other[0][0, :, 1, 2] += 1  # place 7 of the first picture
    moved = PatchProjector([3, 8], 16)
    a, b = moved(maps, places)[0], moved(other, places)[0]
    assert (a != b).any(2).tolist() == [[False, True, False], [False, False, False]]
