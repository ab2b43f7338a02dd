"""A grey net that does with grey pictures what a colour net does with them: python benchmarks/grey_of.py NAME OUT

What reads the three channels is summed and what writes them averaged; `--start-from OUT --channels 1` goes on there.
"""

import argparse
from pathlib import Path

import torch

from zeuxis.engine.fixed import opened
from zeuxis.weights import bundled, store

COLOURS = 3


def folded(head: torch.Tensor, tail: torch.Tensor, bias: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The first layer's weights [O, 3 k, h, w], the last one's [3 k, I, h, w] and its bias [3 k], for one channel."""
    first = head.unflatten(1, (COLOURS, -1)).sum(1)
    return first, tail.unflatten(0, (COLOURS, -1)).mean(0), bias.unflatten(0, (COLOURS, -1)).mean(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="bundled weights of a restorer with a U-Net")
    parser.add_argument("out", type=Path)
    a = parser.parse_args()
    tensors, words = opened(bundled.path_of(a.name))
    tensors = {k: v.float() for k, v in tensors.items()}
    keys = [f"restorer.{k}" for k in ("head.weight", "tail.weight", "tail.bias")]
    tensors |= dict(zip(keys, folded(*(tensors[k] for k in keys)), strict=True))
    store.save(a.out, tensors, {**words, "spec": {**words["spec"], "channels": 1}})


if __name__ == "__main__":
    main()
