"""The dataset: an indexed collection of pictures, and what a reader may ask of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from torch import Tensor


@dataclass(frozen=True)
class Spec:
    """Shape of a dataset's pictures: channels 1 to 4, height and width in pixels, class names or ().

    target: channels of the second source of a recipe that has two, of the same height and width; None for others.
    """

    channels: int
    height: int
    width: int
    classes: tuple[str, ...] = ()
    target: int | None = None

    @property
    def condition(self) -> int:
        """Number of classes; 0 where the pictures carry no labels."""
        return len(self.classes)

    def unlabelled(self) -> "Spec":
        return replace(self, classes=())

    def to_json(self) -> dict[str, Any]:
        record = {"channels": self.channels, "height": self.height, "width": self.width, "classes": list(self.classes)}
        return record if self.target is None else record | {"target": self.target}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Spec":
        shape = (record["channels"], record["height"], record["width"])
        return cls(*shape, tuple(record["classes"]), record.get("target"))


@dataclass(frozen=True)
class Item:
    """One picture of a dataset: image uint8 HWC, and what there is beside it."""

    image: np.ndarray
    label: int | None = None
    group: str | None = None
    source: str = ""


class Dataset(Protocol):
    """Random access to pictures of one shape.

    digest: sha256 over pixels, labels and class names, so equal content has an equal digest.
    labels: int64 [N] or None; groups, sources: one string per item (groups may be None);
    parts: "train" or "test" per item where the set has an official division, else None.
    """

    spec: Spec
    digest: str
    labels: np.ndarray | None
    groups: list[str] | None
    sources: list[str]
    parts: list[str] | None

    def __len__(self) -> int: ...

    def item(self, i: int) -> Item: ...

    def images(self, index: Tensor | np.ndarray | list[int]) -> Tensor:
        """uint8 [B, C, H, W] for the given positions, in their order."""
        ...
