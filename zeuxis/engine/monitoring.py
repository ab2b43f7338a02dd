"""Looking at a training from outside: samples with fixed latents, held-out scores, signals for the alarms."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zeuxis.data.dataset import Dataset
from zeuxis.draw import Draw, Stream, key_of
from zeuxis.engine import translated
from zeuxis.engine.batches import sampler_of
from zeuxis.engine.phases import context_for_score, evaluating
from zeuxis.engine.state import TrainState
from zeuxis.pictures.png import write_sheet
from zeuxis.recipes.recipe import Batch, Generates, Judges, Translates

_PROBE = 128  # pictures that the signs are read from
_PAIRS = 32  # of pictures of one class: a diversity within classes is read from no fewer


def _labels(classes: int, per_class: int) -> Tensor | None:
    return torch.arange(classes).repeat_interleave(per_class) if classes else None


def sample_grid(state: TrainState, path: Path) -> None:
    """Pictures from fixed latents by the averaged networks: a row per class, or a square."""
    recipe, spec = state.recipe, state.spec
    assert isinstance(recipe, Generates)
    columns = 10 if spec.condition else 8
    rows = min(spec.condition, 20) or 8
    draw = Draw(state.seed, 0, 0, "samples", device=state.compute.device)
    labels = _labels(rows, columns) if spec.condition else None
    networks = _inference_networks(state)
    with torch.no_grad():
        labels = None if labels is None else labels.to(state.compute.device)
        pictures = recipe.decode(networks, recipe.latents(rows * columns, draw), labels)
    for network in networks.values():
        network.train()
    for average in state.ema.values():
        average.eval()
    note = {"recipe": type(recipe).__module__.rpartition(".")[2], "seed": state.seed, "step": state.step}
    write_sheet(path, pictures.cpu(), columns, note)


def _inference_networks(state: TrainState) -> torch.nn.ModuleDict:
    chosen = {n: state.ema[n] if n in state.ema else p for n, p in state.networks.items()}
    return torch.nn.ModuleDict(chosen).eval()


def with_every_class(order: torch.Tensor, labels: np.ndarray | None, n: int) -> torch.Tensor:
    """The first n of an order, and the first of each class that is not among them: a score is a mean over classes."""
    if labels is None:
        return order[:n]
    named = torch.from_numpy(np.asarray(labels, np.int64))[order]
    places = torch.arange(len(order))
    firsts = [int(places[named == c][0]) for c in named.unique().tolist()]
    return order[sorted({*range(min(n, len(order))), *firsts})]


class Monitor:
    """Reads the same pictures each time, so that figures compare over a run."""

    def __init__(
        self, streams: Mapping[str, Dataset], held_out: Mapping[str, Dataset], conditional: bool, state: TrainState
    ) -> None:
        device, seed, specs = state.compute.device, state.seed, state.recipe.batch_specs()
        first = next(iter(specs.values()))
        real = sampler_of("watch", first, streams, seed, device, conditional)
        chosen = Stream(key_of("watch", seed)).permutation(len(real.dataset))[: min(_PROBE, state.recipe.watched)]
        self.real, self.trained_on = real.at(chosen), len(real.dataset)
        self.held: dict[str, Batch] = {}
        for name, batch_spec in specs.items():
            dataset = held_out.get(batch_spec.stream)
            if dataset is None or not len(dataset):
                continue
            sampler = sampler_of("held out", batch_spec, held_out, seed, device, conditional)
            order = Stream(key_of("held out", seed)).permutation(len(dataset))
            self.held[name] = sampler.at(with_every_class(order, dataset.labels, state.recipe.watched))
        self.first = next(iter(specs))
        self.specs = specs
        self.trained = {self.first: self.real}
        for name in list(specs)[1:] if isinstance(state.recipe, Translates) else ():
            beside = sampler_of("watch", specs[name], streams, seed, device, conditional)
            order = Stream(key_of("watch", seed)).permutation(len(beside.dataset))
            self.trained[name] = beside.at(order[: len(self.real)])

    def score(self, state: TrainState) -> dict[str, float]:
        """Figures by name: the recipe's own on held-out pictures, diversity within classes, the critic's opinions."""
        recipe = state.recipe
        figures: dict[str, float] = {}
        with evaluating(state.networks):
            if self.first in self.held:
                figures |= {k: float(v) for k, v in recipe.score(context_for_score(state, self.held)).items()}
            fake = self._fakes(state)
            label = self.real.label
            if fake is not None and (real := _spread(self.real.image, label)) > 0:  # one picture has no diversity
                figures["diversity"] = _spread(fake, label) / real
            if fake is not None and isinstance(recipe, Judges):
                figures |= self._opinions(state, fake)
            if isinstance(recipe, Translates):
                networks = _inference_networks(state)
                trained, held = (translated.sides_of(self.specs, x) for x in (self.trained, self.held))
                figures |= translated.signs(recipe, networks, trained, held)
        return figures

    def show(self, state: TrainState, path: Path) -> None:
        """Samples from fixed latents, or fixed pictures translated, held-out ones where there are any."""
        recipe = state.recipe
        if isinstance(recipe, Generates):
            sample_grid(state, path)
        if isinstance(recipe, Translates):
            sides = [translated.sides_of(self.specs, x) for x in (self.held, self.trained)]
            with evaluating(state.networks):
                shown = next(side for side in sides if len(side) == len(recipe.directions[0]))
                translated.write_strip(recipe, _inference_networks(state), shown, path)

    def _fakes(self, state: TrainState) -> Tensor | None:
        if not isinstance(state.recipe, Generates):
            return None
        draw = Draw(state.seed, 0, 0, "watch", device=state.compute.device)
        z = state.recipe.latents(len(self.real), draw)
        return state.recipe.decode(state.networks, z, self.real.label)

    def _opinions(self, state: TrainState, fake: Tensor) -> dict[str, float]:
        judge = state.recipe.judge  # type: ignore[attr-defined]
        real_logit = judge(state.networks, self.real.image, self.real.label)
        fake_logit = judge(state.networks, fake, self.real.label)
        figures = {
            "critic_real": float(real_logit.mean()),
            "critic_fake": float(fake_logit.mean()),
            "saturation": float((real_logit > fake_logit).float().mean()),
        }
        if held := self.held.get(self.first):
            some = slice(0, _PROBE)
            label = None if held.label is None else held.label[some]
            held_logit = judge(state.networks, held.image[some], label)
            figures["critic_held_out"] = float(held_logit.mean())
            figures["held_out_z"] = translated.apart(real_logit, held_logit)
        return figures


def _spread(image: Tensor, label: Tensor | None) -> float:
    """Mean distance between two pictures of a class, over pixels; of any two where a class has hardly two."""
    distance = torch.pdist(image.flatten(1).float())
    if label is not None:
        one, other = torch.triu_indices(len(image), len(image), 1, device=label.device)
        same = label[one] == label[other]
        distance = distance[same] if int(same.sum()) >= _PAIRS else distance
    return float(distance.mean()) if len(distance) else 0.0
