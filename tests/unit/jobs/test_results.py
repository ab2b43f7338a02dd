"""What a word gives back for each picture: records that show themselves."""

import html
import re
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

import zeuxis
from zeuxis.errors import BadInput, SomeFailed, WrongType
from zeuxis.jobs.per_image.records import Record, Results
from zeuxis.jobs.study.handle import Study


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    for i, name in enumerate(("a.png", "b <i>.png")):
        noise = np.random.default_rng(i).integers(0, 200, (24, 32, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / "in" / name)
    return tmp_path / "in"


def test_a_folder_gives_a_record_for_each_picture(folder, tmp_path):
    found = zeuxis.upscale(folder, tmp_path / "out", method="bicubic")
    assert isinstance(found, Results) and [r.name for r in found] == ["a.png", "b <i>.png"]
    assert found.files == [r.result for r in found] and all(r.result.exists() for r in found)
    assert [r.before.size for r in found] == [(32, 24)] * 2 and [r.image.size for r in found] == [(64, 48)] * 2
    assert found[0].after.size == (64, 48) and found[:1].only is found[0]
    assert all(r.state == "done" and r.used == ("bicubic",) and r.decision for r in found)
    with pytest.raises(BadInput, match=r"these are 2 pictures.*\[0\]"):
        found.image  # noqa: B018 - asking is the test
    again = zeuxis.upscale(folder, tmp_path / "out", method="bicubic")
    assert [r.state for r in again] == ["done before"] * 2 and again.files == found.files


def test_records_show_before_and_after_in_a_notebook(folder, tmp_path):
    found = zeuxis.upscale(folder, tmp_path / "out", method="bicubic")
    shown = found._repr_html_()
    assert shown.count('type="range"') == 2 and shown.count("data:image/png;base64,") == 4
    assert html.escape("b <i>.png") in shown and "<i>" not in shown
    assert not re.search(r"(src|href)=\"(?!data:)", shown), "nothing is fetched"
    found[0].result.unlink()
    assert "a.png: bicubic" in found[0]._repr_html_() and "<img" not in found[0]._repr_html_()
    many = Results(found.records * 6)
    assert "and 4 more pictures" in many._repr_html_()


def test_what_could_not_be_judged_is_none_in_python_too(tmp_path):
    """`record.measured.noise` was 0 and `.soft` False of a picture in which nothing can be judged."""
    Image.fromarray(np.full((32, 32, 3), 90, np.uint8)).save(tmp_path / "plain.png")
    found = zeuxis.restore(tmp_path / "plain.png", dry_run=True).only
    told = found.to_json()["measured"]
    for name in ("noise", "colours", "quiet", "blur", "soft", "quality"):
        assert getattr(found.measured, name) is told[name] is None
    assert (
        set(found.measured.unjudged) == {"noise", "JPEG traces", "softness"}
        and "cannot be judged" in found.measured.words
    )


def test_a_dry_run_makes_nothing_and_says_so(folder, tmp_path):
    """It listed files that were never written, and its notebook view read as if all were done."""
    found = zeuxis.upscale(folder, tmp_path / "out", method="bicubic", dry_run=True)
    assert found.files == found.to_json()["files"] == [] and found[0].result == tmp_path / "out" / "a.png"
    assert "a.png: would be done by bicubic (from 32x24 to 64x48)" in found._repr_html_()
    assert repr(found) == "<Results: 2 pictures, 2 would be done>" and "measured" not in repr(found[0])
    with pytest.raises(BadInput, match=r"there is no result of this picture: a dry run makes none \(a.png\)"):
        found[0].image  # noqa: B018 - asking is the test
    assert not (tmp_path / "out").exists()


def test_one_that_failed_does_not_lose_the_others(folder, tmp_path):
    (folder / "c.png").write_bytes(b"none")
    with pytest.raises(SomeFailed) as told:
        zeuxis.upscale(folder, tmp_path / "out", method="bicubic")
    found = told.value.results
    assert [r.state for r in found] == ["done", "done", "failed"] and len(found.files) == 2
    assert found[2].words.startswith("failed: it is not a picture") and "failed: it is" in found._repr_html_()
    with pytest.raises(BadInput, match="no result of this picture: it is not a picture"):
        found[2].data  # noqa: B018 - asking is the test


@pytest.mark.parametrize(
    ("shape", "kind"), [((20, 24), "u1"), ((20, 24, 3), "u2"), ((20, 24, 4), "u2"), ((5, 4, 2), "u1")]
)
def test_arrays_come_back_as_they_went(tmp_path, shape, kind):
    """Of 16 bits PIL gives 8 back."""
    pixels = np.random.default_rng(0).integers(0, np.iinfo(kind).max, shape, kind)
    for found in (zeuxis.restore(pixels, strength=0), zeuxis.restore(pixels, tmp_path / "a.png", strength=0)):
        assert found.pixels.dtype == pixels.dtype and np.array_equal(found.pixels, pixels)
        assert found.only.source is None and (found.only.result is None) is (found.files == [])
        assert found.to_json()["pictures"][0]["source"] is None


@pytest.mark.parametrize("kind", ["bool", "uint8", "PIL", "tensor", "bytes", "file"])
def test_a_mask_may_be_in_memory_too(folder, tmp_path, kind):
    pixels = np.asarray(Image.open(folder / "a.png"))
    hole = np.zeros(pixels.shape[:2], bool)
    hole[4:10, 5:12] = True
    drawn = Image.fromarray(hole.astype(np.uint8) * 255)
    drawn.save(tmp_path / "mask.png")
    mask = {
        "bool": hole,
        "uint8": np.asarray(drawn),
        "PIL": drawn,
        "tensor": torch.from_numpy(hole),
        "bytes": (tmp_path / "mask.png").read_bytes(),
        "file": tmp_path / "mask.png",
    }[kind]
    found = zeuxis.restore(pixels, task="inpaint", method="biharmonic", mask=mask)
    changed = (found.pixels != pixels).any(2)
    assert changed.any() and not changed[~hole].any() and "12 % of" not in found.only.decision
    if kind != "file":
        with pytest.raises(BadInput, match="a mask in memory goes with a picture in memory"):
            zeuxis.restore(folder / "a.png", task="inpaint", mask=mask)
    with pytest.raises(BadInput, match="the mask is not a picture"):
        zeuxis.restore(pixels, task="inpaint", mask=b"none")


def test_what_is_in_memory_needs_no_file():
    pixels = np.random.default_rng(0).integers(0, 255, (20, 20), np.uint8)
    found = zeuxis.restore(pixels, strength=0)
    assert found.only.state == "left alone" and np.array_equal(np.asarray(found.image), pixels)
    assert found.files == [] and found.to_json()["files"] == [] and found.to_json()["pictures"][0]["decision"]
    assert "bytes" not in repr(found) and isinstance(found.only, Record)


def test_a_study_shows_its_verdict(tmp_path):
    study = Study(tmp_path / "<st>")
    study.path.mkdir()
    assert not study.finished and "zeuxis resume" in study.sentence and study.verdict == {}
    (study.path / "verdict.json").write_text('{"sentence": "UNDECIDED: a < b", "why": "few"}')
    (study.path / "report.html").touch()
    shown = study._repr_html_()
    assert study.sentence == "UNDECIDED: a < b" and "a &lt; b" in shown and "few" in shown and "report.html" in shown
    assert "<st>" not in shown


def test_a_picture_in_memory_is_damaged_too(folder):
    """docs/python.md said so, and only paths were taken."""
    pixels = np.asarray(Image.open(folder / "a.png"))
    for given in (pixels, Image.fromarray(pixels), (folder / "a.png").read_bytes(), torch.from_numpy(pixels.copy())):
        found = zeuxis.data_degrade(given, damage="noise=20")
        assert found.pixels.shape == pixels.shape and (found.pixels != pixels).any() and found.files == []
    with pytest.raises(BadInput, match="this is there already"):
        zeuxis.data_degrade(pixels, folder / "a.png", damage="noise=20")


@pytest.mark.parametrize("mode", ["PA", "La", "RGBa"])
def test_modes_that_no_file_has_lose_nothing(mode):
    """The advice was to make RGB of them, which drops what is transparent."""
    y, x = np.mgrid[:20, :24]
    shades = np.stack([x * 9, y * 9, x + y, 255 * (x > 5)], -1).astype(np.uint8)
    rgba = Image.fromarray(shades)
    through = {"PA": "P", "La": "LA", "RGBa": "RGBA"}[mode]  # PIL converts in steps
    given = rgba.convert(through).convert(mode)
    wanted = np.asarray(given.convert("LA" if mode == "La" else "RGBA"))
    assert np.array_equal(zeuxis.restore(given, strength=0).pixels, wanted)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_numbers_of_32_bits_are_not_guessed_at(mode):
    with pytest.raises(BadInput, match=f"mode {mode} does not say which number is white; give an array of uint8"):
        zeuxis.upscale(Image.new(mode, (20, 20)))


def test_what_is_wrong_with_a_mask_in_memory_names_no_file():
    """It named stdin.png."""
    pixels = np.full((20, 24), 90, np.uint8)
    hole = np.ones((20, 24), bool)
    hole[3:6, 3:6] = False
    with pytest.raises(BadInput) as told:
        zeuxis.restore(pixels, task="inpaint", mask=hole)
    words = "marks 98% of the picture as missing (the picture); `mask_is='hole'` if these 98% are missing"
    assert words in str(told.value) and "stdin" not in str(told.value)


def test_what_a_lossy_mask_smears_is_told(tmp_path):
    pixels = np.full((40, 48), 90, np.uint8)
    hole = Image.new("L", (48, 40))
    hole.paste(255, (8, 8, 20, 20))
    hole.save(tmp_path / "mask.jpg", quality=30)
    found = zeuxis.restore(pixels, task="inpaint", mask=tmp_path / "mask.jpg", method="biharmonic")
    assert any("the mask is a lossy JPEG" in note for note in found.only.notes)


def test_pictures_behind_the_first_in_one_file_are_told(tmp_path, folder):
    """`cat a.png b.png` gave one picture without a word."""
    both = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    (tmp_path / "both.png").write_bytes(both)
    (tmp_path / "padded.png").write_bytes((folder / "a.png").read_bytes() + b"\0" * 9)
    joined, padded = (zeuxis.upscale(tmp_path / f"{name}.png", method="bicubic").only for name in ("both", "padded"))
    assert joined.notes == ("other pictures follow in the same file, and are left out",) and not padded.notes


def test_what_follows_a_jpeg_is_told(tmp_path):
    """Telephones put a film there; a joined picture, too, was dropped without a word."""
    chance, still = np.random.default_rng(0), BytesIO()
    noise = Image.fromarray(chance.integers(0, 256, (64, 48, 3), np.uint8))
    noise.save(still, "JPEG", quality=95, progressive=True, restart_marker_blocks=2)
    with_thumbnail = still.getvalue()[:2] + b"\xff\xe1" + (514).to_bytes(2, "big") + b"\xff\xd8\xff\xd9" * 128
    with_thumbnail += still.getvalue()[2:]
    tails = {"plain": b"", "padded": b"\0" * 9, "film": b"\0\0\0\x18ftypmp42" * 9, "joined": still.getvalue()}
    for name, tail in tails.items():
        (tmp_path / f"{name}.jpg").write_bytes(with_thumbnail + tail)
    notes = {
        name: zeuxis.upscale(tmp_path / f"{name}.jpg", method="bicubic", out=tmp_path / f"{name}.png").only.notes
        for name in tails
    }
    assert not notes["plain"] and not notes["padded"]
    assert notes["joined"] == ("other pictures follow in the same file, and are left out",)
    assert len(notes["film"]) == 1 and notes["film"][0].startswith("what follows the picture in its file")


def test_a_masked_array_is_not_taken_for_a_whole_picture():
    hidden = np.ma.masked_array(np.full((24, 24), 90, np.uint8), np.eye(24, dtype=bool))
    with pytest.raises(WrongType, match=r"give \.data"):
        zeuxis.restore(hidden)


def test_a_pil_picture_keeps_what_its_file_says(tmp_path):
    """Its orientation was dropped, so that the result lay on its side, and its resolution with it."""
    exif = Image.Exif()
    exif[274], exif[270] = 6, "hello"
    Image.new("RGB", (48, 24), (90, 120, 40)).save(tmp_path / "a.jpg", quality=30, exif=exif, dpi=(300, 300))
    given = (tmp_path / "a.jpg").read_bytes(), Image.open(tmp_path / "a.jpg")
    of_bytes, of_pil = (zeuxis.restore(one, tmp_path / f"{i}.png", task="denoise").image for i, one in enumerate(given))
    given[1].close()
    assert of_pil.size == of_bytes.size == (24, 48) and of_pil.getexif().get(274, 1) == 1
    assert of_pil.getexif()[270] == "hello" and round(of_pil.info["dpi"][0]) == 300


def test_a_pil_film_is_refused_and_a_frame_of_it_taken(tmp_path):
    """One frame was taken without a word."""
    frames = [Image.new("L", (24, 20), shade) for shade in (10, 200)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:])
    with Image.open(tmp_path / "a.webp") as film:
        with pytest.raises(BadInput, match=r"has 2 frames; give its path, or one frame: picture.copy\(\)"):
            zeuxis.restore(film)
        assert zeuxis.restore(film.copy(), strength=0).image.size == (24, 20)


def test_what_of_a_folder_is_not_gone_through_is_told(folder, tmp_path, capsys):
    """Hidden pictures and folders that are links were left out without a word."""
    (folder / ".h").mkdir()
    for name in (".h/c.png", ".d.png"):
        (folder / name).write_bytes((folder / "a.png").read_bytes())
    (folder / "link").symlink_to(tmp_path)
    zeuxis.upscale(folder, tmp_path / "out", method="bicubic", dry_run=True)
    told = capsys.readouterr().err
    assert "left out: 1 hidden picture, in or called `.h`" in told and "called `.d.png`" in told
    assert "`link` is a link to a folder, which is not followed" in told
