"""CUT: from one collection to another without pairs, place by place (Park et al. 2020, arXiv 2007.15651)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.errors import BadInput, counted
from zeuxis.losses.contrast import patch_contrast
from zeuxis.nets.critics import ScaledCritics
from zeuxis.nets.init import glorot_, normal_, weighted, zero_bias_
from zeuxis.nets.translating import PatchProjector, ResidualTranslator, residual_radius
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


@dataclass(frozen=True, kw_only=True)
class CUT(Recipe):
    """One translator, one critic: what is made must pass for the other collection, and each place of it must tell
    from which place of the picture it was made.

    The lightest of those without pairs, and in one direction: from the first collection to the second.
    """

    width: Count = 24  # own, for two cores; 64 as published
    blocks: Count = 6  # own; 9 as published, for 256 pixels
    up: Literal["resize", "transposed", "shuffle"] = "resize"  # published
    change: bool = True  # own: the net begins with the picture and learns what to change; False as published
    smooth: bool = True  # published: halved with a blur and doubled by a filter, against checkerboards
    critic_width: Count = 32  # own; 64 as published
    halvings: Count = 2  # own: patches of 34 pixels, for pictures of 64 to 128; 3 as published: 70 pixels
    scales: Count = 1  # published
    critic_norm: Literal["instance", "none"] = "instance"  # published
    game: Literal["least-squares", "logistic", "hinge"] = "least-squares"  # published
    adversarial: Amount = 1.0  # published
    contrast: Amount = 1.0  # published: lambda_NCE, shared with `same`
    same: bool = True  # published: pictures of the wanted collection keep their places, too; the fast one has not
    turned: bool = False  # FastCUT: half of the pictures are translated mirrored, and their places still told
    patches_seen: Count = 256  # published: places of a map that are told apart
    temperature: Amount = 0.07  # published
    dim: Count = 256  # published: length of a place's vector
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
        "tiny": {"width": 8, "critic_width": 8, "blocks": 2, "patches_seen": 64, "dim": 32, "batch": 2},
        "fast": {
            "same": False,
            "contrast": 2.0,
            "turned": True,
        },  # FastCUT; its weight of 10 copies the picture (its issue 94)
        "published": {"width": 64, "blocks": 9, "change": False, "critic_width": 64, "halvings": 3, "crop": 256},
    }
    labels: ClassVar[str] = "ignored"
    sources: ClassVar[tuple[str, ...]] = ("a", "b")
    coupled: ClassVar[bool] = True
    half: ClassVar[bool] = True
    watched: ClassVar[int] = 64
    directions: ClassVar[tuple[str, ...]] = ("ab",)
    multiple_of: ClassVar[int] = 4
    remedies: ClassVar[Mapping[str, tuple[Remedy, ...]]] = {
        "overfitting": (Remedy(("augment",), to="diffaugment", over=("none",)),),
        "divergence": (SLOWER,),
        "copying": (Remedy(("contrast",), times=0.5), Remedy(("same",), to=False)),
        "inverted": (Remedy(("contrast",), times=2.0),),
        "pattern": (Remedy(("up",), to="resize", over=("transposed", "shuffle")),),
    }

    @property
    def receptive_field(self) -> int | None:
        return residual_radius(self.blocks)

    @property
    def _compared(self) -> int:
        """Residual blocks up to the last map that is compared: 5 of 9 as published."""
        return min(self.blocks, 5)

    def stride(self, spec: Spec) -> int:
        return 1 if self.crop else self.multiple_of

    def smallest(self) -> int:
        return max(self.crop, least_side(self.halvings, self.scales))

    def check(self, spec: Spec) -> None:
        check_crop(self.crop, self.multiple_of, least_side(self.halvings, self.scales), spec)
        super().check(spec)
        if spec.target is None:
            raise BadInput("cut needs two collections of pictures", "DATA", "give the second one, too")
        if spec.target != spec.channels:
            counts = f"{counted(spec.channels, 'channel')}, those of the other {spec.target}"
            what = f"the pictures of one collection have {counts}, and cut compares them by one net"
            raise BadInput(what, "", "give `--channels 3`")

    def networks(self, spec: Spec) -> nn.ModuleDict:
        channels, width = spec.channels, self.width
        net = ResidualTranslator(channels, channels, width, self.blocks, self.up, self.smooth, self.change)
        for layer in weighted(net):
            glorot_(layer)
        maps = [channels, 2 * width, *[4 * width] * (3 if self._compared > 1 else 2)]
        projector = PatchProjector(maps, self.dim)
        normal_(projector)
        for layer in weighted(projector):
            zero_bias_(layer)
        critic = ScaledCritics(channels, self.critic_width, self.halvings, self.critic_norm, self.scales)
        return nn.ModuleDict({"translator": net, "projector": projector, "critic": critic})

    def batch_specs(self) -> dict[str, BatchSpec]:
        return {side: BatchSpec(side, self.batch) for side in self.sources}

    def optimizers(self) -> dict[str, Optimizer]:
        rate = kept_then_linear(self.lr, self.decay_from)
        sides = {"translator": ("translator", "projector"), "critic": ("critic",)}
        return {name: Optimizer(networks, lr=rate, beta1=self.beta1) for name, networks in sides.items()}

    def phases(self) -> tuple[Phase, ...]:
        return Phase("translator", self.translator_loss), Phase("critic", self.critic_loss)

    def average(self) -> Average:
        return Average(("translator",), self.half_life)

    def state(self, spec: Spec) -> dict[str, Tensor]:
        """What was made in a step, for the critic's phase of the same step."""
        height, width = (self.crop, self.crop) if self.crop else (spec.height, spec.width)
        return {"made": torch.zeros(self.batch, spec.channels, height, width)}

    def _real(self, m: StepContext, side: str) -> Tensor:
        return parts(m, [m.batch[side].image], self.crop, self.flip, side)[0]

    def _judged(self, m: StepContext, image: Tensor) -> list[Tensor]:
        policy = self.augment_policy if self.augment == "diffaugment" else ""
        logits: list[Tensor] = m.networks["critic"](augmented(m, image, policy))
        return logits

    def translator_loss(self, m: StepContext) -> Terms:
        """The game, and the contrast of places; with `same` also that of pictures that should stay (eq. 4 and 5)."""
        given = self._real(m, "a")
        seen = torch.cat([given, self._real(m, "b")]) if self.same else given
        translator: Any = m.networks["translator"]
        turned = self._turned(m, len(seen))
        given_to = _mirrored(seen, turned)
        last, maps = translator.read(given_to, self._compared, self.blocks)
        answer = translator.answered(last, given_to)
        made = answer[: len(given)]
        terms = {str(self.game): self.adversarial * passing(self.game, self._judged(m, made))}
        if self.contrast:
            if turned is not None:
                with torch.no_grad():
                    maps = translator.read(seen, self._compared)[1]
            each = self._contrast(m, [x.detach() for x in maps], answer, turned)
            terms["contrast"] = self.contrast * each.mean()
        return Terms(terms, state={"made": gathered(m, made, self.batch)})

    def _turned(self, m: StepContext, count: int) -> Tensor | None:
        """bool [count]: which rows are seen mirrored."""
        rows = len(m.batch["a"])
        return (m.draw.at("turned").integers(rows, high=2) == 1).repeat(count // rows) if self.turned else None

    def _contrast(self, m: StepContext, keys: list[Tensor], made: Tensor, turned: Tensor | None) -> Tensor:
        """[B]: the mean over the compared maps, those of what was given and of what was made of it."""
        translator: Any = m.networks["translator"]
        queries = [_mirrored(x, turned) for x in translator.read(made, self._compared)[1]]
        places = [self._places(m, k, key) for k, key in enumerate(keys)]
        projector = m.networks["projector"]
        with torch.no_grad():
            known = projector(keys, places)
        pairs = zip(projector(queries, places), known, strict=True)
        return torch.stack([patch_contrast(query, key, self.temperature) for query, key in pairs]).mean(0)

    def _places(self, m: StepContext, k: int, x: Tensor) -> Tensor:
        """int64 [B, n] of a map's places, different ones as long as there are as many; the same for both halves."""
        count, rows = x.shape[2] * x.shape[3], len(m.batch["a"])
        chosen = m.draw.at(f"places/{k}").uniform(rows, count).argsort(1)[:, : self.patches_seen].to(x.device)
        return chosen.repeat(len(x) // rows, 1)

    def critic_loss(self, m: StepContext) -> Terms:
        """Real pictures of the second collection against what was made."""
        real = self._real(m, "b")
        made = own(m, m.state["made"], real)
        return Terms(critic_terms(self.game, lambda x: self._judged(m, x), real, made, self.penalty))

    def score(self, m: StepContext) -> dict[str, Tensor]:
        """How far held-out answers are, as a set, from the collection that they should pass for."""
        if not {"a", "b"} <= set(m.batch):
            return {}
        made = answers(shown(m, "translator"), m.batch["a"].image)
        return {"score": unpaired_score(made, m.batch["b"].image)}

    def translate(
        self, networks: nn.ModuleDict, image: Tensor, direction: str = "ab", draw: Draw | None = None
    ) -> Tensor:
        answer: Tensor = networks["translator"](image)
        return answer

    def judged(self, networks: nn.ModuleDict, given: Tensor, answer: Tensor, direction: str = "ab") -> Tensor:
        return each_mean(networks["critic"](answer))


def _mirrored(image: Tensor, turned: Tensor | None) -> Tensor:
    """[B, C, H, W] whose rows are mirrored where `turned`, bool [B], says so."""
    return image if turned is None else torch.where(turned.to(image.device)[:, None, None, None], image.flip(3), image)
