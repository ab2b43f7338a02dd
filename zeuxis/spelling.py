"""Advice in messages, as a person would write it: a flag of the command line, or a parameter in Python.

What to try is data (`Way`, `Advice`), and spelled for whoever reads it. Messages are written once; in them a flag with
a value, and a command, stand between backticks as they are typed: `--size 64`, `zeuxis resume RUN`. Where a function
was called from Python these are split as a shell would, and spelled anew: `size=64`, `zeuxis.resume('RUN')`.
"""

import keyword
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from typing import Any

from zeuxis.errors import ZeuxisError

_IN_PYTHON: ContextVar[bool] = ContextVar("zeuxis_in_python", default=False)
_FLAG = r"(?<![\w/.-])(--[a-z][a-z0-9-]*|-n)(?![\w-])"
_PLACES = {"IN": "input", "OUT": "out"}  # what has no flag: the metavars of words that write a picture per picture
GROUPS = ("data",)
"""Words of two words on the command line: `data show` is `data_show`."""


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
    if name in GROUPS and rest:
        name, rest = f"{name}_{rest[0]}", rest[1:]
    return f"zeuxis.{name}({_arguments(rest)})"


def _arguments(words: list[str]) -> str:
    arguments, several = [], len(words) > 1
    while words:
        first, *words = words
        if first.startswith("-"):
            flag, _, value = first.partition("=")
            if not value and words and not words[0].startswith("-"):
                value, *words = words
            switch = several and not value and not flag.startswith("--no-")
            arguments.append(f"{parameter(flag)}=True" if switch else _argument(flag, value))
        else:
            arguments.append(_value(first))
    return ", ".join(arguments)


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
        part = re.sub(_FLAG, lambda m: _argument(m[1]), part)
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
        where = _quoted(error.where) if error.where.startswith("-") else error.where
        where = pythonic(where) if where in _PLACES else where
        error.say(pythonic(error.what), where, pythonic(error.mend))
        raise
    finally:
        _IN_PYTHON.reset(token)


# ------------------------------------------------------------------ what to try


@dataclass(frozen=True)
class Way:
    """One thing to try: settings by the names of their parameters, or more or less of something.

    values: what to set, all at once; how: "more", "fewer", "another" `of` a parameter; all that is to be said without
    one; after values "or more".
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    how: str = ""
    of: str = ""


@dataclass(frozen=True)
class Advice:
    """Ways to do something again, any of which may help, and why where that is not plain."""

    ways: tuple[Way, ...] = ()
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"ways": [asdict(way) for way in self.ways], "why": self.why}

    def words(self, spell: Callable[[Way], str] | None = None) -> str:
        """A sentence without its full stop, empty without ways.

        spell: how one is written, or "" where it cannot be followed; None: for the caller.
        """
        written = [text for way in self.ways if (text := (spell or spelled_way)(way))]
        again = f"train again with {', or '.join(dict.fromkeys(written))}"
        return again + (f": {self.why}" if self.why else "") if written else ""


def flag(name: str, value: object = None) -> str:
    """A parameter as it is typed: `--gamma 4`, `--norm`, `--no-norm`; without a value its name alone."""
    typed = name.rstrip("_").replace("_", "-")
    if isinstance(value, bool):
        return f"--{typed}" if value else f"--no-{typed}"
    return f"--{typed}" if value is None else shlex.join([f"--{typed}", plain(value)])


def plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def typed_time(seconds: float) -> str:
    """Seconds as a person is most likely to have typed them: 90s, 12m, 60m, 2h30m."""
    if seconds % 1 or seconds < 120:
        return f"{seconds:.10g}s"
    minutes, s = divmod(round(seconds), 60)
    h, m = divmod(minutes, 60) if minutes >= 120 else (0, minutes)
    return "".join(f"{n}{unit}" for n, unit in ((h, "h"), (m, "m"), (s, "s")) if n)


def in_flags(way: Way) -> str:
    """For the command line."""
    if way.values:
        return f"`{' '.join(flag(name, value) for name, value in way.values.items())}` {way.how}".rstrip()
    return f"{way.how} {flag(way.of)}{_or_time(way, flag('budget'))}" if way.of else way.how


def in_parameters(way: Way) -> str:
    """For Python."""
    if way.values:
        return f"`{', '.join(f'{name}={value!r}' for name, value in way.values.items())}` {way.how}".rstrip()
    return f"{way.how} {way.of}={_or_time(way, 'budget=')}" if way.of else way.how


def _or_time(way: Way, budget: str) -> str:
    """A training is as long as its images, or as its time: whoever gave the one has the other to change."""
    return f" or {'less' if way.how == 'fewer' else 'more'} {budget}" if way.of == "images" else ""


def spelled_way(way: Way) -> str:
    """As whoever called will read it."""
    return in_parameters(way) if _IN_PYTHON.get() else in_flags(way)
