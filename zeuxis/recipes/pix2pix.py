"""pix2pix: from a picture to its partner, from pairs, against a critic of patches (Isola et al. 2017, 1611.07004)."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.losses.fidelity import l1, psnr8
from zeuxis.nets.critics import ScaledCritics
from zeuxis.nets.init import normal_
from zeuxis.nets.randomness import dropping
from zeuxis.nets.translating import ResidualTranslator, UNetTranslator, residual_radius
from zeuxis.recipes._damaging import shown
from zeuxis.recipes._translating import (
    answers,
    augmented,
    check_crop,
    critic_terms,
    each_mean,
    gathered,
    least_side,
    own,
    paired_score,
    parts,
    passing,
)
from zeuxis.recipes.recipe import (
    SLOWER,
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
    Share,
    StepContext,
    Terms,
    Whole,
)
from zeuxis.schedule import kept_then_linear

_DEEPEST = 8
"""Halvings of the published net, for 256 pixels."""


@dataclass(frozen=True, kw_only=True)
class Pix2Pix(Recipe):
    """Learns from pairs, such as label maps and photographs: near the partner, and like one to a critic of patches.

    The first collection is what is given, the second what is wanted, matched by path and name.
    """

    body: Literal["unet", "residual"] = "unet"  # published; residual: CycleGAN's generator
    width: Count = 32  # own, for two cores; 64 as published
    blocks: Count = 6  # residual: CycleGAN, 128 px; 9 for 256
    up: Literal["resize", "transposed", "shuffle"] = "resize"  # own: no checkerboards; transposed as published
    dropout: Decay = 0.5  # unet: published
    noise: bool = False  # own: one answer for a picture; published: dropout stays on, as the only noise
    critic_width: Count = 32  # own; 64 as published
    halvings: Count = 2  # own: patches of 34 pixels, for pictures of 64 to 128; 3 as published: 70 pixels
    scales: Count = 1  # published; 2 to 3 critics in pix2pixHD (arXiv 1711.11585)
    critic_norm: Literal["instance", "none"] = "instance"  # published: batch norm of one picture, which is the same
    game: Literal["logistic", "least-squares", "hinge"] = "logistic"  # published
    adversarial: Amount = 1.0  # published; 0: the distance alone
    l1: Amount = 100.0  # published: weight of the distance to the partner
    penalty: Amount = 0.0  # weight of R1; none as published
    augment: Literal["none", "diffaugment"] = "none"  # published; diffaugment for few pairs (arXiv 2006.10738)
    augment_policy: str = "color,translation,cutout"  # arXiv 2006.10738
    crop: Whole = 0  # side of the part that a step sees; 0: the whole; published: 256 of 286 pixels
    flip: bool = True  # published
    batch: Count = 1  # published
    lr: Amount = 2e-4  # published
    decay_from: Share = 0.5  # published: progress from which the rate falls to 0 in a straight line
    beta1: Decay = 0.5  # published
    half_life: OneOrMore = 1000.0  # own

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "tiny": {"width": 16, "critic_width": 16, "batch": 2},
        "published": {
            "width": 64, "up": "transposed", "noise": True, "critic_width": 64, "halvings": 3, "crop": 256,
        },
    }  # fmt: skip
    labels: ClassVar[str] = "ignored"
    sources: ClassVar[tuple[str, ...]] = ("a", "b")
    paired: ClassVar[bool] = True
    coupled: ClassVar[bool] = True
    half: ClassVar[bool] = True
    watched: ClassVar[int] = 64
    directions: ClassVar[tuple[str, ...]] = ("ab",)
    remedies: ClassVar[Mapping[str, tuple[Remedy, ...]]] = {
        "overfitting": (Remedy(("augment",), to="diffaugment", over=("none",)),),
        "divergence": (SLOWER,),
        "inverted": (Remedy(("l1",), times=2.0),),
        "pattern": (Remedy(("up",), to="resize", over=("transposed", "shuffle")),),
    }

    def _depth(self, spec: Spec) -> int:
        """Halvings, 8 at most: as many as leave a pixel, where filling up adds no more than an eighth of a side."""
        sides = self._side(spec)
        most = min(_DEEPEST, min(sides).bit_length() - 1)
        return max(d for d in range(1, most + 1) if d < 4 or all(8 * (-side % (1 << d)) <= side for side in sides))

    def _side(self, spec: Spec) -> tuple[int, int]:
        """Height and width of what a step sees."""
        return (self.crop, self.crop) if self.crop else (spec.height, spec.width)

    @property
    def multiple_of(self) -> int:
        """Sides are brought to this when pictures of any size are translated."""
        return 4 if self.body == "residual" else 8

    @property
    def receptive_field(self) -> int | None:
        return residual_radius(self.blocks) if self.body == "residual" else None

    def stride(self, spec: Spec) -> int:
        return 1 if self.crop else self.multiple_of

    def smallest(self) -> int:
        return max(self.crop, least_side(self.halvings, self.scales))

    def check(self, spec: Spec) -> None:
        check_crop(self.crop, self.multiple_of, least_side(self.halvings, self.scales), spec)
        super().check(spec)

    def networks(self, spec: Spec) -> nn.ModuleDict:
        assert spec.target is not None
        if self.body == "unet":
            net: nn.Module = UNetTranslator(
                spec.channels, spec.target, self.width, self._depth(spec), self.up, self.dropout
            )
        else:
            net = ResidualTranslator(spec.channels, spec.target, self.width, self.blocks, self.up)
        normal_(net)
        both = spec.channels + spec.target
        critic = ScaledCritics(both, self.critic_width, self.halvings, self.critic_norm, self.scales)
        return nn.ModuleDict({"translator": net, "critic": critic})

    def batch_specs(self) -> dict[str, BatchSpec]:
        return {"pairs": BatchSpec("a", self.batch, "b")}

    def optimizers(self) -> dict[str, Optimizer]:
        rate = kept_then_linear(self.lr, self.decay_from)
        return {name: Optimizer((name,), lr=rate, beta1=self.beta1) for name in ("critic", "translator")}

    def phases(self) -> tuple[Phase, ...]:
        return Phase("translator", self.translator_loss), Phase("critic", self.critic_loss)

    def average(self) -> Average:
        return Average(("translator",), self.half_life)

    def state(self, spec: Spec) -> dict[str, Tensor]:
        """What the translator made in a step, for the critic's phase of the same step."""
        height, width = self._side(spec)
        return {"made": torch.zeros(self.batch, spec.target or spec.channels, height, width)}

    def _pair(self, m: StepContext) -> tuple[Tensor, Tensor]:
        pairs = m.batch["pairs"]
        assert pairs.target is not None
        given, wanted = parts(m, (pairs.image, pairs.target), self.crop, self.flip, "pairs")
        return given, wanted

    def _judged(self, m: StepContext, given: Tensor, answer: Tensor) -> list[Tensor]:
        policy = self.augment_policy if self.augment == "diffaugment" else ""
        pair = [augmented(m, x, policy) for x in (given, answer)]
        logits: list[Tensor] = m.networks["critic"](torch.cat(pair, 1))
        return logits

    def translator_loss(self, m: StepContext) -> Terms:
        """The game of patches, and the mean absolute difference to the partner (eq. 4)."""
        given, wanted = self._pair(m)
        made = m.networks["translator"](given)
        terms = {"l1": self.l1 * l1(made, wanted)}
        if self.adversarial:
            terms[str(self.game)] = self.adversarial * passing(self.game, self._judged(m, given, made))
        return Terms(terms, state={"made": gathered(m, made, self.batch)})

    def critic_loss(self, m: StepContext) -> Terms:
        """Real pairs against what was given beside what was made of it."""
        given, wanted = self._pair(m)
        made = own(m, m.state["made"], wanted)
        return Terms(critic_terms(self.game, lambda x: self._judged(m, given, x), wanted, made, self.penalty))

    def score(self, m: StepContext) -> dict[str, Tensor]:
        """How far light, colour and detail of held-out answers are from their partners', and the PSNR in dB."""
        pairs = m.batch["pairs"]
        assert pairs.target is not None
        answer = answers(lambda x: self._answer(shown(m, "translator"), x, m.draw), pairs.image)
        return {"score": paired_score(answer, pairs.target), "psnr": psnr8(answer, pairs.target).mean()}

    def translate(
        self, networks: nn.ModuleDict, image: Tensor, direction: str = "ab", draw: Draw | None = None
    ) -> Tensor:
        return self._answer(networks["translator"], image, draw)

    def _answer(self, net: nn.Module, image: Tensor, draw: Draw | None) -> Tensor:
        with dropping(net, draw) if self.noise and draw is not None else nullcontext():
            answer: Tensor = net(image)
        return answer

    def judged(self, networks: nn.ModuleDict, given: Tensor, answer: Tensor, direction: str = "ab") -> Tensor:
        return each_mean(networks["critic"](torch.cat([given, answer], 1)))
