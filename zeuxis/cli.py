"""The command line: parse, call a word, print its answer. Loads nothing heavy before a word needs it."""

import json
import math
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from zeuxis import catalog, platform, word
from zeuxis.errors import (
    SHOWS_WHERE,
    BadInput,
    MachineGaveOut,
    SomeFailed,
    Stopped,
    ZeuxisError,
    debugging,
    fault_words,
    nearest,
    one_line,
    system_in_words,
    system_words,
)
from zeuxis.flags import Parser, parser_of, with_fields


def help_text() -> str:
    """The page of `zeuxis --help`: words, recipes, where to read on."""
    lines = ["usage: zeuxis WORD ...", "", "Learn from folders of pictures, adversarially.", ""]
    lines += [f"  {name:<12} {about}" for name, about in word.heads().items()]
    lines += ["", "recipes (`auto` chooses one for these pictures):"]
    lines += [f"  {name:<12} {about}" for name, about in catalog.describe().items()]
    lines += [
        "",
        "`zeuxis WORD --help` tells more; `zeuxis train RECIPE --help` lists a recipe's fields.",
        f"A first try: {word.of('train').example}",
    ]
    return "\n".join(lines)


def group_help(group: str) -> str:
    """The page of a group of words, such as `zeuxis data --help`."""
    lines = [f"usage: zeuxis {group} WORD ...", ""]
    lines += [f"  {second:<12} {word.about(name)}" for second, name in word.inside(group).items()]
    return "\n".join([*lines, "", f"`zeuxis {group} WORD --help` tells more."])


def _recipe(name: str) -> str:
    """The canonical name of a known recipe. Raises BadInput."""
    if catalog.canonical(name) not in catalog.names():
        known = [catalog.AUTO, *catalog.names()]
        raise BadInput(f"unknown recipe `{name}`", "", nearest(catalog.canonical(name), known))
    return catalog.canonical(name)


def _recipe_of(rest: Sequence[str]) -> str | None:
    """The recipe of `train`, as typed; an unknown one is an error here."""
    given = rest[0] if rest and not rest[0].startswith("-") else None
    if given is None:
        return _behind_flags(rest)
    return None if given == catalog.AUTO else _recipe(given)


def _behind_flags(rest: Sequence[str]) -> str | None:
    """The first known recipe among words that begin with flags; what a flag takes as its value is none."""
    taking = {flag for action in parser_of("train")._actions if action.nargs is None for flag in action.option_strings}
    after = (text for before, text in zip(["", *rest], rest, strict=False) if before not in taking)
    return next((catalog.canonical(text) for text in after if catalog.canonical(text) in catalog.names()), None)


