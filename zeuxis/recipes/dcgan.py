"""Deep convolutional GAN for 28 to 128 px (Radford et al. 2016, arXiv 1511.06434)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.losses import adversarial
from zeuxis.nets import dcgan, init, strided
from zeuxis.nets.randomness import LATENT_LAWS
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
from zeuxis.schedule import cosine

Pair = tuple[nn.Module, nn.Module]


@dataclass(frozen=True, kw_only=True)
class DCGAN(Recipe):
    """Transposed convolutions with batch norm against convolutions with batch norm.

    The default is the pair with published scores on 28 px (Lucic et al. 2018, arXiv 1711.10337,
    code google/compare_gan v1; tuned, after a million images, FID 6.8 on MNIST and 26.5 on
    Fashion-MNIST): 6.64 M + 6.56 M weights, 13 million multiplications each, about 140 pictures a
    second on one core. `tiny`, half as wide, makes 600 and is the better one below an hour.
    """

    body: Literal["strided", "examples", "tutorial", "dense-start"] = "strided"  # compare_gan v1
    width: Count = 64  # compare_gan v1 and all other bodies: channels of the largest map
    latent: Count = 64  # compare_gan v1; 100 elsewhere
    law: Literal["uniform", "normal"] = "uniform"  # compare_gan v1; normal elsewhere
    loss: Literal["non-saturating", "least-squares"] = "non-saturating"  # least squares: arXiv 1611.04076
    batch: Count = 64  # compare_gan v1
    lr: Amount = 2e-4  # Radford et al.; compare_gan's search ends between 1e-4 and 1e-3
    lr_end: Amount = 2e-4  # published: constant
    beta1: Decay = 0.5  # Radford et al.
    beta2: Decay = 0.999  # the optimizer's default, as published
    half_life: OneOrMore = 500.0  # images, sweep: this pair wants almost no averaging

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "tiny": {"width": 32, "lr": 5e-4, "lr_end": 1.25e-4},  # sweep on Fashion-MNIST at 90 CPU-seconds
        "classic": {  # TensorFlow tutorial; 28 px
            "body": "tutorial",
            "latent": 100,
            "law": "normal",
            "batch": 256,
            "lr": 1e-4,
            "lr_end": 1e-4,
            "beta1": 0.9,
        },
        "larger": {"body": "dense-start", "latent": 100, "law": "normal", "batch": 32},  # 64 px in colour
        "published": {"body": "examples", "latent": 100, "law": "normal"},  # pytorch/examples dcgan; 64 px in colour
    }
    excused: ClassVar[dict[str, str]] = {"parallel": "batch statistics are per process, as published"}
    coupled: ClassVar[bool] = True
    needs: ClassVar[tuple[Need, ...]] = (
        Need(32, False, 20_000, 150_000, "on fashion-mini", when={"body": "strided", "width": 32}),
    )
    remedies: ClassVar[Mapping[str, tuple[Remedy, ...]]] = {
        "collapse": (SLOWER_TO_THE_END, Remedy(("loss",), to="least-squares")),
        "saturation": (Remedy(("loss",), to="least-squares"), SLOWER_TO_THE_END),
        "divergence": (SLOWER_TO_THE_END,),
    }

    def stride(self, spec: Spec) -> int:
        rule = dcgan.example_stride if self.body == "examples" else strided.stride
        return rule(spec.height, spec.width)

    def networks(self, spec: Spec) -> nn.ModuleDict:
        generator, critic = BODIES[self.body](self, spec)
        return nn.ModuleDict({"generator": generator, "critic": critic})

    def batch_specs(self) -> dict[str, BatchSpec]:
        return {"images": BatchSpec(size=self.batch)}

    def optimizers(self) -> dict[str, Optimizer]:
        lr = cosine(self.lr, self.lr_end)
        return {name: Optimizer((name,), lr=lr, beta1=self.beta1, beta2=self.beta2) for name in ("critic", "generator")}

    def phases(self) -> tuple[Phase, ...]:
        return Phase("critic", self.critic_loss), Phase("generator", self.generator_loss)

    def average(self) -> Average:
        return Average(("generator",), self.half_life)

    def critic_loss(self, m: StepContext) -> Terms:
        """Real and fake go through the critic apart, since its batch norm would mix them."""
        batch = m.batch["images"]
        with torch.no_grad():
            image = self.decode(m.networks, self._z(len(batch), m), batch.label)
        real = self.judge(m.networks, batch.image, batch.label)
        fake = self.judge(m.networks, image, batch.label)
        terms = {str(self.loss): LOSSES[self.loss][0](real, fake).mean()}
        return Terms(terms, watch={"real": real.mean(), "fake": fake.mean()})

    def generator_loss(self, m: StepContext) -> Terms:
        batch = m.batch["images"]
        image = self.decode(m.networks, self._z(len(batch), m), batch.label)
        fake = self.judge(m.networks, image, batch.label)
        return Terms({str(self.loss): LOSSES[self.loss][1](fake).mean()}, watch={"fake": fake.mean()})

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


LOSSES: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "non-saturating": (adversarial.non_saturating_critic, adversarial.non_saturating_generator),
    "least-squares": (adversarial.least_squares_critic, adversarial.least_squares_generator),
}


def _strided(r: DCGAN, spec: Spec) -> Pair:
    size = (spec.height, spec.width)
    pair = (
        strided.StridedGenerator(r.latent, r.width, spec.channels, size, spec.condition, bias=True, output="sigmoid"),
        strided.StridedCritic(spec.channels, size, r.width, spec.condition, norm="batch"),
    )
    for net in pair:
        init.normal_(net, 0.02)
    return pair


def _examples(r: DCGAN, spec: Spec) -> Pair:
    size = (spec.height, spec.width)
    pair = (
        dcgan.ExampleGenerator(r.latent, r.width, spec.channels, size, spec.condition),
        dcgan.ExampleCritic(spec.channels, size, r.width, spec.condition),
    )
    for net in pair:
        init.normal_(net, 0.02)
        init.norm_gains_(net, 0.02)
    return pair


def _tutorial(r: DCGAN, spec: Spec) -> Pair:
    size = (spec.height, spec.width)
    pair = (
        dcgan.TutorialGenerator(r.latent, r.width, spec.channels, size, spec.condition),
        dcgan.TutorialCritic(spec.channels, size, r.width, spec.condition),
    )
    for net in pair:
        for layer in init.weighted(net):
            init.glorot_(layer)
    return pair


def _dense_start(r: DCGAN, spec: Spec) -> Pair:
    size = (spec.height, spec.width)
    pair = (
        dcgan.DenseStartGenerator(r.latent, r.width, spec.channels, size, spec.condition),
        dcgan.DenseStartCritic(spec.channels, size, r.width, spec.condition),
    )
    for net in pair:
        for layer in init.weighted(net):
            init.glorot_(layer)
    return pair


BODIES: dict[str, Callable[[DCGAN, Spec], Pair]] = {
    "strided": _strided,
    "examples": _examples,
    "tutorial": _tutorial,
    "dense-start": _dense_start,
}
