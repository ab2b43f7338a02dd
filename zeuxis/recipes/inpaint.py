"""Fills holes: a U-Net of gated convolutions or with Fourier blocks, and a critic that looks at the holes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from zeuxis.augmentation.geometry import dihedral
from zeuxis.data.dataset import Spec
from zeuxis.degrade.degradation import Degraded
from zeuxis.degrade.parsing import parse
from zeuxis.draw import Draw
from zeuxis.losses.adversarial import GAMES
from zeuxis.losses.fidelity import fft_l1, to_8_bits
from zeuxis.nets.critics import feature_distance
from zeuxis.nets.inpainting import InpaintingUNet, PatchCritic, Shape, hole_share
from zeuxis.recipes.recipe import (
    GAME,
    Amount,
    Average,
    BatchSpec,
    Count,
    Decay,
    OneOrMore,
    Optimizer,
    Phase,
    Recipe,
    Remedy,
    StepContext,
    Terms,
    Whole,
    Yardstick,
)
from zeuxis.schedule import cosine

_AT_ONCE = 8  # pictures that a score fills in one piece


@dataclass(frozen=True, kw_only=True)
class Inpaint(Recipe):
    """Inpainting: gated convolutions (Yu et al. 2019, arXiv 1806.03589) or LaMa's Fourier blocks (arXiv 2109.07161).

    It first learns to be near the truth, then, from `stage` of the budget on, also to pass a critic for which
    only what lies in holes is fake. `holes` says what is missing, in the words of `zeuxis.degrade.parsing`; more
    than half of a picture is never missing. Known pixels come out as they went in, bit for bit.
    """

    body: Literal["gated", "fourier"] = "gated"  # DeepFill v2; LaMa
    width: Count = 32  # own, 0.5 M weights; 48 in DeepFill v2
    levels: Whole = 2  # own: half and quarter size; 3 in DeepFill v2: full, half and quarter
    fold: Whole = 2  # own: pixels folded 2x2 into channels, four times cheaper (arXiv 1710.04026); 1 as published
    dilations: tuple[Whole, ...] = (1, 2, 4, 8, 16)  # gated: DeepFill v2 on the quarter-size map, and one without
    blocks: Count = 3  # fourier: own, for two cores; 9 in LaMa
    separable: bool = False  # as published; MI-GAN (2023) separates; own trials: no faster on a processor
    patch: Whole = 128  # own; 256 as published
    holes: str = "strokes-thin=2..20+strokes=1..4@0.5+boxes=1..2@0.5"  # own: a fifth of a picture, thin ones always
    batch: Count = 8  # own; 16 in DeepFill v2, 10 in LaMa
    hole_weight: Amount = 6.0  # of the L1 distance inside holes (Liu et al. 2018, arXiv 1804.07723)
    known_weight: Amount = 1.0  # of the L1 distance elsewhere (arXiv 1804.07723)
    fft: Amount = 0.0  # weight of the L1 distance of spectra; 0.05 in SMFANet
    stage: Amount = 0.6  # own: progress at which the critic comes in; 0 as published, 1 is without
    game: Literal["hinge", "logistic"] = "hinge"  # DeepFill v2; logistic: LaMa
    adversarial: Amount = 0.1  # own, as in Real-ESRGAN; 1 beside an L1 weight of 1 in DeepFill v2
    matching: Amount = 1.0  # weight of the distance of the critic's maps; ten times the adversarial one, as in LaMa
    critic_width: Whole = 32  # own; 64 as published
    lr: Amount = 2e-3  # own; 1e-3 in LaMa
    lr_end: Amount = 1e-5  # own: at the end of the first stage, along a cosine
    lr_stage: Amount = 1e-4  # DeepFill v2: of the generator in the adversarial stage
    critic_lr: Amount = 1e-4  # DeepFill v2, LaMa
    beta1: Decay = 0.9  # LaMa; 0.5 in DeepFill v2
    flip: bool = True  # the eight phases and mirrors
    half_life: OneOrMore = 2000.0  # own: pictures, never above 10 % of those seen

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "tiny": {  # own: for quick looks
            "width": 16, "critic_width": 16, "patch": 64, "dilations": (1, 2, 4, 8), "blocks": 2,
            "holes": "strokes=1..2+boxes=1@0.5",
        },
        "fidelity": {"stage": 1.0},  # own: no critic, for the nearest and smoothest filling
        "deepfill": {  # DeepFill v2, inpaint.yml: its first net alone, without contextual attention
            "width": 48, "levels": 3, "fold": 1, "dilations": (2, 4, 8, 16), "patch": 256, "holes": "boxes=1+strokes",
            "batch": 16, "hole_weight": 1.0, "stage": 0.0, "adversarial": 1.0, "matching": 0.0, "critic_width": 64,
            "beta1": 0.5,
        },
        "lama": {  # LaMa-Fourier, without batch norm and without its perceptual loss
            "body": "fourier", "width": 64, "levels": 4, "fold": 1, "blocks": 9, "patch": 256,
            "holes": "strokes-thick+boxes@0.5", "batch": 10, "hole_weight": 0.0, "known_weight": 10.0, "stage": 0.0,
            "game": "logistic", "adversarial": 10.0, "matching": 100.0, "critic_width": 64, "lr_stage": 1e-3,
        },
    }  # fmt: skip
    labels: ClassVar[str] = "ignored"
    patches: ClassVar[bool] = True
    half: ClassVar[bool] = True
    watched: ClassVar[int] = 64
    scale: ClassVar[int] = 1
    remedies: ClassVar[Mapping[str, tuple[Remedy, ...]]] = {
        "divergence": (Remedy(("lr_stage", "critic_lr"), times=0.5), Remedy(("adversarial",), times=0.25)),
    }

    def __post_init__(self) -> None:
        object.__setattr__(self, "dilations", tuple(self.dilations))  # a list where the settings come from JSON

    @property
    def shape(self) -> Shape:
        return Shape(self.width, self.levels, self.fold, self.dilations, self.blocks, self.separable)

    @property
    def multiple_of(self) -> int:
        return self.shape.cell

    @property
    def receptive_field(self) -> int | None:
        return self.shape.radius() if self.body == "gated" else None

    def stride(self, spec: Spec) -> int:
        return self.multiple_of

    def smallest(self) -> int:
        return max(8, self.multiple_of)

    def check(self, spec: Spec) -> None:
        super().check(spec)
        parse(self.holes)

    def networks(self, spec: Spec) -> nn.ModuleDict:
        generator = InpaintingUNet(spec.channels, self.shape, self.body)
        critic = {"critic": PatchCritic(spec.channels, self.critic_width)} if self.stage < 1 else {}
        return nn.ModuleDict({"generator": generator, **critic})

    def batch_specs(self) -> dict[str, BatchSpec]:
        return {"images": BatchSpec("images", self.batch)}

    def rate(self, progress: float) -> float:
        """The generator's: from lr to lr_end over the first stage, then lr_stage."""
        return cosine(self.lr, self.lr_end)(progress / self.stage) if progress < self.stage else self.lr_stage

    def optimizers(self) -> dict[str, Optimizer]:
        resets = (self.stage,) if 0 < self.stage < 1 else ()
        generator = Optimizer(("generator",), "adam", self.rate, self.beta1, clip=1.0, resets=resets)
        critic = {"critic": Optimizer(("critic",), "adam", self.critic_lr, self.beta1)} if self.stage < 1 else {}
        return {"generator": generator, **critic}

    def phases(self) -> tuple[Phase, ...]:
        """Fidelity alone before `stage`; the two sides of the game after it."""
        early = (Phase("generator", self.fidelity_loss, when=lambda progress: progress < self.stage),)
        late = tuple(
            Phase(name, loss, when=lambda progress: progress >= self.stage)
            for name, loss in (("critic", self.critic_loss), ("generator", self.generator_loss))
        )
        return (early if self.stage > 0 else ()) + (late if self.stage < 1 else ())

    def average(self) -> Average:
        return Average(("generator",), self.half_life)

    def _seen(self, m: StepContext, flip: bool = True) -> tuple[Tensor, Tensor, Tensor]:
        """What is wanted, what is to be filled, and what is known of it (1, and 0 in holes)."""
        clean = m.batch["images"].image
        return observe(self.holes, dihedral(clean, m.draw.at("dihedral")) if flip and self.flip else clean, m.draw)

    def _fidelity(self, answer: Tensor, clean: Tensor, known: Tensor) -> dict[str, Tensor]:
        """The L1 distances in holes and elsewhere, both as means over the whole picture (arXiv 1804.07723, eq. 3)."""
        apart = (answer - clean).abs()
        terms = {
            "hole": self.hole_weight * (apart * (1 - known)).mean(),
            "known": self.known_weight * (apart * known).mean(),
        }
        return terms | ({"fft": self.fft * fft_l1(pasted(clean, known, answer), clean)} if self.fft else {})

    def fidelity_loss(self, m: StepContext) -> Terms:
        """L1, heavier inside holes."""
        clean, image, known = self._seen(m)
        return Terms(self._fidelity(m.networks["generator"](image, known), clean, known))

    def critic_loss(self, m: StepContext) -> Terms:
        """Real pictures against filled ones, of which only what lies in holes is fake."""
        clean, image, known = self._seen(m)
        with torch.no_grad():
            filled = pasted(image, known, m.networks["generator"](image, known))
        both, holes = torch.cat([clean, filled]), (1 - known).repeat(2, 1, 1, 1)
        real, fake = m.networks["critic"](both, holes)[0].chunk(2)
        share = hole_share(1 - known, fake)
        loss = game_of_holes(GAMES[self.game][0], real, fake, share).mean()
        watch = {"real": real.mean(), "fake": (fake * share).sum() / share.sum().clamp_min(1e-6)}
        return Terms({str(self.game): loss}, watch=watch)

    def generator_loss(self, m: StepContext) -> Terms:
        """The first stage's terms, the critic's logits in holes, and the distance of its maps."""
        clean, image, known = self._seen(m)
        answer = m.networks["generator"](image, known)
        hole = 1 - known
        with torch.no_grad():
            wanted = m.networks["critic"](clean, hole)[1]
        logits, maps = m.networks["critic"](pasted(image, known, answer), hole)
        terms = self._fidelity(answer, clean, known)
        terms[self.game] = self.adversarial * (hole_share(hole, logits) * GAMES[self.game][1](logits)).mean()
        if self.matching:
            terms["matching"] = self.matching * feature_distance(maps, wanted)
        return Terms(terms)

    def observe(self, clean: Tensor, draw: Draw) -> Degraded:
        """The pictures with holes that it learns from."""
        wanted, image, known = observe(self.holes, clean, draw)
        return Degraded(image, known, clean=wanted)

    def yardstick(self, spec: Spec) -> Yardstick:
        return Yardstick("score", "flat", "filling the holes with one colour", aside=GAME if self.stage < 1 else "")

    def score(self, m: StepContext) -> dict[str, Tensor]:
        """Inside the holes of held-out squares: PSNR in dB, L1 in per cent of the range, and PSNR of a flat filling."""
        networks = m.ema if "generator" in m.ema else m.networks
        clean, image, known = self._seen(m, flip=False)
        filled = torch.cat(
            [self.restore(networks, i, k) for i, k in zip(image.split(_AT_ONCE), known.split(_AT_ONCE), strict=True)]
        )
        psnr, apart = inside(filled, clean, known)
        return {"score": psnr, "l1_percent": apart, "flat": inside(flat(image, known), clean, known)[0]}

    def restore(
        self, networks: nn.ModuleDict, image: Tensor, known: Tensor | None = None, level: Tensor | None = None
    ) -> Tensor:
        """The picture with its holes filled; known pixels, and a picture without holes, keep their bits."""
        if known is None:
            return image
        whole = (known > 0.5).to(image.dtype)
        return pasted(image, whole, networks["generator"](image, whole).clamp(-1, 1))


