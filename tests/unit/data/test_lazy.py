"""Pictures that are decoded when asked for: one pool, ahead, bounded."""

import numpy as np
import torch
from PIL import Image

from zeuxis.data import lazy
from zeuxis.data.memory import Subset
from zeuxis.data.reader import open_dataset
from zeuxis.engine.batches import Feeder, to_image
from zeuxis.recipes.recipe import Feed


def test_pictures_read_on_demand_are_decoded_once_by_one_pool_and_ahead(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    for i in range(12):
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).save(tmp_path / f"{i:02d}.png")
    memory, files = open_dataset(tmp_path), open_dataset(tmp_path, memory_limit=100)
    assert isinstance(files, lazy.FileDataset) and files.digest == memory.digest
    made, threads, decoded = [], lazy.ThreadPoolExecutor, []
    monkeypatch.setattr(lazy, "ThreadPoolExecutor", lambda *a: made.append(threads(*a)) or made[-1])
    for i, load in enumerate(files.loaders):
        files.loaders[i] = lambda shape, i=i, load=load: decoded.append(i) or load(shape)
    part = Subset(files, np.arange(12)[::-1])
    feeder = Feeder(part, Feed(size=4), "images", 3, "cpu", False)
    for step in range(3):
        batch = feeder.batch("", step)
        wanted = memory.images(part.positions[feeder.positions("", step).numpy()])
        assert torch.equal(batch.image, to_image(wanted))
    made[0].shutdown()
    assert len(made) == 1, "one pool for all batches"
    assert len(decoded) == 16 and sorted(decoded[:12]) == list(range(12)), "each once, and the next batch ahead"


def test_what_is_read_ahead_is_bounded():
    ahead = lazy.Ahead(lambda i: np.full(1, i), 3)
    for start in range(0, 50, 5):
        ahead.announce(list(range(start, start + 5)))
        assert len(ahead._pending) <= 3
    assert [int(x[0]) for x in ahead.take([47, 2, 2])] == [47, 2, 2]
