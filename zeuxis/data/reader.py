"""One reader for all sources of pictures."""

import os
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zeuxis.data import builtin, checks, cifar, idx, manifest
from zeuxis.data.arrays import Arrays, from_cifar, from_idx
from zeuxis.data.dataset import Spec
from zeuxis.data.decode import FITS, Shape, with_channels
from zeuxis.data.imagefolders import from_metadata
from zeuxis.data.lazy import FileDataset
from zeuxis.data.listing import Listing, Skipped, from_folder, from_zip
from zeuxis.data.loading import (
    ALL,
    Candidate,
    Loaded,
    Taken,
    content_remarks,
    file_loader,
    frame_count,
    metered,
    parallel,
    row_loader,
    unused,
    whites_in_use,
)
from zeuxis.data.memory import MemoryDataset, digest_of
from zeuxis.data.numbers import with_one_name
from zeuxis.data.origin import PLAIN
from zeuxis.data.tables import from_table, is_table
from zeuxis.data.trees import BY_RULE, Where
from zeuxis.errors import BadInput, nearest

Opened = MemoryDataset | FileDataset
"""What opening a source gives: a Dataset that also has skipped, notes, generated and hashes."""


# ------------------------------------------------------------------ reading


class SizesDiffer(BadInput):
    """The pictures have no common size, and none was given."""


def _sized(shape: Shape, loaded: Loaded, name: str, first: str) -> Shape:
    size = loaded.size
    if shape.size is None:
        return replace(shape, size=size)
    if size != shape.size:
        sizes = f"{shape.size[0]}x{shape.size[1]} ({first}) and {size[0]}x{size[1]} ({name})"
        raise SizesDiffer(f"the pictures differ in size: {sizes}", "", "give --size, for instance `--size 64`")
    return shape


@dataclass
class Harvest:
    """What a pass over all candidates gathers; `pixels` is None once the memory limit was passed."""

    shape: Shape
    kept: list[Candidate]
    loaded: list[Loaded]
    pixels: list[np.ndarray] | None
    skipped: Skipped
    left: Counter[str] = field(default_factory=Counter)
    taken: Taken = ALL


def _harvest(candidates: list[Candidate], shape: Shape, limit: int, taken: Taken = ALL) -> Harvest:
    """All pictures; read again where the range that they use turns out to be another one than each file's own."""
    harvest = _pass(candidates, taken.shaped(shape), limit, taken)
    whites = whites_in_use(harvest.loaded) if taken.white is None else None
    return harvest if whites is None else _pass(candidates, replace(taken.shaped(shape), whites=whites), limit, taken)


def _pass(candidates: list[Candidate], shape: Shape, limit: int, taken: Taken) -> Harvest:
    harvest, known = Harvest(shape, [], [], [], [], taken=taken), shape
    results = parallel(metered(shape, limit), candidates)
    for candidate, result in zip(candidates, results, strict=True):
        if isinstance(result, str):
            harvest.skipped.append((candidate.name, result))
            continue
        if out := taken.leaves_out(result):
            harvest.left[out] += 1
            continue
        known = _sized(known, result, candidate.name, harvest.kept[0].name if harvest.kept else "")
        if result.pixels is None:
            harvest.pixels = None
        elif harvest.pixels is not None:
            harvest.pixels.append(result.pixels)
        harvest.kept.append(candidate)
        harvest.loaded.append(replace(result, pixels=None))  # a view would hold on to the whole picture
    harvest.shape = known
    return harvest


def natural(names: Iterable[str]) -> tuple[str, ...]:
    """Distinct names sorted; by value where all are whole numbers."""
    distinct = set(names)
    if all(name.isdecimal() and name.isascii() for name in distinct):
        return tuple(sorted(distinct, key=lambda name: (int(name), name)))
    return tuple(sorted(distinct))


_GONE = np.zeros((0, 0, 1), np.uint8)


def _stacked(pixels: list[np.ndarray], channels: int) -> Tensor:
    height, width = pixels[0].shape[:2]
    whole = torch.empty(len(pixels), channels, height, width, dtype=torch.uint8)
    for i in range(len(pixels)):
        whole[i] = torch.from_numpy(with_channels(pixels[i], channels).copy()).permute(2, 0, 1)
        pixels[i] = _GONE  # let go while the tensor grows, so both are never whole at once
    return whole


