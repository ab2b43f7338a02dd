"""Which pictures stay together: mirrored, turned, cut out, brighter; what is asked about; what is shown."""

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import map_coordinates

import zeuxis
from zeuxis.data import texture
from zeuxis.data.crops import cut_pairs
from zeuxis.data.duplicates import _small, check_bound, families
from zeuxis.data.memory import MemoryDataset
from zeuxis.data.split import split_dataset
from zeuxis.errors import BadInput
from zeuxis.pages.families import sentence_of


def scene(i, side=96):
    """A picture with detail of all sizes, as photographs have: noise whose spectrum falls as 1/f."""
    rng = np.random.default_rng(i)
    f = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    f[0, 0] = 1
    spectrum = (rng.normal(size=(3, *f.shape)) + 1j * rng.normal(size=(3, *f.shape))) / f**1.3
    waves = np.fft.irfft2(spectrum[:1] + 0.3 * spectrum, s=(side, side))
    whole = 128 + 40 * (waves - waves.mean()) / waves.std()
    return Image.fromarray(np.clip(whole, 0, 255).astype(np.uint8).transpose(1, 2, 0))


def data_of(images, size=64, **given):
    pixels = np.stack([np.asarray(one.resize((size, size), Image.Resampling.LANCZOS)) for one in images])
    return MemoryDataset(torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(), **given)


def cut_out(image, share, rng):
    width, height = (round(side * share) for side in image.size)
    left, top = rng.integers(0, image.width - width + 1), rng.integers(0, image.height - height + 1)
    return image.crop((left, top, left + width, top + height)).resize(image.size, Image.Resampling.BICUBIC)


def brighter(image, by):
    return Image.fromarray(np.clip(np.asarray(image) * by, 0, 255).astype(np.uint8))


