"""Pictures too large for memory: mended in bands of rows, the same as the whole would be."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from zeuxis.classic import residual
from zeuxis.errors import BadInput
from zeuxis.jobs.restoring import diagnose, nets, steps
from zeuxis.jobs.restoring.diagnose import Plan
from zeuxis.jobs.restoring.measured import Measured
from zeuxis.jobs.restoring.nets import Net
from zeuxis.jobs.restoring.steps import State, StepConfig
from zeuxis.pictures import streaming
from zeuxis.pictures.picture import Picture, remarks, to_tensor
from zeuxis.pictures.tiles import by_columns, mirrored
from zeuxis.platform import free_memory

SAMPLE = 1024  # rows and columns, from the middle, that a large picture is measured by
BLOCK = 8  # pixels: bands and the sample begin at multiples, so that JPEG's blocks lie in them as in the whole
_CUBIC = 2  # pixels that bicubic interpolation reaches; shrinking what a net enlarged reaches less
_IN, _OUT = 60, 15  # bytes at work per pixel of a band, and for each pixel more that it becomes
_CELLS = 60  # the same for holding blocks to their cells
_AT_ONCE = 600  # the same for the columns that are enlarged at a time: x4, and its way down
_FEWEST, _MOST = 64, 1024  # rows of a band


@dataclass(frozen=True)
class Middle(Measured):
    """What was found in the middle of a large file, its blocks' grid that of the whole; and the step it calls for.

    channels: of colour, 1 or 3; 1 where all of the file's are equal, too.
    """

    step: str = ""
    channels: int = 3


def sample(path: Path) -> Picture:
    """A part from the middle of a large file. Raises Unreadable; BadInput without pyvips."""
    large = streaming.look(path)
    middle = max(0, large.height // 2 - SAMPLE // 2)
    left = max(0, large.width // 2 - SAMPLE // 2) // BLOCK * BLOCK
    parts = []
    for top, rows in streaming.bands(path, 256):
        if top + len(rows) > middle:
            parts.append(rows[:, left : left + SAMPLE].copy())
        if top + len(rows) >= middle + SAMPLE:
            break
    pixels = np.concatenate(parts)[:SAMPLE, :, : large.channels]
    return Picture(np.ascontiguousarray(pixels), None, large.kept)


def is_grey(path: Path) -> bool:
    """Whether the colours of a large file are equal in every pixel; read up to the first that are not.

    Raises Unreadable; BadInput without pyvips.
    """
    channels = streaming.look(path).channels
    if channels == 1:
        return True
    return all(bool((rows[..., 1:channels] == rows[..., :1]).all()) for _, rows in streaming.bands(path))


def plan_for(path: Path, task: str) -> tuple[Plan, Middle]:
    """What to do with a large file, by its middle. Raises BadInput for what cannot be done in bands."""
    part = sample(path)
    measured = diagnose.measure(part, to_tensor(part), task)
    plan = diagnose.plan(task, measured)
    channels = 1 if plan.steps and is_grey(path) else part.pixels.shape[2]
    middle = Middle(**vars(measured), step=next(iter(plan.steps), ""), channels=channels)
    if not set(plan.steps) <= {"denoise", "repair", "unblock"}:
        if task == "auto":
            why = f"so large a picture is denoised, and left alone otherwise: in its middle {plan.why}"
            return Plan((), why), middle
        raise BadInput(f"pictures of this size can be denoised and enlarged, not `{task}`", str(path), "cut it first")
    cut = [f"`--task {name}`" for name in ("deblur", "old-photo") if f"`--task {name}`" in plan.why]
    only = f"; for {' and '.join(cut)} cut so large a picture first" if cut else ""
    return replace(plan, why=f"in its middle: {plan.why}{only}"), middle


@dataclass(frozen=True)
class Done:
    """What a large file was mended by, and what of it could not be kept, for people."""

    used: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class _Bands:
    """How a picture is cut. reach: input pixels that a place may be touched from; at_work: bytes per input pixel."""

    scale: int
    reach: int
    multiple_of: int
    at_work: int
    memory: int

    @property
    def halo(self) -> int:
        return -(-max(self.reach, 4) // self.multiple_of) * self.multiple_of

    def rows(self, width: int) -> int:
        return max(min(_FEWEST, self.halo), min(_MOST, self.memory // (width * self.at_work) - 2 * self.halo))


def check_method(path: Path, means: StepConfig) -> None:
    """Raises BadInput for a method that needs the whole picture at once."""
    if means.method != "net":
        raise BadInput("pictures of this size are restored by a net alone", str(path), "leave --method away")


def _reach(net: Net) -> int:
    if net.able.receptive_field is None:
        raise BadInput("this net needs the whole picture at once", net.name, "use a smaller picture")
    return net.able.receptive_field


def _for_tiles(means: StepConfig) -> StepConfig:
    """With the share of the memory that a net has for its tiles; the rest is for the band."""
    return replace(means, memory=(free_memory() if means.memory is None else means.memory) // 3)


def repair_large(
    path: Path,
    target: Path,
    means: StepConfig,
    strength: float,
    measured: Middle,
    note: dict[str, Any],
    progress: Callable[[int], None],
) -> Done:
    """Takes noise or JPEG's traces out of a large file, band by band, into `target`.

    Raises BadInput.
    """
    check_method(path, means)
    memory, blocks = nets.bound_of(means.memory), measured.step == "unblock"
    net = (steps.unblocker if blocks else steps.restorer)(measured.channels, means)
    # a block that ends in the next band is held to its cells as a whole: its other rows have to be right too
    reach = _reach(net) + {"unblock": BLOCK, "denoise": residual.REACH}.get(measured.step, 0)
    bands = _Bands(1, reach, math.lcm(net.able.multiple_of, BLOCK), _IN + blocks * _CELLS, int(0.4 * memory))
    columns, apart = int(0.45 * memory) // nets.BYTES_PER_PIXEL, replace(means, part=True)
    if measured.step == "denoise" and means.run is None:
        middle = State(to_tensor(sample(path))[:, : measured.channels], measured)
        apart = replace(apart, most=steps.most_noise(middle, steps.repair(middle, means)))

    def mend(part: Tensor) -> Tensor:
        mended = (steps.denoise if apart.most else steps.repair)(State(part, measured), apart).image
        return part + strength * (mended - part) if strength < 1 else mended

    def unblock(part: Tensor) -> Tensor:
        return nets.apply(net, part, part=True, grid=measured.grid)

    def windows(band: Tensor) -> Tensor:
        return _in_windows(mend, band, bands, columns // band.shape[2])

    def windows_of_blocks(band: Tensor) -> Tensor:  # beyond the picture there are no blocks to hold anything to
        height, halo = band.shape[2], bands.halo
        tall = band.index_select(2, mirrored(height, halo, halo))
        inner = _in_windows(unblock, tall, bands, columns // tall.shape[2])[:, :, halo : halo + height]
        mended = steps.held(inner, State(band, measured))
        return band + strength * (mended - band) if strength < 1 else mended

    function = windows_of_blocks if blocks else windows
    completed = noted(note, net.name, net)
    grey = measured.channels == 1
    return _through(function, bands, path, target, net.name, completed, progress, mirror=not blocks, grey=grey)


def _in_windows(function: Callable[[Tensor], Tensor], band: Tensor, bands: _Bands, columns: int) -> Tensor:
    """`function` on windows as high as the band and `columns` wide, rims included; the band is changed in place.

    What lies beyond the picture is mirrored, as `tiled` has it; the rim above and below is left to the caller.
    """
    inner = max(BLOCK, columns - 2 * bands.halo) // bands.multiple_of * bands.multiple_of or bands.multiple_of
    return by_columns(function, band, inner, bands.halo, bands.multiple_of, into=band)


def upscale_large(
    path: Path, target: Path, scale: int, means: StepConfig, note: dict[str, Any], progress: Callable[[int], None]
) -> Done:
    """Enlarges a large file band by band, as `steps.enlarged` does the whole. Raises BadInput."""
    apart, memory = _for_tiles(means), nets.bound_of(means.memory) // 4
    net, reach, multiple_of = steps.upscaler(scale, apart), _CUBIC, 1
    if net is not None:
        reach, multiple_of = _reach(net) + (_CUBIC if net.scale > scale else 0), net.able.multiple_of
    used = steps.enlarged_by(net, scale)
    bands = _Bands(scale, reach, multiple_of, _IN + _OUT * (scale * scale - 1), memory)

    def function(part: Tensor) -> Tensor:
        # some columns at a time: what a net gives before it is shrunk is larger than the band
        count = max(4 * bands.halo, bands.memory // (part.shape[2] * _AT_ONCE)) // multiple_of * multiple_of
        return by_columns(
            lambda some: steps.enlarged(some, scale, net, apart.memory), part, count, bands.halo, scale=scale
        )

    return _through(function, bands, path, target, used, noted(note, used, net), progress, grey=is_grey(path))


def noted(note: dict[str, Any], used: str, net: Net | None) -> dict[str, Any]:
    """The note of a large file, with what will have been used."""
    return {**note, "used": [used], "weights": dict(steps.weights_of(net))}


def _through(
    function: Callable[[Tensor], Tensor],
    bands: _Bands,
    path: Path,
    target: Path,
    used: str,
    note: dict[str, Any],
    progress: Callable[[int], None],
    mirror: bool = False,
    grey: bool = False,
) -> Done:
    """grey: all channels are equal, so that one is worked on."""

    def on_one(part: Tensor) -> Tensor:
        return function(part[:, :1]).expand(-1, part.shape[1], -1, -1)

    read = streaming.restore_large(
        on_one if grey else function,
        path,
        target,
        scale=bands.scale,
        overlap=bands.reach,
        multiple_of=bands.multiple_of,
        rows=bands.rows(streaming.size_of(path)[1]),
        note=note,
        progress=progress,
        mirror=mirror,
    )
    like = Picture(
        np.zeros((1, 1, read.channels), read.dtype), np.zeros((1, 1), read.dtype) if read.alpha else None, read.kept
    )
    return Done((used,), remarks(like, target.suffix))
