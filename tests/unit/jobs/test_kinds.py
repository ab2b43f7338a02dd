"""One picture of every kind of benchmarks/kinds.py: the decision alone, at a small size."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "benchmarks"))

import damages  # noqa: E402 - scripts of benchmarks/
import kinds  # noqa: E402
import untouchable  # noqa: E402

SOURCE = untouchable.Source(tuple(sorted((ROOT / "tests" / "pictures" / "held-out").glob("*.webp"))), 208)
NOT_FOUND = {"JPEG, shrunk", "WebP", "noise, enlarged", "blotched chroma noise"}
"""Damage that is mostly left alone: what the nets of the package have not learned (docs/benchmarks.md)."""


@pytest.mark.parametrize("kind", untouchable.KINDS)
def test_hands_off(kind):
    row = kinds.row(kind, 0, kinds.untouched(SOURCE, kind, 0), harmed=False, decide=True)
    assert row["steps"] == [], row["why"]


@pytest.mark.parametrize("kind", sorted(set(damages.KINDS) - NOT_FOUND))
def test_found(kind):
    row = kinds.row(kind, 0, kinds.damaged(SOURCE, kind, 0), harmed=True, decide=True)
    if kind == "salt and pepper":
        assert row["steps"] == ["despeckle"], row["why"]
        return
    wanted = "sharpen" if "blur" in kind else "denoise" if "noise" in kind or "sensor" in kind else "unblock"
    assert row["steps"] == [wanted], row["why"]


def steps_of(pixels: np.ndarray) -> list[str]:
    return kinds.row("", 0, damages.Damaged(pixels, damages.saved(pixels)), False, True)["steps"]


@pytest.mark.parametrize("side", [16, 22, 32, 48, 64])
def test_too_small_to_be_sure(side):
    """Noise all over, but too few blocks to tell it from what was drawn."""
    noisy = kinds.damaged(SOURCE, "noise 25", 1)
    pixels = np.array(Image.open(io.BytesIO(noisy.data)))[:side, :side]
    assert steps_of(np.ascontiguousarray(pixels)) == []


def test_what_lies_under_transparency_changes_nothing():
    """The same picture, black, white or noise below: the same figures."""
    clean = SOURCE.photograph(kinds.rng_of("alpha", 0))
    alpha = np.full(clean.shape[:2], 255, np.uint8)
    alpha[:, :90] = 0
    told = set()
    for k in range(3):
        hidden = clean.copy()
        hidden[:, :90] = (0, 255, kinds.rng_of("under", 0).integers(0, 256, (len(clean), 90, 3)))[k]
        data = damages.saved(np.dstack([hidden, alpha]))
        told.add(str(kinds.row("", 0, damages.Damaged(clean, data), False, True)["why"]))
    assert len(told) == 1


@pytest.mark.parametrize("kernel", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS])
@pytest.mark.parametrize("factor", [2, 3, 4])
def test_enlarged_is_not_blurred(kernel, factor):
    image = Image.fromarray(SOURCE.photograph(kinds.rng_of("large", 0)))
    small = image.resize((image.width // factor, image.height // factor), Image.Resampling.BICUBIC)
    assert steps_of(np.array(small.resize(image.size, kernel))) == []


def test_clipping_in_most_blocks_does_not_hide_strong_noise():
    """Dark and bright by halves, after too much contrast: hardly a block is free of clipped pixels."""
    rng = kinds.rng_of("contrast", 0)
    light = SOURCE.photograph(rng).mean(2)
    ground = np.where(light > np.median(light), 225, 30)[..., None] * np.ones(3)
    assert steps_of(np.clip(np.rint(ground + rng.normal(0, 50, ground.shape)), 0, 255).astype(np.uint8)) == ["denoise"]
