"""Law: what came of a training can be judged, for every recipe, by figures that its own score holds."""

import math
import re
from types import SimpleNamespace

import pytest

from tests.laws.helper import NAMES, pictures, small, smallest, state_for, streams_for
from zeuxis.engine.alarms import advice
from zeuxis.engine.monitoring import Monitor
from zeuxis.flags import parser_of
from zeuxis.jobs.judging import _mend
from zeuxis.pages.outcome import GAINS, GRADES, Outcome
from zeuxis.recipes.recipe import Generates, Quantifies, Translates, settings_of
from zeuxis.spelling import in_flags

CASES = [(name, {}) for name in NAMES] + [("restorer", {"gan": 0.1})]


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_is_judged_by_samples_intervals_or_a_rival(name):
    recipe = small(name)
    judged = recipe.yardstick(smallest(recipe)) is not None
    assert judged or isinstance(recipe, Generates | Quantifies | Translates), (
        f"{name} says nothing that its result can be held against"
    )


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_a_yardstick_names_figures_of_the_score(name, settings):
    recipe = small(name, **settings)
    spec = smallest(recipe, least=16)
    yardstick = recipe.yardstick(spec)
    if yardstick is None:
        return
    streams, state = streams_for(recipe, spec), state_for(recipe, spec)
    conditional = recipe.labels != "ignored"
    monitor = Monitor(streams, {name: pictures(spec, 6, "held") for name in streams}, conditional, state)
    found = monitor.score(state)
    assert yardstick.ours in found and math.isfinite(found[yardstick.ours])
    if yardstick.chance is None:
        assert yardstick.rival in found and yardstick.rival != yardstick.ours
    assert yardstick.doing and yardstick.least > 0


@pytest.mark.parametrize("name", NAMES)
def test_what_to_do_about_a_result_names_flags_and_fields_that_the_recipe_has(name):
    """And what any recipe is advised where memory runs out, a smaller --batch, is a field of each."""
    recipe = small(name)
    known = {flag for action in parser_of("train", name)._actions for flag in action.option_strings}
    assert "batch" in settings_of(recipe)
    for grade in (*GRADES, *GAINS):
        for images in (1, 64, 10**9):
            looks = [{"alarms": []}]
            run = SimpleNamespace(
                recipe=recipe, spec=smallest(recipe), finish={"images": images}, log=lambda kind: looks
            )
            told = _mend(Outcome(grade, "", {}), run).words(in_flags)
            assert set(re.findall(r"--[a-z0-9-]+", told)) <= known, told
            assert bool(told) == (grade not in ("usable", "close", "better"))
            looks[0]["alarms"] = ["overfitting"]
            by_heart = _mend(Outcome(grade, "", {}), run).words(in_flags)
            assert bool(by_heart) == bool(told) and (
                not told or by_heart == advice("overfitting", recipe).words(in_flags)
            )


@pytest.mark.parametrize("n", [1, 24])
def test_samples_are_not_called_alike_where_the_real_pictures_are(n):
    """One picture, or the same one often, has no diversity to be held against."""
    recipe = small("dcgan")
    spec = smallest(recipe)
    found = Monitor({"images": pictures(spec, n)}, {}, True, state_for(recipe, spec))
    assert ("diversity" in found.score(state_for(recipe, spec))) == (n > 1)


def test_one_picture_a_class_has_no_diversity_though_the_classes_differ(monkeypatch):
    recipe = small("cgan")
    spec = smallest(recipe)

    def one_a_class(self, networks, latents, condition):
        level = condition.float() / spec.condition - 0.5
        return level[:, None, None, None].expand(-1, spec.channels, spec.height, spec.width)

    monkeypatch.setattr(type(recipe), "decode", one_a_class)
    state = state_for(recipe, spec)
    assert Monitor({"images": pictures(spec, 60)}, {}, True, state).score(state)["diversity"] == 0
