import math

import pytest

from zeuxis.pages import formats
from zeuxis.pages.page import coded


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (formats.decimal(1234.56, 1), "1,234.6"),
        (formats.decimal(-0.04, 1), "0.0"),
        (formats.signed(0.4), "+0.40"),
        (formats.signed(-0.4), "−0.40"),
        (formats.signed(0.0), "0.00"),
        (formats.signed(math.nan), "–"),
        (formats.percent(0.25), "25 %"),
        (formats.percent(0.8525, 1), "85.3 %"),
        (formats.brief(0.8525), "0.853"),
        (formats.percent(None), "–"),
        (formats.duration(9.0), "9.0 s"),
        (formats.duration(59.4), "59 s"),
        (formats.duration(301.2), "5 min 1 s"),
        (formats.duration(7500), "2 h 5 min"),
        (formats.duration("soon"), "–"),
        (formats.interval([-0.3, 0.8]), "−0.30 to +0.80"),
        (formats.interval([None, 0.8]), "–"),
        (formats.interval(None), "–"),
        (formats.probability(0.03125), "0.031"),
        (formats.probability(1.9e-6), "1.9e-06"),
        (formats.brief(0.0593), "0.0593"),
        (formats.brief(517.3), "517"),
        (formats.brief(3_200_000), "3.20e+06"),
        (formats.brief(0), "0"),
        (formats.brief(-5e-7), "−5.00e−07"),
        (formats.compact(1500.0), "1.5k"),
        (formats.compact(-2e6), "−2M"),
        (formats.value({"a": True, "b": [1, 2.5]}), "a yes, b 1, 2.5"),
        (formats.value(None), "–"),
        (formats.shape_words({"height": 28, "width": 28, "channels": 1}), "28 x 28 pixels, grey"),
        (formats.shape_words(None), ""),
    ],
)
def test_words(made: str, said: str) -> None:
    assert made == said


def test_a_negative_number_in_a_sentence_has_the_minus_of_the_figures_and_code_keeps_its_hyphens() -> None:
    said = str(coded("the interval (-0.24 to +1.61), `--budget -1` and cgan-2 of 2020-01, mean -0.5"))
    assert "(\N{MINUS SIGN}0.24 to +1.61)" in said and "mean \N{MINUS SIGN}0.5" in said
    assert "--budget -1</code>" in said and "cgan-2 of 2020-01" in said
