"""Patch-wise multi-layer perceptron: a patch in, its middle out, averaged where patches overlap."""

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.degrade.degradation import Degraded
from zeuxis.draw import Draw
from zeuxis.errors import BadInput, counted
from zeuxis.nets.reconstructing import PatchMLP, mlp_radius
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
class MLP(Recipe):
    """Image denoising by plain neural networks (Burger, Schuler and Harmeling 2012, arXiv 1211.1544).

    The default is small (about 0.1 M weights in colour) and gives the difference to the picture; the loss is taken
    after patches have been averaged, where the source takes it patch by patch.
    """

    damage: str = "noise=25"  # section 4 of the source: sigma 25; in the words of zeuxis.degrade.parsing
    seen: Whole = 13  # own: side of the patch that it reads; 39 in the source's best net for sigma 25
    given: Whole = 7  # own: side of the patch that it gives, in the middle of the other; 17 in the source
    width: Count = 128  # own: units of a hidden layer; 2047 to 3072 in the source
    layers: Whole = 2  # own: hidden layers; 4 in the source
    step: Whole = 1  # own: pixels from patch to patch; 3 in the source, which costs a ninth
    residual: bool = True  # own: it gives the difference, at first none; the source gives the patch itself
    patch: Whole = 48  # own: pixels cut out at a time, to hold many small patches
    batch: Count = 8  # own
    lr: Amount = 1e-3  # own, Adam; plain gradient descent in the source
    lr_end: Amount = 0.0  # own: cosine
    warm_up: Amount = 0.02  # own: share of the steps
    flip: bool = True  # own: the eight phases and mirrors
    half_life: OneOrMore = 2000.0  # own: pictures, never above 10 % of those seen

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "tiny": {"seen": 7, "given": 3, "width": 32, "patch": 24},
        "large": {  # sizes of the source's nets of 17 x 17 pixels as its part 2 has them, as recalled; own training
            "seen": 17, "given": 17, "width": 2047, "layers": 4, "step": 3, "residual": False,
        },
    }  # fmt: skip
    labels: ClassVar[str] = "ignored"
    patches: ClassVar[bool] = True
    watched: ClassVar[int] = 64
    scale: ClassVar[int] = 1

    @property
    def multiple_of(self) -> int:
        """Patches stand on a grid that begins at the picture's corner, so tiles have to begin on it too."""
        return self.step

    @property
    def receptive_field(self) -> int | None:
        return mlp_radius(self.seen, self.given)

    def stride(self, spec: Spec) -> int:
        return self.step

    def check(self, spec: Spec) -> None:
        super().check(spec)
        check_damage(self.damage, spec)
        if self.seen < self.given or (self.seen - self.given) % 2:
            message = f"a patch of {counted(self.given, 'pixel')} does not lie in the middle of one of {self.seen}"
            raise BadInput(message, "given", f"use `--seen {self.given + 6}`")
        if not 1 <= self.step <= self.given:
            raise BadInput(
                f"patches of {counted(self.given, 'pixel')} leave gaps {self.step} apart", "step", "use a smaller step"
            )

    def networks(self, spec: Spec) -> nn.ModuleDict:
        hidden = (self.width,) * self.layers
        net = PatchMLP(spec.channels, hidden, self.seen, self.given, self.step, self.residual)
        return nn.ModuleDict({"restorer": net})

    def batch_specs(self) -> dict[str, BatchSpec]:
        return {"images": BatchSpec("images", self.batch)}

    def optimizers(self) -> dict[str, Optimizer]:
        return {"restorer": Optimizer(("restorer",), "adam", warmed(self.lr, self.lr_end, self.warm_up))}

    def phases(self) -> tuple[Phase, ...]:
        return (Phase("restorer", self.restorer_loss),)

    def average(self) -> Average:
        return Average(("restorer",), self.half_life)

    def restorer_loss(self, m: StepContext) -> Terms:
        """Mean squared difference to the clean pictures, after the patches were averaged."""
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
