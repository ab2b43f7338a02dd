"""What does ncnn save? `python benchmarks/restore_fast.py [--side 256] [--rounds 7] [--out FILE.json]`

CPU-seconds of one tile, one thread, one process: torch as it comes (contiguous), torch in channels_last, and ncnn,
in turn in every round; medians. The bundled net for repair, and compact x4 without training (weights do not change
how long it takes). Rates of two machines do not compare; ratios of one table do.
"""

import argparse
import copy
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from results import record, unusual
from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.jobs.restoring import fast, nets
from zeuxis.recipes.compact import Compact
from zeuxis.weights import store

Function = Callable[[Tensor], Tensor]


def untrained(recipe: Compact) -> nets.Net:
    """A net of drawn weights, the last layer's too, so that a difference between runtimes shows."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        networks = recipe.networks(Spec(3, 96, 96)).requires_grad_(False).eval()
        nn.init.normal_(networks["upscaler"].last.weight, std=0.02)
    return nets.Net("compact x4", recipe, networks, Spec(3, 96, 96), store.content_hash(networks.state_dict()))


def functions(net: nets.Net) -> dict[str, Function]:
    """The ways to compute the net's restoring network, by name; ncnn where it is installed and knows the net."""
    (body,) = (body for body in net.networks.values() if fast.to_ncnn.is_known(body))
    ways = {
        "torch, contiguous": fast._by_torch(_laid(body, torch.contiguous_format), net.spec.channels),
        "torch, channels_last": fast._by_torch(_laid(body, torch.channels_last), net.spec.channels),
    }
    quick = fast.fast_function(net, threads=1, timed=False)
    return ways | ({"ncnn": quick} if quick else {})


def _laid(body: nn.Module, layout: torch.memory_format) -> nn.Module:
    return copy.deepcopy(body).to(memory_format=layout)  # type: ignore[call-overload,no-any-return]


def seconds(function: Function, image: Tensor) -> float:
    start = time.process_time()
    function(image)
    return time.process_time() - start


@torch.inference_mode()
def measured(net: nets.Net, side: int, rounds: int) -> list[dict[str, Any]]:
    ways = functions(net)
    image = Draw(0).at("tile").uniform(1, net.spec.channels, side, side, low=-1.0, high=1.0)
    answers = {name: function(image) for name, function in ways.items()}  # the first use warms every way up
    first = next(iter(answers.values()))
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, function in ways.items():
            taken[name].append(seconds(function, image))
    out = first.shape[-2] * first.shape[-1] / 1e6
    base = statistics.median(next(iter(taken.values())))
    return [
        {
            "net": net.name,
            "way": name,
            "cpu_seconds": statistics.median(found),
            "least": min(found),
            "most": max(found),
            "megapixels_per_cpu_second": out / statistics.median(found),
            "times_as_fast": base / statistics.median(found),
            "difference": float((answers[name] - first).abs().max()),
        }
        for name, found in taken.items()
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=256, help="input pixels of the tile, a multiple of 8")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--net", default="repair", help="name of the bundled net")
    parser.add_argument("--out", type=Path, help="JSON of every row")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as cache, mock.patch.dict("os.environ", ZEUXIS_CACHE=cache, ZEUXIS_FAST="1"):
        found = [nets.from_bundle(asked.net), untrained(Compact())]
        rows = [row for net in found for row in measured(net, asked.side, asked.rounds)]
    print(f"a tile of {asked.side}x{asked.side}, one thread, median of {asked.rounds} rounds in turn\n")
    print("| net | computed by | CPU-seconds (least to most) | Mpx out per CPU-second | times as fast | difference |")
    print("| --- | --- | --- | --- | --- | --- |")
    for row in rows:
        figures = {key: value for key, value in row.items() if key not in ("net", "way")}
        record("fast", [row["net"], row["way"], *unusual(parser, asked, "side")], figures)
        spread = f"{row['cpu_seconds']:.3f} ({row['least']:.3f} to {row['most']:.3f})"
        rate, ratio = f"{row['megapixels_per_cpu_second']:.3g}", f"{row['times_as_fast']:.2f}"
        print(f"| {row['net']} | {row['way']} | {spread} | {rate} | {ratio} | {row['difference']:.1g} |")
    if not any(row["way"] == "ncnn" for row in rows):
        print("\nwithout ncnn: pip install zeuxis[fast]")
    if asked.out:
        asked.out.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
