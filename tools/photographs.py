"""The table of labelled photographs that the study is tried on: `python tools/photographs.py FOLDER OUT.csv`.

FOLDER holds a folder per class with files named CLASSNUMBER.jpg, neighbouring numbers often
showing the same object; so 20 numbers make one group, which no split takes apart.
"""

import argparse
import csv
import os
import re
import sys
from pathlib import Path


def rows(folder: Path, table: Path) -> list[tuple[str, str, str]]:
    """(file relative to the table, label, group) of every photograph."""
    found = []
    for file in sorted(folder.glob("*/*.jpg")):
        number = re.search(r"(\d+)$", file.stem)
        assert number, file
        label = file.parent.name
        found.append((os.path.relpath(file, table.resolve().parent), label, f"{label}-{int(number[1]) // 20}"))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("table", type=Path)
    asked = parser.parse_args()
    with open(asked.table, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "label", "group"])
        writer.writerows(rows(asked.folder.resolve(), asked.table))
    return 0


if __name__ == "__main__":
    sys.exit(main())
