"""How sure a restored picture is, place by place: calibrated intervals of the package, or of a run."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zeuxis import catalog
from zeuxis.data.dataset import Spec
from zeuxis.engine.fixed import opened
from zeuxis.errors import BadInput, counted
from zeuxis.jobs.restoring.changes import GREY, pooled_map
from zeuxis.pages.restored import Map
from zeuxis.pictures.tiles import tiled
from zeuxis.recipes.recipe import Quantifies, Recipe, make
from zeuxis.runs import Run, frozen, read_json
from zeuxis.weights import bundled

NAME = "uncertainty"
"""Of the recipe, and of the task of its weights in the package."""
_TILE = 512


@dataclass(frozen=True, eq=False)
class CalibratedHead:
    """A calibrated head: `factor` times its widths miss at most the share `alpha`, as `pictures` held out showed."""

    recipe: Quantifies
    networks: nn.ModuleDict
    channels: int
    reach: int
    factor: float
    alpha: float
    pictures: int

    def intervals(self, before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
        """Widths below and above [1, C, H, W] in units of [-1, 1], of a picture in [-1, 1] and what was made of it."""
        channels = after.shape[1]
        if channels == 3 and self.channels == 1:
            ends = [self.intervals(before[:, c : c + 1], after[:, c : c + 1]) for c in range(3)]
            return torch.cat([low for low, _ in ends], 1), torch.cat([high for _, high in ends], 1)
        both = torch.cat([x.expand(-1, self.channels, -1, -1) for x in (before, after)], 1)

        def function(part: Tensor) -> Tensor:
            first, second = part.contiguous().chunk(2, 1)
            return torch.cat(self.recipe.interval(self.networks, first, second), 1)

        with torch.inference_mode():
            lower, upper = (self.factor * tiled(function, both, 1, self.reach, 2, _TILE)).chunk(2, 1)
        return (lower, upper) if channels == self.channels else (lower.mean(1, True), upper.mean(1, True))


def _made(recipe: Recipe, networks: nn.ModuleDict, channels: int, calibration: dict[str, Any]) -> CalibratedHead:
    assert isinstance(recipe, Quantifies)
    reach = recipe.receptive_field  # type: ignore[attr-defined]
    return CalibratedHead(recipe, networks, channels, reach, *(calibration[k] for k in ("factor", "alpha", "pictures")))


@cache
def of_package() -> CalibratedHead | None:
    """The head of the package, where it carries one."""
    name = bundled.find(NAME)
    if not name:
        return None
    tensors, record = opened(bundled.path_of(name))
    recipe = make(catalog.load(NAME), None, **{k: frozen(v) for k, v in record["settings"].items()})
    spec = Spec.from_json(record["spec"]).unlabelled()
    with torch.random.fork_rng(devices=[]):
        networks = recipe.networks(spec)
    networks.load_state_dict({k: v.float() for k, v in tensors.items()})
    return _made(recipe, networks.requires_grad_(False).eval(), spec.channels, json.loads(record["calibration"]))


def of_run(path: str) -> CalibratedHead:
    """The head of a run of `uncertainty` that was calibrated. Raises BadInput."""
    run = Run.open(path)
    if run.record["recipe"] != NAME:
        raise BadInput(f"this is a run of {run.record['recipe']}, not of {NAME}", path, "check --uncertainty")
    calibration = read_json(Path(path) / "calibration.json", "calibrated run")
    if calibration.get("factor") is None:
        raise BadInput(f"its intervals could not be calibrated: {calibration.get('why')}", path, "train it anew")
    return _made(run.recipe, run.networks(), run.spec.channels, calibration)


def head_for(run: str | None, used: tuple[str, ...], strength: float | None) -> CalibratedHead | None:
    """The head that can speak of a picture: the run's that was named, or the package's for what its nets did alone."""
    if run is not None:
        return of_run(run)
    known = bundled.purposes().get(bundled.find(NAME))  # the nets whose answers those weights were checked on
    alone = bool(used) and known is not None and set(used) <= set(known.of) and strength in (None, 1)
    return of_package() if alone else None


def told(
    head: CalibratedHead, before: Tensor, after: Tensor, truth: Tensor | None
) -> tuple[Map, dict[str, float | None]]:
    """The map of half the intervals' widths, and figures: their mean in grey levels, and the share of truths inside."""
    lower, upper = head.intervals(before, after)
    half = (lower + upper) / 2 * GREY
    inside = None
    if truth is not None:
        apart = truth - after
        inside = float(((apart >= -lower) & (apart <= upper)).double().mean())
    meaning = (
        f"Uncertainty: how far the true values may lie from these, for {1 - head.alpha:.0%} of them "
        f"(checked on {counted(head.pictures, 'photograph')} held out)"
    )
    return pooled_map(half.mean(1, keepdim=True).square(), meaning), {
        "half_width": float(half.mean()),
        "inside": inside,
    }
