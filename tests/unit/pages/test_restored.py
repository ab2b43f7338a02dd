import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.unit.pages.fixtures import noise, write_run
from tests.unit.pages.html_checks import Page, check_page
from zeuxis.jobs.capability import write_report
from zeuxis.pages import restored
from zeuxis.pages.restored import Map, Shown, bar, difference, drawn, fingerprint, heat_picture, write_restored
from zeuxis.pictures.picture import Picture, read


def picture(folder: Path, name: str, height: int = 60, width: int = 90, level: int = 120, spread: int = 20) -> Picture:
    path = folder / f"{name}.png"
    values = level + spread * noise(name, height, width, 3)
    Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).save(path)
    return read(path)


def shown(folder: Path, name: str = "one", **changes: Any) -> Shown:
    before, after = picture(folder, f"{name}-before"), picture(folder, f"{name}-after")
    heat = Map(np.linspace(0, 8, 600, dtype=np.float32).reshape(20, 30), 8.0, "Removed beyond the noise")
    tiles = (("PSNR", "28.42 dB", "was 20.42 dB, +8.00"),)
    plain: dict[str, Any] = {"tiles": tiles, "maps": (heat,), "place": (4, 10), "taken": True, **changes}
    return Shown(name, before, after, None, 1, (60, 90), "Noise 24.5. Done by repair.", False, **plain)


WORDS: dict[str, Any] = {
    "title": "one, restored",
    "kicker": "Zeuxis restore",
    "sentence": "Colours shifted by 0.3 grey levels.",
    "rows": [],
    "protocol": {},
    "columns": {},
    "total": 1,
}


def without_script(html: str) -> tuple[str, str]:
    """(the page less its one script, the script)."""
    found = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert len(found) == 1 and html.count("<script") == 1
    return html.replace(f"<script>{found[0]}</script>", ""), found[0]


def page_of(path: Path) -> tuple[Page, str]:
    html, script = without_script(path.read_text("utf-8"))
    return check_page(html), script


def policy_of(page: Page) -> str:
    return next(str(a["content"]) for t, a in page.tags if t == "meta" and a.get("http-equiv"))


def test_the_one_script_is_named_by_its_hash_and_nothing_else_may_run(tmp_path: Path) -> None:
    page, script = page_of(write_restored(tmp_path / "page.html", [drawn(shown(tmp_path))], WORDS))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy_of(page).endswith(f"; script-src 'sha256-{digest}'") and fingerprint(script) == f"sha256-{digest}"
    assert "default-src 'none'" in policy_of(page) and "unsafe-inline'; script-src" in policy_of(page)
    assert "fetch" not in script and "http" not in script and len(script) < 1200


def test_other_pages_stay_without_a_script(tmp_path: Path) -> None:
    html = write_report(write_run(tmp_path / "run")).read_text("utf-8")
    assert "<script" not in html and "script-src" not in html
    assert "<code>zeuxis report .</code> typed in it draws this page again" in html


def test_a_picture_has_its_slider_its_figures_and_its_map(tmp_path: Path) -> None:
    page, _ = page_of(write_restored(tmp_path / "page.html", [drawn(shown(tmp_path))], WORDS))
    ranges = [a for t, a in page.tags if t == "input"]
    assert [a["type"] for a in ranges] == ["range"] and "one" in str(ranges[0]["aria-label"])
    assert [str(i["alt"]) for i in page.images()] == [
        "one after",
        "one before",
        "one, a square of it before",
        "one, a square of it after",
        "one, a square of it taken away",
        "map of one: Removed beyond the noise",
    ]
    for words in (
        "Colours shifted by 0.3 grey levels.",
        "28.42 dB",
        "was 20.42 dB, +8.00",
        "8.00 grey levels and more",
    ):
        assert words in page.text, words
    assert "The square of 128 pixels" in page.text and "nothing is fetched" in page.text


def test_a_picture_left_alone_has_no_slider(tmp_path: Path) -> None:
    item = Shown("same", *[picture(tmp_path, "same")] * 2, None, 1, (60, 90), "Left alone: nothing to mend.", True)
    page, _ = page_of(write_restored(tmp_path / "page.html", [drawn(item)], WORDS))
    assert not [t for t, _ in page.tags if t == "input"]
    assert [str(i["alt"]) for i in page.images()] == ["same, left alone"] and "What changed" not in page.text


def test_what_was_sharpened_is_called_changed_and_what_was_added_is_bright(tmp_path: Path) -> None:
    """The page of a deblurred picture spoke of what was taken away."""
    names = [name for name, _ in drawn(shown(tmp_path, taken=False))["squares"]]
    assert names[:2] == ["before", "after"] and names[2].startswith("changed")


def test_a_picture_left_alone_is_held_against_its_original(tmp_path: Path) -> None:
    same, truth = picture(tmp_path, "same"), picture(tmp_path, "truth")
    item = Shown("same", same, same, truth, 1, (60, 90), "Left alone: `--task deblur` sharpens it.", True)
    page, _ = page_of(write_restored(tmp_path / "page.html", [drawn(item)], WORDS))
    assert [str(i["alt"]) for i in page.images()] == ["same original", "same left alone"]
    ranges = [a for t, a in page.tags if t == "input"]
    assert [a["aria-label"] for a in ranges] == ["how much of same is shown left alone"]
    assert "<code class=short>--task deblur</code>" in (tmp_path / "page.html").read_text("utf-8")


