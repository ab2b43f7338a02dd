"""Flags: a parser whose errors are one clear line, kinds of values, and a flag for every field of a recipe."""

import argparse
import math
import os
import re
import types
import typing
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from zeuxis.errors import BadInput, command, nearest

_CLEARER = (  # argparse's words, and ours: an empty mend stands for the nearest known name
    (r"unrecognized arguments: (-[^ =]+).*", "unknown argument `{0}`", ""),
    (r"unrecognized arguments: (.*)", "`{0}` is one word too many", "put quotes around names with spaces"),
    (r"the following arguments are required: (.*)", "missing: {0}", "{listed}"),
    (r"argument ([^:]+): invalid choice: '?(.*?)'? \(choose from (.*)\)", "{0} cannot be `{1}`", ""),
    (r"argument ([^:]+): expected one argument", "{0} needs a value", "{listed}"),
    (r"argument ([^:]+): (.*)", "{0}: {1}", "{listed}"),
)


class _Help(argparse.HelpFormatter):
    """Help with the default of each flag; what a word takes bears the flag's own name; lines are kept as they are."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        told = action.help or ""
        silent = action.default is None or isinstance(action.default, bool) or action.default == argparse.SUPPRESS
        silent = silent or not action.option_strings
        return told if silent or "default" in told else f"{told}; default: {action.default}"

    def _get_default_metavar_for_optional(self, action: argparse.Action) -> str:
        return action.option_strings[-1].lstrip("-").replace("-", "_").upper()

    def _split_lines(self, text: str, width: int) -> list[str]:
        return [part for line in text.split("\n") for part in super(_Help, self)._split_lines(line, width)]


class Parser(argparse.ArgumentParser):
    """argparse with errors as one line that names the nearest known flag, and help that tells defaults.

    listed: the words on where all that it takes is listed, where that is not its own help.
    """

    def __init__(self, listed: str = "", **given: Any) -> None:
        super().__init__(**{"formatter_class": _Help, "allow_abbrev": False, **given})
        self.listed = listed or f"`{self.prog} --help` lists all"

    def error(self, message: str) -> NoReturn:
        line = " ".join(message.split())
        for pattern, what, mend in _CLEARER:
            found = re.fullmatch(pattern, line)
            if found:
                parts = found.groups()
                raise BadInput(what.format(*parts), self.prog, mend.format(listed=self.listed) or self._nearest(parts))
        raise BadInput(line, self.prog, self.listed)

    def _nearest(self, parts: Sequence[str]) -> str:
        flags = [o for a in self._actions for o in a.option_strings if o.startswith("--")]
        return (
            nearest(parts[1], re.findall(r"'([^']*)'", parts[2]) or parts[2].split(", "))
            if len(parts) > 2
            else (nearest(parts[0], flags) if _close(parts[0], flags) else self.listed)
        )


def _close(name: str, known: Sequence[str]) -> bool:
    return nearest(name, list(known)).startswith("did you mean")


def size(text: str) -> int | tuple[int, int]:
    """64 or 48x64 (height x width)."""
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(re.fullmatch(r"[0-9]{1,9}", s) and int(s) > 0 for s in sides):
        raise argparse.ArgumentTypeError(f"`{_short(text)}` is no size, write 64 or 48x64 (height x width)")
    return int(sides[0]) if len(sides) == 1 else (int(sides[0]), int(sides[1]))


def whole(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise argparse.ArgumentTypeError(f"`{_short(text)}` must be a whole number, such as 8")
    return int(text)


def number(text: str) -> float:
    """A finite one."""
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text) or not math.isfinite(float(text)):
        raise argparse.ArgumentTypeError(f"`{_short(text)}` must be a number, such as 0.5")
    return float(text)


def path(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("an empty name names no file")
    return os.path.expanduser(text) if text == "~" or text.startswith("~/") else text  # --run=~/x is left to us


def _short(text: str) -> str:
    return text if len(text) < 40 else text[:37] + "..."


def _at_least(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < least:
            raise argparse.ArgumentTypeError(f"`{_short(text)}` must be a whole number of {least} or more")
        return int(text)

    return read


positive, seed = _at_least(1), _at_least(0)


def level(text: str) -> int | str:
    """2, a level of folders, or patient, a column."""
    return int(text) if re.fullmatch(r"[0-9]{1,3}", text) else text


def add_fields(p: Parser, recipe: str) -> None:
    """A flag for every field of the recipe; help says the default of each and where it comes from."""
    from zeuxis.fields import fields_of

    found = fields_of(recipe)
    title = f"fields of {recipe}" + (f" (presets: {', '.join(found.presets)})" if found.presets else "")
    group = p.add_argument_group(title)
    for field in found.fields:
        source = f"; {field.source}" if field.source else ""
        group.add_argument(
            "--" + field.name.replace("_", "-"),
            dest=field.name,
            default=argparse.SUPPRESS,
            help=f"default: {field.default}{source}".replace("%", "%%"),
            **_kind(field.hint),
        )


def _kind(hint: Any) -> dict[str, Any]:
    """argparse's words for a field's type."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return {"choices": inner, "type": type(inner[0])}
    if origin in (typing.Union, types.UnionType):
        return _kind(next(a for a in inner if a is not type(None)))
    if origin is tuple:
        return {"type": _listed({int: whole, float: number}.get(inner[0], inner[0]))}
    if hint is bool:
        return {"action": argparse.BooleanOptionalAction}
    return {"type": {int: whole, float: number}.get(hint, hint)}


def _listed(kind: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    def read(text: str) -> tuple[Any, ...]:
        try:
            return tuple(kind(x) for x in text.split(","))
        except (ValueError, argparse.ArgumentTypeError):
            raise argparse.ArgumentTypeError(f"`{_short(text)}` is no list, write such as 64,32") from None

    return read


def read_settings(recipe: str, pairs: Sequence[str] | None, flag: str) -> dict[str, Any]:
    """Fields of a recipe from FIELD=VALUE, each read as the flag of `train RECIPE` would be.

    Raises BadInput for what is no field of it, a value that it cannot have, and a field that is given twice.
    """
    from zeuxis.fields import fields_of

    listed = f"`{command('train', recipe, '--help')}` lists its fields"
    p = Parser(prog=flag, allow_abbrev=False, add_help=False, listed=listed)
    add_fields(p, recipe)
    hints = {field.name: field.hint for field in fields_of(recipe).fields}
    words: dict[str, str] = {}
    for pair in pairs or ():
        name, equals, value = pair.partition("=")
        name = name.replace("-", "_")
        if not equals:
            raise BadInput(f"`{pair}` is no setting", flag, "write FIELD=VALUE, such as width=32")
        if name not in hints:
            hint = f"{nearest(name, list(hints))}; " if _close(name, list(hints)) else ""
            raise BadInput(f"{recipe} has no field `{_short(name)}`", flag, hint + listed)
        if name in words:
            raise BadInput(f"`{name}` is given twice", flag, "give it once")
        typed = "--" + name.replace("_", "-")
        if hints[name] is bool:
            if value.lower() not in ("true", "false"):
                raise BadInput(f"`{name}` must be true or false, not `{_short(value)}`", flag, f"write {name}=true")
            words[name] = typed if value.lower() == "true" else f"--no-{typed[2:]}"
        else:
            words[name] = f"{typed}={value}"
    return vars(p.parse_args(list(words.values())))
