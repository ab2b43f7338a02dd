"""What do minutes of one core give on photographs? `python benchmarks/photographs.py SHARED WORK --sets trashnet-64`

Every recipe learns from the training folder of every set for as many minutes of processor time, and is held to the
held-out folder by `zeuxis evaluate`. How many steps that is, is measured first, in processor time too, or said by
`--pace`: where cores do more than one thing each, a step costs several times as much. `--curve` also measures the
weights that a run kept on its way. WORK keeps sets, runs and sheets of samples, sixty pictures, a class a row; a run
that is finished is measured again, not trained. A rival is written as recipe or recipe:preset.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import NamedTuple

import torch
from photograph_sets import SETS, divided
from results import record

import zeuxis
from zeuxis.engine.batches import to_image
from zeuxis.engine.progress import say
from zeuxis.flags import read_settings
from zeuxis.jobs.sampling import generate, seeds_of
from zeuxis.pictures.png import grid, write_png
from zeuxis.runs import Run

RECIPES = ("latentgan", "r3gan:few", "cgan", "dcgan", "vae")
FIGURES = ("kid", "density", "coverage", "diversity", "within", "gan_test", "cas", "copied")
PACE, WARM = 160, 8
"""Steps whose time tells how many fit, and those before them that are not counted."""


class Effort(NamedTuple):
    """Seconds of processor time, and those of a step, where these are known."""

    seconds: float
    pace: float | None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--sets", nargs="+", default=["trashnet-64"], choices=list(SETS))
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES))
    parser.add_argument("--minutes", nargs="+", type=float, default=[10.0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--pace", type=float, help="processor seconds of a step, where they are known")
    parser.add_argument("--field", nargs="*", default=[], help="FIELD=VALUE of the recipes, for a trial")
    parser.add_argument("--curve", action="store_true", help="measure the snapshots of each run, too")
    a = parser.parse_args()
    fields = dict(pair.split("=") for pair in a.field)
    for name in a.sets:
        for minutes in a.minutes:
            for seed in a.seeds:
                for recipe in a.recipes:
                    row = [name, recipe, f"{minutes:g} min", f"seed {seed}", *a.field]
                    measure(row, a.shared, a.work, Effort(60 * minutes, a.pace), seed, fields, a.curve)
    return 0


def measure(
    row: list[str], shared: Path, work: Path, effort: Effort, seed: int, fields: dict[str, str], curve: bool
) -> None:
    train, test = divided(row[0], shared, work / "sets")
    place = work / "runs" / "-".join(row).replace(" ", "").replace(":", "-")
    if not (place / "finish.json").exists():
        trained(row[1], train, place, effort, seed, fields)
    run = Run.open(place)
    for point in run.record["snapshots"] if curve else ():
        judged([*row, f"at {point:.0%}"], run, test, float(point), f"{point:.2f}")
    judged(row, run, test, 1.0, None)
    sheet(run, work / "sheets" / f"{place.name}.png")


def judged(row: list[str], run: Run, test: Path, progress: float, snapshot: str | None) -> None:
    """A line of the table: the weights of the end, or those kept under a name at a point of progress."""
    found = zeuxis.evaluate(run.path, data=test, n=900, features="efficientnet-lite0", snapshot=snapshot)
    figures = {name: figure.result.value for name, figure in found.figures.items() if name in FIGURES}
    figures["kid_x1000"] = 1000 * figures.pop("kid")
    floors = {f"{name}_real": found.figures[name].result.floor for name in ("gan_test", "cas") if name in figures}
    spent = round(progress * float((run.path / "spent.txt").read_text()), 1)
    images = round(progress * run.finish["images"])
    record("photographs", row, {"images": images, "cpu_seconds": spent} | figures | floors)
    print(" ".join(row), {k: round(v, 3) for k, v in figures.items() if v is not None}, flush=True)


def trained(named: str, train: Path, place: Path, effort: Effort, seed: int, fields: dict[str, str]) -> None:
    """Trains for so many seconds of processor time, and notes how many they were."""
    recipe, _, preset = named.partition(":")
    given = {"threads": 1, "compute": "auto", "preset": preset or None, "seed": seed}
    given |= read_settings(recipe, [f"{name}={value}" for name, value in fields.items()], "--field")
    steps = max(1, round(effort.seconds / (effort.pace or pace(recipe, train, place, given))))
    before = time.process_time()
    zeuxis.train(recipe, train, run=place, steps=steps, **given)
    (place / "spent.txt").write_text(f"{time.process_time() - before:.1f}\n")


def pace(recipe: str, train: Path, place: Path, given: dict) -> float:
    """Processor seconds of a step: those of a longer trial less those of a shorter one, after one that loads all."""
    spent = []
    for steps in (1, WARM, WARM + PACE):
        trial = place.with_name(f"{place.name}-pace-{steps}")
        before = time.process_time()
        zeuxis.train(recipe, train, run=trial, steps=steps, **given)
        spent.append(time.process_time() - before)
    step = max(1e-4, (spent[2] - spent[1]) / PACE)
    say(f"{place.name}: {step:.3f} s a step")
    return step


def sheet(run: Run, path: Path, columns: int = 10) -> None:
    classes = len(run.spec.classes) if run.record["conditional"] else 0
    rows = classes or 6
    labels = torch.arange(rows).repeat_interleave(columns) if classes else None
    pixels = torch.cat(list(generate(run.recipe, run.networks(), seeds_of("sheet", 0, rows * columns), labels)))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, grid(to_image(pixels), columns, 0))


if __name__ == "__main__":
    sys.exit(main())
