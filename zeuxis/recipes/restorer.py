"""Nets that repair pictures of any listed damage: blind, or told the level of the noise; with or without a critic."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.degrade.degradation import Degraded
from zeuxis.degrade.parsing import parse
from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.losses.adversarial import non_saturating_critic, non_saturating_generator
from zeuxis.losses.fidelity import DISTANCES, fft_l1
from zeuxis.nets.critics import Critic, UNetCritic, feature_distance
from zeuxis.nets.restoring import BODIES, unet_radius
from zeuxis.nets.third_party import PUBLISHED
from zeuxis.recipes._damaging import check_damage, flipped, held_out, shown, warmed
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

HAIR = 1e-5
"""Of [-1, 1]: how far apart the channels of a grey picture are for a teacher of colours; equal ones get one noise."""


@dataclass(frozen=True, kw_only=True)
class Restorer(Recipe):
    """A residual net from damaged pictures to clean ones, in the manner of FFDNet and DRUNet (arXiv 2008.13751).

    `damage` is what it learns to undo, in the words of `zeuxis.degrade.parsing`. With `noise_map` it reads the
    standard deviation of the noise as one more channel (FFDNet, arXiv 1710.04026); without it, it is blind. With
    `gan` above zero, from the share `stage` of the steps on, it also has to deceive a U-Net critic (Real-ESRGAN,
    arXiv 2107.10833): texture in place of smoothness, at the cost of PSNR; the first stage's weights are kept.
    With a `teacher`, a share of every batch has its answers for a target (Hinton et al. 2015, arXiv 1503.02531):
    they hold none of the detail that nobody can know, so that the gradient is less noisy. Own: a teacher of colours
    sees a grey picture three times, each with noise of its own, of which the net sees one; the mean of its answers
    spreads less than the truth around what the net can know, and is no further from it on average.
    """

    damage: str = "repair"  # own: noise, JPEG and mild blur, each with its own probability
    body: Literal["unet", "plain"] = "unet"  # DRUNet's; DnCNN without batch norm
    width: Count = 32  # own, for two cores; 64 in DRUNet
    levels: Whole = 3  # own; 4 in DRUNet
    blocks: Count = 2  # own; 4 in DRUNet
    noise_map: bool = False  # FFDNet
    patch: Whole = 96  # own; 128 in DRUNet
    batch: Count = 8  # own; 16 in DRUNet
    distance: Literal["charbonnier", "l1", "mse"] = "charbonnier"  # arXiv 1704.03915; L1 in DRUNet
    fft: Amount = 0.5  # weight of the L1 distance of orthonormal spectra; SMFANet: 0.05 of plain ones, some 3 here
    teacher: str = ""  # own: denoiser that is told the level, by what `zeuxis data weights` calls it; none
    taught: Amount = 0.5  # own: share of a batch that learns the teacher's answers in place of the truth
    lesson: str = "noise=0..55"  # own: what the teacher's share suffers
    gan: Amount = 0.0  # weight of the game; Real-ESRGAN: 0.1
    matching: Amount = 1.0  # own: weight of the critic's maps in the game, in place of VGG's
    stage: Amount = 0.8  # own: share of the steps at which the game begins
    critic_width: Whole = 16  # own; 64 in Real-ESRGAN
    lr: Amount = 5e-4  # own, with warm-up; 1e-4 in DRUNet
    lr_game: Amount = 1e-4  # Real-ESRGAN: of both networks
    warm_up: Amount = 0.02  # own: share of the steps
    flip: bool = True  # the eight phases and mirrors
    half_life: OneOrMore = 2000.0  # own: pictures, never above 10 % of those seen

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "tiny": {"width": 8, "levels": 2, "blocks": 1},
        "plain": {"body": "plain", "width": 48},
        "gan": {"gan": 0.1},
        "published": {  # DRUNet: sides 64 to 512, L1 alone, told sigma 0 to 50
            "width": 64, "levels": 4, "blocks": 4, "noise_map": True, "damage": "noise=0..50", "patch": 128,
            "batch": 16, "distance": "l1", "lr": 1e-4, "warm_up": 0.0, "fft": 0.0,
        },
    }  # fmt: skip
    labels: ClassVar[str] = "ignored"
    patches: ClassVar[bool] = True
    half: ClassVar[bool] = True
    passing: ClassVar[tuple[str, ...]] = ("teacher", "taught", "lesson")
    watched: ClassVar[int] = 64
    scale: ClassVar[int] = 1
    remedies: ClassVar[Mapping[str, tuple[Remedy, ...]]] = {
        "divergence": (Remedy(("lr_game",), times=0.5), Remedy(("gan",), times=0.25)),
    }

    @property
    def multiple_of(self) -> int:
        return 2**self.levels if self.body == "unet" else 1

    @property
    def receptive_field(self) -> int | None:
        return unet_radius(self.levels, self.blocks) if self.body == "unet" else 2 + 2 * self.blocks * self.levels

    def stride(self, spec: Spec) -> int:
        return self.multiple_of

    def smallest(self) -> int:
        return max(8, self.multiple_of)

    def check(self, spec: Spec) -> None:
        super().check(spec)
        check_damage(self.damage, spec)
        if self.teacher:
            check_damage(self.lesson, spec)
            rival = PUBLISHED.get(self.teacher)
            denoises = spec.channels == 3 if rival is None else (rival.task, rival.channels) == ("denoise", 3)
            if not denoises or parse(self.lesson)(torch.zeros(1, 3, 8, 8), Draw(0)).level is None:
                mend = "take a denoiser of colours such as ffdnet-color, and a lesson with `noise`"
                raise BadInput("a teacher wants colours, and noise of a known level", "--teacher", mend)

    def networks(self, spec: Spec) -> nn.ModuleDict:
        body = BODIES[self.body](spec.channels, self.width, self.levels, self.blocks, int(self.noise_map))
        critic = {"critic": UNetCritic(spec.channels, self.critic_width)} if self.gan else {}
        return nn.ModuleDict({"restorer": body, **critic})

    def batch_specs(self) -> dict[str, BatchSpec]:
        return {"images": BatchSpec("images", self.batch)}

    def rate(self, progress: float) -> float:
        """Warm-up and half a cosine to a hundredth in the first stage, then that of the game."""
        if not self.gan:
            return warmed(self.lr, 0.01 * self.lr, self.warm_up)(progress)
        return self.lr_game if progress >= self.stage else self._first(progress)

    def _first(self, progress: float) -> float:
        return warmed(self.lr, 0.01 * self.lr, self.warm_up)(progress / self.stage)

    def optimizers(self) -> dict[str, Optimizer]:
        optimizers = {"restorer": Optimizer(("restorer",), "adam", self.rate, clip=1.0)}
        return {**optimizers, "critic": Optimizer(("critic",), "adam", self.lr_game)} if self.gan else optimizers

    def phases(self) -> tuple[Phase, ...]:
        if not self.gan:
            return (Phase("restorer", self.restorer_loss),)
        return (
            Phase("restorer", self.restorer_loss, when=lambda progress: progress < self.stage),
            Phase("critic", self.critic_loss, when=lambda progress: progress >= self.stage),
            Phase("restorer", self.game_loss, when=lambda progress: progress >= self.stage),
        )

    def fixed(self) -> dict[str, str]:
        """The teacher, where there is one."""
        return {"teacher": self.teacher} if self.teacher else {}

    def average(self) -> Average:
        return Average(("restorer",), self.half_life)

    def snapshots(self) -> tuple[float, ...]:
        """Progress at which weights are kept by name: the end of the first stage, where there are two."""
        return (self.stage,) if self.gan and 0 < self.stage < 1 else ()

    def observe(self, clean: Tensor, draw: Draw) -> Degraded:
        """The damaged pictures that it learns from."""
        return parse(self.damage)(clean, draw)

    def _answer(self, net: nn.Module, image: Tensor, level: Tensor | None) -> Tensor:
        """The net's answer, not cut at the ends of the range; without a level, none is taken as given."""
        if not self.noise_map:
            answer: Tensor = net(image)
            return answer
        sigma = torch.zeros(len(image), 1, 1, 1) if level is None else level
        informed: Tensor = net(image, (sigma.to(image) / 127.5).expand(-1, 1, *image.shape[2:]))
        return informed

    def _taught(self, clean: Tensor, m: StepContext) -> Degraded:
        """The lesson: what the net sees and, in place of the truth, what the teacher makes of it."""
        grey = clean.shape[1] == 1
        three = torch.cat([clean, clean + HAIR, clean], 1) if grey else clean
        seen = parse(self.lesson)(three, replace(m.draw, phase=f"{m.draw.phase}/lesson"))
        with torch.no_grad():
            answers: Tensor = m.fixed["teacher"](seen.image, seen.level)
        if grey:
            return replace(seen, image=seen.image[:, :1], clean=answers.mean(1, keepdim=True))
        return replace(seen, clean=answers)

    def _pair(self, m: StepContext) -> tuple[Tensor, Tensor]:
        """What the net makes of damaged pictures, and what it should; the teacher's share comes last."""
        clean = flipped(m, self.flip)
        seen = self.observe(clean, m.draw)
        image, level, target = seen.image, seen.level, seen.wanted(clean)
        count = round(self.taught * len(clean)) if self.teacher else 0
        if count:
            own = len(clean) - count
            lesson = self._taught(clean[own:], m)
            image = torch.cat([image[:own], lesson.image])
            target = torch.cat([target[:own], lesson.wanted(clean[own:]).to(target.dtype)])
            level = None if level is None or lesson.level is None else torch.cat([level[:own], lesson.level])
        return self._answer(m.networks["restorer"], image, level), target

    def _fidelity(self, answer: Tensor, truth: Tensor) -> dict[str, Tensor]:
        terms: dict[str, Tensor] = {self.distance: DISTANCES[self.distance](answer, truth)}
        return {**terms, "fft": self.fft * fft_l1(answer, truth)} if self.fft else terms

    def restorer_loss(self, m: StepContext) -> Terms:
        """The distance to the clean picture, and that of the spectra."""
        return Terms(self._fidelity(*self._pair(m)))

    def critic_loss(self, m: StepContext) -> Terms:
        """Clean pictures are real, mended ones are not, in every pixel."""
        with torch.no_grad():
            answer, truth = self._pair(m)
        real, fake = m.networks["critic"](truth), m.networks["critic"](answer)
        return Terms(
            {"critic": non_saturating_critic(real, fake).mean()}, watch={"real": real.mean(), "fake": fake.mean()}
        )

    def game_loss(self, m: StepContext) -> Terms:
        """The distances, those of the critic's maps, and the game, each with its weight."""
        answer, truth = self._pair(m)
        critic = m.networks["critic"]
        assert isinstance(critic, Critic)
        with torch.no_grad():
            _, real_maps = critic.read(truth)
        fake, fake_maps = critic.read(answer)
        return Terms(
            {
                **self._fidelity(answer, truth),
                "matching": self.gan * self.matching * feature_distance(fake_maps, real_maps),
                "game": self.gan * non_saturating_generator(fake).mean(),
            }
        )

    def yardstick(self, spec: Spec) -> Yardstick:
        ours, aside = ("psnr", GAME) if self.gan else ("score", "")
        return Yardstick(ours, "given", "leaving the pictures as they are", aside=aside)

    def score(self, m: StepContext) -> dict[str, Tensor]:
        """Mean PSNR in dB on held-out squares, 8 bits, all channels: of the answer, and of what it was given."""
        net = shown(m, "restorer")

        def answers(clean: Tensor, draw: Draw) -> dict[str, tuple[Tensor, Tensor]]:
            seen = self.observe(clean, draw)
            truth = seen.wanted(clean)
            return {"score": (self._answer(net, seen.image, seen.level), truth), "given": (seen.image, truth)}

        scores = held_out(m, answers)
        return {"psnr" if self.gan and name == "score" else name: value for name, value in scores.items()}

    def restore(
        self, networks: nn.ModuleDict, image: Tensor, known: Tensor | None = None, level: Tensor | None = None
    ) -> Tensor:
        return self._answer(networks["restorer"], image, level).clamp(-1, 1)
