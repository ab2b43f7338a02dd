"""Whether what was named is there at all: asked before anything heavy is loaded."""

import glob
from collections.abc import Mapping
from pathlib import Path

from zeuxis.errors import BadInput, nearest

NAMES = {
    "fashion-mini": "5,000 pictures of clothes, 28x28 grey, 10 classes; comes with zeuxis (MIT, Zalando SE)",
    "fashion-mnist": "70,000 pictures of clothes, 28x28 grey, 10 classes (MIT, Zalando SE); 31 MB to fetch",
    "mnist": "70,000 handwritten digits, 28x28 grey, 10 classes; 12 MB to fetch",
    "cifar10": "60,000 photographs, 32x32 colour, 10 classes; 170 MB to fetch",
}
"""The sets by name, each with a line about it."""
SETS = dict.fromkeys(NAMES, "a set by name")


def name_of(data: str | Path) -> str:
    """What a person named, as text that means it wherever it is read: a path is never taken for a set by name.

    Raises BadInput where it is not there, and for a name that is both that of a set and of something here.
    """
    check_source(data)
    return unmistaken(data, SETS)


def unmistaken(given: str | Path, words: Mapping[str, str]) -> str:
    """The same where other words than paths are taken, there or not. words: with what they stand for."""
    if isinstance(given, Path):
        return str(given) if given.name != str(given) else f"./{given}"
    if given in words and Path(given).exists():
        raise BadInput(
            f"`{given}` is {words[given]}, and something of that name lies here",
            "",
            f"`./{given}` is what lies here; for the other, work in another folder",
        )
    return given


def check_source(source: str | Path) -> None:
    """Raises BadInput where a source of pictures is neither a set by name (`mnist`, `mnist:FOLDER`) nor there."""
    if isinstance(source, str) and source.partition(":")[0] in NAMES:
        return
    if not Path(source).expanduser().exists():
        hint = nearest(str(source), list(NAMES)) if isinstance(source, str) and "/" not in source else ""
        raise BadInput("there is no such file or folder", str(source), hint or "check the path")


def check_pictures(given: str) -> None:
    """Raises BadInput where `given` is neither a file, a folder, a pattern that fits something, nor stdin."""
    if given != "-" and not Path(given).exists() and not any(glob.iglob(given, recursive=True)):
        raise BadInput("there is no such file or folder", given, "check the path")


ADAPTED = "adapted"
"""Of a run: the run of its autoencoder, which is there before its own begins."""


def is_run(folder: Path) -> bool:
    """Whether a run lies there, also one whose own training has not begun."""
    return (folder / "run.json").exists() or is_adapting(folder)


def is_adapting(folder: Path) -> bool:
    """Whether a run was stopped before its own training began, while its autoencoder was adapted, or after that."""
    return not (folder / "run.json").exists() and (folder / ADAPTED / "run.json").exists()


def check_run(folder: Path) -> None:
    """Raises BadInput where there is no such folder."""
    if not folder.is_dir():
        raise BadInput("there is no such run folder", str(folder))
