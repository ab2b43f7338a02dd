"""`data show`: what zeuxis sees in a collection of pictures."""

from collections import Counter, defaultdict
from typing import Any

from zeuxis.data.dataset import Dataset
from zeuxis.data.duplicates import content_groups
from zeuxis.data.memory import item_digests
from zeuxis.data.reader import SizesDiffer
from zeuxis.data.sizes import sizes_of
from zeuxis.errors import BadInput
from zeuxis.jobs.opening import Source

_LISTED = 20


def shown(source: Source) -> dict[str, Any]:
    """Counts, shape, classes, parts, groups, families, what stands under two labels, and what is left out.

    Where the pictures differ in size and none is given, digest, height and width are None, and `sizes` says more.
    """
    try:
        found = source.open()
    except SizesDiffer:
        return _mixed_sizes(source)
    labels = [] if found.labels is None else found.labels.tolist()
    return {
        "source": source.source,
        "pictures": len(found),
        "digest": found.digest,
        "channels": found.spec.channels,
        "height": found.spec.height,
        "width": found.spec.width,
        "classes": {name: labels.count(i) for i, name in enumerate(found.spec.classes)},
        "parts": dict(Counter(found.parts or [])),
        "groups": len(set(found.groups or [])),
        "families": families_of(found),
        "two labels": two_labels(found),
        "frames left out": [name for name, _ in getattr(found, "notes", [])],
        "remarks": list(getattr(found, "remarks", [])),
        "skipped": [list(s) for s in getattr(found, "skipped", [])],
    }


def families_of(dataset: Dataset) -> dict[str, Any]:
    """Pictures that stay together in every split: how many families of two or more, how many pictures in them.

    equal pixels, one group, nearly equal: how many families for which reason; largest: its pictures, twenty at most.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for i, root in enumerate(content_groups(dataset).tolist()):
        members[root].append(i)
    together = sorted((m for m in members.values() if len(m) > 1), key=len, reverse=True)
    hashes = item_digests(dataset)

    def why(family: list[int]) -> str:
        if len({hashes[i] for i in family}) == 1:
            return "equal pixels"
        groups = dataset.groups
        return "one group" if groups and len({groups[i] for i in family}) == 1 else "nearly equal"

    largest = together[0][:_LISTED] if together else []
    return {
        "families": len(together),
        "pictures": sum(map(len, together)),
        **Counter(map(why, together)),
        "largest": [dataset.sources[i] for i in largest],
    }


def two_labels(dataset: Dataset) -> list[dict[str, str]]:
    """Pictures of equal pixels that stand under different classes: file and class of each, twenty pictures at most."""
    if dataset.labels is None:
        return []
    places: dict[bytes, dict[str, str]] = defaultdict(dict)
    for i, digest in enumerate(item_digests(dataset)):
        places[digest].setdefault(dataset.spec.classes[int(dataset.labels[i])], dataset.sources[i])
    several = [{source: name for name, source in found.items()} for found in places.values() if len(found) > 1]
    return several[:_LISTED]


def _mixed_sizes(source: Source) -> dict[str, Any]:
    found = sizes_of(source.source, source.channels, source.where)
    if source.strict and found.skipped:
        first = " ".join(found.skipped[0])
        raise BadInput(f"{len(found.skipped)} of the files cannot be used, the first: {first}", source.source)
    return {
        "source": source.source,
        "pictures": sum(found.counts.values()),
        "digest": None,
        "channels": found.channels,
        "height": None,
        "width": None,
        "sizes": {
            "different": len(found.counts),
            "smallest": "{}x{}".format(*found.smallest),
            "largest": "{}x{}".format(*found.largest),
            "to train": "give --size, such as --size 64",
        },
        "classes": found.classes,
        "parts": found.parts,
        "groups": found.groups,
        "remarks": found.remarks,
        "skipped": [list(s) for s in found.skipped],
    }
