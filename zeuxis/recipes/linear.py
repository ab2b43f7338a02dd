"""Linear reconstruction: one learned filter, the Wiener filter of your pictures and their damage."""

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.degrade.degradation import Degraded
from zeuxis.draw import Draw
from zeuxis.errors import BadInput, counted
from zeuxis.nets.reconstructing import LinearFilter
from zeuxis.recipes._damaging import check_damage, damaged, undo_loss, undo_score, warmed
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
    Yardstick,
)


@dataclass(frozen=True, kw_only=True)
class Linear(Recipe):
    """One convolution over all channels, trained on squared error: no linear method does better everywhere alike.

    Linear maps from patch to patch, averaged where they overlap, are such a filter too. It is what a net has to
    beat: it takes detail away with the noise, whatever the picture.
    """

    damage: str = "noise=25"  # own: what it learns to undo, in the words of zeuxis.degrade.parsing
    side: Whole = 15  # own: side of the filter in pixels, odd
    patch: Whole = 64  # own: pixels
    batch: Count = 8  # own
    lr: Amount = 1e-2  # own, Adam; a tenth of it is 2 dB behind after 300 steps
    lr_end: Amount = 0.0  # own: cosine
    warm_up: Amount = 0.02  # own: share of the steps
    flip: bool = True  # own: the eight phases and mirrors
    half_life: OneOrMore = 2000.0  # own: pictures, never above 10 % of those seen

    presets: ClassVar[dict[str, dict[str, Any]]] = {"tiny": {"side": 5, "patch": 32}}
    labels: ClassVar[str] = "ignored"
    patches: ClassVar[bool] = True
    watched: ClassVar[int] = 64
    scale: ClassVar[int] = 1
    multiple_of: ClassVar[int] = 1

    @property
    def receptive_field(self) -> int | None:
        return self.side // 2

    def check(self, spec: Spec) -> None:
        super().check(spec)
        check_damage(self.damage, spec)
        if self.side < 1 or self.side % 2 == 0:
            raise BadInput(
                f"a filter of {counted(self.side, 'pixel')} has no middle", "side", f"use {max(self.side, 0) + 1}"
            )

    def networks(self, spec: Spec) -> nn.ModuleDict:
        return nn.ModuleDict({"restorer": LinearFilter(spec.channels, self.side)})

    def batch_specs(self) -> dict[str, BatchSpec]:
        return {"images": BatchSpec("images", self.batch)}

    def optimizers(self) -> dict[str, Optimizer]:
        return {"restorer": Optimizer(("restorer",), "adam", warmed(self.lr, self.lr_end, self.warm_up))}

    def phases(self) -> tuple[Phase, ...]:
        return (Phase("restorer", self.restorer_loss),)

    def average(self) -> Average:
        return Average(("restorer",), self.half_life)

    def restorer_loss(self, m: StepContext) -> Terms:
        """Mean squared difference to the clean pictures."""
        return undo_loss(m, self.damage, self.flip)

    def observe(self, clean: Tensor, draw: Draw) -> Degraded:
        """The damaged pictures that it learns from."""
        return damaged(clean, self.damage, draw)

    def yardstick(self, spec: Spec) -> Yardstick:
        return Yardstick("score", "given", "leaving the pictures as they are")

    def score(self, m: StepContext) -> dict[str, Tensor]:
        return undo_score(m, self.damage)

    def restore(
        self, networks: nn.ModuleDict, image: Tensor, known: Tensor | None = None, level: Tensor | None = None
    ) -> Tensor:
        answer: Tensor = networks["restorer"](image)
        return answer.clamp(-1, 1)
