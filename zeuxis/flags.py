"""Flags: a parser whose errors are one clear line, kinds of values, and a flag for every field of a recipe."""

import argparse
import re
import types
import typing
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from zeuxis.errors import BadInput, nearest

_CLEARER = (  # argparse's words, and ours: an empty mend stands for the nearest known name
    (r"unrecognized arguments: (-[^ =]+).*", "unknown argument `{0}`", ""),
    (r"unrecognized arguments: (.*)", "`{0}` is one word too many", "put quotes around names with spaces"),
    (r"the following arguments are required: (.*)", "missing: {0}", "`{prog} --help` lists all"),
    (r"argument ([^:]+): invalid choice: '(.*)' \(choose from (.*)\)", "{0} cannot be `{1}`", ""),
    (r"argument ([^:]+): invalid int value: '(.*)'", "{0} must be a whole number, not `{1}`", "write such as 8"),
    (r"argument ([^:]+): invalid float value: '(.*)'", "{0} must be a number, not `{1}`", "write such as 0.5"),
    (r"argument ([^:]+): expected one argument", "{0} needs a value", "`{prog} --help` lists all"),
    (r"argument ([^:]+): (.*)", "{0}: {1}", "`{prog} --help` lists all"),
)


class Parser(argparse.ArgumentParser):
    """argparse with errors as one line that names the nearest known flag; help tells the sources of a recipe's fields.

    recipe: the class whose fields are among the flags, if any.
    """

    recipe: type | None = None

    def format_help(self) -> str:
        """As argparse does; the source code is read here, since only help needs it."""
        told = sources(self.recipe) if self.recipe else {}
        plain = [(action, action.help) for action in self._actions if action.dest in told]
        try:
            for action, words in plain:
                action.help = f"{words}; {told[action.dest].replace('%', '%%')}"
            return super().format_help()
        finally:
            for action, words in plain:
                action.help = words

    def error(self, message: str) -> NoReturn:
        line = " ".join(message.split())
        for pattern, what, mend in _CLEARER:
            found = re.fullmatch(pattern, line)
            if found:
                parts = found.groups()
                raise BadInput(what.format(*parts), self.prog, mend.format(prog=self.prog) or self._nearest(parts))
        raise BadInput(line, self.prog, f"`{self.prog} --help` lists all")

    def _nearest(self, parts: Sequence[str]) -> str:
        flags = [o for a in self._actions for o in a.option_strings if o.startswith("--")]
        return (
            nearest(parts[1], re.findall(r"'([^']*)'", parts[2]) or parts[2].split(", "))
            if len(parts) > 2
            else (nearest(parts[0], flags) if _close(parts[0], flags) else f"`{self.prog} --help` lists all")
        )


def _close(name: str, known: Sequence[str]) -> bool:
    return nearest(name, list(known)).startswith("did you mean")


def size(text: str) -> int | tuple[int, int]:
    """64 or 48x64 (height x width)."""
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(re.fullmatch(r"[0-9]{1,9}", s) and int(s) > 0 for s in sides):
        raise argparse.ArgumentTypeError(f"`{text}` is no size, write 64 or 48x64 (height x width)")
    return int(sides[0]) if len(sides) == 1 else (int(sides[0]), int(sides[1]))


def positive(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"`{text}` must be a whole number of 1 or more")
    return int(text)


def level(text: str) -> int | str:
    """2, a level of folders, or patient, a column."""
    return int(text) if re.fullmatch(r"[0-9]{1,3}", text) else text


def seed(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise argparse.ArgumentTypeError(f"`{text}` must be a whole number of 0 or more")
    return int(text)


def sources(cls: type) -> dict[str, str]:
    """What the comment beside each field of a recipe says of its value: where it comes from. {} without source code.

    A field that a class takes over from another has that one's comment.
    """
    import ast
    import inspect
    import io
    import textwrap
    import tokenize

    found: dict[str, str] = {}
    for base in reversed(cls.__mro__[:-1]):
        try:
            text = textwrap.dedent(inspect.getsource(base))
            body = next(node.body for node in ast.parse(text).body if isinstance(node, ast.ClassDef))
            tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
        except (OSError, TypeError, SyntaxError, StopIteration, tokenize.TokenError):
            continue
        said = {t.start[0]: t.string.strip("# ") for t in tokens if t.type == tokenize.COMMENT}
        for node in body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.end_lineno in said:
                found[node.target.id] = said[node.end_lineno]
    return found


def add_fields(p: Parser, recipe: str) -> None:
    """A flag for every field of the recipe; help says the default of each and where it comes from."""
    import dataclasses

    from zeuxis import catalog

    cls = catalog.load(recipe)
    hints = typing.get_type_hints(cls)
    p.recipe = cls
    group = p.add_argument_group(
        f"fields of {recipe}" + (f" (presets: {', '.join(cls.presets)})" if cls.presets else "")
    )
    for field in dataclasses.fields(cls):
        flag = "--" + field.name.replace("_", "-")
        group.add_argument(
            flag,
            dest=field.name,
            default=argparse.SUPPRESS,
            help=f"default: {field.default}",
            **_kind(hints[field.name]),
        )


def _kind(hint: Any) -> dict[str, Any]:
    """argparse's words for a field's type."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return {"choices": inner, "type": type(inner[0])}
    if origin in (typing.Union, types.UnionType):
        return _kind(next(a for a in inner if a is not type(None)))
    if origin is tuple:
        return {"type": _listed(inner[0])}
    if hint is bool:
        return {"action": argparse.BooleanOptionalAction}
    return {"type": hint}


def _listed(kind: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    def read(text: str) -> tuple[Any, ...]:
        try:
            return tuple(kind(x) for x in text.split(","))
        except ValueError:
            raise argparse.ArgumentTypeError(f"`{text}` is no list, write such as 64,32") from None

    return read


def read_settings(recipe: str, pairs: Sequence[str] | None, flag: str) -> dict[str, Any]:
    """Fields of a recipe from FIELD=VALUE, each read as the flag of `train RECIPE` would be."""
    p = Parser(prog=f"zeuxis augment {flag}", allow_abbrev=False, add_help=False)
    add_fields(p, recipe)
    words = []
    for pair in pairs or ():
        name, equals, value = pair.replace("_", "-", pair.partition("=")[0].count("_")).partition("=")
        if not equals:
            raise BadInput(f"`{pair}` is no setting", flag, "write FIELD=VALUE, such as width=32")
        switch = {"true": f"--{name}", "false": f"--no-{name}"}.get(value.lower())
        words.append(switch or f"--{name}={value}")
    return vars(p.parse_args(words))
