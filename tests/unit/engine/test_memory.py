from pathlib import Path

import pytest
import torch

from tests.laws.helper import small, smallest, streams_for
from zeuxis.engine import loop
from zeuxis.engine.budget import Budget
from zeuxis.engine.train import Start, train
from zeuxis.errors import MachineGaveOut


def starve(monkeypatch: pytest.MonkeyPatch, at: int, times: int) -> None:
    """Has the loop run out of memory `times` times from step `at` on."""
    play, left = loop.play, [times]

    def starved(table, feeds, ranks, rate=1.0):  # type: ignore[no-untyped-def]
        if table.step >= at and left[0]:
            left[0] -= 1
            raise torch.OutOfMemoryError("CUDA out of memory")
        return play(table, feeds, ranks, rate)

    monkeypatch.setattr(loop, "play", starved)


def test_batches_are_split_where_that_is_equal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = small("classifier")
    starve(monkeypatch, at=3, times=1)
    run = train(
        recipe, streams_for(recipe, smallest(recipe)), tmp_path / "run", Budget(steps=6), start=Start(levers="plain")
    )
    assert run.finish["steps"] == 6
    (line,) = run.log("micro")
    assert line["micro"] == 2 and "memory ran out" in line["words"]


def test_a_recipe_that_needs_its_batch_whole_stops_and_names_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = small("cgan")
    starve(monkeypatch, at=3, times=1)
    with pytest.raises(MachineGaveOut, match="--batch 4"):
        train(
            recipe,
            streams_for(recipe, smallest(recipe)),
            tmp_path / "run",
            Budget(steps=6),
            start=Start(levers="plain"),
        )


def test_other_errors_stay_what_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(loop, "play", broken)
    recipe = small("classifier")
    with pytest.raises(RuntimeError, match="shapes do not match"):
        train(
            recipe,
            streams_for(recipe, smallest(recipe)),
            tmp_path / "run",
            Budget(steps=6),
            start=Start(levers="plain"),
        )
