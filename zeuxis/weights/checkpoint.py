"""Checkpoints: whole or absent, checked at every load, the newest good one first."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from zeuxis import platform
from zeuxis.data.files import make_folder, plain_errors, sha256_of, write_json
from zeuxis.weights import store


@dataclass(frozen=True)
class Saved:
    """One checkpoint on disk."""

    folder: Path
    step: int
    attempt: int
    log_length: int
    seconds: float = 0.0


def save(
    folder: Path, tensors: dict[str, Tensor], step: int, attempt: int, log_length: int, keep: int, seconds: float
) -> Saved:
    """Writes `folder`/STEP aside, renames it into place, then removes all but the newest `keep`.

    tensors: all that changes in a training; seconds: what the run has taken so far.

    Raises MachineGaveOut when the disk is full; the older checkpoints are then untouched.
    """
    make_folder(folder)
    name = f"{step:06d}"
    aside, place = folder / f".{name}.{os.getpid()}", folder / name
    try:
        store.save(aside / "state.safetensors", tensors, {"format": "zeuxis checkpoint 1"})
        manifest = {
            "step": step,
            "attempt": attempt,
            "log_length": log_length,
            "seconds": round(seconds, 3),
            "sha256": {"state.safetensors": sha256_of(aside / "state.safetensors")},
        }
        write_json(aside / "manifest.json", manifest)
        with plain_errors(place):
            if place.exists():
                shutil.rmtree(place)
            os.rename(aside, place)
            platform.sync_folder(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    thin(folder, keep)
    return Saved(place, step, attempt, log_length, seconds)


def thin(folder: Path, keep: int) -> None:
    """Removes all but the newest `keep` checkpoints."""
    for old in _numbered(folder)[:-keep]:
        shutil.rmtree(old, ignore_errors=True)


def _numbered(folder: Path) -> list[Path]:
    """The checkpoints' folders, oldest first."""
    folders = [p for p in folder.iterdir() if p.name.isdigit()] if folder.is_dir() else []
    return sorted(folders, key=lambda p: int(p.name))


def sweep(folder: Path) -> None:
    """Removes what a killed process left half-written."""
    for stray in folder.glob(".*") if folder.is_dir() else []:
        shutil.rmtree(stray, ignore_errors=True)


def read(place: Path) -> Saved | None:
    """The checkpoint in a folder, or None where it does not verify."""
    try:
        manifest = json.loads((place / "manifest.json").read_text())
        good = manifest["sha256"]["state.safetensors"] == sha256_of(place / "state.safetensors")
        if not good:
            return None
        return Saved(place, manifest["step"], manifest["attempt"], manifest["log_length"], manifest.get("seconds", 0.0))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def newest(folder: Path) -> tuple[Saved | None, list[str]]:
    """The newest checkpoint that verifies, and the names of the damaged ones passed over."""
    damaged: list[str] = []
    for place in reversed(_numbered(folder)):
        saved = read(place)
        if saved:
            return saved, damaged
        damaged.append(place.name)
    return None, damaged


def tensors_of(saved: Saved) -> dict[str, Tensor]:
    return store.load(saved.folder / "state.safetensors")[0]
