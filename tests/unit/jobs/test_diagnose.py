"""What is wrong with a picture, and what follows from it."""

import io
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage

from zeuxis.degrade.parsing import parse
from zeuxis.degrade.pixels import apply_to_pixels
from zeuxis.errors import BadInput
from zeuxis.jobs.restoring import diagnose
from zeuxis.jobs.restoring.diagnose import measure, plan
from zeuxis.jobs.restoring.measured import Measured
from zeuxis.jobs.restoring.restore import RestoreConfig, picture_of
from zeuxis.pictures.in_memory import file_of
from zeuxis.pictures.picture import read, to_tensor

HELD_OUT = Path(__file__).resolve().parents[2] / "pictures" / "held-out"


def measured(pixels: np.ndarray, **save) -> Measured:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, **(save or {"format": "PNG"}))
    picture = read(buffer.getvalue())
    return measure(picture, to_tensor(picture))


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.array(Image.open(HELD_OUT / "canyon0.webp").convert("RGB"))


def test_a_clean_photograph_is_left_alone(pixels):
    found = measured(pixels)
    assert found.noise < 2 and found.quality is None and found.blur == 0
    assert plan("auto", found).steps == () and "nothing found to mend" in plan("auto", found).why


@pytest.mark.parametrize("task", diagnose.TASKS)
@pytest.mark.parametrize(
    "shape", [(1, 3000), (3000, 2), (3, 2500), (5000, 5), (12, 1400), (1, 1), (700, 1, 3), (2, 2, 4)]
)
def test_the_narrowest_pictures_are_measured(shape, task):
    """A strip of two pixels was shrunk to none while scratches were looked for."""
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    picture = read(file_of(pixels))
    found = measure(picture, to_tensor(picture), task)
    assert task != "auto" or plan("auto", found).steps == ()


@pytest.mark.parametrize("sigma", [8, 15, 25])
def test_noise(pixels, sigma):
    found = measured(apply_to_pixels(pixels, parse(f"noise={sigma}"), 0, "x"))
    assert abs(found.noise - sigma) < 0.1 * sigma
    assert plan("auto", found).steps == ("denoise",)


@pytest.mark.parametrize("quality", [10, 30, 75])
def test_jpeg_by_its_tables_and_by_its_traces(pixels, quality):
    own = measured(pixels, format="JPEG", quality=quality)
    assert own.quality == quality and plan("auto", own).steps == (("unblock",) if quality < 60 else ())
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    again = np.array(Image.open(buffer))[3:, 5:]
    found = measured(np.ascontiguousarray(again))
    assert found.quality == quality and found.grid == (5, 3)


def test_blur(pixels):
    found = measured(apply_to_pixels(pixels, parse("blur=1.5"), 0, "x"))
    assert 1.2 < found.blur < 1.8 and plan("auto", found).steps == ("sharpen",)


def test_a_good_jpeg_is_left_alone(pixels):
    assert plan("auto", measured(pixels, format="JPEG", quality=92)).steps == ()


def test_plans():
    clean, noisy = Measured(0, None, (0, 0), 0), Measured(20, 40, (0, 0), 0)
    assert plan("auto", noisy).steps == ("repair",), "one net for both"
    assert plan("enhance", clean).steps == ("contrast",) and plan("enhance", clean).strength == 0.5
    assert plan("denoise", clean).steps == ("repair",) and plan("inpaint", clean).steps == ("inpaint",)
    assert plan("old-photo", clean).steps == ("scratches", "inpaint", "repair", "levels")
    assert all(plan(task, noisy).why for task in diagnose.TASKS)
    with pytest.raises(BadInput, match="denoise"):
        plan("denoize", clean)


