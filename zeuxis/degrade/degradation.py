"""What a camera or a codec left of a picture, and how several damages follow one another."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from zeuxis.draw import Draw
from zeuxis.errors import BadInput

Range = tuple[float, float]
"""Lowest and highest value; each sample gets its own, uniform between them."""


@dataclass(frozen=True)
class Degraded:
    """A damaged batch.

    image: [B, C, H', W'] in [-1, 1]; noise may leave that range, codecs do not.
    known: [B, 1, H', W'], 1 where the pixel is known, 0 in a hole; None: all are known.
    level: [B, 1, 1, 1], standard deviation of the added Gaussian noise in grey levels of 255; None: not said.
    clean: [B, C, H, W], what the picture should be restored to where that is not the picture itself (a grey
        picture stays grey); None: the picture itself.
    """

    image: Tensor
    known: Tensor | None = None
    level: Tensor | None = None
    clean: Tensor | None = None

    def wanted(self, image: Tensor) -> Tensor:
        """What a restorer should give back for the picture `image` that was damaged."""
        return image if self.clean is None else self.clean


Degradation = Callable[[Tensor, Draw], Degraded]
"""[B, C, H, W] float in [-1, 1] and a draw to what is left of it; every one is a frozen dataclass."""


class Kind(NamedTuple):
    """One word for damage, as modules of this folder list theirs under WORDS.

    what it does, the unit of its value, its maker, the usual values and the limits; usual is None where the kind takes
    no value; whole: values are whole numbers; one: it takes no range.
    """

    what: str
    unit: str
    make: Callable[[Range], Degradation]
    usual: Range | None
    limits: Range = (0.0, math.inf)
    whole: bool = False
    one: bool = False


LEVELS = "grey levels of 255"
OF_256 = "number, in a picture of short side 256"


def within(values: Range, draw: Draw, name: str, image: Tensor, host: bool = False) -> Tensor:
    """[B] numbers uniform in `values` (low, high), one for each sample of `image`, with its dtype.

    They lie on its device, or, where what is done depends on their values, on the `host`: draws are equal on every
    device, and reading one back from a GPU would make it wait.
    """
    low, high = values
    rolled = _rolls(draw, image, host).at(name).uniform(len(image)).to(image.dtype)
    return low + (high - low) * rolled


def chance(p: float, draw: Draw, name: str, image: Tensor, host: bool = False) -> Tensor:
    """bool [B], true with probability `p`, one for each sample of `image`; they lie where those of `within` do."""
    return _rolls(draw, image, host).at(name).keep(p, len(image))


def _rolls(draw: Draw, image: Tensor, host: bool) -> Draw:
    return replace(draw, device="cpu" if host else str(image.device))


def spread(values: Tensor) -> Tensor:
    """[B] to [B, 1, 1, 1]."""
    return values.reshape(-1, 1, 1, 1)


def power(base: Tensor, exponent: Tensor | float) -> Tensor:
    """base ** exponent for positive `base`, in float64 and then rounded to its dtype.

    torch's own power rounds an element by its place in the batch (vector or rest), and so does its exponential.
    """
    return torch.exp(torch.log(base.double()) * exponent).to(base.dtype)


def is_linear(observe: Degradation) -> bool:
    """Whether observe(x, draw).image is a linear map of x for every draw; such a damage says `straight`."""
    return bool(getattr(observe, "straight", False))


def adjoint(observe: Degradation, y: Tensor, draw: Draw, size: tuple[int, int] | None = None) -> Tensor:
    """A'y for the linear map A = x -> observe(x, draw).image: torch's vector-Jacobian product, the exact transpose.

    y: [B, C, H', W']; size: height and width of x, those of y where not given. Returns [B, C, *size].
    BadInput where the damage is not linear, or where a picture of that size is not seen at the size of y.
    """
    if not is_linear(observe):
        raise BadInput(f"{type(observe).__name__} is not linear as it is set here and has no adjoint")
    height, width = size or (y.shape[2], y.shape[3])
    with torch.inference_mode(False), torch.enable_grad():
        x = torch.zeros(*y.shape[:2], height, width, dtype=y.dtype, device=y.device, requires_grad=True)
        seen = observe(x, draw).image
        if seen.shape != y.shape:
            raise BadInput(
                f"a picture of {height} x {width} is seen as {seen.shape[2]} x {seen.shape[3]}",
                f"asked for {y.shape[2]} x {y.shape[3]}",
                "give the size of the picture",
            )
        (back,) = torch.autograd.grad(seen, x, y.detach().clone())
    return back.detach()


transposed = adjoint
"""`adjoint` under a name that a class can bind: `adjoint = transposed` makes it a method of a damage."""


def turned(draw: Draw, part: object) -> Draw:
    """The draw of one part of a whole."""
    return replace(draw, phase=f"{draw.phase}/{part}")


def _resized_known(known: Tensor, like: Tensor) -> Tensor:
    """A pixel of another size is known where all that it covers is."""
    if known.shape[2:] == like.shape[2:]:
        return known
    share = torch.nn.functional.interpolate(known, size=tuple(like.shape[2:]), mode="area")
    return (share > 1 - 1e-6).to(known.dtype)


def _both(first: Tensor | None, second: Tensor | None, join: Callable[[Tensor, Tensor], Tensor]) -> Tensor | None:
    if first is None or second is None:
        return second if first is None else first
    return join(first, second)


@dataclass(frozen=True)
class Chain:
    """One damage after another; part i draws from its own phase, so equal parts get unequal numbers.

    What is known is what every part left known; variances of noise add.
    """

    parts: tuple[Degradation, ...] = ()

    @property
    def straight(self) -> bool:
        return all(map(is_linear, self.parts))

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        seen = Degraded(image)
        for i, part in enumerate(self.parts):
            then = part(seen.image, turned(draw, i))
            clean = seen.clean
            if then.clean is not None:
                wanted = seen.wanted(image)
                # What is wanted must not carry the damage that came before, so the part sees the wanted picture too.
                clean = then.clean if wanted is seen.image else part(wanted, turned(draw, i)).clean
            known = None if seen.known is None else _resized_known(seen.known, then.image)
            level = _both(seen.level, then.level, lambda a, b: (a.square() + b.square()).sqrt())
            seen = Degraded(then.image, _both(known, then.known, torch.mul), level, clean)
        return seen

    adjoint = transposed


def _put(whole: Tensor, rows: Tensor, part: Tensor) -> Tensor:
    return whole.index_copy(0, rows, part.to(whole.dtype))


def on_some(part: Degradation, image: Tensor, chosen: Tensor, draw: Draw) -> Degraded:
    """`part` for the samples where `chosen` [B], on the host, is true; the others keep their bits, and cost nothing.

    BadInput where the part changes the size of the picture.
    """
    if not bool(chosen.any()):
        return Degraded(image)
    some = chosen.nonzero()[:, 0]
    index = replace(draw, device="cpu").at("").index(len(image))
    rows = some.to(image.device)
    seen = part(image.index_select(0, rows), replace(draw, chosen=index[some], rank=0, world=1))
    if seen.image.shape[2:] != image.shape[2:]:
        raise BadInput("a damage that changes the size of the picture cannot be left to chance", mend="leave out @")
    known = level = clean = None
    if seen.known is not None:
        known = _put(torch.ones_like(image[:, :1]), rows, seen.known)
    if seen.level is not None:
        level = _put(torch.zeros_like(image[:, :1, :1, :1]), rows, seen.level)
    if seen.clean is not None:
        clean = _put(image, rows, seen.clean)
    return Degraded(_put(image, rows, seen.image), known, level, clean)


@dataclass(frozen=True)
class Sometimes:
    """`part` for each sample with probability `p`; a sample without it has noise of level 0 and is known."""

    part: Degradation
    p: float = 0.5

    @property
    def straight(self) -> bool:
        return is_linear(self.part)

    adjoint = transposed

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        return on_some(self.part, image, chance(self.p, draw, "sometimes", image, host=True), draw)


def _second_where(chosen: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda first, second: torch.where(chosen, second, first)


@dataclass(frozen=True)
class OneOf:
    """One of `parts` for each sample; `shares` are their probabilities, equal where none are given."""

    parts: tuple[Degradation, ...]
    shares: tuple[float, ...] = ()

    @property
    def straight(self) -> bool:
        return all(map(is_linear, self.parts))

    adjoint = transposed

    def __call__(self, image: Tensor, draw: Draw) -> Degraded:
        shares = self.shares or (1.0,) * len(self.parts)
        place = within((0.0, sum(shares)), draw, "one of", image, host=True)
        seen, low = Degraded(image), 0.0
        for i, (part, share) in enumerate(zip(self.parts, shares, strict=True)):
            last = i == len(self.parts) - 1
            mine = (place >= low) & (torch.ones_like(place, dtype=torch.bool) if last else place < low + share)
            then = on_some(part, image, mine, turned(draw, i))
            here = spread(mine).to(image.device)
            seen = Degraded(
                torch.where(here, then.image, seen.image),
                _both(seen.known, then.known, torch.mul),
                _both(seen.level, then.level, torch.add),
                _both(seen.clean, then.clean, _second_where(here)),
            )
            low += share
        return seen
