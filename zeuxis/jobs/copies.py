"""The job `augment --classic-only`: a folder of classically augmented pictures, beside the originals."""

import contextlib
import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
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
from zeuxis.data.files import json_bytes, plain_errors, shortened, sweep_aside, write_bytes, write_json
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
from zeuxis.platform import Lock, sync_folder
from zeuxis.runs import LOCK, lock

_AT_ONCE = 128
LIST = "manifest.json"
_REQUEST = ".request.json"
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


def check_place(out: Path) -> None:
    """Raises BadInput where `out` holds anything but what may be the finished folder; that is looked into later."""
    if not (out / LIST).exists():
        check_empty(out)


def check(dataset: Dataset, name: str, copies: int, policy: str, balance: bool) -> None:
    """Raises BadInput for what `augment_folder` cannot do, before anything is written."""
    if copies < 1:
        raise BadInput(f"--copies must be 1 or more, not {copies}")
    if policy not in POLICY_NAMES:
        raise BadInput(f"--policy cannot be `{policy}`", "", nearest(policy, list(POLICY_NAMES)))
    if balance and dataset.labels is None:
        raise BadInput("--balance needs labelled pictures", name, "give a folder per class, or leave --balance away")
    folder_names(dataset.spec.classes)


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
    goes on. What `check` refuses must not come here. name: what the dataset was opened by; domain: the kind of
    picture, None to guess it from that name.
    Raises BadInput where `out` holds anything but what the same call wrote, cannot be written, or is being written by
    another process, and where a picture can no longer be read; SomeFailed, after all is written, where some of the
    files of the dataset could not be read when it was opened.
    """
    counts = copies_of(dataset, copies, balance)
    work = _Copying(dataset, Path(name), out, counts, policy, domain or guess_domain(name), seed)
    if work.is_finished():
        say("zeuxis: done already")
        records = [record for i in range(len(dataset)) for record in work.records(i, "done before")]
    else:
        check_empty(out)
        with work.begun() as lock, pictures_done(work.files) as tell:
            records = list(_counted(in_turn(work.batches(), work, lambda *_: None, single=True), tell))
            work.finish(lock)
    skipped: list[tuple[str, str]] = getattr(dataset, "skipped", [])
    lost = [Record(source, None, None, "failed", decision=why) for source, why in skipped]
    results = Results((*records, *lost), {"out": str(out)})
    tell_unread(dataset, out, len(records), results)
    return results


def _counted(records: Iterable[Record], tell: Callable[[int], None]) -> Iterator[Record]:
    for done, record in enumerate(records, 1):
        tell(done)
        yield record


@dataclass(frozen=True, eq=False)
class _Copying:
    """Writes every picture of a dataset, and `counts` copies of each; what is there already is passed over."""

    dataset: Dataset
    opened: Path
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
        return self.out.with_name(f".{shortened(self.out.name, 200)}.part")

    @property
    def files(self) -> int:
        return len(self.dataset) + int(self.counts.sum())

    @cached_property
    def request(self) -> dict[str, Any]:
        """What decides of the files."""
        dataset = self.dataset
        files = [dataset.digest, dataset.sources, dataset.groups, dataset.parts, self.counts.tolist()]
        return {
            "files": hashlib.sha256(json_bytes(files)).hexdigest(),
            "policy": self.policy,
            "domain": self.domain,
            "seed": self.seed,
            "version": zeuxis.__version__,
        }

    def batches(self) -> list[Batch]:
        return [self.pairs[start : start + _AT_ONCE] for start in range(0, len(self.pairs), _AT_ONCE)]

    def is_finished(self) -> bool:
        """Whether `out` is what would be written."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            listed = json.loads((self.out / LIST).read_bytes())
            return listed.get("request") == self.request and not self._missing(self.out)
        return False

    def _missing(self, folder: Path) -> list[Path]:
        files = (self._file(i, copy) for i, copy in self._all())
        return [file for file in files if not (folder / file.relative_to(self.out)).exists()]

    def _all(self) -> list[tuple[int, int]]:
        """(picture, copy) of every file: the originals, then their first copies, and so on."""
        rounds = range(int(self.counts.max(initial=0)) + 1)
        return [(i, copy) for copy in rounds for i in np.flatnonzero(self.counts >= copy).tolist()]

    @contextlib.contextmanager
    def begun(self) -> Iterator[Lock]:
        """The folder aside, locked; what another call left there goes. Raises BadInput where it is somebody else's."""
        note = self.aside / _REQUEST
        there = {path.name for path in self.aside.iterdir()} if self.aside.is_dir() else set()
        if there - {LOCK} and not note.exists():
            raise BadInput(
                "this hidden folder is in the way, and not ours", str(self.aside), "remove it, or rename OUT"
            )
        with lock(self.aside) as held:
            if not (note.exists() and note.read_bytes() == json_bytes(self.request)):
                for path in self.aside.iterdir():
                    if path.name != LOCK:
                        shutil.rmtree(path) if path.is_dir() else path.unlink()
                write_json(note, self.request)
            for folder in (self.aside, *(path for path in self.aside.rglob("*") if path.is_dir())):
                sweep_aside(folder)
            if written := self.files - len(self._missing(self.aside)):
                say(f"zeuxis: goes on: {written:,} of {counted(self.files, 'picture')} are there already")
            yield held

    def __call__(self, batch: Batch) -> list[Record]:
        """The records of some pictures and of all their copies, once their files are written."""
        at = np.array([self.positions[pair.target] for pair in batch])
        state = "done before"
        if not all(self._aside(i, copy).exists() for i in at.tolist() for copy in range(self.counts[i] + 1)):
            state, images = "done", self.dataset.images(at)
            for copy in range(int(self.counts[at].max()) + 1):
                chosen = at[self.counts[at] >= copy]
                pixels = images[torch.from_numpy(self.counts[at] >= copy)]
                if copy:
                    index = torch.from_numpy(chosen)
                    pixels = augment_copies(pixels, copy, self.seed, self.policy, self.domain, index)
                for i, picture in zip(chosen.tolist(), pixels.permute(0, 2, 3, 1).numpy(), strict=True):
                    write_bytes(self._aside(i, copy), png_bytes(picture, *self._note(i, copy)))
        return [record for i in at.tolist() for record in self.records(i, state)]

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

    def records(self, i: int, state: str) -> list[Record]:
        """Of a picture and its copies. Before: the person's file, where there is one for this picture alone."""
        target, name, n = self.pairs[i].target, self.dataset.sources[i], self.counts[i]
        file = self.opened / name
        source = file if self.opened.is_dir() and file.is_file() else target
        copies = [Pair(target, self._file(i, copy), f"{name}, copy {copy}") for copy in range(1, n + 1)]
        made = [record_of(pair, state, f"copy {k} of {n}", used=(self.policy,)) for k, pair in enumerate(copies, 1)]
        return [record_of(Pair(source, target, name), state, "as it is"), *made]

    def finish(self, held: Lock) -> None:
        """Lists the files, and gives the folder its name. Raises BadInput where some went while others were written."""
        if missing := self._missing(self.aside):
            what = f"{counted(len(missing), 'file')} went while others were written"
            raise BadInput(what, str(missing[0]), "give the same command again")
        rows = [
            {
                "file": self._file(i, copy).relative_to(self.out).as_posix(),
                "source": self.dataset.sources[i],
                "copy": copy,
                "kind": self._kind(i, copy),
            }
            for i, copy in self._all()
        ]
        manifest = {"format": 1, "request": self.request, "files": rows}
        manifest |= {"policy": self.policy, "domain": self.domain, "seed": self.seed}
        write_json(self.aside / LIST, manifest)
        write_json(self.aside / MANIFEST, _grouped(self.dataset, rows, [i for i, _ in self._all()]))
        held.release()  # before it goes, as Windows asks
        for name in (LOCK, _REQUEST):
            (self.aside / name).unlink(missing_ok=True)
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
