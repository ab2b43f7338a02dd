"""SRGAN: SRResNet trained for fidelity first, then against a critic that wants texture."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.degrade.degradation import Degraded
from zeuxis.draw import Draw
from zeuxis.losses.adversarial import (
    non_saturating_critic,
    non_saturating_generator,
    relativistic_critic,
    relativistic_generator,
)
from zeuxis.losses.fidelity import DISTANCES
from zeuxis.nets.critics import Critic, PyramidCritic, UNetCritic, feature_distance
from zeuxis.nets.upscaling import BASE_REACH, PlainUpscaler, ResidualUpscaler, plain_radius, residual_radius
from zeuxis.recipes._damaging import check_damage, enlarged_score, flipped, small, warmed
from zeuxis.recipes.recipe import (
    GAME,
    Amount,
    Average,
    BatchSpec,
    Count,
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

Trainer = tuple[Callable[[Tensor, Tensor], Tensor], Callable[[Tensor, Tensor], Tensor]]
GAMES: dict[str, Trainer] = {
    "non-saturating": (non_saturating_critic, lambda real, fake: non_saturating_generator(fake)),
    "relativistic": (relativistic_critic, relativistic_generator),
}
"""What critic and generator minimise, of the logits of real and fake pictures, by name."""


@dataclass(frozen=True, kw_only=True)
class SRGAN(Recipe):
    """SRGAN (Ledig et al. 2017, arXiv 1609.04802), in two stages.

    From the share `stage` of the steps on, the generator also has to deceive a critic: textures look sharp, PSNR
    falls by about 2 dB, and detail is invented. Weights are kept at the end of the first stage: between them and the
    last ones lies a slider from fidelity to texture. The content loss of the source needs a VGG trained on ImageNet:
    with `content` "vgg16" the one that the person added (`zeuxis data weights add`), each map in units of its mean;
    otherwise the upscaler matches the maps inside the critic (pix2pixHD, arXiv 1711.11585; LaMa, arXiv 2109.07161).
    """

    scale: Literal[2, 3, 4] = 4  # published: 4
    body: Literal["residual", "compact"] = "residual"  # published; compact: that of the recipe `compact`
    width: Count = 32  # own, for two cores; 64 published
    blocks: Count = 8  # own; 16 published
    ends: Whole = 3  # own: side of the first and last convolution; 9 published
    norm: Literal["none", "batch"] = "none"  # own, as ESRGAN; batch published, whose nets mix badly on the slider
    skip: Literal["bicubic", "none"] = "bicubic"  # own; none published
    critic: Literal["pyramid", "unet"] = "pyramid"  # published; unet: Real-ESRGAN (arXiv 2107.10833)
    critic_width: Whole = 16  # own; 64 published, to 512
    critic_dense: Whole = 128  # own; 1024 published
    critic_norm: Literal["group", "batch", "spectral", "none"] = "group"  # own (arXiv 1803.08494); batch published
    critic_pool: bool = True  # own: reads the mean of its last map; the whole map published
    damage: str = ""  # own: what is done to the small picture, in the words of zeuxis.degrade.parsing
    patch: Whole = 96  # published: pixels of the large picture
    batch: Count = 16  # published
    stage: Amount = 0.9  # own: share of the steps at which the game begins; 1,000,000 of 1,200,000 published
    distance: Literal["l1", "mse", "charbonnier"] = "l1"  # Real-ESRGAN; mse published
    pixels: Amount = 1.0  # Real-ESRGAN: weight of that distance in the game
    content: Literal["critic", "vgg16"] = "critic"  # own: whose maps are matched; VGG19 published
    matching: Amount = 1.0  # own: weight of the maps, 10 times the game's as in pix2pixHD, LaMa and Real-ESRGAN
    adversarial: Amount = 0.1  # Real-ESRGAN: weight of the game; 1e-3 published, 5e-3 in ESRGAN
    loss: Literal["non-saturating", "relativistic"] = "non-saturating"  # published; relativistic: in pairs
    lr: Amount = 1e-3  # own, Adam, fidelity; 1e-4 published
    lr_end: Amount = 1e-4  # own: cosine to the end of the first stage; as lr published
    lr_game: Amount = 1e-4  # published: of both networks, a tenth of it in the second half of the game
    warm_up: Amount = 0.02  # own: share of the first stage
    flip: bool = True  # own: the eight phases and mirrors
    half_life: OneOrMore = 5_000.0  # own: pictures, never above 10 % of those seen; none published

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "tiny": {"width": 16, "blocks": 4, "critic_width": 8, "critic_dense": 32, "patch": 48},
        "published": {  # SRGAN-MSE of the paper: squared error in place of VGG, and no maps matched
            "width": 64, "blocks": 16, "ends": 9, "norm": "batch", "skip": "none", "critic_width": 64,
            "critic_dense": 1024, "critic_norm": "batch", "critic_pool": False, "stage": 10 / 12, "distance": "mse",
            "matching": 0.0, "adversarial": 1e-3, "lr": 1e-4, "lr_end": 1e-4, "warm_up": 0.0, "flip": False,
            "half_life": 1.0,
        },
    }  # fmt: skip
    coupled: ClassVar[bool] = True  # by the batch norms of the published nets
    labels: ClassVar[str] = "ignored"
    patches: ClassVar[bool] = True
    half: ClassVar[bool] = True
    passing: ClassVar[tuple[str, ...]] = ("content",)
    watched: ClassVar[int] = 64
    multiple_of: ClassVar[int] = 1
    remedies: ClassVar[Mapping[str, tuple[Remedy, ...]]] = {
        "divergence": (Remedy(("lr_game",), times=0.5), Remedy(("adversarial",), times=0.25)),
    }

    @property
    def receptive_field(self) -> int | None:
        if self.body == "compact":
            return max(BASE_REACH, plain_radius(self.blocks))
        return residual_radius(self.scale, self.blocks, self.ends)

    def stride(self, spec: Spec) -> int:
        return self.scale

    def smallest(self) -> int:
        return 4 * self.scale

    def check(self, spec: Spec) -> None:
        super().check(spec)
        check_damage(self.damage, spec, self.scale)

    def networks(self, spec: Spec) -> nn.ModuleDict:
        upscaler = self._upscaler(spec.channels)
        make = {"pyramid": self._pyramid, "unet": self._unet}[self.critic]
        return nn.ModuleDict({"upscaler": upscaler, "critic": make(spec)})

    def _upscaler(self, channels: int) -> nn.Module:
        if self.body == "compact":
            return PlainUpscaler(channels, self.scale, self.width, self.blocks, self.skip)
        return ResidualUpscaler(channels, self.scale, self.width, self.blocks, self.ends, self.norm, self.skip)

    def _pyramid(self, spec: Spec) -> Critic:
        size, dense = (spec.height, spec.width), self.critic_dense
        return PyramidCritic(spec.channels, size, self.critic_width, dense, self.critic_norm, self.critic_pool)

    def _unet(self, spec: Spec) -> Critic:
        return UNetCritic(spec.channels, self.critic_width)

    def batch_specs(self) -> dict[str, BatchSpec]:
        return {"images": BatchSpec("images", self.batch)}

    def game_rate(self, progress: float) -> float:
        """lr_game, a tenth of it in the second half of the game."""
        return self.lr_game * (1.0 if progress < 0.5 * (self.stage + 1) else 0.1)

    def rate(self, progress: float) -> float:
        """Of the generator: warm-up and cosine in the first stage, then that of the game."""
        if progress >= self.stage:
            return self.game_rate(progress)
        return warmed(self.lr, self.lr_end, self.warm_up)(progress / self.stage)

    def optimizers(self) -> dict[str, Optimizer]:
        resets = (self.stage,) if self.stage > 0 else ()
        upscaler = Optimizer(("upscaler",), "adam", self.rate, resets=resets)
        return {"upscaler": upscaler, "critic": Optimizer(("critic",), "adam", self.game_rate)}

    def phases(self) -> tuple[Phase, ...]:
        return (
            Phase("upscaler", self.fidelity_loss, when=lambda progress: progress < self.stage),
            Phase("critic", self.critic_loss, when=lambda progress: progress >= self.stage),
            Phase("upscaler", self.generator_loss, when=lambda progress: progress >= self.stage),
        )

    def average(self) -> Average:
        return Average(("upscaler",), self.half_life)

    def snapshots(self) -> tuple[float, ...]:
        """Progress at which weights are kept by name: the end of the first stage."""
        return (self.stage,) if 0 < self.stage < 1 else ()

    def fixed(self) -> dict[str, str]:
        """The content loss's VGG16, where it is asked for."""
        return {"vgg16": "lpips-vgg"} if self.content == "vgg16" else {}

    def _pair(self, m: StepContext) -> tuple[Tensor, Tensor]:
        """The small pictures and the large ones."""
        clean = flipped(m, self.flip)
        return small(clean, self.scale, self.damage, m.draw), clean

    def fidelity_loss(self, m: StepContext) -> Terms:
        """The distance to the large picture alone."""
        given, clean = self._pair(m)
        return Terms({self.distance: DISTANCES[self.distance](m.networks["upscaler"](given), clean)})

    def critic_loss(self, m: StepContext) -> Terms:
        """Large pictures are real, enlarged ones are not."""
        given, clean = self._pair(m)
        with torch.no_grad():
            image = m.networks["upscaler"](given)
        real, fake = m.networks["critic"](clean), m.networks["critic"](image)
        terms: dict[str, Tensor] = {self.loss: GAMES[self.loss][0](real, fake).mean()}
        return Terms(terms, watch={"real": real.mean(), "fake": fake.mean()})

    def generator_loss(self, m: StepContext) -> Terms:
        """The distance to the large picture, that of the maps of critic or VGG, and the game, each with its weight."""
        given, clean = self._pair(m)
        critic = m.networks["critic"]
        assert isinstance(critic, Critic)
        image = m.networks["upscaler"](given)
        with torch.no_grad():
            real, real_maps = critic.read(clean)
        fake, fake_maps = critic.read(image)
        if self.content == "vgg16":
            real_maps, fake_maps = _in_means(m.fixed["vgg16"], clean, image)
        terms: dict[str, Tensor] = {
            self.distance: self.pixels * DISTANCES[self.distance](image, clean),
            "matching": self.matching * feature_distance(fake_maps, real_maps),
            self.loss: self.adversarial * GAMES[self.loss][1](real, fake).mean(),
        }
        return Terms(terms, watch={"real": real.mean(), "fake": fake.mean()})

    def observe(self, clean: Tensor, draw: Draw) -> Degraded:
        """The small pictures that it learns from."""
        return Degraded(small(clean, self.scale, self.damage, draw))

    def yardstick(self, spec: Spec) -> Yardstick:
        return Yardstick("psnr", "bicubic", "plain bicubic enlarging", aside=GAME)

    def score(self, m: StepContext) -> dict[str, Tensor]:
        """PSNR on held-out squares, beside plain bicubic; it picks no best weights, for the game lowers it."""
        return enlarged_score(m, "upscaler", self.scale, self.damage)

    def restore(
        self, networks: nn.ModuleDict, image: Tensor, known: Tensor | None = None, level: Tensor | None = None
    ) -> Tensor:
        """[n, C, H * scale, W * scale]."""
        answer: Tensor = networks["upscaler"](image)
        return answer.clamp(-1, 1)


def _in_means(trunk: nn.Module, real: Tensor, fake: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """The trunk's maps of both pictures (grey ones as three equal channels), each in units of the real one's mean."""
    with torch.no_grad():
        wanted = trunk(real.expand(-1, 3, -1, -1))
    units = [w.abs().mean().clamp_min(1e-6) for w in wanted]
    got = trunk(fake.expand(-1, 3, -1, -1))
    return [w / u for w, u in zip(wanted, units)], [g / u for g, u in zip(got, units)]
