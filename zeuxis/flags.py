"""Flags: a parser whose errors are one clear line, made from the arguments of a word and the fields of a recipe."""

import argparse
import re
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NoReturn, get_args, get_origin

from zeuxis import catalog, flag_values, word
from zeuxis.errors import BadInput, closest, command, nearest
from zeuxis.parameters import AtLeast, FieldsOf, OneOf, Reads
from zeuxis.word import REQUIRED, Parameter, marks

_CLEARER = (  # argparse's words, and ours: an empty mend stands for the nearest known name
    (r"unrecognized arguments: (-[^ =]+).*", "unknown argument `{0}`", ""),
    (r"unrecognized arguments: (.*)", "`{0}` is one word too many", "put quotes around names with spaces"),
    (r"the following arguments are required: (.*)", "missing: {0}", "{listed}"),
    (r"argument ([^:]+): invalid choice: '?(.*?)'? \(choose from (.*)\)", "{0} cannot be `{1}`", ""),
    (
        r"argument ([^:]+): expected one argument",
        "{0} needs a value",
        "one that begins with a dash is written `{0}=-VALUE`; {listed}",
    ),
    (r"argument ([^:]+): (.*)", "{0}: {1}", "{listed}"),
)


class _Help(argparse.HelpFormatter):
    """Help with the default of each flag; what a word takes bears the flag's own name; lines are kept as they are."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        help_text = action.help or ""
        silent = action.default is None or isinstance(action.default, bool) or action.default == argparse.SUPPRESS
        silent = silent or not action.option_strings
        return help_text if silent or "default" in help_text else f"{help_text}; default: {action.default}"

    def _get_default_metavar_for_optional(self, action: argparse.Action) -> str:
        return action.option_strings[-1].lstrip("-").replace("-", "_").upper()

    def _split_lines(self, text: str, width: int) -> list[str]:
        return [part for line in text.split("\n") for part in super(_Help, self)._split_lines(line, width)]


class _Once(argparse.Action):
    """A flag of one value: of two that are given, neither is passed over in silence. Places are taken as they come."""

    def __call__(
        self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: str | None = None
    ) -> None:
        if option_string is not None:
            given: dict[str, str] = vars(namespace).setdefault("_given", {})
            if before := given.get(self.dest):
                what = "is given twice" if before == option_string else f"is given after `{before}`"
                raise BadInput(f"`{option_string}` {what}", parser.prog, "give it once")
            given[self.dest] = option_string
        self.take(namespace, values, option_string)

    def take(self, namespace: argparse.Namespace, values: Any, option_string: str | None) -> None:
        setattr(namespace, self.dest, values)


class _OnceOrNot(_Once, argparse.BooleanOptionalAction):
    """The same of `--norm` and `--no-norm`."""

    def take(self, namespace: argparse.Namespace, values: Any, option_string: str | None) -> None:
        setattr(namespace, self.dest, not str(option_string).startswith("--no-"))


class Parser(argparse.ArgumentParser):
    """argparse with errors as one line that names the nearest known flag, and help that tells defaults.

    listed: the words on where all that it takes is listed, where that is not its own help; unknown: those on a flag
    that is like none of its own, where these are others.
    """

    def __init__(self, listed: str = "", unknown: str = "", **given: Any) -> None:
        super().__init__(**{"formatter_class": _Help, "allow_abbrev": False, **given})
        self.register("action", None, _Once)
        self.listed = listed or f"`{self.prog} --help` lists all"
        self.unknown = unknown or self.listed

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        parsed, rest = super().parse_known_args(args, namespace)
        parsed.__dict__.pop("_given", None)
        return parsed, rest

    def error(self, message: str) -> NoReturn:
        line = " ".join(message.split())
        for pattern, what, mend in _CLEARER:
            match = re.fullmatch(pattern, line)
            if match:
                parts = match.groups()
                mend = mend.format(*parts, listed=self.listed)
                raise BadInput(what.format(*parts), self.prog, mend or self._nearest(parts))
        raise BadInput(line, self.prog, self.listed)

    def _nearest(self, parts: Sequence[str]) -> str:
        places = {f"--{a.dest}": a.metavar or a.dest.upper() for a in self._actions if not a.option_strings}
        if parts[0] in places:
            return (
                f"{places[parts[0]]} stands there without a flag: {' '.join([self.prog, *map(str, places.values())])}"
            )
        if len(parts) > 2:
            return nearest(parts[1], re.findall(r"'([^']*)'", parts[2]) or parts[2].split(", "))
        flags = [o[2:] for a in self._actions for o in a.option_strings if o.startswith("--")]
        close = closest(parts[0].lstrip("-"), flags)  # dashes, which all have, make no two flags alike
        return f"did you mean `--{close}`?" if close else self.unknown


def parser_of(name: str, recipe: str | None = None, unchosen: str = "") -> Parser:
    """The parser of a word; recipe: whose fields are flags too, where the word takes them.

    unchosen: what is said of a flag that it has not, where the recipe is still to be chosen.
    """
    example = f"example: {word.of(name).example}"
    listed = f"`{command('train', recipe, '--help')}` lists all" if recipe is not None else ""
    p = Parser(listed, unchosen, prog=f"zeuxis {word.typed(name)}", description=word.about(name), epilog=example)
    add_parameters(p, word.parameters(name))
    if recipe is not None:
        add_fields(p, recipe)
    p.add_argument("--json", action="store_true", help="print one JSON object")
    return p


def add_parameters(p: Parser, parameters: Sequence[Parameter]) -> None:
    """A place or flag for every argument of a word, in the sections that the arguments name."""
    sections: dict[str, Any] = {"": p}
    for one in parameters:
        title = one.arg.group
        section = sections.setdefault(title, p.add_argument_group(title) if title not in sections else p)
        help_text = f"{one.arg.help}; default: {one.arg.default}" if one.arg.default else one.arg.help
        section.add_argument(one.name if one.positional else one.flag, **_kind_of(one), help=_escaped(help_text))


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def _kind_of(one: Parameter) -> dict[str, Any]:
    """argparse's words for an argument."""
    given: dict[str, Any] = {"metavar": one.arg.metavar} if one.arg.metavar else {}
    if one.positional:
        if one.default is not REQUIRED:
            given |= {"nargs": "?", "default": one.default}
        return kind(one.hint) | given
    given |= (
        {"dest": one.name, "required": True} if one.default is REQUIRED else {"dest": one.name, "default": one.default}
    )
    if isinstance(one.default, bool):
        return given | {"action": "store_false" if one.default else "store_true"}
    found = kind(one.hint)
    if found.pop("nargs", None):  # a flag of several values is given once for each
        found["action"] = "append"
    return found | given


