from pathlib import Path

import torch
from PIL import Image

from zeuxis.data.memory import MemoryDataset
from zeuxis.draw import Draw
from zeuxis.jobs import nearest_neighbours as job


def pictures(name: str, n: int) -> torch.Tensor:
    return (Draw(0).at(name).uniform(n, 1, 4, 4) * 255).to(torch.uint8)


def test_in_parts_the_same_pairs_are_found_as_in_one(monkeypatch):
    fakes, real = pictures("fake", 50), pictures("real", 70)
    fakes[33] = real[61]
    whole = job.neighbours(fakes, MemoryDataset(real)).closest()
    monkeypatch.setattr(job, "_AT_ONCE", 7)
    found = job.neighbours(fakes, MemoryDataset(real)).closest()
    assert [(s.fake, s.real, s.mirrored) for s in found] == [(s.fake, s.real, s.mirrored) for s in whole]
    assert (found[0].fake, found[0].real, found[0].distance, found[0].mirrored) == (33, 61, 0.0, False)


def test_what_is_near_to_many_is_no_copy():
    """A blur lies nearer to every picture than a copy with grain does to its own, and stands out from none."""
    real = (pictures("real", 60).float() * 0.2 + 100).to(torch.uint8)
    grain = (real[7].float() + 6).to(torch.uint8)
    blur = real.float().mean(0).to(torch.uint8)
    assert job.neighbours(torch.stack([blur, grain]), MemoryDataset(real)).closest()[0].fake == 1


def test_pairs_stand_side_by_side_generated_left(tmp_path: Path):
    half = torch.tensor([0, 0, 1, 1], dtype=torch.uint8).reshape(1, 1, 4, 1)
    real = (200 + 50 * half).expand(3, 1, 4, 4).contiguous()
    fakes = (100 + 50 * half).expand(2, 1, 4, 4).contiguous()
    found = job.neighbours(fakes, MemoryDataset(real)).closest()
    assert [s.fake for s in found] == [0, 1]
    job.write_nearest_pairs(tmp_path / "s.png", fakes, MemoryDataset(real), found)
    with Image.open(tmp_path / "s.png") as sheet:
        assert sheet.size == (2 * (4 + 2 + 4) + 8, 4)
        assert [sheet.getpixel((x, 0)) for x in (0, 4, 6, 10, 17, 18, 24)] == [100, 255, 200, 255, 255, 100, 200]


def test_a_mirrored_copy_is_a_copy(tmp_path: Path):
    real, held = MemoryDataset(pictures("real", 60)), MemoryDataset(pictures("held", 60))
    mirrored = real.images(torch.arange(20)).flip(3)
    near = job.neighbours(mirrored, real, held)
    found = near.closest()
    assert near.record()["copies"] == 20 and job.neighbours(mirrored, real).record()["copies"] is None
    job.write_nearest_pairs(tmp_path / "s.png", mirrored, real, found)
    assert all(s.mirrored and s.distance == 0.0 and s.real == s.fake for s in found)
    with Image.open(tmp_path / "s.png") as sheet:
        assert sheet.crop((0, 0, 4, 4)).tobytes() == sheet.crop((6, 0, 10, 4)).tobytes()


def test_each_training_picture_is_read_once_and_it_is_said_how_far_that_is(monkeypatch, capfd):
    monkeypatch.setattr("zeuxis.engine.progress._OFTEN", 0.0)
    monkeypatch.setattr(job, "_AT_ONCE", 20)
    real, held, read = MemoryDataset(pictures("real", 60)), MemoryDataset(pictures("held", 30)), []
    images = MemoryDataset.images

    def counted(self, index):
        read.extend([int(i) for i in index] if self is real else [])
        return images(self, index)

    monkeypatch.setattr(MemoryDataset, "images", counted)
    near = job.neighbours(pictures("fake", 50), real, held, shows=True)
    assert read == list(range(60)) and near.record()["held"] == 30
    assert [line.split()[1] for line in capfd.readouterr().err.splitlines()] == ["33%", "67%", "100%"]


def test_pictures_of_nearly_one_colour_are_nobodys_copies():
    """A black texture lies near to every black picture: such filled the sheet and the count."""
    black = torch.zeros(3, 1, 4, 4, dtype=torch.uint8)
    real, held = MemoryDataset(torch.cat([pictures("real", 60), black])), pictures("held", 60)
    fakes = torch.cat([black + 1, pictures("fake", 5)])
    near = job.neighbours(fakes, real, MemoryDataset(torch.cat([held, black])))
    assert min(pair.fake for pair in near.closest(5)) == 3 and near.fresh is not None and len(near.fresh) == 60
    record = near.record()
    assert (record["plain"], record["n"], record["copies"]) == (3, 5, 0)
    only = job.neighbours(black, real, MemoryDataset(held)).record()
    assert (only["plain"], only["n"], only["copies"], only["alarm"]) == (3, 0, None, None)
