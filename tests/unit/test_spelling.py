"""Messages are written with flags; in Python they name parameters."""

import pytest

from zeuxis.errors import BadInput
from zeuxis.spelling import for_python, parameter, pythonic, spelled

SPELLED = {
    "give --size, for instance --size 64": "give size=, for instance size=64",
    "train again with --lr 0.0001 --lr-end 1e-5.": "train again with lr=0.0001 lr_end=1e-5.",
    "use --size 24x16": "use size=(24, 16)",
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
        raise BadInput("--size is wrong", "a --size 3/OUT", "use --size 8")
    assert str(error.value) == "size= is wrong (a --size 3/OUT); use size=8"
    assert spelled("give --size") == "give --size"