def test_softness_is_not_said_where_it_was_not_judged():
    clean = Measured(0.0, None, (0, 0), 0.0)
    assert "no Gaussian blur" in clean.words()
    assert (
        "softness cannot be judged, as the noise is as fine as detail"
        in replace(clean, unjudged={"softness": "the noise is as fine as detail"}).words()
    )
    assert "blur 1.2 px" in replace(clean, quality=90, blur=1.2).words()
    assert "--task deblur" in plan("auto", replace(clean, quality=90)).why
    assert "deblur" not in plan("auto", clean).why


def test_a_blur_that_is_not_sure_is_said_with_the_way_out():
    """It was told as nothing found, and soft, in one line, and `--task deblur` was named for a JPEG alone."""
    soft = Measured(0.0, None, (0, 0), 0.0, soft=True, unjudged={"noise": "the picture is too soft"})
    why = plan("auto", soft).why
    assert why == (
        "soft, but not surely by a Gaussian blur: `--task deblur` sharpens it anyway and may make it worse; "
        "no JPEG grid found; noise cannot be judged, as the picture is too soft"
    )
    lossy = plan("auto", replace(soft, quality=90)).why
    assert lossy.count("--task deblur") == 1 and "nothing found" not in lossy and "JPEG quality 90" in lossy
    assert "asked for; " in plan("deblur", soft).why and soft.words() in plan("deblur", soft).why


def test_noise_that_is_too_little_is_not_denied():
    """And where a codec may have left it, it is not measured: one line said both, and named one task twice."""
    faint = plan("auto", Measured(3.0, None, (0, 0), 0.0)).why
    assert faint.startswith("too little to mend: noise 3.0") and "`--task denoise` takes such noise away" in faint
    lossy = dict.fromkeys(("noise", "softness"), "the picture is a JPEG")
    assert plan("auto", Measured(3.0, 92, (0, 0), 0.0, unjudged=lossy)).why == (
        "nothing found to mend in what could be judged: JPEG quality 92; noise and softness cannot be judged, as the "
        "picture is a JPEG; "
        "try `--task denoise` where it is noisy, `--task deblur` where it is soft, which may make it worse"
    )


def test_what_could_not_be_judged_is_told_apart_from_what_was_not_found(pixels):
    """A small, drawn or half-transparent picture passed for clean and sharp; so did any other codec's file."""
    small = measured(pixels[:15, :15])
    assert set(small.unjudged) == {"salt and pepper", "noise", "JPEG traces", "softness"}
    tiny = "the picture is too small"
    all_four = f"salt and pepper, noise, JPEG traces and softness cannot be judged, as {tiny}"
    assert small.words() == all_four
    told = small.judged().to_json()
    assert [told[k] for k in ("noise", "colours", "quality", "blur", "soft")] == [None] * 5
    few = measured(
        np.kron(np.random.default_rng(0).integers(0, 2, (20, 20, 3)) * 255, np.ones((8, 8, 1))).astype("uint8")
    )
    lacking = {"too plain": np.full((160, 160, 3), 90), "too bright": np.full((160, 160, 3), 255)}
    lacking["too dark"] = np.zeros((160, 160, 3))
    for how, plain in lacking.items():
        plain[:16, :16] += np.arange(16)[:, None].astype(plain.dtype) if how != "too bright" else 0
        found = measured(plain.astype("uint8"))
        assert set(found.unjudged.values()) == {f"the picture is {how}"}, found.words()
    assert few.words() == all_four.replace(tiny, "the picture looks drawn or computed")
    clear = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    clear[:40, :, 3] = 0
    through = measured(clear)
    assert (
        through.unjudged == {"softness": "the picture is transparent in part"}
        and through.judged().to_json()["soft"] is None
    )
    clear[..., 3] = 100
    assert (
        measured(clear).words() == "noise, JPEG traces and softness cannot be judged, as the picture is too transparent"
    )
    webp = measured(pixels, format="WEBP", quality=30)
    assert webp.judged().to_json()["noise"] is None and "`--task denoise`" in plan("auto", webp).why
    assert webp.unjudged["JPEG traces"] == "the picture is a lossy WEBP file" and "no JPEG grid" not in webp.words()
    assert webp.unjudged["softness"] == webp.unjudged["noise"] == "the picture is a lossy WEBP file"
    assert "no Gaussian" not in webp.words() and "`--task deblur`" in plan("auto", webp).why
    jpeg = measured(pixels, format="JPEG", quality=90)
    assert (
        jpeg.unjudged == {"noise": "the picture is a JPEG", "softness": "the picture is a JPEG"}
        and jpeg.judged().to_json()["quality"] == 90
    )
    assert jpeg.words().endswith("noise and softness cannot be judged, as the picture is a JPEG")
    whole = measured(pixels)
    assert (
        not whole.unjudged and whole.judged().to_json()["soft"] is False and whole.judged().to_json()["quality"] is None
    )


