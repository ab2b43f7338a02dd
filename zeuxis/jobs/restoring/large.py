"""Pictures too large for memory: mended in bands of rows, the same as the whole would be."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zeuxis.errors import BadInput
from zeuxis.jobs.restoring import nets, steps, triage
from zeuxis.jobs.restoring.nets import Net
from zeuxis.jobs.restoring.steps import Means
from zeuxis.jobs.restoring.triage import Measured, Plan
from zeuxis.pictures import huge
from zeuxis.pictures.picture import Picture, to_tensor
from zeuxis.platform import free_memory

SAMPLE = 1024  # rows and columns, from the middle, that a large picture is measured by
_COPIES = 20  # bytes at work per colour value of a band: float32 copies of what goes in and comes out
_FEWEST, _MOST = 64, 1024  # rows of a band


def is_large(path: Path) -> bool:
    """Whether the file holds more pixels than are read at once. Raises Unreadable."""
    height, width = huge.size_of(path)
    return height * width > huge.LARGE


def sample(path: Path) -> Picture:
    """A part from the middle of a large file. Raises Unreadable; BadInput without pyvips."""
    large = huge.look(path)
    middle = max(0, large.height // 2 - SAMPLE // 2)
    left = max(0, large.width // 2 - SAMPLE // 2)
    parts = []
    for top, rows in huge.bands(path, 256):
        if top + len(rows) > middle:
            parts.append(rows[:, left : left + SAMPLE].copy())
        if top + len(rows) >= middle + SAMPLE:
            break
    pixels = np.concatenate(parts)[:SAMPLE, :, : large.channels]
    return Picture(np.ascontiguousarray(pixels), None, large.kept)


def plan_for(path: Path, task: str) -> tuple[Plan, Measured]:
    """What to do with a large file, by its middle. Raises BadInput for what cannot be done in bands."""
    part = sample(path)
    measured = triage.measure(part, to_tensor(part))
    plan = triage.plan(task, measured)
    if not set(plan.steps) <= {"repair", "unblock"}:
        if task == "auto":
            return Plan((), f"so large a picture is denoised, and left alone otherwise: {plan.why}"), measured
        raise BadInput(f"pictures of this size can be denoised and enlarged, not `{task}`", str(path), "cut it first")
    return plan, measured


def _rows(width: int, halo: int, memory: int | None) -> int:
    return max(_FEWEST, min(_MOST, nets.bound_of(memory) // 2 // (width * 3 * _COPIES) - 2 * halo))


def repair_large(
    path: Path,
    target: Path,
    means: Means,
    strength: float,
    measured: Measured,
    note: dict[str, Any],
    progress: Callable[[int], None],
) -> tuple[str, ...]:
    """Denoises a large file band by band into `target`; returns what was used. Raises BadInput."""
    net = steps.net_for("repair", means)
    if net is None or means.method != "net":
        raise BadInput("pictures of this size are restored by a net alone", str(path), "leave --method away")
    level = torch.full((1, 1, 1, 1), measured.noise)
    memory = (free_memory() if means.memory is None else means.memory) // 3

    def function(part: Tensor) -> Tensor:
        mended = nets.apply(net, part, None, level, memory)
        return part + strength * (mended - part) if strength < 1 else mended

    _through(function, net, path, target, means, {**note, "used": [net.name]}, progress)
    return (net.name,)


def upscale_large(
    path: Path, target: Path, scale: int, means: Means, note: dict[str, Any], progress: Callable[[int], None]
) -> tuple[str, ...]:
    """Enlarges a large file band by band. Raises BadInput."""
    net = steps.net_for(f"upscale-x{scale}", means)
    if net is None or net.scale != scale or means.method != "net":
        raise BadInput(f"pictures of this size cannot be enlarged {scale} times", str(path), "use --scale 2 or 4")
    memory = (free_memory() if means.memory is None else means.memory) // 3
    _through(
        lambda part: nets.apply(net, part, memory=memory),
        net, path, target, means, {**note, "used": [net.name]}, progress,
    )  # fmt: skip
    return (net.name,)


def _through(
    function: Callable[[Tensor], Tensor],
    net: Net,
    path: Path,
    target: Path,
    means: Means,
    note: dict[str, Any],
    progress: Callable[[int], None],
) -> None:
    reach = net.able.receptive_field
    if reach is None:
        raise BadInput("this net needs the whole picture at once", net.name, "use a smaller picture")
    width = huge.size_of(path)[1]
    huge.restore_large(
        function,
        path,
        target,
        scale=net.scale,
        overlap=reach,
        multiple_of=net.able.multiple_of,
        rows=_rows(width, reach, means.memory),
        note=note,
        progress=progress,
    )
