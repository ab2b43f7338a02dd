"""How well are damaged pictures repaired? `python benchmarks/restore.py --data FOLDER [--run RUN] [--out FILE.json]`

The standard test sets as the papers use them: x2, x3, x4 on Y; Gaussian noise, unclipped and as an 8-bit
file; JPEG on grey pictures; holes. Each method gets the same 8-bit low-resolution pictures and the same
noise. First the published figures of plain bicubic and plain JPEG are measured again; the exit code is 1
where one is off. LPIPS and the published nets are those that `zeuxis data weights add` put into the cache.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from restore_methods import Method, methods
from results import record, unusual
from standard_sets import STRENGTHS, Task, checks, pairs, tasks
from torch import Tensor

from zeuxis.degrade.degradation import Degraded
from zeuxis.jobs import published_nets
from zeuxis.metrics.fidelity import averaged, psnr, ssim
from zeuxis.metrics.result import Result
from zeuxis.weights.packages import is_here

Row = dict[str, Any]
FIGURES = ("n", "psnr", "ssim", "ssim_hole", "lpips", "cpu_seconds", "megapixels")
Distance = Callable[[Tensor, Tensor], Result]


def judged(answer: Tensor, seen: Degraded, truth: Tensor, task: Task, distance: Distance | None) -> dict[str, Result]:
    """Scores of one picture; pixels that were known count as they were."""
    if seen.known is not None:
        answer = torch.where(seen.known > 0.5, truth, answer)
    found = {"psnr": psnr(answer, truth, task.protocol), "ssim": ssim(answer, truth, task.protocol)}
    if seen.known is not None:
        found["ssim_hole"] = ssim(answer, truth, task.protocol, 1 - seen.known)
    if distance is not None and truth.shape[1] == 3:
        found["lpips"] = distance(answer, truth)
    return found


def measure(name: str, method: Method, task: Task, data: Path, limit: int, distance: Distance | None) -> Row:
    """The means of one method over one set, with its CPU-seconds and megapixels."""
    scores: dict[str, list[Result]] = {}
    seconds = pixels = 0.0
    for _, seen, truth in pairs(task, data, limit):
        start = time.process_time()
        answer = method(seen)
        seconds += time.process_time() - start
        pixels += truth.shape[-2] * truth.shape[-1] / 1e6
        for key, score in judged(answer, seen, truth, task, distance).items():
            scores.setdefault(key, []).append(score)
    means = {key: averaged(values) for key, values in scores.items()}
    row: Row = {"job": task.job, "set": task.folder, "kind": task.kind, "strength": task.strength, "method": name}
    row |= {"n": means["psnr"].n, "cpu_seconds": round(seconds, 3), "megapixels": round(pixels, 3)}
    row |= {key: round(mean.value, 5) if math.isfinite(mean.value) else None for key, mean in means.items()}
    return row | {"protocols": {key: mean.features for key, mean in means.items()}}


def cell(row: Row | None, job: str) -> str:
    """PSNR / SSIM / LPIPS, or SSIM in the hole / LPIPS."""
    if row is None:
        return ""
    keys = ("ssim_hole", "lpips") if job == "inpaint" else ("psnr", "ssim", "lpips")
    digits = {"psnr": 2, "ssim": 4, "ssim_hole": 4, "lpips": 4}
    return " / ".join(f"{row[key]:.{digits[key]}f}" if row.get(key) is not None else "-" for key in keys if key in row)


def in_general(words: str, row: Row) -> str:
    """The protocol of every scale at once."""
    return words.replace(f"crop {row['strength']},", "crop = scale,") if row["job"] == "upscale" else words


def table(job: str, rows: list[Row]) -> Iterable[str]:
    """Markdown: a row per method, a column per set and strength."""
    mine = [row for row in rows if row["job"] == job]
    at = {(Task(job, r["set"], r["kind"], r["strength"]), r["method"]): r for r in mine}
    columns = list(dict.fromkeys(task for task, _ in at))
    if not columns:
        return
    protocols = {key: in_general(words, row) for row in mine for key, words in row["protocols"].items()}
    said = "; ".join(f"{key}: {words}" for key, words in protocols.items())
    counts = ", ".join(sorted({f"{row['set'].rpartition('/')[2]} {row['n']}" for row in mine}))
    yield f"\n### {job}\n\n{said}. Pictures: {counts}.\n"
    yield "| method | " + " | ".join(task.words for task in columns) + " |"
    yield "| --- |" + " --- |" * len(columns)
    for name in dict.fromkeys(method for _, method in at):
        yield f"| {name} | " + " | ".join(cell(at.get((task, name)), job) for task in columns) + " |"


def checked(data: Path) -> tuple[bool, list[Row]]:
    """Prints what is known from papers beside what is measured here."""
    print("| known | measured | published | |\n| --- | --- | --- | --- |")
    rows, good = [], True
    for what, measured, published, tolerance in checks(data):
        near = abs(measured - published) <= tolerance
        print(f"| {what} | {measured:.2f} | {published:.2f} | {'ok' if near else 'DIFFERS'} |")
        rows.append({"what": what, "measured": round(measured, 4), "published": published, "ok": near})
        good = good and near
    return good, rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with sr/, denoise/ and jpeg/")
    parser.add_argument("--run", nargs="+", default=[], help="our nets: runs or weights files; else the bundled ones")
    parser.add_argument("--jobs", nargs="+", choices=list(STRENGTHS), default=list(STRENGTHS))
    parser.add_argument("--methods", nargs="+", help="only these; `ours` means all of ours")
    parser.add_argument("--tasks", nargs="+", help="only tasks whose words hold one of these, such as `unclipped 25`")
    parser.add_argument("--limit", type=int, default=0, help="pictures of each set, 0: all")
    parser.add_argument("--lpips", choices=["alex", "vgg", "none"], default="alex")
    parser.add_argument("--out", type=Path, help="JSON of every row")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    good, known = checked(asked.data)
    usable = asked.lpips != "none" and is_here(f"lpips-{asked.lpips}")
    distance = published_nets.distance(asked.lpips) if usable else None
    rows = []
    for task in tasks(asked.jobs):
        if asked.tasks and not any(words in task.words for words in asked.tasks):
            continue
        for name, method in methods(task, asked.run).items():
            if asked.methods and name.split()[0] not in asked.methods:
                continue
            rows.append(measure(name, method, task, asked.data, asked.limit, distance))
            figures = {key: value for key, value in rows[-1].items() if key in FIGURES}
            record(task.job, [task.words, name, *unusual(parser, asked, "limit", "lpips")], figures)
            print(f"{task.words}: {name} {cell(rows[-1], task.job)}", file=sys.stderr, flush=True)
    for job in asked.jobs:
        for line in table(job, rows):
            print(line)
    if asked.out:
        asked.out.write_text(json.dumps({"known": known, "rows": rows}, indent=1, allow_nan=False) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