def test_no_more_is_said_of_sharpness_than_was_measured(pixels):
    """Blurs of a disk, a box or motion leave waves at the finest scale: "fine detail is there" was said of them."""
    for damage in ("disk=3", "motion=9"):
        found = measured(apply_to_pixels(pixels, parse(damage), 0, "x"))
        assert "fine detail" not in found.words() and found.blur == 0


def test_wear_is_looked_for_where_the_plan_reads_it(pixels):
    picture = replace(read(_png(pixels)))
    image = to_tensor(picture)
    assert measure(picture, image, "auto").worn is False
    assert all(measure(picture, image, task).worn is None for task in diagnose.TASKS if task != "auto")


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_scratches_are_said_and_the_task_for_them_named():
    clean = Measured(0.0, None, (0, 0), 0.0)
    worn = plan("auto", replace(clean, worn=True))
    assert worn.steps == () and "--task old-photo" in worn.why and "nothing found" not in worn.why
    noisy = plan("auto", replace(clean, noise=20.0, worn=True))
    assert noisy.steps == plan("auto", replace(clean, noise=20.0)).steps and "--task old-photo" in noisy.why
    assert "old-photo" not in plan("auto", clean).why


def test_what_is_measured_of_a_toned_print_can_be_written_as_json(pixels):
    """In a toned picture another branch tells whether it is worn: it gave a number of numpy's."""
    grey = pixels.mean(2, keepdims=True)
    toned = np.concatenate([grey, 0.93 * grey, 0.8 * grey], 2)
    toned[40:44] = 250
    found = measured(np.clip(toned, 0, 255).astype(np.uint8))
    assert type(found.worn) is bool
    json.dumps(asdict(found))


def test_lines_on_paper_are_no_scratches():
    """Writing in sepia, contour lines, a black page with white letters: told of scratches, and ruined by that task."""
    rng = np.random.default_rng(0)
    page = Image.new("RGB", (360, 280), (231, 214, 178))
    for row in range(22):
        words = "".join(chr(97 + int(k)) for k in rng.integers(0, 26, 44))
        ImageDraw.Draw(page).text((12, 10 + 12 * row), words, fill=(96, 68, 40))
    sepia = np.asarray(page, float) + rng.normal(0, 2, (280, 360, 1))
    height = ndimage.gaussian_filter(rng.normal(0, 1, (280, 360)), 18)
    lines = np.abs(height / height.std() * 4 % 1 - 0.5) < 0.06
    contours = np.where(lines[..., None], (120, 80, 50), (240, 232, 214)) + rng.normal(0, 1.5, (280, 360, 1))
    for pixels in (sepia, contours, 255 - sepia):
        data = np.clip(pixels, 0, 255).astype(np.uint8)
        picture = read(_png(data))
        auto, asked = (measure(picture, to_tensor(picture), task) for task in ("auto", "old-photo"))
        assert auto.worn is False and "old-photo" not in plan("auto", auto).why
        told = plan("old-photo", asked)
        assert told.steps == () and "--mask" in told.why
        assert plan("old-photo", asked, masked=True).steps == ("inpaint",)


