"""What a recipe says about itself in data: what helps when it fails, what it needs, what it is held against."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Remedy:
    """A change of settings against a trouble: `fields` `times` a factor, or set `to` a value.

    over: values that it may replace, all others where empty; when: other settings that it makes sense with.
    It is no advice where nothing would change.
    """

    fields: tuple[str, ...]
    times: float | None = None
    to: Any = None
    over: tuple[Any, ...] = ()
    when: Mapping[str, Any] = field(default_factory=dict)

    def changes(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """New values by field for these settings; empty where it does not apply or nothing would change."""
        now = {name: settings[name] for name in self.fields}
        replaces = not self.over or all(value in self.over for value in now.values())
        if not replaces or any(settings[name] != value for name, value in self.when.items()):
            return {}
        new = {name: self.to if self.times is None else _scaled(value, self.times) for name, value in now.items()}
        return {name: value for name, value in new.items() if value != now[name]}


def _scaled(value: float, times: float) -> float:
    """To three digits; a whole number stays one, and at least 1."""
    scaled = float(f"{value * times:.3g}")
    return max(1, round(scaled)) if isinstance(value, int) else scaled


SLOWER = Remedy(("lr",), times=0.5)
SLOWER_TO_THE_END = Remedy(("lr", "lr_end"), times=0.5)


@dataclass(frozen=True)
class Need:
    """How many images a recipe has to see before its result is of use, for pictures of one kind.

    side: longest side in pixels up to which it holds; colour: of pictures with three channels and more, or of
    grey ones; hopeless: where the result was still of no use; enough: from where it was of use; source: the runs
    that say so; estimate: `enough` was not reached in a run of ours. when: settings that it is true of. stages: what
    was seen after how many images, on the way, the fewest first.
    """

    side: int
    colour: bool
    hopeless: int
    enough: int
    source: str
    estimate: bool = False
    when: Mapping[str, Any] = field(default_factory=dict)
    stages: tuple[tuple[int, str], ...] = ()

    @property
    def alike(self) -> int:
        """Images until which samples that look alike are no more than fog, which clears by itself."""
        return self.stages[0][0] if self.stages else self.enough


@dataclass(frozen=True)
class Yardstick:
    """Which held-out figures of a recipe say whether it is of use: `ours` against `rival`, names of its score.

    doing: what the rival is, in words that follow "than"; unit: of both; least: a smaller gain is none. chance: the
    rival as a number, where it is no figure of the score. aside: a sentence on what the figure does not see.
    """

    ours: str
    rival: str
    doing: str
    unit: str = "dB"
    least: float = 0.1
    chance: float | None = None
    aside: str = ""


GAME = "PSNR counts invented texture as error, so look at the held-out pictures too."
"""What is to be said beside the PSNR of a restorer that was trained against a critic."""


@dataclass(frozen=True)
class Adapting:
    """How the net that makes a recipe's maps is trained on: recipe, preset and settings, and bundled weights."""

    recipe: str
    preset: str
    settings: Mapping[str, Any]
    weights: str
