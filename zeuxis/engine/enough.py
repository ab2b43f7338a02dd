"""Whether a budget is enough: what a recipe needs on pictures like these, said before anything is trained."""

from dataclasses import dataclass

from zeuxis.data.dataset import Spec
from zeuxis.engine.budget import pace_words, words_for
from zeuxis.errors import counted
from zeuxis.recipes.recipe import Need, Recipe, recipe_name

VERDICTS = ("enough", "a little short", "far short", "hopeless", "not measured")
FAR = VERDICTS[2:4]


@dataclass(frozen=True)
class Enough:
    """verdict: one of VERDICTS; words: for people."""

    verdict: str
    words: str

    @property
    def warns(self) -> bool:
        return self.verdict in VERDICTS[1:4]


def verdict_of(images: int, need: Need | None) -> str:
    """How `images` stand to a need: its own `enough` and more, at least half of that, more than `hopeless`, or less."""
    if need is None:
        return "not measured"
    if images >= need.enough:
        return "enough"
    if images <= need.hopeless:
        return "hopeless"
    return "a little short" if 2 * images >= need.enough else "far short"


def kind_of(spec: Spec) -> str:
    """Such as "28x28 px grey pictures"."""
    alpha = " with transparency" if spec.channels in (2, 4) else ""
    return f"{spec.height}x{spec.width} px {'colour' if spec.channels >= 3 else 'grey'} pictures{alpha}"


def enough(recipe: Recipe, spec: Spec, images: int, images_per_second: float | None) -> Enough:
    """What a recipe needs on pictures of this kind, how long that takes here, and whether `images` are enough.

    images_per_second: as measured on this machine; None where it was not, and then no time is said.
    """
    need, kind, name = recipe.need(spec), kind_of(spec), recipe_name(type(recipe))
    verdict = verdict_of(images, need)
    if need is None:
        return Enough(verdict, f"how many images `{name}` needs on {kind} with these settings was not measured")
    rate, there = images_per_second, counted(images, "image")
    how = f"{'an estimate' if need.estimate else 'measured'}: {need.source}"
    if need.stages:
        return Enough(verdict, f"{kind}: {name} draws {_stages(need, rate)} ({how}); {_expectation(need, images)}")
    here = f", {words_for(need.enough / rate)} here at {pace_words(rate)}" if rate else ""
    requirement = f"{kind}: {name} needs about {need.enough:,} images ({how}){here}"
    said = {
        "enough": f"this budget of {there} is enough",
        "a little short": f"this budget of {there} is a little short",
        "far short": f"this budget of {there} is far short: expect rough pictures",
        "hopeless": f"this budget of {there} is hopeless: after {counted(need.hopeless, 'image')} results were useless",
    }
    return Enough(verdict, f"{requirement}; {said[verdict]}")


def _stages(need: Need, rate: float | None) -> str:
    """What others saw after how many images, with the time that so many take here."""
    each = [
        f"{what} after {counted(there, 'image')}" + (f", {words_for(there / rate)} here" if rate else "")
        for there, what in need.stages
    ]
    return ", then ".join(each) + (f", at {pace_words(rate)}" if rate else "")


def _expectation(need: Need, images: int) -> str:
    return f"from this budget of {counted(images, 'image')} expect {_reached(need, images)}"


def _reached(need: Need, images: int) -> str:
    reached = [what for there, what in need.stages if there <= images]
    return reached[-1] if reached else "no recognisable shapes yet"


def given_by(recipe: Recipe, spec: Spec, images: int) -> str:
    """A sentence on what so many images give, going by what was seen in other runs; empty where nothing was."""
    need = recipe.need(spec)
    if need is None or not need.stages:
        return ""
    return f"{counted(images, 'image')} of training give {_reached(need, images)}, going by other runs."
