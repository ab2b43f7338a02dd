"""Compact upscaler for speed: a plain stack on the small picture, added to its bicubic enlargement."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.degrade.degradation import Degraded
from zeuxis.draw import Draw
from zeuxis.losses.fidelity import DISTANCES, fft_l1
from zeuxis.nets.upscaling import BASE_REACH, BODIES, CONVS, folded
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
class Compact(Recipe):
    """SRVGGNetCompact of Real-ESRGAN (arXiv 2107.10833), or SPAN (arXiv 2311.12770), from bicubic on.

    The default has 89,040 weights at x4. Small pictures are made by MATLAB's bicubic and rounded to 8 bits, as
    the published benchmarks have them; `damage` is then done to them. With `branches`, three convolutions in a row
    are trained in place of one and folded afterwards: it costs 2 to 5 times as much for less than 0.2 dB.
    """

    scale: Literal[2, 3, 4] = 4  # Real-ESRGAN: 4
    body: Literal["plain", "span"] = "plain"  # plain: SRVGGNetCompact; span: the winner of NTIRE 2024
    width: Count = 32  # own, for two cores; 64 in Real-ESRGAN, 48 in SPAN
    blocks: Count = 8  # own; 16 or 32 convolutions in Real-ESRGAN; 6 blocks of three in SPAN
    skip: Literal["bicubic", "nearest"] = "bicubic"  # own; nearest in Real-ESRGAN, none in SPAN
    branches: bool = False  # SPAN's Conv3XC in place of 3x3 convolutions
    damage: str = ""  # own: what is done to the small picture, in the words of zeuxis.degrade.parsing
    patch: Whole = 144  # own: pixels of the large picture, which 2, 3 and 4 divide; 256 in SMFANet
    batch: Count = 16  # EDSR, SRResNet
    distance: Literal["charbonnier", "l1", "mse"] = "charbonnier"  # arXiv 1704.03915; L1 in EDSR and SMFANet
    fft: Amount = 0.05  # SMFANet: weight of the L1 distance of spectra, here orthonormal
    lr: Amount = 1e-3  # SMFANet, Adam; 1e-4 in EDSR
    lr_end: Amount = 0.0  # own: cosine; 1e-6 in SMFANet
    warm_up: Amount = 0.02  # own: share of the steps
    flip: bool = True  # EDSR: the eight phases and mirrors
    half_life: OneOrMore = 10_000.0  # pictures; 0.999 a step of 16 in BasicSR is 11,000; never above 10 % of those seen

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "tiny": {"width": 16, "blocks": 6},  # own: 21,440 weights at x4
        "span48": {"body": "span", "width": 48, "blocks": 6},  # the released SPAN, 426,288 weights at x4
        "quality": {  # the paper's SPAN, 498,208 weights at x4, with SMFANet's patch and batch; wants a GPU
            "body": "span", "width": 52, "blocks": 6, "branches": True, "patch": 240, "batch": 64, "distance": "l1",
        },
    }  # fmt: skip
    labels: ClassVar[str] = "ignored"
    patches: ClassVar[bool] = True
    half: ClassVar[bool] = True
    watched: ClassVar[int] = 64
    multiple_of: ClassVar[int] = 1

    @property
    def receptive_field(self) -> int | None:
        return max(BASE_REACH, BODIES[self.body][1](self.blocks))

    def stride(self, spec: Spec) -> int:
        return self.scale

    def smallest(self) -> int:
        return 4 * self.scale

    def check(self, spec: Spec) -> None:
        super().check(spec)
        check_damage(self.damage, spec, self.scale)

    def networks(self, spec: Spec) -> nn.ModuleDict:
        make, _ = BODIES[self.body]
        net = make(spec.channels, self.scale, self.width, self.blocks, self.skip, CONVS[self.branches])
        return nn.ModuleDict({"upscaler": net})

    def batch_specs(self) -> dict[str, BatchSpec]:
        return {"images": BatchSpec("images", self.batch)}

    def optimizers(self) -> dict[str, Optimizer]:
        return {"upscaler": Optimizer(("upscaler",), "adam", warmed(self.lr, self.lr_end, self.warm_up))}

    def phases(self) -> tuple[Phase, ...]:
        return (Phase("upscaler", self.upscaler_loss),)

    def average(self) -> Average:
        return Average(("upscaler",), self.half_life)

    def upscaler_loss(self, m: StepContext) -> Terms:
        """The distance to the large picture, and that of the spectra."""
        clean = flipped(m, self.flip)
        answer = m.networks["upscaler"](small(clean, self.scale, self.damage, m.draw))
        terms: dict[str, Tensor] = {self.distance: DISTANCES[self.distance](answer, clean)}
        if self.fft:
            terms["fft"] = self.fft * fft_l1(answer, clean)
        return Terms(terms)

    def observe(self, clean: Tensor, draw: Draw) -> Degraded:
        """The small pictures that it learns from."""
        return Degraded(small(clean, self.scale, self.damage, draw))

    def yardstick(self, spec: Spec) -> Yardstick:
        return Yardstick("score", "bicubic", "plain bicubic enlarging")

    def score(self, m: StepContext) -> dict[str, Tensor]:
        """PSNR on held-out squares, beside plain bicubic; the PSNR picks the best weights."""
        scores = enlarged_score(m, "upscaler", self.scale, self.damage)
        return {"score": scores["psnr"], "bicubic": scores["bicubic"]}

    def folded(self, networks: nn.ModuleDict) -> nn.ModuleDict:
        """The networks for work: branches folded into single convolutions, once; their answers stay equal to 1e-5."""
        return nn.ModuleDict({name: folded(net) for name, net in networks.items()})

    def restore(
        self, networks: nn.ModuleDict, image: Tensor, known: Tensor | None = None, level: Tensor | None = None
    ) -> Tensor:
        """[n, C, H * scale, W * scale]."""
        answer: Tensor = networks["upscaler"](image)
        return answer.clamp(-1, 1)
