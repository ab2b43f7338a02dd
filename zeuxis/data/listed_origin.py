"""Pictures that a written set lists as made by a model or changed by rules, for files that have lost their own note."""

import json
from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import TypeVar

NAMES = ("manifest.json", "zeuxis.json")
"""What sets of a study, sets augmented by rules and exported sets call the list of their files."""

LONGEST = 1 << 28
"""Bytes of a list beyond which it is none of ours."""

P = TypeVar("P", bound=PurePath)


def kinds_in(lists: Iterable[P], read: Callable[[P], bytes]) -> dict[P, str]:
    """ "made" or "changed" by path without its suffix, as another program may have saved a file in another format.

    lists: paths of such lists; read: the bytes of one, of which anything but rows of files is passed over.
    """
    kinds: dict[P, str] = {}
    for path in lists:
        try:
            rows = json.loads(read(path))["files"]
            for row in rows:
                if kind := _kind(row):
                    kinds[path.parent / PurePath(row["file"]).with_suffix("")] = kind
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # a file of others under this name
            continue
    return kinds


def _kind(row: dict[str, object]) -> str:
    if row.get("generated") is True or row.get("kind") == "made":
        return "made"
    return "changed" if row.get("copy") or row.get("kind") == "changed" else ""
