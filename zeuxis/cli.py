"""The command line: parse words, call api, print. Loads nothing heavy before a word needs it."""

import argparse
import json
import os
import sys
import types
import typing
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from zeuxis.errors import BadInput, ZeuxisError, nearest

WORDS: dict[str, str] = {
    "train": "train a recipe on a folder of pictures",
    "sample": "draw pictures from a trained run",
    "augment": "find out whether generated pictures help a classifier, or augment a folder by rules",
    "report": "draw the page of a run or a study again",
    "resume": "finish a stopped run or study",
    "data": "list, show or export sets of pictures",
    "completion": "print shell completion for bash, zsh or fish",
}
DATA_WORDS = ("list", "show", "export")
Parsed = dict[str, Any]


class Parser(argparse.ArgumentParser):
    """argparse with errors as one line that names the nearest known flag."""

    def error(self, message: str) -> NoReturn:
        unknown = message.partition("unrecognized arguments: ")[2].split()
        if unknown:
            flag = unknown[0].partition("=")[0]
            known = [o for a in self._actions for o in a.option_strings]
            raise BadInput(f"unknown argument `{flag}`", self.prog, nearest(flag, known) if flag.startswith("-") else
                           f"`{self.prog} --help` lists all")
        raise BadInput(message, self.prog, f"`{self.prog} --help` lists all")


def size(text: str) -> int | tuple[int, int]:
    """64 or 48x64 (height x width)."""
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(s.isdigit() and int(s) > 0 for s in sides):
        raise argparse.ArgumentTypeError(f"`{text}` is no size, write 64 or 48x64 (height x width)")
    return int(sides[0]) if len(sides) == 1 else (int(sides[0]), int(sides[1]))


def positive(text: str) -> int:
    if not text.lstrip("-").isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"`{text}` must be a whole number of 1 or more")
    return int(text)


def _reading(p: Parser) -> None:
    """The flags of every word that reads a collection."""
    p.add_argument("--size", type=size, help="pixels, or HEIGHTxWIDTH; default: as they are")
    p.add_argument("--channels", type=int, choices=(1, 2, 3, 4), help="1 grey, 3 colour; default: as they are")
    p.add_argument("--fit", choices=("crop", "fit", "pad"), default="crop", help="how other shapes become this size")
    p.add_argument("--strict", action="store_true", help="stop at unreadable files instead of skipping them")


def _computing(p: Parser) -> None:
    p.add_argument("--threads", type=positive, help="default: measured, or all cores")
    p.add_argument("--device", help="cpu or cuda; default: the best there is")


def _keeping(p: Parser) -> None:
    p.add_argument("--checkpoint-every", default="30s", help="time between checkpoints")
    p.add_argument("--on-nan", choices=("rewind", "stop"), default="rewind", help="what to do when numbers overflow")


def _train_parser(p: Parser, recipe: str | None) -> None:
    p.add_argument("recipe", help="name of a recipe")
    p.add_argument("data", help="folder, zip, table, or a set by name")
    p.add_argument("--run", required=True, help="folder of the run")
    p.add_argument("--steps", type=positive)
    p.add_argument("--images", type=positive)
    p.add_argument("--budget", help="a time: 90s, 8m, 1h30m")
    p.add_argument("--preset", help="a named set of values")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--no-conditional", dest="conditional", action="store_false", help="leave the labels aside")
    p.add_argument("--levers", choices=("auto", "plain"), default="auto", help="plain: one thread, no measuring")
    p.add_argument("--micro", type=positive, default=1, help="split a batch for machines with little memory")
    _reading(p)
    _computing(p)
    _keeping(p)
    if recipe is not None:
        _fields(p, recipe)


def _fields(p: Parser, recipe: str) -> None:
    """A flag for every field of the recipe."""
    import dataclasses

    from zeuxis import catalog

    cls = catalog.load(recipe)
    hints = typing.get_type_hints(cls)
    group = p.add_argument_group(f"fields of {recipe}" + (f" (presets: {', '.join(cls.presets)})" if cls.presets else ""))
    for field in dataclasses.fields(cls):
        flag = "--" + field.name.replace("_", "-")
        group.add_argument(flag, dest=field.name, default=argparse.SUPPRESS, help=f"default: {field.default}",
                           **_kind(hints[field.name]))


