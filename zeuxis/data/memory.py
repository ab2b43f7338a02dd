"""Datasets that lie in memory, and views of some positions of any dataset."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zeuxis.data.dataset import Dataset, Item, Spec
from zeuxis.data.origin import Origin
from zeuxis.errors import BadInput, counted

Index = Tensor | np.ndarray | list[int]


def positions_of(index: Index) -> np.ndarray:
    """int64 [B] from a tensor, an array or a list of positions."""
    if isinstance(index, Tensor):
        index = index.detach().cpu().numpy()
    return np.asarray(index, dtype=np.int64).reshape(-1)


def item_digest(image: np.ndarray) -> bytes:
    """32 bytes: sha256 over the shape and the pixels of one uint8 HWC picture."""
    h = hashlib.sha256(repr(image.shape).encode())
    h.update(np.ascontiguousarray(image).data)
    return h.digest()


def digest_of(spec: Spec, item_digests: Sequence[bytes], labels: np.ndarray | None) -> str:
    """Hex sha256 over the pixels of every item in order, the labels and the class names."""
    h = hashlib.sha256(repr((spec.channels, spec.height, spec.width, spec.classes, len(item_digests))).encode())
    for digest in item_digests:
        h.update(digest)
    h.update(b"none" if labels is None else np.ascontiguousarray(labels, dtype="<i8").tobytes())
    return h.hexdigest()


@dataclass(eq=False)
class MemoryDataset:
    """Pictures in one uint8 tensor [N, C, H, W], with what there is beside them.

    labels: int64 [N], positions in `classes`, or None; groups, sources, parts, generated: one per
    item or None (sources default to the positions). `generated[i]` is true for a picture that
    carries the note of a program,
    `origins[i]` is what its note says, `aspects[i]` its file's width over height (0: not known). `skipped` lists
    (file, reason) of what could not be read, `notes`
    (file, remark) of what was, `remarks` a line each on how the source was read. `hashes` are the item digests.
    Raises BadInput when the pieces do not fit together.
    """

    pixels: Tensor
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    groups: list[str] | None = None
    sources: list[str] = field(default_factory=list)
    parts: list[str] | None = None
    generated: list[bool] | None = None
    origins: list[Origin] | None = None
    aspects: list[float] | None = None
    skipped: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    hashes: list[bytes] = field(init=False, repr=False)
    spec: Spec = field(init=False)
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        if self.pixels.dtype != torch.uint8 or self.pixels.ndim != 4:
            raise BadInput(f"pixels must be uint8 [N, C, H, W], not {self.pixels.dtype} {list(self.pixels.shape)}")
        n, channels, height, width = self.pixels.shape
        self.classes = tuple(self.classes)
        self.sources = list(self.sources) or [str(i) for i in range(n)]
        if self.labels is not None:
            self.labels = np.asarray(self.labels, dtype=np.int64)
        for name in ("labels", "groups", "sources", "parts", "generated", "origins", "aspects"):
            value = getattr(self, name)
            if value is not None and len(value) != n:
                raise BadInput(f"{len(value)} {name} for {counted(n, 'picture')}")
        if self.labels is not None and n and not 0 <= self.labels.min() <= self.labels.max() < len(self.classes):
            low, high = self.labels.min(), self.labels.max()
            raise BadInput(f"labels reach from {low} to {high} for {counted(len(self.classes), 'class')}")
        self.spec = Spec(channels, height, width, self.classes if self.labels is not None else ())
        self.hashes = [item_digest(self._picture(i)) for i in range(n)]
        self.digest = digest_of(self.spec, self.hashes, self.labels)

    def _picture(self, i: int) -> np.ndarray:
        return np.ascontiguousarray(self.pixels[i].permute(1, 2, 0).numpy())

    def __len__(self) -> int:
        return len(self.pixels)

    def item(self, i: int) -> Item:
        return Item(
            image=self._picture(i),
            label=None if self.labels is None else int(self.labels[i]),
            group=None if self.groups is None else self.groups[i],
            source=self.sources[i],
        )

    def images(self, index: Index) -> Tensor:
        """uint8 [B, C, H, W] for the given positions, in their order."""
        return self.pixels[torch.from_numpy(positions_of(index))]


class Subset:
    """The given positions of a dataset, in their order (a position may come more than once)."""

    def __init__(self, dataset: Dataset, positions: Index) -> None:
        self.dataset = dataset
        self.positions = positions_of(positions)
        n = len(dataset)
        if len(self.positions) and not 0 <= self.positions.min() <= self.positions.max() < n:
            raise BadInput(f"positions must lie in 0 to {n - 1}")
        self.spec = dataset.spec
        content = dataset.digest.encode() + self.positions.astype("<i8").tobytes()
        self.digest = hashlib.sha256(content).hexdigest()
        self.labels = None if dataset.labels is None else dataset.labels[self.positions]
        self.sources = [dataset.sources[i] for i in self.positions]
        self.groups = None if dataset.groups is None else [dataset.groups[i] for i in self.positions]
        self.parts = None if dataset.parts is None else [dataset.parts[i] for i in self.positions]
        generated: list[bool] | None = getattr(dataset, "generated", None)
        hashes: list[bytes] | None = getattr(dataset, "hashes", None)
        self.hashes = None if hashes is None else [hashes[i] for i in self.positions]
        self.generated = None if generated is None else [generated[i] for i in self.positions]
        origins: list[Origin] | None = getattr(dataset, "origins", None)
        self.origins = None if origins is None else [origins[i] for i in self.positions]
        self.skipped: list[tuple[str, str]] = []
        self.notes: list[tuple[str, str]] = []

    def __len__(self) -> int:
        return len(self.positions)

    def item(self, i: int) -> Item:
        return self.dataset.item(int(self.positions[i]))

    def ahead(self, index: Index) -> None:
        """Announces that the pictures at these positions of this subset will be asked for next."""
        read_ahead(self.dataset, self.positions[positions_of(index)])

    def images(self, index: Index) -> Tensor:
        """uint8 [B, C, H, W] for the given positions of this subset, in their order."""
        return self.dataset.images(self.positions[positions_of(index)])


class Seen:
    """A dataset whose pictures are seen through `change`, of uint8 [B, C, H, W]; spec: what it gives."""

    def __init__(self, dataset: Dataset, spec: Spec, change: Callable[[Tensor], Tensor]) -> None:
        self.dataset, self.spec, self.change = dataset, spec, change

    def __len__(self) -> int:
        return len(self.dataset)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.dataset, name)

    def images(self, index: Index) -> Tensor:
        return self.change(self.dataset.images(index))


def family_of(dataset: Dataset, i: int) -> str:
    """What the note in a file says of the family of a picture, so that it is known wherever the file goes.

    A digest: of the name of its group, or that which its own note names, or of its pixels.
    """
    if dataset.groups is not None:
        return hashlib.sha256(b"group " + dataset.groups[i].encode("utf-8", "surrogatepass")).hexdigest()
    origins: list[Origin] | None = getattr(dataset, "origins", None)
    return (origins[i].family if origins else "") or item_digests(dataset)[i].hex()


def read_ahead(dataset: Dataset, index: Index) -> None:
    """Tells a dataset that reads from files which pictures will be asked for next; others need not know."""
    ahead = getattr(dataset, "ahead", None)
    if ahead is not None:
        ahead(index)


def item_digests(dataset: Dataset) -> list[bytes]:
    """The digest of every picture, as the dataset keeps them or else computed in batches."""
    kept: list[bytes] | None = getattr(dataset, "hashes", None)
    if kept is not None:
        return kept
    digests: list[bytes] = []
    for start in range(0, len(dataset), 256):
        batch = dataset.images(np.arange(start, min(start + 256, len(dataset)))).permute(0, 2, 3, 1).contiguous()
        digests += [item_digest(one) for one in batch.numpy()]
    return digests
