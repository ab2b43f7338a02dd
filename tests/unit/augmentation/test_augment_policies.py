from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zeuxis.augmentation.apply import apply, augment_copies
from zeuxis.augmentation.domains import DOMAINS, guard_words, guess_domain
from zeuxis.augmentation.names import POLICY_NAMES, RIVALS
from zeuxis.augmentation.operations import OPERATIONS
from zeuxis.augmentation.policy import Policy, find_policy
from zeuxis.draw import Draw
from zeuxis.errors import BadInput

DRAW = Draw(8, step=3)


def picture(b=8, c=3, h=12, w=16):
    return Draw(1).at("picture").uniform(b, c, h, w, low=-0.9, high=0.9)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("name", POLICY_NAMES)
def test_strength_zero_keeps_the_bits(name, channels):
    image = picture(c=channels)
    mask, boxes = image[:, :1] > 0, torch.rand(8, 2, 4, generator=torch.Generator().manual_seed(0)) * 12
    out = apply(replace(find_policy(name), strength=0.0), image, DRAW, mask=mask, boxes=boxes, domain="overhead")
    assert torch.equal(out.image, image) and torch.equal(out.mask, mask) and torch.equal(out.boxes, boxes)


@pytest.mark.parametrize("domain", sorted(DOMAINS))
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["light", "strong", "classic"])
def test_policies_change_pictures_and_stay_in_range(name, channels, domain):
    image = picture(c=channels)
    out = apply(name, image, DRAW, domain=domain)
    assert out.mask is None and out.boxes is None
    assert out.image.shape == image.shape and out.image.isfinite().all() and out.image.abs().max() <= 1 + 1e-5
    assert not torch.equal(out.image, image)


def test_none_is_none():
    image = picture()
    assert apply("none", image, DRAW).image is image


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(8)), st.sampled_from(["light", "strong"]), st.integers(0, 2**40))
def test_a_sample_keeps_its_result_in_another_order(order, name, seed):
    image, draw, order = picture(), Draw(seed), torch.tensor(order)
    whole = apply(name, image, draw).image
    assert torch.equal(apply(name, image, draw).image, whole)
    assert torch.equal(apply(name, image[order], draw, index=order).image, whole[order])


def test_a_shard_draws_its_rows_of_the_whole():
    image = picture()
    whole = apply("light", image, DRAW).image
    shard = apply("light", image[1::2], Draw(8, step=3, rank=1, world=2)).image
    assert torch.equal(shard, whole[1::2])


def test_light_only_moves_values():
    image = picture()
    out = apply("light", image, DRAW).image
    assert torch.isin(out, torch.cat([image.flatten(), torch.tensor([-1.0])])).all()


@pytest.mark.parametrize("name", ["light", "strong"])
def test_boxes_and_masks_move_with_their_square(name):
    b, h, w = 64, 32, 40
    image, mask = torch.full((b, 1, h, w), -1.0), torch.zeros(b, 1, h, w, dtype=torch.int64)
    image[:, :, 11:21, 14:26], mask[:, :, 11:21, 14:26] = 0.9, 5
    boxes = torch.tensor([[14.0, 11.0, 26.0, 21.0], [torch.nan] * 4]).repeat(b, 1, 1)
    moving = tuple(n for n in find_policy(name).one_of if OPERATIONS[n].geometric)
    policy = Policy("geometry", moving, find_policy(name).always)
    out = apply(policy, image, DRAW, mask=mask, boxes=boxes, domain="overhead")
    assert out.boxes[:, 1].isnan().all() and not out.boxes[:, 0].isnan().any()
    assert set(out.mask.unique().tolist()) == {0, 5}
    different = ((out.image > 0) != (out.mask == 5)).flatten(1).sum(1)
    assert different.max() <= 12
    for k in range(b):
        ys, xs = torch.nonzero(out.mask[k, 0], as_tuple=True)
        x0, y0, x1, y1 = out.boxes[k, 0].tolist()
        assert x0 <= xs.min() + 0.51 and y0 <= ys.min() + 0.51
        assert x1 >= xs.max() + 0.49 and y1 >= ys.max() + 0.49
        assert name == "strong" or [x0, y0, x1, y1] == [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]


