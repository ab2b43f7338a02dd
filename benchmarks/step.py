"""How fast is a step of the engine beside a plain loop? `python benchmarks/step.py [--rounds 7]`

The rival is the same pair of nets and losses in the loop that tutorials write: eager, two
backward passes through the critic, default Adam, the critic's gradients computed and thrown
away in the generator's phase. Both run alternately in one process; medians of images per
second and their ratio are printed.
"""

import argparse
import statistics
import sys
import time

import torch
from results import record
from torch.nn.functional import softplus

from zeuxis import platform
from zeuxis.data.dataset import Spec
from zeuxis.data.memory import MemoryDataset
from zeuxis.draw import Draw
from zeuxis.engine import compute
from zeuxis.engine.batches import batch_samplers
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.phases import play
from zeuxis.engine.state import build_networks, build_state
from zeuxis.recipes.dcgan import DCGAN

STEPS = 8


def plain_loop(recipe: DCGAN, spec: Spec, pixels: torch.Tensor) -> "callable":  # type: ignore[valid-type]
    """STEPS steps of the tutorial's loop."""
    networks = build_networks(recipe, spec, 0).train()
    generator, critic = networks["generator"], networks["critic"]
    best = {n: torch.optim.Adam(networks[n].parameters(), lr=2e-4, betas=(0.5, 0.999)) for n in networks}

    def run() -> None:
        for _ in range(STEPS):
            rows = torch.randint(len(pixels), (recipe.batch,))
            real = pixels[rows].float() / 127.5 - 1
            z = torch.rand(recipe.batch, recipe.latent) * 2 - 1
            best["critic"].zero_grad()
            softplus(-critic(real, None)).mean().backward()
            fake = generator(z, None)
            softplus(critic(fake.detach(), None)).mean().backward()
            best["critic"].step()
            best["generator"].zero_grad()
            softplus(-critic(generator(z, None), None)).mean().backward()
            best["generator"].step()

    return run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    spec, recipe = Spec(1, 28, 28), DCGAN()
    pixels = (Draw(0).at("pixels").uniform(512, 1, 28, 28) * 256).to(torch.uint8)
    data = MemoryDataset(pixels)
    threads = platform.cores()
    torch.set_num_threads(threads)
    state = build_state(recipe, spec, seed=0, steps=10**6, batch=recipe.batch, compute=compute.starting("cpu", threads))
    samplers = batch_samplers(recipe.batch_specs(), {"images": data}, 0, "cpu", False)

    def engine() -> None:
        for _ in range(STEPS):
            play(state, samplers, Ranks())

    rivals = {"zeuxis engine": engine, "plain loop": plain_loop(recipe, spec, pixels)}
    taken: dict[str, list[float]] = {name: [] for name in rivals}
    for round_ in range(asked.rounds + 1):
        for name, run in rivals.items():
            start = time.perf_counter()
            run()
            if round_:  # the first round warms up
                taken[name].append(STEPS * recipe.batch / (time.perf_counter() - start))
    medians = {name: statistics.median(values) for name, values in taken.items()}
    for name, value in medians.items():
        print(f"{name:<14} {value:8.0f} images/s (median of {asked.rounds}, {threads} threads)")
    figures = {name.replace(" ", "_"): value for name, value in medians.items()}
    record("step", ["dcgan"], figures | {"rounds": asked.rounds, "threads": threads})
    print(f"ratio {medians['zeuxis engine'] / medians['plain loop']:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
