"""Relativistic GAN with R1 and R2 penalties, conditional or not (Huang et al. 2024, arXiv 2501.05441)."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from zeuxis.augmentation.discriminator import ada_ops, ada_pipe, ada_update, diff_augment
from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.losses.adversarial import relativistic_critic, relativistic_generator
from zeuxis.losses.penalties import gradient, squared_norm
from zeuxis.nets import init, residual_gan, strided
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
    Share,
    StepContext,
    Terms,
)
from zeuxis.schedule import cosine


@dataclass(frozen=True, kw_only=True)
class R3GAN(Recipe):
    """Pairs of real and fake are compared, and both are penalised; covers odd members of a class too.

    The default (`tiny`) is the small strided pair of the sweep on 28 px Fashion-MNIST: 1.68 M +
    1.64 M weights, about 490 pictures per second on one core; after 240 CPU-seconds its recall
    was the best of the sweep (0.74), with 89 % of the asked classes recognised (`cgan`: 0.66, 95 %).
    `few` augments what the critic sees, for hundreds of pictures; `gpu` and `published` have the
    residual pair of the paper, which needs a GPU and hours.
    """

    body: Literal["strided", "residual"] = "strided"  # sweep: at minutes the body decides; residual: section 3.4
    width: Count = 32  # strided: half the width of google/compare_gan v1 (sweep)
    widths: tuple[Count, ...] = (256, 256, 256, 128)  # residual: from the smallest map up; own, 2.3 M weights a net
    blocks: Count = 2  # residual: per stage, as published
    latent: Count = 64  # published
    batch: Count = 64  # sweep; 512 as published
    gamma: Amount = 1.0  # sweep: 1 to 5 is flat; published 0.05 (CIFAR-10) to 150 (FFHQ-256)
    gamma_end: Amount = 0.1  # published: a tenth
    lazy: Count = 4  # sweep: the penalty every 4th step, times 4 (Karras et al. 2020, arXiv 1912.04958); published 1
    lr: Amount = 2e-3  # sweep; 2e-4 as published, with larger batches
    lr_end: Amount = 5e-4  # published: a quarter
    beta2: Decay = 0.9  # published
    beta2_end: Decay = 0.99  # published
    half_life: OneOrMore = 2000.0  # images, sweep: 500 to 2,000 is flat; published 5 million
    ramp: Share = 0.1  # sweep
    augment: Literal["none", "diffaugment", "ada", "adaptive"] = "none"  # sweep: none; published: ada, on a schedule
    augment_policy: str = "color,translation,cutout"  # diffaugment, few pictures: arXiv 2006.10738
    augment_chance: Share = 0.3  # ada: chance at the end, rising from 0; published 0.3 (FFHQ), 0.55 (CIFAR-10)
    augment_target: Amount = 0.6  # adaptive: mean sign of the critic on real pictures (arXiv 2006.06676)
    augment_speed: Count = 50_000  # adaptive: images from chance 0 to 1; 500,000 as published, for longer runs
    domain: Literal["photo", "digits", "text"] = "photo"  # ada: digits and text are not flipped or rotated

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "tiny": {},
        "few": {  # own, for 100 to 1,000 pictures of 64 px; 300,000 images is the length used for 100-shot sets
            "batch": 16,  # data-efficient-gans: 16 beats 32 on 100-shot sets
            "gamma": 8.0,  # own: few pictures overfit the critic, so four times 2 (res / 64)^2
            "gamma_end": 8.0,
            "lazy": 1,
            "lr": 2e-4,
            "lr_end": 2e-4,
            "half_life": 2500.0,
            "ramp": 0.05,
            "augment": "diffaugment",
        },
        "gpu": {  # own, for 10 to 30 minutes on a GPU at 32 px; pictures wanted in multiples of 8
            "body": "residual",
            "batch": 256,
            "gamma": 0.5,
            "gamma_end": 0.05,
            "lazy": 1,
            "lr": 2e-4,
            "lr_end": 5e-5,
            "half_life": 100_000.0,
            "ramp": 0.05,
        },
        "published": {  # CIFAR-10: FID 1.96 after 250 million images
            "body": "residual",
            "widths": (768, 768, 768, 768),
            "batch": 512,
            "gamma": 0.05,
            "gamma_end": 0.005,
            "lazy": 1,
            "lr": 2e-4,
            "lr_end": 5e-5,
            "half_life": 5_000_000.0,
            "ramp": 0.25,
            "augment": "ada",
            "augment_chance": 0.55,
        },
    }
    excused: ClassVar[dict[str, str]] = {"parallel": "batch statistics are per process, as published"}
    coupled: ClassVar[bool] = True
    needs: ClassVar[tuple[Need, ...]] = (
        Need(32, False, 5_000, 60_000, "on fashion-mini", when={"body": "strided", "width": 32, "augment": "none"}),
        Need(32, True, 40_000, 5_000_000, "poor after 40,000; 5 million: arXiv 1711.10337", True, {"body": "strided"}),
        Need(64, True, 126_256, 300_000, "fog after 126,256; 300,000 in arXiv 2006.10738", True, {"body": "strided"}),
    )
    remedies: ClassVar[Mapping[str, tuple[Remedy, ...]]] = {
        "collapse": (Remedy(("gamma", "gamma_end"), times=4.0),),  # lies flat from 1 to 5 in the sweep: a large step
        "saturation": (
            Remedy(("augment",), to="diffaugment", over=("none",)),
            Remedy(("gamma", "gamma_end"), times=4.0),
        ),
        "penalty gap": (Remedy(("gamma", "gamma_end"), times=4.0),),
        "overfitting": (Remedy(("augment",), to="diffaugment", over=("none",)),),
        "divergence": (SLOWER_TO_THE_END, Remedy(("gamma", "gamma_end"), times=4.0)),
    }

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(self.widths))  # a list where the settings come from JSON

    def stride(self, spec: Spec) -> int:
        if self.body == "residual":
            return residual_gan.stride(len(self.widths))
        return strided.stride(spec.height, spec.width)

    def networks(self, spec: Spec) -> nn.ModuleDict:
        make = {"strided": self._strided, "residual": self._residual}[self.body]
        generator, critic = make(spec, (spec.height, spec.width))
        return nn.ModuleDict({"generator": generator, "critic": critic})

    def _strided(self, spec: Spec, size: tuple[int, int]) -> tuple[nn.Module, nn.Module]:
        generator = strided.StridedGenerator(self.latent, self.width, spec.channels, size, spec.condition)
        init.normal_(generator)
        critic = strided.StridedCritic(spec.channels, size, self.width, spec.condition)
        for layer in init.weighted(critic):
            init.scaled_(layer, init.LEAKY_GAIN)
        init.scaled_(critic.head.linear, 1.0)
        if critic.head.embedding is not None:
            std = init.LEAKY_GAIN / math.sqrt(critic.head.embedding.embedding_dim)
            nn.init.normal_(critic.head.embedding.weight, std=std)
        return generator, critic

    def _residual(self, spec: Spec, size: tuple[int, int]) -> tuple[nn.Module, nn.Module]:
        body = self.widths, self.blocks
        generator = residual_gan.ResidualGenerator(self.latent, *body, spec.channels, size, spec.condition)
        return generator, residual_gan.ResidualCritic(spec.channels, size, *body, spec.condition)

    def batch_specs(self) -> dict[str, BatchSpec]:
        return {"images": BatchSpec(size=self.batch)}

    def optimizers(self) -> dict[str, Optimizer]:
        lr, beta2 = cosine(self.lr, self.lr_end), cosine(self.beta2, self.beta2_end)
        return {name: Optimizer((name,), lr=lr, beta1=0.0, beta2=beta2) for name in ("critic", "generator")}

    def phases(self) -> tuple[Phase, ...]:
        return Phase("critic", self.critic_loss), Phase("generator", self.generator_loss, fresh=True)

    def average(self) -> Average:
        return Average(("generator",), self.half_life, self.ramp)

    def state(self, spec: Spec) -> dict[str, Tensor]:
        return {"chance": torch.zeros(())} if self.augment == "adaptive" else {}

    def critic_loss(self, m: StepContext) -> Terms:
        """softplus(-(D(x) - D(G(z)))) + gamma / 2 (R1 + R2), the penalties from the same pass."""
        batch = m.batch["images"]
        with torch.no_grad():
            fake = self.decode(m.networks, self._z(len(batch), m), batch.label)
        due = (m.step + 1) % self.lazy == 0
        both = torch.cat([batch.image, fake]).requires_grad_(due)
        labels = None if batch.label is None else batch.label.repeat(2)
        # row i of both halves is augmented alike, and the penalty is taken at the picture before that
        rows = m.draw.at("rows").index(len(batch)).repeat(2)
        logits = self.judge(m.networks, self._augmented(both, m, rows), labels)
        real, fake = logits.chunk(2)
        terms = {"relativistic": relativistic_critic(real, fake).mean()}
        watch = {"real": real.mean(), "fake": fake.mean()}
        if due:
            r1, r2 = (half.mean() for half in squared_norm(gradient(logits, both)).chunk(2))
            terms["penalty"] = 0.5 * cosine(self.gamma, self.gamma_end)(m.progress) * self.lazy * (r1 + r2)
            watch |= {"r1": r1, "r2": r2}
        return Terms(terms, self._next_chance(real, fake, m), watch)

    def _next_chance(self, real: Tensor, fake: Tensor, m: StepContext) -> dict[str, Tensor]:
        """The adapted chance; relativistic logits have no zero of their own, so signs count from the middle."""
        if "chance" not in m.state:
            return {}
        middle = 0.5 * (real.detach().mean() + fake.detach().mean())
        sign = torch.sign(real.detach() - middle).mean()
        return {"chance": ada_update(m.state["chance"], sign, self.batch, self.augment_target, self.augment_speed, 1)}

    def generator_loss(self, m: StepContext) -> Terms:
        """softplus(-(D(G(z)) - D(x))), the gradient through G(z) alone."""
        batch = m.batch["images"]
        rows = m.draw.at("rows").index(len(batch))
        with torch.no_grad():
            real = self.judge(m.networks, self._augmented(batch.image, m, rows), batch.label)
        image = self.decode(m.networks, self._z(len(batch), m), batch.label)
        fake = self.judge(m.networks, self._augmented(image, m, rows), batch.label)
        terms = {"relativistic": relativistic_generator(real, fake).mean()}
        return Terms(terms, watch={"real": real.mean(), "fake": fake.mean()})

    def _augmented(self, image: Tensor, m: StepContext, rows: Tensor) -> Tensor:
        return AUGMENTS[self.augment](self, image, m, rows)

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


def _ada(recipe: R3GAN, image: Tensor, m: StepContext, rows: Tensor) -> Tensor:
    chance = cosine(0.0, recipe.augment_chance)(m.progress)
    return ada_pipe(image, m.draw, chance, ada_ops(recipe.domain), rows)


def _adaptive(recipe: R3GAN, image: Tensor, m: StepContext, rows: Tensor) -> Tensor:
    return ada_pipe(image, m.draw, m.state["chance"], ada_ops(recipe.domain), rows)


AUGMENTS: dict[str, Callable[[R3GAN, Tensor, StepContext, Tensor], Tensor]] = {
    "none": lambda recipe, image, m, rows: image,
    "diffaugment": lambda recipe, image, m, rows: diff_augment(image, m.draw, recipe.augment_policy, rows),
    "ada": _ada,
    "adaptive": _adaptive,
}
