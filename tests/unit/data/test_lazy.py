"""Pictures that are decoded when asked for: one pool, ahead, bounded."""

import logging
import threading
import warnings

import numpy as np
import torch
from PIL import Image

from zeuxis.data import lazy
from zeuxis.data.loading import quiet
from zeuxis.data.memory import Subset
from zeuxis.data.reader import open_dataset
from zeuxis.engine.batches import BatchSampler, to_image
from zeuxis.recipes.recipe import BatchSpec


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
    sampler = BatchSampler(part, BatchSpec(size=4), "images", 3, "cpu", False)
    for step in range(3):
        batch = sampler.batch("", step)
        wanted = memory.images(part.positions[sampler.positions("", step).numpy()])
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


def state() -> tuple[list[object], int]:
    return list(warnings.filters), logging.getLogger("PIL").level


def test_decoding_keeps_remarks_back_only_while_it_lasts(tmp_path):
    """Reading ahead silenced the warnings of Pillow for the whole process, and for ever."""
    rng = np.random.default_rng(0)
    for i in range(4):
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).save(tmp_path / f"{i}.png")
    before = state()
    files = open_dataset(tmp_path, memory_limit=10)
    files.ahead(np.array([2, 3]))
    files.images(np.arange(4))
    files._reading._threads().shutdown()
    assert isinstance(files, lazy.FileDataset) and state() == before


def test_several_may_be_quiet_at_a_time_and_filters_of_others_stay():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = state()
        inside, leave = threading.Event(), threading.Event()

        def other() -> None:
            with quiet():
                inside.set()
                leave.wait(10)

        thread = threading.Thread(target=other)
        with quiet():
            thread.start()
            assert inside.wait(10), "nobody waits for another's turn"
            warnings.warn("of an odd file", stacklevel=1)
            warnings.filterwarnings("ignore", category=BytesWarning, lineno=7)  # of others, meanwhile
        warnings.warn("still kept back", stacklevel=1)
        leave.set()
        thread.join()
        found, level = state()
        assert found[1:] == before[0] and found[0][2] is BytesWarning and level == before[1]
