"""What recipes share that learn from pairs of a clean picture and what is left of it."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from zeuxis.augmentation.geometry import dihedral
from zeuxis.data.dataset import Spec
from zeuxis.degrade.degradation import Degraded
from zeuxis.degrade.noise import round_bytes
from zeuxis.degrade.parsing import parse
from zeuxis.degrade.resize import bicubic
from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.losses.fidelity import mse, psnr8
from zeuxis.recipes.recipe import StepContext, Terms
from zeuxis.schedule import cosine

_AT_ONCE = 16  # held-out pictures in memory together


def damaged(clean: Tensor, damage: str, draw: Draw) -> Degraded:
    """What `damage` leaves of the clean pictures; nothing is done where it is empty."""
    return parse(damage)(clean, draw) if damage else Degraded(clean)


def check_damage(damage: str, spec: Spec, scale: int = 1) -> None:
    """Raises BadInput for unknown words, and where the damage does not keep the size of pictures like these."""
    size = (spec.height // scale, spec.width // scale)
    seen = damaged(torch.zeros(1, spec.channels, *size), damage, Draw(0)).image
    if tuple(seen.shape[2:]) != size:
        raise BadInput(f"the damage `{damage}` changes the size of pictures", "damage", "use a recipe that upscales")


def flipped(m: StepContext, flip: bool) -> Tensor:
    """The clean pictures of a batch; with `flip`, each in one of its eight phases and mirrors."""
    clean = m.batch["images"].image
    return dihedral(clean, m.draw.at("dihedral")) if flip else clean


def small(clean: Tensor, scale: int, damage: str, draw: Draw) -> Tensor:
    """The pictures made smaller by MATLAB's bicubic and held in 8 bits, as a person's file is; then damaged."""
    return damaged(round_bytes(bicubic(clean, 1 / scale)), damage, draw).image


def warmed(lr: float, lr_end: float, warm_up: float) -> Callable[[float], float]:
    """Linear warm-up over that share of the steps, then half a cosine from lr to lr_end."""

    def rate(progress: float) -> float:
        # the first step, at progress 0, must move too
        rise = min(1.0, 0.1 + progress / warm_up) if warm_up else 1.0
        return rise * cosine(lr, lr_end)(progress)

    return rate


def shown(m: StepContext, name: str) -> nn.Module:
    """The averaged copy (ema) of a network, or the network where it has none."""
    return m.ema[name] if name in m.ema else m.networks[name]


def held_out(m: StepContext, answers: Callable[[Tensor, Draw], dict[str, tuple[Tensor, Tensor]]]) -> dict[str, Tensor]:
    """Mean PSNR in dB, 8 bits, all channels, of each named pair (answer, truth) over the held-out pictures.

    `answers` gets a few pictures at a time, with their own numbers of the draw.
    """
    image = m.batch["images"].image
    scores: dict[str, list[Tensor]] = {}
    for rows in torch.arange(len(image)).split(_AT_ONCE):
        for name, (answer, truth) in answers(image[rows], replace(m.draw, chosen=rows)).items():
            scores.setdefault(name, []).append(psnr8(answer, truth))
    return {name: torch.cat(parts).mean() for name, parts in scores.items()}


def undo_loss(m: StepContext, damage: str, flip: bool) -> Terms:
    """Mean squared difference between the restorer's answer to damaged pictures and the clean ones."""
    clean = flipped(m, flip)
    seen = damaged(clean, damage, m.draw)
    return Terms({"mse": mse(m.networks["restorer"](seen.image), seen.wanted(clean))})


def undo_score(m: StepContext, damage: str) -> dict[str, Tensor]:
    """Mean PSNR in dB, 8 bits, all channels: "score" of the averaged restorer, "given" of what it was given."""
    net = shown(m, "restorer")

    def answers(clean: Tensor, draw: Draw) -> dict[str, tuple[Tensor, Tensor]]:
        seen = damaged(clean, damage, draw)
        truth = seen.wanted(clean)
        return {"score": (net(seen.image), truth), "given": (seen.image, truth)}

    return held_out(m, answers)


def enlarged_score(m: StepContext, name: str, scale: int, damage: str) -> dict[str, Tensor]:
    """Mean PSNR in dB, 8 bits, all channels: "psnr" of the averaged upscaler, "bicubic" of plain enlarging."""
    net = shown(m, name)

    def answers(clean: Tensor, draw: Draw) -> dict[str, tuple[Tensor, Tensor]]:
        given = small(clean, scale, damage, draw)
        return {"psnr": (net(given), clean), "bicubic": (bicubic(given, scale), clean)}

    return held_out(m, answers)
