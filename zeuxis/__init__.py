"""Zeuxis: learn from folders of pictures, adversarially. Its words: `zeuxis.train(...)`, `zeuxis.restore(...)` ..."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zeuxis.api import (
        augment,
        data_degrade,
        data_export,
        data_list,
        data_show,
        data_weights,
        report,
        restore,
        resume,
        sample,
        train,
        upscale,
    )

__version__ = "0.1.0"
__all__ = [
    "augment",
    "data_degrade",
    "data_export",
    "data_list",
    "data_show",
    "data_weights",
    "report",
    "restore",
    "resume",
    "sample",
    "train",
    "upscale",
]


def __getattr__(name: str) -> Any:
    """A word of `zeuxis.api`, loaded when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module `zeuxis` has no attribute `{name}`")
    return getattr(import_module("zeuxis.api"), name)
