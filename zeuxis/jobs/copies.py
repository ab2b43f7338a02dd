"""The job `augment --classic-only`: a folder of classically augmented pictures, beside the originals."""

import hashlib
import os
import shutil
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

import zeuxis
from zeuxis.augmentation.apply import augment_copies
from zeuxis.augmentation.domains import guard_words, guess_domain
from zeuxis.augmentation.names import POLICY_NAMES
from zeuxis.data.dataset import Dataset
from zeuxis.data.duplicates import check_bound, families
from zeuxis.data.export import check_empty, folder_names, kinds_of, note_for, tell_unread
from zeuxis.data.files import cut, json_bytes, make_folder, plain_errors, sweep_aside, write_bytes, write_json
from zeuxis.data.manifest import MANIFEST
from zeuxis.data.memory import Subset
from zeuxis.data.parts import PARTS
from zeuxis.engine.progress import pictures_done, say
from zeuxis.errors import BadInput, counted, nearest
from zeuxis.jobs.per_image.pairs import Pair
from zeuxis.jobs.per_image.pipeline import Batch, in_turn
from zeuxis.jobs.per_image.records import Record, Results, record_of
from zeuxis.jobs.showing import two_labels_words
from zeuxis.pictures.png import png_bytes
from zeuxis.platform import sync_folder

_AT_ONCE = 128
_REQUEST = "request.json"
"""In a folder that is not whole yet: of which pictures it is to be made, and how."""


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
) -> Results:
    """Writes originals and augmented copies, a folder per class, with manifest.json and zeuxis.json.

    Returns a record for each file. Where the pictures have official parts, a folder for each part holds the classes.
    By zeuxis.json the folder opens with a group for each original and its copies, so that no split takes them apart.
    It appears when all is written; until then the files lie in a hidden folder beside it, with which the same call
    goes on. What `check` refuses must not come here. domain: the kind of picture, None to guess it from the name.
    Raises BadInput where `out` cannot be written; SomeFailed, after all is written, where some of the files of the
    dataset could not be read.
    """
    work = _Copying(dataset, out, copies_of(dataset, copies, balance), policy, domain or guess_domain(name), seed)
    work.begin()
    batches = [work.pairs[start : start + _AT_ONCE] for start in range(0, len(dataset), _AT_ONCE)]
    with pictures_done(len(dataset)) as tell:
        records = tuple(in_turn(batches, work, lambda _, done, *__: tell(done)))
    failed = {record.name: record.decision for record in records if record.state == "failed"}
    work.finish([i for i, source in enumerate(dataset.sources) if source not in failed])
    results = Results(records, {"out": str(out)})
    tell_unread(dataset, out, len(records) - len(failed), list(failed.items()), results)
    return results


