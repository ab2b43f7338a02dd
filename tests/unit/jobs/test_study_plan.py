"""What a study was asked for: read back equal from JSON, refused where it makes no sense."""

import json
import math

import pytest

from zeuxis.errors import BadInput
from zeuxis.jobs.study.plan import StudyConfig
from zeuxis.jobs.study.study import estimate_words


def test_asked_comes_back_equal_from_json():
    asked = StudyConfig(
        generator={"widths": (8, 16), "blocks": ((1, 2), (3,))}, classifier={"betas": (0.5, 0.9)}, steps=(3, 4)
    )
    assert StudyConfig.from_dict(json.loads(json.dumps(asked.as_dict()))) == asked


@pytest.mark.parametrize("value", [math.inf, math.nan, -1.0, 0.0])
@pytest.mark.parametrize("field", ["margin", "budget"])
def test_times_and_margins_are_numbers_above_zero(field, value):
    with pytest.raises(BadInput, match=f"--{field} must be a number above zero"):
        StudyConfig(**{field: value})


def test_how_far_the_estimate_was_off():
    assert estimate_words(90, 60) == "zeuxis: the study took 1 min 30 s, 50 % more than the planned 1 min 00 s"
    assert estimate_words(45, 60).endswith("45 s, 25 % less than the planned 1 min 00 s")
    assert estimate_words(60.1, 60).endswith("1 min 00 s, about as long as the planned 1 min 00 s")
