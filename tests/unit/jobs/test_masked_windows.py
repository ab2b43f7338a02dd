"""Holes are filled as in the picture as a whole, and what has none is not looked at."""

import numpy as np
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from zeuxis.draw import Draw
from zeuxis.jobs.restoring.masked_windows import THIN, boxes, filled, parts
from zeuxis.pictures.tiles import padded

REACH, CELL = 72, 8


def net(image: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Hangs on where cells of 8 pixels lie, and on what is REACH pixels away."""
    assert image.shape[2] % CELL == 0 and image.shape[3] % CELL == 0
    seen = image * known
    cells = F.interpolate(F.avg_pool2d(seen, CELL), scale_factor=float(CELL))
    far = REACH - CELL
    wide = F.pad(cells, (far,) * 4)
    height, width = image.shape[2:]
    return cells + wide[..., :height, far : far + width] + wide[..., 2 * far :, far : far + width]


def picture(height: int, width: int, holes: list[tuple[slice, slice]]) -> tuple[torch.Tensor, torch.Tensor]:
    known = torch.ones(1, 1, height, width)
    for rows, columns in holes:
        known[..., rows, columns] = 0
    return Draw(0).at("x").uniform(1, 3, height, width, low=-1), known


def test_wide_holes_are_filled_as_in_the_whole_picture_and_the_rest_is_not_looked_at():
    image, known = picture(500, 700, [(slice(3, 60), slice(0, 41)), (slice(300, 333), slice(405, 700))])
    looked = []

    def noted(x, k):
        looked.append(x.shape[2] * x.shape[3])
        return net(x, k)

    both = padded(torch.cat([image, known], 1), REACH, CELL)
    whole = net(both[:, :3], both[:, 3:])[..., REACH : REACH + 500, REACH : REACH + 700]
    for tile in (200, 2000):
        looked.clear()
        found = filled(noted, image, known, REACH, CELL, tile)
        assert torch.allclose(found, torch.where(known > 0, image, whole), atol=1e-6)
        assert max(looked) <= (tile + 2 * CELL) ** 2 and sum(looked) < 3 * 500 * 700
    assert sum(looked) < 500 * 700 / 2


def test_thin_holes_get_less_around_them():
    image, known = picture(400, 400, [(slice(200, 203), slice(0, 400))])
    looked = []
    filled(lambda x, k: looked.append(tuple(x.shape[2:])) or x, image, known, 400, CELL, 1000)
    assert looked == [(8 + 128, 256 + 128), (8 + 128, 144 + 128)]
    assert torch.equal(filled(net, image, torch.ones_like(known), 400, CELL, 1000), image)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(30, 90), st.integers(30, 90), st.sampled_from([16, 40, 200]))
def test_every_pixel_of_a_hole_is_in_one_part_and_in_a_box(seed, height, width, most):
    noise = Draw(seed).at("hole").uniform(1, 1, height, width)
    hole = (F.avg_pool2d(F.pad(noise, (4,) * 4, value=0.5), 9, 1) > 0.52)[0, 0].numpy()
    hole[:25, :25] |= seed % 2 == 0
    found = list(parts(hole, 500))
    assert sum(part.astype(int) for part, _ in found).tolist() == hole.astype(int).tolist() if found else not hole.any()
    for part, sight in found:
        seen = np.zeros_like(hole)
        for rows, columns in boxes(part, sight, most, CELL):
            assert rows.start % CELL == columns.start % CELL == 0 and rows.stop - rows.start <= most + 2 * CELL
            seen[rows, columns] = True
        assert not (part & ~seen).any()


def test_a_hole_as_large_as_the_picture_is_wide():
    found = list(parts(np.ones((40, 30), bool), 99))
    assert THIN < 15 and [(part.all(), sight) for part, sight in found] == [(True, 99)]