def _dataset(harvest: Harvest, classes: tuple[str, ...] | None, remarks: list[str], limit: int) -> Opened:
    kept, loaded = harvest.kept, harvest.loaded
    grey = all(one.grey_hash is not None for one in loaded)
    channels = harvest.shape.channels or (1 if grey else 3)
    height, width = harvest.shape.size or (0, 0)
    names = [c.label for c in kept if c.label is not None]
    classes = classes if classes is not None else natural(names)
    place = {name: i for i, name in enumerate(classes)}
    labels = np.array([place[name] for name in names], np.int64) if names else None
    fields: dict[str, Any] = {
        "labels": labels,
        "groups": [c.group or c.name for c in kept] if any(c.group for c in kept) else None,
        "sources": [c.name for c in kept],
        "parts": [c.part for c in kept] if all(c.part for c in kept) else None,
        "generated": [bool(one.origin.kind) for one in loaded],
        "origins": [one.origin for one in loaded] if any(one.origin != PLAIN for one in loaded) else None,
        "aspects": [one.aspect for one in loaded],
        "skipped": harvest.skipped,
        "remarks": remarks + content_remarks(loaded, harvest.left, harvest.taken),
        "notes": frames_left_out(kept, loaded),
    }
    if harvest.pixels is not None and len(kept) * channels * height * width <= limit:
        return MemoryDataset(_stacked(harvest.pixels, channels), classes=classes, **fields)
    hashes = [one.hash if channels == 3 or one.grey_hash is None else one.grey_hash for one in loaded]
    spec = Spec(channels, height, width, classes if labels is not None else ())
    shape = replace(harvest.shape, channels=channels)
    return FileDataset([c.load for c in kept], shape, spec, digest_of(spec, hashes, labels), hashes, **fields)


def frames_left_out(kept: list[Candidate], loaded: list[Loaded]) -> Skipped:
    """(file, words) of the pictures that are the first of several frames or pages."""
    pairs = zip(kept, loaded, strict=True)
    return [
        (c.name, f"the first of {one.frames} frames or pages") for c, one in pairs if one.frames > 1 and not c.frame
    ]


def candidates_of(listing: Listing, taken: Taken = ALL) -> list[Candidate]:
    """A candidate for each file; with all frames one for each of them, and those of a file are one group."""
    if taken.frames == "first":
        return [Candidate(e.name, file_loader(e), e.label, e.group, e.part) for e in listing.entries]
    candidates = []
    for e, count in zip(listing.entries, parallel(frame_count, listing.entries), strict=True):
        if count == 1:
            candidates.append(Candidate(e.name, file_loader(e), e.label, e.group, e.part))
        else:
            group = e.group or e.name
            named = [(f"{e.name}#{k + 1}", file_loader(e, k)) for k in range(count)]
            candidates += [Candidate(name, load, e.label, group, e.part, True) for name, load in named]
    return candidates


_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".7z", ".rar")


def check_read(kept: int, skipped: Skipped, where: str, strict: bool) -> None:
    """Raises BadInput where nothing was read, or with `strict` where a file could not be."""
    if not kept and not skipped:
        raise BadInput("there is no picture here", where, "give a folder, a zip or a table of pictures")
    if not kept or (strict and skipped):
        what = "no picture can be read" if not kept else f"{len(skipped)} of the files cannot be used"
        raise BadInput(f"{what}, the first: {' '.join(skipped[0])}", where, "mend or remove what is damaged")


def check_made(kept: int, n_generated: int, where: str) -> None:
    """Raises BadInput where all pictures were made by a model and none is taken."""
    if n_generated and not kept:
        what = "the one picture was" if n_generated == 1 else f"all {n_generated:,} pictures were"
        raise BadInput(f"{what} made by a model", where, "`--generated train` trains on them")


def from_listing(listing: Listing, where: str, shape: Shape, strict: bool, limit: int, taken: Taken = ALL) -> Opened:
    """A dataset of the files of a listing. Raises BadInput when none can be read, or with `strict` when one cannot."""
    if shape.channels is None:
        shape = replace(shape, channels=listing.channels)
    harvest = _harvest(candidates_of(listing, taken), shape, limit, taken)
    check_made(len(harvest.kept), harvest.left["made"], where)
    harvest.skipped = listing.skipped + harvest.skipped
    check_read(len(harvest.kept), harvest.skipped, where, strict)
    return _dataset(harvest, listing.classes, listing.remarks, limit)


def from_arrays(arrays: Arrays, shape: Shape, limit: int, remarks: Sequence[str] = ()) -> Opened:
    """A dataset of pictures that lie in one array; brought to the wanted shape where they have another."""
    n, height, width, channels = arrays.pixels.shape
    size = shape.size or (height, width)
    wanted = Shape(size, shape.channels or channels, shape.fit)
    beside: dict[str, Any] = {"sources": arrays.sources, "parts": arrays.parts, "remarks": list(remarks)}
    if (size, wanted.channels) == ((height, width), channels) and arrays.pixels.nbytes <= limit:
        pixels = torch.from_numpy(np.require(arrays.pixels.transpose(0, 3, 1, 2), requirements=["C", "W"]))
        return MemoryDataset(pixels, arrays.labels, arrays.classes, **beside)
    labels = [None] * n if arrays.labels is None else arrays.labels.tolist()
    names = [None if k is None else arrays.classes[k] for k in labels]
    parts: list[str] | list[None] = arrays.parts or [None] * n
    candidates = [
        Candidate(source, row_loader(row), name, None, part)
        for source, row, name, part in zip(arrays.sources, arrays.pixels, names, parts, strict=True)
    ]
    return _dataset(_harvest(candidates, wanted, limit), arrays.classes or None, list(remarks), limit)


