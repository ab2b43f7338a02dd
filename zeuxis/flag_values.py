"""Values from the text of a command line. Each raises ArgumentTypeError with what would be right."""

import argparse
import math
import os
import re
from collections.abc import Callable
from typing import Any

__all__ = ["at_least", "level", "listed", "number", "path", "short", "size", "whole"]


def size(text: str) -> int | tuple[int, int]:
    """64 or 48x64 (height x width)."""
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(re.fullmatch(r"[0-9]{1,9}", s) and int(s) > 0 for s in sides):
        raise argparse.ArgumentTypeError(f"`{short(text)}` is no size, write 64 or 48x64 (height x width)")
    return int(sides[0]) if len(sides) == 1 else (int(sides[0]), int(sides[1]))


def whole(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise argparse.ArgumentTypeError(f"`{short(text)}` must be a whole number, such as 8")
    return int(text)


def number(text: str) -> float:
    """A finite one."""
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text) or not math.isfinite(float(text)):
        raise argparse.ArgumentTypeError(f"`{short(text)}` must be a number, such as 0.5")
    return float(text)


def path(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("an empty name names no file")
    return os.path.expanduser(text) if text == "~" or text.startswith("~/") else text  # --run=~/x is left to us


def level(text: str) -> int | str:
    """2, a level of folders, or patient, a column."""
    return int(text) if re.fullmatch(r"[0-9]{1,3}", text) else text


def at_least(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < least:
            raise argparse.ArgumentTypeError(f"`{short(text)}` must be a whole number of {least} or more")
        return int(text)

    return read


def listed(kind: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    def read(text: str) -> tuple[Any, ...]:
        try:
            return tuple(kind(x) for x in text.split(","))
        except (ValueError, argparse.ArgumentTypeError):
            raise argparse.ArgumentTypeError(f"`{short(text)}` is no list, write such as 64,32") from None

    return read


def short(text: str) -> str:
    """A value for a message, cut where it is long."""
    return text if len(text) < 40 else text[:37] + "..."