def test_strong_gives_each_sample_one_operation_with_equal_chance():
    names = ("brightness", "solarize", "rotate")
    image = picture(b=2000, c=1, h=4, w=4)
    one = apply(Policy("one", names), image, DRAW).image
    untouched = (one == image).flatten(1).all(1).float().mean()
    assert abs(untouched - 0.25) < 0.06  # one slot in four leaves the sample alone; weak solarizing may too


def left_right():
    """A dark picture with a bright left edge, top edge dimmer."""
    image = torch.full((200, 1, 16, 16), -1.0)
    image[:, :, 5:7, 5:7] = 1
    return image


@pytest.mark.parametrize(("domain", "across", "down"), [("photo", True, False), ("garments", True, False)])
def test_guards_of_photographs(domain, across, down):
    ys, xs = centres(apply("light", left_right(), DRAW, domain=domain).image)
    assert (xs > 7.5).any() == across and (ys > 8.5).any() == down


def centres(image):
    ys, xs = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    light = (image[:, 0] + 1).clamp(min=0)
    total = light.sum((1, 2))
    return (light * ys).sum((1, 2)) / total, (light * xs).sum((1, 2)) / total


@pytest.mark.parametrize("domain", ["digits", "text"])
def test_glyphs_are_never_flipped_nor_turned_far(domain):
    ys, xs = centres(apply("light", left_right(), DRAW, domain=domain).image)
    assert xs.max() < 8 and ys.max() < 8
    bar = torch.full((300, 1, 33, 33), -1.0)
    bar[:, :, 2:31, 16] = 1
    only = Policy("turn", one_of=("rotate", "solarize"))
    moved = apply(only, bar, DRAW, domain=domain).image
    top = (moved[:, 0, 3] + 1).argmax(1)
    assert (top - 16).abs().max() <= round(13 * 0.27) and (top != 16).any()
    assert (moved.amin((1, 2, 3)) == -1).all()


def test_overhead_flips_both_ways():
    ys, xs = centres(apply("light", left_right(), DRAW, domain="overhead").image)
    assert (xs > 8.5).any() and (ys > 8.5).any()


def test_words_and_guesses():
    told = {policy: {domain: guard_words(domain, [policy]) for domain in DOMAINS} for policy in POLICY_NAMES}
    assert max(len(line) for lines in told.values() for line in lines.values()) < 175
    assert not any(told["none"].values()), "nothing is done, so nothing hangs on the kind"
    digits = "taken as digits: no flips"
    hint = "; --domain sets another kind, such as `overhead`"
    assert told["light"]["photo"] == f"taken as photographs and the like: left-right flips, no up-down flips{hint}"
    assert told["light"]["digits"] == f"{digits}; --domain sets another kind", "it neither turns nor shears"
    everything = f"{digits}, rotation up to 15 degrees, shear up to 0.2, no solarizing, small cutouts; "
    assert told["strong"]["digits"].startswith(everything) and "up to 10 degrees" in told["classic"]["text"]
    above = "flips both ways, rotation up to {} degrees"
    assert above.format(15) + ";" in told["classic"]["overhead"]
    assert above.format(135) + " in `strong`, as published;" in told["strong"]["overhead"]
    assert guard_words("digits", RIVALS) == told["strong"]["digits"]
    known = {"mnist": "digits", "fashion-mini": "garments", "fashion-mnist": "garments", "cifar10": "photo"}
    known |= {"FashionMNIST": "garments", "/data/MNIST/": "digits", "my/textures": "photo", "emnist-letters": "text"}
    known |= {"mnist:/data/raw": "digits", "cifar10:/data/mnist": "photo", "C:/sets/mnist": "digits"}
    known |= {"/a:b/mnist": "digits", "fashion-mnist:x": "garments"}
    assert {name: guess_domain(name) for name in known} == known


