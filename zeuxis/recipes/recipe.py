"""What a recipe is: settings, networks, the phases of a step, and what each minimises."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, ClassVar

import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.errors import BadInput, nearest
from zeuxis.recipes._about import GAME as GAME
from zeuxis.recipes._about import SLOWER as SLOWER
from zeuxis.recipes._about import SLOWER_TO_THE_END as SLOWER_TO_THE_END
from zeuxis.recipes._about import Adapting as Adapting
from zeuxis.recipes._about import Need as Need
from zeuxis.recipes._about import Remedy as Remedy
from zeuxis.recipes._about import Yardstick as Yardstick
from zeuxis.recipes._capabilities import Adapts as Adapts
from zeuxis.recipes._capabilities import Embeds as Embeds
from zeuxis.recipes._capabilities import Generates as Generates
from zeuxis.recipes._capabilities import Judges as Judges
from zeuxis.recipes._capabilities import Quantifies as Quantifies
from zeuxis.recipes._capabilities import Recognizes as Recognizes
from zeuxis.recipes._capabilities import Reconstructs as Reconstructs
from zeuxis.recipes._capabilities import Represents as Represents
from zeuxis.recipes._capabilities import Translates as Translates

Schedule = float | Callable[[float], float]
"""A number, or a function of progress (0 to 1 of the budget)."""


@dataclass(frozen=True)
class Range:
    """Which numbers a setting may be: `least` to `most`, the ends in the range unless they are `above` or `below`."""

    least: float = -math.inf
    most: float = math.inf
    above: bool = False
    below: bool = False

    def __contains__(self, number: float) -> bool:
        over = number > self.least if self.above else number >= self.least
        return over and (number < self.most if self.below else number <= self.most)

    @property
    def words(self) -> str:
        least = "zero" if self.least == 0 else f"{self.least:g}"
        low = f"above {least}" if self.above else f"{least} or more"
        if self.most == math.inf:
            return low
        if not (self.above or self.below):
            return f"{self.least:g} to {self.most:g}"
        return f"{low} and {'below' if self.below else 'at most'} {self.most:g}"


Count = Annotated[int, Range(1)]
Whole = Annotated[int, Range(0)]
Amount = Annotated[float, Range(0)]
OneOrMore = Annotated[float, Range(1)]
Share = Annotated[float, Range(0, 1)]
Part = Annotated[float, Range(0, 1, above=True)]
Decay = Annotated[float, Range(0, 1, below=True)]


def at(schedule: Schedule, progress: float) -> float:
    return schedule(progress) if callable(schedule) else schedule


@dataclass(frozen=True)
class Batch:
    """Samples of one stream: image float32 NCHW in [-1, 1], or maps (`Represents`), and what there is beside it.

    index: int64 [B], positions in the dataset; label: int64 [B] or None; target: float32 NCHW in [-1, 1], what belongs
    to each picture in a paired stream, with channels of its own, or None.
    """

    image: Tensor
    label: Tensor | None = None
    target: Tensor | None = None
    index: Tensor | None = None

    def __len__(self) -> int:
        return len(self.image)


@dataclass(frozen=True)
class BatchSpec:
    """How many samples of which stream one step needs; `size` counts the global batch.

    target: the stream that holds what belongs to each picture, in the same order; empty where nothing does.
    """

    stream: str = "images"
    size: int = 64
    target: str = ""


@dataclass(frozen=True)
class Optimizer:
    """Which networks one optimizer moves, by which algorithm ("adam", "adamw", "sgd"), at which rates.

    lr, beta1, beta2 are numbers or functions of progress; `resets` lists the progress
    at which the optimizer's state starts anew (as progressive growing does per level);
    `clip` bounds the norm of the whole gradient, 0 leaves it alone.
    """

    networks: tuple[str, ...]
    algorithm: str = "adam"
    lr: Schedule = 2e-4
    beta1: Schedule = 0.9
    beta2: Schedule = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0
    momentum: float = 0.9
    clip: float = 0.0
    resets: tuple[float, ...] = ()


@dataclass(frozen=True)
class Phase:
    """One optimizer steps down one loss: every `every` steps, while `when(progress)` is true.

    `fresh`: the phase draws a batch of its own in place of the batch that the step's phases share.
    """

    optimizer: str
    loss: "Callable[[StepContext], Terms]"
    every: int = 1
    when: Callable[[float], bool] = lambda progress: True
    fresh: bool = False

    @property
    def name(self) -> str:
        return self.loss.__name__.removesuffix("_loss")


class Terms(dict[str, Tensor]):
    """Named scalars that the engine sums and minimises.

    `state`: new values of the recipe's state tensors, committed after the step.
    `watch`: named scalars that are logged and guarded, but not minimised.
    """

    def __init__(
        self,
        terms: Mapping[str, Tensor],
        state: Mapping[str, Tensor] | None = None,
        watch: Mapping[str, Tensor] | None = None,
    ) -> None:
        super().__init__(terms)
        self.state = dict(state or {})
        self.watch = {k: v.detach() for k, v in (watch or {}).items()}

    def total(self) -> Tensor:
        return torch.stack([t.reshape(()) for t in self.values()]).sum()


@dataclass(frozen=True)
class Average:
    """Averages of these networks: half-life in images, never above `ramp` of the images seen."""

    networks: tuple[str, ...] = ()
    half_life_images: float = 2000.0
    ramp: float = 0.1


def _local_mean(x: Tensor) -> Tensor:
    return x.mean(0, keepdim=True)


@dataclass(frozen=True)
class StepContext:
    """All that a loss may see.

    networks, averaged, fixed: nets by name; state: the recipe's surviving tensors;
    batch: one Batch per feed; draw: the phase's randomness; progress: 0 to 1;
    step: how often the loop has gone round; mean(x): mean over dimension 0 of the
    *global* batch, kept as [1, ...], with gradient, equal in every process.
    """

    networks: nn.ModuleDict
    batch: Mapping[str, Batch]
    draw: Draw
    progress: float = 0.0
    step: int = 0
    ema: nn.ModuleDict = field(default_factory=nn.ModuleDict)
    fixed: Mapping[str, nn.Module] = field(default_factory=dict)
    state: Mapping[str, Tensor] = field(default_factory=dict)
    mean: Callable[[Tensor], Tensor] = _local_mean


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Base of every recipe: a frozen dataclass whose fields are its settings, with their sources and ranges.

    A recipe is a leaf: nothing inherits from one. It holds no weights and reads no files.
    """

    presets: ClassVar[dict[str, dict[str, Any]]] = {}
    excused: ClassVar[dict[str, str]] = {}
    coupled: ClassVar[bool] = False
    sources: ClassVar[tuple[str, ...]] = ("images",)
    """The streams that a person gives, in the order of the command line."""
    paired: ClassVar[bool] = False
    """True: the second source holds what belongs to each picture of the first, by path and name."""
    labels: ClassVar[str] = "optional"
    """"optional" (conditional where there are labels), "needed", or "ignored"."""
    patches: ClassVar[bool] = False
    """True: trained on squares of `patch` pixels cut out of pictures of any size, which are held out by file."""
    half: ClassVar[bool] = False
    """True: its losses allow convolutions and matrix products in bfloat16, where the engine finds them faster."""
    passing: ClassVar[tuple[str, ...]] = ()
    """Fields that a run which begins with the weights of another does not take over from it."""
    watched: ClassVar[int] = 2048
    """How many held-out pictures a score is read from, at most."""
    remedies: ClassVar[Mapping[str, tuple[Remedy, ...]]] = {}
    """What helps against a trouble, by the name of its alarm, the best first."""
    needs: ClassVar[tuple[Need, ...]] = ()
    """How many images it has to see, by kind of picture, the smallest side first; others are not measured."""

    def stride(self, spec: Spec) -> int:
        """Height and width must be multiples of this number of pixels."""
        return 1

    def smallest(self) -> int:
        """Smallest side in pixels that the networks can be built for."""
        return 8

    def networks(self, spec: Spec) -> nn.ModuleDict:
        raise NotImplementedError

    def batch_specs(self) -> dict[str, BatchSpec]:
        raise NotImplementedError

    def optimizers(self) -> dict[str, Optimizer]:
        raise NotImplementedError

    def phases(self) -> tuple[Phase, ...]:
        raise NotImplementedError

    def average(self) -> Average:
        return Average()

    def state(self, spec: Spec) -> dict[str, Tensor]:
        """Tensors that must survive a restart and that no network owns."""
        return {}

    def snapshots(self) -> tuple[float, ...]:
        """Points of progress whose weights are kept by name, such as the end of a stage."""
        return ()

    def fixed(self) -> dict[str, str]:
        """Frozen nets in `StepContext.fixed`, by name: what `zeuxis data weights` calls their weights."""
        return {}

    def initial(self, spec: Spec) -> dict[str, str]:
        """Parts of the networks that begin with weights of the package: "NETWORK.PART" to the name of these weights."""
        return {}

    def need(self, spec: Spec) -> Need | None:
        """What these settings need on pictures like these; None where it is not measured."""
        side, colour = max(spec.height, spec.width), spec.channels >= 3
        fits = (n for n in self.known_needs(spec) if side <= n.side and colour == n.colour)
        return next((n for n in fits if all(getattr(self, k) == v for k, v in n.when.items())), None)

    def known_needs(self, spec: Spec) -> tuple[Need, ...]:
        """Those of `needs` that these settings can have on such pictures."""
        return self.needs

    def yardstick(self, spec: Spec) -> Yardstick | None:
        """Which held-out figures say whether it is of use; None where its samples do, or nothing does."""
        return None

    def score(self, m: StepContext) -> dict[str, Tensor]:
        """Held-out figures, without gradient; "score" (higher is better), where given, picks the best checkpoint."""
        return {}

    def check(self, spec: Spec) -> None:
        """Raises BadInput when the networks cannot be built for `spec`."""
        stride, least, name = self.stride(spec), self.smallest(), recipe_name(type(self))
        flag = "--patch" if self.patches else "--size"
        if min(spec.height, spec.width) < least:
            raise BadInput(
                f"{spec.height}x{spec.width} pixels are too few for {name}", "", f"use `{flag} {least}` or more"
            )
        if spec.height % stride or spec.width % stride:
            up = "x".join(str(-(-side // stride) * stride) for side in (spec.height, spec.width))
            fitting = spec.height // stride * stride if self.patches else up
            raise BadInput(
                f"{name} needs sides that are multiples of {stride}, not {spec.height}x{spec.width}",
                "",
                f"use `{flag} {fitting}`",
            )
        if not 1 <= spec.channels <= 4:
            raise BadInput(f"{name} takes 1 to 4 channels, not {spec.channels}")
        if self.labels == "needed" and spec.condition < 2:
            raise BadInput(f"{name} needs labelled pictures of two classes or more", "", "give a folder per class")


def recipe_name(cls: type[Recipe]) -> str:
    return cls.__module__.rpartition(".")[2]


def settings_of(recipe: Recipe) -> dict[str, Any]:
    return {f.name: getattr(recipe, f.name) for f in fields(recipe)}


def make(cls: type[Recipe], preset: str | None = None, **settings: Any) -> Recipe:
    """A recipe from its defaults, a preset, then the given settings, in this order.

    Raises BadInput for an unknown preset or field, naming the nearest known one.
    """
    name = recipe_name(cls)
    if preset is not None and preset not in cls.presets:
        raise BadInput(f"{name} has no preset `{preset}`", "", nearest(preset, sorted(cls.presets)))
    known = {f.name for f in fields(cls)}
    for key in settings:
        if key not in known:
            raise BadInput(f"{name} has no field `{key}`", "", nearest(key, sorted(known)))
    return cls(**{**(cls.presets[preset] if preset else {}), **settings})
