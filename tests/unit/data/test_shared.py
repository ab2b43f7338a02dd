"""One file of decoded pictures for all processes of a study."""

import io
import json
from collections import namedtuple
from pathlib import Path

import numpy as np
import torch

from zeuxis.data.reader import open_dataset
from zeuxis.data.shared import mapped, shared
from zeuxis.jobs.executing import worker
from zeuxis.jobs.study import repeat_jobs
from zeuxis.jobs.study.job_graph import WORK

Study = namedtuple("Study", "folder")


def is_mapped(tensor, path):
    """Whether the numbers of a tensor lie in pages of the file; true where the system does not tell."""
    maps = Path("/proc/self/maps")
    if not maps.exists():
        return True
    ranges = [line.split()[0].split("-") for line in maps.read_text().splitlines() if line.endswith(str(path))]
    return any(int(start, 16) <= tensor.data_ptr() < int(end, 16) for start, end in ranges)


def test_the_mapped_dataset_equals_the_one_that_was_written(tmp_path):
    data = open_dataset("fashion-mini")
    with shared(data, tmp_path) as path:
        found = mapped(path)
        assert is_mapped(found.pixels, path), "pages of the file, not a copy"
        assert found.digest == data.digest and found.spec == data.spec and found.hashes == data.hashes
        assert found.sources == data.sources and found.parts == data.parts and found.groups == data.groups
        assert torch.equal(found.images([3, 0]), data.images([3, 0]))
        assert np.array_equal(found.labels, data.labels)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_shares_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000})())
    with shared(open_dataset("fashion-mini"), tmp_path) as path:
        assert path is None
    assert list(tmp_path.iterdir()) == []


def test_a_worker_maps_what_the_study_decoded(tmp_path, monkeypatch):
    """It opens the study with the mapped pictures, so the source is not read again."""
    opened, done = [], []
    monkeypatch.setattr(
        repeat_jobs.Place, "open", lambda folder, dataset=None: opened.append(dataset) or Study(Path(folder))
    )
    monkeypatch.setattr(repeat_jobs, "work", lambda place, spec: done.append(spec["name"]))
    monkeypatch.setattr(worker.platform, "die_with_parent", lambda: None)
    monkeypatch.setattr("sys.stdout", io.StringIO())
    monkeypatch.setattr(torch, "set_num_threads", lambda n: None)
    data = open_dataset("fashion-mini")
    with shared(data, tmp_path) as path:
        spec = {"work": WORK, "at": {"study": str(tmp_path), "pixels": path}}
        lines = [json.dumps({**spec, "name": name}) + "\n" for name in ("a", "b")]
        monkeypatch.setattr("sys.stdin", lines)
        assert worker.main() == 0
        assert done == ["a", "b"] and len(opened) == 1 and opened[0].digest == data.digest
        assert is_mapped(opened[0].pixels, path)
