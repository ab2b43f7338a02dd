"""Named policies of augmentation, and which of their operations a kind of picture can bear."""

import re
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor

from zeuxis.augmentation import geometry
from zeuxis.augmentation.mixing import cutmix, mixup
from zeuxis.augmentation.operations import OPERATIONS, Operation
from zeuxis.augmentation.rolls import Rolls, rolls
from zeuxis.draw import Draw
from zeuxis.errors import BadInput, nearest

__all__ = [
    "DOMAINS",
    "POLICIES",
    "Augmented",
    "Guard",
    "Policy",
    "apply",
    "augment_copies",
    "cutmix",
    "guard_words",
    "guess_domain",
    "mixup",
]


@dataclass(frozen=True)
class Policy:
    """What is done to each picture: one of `one_of`, all of `always` (of both the geometry first), all of `last`.

    one_of: operations of which each sample gets one with equal chance, or none with the chance of one more,
    at a strength uniform in [0, 1); those without a strength of their own are done in full.
    always, last: (operation, strength); `last` is photometric. strength: multiplies every strength and
    chance; at 0 the policy is the identity, to the bit. varied: each sample gets a strength uniform from 0 to the
    one given of each of `always` and `last`, chances excepted. beyond: what a moved picture shows where it ends,
    "zeros" (black) or "reflection". Raises BadInput for an unknown operation.
    """

    name: str
    one_of: tuple[str, ...] = ()
    always: tuple[tuple[str, float], ...] = ()
    last: tuple[tuple[str, float], ...] = ()
    strength: float = 1.0
    varied: bool = False
    beyond: str = "zeros"

    def __post_init__(self) -> None:
        for name in (*self.one_of, *(n for n, _ in self.always), *(n for n, _ in self.last)):
            if name not in OPERATIONS:
                raise BadInput(f"no operation `{name}`", f"policy {self.name}", nearest(name, sorted(OPERATIONS)))
        for name, _ in self.last:
            if OPERATIONS[name].geometric:
                raise BadInput(f"`{name}` moves pixels", f"policy {self.name}", "put it into `always`")


_LIGHT = (("flip_horizontal", 0.5), ("flip_vertical", 0.5), ("crop", 1.0))

_TRIVIAL = (
    "autocontrast",
    "equalize",
    "rotate",
    "solarize",
    "saturation",
    "posterize",
    "contrast",
    "brightness",
    "sharpness",
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
)

_CLASSIC = (
    ("flip_horizontal", 0.5),
    ("flip_vertical", 0.5),
    ("rotate", 15 / 135),
    ("scale", 0.25),
    ("translate_x", 0.2),
    ("translate_y", 0.2),
    ("crop", 0.5),
)
_CLASSIC_LAST = (
    ("brightness", 0.2),
    ("contrast", 0.2),
    ("saturation", 0.2),
    ("hue", 0.03),
    ("blur", 0.2),
    ("noise", 0.1),
)

POLICIES: dict[str, Policy] = {
    "none": Policy("none"),
    "light": Policy("light", always=_LIGHT),
    "strong": Policy("strong", one_of=_TRIVIAL, always=_LIGHT, last=(("cutout", 1.0),)),
    "classic": Policy("classic", always=_CLASSIC, last=_CLASSIC_LAST, varied=True, beyond="reflection"),
}
"""none; light: flips where the domain allows, and the 4-pixel pad and crop of 32-pixel pictures in proportion,
without interpolation; strong: TrivialAugment Wide (Müller and Hutter 2021, arXiv 2103.10158), then light, then
cutout of half the side, the order and parts of its CIFAR set-up. It differs from the source in three things: strengths
are continuous instead of 31 levels, shifts end at 10/32 of the side instead of 32 pixels, and pictures are resampled
bilinearly instead of by nearest pixel. classic, for copies that people look at: flips where the domain allows, turned
by up to 15 degrees, scaled by up to 9 %, shifted and cropped by up to a sixteenth of the side each, brightness,
contrast and saturation by up to 20 %, hue by up to 5 degrees, a little blur and noise, each by a share of its own.
Beyond its edges a picture is mirrored. Saturation and hue are left out for grey pictures."""


@dataclass(frozen=True)
class Guard:
    """Largest strength per operation that leaves the label true for one kind of picture; 0 leaves it out."""

    words: str
    limits: dict[str, float] = field(default_factory=dict)


_GLYPHS = {
    "flip_horizontal": 0.0,
    "flip_vertical": 0.0,
    "shear_x": 0.2,
    "shear_y": 0.2,
    "solarize": 0.0,
    "cutout": 0.5,
}

DOMAINS: dict[str, Guard] = {
    "photo": Guard("photographs and the like: left-right flips, no up-down flips", {"flip_vertical": 0.0}),
    "garments": Guard("garments: left-right flips, no up-down flips", {"flip_vertical": 0.0}),
    "digits": Guard(
        "digits: no flips, rotation up to 15 degrees, shear up to 0.2, no solarizing, small cutouts",
        {**_GLYPHS, "rotate": 15 / 135},
    ),
    "text": Guard(
        "text: no flips, rotation up to 10 degrees, shear up to 0.2, no solarizing, small cutouts",
        {**_GLYPHS, "rotate": 10 / 135},
    ),
    "overhead": Guard("pictures from above (satellite, microscope): flips both ways, every rotation"),
}

_HINTS = {
    "garments": ("fashion", "fashionmnist"),
    "digits": ("mnist", "qmnist", "svhn", "usps", "digits"),
    "text": ("emnist", "kmnist", "omniglot", "letters", "text"),
}


def _guard(domain: str) -> Guard:
    if domain not in DOMAINS:
        raise BadInput(f"no domain `{domain}`", "", nearest(domain, sorted(DOMAINS)))
    return DOMAINS[domain]


def guard_words(domain: str) -> str:
    """One line that says what the policies do and leave out for this kind of picture, and where that is changed."""
    return f"taken as {_guard(domain).words}; --domain says another kind"


def guess_domain(name: str) -> str:
    """The kind of picture of a set by its name ("mnist" is "digits"); "photo" where nothing is known.

    Of `NAME:FOLDER` the name counts; a single letter before the colon is a drive, not a name.
    """
    before, colon, _ = name.partition(":")
    name = before if colon and re.fullmatch(r"[\w-]{2,}", before) else name
    words = re.split(r"[^a-z]+", name.replace("\\", "/").rstrip("/").rpartition("/")[2].lower())
    return next((domain for domain, hints in _HINTS.items() if any(word in hints for word in words)), "photo")


@dataclass(frozen=True)
class Augmented:
    """A batch after augmentation: image as given, mask and boxes moved with it."""

    image: Tensor
    mask: Tensor | None = None
    boxes: Tensor | None = None


def find_policy(policy: str | Policy) -> Policy:
    """The policy of that name; raises BadInput with the nearest known one."""
    if isinstance(policy, Policy):
        return policy
    if policy not in POLICIES:
        raise BadInput(f"no policy `{policy}`", "", nearest(policy, sorted(POLICIES)))
    return POLICIES[policy]


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
    policy, limits = find_policy(policy), _guard(domain).limits
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
