"""The choice of a repeat: best on validation, the first of equals, nothing before all is there; one place of names."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from zeuxis.augmentation.domains import DOMAINS
from zeuxis.augmentation.names import DOMAIN_NAMES, POLICY_NAMES, RIVALS
from zeuxis.jobs.study import job_graph
from zeuxis.pages.arm_results import read_repeats
from zeuxis.stats.choice import Choice, choose

SHARES = (0.25, 0.5, 1.0)
SCORES = {"none": 0.6, "light": 0.8, "strong": 0.7, "gan-25": 0.8, "gan-50": 0.85, "gan-100": 0.85}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Choice("light", "gan-50", 0.5)),
        ({"gan-50": 0.8, "gan-100": 0.8}, Choice("light", "light", 0.0)),
        ({"gan-100": 0.9}, Choice("light", "gan-100", 1.0)),
        ({"none": 0.8, "gan-50": 0.1, "gan-100": 0.1}, Choice("none", "none", 0.0)),
        (
            {"strong": 0.0, "none": 0.0, "light": 0.0, "gan-25": 0.0, "gan-50": 0.0, "gan-100": 0.0},
            Choice("none", "none", 0.0),
        ),
        (  # the same recalls in another order, which add up to more
            {
                "none": 0.1,
                "light": (0.7 + 0.8 + 0.9) / 3,
                "strong": (0.9 + 0.8 + 0.7) / 3,
                "gan-50": 0.1,
                "gan-100": 0.1,
            },
            Choice("light", "light", 0.0),
        ),
        ({"gan-25": None}, None),
        ({"strong": None}, None),
    ],
)
def test_study_and_page_choose_alike(tmp_path: Path, changes: dict, expected: Choice | None) -> None:
    scores = {name: score for name, score in {**SCORES, **changes}.items() if score is not None}
    assert choose(scores, RIVALS, SHARES) == expected
    results = {name: {"arm": name, "validation": score, "test": 0.5} for name, score in scores.items()}
    asked = SimpleNamespace(policies=RIVALS, shares=SHARES)
    place = SimpleNamespace(asked=asked, result=lambda r, name: results.get(name))
    assert job_graph.chosen(place, 0) == expected  # type: ignore[arg-type]
    for name, result in results.items():
        (tmp_path / "repeats/01").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"repeats/01/{name}.json").write_text(json.dumps(result))
    shown = read_repeats(tmp_path, RIVALS, SHARES)[0]
    if expected is None:
        assert "gan" not in shown.results
    else:
        assert (shown.rival, shown.results["gan"].share) == (expected.rival, expected.share)


def test_the_light_names_are_those_that_there_are() -> None:
    assert set(RIVALS) < set(POLICY_NAMES) and tuple(DOMAINS) == DOMAIN_NAMES
