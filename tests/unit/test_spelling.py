"""Messages are written with flags; in Python they name parameters."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import zeuxis
from zeuxis.errors import BadInput
from zeuxis.spelling import Advice, Way, flag, for_python, parameter, pythonic, spelled

SPELLED = {
    "give --size, for instance `--size 64`": "give size=, for instance `size=64`",
    "train again with `--lr 0.0001 --lr-end 1e-5`.": "train again with `lr=0.0001, lr_end=1e-5`.",
    "use `--size 24x16`": "use `size=(24, 16)`",
    "`--task old-photo` fills them": "`task='old-photo'` fills them",
    "--strength must be 0 to 1, not 2": "strength= must be 0 to 1, not 2",
    "one of --steps, --images, --budget": "one of steps=, images=, budget=",
    "-n must be 1 to 100": "n= must be 1 to 100",
    "leave --no-conditional away": "leave conditional=False away",
    "add `--task inpaint`": "add `task='inpaint'`",
    "add `--study DIR`": "add `study=DIR`",
    "use `--fidelity 0.5 --method=net`": "use `fidelity=0.5, method='net'`",
    "continue with `zeuxis resume my runs/a`": "continue with `zeuxis.resume('my', 'runs/a')`",
    "continue with `zeuxis resume 'my runs'`": "continue with `zeuxis.resume('my runs')`",
    "`zeuxis data weights list` names them": "`zeuxis.data_weights('list')` names them",
    "`zeuxis data weights add FILE`": "`zeuxis.data_weights('add', FILE)`",
    "name another OUT, or remove it": "name another out=, or remove it",
    "did you mean `dcgan`?": "did you mean `dcgan`?",
    "a well-known, half--dashed a/--b": "a well-known, half--dashed a/--b",
    "no class `--size`": "no class `size=`",
    "it's `odd": "it's `odd",
}


@pytest.mark.parametrize("text", SPELLED)
def test_flags_become_parameters(text):
    assert pythonic(text) == SPELLED[text]
    assert pythonic(SPELLED[text]) == SPELLED[text]


def test_names_that_python_keeps_for_itself():
    assert [parameter(flag) for flag in ("--class", "--labels-per-class", "-n")] == ["class_", "labels_per_class", "n"]


def test_errors_and_messages_within_a_call():
    assert spelled("give --size") == "give --size"
    with pytest.raises(BadInput) as error, for_python():
        assert spelled("give --size") == "give size="
        raise BadInput("--size is wrong", "a --size 3/OUT", "use `--size 8`")
    assert str(error.value) == "size= is wrong (a --size 3/OUT); use `size=8`"
    with pytest.raises(BadInput) as error, for_python():
        raise BadInput("it is too large", "--classifier lr")
    assert error.value.where == "classifier='lr'"
    assert spelled("give --size") == "give --size"


def test_advice_is_spelled_for_whoever_reads_it():
    ways = (Way({"gamma": 4.0, "norm": False}), Way(how="another", of="seed"), Way(how="more pictures"))
    advice = Advice(ways, "it is so")
    assert advice.words() == "train again with `--gamma 4 --no-norm`, or another --seed, or more pictures: it is so"
    with for_python():
        said = "train again with `gamma=4.0, norm=False`, or another seed=, or more pictures: it is so"
        assert advice.words() == said and spelled(said) == said
    assert Advice().words() == "" and flag("class_", "a b") == "--class 'a b'" and flag("norm", True) == "--norm"


AFTER = "must|cannot|could|away|and|or|needs|needed|says|sets|stops|give|instead|with|takes"
"""What may follow the bare name of a flag in a message; a value stands with its flag between backticks."""


def strings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every text of a module that is no docstring, with its line; what is put in stands as {}."""
    inside = {id(v) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for v in n.values}
    inside |= {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for n in ast.walk(tree):
        if id(n) not in inside and isinstance(n, ast.JoinedStr):
            yield n.lineno, "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in n.values)
        elif id(n) not in inside and isinstance(n, ast.Constant) and isinstance(n.value, str):
            yield n.lineno, n.value


def test_a_flag_with_its_value_stands_between_backticks():
    """In Python "--task old-photo fills them" was told as "task= old-photo fills them"."""
    root, found = Path(zeuxis.__file__).parent, []
    front = {
        "cli",
        "completing",
        "flags",
        "word",
        "words",
        "parameters",
        "pages",
    }  # help and pages, which Python never says
    pattern = re.compile(rf"(?<![\w/.-])--[a-z][a-z0-9-]*[= ](?!(?:{AFTER})\b)[^\s,;]+")
    foreign = ("pip download", "torchrun", "--extra-index-url")  # commands of others
    for path in sorted(root.rglob("*.py")):
        inner = path.relative_to(root)
        if inner.parts[0].removesuffix(".py") in front:
            continue
        for line, text in strings(ast.parse(path.read_text())):
            bare = "".join(text.split("`")[::2])
            place = re.fullmatch(r"--[a-z-]+ \{\}", text)  # where an error is: a flag and no prose
            if not place and not any(word in text for word in foreign):
                found += [f"{inner}:{line}: {m[0]}" for m in pattern.finditer(bare)]
    assert found == []
