"""Damage in words, and the presets."""

import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zeuxis import degrade
from zeuxis.degrade import parsing
from zeuxis.degrade.blur import Gaussian
from zeuxis.degrade.degradation import Chain, Sometimes
from zeuxis.degrade.jpeg import Jpeg
from zeuxis.degrade.noise import GaussianNoise, is_grey
from zeuxis.degrade.parsing import KINDS, parse
from zeuxis.degrade.presets import PRESETS
from zeuxis.draw import Draw, Stream, key_of
from zeuxis.errors import BadInput, ZeuxisError

PAGE = Path(__file__).resolve().parents[3] / "docs" / "degradations.md"


def noise(n=4, channels=3, side=32):
    return Stream(key_of("words")).uniform(n, channels, side, side, low=-1.0, high=1.0)


def test_parts_values_ranges_and_chances():
    said = parse("blur=0.2..1.5+noise=25+jpeg=30..95@0.7")
    assert said == Chain((Gaussian((0.2, 1.5)), GaussianNoise((25, 25)), Sometimes(Jpeg((30, 95)), 0.7)))


def test_one_part_needs_no_chain_and_spelling_is_lenient():
    assert parse("noise=25") == GaussianNoise((25, 25)) == parse(" NOISE=25.0 ")
    assert parse("low_resolution=2") == parse("low-resolution=2") and parse("blur") == Gaussian((0.2, 3.0))


def test_presets_are_words_too():
    assert parse("clean") == Chain() and parse("repair") == PRESETS["repair"]
    assert parse("web@0.5+noise=3") == Chain((Sometimes(parse("web"), 0.5), GaussianNoise((3, 3))))


@pytest.mark.parametrize(
    "words, line",
    [
        ("nois=25", "no such damage: nois; did you mean `noise`"),
        ("old-foto", "did you mean `old-photo`"),
        ("", "this is no damage (an empty part)"),
        ("blur=2+", "this is no damage (an empty part)"),
        ("blur=", "this is no damage (blur=); write a preset"),
        ("blur=a..b", "this is no damage"),
        ("blur=-1", "this is no damage"),
        ("blur=3..1", "a range must go from low to high (blur=3..1); write blur=1..3"),
        ("jpeg=0", "jpeg goes from 1 to 100 (jpeg=0); its unit: quality"),
        ("jpeg=50.5", "jpeg takes whole numbers"),
        ("down=2..4", "down takes one number, no range"),
        ("down=2@0.5", "changes the size"),
        ("noise=25@1.5", "a probability is at most 1"),
        ("grey=1", "grey takes no value"),
        ("web=3", "the preset web takes no value"),
    ],
)
def test_errors_say_what_to_write(words, line):
    with pytest.raises(BadInput) as error:
        parse(words)
    assert line in str(error.value)


def test_an_unknown_kind_lists_all_names():
    for text, hint in (("rain=3", "did you mean `grain`?"), ("quux=3", "")):
        with pytest.raises(BadInput) as error:
            parse(text)
        assert all(name in str(error.value) for name in [*KINDS, *PRESETS])
        assert hint in str(error.value) and str(error.value).count("known: ") == 1


@given(st.text(alphabet="blurnoise=0.5@+1jpg-9 é", max_size=30))
def test_any_text_is_damage_or_one_line(words):
    try:
        assert callable(parse(words))
    except ZeuxisError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("name", KINDS)
def test_kinds_say_what_they_are_and_their_usual_values_are_allowed(name):
    kind = KINDS[name]
    assert kind.what and kind.unit and "\n" not in kind.what
    if kind.usual is not None:
        low, high = kind.usual
        assert kind.limits[0] <= low <= high <= kind.limits[1]
        assert parse(f"{name}={low:g}" if kind.one else f"{name}={low:g}..{high:g}") == parse(name)


def test_the_page_names_every_word():
    page = PAGE.read_text(encoding="utf-8")
    for name, kind in KINDS.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
        assert kind.what in row and kind.unit in row
        assert ("–" if kind.usual is None else f"{kind.usual[0]:g}") in row
    assert all(f"| `{name}` |" in page for name in PRESETS)


def test_repair_gives_each_damage_by_its_chance():
    """400 pictures: grey 0.15, noise 0.65, and one in eight with none of blur, noise and JPEG."""
    x = noise(400, side=8)
    seen = parse("repair")(x, Draw(11))
    wanted = seen.wanted(x)
    grey, noisy = is_grey(wanted), seen.level.flatten() > 0
    untouched = (seen.image == wanted).flatten(1).all(1)
    assert 40 <= int(grey.sum()) <= 80 and 230 <= int(noisy.sum()) <= 290 and 30 <= int(untouched.sum()) <= 70
    assert bool(is_grey(seen.image[grey]).all()) and torch.equal(wanted[~grey], x[~grey])
    levels = (seen.image + 1) * 127.5
    floating = ((levels - levels.round()).abs() > 1e-3).flatten(1).any(1)
    assert 40 <= int((floating & noisy & ~grey).sum()) <= 120  # noise left unclipped and uncoded: 0.65 / 4 of colour


@pytest.mark.parametrize("name", ["web", "hard", "old-photo"])
def test_presets_keep_size_and_end_in_range(name):
    x = noise(6)
    seen = parse(name)(x, Draw(1)).image
    assert seen.shape == x.shape and not torch.equal(seen, x)
    if name != "old-photo":  # its last JPEG is left to chance
        assert float(seen.abs().max()) <= 1


def test_old_photos_have_scratches_that_are_said():
    seen = parse("old-photo")(noise(12), Draw(2))
    holes = (seen.known == 0).flatten(1).any(1)
    assert 5 <= int(holes.sum()) <= 12 and seen.clean is not None


def test_a_new_damage_is_one_file(monkeypatch, tmp_path):
    """A module that lists its word is found, with no other file touched."""
    (tmp_path / "stripes.py").write_text(
        "from dataclasses import dataclass\n"
        "from zeuxis.degrade.degradation import Degraded, Kind, LEVELS, Range\n"
        "@dataclass(frozen=True)\n"
        "class Stripes:\n"
        "    level: Range = (1.0, 2.0)\n"
        "    def __call__(self, image, draw):\n"
        "        return Degraded(image + self.level[0] / 127.5)\n"
        "WORDS = {'stripes': Kind('brighter stripes', LEVELS, Stripes, (1, 2), (0, 10))}\n"
    )
    monkeypatch.setattr(degrade, "__path__", [*degrade.__path__, str(tmp_path)])
    monkeypatch.setattr(parsing, "KINDS", parsing._gathered())
    image = torch.zeros(1, 1, 4, 4)
    assert torch.allclose(parse("stripes=5")(image, Draw(0)).image, image + 5 / 127.5)
    assert {*parsing.KINDS} > {"blur", "jpeg", "stripes"}
    sys.modules.pop("zeuxis.degrade.stripes")
