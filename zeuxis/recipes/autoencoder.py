"""Denoising autoencoder: through a latent vector and back, or fully convolutional through a small map."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.degrade.degradation import Degraded
from zeuxis.degrade.resize import bicubic
from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.losses.adversarial import relativistic_critic, relativistic_generator
from zeuxis.losses.fidelity import l1
from zeuxis.losses.penalties import gradient, squared_norm
from zeuxis.nets.autoencoding import BODIES
from zeuxis.nets.critics import PatchCritic
from zeuxis.nets.latent_maps import MapAutoencoder, map_radius
from zeuxis.nets.reconstructing import ConvBottleneck, LatentBottleneck, bottleneck_radius
from zeuxis.recipes._damaging import check_damage, damaged, flipped, held_out, shown, undo_loss, undo_score, warmed
from zeuxis.recipes.recipe import (
    Amount,
    Average,
    BatchSpec,
    Count,
    OneOrMore,
    Optimizer,
    Phase,
    Recipe,
    Share,
    StepContext,
    Terms,
    Whole,
    Yardstick,
)

_SIZE = 1e-4
"""Weight of the mean square of a map, which has no scale of its own."""


@dataclass(frozen=True, kw_only=True)
class Autoencoder(Recipe):
    """Learns pictures from damaged ones through a bottleneck (Vincent et al. 2008), without skips.

    `latent`: a vector per picture of one size, with the encoder and decoder of `vae`. `conv`: a map, for pictures
    of any size. `map`: the nets on whose maps `latentgan` learns, of 2 or 3 `levels`. What the bottleneck cannot
    hold is lost, so hold its score against "given": doing nothing. Of "clean" pictures, which need nothing done, hold
    it against "shrunk": what is left of them at a side as small as the map's.
    """

    body: Literal["conv", "map", "latent"] = "conv"  # own: without a vector; latent: Hinton and Salakhutdinov 2006
    damage: str = "noise=25"  # own: what it learns to undo, in the words of zeuxis.degrade.parsing; "clean": nothing
    width: Count = 32  # own: channels of the largest map; 32-64-128 is usual
    levels: Whole = 2  # own, conv and map: halvings
    code: Whole = 48  # own, conv: channels of the smallest map; 48 / 4^2 = 3 numbers a pixel, as many as in colour
    latent: Count = 64  # own, latent: numbers per picture, even; those of `vae` for 64 px
    noise: Share = 0.0  # own, map: deviations of a map's channels, at most, that the decoder sees it off by
    patch: Whole = 64  # own: pixels; with a latent vector also the size of every picture that it restores
    batch: Count = 16  # own
    lr: Amount = 1e-3  # own, Adam
    lr_end: Amount = 0.0  # own: cosine
    warm_up: Amount = 0.02  # own: share of the steps
    flip: bool = True  # own: the eight phases and mirrors
    half_life: OneOrMore = 2000.0  # own: pictures, never above 10 % of those seen
    gan: Amount = 0.0  # own, map: weight of the game against a critic of patches; 0: none, and what is fine is blurred
    gamma: Amount = 0.01  # own, of 0.01 to 1; with 0.05 and more the critic hardly learns
    lazy: Count = 4  # as `r3gan`
    alone: Share = 0.1  # own: share of the steps before the decoder heeds the critic
    critic_width: Count = 32  # own

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "tiny": {"width": 8, "code": 12, "patch": 32},
        "vector": {"body": "latent"},
        "map": {"body": "map", "damage": "clean", "noise": 0.4, "half_life": 8000.0, "gan": 0.1},
    }
    labels: ClassVar[str] = "ignored"
    patches: ClassVar[bool] = True
    watched: ClassVar[int] = 64
    scale: ClassVar[int] = 1

    @property
    def multiple_of(self) -> int:
        return 1 if self.body == "latent" else 2**self.levels

    @property
    def receptive_field(self) -> int | None:
        if self.body == "latent":
            return None
        return bottleneck_radius(self.levels) if self.body == "conv" else map_radius(2**self.levels)

    def stride(self, spec: Spec) -> int:
        return self.multiple_of

    def smallest(self) -> int:
        return max(8, self.multiple_of)

    def check(self, spec: Spec) -> None:
        super().check(spec)
        check_damage(self.damage, spec)
        if self.body == "latent" and (self.latent < 2 or self.latent % 2):
            raise BadInput(f"a latent vector of {self.latent} numbers has no two halves", "", "use an even --latent")
        if self.gan and self.body != "map":
            raise BadInput(f"`--body {self.body}` is trained without a critic", "", "leave --gan away")
        if self.body == "map" and self.levels not in (2, 3):
            raise BadInput(
                f"there is no net for `--body map` with `--levels {self.levels}`",
                "",
                "use `--levels 2` or `--levels 3`",
            )

    def networks(self, spec: Spec) -> nn.ModuleDict:
        make = {"conv": self._conv, "map": self._map, "latent": self._vector}[self.body]
        critic = {"critic": PatchCritic(spec.channels, self.critic_width, 2)} if self.gan else {}
        return nn.ModuleDict({"restorer": make(spec), **critic})

    def _conv(self, spec: Spec) -> nn.Module:
        return ConvBottleneck(spec.channels, self.width, self.levels, self.code)

    def _map(self, spec: Spec) -> nn.Module:
        return MapAutoencoder(2**self.levels, spec.channels, self.width)

    def _vector(self, spec: Spec) -> nn.Module:
        encoder, decoder = BODIES["conv"]
        size = (spec.height, spec.width)
        there = encoder(spec.channels, size, self.latent // 2, self.width)
        return LatentBottleneck(there, decoder(spec.channels, size, self.latent, self.width))

    def batch_specs(self) -> dict[str, BatchSpec]:
        return {"images": BatchSpec("images", self.batch)}

    def optimizers(self) -> dict[str, Optimizer]:
        rate = warmed(self.lr, self.lr_end, self.warm_up)
        optimizers = {"restorer": Optimizer(("restorer",), "adam", rate)}
        game = {"critic": Optimizer(("critic",), "adam", rate, beta1=0.0, beta2=0.99)} if self.gan else {}
        return {**optimizers, **game}

    def phases(self) -> tuple[Phase, ...]:
        critic = (Phase("critic", self.critic_loss),) if self.gan else ()
        return (*critic, Phase("restorer", self.restorer_loss))

    def average(self) -> Average:
        return Average(("restorer",), self.half_life)

    def restorer_loss(self, m: StepContext) -> Terms:
        """Mean squared difference to the clean pictures; of maps the mean absolute one, as where they come from."""
        return self._map_loss(m) if self.body == "map" else undo_loss(m, self.damage, self.flip)

    def _map_loss(self, m: StepContext) -> Terms:
        """A mean absolute error alone blurs what the map does not hold; in the game the decoder draws it."""
        answer, wanted, code = self._round_trip(m)
        terms = {"l1": l1(answer, wanted), "size": _SIZE * code.square().mean()}
        if self.gan:
            critic = m.networks["critic"]
            with torch.no_grad():
                real = critic(wanted)
            heeded = self.gan * float(m.progress >= self.alone)
            terms["game"] = heeded * relativistic_generator(real, critic(answer)).mean()
        return Terms(terms)

    def critic_loss(self, m: StepContext) -> Terms:
        """softplus(-(D(x) - D(x'))) of every patch + gamma / 2 (R1 + R2) of its slope, x' the round trip of x."""
        with torch.no_grad():
            answer, wanted, _ = self._round_trip(m)
        due = (m.step + 1) % self.lazy == 0
        both = torch.cat([wanted, answer]).requires_grad_(due)
        logits = m.networks["critic"](both)
        real, fake = logits.chunk(2)
        terms = {"relativistic": relativistic_critic(real, fake).mean()}
        if due:
            slope = squared_norm(gradient(logits, both)).mean() / logits[0].numel()
            terms["penalty"] = self.gamma * self.lazy * slope
        return Terms(terms, watch={"real": real.mean(), "fake": fake.mean()})

    def _round_trip(self, m: StepContext) -> tuple[Tensor, Tensor, Tensor]:
        """What the decoder makes of the maps, what it should, and the maps.

        A generator misses maps by a little: the decoder learns to draw pictures from such.
        """
        clean, net = flipped(m, self.flip), m.networks["restorer"]
        seen = damaged(clean, self.damage, m.draw)
        code = net.encode(seen.image)  # type: ignore[operator]
        if self.noise:
            off = m.draw.at("off").normal(len(code), *code.shape[1:]).to(code)
            level = self.noise * m.draw.at("level").uniform(len(code), 1, 1, 1).to(code)
            off = off * level * code.detach().std((2, 3), keepdim=True)
        answer: Tensor = net.decode(code + off if self.noise else code)  # type: ignore[operator]
        return answer, seen.wanted(clean), code

    def observe(self, clean: Tensor, draw: Draw) -> Degraded:
        """The damaged pictures that it learns from."""
        return damaged(clean, self.damage, draw)

    def yardstick(self, spec: Spec) -> Yardstick:
        if self._keeps:
            return Yardstick("score", "shrunk", f"shrinking the pictures by {2**self.levels} and enlarging them again")
        return Yardstick("score", "given", "leaving the pictures as they are")

    @property
    def _keeps(self) -> bool:
        """Whether there is nothing to undo, and pictures are only to be kept."""
        return self.damage in ("", "clean") and self.body != "latent"

    def score(self, m: StepContext) -> dict[str, Tensor]:
        if not self._keeps:
            return undo_score(m, self.damage)
        net = shown(m, "restorer")
        return held_out(m, lambda clean, draw: {"score": (net(clean), clean), "shrunk": (self._shrunk(clean), clean)})

    def _shrunk(self, clean: Tensor) -> Tensor:
        factor = 2**self.levels
        return bicubic(bicubic(clean, 1 / factor), factor)

    def features(self, networks: nn.ModuleDict, image: Tensor) -> Tensor:
        """The code of the pictures as given, [n, dim]; of the map all places."""
        code: Tensor = networks["restorer"].encode(image)  # type: ignore[operator]
        return code.flatten(1)

    def restore(
        self, networks: nn.ModuleDict, image: Tensor, known: Tensor | None = None, level: Tensor | None = None
    ) -> Tensor:
        answer: Tensor = networks["restorer"](image)
        return answer.clamp(-1, 1)
