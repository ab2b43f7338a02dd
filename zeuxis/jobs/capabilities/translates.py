"""Turns pictures of one collection into such as could stand in another: strips of held-out ones, and how they pass."""

import torch
from torch import Tensor

from zeuxis.data.files import write_json
from zeuxis.errors import counted
from zeuxis.jobs.capability import Capability
from zeuxis.jobs.sources import Material
from zeuxis.jobs.translating.passing import COLOURS, OURS, SHOWN, Looked, judged
from zeuxis.jobs.translating.translators import translator
from zeuxis.pages import translations
from zeuxis.pages.outcome import Outcome, of_translations, unjudged
from zeuxis.pages.read import mapping, read_object
from zeuxis.pictures.in_colour import in_colour
from zeuxis.pictures.png import write_sheet
from zeuxis.recipes.recipe import Translates
from zeuxis.runs import Run

_LATE = 0.8  # progress from which on the best look is as good as the end
_MARGIN = 0.1  # of the score at the end, by which the best must be better


def finish(run: Run, given: Material) -> None:
    """real/translations.json, and a sheet for each direction: rows by who made them, a column per held-out picture."""
    found = judged(translator(run.path), given, run.record["seed"], run.recipe.paired)
    if not found:
        return
    record = {"format": 1, "paired": run.recipe.paired, "directions": [d.to_json() for d, _ in found]}
    rows = {}
    for direction, seen in found:
        strip = strips(seen)
        rows[direction.direction] = list(strip)
        count = len(next(iter(strip.values())))
        sheet = torch.cat([in_colour(x) for x in strip.values()])
        write_sheet(run.path / "real" / f"translated-{direction.direction}.png", sheet, count)
    write_json(run.path / "real" / "translations.json", {**record, "rows": rows})


def strips(seen: Looked) -> dict[str, Tensor]:
    """Rows of a sheet by what they show, of as many pictures each."""
    found = {"given": seen.given, "translated": seen.answers[OURS]}
    if seen.back is not None:
        found["and back"] = seen.back
    if seen.wanted is not None:
        found["partner"] = seen.wanted
    if COLOURS in seen.answers:
        found[COLOURS] = seen.answers[COLOURS]
    if seen.closest is not None:
        found["nearest in training"] = seen.closest
    return {name: x[:SHOWN] for name, x in found.items()}


def judge(run: Run, given: Material) -> Outcome:
    record = read_object(run.path / "real" / "translations.json")
    directions = [mapping(one) for one in record.get("directions") or []]
    if not any(one.get("passes") for one in directions):
        return unjudged("too few pictures were held out")
    return of_translations({**record, "directions": [one for one in directions if one.get("passes")]})


def best_words(run: Run) -> str:
    """A sentence where the held-out score was best well before the end; empty where training helped to the end."""
    looks = [(line["progress"], line["images"], line["score"].get("score")) for line in run.log("score")]
    known = [look for look in looks if look[2] is not None]
    if not known:
        return ""
    progress, images, best = max(known, key=lambda look: look[2])
    last = known[-1][2]
    if progress > _LATE or best - last < _MARGIN * abs(last):
        return ""
    return (
        f"Held-out pictures were translated best after {counted(images, 'image')}, and training has not helped since: "
        "`zeuxis translate --snapshot best` takes the weights of then."
    )


CAPABILITY = Capability(Translates, 2, finish, judge, translations.section, best_words)
