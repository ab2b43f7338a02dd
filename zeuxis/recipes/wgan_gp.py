"""Wasserstein GAN with gradient penalty (Gulrajani et al. 2017, arXiv 1704.00028)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.losses.adversarial import wasserstein_critic, wasserstein_generator
from zeuxis.losses.penalties import drift, gradient_penalty
from zeuxis.nets import init, strided, wgan
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
)


@dataclass(frozen=True, kw_only=True)
class WGANGP(Recipe):
    """The critic estimates a distance between real and fake; its loss falls as the pictures get better.

    The default is the small strided pair without norm in the critic, 1.68 M + 1.64 M weights at
    28 px, 3.3 million multiplications each. `published` is the pair of the paper's code for MNIST,
    1.55 M + 1.03 M weights, five critic steps to one: an hour-scale recipe on two cores.
    """

    body: Literal["strided", "published"] = "strided"  # google/compare_gan v1; gan_mnist.py
    width: Count = 32  # sweep: half the width of compare_gan v1; 64 in gan_mnist.py
    latent: Count = 64  # compare_gan v1; 128 in gan_mnist.py
    batch: Count = 64  # compare_gan v1; 50 in gan_mnist.py
    critic_steps: Count = 1  # own: critic steps to one of the generator; 5 as published costs four times
    penalty: Amount = 10.0  # published: lambda
    drift: Amount = 1e-3  # Karras et al. 2018, arXiv 1710.10196; 0 as published
    lr: Amount = 1e-4  # published
    beta1: Decay = 0.0  # published for residual nets; 0.5 in gan_mnist.py
    beta2: Decay = 0.9  # published
    half_life: OneOrMore = 2000.0  # images, as in the sweep of other losses

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "published": {  # igul222/improved_wgan_training, gan_mnist.py
            "body": "published",
            "width": 64,
            "latent": 128,
            "batch": 50,
            "critic_steps": 5,
            "drift": 0.0,
            "beta1": 0.5,
        },
    }
    excused: ClassVar[dict[str, str]] = {"parallel": "batch statistics are per process, as published"}
    coupled: ClassVar[bool] = True
    remedies: ClassVar[Mapping[str, tuple[Remedy, ...]]] = {
        "collapse": (Remedy(("critic_steps",), to=5, over=(1, 2, 3, 4)), SLOWER),
        "divergence": (Remedy(("drift",), to=1e-3, over=(0.0,)), SLOWER),
    }

    def stride(self, spec: Spec) -> int:
        return strided.stride(spec.height, spec.width) if self.body == "strided" else 1

    def networks(self, spec: Spec) -> nn.ModuleDict:
        return {"strided": self._strided, "published": self._published}[self.body](spec, (spec.height, spec.width))

    def _strided(self, spec: Spec, size: tuple[int, int]) -> nn.ModuleDict:
        generator = strided.StridedGenerator(self.latent, self.width, spec.channels, size, spec.condition)
        critic = strided.StridedCritic(spec.channels, size, self.width, spec.condition)
        init.normal_(generator)
        for layer in init.weighted(critic):
            init.scaled_(layer, init.LEAKY_GAIN)
        init.scaled_(critic.head.linear, 1.0)
        return nn.ModuleDict({"generator": generator, "critic": critic})

    def _published(self, spec: Spec, size: tuple[int, int]) -> nn.ModuleDict:
        generator = wgan.CroppingGenerator(self.latent, self.width, spec.channels, size, spec.condition)
        critic = wgan.PlainCritic(spec.channels, size, self.width, spec.condition)
        for net in (generator, critic):
            for layer in init.weighted(net):
                # the code's convolutions begin with the variance of He's rule, its dense layers with Glorot's
                init.glorot_(layer, 1.0 if isinstance(layer, nn.Linear) else 2**0.5)
        return nn.ModuleDict({"generator": generator, "critic": critic})

    def batch_specs(self) -> dict[str, BatchSpec]:
        return {"images": BatchSpec(size=self.batch)}

    def optimizers(self) -> dict[str, Optimizer]:
        return {
            name: Optimizer((name,), lr=self.lr, beta1=self.beta1, beta2=self.beta2) for name in ("critic", "generator")
        }

    def phases(self) -> tuple[Phase, ...]:
        return Phase("critic", self.critic_loss), Phase("generator", self.generator_loss, every=self.critic_steps)

    def average(self) -> Average:
        return Average(("generator",), self.half_life)

    def critic_loss(self, m: StepContext) -> Terms:
        """D(G(z)) - D(x) + lambda (||grad D|| - 1)^2 between the two + drift D(x)^2."""
        batch = m.batch["images"]
        with torch.no_grad():
            image = self.decode(m.networks, self._z(len(batch), m), batch.label)
        labels = None if batch.label is None else batch.label.repeat(2)
        real, fake = self.judge(m.networks, torch.cat([batch.image, image]), labels).chunk(2)
        judge = partial(self.judge, m.networks, condition=batch.label)
        terms = {
            "wasserstein": wasserstein_critic(real, fake).mean(),
            "penalty": self.penalty * gradient_penalty(judge, batch.image, image, m.draw).mean(),
        }
        if self.drift:
            terms["drift"] = self.drift * drift(real).mean()
        return Terms(terms, watch={"real": real.mean(), "fake": fake.mean()})

    def generator_loss(self, m: StepContext) -> Terms:
        batch = m.batch["images"]
        image = self.decode(m.networks, self._z(len(batch), m), batch.label)
        fake = self.judge(m.networks, image, batch.label)
        return Terms({"wasserstein": wasserstein_generator(fake).mean()}, watch={"fake": fake.mean()})

    def _z(self, n: int, m: StepContext) -> Tensor:
        return self.latents(n, m.draw).to(m.batch["images"].image)

    def latents(self, n: int, draw: Draw) -> Tensor:
        return draw.at("z").normal(n, self.latent)

    def decode(self, networks: nn.ModuleDict, latents: Tensor, condition: Tensor | None) -> Tensor:
        image: Tensor = networks["generator"](latents, condition)
        return image

    def judge(self, networks: nn.ModuleDict, image: Tensor, condition: Tensor | None) -> Tensor:
        logits: Tensor = networks["critic"](image, condition)
        return logits