# ------------------------------------------------------------------ which source


def wanted_shape(size: int | tuple[int, int] | None, channels: int | None, fit: str) -> Shape:
    if fit not in FITS:
        raise BadInput(f"there is no fit `{fit}`", "", nearest(fit, sorted(FITS)))
    if channels is not None and channels not in (1, 2, 3, 4):
        raise BadInput(f"pictures have 1 to 4 channels, not {channels}")
    pair = (size, size) if isinstance(size, int) else size
    if pair is not None and not all(1 <= side <= 1 << 15 for side in pair):
        raise BadInput(f"a size must be 1 to {1 << 15} pixels, not {pair[0]}x{pair[1]}")
    return Shape(pair, channels, fit)


def found_in(path: Path, where: Where) -> Listing | Arrays:
    """What a file or folder holds. Raises BadInput where it is no collection, or one that `where` cannot be said of."""
    if path.is_dir():
        listed = manifest.in_folder(path) if os.access(path, os.R_OK | os.X_OK) else None
        stated = arrays_in(path) if listed is None else listed
        if stated is not None:
            return _as_it_is(stated, where, str(path))
        return from_metadata(path, where) or from_folder(path, where)
    if is_table(path):
        return from_table(path, where)
    if zipfile.is_zipfile(path) and not idx.is_idx(path):
        listed = manifest.in_zip(path)
        return from_zip(path, where) if listed is None else _as_it_is(listed, where, str(path))
    if idx.is_idx(path):
        return _as_it_is(from_idx([path]), where, str(path))
    if path.suffix.lower() == ".bin" and cifar.label_bytes(path):
        return _as_it_is(from_cifar([path]), where, str(path))
    if idx.first_bytes(path, 2) == b"PK":
        raise BadInput("this zip is cut short or damaged", str(path), "fetch or pack it again")
    if path.name.lower().endswith(_ARCHIVES):
        raise BadInput("archives of this kind are not read", str(path), "unpack it, or pack it as a zip")
    raise BadInput("this is no collection of pictures", str(path), "give a folder, zip, CSV, JSONL, idx or CIFAR file")


def arrays_in(folder: Path) -> Arrays | None:
    """The idx or CIFAR files of a folder, None where there are none."""
    if files := idx.image_files(folder):
        return from_idx(files)
    records = [file for file in cifar.record_files(folder) if cifar.label_bytes(file)]
    return from_cifar(records) if records else None


def _as_it_is(listing: Listing | Arrays, where: Where, path: str) -> Listing | Arrays:
    if replace(where, labels=True) != BY_RULE:
        raise BadInput(
            "these pictures state their classes, groups and parts themselves",
            path,
            "leave --classes-at, --group-at and --part-at away",
        )
    return listing


def found_at(source: str | Path, where: Where = BY_RULE) -> Listing | Arrays:
    """What a source holds: a set by name (`mnist`, `mnist:FOLDER`), or what `found_in` finds. Raises BadInput."""
    checks.check_source(source)
    name, _, given = str(source).partition(":")
    if isinstance(source, str) and name in checks.NAMES:
        return _as_it_is(builtin.find(name, Path(given).expanduser() if given else None), where, str(source))
    path = Path(source).expanduser()
    try:
        listing = found_in(path, where)
        return with_one_name(listing) if isinstance(listing, Listing) else listing
    except PermissionError as error:
        raise BadInput("this may not be read", str(path)) from error


def open_dataset(
    source: str | Path,
    *,
    size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    fit: str = "crop",
    strict: bool = False,
    where: Where = BY_RULE,
    taken: Taken = ALL,
    memory_limit: int = 2 << 30,
) -> Opened:
    """Opens any source of pictures as a dataset with random access.

    source: a built-in name (`fashion-mini`, `mnist`, `mnist:FOLDER` ...; `./mnist` is a folder), a folder, a
    zip, a CSV or JSONL table, an idx or CIFAR binary file or folder. size: pixels, or (height, width); None
    keeps the common size of all pictures. channels: 1 to 4; None is 1 where all is grey, else 3; 2 and 4
    keep alpha, else it is laid on white. fit: "crop", "pad" or "stretch" ("fit"). where: which level of
    folders, or column of a table, tells classes, groups and parts. What is larger than `memory_limit`
    bytes is decoded when asked for. The result's `skipped` lists (file, reason), its `remarks` how it was read.

    Raises BadInput for a missing source, where no picture can be read, where sizes differ and none
    is given (SizesDiffer), where folders look like something else than classes and `where` does not
    say how to read them, and with `strict` where a single file cannot be used.
    """
    shape = wanted_shape(size, channels, fit)
    listing = found_at(source, where)
    if isinstance(listing, Arrays):
        if taken.half:
            raise BadInput("these pictures lie in an array, none beside another", str(source), "give a folder or a zip")
        return from_arrays(listing, shape, memory_limit, listing.remarks + unused(taken, deep=False, several=False))
    return from_listing(listing, str(Path(source).expanduser()), shape, strict, memory_limit, taken)
