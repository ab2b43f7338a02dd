"""A dry run says the decision that the run takes: for the same reason, and left alone in the same cases."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zeuxis
from zeuxis.errors import BadInput, SomeFailed
from zeuxis.jobs.per_image.records import Record
from zeuxis.jobs.restoring.restore import RestoreConfig, run_batch
from zeuxis.pictures import streaming

NOISY = RestoreConfig("denoise", method="non-local-means")
FILL = RestoreConfig("inpaint", method="biharmonic")
ASKED = {
    "found well": (RestoreConfig(), None),
    "denoised": (NOISY, None),
    "strength 0": (replace(NOISY, strength=0.0), None),
    "filled": (FILL, "hole"),
    "no hole": (FILL, "empty"),
    "no hole, strength 0": (replace(FILL, strength=0.0), "empty"),
    "enlarged": (RestoreConfig(scale=2, method="bicubic"), None),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("deciding")
    rows, columns = np.mgrid[:64, :72]
    waves = 120 + 60 * np.sin(rows / 9) * np.cos(columns / 7)
    pixels = waves[..., None] + np.random.default_rng(0).normal(0, 4, (64, 72, 3))
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path / "a.png")
    empty = np.zeros((64, 72), np.uint8)
    Image.fromarray(empty).save(path / "empty.png")
    empty[20:24, 30:40] = 255
    Image.fromarray(empty).save(path / "hole.png")
    return path


def decided(folder: Path, out: Path, asked: RestoreConfig, mask: str | None, dry: bool) -> Record:
    (record,) = run_batch(str(folder / "a.png"), str(out), asked, mask and str(folder / f"{mask}.png"), dry)
    return record


@pytest.mark.parametrize("name", ASKED)
def test_a_dry_run_says_what_the_run_does(folder, tmp_path, name):
    asked, mask = ASKED[name]
    planned = decided(folder, tmp_path / "out.png", asked, mask, True)
    assert not (tmp_path / "out.png").exists()
    done = decided(folder, tmp_path / "out.png", asked, mask, False)
    assert planned.state == {"done": "would be done", "left alone": "would be left alone"}[done.state]
    assert (planned.decision, planned.measured, planned.notes) == (done.decision, done.measured, done.notes)
    assert planned.used == done.used


def odd_files(folder: Path) -> None:
    """Pictures of which something cannot be kept: frames, pages, inks, a palette, depth, transparency."""
    rows, columns = np.mgrid[:64, :72]
    waves = np.uint8(120 + 60 * np.sin(rows / 9) * np.cos(columns / 7))
    noisy = np.clip(waves[..., None] + np.random.default_rng(0).normal(0, 25, (64, 72, 3)), 0, 255).astype(np.uint8)
    picture, still = Image.fromarray(noisy), Image.fromarray(waves)
    still.save(folder / "film.gif", save_all=True, append_images=[Image.fromarray(255 - waves)], duration=90)
    picture.save(folder / "pages.tif", save_all=True, append_images=[picture])
    picture.convert("CMYK").save(folder / "inks.jpg", quality=25)
    picture.quantize(200).save(folder / "palette.png")
    Image.fromarray(waves.astype(np.uint16) * 257).save(folder / "deep.png")
    picture.putalpha(still)
    picture.save(folder / "clear.png")
    still.save(folder / "plain.bmp")


ENLARGED = RestoreConfig(scale=2, method="bicubic")


@pytest.mark.parametrize(
    ("suffix", "asked"),
    [(".png", RestoreConfig()), (None, RestoreConfig()), (".jpg", NOISY), (".gif", ENLARGED), (".webp", ENLARGED)],
)
def test_a_dry_run_tells_what_cannot_be_kept(tmp_path, suffix, asked):
    (tmp_path / "in").mkdir()
    odd_files(tmp_path / "in")
    told = set()
    for file in sorted((tmp_path / "in").iterdir()):
        given, out = str(file), str(tmp_path / "out" / (file.stem + suffix)) if suffix else str(tmp_path / "out" / "")
        out = out if suffix else out + "/"
        (planned,) = run_batch(given, out, asked, dry_run=True)
        (done,) = run_batch(given, out, asked)
        if done.decision.endswith("nothing changed"):
            continue
        same = (planned.used, planned.decision, planned.notes, planned.result)
        assert same == (done.used, done.decision, done.notes, done.result), file.name
        told |= set(done.notes)
    assert (suffix is None) is not any("first of 2 frames" in words for words in told), "kept whole where it is copied"


def test_a_film_that_is_left_alone_is_told_to_be_written_as_another_format(tmp_path):
    odd_files(tmp_path)
    (record,) = run_batch(str(tmp_path / "film.gif"), str(tmp_path / "out.png"), RestoreConfig())
    assert record.state == "left alone" and record.result.suffix == ".png"
    assert record.notes[0] == "it is written as PNG"


def test_what_is_left_alone_is_copied_whatever_its_format(tmp_path):
    """In a folder a film lost its frames, and an AVIF became a PNG: "left alone, byte for byte" was not so."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    odd_files(tmp_path / "in")
    film = tmp_path / "in" / "film.gif"
    with Image.open(film) as opened:
        still = opened.convert("RGB")
    for name in ("deep/still.tga", "deep/still.avif", "film.png"):
        still.save(tmp_path / "in" / name)
    planned = run_batch(str(tmp_path / "in"), str(tmp_path / "out"), RestoreConfig(), dry_run=True)
    for _ in range(2):
        found = {r.name: r for r in run_batch(str(tmp_path / "in"), str(tmp_path / "out"), RestoreConfig())}
        assert {r.name: r.result for r in planned} == {r.name: r.result for r in found.values()}
        for name in ("film.gif", "film.png", "deep/still.tga", "deep/still.avif"):
            assert found[name].state == "left alone" and found[name].result == tmp_path / "out" / name
            assert found[name].data == (tmp_path / "in" / name).read_bytes() and not found[name].notes
        written = {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*") if p.is_file()}
        assert len(written) == len(found)
    alone = run_batch(str(film), str(tmp_path / "one") + "/", RestoreConfig())[0]
    beside = run_batch(str(film), None, RestoreConfig())[0]
    assert (alone.result, beside.result) == (tmp_path / "one" / "film.gif", tmp_path / "in" / "film-restored.gif")
    (tmp_path / "one" / "film.gif").write_bytes(b"mine")
    with pytest.raises(BadInput, match="this is there already"):
        run_batch(str(film), str(tmp_path / "one") + "/", RestoreConfig())
    with pytest.raises(BadInput, match="the original would be overwritten"):
        run_batch(str(film), str(tmp_path / "in") + "/", RestoreConfig())


def test_an_original_of_another_size_is_refused_before_the_work(folder, tmp_path):
    Image.new("RGB", (30, 30)).save(tmp_path / "other.png")
    for word in (zeuxis.restore, zeuxis.upscale):
        with pytest.raises(BadInput, match="the original is 30x30"):
            word(folder / "a.png", tmp_path / "out.png", compare=tmp_path / "other.png")
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("strength", [None, 0.0])
def test_a_dry_run_refuses_what_the_run_refuses(folder, tmp_path, strength):
    asked = replace(FILL, strength=strength)
    for dry in (True, False):
        with pytest.raises(BadInput, match="inpaint needs a mask"):
            decided(folder, tmp_path / "out.png", asked, None, dry)


def test_so_it_is_of_files_too_large_for_memory(folder, tmp_path, monkeypatch):
    pytest.importorskip("pyvips")
    monkeypatch.setattr("zeuxis.pictures.streaming.LARGE", 1000)
    assert streaming.is_large(folder / "a.png")
    for asked, out in ((replace(NOISY, strength=0.0), "out.jpg"), (NOISY, "out.png"), (FILL, "out.png")):
        for dry in (True, False):
            with pytest.raises(BadInput):
                decided(folder, tmp_path / out, asked, "hole" if asked == FILL else None, dry)
    planned, done = (
        decided(folder, tmp_path / "x.png", RestoreConfig(strength=0.0), None, dry) for dry in (True, False)
    )
    assert (planned.decision, planned.measured) == (done.decision, done.measured) == ("strength 0", None)


def test_a_reason_that_names_an_option_is_spelled_for_who_reads_it(tmp_path, capsys):
    """In Python the reason named `--task deblur`."""
    pixels = np.random.default_rng(0).integers(90, 160, (40, 40, 3), np.uint8)
    Image.fromarray(pixels).resize((160, 160), Image.Resampling.BICUBIC).save(tmp_path / "a.jpg", quality=92)
    target, page = tmp_path / "b.jpg", tmp_path / "p.html"
    found = zeuxis.restore(tmp_path / "a.jpg", target, page=page)
    for why in (found.to_json()["pictures"][0]["decision"], found.beside["compared"][0]["why"]):
        assert "`task='deblur'` where it is soft" in why, why
    planned = zeuxis.restore(tmp_path / "a.jpg", tmp_path / "c.jpg", dry_run=True)
    assert planned.only.decision == found.only.decision
    assert "--" not in capsys.readouterr().err
    (record,) = run_batch(str(tmp_path / "a.jpg"), str(tmp_path / "c.jpg"), RestoreConfig(), dry_run=True)
    assert "`--task deblur`" in record.to_json()["decision"]


def test_what_another_format_does_to_the_pixels_is_told(folder, tmp_path):
    """A picture that is left alone was told to be written as JPEG "with the same pixels"."""
    for suffix, told in ((".jpg", True), (".png", False), (".webp", False)):
        (record,) = run_batch(str(folder / "a.png"), str(tmp_path / f"b{suffix}"), RestoreConfig(strength=0.0))
        same = np.array_equal(np.asarray(Image.open(folder / "a.png")), np.asarray(Image.open(record.result)))
        assert ("JPEG changes all pixels a little" in record.notes) is told is not same


def test_a_hole_is_filled_as_a_whole(folder):
    with pytest.raises(BadInput, match="filled as a whole"):
        zeuxis.restore(folder / "a.png", task="inpaint", mask=folder / "hole.png", strength=0.4)


def test_results_inside_the_folder_of_the_pictures_are_refused_at_once(folder, tmp_path):
    """The same again failed, and another OUT took the results for pictures."""
    for out in (folder / "out", folder / "deep" / "out"):
        with pytest.raises(BadInput, match="as pictures of it the next time"):
            run_batch(str(folder), str(out), RestoreConfig(scale=2, method="bicubic"))
        assert not out.exists()


def test_a_picture_in_memory_is_told_of_as_one_in_a_file_is(folder, tmp_path):
    pixels = np.asarray(Image.open(folder / "a.png"))
    found = zeuxis.upscale(pixels, method="bicubic")
    assert isinstance(found.data, bytes) and found.only.used == ("bicubic",) and found.files == []
    named = zeuxis.upscale(pixels, tmp_path / "b.png", method="bicubic")
    assert named.files == [tmp_path / "b.png"] and named.only.state == "done" and named.data == found.data
    big = (pixels.astype(">u2") * 257).astype(">u2")
    assert zeuxis.upscale(big, method="bicubic").data == zeuxis.upscale(big.astype("u2"), method="bicubic").data
    for bad, words in ((b"hello", "what was given is not a picture"), (b"", "what was given is empty")):
        with pytest.raises(BadInput, match=words):
            zeuxis.restore(bad)
    with pytest.raises(BadInput, match="a picture in memory is none"):
        zeuxis.restore(pixels, compare=folder / "a.png")


@pytest.mark.parametrize(("top", "white"), [(1.0, 1), (1.02, 1), (1.4, 1), (200.0, 255), (3000.0, 65535), (7.5, None)])
def test_which_number_of_floats_is_white(tmp_path, top, white):
    """One value above 1 made a picture black, as 255 was taken for white."""
    values = np.linspace(0, min(top, 1.0) if top < 2 else top, 48 * 40, dtype=np.float32).reshape(48, 40)
    values[0, 0] = top
    Image.fromarray(values).save(tmp_path / "a.tif")
    if white is None:
        with pytest.raises(BadInput, match="does not say which of them is white"):
            run_batch(str(tmp_path / "a.tif"), str(tmp_path / "b.tif"), RestoreConfig(scale=2, method="bicubic"))
        return
    (record,) = run_batch(str(tmp_path / "a.tif"), str(tmp_path / "b.tif"), RestoreConfig(scale=2, method="bicubic"))
    assert any(f"white is {white}" in words for words in record.notes)
    assert any("were cut" in words for words in record.notes) == (1.01 < top < 2)


def test_a_broken_link_to_a_picture_is_listed(folder, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes((folder / "a.png").read_bytes())
    (tmp_path / "in" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.raises(SomeFailed) as told:
        run_batch(str(tmp_path / "in"), str(tmp_path / "out"), RestoreConfig(scale=2, method="bicubic"))
    assert [one["name"] for one in told.value.found["failed"]] == ["gone.png"]
    assert "Errno" not in str(told.value.found) and "No such file" in str(told.value.found["failed"])
