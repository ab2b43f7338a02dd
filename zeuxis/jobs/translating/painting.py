"""The job `translate --style`: each picture in the manner of paintings, with nothing trained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from torch import Tensor

from zeuxis.classic.style import styled, with_colours_of
from zeuxis.data.signatures import Unreadable
from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.jobs.per_image.done import digest, request
from zeuxis.jobs.per_image.pairs import Pair
from zeuxis.jobs.per_image.pipeline import Bar
from zeuxis.jobs.per_image.work import Decision, InMemory, Note, Outcome
from zeuxis.jobs.translating import neural_style
from zeuxis.pictures.in_colour import in_colour
from zeuxis.pictures.picture import Picture, from_tensor, read, to_tensor
from zeuxis.pictures.resizing import resized

LARGEST = {"patches": 1_280, "neural": 512}
"""Pixels of the longer side, by method, at which larger pictures are painted unless a size is asked for: strokes of a
painting that is seen on a screen are no finer, and the time goes with the area."""
SMALLEST = 16


@dataclass(frozen=True)
class Painting:
    """A file, how much it counts beside others, and what is in it, for notes."""

    path: str
    weight: float
    digest: str


def painting(text: str) -> Painting:
    """`FILE` or `FILE:WEIGHT`. Raises BadInput for a file that is none, and a weight that is no number above 0."""
    path, weight = text, 1.0
    if not Path(text).exists() and ":" in text:
        path, _, said = text.rpartition(":")
        try:
            weight = float(said)
        except ValueError:
            path = text
        if not 0 < weight < float("inf"):
            raise BadInput(f"the weight of a painting must be above 0, not {said}", "--style", f"write `{path}:0.5`")
    if not Path(path).is_file():
        what = "this is a folder, not a picture" if Path(path).is_dir() else "there is no file here"
        raise BadInput(what, path, "give a picture as --style, or FILE:WEIGHT, once for each")
    try:
        read(Path(path))
    except Unreadable as error:
        raise BadInput(f"the painting {error}", path, "give a picture as --style") from error
    return Painting(path, weight, digest(Path(path)))


_METHODS: dict[str, Callable[..., Tensor]] = {"patches": styled, "neural": neural_style.styled_by_net}


@lru_cache(maxsize=8)
def _colours_of(path: str, known: str) -> Tensor:
    """[1, 3, h, w] in [-1, 1]; known: what the file holds, for the cache."""
    return in_colour(to_tensor(read(Path(path))))


@dataclass(frozen=True)
class Paint(InMemory):
    """In the manner of paintings. size: pixels of the longer side of what is made; None: that of the picture."""

    styles: tuple[Painting, ...]
    strength: float = 1.0
    keep_colours: bool = False
    size: int | None = None
    seed: int = 0
    method: str = "patches"
    word = "styled"

    @property
    def settings(self) -> Mapping[str, Any]:
        return {
            "style": [one.digest for one in self.styles],
            "share": [one.weight for one in self.styles],
            "strength": self.strength,
            "keep_colours": self.keep_colours,
            "size": self.size,
            "seed": self.seed,
            "method": self.method,
        }

    @property
    def _weights(self) -> tuple[tuple[str, str], ...]:
        return ((neural_style.NET, neural_style.net()[1]),) if self.method == "neural" else ()

    def is_current(self, weights: Mapping[str, str]) -> bool:
        return dict(weights) == dict(self._weights)

    def note(self, pair: Pair, source: bytes | Path, mask: bytes | Path | None) -> Note:
        return request(self.settings, source, mask)

    def decide(self, picture: Picture, mask: Picture | None, name: str) -> Decision:
        height, width = picture.size
        there = self._painted(height, width)
        if min(there) < SMALLEST:
            raise BadInput(f"{there[1]}x{there[0]} pixels are too few to paint: each side needs {SMALLEST}")
        remarks: tuple[str, ...] = ()
        if self.size is None and max(height, width) > LARGEST[self.method]:
            finer = f"`--size {max(height, width)}` paints every pixel"
            remarks = (f"painted at {there[1]:,}x{there[0]:,} pixels and enlarged; {finer}",)
        why = "like " + " and ".join(Path(one.path).name for one in self.styles)
        return Decision(True, why, remarks, detail=name)

    def _painted(self, height: int, width: int) -> tuple[int, int]:
        """The size at which the work is done."""
        longest = self.size or min(LARGEST[self.method], max(height, width))
        share = longest / max(height, width)
        return round(height * share), round(width * share)

    def sized(self, size: tuple[int, int]) -> tuple[int, int]:
        return self._painted(*size) if self.size else size

    def by_what(self, decision: Decision) -> tuple[str, ...]:
        return (neural_style.NET,) if self.method == "neural" else (self.method,)

    def apply(self, picture: Picture, decision: Decision) -> Outcome:
        size = self._painted(*picture.size)
        image = in_colour(resized(to_tensor(picture), size).clamp(-1, 1))
        paintings = [(_no_larger(_colours_of(one.path, one.digest), size), one.weight) for one in self.styles]
        pixels = size[0] * size[1]
        bar = Bar(pixels, decision.detail)
        style, draw = _METHODS[self.method], Draw(self.seed, phase="style")
        made = style(image, paintings, draw, self.strength, told=lambda share: bar(round(share * pixels)))
        if self.keep_colours:
            made = with_colours_of(made, image)
        made = made if self.size else resized(made, picture.size)
        if self.keep_colours and picture.pixels.shape[2] == 1:
            made = made.mean(1, keepdim=True)
        result = from_tensor(made, picture)
        return Outcome(result, decision.why, self.by_what(decision), decision.remarks, self._weights)


def _no_larger(painting: Tensor, size: tuple[int, int]) -> Tensor:
    """With no more pixels than the picture: strokes of a size that can be seen."""
    height, width = painting.shape[2:]
    share = (size[0] * size[1] / (height * width)) ** 0.5
    return painting if share >= 1 else resized(painting, (max(1, round(height * share)), max(1, round(width * share))))
