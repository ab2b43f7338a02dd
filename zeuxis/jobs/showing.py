"""`data show`: what zeuxis sees in a collection of pictures."""

from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from zeuxis.data.dataset import Dataset
from zeuxis.data.duplicates import JOINS, SMALLEST, Families, check_bound, families
from zeuxis.data.export import kinds_of
from zeuxis.data.memory import item_digests
from zeuxis.data.reader import Opened, SizesDiffer
from zeuxis.data.sizes import sizes_of
from zeuxis.data.trees import some
from zeuxis.errors import BadInput, command, counted
from zeuxis.jobs.held_out import tell_look
from zeuxis.jobs.sources import Source
from zeuxis.pages.families import write_families
from zeuxis.spelling import spelled

LISTED = 20


def shown(source: Source, page: Path | None = None) -> dict[str, Any]:
    """Counts, shape, classes, parts, groups, families, what stands under two labels, and what is left out.

    Where the pictures differ in size and none is given, digest, height and width are None, `sizes` says more, and
    families are looked for at a common size.
    """
    sizes: dict[str, Any] = {}
    try:
        dataset = source.open()
    except SizesDiffer:
        sizes, dataset = _at_common_size(source)
    tell_look(dataset, source.join)
    together = families(dataset, source.join or "near")
    if page is not None:
        write_families(page, source.source, dataset, together, JOINS[source.join or "near"])
    of_class = Counter([] if dataset.labels is None else dataset.labels.tolist())
    return {
        "source": source.source,
        "pictures": len(dataset),
        "digest": None if sizes else dataset.digest,
        "channels": dataset.spec.channels,
        "height": None if sizes else dataset.spec.height,
        "width": None if sizes else dataset.spec.width,
        **({"sizes": sizes} if sizes else {}),
        "classes": {name: of_class[i] for i, name in enumerate(dataset.spec.classes)},
        "parts": dict(Counter(dataset.parts or [])),
        "groups": len({group for group, name in zip(dataset.groups or [], dataset.sources) if group != name}),
        "families": families_of(dataset, together),
        "two labels": two_labels(dataset),
        "frames left out": [name for name, _ in getattr(dataset, "notes", [])],
        "remarks": [
            spelled(remark)
            for remark in (
                *getattr(dataset, "remarks", []),
                *_of_models(dataset),
                *of_parts(dataset, together),
                *parts_unseen(source, dataset),
            )
        ],
        "skipped": [list(s) for s in getattr(dataset, "skipped", [])],
    }


def _of_models(dataset: Dataset) -> list[str]:
    """Pictures that `data show` counts and a training does not."""
    generated = sum(kind == "made" for kind in kinds_of(dataset))
    left = (
        f"{'were' if generated > 1 else 'was'} made by a model: training leaves {'them' if generated > 1 else 'it'} out"
    )
    return [f"{counted(generated, 'picture')} {left}, unless you give `--generated train`"] if generated else []


def families_of(dataset: Dataset, together: Families) -> dict[str, Any]:
    """Pictures that stay together in every split: how many families of two or more, how many pictures in them.

    For each reason, in how many families it joined pictures; largest: its pictures, twenty at most; asked: in words
    whether training would ask about the largest.
    """
    members = together.members()
    reasons = Counter(why for one in members for why in together.why.get(int(together.roots[one[0]]), []))
    known: dict[str, Any] = {"families": len(members), "pictures": sum(map(len, members)), **reasons}
    known["largest"] = [dataset.sources[i] for i in (members[0][:LISTED].tolist() if members else [])]
    try:
        check_bound(dataset, together)
    except BadInput as error:
        known["asked"] = spelled(error.what)
    return known


def of_parts(dataset: Dataset, together: Families) -> list[str]:
    """What is odd about the parts that a set has: classes that one of them lacks, and what stays together across them.

    Training drops the latter from the part that is learned from, or chosen by.
    """
    if dataset.parts is None:
        return []
    lines = []
    parts, names = np.asarray(dataset.parts), [part for part in ("train", "val", "test") if part in dataset.parts]
    labels = dataset.labels
    for part in names if labels is not None else ():
        there = np.bincount(np.asarray(labels)[parts == part], minlength=dataset.spec.condition)
        lacking = [name for name, count in zip(dataset.spec.classes, there, strict=True) if not count]
        if lacking:
            lines.append(f"the {part} part has no picture of {some(lacking)}")
    across = [m for m in together.members() if len(set(parts[m].tolist())) > 1]
    if across:
        lines.append(
            f"{counted(len(across), 'family')} that must stay together {'are' if len(across) > 1 else 'is'} in several "
            f"parts, such as {dataset.sources[int(across[0][0])]}: training leaves out what shares one with a picture "
            "held out"
        )
    return lines


def parts_unseen(source: Source, dataset: Dataset) -> list[str]:
    """A warning where pictures were shrunk so far that a part of one is not told from a picture of its own."""
    if (
        source.size is None
        or min(dataset.spec.height, dataset.spec.width) >= SMALLEST
        or source.join in ("exact", "off")
    ):
        return []
    look = f"`{command('data', 'show', source.source)}` without --size says whether there are any"
    return [f"below {SMALLEST} px parts of one picture are not looked for, and may be divided: {look}"]


def two_labels(dataset: Dataset) -> list[dict[str, str]]:
    """Pictures of equal pixels that stand under different classes: file and class of each, twenty pictures at most."""
    if dataset.labels is None:
        return []
    places: dict[bytes, dict[str, str]] = defaultdict(dict)
    for i, digest in enumerate(item_digests(dataset)):
        places[digest].setdefault(dataset.spec.classes[int(dataset.labels[i])], dataset.sources[i])
    several = [{source: name for name, source in by_class.items()} for by_class in places.values() if len(by_class) > 1]
    return several[:LISTED]


def two_labels_words(dataset: Dataset) -> list[str]:
    """A warning for the plan of whoever trains on them; nothing where there are none."""
    twice = two_labels(dataset)
    if not twice:
        return []
    names, least = " and ".join(f"`{name}`" for name in list(twice[0])[:2]), "at least " * (len(twice) >= LISTED)
    return [
        f"zeuxis: warning: {least}{counted(len(twice), 'picture')} under two labels, such as {names}: no classifier is "
        "right on both; `zeuxis data show` lists them"
    ]


def _at_common_size(source: Source) -> tuple[dict[str, Any], Opened]:
    """What is said of the sizes, and the pictures stretched to a common one, so that they can be compared."""
    measured = sizes_of(source.source, source.channels, source.where, source.taken)
    side = measured.common
    sizes = {
        "different": len(measured.counts),
        "smallest": "{}x{}".format(*measured.smallest),
        "largest": "{}x{}".format(*measured.largest),
        "to train": spelled("give --size, such as `--size 64`"),
        "compared at": spelled(f"{side}x{side}, each stretched to it; training compares at its own --size"),
    }
    return sizes, replace(source, size=side, fit="stretch").open()
