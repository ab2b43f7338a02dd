"""How often the verdict calls an effect that is none, and how often one that is there: simulated studies.

Each test picture is recognised with a chance of its own, Beta(2, 0.5), and is easier for one arm or the other by
N(effect, s), the same in every repeat; each repeat shifts all pictures by N(0, 0.5 points), and every hit is a throw
of its own. Test pictures and repeats are drawn anew for every study, so a call is right where it is true of all
pictures that might have been drawn. `repeats only` is the rule that takes the test part for the whole world: Student's
interval over the repeats and the sign-flip test.

    python benchmarks/verdict_rates.py [--studies 2000] [--only null|shapes|choice|power] [--seed 0]
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from results import record
from scipy.special import stdtrit

from zeuxis.augmentation.names import RIVALS
from zeuxis.stats import paired
from zeuxis.stats.choice import choose, share_name
from zeuxis.stats.twoway import Examined, two_way

REPEAT_SD = 0.005
SHARES = (0.25, 0.5)


@dataclass(frozen=True)
class World:
    """n test pictures in classes of these sizes (shares of n), in groups of so many; s: sd of a picture's lean."""

    repeats: int
    n: int
    lean: float
    sizes: tuple[float, ...] = (0.1,) * 10
    group: int = 1
    zeros: float = 0.0
    effect: float = 0.0

    def examined(self) -> Examined:
        counts = [max(2 * self.group, round(self.n * size)) for size in self.sizes]
        classes = np.repeat(np.arange(len(counts)), counts)
        return Examined.of(classes, np.arange(len(classes)) // self.group)


def study(rng: np.random.Generator, world: World, examined: Examined) -> np.ndarray:
    """Treatment's hits minus the rival's, int8 [repeats, pictures], of one study."""
    groups, repeats, n = examined.groups, world.repeats, len(examined.classes)
    units = examined.units
    chance = rng.beta(2.0, 0.5, units)[groups]
    lean = rng.normal(world.effect, world.lean, units)[groups]
    half = (lean + rng.normal(0.0, REPEAT_SD, (repeats, 1))) / 2
    throws = [rng.random((repeats, n)) for _ in range(2)]
    if world.group > 1:  # pictures of one group mostly fall together
        together = rng.random((repeats, units))[:, groups] < 0.7
        throws = [np.where(together, rng.random((repeats, units))[:, groups], throw) for throw in throws]
    x = (throws[0] < chance + half).astype(np.int8) - (throws[1] < chance - half)
    return np.where(rng.random((repeats, 1)) < world.zeros, 0, x)


def chosen_study(rng: np.random.Generator, world: World, examined: Examined) -> np.ndarray:
    """A whole study whose generated pictures do nothing: each repeat chooses rival and share on validation pictures.

    As many validation as test pictures. The policies are equally good and lean by pictures of their own; generated
    pictures change nothing but the luck of a training. The choice is the product's.
    """
    names = [*RIVALS, *map(share_name, SHARES)]
    n, repeats = len(examined.classes), world.repeats
    sets = {}
    for part in ("validation", "test"):
        chance = rng.beta(2.0, 0.5, n)
        lean = rng.normal(0.0, world.lean / 2**0.5, (len(RIVALS), n))
        sets[part] = (chance, lean)
    x = np.zeros((repeats, n), np.int8)
    for r in range(repeats):
        luck = dict(zip(names, rng.normal(0.0, REPEAT_SD / 2**0.5, len(names)), strict=True))

        def hits(name: str, policy: str, part: str, luck: dict[str, float] = luck) -> np.ndarray:
            chance, lean = sets[part]
            return rng.random(n) < chance + lean[RIVALS.index(policy)] + luck[name]

        scores: dict[str, float | None] = {p: float(hits(p, p, "validation") @ examined.weights) for p in RIVALS}
        rival = max(RIVALS, key=lambda p: scores[p] or 0.0)
        scores |= {a: float(hits(a, rival, "validation") @ examined.weights) for a in names[len(RIVALS) :]}
        choice = choose(scores, RIVALS, SHARES)
        if choice is not None and choice.share:
            x[r] = hits(choice.treated, rival, "test").astype(np.int8) - hits(rival, rival, "test")
    return x


def rates(
    rng: np.random.Generator, world: World, studies: int, draw: Callable[..., np.ndarray] = study
) -> dict[str, Any]:
    """Share of studies that call HELPED and HURT by each rule, in per cent; and the mean difference in points."""
    examined = world.examined()
    found = [two_way(100.0 * draw(rng, world, examined), examined) for _ in range(studies)]
    rows = np.round(np.stack([one.rows for one in found]), 6)
    ends = np.array([one.interval() for one in found])
    half = stdtrit(world.repeats - 1, 0.975) * rows.std(1, ddof=1) / world.repeats**0.5
    plain = np.stack([rows.mean(1) - half, rows.mean(1) + half], 1)

    asks = [(i[:, 0] > 0) | (i[:, 1] < 0) for i in (ends, plain)]
    p, needed = np.ones(studies), asks[0] | asks[1]  # where no interval asks, p decides nothing
    p[needed] = paired.sign_flip_rows(rows[needed]) if needed.any() else []

    def calls(interval: np.ndarray, sure: np.ndarray) -> tuple[float, float]:
        return 100 * float(((interval[:, 0] > 0) & sure).mean()), 100 * float(((interval[:, 1] < 0) & sure).mean())

    everywhere = np.ones(studies, bool)
    sd = float(np.sqrt(np.mean(rows.var(1, ddof=1))))
    return {
        "rule": calls(ends, p <= 0.05),
        "two-way alone": calls(ends, everywhere),
        "repeats only": calls(plain, p <= 0.05),
        "sd": sd,
        "mean": float(rows.mean()),
    }


def _row(cells: list[str]) -> None:
    print("| " + " | ".join(cells) + " |", flush=True)


def _keep(table: str, world: World, studies: int, found: dict[str, Any], *labels: str) -> None:
    """Calls in % of the studies by each rule, as one line."""
    figures: dict[str, float | None] = {"studies": studies, "sd": found["sd"], "mean": found["mean"]}
    for name in ("rule", "two-way alone", "repeats only"):
        figures |= {f"{name}, helped": found[name][0], f"{name}, hurt": found[name][1]}
    record(
        f"verdict, {table}",
        [*labels, f"{world.repeats} repeats", f"{world.n} pictures", f"lean {world.lean:g}"],
        figures,
    )


def _pair(pair: tuple[float, float]) -> str:
    return f"{pair[0]:.1f} / {pair[1]:.1f}"


SHAPES = {
    "ten equal classes": {},
    "classes of 5, 20 and 75 %": {"sizes": (0.05, 0.2, 0.75)},
    "groups of four": {"group": 4},
    "groups of four, classes of 5, 20 and 75 %": {"group": 4, "sizes": (0.05, 0.2, 0.75)},
    "a third of the repeats at share 0": {"zeros": 1 / 3},
    "two thirds of the repeats at share 0": {"zeros": 2 / 3},
}


def null(rng: np.random.Generator, studies: int) -> Iterator[float]:
    """No effect, one class: repeats, test pictures and the lean of the test part."""
    _row(["R", "test pictures", "lean s", "the rule", "two-way interval alone", "repeats only"])
    _row(["---"] * 6)
    for repeats in (6, 10, 20):
        for n in (200, 600, 2000):
            for lean in (0.0, 0.1, 0.2, 0.3):
                world = World(repeats, n, lean, sizes=(1.0,))
                found = rates(rng, world, studies)
                _keep("null", world, studies, found)
                words = [_pair(found[name]) for name in ("rule", "two-way alone", "repeats only")]
                _row([str(repeats), f"{n:,}", f"{lean:g}", *words])
                yield sum(found["rule"])


def shapes(rng: np.random.Generator, studies: int) -> Iterator[float]:
    """No effect: classes of other sizes, groups, repeats at share 0."""
    _row(["test part", "R", "test pictures", "lean s", "the rule", "two-way interval alone", "repeats only"])
    _row(["---"] * 7)
    for name, change in SHAPES.items():
        for repeats in (6, 10, 20):
            for n, lean in ((200, 0.2), (2000, 0.0), (2000, 0.2)):
                world = replace(World(repeats, n, lean), **change)
                found = rates(rng, world, studies)
                _keep("shapes", world, studies, found, name)
                words = [_pair(found[rule]) for rule in ("rule", "two-way alone", "repeats only")]
                _row([name, str(repeats), f"{n:,}", f"{lean:g}", *words])
                yield sum(found["rule"])


def choice(rng: np.random.Generator, studies: int) -> Iterator[float]:
    """Generated pictures that do nothing; rival and share chosen on validation, which is a small effect by itself."""
    _row(["R", "test and validation pictures", "lean s", "the rule", "repeats only", "mean difference, points"])
    _row(["---"] * 6)
    for repeats in (6, 10, 20):
        for n in (200, 2000):
            for lean in (0.0, 0.2):
                found = rates(rng, World(repeats, n, lean), studies, chosen_study)
                _keep("choice", World(repeats, n, lean), studies, found)
                _row(
                    [
                        str(repeats),
                        f"{n:,}",
                        f"{lean:g}",
                        _pair(found["rule"]),
                        _pair(found["repeats only"]),
                        f"{found['mean']:+.2f}",
                    ]
                )
                yield sum(found["rule"])


def power(rng: np.random.Generator, studies: int) -> Iterator[float]:
    """HELPED where there is an effect, in units of the sd of the differences over the repeats."""
    sizes = (0.5, 0.8, 1.0, 1.5)
    _row(["R", "test pictures", "lean s", "sd, points", *(f"{size:g} sd" for size in sizes)])
    _row(["---"] * (4 + len(sizes)))
    for repeats in (6, 10, 20):
        for n in (200, 2000):
            for lean in (0.0, 0.1, 0.2):
                world = World(repeats, n, lean)
                sd = rates(rng, world, 200)["sd"]
                cells = []
                for size in sizes:
                    found = rates(rng, replace(world, effect=size * sd / 100), studies)
                    _keep("power", world, studies, found, f"effect {size:g} sd")
                    cells.append(f"{found['rule'][0]:.0f}")
                _row([str(repeats), f"{n:,}", f"{lean:g}", f"{sd:.2f}", *cells])
                yield 0.0


TABLES = {"null": null, "shapes": shapes, "choice": choice, "power": power}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--only", choices=TABLES)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    worst = 0.0
    for name, make in TABLES.items():
        if asked.only in (None, name):
            start = time.monotonic()
            print(f"\n{(make.__doc__ or '').strip()} Calls in % of {asked.studies:,} studies: HELPED / HURT.\n")
            worst = max([worst, *make(np.random.default_rng([asked.seed, len(name)]), asked.studies)])
            print(f"\n{time.monotonic() - start:.0f} s; most calls by the rule so far without an effect: {worst:.1f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
