"""What the laws share: tiny versions of every recipe, tiny pictures, and tables to play on."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import torch
from torch import Tensor, nn

from zeuxis import catalog
from zeuxis.data.dataset import Dataset, Spec
from zeuxis.data.memory import MemoryDataset
from zeuxis.draw import Draw, Stream, key_of
from zeuxis.engine import compute
from zeuxis.engine.batches import BatchSampler, batch_samplers
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.phases import due
from zeuxis.engine.representing import calibrate, represented
from zeuxis.engine.state import TrainState, build_networks, build_state
from zeuxis.engine.train import spec_of
from zeuxis.errors import BadInput
from zeuxis.recipes.recipe import Phase, Recipe, Represents, make

NAMES = catalog.names()
LAWS = ("shape", "learner", "gradients", "learns", "resume", "seed", "independence", "round-trip", "parallel")
SMALL = {
    "width": 8,
    "batch": 8,
    "latent": 8,
    "first": 16,
    "critic_first": 32,
    "base": 32,
    "most": 16,
    "label_dim": 4,
    "widths": (8, 8),
    "blocks": 1,
    "levels": 2,
    "layers": 3,
    "patch": 32,
}
CLASSES = ("a", "b", "c")


class StandIn(nn.Module):
    """Stands for a net of third parties: two maps of a picture, or, told the level of its noise, the picture halved."""

    def forward(self, image: Tensor, level: Tensor | None = None) -> Tensor | list[Tensor]:
        return [image + 1, image[..., ::2, ::2] + 1] if level is None else image / (1 + level / 255)


def law(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Marks a test as a law that a recipe may be excused from by its class."""
    assert name in LAWS

    def mark(test: Callable[..., None]) -> Callable[..., None]:
        test.law = name  # type: ignore[attr-defined]
        return test

    return mark


def small(name: str, preset: str | None = None, **settings: Any) -> Recipe:
    """The recipe as small as its fields allow; one without such fields is taken as it is."""
    cls = catalog.load(name)
    preset = preset or ("tiny" if "tiny" in cls.presets else None)
    known = {f.name for f in fields(cls)}
    return make(cls, preset, **{k: v for k, v in {**SMALL, **settings}.items() if k in known})


def variants() -> list[tuple[str, str, Any]]:
    """(recipe, field, value) for every choice of every recipe that is not its default."""
    found = []
    for name in NAMES:
        recipe = small(name)
        for field, hint in get_type_hints(type(recipe)).items():
            if get_origin(hint) is Literal:
                found += [(name, field, v) for v in get_args(hint) if v != getattr(recipe, field)]
    return found


def fits(recipe: Recipe, spec: Spec) -> bool:
    try:
        recipe.check(spec)
    except BadInput:
        return False
    return True


def smallest(recipe: Recipe, channels: int = 1, square: bool = True, labelled: bool = True, least: int = 0) -> Spec:
    """The smallest pictures that the recipe takes; its labels only where it wants them."""
    classes = CLASSES if labelled and recipe.labels != "ignored" else ()
    start = max(recipe.smallest(), least)
    sides = range(start, start + 65)
    sizes = ((h, h) for h in sides) if square else ((h, w) for h in sides for w in sides if h != w)
    target = channels if len(recipe.sources) > 1 else None
    return next(s for h, w in sizes if fits(recipe, s := Spec(channels, h, w, classes, target)))


def pictures(spec: Spec, n: int = 24, name: str = "images") -> MemoryDataset:
    """n random pictures, half of each one colour and half noise, classes in turn."""
    stream = Stream(key_of("law pictures", name, n))
    noise = stream.uniform(n, spec.channels, spec.height, spec.width)
    flat = Stream(key_of("law colours", name, n)).uniform(n, spec.channels, 1, 1)
    labels = np.arange(n) % len(spec.classes) if spec.classes else None
    return MemoryDataset((255 * (0.5 * noise + 0.5 * flat)).to(torch.uint8), labels, spec.classes)


def streams_for(recipe: Recipe, spec: Spec, n: int = 24) -> dict[str, Dataset]:
    names = [name for one in recipe.batch_specs().values() for name in (one.stream, one.target) if name]
    return {name: pictures(spec, n, name) for name in names}


def state_for(
    recipe: Recipe, spec: Spec, seed: int = 0, steps: int = 1200, dtype: torch.dtype = torch.float32
) -> TrainState:
    batch = next(iter(recipe.batch_specs().values())).size
    state = build_state(recipe, spec, seed=seed, steps=steps, batch=batch, compute=compute.plain(), dtype=dtype)
    calibrate(recipe, state.networks, learned(recipe, streams_for(recipe, spec)))
    return state


