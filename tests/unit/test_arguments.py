"""What people pass to the functions of Python: taken where it is meant, else refused by the argument's name."""

import contextlib
import io
import sys
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

import numpy as np
import pytest
import torch
from PIL import Image

import zeuxis
from tests.stories.commands import pictures
from zeuxis.arguments import taken, taken_fields
from zeuxis.errors import BadInput, SomeFailed, WrongType, ZeuxisError
from zeuxis.parameters import AtLeast, Collection, Count, Device, Pixels, Seed, Seeds, Size, Time
from zeuxis.recipes.cgan import CGAN
from zeuxis.runs import Run

TAKEN = [
    (np.int64(3), Count, 3),
    (np.uint8(0), Seed, 0),
    (np.float32(0.5), float, 0.5),
    (1, float, 1.0),
    (np.bool_(True), bool, True),
    (np.str_("a"), str, "a"),
    (None, Count | None, None),
    ([16, np.int32(24)], Size, (16, 24)),
    (np.array([16, 24]), Size, (16, 24)),
    (torch.device("cuda", 1), Device, "cuda:1"),
    (PurePosixPath("a"), Collection, Path("a")),
    (range(3), Seeds, (0, 1, 2)),
    (np.arange(2), Seeds, (0, 1)),
    (5, Seeds, 5),
    ("8m", Time, "8m"),
    (90, Time, 90.0),
    (bytearray(b"x"), Pixels, b"x"),
    ("a", Literal["a", "b"], "a"),
    ([1, 2], tuple[int, ...], (1, 2)),
]
REFUSED = [
    (2.0, Count, "x= must be a whole number of 1 or more, not 2.0"),
    (True, Count, "x= must be a whole number of 1 or more, not True"),
    ("2", Count | None, "x= must be a whole number of 1 or more or None, not '2'"),
    (None, Seed, "x= must be a whole number of 0 or more, not None"),
    (1, bool, "x= must be True or False, not 1"),
    (np.zeros(3), float, "x= must be a number, not ndarray"),
    (1j, float, "x= must be a number, not 1j"),
    ([1, 2, 3], Size, "x= must be a number of pixels or (height, width), not list"),
    ("64", Size, "x= must be a number of pixels or (height, width), not '64'"),
    (np.zeros((2, 2)), Collection, "x= must be a path or the name of a set, not ndarray; write the pictures into"),
    (b"a", Collection, "x= must be a path or the name of a set, not bytes"),
    (["a"], Collection, "not list"),
    ({1: 2}, Seeds, "x= must be seeds such as '1,5-8' or [1, 2], not dict"),
    (..., str | Path, "x= must be text or a path, not ellipsis"),
]
OUT_OF_RANGE = [
    (0, Count, "x= must be 1 or more, not 0"),
    (-1, Seed, "x= must be 0 or more, not -1"),
    (0, Annotated[int, AtLeast(2)] | None, "x= must be 2 or more, not 0"),
    (10**30, int, "x= is too large"),
    (float("nan"), float, "x= must be a finite number, not nan"),
    (np.inf, Time, "x= must be a finite number, not inf"),
    ("", Collection, "x= must not be empty"),
    ("a\0b", str, "x= is not valid UTF-8: 'a\\x00b'"),
    ("c", Literal["crop", "fit"], "x= cannot be 'c'; known: crop, fit"),
]


def _name(value: object) -> str | None:
    """The same in every process, as readers of text have no such name."""
    return repr(value) if isinstance(value, str | int | float) else None


@pytest.mark.parametrize(("value", "hint", "wanted"), TAKEN, ids=_name)
def test_what_is_meant_is_taken(value, hint, wanted):
    found = taken("x", value, hint)
    assert found == wanted and type(found) is type(wanted)


@pytest.mark.parametrize(("value", "hint", "says"), REFUSED, ids=_name)
def test_another_type_is_refused_by_name(value, hint, says):
    with pytest.raises(WrongType) as error:
        taken("x", value, hint)
    assert says in str(error.value) and isinstance(error.value, TypeError) and isinstance(error.value, ValueError)


