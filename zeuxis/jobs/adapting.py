"""`--adapt`: the autoencoder of the package, trained on for a while on the pictures that a generator will learn."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from zeuxis import catalog
from zeuxis.data.dataset import Dataset, Spec
from zeuxis.data.files import write_json
from zeuxis.data.memory import Seen
from zeuxis.draw import some_of
from zeuxis.engine import train as engine
from zeuxis.engine.batches import to_image
from zeuxis.engine.budget import Budget
from zeuxis.engine.loop import LoopOptions
from zeuxis.engine.progress import say
from zeuxis.engine.state import adopt, build_networks
from zeuxis.engine.train import Start, Weights
from zeuxis.errors import BadInput, Stopped
from zeuxis.jobs.initial_weights import weights_from
from zeuxis.metrics.fidelity import psnr_each
from zeuxis.metrics.likeness import sharpness
from zeuxis.recipes.recipe import Adapts, Recipe, make, recipe_name
from zeuxis.runs import Run
from zeuxis.spelling import typed_time
from zeuxis.weights import bundled, store

LEAST = 0.1
"""dB: a smaller gain is none, and the autoencoder of the package is kept."""
BLURRED = 0.05
"""By how much more the sharpness of what comes back may be off, over that of the pictures."""
_MEASURED = 64


def coloured(data: Dataset) -> Dataset:
    """With pictures of three channels, without labels: grey three times, alpha left away."""

    def change(pixels: Tensor) -> Tensor:
        return pixels[:, :3] if pixels.shape[1] >= 3 else pixels[:, :1].expand(-1, 3, -1, -1)

    return Seen(data, replace(data.spec, channels=3, classes=()), change)


def check_adapts(recipe: Recipe) -> None:
    """Raises BadInput where nothing of the recipe can be adapted."""
    if not isinstance(recipe, Adapts):
        raise BadInput(f"{recipe_name(type(recipe))} learns on no maps, so there is nothing to adapt", "--adapt")


def adapted(
    recipe: Recipe,
    spec: Spec,
    streams: Mapping[str, Dataset],
    held: Mapping[str, Dataset],
    place: Path,
    seconds: float,
    start: Start,
    options: LoopOptions,
) -> Weights | None:
    """Trains in `place`, or goes on there; the weights, or None where pictures held out come back no better by them.

    Raises Stopped and MachineGaveOut as training does; the same call goes on. BadInput for another one.
    """
    assert isinstance(recipe, Adapts), "see check_adapts"
    how = recipe.adapting(spec)
    inner = make(catalog.load(how.recipe), how.preset, **how.settings)
    name = next(iter(recipe.sources))
    train, others = _coloured(streams, name), _coloured(held, name)
    say(f"zeuxis: going on with the training of {how.weights}, on these pictures")
    begin = replace(start, micro=1, preset=how.preset, chosen=None, snapshots=(), sources=None, splits=None)
    begin = replace(begin, weights=weights_from(how.weights, inner))
    try:
        if (place / "run.json").exists():
            _check_same(Run.open(place), inner, train[name], name, start.seed, seconds)
            run = engine.resume(place, train, others, options)
        else:
            run = engine.train(inner, train, place, Budget(seconds=seconds), others, begin, options)
    except Stopped as error:
        error.say(error.what, str(place), "the same command goes on with it")
        raise
    better = _is_better(inner, how.weights, run, (others or train)[name], bool(others))
    return weights_from(str(run.path), recipe) if better else None


def _check_same(begun: Run, inner: Recipe, data: Dataset, name: str, seed: int, seconds: float) -> None:
    """Raises BadInput, with what differs, where the run that lies there was begun with something else."""
    record, (before, now) = begun.record, (begun.spec, data.spec)
    asked = [
        ("--adapt", typed_time(record["budget"].get("seconds", 0)), typed_time(seconds)),
        ("--seed", record["seed"], seed),
        ("--size", f"{before.height}x{before.width}", f"{now.height}x{now.width}"),
    ]
    differences = [f"its `{flag}` is {was}, not {given}" for flag, was, given in asked if was != given]
    if not differences and (record["digests"][name] != data.digest or begun.recipe != inner):
        differences = ["its pictures or its settings are others"]
    if differences:
        what = f"another `--adapt` was begun here: {', and '.join(differences)}"
        raise BadInput(what, str(begun.path), "give what it was begun with, or choose another --run")


def _coloured(streams: Mapping[str, Dataset], name: str) -> dict[str, Dataset]:
    return {name: coloured(streams[name])} if name in streams else {}


def _is_better(inner: Recipe, before: str, run: Run, data: Dataset, apart: bool) -> bool:
    pictures = to_image(data.images(some_of(len(data), _MEASURED, "adapted")))
    networks = build_networks(inner, data.spec, 0).eval()
    scores = []
    for tensors in (store.load(bundled.path_of(before))[0], run.tensors()):
        adopt(tensors, networks)
        scores.append(_round_trip(networks, pictures))
    (before_dB, before_sharp), (dB, sharp) = scores
    better = dB - before_dB >= LEAST and abs(1 - sharp) <= abs(1 - before_sharp) + BLURRED
    figures = {"before": before_dB, "after": dB, "sharp_before": before_sharp, "sharp_after": sharp}
    write_json(run.path / "gain.json", {**figures, "kept": better, "held_out": apart, "n": len(pictures)})
    what = "held-out pictures" if apart else "the pictures"
    apart_more = ", since by the adapted one sharpness is farther off" if dB - before_dB >= LEAST else ""
    kept = "its maps are learned on" if better else f"the autoencoder of the package is kept{apart_more}"
    came = f"at {before_dB:.1f} dB with a sharpness of {before_sharp:.2f} by the autoencoder of the package"
    say(f"zeuxis: {what} come back {came}, at {dB:.1f} dB with one of {sharp:.2f} by the adapted one: {kept}")
    return better


@torch.no_grad()
def _round_trip(networks: nn.ModuleDict, pictures: Tensor) -> tuple[float, float]:
    """PSNR in dB, and the finest detail over that of the pictures: a mean error alone is least where all is blurred."""
    back = torch.cat([networks["restorer"](part) for part in pictures.split(16)]).clamp(-1, 1)
    return float(psnr_each(back, pictures).mean()), sharpness(back) / max(sharpness(pictures), 1e-9)
