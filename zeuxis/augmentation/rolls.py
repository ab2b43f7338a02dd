"""The random numbers of one batch: a draw, and which samples its rows are."""

from dataclasses import dataclass, replace

from torch import Tensor

from zeuxis.draw import Draw, Stream


@dataclass(frozen=True)
class Rolls:
    """Numbers per sample, by name.

    rows: count of local samples, or int64 [B] of global sample indices: a sample keeps its
    numbers whatever batch, order or process it stands in.
    """

    draw: Draw
    rows: int | Tensor

    def at(self, name: str) -> Stream:
        return self.draw.at(f"augment/{name}")

    def uniform(self, name: str, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """float32 [B, *shape] in [low, high)."""
        return self.at(name).uniform(self.rows, *shape, low=low, high=high)

    def normal(self, name: str, *shape: int) -> Tensor:
        """float32 [B, *shape], standard normal."""
        return self.at(name).normal(self.rows, *shape)

    def integers(self, name: str, *shape: int, high: int) -> Tensor:
        """int64 [B, *shape] in [0, high)."""
        return self.at(name).integers(self.rows, *shape, high=high)

    def sign(self, name: str) -> Tensor:
        """float32 [B], -1 or 1 with equal chance."""
        return 1.0 - 2.0 * self.integers(name, high=2)


def rolls(draw: Draw, image: Tensor, index: Tensor | None = None) -> Rolls:
    """The rolls of `image` [B, ...] on its device; `index` int64 [B] names the samples, else rows 0 to B - 1."""
    return Rolls(replace(draw, device=str(image.device)), len(image) if index is None else index)


def spread(values: Tensor, like: Tensor) -> Tensor:
    """[B] to [B, 1, ...] with the dtype and rank of `like`, to multiply it sample by sample."""
    return values.to(like.dtype).reshape(-1, *(1,) * (like.ndim - 1))
