"""A dataset as a folder per class, which `open_dataset` reads back equal."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from zeuxis.data.dataset import Dataset
from zeuxis.data.files import check_place, json_bytes, make_folder, plain_errors, shortened, sweep_aside, write_bytes
from zeuxis.data.manifest import MANIFEST
from zeuxis.data.memory import Index, Subset, family_of, item_digests
from zeuxis.data.origin import PLAIN, Origin
from zeuxis.errors import BadInput, SomeFailed, counted
from zeuxis.pictures.png import CHANGED, MADE, png_bytes
from zeuxis.platform import sync_folder

_FORBIDDEN = re.compile(r'[\x00-\x1f<>:"/\\|?*]+')
_LONGEST = 100
"""Bytes of a folder's name."""
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?|(zeuxis|manifest)\.json", re.IGNORECASE)
"""Names that Windows reserves, and those of the files that lie beside the classes."""


def folder_name(class_name: str) -> str:
    """A name that every file system takes: forbidden characters become `-`, hidden and reserved names get a `_`."""
    name = shortened(_FORBIDDEN.sub("-", class_name).strip().rstrip(".") or "_", _LONGEST)
    return "_" + name if name.startswith(".") or _RESERVED.fullmatch(name) else name


def folder_names(classes: tuple[str, ...]) -> dict[str, str]:
    """Folder by class. Raises BadInput where two classes would share a folder (upper and lower case count as one)."""
    names = {name: folder_name(name) for name in classes}
    seen: dict[str, str] = {}
    for name, folder in names.items():
        other = seen.setdefault(folder.casefold(), name)
        if other != name:
            raise BadInput(f"the classes `{other}` and `{name}` would share the folder {folder}", "", "rename one")
    return names


def check_empty(out: Path) -> None:
    """Raises BadInput unless `out` is missing or an empty folder."""
    if out.is_symlink() or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
        raise BadInput("this is there already and not an empty folder", str(out), "choose another, or remove it")
    if out.exists() and out.samefile(os.curdir):
        raise BadInput("you stand in this folder, and it would be replaced", str(out), "name a new one")
    check_place(out)


def _places(dataset: Dataset) -> list[str]:
    folders = folder_names(dataset.spec.classes)
    digits = max(5, len(str(len(dataset))))
    labels = dataset.labels
    within = ["" if labels is None else folders[dataset.spec.classes[k]] + "/" for k in labels_or_zeros(dataset)]
    return [f"{folder}{i:0{digits}d}.png" for i, folder in enumerate(within)]


def labels_or_zeros(dataset: Dataset) -> list[int]:
    return [0] * len(dataset) if dataset.labels is None else dataset.labels.tolist()


def _manifest(dataset: Dataset, places: list[str]) -> dict[str, Any]:
    kinds = kinds_of(dataset)

    def row(i: int, hexdigest: str) -> dict[str, Any]:
        return {
            "file": places[i],
            "label": None if dataset.labels is None else int(dataset.labels[i]),
            "group": None if dataset.groups is None else dataset.groups[i],
            "part": None if dataset.parts is None else dataset.parts[i],
            "source": dataset.sources[i],
            "sha256": hexdigest,
            "kind": kinds[i],
        }

    files = [row(i, digest.hex()) for i, digest in enumerate(item_digests(dataset))]
    spec = dataset.spec
    return {
        "format": 1,
        "channels": spec.channels,
        "classes": list(spec.classes),
        "digest": dataset.digest,
        "files": files,
    }


def export_folder(
    dataset: Dataset,
    out: str | os.PathLike[str],
    positions: Index | None = None,
    tell: Callable[[int], None] = lambda done: None,
) -> list[Path]:
    """Writes the pictures (or those at `positions`) as PNG into `out`, a folder per class; returns their paths.

    Beside them lies `zeuxis.json`, so that the folder opens as an equal dataset: order of classes and
    pictures, groups, parts. tell: gets the number of pictures done, now and then.
    The note of a picture that a program made says so, and that of one with a group or a
    family names it, so that it is known in a zip or under another name. The folder appears
    whole or not at all. Raises BadInput when `out` is not empty, two classes would share a folder, or
    writing is forbidden, all before anything is written; MachineGaveOut when the disk is full; SomeFailed, after
    all is written, where some of the files of the dataset could not be read.
    """
    given, out = Path(out), Path(os.path.abspath(out))
    chosen: Any = dataset if positions is None else Subset(dataset, positions)
    check_empty(out)
    places = _places(chosen)
    aside = out.with_name(f".{shortened(out.name, 200)}.{os.getpid()}.tmp")
    make_folder(out.parent)
    sweep_aside(out.parent)
    try:
        _write_all(chosen, aside, places, tell)
        with plain_errors(out):
            os.replace(aside, out) if not out.exists() else _onto_empty(aside, out)
            sync_folder(out.parent)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    tell_unread(chosen, given, len(places))
    return [out / place for place in places]


