"""A photograph in the manner of a painting: its patches become the painting's, and what it shows stays."""

from dataclasses import replace

import pytest
import torch

from zeuxis.classic.style import USUAL, styled, with_colours_of
from zeuxis.classic.transport import basis, colours_of, recoloured
from zeuxis.draw import Draw
from zeuxis.metrics.edges import edge_correlation
from zeuxis.pictures.in_colour import luma

DRAW = Draw(0, phase="style")


def noise(name: str, height: int, width: int) -> torch.Tensor:
    return Draw(3).at(name).normal(1, 1, height, width)


def photograph() -> torch.Tensor:
    """A bright disc above a dark ground, with the grain of things at every scale, [1, 3, 150, 180]."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, 150), torch.linspace(-1.2, 1.2, 180), indexing="ij")
    disc = torch.sigmoid(40 * (0.5 - (x.square() + (y + 0.2).square()).sqrt()))
    ground = torch.sigmoid(40 * (y - 0.5))
    grain = sum(
        0.05 * torch.nn.functional.interpolate(noise(f"{k}", 150 // k, 180 // k), size=(150, 180), mode="bicubic")
        for k in (1, 2, 4, 8)
    )
    light = -0.2 + 0.8 * disc - 0.6 * ground + torch.as_tensor(grain)[0, 0]
    return torch.stack([light, 0.8 * light, 0.4 * light])[None].clamp(-1, 1)


def painting(turned: bool = False) -> torch.Tensor:
    """Slanting strokes in tints of two colours, [1, 3, 140, 170]."""
    stroke = torch.eye(11)[None, None] / 11**0.5
    strokes = torch.nn.functional.conv2d(noise("strokes", 150, 180), stroke.flip(3) if turned else stroke)[0, 0]
    return torch.stack([0.3 * strokes, -0.1 + 0.1 * strokes, 0.5 * strokes])[None].clamp(-1, 1)


def apart(image: torch.Tensor, other: torch.Tensor) -> float:
    """Sliced Wasserstein distance between the 5x5 patches of two pictures, without their means."""
    axes = basis(25, 75, Draw(1, phase="axes"), "axes")
    sorted_along = []
    for x in (image, other):
        patches = torch.nn.functional.unfold(x, 5)[0].T
        patches = patches - patches.reshape(-1, 3, 25).mean(2).repeat_interleave(25, 1)
        along = (axes @ patches.T).sort(1).values
        at = torch.linspace(0, along.shape[1] - 1, 200).round().long()
        sorted_along.append(along[:, at])
    return float((sorted_along[0] - sorted_along[1]).abs().mean())


def test_patches_move_towards_the_painting_and_edges_stay():
    photo, there = photograph(), painting()
    made = styled(photo, [(there, 1.0)], DRAW)
    assert made.shape == photo.shape and made.abs().max() <= 1
    assert apart(made, there) < 0.4 * apart(photo, there), "texture of the painting"
    colours = recoloured(photo, colours_of(there, DRAW), DRAW)
    assert apart(made, there) < 0.5 * apart(colours, there), "which its colours alone do not give"
    strokes_gone = [torch.nn.functional.avg_pool2d(x, 13, 1, 6) for x in (made, made.flip(2), photo)]
    right, upside_down = (float(edge_correlation(x, strokes_gone[2])) for x in strokes_gone[:2])
    assert right > 0.3 and right > upside_down + 0.3


def test_strength_goes_from_colours_alone_to_texture():
    photo, there = photograph(), painting()
    none, half, full = (styled(photo, [(there, 1.0)], DRAW, strength) for strength in (0.0, 0.5, 1.0))
    assert torch.equal(none, recoloured(photo, colours_of(there, DRAW, 1 << 13), DRAW))
    assert apart(full, there) < apart(half, there) < apart(none, there)


def test_of_two_paintings_each_counts_as_much_as_was_said():
    photo, one, other = photograph(), painting(), painting(turned=True)
    made = [slant(styled(photo, [(one, w), (other, 1 - w)], DRAW)) for w in (1 - 1e-6, 0.8, 0.5, 0.2)]
    assert slant(one) < 0.9 < 1.1 < slant(other) and made == sorted(made), made


def slant(image: torch.Tensor) -> float:
    """How strongly a picture changes from upper left to lower right, in what it does across."""
    along, across = image[..., 1:, 1:] - image[..., :-1, :-1], image[..., 1:, :-1] - image[..., :-1, 1:]
    return float(along.abs().mean() / across.abs().mean())


def test_the_same_numbers_give_the_same_picture_and_what_is_done_is_told():
    photo, there, told = photograph(), painting(), []
    first = styled(photo, [(there, 1.0)], DRAW, told=told.append)
    assert torch.equal(first, styled(photo, [(there, 1.0)], DRAW))
    assert not torch.equal(first, styled(photo, [(there, 1.0)], Draw(1, phase="style")))
    assert told == sorted(told) and told[-1] == pytest.approx(1)


def test_a_picture_that_equals_its_painting_stays_as_it_is():
    """Every patch finds itself: nothing is blurred where nothing is to change."""
    there = painting()
    quick = replace(USUAL, complete=10.0)
    assert (styled(there, [(there, 1.0)], DRAW, settings=quick) - there).abs().mean() < 0.1


def test_colours_of_the_photograph_and_light_of_the_painting():
    photo, made = 0.5 * photograph()[..., :140, :170], 0.5 * painting()
    kept = with_colours_of(made, photo)
    assert torch.allclose(luma(kept), luma(made), atol=1e-6)
    assert torch.allclose(kept - luma(kept), photo - luma(photo), atol=1e-6)


def test_pictures_smaller_than_a_patch_are_no_reason_to_stop():
    made = styled(photograph()[..., :16, :9], [(painting()[..., :3, :40], 1.0)], DRAW)
    assert made.shape == (1, 3, 16, 9) and torch.isfinite(made).all()
