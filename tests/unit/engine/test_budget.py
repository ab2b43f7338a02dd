import pytest
from hypothesis import given
from hypothesis import strategies as st

from zeuxis.asking import budget_of, seconds_of
from zeuxis.engine.budget import Budget, off_words, pace_words, parse_time, time_value, words_for
from zeuxis.errors import BadInput
from zeuxis.spelling import typed_time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("8m", 480), ("1h30m", 5400), ("1.5h", 5400), ("2d", 172800), ("0.5s", 0.5)],
)
def test_times(text, seconds):
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "8 m", "8min", "-3m", "1h 30m", "m8", "8m!", "1e3", "45", "0.5"])
def test_what_is_no_time(text):
    with pytest.raises(BadInput) as error:
        parse_time(text)
    assert error.value.exit_code == 2


@pytest.mark.parametrize("text", ["12", "0.5"])
def test_a_bare_number_is_asked_for_its_unit(text):
    with pytest.raises(BadInput, match=f"`{text}` has no unit .--checkpoint-every.; write {text}m or {text}s"):
        seconds_of(text, "--checkpoint-every")
    with pytest.raises(BadInput, match="--budget"):
        budget_of(None, None, text)
    assert seconds_of(float(text)) == float(text)  # in Python a number is seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.5, "0.5s"),
        (90, "90s"),
        (150, "2m30s"),
        (720, "12m"),
        (3600.0, "60m"),
        (5400, "90m"),
        (7200, "2h"),
        (9000, "2h30m"),
        (9001.5, "9001.5s"),
    ],
)
def test_a_time_as_it_is_typed(seconds, text):
    assert typed_time(seconds) == text and parse_time(text) == seconds


@given(h=st.integers(0, 99), m=st.integers(0, 59), s=st.integers(0, 59))
def test_parts_add_up(h, m, s):
    assert parse_time(f"{h}h{m}m{s}s") == 3600 * h + 60 * m + s


@pytest.mark.parametrize(
    ("seconds", "words"), [(42, "42 s"), (59.6, "1 min 00 s"), (320, "5 min 20 s"), (7500, "2 h 05 min")]
)
def test_words_for_a_time(seconds, words):
    assert words_for(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (180, "40 % less than"),
        (366, "22 % more than"),
        (301, "about as long as"),
        (299, "about as long as"),
    ],
)
def test_how_far_a_time_was_off(seconds, words):
    assert off_words(seconds, 300) == words


def test_no_time_is_asked_for_a_guessed_unit_where_it_is_nothing():
    with pytest.raises(BadInput, match="above zero"):
        seconds_of("0")


def test_a_budget_keeps_how_it_was_written():
    assert budget_of(None, None, "5m").asked == "5m" and budget_of(None, None, 300.0).asked == "5m"


def test_steps_of_a_budget():
    assert Budget(steps=7).in_steps(64) == 7
    assert Budget(images=640).in_steps(64) == 10 and Budget(images=1).in_steps(64) == 1
    assert Budget(seconds=10.0).in_steps(64, 0.25) == 40 and Budget(seconds=0.01).in_steps(64, 5.0) == 1


@pytest.mark.parametrize("given", [{}, {"steps": 1, "images": 1}, {"steps": 0}, {"images": -5}, {"seconds": 0.0}])
def test_one_budget_above_zero(given):
    with pytest.raises(BadInput):
        Budget(**given)


@pytest.mark.parametrize(
    ("rate", "words"),
    [(1250.4, "1,250 images/s"), (42.4, "42 images/s"), (9.96, "10 images/s"), (0.346, "0.35 images/s")],
)
def test_a_slow_machine_is_not_said_to_stand_still(rate, words):
    """Large nets on two cores: "0 images/s" was printed."""
    assert pace_words(rate) == words


@pytest.mark.parametrize(
    ("seconds", "value"), [(1, "5m"), (301, "10m"), (6_900, "115m"), (6_901, "2h"), (30_000, "9h"), (200_000, "56h")]
)
def test_a_time_as_a_person_would_ask_for_it(seconds, value):
    assert time_value(seconds) == value and parse_time(value) >= seconds
