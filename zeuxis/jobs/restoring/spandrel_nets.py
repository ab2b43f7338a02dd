"""Third-party nets, from the files in which they are published: spandrel (extra `third-party`) knows what they are.

Nothing of such a file is run. safetensors are read as our own are. Of the others spandrel's unpickler (0.4.2) lets
tensors and plain containers through alone; but it hands TorchScript to torch, which runs what the file says while
it loads it, whatever the file is called. So TorchScript is refused here before spandrel sees the file.
"""

import importlib
import mmap
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.errors import BadInput, MemoryRanOut, ZeuxisError, counted, system_in_words
from zeuxis.recipes.recipe import Recipe
from zeuxis.weights import store

Parts = tuple[Recipe, nn.ModuleDict, Spec, str]
"""All that a `nets.Net` has beside its name."""

SUFFIXES = (".pth", ".pt", ".ckpt")
"""Files that hold no net of ours; a `.safetensors` file may."""
WINDOW, WIDE = 256, 512
"""Sides in pixels of the windows that a picture is seen through; the second where spandrel advises against windows."""

_PURPOSES = ("Restoration", "SR")
_PROGRAM = b"constants.pkl"
"""A name that each TorchScript archive holds, never compressed, and no other file of weights."""
_CPU_WHEELS = " --extra-index-url https://download.pytorch.org/whl/cpu"


@dataclass(frozen=True, kw_only=True)
class ThirdPartyNet(Recipe):
    """Stands in the place of a recipe for a third-party net, which restores and cannot be trained.

    receptive_field: None, since spandrel does not say how far a net looks.
    """

    scale: int = 1
    multiple_of: int = 1
    receptive_field: None = None

    def restore(
        self, networks: nn.ModuleDict, image: Tensor, known: Tensor | None = None, level: Tensor | None = None
    ) -> Tensor:
        """As `Reconstructs` has it; the level of the noise is not read. Raises BadInput where something is missing."""
        if known is not None:
            raise BadInput("a net that spandrel opens fills no holes", "--run", "leave --run away, or name another run")
        answer: Tensor = networks["net"](image)
        return answer


class Described(nn.Module):
    """A net with spandrel's description of it: [B, C, H, W] in [-1, 1] to [B, C, H * scale, W * scale] in [-1, 1]."""

    def __init__(self, described: Any) -> None:
        super().__init__()
        self.body = described.model
        self._described = described  # its call pads to the sizes that the net takes, and cuts off what it adds

    def forward(self, image: Tensor) -> Tensor:
        """Sides of any length; spandrel takes one picture at a time, in [0, 1]."""
        with _apart():
            return torch.cat([self._described(part[None]) for part in (image + 1) / 2]) * 2 - 1


# ------------------------------------------------------------------ spandrel


@contextmanager
def _apart() -> Iterator[None]:
    """For third-party code: it warns of what nobody here can mend, and draws from the process-wide generator."""
    with warnings.catch_warnings(action="ignore"), torch.random.fork_rng(devices=[]):
        yield


def _pip(package: str) -> str:
    """The words that install a package beside the torch that is here, which its newest torchvision would replace."""
    plain = torch.version.cuda is None and torch.version.hip is None
    return f"pip install {package} torch=={torch.__version__.partition('+')[0]}{_CPU_WHEELS if plain else ''}"


def _line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def imported(where: str) -> Any:
    """The module spandrel, for the weights at `where`. Raises BadInput: not installed, or why it does not import."""
    try:
        return importlib.import_module("spandrel")
    except ModuleNotFoundError as error:
        what = "weights of other toolkits need spandrel"
        if error.name != "spandrel":
            what += f", and spandrel needs {error.name}"
        raise BadInput(what, where, _pip("zeuxis[third-party]")) from error
    except Exception as error:  # a torchvision that was built for another torch raises RuntimeError
        what, mend = f"spandrel is installed, but does not import: {_line(error)}", ""
        if "torchvision" in str(error):
            mend = f"its torchvision is not built for this torch: pip uninstall torchvision, then {_pip('torchvision')}"
        raise BadInput(what, where, mend) from error