def test_the_rounding_of_smooth_pictures_is_no_jpeg():
    """Slopes and fog in a PNG, which no codec has seen, were told as JPEG quality 100."""
    y, x = np.mgrid[:200, :260]
    for k in range(4):
        slope = np.stack([60 + x * (0.2 + 0.05 * k) + y * 0.1, 90 + y * 0.3, 200 - x * 0.1 - y * 0.02 * k], -1)
        assert "JPEG quality" not in measured(np.rint(slope).astype(np.uint8)).words()
    fog = 150 + ndimage.gaussian_filter(np.random.default_rng(1).normal(0, 1, (200, 260)), 30) * 1500
    assert measured(np.clip(np.rint(fog), 0, 255).astype(np.uint8)[..., None].repeat(3, 2)).quality is None


def test_drawings_are_no_old_prints():
    """The bars of a code are long bright lines too; filling them would ruin it."""
    bars = np.repeat(np.random.default_rng(0).integers(0, 2, 120) * 255, 3)
    code = np.repeat(np.repeat(bars[None, :, None], 200, 0), 3, 2).astype(np.uint8)
    assert not measured(code).worn


def test_a_texture_that_is_alike_all_over_is_no_noise():
    """Measurements that are white, through a map of colours: nothing tells them from noise, so nothing is judged."""
    x = np.random.default_rng(0).random((200, 200))
    ends = np.array([[20, 40, 200], [230, 220, 90], [120, 10, 30]])
    found = measured(np.stack([np.interp(2 * x, np.arange(3), c) for c in ends.T], -1).astype(np.uint8))
    assert (
        plan("auto", found).steps == ()
        and found.judged().to_json()["noise"] is found.judged().to_json()["colours"] is None
    )
    assert "noise and softness cannot be judged, as the picture is alike all over" in found.words()


def test_noise_in_the_colours_alone_says_so_of_the_luma(pixels):
    z = np.random.default_rng(0).normal(0, 15, pixels.shape)
    only = measured(np.clip(pixels + z - z.mean(2, keepdims=True), 0, 255).astype(np.uint8))
    both = measured(np.clip(pixels + z, 0, 255).astype(np.uint8))
    assert plan("auto", only).steps == plan("auto", both).steps == ("denoise",)
    assert only.quiet < 0.5 and both.quiet > 0.8


@pytest.mark.parametrize("quality", [80, 92])
def test_noise_is_found_behind_jpeg_and_not_denied_where_it_is_not(pixels, quality):
    dull = apply_to_pixels(pixels, parse("noise=18"), 0, "x")
    found = measured(dull, format="JPEG", quality=quality)
    assert 9.5 < found.noise < 15, "of the luma, where three channels' noise is a third less"
    assert plan("auto", found).steps == ("denoise",) and "noise" not in found.unjudged
    clean = measured(pixels, format="JPEG", quality=quality)
    assert plan("auto", clean).steps == () and clean.judged().to_json()["noise"] is None
    assert "noise" in clean.unjudged and "noise 0" not in clean.words()


def test_salt_and_pepper_is_found_first_and_all_else_measured_without_it(pixels):
    """Specks passed for texture or for noise; a median puts them back, and touches nothing else."""
    dull = apply_to_pixels(pixels, parse("salt-pepper=0.04"), 0, "x")
    found = measured(dull)
    assert plan("auto", found).steps == ("despeckle",) and found.noise <= diagnose.NOISE
    assert plan("auto", found).why.startswith("specks of salt and pepper, ") and "% of the pixels" in found.words()
    assert json.loads(json.dumps(found.judged().to_json()))["specks"]["salt"] == pytest.approx(0.02, rel=0.3)
    mended = picture_of(read(_png(dull)), RestoreConfig()).picture.pixels
    spared = (dull == pixels).all(2)
    assert (mended != dull)[spared].mean() < 1e-3
    errors = [np.square(x.astype(float) - pixels).mean() for x in (dull, mended)]
    assert errors[1] < errors[0] / 20


