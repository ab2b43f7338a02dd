"""Label maps: told from pictures, made smaller without mixing, and found again in photographs that show them."""

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import zoom

from zeuxis.data.label_maps import colours_in
from zeuxis.data.loading import ALL, Taken
from zeuxis.data.memory import MemoryDataset
from zeuxis.data.reader import open_dataset
from zeuxis.data.trees import BY_RULE
from zeuxis.engine.batches import to_image
from zeuxis.jobs.translating import segments

COLOURS = torch.tensor([[200, 30, 30], [30, 200, 30], [0, 0, 90]], dtype=torch.uint8)


def blobs(n: int, side: int = 32) -> np.ndarray:
    """[n, side, side] of three labels."""
    rng = np.random.default_rng(0)
    return np.stack([np.clip(zoom(rng.random((5, 5)), side / 5, order=3) * 3, 0, 2.99).astype(int) for _ in range(n)])


def test_label_maps_are_told_from_pictures_and_keep_their_colours_when_made_smaller(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("maps", "pictures"):
        (tmp_path / name).mkdir()
    for i, labels in enumerate(blobs(6, 40)):
        Image.fromarray(COLOURS.numpy()[labels]).save(tmp_path / "maps" / f"{i}.png")
        Image.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(tmp_path / "pictures" / f"{i}.png")
    assert set(colours_in(tmp_path / "maps", BY_RULE, ALL)) == {"#c81e1e", "#1ec81e", "#00005a"}
    assert colours_in(tmp_path / "pictures", BY_RULE, ALL) == ()
    known = {tuple(colour) for colour in COLOURS.tolist()}
    for taken, mixed in ((ALL, True), (Taken(exact=True), False)):
        images = open_dataset(tmp_path / "maps", size=17, taken=taken).images(np.arange(6))
        found = {tuple(x) for x in images.permute(0, 2, 3, 1).flatten(0, 2).tolist()}
        assert (not found <= known) is mixed


def test_one_map_of_a_single_colour_does_not_make_them_pictures(tmp_path):
    for i, value in enumerate((0, 255, 255)):
        Image.fromarray(np.full((8, 8), value, np.uint8)).save(tmp_path / f"{i}.png")
    assert colours_in(tmp_path, BY_RULE, ALL) == ("255", "0")


def test_drawings_of_lines_are_pictures_and_a_broken_map_is_no_reason(tmp_path):
    for name in ("lines", "maps"):
        (tmp_path / name).mkdir()
    for i, labels in enumerate(blobs(6, 40)):
        edges = (labels[1:, 1:] != labels[:-1, 1:]) | (labels[1:, 1:] != labels[1:, :-1])
        Image.fromarray(np.where(edges, 0, 255).astype(np.uint8)).convert("1").save(tmp_path / "lines" / f"{i}.png")
        Image.fromarray((labels > 1).astype(np.uint8) * 255).convert("1").save(tmp_path / "maps" / f"{i}.png")
    (tmp_path / "maps" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    assert colours_in(tmp_path / "lines", BY_RULE, ALL) == ()
    assert len(colours_in(tmp_path / "maps", BY_RULE, ALL)) == 2


def test_labels_are_found_in_photographs_that_show_them_and_not_in_others(monkeypatch):
    monkeypatch.setattr(segments, "_STEPS", 60)
    labels = torch.from_numpy(blobs(40))
    maps = COLOURS[labels].permute(0, 3, 1, 2)
    light = torch.tensor([[90, 120, 200], [160, 60, 120], [20, 20, 160]])[labels].permute(0, 3, 1, 2)
    noise = torch.randint(-20, 21, light.shape, generator=torch.Generator().manual_seed(0))
    photographs = (light + noise).clamp(0, 255).to(torch.uint8)
    found = segments.taught(MemoryDataset(maps[:30]), MemoryDataset(photographs[:30]), 0)
    assert found is not None and len(found.colours) == 3
    held, shown = to_image(maps[30:]), to_image(photographs[30:])
    real, others = found.agreement(shown, held), found.agreement(shown.roll(1, 0), held)
    assert real.value > 0.85 > others.value + 0.2 and real.low < real.value < real.high and real.n == 10


def test_pictures_are_no_label_maps():
    pixels = torch.randint(0, 256, (20, 3, 16, 16), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    assert segments.taught(MemoryDataset(pixels), MemoryDataset(pixels), 0) is None


@pytest.mark.parametrize("channels", [1, 3])
def test_labels_are_the_nearest_colours(channels):
    colours = torch.tensor([[-1.0] * channels, [0.0] * channels, [1.0] * channels])
    maps = torch.tensor([-0.9, 0.2, 0.4, 0.6]).reshape(1, 1, 2, 2).expand(1, channels, 2, 2)
    assert segments.labels_of(maps, colours).tolist() == [[[0, 1], [1, 2]]]