def _kind(hint: Any) -> dict[str, Any]:
    """argparse's words for a field's type."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return {"choices": inner}
    if origin in (typing.Union, types.UnionType):
        return _kind(next(a for a in inner if a is not type(None)))
    if origin is tuple:
        return {"type": lambda text: tuple(inner[0](x) for x in text.split(","))}
    if hint is bool:
        return {"action": argparse.BooleanOptionalAction}
    return {"type": hint}


def _sample_parser(p: Parser, _: str | None) -> None:
    p.add_argument("run", help="folder of a run")
    p.add_argument("-n", type=positive, default=64, help="how many pictures")
    p.add_argument("--class", dest="class_", help="keep to this class")
    p.add_argument("--seeds", help="such as 1,5-8; the same seed gives the same picture")
    p.add_argument("--out", required=True, help="folder to write to")


def _augment_parser(p: Parser, _: str | None) -> None:
    p.add_argument("data", help="folder per class, zip, table of file,label[,group], or a set by name")
    p.add_argument("--study", help="folder of the study")
    p.add_argument("--out", help="folder for the augmented set")
    p.add_argument("--labels-per-class", type=positive, help="real training pictures per class; default: 80 %% of them")
    p.add_argument("--repeats", type=positive, default=10, help="six is the least that can decide")
    p.add_argument("--budget", default="60m", help="time for the whole study")
    p.add_argument("--recipe", default="cgan", help="cgan or r3gan")
    p.add_argument("--margin", type=float, default=0.5, help="points of accuracy that matter")
    p.add_argument("--treatment", default="gan", help="gan; again, more-real, shuffled-real check the study itself")
    p.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    p.add_argument("--seed", type=int, default=0)
    classic = p.add_argument_group("augmenting by rules, without a study")
    classic.add_argument("--classic-only", action="store_true")
    classic.add_argument("--copies", type=positive, default=5, help="augmented copies of each picture")
    classic.add_argument("--policy", choices=("none", "light", "strong"), default="light")
    classic.add_argument("--balance", action="store_true", help="end with equally many of each class")
    _reading(p)
    _computing(p)


def _folder_parser(p: Parser, _: str | None) -> None:
    p.add_argument("folder", help="folder of a run or a study")


def _resume_parser(p: Parser, _: str | None) -> None:
    _folder_parser(p, None)
    _keeping(p)


def _data_parser(p: Parser, word: str | None) -> None:
    p.add_argument("what", choices=DATA_WORDS)
    if word != "list":
        p.add_argument("data")
        _reading(p)
    if word == "export":
        p.add_argument("--out", required=True)


def _completion_parser(p: Parser, _: str | None) -> None:
    p.add_argument("shell", choices=("bash", "zsh", "fish"))


def _train(a: Parsed) -> None:
    from zeuxis import api

    run = api.train(**a)
    _result(run.path / "report.html", {"run": str(run.path), "report": str(run.path / "report.html"), **run.finish})


def _sample(a: Parsed) -> None:
    from zeuxis import api

    paths = api.sample(**a)
    _result(paths[-1], {"files": [str(p) for p in paths]})


def _augment(a: Parsed) -> None:
    from zeuxis import api

    folder = api.augment(**a)
    if folder is None:
        return
    if not (folder / "verdict.json").exists():
        return _result(folder, {"out": str(folder)})
    _study_result(folder)


def _study_result(folder: Any) -> None:
    verdict = json.loads((folder / "verdict.json").read_text())
    if not _as_json():
        print(verdict["sentence"])
    _result(folder / "report.html", verdict | {"study": str(folder), "report": str(folder / "report.html")})


def _report(a: Parsed) -> None:
    from zeuxis import api

    path = api.report(**a)
    _result(path, {"report": str(path)})


def _resume(a: Parsed) -> None:
    from zeuxis import api

    folder = api.resume(**a)
    if (folder / "verdict.json").exists():
        return _study_result(folder)
    _result(folder / "report.html", {"run": str(folder), "report": str(folder / "report.html")})


def _data(a: Parsed) -> None:
    from zeuxis import api

    what = a.pop("what")
    if what == "list":
        found: Any = api.data_list()
        lines = [f"{name:<14} {about}" for name, about in found.items()]
    elif what == "show":
        found = api.data_show(**a)
        lines = [f"{k:<10} {_short(v)}" for k, v in found.items()]
    else:
        found = {"out": str(api.data_export(**a))}
        lines = [found["out"]]
    print(json.dumps(found, indent=1) if _as_json() else "\n".join(lines))


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items()) or "none"
    return str(len(value)) if isinstance(value, list) else str(value)


def _completion(a: Parsed) -> None:
    from zeuxis import catalog
    from zeuxis.completion import script

    parsers = {word: parser_for(word, None) for word in WORDS}
    flags = {w: sorted(o for x in p._actions for o in x.option_strings if o.startswith("--")) for w, p in parsers.items()}
    print(script(a["shell"], dict(WORDS), flags, catalog.names()))


_PARSERS: dict[str, Callable[[Parser, str | None], None]] = {
    "train": _train_parser, "sample": _sample_parser, "augment": _augment_parser, "report": _folder_parser,
    "resume": _resume_parser, "data": _data_parser, "completion": _completion_parser,
}
_ACTIONS: dict[str, Callable[[Parsed], None]] = {
    "train": _train, "sample": _sample, "augment": _augment, "report": _report, "resume": _resume, "data": _data,
    "completion": _completion,
}


def parser_for(word: str, second: str | None) -> Parser:
    """The parser of a word; `second` is the recipe of `train`, or the word of `data`."""
    p = Parser(prog=f"zeuxis {word}", description=WORDS[word], allow_abbrev=False)
    _PARSERS[word](p, second)
    p.add_argument("--json", action="store_true", help="print one JSON object")
    return p


def _as_json() -> bool:
    return "--json" in sys.argv


def _result(path: Any, found: dict[str, Any]) -> None:
    print(json.dumps(found, indent=1, sort_keys=True) if _as_json() else path)


def help_text() -> str:
    """The page of `zeuxis --help`: words, recipes, where to read on."""
    from zeuxis import catalog

    lines = ["usage: zeuxis WORD ...", "", "Learn from folders of pictures, adversarially.", ""]
    lines += [f"  {word:<12} {about}" for word, about in WORDS.items()]
    lines += ["", "recipes:"] + [f"  {name:<12} {about}" for name, about in catalog.describe().items()]
    lines += ["", "`zeuxis WORD --help` tells more; `zeuxis train RECIPE --help` lists a recipe's fields.",
              "A first try: zeuxis train cgan fashion-mini --budget 2m --run runs/first"]
    return "\n".join(lines)


def _second(word: str, rest: Sequence[str]) -> str | None:
    """The recipe of `train` or the word of `data`, as typed; an unknown one is an error here."""
    given = rest[0] if rest and not rest[0].startswith("-") else None
    if word == "train" and given is not None:
        from zeuxis import catalog

        if catalog.canonical(given) not in catalog.names():
            raise BadInput(f"unknown recipe `{given}`", "", nearest(catalog.canonical(given), catalog.names()))
        return catalog.canonical(given)
    return given if word == "data" and given in DATA_WORDS else None


def run(arguments: Sequence[str]) -> None:
    """Parses one command line and does it. Raises ZeuxisError."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        return print(help_text())
    if arguments[0] == "--version":
        from zeuxis import __version__

        return print(f"zeuxis {__version__}")
    word, rest = arguments[0], list(arguments[1:])
    if word not in WORDS:
        raise BadInput(f"unknown word `{word}`", "", nearest(word, list(WORDS)))
    parsed = vars(parser_for(word, _second(word, rest)).parse_args(rest))
    parsed.pop("json")
    _ACTIONS[word](parsed)


def main() -> int:
    """Entry point: errors become one line on stderr and an exit code."""
    try:
        run(sys.argv[1:])
        sys.stdout.flush()
        return 0
    except ZeuxisError as error:
        if os.environ.get("ZEUXIS_DEBUG") == "1":
            raise
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("error: stopped before anything was worth keeping", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
