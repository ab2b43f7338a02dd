"""Guessing: closed forms, classes of other sizes, and how often luck passes for skill."""

import numpy as np
import pytest

from zeuxis.stats.chance import guessing_of
from zeuxis.stats.twoway import Examined


def part(classes, each):
    return Examined.of(np.repeat(np.arange(classes), each))


def test_one_class_named_for_everything_is_guessing_exactly():
    examined = Examined.of([0] * 90 + [1] * 10)
    always = np.tile(examined.classes == 0, (6, 1))
    found = guessing_of({"a": always, "b": ~always}, examined)
    assert found is not None and found.chance == 50 and found.arms == {"a": pytest.approx(50), "b": pytest.approx(50)}


def test_one_arm_that_learned_is_enough():
    rng, examined = np.random.default_rng(0), part(10, 30)
    blind, seeing = rng.random((8, 300)) < 0.1, rng.random((8, 300)) < 0.5
    assert guessing_of({"with it": blind, "without": seeing}, examined) is None
    assert guessing_of({"with it": seeing, "without": blind}, examined) is None
    assert guessing_of({"with it": blind, "without": blind}, examined) is not None


def test_worse_than_guessing_is_no_better():
    examined = part(4, 20)
    found = guessing_of({"a": np.zeros((6, 80), bool)}, examined)
    assert found is not None and found.arms["a"] == 0 and found.chance == 25


def test_a_single_repeat_is_not_judged():
    assert guessing_of({"a": np.zeros((1, 80), bool)}, part(4, 20)) is None


@pytest.mark.parametrize("classes", [2, 10])
def test_luck_seldom_passes_for_skill(classes):
    """200 pairs of arms that guess: one arm of a pair lies above in about 2 x 2.5 % at most."""
    rng, examined = np.random.default_rng(classes), part(classes, 200 // classes)
    hits = rng.random((200, 2, 8, 200)) < 1 / classes
    passed = sum(guessing_of({"a": a, "b": b}, examined) is None for a, b in hits)
    assert passed <= 16
