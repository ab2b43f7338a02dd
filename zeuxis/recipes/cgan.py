"""Class-conditional GAN with a projection critic, hinge loss and spectral norm (Miyato and Koyama 2018)."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.losses.adversarial import hinge_critic, hinge_generator
from zeuxis.nets import init, sngan, strided
from zeuxis.recipes.recipe import (
    SLOWER_TO_THE_END,
    Amount,
    Average,
    BatchSpec,
    Count,
    Decay,
    Need,
    OneOrMore,
    Optimizer,
    Phase,
    Recipe,
    Remedy,
    StepContext,
    Terms,
)
from zeuxis.schedule import cosine, linear


@dataclass(frozen=True, kw_only=True)
class CGAN(Recipe):
    """Projection GAN (arXiv 1802.05637) with hinge loss and spectral norm (arXiv 1802.05957).

    The default is the small strided pair that scored best in a sweep on 28 px Fashion-MNIST:
    1.68 M + 1.64 M weights, 3.3 million multiplications each, about 530 pictures per second
    on one core; after 240 CPU-seconds a classifier agreed with 95 % of the asked classes.
    `published` is the residual pair for 32 px, five critic steps to one: hours on a GPU.
    Without labels both are ordinary, unconditional GANs.
    """

    body: Literal["strided", "residual"] = "strided"  # own sweep on Fashion-MNIST; residual: arXiv 1802.05957, table 4
    width: Count = 32  # sweep: half the width of google/compare_gan v1; residual: 128 (critic), twice that in G
    latent: Count = 64  # compare_gan v1; 128 in SNGAN
    batch: Count = 64  # sweep, SNGAN
    generator_batches: Count = 1  # sweep; 2 in SNGAN: G learns from twice as many fakes as the critic
    critic_steps: Count = 1  # sweep; 5 in SNGAN
    lr: Amount = 1e-3  # sweep; 2e-4 in SNGAN
    lr_end: Amount = 2.5e-4  # sweep: a quarter; 0 in SNGAN
    decay: Literal["cosine", "linear"] = "cosine"  # sweep; linear in SNGAN
    beta1: Decay = 0.0  # SNGAN and sweep
    beta2: Decay = 0.9  # SNGAN and sweep
    half_life: OneOrMore = 2000.0  # images, sweep: 500 to 2,000 is flat

    presets: ClassVar = {
        "published": {  # pfnet-research/sngan_projection, CIFAR-10
            "body": "residual",
            "width": 128,
            "latent": 128,
            "batch": 64,
            "generator_batches": 2,
            "critic_steps": 5,
            "lr": 2e-4,
            "lr_end": 0.0,
            "decay": "linear",
        },
    }
    excused: ClassVar = {"parallel": "batch statistics are per process, as published"}
    coupled: ClassVar = True
    needs: ClassVar = (
        Need(32, False, 2_000, 40_000, "on fashion-mini", when={"body": "strided", "width": 32}),
        Need(32, True, 30_000, 5_000_000, "poor after 100,000; 5 million in arXiv 1711.10337", True),
        Need(64, True, 56_256, 6_500_000, "fog after 56,256; 6.5 million in arXiv 1711.10337", True),
    )
    remedies: ClassVar = {
        "collapse": (SLOWER_TO_THE_END,),
        "saturation": (Remedy(("critic_steps",), to=1), SLOWER_TO_THE_END),
        "divergence": (SLOWER_TO_THE_END,),
    }

    def stride(self, spec: Spec) -> int:
        return {"strided": strided.stride, "residual": sngan.stride}[self.body](spec.height, spec.width)

    def networks(self, spec: Spec) -> nn.ModuleDict:
        return {"strided": self._strided, "residual": self._residual}[self.body](spec, (spec.height, spec.width))

    def _strided(self, spec: Spec, size: tuple[int, int]) -> nn.ModuleDict:
        generator = strided.StridedGenerator(self.latent, self.width, spec.channels, size, spec.condition)
        init.normal_(generator)
        critic = strided.StridedCritic(spec.channels, size, self.width, spec.condition, norm="spectral")
        return nn.ModuleDict({"generator": generator, "critic": critic})

    def _residual(self, spec: Spec, size: tuple[int, int]) -> nn.ModuleDict:
        generator = sngan.SNGANGenerator(self.latent, 2 * self.width, spec.channels, size, spec.condition)
        critic = sngan.SNGANCritic(spec.channels, size, self.width, spec.condition)
        return nn.ModuleDict({"generator": generator, "critic": critic})

    def batch_specs(self) -> dict[str, BatchSpec]:
        return {"images": BatchSpec(size=self.batch)}

    def optimizers(self) -> dict[str, Optimizer]:
        rate = {"cosine": cosine, "linear": linear}[self.decay](self.lr, self.lr_end)
        return {
            name: Optimizer((name,), lr=rate, beta1=self.beta1, beta2=self.beta2) for name in ("critic", "generator")
        }

    def phases(self) -> tuple[Phase, ...]:
        return Phase("critic", self.critic_loss), Phase("generator", self.generator_loss, every=self.critic_steps)

    def average(self) -> Average:
        return Average(("generator",), self.half_life)

    def critic_loss(self, m: StepContext) -> Terms:
        batch = m.batch["images"]
        with torch.no_grad():
            fake = self.decode(m.networks, self._z(len(batch), m), batch.label)
        labels = None if batch.label is None else batch.label.repeat(2)
        real, fake = self.judge(m.networks, torch.cat([batch.image, fake]), labels).chunk(2)
        return Terms({"hinge": hinge_critic(real, fake).mean()}, watch={"real": real.mean(), "fake": fake.mean()})

    def generator_loss(self, m: StepContext) -> Terms:
        batch = m.batch["images"]
        labels = None if batch.label is None else batch.label.repeat(self.generator_batches)
        z = self._z(len(batch) * self.generator_batches, m)
        fake = self.judge(m.networks, self.decode(m.networks, z, labels), labels)
        return Terms({"hinge": hinge_generator(fake).mean()}, watch={"fake": fake.mean()})

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
