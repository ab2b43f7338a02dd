"""What every arm did on every test picture, in the study's folder: from it the verdict can be worked out again."""

import csv
import io
from pathlib import Path

import numpy as np

from zeuxis.data.files import write_text
from zeuxis.errors import BadInput
from zeuxis.stats.twoway import Examined

TEST = "test.csv"


def pack(hits: np.ndarray) -> str:
    """A bit per test picture, 1 where it was recognised, eight in a byte from the highest on, as hexadecimal digits."""
    return np.packbits(np.asarray(hits, bool)).tobytes().hex()


def unpack(digits: str, pictures: int) -> np.ndarray:
    """bool [pictures] of what `pack` wrote. Raises BadInput where it is of another number of pictures."""
    try:
        packed = np.frombuffer(bytes.fromhex(digits), np.uint8)
    except ValueError:
        packed = np.zeros(0, np.uint8)
    if len(packed) != -(-pictures // 8):
        raise BadInput("the hits of an arm are not those of this test part", "", "begin the study anew")
    return np.unpackbits(packed)[:pictures].astype(bool)


def write_examined(folder: Path, positions: np.ndarray, examined: Examined) -> None:
    """Writes test.csv: a row per sealed test picture, in the order of the bits."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["position", "class", "group"])
    writer.writerows(zip(positions.tolist(), examined.classes.tolist(), examined.groups.tolist(), strict=True))
    write_text(folder / TEST, out.getvalue())


def read_examined(folder: Path) -> Examined:
    """The test part that `write_examined` wrote. Raises BadInput where the file is missing or damaged."""
    try:
        with (folder / TEST).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return Examined.of([int(row["class"]) for row in rows], [int(row["group"]) for row in rows])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{TEST} is missing or damaged", str(folder), "begin the study anew") from error
