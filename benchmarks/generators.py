"""How near do generators come to real pictures? `python benchmarks/generators.py RUN...` prints a table.

Fréchet distance, coverage and recall of 1,000 samples against the 1,000 pictures of the test
part, in the features of a classifier trained on the real training pictures. It is not the
Inception distance of the literature and stands beside no published number; the last
row, real training pictures in the place of samples, is the floor that it is read against.
"""

import argparse
import sys

import torch
from judging import judge, parts_of
from results import record

from zeuxis.engine.batches import to_image
from zeuxis.jobs.sampling import generate, seeds_of
from zeuxis.metrics.distribution import frechet, support
from zeuxis.runs import Run

SAMPLES = 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+")
    runs = [Run.open(folder) for folder in parser.parse_args().runs]
    parts = parts_of(runs[0])
    recipe, networks = judge(parts.train)

    @torch.no_grad()
    def features(pixels: torch.Tensor) -> torch.Tensor:
        return torch.cat([recipe.features(networks, to_image(p)) for p in pixels.split(250)])

    some = torch.arange(0, len(parts.train), max(1, len(parts.train) // SAMPLES))[:SAMPLES]
    real, floor = features(parts.test.images(torch.arange(len(parts.test)))), features(parts.train.images(some))
    print(f"{'recipe':<12} {'images':>9} {'seconds':>8} {'distance':>9} {'coverage':>9} {'recall':>7}")
    for run in runs:
        classes = len(run.spec.classes) if run.record["conditional"] else 0
        labels = torch.arange(SAMPLES) % classes if classes else None
        made = torch.cat(list(generate(run.recipe, run.networks(), seeds_of("benchmark", 0, SAMPLES), labels)))
        row(run.record["recipe"], run.finish["images"], run.finish["seconds"], features(made), real)
    row("real", None, None, floor, real)
    return 0


def row(name: str, images: int | None, seconds: float | None, fake: torch.Tensor, real: torch.Tensor) -> None:
    held, distance = support(fake, real), float(frechet(fake, real))
    figures = {"images": images, "train_seconds": seconds, "distance": distance}
    record("generators", [name], figures | {"coverage": float(held.coverage), "recall": float(held.recall)})
    trained = (f"{images:,}" if images else "", f"{seconds:.0f}" if seconds else "")
    print(
        f"{name:<12} {trained[0]:>9} {trained[1]:>8} {distance:>9.2f} "
        f"{float(held.coverage):>9.2f} {float(held.recall):>7.2f}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
