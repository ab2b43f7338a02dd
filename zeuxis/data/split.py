"""Training, validation and test parts that share no picture, no near duplicate and no group; written down."""

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from zeuxis.data.dataset import Dataset
from zeuxis.data.duplicates import Families, check_bound
from zeuxis.data.duplicates import families as together
from zeuxis.data.memory import item_digests
from zeuxis.data.origin import PLAIN, Origin
from zeuxis.draw import key_of
from zeuxis.errors import BadInput

PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Split:
    """Sorted positions int64 of each part, and of what was dropped because it is a copy of a picture held out.

    hashes: sha256 of the pixels of every picture of the dataset; sources: its file; digest: sha256 over all of it.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    dropped: np.ndarray
    seed: int
    dataset_digest: str
    hashes: list[str]
    sources: list[str]

    @property
    def digest(self) -> str:
        h = hashlib.sha256(self.dataset_digest.encode())
        for name in (*PARTS, "dropped"):
            positions: np.ndarray = getattr(self, name)
            h.update(f"{name} {len(positions)} ".encode() + positions.astype("<i8").tobytes())
            for i in positions:
                h.update(self.hashes[i].encode())
        return h.hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Plain values: a line `POSITION SHA256 FILE` per picture under its part, the seed and the digests."""
        lines = {
            name: [f"{i} {self.hashes[i]} {self.sources[i]}" for i in getattr(self, name).tolist()]
            for name in (*PARTS, "dropped")
        }
        return {"format": 1, "seed": self.seed, "dataset": self.dataset_digest, "digest": self.digest, **lines}

    @staticmethod
    def from_json(value: object, dataset: Dataset | None = None) -> "Split":
        """The split that `to_json` wrote. Raises BadInput when it is damaged, or not of the given dataset."""
        return _from_json(value, dataset)


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid")
    format: Literal[1]
    seed: int
    dataset: str
    digest: str
    train: list[str]
    validation: list[str]
    test: list[str]
    dropped: list[str]


def _damaged() -> BadInput:
    return BadInput("this split is damaged", "", "make it again")


def _from_json(value: object, dataset: Dataset | None) -> Split:
    try:
        written = _Written.model_validate(value)
        rows = {name: [line.split(" ", 2) for line in getattr(written, name)] for name in (*PARTS, "dropped")}
        known = {int(i): (sha256, source) for part in rows.values() for i, sha256, source in part}
        if sorted(known) != list(range(sum(map(len, rows.values())))):
            raise _damaged()
        arrays = {name: np.array([int(row[0]) for row in part], np.int64) for name, part in rows.items()}
    except (ValidationError, ValueError) as error:
        raise _damaged() from error
    hashes, sources = [known[i][0] for i in range(len(known))], [known[i][1] for i in range(len(known))]
    split = Split(**arrays, seed=written.seed, dataset_digest=written.dataset, hashes=hashes, sources=sources)
    if split.digest != written.digest:
        raise _damaged()
    if dataset is not None and dataset.digest != written.dataset:
        raise BadInput("the pictures are not those that were split", "", "give the same data, or begin anew")
    return split


# ------------------------------------------------------------------ dividing


@dataclass(frozen=True)
class _Families:
    """Pictures that stay together: members by family, classes counted [F, K], and the families no test may hold.

    Those are the ones with a picture of a program whose original, by `group` or by its note, is not there. counts: of
    all pictures there, of the real ones elsewhere. made: bool [N], true for the pictures of a program.
    """

    members: list[np.ndarray]
    counts: np.ndarray
    train_only: np.ndarray
    made: np.ndarray
    keys: list[int]


def _families(dataset: Dataset, roots: np.ndarray, hashes: list[str], seed: int) -> _Families:
    order = np.argsort(roots, kind="stable")
    cuts = np.flatnonzero(np.diff(roots[order])) + 1
    members = np.split(order, cuts)
    labels = np.zeros(len(roots), np.int64) if dataset.labels is None else dataset.labels
    counts = np.zeros((len(members), int(labels.max(initial=0)) + 1), np.int64)
    family = np.empty(len(roots), np.int64)
    for f, positions in enumerate(members):
        family[positions] = f
    generated = np.array(getattr(dataset, "generated", None) or [False] * len(roots), bool)
    stray = generated & ~_with_original(dataset, generated, hashes)
    train_only = np.zeros(len(members), bool)
    train_only[family[stray]] = True
    counted = ~generated | train_only[family]
    np.add.at(counts, (family[counted], labels[counted]), 1)
    keys = [key_of(seed, "split", min(hashes[i] for i in positions), len(positions)) for positions in members]
    return _Families(members, counts, train_only, generated, keys)


def _with_original(dataset: Dataset, generated: np.ndarray, hashes: list[str]) -> np.ndarray:
    """bool [N]: whether a picture that no program made is there of the same group, or named by the picture's note."""
    origins: list[Origin] = getattr(dataset, "origins", None) or [PLAIN] * len(generated)
    groups = dataset.groups or [""] * len(generated)
    real = np.flatnonzero(~generated).tolist()
    of_group = {groups[i] for i in real} - {""}
    of_family = ({hashes[i] for i in real} | {origins[i].family for i in real}) - {""}
    return np.array([g in of_group or one.family in of_family for g, one in zip(groups, origins, strict=True)], bool)