def observe(holes: str, clean: Tensor, draw: Draw) -> tuple[Tensor, Tensor, Tensor]:
    """What is wanted, what is seen, and what is known of it [B, 1, H, W] (1 and 0): at most half is missing.

    Where more would be, holes and known places change roles.
    """
    seen = parse(holes)(clean, draw)
    known = torch.ones_like(clean[:, :1]) if seen.known is None else (seen.known > 0.5).to(clean.dtype)
    most = known.mean((1, 2, 3), keepdim=True) < 0.5
    return seen.wanted(clean), seen.image.to(clean.dtype), torch.where(most, 1 - known, known)


def pasted(image: Tensor, known: Tensor, answer: Tensor) -> Tensor:
    """The answer inside holes, the picture's own bits where it is known."""
    return torch.where(known > 0, image, answer)


def flat(image: Tensor, known: Tensor) -> Tensor:
    """Holes filled with the mean of the known pixels of each channel."""
    mean = (image * known).sum((2, 3), keepdim=True) / known.sum((2, 3), keepdim=True).clamp_min(1)
    return pasted(image, known, mean.expand_as(image))


def game_of_holes(critic: Callable[[Tensor, Tensor], Tensor], real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """The critic's loss where a logit of a filled picture is fake by the share of hole in its piece.

    What is known of a filled picture counts as real (LaMa, arXiv 2109.07161, section 2.3). The losses of logits are
    symmetric, real(x) = fake(-x), so a real logit among the fakes is one with its sign turned.
    """
    return share * critic(real, fake) + (1 - share) * critic(real, -fake)


def inside(answer: Tensor, truth: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """PSNR in dB (8 bits, at most 100) and L1 in per cent of the range, over holes alone: means over the pictures.

    Pictures without a hole do not count; 0 and 0 where there is none.
    """
    error, hole = (to_8_bits(answer) - to_8_bits(truth)).double(), (1 - known).double()
    pixels = hole.sum((1, 2, 3)) * error.shape[1]
    holed = (pixels > 0).double()
    squared = (error.square() * hole).sum((1, 2, 3)) / pixels.clamp_min(1)
    psnr = 10 * torch.log10(255.0**2 / squared.clamp_min(255.0**2 * 1e-10))
    apart = (error.abs() * hole).sum((1, 2, 3)) / pixels.clamp_min(1) / 2.55
    count = holed.sum().clamp_min(1)
    return (psnr * holed).sum().float() / count.float(), (apart * holed).sum().float() / count.float()
