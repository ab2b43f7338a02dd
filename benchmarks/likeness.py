"""How samples are judged: figures and grade of runs, and of what real pictures become.

`python benchmarks/likeness.py [--controls] RUN...` prints a row of the table in docs/measured.md per run; `--controls`
adds one for grey, noise, blurred, repeated and real pictures in the place of samples, on the pictures of the first
run. The runs' pictures must lie where they lay.
"""

import argparse
from pathlib import Path

import torch
from results import record
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from zeuxis.jobs.capabilities.generates import judged_samples, some
from zeuxis.jobs.sources import Material, material, sources_of
from zeuxis.metrics.likeness import MOST, likeness
from zeuxis.pages.outcome import Outcome, of_samples
from zeuxis.runs import Run


def row(name: str, found: Outcome) -> str:
    f = found.figures
    record("likeness", [name], {k: v for k, v in f.items() if isinstance(v, int | float)})
    shown = [f"{f[k]:.2f}" for k in ("diversity", "sharpness")] + [f"{f['distance']:.3f}"]
    shown += [f"{f[k]:.2f} ({f[k + '_real']:.2f})" for k in ("coverage", "recall")]
    return f"| {' | '.join([name, *shown, found.grade, found.sentence.split(':')[0]])} |"


def softened(image: Tensor, times: int) -> Tensor:
    return interpolate(avg_pool2d(image, times), image.shape[-2:], mode="bilinear")


def controls(given: Material) -> dict[str, Tensor]:
    """What real pictures become, by name."""
    train, _ = some(given.train, MOST, "controls", 0)
    draw, mean = torch.Generator().manual_seed(0), train.mean(0, keepdim=True)
    uniform, normal = (f(train.shape, generator=draw) for f in (torch.rand, torch.randn))
    few = torch.arange(len(train))
    return {
        "grey": torch.zeros_like(train),
        "mean picture": mean.expand_as(train),
        "mean picture and noise of 0.1": (mean + 0.1 * normal).clamp(-1, 1),
        "noise": uniform * 2 - 1,
        "one real picture": train[:1].expand_as(train),
        "ten real pictures": train[few % 10],
        "shrunk by 2 and enlarged": softened(train, 2),
        "shrunk by 4 and enlarged": softened(train, 4),
        "with noise of 0.3": (train + 0.3 * normal).clamp(-1, 1),
        "upside down": train.flip(2),
        "training pictures": train,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--controls", action="store_true")
    asked = parser.parse_args()
    for place in asked.runs:
        run = Run.open(place)
        given = material(run.recipe, sources_of(run.record), run.record["seed"])
        print(row(f"{Path(place).name}, {run.finish['images']:,}", judged_samples(run, given)), flush=True)
        if asked.controls:
            train, _ = some(given.train, MOST, "judged training", 0)
            held, _ = some(given.held_out, MOST, "judged held out", 0)
            for name, pictures in controls(given).items():
                print(row(name, of_samples(likeness(pictures, train, held).to_json())), flush=True)
            asked.controls = False


if __name__ == "__main__":
    main()
