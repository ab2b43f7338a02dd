"""Advice in messages, as a person would write it: a flag of the command line, or a parameter in Python.

Messages are written once, with flags (`--size 64`, `zeuxis resume RUN`). Where a function was called from Python
they are spelled anew: `size=64`, `zeuxis.resume('RUN')`.
"""

import keyword
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from zeuxis.errors import ZeuxisError

_IN_PYTHON: ContextVar[bool] = ContextVar("zeuxis_in_python", default=False)
_FLAG = r"(?<![\w/.-])(--[a-z][a-z0-9-]*|-n)(?![\w-])"
_NUMBER = r"\d+(?:x\d+|\.\d+)?(?:e-?\d+)?(?!\w)"
_BARE = re.compile(rf"{_FLAG}(?:[= ]({_NUMBER}))?")
_PLACES = {"IN": "input", "OUT": "out"}  # what has no flag: the metavars of words that write a picture per picture
_PAIRS = ("data",)  # words of two words


def parameter(flag: str) -> str:
    """The name in Python of a flag such as `--labels-per-class`."""
    name = flag.lstrip("-").replace("-", "_")
    return f"{name}_" if keyword.iskeyword(name) else name


def _value(text: str) -> str:
    """What a flag was given, as Python would have it."""
    if re.fullmatch(r"\d+(\.\d+)?(e-?\d+)?", text):
        return text
    sides = re.fullmatch(r"(\d+)x(\d+)", text)
    if sides:
        return f"({sides[1]}, {sides[2]})"
    return text if text.isupper() else repr(text)  # DIR stands for a value, not for itself


def _argument(flag: str, value: str = "") -> str:
    if flag.startswith("--no-") and not value:
        return f"{parameter(flag[5:])}=False"
    return f"{parameter(flag)}={_value(value) if value else ''}"


def _call(words: list[str]) -> str:
    """`zeuxis WORD ...`, split, as a call."""
    name, rest = words[1], words[2:]
    if name in _PAIRS and rest:
        name, rest = f"{name}_{rest[0]}", rest[1:]
    return f"zeuxis.{name}({_arguments(rest)})"


def _arguments(words: list[str]) -> str:
    found: list[str] = []
    while words:
        first, *words = words
        if first.startswith("-"):
            flag, _, value = first.partition("=")
            if not value and words and not words[0].startswith("-"):
                value, *words = words
            found.append(_argument(flag, value))
        else:
            found.append(_value(first))
    return ", ".join(found)


def _quoted(text: str) -> str:
    """What stands between backticks: a command or flags become Python, anything else stays."""
    try:
        words = shlex.split(text)
    except ValueError:
        return text
    if len(words) > 1 and words[0] == "zeuxis":
        return _call(words)
    return _arguments(words) if re.match(_FLAG, text) else text


def pythonic(text: str) -> str:
    """A message with flags and commands, with parameters and calls in their place."""
    parts = text.split("`")
    for i, part in enumerate(parts):
        if i % 2:
            parts[i] = _quoted(part)
            continue
        part = _BARE.sub(lambda m: _argument(m[1], m[2] or ""), part)
        parts[i] = re.sub(r"\b(IN|OUT)\b", lambda m: f"{_PLACES[m[1]]}=", part)
    return "`".join(parts)


def spelled(text: str) -> str:
    """A message as whoever called will read it."""
    return pythonic(text) if _IN_PYTHON.get() else text


@contextmanager
def for_python() -> Iterator[None]:
    """Within the block, messages and errors name parameters."""
    token = _IN_PYTHON.set(True)
    try:
        yield
    except ZeuxisError as error:
        where = pythonic(error.where) if error.where.startswith("-") or error.where in _PLACES else error.where
        error.say(pythonic(error.what), where, pythonic(error.mend))
        raise
    finally:
        _IN_PYTHON.reset(token)
