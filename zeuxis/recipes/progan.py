"""Progressive GAN: pictures grow from the coarsest resolution to the finest while it trains (Karras et al. 2018)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.losses import adversarial
from zeuxis.losses.classification import cross_entropy
from zeuxis.losses.penalties import drift, gradient_penalty, gradient_square
from zeuxis.nets.progressive import GrowingCritic, GrowingGenerator, at_level, channels_at, doublings
from zeuxis.recipes.recipe import (
    SLOWER_TO_THE_END,
    Amount,
    Average,
    BatchSpec,
    Count,
    Decay,
    OneOrMore,
    Optimizer,
    Part,
    Phase,
    Recipe,
    Remedy,
    StepContext,
    Terms,
    Whole,
)
from zeuxis.schedule import cosine


def generator_of(networks: nn.ModuleDict) -> GrowingGenerator:
    net = networks["generator"]
    assert isinstance(net, GrowingGenerator)
    return net


def critic_of(networks: nn.ModuleDict) -> GrowingCritic:
    net = networks["critic"]
    assert isinstance(net, GrowingCritic)
    return net


@dataclass(frozen=True, kw_only=True)
class ProGAN(Recipe):
    """Progressive growing (arXiv 1710.10196): pixel norm, equalised rates, minibatch standard deviation.

    Growth is a function of progress: with "halving" a level begins at 0.75 `full` times 1/2, 1/4 ... counted
    back from the last, and fades in over a third of its beginning, so coarse levels take little and everything
    from `full` on is at full size; with "equal", as published, stable and fading phases are equally long.
    With labels the critic also tells classes apart (AC-GAN, arXiv 1610.09585), as in the source.
    The default is small: after 50 CPU-seconds (22,000 pictures) the classes of Fashion-MNIST can be told apart.
    Real and generated minibatches are judged apart, for the critic sees how their samples differ.
    """

    loss: Literal["wgan-gp", "relativistic"] = "wgan-gp"  # section 5; relativistic with R1 and R2: arXiv 2501.05441
    base: Count = 128  # own: 64, 32, 16 channels on 7, 14, 28 px; 8192 in the source
    most: Count = 64  # own; 512 in the source
    least: Count = 16  # own, reached from 64 px on; the source's thinnest layer at 1024 px
    latent: Count = 64  # own; 512 in the source
    doublings: Whole = 5  # own: as many as the sides allow, down to 4 pixels; the source's 3 for 32 px
    growth: Literal["halving", "equal"] = "halving"  # own; equal in the source
    full: Part = 0.6  # own: full resolution from this progress on; 3,600 of 12,000 kimg for 32 px in the source
    batch: Count = 64  # source, at 32 px and below
    group: Count = 4  # source, minibatch standard deviation
    penalty: Amount = 10.0  # source, gradient penalty (lambda)
    drift: Amount = 1e-3  # source, appendix A.1
    class_weight: Amount = 1.0  # source, AC-GAN terms of both sides
    gamma: Amount = 1.0  # own, R1 and R2 of the relativistic loss
    lr: Amount = 1e-2  # own: with weights of deviation 1, 1e-3 barely moves them in a few hundred steps; source: 1e-3
    lr_end: Amount = 2.5e-3  # own: cosine to a quarter; constant in the source
    beta1: Decay = 0.0  # source
    beta2: Decay = 0.99  # source
    half_life: OneOrMore = 2000.0  # own: images; 44,300 in the source (0.999 a step of 64)

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "published": {  # tkarras/progressive_growing_of_gans for 32 px; more `doublings` for more pixels
            "base": 8192, "most": 512, "latent": 512, "doublings": 3, "growth": "equal", "full": 0.3,
            "lr": 1e-3, "lr_end": 1e-3, "half_life": 44300.0,
        },
        "tiny": {"base": 64, "most": 32, "latent": 32},
    }  # fmt: skip
    coupled: ClassVar[bool] = True
    remedies: ClassVar[Mapping[str, tuple[Remedy, ...]]] = {
        "collapse": (Remedy(("gamma",), times=4.0, when={"loss": "relativistic"}), SLOWER_TO_THE_END),
        "saturation": (Remedy(("gamma",), times=4.0, when={"loss": "relativistic"}), SLOWER_TO_THE_END),
        "penalty gap": (Remedy(("gamma",), times=4.0, when={"loss": "relativistic"}),),
        "divergence": (SLOWER_TO_THE_END,),
    }

    def stride(self, spec: Spec) -> int:
        return 4

    def widths(self, levels: int) -> list[int]:
        """Channels of level 0, 1 ... `levels`."""
        return [channels_at(k + 1, self.base, self.most, self.least) for k in range(levels + 1)]

    def networks(self, spec: Spec) -> nn.ModuleDict:
        size = (spec.height, spec.width)
        top = doublings(size, self.doublings)
        start, widths = (size[0] >> top, size[1] >> top), self.widths(top)
        hidden = channels_at(0, self.base, self.most, self.least)
        classes = spec.condition if spec.condition >= 2 else 0
        generator = GrowingGenerator(self.latent, classes, spec.channels, start, widths)
        critic = GrowingCritic(spec.channels, classes, start, widths, hidden, self.group)
        return nn.ModuleDict({"generator": generator, "critic": critic})

    def batch_specs(self) -> dict[str, BatchSpec]:
        return {"images": BatchSpec("images", self.batch)}

    def fades(self) -> list[tuple[float, float]]:
        """Progress at which each doubling begins and ends to fade in; a net with fewer doublings uses the last."""
        kinds: dict[str, Callable[[int], tuple[float, float]]] = {
            "halving": lambda k: (0.75 * self.full * 0.5**k, self.full * 0.5**k),
            "equal": lambda k: (self.full * (1 - (k + 0.5) / self.doublings), self.full * (1 - k / self.doublings)),
        }
        return [kinds[self.growth](k) for k in reversed(range(self.doublings))]

    def level(self, progress: float, top: int) -> float:
        """The level at this progress, 0 to `top`."""
        fades = self.fades()[-top:] if top else []
        return sum(min(1.0, max(0.0, (progress - begin) / (end - begin))) for begin, end in fades)

    def optimizers(self) -> dict[str, Optimizer]:
        resets = tuple(begin for begin, _ in self.fades())  # the source forgets Adam's moments at each new level
        rate = cosine(self.lr, self.lr_end)
        return {
            name: Optimizer((name,), "adam", rate, self.beta1, self.beta2, resets=resets)
            for name in ("critic", "generator")
        }

    def phases(self) -> tuple[Phase, ...]:
        return Phase("critic", self.critic_loss), Phase("generator", self.generator_loss)

    def average(self) -> Average:
        return Average(("generator",), self.half_life)

    def _scene(self, m: StepContext) -> tuple[float, Tensor, Tensor, Tensor | None]:
        """(level, reals at that level, fakes for the same labels, labels or None)."""
        batch, generator = m.batch["images"], generator_of(m.networks)
        level = self.level(m.progress, generator.top)
        label = batch.label if generator.classes else None
        fake = generator(self.latents(len(batch), m.draw), label, level)
        return level, at_level(batch.image, level, generator.top), fake, label

    def critic_loss(self, m: StepContext) -> Terms:
        with torch.no_grad():
            level, image, generated, label = self._scene(m)
        critic = m.networks["critic"]
        real, fake = critic(image, level), critic(generated, level)
        game = {"wgan-gp": self._wasserstein, "relativistic": self._relativistic}[self.loss]
        terms = game(lambda x: critic(x, level)[:, 0], real[:, 0], fake[:, 0], (image, generated), m.draw)
        if label is not None:
            terms["class_real"] = self.class_weight * cross_entropy(real[:, 1:], label).mean()
            terms["class_fake"] = self.class_weight * cross_entropy(fake[:, 1:], label).mean()
        steep: dict[str, Tensor] = {name: terms[name] for name in ("r1", "r2") if name in terms}
        return Terms(terms, watch={"real": real[:, 0].mean(), "fake": fake[:, 0].mean(), **steep})

    def _wasserstein(
        self, judge: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, images: tuple[Tensor, Tensor], draw: Draw
    ) -> dict[str, Tensor]:
        return {
            "wasserstein": adversarial.wasserstein_critic(real, fake).mean(),
            "penalty": self.penalty * gradient_penalty(judge, *images, draw).mean(),
            "drift": self.drift * drift(real).mean(),
        }

    def _relativistic(
        self, judge: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, images: tuple[Tensor, Tensor], draw: Draw
    ) -> dict[str, Tensor]:
        r1, r2 = (0.5 * self.gamma * gradient_square(judge, x).mean() for x in images)
        return {"relativistic": adversarial.relativistic_critic(real, fake).mean(), "r1": r1, "r2": r2}

    def generator_loss(self, m: StepContext) -> Terms:
        level, image, generated, label = self._scene(m)
        critic = m.networks["critic"]
        fake = critic(generated, level)
        if self.loss == "relativistic":
            with torch.no_grad():
                real = critic(image, level)[:, 0]
            terms = {"relativistic": adversarial.relativistic_generator(real, fake[:, 0]).mean()}
        else:
            terms = {"wasserstein": adversarial.wasserstein_generator(fake[:, 0]).mean()}
        if label is not None:
            terms["class"] = self.class_weight * cross_entropy(fake[:, 1:], label).mean()
        return Terms(terms, watch={"fake": fake[:, 0].mean(), "level": torch.tensor(level)})

    def latents(self, n: int, draw: Draw) -> Tensor:
        return draw.at("z").normal(n, self.latent)

    def decode(self, networks: nn.ModuleDict, latents: Tensor, condition: Tensor | None) -> Tensor:
        """Full size at the level the generator last trained at, clipped to [-1, 1]."""
        return generator_of(networks).picture(latents, condition)

    def judge(self, networks: nn.ModuleDict, image: Tensor, condition: Tensor | None) -> Tensor:
        critic = critic_of(networks)
        return critic.of_picture(image, critic)[:, 0]

    def features(self, networks: nn.ModuleDict, image: Tensor) -> Tensor:
        critic = critic_of(networks)
        return critic.of_picture(image, critic.features)
