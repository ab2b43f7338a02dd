"""Results and shares."""

import json

import pytest

from zeuxis.errors import BadInput
from zeuxis.metrics.result import Result, proportion, wilson


def test_a_result_is_its_value_and_names_its_features():
    found = Result(0.5, 10, floor=0.4).measured_in("cnn", "abc")
    assert float(found) == 0.5 and (found.features, found.weights_hash, found.floor) == ("cnn", "abc", 0.4)
    assert json.loads(json.dumps(found.to_json()))["n"] == 10


def test_wilson_known_value_and_edges():
    assert wilson(10, 100) == pytest.approx((0.0552, 0.1744), abs=5e-5)
    assert wilson(0, 20)[0] == 0.0 and wilson(20, 20)[1] == pytest.approx(1.0)
    assert proportion(3, 4).value == 0.75
    with pytest.raises(BadInput):
        proportion(0, 0)