# ------------------------------------------------------------------ files


def is_third_party(path: Path) -> bool:
    """Whether this file of weights is none of ours. Raises BadInput for a damaged safetensors file."""
    if path.suffix.lower() == ".safetensors":
        return "recipe" not in store.words(path)
    return path.suffix.lower() in SUFFIXES


def _holds_a_program(path: Path) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(_PROGRAM) >= 0


def _state(spandrel: Any, path: Path) -> Mapping[str, Any]:
    """The tensors of a file by name. Raises BadInput."""
    if path.suffix.lower() == ".safetensors":
        return store.load(path)[0]
    try:
        if _holds_a_program(path):
            mend = "save its state_dict() alone, as safetensors"
            raise BadInput("TorchScript is not read: it runs what is in the file", str(path), mend)
        with system_in_words(str(path)):
            tensors: Mapping[str, Any] = _unpickled(spandrel.ModelLoader(), path)
        return tensors
    except ZeuxisError:
        raise
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise BadInput(f"these weights cannot be read: {_line(error)}", str(path)) from error


def _unpickled(loader: Any, path: Path) -> Any:
    if path.suffix.lower() != ".pt":
        return loader.load_state_dict_from_file(path)
    # what is called .pt goes to torch's TorchScript reader first, by another name it does not
    with tempfile.TemporaryDirectory() as folder:
        return loader.load_state_dict_from_file(shutil.copyfile(path, Path(folder) / "net.pth"))


# ------------------------------------------------------------------ nets


def opened(path: Path) -> Parts:
    """A net from a file that `is_third_party`. Raises BadInput: no spandrel, or no net that restores in it."""
    return built(_state(imported(str(path)), path), str(path))


def built(state: Mapping[str, Any], name: str) -> Parts:
    """The net that tensors of these names and shapes belong to, frozen, on the CPU.

    It must mend or enlarge pictures of 1 or 3 channels, from themselves alone. Raises BadInput.
    """
    spandrel = imported(name)
    try:
        with system_in_words(name), _apart():
            described = spandrel.ModelLoader().load_from_state_dict(dict(state))
    except spandrel.UnsupportedModelError as error:
        raise BadInput("spandrel knows no net that has these weights", name) from error
    except MemoryRanOut:
        raise
    except Exception as error:  # whatever a net's code says of weights that do not fit
        raise BadInput(f"spandrel cannot build the net of these weights: {_line(error)}", name) from error
    _check(described, name)
    networks = nn.ModuleDict({"net": Described(described)}).float().requires_grad_(False).eval()
    needs, side = described.size_requirements, _window(described)
    recipe = ThirdPartyNet(scale=described.scale, multiple_of=needs.multiple_of)
    tensors = {k: v for k, v in networks.state_dict().items() if isinstance(v, Tensor)}
    return recipe, networks, Spec(described.input_channels, side, side), store.content_hash(tensors)


def _check(described: Any, name: str) -> None:
    """Raises BadInput for a net that does not give a picture back from a picture."""
    kind, mend = described.architecture.name, "a net that restores or enlarges whole pictures is wanted"
    if described.purpose not in _PURPOSES:
        raise BadInput(f"{kind} is a net for {described.purpose}", name, mend)
    channels = (described.input_channels, described.output_channels)
    if channels not in ((1, 1), (3, 3)):
        raise BadInput(f"this {kind} net takes {counted(channels[0], 'channel')} and gives {channels[1]}", name, mend)


def _window(described: Any) -> int:
    """Four multiples or more, so that windows can overlap by a quarter on both sides."""
    needs = described.size_requirements
    least, usual = int(needs.multiple_of), WINDOW if described.tiling.name == "SUPPORTED" else WIDE
    return -(-max(usual, 4 * least, int(needs.minimum)) // least) * least
