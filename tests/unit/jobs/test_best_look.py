"""What is said of a translator whose held-out pictures were translated best before the end."""

from types import SimpleNamespace

import pytest

from zeuxis.jobs.capabilities.translates import best_words


def run(*scores: float) -> SimpleNamespace:
    looks = [
        {"progress": (k + 1) / len(scores), "images": 100 * (k + 1), "score": {"score": score}}
        for k, score in enumerate(scores)
    ]
    return SimpleNamespace(log=lambda kind: looks)


def test_an_early_best_is_told_with_the_weights_of_then():
    said = best_words(run(-3.0, -1.0, -2.0, -2.0, -1.5))
    assert "translated best after 200 images" in said and "`zeuxis translate --snapshot best`" in said


@pytest.mark.parametrize(
    "scores",
    [(), (-1.0,), (-3.0, -2.0, -1.5, -1.2, -1.0), (-3.0, -1.0, -1.05, -1.02, -1.01), (-3.0, -2.0, -2.0, -2.0, -1.0)],
)
def test_nothing_is_said_where_training_helped_to_the_end(scores):
    assert best_words(run(*scores)) == ""