def _growth(have: np.ndarray, quota: np.ndarray, counts: np.ndarray) -> float:
    """By how much chi-square of a part against its quota grows when a family joins it."""
    where = counts > 0
    c, h, q = counts[where], have[where], quota[where]
    return float((c * (c + 2 * (h - q)) / q).sum())


def _divide(families: _Families, chosen: np.ndarray, shares: dict[str, float]) -> dict[str, np.ndarray]:
    """Families in large-first, then keyed order, each to the part whose class counts it brings nearest to the quota."""
    total = families.counts[chosen].sum(0)
    quota = {name: share * total for name, share in shares.items() if share > 0}
    have = {name: np.zeros_like(total) for name in quota}
    given: dict[str, list[np.ndarray]] = {name: [] for name in shares}
    for f in sorted(chosen.tolist(), key=lambda f: (-len(families.members[f]), families.keys[f])):
        counts = families.counts[f]
        open_to = ["train"] if families.train_only[f] else list(quota)
        part = min(open_to, key=lambda name: round(_growth(have[name], quota[name], counts), 9))
        have[part] += counts
        given[part].append(families.members[f])
    return {name: np.sort(np.concatenate(got)) if got else np.zeros(0, np.int64) for name, got in given.items()}


def _without_made(families: _Families, parts: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The parts with what a program made taken out of all but train, into "dropped"."""
    held = {name: positions for name, positions in parts.items() if name != "train"}
    out = [np.zeros(0, np.int64), *(positions[families.made[positions]] for positions in held.values())]
    kept = {name: positions[~families.made[positions]] for name, positions in held.items()}
    return {**parts, **kept, "dropped": np.sort(np.concatenate(out))}


_OFFICIAL = {"test": "test", "validation": "val"}


def official_parts(dataset: Dataset) -> dict[str, np.ndarray]:
    """bool [N] for each part that the set itself holds out, test or validation; {} where it is not divided."""
    if dataset.parts is None or "train" not in dataset.parts:
        return {}
    parts = np.array(dataset.parts)
    return {name: parts == own for name, own in _OFFICIAL.items() if own in dataset.parts}


def _refuse_generated(dataset: Dataset, official: dict[str, np.ndarray]) -> None:
    generated = getattr(dataset, "generated", None)
    for name, part in official.items() if generated is not None else ():
        for i in np.flatnonzero(np.array(generated) & part).tolist():
            raise BadInput(f"the {name} part holds a picture that a program made", dataset.sources[i], "take it out")


def _held_out(
    families: _Families, official: dict[str, np.ndarray], touches: np.ndarray, dropped: np.ndarray
) -> dict[str, np.ndarray]:
    """The official parts and "dropped", which has what shares a family with a part named before, or only trains."""
    out, taken = [dropped], np.zeros(len(families.made), bool)
    parts = {}
    for name, mask in official.items():
        near = [positions for positions in families.members if taken[positions].any()]
        copies = np.concatenate([np.zeros(0, np.int64), *near])
        parts[name] = np.setdiff1d(np.flatnonzero(mask), copies)
        taken[parts[name]] = True
    for f in np.flatnonzero(touches):
        out.append(families.members[f][~taken[families.members[f]]])
    return {**parts, "dropped": np.sort(np.concatenate(out))}


def _check_shares(validation: float, test: float) -> None:
    if not (0 <= validation < 1 and 0 <= test < 1 and validation + test < 1):
        raise BadInput(f"validation {validation:g} and test {test:g} must leave something to train on")


def split_dataset(
    dataset: Dataset,
    *,
    seed: int,
    validation: float = 0.2,
    test: float = 0.2,
    join: str | None = None,
    found: Families | None = None,
) -> Split:
    """Divides a dataset, each class in the same shares; a pure function of its content and the seed.

    validation and test are shares of all pictures. Where the set has official parts, these are the test part and
    the validation part, whichever there are; the other is a share of the rest. Training pictures that are copies of
    pictures held out are dropped, and so are pictures for validation that are copies of test pictures. What stays
    together is decided by `zeuxis.data.duplicates.families` with `join` (`found`, where it was called already);
    None is "near", and refuses where looks alone join more than a tenth of a class.
    Pictures that carry the note of a program only ever train; those of
    the same family as a picture held out are dropped. A part may come out empty when there are few pictures.
    Raises BadInput for impossible shares, no pictures, families to be asked about, and generated pictures in an
    official test part.
    """
    _check_shares(validation, test)
    n = len(dataset)
    if n == 0:
        raise BadInput("there are no pictures to divide")
    hashes = [digest.hex() for digest in item_digests(dataset)]
    found = found or together(dataset, join or "near")
    if join is None and validation + test > 0:
        check_bound(dataset, found)
    families = _families(dataset, found.roots, hashes, seed)
    everything = np.arange(len(families.members))
    official = official_parts(dataset)
    _refuse_generated(dataset, official)
    free = {name: share for name, share in (("test", test), ("validation", validation)) if name not in official}
    held = np.any([np.zeros(n, bool), *official.values()], axis=0)
    touches = np.array([bool(held[positions].any()) for positions in families.members])
    parts = _without_made(families, _divide(families, everything[~touches], {**free, "train": 1 - sum(free.values())}))
    parts |= _held_out(families, official, touches, parts["dropped"])
    return Split(**parts, seed=seed, dataset_digest=dataset.digest, hashes=hashes, sources=list(dataset.sources))
