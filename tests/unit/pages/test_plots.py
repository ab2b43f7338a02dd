import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.pages.html_checks import Page
from zeuxis.pages.formats import compact
from zeuxis.pages.plots import Row, Scale, Series, dot_plot, interval_cell, line_chart, robust_scale, scale_of, thin

ANY = st.one_of(st.none(), st.floats(-1e12, 1e12), st.sampled_from([math.nan, math.inf, -math.inf, 0.0]))


def test_scale_maps_ends_and_clamps() -> None:
    x = Scale(-1.0, 3.0)
    assert [x.at(v) for v in (-1.0, 0.0, 3.0, 99.0, -99.0)] == [0.0, 25.0, 100.0, 100.0, 0.0]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (-0.6, 1.2, [-0.5, 0.0, 0.5, 1.0]),
        (76.2, 81.1, [77.0, 78.0, 79.0, 80.0, 81.0]),
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
    ],
)
def test_ticks_are_round_numbers_inside(low: float, high: float, ticks: list[float]) -> None:
    assert Scale(low, high).ticks(5) == ticks


@pytest.mark.parametrize("figure", [22.28261, 0.0412, 1.0, 38_400.0])
def test_what_does_not_change_has_ticks_that_read_differently(figure: float) -> None:
    """All five read 22.2826."""
    scale = scale_of([figure, figure * (1 + 1e-7)])
    assert scale is not None
    read = [compact(tick) for tick in scale.ticks()]
    assert len(read) >= 3 and len(set(read)) == len(read)


def test_scale_of_nothing_is_none_and_of_one_number_surrounds_it() -> None:
    assert scale_of([None, math.nan, math.inf]) is None
    one = scale_of([5.0])
    assert one is not None and one.low < 5.0 < one.high


def test_robust_scale_leaves_out_a_single_spike() -> None:
    calm = [math.sin(i) for i in range(200)]
    assert robust_scale(calm)[1] is False
    scale, cut = robust_scale([*calm, 1e6])
    assert cut and scale is not None and scale.high < 2.0


def test_thin_keeps_means_and_gaps() -> None:
    points = [(float(i), None if i < 10 else 1.0) for i in range(100)]
    short = thin(points, 10)
    assert len(short) == 10
    assert short[0] == (4.5, None) and short[1] == (14.5, 1.0)


def test_the_legend_says_which_number_it_gives() -> None:
    """Where a checkpoint was chosen it is that one's number, which the study compares, and not the last of training."""
    xs, ys = [0.0, 1.0, 2.0], [10.0, 70.0, 60.0]
    chosen, other = Series("one", xs, ys, mark=1.0), Series("two", xs, [11.0, 12.0, 13.0])
    assert "last value: one 60.0 two 13.0" in Page(line_chart("t", [Series("one", xs, ys), other])).text
    assert "at the dot: one 70.0 two –" in Page(line_chart("t", [chosen, other])).text


def test_line_chart_draws_gaps_marks_and_last_value() -> None:
    line = Series("loss <b>", [0.0, 1.0, 2.0, 3.0], [1.0, math.nan, 3.0, 2.0], mark=2.0)
    html = line_chart("a & b", [line], "pictures seen", events=[1.0, 1.0])
    page = Page(html)
    assert page.wrong == []
    assert "a & b" in page.text and "at the dot: loss <b> 3.00" in page.text
    drawn = [a for t, a in page.tags if t == "polyline"]
    assert [a["class"] for a in drawn] == ["line-0 dot", "line-0", "line-0 dot"]  # one point, two points, the mark
    assert sum(t == "line" and a.get("class") == "event" for t, a in page.tags) == 1


def test_charts_without_numbers_are_empty() -> None:
    assert line_chart("t", [Series("s", [1.0, None], [None, 2.0])]) == ""
    assert dot_plot("t", [Row("a"), Row("b", [None])], "points") == ""
    assert dot_plot("t", [], "points", zero=True, band=0.5) == ""
    assert interval_cell(None, None, None, None) == ""


def test_dot_plot_places_every_mark() -> None:
    rows = [Row("gan", [1.0, None, 3.0], 2.0, 1.5, 2.5, "2.0", "helped"), Row("none", mean=0.0, other=-1.0)]
    page = Page(dot_plot("title", rows, "points", zero=True, band=0.5, signed=True))
    classes = [a.get("class") for t, a in page.tags if t in {"circle", "line", "rect"}]
    assert page.wrong == []
    assert classes.count("dot") == 2 and classes.count("mean") == 2 and classes.count("whisker") == 1
    assert classes.count("hollow") == 1 and classes.count("band") == 2 and classes.count("zero") == 2
    assert "gan: 2.00 points, 95 % interval 1.50 to 2.50" in page.text
    assert "+2" in page.text


@given(st.lists(st.tuples(ANY, ANY, ANY, ANY), min_size=1, max_size=6))
def test_any_numbers_make_well_formed_plots(values: list[tuple[float | None, ...]]) -> None:
    clean = [[None if v is None or not math.isfinite(v) else v for v in row] for row in values]
    rows = [Row(str(i), row[:2], row[2], row[3], row[1]) for i, row in enumerate(clean)]
    xs = [float(i) for i in range(len(values))]
    lines = [Series(str(k), xs, [row[k] for row in values]) for k in range(4)]
    html = dot_plot("dots", rows, "points", zero=True, band=0.5) + line_chart("lines", lines)
    assert Page(html).wrong == []
    assert not re.search(r"nan|inf\b", html)
    for place in re.findall(r'(?:x1|x2|cx)="([^"]*?)%?"', html):
        assert 0.0 <= float(place) <= 100.0
