"""What a training that translates shows of itself on its way: the same pictures each time, and signs of trouble."""

import math
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from zeuxis.draw import Draw
from zeuxis.pictures.in_colour import in_colour, with_channels
from zeuxis.pictures.png import write_sheet
from zeuxis.recipes.recipe import Batch, BatchSpec, Translates

SHOWN = 8
"""Pictures of a strip."""
_READ = 32  # pictures that signs are read from, at most
_AT_ONCE = 8
_RIM = 3  # bins around a frequency, among which it should not stand out


def sides_of(specs: Mapping[str, BatchSpec], batches: Mapping[str, Batch]) -> dict[str, Tensor]:
    """Pictures [n, C, H, W] by collection, of pairs or of two streams; of what is there."""
    found = {}
    for name, batch in batches.items():
        found[specs[name].stream] = batch.image
        if batch.target is not None:
            found[specs[name].target] = batch.target
    return found


def write_strip(recipe: Translates, networks: nn.ModuleDict, sides: Mapping[str, Tensor], path: Path) -> None:
    """A row of what is given and one of what is made of it, for each direction; of pairs the partners, too."""
    rows, n = [], min(SHOWN, len(sides["a"]), len(sides["b"]))
    for direction in recipe.directions:
        given = sides[direction[0]][:n]
        rows += [given, recipe.translate(networks, given, direction, Draw(0, phase="strip"))]
    if recipe.paired:
        rows.append(sides["b"][:n])
    write_sheet(path, torch.cat([in_colour(row.float()).cpu() for row in rows]), n)


def signs(
    recipe: Translates, networks: nn.ModuleDict, trained: Mapping[str, Tensor], held: Mapping[str, Tensor]
) -> dict[str, float]:
    """Of the direction where they are worst, "ab" or "ba", by name:

    diversity: how different answers are from each other, in that of real pictures; changed: how far answers are from
    what was given, in how far real pictures are; inverted: how far light is where dark was, -1 to 1, of pairs beyond
    what the partners' is; pattern: how far periods of two and four pixels stand out of the spectrum, in what they do in
    real pictures; critic_*: mean logits for pictures trained on, held out and made, of the critic that knows best.
    """
    found: dict[str, float] = {}
    for direction in recipe.directions:
        n = min(_READ, len(trained["a"]), len(trained["b"]))
        given, real = trained[direction[0]][:n], trained[direction[1]][:n]
        made = _made(recipe, networks, given, direction)
        said = _opinions(recipe, networks, (given, made, real), held, direction)
        if said.get("held_out_z", 0.0) >= found.get("held_out_z", -math.inf):
            found |= said
        here = {"diversity": _ratio(_spread(made), _spread(real)), "inverted": -_light(made, given)}
        if recipe.paired:
            here["inverted"] += _light(real, given)
        if given.shape[1] == real.shape[1]:
            here["changed"] = _ratio(float((made - given).abs().mean()), float((real - given).abs().mean()))
        if min(real.shape[2:]) >= 4 * _RIM:
            here["pattern"] = _pattern(made) / max(1.0, _pattern(real))
        for name, value in here.items():
            worse = max if name in ("inverted", "pattern") else min
            found[name] = worse(found.get(name, value), value)
    return found


def _made(recipe: Translates, networks: nn.ModuleDict, given: Tensor, direction: str) -> Tensor:
    """A few at a time: trained on one at a time, many at once may be more than the memory holds."""
    return torch.cat([recipe.translate(networks, part, direction) for part in given.split(_AT_ONCE)])


def _opinions(
    recipe: Translates,
    networks: nn.ModuleDict,
    trained: tuple[Tensor, Tensor, Tensor],
    held: Mapping[str, Tensor],
    direction: str,
) -> dict[str, float]:
    """What the critic of a direction thinks. trained: what was given, made, and is real."""
    here, there = direction[0], direction[1]
    given, made, wanted = trained
    real = recipe.judged(networks, given, wanted, direction)
    fake = recipe.judged(networks, given, made, direction)
    found = {"critic_real": float(real.mean()), "critic_fake": float(fake.mean())}
    if {here, there} <= set(held):
        n = min(_READ, len(held[here]), len(held[there]))
        kept = recipe.judged(networks, held[here][:n], held[there][:n], direction)
        found |= {"critic_held_out": float(kept.mean()), "held_out_z": apart(real, kept)}
    return found


def apart(one: Tensor, other: Tensor) -> float:
    """By how many standard errors the first mean is above the second (Welch); 0 where two values are not there."""
    if min(one.numel(), other.numel()) < 2:
        return 0.0
    squares = [float(x.float().var()) / x.numel() for x in (one, other)]
    return float(one.float().mean() - other.float().mean()) / max(math.sqrt(sum(squares)), 1e-12)


def _ratio(ours: float, theirs: float) -> float:
    return ours / theirs if theirs > 0 else 1.0


def _spread(image: Tensor) -> float:
    """Mean distance between two pictures; 0 of one."""
    return float(torch.pdist(image.flatten(1).float()).mean()) if len(image) > 1 else 0.0


def _light(one: Tensor, other: Tensor) -> float:
    """Mean over pictures of the correlation of their grey levels."""
    a, b = (with_channels(x.float(), 1).flatten(1) for x in (one, other))
    a, b = (x - x.mean(1, keepdim=True) for x in (a, b))
    scale = (a.square().sum(1) * b.square().sum(1)).sqrt().clamp_min(1e-6)
    return float(((a * b).sum(1) / scale).mean())


def _pattern(image: Tensor) -> float:
    """Power at periods of two and four pixels, in the median of what lies around each; the largest, 1 where it is flat.

    Transposed convolutions leave their mark there (Odena et al. 2016, Deconvolution and Checkerboard Artifacts).
    """
    height, width = (side // 4 * 4 for side in image.shape[2:])
    grey = with_channels(image[..., :height, :width].float(), 1)[:, 0]
    power = torch.fft.fft2(grey - grey.mean((1, 2), keepdim=True)).abs().square().mean(0)
    found = 1.0
    for i, j in ((2, 0), (0, 2), (2, 2), (1, 0), (0, 1), (1, 1), (1, 2), (2, 1)):
        row, column = i * height // 4, j * width // 4
        around = power.roll((_RIM - row, _RIM - column), (0, 1))[: 2 * _RIM + 1, : 2 * _RIM + 1]
        found = max(found, float(around[_RIM, _RIM] / around.median().clamp_min(1e-9)))
    return found
