"""For comparisons alone: lets the torchvision of PyPI, built for CUDA, import beside a torch for the CPU.

Such a torchvision stops at the first mention of operators that its compiled part would have declared. Declared
here without a body they let it import; whoever calls them still fails. The nets of spandrel do not.
"""

import importlib
import sys
from functools import cache

import torch

SCHEMAS = tuple(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor" for name in ("nms", "qnms"))


@cache  # the declarations last as long as the library that made them
def declared() -> torch.library.Library | None:
    """Makes `import torchvision` work where it can; None where nothing had to be declared."""
    try:
        importlib.import_module("torchvision")
        return None
    except ImportError:  # not installed
        return None
    except RuntimeError:  # operator torchvision::nms does not exist
        _forget("torchvision")
    library = torch.library.Library("torchvision", "DEF")
    for schema in SCHEMAS:
        library.define(schema)
    return library


def _forget(package: str) -> None:
    """Drops the half of a package that did import, so that it can be tried again."""
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]


def can_import(name: str) -> bool:
    """Whether a package that needs torchvision imports here, with the declarations where those are needed."""
    declared()
    try:
        importlib.import_module(name)
        return True
    except (ImportError, RuntimeError):
        return False
