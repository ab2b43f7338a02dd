import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeuxis.engine.budget import Budget, parse_time, words_for
from zeuxis.errors import BadInput


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("8m", 480), ("1h30m", 5400), ("1.5h", 5400), ("2d", 172800), ("45", 45), ("0.5", 0.5)],
)
def test_times(text, seconds):
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "8 m", "8min", "-3m", "1h 30m", "m8", "8m!", "1e3"])
def test_what_is_no_time(text):
    with pytest.raises(BadInput) as error:
        parse_time(text)
    assert error.value.exit_code == 2


@given(h=st.integers(0, 99), m=st.integers(0, 59), s=st.integers(0, 59))
def test_parts_add_up(h, m, s):
    assert parse_time(f"{h}h{m}m{s}s") == 3600 * h + 60 * m + s


@pytest.mark.parametrize(
    ("seconds", "words"), [(42, "42 s"), (59.6, "1 min 00 s"), (320, "5 min 20 s"), (7500, "2 h 05 min")]
)
def test_words_for_a_time(seconds, words):
    assert words_for(seconds) == words


def test_steps_of_a_budget():
    assert Budget(steps=7).in_steps(64) == 7
    assert Budget(images=640).in_steps(64) == 10 and Budget(images=1).in_steps(64) == 1
    assert Budget(seconds=10.0).in_steps(64, 0.25) == 40 and Budget(seconds=0.01).in_steps(64, 5.0) == 1


@pytest.mark.parametrize("given", [{}, {"steps": 1, "images": 1}, {"steps": 0}, {"images": -5}, {"seconds": 0.0}])
def test_one_budget_above_zero(given):
    with pytest.raises(BadInput):
        Budget(**given)