def test_bad_names_are_named():
    with pytest.raises(BadInput, match="did you mean `strong`"):
        apply("stron", picture(), DRAW)
    with pytest.raises(BadInput, match="did you mean `digits`"):
        apply("light", picture(), DRAW, domain="digit")
    with pytest.raises(BadInput, match="did you mean `rotate`"):
        Policy("mine", one_of=("rotat",))
    with pytest.raises(BadInput, match="moves pixels"):
        Policy("mine", last=(("rotate", 1.0),))
    with pytest.raises(BadInput, match="with 1 to 4 channels"):
        apply("light", picture(c=5), DRAW)


def test_every_limit_names_an_operation():
    for guard in DOMAINS.values():
        assert set(guard.limits) <= set(OPERATIONS) and all(0 <= v <= 1 for v in guard.limits.values())


def test_copies_are_bytes_that_can_be_made_again():
    every_value = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16).repeat(4, 3, 1, 1)
    assert torch.equal(augment_copies(every_value, 0, 1, policy="none"), every_value)
    first = augment_copies(every_value, 0, 1, domain="photo")
    assert first.dtype == torch.uint8 and torch.equal(first, augment_copies(every_value, 0, 1))
    assert not torch.equal(first, augment_copies(every_value, 1, 1))
    assert not torch.equal(first, augment_copies(every_value, 0, 2))
    assert torch.equal(augment_copies(every_value[2:3], 0, 1, index=torch.tensor([2])), first[2:3])


def angles(image):
    """Degrees by which a bright horizontal bar on the dark is turned."""
    ys, xs = torch.meshgrid(torch.arange(33.0) - 16, torch.arange(33.0) - 16, indexing="ij")
    light = (image[:, 0] + 1).clamp(min=0)
    total = light.sum((1, 2))
    x, y = ((light * z).sum((1, 2)) / total for z in (xs, ys))
    dx, dy = xs - x[:, None, None], ys - y[:, None, None]
    xx, yy, xy = ((light * z).sum((1, 2)) for z in (dx * dx, dy * dy, dx * dy))
    return torch.rad2deg(0.5 * torch.atan2(2 * xy, xx - yy))


def test_classic_turns_every_picture_by_another_angle_within_15_degrees():
    bar = torch.full((400, 1, 33, 33), -1.0)
    bar[:, :, 15:18, 8:25] = 1
    turned = angles(apply(Policy("turn", always=(("rotate", 15 / 135),), varied=True), bar, DRAW).image)
    assert turned.abs().max() < 15.5 and turned.min() < -10 and turned.max() > 10
    assert (turned.abs() < 5).any() and turned.unique().numel() > 300
    whole = apply("classic", bar, DRAW).image
    assert not torch.equal(whole, bar) and whole.mean((1, 2, 3)).unique().numel() > 300


def test_classic_keeps_to_the_guards():
    ys, xs = centres(apply("classic", left_right(), DRAW, domain="digits").image)
    assert xs.max() < 9.5 and ys.max() < 9.5
    ys, xs = centres(apply("classic", left_right(), DRAW, domain="photo").image)
    assert (xs > 9).any() and ys.max() < 9.5
    grey = picture(c=1)
    assert torch.isfinite(apply("classic", grey, DRAW).image).all()


def test_the_policies_of_the_study_draw_what_they_always_did():
    assert [find_policy(name).varied for name in ("none", "light", "strong")] == [False] * 3
    assert find_policy("light").always == (("flip_horizontal", 0.5), ("flip_vertical", 0.5), ("crop", 1.0))


def test_classic_leaves_no_black_corners():
    white = torch.full((16, 3, 32, 32), 0.9)
    assert apply("classic", white, DRAW).image.min() > 0
