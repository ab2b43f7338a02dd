"""How far an interval can be trusted: its widths scaled on pictures that were held out of the training."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zeuxis.data.dataset import Dataset
from zeuxis.data.files import write_json
from zeuxis.draw import Draw
from zeuxis.engine.batches import to_image
from zeuxis.engine.fixed import fixed_net
from zeuxis.engine.progress import say
from zeuxis.errors import BadInput, counted
from zeuxis.jobs.capability import Capability
from zeuxis.jobs.sources import Material
from zeuxis.metrics.conformal import FACTORS, controlled, missed
from zeuxis.pages.outcome import Outcome, of_intervals
from zeuxis.pages.read import read_object
from zeuxis.recipes.recipe import Quantifies
from zeuxis.runs import Run

SQUARES = 512
"""Held-out squares that are looked at, at most."""
_AT_ONCE = 16


def by_picture(losses: Tensor, sources: Iterable[Any]) -> Tensor:
    """Means of the rows [n, k] of one picture: [pictures, k]. Squares of one picture count as one observation."""
    _, places = np.unique(np.array([str(s) for s in sources]), return_inverse=True)
    groups = torch.from_numpy(places)
    counts = torch.bincount(groups)
    sums = torch.zeros(len(counts), losses.shape[1], dtype=losses.dtype).index_add_(0, groups, losses)
    return sums / counts[:, None]


def curves(run: Run, held: Dataset, draw: Draw) -> Tensor:
    """Share of missed values for each factor, a row per held-out picture."""
    recipe, networks = run.recipe, run.networks()
    assert isinstance(recipe, Quantifies)
    restorer = fixed_net(recipe.fixed()["restorer"])
    order = np.linspace(0, len(held) - 1, min(SQUARES, len(held))).round().astype(int)
    losses = []
    for k, rows in enumerate(np.array_split(order, max(1, len(order) // _AT_ONCE))):
        with torch.no_grad():
            before, after, truth = recipe.given(restorer, to_image(held.images(rows)), Draw(draw.seed, step=k))
            losses.append(missed(truth, after, *recipe.interval(networks, before, after)))
    files = getattr(held, "sources", None) or list(range(len(held)))
    return by_picture(torch.cat(losses), [files[i] for i in order])


def calibrate(run: Run, held: Dataset | None) -> dict[str, Any]:
    """calibration.json of a run that gives intervals: the factor of their widths, or why there is none."""
    recipe = run.recipe
    assert isinstance(recipe, Quantifies)
    calibration: dict[str, Any] = {"format": 1, "alpha": recipe.alpha, "of": recipe.fixed()["restorer"], "factor": None}
    try:
        if held is None or not len(held):
            raise BadInput("no pictures were held out", "", "train on more pictures")
        losses = curves(run, held, Draw(run.record["seed"], phase="calibrate"))
        factor = controlled(losses, recipe.alpha)
        at = int((FACTORS - factor).abs().argmin())
        calibration |= {"factor": factor, "pictures": len(losses), "missed": float(losses.mean(0)[at])}
        of = counted(len(losses), "picture")
        say(f"zeuxis: intervals times {factor:.2f} miss {calibration['missed']:.1%} of the values of {of}")
    except BadInput as error:
        calibration["why"] = error.what
        say(f"zeuxis: the intervals could not be calibrated: {error}")
    write_json(run.path / "calibration.json", calibration)
    return calibration


def finish(run: Run, given: Material) -> None:
    calibrate(run, given.held_out)


def judge(run: Run, given: Material) -> Outcome:
    return of_intervals(read_object(run.path / "calibration.json"))


CAPABILITY = Capability(Quantifies, 2, finish, judge)
