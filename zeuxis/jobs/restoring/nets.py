"""Nets that restore: opened from the package, a run or a lone file, and run over a picture of any size."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.data.files import sha256_of
from zeuxis.engine.fixed import opened, revived
from zeuxis.errors import BadInput, counted
from zeuxis.jobs.restoring import masked_windows, spandrel_nets
from zeuxis.pictures.tiles import before, choose_tile, padded, tiled
from zeuxis.platform import free_memory
from zeuxis.recipes.recipe import Recipe, Reconstructs
from zeuxis.runs import Run
from zeuxis.weights import bundled, store

BYTES_PER_PIXEL = 1_500  # at the peak, per input pixel and for each output pixel that it gives; own measurement


@dataclass(frozen=True, eq=False)
class Net:
    """A trained net: its recipe, its networks in eval mode, what it was trained on, and the hash of its weights."""

    name: str
    recipe: Recipe
    networks: nn.ModuleDict
    spec: Spec
    sha256: str

    @property
    def able(self) -> Reconstructs:
        assert isinstance(self.recipe, Reconstructs)
        return self.recipe

    @property
    def scale(self) -> int:
        return self.able.scale


def _made(name: str, record: Mapping[str, Any], tensors: Mapping[str, Tensor], able: type[Any] = Reconstructs) -> Net:
    recipe, networks, spec = revived(name, record, tensors, able)
    folded: Callable[[nn.ModuleDict], nn.ModuleDict] = getattr(recipe, "folded", lambda trained: trained)
    ready = folded(networks).requires_grad_(False).eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Net(name, recipe, ready, spec, store.content_hash(tensors))


def from_file(path: Path, name: str | None = None, able: type[Any] = Reconstructs) -> Net:
    """A net from a lone weights file. Raises BadInput where it is none of ours."""
    tensors, record = opened(path)
    return _made(name or str(path), record, tensors, able)


def from_bundle(name: str) -> Net:
    """A net of the package. Raises BadInput for an unknown name."""
    return from_file(bundled.path_of(name), name)


def from_run(path: str | Path, snapshot: str | None = None, able: type[Any] = Reconstructs) -> Net:
    """The net of a run folder, or of a lone weights file, ours or third-party, that is `able`. Raises BadInput."""
    if Path(path).is_file():
        if able is Reconstructs and spandrel_nets.is_third_party(Path(path)):
            return Net(str(path), *spandrel_nets.opened(Path(path)))
        return from_file(Path(path), able=able)
    run = Run.open(path)
    record = {**run.record, "recipe": run.record["recipe"], "settings": run.record["settings"]}
    return _made(str(path), record, run.tensors(snapshot), able)


def fingerprint(path: str | Path, two: bool = False) -> str:
    """A digest of all that `from_run`, or with `two` `between`, reads of a run folder or a lone file.

    "" where there is nothing: whoever opens it says why. A checkpoint stands for itself by its manifest, which holds
    the sha256 of its files.
    """
    path = Path(path)
    if path.is_file():
        return sha256_of(path)
    weights = path / "weights.safetensors"
    files = [path / "run.json", weights]
    files += [] if weights.is_file() else sorted(path.glob("checkpoints/*/manifest.json"))
    files += sorted(path.glob("snapshots/*.safetensors")) if two else []
    digests = [f"{file.relative_to(path)} {sha256_of(file)}" for file in files if file.is_file()]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest() if digests else ""


def between(path: str | Path, fidelity: float) -> Net:
    """The net between the two ends of a run's slider: fidelity 1 is that of its first stage, 0 that of its last.

    The weights are mixed, as in ESRGAN (Wang et al. 2018, arXiv 1809.00219, section 3.4). A run of one stage has
    one net only. Raises BadInput where such a run is asked for anything but fidelity 1.
    """
    stages = () if Path(path).is_file() else Run.open(path).recipe.snapshots()
    if not stages:
        if fidelity < 1:
            raise BadInput("there is no second net to mix in", str(path), "name a run of srgan, or use `--fidelity 1`")
        return from_run(path)
    run = Run.open(path)
    first, last = run.tensors(f"{stages[0]:.2f}"), run.tensors()
    return _made(f"{path} at fidelity {fidelity:g}", run.record, _mixed(first, last, fidelity))


def between_bundled(first: str, last: str, fidelity: float) -> Net:
    """As `between`, of two weights of the package that are of one shape."""
    a, record = opened(bundled.path_of(first))
    b, _ = opened(bundled.path_of(last))
    return _made(f"{first} and {last} at fidelity {fidelity:g}", record, _mixed(a, b, fidelity))


def _mixed(first: Mapping[str, Tensor], last: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """The share of `first` and the rest of `last`, of what both have; what is no number comes from `last`."""
    both = {k: v for k, v in last.items() if k in first}
    return {
        k: share * first[k].float() + (1 - share) * v.float() if v.is_floating_point() else v for k, v in both.items()
    }


def apply(
    net: Net,
    image: Tensor,
    known: Tensor | None = None,
    level: Tensor | None = None,
    memory: int | None = None,
    part: bool = False,
    grid: tuple[int, int] = (0, 0),
) -> Tensor:
    """[1, C, H, W] in [-1, 1] of any size and 1 or 3 channels, restored: [1, C, H * scale, W * scale].

    known: [1, 1, H, W], 0 in holes. grid: row and column from which the net's multiple counts. part: it is a window
    whose rim, as wide as the net sees, is thrown away: it is worked on at once, and no more is put around it than the
    net's multiple asks for.

    Grey goes through a net of colours three times over and comes back as the
    mean; colours go through a grey net one by one.
    """
    channels, wanted = image.shape[1], net.spec.channels
    if channels == 3 and wanted == 1:
        parts = [apply(net, image[:, c : c + 1], known, level, memory, part, grid) for c in range(3)]
        return torch.cat(parts, 1)
    seen = image.expand(-1, wanted, -1, -1) if channels == 1 else image
    if seen.shape[1] != wanted:
        raise BadInput(f"a net of {counted(wanted, 'channel')} cannot take a picture of {channels}", net.name)
    answer = _at_once(net, seen, level, grid) if part else _over_tiles(net, seen, known, level, memory, grid)
    return answer.mean(1, keepdim=True) if channels == 1 else answer


def _at_once(net: Net, image: Tensor, level: Tensor | None, grid: tuple[int, int]) -> Tensor:
    multiple_of = net.able.multiple_of
    top, left = (net.scale * before(0, multiple_of, start) for start in grid)
    height, width = (side * net.scale for side in image.shape[2:])
    with torch.inference_mode():
        whole = padded(image, 0, multiple_of, grid=grid).contiguous()
        return net.able.restore(net.networks, whole, None, level)[..., top : top + height, left : left + width]


def bound_of(memory: int | None) -> int:
    """Bytes for the pixels at work: what was asked for, else half of what is free."""
    return free_memory() // 2 if memory is None else memory


def _over_tiles(
    net: Net, image: Tensor, known: Tensor | None, level: Tensor | None, memory: int | None, grid: tuple[int, int]
) -> Tensor:
    able, channels, reach = net.able, net.spec.channels, net.able.receptive_field

    def function(part: Tensor, known: Tensor | None = None) -> Tensor:
        return able.restore(net.networks, part, known, level)

    def on_both(part: Tensor) -> Tensor:
        return function(part[:, :channels].contiguous(), part[:, channels:])

    with torch.inference_mode():
        if reach is not None:
            tile = choose_tile(bound_of(memory), BYTES_PER_PIXEL * able.scale, reach, able.multiple_of)
            if known is not None:
                return masked_windows.filled(function, image, known, reach, able.multiple_of, tile)
            return tiled(function, image, able.scale, reach, able.multiple_of, tile, grid=grid)
        side = net.spec.height  # not local: windows of the size that it was trained on
        whole, work = (image, function) if known is None else (torch.cat([image, known.to(image)], 1), on_both)
        return tiled(work, whole, able.scale, side // 4, able.multiple_of, side, feather=True)
