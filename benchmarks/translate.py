"""How well do translators learn? `python benchmarks/translate.py SHARED WORK --sets camvid --recipes pix2pix`

Each recipe learns from the training part of each set for as many images, on one thread, and is judged on the test part
as the page of a run judges: what passes, KID, edges, and of label maps the labels that are found; beside copies, colour
transfer and real pictures. A run that was begun is gone on with, one that is finished is judged again. WORK keeps runs
and strips. A rival is written as recipe, recipe:preset, or either with +FIELD=VALUE: pix2pix+adversarial=0 is L1 alone.
"""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from results import record

import zeuxis
from zeuxis.flags import read_settings
from zeuxis.jobs.capabilities.translates import strips
from zeuxis.jobs.sources import Source, material, sources_of
from zeuxis.jobs.translating.passing import Direction, judged
from zeuxis.jobs.translating.translators import translator
from zeuxis.pictures.in_colour import in_colour
from zeuxis.pictures.png import write_sheet
from zeuxis.runs import Run


class Pair(NamedTuple):
    """Folders of a set under SHARED/data, or under WORK/sets if `tools/translation_sets.py` makes it: two to learn from
    and two to be judged on; and pixels of a side."""

    train: tuple[str, str]
    test: tuple[str, str]
    size: int


SETS = {
    "camvid": Pair(("camvid-130/train/A", "camvid-130/train/B"), ("camvid-130/test/A", "camvid-130/test/B"), 128),
    "camvid-64": Pair(("camvid-130/train/A", "camvid-130/train/B"), ("camvid-130/test/A", "camvid-130/test/B"), 64),
    "sea": Pair(("dry2water/trainA", "dry2water/trainB"), ("dry2water/testA", "dry2water/testB"), 128),
    "sea-64": Pair(("dry2water/trainA", "dry2water/trainB"), ("dry2water/testA", "dry2water/testB"), 64),
} | {
    name: Pair((f"{name}/trainA", f"{name}/trainB"), (f"{name}/testA", f"{name}/testB"), 128)
    for name in ("earth", "to-starry-night", "to-scream", "to-shipwreck")
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--sets", nargs="+", default=["camvid"], choices=list(SETS))
    parser.add_argument("--recipes", nargs="+", default=["pix2pix", "pix2pix+adversarial=0"])
    parser.add_argument("--images", nargs="+", type=int, default=[4_000], help="that each learns from")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    a = parser.parse_args()
    for name in a.sets:
        for images in a.images:
            for seed in a.seeds:
                for recipe in a.recipes:
                    row = [name, recipe, f"{images:,} images", f"seed {seed}"]
                    measure(row, SETS[name], a.shared / "data", a.work, images, seed)
    return 0


def measure(row: list[str], pair: Pair, data: Path, work: Path, images: int, seed: int) -> None:
    place = work / "-".join(row).replace(" ", "")
    data = data if (data / pair.train[0]).exists() else work / "sets"
    begun, spent = time.process_time(), place / "spent.txt"
    if (place / "run.json").exists() and not (place / "finish.json").exists():
        zeuxis.resume(place)
    elif not place.exists():
        named, *fields = row[1].split("+")
        recipe, _, preset = named.partition(":")
        given = {"threads": 1, "preset": preset or None, "seed": seed, "size": pair.size, "images": images}
        given |= read_settings(recipe, fields, "--recipes")
        zeuxis.train(recipe, tuple(data / x for x in pair.train), run=place, **given)
    if not spent.exists():
        spent.write_text(f"{time.process_time() - begun:.1f}\n")
    run = Run.open(place)
    found = tested(run, [data / x for x in pair.test], pair.size)
    for direction, seen in found:
        figures = flat(direction) | {"images": run.finish["images"], "cpu_seconds": float(spent.read_text())}
        record("translate", [*row, direction.direction], figures)
        print(*row, direction.direction, {k: round(v, 3) for k, v in figures.items()}, flush=True)
        rows = list(strips(seen).values())
        sheet = torch.cat([in_colour(x) for x in rows])
        write_sheet(place / f"strip-{direction.direction}.png", sheet, len(rows[0]))


def tested(run: Run, test: list[Path], size: int) -> list[tuple[Direction, Any]]:
    """Judged on the test part: what it has is held out in place of what the run itself held out."""
    given = material(run.recipe, sources_of(run.record), run.record["seed"])
    exact = [words.get("exact", False) for words in given.words.values()]
    opened = [Source(str(place), size=size) for place in test]
    opened = [replace(x, taken=replace(x.taken, exact=named)) for x, named in zip(opened, exact, strict=True)]
    held = {side: source.open() for side, source in zip(given.streams, opened, strict=True)}
    return judged(translator(run.path), replace(given, held=held), run.record["seed"], run.recipe.paired)


def flat(direction: Direction) -> dict[str, float]:
    """Figures by measure and who gave the answers: passes_ours, passes_ours_low, kid_x1000_copying."""
    found: dict[str, float] = {"n": direction.n}
    for measured, by_whom in direction.figures.items():
        for who, figure in by_whom.items():
            value = figure.get("value") if isinstance(figure, dict) else figure
            if not isinstance(value, int | float):
                continue
            name = f"{measured}_{who}".replace(" ", "_")
            found[name.replace("kid_", "kid_x1000_")] = 1000 * value if measured == "kid" else value
            if isinstance(figure, dict) and measured in ("passes", "labels"):
                found |= {f"{name}_{end}": figure[end] for end in ("low", "high") if figure.get(end) is not None}
    return found


if __name__ == "__main__":
    sys.exit(main())