def _asked(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """The name of the word that was typed, and the rest. Raises BadInput."""
    first, rest = arguments[0], list(arguments[1:])
    known = {word.typed(name): name for name in word.names()}
    if first in word.GROUPS:
        inside = list(word.inside(first))
        if not rest or rest[0] not in inside:
            what = f"unknown word `{first} {rest[0]}`" if rest else f"missing: a word after `{first}`"
            raise BadInput(what, f"zeuxis {first}", nearest(rest[0] if rest else "", inside))
        first, rest = f"{first} {rest[0]}", rest[1:]
    if first not in known:
        raise BadInput(f"unknown word `{first}`", "", nearest(first, list(word.heads())))
    return known[first], rest


def _readable(arguments: Sequence[str]) -> None:
    """A name that is no text could not be written into a run folder. Raises BadInput."""
    for text in arguments:
        if any(0xD800 <= ord(c) < 0xE000 for c in text) or "\0" in text:
            raise BadInput("this name is not valid UTF-8", ascii(text), "rename the file or folder")


def _print(text: str | bytes) -> None:
    """To stdout; a reader that has gone, as `head` does, is no error. Raises MachineGaveOut on a full disk."""
    try:
        if isinstance(text, bytes):
            sys.stdout.buffer.write(text)
            sys.stdout.buffer.flush()
        else:
            print(text, flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise MachineGaveOut(f"the answer cannot be written: {system_words(error)}", "stdout") from error


def less_memory(parser: Parser) -> str:
    """What makes a word need less memory, by the flags that it has."""
    flags = {flag for action in parser._actions for flag in action.option_strings}
    ways = [f"a smaller {flag}" for flag in ("--size", "--batch", "--memory") if flag in flags]
    return f"use {' or '.join(ways)}, or close other programs" if ways else ""


def run(arguments: Sequence[str]) -> None:
    """Parses one command line, does it and prints the answer. Raises ZeuxisError."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        return _print(help_text())
    if arguments[0] == "--version":
        from zeuxis import __version__

        return _print(f"zeuxis {__version__}")
    _readable(arguments)
    if arguments[0] in word.GROUPS and arguments[1:2] in (["-h"], ["--help"]):
        return _print(group_help(arguments[0]))
    name, rest = _asked(arguments)
    recipe = _recipe_of(rest) if name == "train" else None
    chosen = name == "train" and rest[:1] == [catalog.AUTO]
    parser = parser_of(name, recipe, f"{catalog.NO_FIELDS}: name the recipe" if chosen else "")
    parsed = with_fields(vars(parser.parse_args(rest)), word.parameters(name))
    as_json, declared = parsed.pop("json"), word.of(name)
    if as_json and (parsed.get("out") == "-" or (parsed.get("input") == "-" and parsed.get("out") is None)):
        raise BadInput("stdout holds the picture, and has no place for an object", "--json", "name an OUT")
    try:
        with system_in_words(mend=less_memory(parser)):
            answer = declared.answer(declared.function(**parsed), parsed)
    except KeyboardInterrupt:
        raise Stopped(signal.SIGINT, *declared.after_stop(parsed)) from None
    except Stopped as error:
        if not error.mend:
            error.say(error.what, *declared.after_stop(parsed))
        raise
    if said := _json(answer.found) if as_json and answer.found else answer.data or answer.text:
        try:
            _print(said)
        except KeyboardInterrupt:
            raise Stopped(signal.SIGINT, "", word.ONLY_UNSAID) from None
        except Stopped as error:
            raise Stopped(error.exit_code - 128, "", word.ONLY_UNSAID) from None
    return None


def _json(record: Mapping[str, Any]) -> str:
    """One JSON object; a number that is none is null, as JSON knows none."""
    return json.dumps(_plain(dict(record)), indent=1, sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _ended(error: ZeuxisError, code: int, as_json: bool) -> int:
    """Tells why a word ended early: one line on stderr; with `--json` an object on stdout, what was done included."""
    record = error.found if isinstance(error, SomeFailed) else {}
    if as_json:
        problem = {"what": error.what, "where": error.where, "mend": error.mend}
        _print(_json({**record, "error": problem}))
    elif paths := [v for k, v in record.items() if k == "out"] or record.get("files"):
        _print("\n".join(map(one_line, paths)))
    if sys.stderr is not None:
        head = "" if isinstance(error, Stopped) else "error: "
        print(f"{head}{' '.join(str(error).split())}", file=sys.stderr)
    return code


def _terminated(number: int, frame: object) -> NoReturn:
    """SIGTERM while nothing is trained; a training has a handler of its own, which saves first."""
    raise Stopped(number)


def main() -> int:
    """Entry point: errors become one line on stderr, with `--json` also an object on stdout, and an exit code."""
    debug, as_json = debugging(), "--json" in sys.argv[1:]
    signal.signal(signal.SIGTERM, _terminated)
    platform.keep_freed_memory()
    try:
        with system_in_words():
            run(sys.argv[1:])
        return 0
    except KeyboardInterrupt:
        return _ended(Stopped(signal.SIGINT, "", word.NOTHING_KEPT), 130, as_json)
    except Stopped as error:
        error.say(error.what, error.where, error.mend or word.NOTHING_KEPT)
        return _ended(error, error.exit_code, as_json)
    except ZeuxisError as error:
        if debug:
            raise
        return _ended(error, error.exit_code, as_json)
    except Exception as error:
        if debug:
            raise
        return _ended(ZeuxisError(fault_words(error), "", SHOWS_WHERE), 1, as_json)


if __name__ == "__main__":
    sys.exit(main())
