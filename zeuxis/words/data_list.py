"""The sets that have a name."""

from collections.abc import Mapping
from typing import Any

from zeuxis.data import checks
from zeuxis.word import Answer, word


def _answer(sets: dict[str, str], given: Mapping[str, Any]) -> Answer:
    return Answer("\n".join(f"{name:<14} {about}" for name, about in sets.items()), dict(sets))


@word(_answer, "zeuxis data list")
def data_list() -> dict[str, str]:
    """The sets that have a name, with a line about each."""
    return dict(checks.NAMES)
