"""A picture goes down the floors and back once: what lies below seldom calls what lies above."""

import sys
import tomllib
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from PIL import Image

import zeuxis

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(zeuxis.__file__).parent
LAYERS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0]["layers"]
FLOORS = {name.strip(" ()"): -i for i, row in enumerate(LAYERS) for name in row.replace("|", ":").split(":")}


def _floor(frame: FrameType) -> int | None:
    path = Path(frame.f_code.co_filename)
    if not path.is_relative_to(PACKAGE):
        return None
    return FLOORS.get(path.relative_to(PACKAGE).parts[0].removesuffix(".py"))


def test_restoring_climbs_back_three_times_at_most(tmp_path: Path) -> None:
    """Calls from a lower floor to a higher one, by the places that make them: of nets by tiles, and no more."""
    noisy = np.random.default_rng(0).normal(120, 20, (160, 160, 3)).clip(0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(tmp_path / "given.png")
    climbs: set[str] = set()

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        callee, caller = (_floor(frame), frame.f_back) if event == "call" else (None, None)
        while callee is not None and caller is not None and _floor(caller) is None:
            caller = caller.f_back
        above = None if callee is None or caller is None else _floor(caller)
        if callee is not None and above is not None and callee > above:
            climbs.add(f"{caller.f_code.co_qualname} calls {frame.f_code.co_qualname}")  # type: ignore[union-attr]

    restore = zeuxis.restore
    sys.setprofile(watch)
    try:
        record = restore(tmp_path / "given.png", tmp_path / "made.png", task="denoise")
    finally:
        sys.setprofile(None)
    assert record.only.used == ("repair",) and 1 <= len(climbs) <= 3, climbs
