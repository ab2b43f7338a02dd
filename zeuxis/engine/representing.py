"""Maps in place of pictures: what a recipe that represents learns on, made once and kept beside the run."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Dataset
from zeuxis.engine.batches import to_image
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.progress import pictures_done, say
from zeuxis.errors import BadInput, counted
from zeuxis.recipes.recipe import Recipe, Represents
from zeuxis.weights import store

_AT_ONCE = 64
FILE = "maps-{}.safetensors"


@dataclass(frozen=True)
class Maps:
    """A dataset whose pictures are maps: float16 [N, ...], as `Represents.encode` gives them.

    key: of the pictures and the networks that they were made by.
    """

    dataset: Dataset
    maps: Tensor
    key: str

    def __len__(self) -> int:
        return len(self.dataset)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.dataset, name)

    def images(self, index: Any) -> Tensor:
        """float32 [B, ...] for the given positions, in their order."""
        return self.maps[torch.as_tensor(index)].float()


def represented(
    recipe: Recipe,
    networks: nn.ModuleDict,
    streams: Mapping[str, Dataset],
    device: str,
    folder: Path | None = None,
    shows: bool = False,
) -> dict[str, Dataset]:
    """The streams that a step reads: of a recipe that represents, the maps of their pictures; else as they are.

    folder: of a run, where maps of these pictures by these networks are read from, or written to. shows: says how far
    the making of maps is, which for some thousand pictures takes minutes.
    """
    if not isinstance(recipe, Represents):
        return dict(streams)
    nets = (networks.get_submodule(name) for name in (recipe.representing, recipe.describing))
    by = " ".join(store.content_hash(net.state_dict()) for net in nets)
    return {
        name: _maps(recipe, networks, data, by, device, folder / FILE.format(name) if folder else None, shows)
        for name, data in streams.items()
    }


def _maps(
    recipe: Represents, networks: nn.ModuleDict, data: Dataset, by: str, device: str, path: Path | None, shows: bool
) -> Maps:
    pictures = data.dataset if isinstance(data, Maps) else data
    key = hashlib.sha256(f"{data.digest} {by}".encode()).hexdigest()
    kept = _read(path, key) if path else None
    if kept is not None:
        return Maps(pictures, kept, key)
    if isinstance(data, Maps) and data.key == key:
        maps = data.maps
    else:
        maps = torch.cat(list(_encoded(recipe, networks, pictures, device, shows)))
    if path:
        store.save(path, {"maps": maps}, {"key": key, "sha256": store.content_hash({"maps": maps})})
    return Maps(pictures, maps, key)


def _read(path: Path, key: str) -> Tensor | None:
    """The maps in a file, where they are whole and of this key."""
    if not path.exists():
        return None
    try:
        tensors, words = store.load(path)
    except BadInput:
        return None
    whole = words.get("key") == key and words.get("sha256") == store.content_hash(tensors)
    return tensors["maps"] if whole else None


@torch.no_grad()
def _encoded(recipe: Represents, networks: nn.ModuleDict, data: Dataset, device: str, shows: bool) -> Iterator[Tensor]:
    if shows:
        say(f"zeuxis: encoding {counted(len(data), 'picture')}, once: the training sees their maps")
    with pictures_done(len(data), shows) as told:
        for index in torch.arange(len(data)).split(_AT_ONCE):
            yield recipe.encode(networks, to_image(data.images(index), device)).to("cpu", torch.float16)
            told(int(index[-1]) + 1)


def pictures_of(streams: Mapping[str, Dataset]) -> dict[str, Dataset]:
    """The streams with pictures in place of maps."""
    return {name: data.dataset if isinstance(data, Maps) else data for name, data in streams.items()}


def calibrate(
    recipe: Recipe,
    networks: nn.ModuleDict,
    streams: Mapping[str, Dataset],
    known: bool = False,
    ranks: Ranks | None = None,
) -> None:
    """Tells a recipe that represents what its maps are, where the streams are such.

    known: the networks go on from whole ones, which know the scale of their maps. ranks: processes that are to know
    what the first one found: of directions of equal weight another may find others.
    """
    found = next((data for data in streams.values() if isinstance(data, Maps)), None)
    if isinstance(recipe, Represents) and found is not None:
        labels = found.labels
        target = None if labels is None else torch.tensor(labels, dtype=torch.int64)
        recipe.calibrate(networks, found.maps, target, known)
        if ranks and ranks.world > 1:
            ours = dict(networks.named_buffers())
            first: Any = ranks.broadcast({name: buffer.cpu() for name, buffer in ours.items()})
            for name, theirs in first.items():
                ours[name].copy_(theirs)