@pytest.mark.parametrize(("value", "hint", "says"), OUT_OF_RANGE, ids=_name)
def test_out_of_range_is_refused_by_name(value, hint, says):
    with pytest.raises(BadInput) as error:
        taken("x", value, hint)
    assert says in str(error.value) and not isinstance(error.value, TypeError) and isinstance(error.value, ValueError)


def test_fields_of_a_recipe():
    assert taken_fields(CGAN, {"width": np.int64(8), "lr": 1, "unknown": "x"}) == {
        "width": 8,
        "lr": 1.0,
        "unknown": "x",
    }
    for settings, says in (({"lr": "0.1"}, "lr= must be a number"), ({"batch": 8.0}, "batch= must be a whole number")):
        with pytest.raises(WrongType, match=says):
            taken_fields(CGAN, settings)
    with pytest.raises(BadInput, match="body= cannot be 'stridded'; did you mean `strided`"):
        taken_fields(CGAN, {"body": "stridded"})


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = tmp_path_factory.mktemp("world")
    pictures(world / "pics", ("0", "1", "2", "3"), 4)
    zeuxis.train("cgan", world / "pics", run=world / "run", steps=1, compute="plain", width=4, batch=4, size=[8, 8])
    return world


def test_a_size_is_two_numbers_in_any_sequence(world):
    assert Run(world / "run").record["spec"]["height"] == 8


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"class_": 3, "n": np.int64(2)}, 2),
        ({"seeds": [1, 2, 3]}, 3),
        ({"seeds": range(2)}, 2),
        ({"seeds": 5, "class_": np.int64(0)}, 1),
        ({"seeds": "0-3"}, 4),
    ],
    ids=_name,
)
def test_seeds_and_classes_as_they_lie_at_hand(world, tmp_path, asked, count):
    assert len(zeuxis.sample(Run(world / "run"), out=tmp_path / "s", **asked)) == count + 1


CALLS = {
    "unknown argument": (
        lambda w: zeuxis.report(w / "run", loud=True),
        TypeError,
        "report(): got an unexpected keyword",
    ),
    "no argument": (lambda w: zeuxis.report(), TypeError, "report(): missing a required argument: 'folder'"),
    "threads": (
        lambda w: zeuxis.train("gan", w / "pics", run="r", steps=1, threads=0),
        ValueError,
        "threads= must be",
    ),
    "seed": (
        lambda w: zeuxis.train("gan", w / "pics", run="r", steps=1, seed=None),
        TypeError,
        "seed= must be a",
    ),
    "budget": (lambda w: zeuxis.train("gan", w / "pics", run="r", budget="soon"), ValueError, "(budget=)"),
    "budgets": (lambda w: zeuxis.train("gan", w / "pics", run="r"), ValueError, "one of steps=, images=, budget="),
    "fit": (lambda w: zeuxis.train("gan", w / "pics", run="r", steps=1, fit="squash"), ValueError, "squash"),
    "compute": (
        lambda w: zeuxis.train("gan", w / "pics", run="r", steps=1, compute="no"),
        ValueError,
        "compute= cannot",
    ),
    "device": (lambda w: zeuxis.train("gan", w / "pics", run="r", steps=1, device="gpu"), ValueError, "(device=)"),
    "run is there": (lambda w: zeuxis.train("gan", w / "pics", run=w / "run", steps=1), ValueError, "run="),
    "class": (lambda w: zeuxis.sample(w / "run", out="s", class_="hat"), ValueError, "(class_=)"),
    "seeds": (lambda w: zeuxis.sample(w / "run", out="s", seeds=[-1]), ValueError, "(seeds=)"),
    "snapshot": (lambda w: zeuxis.sample(w / "run", out="s", snapshot="best"), ValueError, "leave snapshot= away"),
    "no study": (
        lambda w: zeuxis.augment(w / "pics"),
        ValueError,
        "add `study=DIR`; or, for copies by rules, `classic_only=True, out=DIR`",
    ),
    "margin": (lambda w: zeuxis.augment(w / "pics", study="s", margin=np.nan), ValueError, "margin= must be"),
    "generator": (
        lambda w: zeuxis.augment(w / "pics", study="s", recipe="cgan", generator={"width": "8"}),
        TypeError,
        "width= must",
    ),
    "strength": (lambda w: zeuxis.restore(w / "pics", strength=2), ValueError, "strength= must be 0 to 1"),
    "mask": (lambda w: zeuxis.restore(w / "pics", mask="m"), ValueError, "add `task='inpaint'`"),
    "memory": (lambda w: zeuxis.restore(w / "pics", memory="lots"), ValueError, "(memory=)"),
    "floats": (lambda w: zeuxis.restore(np.zeros((8, 8, 3))), TypeError, "a picture is uint8 or uint16, not float64"),
    "channels": (
        lambda w: zeuxis.upscale(np.zeros((3, 8, 8), np.uint8)),
        ValueError,
        "not [3, 8, 8]; channels come",
    ),
    "file": (lambda w: zeuxis.data_weights("add"), ValueError, "`zeuxis.data_weights('list')` names them"),
}


