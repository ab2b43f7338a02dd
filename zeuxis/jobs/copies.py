"""The job `augment --classic-only`: a folder of classically augmented pictures, beside the originals."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zeuxis.augmentation.apply import augment_copies
from zeuxis.augmentation.domains import guard_words, guess_domain
from zeuxis.augmentation.names import POLICY_NAMES
from zeuxis.data.dataset import Dataset
from zeuxis.data.duplicates import check_bound, families
from zeuxis.data.export import check_empty, folder_names, kinds_of, note_for, tell_unread
from zeuxis.data.files import cut, make_folder, plain_errors, sweep_aside, write_json
from zeuxis.data.manifest import MANIFEST
from zeuxis.data.memory import Subset
from zeuxis.data.parts import PARTS
from zeuxis.engine.progress import say
from zeuxis.errors import BadInput, counted, nearest
from zeuxis.jobs.showing import two_labels_words
from zeuxis.pictures.png import png_bytes

_AT_ONCE = 128


def copies_of(dataset: Dataset, copies: int, balance: bool) -> np.ndarray:
    """How many copies of each picture, int64 [N]; balanced: so that all classes end equally large.

    None of official test and validation pictures, which nothing is to be trained on.
    """
    trains = _trains(dataset)
    if not balance or dataset.labels is None:
        return np.where(trains, copies, 0)
    labels = np.asarray(dataset.labels)
    sizes = np.bincount(labels[trains], minlength=dataset.spec.condition)
    goal = int(sizes.max()) * (copies + 1)
    counts = np.zeros(len(dataset), dtype=np.int64)
    for c in range(len(sizes)):
        mine = np.flatnonzero((labels == c) & trains)
        if len(mine):
            need = goal - len(mine)
            counts[mine] = need // len(mine)
            counts[mine[: need % len(mine)]] += 1
    return counts


def _trains(dataset: Dataset) -> np.ndarray:
    """bool [N]: all but official test and validation pictures."""
    return np.array([part == "train" for part in dataset.parts or ["train"] * len(dataset)])


def apart(dataset: Dataset, join: str | None) -> Dataset:
    """Without what shares a family with an official test or validation picture, as training leaves it out; told.

    join: see `zeuxis.data.split.split_dataset`. Raises BadInput where looks alone join too many, and none was given.
    """
    if dataset.parts is None:
        return dataset
    together, held = families(dataset, join or "near"), ~_trains(dataset)
    if join is None:
        check_bound(dataset, together)
    near = np.bincount(together.roots, weights=held, minlength=len(dataset))[together.roots] > 0
    leaks = np.flatnonzero(near & ~held)
    if not len(leaks):
        return dataset
    first = dataset.sources[int(leaks[0])]
    say(
        f"zeuxis: left out: {counted(len(leaks), 'picture')} to train on, as copies of official test or val pictures, "
        f"or of their group, the first: {first}"
    )
    kept = Subset(dataset, np.flatnonzero(held | ~near))
    kept.skipped = getattr(dataset, "skipped", [])
    return kept


def check(dataset: Dataset, name: str, out: Path, copies: int, policy: str, balance: bool) -> None:
    """Raises BadInput for what `augment_folder` cannot do, before anything is written."""
    if copies < 1:
        raise BadInput(f"--copies must be 1 or more, not {copies}")
    if policy not in POLICY_NAMES:
        raise BadInput(f"--policy cannot be `{policy}`", "", nearest(policy, list(POLICY_NAMES)))
    if balance and dataset.labels is None:
        raise BadInput("--balance needs labelled pictures", name, "give a folder per class, or leave --balance away")
    folder_names(dataset.spec.classes)
    check_empty(out)


def describe(dataset: Dataset, copies: int, balance: bool, domain: str = "", policy: str = "classic") -> list[str]:
    """What will be written, as lines for people: files per class, what is not copied, or needs no balance, and what
    pictures of this domain are taken for, where the policy asks."""
    counts = copies_of(dataset, copies, balance) + 1
    total, n = int(counts.sum()), len(dataset)
    before = sum(kind == "changed" for kind in kinds_of(dataset))
    changed = f" (of which {before:,} were made of another picture before)" if before else ""
    whole = f"zeuxis: {counted(total, 'picture')}: {n:,} as they are{changed} and {counted(total - n, 'copy')}"
    lines, trains = [whole], _trains(dataset)
    parts = np.array(dataset.parts or [""] * n)
    for part in sorted(set(parts.tolist()), key=list(PARTS).index) if dataset.parts else [""]:
        lines += _classes(dataset, np.where(parts == part, counts, 0), part)
    if not trains.all():
        aside = Counter(parts[~trains].tolist())
        named = " and ".join(counted(count, f"{part} picture") for part, count in sorted(aside.items()))
        lines.append(f"zeuxis: {named} of official parts: written without copies")
    if balance and dataset.labels is not None:
        here = np.bincount(np.asarray(dataset.labels)[trains], minlength=dataset.spec.condition)
        lacking = [f"`{name}`" for name, k in zip(dataset.spec.classes, here, strict=True) if not k]
        if lacking:
            lines.append(f"zeuxis: warning: no picture to train on, so no copy either, of {', '.join(lacking)}")
    if balance and np.array_equal(counts - 1, copies_of(dataset, copies, False)):
        lines.append("zeuxis: all classes have equally many pictures already: there is nothing to balance")
    hint = guard_words(domain, [policy]) if domain else ""
    return lines + two_labels_words(dataset) + ([f"zeuxis: {hint}"] if hint else [])


def _classes(dataset: Dataset, counts: np.ndarray, part: str) -> list[str]:
    """How many files of each class, of one part."""
    if dataset.labels is None:
        return []
    each = np.bincount(np.asarray(dataset.labels), weights=counts, minlength=dataset.spec.condition)
    named = ", ".join(f"{name} {int(n)}" for name, n in zip(dataset.spec.classes, each, strict=True))
    return [f"zeuxis: {part + ': ' if part else ''}{named}"]


def augment_folder(
    dataset: Dataset,
    name: str,
    out: Path,
    copies: int = 5,
    policy: str = "classic",
    balance: bool = False,
    seed: int = 0,
    domain: str | None = None,
) -> Path:
    """Writes originals and augmented copies, a folder per class, with manifest.json and zeuxis.json. Returns `out`.

    Where the pictures have official parts, a folder for each part holds the classes.

    By zeuxis.json the folder opens with a group for each original and its copies, so that no split takes them
    apart. domain: the kind of picture, None to guess it from the name.
    Raises BadInput where `out` holds files or cannot be written, for copies below 1, and for `balance` without
    labels; SomeFailed, after all is written, where some of the files of the dataset could not be read.
    """
    check(dataset, name, out, copies, policy, balance)
    domain = domain or guess_domain(name)
    sweep_aside(out.parent)
    counts = copies_of(dataset, copies, balance)
    places = _places(dataset)
    aside = out.with_name(f".{cut(out.name, 200)}.{os.getpid()}.tmp")
    try:
        rows, owners = list(_originals(dataset, places, aside)), list(range(len(dataset)))
        for copy in range(1, int(counts.max()) + 1):
            chosen = np.flatnonzero(counts >= copy)
            rows += _copies(dataset, places, aside, chosen, copy, seed, policy, domain)
            owners += chosen.tolist()
        manifest = {"format": 1, "policy": policy, "domain": domain, "seed": seed, "files": rows}
        write_json(aside / "manifest.json", manifest)
        write_json(aside / MANIFEST, _grouped(dataset, rows, owners))
        with plain_errors(out):
            if out.exists():
                out.rmdir()
            os.rename(aside, out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    tell_unread(dataset, out, len(rows))
    return out


def _grouped(dataset: Dataset, rows: list[dict[str, Any]], owners: list[int]) -> dict[str, Any]:
    """The manifest by which the folder is read again; owners: position of each row's original.

    A copy is in the group of its original, and in no official test part.
    """
    groups = dataset.groups or dataset.sources
    files = [
        {
            "file": row["file"],
            "label": None if dataset.labels is None else int(dataset.labels[i]),
            "group": groups[i],
            "part": None if dataset.parts is None else "train" if row["copy"] else dataset.parts[i],
            "source": row["source"],
            "kind": row["kind"],
        }
        for row, i in zip(rows, owners, strict=True)
    ]
    return {"format": 1, "channels": dataset.spec.channels, "classes": list(dataset.spec.classes), "files": files}


def _places(dataset: Dataset) -> list[str]:
    """[PART/][FOLDER/]NUMBER of each picture, without the suffix."""
    folders, n = folder_names(dataset.spec.classes), len(dataset)
    parts = [f"{part}/" for part in dataset.parts] if dataset.parts else [""] * n
    classes = (
        [""] * n if dataset.labels is None else [f"{folders[dataset.spec.classes[int(c)]]}/" for c in dataset.labels]
    )
    return [f"{part}{folder}{i:06d}" for i, (part, folder) in enumerate(zip(parts, classes, strict=True))]


def _write(file: Path, data: bytes) -> None:
    """Into a folder that is renamed when all is there, so no file needs to be made safe by itself."""
    make_folder(file.parent)
    with plain_errors(file):
        file.write_bytes(data)


def _originals(dataset: Dataset, places: list[str], aside: Path) -> Iterator[dict[str, Any]]:
    for i, (place, kind) in enumerate(zip(places, kinds_of(dataset), strict=True)):
        pixels = dataset.images([i])[0].permute(1, 2, 0).numpy()
        _write(aside / f"{place}.png", png_bytes(pixels, *note_for(dataset, i, kind)))
        yield {"file": f"{place}.png", "source": dataset.sources[i], "copy": 0, "kind": kind}


def _copies(
    dataset: Dataset, places: list[str], aside: Path, chosen: np.ndarray, copy: int, seed: int, policy: str, domain: str
) -> Iterator[dict[str, Any]]:
    kinds = kinds_of(dataset)
    for start in range(0, len(chosen), _AT_ONCE):
        part = chosen[start : start + _AT_ONCE]
        augmented = augment_copies(dataset.images(part), copy, seed, policy, domain, torch.from_numpy(part))
        for i, picture in zip(part.tolist(), augmented, strict=True):
            file = f"{places[i]}-{copy}.png"
            note = {"augmented": policy, "source": dataset.sources[i], "copy": copy, "seed": seed}
            kind = "made" if kinds[i] == "made" else "changed"
            _write(aside / file, png_bytes(picture.permute(1, 2, 0).numpy(), *note_for(dataset, i, kind, **note)))
            yield {"file": file, "source": dataset.sources[i], "copy": copy, "kind": kind}
