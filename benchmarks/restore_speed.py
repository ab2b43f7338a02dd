"""How fast for how good? `python benchmarks/restore_speed.py --data FOLDER [--run RUN] [--plot FILE.png]`

PSNR-Y of one set against output megapixels per CPU-second: one thread, one process, eager PyTorch, all
methods in turn in every round, medians over the rounds. Rates of two machines do not compare; ratios of
one table do.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch
from restore_methods import Method, methods
from results import record, unusual
from standard_sets import Task, pairs
from torch import Tensor

from zeuxis.degrade.degradation import Degraded
from zeuxis.metrics.fidelity import averaged, psnr
from zeuxis.nets import third_party as nets

Pictures = list[tuple[Degraded, Tensor]]


def once(method: Method, pictures: Pictures) -> float:
    """CPU-seconds for all pictures."""
    start = time.process_time()
    for seen, _ in pictures:
        method(seen)
    return time.process_time() - start


def measured(found: dict[str, Method], pictures: Pictures, task: Task, rounds: int) -> list[dict[str, Any]]:
    scores = {
        name: averaged([psnr(method(seen), truth, task.protocol) for seen, truth in pictures])
        for name, method in found.items()
    }  # the first use warms every method up
    taken: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(rounds):
        for name, method in found.items():
            taken[name].append(once(method, pictures))
    out = sum(truth.shape[-2] * truth.shape[-1] for _, truth in pictures) / 1e6
    return [
        {
            "method": name,
            "psnr": round(scores[name].value, 4),
            "protocol": scores[name].features,
            "megapixels_per_cpu_second": out / statistics.median(seconds),
            "least": out / max(seconds),
            "most": out / min(seconds),
            "faithful": name not in nets.PUBLISHED or nets.PUBLISHED[name].faithful,
        }
        for name, seconds in taken.items()
    ]


def plot(rows: list[dict[str, Any]], title: str, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for row in rows:
        colour = "tab:red" if row["method"].startswith("ours") else "tab:blue"
        at = (row["megapixels_per_cpu_second"], row["psnr"])
        axes.plot(*at, "o", color=colour, fillstyle="full" if row["faithful"] else "none")
        axes.annotate(row["method"], at, xytext=(5, 4), textcoords="offset points", fontsize=8)
    axes.set_xscale("log")
    axes.margins(x=0.2, y=0.1)  # room for the names
    axes.set_xlabel("output megapixels per CPU-second, one thread (hollow: trained to invent detail)")
    axes.set_ylabel("PSNR-Y in dB")
    axes.set_title(title)
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=150)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", default="sr/set5")
    parser.add_argument("--scale", type=int, default=4, choices=[2, 3, 4])
    parser.add_argument("--run", nargs="+", default=[], help="our nets: runs or weights files; else the bundled ones")
    parser.add_argument("--methods", nargs="+", help="only these; `ours` means all of ours")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=int, default=0, help="pictures of the set, 0: all")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--out", type=Path, help="JSON of every row")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    task = Task("upscale", asked.set, "x", asked.scale)
    pictures = [(seen, truth) for _, seen, truth in pairs(task, asked.data, asked.limit)]
    every = methods(task, asked.run)
    found = {name: m for name, m in every.items() if not asked.methods or name.split()[0] in asked.methods}
    rows = sorted(measured(found, pictures, task, asked.rounds), key=lambda row: -row["psnr"])
    print(
        f"{task.words}, {rows[0]['protocol']}; median of {asked.rounds} rounds, one thread, {len(pictures)} pictures\n"
    )
    print("| method | PSNR-Y | Mpx out per CPU-second | slowest to fastest round |\n| --- | --- | --- | --- |")
    for row in rows:
        figures = {key: row[key] for key in ("psnr", "megapixels_per_cpu_second", "least", "most")}
        record("speed", [task.words, row["method"], *unusual(parser, asked, "limit")], figures)
        mark = "" if row["faithful"] else " (*)"
        spread = f"{row['least']:.3g} to {row['most']:.3g}"
        print(f"| {row['method']}{mark} | {row['psnr']:.2f} | {row['megapixels_per_cpu_second']:.3g} | {spread} |")
    if not all(row["faithful"] for row in rows):
        print("\n(*) trained to invent detail on other damage: its PSNR here says little")
    if asked.plot:
        plot(rows, task.words, asked.plot)
    if asked.out:
        asked.out.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
