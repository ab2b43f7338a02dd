"""What every test shares: one thread, a cache of its own, hypothesis without clocks."""

import os

for _pool in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_pool] = "1"  # before torch is imported: bits depend on the number of threads
os.environ.setdefault("MPLBACKEND", "Agg")

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings

torch.set_num_threads(1)
settings.register_profile(
    "zeuxis", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("zeuxis")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, so that no test reads or fills the one of the person who runs it."""
    folder = tmp_path_factory.getbasetemp() / "cache"
    folder.mkdir(exist_ok=True)
    monkeypatch.setenv("ZEUXIS_CACHE", str(folder))
    return folder


@pytest.fixture(autouse=True)
def few_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies are looked for among few samples: decoding a thousand takes most of the time of a run of two steps."""
    monkeypatch.setattr("zeuxis.jobs.capabilities.generates._LOOKED_AT", 100)


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's root."""
    return ROOT


@pytest.fixture(scope="session")
def large_data() -> Path:
    """Folder of data sets too large to ship: $ZEUXIS_TEST_DATA, or shared/data in or beside the project."""
    given = os.environ.get("ZEUXIS_TEST_DATA")
    tries = [Path(given)] if given else [ROOT / "shared" / "data", ROOT.parent / "shared" / "data"]
    found = next((folder for folder in tries if folder.is_dir()), None)
    if found is None:
        pytest.skip("no folder of large data sets: set ZEUXIS_TEST_DATA")
    return found
