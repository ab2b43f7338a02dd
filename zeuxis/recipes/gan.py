"""Fully connected GAN, the first one and the fastest (Goodfellow et al. 2014, arXiv 1406.2661)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.losses.adversarial import non_saturating_critic, non_saturating_generator
from zeuxis.nets import mlp
from zeuxis.nets.randomness import LATENT_LAWS
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
    StepContext,
    Terms,
    Whole,
)


@dataclass(frozen=True, kw_only=True)
class GAN(Recipe):
    """Dense layers only: about 0.6 + 0.5 million multiplications a picture at 28 px, thousands of pictures a second.

    For teaching and for trying things out: its pictures stay speckled. With labels both networks
    take them as a one-hot vector (Mirza and Osindero 2014, arXiv 1411.1784).
    """

    latent: Count = 100  # eriklindernoren/PyTorch-GAN gan.py
    law: Literal["normal", "uniform"] = "normal"  # gan.py; the classic net draws from (-1, 1)
    first: Count = 128  # gan.py: width of the generator's first layer, each next one twice as wide
    layers: Whole = 3  # hidden layers of the generator; 4 in gan.py
    norm: bool = True  # gan.py: batch norm on all but the first (its eps of 0.8 is a slip, 1e-5 here)
    critic_first: Count = 512  # gan.py: width of the critic's first layer, each next one half as wide
    critic_layers: Whole = 2  # gan.py
    batch: Count = 64  # gan.py
    lr: Amount = 2e-4  # gan.py and the classic net
    beta1: Decay = 0.5  # gan.py
    beta2: Decay = 0.999  # gan.py
    half_life: OneOrMore = 1000.0  # images, own: short beside some 100,000 a minute

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "classic": {  # 100 uniform - 128 - 256 - 512 - pixels against 512 - 256 - 128 - 1, batch 128
            "law": "uniform",
            "norm": False,
            "critic_layers": 3,
            "batch": 128,
        },
        "published": {"layers": 4},  # gan.py: 100 - 128 - 256 - 512 - 1024 - pixels
    }
    excused: ClassVar[dict[str, str]] = {"parallel": "batch statistics are per process, as published"}
    coupled: ClassVar[bool] = True
    remedies: ClassVar[Mapping[str, tuple[Remedy, ...]]] = {
        "collapse": (SLOWER, Remedy(("norm",), to=True)),
        "saturation": (SLOWER, Remedy(("critic_first",), times=0.5)),
        "divergence": (SLOWER,),
    }

    def networks(self, spec: Spec) -> nn.ModuleDict:
        shape = (spec.channels, spec.height, spec.width)
        up = [self.first * 2**i for i in range(self.layers)]
        down = [max(1, self.critic_first // 2**i) for i in range(self.critic_layers)]
        generator = mlp.MLPGenerator(self.latent, up, shape, spec.condition, self.norm)
        return nn.ModuleDict({"generator": generator, "critic": mlp.MLPCritic(shape, down, spec.condition)})

    def batch_specs(self) -> dict[str, BatchSpec]:
        return {"images": BatchSpec(size=self.batch)}

    def optimizers(self) -> dict[str, Optimizer]:
        return {
            name: Optimizer((name,), lr=self.lr, beta1=self.beta1, beta2=self.beta2) for name in ("critic", "generator")
        }

    def phases(self) -> tuple[Phase, ...]:
        return Phase("critic", self.critic_loss), Phase("generator", self.generator_loss)

    def average(self) -> Average:
        return Average(("generator",), self.half_life)

    def critic_loss(self, m: StepContext) -> Terms:
        batch = m.batch["images"]
        with torch.no_grad():
            image = self.decode(m.networks, self._z(len(batch), m), batch.label)
        labels = None if batch.label is None else batch.label.repeat(2)
        real, fake = self.judge(m.networks, torch.cat([batch.image, image]), labels).chunk(2)
        terms = {"logistic": non_saturating_critic(real, fake).mean()}
        return Terms(terms, watch={"real": real.mean(), "fake": fake.mean()})

    def generator_loss(self, m: StepContext) -> Terms:
        batch = m.batch["images"]
        image = self.decode(m.networks, self._z(len(batch), m), batch.label)
        fake = self.judge(m.networks, image, batch.label)
        return Terms({"logistic": non_saturating_generator(fake).mean()}, watch={"fake": fake.mean()})

    def _z(self, n: int, m: StepContext) -> Tensor:
        return self.latents(n, m.draw).to(m.batch["images"].image)

    def latents(self, n: int, draw: Draw) -> Tensor:
        return LATENT_LAWS[self.law](draw.at("z"), n, self.latent)

    def decode(self, networks: nn.ModuleDict, latents: Tensor, condition: Tensor | None) -> Tensor:
        image: Tensor = networks["generator"](latents, condition)
        return image

    def judge(self, networks: nn.ModuleDict, image: Tensor, condition: Tensor | None) -> Tensor:
        logits: Tensor = networks["critic"](image, condition)
        return logits
