"""What was asked for, as a person writes it, in the form in which the jobs take it."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zeuxis import catalog
from zeuxis.data import checks
from zeuxis.errors import BadInput

if TYPE_CHECKING:
    from zeuxis.data.dataset import Dataset
    from zeuxis.engine.budget import Budget
    from zeuxis.engine.compute import ComputeOptions
    from zeuxis.engine.loop import LoopOptions
    from zeuxis.jobs.choosing import Choice
    from zeuxis.jobs.per_image.records import Results
    from zeuxis.jobs.sources import Source


def source_of(data: str | Path, given: Mapping[str, Any]) -> "Source":
    """A collection of pictures, and how it is read: from the arguments of a word that are about that. Raises BadInput.

    A word without `generated` trains on nothing, and takes pictures of models as they are.
    """
    named = checks.name_of(data)  # before what is heavy is loaded
    from zeuxis.data.loading import Taken
    from zeuxis.data.trees import Where
    from zeuxis.jobs.sources import Source

    where = Where(given["classes_at"], given["group_at"], given["part_at"])
    taken = Taken(given.get("generated", "train") == "train", given["frames"], given["range"])
    size, channels, fit, strict = (given[name] for name in ("size", "channels", "fit", "strict"))
    if size is None and fit != "crop":
        raise unread("--fit", "without --size: pictures stay as they are")
    halves = bool(given.get("side_by_side"))
    return Source(named, size, channels, fit, strict, where, taken, given.get("join"), halves)


def refuse_reading(given: Mapping[str, Any]) -> None:
    """Raises BadInput where something says how a collection is read, and none is given."""
    usual = {"fit": "crop", "frames": "first", "strict": False}
    names = ("size", "channels", "fit", "classes_at", "group_at", "part_at", "frames", "range", "strict", "join")
    idle = [f"--{name.replace('_', '-')}" for name in names if given[name] not in (usual.get(name), None)]
    if idle:
        raise unread(", ".join(idle), "without --data")


def sources_of(data: Any, given: Mapping[str, Any]) -> "list[Source]":
    """As `source_of`, of one collection or of several that are read alike."""
    several = data if isinstance(data, list | tuple) else (data,)
    if not several:
        raise BadInput("no collection of pictures was given", "DATA", "give a folder, a zip, a table or a set by name")
    return [source_of(one, given) for one in several]


def choice_of(
    name: str,
    sources: "Sequence[Source]",
    of_a_recipe: Any,
    seconds: float | None,
    device: str | None,
    conditional: bool,
) -> "Choice | None":
    """What was chosen where the name is "auto", which is said too; None where it names a recipe.

    of_a_recipe: what was given that belongs to a certain recipe, such as a preset. seconds: the budget, where it is a
    time. Raises BadInput.
    """
    if name != catalog.AUTO:
        return None
    if of_a_recipe is not None:
        raise BadInput(f"`{of_a_recipe}` belongs to one recipe, and `auto` may choose another", "", "name the recipe")
    from zeuxis.engine.progress import say
    from zeuxis.jobs.choosing import choose

    choice = choose(sources, seconds, device, conditional)
    say(choice.said)
    return choice


def compute_of(name: str, threads: int | None, device: str | None) -> "str | ComputeOptions":
    """Of "auto" the name, of "plain" the options themselves with as many threads as were asked for."""
    from dataclasses import replace

    from zeuxis.engine.compute import plain

    return name if name == "auto" else replace(plain(device), threads=threads or 1)


def seconds_of(value: str | float, flag: str = "--budget") -> float:
    """Seconds, above zero and below a century. Raises BadInput."""
    from zeuxis.engine.budget import parse_time

    try:
        seconds = parse_time(value) if isinstance(value, str) else float(value)
    except BadInput as error:
        raise BadInput(error.what, flag, error.mend) from None
    if not 0 < seconds < 3e9:
        raise BadInput(f"a time must be above zero, not {value}", flag, "write 90s, 8m or 1h30m")
    return seconds


def loop_options_of(checkpoint_every: str | float, on_nan: str) -> "LoopOptions":
    from zeuxis.engine.loop import LoopOptions

    return LoopOptions(seconds_of(checkpoint_every, "--checkpoint-every"), on_nan=on_nan)


def budget_of(steps: int | None, images: int | None, budget: str | float | None) -> "Budget":
    from zeuxis.engine.budget import Budget
    from zeuxis.spelling import typed_time

    seconds = None if budget is None else seconds_of(budget)
    time = budget if isinstance(budget, str) else "" if seconds is None else typed_time(seconds)
    given = {"steps": steps, "images": images}
    asked = time or next((f"{value} {name}" for name, value in given.items() if value is not None), "")
    return Budget(steps, images, seconds, asked)


def seeds_of(seeds: str | int | Sequence[int] | None) -> str | None:
    """Seeds as the command line has them: "1,5,6"."""
    if seeds is None or isinstance(seeds, str):
        return seeds
    return ",".join(map(str, [seeds] if isinstance(seeds, int) else seeds))


def pictures_of(input: Any) -> str | bytes:
    """Where pictures are, or the bytes of one that is in memory. Raises BadInput."""
    if isinstance(input, str | Path):
        checks.check_pictures(str(input))
        return str(input)
    if isinstance(input, bytes):
        return input
    from zeuxis.pictures.in_memory import file_of

    return file_of(input)


def mask_of(mask: Any) -> str | bytes | None:
    """Where masks are, or the bytes of one that is in memory; True is the hole. Raises BadInput."""
    if mask is None or isinstance(mask, str | Path | bytes):
        return str(mask) if isinstance(mask, Path) else mask
    from zeuxis.pictures.in_memory import mask_file_of

    return mask_file_of(mask)


def text_of(path: str | Path | None) -> str | None:
    return None if path is None else str(path)


_OF_RULES = ("copies", "policy", "balance")
_OF_STUDY = tuple(
    "study labels_per_class repeats budget recipe margin treatment generator classifier unlabelled "
    "threads device".split()
)


def unread(flag: str, why: str, mend: str = "leave out either") -> BadInput:
    """What to say where a flag was given that nothing reads: no wish is passed over in silence."""
    return BadInput(f"nothing reads {flag} {why}", "", mend)


def how_many(n: int | None, seeds: str | int | Sequence[int] | None) -> int:
    """The number of pictures to draw. Raises BadInput where both say it."""
    if n is not None and seeds is not None:
        raise unread("-n", "beside --seeds, which says how many")
    return 64 if n is None else n


def refuse_idle(augment: Callable[..., Any], asked: Mapping[str, Any], classic_only: bool) -> None:
    """Raises BadInput where an option of `augment` was given that only the other kind of augmenting reads."""
    usual = inspect.signature(augment).parameters
    others = _OF_STUDY if classic_only else _OF_RULES
    idle = [f"--{n.replace('_', '-')}" for n in others if asked[n] not in (usual[n].default, None, {})]
    if idle:
        half, mend = ("with", "leave out either") if classic_only else ("without", "leave it out or add --classic-only")
        raise BadInput(f"nothing reads {', '.join(idle)} {half} --classic-only", "", mend)


def copies_by_rules(
    source: "Source", out: str | Path | None, how: tuple[int, str, bool, int, str], dry_run: bool
) -> "Results | None":
    """`augment --classic-only`; None after a dry run."""
    if out is None:
        raise BadInput("--classic-only needs a folder to write to", "", "add `--out DIR`")
    from zeuxis.engine.progress import say
    from zeuxis.jobs import copies

    copies.check_place(Path(out))
    dataset: Dataset = source.open()
    if source.join is not None and dataset.parts is None:
        raise unread("--join", "where the pictures have no official parts")
    copies.check(dataset, source.source, how[0], how[1], how[2])
    dataset = copies.apart(dataset, source.join)
    for line in copies.describe(dataset, how[0], how[2], how[4], how[1]):
        say(line)
    return None if dry_run else copies.augment_folder(dataset, source.source, Path(out), *how)
