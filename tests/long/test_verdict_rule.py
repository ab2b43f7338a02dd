"""Error rates of the verdict rule by simulation: test pictures and repeats drawn anew for every study, seeds fixed."""

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import verdict_rates  # noqa: E402 - a script of benchmarks/

from zeuxis.stats.verdict import calls  # noqa: E402

pytestmark = pytest.mark.long
STUDIES = 1000
MOST = 50 + 2 * 7  # 5 % and two standard errors of a share of 1,000


def named(world: verdict_rates.World, seed: int, studies: int = STUDIES) -> list[str]:
    rng, examined = np.random.default_rng(seed), world.examined()
    draws = (verdict_rates.study(rng, world, examined) for _ in range(studies))
    return [name for x in draws for name in calls(x[None], margin=0.5, examined=examined)]


def called(names: list[str]) -> int:
    return names.count("HELPED") + names.count("HURT")


@pytest.mark.parametrize("lean", [0.0, 0.1, 0.2])
@pytest.mark.parametrize("n", [200, 2000])
@pytest.mark.parametrize("repeats", [6, 10, 20])
def test_no_effect_is_called_in_at_most_5_percent(repeats, n, lean):
    names = named(verdict_rates.World(repeats, n, lean), 20260101)
    assert called(names) <= MOST
    assert names.count("HELPED") <= 25 + 5 * 5  # half of them in this direction, five standard errors above


@pytest.mark.parametrize("change", verdict_rates.SHAPES.values(), ids=list(verdict_rates.SHAPES))
def test_nor_with_other_classes_groups_and_repeats_of_share_0(change):
    assert called(named(verdict_rates.World(10, 400, 0.2, **change), 20260102)) <= MOST


@pytest.mark.parametrize("repeats", [1, 3, 5])
def test_few_repeats_call_nothing(repeats):
    assert set(named(verdict_rates.World(repeats, 400, 0.0, effect=0.2), 20260103, 200)) == {"UNDECIDED"}


def test_a_large_effect_is_found_in_95_percent_either_way():
    world = verdict_rates.World(10, 1000, 0.1, effect=0.035)  # about two standard deviations over the repeats
    assert named(world, 20260104, 300).count("HELPED") >= 285
    world = verdict_rates.World(10, 1000, 0.1, effect=-0.035)
    assert named(world, 20260104, 300).count("HURT") >= 285


def test_an_effect_of_the_margin_is_rarely_called_no_useful_gain():
    """Two one-sided tests of 5 %, at the margin itself."""
    world = verdict_rates.World(20, 2000, 0.0, effect=0.005)
    assert named(world, 20260106).count("NO USEFUL GAIN") <= MOST
