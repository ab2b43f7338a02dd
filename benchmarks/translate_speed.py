"""How fast is a step of each translator? `python benchmarks/translate_speed.py [--rounds 7] [--size 128]`

The rival has the same networks in the loop of the papers' code: eager float32, default Adam, a pass for each picture
that a translator sees. All run alternately in one process; medians of seconds a step and ratios are printed, what each
option of computing gives, and what share of this machine's matrix products a step reaches.
"""

import argparse
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from results import record
from torch import Tensor, nn
from torch.nn.functional import l1_loss
from torch.utils.flop_counter import FlopCounterMode

from zeuxis.data.dataset import Spec
from zeuxis.data.memory import MemoryDataset
from zeuxis.draw import Draw
from zeuxis.engine.batches import batch_samplers
from zeuxis.engine.compute import ComputeOptions, has_bf16
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.phases import play
from zeuxis.engine.state import build_networks, build_state
from zeuxis.losses.adversarial import GAMES
from zeuxis.losses.contrast import patch_contrast
from zeuxis.nets.picture_norm import PictureNorm
from zeuxis.nets.randomness import Dropout
from zeuxis.recipes.cut import CUT
from zeuxis.recipes.cyclegan import CycleGAN
from zeuxis.recipes.pix2pix import Pix2Pix

STEPS = 3
HALF = ("bfloat16", "both")
"""Ways that multiply in bfloat16."""
Step = Callable[[], None]


def plainly_built(module: nn.Module) -> None:
    """Puts torch's own instance norm and dropout in place of those that this project wrote."""
    for name, inner in module.named_children():
        if isinstance(inner, PictureNorm):
            gains = inner.weight
            count = 1 if gains is None else len(gains)  # which torch does not read where there are no gains
            norm = nn.InstanceNorm2d(count, inner.eps, affine=gains is not None)
            module.register_module(name, norm)
        elif isinstance(inner, Dropout):
            module.register_module(name, nn.Dropout(inner.p))
        else:
            plainly_built(inner)


class Plain:
    """Networks, optimizers, and a step of both sides with what the papers' code does."""

    def __init__(self, recipe: Any, spec: Spec, pixels: Tensor) -> None:
        self.recipe, self.pixels = recipe, pixels
        self.nets = build_networks(recipe, spec, 0).train()
        plainly_built(self.nets)
        self.adam = {
            name: torch.optim.Adam([p for n in o.networks for p in self.nets[n].parameters()], 2e-4, (0.5, 0.999))
            for name, o in recipe.optimizers().items()
        }
        self.critic, self.pass_for = GAMES[recipe.game]
        self.pool: list[Tensor] = []

    def batch(self) -> Tensor:
        rows = torch.randint(len(self.pixels), (self.recipe.batch,))
        return self.pixels[rows].float() / 127.5 - 1

    def step(self, name: str, loss: Tensor) -> None:
        self.adam[name].zero_grad()
        loss.backward()
        self.adam[name].step()

    def learns(self, critics: list[str], on: bool) -> None:
        for name in critics:
            self.nets[name].requires_grad_(on)


def pix2pix(p: Plain) -> None:
    a, b = p.batch(), p.batch()
    made = p.nets["translator"](a)
    judge = p.nets["critic"]
    p.learns(["critic"], True)
    real, fake = judge(torch.cat([a, b], 1))[0], judge(torch.cat([a, made.detach()], 1))[0]
    p.step("critic", p.critic(real, fake).mean())
    p.learns(["critic"], False)
    p.step("translator", p.pass_for(judge(torch.cat([a, made], 1))[0]).mean() + 100 * l1_loss(made, b))


def cut(p: Plain) -> None:
    a, b = p.batch(), p.batch()
    net, judge, heads = p.nets["translator"], p.nets["critic"], p.nets["projector"]
    answer = net(torch.cat([a, b]))
    made, same = answer[: len(a)], answer[len(a) :]
    p.learns(["critic"], True)
    p.step("critic", p.critic(judge(b)[0], judge(made.detach())[0]).mean())
    p.learns(["critic"], False)
    loss = p.pass_for(judge(made)[0]).mean()
    for given, out in ((a, made), (b, same)):
        keys, queries = net.read(given, 5)[1], net.read(out, 5)[1]
        places = [torch.randperm(k.shape[2] * k.shape[3])[:256].expand(len(k), -1) for k in keys]
        known = [k.detach() for k in heads(keys, places)]
        each = [patch_contrast(q, k, 0.07).mean() for q, k in zip(heads(queries, places), known, strict=True)]
        loss = loss + 0.5 * torch.stack(each).mean()
    p.step("translator", loss)


