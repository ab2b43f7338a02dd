"""A batch augmented by a policy, as its kind of picture can bear it."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from zeuxis.augmentation import geometry
from zeuxis.augmentation.domains import guard_of
from zeuxis.augmentation.operations import OPERATIONS, Operation
from zeuxis.augmentation.policy import Policy, find_policy
from zeuxis.augmentation.rolls import Rolls, rolls
from zeuxis.draw import Draw
from zeuxis.errors import BadInput


@dataclass(frozen=True)
class Augmented:
    """A batch after augmentation: image as given, mask and boxes moved with it."""

    image: Tensor
    mask: Tensor | None = None
    boxes: Tensor | None = None


Step = tuple[Operation, Tensor]


def _steps(policy: Policy, limits: dict[str, float], image: Tensor, dice: Rolls) -> tuple[list[Step], list[Step]]:
    """Operations with their strengths [B], in order: (one_of and always, last); what is not allowed is left out."""

    def usable(name: str) -> bool:
        return limits.get(name, 1.0) > 0 and not (OPERATIONS[name].coloured and image.shape[1] < 3)

    def portion(operation: Operation) -> Tensor | float:
        own = policy.varied and not operation.chance
        return dice.uniform(f"policy/strength of {operation.name}") if own else 1.0

    def fixed(pairs: tuple[tuple[str, float], ...]) -> list[Step]:
        chosen = [(OPERATIONS[n], min(s, limits.get(n, 1.0)) * policy.strength) for n, s in pairs if usable(n)]
        return [(o, torch.full((len(image),), s, device=image.device) * portion(o)) for o, s in chosen]

    names = [name for name in policy.one_of if usable(name)]
    first: list[Step] = []
    if names:
        choice = dice.integers("policy/choice", high=len(names) + 1)
        level = dice.uniform("policy/strength")
        for k, name in enumerate(names):
            operation = OPERATIONS[name]
            reach = torch.ones_like(level) if operation.full else level
            strength = reach * (limits.get(name, 1.0) * policy.strength)
            first.append((operation, torch.where(choice == k, strength, torch.zeros_like(strength))))
    return first + fixed(policy.always), fixed(policy.last)


def _map(steps: list[Step], dice: Rolls, size: tuple[int, int], image: Tensor) -> Tensor:
    matrix = geometry.identity(len(image), torch.zeros((), device=image.device))
    for operation, strength in steps:
        if operation.place is not None:
            matrix = geometry.compose(operation.place(strength, dice, size), matrix)
    return matrix


def apply(
    policy: str | Policy,
    image: Tensor,
    draw: Draw,
    *,
    mask: Tensor | None = None,
    boxes: Tensor | None = None,
    domain: str = "photo",
    index: Tensor | None = None,
) -> Augmented:
    """Augments a batch: all geometry in one resampling, then the photometric operations.

    image: float [B, C, H, W] in [-1, 1], 1 to 4 channels. mask: [B, H, W] or [B, 1, H, W], any dtype; moved by
    nearest pixel, 0 where nothing is known. boxes: float [B, K, 4], x0 y0 x1 y1 in pixels, NaN where absent; a box
    that leaves the frame becomes NaN. index: int64 [B], global sample indices; else rows 0 to B - 1 of `draw`.
    Same draw and index, same result, whatever the order of the batch. Raises BadInput for an unknown policy or
    domain, or a number of channels other than 1 to 4.
    """
    policy, limits = find_policy(policy), guard_of(domain).limits
    if image.ndim != 4 or not 1 <= image.shape[1] <= 4:
        shape = tuple(image.shape)
        raise BadInput(f"cannot augment a tensor of shape {shape}", "", "give [B, C, H, W] with 1 to 4 channels")
    dice = rolls(draw, image, index)
    steps, last = _steps(policy, limits, image, dice)
    height, width = image.shape[-2:]
    geometric = [s for s in steps if s[0].geometric]
    if geometric:
        matrix = _map(geometric, dice, (height, width), image)
        whole = all(operation.whole for operation, _ in geometric)
        moved = geometry.warp_nearest if whole else partial(geometry.warp, padding=policy.beyond)
        image = moved(image, matrix, fill=-1.0)
        mask = None if mask is None else geometry.move_mask(mask, matrix)
        boxes = None if boxes is None else geometry.move_boxes(boxes, matrix, height, width)
    for operation, strength in [s for s in steps if not s[0].geometric] + last:
        image = operation.recolour(image, strength, dice)
    return Augmented(image, mask, boxes)


def augment_copies(
    image: Tensor,
    copy: int,
    seed: int,
    policy: str | Policy = "strong",
    domain: str = "photo",
    index: Tensor | None = None,
) -> Tensor:
    """The `copy`-th augmented copy of `image` uint8 [B, C, H, W], again uint8; `index` as in apply.

    Other copy or seed, other picture; the same again gives the same bytes.
    """
    draw = Draw(seed, step=copy, phase="copies")
    moved = apply(policy, image.to(torch.float32) / 127.5 - 1, draw, domain=domain, index=index).image
    return torch.round((moved.clamp(-1, 1) + 1) * 127.5).to(torch.uint8)
