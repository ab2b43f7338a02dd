"""The classical methods by task: a file each in `denoising` and `inpainting`, imported when it is used.

Whoever lists them loads nothing that is heavy.
"""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zeuxis.errors import BadInput, nearest

if TYPE_CHECKING:
    from torch import Tensor

    from zeuxis.draw import Draw

    Denoiser = Callable[[Tensor, float | Tensor, Draw], Tensor]  # (image, sigma, draw) -> image
    Filler = Callable[[Tensor, Tensor, Draw], Tensor]  # (image, known, draw) -> image


def names(task: str) -> tuple[str, ...]:
    """Of "denoising" or "inpainting", sorted, as they are typed: `non-local-means`."""
    paths = Path(__file__).with_name(task).glob("[!_]*.py")
    return tuple(sorted(path.stem.replace("_", "-") for path in paths))


def _loaded(task: str, name: str, function: str, what: str) -> Any:
    if name not in names(task):
        raise BadInput(f"`{name}` does not {what}", "--method", nearest(name, list(names(task))))
    return getattr(importlib.import_module(f"zeuxis.classic.{task}.{name.replace('-', '_')}"), function)


def denoiser(name: str) -> "Denoiser":
    """Raises BadInput for an unknown name."""
    denoise: Denoiser = _loaded("denoising", name, "denoise", "denoise")
    return denoise


def filler(name: str) -> "Filler":
    """Raises BadInput for an unknown name."""
    fill: Filler = _loaded("inpainting", name, "fill", "fill holes")
    return fill
