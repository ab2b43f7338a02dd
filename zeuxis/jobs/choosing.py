"""`train auto`: which recipe learns these pictures, and why in one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from zeuxis import catalog
from zeuxis.data.dataset import Dataset, Spec
from zeuxis.draw import some_of
from zeuxis.engine.batches import to_image
from zeuxis.engine.compute import best_device
from zeuxis.engine.state import build_networks
from zeuxis.errors import BadInput
from zeuxis.jobs.sources import Source
from zeuxis.metrics.fidelity import psnr_each
from zeuxis.recipes.latentgan import LatentGAN

LEAST_SIDE = 32
"""Pixels: of smaller pictures the maps have too few cells."""
ROUND_TRIP = 24.0
"""dB that pictures must keep on their way through the autoencoder; below, small print and dense texture are lost."""
PACE = 100.0
"""Images of 64 pixels a second that a recipe which learns pixels sees on two cores, at most; own measurement."""
LONG = 3600.0
"""Seconds from which on a processor may see enough pictures with all channels."""
_LOOKED_AT = 48


@dataclass(frozen=True)
class Choice:
    """The recipe, one sentence on why it was taken, and a preset of it where this machine needs one.

    poor: its autoencoder loses much of such pictures, so that tuning it to them first is worth its time.
    """

    recipe: str
    why: str
    preset: str | None = None
    poor: bool = False

    @property
    def said(self) -> str:
        return f"zeuxis: {self.recipe}: {self.why}"

    @property
    def settings(self) -> dict[str, Any]:
        """The fields that the preset sets."""
        return dict(catalog.load(self.recipe).presets[self.preset]) if self.preset else {}


def choose(
    sources: Sequence[Source], seconds: float | None = None, device: str | None = None, conditional: bool = True
) -> Choice:
    """Looks at the pictures; trains nothing.

    seconds: the budget, where it is a time; device: None is the best that is here; conditional: False leaves labels
    aside. Raises BadInput.
    """
    if len(sources) > 1:
        raise BadInput("`auto` chooses a recipe for one collection of pictures", "DATA", "name the recipe yourself")
    return choice_for(sources[0].read(), seconds, device, conditional)


def choice_for(
    data: Dataset, seconds: float | None = None, device: str | None = None, conditional: bool = True
) -> Choice:
    """For pictures that are opened already. Raises BadInput where they have to be read at another size first."""
    spec = data.spec if conditional else data.spec.unlabelled()
    pixels = "cgan" if spec.condition else "r3gan"
    size = f"{spec.height}x{spec.width} px"
    short = seconds if (device or best_device()) == "cpu" else None
    if min(spec.height, spec.width) < LEAST_SIDE or _suffices(pixels, spec, short):
        catalog.load(pixels)().check(spec)
        return Choice(pixels, f"{size} are few enough to learn pixel by pixel")
    LatentGAN().check(spec)
    kept = round_trip(data)
    why = f"its autoencoder gives pictures of {size} like these back at {kept:.1f} dB"
    if kept < ROUND_TRIP:
        if not _fog(pixels, spec, short):
            what = f"the autoencoder of latentgan gives these pictures back at {kept:.1f} dB only, too poorly"
            return Choice(pixels, what)
        why = f"{why} only, but {pixels} would draw fog in this time"
    if short is None or short >= LONG:
        return Choice("latentgan", why, poor=kept < ROUND_TRIP)
    why = f"{why}; by `--preset quick`, as a training has less than an hour of this processor"
    return Choice("latentgan", why, "quick", kept < ROUND_TRIP)


def _suffices(recipe: str, spec: Spec, seconds: float | None) -> bool:
    """Whether a recipe that learns pixels was measured to do well on such pictures, after images that the time allows.

    On garments of 32 pixels it is then better than maps: their cells are too few for fine outlines.
    """
    need = catalog.load(recipe)().need(spec)
    return need is not None and not need.estimate and not _fog(recipe, spec, seconds)


def _fog(recipe: str, spec: Spec, seconds: float | None) -> bool:
    """Whether so much time of a processor is too little for a recipe that learns pixels; it is where nothing is known
    of such pictures."""
    if seconds is None:
        return False
    need = catalog.load(recipe)().need(spec)
    pace = PACE * 64**2 / (spec.height * spec.width)
    return need is None or seconds * pace < need.enough


@torch.no_grad()
def round_trip(data: Dataset) -> float:
    """Median PSNR in dB, 8 bits, of some pictures after encoding and decoding by the autoencoder of the package."""
    networks = build_networks(LatentGAN(), data.spec.unlabelled(), 0).eval()
    image = to_image(data.images(some_of(len(data), _LOOKED_AT, "round trip")))
    representation = networks["representation"]
    back = representation.decode(representation.encode(image))  # type: ignore[operator]
    return float(psnr_each(back, image).median())
