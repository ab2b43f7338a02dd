"""CycleGAN: between two collections without pairs, there and back again (Zhu et al. 2017, arXiv 1703.10593)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.losses.fidelity import l1
from zeuxis.nets.critics import ScaledCritics
from zeuxis.nets.init import normal_
from zeuxis.nets.translating import ResidualTranslator, residual_radius
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
    parts,
    passing,
    unpaired_score,
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

_SIDES = ("a", "b")
_OTHER = {"a": "b", "b": "a"}


@dataclass(frozen=True, kw_only=True)
class CycleGAN(Recipe):
    """Learns both directions at once: each must pass for the other collection, and lead back to where it came from.

    For changes of colour and texture that can be undone; where shapes change, or only one direction is wanted, `cut`
    is lighter. Between collections of unequal channels it begins from nothing: `cycle` 10, the weight of the distance
    between a picture and what comes back, is the published one.
    """

    width: Count = 24  # own, for two cores; 64 as published
    blocks: Count = 6  # published for 128 pixels; 9 for 256
    change: bool = True  # own, for equal channels: the net begins with the picture; False as published
    up: Literal["resize", "transposed", "shuffle"] = "resize"  # own: no checkerboards; transposed as published
    critic_width: Count = 32  # own; 64 as published
    halvings: Count = 2  # own: patches of 34 pixels, for pictures of 64 to 128; 3 as published: 70 pixels
    scales: Count = 1  # published
    critic_norm: Literal["instance", "none"] = "instance"  # published
    game: Literal["least-squares", "logistic", "hinge"] = "least-squares"  # published
    adversarial: Amount = 1.0  # published
    cycle: Amount = 2.0  # own: 10 as published holds the net to the picture that it begins with
    identity: Amount = 0.0  # own; 0.5 as published, times `cycle`: what is of the wanted collection stays
    pool: Whole = 50  # published: past answers, of which the critics see one every second time (arXiv 1612.07828)
    penalty: Amount = 0.0  # weight of R1; none as published
    augment: Literal["none", "diffaugment"] = "none"  # published; diffaugment for few pictures (arXiv 2006.10738)
    augment_policy: str = "color,translation,cutout"  # arXiv 2006.10738
    crop: Whole = 0  # side of the part that a step sees; 0: the whole; published: 256 of 286 pixels
    flip: bool = True  # published
    batch: Count = 1  # published
    lr: Amount = 2e-4  # published
    decay_from: Share = 0.5  # published: progress from which the rate falls to 0 in a straight line
    beta1: Decay = 0.5  # published
    half_life: OneOrMore = 1000.0  # own

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "tiny": {"width": 8, "critic_width": 8, "blocks": 2, "pool": 8, "batch": 2},
        "published": {
            "width": 64, "blocks": 9, "change": False, "up": "transposed", "critic_width": 64, "halvings": 3,
            "cycle": 10.0, "identity": 0.5, "crop": 256,
        },
    }  # fmt: skip
    labels: ClassVar[str] = "ignored"
    sources: ClassVar[tuple[str, ...]] = _SIDES
    coupled: ClassVar[bool] = True
    half: ClassVar[bool] = True
    watched: ClassVar[int] = 64
    directions: ClassVar[tuple[str, ...]] = ("ab", "ba")
    multiple_of: ClassVar[int] = 4
    remedies: ClassVar[Mapping[str, tuple[Remedy, ...]]] = {
        "overfitting": (Remedy(("augment",), to="diffaugment", over=("none",)),),
        "divergence": (SLOWER,),
        "copying": (Remedy(("identity",), to=0.0), Remedy(("cycle",), times=0.5)),
        "inverted": (Remedy(("identity",), to=0.5, over=(0.0,)),),
        "pattern": (Remedy(("up",), to="resize", over=("transposed", "shuffle")),),
    }

    @property
    def receptive_field(self) -> int | None:
        return residual_radius(self.blocks)

    def stride(self, spec: Spec) -> int:
        return 1 if self.crop else self.multiple_of

    def smallest(self) -> int:
        return max(self.crop, least_side(self.halvings, self.scales))

    def check(self, spec: Spec) -> None:
        check_crop(self.crop, self.multiple_of, least_side(self.halvings, self.scales), spec)
        super().check(spec)
        if spec.target is None:
            raise BadInput("cyclegan needs two collections of pictures", "DATA", "give the second one, too")

    def networks(self, spec: Spec) -> nn.ModuleDict:
        channels = self._channels(spec)
        change = self.change and channels["a"] == channels["b"]
        nets: dict[str, nn.Module] = {}
        for side in _SIDES:
            taken, given = channels[side], channels[_OTHER[side]]
            net = ResidualTranslator(taken, given, self.width, self.blocks, self.up, change=change)
            normal_(net)
            nets[side + _OTHER[side]] = net
        for side in _SIDES:
            width, halvings = self.critic_width, self.halvings
            critic = ScaledCritics(channels[side], width, halvings, self.critic_norm, self.scales)
            nets[f"critic_{side}"] = critic
        return nn.ModuleDict(nets)

    def _channels(self, spec: Spec) -> dict[str, int]:
        assert spec.target is not None
        return {"a": spec.channels, "b": spec.target}

    def batch_specs(self) -> dict[str, BatchSpec]:
        return {side: BatchSpec(side, self.batch) for side in _SIDES}

    def optimizers(self) -> dict[str, Optimizer]:
        rate = kept_then_linear(self.lr, self.decay_from)
        sides = {"translators": ("ab", "ba"), "critics": ("critic_a", "critic_b")}
        return {name: Optimizer(networks, lr=rate, beta1=self.beta1) for name, networks in sides.items()}

    def phases(self) -> tuple[Phase, ...]:
        return Phase("translators", self.translators_loss), Phase("critics", self.critics_loss)

    def average(self) -> Average:
        return Average(("ab", "ba"), self.half_life)

    def state(self, spec: Spec) -> dict[str, Tensor]:
        """Per side: what was made in a step, the pool of past answers, and how many lie in it."""
        height, width = (self.crop, self.crop) if self.crop else (spec.height, spec.width)
        found: dict[str, Tensor] = {}
        for side, channels in self._channels(spec).items():
            found[f"made_{side}"] = torch.zeros(self.batch, channels, height, width)
            found[f"pool_{side}"] = torch.zeros(self.pool, channels, height, width)
            found[f"held_{side}"] = torch.zeros((), dtype=torch.int64)
        return found

    def _real(self, m: StepContext) -> dict[str, Tensor]:
        return {side: parts(m, [m.batch[side].image], self.crop, self.flip, side)[0] for side in _SIDES}

    def _judged(self, m: StepContext, side: str, image: Tensor) -> list[Tensor]:
        policy = self.augment_policy if self.augment == "diffaugment" else ""
        logits: list[Tensor] = m.networks[f"critic_{side}"](augmented(m, image, policy))
        return logits

    def translators_loss(self, m: StepContext) -> Terms:
        """Both games, the way back, and what should stay as it is (eq. 1 to 3, section 5.2).

        A translator sees what it is to change and what is to stay in one pass, which is the same as in two.
        """
        real = self._real(m)
        stays = self.identity > 0 and real["a"].shape[1] == real["b"].shape[1]
        terms: dict[str, Tensor] = {}
        made: dict[str, Tensor] = {}
        for side in _SIDES:
            there = _OTHER[side]
            seen = torch.cat([real[side], real[there]]) if stays else real[side]
            answer = m.networks[side + there](seen)
            made[there] = answer[: len(real[side])]
            if stays:
                kept = l1(answer[len(real[side]) :], real[there])
                terms[f"identity_{there}"] = self.cycle * self.identity * kept
        for side in _SIDES:
            there = _OTHER[side]
            terms[f"game_{there}"] = self.adversarial * passing(self.game, self._judged(m, there, made[there]))
            terms[f"cycle_{side}"] = self.cycle * l1(m.networks[there + side](made[there]), real[side])
        return Terms(terms, state={f"made_{side}": gathered(m, made[side], self.batch) for side in _SIDES})

    def critics_loss(self, m: StepContext) -> Terms:
        """Real pictures against past and present answers."""
        real = self._real(m)
        terms: dict[str, Tensor] = {}
        state: dict[str, Tensor] = {}
        for side in _SIDES:
            fake, pool, held = self._pooled(m, side)
            state |= {f"pool_{side}": pool, f"held_{side}": held}
            fake = own(m, fake, real[side])
            judged = partial(self._judged, m, side)
            found = critic_terms(self.game, judged, real[side], fake, self.penalty)
            terms |= {f"{name}_{side}": term for name, term in found.items()}
        return Terms(terms, state=state)

    def _pooled(self, m: StepContext, side: str) -> tuple[Tensor, Tensor, Tensor]:
        """What the critic sees in place of this step's answers, the pool after them, and how many lie in it.

        Until it is full the pool takes every answer; then, every second time, one of it is seen, and the new one takes
        its place (Shrivastava et al. 2017, arXiv 1612.07828, section 2.3).
        """
        made, pool, held = (m.state[f"{name}_{side}"] for name in ("made", "pool", "held"))
        if not self.pool:
            return made, pool, held
        rows = torch.arange(len(made), device=made.device)
        places = m.draw.at(f"place_{side}").integers(rows, high=self.pool)
        swaps = m.draw.at(f"swap_{side}").integers(rows, high=2) == 1
        seen = []
        for new, place, swap in zip(made.split(1), places, swaps, strict=True):
            full = held >= self.pool
            at = torch.where(full, place, held).reshape(1)
            old = pool.index_select(0, at)
            seen.append(torch.where(full & swap, old, new))
            pool = pool.index_copy(0, at, torch.where(full & ~swap, old, new))
            held = (held + 1).clamp(max=self.pool)
        return torch.cat(seen), pool, held

    def score(self, m: StepContext) -> dict[str, Tensor]:
        """How far held-out answers are, as a set, from the collection that they should pass for, and the way back."""
        real = {side: m.batch[side].image for side in _SIDES if side in m.batch}
        if len(real) < len(_SIDES):
            return {}
        there, here = (answers(shown(m, side + _OTHER[side]), real[side]) for side in _SIDES)
        alike = unpaired_score(there, real["b"]) + unpaired_score(here, real["a"])
        return {"score": 0.5 * alike, "back": l1(answers(shown(m, "ba"), there), real["a"])}

    def translate(
        self, networks: nn.ModuleDict, image: Tensor, direction: str = "ab", draw: Draw | None = None
    ) -> Tensor:
        answer: Tensor = networks[direction](image)
        return answer

    def judged(self, networks: nn.ModuleDict, given: Tensor, answer: Tensor, direction: str = "ab") -> Tensor:
        return each_mean(networks[f"critic_{direction[1]}"](answer))
