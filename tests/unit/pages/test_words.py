import math

import pytest

from zeuxis.pages import words


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (words.decimal(1234.56, 1), "1,234.6"),
        (words.decimal(-0.04, 1), "0.0"),
        (words.signed(0.4), "+0.40"),
        (words.signed(-0.4), "−0.40"),
        (words.signed(0.0), "0.00"),
        (words.signed(math.nan), "–"),
        (words.percent(0.25), "25 %"),
        (words.percent(None), "–"),
        (words.duration(9.0), "9.0 s"),
        (words.duration(59.4), "59 s"),
        (words.duration(301.2), "5 min 1 s"),
        (words.duration(7500), "2 h 5 min"),
        (words.duration("soon"), "–"),
        (words.interval([-0.3, 0.8]), "−0.30 to +0.80"),
        (words.interval([None, 0.8]), "–"),
        (words.interval(None), "–"),
        (words.probability(0.03125), "0.031"),
        (words.probability(1.9e-6), "1.9e-06"),
        (words.brief(0.0593), "0.0593"),
        (words.brief(517.3), "517"),
        (words.brief(3_200_000), "3.20e+06"),
        (words.brief(0), "0"),
        (words.brief(-5e-7), "−5.00e−07"),
        (words.compact(1500.0), "1.5k"),
        (words.compact(-2e6), "−2M"),
        (words.value({"a": True, "b": [1, 2.5]}), "a yes, b 1, 2.5"),
        (words.value(None), "–"),
        (words.shape_words({"height": 28, "width": 28, "channels": 1}), "28 x 28 pixels, grey"),
        (words.shape_words(None), ""),
    ],
)
def test_words(made: str, said: str) -> None:
    assert made == said
