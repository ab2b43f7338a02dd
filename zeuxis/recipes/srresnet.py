"""SRResNet: residual blocks on the small picture, then pixel shuffles, trained on squared error."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.degrade.degradation import Degraded
from zeuxis.draw import Draw
from zeuxis.losses.fidelity import DISTANCES
from zeuxis.nets.upscaling import ResidualUpscaler, residual_radius
from zeuxis.recipes._damaging import check_damage, enlarged_score, flipped, small, warmed
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
class SRResNet(Recipe):
    """SRResNet (Ledig et al. 2017, arXiv 1609.04802); `published` has its net, loss and rates.

    The default is for a CPU, 0.23 M weights at x4: 8 blocks 32 wide, 3x3 ends in place of 9x9, no batch norm (which
    drifts in colour and ties tiles to their statistics), the answer added to the bicubic enlargement and zero at
    first, a ten times higher rate that falls, averaged weights.
    """

    scale: Literal[2, 3, 4] = 4  # published: 4, by two shuffles of 2; 3 is one shuffle of 3
    width: Count = 32  # own; 64 published
    blocks: Count = 8  # own; 16 published
    ends: Whole = 3  # own: side of the first and last convolution; 9 published
    norm: Literal["none", "batch"] = "none"  # own, as EDSR and BasicSR's MSRResNet; batch published
    skip: Literal["bicubic", "none"] = "bicubic"  # own; MSRResNet adds a bilinear one; none published
    damage: str = ""  # own: what is done to the small picture, in the words of zeuxis.degrade.parsing
    patch: Whole = 96  # published: pixels of the large picture
    batch: Count = 16  # published
    distance: Literal["mse", "l1", "charbonnier"] = "mse"  # published; L1 in MSRResNet
    lr: Amount = 1e-3  # own, Adam; 1e-4 published
    lr_end: Amount = 0.0  # own: cosine; as lr published
    warm_up: Amount = 0.02  # own: share of the steps
    flip: bool = True  # own: the eight phases and mirrors
    half_life: OneOrMore = 10_000.0  # own: pictures, never above 10 % of those seen; none published

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "tiny": {"width": 16, "blocks": 4, "patch": 48},
        "published": {  # 1,549,462 weights at x4 in colour; 1,000,000 steps on 350,000 pictures of ImageNet
            "width": 64, "blocks": 16, "ends": 9, "norm": "batch", "skip": "none", "lr": 1e-4, "lr_end": 1e-4,
            "warm_up": 0.0, "flip": False, "half_life": 1.0,
        },
    }  # fmt: skip
    coupled: ClassVar[bool] = True  # by the batch norm of the published net
    labels: ClassVar[str] = "ignored"
    patches: ClassVar[bool] = True
    half: ClassVar[bool] = True
    watched: ClassVar[int] = 64
    multiple_of: ClassVar[int] = 1

    @property
    def receptive_field(self) -> int | None:
        return residual_radius(self.scale, self.blocks, self.ends)

    def stride(self, spec: Spec) -> int:
        return self.scale

    def smallest(self) -> int:
        return 4 * self.scale

    def check(self, spec: Spec) -> None:
        super().check(spec)
        check_damage(self.damage, spec, self.scale)

    def networks(self, spec: Spec) -> nn.ModuleDict:
        net = ResidualUpscaler(spec.channels, self.scale, self.width, self.blocks, self.ends, self.norm, self.skip)
        return nn.ModuleDict({"generator": net})

    def batch_specs(self) -> dict[str, BatchSpec]:
        return {"images": BatchSpec("images", self.batch)}

    def optimizers(self) -> dict[str, Optimizer]:
        return {"generator": Optimizer(("generator",), "adam", warmed(self.lr, self.lr_end, self.warm_up))}

    def phases(self) -> tuple[Phase, ...]:
        return (Phase("generator", self.fidelity_loss),)

    def average(self) -> Average:
        return Average(("generator",), self.half_life)

    def fidelity_loss(self, m: StepContext) -> Terms:
        """The distance to the large picture."""
        clean = flipped(m, self.flip)
        answer = m.networks["generator"](small(clean, self.scale, self.damage, m.draw))
        return Terms({self.distance: DISTANCES[self.distance](answer, clean)})

    def observe(self, clean: Tensor, draw: Draw) -> Degraded:
        """The small pictures that it learns from."""
        return Degraded(small(clean, self.scale, self.damage, draw))

    def yardstick(self, spec: Spec) -> Yardstick:
        return Yardstick("score", "bicubic", "plain bicubic enlarging")

    def score(self, m: StepContext) -> dict[str, Tensor]:
        """PSNR on held-out squares, beside plain bicubic; the PSNR picks the best weights."""
        scores = enlarged_score(m, "generator", self.scale, self.damage)
        return {"score": scores["psnr"], "bicubic": scores["bicubic"]}

    def restore(
        self, networks: nn.ModuleDict, image: Tensor, known: Tensor | None = None, level: Tensor | None = None
    ) -> Tensor:
        """[n, C, H * scale, W * scale]."""
        answer: Tensor = networks["generator"](image)
        return answer.clamp(-1, 1)
