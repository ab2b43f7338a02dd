"""The promise of `restore --task auto`, on held-out photographs and with the weights of the package."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HELD_OUT = sorted((ROOT / "tests" / "pictures" / "held-out").glob("*.webp"))
sys.path.insert(0, str(ROOT / "benchmarks"))

import never_worse  # noqa: E402 - a script of benchmarks/

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return [row for path in HELD_OUT for row in never_worse.tried(never_worse.read(path, None), path.name)]


def test_a_clean_picture_stays_as_it_is(rows):
    clean = [r for r in rows if r["damage"] == "clean"]
    assert len(clean) == len(HELD_OUT) >= 12
    assert all(r["alone"] or r["after"] >= 45 for r in clean), [r for r in clean if r["after"] < 45]


def test_never_farther_from_the_original(rows):
    assert not never_worse.failures(rows)


@pytest.mark.parametrize("damage", never_worse.LEAST_GAIN)
def test_and_not_by_doing_nothing(rows, damage):
    mine = [r for r in rows if r["damage"] == damage]
    assert sum(r["gain"] for r in mine) / len(mine) >= never_worse.LEAST_GAIN[damage]


def test_it_seldom_abstains(rows):
    damaged = [r for r in rows if r["damage"] != "clean"]
    assert sum(r["alone"] for r in damaged) <= 0.05 * len(damaged)


def test_the_intervals_hold_nine_tenths_of_the_truth(rows):
    """It is for the mean over pictures and damage like those of the training; strong JPEG is the worst of it."""
    inside = {d: [r["inside"] for r in rows if r["damage"] == d and "inside" in r] for d in never_worse.LEAST_GAIN}
    told = {damage: sum(found) / len(found) for damage, found in inside.items() if found}
    assert set(told) == {"noise 15", "noise 25", "JPEG 10", "JPEG 30"}
    assert sum(told.values()) / len(told) >= 0.9
    assert min(told.values()) >= 0.8
