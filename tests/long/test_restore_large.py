"""A picture of 20,000 x 20,000 pixels through the command, with the net of the package, within 1.5 GB."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from zeuxis.draw import Stream, key_of

pytest.importorskip("pyvips")

from zeuxis.pictures.picture import Metadata
from zeuxis.pictures.streaming import size_of
from zeuxis.pictures.streaming_writer import written

SIDE = 20_000
CHILD = """
import resource, runpy, sys
sys.argv = ["zeuxis", *sys.argv[1:]]
try:
    runpy.run_module("zeuxis.cli", run_name="__main__")
except SystemExit as end:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
    raise
"""


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_a_very_large_picture_is_denoised_within_its_memory(tmp_path: Path) -> None:
    given, made = tmp_path / "large.png", tmp_path / "out.png"
    noise = Stream(key_of("large")).normal(512, SIDE * 3).numpy().reshape(512, SIDE, 3) * 20
    slope = np.linspace(40, 210, SIDE)[None, :, None]
    with written(given, SIDE, SIDE, Metadata()) as write:
        for top in range(0, SIDE, 512):
            rows = np.roll(noise, 37 * top, 1)[: min(512, SIDE - top)]
            write(np.clip(slope + rows, 0, 255).astype(np.uint8))
    words = ["restore", str(given), str(made), "--task", "denoise", "--memory", "900M"]
    done = subprocess.run([sys.executable, "-c", CHILD, *words], stderr=subprocess.PIPE, text=True)
    print(done.stderr)
    assert done.returncode == 0 and size_of(made) == (SIDE, SIDE)
    assert int(done.stderr.split()[-1]) < 1500
