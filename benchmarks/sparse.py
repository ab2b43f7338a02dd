"""FISTA and `lasso` beside `lasso_cd`: `python benchmarks/sparse.py FOLDER [--patches 50000] [--rounds 3]`

FOLDER holds photographs. Patches of 8x8 with Gaussian noise of sigma 25, their means removed, are
coded in 256 atoms that K-SVD learned from them, at several penalties. scikit-learn runs with
`--jobs` jobs, torch with as many threads; they take turns, and medians and their ratio are
printed, with how far the objective of ours is above that of the rival (negative: below): of the
sum over all patches, and of the worst patch. `lasso` is FISTA for what working sets leave
over; `fista` starts from zero.
"""

import argparse
import statistics
import sys
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from results import record, unusual
from sklearn.decomposition import sparse_encode
from sklearn.exceptions import ConvergenceWarning

from zeuxis.classic.denoising.sparse import code_to_noise
from zeuxis.classic.dictionary import cosines, ksvd
from zeuxis.classic.overlapping_patches import unfold
from zeuxis.classic.sparse_codes import fista, lasso, objective
from zeuxis.draw import Draw

SIGMA = 25.0
PENALTIES = (1.2, 2.0, 3.0)


def patches_of(files: list[Path], count: int) -> torch.Tensor:
    """`count` noisy patches without their means, in grey levels, as many from each picture."""
    parts, share = [], -(-count // len(files))
    for file in files:
        grey = torch.from_numpy(np.asarray(Image.open(file).convert("L")).astype(np.float32))[None, None]
        noisy = grey + SIGMA * Draw(0).at(f"noise {file.name}").normal(1, *grey.shape[1:])
        rows = unfold(noisy, 8, 2)
        parts.append(rows[Draw(0).at(f"rows {file.name}").permutation(len(rows))[:share]])
    signals = torch.cat(parts)[:count]
    return signals - signals.mean(1, keepdim=True)


def rival(signals: torch.Tensor, dictionary: torch.Tensor, penalty: float, jobs: int) -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        codes = sparse_encode(
            signals.numpy(), dictionary.numpy(), algorithm="lasso_cd", alpha=penalty, n_jobs=jobs if jobs > 1 else None
        )
    return torch.from_numpy(codes).to(signals.dtype)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--patches", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    files = sorted(p for p in asked.folder.iterdir() if p.suffix.lower() in {".jpg", ".jpeg", ".png"})
    if not files:
        print("no pictures there", file=sys.stderr)
        return 2
    torch.set_num_threads(asked.jobs)
    signals = patches_of(files, asked.patches)
    learning = partial(code_to_noise, sigma=SIGMA, gain=1.15)
    dictionary = ksvd(signals[Draw(0).at("learn").permutation(len(signals))[:10_000]], cosines(8, 16), learning, 5)
    print(f"{len(signals)} patches, {len(dictionary)} atoms, {asked.jobs} threads or jobs, {asked.rounds} rounds\n")
    print("| penalty / sigma | atoms used | ours | ours, s | lasso_cd, s | ratio | objective, sum | objective, worst |")
    print("| --- " * 8 + "|")
    for factor in PENALTIES:
        solvers = {"lasso": lasso, "fista": fista, "lasso_cd": partial(rival, jobs=asked.jobs)}
        seconds: dict[str, list[float]] = {name: [] for name in solvers}
        codes = {}
        for _ in range(asked.rounds):
            for name, solve in solvers.items():
                begin = time.perf_counter()
                codes[name] = solve(signals, dictionary, factor * SIGMA)
                seconds[name].append(time.perf_counter() - begin)
        value = {n: objective(signals, dictionary, c, factor * SIGMA).double() for n, c in codes.items()}
        time_of = {name: statistics.median(values) for name, values in seconds.items()}
        used = float((codes["lasso"] != 0).float().sum(1).mean())
        his, b = value["lasso_cd"], time_of["lasso_cd"]
        figures = {"atoms": used} | {f"{name}_seconds": seconds for name, seconds in time_of.items()}
        for name in ("lasso", "fista"):
            whole = float(value[name].sum() / his.sum() - 1)
            worst = float((value[name] / his.clamp(min=1e-9) - 1).max())
            cells = (f"{used:.1f}", name, f"{time_of[name]:.2f}", f"{b:.2f}", f"{b / time_of[name]:.1f}")
            figures |= {f"{name}_ratio": b / time_of[name], f"{name}_sum": whole, f"{name}_worst": worst}
            print(f"| {factor} | {' | '.join(cells)} | {whole:+.1e} | {worst:+.1e} |", flush=True)
        labels = unusual(parser, asked, "patches", "jobs")
        record("sparse", [asked.folder.resolve().name, f"{factor:g} sigma", *labels], figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
