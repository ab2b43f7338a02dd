"""Where the pictures of a run come from: opened, divided, and cut into squares where the recipe wants that."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from zeuxis.data import checks
from zeuxis.data.dataset import Dataset
from zeuxis.data.duplicates import JOINS, families, kept_apart, merged
from zeuxis.data.label_maps import colours_in
from zeuxis.data.loading import ALL, Taken
from zeuxis.data.memory import Subset, item_digests
from zeuxis.data.partners import check_shapes, paired
from zeuxis.data.patches import Patches, Pictures, cut, open_pictures
from zeuxis.data.reader import Opened, open_dataset
from zeuxis.data.split import Split, official_parts, split_dataset
from zeuxis.data.tables import is_table
from zeuxis.data.trees import BY_RULE, Where
from zeuxis.engine.progress import say
from zeuxis.errors import BadInput, counted, nearest
from zeuxis.jobs.held_out import (
    HELD_OUT,
    check_classes,
    held_share,
    known_before,
    tell_aside,
    tell_empty,
    tell_look,
)
from zeuxis.recipes.recipe import Recipe, Recognizes, Translates, recipe_name

_ENOUGH = 20  # pictures from which on some are held out
_ENOUGH_FILES = 4  # the same where every picture gives many squares


@dataclass(frozen=True)
class Source:
    """Where pictures come from and how they are made one size.

    side_by_side: each file holds two of them, a picture and its partner, until `divided` tells these apart.
    """

    source: str
    size: int | tuple[int, int] | None = None
    channels: int | None = None
    fit: str = "crop"
    strict: bool = False
    where: Where = BY_RULE
    taken: Taken = ALL
    join: str | None = None
    side_by_side: bool = False

    def __post_init__(self) -> None:
        if self.join is not None and self.join not in JOINS:
            raise BadInput(f"--join cannot be `{self.join}`", "", nearest(self.join, list(JOINS)))

    def read(self) -> Opened:
        """The pictures. Raises BadInput."""
        return open_dataset(
            self.source,
            size=self.size,
            channels=self.channels,
            fit=self.fit,
            strict=self.strict,
            where=self.where,
            taken=self.taken,
        )

    def open(self) -> Opened:
        """As `read`; how they were read and which files could not be is told on stderr."""
        dataset = self.read()
        tell_skipped(dataset)
        return dataset

    def pictures(self) -> Pictures:
        """The pictures at their own sizes; as `open`."""
        pictures = open_pictures(
            self.source, channels=self.channels, strict=self.strict, where=self.where, taken=self.taken
        )
        tell_skipped(pictures)
        return pictures

    @property
    def place(self) -> str:
        """Where the pictures are, as an absolute path; a set by its name."""
        name, colon, folder = self.source.partition(":")
        if name in checks.NAMES:
            return f"{name}:{Path(folder).expanduser().resolve()}" if colon else name
        return str(Path(self.source).expanduser().resolve())

    def words(self, dataset: Dataset | Pictures) -> dict[str, Any]:
        """For run.json and study.json."""
        size = list(self.size) if isinstance(self.size, tuple) else self.size
        return {
            "source": self.place,
            "size": size,
            "channels": self.channels,
            "fit": self.fit,
            "classes_at": self.where.classes,
            "group_at": self.where.groups,
            "part_at": self.where.parts,
            "generated": "train" if self.taken.made else "leave",
            "frames": self.taken.frames,
            "range": self.taken.white,
            "join": self.join,
            **({"half": self.taken.half} if self.taken.half else {}),
            **({"exact": True} if self.taken.exact else {}),
            **({"files": self.where.files} if self.where.files else {}),
            "digest": dataset.digest,
            "items": len(dataset),
            "skipped": len(getattr(dataset, "skipped", [])),
        }

    @classmethod
    def from_words(cls, entry: Mapping[str, Any]) -> "Source":
        """As `words` gave them. Raises BadInput where they do not say how the pictures were read."""
        lacking = [name for name in ("source", "size", "channels", "fit") if name not in entry]
        if lacking:
            why = "its record does not say how its pictures were read, as it was begun by `zeuxis.engine`"
            raise BadInput(why, str(entry.get("source") or ""), "go on in Python, or evaluate a folder of its samples")
        size = tuple(entry["size"]) if isinstance(entry["size"], list) else entry["size"]
        where = Where(
            entry.get("classes_at"), entry.get("group_at"), entry.get("part_at"), files=entry.get("files") or None
        )
        made, white, half = entry.get("generated") != "leave", entry.get("range"), entry.get("half", "")
        taken = Taken(made, entry.get("frames", "first"), white, half, entry.get("exact", False))
        join = entry.get("join")
        return cls(entry["source"], size, entry["channels"], entry["fit"], where=where, taken=taken, join=join)


def sources_of(record: Mapping[str, Any]) -> list[Source]:
    """Of run.json, in the order in which they were given."""
    return [Source.from_words(entry) for entry in record["sources"].values()]


def tell_skipped(dataset: Dataset | Pictures) -> None:
    """How the source was read and which files could not be, on stderr."""
    for line in getattr(dataset, "remarks", []):
        say(f"zeuxis: {line}")
    skipped: list[tuple[str, str]] = getattr(dataset, "skipped", [])
    for name, reason in skipped[:20]:
        say(f"zeuxis: skipped {name}: {reason}")
    if len(skipped) > 20:
        for reason, n in Counter(reason for _, reason in skipped).most_common(5):
            say(f"zeuxis: {counted(n, 'file')}: {reason}")
    if skipped:
        more = f" ({len(skipped) - 20} more not listed)" if len(skipped) > 20 else ""
        say(f"zeuxis: {counted(len(skipped), 'file')} skipped, {counted(len(dataset), 'picture')} read{more}")


@dataclass(frozen=True)
class Material:
    """What a run works on, by stream: what to train on, what is held out, how it was divided, and words of it.

    Streams are in the order in which they were given; of a paired recipe the second is divided as the first.
    """

    streams: dict[str, Dataset]
    held: dict[str, Dataset]
    splits: dict[str, Split]
    words: dict[str, dict[str, Any]]

    @property
    def train(self) -> Dataset:
        """The pictures of the first source to train on."""
        return next(iter(self.streams.values()))

    @property
    def held_out(self) -> Dataset | None:
        """The held-out pictures of the first source."""
        return self.held.get(next(iter(self.streams)))

    @property
    def said(self) -> dict[str, Any]:
        """For run.json: each split in three numbers."""
        return {
            name: {
                "digest": split.digest,
                "train": len(split.train),
                "held_out": len(split.validation),
                "aside": len(split.test),
                "dropped": len(split.dropped),
            }
            for name, split in self.splits.items()
        }


@dataclass(frozen=True)
class _Part:
    """The material of one source."""

    train: Dataset
    held: Dataset | None
    split: Split | None
    words: dict[str, Any]


def material(recipe: Recipe, sources: Sequence[Source], seed: int) -> Material:
    """Pictures opened and divided, the same each time. Raises BadInput."""
    names = recipe.sources
    if recipe.paired and len(sources) == 1:
        sources = divided(sources[0])
    elif any(source.side_by_side for source in sources):
        raise _no_halves(recipe)
    sources = [_named_colours(source) for source in sources] if isinstance(recipe, Translates) else sources
    if len(sources) != len(names):
        raise BadInput(
            f"{recipe_name(type(recipe))} takes {counted(len(names), 'collection')} of pictures, not {len(sources)}",
            "DATA",
            f"give {_asked_for(names)}{_IN_ONE if recipe.paired else ''}; names with spaces stand in quotes",
        )
    if recipe.paired:
        return _pairs(recipe, sources, seed)
    parts = [(_squares if recipe.patches else _whole)(recipe, source, seed) for source in sources]
    if not recipe.patches:
        _check_two([part.train for part in parts], sources)
        parts = _groups_apart(parts)
    named = dict(zip(names, parts, strict=True))
    return Material(
        {name: part.train for name, part in named.items()},
        {name: part.held for name, part in named.items() if part.held is not None},
        {name: part.split for name, part in named.items() if part.split is not None},
        {name: part.words for name, part in named.items()},
    )


def divided(source: Source) -> list[Source]:
    """The two sides of pairs that one collection holds: halves of each file, or two columns of a table.

    As it is where it is none of these. Raises BadInput.
    """
    if source.side_by_side:
        return [replace(source, side_by_side=False, taken=replace(source.taken, half=x)) for x in ("left", "right")]
    if not is_table(Path(source.source)):
        return [source]
    unlabelled = replace(source.where, labels=False, classes=source.where.classes or 0)
    return [replace(source, where=replace(unlabelled, files=x)) for x in ("file", "target")]


def _no_halves(recipe: Recipe) -> BadInput:
    name = recipe_name(type(recipe))
    what = f"{name} takes two collections" if len(recipe.sources) > 1 else f"{name} learns from no pairs"
    if recipe.paired:
        what = f"{name} takes one collection of pictures side by side, not two"
    return BadInput(what, "--side-by-side", "leave it out, or give one folder of pairs to pix2pix")


def _named_colours(source: Source) -> Source:
    """Of label maps such as are read without mixing their colours, which is told."""
    found = () if source.taken.exact else colours_in(source.source, source.where, source.taken)
    if not found:
        return source
    listed = ", ".join(found[:_COLOURS]) + ", ..." * (len(found) > _COLOURS)
    say(f"zeuxis: `{source.source}` are label maps of {counted(len(found), 'colour')}, which are not mixed: {listed}")
    return replace(source, taken=replace(source.taken, exact=True))


_COLOURS = 12  # that are listed
_IN_ONE = ", or one folder of pairs with `--side-by-side`, or a table with the columns file and target"


def _asked_for(names: Sequence[str]) -> str:
    each = "a folder, zip, table or set"
    return each if len(names) == 1 else f"{' and '.join(names)}, each {each}"


def _pairs(recipe: Recipe, sources: Sequence[Source], seed: int) -> Material:
    """Two sources whose pictures belong together: the second is put in the order of the first and divided as it is."""
    names, datasets = recipe.sources, [source.open() for source in sources]
    _check_two(datasets, sources)
    ordered = partners(datasets, sources)
    entries = {name: source.words(x) for name, source, x in zip(names, sources, datasets, strict=True)}
    if (share := _share(recipe, ordered[0])) is None:
        return Material(dict(zip(names, ordered, strict=True)), {}, {}, entries)
    tell_look(ordered[0], sources[0].join)
    joins = ["exact" if source.taken.exact else source.join or "near" for source in sources]  # maps look alike
    found = merged(*(families(x, join) for x, join in zip(ordered, joins, strict=True)))
    split = split_dataset(ordered[0], seed=seed, validation=share, test=0.0, join=sources[0].join, found=found)
    tell_aside(split)
    streams, held = (
        {name: Subset(x, positions) for name, x in zip(names, ordered, strict=True)}
        for positions in (split.train, split.validation)
    )
    entries[names[0]] |= known_before(ordered[0], split)
    return Material(dict(streams), dict(held), {names[0]: split}, entries)


def partners(datasets: Sequence[Dataset], sources: Sequence[Source]) -> list[Subset]:
    """The pictures of both in one order, partner beside partner. Raises BadInput where they are no pairs."""
    first, second = datasets
    one, other, left = paired(first, second, (sources[0].source, sources[1].source))
    if any(source.fit not in ("fit", "stretch") for source in sources):
        check_shapes(first, second, (one, other))
    if left:
        listed = ", ".join(left[:_COLOURS]) + ", ..." * (len(left) > _COLOURS)
        say(f"zeuxis: left out: {counted(len(left), 'picture')} whose partner cannot be read: {listed}")
    return [Subset(first, one), Subset(second, other)]


def _groups_apart(parts: list[_Part]) -> list[_Part]:
    """What is trained on without what belongs to pictures that another collection holds out; that is told."""
    found = []
    for part, kept in zip(parts, kept_apart([(part.train, part.held) for part in parts]), strict=True):
        out = len(part.train) - len(kept)
        if not out:
            found.append(part)
            continue
        what = "of groups, or halves of one picture, of which the other collection holds some out"
        say(f"zeuxis: left out: {counted(out, 'picture')} {what}")
        if not len(kept):
            raise BadInput("no picture is left to train on", str(part.words["source"]), "give more groups")
        found.append(replace(part, train=Subset(part.train, kept)))
    return found


def _share(recipe: Recipe, dataset: Dataset) -> float | None:
    """Of the pictures that are held out; None where there are too few. What translates is judged by three or more."""
    n, least = len(dataset), _ENOUGH // 2 if isinstance(recipe, Translates) else _ENOUGH
    if n >= least or official_parts(dataset):
        return max(HELD_OUT, _JUDGED / n) if isinstance(recipe, Translates) else HELD_OUT
    if isinstance(recipe, Translates):
        say(f"zeuxis: none of {counted(n, 'picture')} is held out, as {least} would be needed: they judge nothing")
    return None


_JUDGED = 3  # held-out pictures, from which what translates is judged


def _check_two(datasets: Sequence[Dataset], sources: Sequence[Source]) -> None:
    """Raises BadInput where two collections differ in size, or are one and the same."""
    first = datasets[0]
    for other, source in zip(datasets[1:], sources[1:], strict=True):
        one, two = ((x.spec.height, x.spec.width) for x in (first, other))
        if one != two:
            what = f"the collections differ in size: {one[0]}x{one[1]} and {two[0]}x{two[1]} pixels"
            raise BadInput(what, source.source, "give --size, for instance `--size 64`")
        if first.spec.channels != other.spec.channels:
            continue
        here, there = (item_digests(x) for x in (first, other))
        if sorted(here) == sorted(there):
            raise BadInput("both collections hold the same pictures", source.source, "give two that differ")
        if both := sum(x in set(there) for x in set(here)):
            say(f"zeuxis: warning: both collections hold {counted(both, 'picture')} alike, pixel by pixel")


def _whole(recipe: Recipe, source: Source, seed: int) -> _Part:
    dataset = source.open()
    entry, scored = source.words(dataset), isinstance(recipe, Recognizes) and dataset.labels is not None
    if (share := _share(recipe, dataset)) is None:
        if scored:
            say(f"zeuxis: of fewer than {_ENOUGH} pictures none is held out, so the run will have no score")
        return _Part(dataset, None, None, entry)
    share = held_share(dataset) if scored else share
    tell_look(dataset, source.join)
    split = split_dataset(dataset, seed=seed, validation=share, test=0.0, join=source.join)
    tell_aside(split)
    if scored:
        check_classes(dataset, {"training": split.train, "held-out": split.validation})
    elif recipe.labels != "ignored" and dataset.labels is not None:
        tell_empty(dataset, split.train)
    made = np.asarray(dataset.generated if dataset.generated is not None else [False] * len(dataset))
    entry |= {"made": int(made[split.train].sum()), **known_before(dataset, split)}
    return _Part(Subset(dataset, split.train), Subset(dataset, split.validation), split, entry)


def _squares(recipe: Recipe, source: Source, seed: int) -> _Part:
    if source.size is not None:
        raise BadInput(
            f"{recipe_name(type(recipe))} cuts squares out of pictures of any size", "--size", "use --patch instead"
        )
    pictures, size = source.pictures(), int(getattr(recipe, "patch"))  # noqa: B009 - a field of the recipes with patches
    entry = source.words(pictures)
    everything = np.arange(len(pictures))
    if len(pictures) < _ENOUGH_FILES:
        return _Part(cut(pictures, everything, size), None, None, entry)
    share = max(HELD_OUT, 1 / len(pictures))
    tell_look(pictures, source.join)
    split = split_dataset(pictures.thumbnails(), seed=seed, validation=share, test=0.0, join=source.join)
    tell_aside(split)
    entry |= known_before(pictures, split)
    return _Part(cut(pictures, split.train, size), _held(pictures, split, size), split, entry)


def _held(pictures: Pictures, split: Split, size: int) -> Patches | None:
    large = split.validation[pictures.sizes[split.validation].min(1) >= size]
    return cut(pictures, large, size) if len(large) else None