@dataclass(frozen=True, eq=False)
class _Copying:
    """Writes every picture of a dataset, and `counts` copies of each; what is there already is passed over."""

    dataset: Dataset
    out: Path
    counts: np.ndarray
    policy: str
    domain: str
    seed: int

    @cached_property
    def kinds(self) -> list[str]:
        return kinds_of(self.dataset)

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Of each picture: its target is [PART/][FOLDER/]NUMBER.png below `out`."""
        folders, parts = folder_names(self.dataset.spec.classes), self.dataset.parts
        classes = [folders[name] for name in self.dataset.spec.classes]
        labels = None if self.dataset.labels is None else self.dataset.labels.tolist()
        targets = [
            self.out / (parts[i] if parts else "") / ("" if labels is None else classes[labels[i]]) / f"{i:06d}.png"
            for i in range(len(self.dataset))
        ]
        return tuple(Pair(Path(s), target, s) for s, target in zip(self.dataset.sources, targets, strict=True))

    @cached_property
    def positions(self) -> dict[Path, int]:
        return {pair.target: i for i, pair in enumerate(self.pairs)}

    @property
    def aside(self) -> Path:
        """Where the files lie until all are written."""
        return self.out.with_name(f".{cut(self.out.name, 200)}.part")

    def begin(self) -> None:
        """Makes the folder; what another call left there goes."""
        make_folder(self.out.parent)
        dataset = self.dataset
        files = [dataset.digest, dataset.sources, dataset.groups, dataset.parts, self.counts.tolist()]
        request = {
            "files": hashlib.sha256(json_bytes(files)).hexdigest(),
            "policy": self.policy,
            "domain": self.domain,
            "seed": self.seed,
            "version": zeuxis.__version__,
        }
        note = self.aside / _REQUEST
        if not (note.exists() and note.read_bytes() == json_bytes(request)):
            shutil.rmtree(self.aside, ignore_errors=True)
            write_json(note, request)
        for folder in (self.aside, *(path for path in self.aside.rglob("*") if path.is_dir())):
            sweep_aside(folder)

    def __call__(self, batch: Batch) -> list[Record]:
        """The records of some pictures and of all their copies, once their files are written."""
        at = np.array([self.positions[pair.target] for pair in batch])
        rounds = [(copy, at[self.counts[at] >= copy]) for copy in range(int(self.counts[at].max()) + 1)]
        if all(self._aside(i, copy).exists() for copy, chosen in rounds for i in chosen):
            return [self._record(i, copy, "done before") for copy, chosen in rounds for i in chosen.tolist()]
        images = self.dataset.images(at)
        records = []
        for copy, chosen in rounds:
            pixels = images[torch.from_numpy(np.isin(at, chosen))]
            if copy:
                pixels = augment_copies(pixels, copy, self.seed, self.policy, self.domain, torch.from_numpy(chosen))
            for i, picture in zip(chosen.tolist(), pixels.permute(0, 2, 3, 1).numpy(), strict=True):
                write_bytes(self._aside(i, copy), png_bytes(picture, *self._note(i, copy)))
                records.append(self._record(i, copy, "done"))
        return records

    def _file(self, i: int, copy: int) -> Path:
        target = self.pairs[i].target
        return target.with_name(f"{target.stem}-{copy}.png") if copy else target

    def _aside(self, i: int, copy: int) -> Path:
        return self.aside / self._file(i, copy).relative_to(self.out)

    def _kind(self, i: int, copy: int) -> str:
        """Of a file that is written: a copy of what a model made is made, too."""
        return "changed" if copy and self.kinds[i] != "made" else self.kinds[i]

    def _note(self, i: int, copy: int) -> tuple[dict[str, Any], str | None]:
        told = {"augmented": self.policy, "source": self.dataset.sources[i], "copy": copy, "seed": self.seed}
        return note_for(self.dataset, i, self._kind(i, copy), **(told if copy else {}))

    def _record(self, i: int, copy: int, state: str) -> Record:
        if not copy:
            return record_of(self.pairs[i], state, "as it is")
        original = self._file(i, 0)
        pair = Pair(original, self._file(i, copy), f"{self.dataset.sources[i]}, copy {copy}")
        return record_of(pair, state, f"copy {copy} of {self.counts[i]}", used=(self.policy,))

    def finish(self, written: list[int]) -> None:
        """Lists the pictures of these positions, and all their copies, and gives the folder its name."""
        most = int(self.counts.max(initial=0))
        rounds = [(i, copy) for copy in range(most + 1) for i in written if self.counts[i] >= copy]
        rows = [
            {
                "file": self._file(i, copy).relative_to(self.out).as_posix(),
                "source": self.dataset.sources[i],
                "copy": copy,
                "kind": self._kind(i, copy),
            }
            for i, copy in rounds
        ]
        manifest = {"format": 1, "policy": self.policy, "domain": self.domain, "seed": self.seed, "files": rows}
        write_json(self.aside / "manifest.json", manifest)
        write_json(self.aside / MANIFEST, _grouped(self.dataset, rows, [i for i, _ in rounds]))
        (self.aside / _REQUEST).unlink()
        with plain_errors(self.out):
            if self.out.exists():
                self.out.rmdir()
            os.rename(self.aside, self.out)
            sync_folder(self.out.parent)


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
