import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

import zeuxis
from tests.unit.pages.fixtures import write_json, write_run
from tests.unit.pages.html_checks import check_page
from zeuxis.data.memory import MemoryDataset
from zeuxis.degrade.degradation import Degraded
from zeuxis.draw import Draw
from zeuxis.jobs.capabilities import reconstructs as job
from zeuxis.jobs.capability import write_report
from zeuxis.jobs.restoring.nets import Net
from zeuxis.jobs.sources import material, sources_of
from zeuxis.pages.strips import read_strips
from zeuxis.runs import Run


class Identity:
    """A recipe that answers with what it was given, enlarged by repeating pixels."""

    receptive_field, multiple_of, damage = 0, 1, "noise=10"

    def __init__(self, scale: int = 1, known: bool = False) -> None:
        self.scale, self.known = scale, known

    def observe(self, clean: torch.Tensor, draw: Draw) -> Degraded:
        image = clean[..., :: self.scale, :: self.scale]
        if not self.known:
            return Degraded(
                image + 10 / 127.5 * draw.at("n").normal(*image.shape), level=torch.full((len(image), 1, 1, 1), 10.0)
            )
        known = torch.ones_like(image[:, :1])
        known[..., 4:9, 4:9] = 0
        return Degraded(torch.where(known > 0, image, torch.zeros(())), known)

    def restore(self, networks, image, known=None, level=None):
        return image.repeat_interleave(self.scale, 2).repeat_interleave(self.scale, 3)


def net_of(recipe: Identity, side: int = 24) -> Net:
    return Net("own", recipe, torch.nn.ModuleDict(), SimpleNamespace(channels=3, height=side, width=side), "")


def squares(n: int = 2, side: int = 24) -> torch.Tensor:
    ramp = torch.linspace(-0.8, 0.8, side)
    return (ramp[:, None] * ramp).expand(n, 3, side, side).clone()


def test_rows_are_given_classic_ours_and_truth_each_with_its_psnr():
    clean = squares()
    rows = job.strips_of(net_of(Identity()), clean, Draw(0, phase="strips"))
    assert [row.name for row in rows] == ["given", "non-local means", "ours", "truth"]
    assert torch.equal(rows[0].image, rows[2].image) and rows[0].psnr == rows[2].psnr and rows[3].psnr is None
    assert (rows[3].image - clean).abs().max() <= 1 / 255 + 1e-6
    assert all(27 < v < 29.5 for v in rows[0].psnr) and min(rows[1].psnr) > max(rows[0].psnr) + 3
    levels = (rows[0].image + 1) * 127.5
    assert (levels - levels.round()).abs().max() < 1e-3 and levels.min() >= 0 and levels.max() <= 255


def test_an_upscaler_is_held_against_bicubic_and_what_was_given_has_no_psnr():
    rows = job.strips_of(net_of(Identity(2)), squares(), Draw(0))
    assert [row.name for row in rows] == ["given", "bicubic", "ours", "truth"]
    assert rows[0].psnr is None and all(row.image.shape == (2, 3, 24, 24) for row in rows)


def test_holes_are_filled_by_biharmonic():
    rows = job.strips_of(net_of(Identity(known=True)), squares(1), Draw(0))
    assert rows[1].name == "biharmonic" and rows[1].psnr[0] > rows[0].psnr[0] + 10


def test_damage_that_leaves_another_size_gives_no_strips():
    recipe = Identity()
    recipe.observe = lambda clean, draw: Degraded(clean[..., ::2, ::2])
    assert job.strips_of(net_of(recipe), squares(), Draw(0)) == []


def test_squares_come_from_as_many_files_as_there_are():
    held = type("Held", (), {"sources": ["a"] * 50 + ["b"] * 3 + ["c"], "__len__": lambda self: 54})()
    places = job.chosen(held, 0)
    assert len(places) == len(set(places)) == 6
    assert {held.sources[i] for i in places[:3]} == {"a", "b", "c"}
    assert {held.sources[i] for i in places[3:5]} == {"a", "b"}
    assert job.chosen(held, 0) == places and len(job.chosen(held, 0, 100)) == 54