def tell_unread(dataset: Dataset, out: Path, written: int, results: Any = None) -> None:
    """Raises SomeFailed where files of the dataset could not be used, with their count and the first of them.

    written: how many pictures were written to `out`. results: what would have been returned, which `--json` prints too.
    """
    skipped: list[tuple[str, str]] = getattr(dataset, "skipped", [])
    if skipped:
        there, left = counted(written, "picture"), counted(len(skipped), "file")
        what = f"the set is there, with {there}; {left} left out, the first: {' '.join(skipped[0])}"
        failed = [{"name": name, "why": why} for name, why in skipped]
        told = {"out": str(out), "failed": failed} if results is None else results.to_json()
        raise SomeFailed(what, str(out), "--strict stops at such files instead", told, results)


def _onto_empty(aside: Path, out: Path) -> None:
    out.rmdir()
    os.replace(aside, out)


def _write_all(dataset: Any, aside: Path, places: list[str], tell: Callable[[int], None]) -> None:
    for folder in sorted({str(Path(place).parent) for place in places}):
        make_folder(aside / folder)
    kinds = kinds_of(dataset)
    for start in range(0, len(dataset), 256):
        index = np.arange(start, min(start + 256, len(dataset)))
        pixels = dataset.images(index).permute(0, 2, 3, 1).numpy()
        for i, picture in zip(index.tolist(), pixels, strict=True):
            with plain_errors(aside / places[i]):
                (aside / places[i]).write_bytes(png_bytes(picture, *_note(dataset, i, kinds[i])))
        tell(int(index[-1]) + 1)
    _flush(aside, places)
    write_bytes(aside / MANIFEST, json_bytes(_manifest(dataset, places)))


def kinds_of(dataset: Any) -> list[str]:
    """The kind of each picture's origin, "" for a plain one."""
    origins: list[Origin] = getattr(dataset, "origins", None) or [PLAIN] * len(dataset)
    generated: list[bool] = getattr(dataset, "generated", None) or [False] * len(dataset)
    return [one.kind or ("made" if by_model else "") for one, by_model in zip(origins, generated, strict=True)]


TYPES = {"made": MADE, "changed": CHANGED}
"""Digital source type by kind; a plain picture has none."""


def note_for(dataset: Dataset, i: int, kind: str, **more: Any) -> tuple[dict[str, Any], str | None]:
    """The note and the digital source type of a picture that is written into a set, with its family.

    It is called an original only where no program made or changed it, so that it stays known in the next set.
    """
    original = {} if kind else {"original": True}
    return {**more, "family": family_of(dataset, i), **original}, TYPES.get(kind)


def _note(dataset: Any, i: int, kind: str) -> tuple[dict[str, Any] | None, str | None]:
    """The note of an exported picture and its digital source type; none for a plain picture that stands alone."""
    origins: list[Origin] | None = getattr(dataset, "origins", None)
    origin = origins[i] if origins else PLAIN
    if not kind and origin == PLAIN and dataset.groups is None:
        return None, None
    study = {"study": origin.study} if origin.study else {}
    return note_for(dataset, i, kind, exported=True, **{"from": dataset.sources[i]}, **study)


def _flush(aside: Path, places: list[str]) -> None:
    """Waits until all bytes are on the disk; in one go at the end, where the system can write them together."""
    with plain_errors(aside):
        for place in places:
            with open(aside / place, "rb+") as file:
                os.fsync(file.fileno())
        for folder in {(aside / place).parent for place in places}:
            sync_folder(folder)
