"""Eight times as much to read takes about eight times the work: of every parser and reader.

Work is counted in operations of Python, which no clock and no other process can change. What a regular expression or
another function of C does inside is not seen by that: the long tests take its processor time.
"""

import json
import struct
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from types import FrameType
from typing import Any

import numpy as np
import pytest

from zeuxis.data import layouts, listing, tables
from zeuxis.data.origin import note_in_xmp
from zeuxis.degrade import parsing
from zeuxis.jobs.capabilities import reconstructs as held_out_strips
from zeuxis.jobs.restoring import mask_files, masked_windows
from zeuxis.pictures import metadata, png, tiles
from zeuxis.pictures.picture_file import Metadata, Picture

TIMES = 8
MOST, MOST_TIME = 1.5 * TIMES, 3 * TIMES
"""Quadratic work would be 64 times as much; a small share of it is seen in counts, and only a large one by a clock."""


def operations(call: Callable[[], Any]) -> int:
    """How many operations of Python's own machine `call` takes."""
    count = 0

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def seconds(call: Callable[[], Any]) -> float:
    """Processor time of this process, the least of three."""
    found = []
    for _ in range(3):
        start = time.process_time()
        call()
        found.append(time.process_time() - start)
    return min(found)


# ------------------------------------------------------------------ what is read, of size n


def _xmp_that_never_ends(n: int) -> bytes:
    tags = b"<rdf:Description zeuxis:note " * n + b"<a:DigitalSourceType " * n + b"<tiff:Orientation> " * n
    return b"<x:xmpmeta><rdf:RDF>" + tags + b" b:DigitalSourceType = '" + b"'" * (n % 2) + b"</rdf:RDF></x:xmpmeta>"


def _exif_of_pointers(n: int) -> bytes:
    """One folder of n entries, each of which says that the EXIF folder is that same one."""
    entry = struct.pack("<HHII", 0x8769, 4, 1, 8)
    return b"II*\0" + struct.pack("<IH", 8, n) + entry * n + bytes(4)


def _chunks(n: int) -> bytes:
    return bytes(8) + b"".join(struct.pack(">I", 4) + b"gAMA" + bytes(8) for _ in range(n))


def _webp(n: int) -> bytes:
    return bytes(12) + (b"XXXX" + struct.pack("<I", 0)) * n


def _picture(n: int) -> Picture:
    pixels = np.zeros((16, n, 3), np.uint8)
    pixels[4:8, : n // 3] = (255, 0, 0)
    return Picture(pixels, None, Metadata())


class _Held:
    def __init__(self, n: int) -> None:
        self.sources = [i // 3 for i in range(n)]

    def __len__(self) -> int:
        return len(self.sources)


def _table(n: int, folder: Path, suffix: str) -> Path:
    path = folder / f"{n}{suffix}"
    if suffix == ".csv":
        path.write_text("file,label,more\n" + "".join(f"a/{i}.png,{i % 7},x\n" for i in range(n)))
    else:
        rows = (json.dumps({"file": f"{i}.png", "label": i % 7, f"c{i}": 1}) + "\n" for i in range(n))
        path.write_text("".join(rows))
    return path


def _zip(n: int, folder: Path) -> Path:
    with zipfile.ZipFile(folder / f"{n}.zip", "w") as archive:
        for i in range(n):
            archive.writestr(f"c{i % 5}/{i}.png", b"x")
    return folder / f"{n}.zip"


def _scattered(n: int) -> np.ndarray:
    hole = np.zeros((24, 24 * max(1, n // 20)), bool)
    hole[10:12, 10::24] = True
    return hole


def _of(n: int, folder: Path) -> dict[str, Callable[[], Any]]:
    """Each reader with something of size n to read, made beforehand."""
    xmp, exif, chunks, webp = _xmp_that_never_ends(n), _exif_of_pointers(min(n, 60_000)), _chunks(n), _webp(n)
    mask, held, hole = _picture(n), _Held(n), _scattered(n)
    csv, jsonl, packed = _table(n, folder, ".csv"), _table(n, folder, ".jsonl"), _zip(n, folder)
    paths = [PurePosixPath(f"c{i % 5}/d{i}/{i}.png") for i in range(n)]
    damage, spaces = "+".join(["blur=1..2"] * n), b"<tiff:Orientation>" + b" " * n + b"x"
    return {
        "XMP written": lambda: png.xmp_packet(png.CHANGED, {"a": 1}, xmp),
        "XMP upright": lambda: (metadata.upright_xmp(xmp), metadata.upright_xmp(spaces)),
        "note in XMP": lambda: note_in_xmp(xmp),
        "EXIF": lambda: metadata.with_exif(exif, {0x0112: 1}),
        "PNG chunks": lambda: metadata.read_chunks(chunks),
        "WebP chunks": lambda: metadata.webp_is_lossless(webp),
        "words of damage": lambda: parsing.parse(damage),
        "mask": lambda: mask_files.hole_of(mask, mask.size),
        "boxes around holes": lambda: list(masked_windows.boxes(hole, 4, 64, 1)),
        "tiles": lambda: tiles._starts(8 * n + 64, 64, 8, 8),
        "squares of a strip": lambda: held_out_strips.chosen(held, 0),  # type: ignore[arg-type]
        "CSV": lambda: tables._rows_of_csv(csv),
        "JSONL": lambda: tables._rows_of_jsonl(jsonl),
        "zip": lambda: listing.from_zip(packed, layouts.BY_RULE),
        "folders": lambda: layouts.layout(paths),
    }


NAMES = [
    "XMP written", "XMP upright", "note in XMP", "EXIF", "PNG chunks", "WebP chunks", "words of damage", "mask",
    "boxes around holes", "tiles", "squares of a strip", "CSV", "JSONL", "zip", "folders",
]  # fmt: skip


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], dict[str, Callable[[], Any]]]:
    made: dict[int, dict[str, Callable[[], Any]]] = {}

    def of(n: int) -> dict[str, Callable[[], Any]]:
        if n not in made:
            made[n] = _of(n, tmp_path_factory.mktemp(f"n{n}"))
        return made[n]

    return of


def test_each_reader_is_asked(work):
    assert set(work(60)) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_eight_times_as_much_takes_about_eight_times_the_operations(work, name):
    few, many = (operations(work(n)[name]) for n in (60, 60 * TIMES))
    assert many < MOST * few, (few, many)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_eight_times_as_much_takes_about_eight_times_as_long(work, name):
    few, many = (seconds(work(n)[name]) for n in (4_000, 4_000 * TIMES))
    assert many < MOST_TIME * max(few, 2e-4), (few, many)


def test_a_long_packet_of_tags_that_never_end_is_read_at_once():
    """272 KB of it took 43 seconds; what it says stays, and the note is found."""
    packet = _xmp_that_never_ends(4_000)
    assert len(packet) > 250_000
    made = png.xmp_packet(png.CHANGED, {"a": 1}, packet)
    assert json.loads(note_in_xmp(made) or "") == {"a": 1} and made.count("<rdf:Description zeuxis:note ") == 4_000
    again = png.xmp_packet(png.CHANGED, {"b": 2}, made.encode())
    assert json.loads(note_in_xmp(again) or "") == {"b": 2} and again.count('zeuxis:note="') == 1
    assert again.count(png.CHANGED) == 1
