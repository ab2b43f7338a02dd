"""Nets run by ncnn in place of torch, where it is installed (extra `fast`), gives the same and is faster here."""

import hashlib
import importlib
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from zeuxis.data.files import sha256_of, write_bytes, write_json
from zeuxis.draw import Draw
from zeuxis.engine.progress import say
from zeuxis.errors import MachineGaveOut, ZeuxisError
from zeuxis.nets import to_ncnn
from zeuxis.platform import cache_folder, cores

if TYPE_CHECKING:
    from zeuxis.jobs.restoring.nets import Net

Function = Callable[[Tensor], Tensor]
"""[B, channels + extra, H, W] to [B, channels, H * scale, W * scale], not cut at the ends of the range."""

TOLERANCE = 1e-4
"""How far an answer may be from torch's, in a range of 2."""
SWITCH = "ZEUXIS_FAST"
"""An environment variable: 0 keeps torch."""
_CHECKED, _TIMED = 48, 192  # sides in pixels of what is compared, and of what is timed
_PATIENCE = 2.0  # seconds after which no further round is timed
_QUIET = 0.9  # share of a core from which on a measurement is worth remembering


# ------------------------------------------------------------------ one net in ncnn


def _module() -> ModuleType | None:
    try:
        return importlib.import_module("ncnn")
    except (ImportError, OSError):  # not installed, or not for this machine
        return None


def _kept(folder: Path, files: to_ncnn.Files) -> tuple[Path, Path]:
    """The net's two files, written where they are missing or differ from what its weights give."""
    paths = []
    for name, data in (("net.param", files.param), ("net.bin", files.weights)):
        path = folder / name
        if not path.is_file() or sha256_of(path) != hashlib.sha256(data).hexdigest():
            write_bytes(path, data)
        paths.append(path)
    return paths[0], paths[1]


def _opened(ncnn: ModuleType, files: tuple[Path, Path], threads: int) -> Any:
    """The net, exact: float32 throughout, Winograd and matrix products on. Raises OSError where ncnn refuses it."""
    net = ncnn.Net()
    net.opt.num_threads = threads
    net.opt.use_winograd_convolution = net.opt.use_sgemm_convolution = True
    for kind in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_packed", "bf16_storage"):
        if hasattr(net.opt, f"use_{kind}"):  # bf16_packed is younger than the rest
            setattr(net.opt, f"use_{kind}", False)
    param, weights = files
    if net.load_param(str(param)) or net.load_model(str(weights)):
        raise OSError("ncnn cannot read what was written for it")
    return net


def _learned(ncnn: ModuleType, opened: Any, given: Tensor) -> Tensor:
    """[C', H', W'] of [C, H, W]."""
    # ncnn ignores strides, and a first layer that works in place must not find memory of numpy's: hence the clone
    pixels = np.ascontiguousarray(given.float().cpu().numpy())
    extractor = opened.create_extractor()
    extractor.input(to_ncnn.INPUT, ncnn.Mat(pixels).clone())
    failed, answer = extractor.extract(to_ncnn.OUTPUT)
    if failed:
        raise MachineGaveOut("ncnn has no memory for a tile", "", f"give less with --memory, or set {SWITCH}=0")
    return torch.from_numpy(np.array(answer))


def _function(ncnn: ModuleType, opened: Any, body: nn.Module, channels: int) -> Function:
    def function(image: Tensor) -> Tensor:
        learned = torch.stack([_learned(ncnn, opened, part) for part in image])
        return to_ncnn.base_of(body, image[:, :channels]) + learned.to(image.device)

    return function


# ------------------------------------------------------------------ the same, and faster?


def _by_torch(body: nn.Module, channels: int) -> Function:
    def function(image: Tensor) -> Tensor:
        seen, extra = image[:, :channels], image[:, channels:]
        answer: Tensor = body(seen, extra) if extra.shape[1] else body(seen)
        return answer

    return function


def _picture(channels: int, side: int, multiple_of: int) -> Tensor:
    """[1, channels, H, W] in [-1, 1), H and W at least `side`, and not equal: waves and noise."""
    height = math.ceil(side / multiple_of) * multiple_of
    width = height + multiple_of
    noise = Draw(0).at("fast").uniform(1, channels, height, width, low=-0.5, high=0.5)
    return noise + 0.5 * torch.sin(torch.arange(width) / 5) * torch.cos(torch.arange(height) / 7)[:, None]


def _difference(ours: Function, torchs: Function, image: Tensor) -> float:
    a, b = ours(image), torchs(image)
    return float((a - b).abs().max()) if a.shape == b.shape else math.inf