def samplers_for(recipe: Recipe, streams: Mapping[str, Dataset], seed: int = 0) -> dict[str, BatchSampler]:
    return batch_samplers(recipe.batch_specs(), learned(recipe, streams), seed, "cpu", recipe.labels != "ignored")


def learned(recipe: Recipe, streams: Mapping[str, Dataset]) -> Mapping[str, Dataset]:
    """What a step reads of these pictures: of a recipe that represents, their maps."""
    if not isinstance(recipe, Represents):
        return streams
    networks = build_networks(recipe, spec_of(recipe, streams), 0).eval()
    return represented(recipe, networks, streams, "cpu")


def dues(phase: Phase, steps: int = 1200, count: int = 5) -> list[int]:
    """Steps at which a phase is due, spread over the whole of a run."""
    found = [s for s in range(steps) if due(phase, s, s / steps)]
    assert found, f"the turn {phase.name} is never due"
    return [found[round(i * (len(found) - 1) / (count - 1))] for i in range(count)]


class With:
    """A recipe whose phases are others; everything else is as it was."""

    def __init__(self, recipe: Recipe, phases: tuple[Phase, ...]) -> None:
        self._recipe, self._phases = recipe, phases

    def __getattr__(self, name: str) -> Any:
        return getattr(self._recipe, name)

    def phases(self) -> tuple[Phase, ...]:
        return self._phases


def only(recipe: Recipe, optimizer: str) -> Any:
    """The recipe when nobody but one side plays."""
    return With(recipe, tuple(t for t in recipe.phases() if t.optimizer == optimizer))


def poisoned(recipe: Recipe, poison: Callable[[], None]) -> Any:
    """The recipe with something happening before every loss."""

    def spoil(phase: Phase) -> Phase:
        @functools.wraps(phase.loss)
        def loss(context: Any) -> Any:
            poison()
            return phase.loss(context)

        return replace(phase, loss=loss)

    return With(recipe, tuple(spoil(t) for t in recipe.phases()))


ALONE = Ranks()


def copies(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {k: v.detach().clone() for k, v in tensors.items()}


def differing(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> list[str]:
    """Names whose bits are not the same in both."""
    names = a.keys() | b.keys()
    return sorted(k for k in names if k not in a or k not in b or not bits_equal(a[k], b[k]))


def bits_equal(a: Tensor, b: Tensor) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and bool((bits(a) == bits(b)).all())


def bits(x: Tensor) -> Tensor:
    return x.detach().contiguous().reshape(-1).view(torch.uint8)


@torch.no_grad()
def outputs(
    recipe: Recipe, networks: nn.ModuleDict, spec: Spec, image: Tensor, label: Tensor | None, seeds: Tensor
) -> dict[str, Tensor]:
    """What the recipe gives for these pictures, by capability."""
    found: dict[str, Tensor] = {}
    r: Any = recipe
    if hasattr(recipe, "decode"):
        found["decode"] = r.decode(networks, r.latents(len(seeds), Draw(0, phase="law", chosen=seeds)), label)
    if hasattr(recipe, "judge"):
        found["judge"] = r.judge(networks, image, label)
    if hasattr(recipe, "logits"):
        found["logits"] = r.logits(networks, image)
    if hasattr(recipe, "features"):
        found["features"] = r.features(networks, image)
    if hasattr(recipe, "restore"):
        found["restore"] = r.restore(networks, image)
    if hasattr(recipe, "translate"):
        found["translate"] = torch.cat([r.translate(networks, image, d) for d in recipe.directions], 1)
    if hasattr(recipe, "interval"):
        found["interval"] = torch.cat(r.interval(networks, image, 0.5 * image), 1)
    assert found, "a recipe has at least one capability"
    return found


def shapes(recipe: Recipe, spec: Spec, n: int) -> dict[str, tuple[int | None, ...]]:
    """The stated shape of each capability's output; None leaves a side free."""
    picture, times = (n, spec.channels, spec.height, spec.width), getattr(recipe, "scale", 1)
    restored = (n, spec.channels, times * spec.height, times * spec.width)
    return {
        "decode": picture,
        "restore": restored,
        "judge": (n,),
        "logits": (n, spec.condition),
        "features": (n, None),
        "translate": (n, spec.channels * len(getattr(recipe, "directions", ())), spec.height, spec.width),
        "interval": (n, 2 * spec.channels, spec.height, spec.width),
    }