def cyclegan(p: Plain) -> None:
    real = {"a": p.batch(), "b": p.batch()}
    critics = ["critic_a", "critic_b"]
    p.learns(critics, False)
    made = {"b": p.nets["ab"](real["a"]), "a": p.nets["ba"](real["b"])}
    back = {"a": p.nets["ba"](made["b"]), "b": p.nets["ab"](made["a"])}
    same = {"b": p.nets["ab"](real["b"]), "a": p.nets["ba"](real["a"])}
    loss = torch.zeros(())
    for side in ("a", "b"):
        loss = loss + p.pass_for(p.nets[f"critic_{side}"](made[side])[0]).mean()
        loss = loss + 10 * l1_loss(back[side], real[side]) + 5 * l1_loss(same[side], real[side])
    p.step("translators", loss)
    p.learns(critics, True)
    both = torch.zeros(())
    for side in ("a", "b"):
        judge = p.nets[f"critic_{side}"]
        both = both + p.critic(judge(real[side])[0], judge(made[side].detach())[0]).mean()
    p.step("critics", both)


RECIPES: dict[str, tuple[Callable[[], Any], Callable[[Plain], None]]] = {
    "pix2pix": (Pix2Pix, pix2pix),
    "cut": (CUT, cut),
    "cyclegan": (lambda: CycleGAN(cycle=10.0, identity=0.5), cyclegan),
}


def engine(recipe: Any, spec: Spec, pixels: Tensor, options: ComputeOptions) -> Step:
    state = build_state(recipe, spec, seed=0, steps=10**6, batch=recipe.batch, compute=options)
    data = {name: MemoryDataset(pixels) for name in recipe.sources}
    samplers = batch_samplers(recipe.batch_specs(), data, 0, "cpu", False)

    def run() -> None:
        play(state, samplers, Ranks())

    return run


def peak(threads: int, dtype: torch.dtype) -> float:
    """Gigaflops of a large product."""
    x, rounds = torch.randn(1024, 1024).to(dtype), []
    torch.set_num_threads(threads)
    for _ in range(9):
        begun = time.perf_counter()
        x @ x
        rounds.append(2 * 1024**3 / (time.perf_counter() - begun) / 1e9)
    return statistics.median(rounds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES), choices=list(RECIPES))
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    a = parser.parse_args()
    warnings.filterwarnings("ignore", "input's size at dim=1 does not match num_features")
    spec = Spec(3, a.size, a.size, target=3)
    pixels = (Draw(0).at("pixels").uniform(64, 3, a.size, a.size) * 256).to(torch.uint8)
    for threads in a.threads:
        most = {False: peak(threads, torch.float32), True: peak(threads, torch.bfloat16)}
        for name in a.recipes:
            made, plainly = RECIPES[name]
            first = ComputeOptions("cpu", threads)
            fused = replace(first, fused=True)
            ways = {"engine": first, "fused": fused, "channels last": replace(fused, channels_last=True)}
            if has_bf16("cpu"):
                ways["bfloat16"] = replace(fused, bf16=True)
                ways["both"] = replace(fused, bf16=True, channels_last=True)
            rival = Plain(made(), spec, pixels)
            runs: dict[str, Step] = {"plain": lambda rival=rival, plainly=plainly: plainly(rival)}
            runs |= {way: engine(made(), spec, pixels, options) for way, options in ways.items()}
            measure(name, runs, a.rounds, threads, most, a.size)
    return 0


def measure(name: str, runs: dict[str, Step], rounds: int, threads: int, peaks: dict[bool, float], size: int) -> None:
    with FlopCounterMode(display=False) as counted:
        runs["plain"]()
    flops = counted.get_total_flops() / 1e9
    taken: dict[str, list[float]] = {way: [] for way in runs}
    torch.set_num_threads(threads)
    for k in range(rounds + 1):
        for way, run in runs.items():
            begun = time.perf_counter()
            for _ in range(STEPS):
                run()
            if k:  # the first round warms up
                taken[way].append((time.perf_counter() - begun) / STEPS)
    ratios = {
        way: statistics.median(p / x for p, x in zip(taken["plain"], times, strict=True))
        for way, times in taken.items()
    }
    seconds = {way: statistics.median(times) for way, times in taken.items()}
    best = min(seconds, key=lambda way: seconds[way])
    most = peaks[best in HALF]
    share = flops / seconds[best] / most
    for way, time_ in seconds.items():
        print(f"{name:<9} {threads} threads  {way:<14} {time_:7.3f} s a step  {ratios[way]:5.2f} times the plain loop")
    print(
        f"{name:<9} {flops:.1f} Gflop a step as the plain loop does it; {best}: {share:.0%} of {most:.0f} Gflop/s",
        flush=True,
    )
    figures = {f"seconds_{way.replace(' ', '_')}": x for way, x in seconds.items()}
    figures |= {f"ratio_{way.replace(' ', '_')}": x for way, x in ratios.items()}
    labels = [name, f"{size} px", f"threads {threads}"]
    record("translate_speed", labels, figures | {"gflop": flops, "peak_gflops": most, "share": share, "rounds": rounds})


if __name__ == "__main__":
    sys.exit(main())
