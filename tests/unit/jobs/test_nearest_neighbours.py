from pathlib import Path

import torch
from PIL import Image

from zeuxis.data.memory import MemoryDataset
from zeuxis.draw import Draw
from zeuxis.jobs import nearest_neighbours as job
from zeuxis.metrics.neighbours import suspects


def pictures(name: str, n: int) -> torch.Tensor:
    return (Draw(0).at(name).uniform(n, 1, 4, 4) * 255).to(torch.uint8)


def test_in_parts_the_same_pairs_are_found_as_in_one(monkeypatch):
    fakes, real = pictures("fake", 50), pictures("real", 70)
    fakes[33] = real[61]
    both = torch.cat([real, real.flip(3)])
    whole = suspects(fakes.flatten(1).float() / 127.5, both.flatten(1).float() / 127.5, 16)
    monkeypatch.setattr(job, "_AT_ONCE", 7)
    found = job.closest(fakes, MemoryDataset(real))
    assert [(s.fake, s.real + 70 * s.mirrored) for s in found] == [(s.fake, s.real) for s in whole]
    assert (found[0].fake, found[0].real, found[0].distance) == (33, 61, 0.0)


def test_pairs_stand_side_by_side_generated_left(tmp_path: Path):
    real = torch.full((3, 1, 4, 4), 200, dtype=torch.uint8)
    fakes = torch.full((2, 1, 4, 4), 100, dtype=torch.uint8)
    assert [s.fake for s in job.write_suspects(tmp_path / "s.png", fakes, MemoryDataset(real))] == [0, 1]
    with Image.open(tmp_path / "s.png") as sheet:
        assert sheet.size == (4 * 6 - 2, 4)
        assert [sheet.getpixel((x, 0)) for x in (0, 6, 12, 18)] == [100, 200, 100, 200]


def test_a_mirrored_copy_is_a_copy(tmp_path: Path):
    real, held = MemoryDataset(pictures("real", 60)), MemoryDataset(pictures("held", 60))
    mirrored = real.images(torch.arange(20)).flip(3)
    assert job.write_copies(tmp_path / "copies.json", mirrored, real, held)["copies"] == 20
    found = job.write_suspects(tmp_path / "s.png", mirrored, real)
    assert all(s.mirrored and s.distance == 0.0 and s.real == s.fake for s in found)
    with Image.open(tmp_path / "s.png") as sheet:
        assert sheet.crop((0, 0, 4, 4)).tobytes() == sheet.crop((6, 0, 10, 4)).tobytes()
