"""Pictures in the manner of paintings, from the command line and from Python: nothing is trained."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zeuxis
from tests.stories.commands import inside, typed
from zeuxis.jobs.translating import neural_style, painting
from zeuxis.pictures.png import read_note
from zeuxis.weights import packages


def _smooth(height: int, width: int, channels: int, top: int = 255) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    light = 0.5 + 0.4 * np.sin(x / 9) * np.cos(y / 7)
    return (top * np.stack([light * (1 - 0.2 * k) for k in range(channels)], -1)).astype(np.uint16)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("style")
    (place / "photos" / "deep er").mkdir(parents=True)
    colour, photos = _smooth(40, 60, 3).astype(np.uint8), place / "photos"
    Image.fromarray(colour).save(photos / "colour.jpg", icc_profile=b"a profile that is kept")
    Image.fromarray(colour[..., 0]).save(photos / "grey.png")
    alpha = np.full((40, 60, 1), 255, np.uint8)
    alpha[:10] = 0
    Image.fromarray(np.concatenate([colour, alpha], 2)).save(photos / "deep er" / "alpha.png")
    Image.fromarray(_smooth(30, 30, 1, 65535)[..., 0]).save(photos / "deep.png")
    rng = np.random.default_rng(0)
    for name in ("one", "two"):
        stripes = 128 + 100 * np.sin(np.mgrid[:50, :64][0] * rng.uniform(0.5, 1.5))
        tint = rng.uniform(0.3, 1, 3)
        Image.fromarray((stripes[..., None] * tint).astype(np.uint8)).save(place / f"{name}.png")
    return place


def test_a_tree_is_painted_and_passed_over_when_it_is_there(place, tmp_path):
    (broken := tmp_path / "in").mkdir()
    for path in (place / "photos").rglob("*.*"):
        (broken / path.name).write_bytes(path.read_bytes())
    (broken / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    with inside(place):
        done = typed("translate", str(broken), str(tmp_path / "out"), "--style", "one.png")
        assert done.code == 3 and "1 of 5 pictures could not be done" in done.err and "like one.png" in done.err
        made = tmp_path / "out"
        assert sorted(p.name for p in made.iterdir()) == ["alpha.png", "colour.jpg", "deep.png", "grey.png"]
        with Image.open(made / "colour.jpg") as image:
            assert image.size == (60, 40) and image.info["icc_profile"] == b"a profile that is kept"
        with Image.open(made / "alpha.png") as image:
            assert not np.asarray(image)[:10, :, 3].any() and np.asarray(image)[10:, :, 3].all()
        note = read_note(made / "deep.png")
        assert note["used"] == ["patches"] and len(note["style"]) == 1 and note["strength"] == 1
        again = typed("translate", str(broken), str(made), "--style", "one.png")
        assert "4 of 5 pictures done already" in again.err
        other = typed("translate", str(broken / "grey.png"), str(made / "grey.png"), "--style", "two.png")
        assert other.code == 2 and "is not grey.png styled in this way" in other.err


def test_grey_gets_colours_unless_its_own_are_kept(place, tmp_path):
    with inside(place):
        for name, more in {"painted": [], "kept": ["--keep-colours"]}.items():
            done = typed("translate", "photos/grey.png", str(tmp_path / f"{name}.png"), "--style", "one.png", *more)
            assert done.code == 0, done
    with Image.open(tmp_path / "painted.png") as painted, Image.open(tmp_path / "kept.png") as kept:
        assert (painted.mode, kept.mode) == ("RGB", "L")


def test_python_takes_and_gives_pictures_and_several_paintings(place):
    with Image.open(place / "photos" / "colour.jpg") as opened:
        photo = opened.convert("RGB")
    one, other = str(place / "one.png"), place / "two.png"
    made = zeuxis.translate(photo, style=(one + ":0.25", other))
    assert made.image.size == photo.size
    alone = zeuxis.translate(photo, style=other)
    assert not np.array_equal(np.asarray(made.image), np.asarray(alone.image))


def test_a_size_is_that_of_the_longer_side_and_large_pictures_are_painted_smaller(place, tmp_path, monkeypatch):
    with inside(place):
        small = tmp_path / "small.png"
        assert typed("translate", "photos/colour.jpg", str(small), "--style", "one.png", "--size", "30").code == 0
        with Image.open(small) as image:
            assert image.size == (30, 20)
        for _ in range(2):  # a format that holds no note is known again by its size
            bare = typed(
                "translate", "photos/colour.jpg", str(tmp_path / "s.bmp"), "--style", "one.png", "--size", "30"
            )
            assert bare.code == 0, bare
        assert "done already" in bare.err
        monkeypatch.setitem(painting.LARGEST, "patches", 45)
        done = typed("translate", "photos/colour.jpg", str(tmp_path / "large.png"), "--style", "one.png")
        assert "painted at 45x30 pixels and enlarged; `--size 60` paints every pixel" in done.err
        with Image.open(tmp_path / "large.png") as image:
            assert image.size == (60, 40)


def test_stopped_in_the_middle_nothing_is_half_written(place, tmp_path, monkeypatch):
    def stop(*_, told, **__):
        told(0.5)
        raise KeyboardInterrupt

    monkeypatch.setitem(painting._METHODS, "patches", stop)
    with inside(place), pytest.raises(KeyboardInterrupt):
        zeuxis.translate("photos", tmp_path / "out", style="one.png")
    assert not [p for p in (tmp_path / "out").rglob("*") if p.is_file()]


def test_the_neural_way_needs_a_net_that_is_added(place, tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "folder", lambda: tmp_path / "weights")
    neural_style.net.cache_clear()
    with inside(place):
        done = typed("translate", "photos", str(tmp_path / "o"), "--style", "one.png", "--method", "neural")
    assert done.code == 2 and "the weights `lpips-vgg` were not added" in done.err
    assert "then zeuxis data weights add FILE" in done.err and not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ([], "neither a run nor a painting was given (--run, --style); add `--run RUN`, or `--style PAINTING`"),
        (["--run", "r", "--style", "one.png"], "both a run and a painting were given"),
        (["--style", "one.png", "--direction", "ba"], "nothing reads --direction with --style"),
        (["--run", "r", "--keep-colours", "--size", "40"], "nothing reads --keep-colours with --run"),
        (["--style", "none.png"], "there is no file here (none.png)"),
        (["--style", "photos"], "this is a folder, not a picture (photos)"),
        (["--style", "one.png:0"], "the weight of a painting must be above 0, not 0"),
        (["--style", "one.png:much"], "there is no file here (one.png:much)"),
        (["--style", "text.png"], "the painting "),
        (["--style", "one.png", "--strength", "1.5"], "must be 0 to 1, not 1.5 (--strength)"),
        (["--style", "one.png", "--size", "8"], "must be 16 or more, not 8 (--size)"),
        (["--style", "one.png", "--size", "20"], "20x13 pixels are too few to paint: each side needs 16"),
    ],
)
def test_wrong_wishes_are_refused_in_a_line(place, tmp_path, line, words):
    Path(place / "text.png").write_text("no picture")
    with inside(place):
        done = typed("translate", "photos/colour.jpg", str(tmp_path / "o.jpg"), *line)
    assert done.code == 2 and words in done.err and done.err.count("\n") == 1, done
    assert not (tmp_path / "o.jpg").exists()