def _seconds(ours: Function, torchs: Function, image: Tensor) -> dict[str, float]:
    """Wall seconds of one tile, the better of two in turn, after one to warm up; fewer where they are long.

    "share": of one core, what other processes left to this one.
    """
    taken: dict[str, list[float]] = {"ncnn": [], "torch": []}
    start, used = time.perf_counter(), time.process_time()
    for _ in range(3):
        for name, function in (("ncnn", ours), ("torch", torchs)):
            begun = time.perf_counter()
            function(image)
            taken[name].append(time.perf_counter() - begun)
        if time.perf_counter() - start > _PATIENCE:
            break
    share = min(1.0, (time.process_time() - used) / (time.perf_counter() - start))
    return {name: min(seconds[1:] or seconds) for name, seconds in taken.items()} | {"share": share}


def _machine(ncnn: ModuleType, threads: int) -> dict[str, Any]:
    """On what a measurement depends."""
    return {
        "cores": cores(),
        "threads": [threads, torch.get_num_threads()],
        "processor": torch.backends.cpu.get_cpu_capability(),
        "versions": [str(getattr(ncnn, "__version__", "")), torch.__version__],
    }


def _remembered(path: Path, machine: dict[str, Any]) -> dict[str, float] | None:
    """The seconds measured before on this machine; None where there are none, or they cannot be read."""
    try:
        record = json.loads(path.read_bytes())
        seconds = {name: float(record["seconds"][name]) for name in ("ncnn", "torch")}
        return seconds if record["machine"] == machine else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_faster(path: Path, machine: dict[str, Any], measure: Callable[[], dict[str, float]]) -> bool:
    seconds = _remembered(path, machine)
    if seconds is None:
        seconds = measure()
        if seconds["share"] >= _QUIET:  # on a crowded machine the clock says little; next time it may be quiet
            write_json(path, {"machine": machine, "seconds": seconds})
    return seconds["ncnn"] < seconds["torch"]


# ------------------------------------------------------------------ nets


def _body(net: "Net") -> str | None:
    """The name of the one network that ncnn can be given; None where there is none, or it is not on the CPU."""
    known = [name for name, body in net.networks.items() if to_ncnn.is_known(body)]
    if len(known) != 1 or next(net.networks[known[0]].parameters()).device.type != "cpu":
        return None
    return known[0]


def threads_here() -> int:
    """All cores, or as many as OMP_NUM_THREADS allows."""
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores(), int(allowed)) if allowed.isdecimal() and int(allowed) else cores()


@torch.inference_mode()
def fast_function(net: "Net", threads: int | None = None, timed: bool = True) -> Function | None:
    """What the net's restoring network gives, computed by ncnn with `threads` threads (default: `threads_here`).

    None where ncnn is not installed or switched off by ZEUXIS_FAST=0, where the net's body has no equal in it
    (`to_ncnn`), or where it is not faster here. Its files are kept in the cache folder under the hash of the
    weights; with them the measurement, done once on a machine, and left out without `timed`. None and one line on
    stderr where its answer is more than `TOLERANCE` from torch's, or its files cannot be kept.
    """
    name = None if os.environ.get(SWITCH) == "0" else _body(net)
    ncnn = _module() if name else None
    if name is None or ncnn is None:
        return None
    body, channels, threads = net.networks[name], net.spec.channels, threads or threads_here()
    folder, files = cache_folder() / "fast" / net.sha256, to_ncnn.files(body)
    torchs = _by_torch(body, channels)

    def picture(side: int) -> Tensor:
        return _picture(files.inputs, side, net.able.multiple_of)

    try:
        ours = _function(ncnn, _opened(ncnn, _kept(folder, files), threads), body, channels)
        difference = _difference(ours, torchs, picture(_CHECKED))
        if not difference <= TOLERANCE:
            say(f"{net.name}: ncnn is {difference:.1g} away from torch here; torch does the work")
            return None
        timing = folder / "timing.json"
        if timed and not _is_faster(timing, _machine(ncnn, threads), lambda: _seconds(ours, torchs, picture(_TIMED))):
            return None
    except (ZeuxisError, OSError) as error:
        say(f"{net.name}: no help from ncnn: {error}; torch does the work")
        return None
    return ours


class Quick(nn.Module):
    """Stands in for a restoring network: [B, C, H, W], and what it reads beside it, to the network's answer."""

    def __init__(self, function: Function) -> None:
        super().__init__()
        self.function = function

    def forward(self, image: Tensor, *extra: Tensor) -> Tensor:
        return self.function(torch.cat([image, *extra], 1))


def quickened(net: "Net", threads: int | None = None, wanted: bool = True) -> "Net":
    """The net with its restoring network run by ncnn where that is `wanted` and helps, else the net itself.

    See `fast_function`; what a recipe does around the network stays as it is.
    """
    function = fast_function(net, threads) if wanted else None
    if function is None:
        return net
    networks = {name: Quick(function) if name == _body(net) else body for name, body in net.networks.items()}
    return replace(net, networks=nn.ModuleDict(networks))
