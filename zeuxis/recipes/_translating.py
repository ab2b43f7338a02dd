"""What recipes share that turn pictures of one collection into such as could stand in another."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from zeuxis.augmentation.alike import parts_alike
from zeuxis.augmentation.discriminator import diff_augment
from zeuxis.data.dataset import Spec
from zeuxis.errors import BadInput
from zeuxis.losses.adversarial import GAMES
from zeuxis.losses.penalties import gradient, squared_norm
from zeuxis.metrics.likeness import Space, apart
from zeuxis.recipes.recipe import StepContext

_AT_ONCE = 8  # held-out pictures in memory together
SMALLEST = 16
"""Pixels of a side, from which on the nets have something to halve."""


def least_side(halvings: int, scales: int) -> int:
    """Pixels of a side, from which on the critics of all scales have a patch to judge."""
    return max(SMALLEST, 4 << halvings << (scales - 1))


def check_crop(crop: int, multiple_of: int, smallest: int, spec: Spec) -> None:
    """Raises BadInput for a part of pictures that is too small, larger than they are, or no multiple of a cell."""
    if not crop:
        return
    if crop > min(spec.height, spec.width):
        what = f"parts of {crop} pixels do not fit into pictures of {spec.height}x{spec.width}"
        raise BadInput(what, "--crop", f"give a smaller part, or `--size {crop}` or more")
    if crop < smallest or crop % multiple_of:
        least = max(smallest, -(-crop // multiple_of) * multiple_of)
        raise BadInput(
            f"parts must be multiples of {multiple_of} pixels, {smallest} or more, not {crop}",
            "--crop",
            f"use `--crop {least}`",
        )


def parts(m: StepContext, images: Sequence[Tensor], crop: int, flip: bool, name: str) -> list[Tensor]:
    """What a step sees of a batch of pictures, alike for all of them, and the same in every phase of the step."""
    size = (crop, crop) if crop else (images[0].shape[2], images[0].shape[3])
    return parts_alike(images, replace(m.draw, phase=f"part/{name}"), size, flip)


def gathered(m: StepContext, mine: Tensor, batch: int) -> Tensor:
    """[batch, ...]: the rows that all processes have, in their order, without gradient."""
    if len(mine) == batch:
        return mine.detach()
    slots = mine.new_zeros(len(mine), batch, *mine.shape[1:])
    slots[torch.arange(len(mine)), m.draw.at("rows").index(len(mine))] = mine.detach()
    return m.mean(slots)[0] * batch


def own(m: StepContext, whole: Tensor, like: Tensor) -> Tensor:
    """The rows of this process of what was `gathered`, which belong to those of `like`, and in its precision."""
    mine = whole[m.draw.at("rows").index(len(like))] if len(like) < len(whole) else whole
    return mine.to(like)


def augmented(m: StepContext, image: Tensor, policy: str) -> Tensor:
    """As the critic sees it: real and made pictures of a row by the same numbers."""
    return diff_augment(image, m.draw, policy) if policy else image


def critic_terms(
    game: str, judge: Callable[[Tensor], list[Tensor]], real: Tensor, fake: Tensor, penalty: float
) -> dict[str, Tensor]:
    """What a critic minimises: the game over all patches and scales, and `penalty` / 2 times R1 of the mean logit.

    judge: logits [B, h, w] of each scale (Mescheder et al. 2018, arXiv 1801.04406, eq. 9).
    """
    real = real.detach().requires_grad_(penalty > 0)
    logits = judge(real)
    terms = {game: _mean([GAMES[game][0](r, f) for r, f in zip(logits, judge(fake.detach()), strict=True)])}
    if penalty:
        terms["penalty"] = 0.5 * penalty * squared_norm(gradient(each_mean(logits), real)).mean()
    return terms


def each_mean(logits: list[Tensor]) -> Tensor:
    """[n]: the mean over patches, then scales, of logits [n, h, w] of each scale."""
    return torch.stack([x.flatten(1).mean(1) for x in logits]).mean(0)


def passing(game: str, logits: list[Tensor]) -> Tensor:
    """What a translator minimises of the critic's logits on what it made: the mean over patches, then scales.

    Least squares without the half that they have in `GAMES`, as the papers' own code has it for a translator alone.
    """
    return (2.0 if game == "least-squares" else 1.0) * _mean([GAMES[game][1](x) for x in logits])


def _mean(values: list[Tensor]) -> Tensor:
    return torch.stack([x.mean() for x in values]).mean()


def answers(translate: Callable[[Tensor], Tensor], image: Tensor) -> Tensor:
    """Of many held-out pictures, a few at a time."""
    return torch.cat([translate(image[rows]) for rows in torch.arange(len(image)).split(_AT_ONCE)])


def paired_score(answer: Tensor, wanted: Tensor) -> Tensor:
    """0 where light, colour and detail lie where they should, below where not: blur costs as much as a wrong colour.

    In the spread of the wanted pictures.
    """
    space = Space.of(wanted)
    off: Tensor = (space(answer) - space(wanted)).norm(dim=1)
    return -off.mean()


def unpaired_score(answer: Tensor, wanted: Tensor) -> Tensor:
    """0 where both sets are alike in light, colour and detail, towards -1 where they have nothing in common."""
    space = Space.of(wanted)
    return answer.new_tensor(-apart(space(answer), space(wanted)) if min(len(answer), len(wanted)) > 1 else -1.0)