@pytest.mark.parametrize("name", CALLS)
def test_an_error_names_the_parameter(world, tmp_path, name):
    call, kind, says = CALLS[name]
    err = io.StringIO()
    with contextlib.chdir(tmp_path), contextlib.redirect_stderr(err), pytest.raises(kind) as error:
        call(world)
    assert isinstance(error.value, ZeuxisError) and not isinstance(error.value, SomeFailed)
    text = f"{error.value}{err.getvalue()}"
    assert says in text and " --" not in text and "`zeuxis " not in text, text
    assert list(tmp_path.iterdir()) == []


def _shades(shape: tuple[int, ...], kind: type) -> np.ndarray:
    top = np.iinfo(kind).max
    return (
        (np.add.outer(np.arange(shape[0]), np.arange(shape[1])) * (top // 100))[..., None]
        .repeat(shape[2], 2)
        .astype(kind)
    )


@pytest.mark.parametrize(
    "picture",
    [
        Image.fromarray(_shades((24, 32, 3), np.uint8)),
        Image.fromarray(_shades((24, 32, 1), np.uint8)[..., 0]),
        _shades((24, 32, 3), np.uint8),
        _shades((24, 32, 4), np.uint16),
        _shades((24, 32, 1), np.uint8)[..., 0],
        torch.from_numpy(_shades((24, 32, 3), np.uint8)),
    ],
    ids=lambda p: f"{type(p).__name__}-{getattr(p, 'dtype', getattr(p, 'mode', ''))}-{getattr(p, 'ndim', '')}",
)
def test_a_picture_in_memory_comes_back_as_the_bytes_of_a_file(picture):
    found = zeuxis.upscale(picture, method="bicubic")
    with Image.open(io.BytesIO(found.data)) as made:
        assert made.size == (64, 48) and np.array_equal(np.asarray(made), np.asarray(found.image))
    assert found.only.before.size == (32, 24)
    assert zeuxis.restore(found.data, strength=0).data == found.data


def test_a_picture_in_memory_to_a_file(tmp_path):
    found = zeuxis.upscale(_shades((8, 8, 3), np.uint8), tmp_path / "large.png", method="bicubic")
    assert found.files == [tmp_path / "large.png"] and found.image.size == (16, 16)


def test_without_standard_error(world, tmp_path, monkeypatch):
    """As under pythonw and in some services."""
    monkeypatch.setattr(sys, "stderr", None)
    run = zeuxis.train("gan", world / "pics", run=tmp_path / "r", steps=1, compute="plain", batch=4)
    assert run.finished


def test_no_collection_at_all_is_said(tmp_path):
    with pytest.raises(BadInput, match="no collection of pictures was given"):
        zeuxis.train("latentgan", [], run=tmp_path / "r", steps=2)
