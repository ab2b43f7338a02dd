"""Weights for a net of another shape to begin with: python tools/start_of.py grey|x2 NAME OUT

`grey`: of a U-Net for colours, one for grey pictures that does the same with them: what reads the three channels is
summed, what writes them averaged. `x2`: of a compact net for x4, one for x2 whose answer is that of x4, each four
pixels averaged. `zeuxis train ... --start-from OUT` goes on there, with `--channels 1` or `--scale 2`.
"""

import argparse
from pathlib import Path
from typing import Any

from torch import Tensor

from zeuxis.engine.fixed import opened
from zeuxis.weights import bundled, store

COLOURS = 3
Weights = dict[str, Tensor]


def grey(tensors: Weights, words: dict[str, Any]) -> tuple[Weights, dict[str, Any]]:
    """First layer's weights [O, 3 k, h, w] and last one's [3 k, I, h, w] and [3 k] to those for one channel."""
    head, tail, bias = (f"restorer.{k}" for k in ("head.weight", "tail.weight", "tail.bias"))
    new = {head: tensors[head].unflatten(1, (COLOURS, -1)).sum(1)}
    new |= {k: tensors[k].unflatten(0, (COLOURS, -1)).mean(0) for k in (tail, bias)}
    return tensors | new, words | {"spec": words["spec"] | {"channels": 1}}


def x2(tensors: Weights, words: dict[str, Any]) -> tuple[Weights, dict[str, Any]]:
    """Last layer's [3 x 4 x 4, ...] to [3 x 2 x 2, ...]: what pixel shuffle lays side by side is averaged."""
    last = {k: v for k, v in tensors.items() if k.startswith("upscaler.last.")}
    new = {k: v.unflatten(0, (COLOURS, 2, 2, 2, 2)).mean((2, 4)).flatten(0, 2) for k, v in last.items()}
    return tensors | new, words | {"settings": words["settings"] | {"scale": 2}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shape", choices=("grey", "x2"))
    parser.add_argument("name", help="bundled weights")
    parser.add_argument("out", type=Path)
    a = parser.parse_args()
    tensors, words = opened(bundled.path_of(a.name))
    single: Weights = {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}
    new, words = {"grey": grey, "x2": x2}[a.shape](single, words)
    store.save(a.out, new, words)


if __name__ == "__main__":
    main()
