"""How sure a restored picture is: the interval in which the true values lie, beside a restorer that is left alone."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.degrade.degradation import Degraded
from zeuxis.degrade.parsing import parse
from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.losses.quantile import pinball
from zeuxis.nets.intervals import IntervalHead, interval_radius
from zeuxis.recipes._damaging import check_damage, flipped, shown, warmed
from zeuxis.recipes.recipe import (
    Amount,
    Average,
    BatchSpec,
    Count,
    OneOrMore,
    Optimizer,
    Phase,
    Recipe,
    StepContext,
    Terms,
    Whole,
)

_AT_ONCE = 16  # held-out pictures in memory together


@dataclass(frozen=True, kw_only=True)
class Uncertainty(Recipe):
    """Quantile regression beside a frozen restorer (Angelopoulos et al. 2022, arXiv 2202.05265), with a net of its own.

    It reads a damaged picture and what the restorer `of` made of it, and learns by the pinball loss how far below
    and above the answer the true value may lie. At the end of a run the widths are scaled by conformal risk control
    on the held-out pictures, so that no more than the share `alpha` of values is expected outside.
    """

    of: str = "repair"  # the restorer: weights of the package, a run's folder, or a file
    damage: str = "repair"  # own: what is restored, in the words of zeuxis.degrade.parsing
    width: Count = 24  # own
    depth: Count = 4  # own
    low: Amount = 0.05  # im2im-uq
    high: Amount = 0.95  # im2im-uq
    alpha: Amount = 0.1  # im2im-uq
    patch: Whole = 96  # own
    batch: Count = 8  # own
    lr: Amount = 1e-3  # own, Adam
    warm_up: Amount = 0.02  # own: share of the steps
    flip: bool = True  # the eight phases and mirrors
    half_life: OneOrMore = 2000.0  # own: pictures, never above 10 % of those seen

    presets: ClassVar[dict[str, dict[str, Any]]] = {"tiny": {"width": 8, "depth": 1}}
    labels: ClassVar[str] = "ignored"
    patches: ClassVar[bool] = True
    half: ClassVar[bool] = True
    watched: ClassVar[int] = 64
    multiple_of: ClassVar[int] = 8  # of what is restored: the U-Net's cell

    @property
    def receptive_field(self) -> int:
        return interval_radius(self.depth)

    def stride(self, spec: Spec) -> int:
        return self.multiple_of

    def check(self, spec: Spec) -> None:
        super().check(spec)
        check_damage(self.damage, spec)
        if not 0 < self.low < self.high < 1 or not 0 < self.alpha < 1:
            raise BadInput("low, high and alpha are shares, and low is the smaller", "", "use 0.05, 0.95 and 0.1")

    def networks(self, spec: Spec) -> nn.ModuleDict:
        return nn.ModuleDict({"head": IntervalHead(spec.channels, self.width, self.depth)})

    def fixed(self) -> dict[str, str]:
        """The restorer."""
        return {"restorer": self.of}

    def batch_specs(self) -> dict[str, BatchSpec]:
        return {"images": BatchSpec("images", self.batch)}

    def optimizers(self) -> dict[str, Optimizer]:
        return {"head": Optimizer(("head",), "adam", warmed(self.lr, 0.01 * self.lr, self.warm_up), clip=1.0)}

    def phases(self) -> tuple[Phase, ...]:
        return (Phase("head", self.head_loss),)

    def average(self) -> Average:
        return Average(("head",), self.half_life)

    def observe(self, clean: Tensor, draw: Draw) -> Degraded:
        """The damaged pictures that are restored."""
        return parse(self.damage)(clean, draw)

    def given(self, restorer: nn.Module, clean: Tensor, draw: Draw) -> tuple[Tensor, Tensor, Tensor]:
        """The damaged pictures, what the restorer makes of them, and the truth."""
        seen = self.observe(clean, draw)
        level = torch.zeros(len(clean), 1, 1, 1) if seen.level is None else seen.level
        with torch.no_grad():
            answer = restorer(seen.image, level.to(clean))
        return seen.image, answer.to(clean.dtype), seen.wanted(clean)

    def _pinball(self, lower: Tensor, upper: Tensor, apart: Tensor) -> Tensor:
        return pinball(apart, -lower, self.low) + pinball(apart, upper, self.high)

    def head_loss(self, m: StepContext) -> Terms:
        """The pinball losses of both ends of the interval."""
        before, after, truth = self.given(m.fixed["restorer"], flipped(m, self.flip), m.draw)
        lower, upper = m.networks["head"](before, after)
        return Terms({"pinball": self._pinball(lower, upper, truth - after)})

    def score(self, m: StepContext) -> dict[str, Tensor]:
        """On held-out squares: the pinball loss, its sign turned; the share inside; the mean width in grey levels."""
        clean, head = m.batch["images"].image, shown(m, "head")
        before, after, truth = self.given(m.fixed["restorer"], clean, m.draw)
        parts = [head(b, a) for b, a in zip(before.split(_AT_ONCE), after.split(_AT_ONCE), strict=True)]
        lower, upper = (torch.cat(ends) for ends in zip(*parts, strict=True))
        apart = truth - after
        inside = ((apart >= -lower) & (apart <= upper)).double().mean().float()
        return {"score": -self._pinball(lower, upper, apart), "inside": inside, "width": 127.5 * (lower + upper).mean()}

    def interval(self, networks: nn.ModuleDict, before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
        lower, upper = networks["head"](before, after)
        return lower, upper
