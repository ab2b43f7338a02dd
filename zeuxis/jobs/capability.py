"""What becomes of a run by what its recipe can do: which capabilities there are, the folder `capabilities` says."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from zeuxis.jobs.sources import Material
from zeuxis.pages.outcome import Outcome
from zeuxis.pages.run import Section, write_run_report
from zeuxis.recipes.recipe import Recipe
from zeuxis.runs import Run


@dataclass(frozen=True)
class Capability:
    """able: the protocol that a recipe with it has; place: the least comes first.

    finish: writes what the page of a finished run shows of it; judge: its judgement, None where the recipe's held-out
    figures say all. section: its part of a run's page. beside: a
    sentence that belongs to the judgement, from what `finish` wrote; empty where there is none.
    """

    able: type
    place: int
    finish: Callable[[Run, Material], None]
    judge: Callable[[Run, Material], Outcome] | None = None
    section: Section | None = None
    beside: Callable[[Run], str] | None = None


@cache
def _all() -> tuple[Capability, ...]:
    names = [path.stem for path in Path(__file__).with_name("capabilities").glob("[!_]*.py")]
    modules = (importlib.import_module(f"{__package__}.capabilities.{name}") for name in sorted(names))
    return tuple(sorted((module.CAPABILITY for module in modules), key=lambda one: one.place))


def write_report(run: Path) -> Path:
    """The page of a run, with what every capability has to show of what lies in the folder."""
    return write_run_report(run, [one.section for one in _all() if one.section is not None])


def capabilities_of(recipe: Recipe) -> list[Capability]:
    """What a recipe can do."""
    return [one for one in _all() if isinstance(recipe, one.able)]