def test_salt_and_pepper_in_a_drawing_or_for_another_task_is_not_looked_for(pixels):
    dull = apply_to_pixels(pixels, parse("salt-pepper=0.04"), 0, "x")
    picture = read(_png(dull))
    assert all(measure(picture, to_tensor(picture), task).specks is None for task in diagnose.TASKS if task != "auto")
    levels = apply_to_pixels(pixels // 64 * 64 + 32, parse("salt-pepper=0.04"), 0, "x")
    found = measured(levels)
    assert found.specks is None and plan("auto", found).steps == ()


def test_below_specks_neither_a_blur_nor_jpeg_is_denied(pixels):
    """Of a picture that was blurred before it was specked, "no Gaussian blur found" was said."""
    blurred = apply_to_pixels(pixels, parse("blur=1.5"), 0, "x")
    found = measured(apply_to_pixels(blurred, parse("salt-pepper=0.04"), 0, "x"))
    assert found.specks is not None and "no Gaussian blur" not in found.words() and "no JPEG" not in found.words()
    assert "JPEG traces and softness cannot be judged, as the picture has specks" in found.words()
    assert found.judged().to_json()["blur"] is found.judged().to_json()["quality"] is None


@pytest.mark.parametrize("sigma", [1.2, 2.5])
def test_the_softness_of_writing_and_screens_is_not_denied(sigma):
    """Strong contrast leaks into the highest frequencies of a block: a blurred random halftone passed for sharp."""
    dots = (np.random.default_rng(8).random((256, 256)) < np.linspace(0.1, 0.9, 256)).astype(float) * 255
    for page in (dots, np.kron(dots[:64, :64], np.ones((4, 4)))):
        blurred = np.rint(ndimage.gaussian_filter(page, sigma)).astype(np.uint8)
        found = measured(np.dstack((blurred, blurred, blurred)))
        assert (found.soft or found.judged().soft is None) and "no Gaussian blur" not in found.words()
        assert not measured(page.astype(np.uint8)).soft


def test_where_specks_cannot_be_told_nothing_is_denied():
    """A scan of writing, 2 % of whose pixels were struck, was told to be clean; the same specks hide JPEG and blur."""
    rng = np.random.default_rng(4)
    page = np.clip(np.rint(rng.normal(235, 14, (192, 192))), 0, 255)
    for row in range(8, 184, 14):
        for left in range(8, 184, 7):
            page[row : row + 8, left : left + 5][rng.random((8, 5)) < 0.5] = 5
    struck = rng.random(page.shape)
    page[struck < 0.01], page[struck > 0.99] = 0, 255
    found = measured(page.astype(np.uint8))
    assert found.specks is None and "salt and pepper" in found.unjudged and found.judged().specks is None
    assert "no JPEG grid" not in found.words() and "no Gaussian blur" not in found.words()
    assert "salt and pepper" in found.words() and "no noise" not in found.words()


@pytest.mark.parametrize("share", [0.01, 0.1])
@pytest.mark.parametrize("white", [0.0, 0.1, 1.0])
def test_below_specks_of_one_kind_nothing_is_denied(pixels, share, white):
    """Black or white pixels alone may be stars or dust: of a blurred picture that held them no blur was said to be."""
    blurred = apply_to_pixels(pixels, parse("blur=1.5"), 0, "x")
    struck = np.random.default_rng(1).random(pixels.shape[:2])
    blurred[struck < share] = 0
    blurred[struck < share * white] = 255
    found = measured(blurred)
    assert found.specks is None and "salt and pepper" in found.unjudged and "softness" in found.unjudged
    assert (
        found.unjudged["softness"] == "the picture has so many black and white pixels" and found.judged().blur is None
    )
    assert "no Gaussian" not in found.words() and "no noise" not in found.words() and "no JPEG" not in found.words()


def test_where_noise_may_be_what_is_fine_softness_is_not_denied():
    rng = np.random.default_rng(4)
    page = np.full((256, 256), 235.0)
    page[np.kron(rng.random((32, 32)) < 0.3, np.ones((8, 8), bool))] = 30
    noisy = ndimage.gaussian_filter(page, 1.2) + rng.normal(0, 7.5, page.shape)
    found = measured(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
    assert found.noise or ("softness" in found.unjudged and "no Gaussian blur" not in found.words())


def test_the_rounding_to_8_bits_is_no_noise_that_hides_softness():
    """A blurred picture with a sharp border was called noisy at 0.3 levels, and advised to be denoised."""
    field = ndimage.gaussian_filter(np.random.default_rng(0).normal(0, 1, (256, 256, 3)), (4, 4, 0))
    blurred = 128.5 + 20 * field / field.std()
    blurred[:20], blurred[:, -20:] = 0, 255
    found = measured(np.clip(blurred, 0, 255).astype(np.uint8))
    assert 0.2 < found.noise < 0.4 and not found.soft and not found.unjudged
    why = plan("auto", found).why
    assert why == "nothing found to mend: noise 0.3, no JPEG grid found, no Gaussian blur found"


def test_noise_under_salt_and_pepper_is_found_too(pixels):
    noisy = apply_to_pixels(pixels, parse("noise=20"), 0, "x")
    both = apply_to_pixels(noisy, parse("salt-pepper=0.03"), 0, "x")
    found = measured(both)
    assert found.specks is not None and abs(found.noise - 20) < 3
    assert plan("auto", found).steps == ("despeckle", "denoise")


def test_no_noise_is_not_told_as_a_measured_silence():
    """Grain and what may be texture are left out of the figure, and noise of the colours is named as such."""
    quiet = Measured(0.0, None, (0, 0), 0.0)
    assert "no noise beyond grain found" in quiet.words() and "0.0" not in quiet.words()
    assert "noise 3.4 in the colours" in replace(quiet, colours=3.4).words()
    assert "noise 12.0" in replace(quiet, noise=12.0).words()


@pytest.mark.parametrize("period", [7.3, 8.0, 9.1, 10.68, 11.2, 13.9, 16.0])
@pytest.mark.parametrize("turned", [False, True])
def test_stripes_across_a_drawing_are_no_jpeg(period, turned):
    """A drawing with faint stripes was told to have been a JPEG of quality 74, and that its softness may be mended."""
    image = Image.new("RGB", (400, 240), (250, 248, 240))
    draw, chance = ImageDraw.Draw(image), np.random.default_rng(5)
    for k in range(30):
        x, y, w, h = (int(v) for v in chance.integers((0, 0, 10, 10), (360, 200, 90, 60)))
        fill = tuple(int(v) for v in chance.integers(0, 255, 3)) if k % 3 else None
        (draw.ellipse if k % 2 else draw.rectangle)((x, y, x + w, y + h), fill, (0, 0, 0), int(chance.integers(1, 4)))
    stripes = 8 * np.sin(2 * np.pi * np.arange(240) / period)[:, None, None]
    pixels = np.clip(np.rint(np.asarray(image) + stripes), 0, 255).astype(np.uint8)
    found = measured(np.ascontiguousarray(pixels.swapaxes(0, 1) if turned else pixels))
    assert found.quality is None and "JPEG quality" not in plan("auto", found).why


def test_a_png_that_went_through_jpeg_is_not_called_a_jpeg(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=75)
    found = measured(np.asarray(Image.open(buffer)))
    assert found.quality is not None and set(found.unjudged.values()) == {"the picture went through JPEG"}


def test_what_could_not_be_judged_at_all_is_not_opened_like_a_clean_bill():
    causes = dict.fromkeys(("noise", "JPEG traces", "softness"), "the picture looks drawn or computed")
    why = plan("auto", Measured(0.0, None, (0, 0), 0.0, unjudged=causes)).why
    assert why == "noise, JPEG traces and softness cannot be judged, as the picture looks drawn or computed"
