"""What a study tries against the rival: a file for each treatment in `treatments`, imported when it is used.

Whoever lists them loads nothing that is heavy.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zeuxis.data.dataset import Dataset

    Fill = Callable[[Any, int, dict[str, list[int]]], Dataset]  # (place, repeat, what it drew) -> what fills the slots


@dataclass(frozen=True)
class Treatment:
    """noun: how sentences name it; empty for "the treatment `NAME`".

    fill: what stands in the synthetic slots beside the repeat's real pictures, from the study's place, the repeat and
    what it drew ("train", "extra": positions in the dataset); None where nothing does. generates: trains a generator
    first, offers its pictures at every share, and lets validation choose; else there is one arm, at the largest share.
    seed: what the seed of the arm is for, "arm" as the rival's. needs: pictures of a class that a repeat takes, times
    those it trains on. undrawn: it takes pictures of the training part that a repeat did not draw, however few.
    """

    noun: str = ""
    fill: "Fill | None" = None
    generates: bool = False
    seed: str = "arm"
    needs: int = 1
    undrawn: bool = False


def names() -> tuple[str, ...]:
    """Of all treatments, sorted, as they are typed: `more-real`."""
    files = Path(__file__).with_name("treatments").glob("[!_]*.py")
    return tuple(sorted(path.stem.replace("_", "-") for path in files))


def named(name: str) -> Treatment:
    """One of `names`."""
    module = importlib.import_module(f"{__package__}.treatments.{name.replace('-', '_')}")
    treatment: Treatment = module.TREATMENT
    return treatment


def noun_of(name: str) -> str:
    """What it adds, in a sentence."""
    return named(name).noun or f"the treatment `{name}`"
