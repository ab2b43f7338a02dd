"""A word: one typed function in one file of `zeuxis.words`.

Its flags, help, completion, table in the documentation and checks in Python are made from that function; which words
there are is read from the folder, and nothing is imported to list them.
"""

import functools
import importlib
import inspect
import operator
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, NamedTuple, ParamSpec, TypeVar, Union, get_args, get_origin

import zeuxis
from zeuxis.arguments import taken
from zeuxis.catalog import first_line
from zeuxis.data.checks import is_run
from zeuxis.errors import WrongType, command, system_in_words
from zeuxis.parameters import Arg
from zeuxis.spelling import GROUPS as GROUPS
from zeuxis.spelling import flag, for_python, pythonic

P = ParamSpec("P")
R = TypeVar("R")
FOLDER = Path(__file__).with_name("words")
REQUIRED = inspect.Parameter.empty
NOTHING_KEPT = "nothing was kept: give the same command again"
ONLY_UNSAID = "what was asked is done, and its answer alone was not printed to the end"
FINISHED_KEPT = "what was finished is kept: give the same command again, and it does the rest"


class Answer(NamedTuple):
    """What a word prints: text for people, or the same as one JSON object, or the bytes of a picture."""

    text: str
    found: dict[str, Any]
    data: bytes = b""


@dataclass(frozen=True)
class Word:
    """A word as it was declared: its function without the checks of a Python call, what is printed, an example.

    begins: the argument that names the folder with which `zeuxis resume` goes on, once it is begun; kept: what is left
    where there is no such folder and a signal stopped the word, and how to go on.
    """

    function: Callable[..., Any]
    answer: Callable[[Any, Mapping[str, Any]], Answer]
    example: str
    begins: str = ""
    kept: str | Callable[[Mapping[str, Any]], str] = NOTHING_KEPT

    def after_stop(self, given: Mapping[str, Any]) -> tuple[str, str]:
        """Where something was begun, with these arguments, when a signal stopped the word; and how to go on."""
        if given.get("dry_run"):
            return "", NOTHING_KEPT
        folder = given.get(self.begins)
        begun = folder is not None and any((Path(folder) / name).exists() for name in ("run.json", "study.json"))
        if begun:
            return str(folder), f"continue with `{command('resume', folder)}`"
        if folder is not None and is_run(Path(folder)):
            return str(folder), "the same command goes on with it"
        return "", self.kept if isinstance(self.kept, str) else self.kept(given)


@dataclass(frozen=True)
class Parameter:
    """One argument of a word. hint: its annotation; default: REQUIRED where there is none."""

    name: str
    hint: Any
    default: Any
    positional: bool

    @property
    def arg(self) -> Arg:
        """What people are told of it: what an outer mark says counts before that of an inner one."""
        merged = Arg("")
        for mark in marks(self.hint):
            if isinstance(mark, Arg):
                merged = replace(merged, **{k: v for k, v in vars(mark).items() if v})
        return merged

    @property
    def flag(self) -> str:
        """--labels-per-class, or what stands for it in the usage where it has a place."""
        if self.positional:
            return self.arg.metavar or self.name.upper()
        return self.arg.flag or flag(self.name, False if self.default is True else None)


def marks(hint: Any) -> list[Any]:
    """What an annotation bears, the innermost first."""
    if get_origin(hint) is Annotated:
        return [*marks(get_args(hint)[0]), *get_args(hint)[1:]]
    return [mark for inner in get_args(hint) for mark in marks(inner)] if get_origin(hint) is not None else []


def names() -> list[str]:
    """The names of all words, sorted, as they are in Python."""
    return list(zeuxis.__all__)


def typed(name: str) -> str:
    """A word as it is typed: `data show` for `data_show`."""
    head, _, rest = name.partition("_")
    return f"{head} {rest}" if head in GROUPS and rest else name


def about(name: str) -> str:
    """The first line of a word's file."""
    return first_line(FOLDER / f"{name}.py")


def heads() -> dict[str, str]:
    """What may come first on the command line, with a line about each: words, and groups of words."""
    alone = {name: about(name) for name in names() if typed(name) == name}
    return alone | {group: f"Sets of pictures: {', '.join(inside(group))}." for group in GROUPS}


def inside(group: str) -> dict[str, str]:
    """The words of a group: what is typed behind it, with their names."""
    return {typed(name).removeprefix(f"{group} "): name for name in names() if typed(name).startswith(f"{group} ")}


def load(name: str) -> Callable[..., Any]:
    """The function of a word, its file imported now."""
    function: Callable[..., Any] = getattr(importlib.import_module(f"zeuxis.words.{name}"), name)
    return function


def of(name: str) -> Word:
    """The declaration of a word."""
    declaration: Word = load(name).word  # type: ignore[attr-defined]  # put there by `word`
    return declaration


def parameters(name: str) -> list[Parameter]:
    """The arguments of a word in order; the fields of a recipe, which some take besides, are not among them."""
    signature = inspect.signature(of(name).function)
    return [
        Parameter(p.name, p.annotation, p.default, p.kind is not inspect.Parameter.KEYWORD_ONLY)
        for p in signature.parameters.values()
        if p.kind is not inspect.Parameter.VAR_KEYWORD
    ]


def bare(hint: Any) -> Any:
    """An annotation without its marks: `int | None` of a marked int or None."""
    if get_origin(hint) is Annotated:
        return bare(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        return functools.reduce(operator.or_, map(bare, get_args(hint)))
    return hint


def readable(call: Callable[..., Any]) -> Callable[..., Any]:
    """A word with the signature and the docstring that `help` shows: plain types, and a line on each argument.

    Made when somebody asks for the word in Python: the command line needs neither.
    """
    if not hasattr(call, "__signature__"):
        call.__signature__, call.__doc__ = _for_help(call.word.function)  # type: ignore[attr-defined]
    return call


def _for_help(function: Callable[..., Any]) -> tuple[inspect.Signature, str]:
    signature, lines = inspect.signature(function), []
    kept = [p.replace(annotation=bare(p.annotation)) for p in signature.parameters.values()]
    for p in signature.parameters.values():
        about = Parameter(p.name, p.annotation, p.default, False).arg
        usual = f" (default: {about.default})" if about.default else ""
        entry = f"{p.name}: {'False: ' if p.default is True else ''}{pythonic(about.help + usual)}"
        lines += textwrap.wrap(entry, 100, initial_indent="    ", subsequent_indent="        ") if about.help else []
    text = inspect.cleandoc(function.__doc__ or "")
    return signature.replace(parameters=kept), "\n".join([text, "", "Arguments:", *lines])


def word(
    answer: Callable[[Any, Mapping[str, Any]], Answer],
    example: str,
    begins: str = "",
    kept: str | Callable[[Mapping[str, Any]], str] = NOTHING_KEPT,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declares a word: called from Python its arguments are checked by their annotations, and errors name parameters.

    The command line, which has read its flags by their own types, calls what lies beneath. answer: from what the
    function returned and the arguments it was given; example: a command line that works; begins, kept: see `Word`.
    """

    def declare(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            signature = inspect.signature(function)
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError as error:
                raise WrongType(f"{function.__name__}(): {error}") from None
            for name, value in bound.arguments.items():
                parameter = signature.parameters[name]
                if parameter.kind is not inspect.Parameter.VAR_KEYWORD:
                    bound.arguments[name] = taken(name, value, parameter.annotation)
            with for_python(), system_in_words():
                return function(*bound.args, **bound.kwargs)

        call.word = Word(function, answer, example, begins, kept)  # type: ignore[attr-defined]
        return call

    return declare