@pytest.mark.parametrize(("side", "step", "local", "shown"), [(96, 4, 9, 96), (256, 12, 9, 156), (256, 12, None, 256)])
def test_large_squares_show_their_middle(side: int, step: int, local: int | None, shown: int):
    able = SimpleNamespace(multiple_of=step, scale=1, receptive_field=local)
    clean = torch.arange(side).float().expand(1, 1, side, side)
    cut = job._cut(clean, able)
    assert cut.shape[-1] == shown and float(cut[0, 0, 0, 0]) == (side - shown) // 2


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    y, x = np.mgrid[0:40, 0:48]
    for i in range(6):
        wave = 127 + 100 * np.sin((x * (i + 1) + y) / 9)[..., None] * np.array([1.0, 0.7, 0.4])
        Image.fromarray(wave.astype(np.uint8)).save(folder / f"{i}.png")
    run = folder.parent / "strips-run"
    small = {"preset": "tiny", "patch": 24, "batch": 2, "damage": "noise=20"}
    zeuxis.train("restorer", folder, run=run, steps=2, compute="plain", threads=1, **small)
    return run


def test_a_run_that_restores_ends_with_strips_on_its_page(trained: Path):
    words = json.loads((trained / "real" / "strips.json").read_text())
    held = json.loads((trained / "split.json").read_text())["validation"]
    assert words["rows"] == ["given", "non-local means", "ours", "truth"] and words["damage"] == "noise=20"
    assert set(words["sources"]) <= {entry.split()[-1] for entry in held}
    n = len(words["sources"])
    assert [len(row) for row in words["psnr"][:3]] == [n] * 3 and words["psnr"][3] is None
    with Image.open(trained / "real" / "strips.png") as sheet:
        assert sheet.size == (n * 26 - 2, 4 * 26 - 2)
    page = check_page((trained / "report.html").read_text("utf-8"))
    for said in ("Held-out pictures", "damaged as in training (noise=20)", "PSNR in dB, all channels, crop 0, 8-bit"):
        assert said in page.text, said
    assert any("held-out squares, from top to bottom: given, non-local means" in str(i["alt"]) for i in page.images())


def test_the_same_run_gives_the_same_strips(trained: Path):
    run = Run.open(trained)
    before = (trained / "real" / "strips.png").read_bytes()
    given = material(run.recipe, sources_of(run.record), run.record["seed"])
    job.write_strips(run, given.held_out)
    assert (trained / "real" / "strips.png").read_bytes() == before


def test_without_held_out_pictures_or_for_a_generator_nothing_is_written(trained: Path, tmp_path: Path):
    run = SimpleNamespace(recipe=Run.open(trained).recipe, record={"seed": 0}, path=tmp_path)
    job.write_strips(run, None)
    job.write_strips(
        SimpleNamespace(recipe=object(), path=tmp_path), MemoryDataset(torch.zeros(2, 3, 8, 8, dtype=torch.uint8))
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("theirs", "ours", "said"),
    [
        (
            [30.0, 32.0],
            [29.0, 31.5],
            "Non-local means, which needs no training, does better: 31.00 dB against 30.25 dB on",
        ),
        ([30.0, 32.0], [31.0, 31.5], ""),
        ([30.0, None], [20.0, 21.0], ""),
    ],
)
def test_a_method_without_a_network_that_does_better_is_named(tmp_path: Path, theirs: list, ours: list, said: str):
    """A net after twenty steps was "better than leaving the pictures as they are", and 7 dB below such a method."""
    rows = {"given": [22.0, 22.0], "non-local means": theirs, "ours": ours, "truth": None}
    write_json(tmp_path / "real" / "strips.json", {"rows": list(rows), "psnr": list(rows.values())})
    run = SimpleNamespace(path=tmp_path)
    assert job.rival_words(run).startswith(said) and bool(job.rival_words(run)) == bool(said)
    assert job.rival_words(SimpleNamespace(path=tmp_path / "none")) == ""


def test_damaged_strips_do_not_cost_the_page(tmp_path: Path):
    folder = write_run(tmp_path / "run")
    assert read_strips(folder) is None
    write_json(folder / "real" / "strips.json", {"rows": ["a"], "psnr": [[1.0, None]]})
    assert read_strips(folder) is None
    Image.new("RGB", (50, 50)).save(folder / "real" / "strips.png")
    found = read_strips(folder)
    assert found is not None and found.table == [["a", "1.00", "equal", "1.00"]] and found.scale == 1
    assert "Held-out pictures" in check_page(write_report(folder).read_text("utf-8")).text
    write_json(folder / "real" / "strips.json", {"rows": ["a", "b"], "psnr": [[1.0]]})
    assert read_strips(folder) is None
