"""What was drawn is told from what was taken by the values it uses."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from zeuxis.classic.graphics import drawn
from zeuxis.draw import Draw

HELD_OUT = Path(__file__).resolve().parents[2] / "pictures" / "held-out"


def tensor(pixels: np.ndarray) -> torch.Tensor:
    planes = pixels[..., None] if pixels.ndim == 2 else pixels
    return torch.from_numpy(planes).permute(2, 0, 1)[None].float() / 127.5 - 1


def test_few_levels_are_drawn_at_any_brightness():
    for levels in ([0, 255], [40, 201], [0, 85, 170, 255]):
        chosen = np.array(levels, np.uint8)[(Draw(0).at("x").uniform(1, 90, 90)[0].numpy() * len(levels)).astype(int)]
        assert drawn(tensor(chosen)) and drawn(tensor(np.dstack([chosen] * 3)))


def test_photographs_are_taken_dark_and_grey_ones_too():
    for path in sorted(HELD_OUT.glob("*.webp")):
        image = Image.open(path).convert("RGB")
        assert not drawn(tensor(np.array(image))) and not drawn(tensor(np.array(image.convert("L"))))
        assert not drawn(tensor(np.array(image) // 10))
        assert not drawn(tensor(np.dstack([np.array(image.convert("L"))] * 3))), "grey, stored as colours"


def test_palettes_and_posters_are_drawn():
    image = Image.open(HELD_OUT / "canyon0.webp").convert("RGB")
    assert drawn(tensor(np.array(image.quantize(64).convert("RGB"))))
    assert drawn(tensor(np.array(image.quantize(256).convert("RGB"))))
    assert drawn(tensor(np.array(image) // 32 * 32))


def test_what_is_hidden_does_not_count():
    two = np.zeros((64, 64), np.uint8)
    two[::3, 2:40] = 200
    two[:, 40:] = (Draw(0).at("hidden").uniform(1, 64, 24)[0].numpy() * 255).astype(np.uint8)
    seen = torch.zeros(1, 1, 64, 64, dtype=torch.bool)
    seen[..., :40] = True
    assert drawn(tensor(two), seen) and not drawn(tensor(two))
    assert drawn(tensor(two), torch.zeros_like(seen)), "nothing is seen"


def test_a_map_of_normals_is_computed():
    """Rough relief: both colour differences are as fine as noise, but every vector has length 1."""
    dy, dx = Draw(0).at("relief").normal(2, 96, 96).numpy()
    normal = np.stack([-dx, dy, np.ones_like(dx)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    pixels = np.rint((normal + 1) * 127.5).astype(np.uint8)
    assert drawn(tensor(pixels)) and drawn(tensor(pixels[..., [2, 1, 0]]))
    assert not drawn(tensor(np.rint((0.7 * normal + 1) * 127.5).astype(np.uint8)))