def test_an_enlarged_picture_is_held_against_bicubic_and_cut_as_it_was_compared(tmp_path: Path) -> None:
    small, large = picture(tmp_path, "small", 20, 31), picture(tmp_path, "large", 80, 124)
    item = Shown("x", small, large, picture(tmp_path, "truth", 78, 121), 4, (78, 121), "Done by x4.", False)
    page, _ = page_of(write_restored(tmp_path / "page.html", [drawn(item)], WORDS))
    assert [(i["width"], i["height"]) for i in page.images()] == [("121", "78")] * 2
    assert "before, enlarged 4 times by bicubic" in page.text


def test_the_table_names_the_protocol_and_the_mean(tmp_path: Path) -> None:
    rows = [{"name": f"{i}.png", "input": {"psnr": 20.0 + i}, "output": {"psnr": 24.0 + i}} for i in range(2)]
    mean = {"input": {"psnr": 20.5}, "output": {"psnr": 24.5}}
    cells = restored.table_of(rows, mean, {"psnr": "PSNR dB"})
    assert cells == [["0.png", "20.00", "24.00"], ["1.png", "21.00", "25.00"], ["mean", "20.50", "24.50"]]
    words = {**WORDS, "rows": cells, "columns": {"psnr": "PSNR dB"}, "total": 30}
    words["protocol"] = {"psnr": "all channels, crop 0, 8-bit"}
    page, _ = page_of(write_restored(tmp_path / "page.html", [drawn(shown(tmp_path))], words))
    assert "PSNR dB: all channels, crop 0, 8-bit" in page.text and "mean 20.50 24.50" in page.text
    assert "1 of 30 pictures are shown, from the least gain to the largest." in page.text


def test_what_equals_its_original_says_so() -> None:
    row = {"name": "a", "input": {"psnr": "equal", "lpips": None}, "output": {"psnr": "equal", "lpips": 0.25}}
    cells = restored.table_of([row], {}, {"psnr": "PSNR dB", "lpips": "LPIPS"})
    assert cells == [["a", "equal", "equal", "–", "0.2500"]]


def test_no_more_than_twelve_pictures_and_none_wider_than_1200(tmp_path: Path) -> None:
    wide = picture(tmp_path, "wide", 20, 2000)
    items = [drawn(Shown(str(i), wide, wide, None, 1, (20, 2000), "Left alone.", True)) for i in range(14)]
    page, _ = page_of(write_restored(tmp_path / "page.html", items, WORDS))
    assert [i["width"] for i in page.images()] == ["1200"] * 12


def test_names_of_people_cannot_run_anything(tmp_path: Path) -> None:
    item = shown(tmp_path, "<script>alert(1)</script>".replace("/", "_"))
    html = write_restored(tmp_path / "page.html", [drawn(item)], {**WORDS, "title": "<b>&"}).read_text("utf-8")
    assert html.count("<script") == 1 and "&lt;script&gt;" in html and "<b>&amp;" not in html


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "I;16", "P"])
def test_pictures_of_every_kind_are_drawn(tmp_path: Path, mode: str) -> None:
    grey = np.arange(40 * 50, dtype=np.uint16).reshape(40, 50)
    image = (
        Image.fromarray(grey * 16) if mode == "I;16" else Image.fromarray((grey % 256).astype(np.uint8)).convert(mode)
    )
    image.save(tmp_path / "a.png")
    item = Shown("a", *[read(tmp_path / "a.png")] * 2, None, 1, (40, 50), "Done.", False)
    page, _ = page_of(write_restored(tmp_path / "page.html", [drawn(item)], WORDS))
    assert len(page.images()) == 2


def test_a_map_is_dark_where_there_is_nothing_and_bright_where_there_is_most() -> None:
    below = Image.fromarray(np.full((10, 20), 200, np.uint8))
    values = np.zeros((10, 20), np.float32)
    values[:, 10:] = 30.0
    drawn = np.asarray(heat_picture(Map(values, 10.0, "x"), below))
    assert drawn.shape == (200, 400, 3)
    assert drawn[0, 0].tolist() == [90, 90, 90] and drawn[0, -1].tolist() == [252, 255, 164]
    assert bar() == "linear-gradient(to right, #000004, #57106e, #bc3754, #f98e09, #fcffa4)"


def test_a_difference_is_enlarged_as_far_as_it_fits() -> None:
    before = Image.fromarray(np.full((4, 4, 3), 100, np.uint8))
    for spread, gain in ((1, 16), (10, 4), (60, 1)):
        change = np.where(np.arange(16).reshape(4, 4, 1) % 2, spread, -spread) * np.ones((1, 1, 3), int)
        after = Image.fromarray((100 - change).astype(np.uint8))
        apart, times = difference(before, after)
        assert times == gain and set(np.unique(np.asarray(apart))) == {128 - gain * spread, 128 + gain * spread}