TURNS = [Image.Transpose(k) for k in range(7)]
CHANGES = {turn.name: lambda image, rng, turn=turn: image.transpose(turn) for turn in TURNS} | {
    "cut to 90 %": lambda image, rng: cut_out(image, 0.9, rng),
    "cut to 80 %": lambda image, rng: cut_out(image, 0.8, rng),
    "cut and mirrored": lambda image, rng: cut_out(image, 0.9, rng).transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "brighter": lambda image, rng: brighter(image, 1.2),
    "darker": lambda image, rng: brighter(image, 0.7),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found_and_nothing_else(change):
    rng = np.random.default_rng(0)
    scenes = [scene(i) for i in range(60)]
    data = data_of([*scenes, *(CHANGES[change](one, rng) for one in scenes[:20])])
    found = families(data)
    assert sum(found.roots[60 + i] == i for i in range(20)) >= 19
    assert all(found.roots[i] in (i, i - 60) for i in range(80)), "no false join"


def test_other_pictures_are_not_joined():
    found = families(data_of([scene(i) for i in range(300)]))
    assert found.roots.tolist() == list(range(300)) and found.members() == []
    assert "None of the 300" in sentence_of(found, 300)


def lid(seed, centre, radii, inside, side=96):
    """An oval seen from above on a light ground; inside: grey levels of the rings in it."""
    rng, (y, x) = np.random.default_rng(seed), np.mgrid[:side, :side] / side
    r, turn = np.hypot((y - centre[0]) / radii[0], (x - centre[1]) / radii[1]), np.arctan2(y - centre[0], x - centre[1])
    ground = 200 - 20 * y + rng.normal(0, 2, (side, side))
    body = 90 + inside * np.sin(18 * r + 3 * turn) + rng.normal(0, 3, (side, side))
    return Image.fromarray(np.clip(np.where(r < 1, body, ground), 0, 255).astype(np.uint8)).convert("RGB")


@pytest.mark.parametrize("scale", [0.85, 0.93])
def test_two_things_of_one_outline_are_not_joined(scale):
    """A bottle and a lid: what is left of them at 64 pixels agrees, their detail does not."""
    radii = (0.27 * scale, 0.2 * scale)
    pair = [lid(1, (0.45, 0.57), (0.27, 0.2), 25), lid(2, (0.52, 0.49), radii, 0)]
    data = data_of(pair, 96)
    assert cut_pairs(_small(data, np.arange(2), (64, 64)), np.arange(2)), "taken for one another by their shape"
    assert families(data).members() == []
    rng = np.random.default_rng(0)
    copies = data_of([one for p in pair for one in (p, cut_out(p, 0.9, rng))], 96)
    assert families(copies).roots.tolist() == [0, 0, 2, 2], "a true part of either is found"


def test_agreement_is_one_for_a_window_of_the_picture_itself_and_small_for_another():
    whole, other = (np.asarray(scene(i).convert("L"), np.float64) for i in (0, 1))
    size = 0.8
    y = (np.arange(96) + 0.5) * size + 96 * 0.1 - 0.5
    window = map_coordinates(whole, np.meshgrid(y, y, indexing="ij"), order=3, mode="nearest")
    off = np.array([0.1 + 0.012, 0.1 - 0.012, size - 0.01])  # as far off as the search may leave it
    assert texture.agreement(whole, 0.6 * window + 30, off) > 0.97, "brightness and contrast fall out"
    assert texture.agreement(other, window, off) < 0.3
    assert texture.agreement(np.full((96, 96), 9.0), window, off) == pytest.approx(0, abs=0.3)
    assert [texture.needed(side) for side in (96, 500)] == [0.55, 0.55] and texture.needed(48) > 0.75


def test_flat_and_equal_pictures_have_no_parts():
    assert len(cut_pairs(np.full((5, 64, 64), 90.0), np.arange(5))) == 0
    assert len(cut_pairs(np.zeros((0, 64, 64)), np.arange(0))) == 0
    assert len(cut_pairs(np.random.default_rng(0).normal(128, 30, (1, 64, 64)), np.arange(1))) == 0


def test_what_counts_by_looks():
    rng = np.random.default_rng(0)
    images = [scene(0), scene(0), CHANGES["ROTATE_90"](scene(0), rng), cut_out(scene(0), 0.9, rng), scene(1)]
    data = data_of(images, groups=["p", "q", "r", "s", "p"])
    assert families(data).roots.tolist() == [0, 0, 0, 0, 0]
    assert families(data, "exact").roots.tolist() == [0, 0, 2, 3, 0]
    assert families(data, "off").roots.tolist() == [0, 1, 2, 3, 0]
    why = families(data).why[0]
    assert {"equal pixels", "one group", "turned by 90 degrees"} <= set(why) | {"turned by 90 degrees"}
    assert any("turned by" in one for one in why) and any("part" in one for one in why)
    with pytest.raises(BadInput, match="--join"):
        families(data, "nearly")


def test_left_and_right_of_one_stay_together_by_their_names():
    names = [
        "a/x-l.jpg",
        "a/x-r.png",
        "a/x.jpg",
        "b/x-r.jpg",
        "a/y_LEFT.jpg",
        "a/y_Right.jpg",
        "a/z-l.jpg",
        "a/tail.jpg",
    ]
    data = data_of([scene(i) for i in range(len(names))], sources=names)
    found = families(data, "off")
    assert found.roots.tolist() == [0, 0, 2, 3, 4, 4, 6, 7]
    assert found.why == {0: ["left and right of one, by their names"], 4: ["left and right of one, by their names"]}
    alone = families(data_of([scene(0), scene(1)], sources=["x-l.png", "y-r.png"]), "off")
    assert alone.roots.tolist() == [0, 1]


def camera(n, per_class):
    """One background, noise: a camera that does not move; its pictures in both classes, the rest of many places."""
    rng, base = np.random.default_rng(0), np.asarray(scene(0)).astype(float)
    fixed = [Image.fromarray(np.clip(base + rng.normal(0, 3, base.shape), 0, 255).astype(np.uint8)) for _ in range(n)]
    images = fixed + [scene(100 + i) for i in range(2 * per_class - n)]
    return data_of(images, 32, labels=np.arange(2 * per_class) % 2, classes=("good", "broken"))


def test_a_family_of_more_than_a_tenth_of_a_class_is_asked_about():
    data = camera(40, 40)
    with pytest.raises(BadInput, match="20 of the 40 pictures of class `good` look alike") as told:
        split_dataset(data, seed=0)
    assert told.value.exit_code == 2
    assert all(word in str(told.value) for word in ("--join", "exact", "near", "off", "data show", "--page"))
    for join, most in (("near", 40), ("exact", 1), ("off", 1)):
        split = split_dataset(data, seed=0, join=join)
        fixed = [sum(i < 40 for i in part.tolist()) for part in (split.train, split.validation, split.test)]
        assert (max(fixed) == 40) == (most == 40), "apart only where the person says so"


def test_what_the_person_or_the_pixels_say_is_not_asked_about():
    images = [scene(i % 10) for i in range(60)]
    check_bound(data_of(images), families(data_of(images)))
    grouped = data_of([scene(i) for i in range(40)], groups=["one patient"] * 40)
    check_bound(grouped, families(grouped))
    few = camera(10, 60)
    check_bound(few, families(few))


@pytest.fixture()
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for k, name in enumerate("ab"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(12):
            scene(50 * k + i, 64).save(tmp_path / "data" / name / f"{i:02d}.png")
    for i in range(8):
        cut_out(scene(0, 64), 0.9, rng).save(tmp_path / "data" / "a" / f"cut{i}.png")
    return tmp_path / "data"


def test_show_says_what_was_joined_and_draws_it(folder, tmp_path):
    page = tmp_path / "page.html"
    found = zeuxis.data_show(folder, page=page)
    joined = found["families"]
    assert joined["families"] == 1 and joined["pictures"] == 8 and "look alike" in joined["asked"]
    assert len(joined["largest"]) == 8
    html = page.read_text()
    first = html.index('<p class="lead">')
    assert "8 of the 32 pictures belong to 1 family that no split takes apart" in html[first : first + 200]
    assert html.count("<img ") == 8 and html.count("data:image/png") == 8
    assert "http" not in html.replace("http-equiv", ""), "nothing is fetched"


def test_training_asks_and_takes_the_answer(folder, tmp_path):
    with pytest.raises(BadInput, match="look alike") as told:
        zeuxis.train("gan", folder, run=tmp_path / "run", steps=1, size=48)
    assert told.value.exit_code == 2 and not (tmp_path / "run").exists()
    with pytest.raises(BadInput, match="join"):
        zeuxis.train("gan", folder, run=tmp_path / "run", steps=1, size=48, join="nearly")