def kind(hint: Any) -> dict[str, Any]:
    """argparse's words for a type: `type`, `choices`, `action`, `metavar`."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return kind(inner[0]) | _marked(inner[1:])
    if origin is Literal:
        return {"choices": inner, "type": {int: flag_values.whole}.get(type(inner[0]), type(inner[0]))}
    if origin in (typing.Union, types.UnionType):
        return kind(next(a for a in inner if a is not types.NoneType))
    if origin is tuple:
        return {"type": flag_values.listed({int: flag_values.whole, float: flag_values.number}.get(inner[0], inner[0]))}
    if hint is bool:
        return {"action": _OnceOrNot}
    return {"type": {int: flag_values.whole, float: flag_values.number}.get(hint, hint)}


def _marked(metadata: Sequence[Any]) -> dict[str, Any]:
    """What the marks of an annotation say of it."""
    given: dict[str, Any] = {}
    for mark in metadata:
        if isinstance(mark, AtLeast):
            given |= {"type": flag_values.at_least(mark.least)}
        elif isinstance(mark, OneOf):
            given |= {"choices": mark.names}
        elif isinstance(mark, Reads):
            given |= {"type": mark.text} | ({"nargs": "+"} if mark.several else {})
        elif isinstance(mark, FieldsOf):
            given |= {"type": str, "action": "append", "metavar": "FIELD=VALUE"}
    return given


def add_fields(p: Parser, recipe: str) -> None:
    """A flag for every field of the recipe; help says the default of each and where it comes from."""
    from zeuxis.fields import fields_of

    declared = fields_of(recipe)
    title = f"fields of {recipe}" + (f" (presets: {', '.join(declared.presets)})" if declared.presets else "")
    group = p.add_argument_group(title)
    for field in declared.fields:
        source = f"; {field.source}" if field.source else ""
        group.add_argument(
            "--" + field.name.replace("_", "-"),
            dest=field.name,
            default=argparse.SUPPRESS,
            help=_escaped(f"default: {field.default}{source}"),
            **kind(field.hint),
        )


def read_settings(recipe: str, pairs: Sequence[str] | None, flag: str) -> dict[str, Any]:
    """Fields of a recipe from FIELD=VALUE, each read as the flag of `train RECIPE` would be.

    Raises BadInput for what is no field of it, a value that it cannot have, and a field that is given twice.
    """
    from zeuxis.fields import fields_of

    if not pairs:
        return {}
    if recipe == catalog.AUTO:  # whether it may have any, the word says
        return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}
    listed = f"`{command('train', recipe, '--help')}` lists its fields"
    p = Parser(prog=flag, allow_abbrev=False, add_help=False, listed=listed)
    add_fields(p, recipe)
    hints = {field.name: field.hint for field in fields_of(recipe).fields}
    arguments: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        name = name.replace("-", "_")
        if not equals:
            raise BadInput(f"`{pair}` is no setting", flag, "write FIELD=VALUE, such as width=32")
        if name not in hints:
            hint = f"{nearest(name, list(hints))}; " if closest(name, list(hints)) else ""
            raise BadInput(f"{recipe} has no field `{flag_values.short(name)}`", flag, hint + listed)
        if name in arguments:
            raise BadInput(f"`{name}` is given twice", flag, "give it once")
        typed = "--" + name.replace("_", "-")
        if hints[name] in (bool, bool | None):
            if value.lower() not in ("true", "false"):
                raise BadInput(
                    f"`{name}` must be true or false, not `{flag_values.short(value)}`", flag, f"write {name}=true"
                )
            arguments[name] = typed if value.lower() == "true" else f"--no-{typed[2:]}"
        else:
            arguments[name] = f"{typed}={value}"
    return vars(p.parse_args(list(arguments.values())))


def with_fields(parsed: dict[str, Any], parameters: Sequence[Parameter]) -> dict[str, Any]:
    """What was parsed, with FIELD=VALUE read as the recipe has it. Raises BadInput."""
    field_marks: Mapping[str, FieldsOf] = {
        one.name: mark for one in parameters for mark in marks(one.hint) if isinstance(mark, FieldsOf)
    }
    read = {
        name: read_settings(parsed[of.recipe] if of.argument else of.recipe, parsed[name], f"--{name}")
        for name, of in field_marks.items()
    }
    return parsed | read
