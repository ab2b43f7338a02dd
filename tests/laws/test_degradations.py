"""Law 10: linear damage passes the adjoint test, strength zero is the identity, a sample is damaged alike anywhere."""

from dataclasses import replace

import pytest
import torch

from tests.laws.helper import bits_equal
from zeuxis.degrade.degradation import adjoint, is_linear
from zeuxis.degrade.parsing import KINDS, parse
from zeuxis.degrade.presets import PRESETS
from zeuxis.draw import Draw, Stream, key_of
from zeuxis.errors import BadInput

DRAW = Draw(5, step=3, phase="law")
NAMES = [*KINDS, *PRESETS]
CHAINS = ["motion=9+down=3+boxes@0.5", "low-resolution+low-colour@0.5+anisotropic", "grey+disk+strokes-thick"]
LINEAR = [name for name in [*NAMES, *CHAINS] if is_linear(parse(name))]
NONE = {"down": 1, "low-resolution": 1, "low-colour": 1, "motion": 0, "down-area": 1, "down-bilinear": 1}
"""Values of strength zero where they are not 0."""
NO_ZERO = {"jpeg", "jpeg420", "jpeg444", "grey"}
"""Kinds without a value that does nothing; their chance @0 is tested instead."""


def image(n=4, channels=3, height=18, width=25):
    return Stream(key_of("degradation")).uniform(n, channels, height, width, low=-1.0, high=1.0)


def observed_equal(a, b):
    same = [(x is None) == (y is None) and (x is None or bits_equal(x, y)) for x, y in zip(parts(a), parts(b))]
    return all(same)


def parts(seen):
    return seen.image, seen.known, seen.level, seen.clean


def test_blurs_sizes_and_grey_holes_are_linear():
    expected = {"blur", "anisotropic", "motion", "disk", "boxes", "strokes", "strokes-thin", "strokes-thick"}
    expected |= {"grey", "low-colour", "low-resolution", "down", "down-area", "down-bilinear", "clean", *CHAINS}
    assert set(LINEAR) == expected


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("name", LINEAR)
def test_adjoint(name, channels):
    """<Ax, y> = <x, A'y> to 1e-10 in float64, on sides that are no multiple of anything."""
    observe = parse(name)
    x = image(channels=channels).double()
    seen = observe(x, DRAW).image
    y = Stream(key_of("adjoint")).normal(*seen.shape).double()
    back = adjoint(observe, y, DRAW, (18, 25))
    assert back.shape == x.shape and back.dtype == torch.float64
    left, right = float((seen * y).sum()), float((x * back).sum())
    assert left != 0 and abs(left - right) <= 1e-10 * max(1.0, abs(left))


@pytest.mark.parametrize("name", LINEAR)
def test_linear_damage_is_linear_and_offers_its_adjoint(name):
    observe = parse(name)
    x, z = image().double(), image().flip(0).double()
    mixed = observe(2 * x - 3 * z, DRAW).image
    assert torch.allclose(mixed, 2 * observe(x, DRAW).image - 3 * observe(z, DRAW).image, atol=1e-12)
    y = torch.ones_like(mixed)
    assert torch.equal(observe.adjoint(y, DRAW, (18, 25)), adjoint(observe, y, DRAW, (18, 25)))


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(LINEAR)))
def test_other_damage_has_no_adjoint(name):
    with pytest.raises(BadInput, match="not linear"):
        adjoint(parse(name), image(), DRAW)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("name", KINDS)
def test_strength_zero_is_the_identity(name, channels):
    x = image(channels=channels)
    seen = parse(f"{name}@0" if name in NO_ZERO else f"{name}={NONE.get(name, 0)}")(x, DRAW)
    if name.endswith("-linear"):
        assert torch.allclose(seen.image, x, atol=1e-5)  # to linear light and back
    elif name == "noise-8bit":
        assert torch.allclose(seen.image, x, atol=1 / 255 + 1e-6)  # still rounded to 8 bits
    else:
        assert bits_equal(seen.image, x)
    assert seen.known is None or bool((seen.known == 1).all())
    assert seen.level is None or bool((seen.level == 0).all())


@pytest.mark.parametrize("name", PRESETS)
def test_preset_left_to_no_chance_is_the_identity(name):
    assert bits_equal(parse(f"{name}@0")(image(), DRAW).image, image())


@pytest.mark.parametrize("channels", [1, 2, 4])
@pytest.mark.parametrize("name", NAMES)
def test_same_draw_same_bits(name, channels):
    """Also with the process-wide generator poisoned between; the input is left as it was."""
    x = image(channels=channels)
    torch.manual_seed(1)
    first = parse(name)(x, DRAW)
    torch.manual_seed(2)
    assert observed_equal(parse(name)(x, DRAW), first)
    assert bits_equal(x, image(channels=channels))
    factor = 2 if name.startswith("down") else 1
    assert first.image.shape == (4, channels, -(-18 // factor), -(-25 // factor)) and first.image.dtype == x.dtype
    assert bool(torch.isfinite(first.image).all())


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"clean", "grey", "down", "down-area", "down-bilinear"}))
def test_another_draw_gives_other_damage(name):
    first = parse(name)(image(), DRAW).image
    assert not bits_equal(parse(name)(image(), replace(DRAW, step=4)).image, first)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_damaged_alike_whatever_its_neighbours(name):
    x, observe = image(), parse(name)
    whole = observe(x, DRAW).image
    for i in (0, 3):
        alone = observe(x[i : i + 1], replace(DRAW, chosen=torch.tensor([i])))
        assert bits_equal(alone.image, whole[i : i + 1])
    others = x.flip(0).clone()
    others[3] = x[3]
    assert bits_equal(observe(others, DRAW).image[3], whole[3])


@pytest.mark.parametrize("name", NAMES)
def test_shards_of_ranks_are_rows_of_the_whole(name):
    x, observe = image(n=4), parse(name)
    whole = observe(x, DRAW)
    for rank in (0, 1):
        shard = observe(x[rank::2], replace(DRAW, rank=rank, world=2))
        assert bits_equal(shard.image, whole.image[rank::2])
        for mine, all_rows, neutral in (
            (shard.known, whole.known, torch.ones(())),
            (shard.level, whole.level, torch.zeros(())),
            (shard.clean, whole.clean, x[rank::2]),
        ):
            if all_rows is not None:
                given = neutral.expand_as(all_rows[rank::2]) if mine is None else mine
                assert bits_equal(given.contiguous(), all_rows[rank::2].contiguous())


@pytest.mark.parametrize("name", NAMES)
def test_reduced_precision_of_the_caller_changes_nothing(name):
    plain = parse(name)(image(), DRAW).image
    with torch.autocast("cpu", dtype=torch.bfloat16):
        seen = parse(name)(image(), DRAW).image
    assert bits_equal(seen, plain)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_flow_where_pixels_are_left(name):
    x = image().requires_grad_()
    seen = parse(name)(x, DRAW).image
    (gradient,) = torch.autograd.grad(seen.square().sum(), x)
    assert bool(torch.isfinite(gradient).all()) and float(gradient.abs().sum()) > 0


@pytest.mark.parametrize("size", [(1, 1), (17, 2)])
@pytest.mark.parametrize("name", NAMES)
def test_pictures_of_any_size(name, size):
    seen = parse(name)(image(2, 3, *size), DRAW)
    assert bool(torch.isfinite(seen.image).all())
    if not name.startswith("down"):
        assert seen.image.shape == (2, 3, *size)
