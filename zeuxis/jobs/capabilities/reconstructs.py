"""Held-out squares at the end of a run that restores: what it was given, classic methods, ours, and the truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from zeuxis.classic import estimate
from zeuxis.classic.denoising import non_local_means
from zeuxis.classic.inpainting import biharmonic
from zeuxis.data.dataset import Dataset
from zeuxis.data.files import write_json
from zeuxis.degrade.degradation import Degraded
from zeuxis.degrade.noise import round_bytes
from zeuxis.degrade.resize import bicubic
from zeuxis.draw import Draw, Stream, key_of
from zeuxis.engine.batches import to_image
from zeuxis.errors import counted
from zeuxis.jobs.capability import Capability
from zeuxis.jobs.restoring import nets
from zeuxis.jobs.sources import Material
from zeuxis.metrics.fidelity import ALL, psnr_each
from zeuxis.pages.formats import decimal
from zeuxis.pages.read import read_object
from zeuxis.pages.strips import section
from zeuxis.pictures.png import write_sheet
from zeuxis.recipes.recipe import Reconstructs
from zeuxis.runs import Run

COUNT = 6
"""Squares that are shown."""
LARGEST = 160
"""Pixels of their sides, at most, where the net takes any size."""


@runtime_checkable
class Degrades(Protocol):
    """Says what it learns to undo."""

    def observe(self, clean: Tensor, draw: Draw) -> Degraded:
        """The damaged pictures [B, C, H', W'] of clean ones [B, C, H, W] in [-1, 1]."""
        ...


@dataclass(frozen=True, eq=False)
class Strip:
    """A row of pictures [n, C, H, W] in [-1, 1], of 8 bits; psnr: dB against the truth, None where it says nothing."""

    name: str
    image: Tensor
    psnr: list[float] | None


def chosen(held: Dataset, seed: int, count: int = COUNT) -> list[int]:
    """Positions of `count` squares, from as many different files as there are."""
    order = Stream(key_of("strips", seed)).permutation(len(held)).tolist()
    files = getattr(held, "sources", None) or list(range(len(held)))
    seen: dict[Any, int] = {}
    turn = {}
    for i in order:
        turn[i] = seen[files[i]] = seen.get(files[i], -1) + 1
    return sorted(order, key=turn.__getitem__)[:count]  # of one turn, they stay in their order


def _cut(clean: Tensor, able: Reconstructs) -> Tensor:
    """The middle of squares that are larger than is shown; whole where the net is made for one size."""
    side, step = clean.shape[-1], able.multiple_of * able.scale
    if able.receptive_field is None or side <= LARGEST:
        return clean
    size = LARGEST // step * step
    start = (side - size) // 2
    return clean[..., start : start + size, start : start + size]


def _noise(seen: Degraded, image: Tensor) -> Tensor:
    """The level of the noise [n] in grey levels: what is said, else what is measured."""
    return estimate.noise_sigma(image).sigma if seen.level is None else seen.level.flatten()


def classic(seen: Degraded, image: Tensor, scale: int) -> tuple[str, Tensor]:
    """A method without a network for what was done to the pictures, by name, and its answer."""
    if scale > 1:
        return "bicubic", bicubic(image, scale)
    if seen.known is not None:
        return "biharmonic", biharmonic.fill(image, seen.known)
    return "non-local means", non_local_means.denoise(image, _noise(seen, image))


def _larger(image: Tensor, scale: int) -> Tensor:
    return image.repeat_interleave(scale, 2).repeat_interleave(scale, 3) if scale > 1 else image


def strips_of(net: nets.Net, clean: Tensor, draw: Draw) -> list[Strip]:
    """Given, classic, ours and truth of clean squares [n, C, H, W]; none where the damage leaves another size.

    What was damaged is held in 8 bits first, as a person's file is.
    """
    recipe, scale = net.recipe, net.scale
    assert isinstance(recipe, Degrades)
    with torch.no_grad():
        seen = recipe.observe(clean, draw)
        image, truth = round_bytes(seen.image), round_bytes(seen.wanted(clean))
        if tuple(side * scale for side in image.shape[2:]) != tuple(truth.shape[2:]):
            return []
        ours = [_ours(net, seen, image, i) for i in range(len(image))]
        name, plain = classic(seen, image, scale)
    rows = {name: round_bytes(plain), "ours": round_bytes(torch.cat(ours))}
    given = Strip("given", _larger(image, scale), None if scale > 1 else _against(image, truth))
    return [given, *(Strip(n, x, _against(x, truth)) for n, x in rows.items()), Strip("truth", truth, None)]


def _against(image: Tensor, truth: Tensor) -> list[float]:
    return [float(v) for v in psnr_each(image, truth, ALL)]


def _ours(net: nets.Net, seen: Degraded, image: Tensor, i: int) -> Tensor:
    known, level = (None if x is None else x[i : i + 1] for x in (seen.known, seen.level))
    return nets.apply(net, image[i : i + 1], known, level)


def _finite(values: Sequence[float]) -> list[float | None]:
    return [v if np.isfinite(v) else None for v in values]


def write_strips(run: Run, held: Dataset | None) -> None:
    """real/strips.png, a row per method and a column per square, and real/strips.json with the PSNR of each.

    Of runs that say what they undo; nothing is written for others, nor without held-out pictures.
    """
    recipe = run.recipe
    if not isinstance(recipe, Degrades) or held is None or not len(held):
        return
    assert isinstance(recipe, Reconstructs)
    seed, places = run.record["seed"], chosen(held, run.record["seed"])
    clean = _cut(to_image(held.images(np.array(places))), recipe)
    strips = strips_of(nets.from_run(run.path), clean, Draw(seed, phase="strips"))
    if not strips:
        return
    sheet = torch.cat([strip.image for strip in strips])
    sources = getattr(held, "sources", None)
    record = {
        "format": 1,
        "rows": [strip.name for strip in strips],
        "psnr": [None if strip.psnr is None else _finite(strip.psnr) for strip in strips],
        "protocol": f"PSNR in dB, {ALL.words}; what was given is held in 8 bits",
        "damage": str(getattr(recipe, "damage", "") or getattr(recipe, "holes", "")),
        "scale": recipe.scale,
        "size": list(clean.shape[2:]),
        "sources": None if sources is None else [str(sources[i]) for i in places],
    }
    write_sheet(run.path / "real" / "strips.png", sheet, len(clean))
    write_json(run.path / "real" / "strips.json", record)


def finish(run: Run, given: Material) -> None:
    write_strips(run, given.held_out)


def rival_words(run: Run) -> str:
    """A sentence where a method without a network does better on the squares that the page shows."""
    record = read_object(run.path / "real" / "strips.json")
    figures = {name: values for name, values in zip(record.get("rows", []), record.get("psnr", [])) if values}
    ours, rivals = figures.get("ours", []), {k: v for k, v in figures.items() if k not in ("given", "ours")}
    if not ours or None in ours:
        return ""
    for name, theirs in rivals.items():
        if None not in theirs and fmean(theirs) > fmean(ours):
            shown = f"{decimal(fmean(theirs), 2)} dB against {decimal(fmean(ours), 2)} dB"
            rival = f"{name[:1].upper()}{name[1:]}, which needs no training"
            return f"{rival}, does better: {shown} on the {counted(len(ours), 'square')} that the page shows."
    return ""


CAPABILITY = Capability(Reconstructs, 3, finish, section=section, beside=rival_words)
