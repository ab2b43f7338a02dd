"""The command line: parse words, call api, print. Loads nothing heavy before a word needs it."""

import inspect
import json
import math
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from zeuxis.errors import BadInput, SomeFailed, Stopped, ZeuxisError, command, memory_in_words, nearest
from zeuxis.flags import Parser, read_settings
from zeuxis.words import DATA_WORDS, OPEN, PARSERS, SHELLS, WEIGHT_WORDS

if TYPE_CHECKING:
    from zeuxis.completion import Takes

WORDS: dict[str, str] = {
    "train": "train a recipe on a folder of pictures",
    "sample": "draw pictures from a trained run",
    "restore": "denoise, deblur, repair JPEG, fill holes: a picture or a folder of them",
    "upscale": "enlarge pictures two, three or four times",
    "augment": "find out whether generated pictures help a classifier, or augment a folder by rules",
    "report": "draw the page of a run or a study again",
    "resume": "finish a stopped run or study",
    "data": "list, show, export or damage sets of pictures; weights of others",
    "completion": "print shell completion for bash, zsh or fish",
}
Parsed = dict[str, Any]


class Answer(NamedTuple):
    """What a word prints: text for people, or the same as one JSON object."""

    text: str
    found: dict[str, Any]


def _word(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of `api` without what is for Python alone: flags were read by types of their own."""
    beneath: Callable[..., Any] = inspect.unwrap(function)
    return beneath


def _train(a: Parsed) -> Answer:
    from zeuxis import api

    run = _word(api.train)(**a)
    return _page(run.path, {"run": str(run.path), **run.finish})


def _page(folder: Any, found: dict[str, Any]) -> Answer:
    report = str(folder / "report.html")
    return Answer(report, {**found, "report": report})


def _sample(a: Parsed) -> Answer:
    from zeuxis import api

    paths = [str(p) for p in _word(api.sample)(**a)]
    return Answer(paths[-1], {"files": paths[:-1], "grid": paths[-1]})


def _files(paths: list[Any] | bytes, found: dict[str, Any]) -> Answer:
    if isinstance(paths, bytes):
        sys.stdout.buffer.write(paths)
        sys.stdout.buffer.flush()
        return Answer("", {})
    names = [str(path) for path in paths]
    return Answer("\n".join(names), {"files": names, **found})


def _restore(a: Parsed) -> Answer:
    from zeuxis import api

    return _files(*_word(api.restore)(**a))


def _upscale(a: Parsed) -> Answer:
    from zeuxis import api

    return _files(*_word(api.upscale)(**a))


def _augment(a: Parsed) -> Answer:
    from zeuxis import api

    a["generator"] = read_settings(_recipe(a["recipe"]), a["generator"], "--generator")
    a["classifier"] = read_settings("classifier", a["classifier"], "--classifier")
    folder = _word(api.augment)(**a)
    if folder is None:
        return Answer("", {"dry_run": True})
    return Answer(str(folder), {"out": str(folder)}) if a["classic_only"] else _verdict(folder)


def _verdict(folder: Any) -> Answer:
    verdict = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    page = _page(folder, verdict | {"study": str(folder)})
    return Answer(f"{verdict['sentence']}\n{page.text}", page.found)


def _report(a: Parsed) -> Answer:
    from zeuxis import api

    path = str(_word(api.report)(**a))
    return Answer(path, {"report": path})


def _resume(a: Parsed) -> Answer:
    from zeuxis import api

    folder = _word(api.resume)(**a)
    if (folder / "verdict.json").exists():
        return _verdict(folder)
    finish = json.loads((folder / "finish.json").read_text(encoding="utf-8"))
    return _page(folder, {"run": str(folder), **finish})


def _data(a: Parsed) -> Answer:
    from zeuxis import api

    what = a.pop("what")
    if what == "list":
        sets = _word(api.data_list)()
        return Answer("\n".join(f"{name:<14} {about}" for name, about in sets.items()), dict(sets))
    if what == "show":
        found = _word(api.data_show)(**a)
        return Answer("\n".join(f"{k:<15} {_short(v)}" for k, v in found.items()), found)
    if what == "weights":
        found = _word(api.data_weights)(**a)
        if a["action"] == "add":
            return Answer("\n".join(found["added"]), found)
        return Answer(
            "\n".join(
                f"{'here' if w['added'] else '-':<5} {n:<20} {w['what']}; {w['carrier']}" for n, w in found.items()
            ),
            found,
        )
    if what == "degrade":
        return _files(_word(api.data_degrade)(**a), {})
    out = str(_word(api.data_export)(**a))
    return Answer(out, {"out": out})


def _short(value: Any) -> str:
    if value is None:
        return "see sizes"
    if isinstance(value, dict):
        return ", ".join(f"{k} {_short(v)}" for k, v in value.items()) or "none"
    if isinstance(value, list):
        first = "; ".join(" ".join(v) if isinstance(v, list) else _short(v) for v in value[:3])
        return f"{len(value)}: {first}{'; ...' if len(value) > 3 else ''}" if value else "0"
    return str(value)


def _takes(recipes: Sequence[str]) -> "dict[str, Takes]":
    """For completion: what may follow each word, each word of data and each recipe of train."""
    from zeuxis.data.there import NAMES

    keys = [*WORDS, *(f"data {name}" for name in DATA_WORDS), *(f"train {name}" for name in recipes)]
    after = {"train": list(recipes), "data": list(DATA_WORDS), "augment": list(NAMES), "completion": list(SHELLS)}
    after |= {key: list(NAMES) for key in keys if key.startswith(("train ", "data show", "data export"))}
    after["data weights"] = list(WEIGHT_WORDS)
    return {key: _takes_of(key, after.get(key, ())) for key in keys}


def _takes_of(key: str, after: Sequence[str]) -> "Takes":
    from zeuxis.completion import Takes
    from zeuxis.fields import fields_of

    word, _, second = key.partition(" ")
    flags: dict[str, list[str]] = {}
    for action in parser_for(word, second or None)._actions:
        given = action.choices or OPEN.get(f"{word} {action.dest}", OPEN.get(action.dest, ()))
        flags |= {flag: [str(v) for v in given] for flag in action.option_strings if flag.startswith("--")}
    if word == "train" and second:
        flags["--preset"] = list(fields_of(second).presets)
    return Takes(flags, after)


def _completion(a: Parsed) -> Answer:
    from zeuxis import catalog
    from zeuxis.completion import script

    text = script(a["shell"], dict(WORDS), _takes(catalog.names()))
    return Answer(text, {"shell": a["shell"], "script": text})


_ACTIONS: dict[str, Callable[[Parsed], Answer]] = {
    "train": _train,
    "sample": _sample,
    "restore": _restore,
    "upscale": _upscale,
    "augment": _augment,
    "report": _report,
    "resume": _resume,
    "data": _data,
    "completion": _completion,
}


def parser_for(word: str, second: str | None) -> Parser:
    """The parser of a word; `second` is the recipe of `train`, or the word of `data`."""
    about = DATA_WORDS[second] if word == "data" and second else WORDS[word]
    listed = f"`{command('train', second, '--help')}` lists all" if word == "train" and second else ""
    prog = f"zeuxis {word} {second}" if word == "data" and second else f"zeuxis {word}"
    p = Parser(listed, prog=prog, description=about)
    PARSERS[word](p, second)
    p.add_argument("--json", action="store_true", help="print one JSON object")
    return p


def help_text() -> str:
    """The page of `zeuxis --help`: words, recipes, where to read on."""
    from zeuxis import catalog

    lines = ["usage: zeuxis WORD ...", "", "Learn from folders of pictures, adversarially.", ""]
    lines += [f"  {word:<12} {about}" for word, about in WORDS.items()]
    lines += ["", "recipes:"] + [f"  {name:<12} {about}" for name, about in catalog.describe().items()]
    lines += [
        "",
        "`zeuxis WORD --help` tells more; `zeuxis train RECIPE --help` lists a recipe's fields.",
        "A first try: zeuxis train cgan fashion-mini --budget 2m --run runs/first",
    ]
    return "\n".join(lines)


def _recipe(name: str) -> str:
    """The canonical name of a known recipe. Raises BadInput."""
    from zeuxis import catalog

    if catalog.canonical(name) not in catalog.names():
        raise BadInput(f"unknown recipe `{name}`", "", nearest(catalog.canonical(name), catalog.names()))
    return catalog.canonical(name)


def _second(word: str, rest: Sequence[str]) -> str | None:
    """The recipe of `train` or the word of `data`, as typed; an unknown one is an error here."""
    given = rest[0] if rest and not rest[0].startswith("-") else None
    if word == "train":
        return _behind_flags(rest) if given is None else _recipe(given)
    return given if word == "data" and given in DATA_WORDS else None


def _behind_flags(rest: Sequence[str]) -> str | None:
    """The first known recipe among words that begin with flags; what a flag of `train` takes as its value is none."""
    from zeuxis import catalog

    known = parser_for("train", None)._actions
    taking = {flag for action in known if action.nargs is None for flag in action.option_strings}
    words = (word for before, word in zip(["", *rest], rest, strict=False) if before not in taking)
    return next((catalog.canonical(word) for word in words if catalog.canonical(word) in catalog.names()), None)


def _readable(arguments: Sequence[str]) -> None:
    """A name that is no text could not be written into a run folder. Raises BadInput."""
    for text in arguments:
        if any(0xD800 <= ord(c) < 0xE000 for c in text) or "\0" in text:
            raise BadInput("this name is not valid UTF-8", ascii(text), "rename the file or folder")


def _print(text: str) -> None:
    """To stdout; a reader that has gone, as `head` does, is no error."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
    word, rest = arguments[0], list(arguments[1:])
    if word not in WORDS:
        raise BadInput(f"unknown word `{word}`", "", nearest(word, list(WORDS)))
    parser = parser_for(word, _second(word, rest))
    parsed = vars(parser.parse_args(rest))
    as_json = parsed.pop("json")
    with memory_in_words(mend=less_memory(parser)):
        answer = _ACTIONS[word](parsed)
    if (as_json and answer.found) or answer.text:
        _print(_json(answer.found) if as_json else answer.text)
    return None


def _json(found: Mapping[str, Any]) -> str:
    """One JSON object; a number that is none is null, as JSON knows none."""
    return json.dumps(_plain(dict(found)), indent=1, sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _ended(error: ZeuxisError, code: int, as_json: bool) -> int:
    """Tells why a word ended early: one line on stderr; with `--json` an object on stdout, what was done included."""
    found = error.found if isinstance(error, SomeFailed) else {}
    if as_json:
        told = {"what": error.what, "where": error.where, "mend": error.mend}
        _print(_json({**found, "error": told}))
    elif found.get("files"):
        _print("\n".join(found["files"]))
    if sys.stderr is not None:
        head = "" if isinstance(error, Stopped) else "error: "
        print(f"{head}{' '.join(str(error).split())}", file=sys.stderr)
    return code


def _terminated(number: int, frame: object) -> NoReturn:
    """SIGTERM while nothing is trained; a training has a handler of its own, which saves first."""
    raise Stopped(number, "", "the same command goes on with what was finished")


def main() -> int:
    """Entry point: errors become one line on stderr, with `--json` also an object on stdout, and an exit code."""
    debug, as_json = os.environ.get("ZEUXIS_DEBUG") == "1", "--json" in sys.argv[1:]
    signal.signal(signal.SIGTERM, _terminated)
    try:
        with memory_in_words():
            run(sys.argv[1:])
        return 0
    except KeyboardInterrupt:
        return _ended(Stopped(signal.SIGINT, "", "what was finished is kept"), 130, as_json)
    except ZeuxisError as error:
        if debug:
            raise
        return _ended(error, error.exit_code, as_json)
    except Exception as error:
        if debug:
            raise
        words, mend = " ".join(str(error).split()), "ZEUXIS_DEBUG=1 before the same command shows where"
        return _ended(ZeuxisError(f"a fault in zeuxis: {type(error).__name__}: {words}", "", mend), 1, as_json)


if __name__ == "__main__":
    sys.exit(main())
