"""Zeuxis: learn from folders of pictures, adversarially. Its words: `zeuxis.train(...)`, `zeuxis.restore(...)` ..."""

from importlib import import_module
from pathlib import Path
from typing import Any

__version__ = "0.1.0"
__all__ = sorted(file.stem for file in (Path(__file__).parent / "words").glob("[!_]*.py"))


def __getattr__(name: str) -> Any:
    """A word of `zeuxis.words`, loaded when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module `zeuxis` has no attribute `{name}`")
    function = getattr(import_module(f"zeuxis.words.{name}"), name)
    return import_module("zeuxis.word").readable(function)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
