"""What words take: the types of their arguments, and what people are told of each.

An argument is described once, by the annotation of the word's function: its type, and marks of this module. Flags,
help, completion, the tables of the documentation and the checks of Python calls are made from these.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from zeuxis import flag_values
from zeuxis.data.checks import NAMES


@dataclass(frozen=True)
class Arg:
    """What people are told of an argument, and how it is called where the command line has another name for it.

    help: one line; default: what holds where none is given, where the value itself does not tell; flag: "-n" in
    place of "--n"; metavar: what stands for the value; offered: values for completion, where others are right too;
    group: title of the section of the help that it stands in.
    """

    help: str
    default: str = ""
    flag: str = ""
    metavar: str = ""
    offered: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True)
class AtLeast:
    """The smallest number that an argument may be."""

    least: int


@dataclass(frozen=True)
class OneOf:
    """The texts that an argument may be, where no Literal can list them."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Words:
    """How a type is called where a value of another came, and what to do about it."""

    words: str
    mend: str = ""


@dataclass(frozen=True)
class Foreign:
    """Classes of other packages that are taken as they are, or as text: by name, so that nothing is imported."""

    names: tuple[str, ...]
    as_text: bool = False


@dataclass(frozen=True)
class Reads:
    """How the text of a command line becomes a value, where the type alone does not tell. several: one or more."""

    text: Callable[[str], Any]
    several: bool = False


@dataclass(frozen=True)
class FieldsOf:
    """Fields of a recipe by name: of the one that the argument called `recipe` names, or of that one itself."""

    recipe: str
    argument: bool = False


_LEVEL = "a level of folders, 1 those in DATA itself, or a column of a table"
_LEVEL_TYPE = Words("a level of folders, or a column of a table")

PathLike = Annotated[str | Path, Reads(flag_values.path)]
Count = Annotated[int, AtLeast(1)]
Time = Annotated[str | float, Reads(str), Words("a time such as '8m', or seconds")]
Seeds = Annotated[str | int | Sequence[int], Reads(str), Words("seeds such as '1,5-8' or [1, 2]")]
Collection = Annotated[
    str | Path,
    Reads(flag_values.path),
    Words("a path or the name of a set", "write the pictures into a folder and name that"),
    Arg("folder, zip, table, or a set by name", offered=tuple(NAMES)),
]
Collections = Annotated[
    str | Path | tuple[str | Path, ...],
    Reads(flag_values.path, several=True),
    Words("a path or the name of a set, or several", "write the pictures into a folder and name that"),
    Arg("folder, zip, table, or a set by name; two of them for recipes that take two", offered=tuple(NAMES)),
]
Pixels = Annotated[
    str | Path | bytes,
    Foreign(("PIL.Image.Image", "numpy.ndarray", "torch.Tensor")),
    Reads(flag_values.path),
    Words("a path, or a picture: bytes of a file, a PIL picture, an array [H, W, C] of uint8 or uint16"),
    Arg("a picture, a folder, a pattern in quotes, or - for stdin", metavar="IN"),
]

Mask = Annotated[
    str | Path | bytes,
    Foreign(("PIL.Image.Image", "numpy.ndarray", "torch.Tensor")),
    Reads(flag_values.path),
    Words("a path; of a picture in memory also bytes, a PIL picture, or an array [H, W] of bool, uint8 or uint16"),
    Arg("white where something is missing; or a folder of masks, one for each picture; for inpaint and old-photo"),
]

# How a collection is read.
Size = Annotated[
    int | tuple[int, int],
    Reads(flag_values.size),
    Words("a number of pixels or (height, width)"),
    Arg("pixels, or HEIGHTxWIDTH", "as they are"),
]
Channels = Annotated[Literal[1, 2, 3, 4], Arg("1 grey, 2 grey and alpha, 3 colour, 4 colour and alpha", "as they are")]
Fit = Annotated[Literal["crop", "fit", "pad"], Arg("how other shapes become this size")]
Strict = Annotated[bool, Arg("stop at unreadable files instead of skipping them")]
ClassesAt = Annotated[
    int | str,
    Reads(flag_values.level),
    _LEVEL_TYPE,
    Arg(f"what tells the classes: {_LEVEL}; 0: no labels", "by rule"),
]
GroupAt = Annotated[
    int | str,
    Reads(flag_values.level),
    _LEVEL_TYPE,
    Arg("what tells pictures that stay together, such as patients: a level or a column", "by rule"),
]
PartAt = Annotated[
    int | str,
    Reads(flag_values.level),
    _LEVEL_TYPE,
    Arg("what tells train, val and test: a level or a column; `fold=3`: those rows are test; 0: no parts", "by rule"),
]
Frames = Annotated[Literal["first", "all"], Arg("which frames or pages of a file; all: one group per file")]
White = Annotated[
    float,
    Arg("number that is white in files of more than 8 bits, such as 4095", "the end of the range that the set uses"),
]
Generated = Annotated[
    Literal["leave", "train"],
    Arg("pictures that a model made: leave them out, or train on them too; they are never held out"),
]
SideBySide = Annotated[bool, Arg("each file holds a pair: left what is given, right what is wanted")]
Join = Annotated[
    Literal["near", "exact", "off"],
    Arg("what stays together by looks", "near, asked where it joins more than a tenth of a class"),
]

# How it is worked.
Seed = Annotated[int, AtLeast(0), Arg("everything random follows from it")]
Threads = Annotated[Count, Arg("how many threads", "measured, or all cores")]
Device = Annotated[
    str,
    Foreign(("torch.device",), as_text=True),
    Words("the name of a device"),
    Arg("cpu or cuda", "the best there is", offered=("cpu", "cuda")),
]
CheckpointEvery = Annotated[Time, Arg("time between checkpoints, such as 30s or 5m")]
OnNan = Annotated[Literal["rewind", "stop"], Arg("what to do when numbers overflow")]
RunFolder = Annotated[PathLike, Arg("folder of a run")]
AnyFolder = Annotated[PathLike, Arg("folder of a run or a study")]
OutFolder = Annotated[PathLike, Arg("folder to write to")]

# What a word for pictures takes, one picture out for each that goes in.
Target = Annotated[PathLike, Arg("a file or a folder", "beside IN, under a new name", metavar="OUT")]
NetsFrom = Annotated[PathLike, Arg("a trained run, or a weights file, in place of the nets of the package")]
Memory = Annotated[
    str | int,
    Reads(str),
    Arg("bound for the pixels at work, such as 500M or 2G, 100M at least", "half of what is free"),
]
Original = Annotated[
    PathLike, Arg("the undamaged picture, at the size of the result: print how near it comes", metavar="ORIGINAL")
]
Page = Annotated[PathLike, Arg("HTML file to write: before, after, and what changed")]
DryRun = Annotated[bool, Arg("print the plan and stop; nothing is written")]
