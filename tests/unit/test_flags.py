"""What the help of a recipe tells: every field with its default and where that comes from."""

import argparse
import re
import shlex
from pathlib import Path

import pytest

from tests.stories.commands import typed
from zeuxis import catalog, cli, flag_values, flags, word
from zeuxis.augmentation.domains import DOMAINS
from zeuxis.errors import BadInput
from zeuxis.fields import fields_of
from zeuxis.flags import parser_of


def help_of(recipe: str) -> str:
    return "".join(parser_of("train", recipe).format_help().split())  # lines break at hyphens too


@pytest.mark.parametrize("name", catalog.names())
def test_every_field_says_where_its_value_comes_from(name: str) -> None:
    text = help_of(name)
    for field in fields_of(name).fields:
        assert field.source and "".join(f"default: {field.default}; {field.source}".split()) in text, field.name


def test_every_kind_of_picture_can_be_said() -> None:
    """The command line names them itself, to load nothing heavy for its help."""
    domain = next(a for a in parser_of("augment")._actions if a.dest == "domain")
    assert set(domain.choices or ()) == set(DOMAINS)


def test_help_twice_is_the_same_and_other_words_have_no_sources() -> None:
    parser = parser_of("train", "vae")
    assert parser.format_help() == parser.format_help()
    assert "default: 32; own: convolutions 32-64-128" in " ".join(parser.format_help().split())


def test_help_tells_defaults_and_names_flags_as_they_are_typed() -> None:
    sample, upscale = (" ".join(parser_of(name).format_help().split()) for name in ("sample", "upscale"))
    assert "--class CLASS keep" in sample and "how many pictures; default: 64" in sample
    assert "more detail that is invented; default: 1.0" in upscale and "biharmonic" not in upscale
    assert "everything random follows from it; default: 0" in " ".join(parser_of("train", "cgan").format_help().split())


def test_the_words_of_data_have_help_of_their_own() -> None:
    whole, show = cli.group_help("data"), parser_of("data_show").format_help()
    assert all(f"{name.removeprefix('data_')} " in whole for name in word.names() if name.startswith("data_"))
    assert show.startswith("usage: zeuxis data show [-h]") and word.about("data_show") in show


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e400", "1_000", "9" * 5000, "", "٣", "0x10"])
def test_a_number_is_plain_and_finite(value: str) -> None:
    """In every flag and field that takes one."""
    for name, second in (("train", "cgan"), ("restore", None), ("upscale", None), ("augment", None), ("sample", None)):
        parser = parser_of(name, second)
        kinds = (flag_values.whole, flag_values.number, flag_values.size)
        for action in parser._actions:
            if (action.type in kinds or "at_least" in getattr(action.type, "__qualname__", "")) and not action.choices:
                with pytest.raises(argparse.ArgumentTypeError) as error:
                    action.type(value)
                assert len(str(error.value)) < 100
            assert action.type not in (int, float)


def test_what_completion_offers_is_what_the_jobs_take() -> None:
    from zeuxis.degrade.presets import PRESETS
    from zeuxis.jobs.restoring.steps import METHODS

    offered = {name: {p.name: p.arg.offered for p in word.parameters(name)} for name in ("restore", "data_degrade")}
    assert set(offered["restore"]["method"]) == {name for known in METHODS.values() for name in known}
    assert set(offered["data_degrade"]["damage"]) <= set(PRESETS)


def test_choices_that_are_numbers() -> None:
    words = ["compact", "photos", "--run", "r", "--steps", "1"]
    assert parser_of("train", "compact").parse_args([*words, "--scale", "2"]).scale == 2
    with pytest.raises(BadInput, match="scale"):
        parser_of("train", "compact").parse_args([*words, "--scale", "5"])


BEGIN = ("augment", "fashion-mini", "--study", "st", "--recipe", "cgan")


@pytest.mark.parametrize("flag", ["--generator", "--classifier"])
@pytest.mark.parametrize("setting", ["nosuch=3", "widht=3", "width=a", "width=", "width=true", "width", "width=false"])
def test_advice_on_a_field_names_the_nearest_or_what_really_lists_them(flag: str, setting: str, tmp_path: Path) -> None:
    recipe = "cgan" if flag == "--generator" else "classifier"
    done = typed(*BEGIN, flag, setting)
    assert done.code == 2 and len(done.errors) == 1 and flag in done.err
    advised = re.findall(r"`(zeuxis [^`]+)`", done.err)
    assert setting == "width" or advised, done.err
    for line in advised:
        told = typed(*shlex.split(line)[1:])
        assert told.code == 0 and all(f"--{f.name.replace('_', '-')}" in told.out for f in fields_of(recipe).fields)
    assert ("did you mean `width`?" in done.err) == (setting == "widht=3")


def test_a_field_given_twice_or_half_true_is_refused() -> None:
    with pytest.raises(BadInput, match="given twice"):
        flags.read_settings("cgan", ["width=4", "width=8"], "--generator")
    with pytest.raises(BadInput, match="`norm` must be true or false, not `maybe`"):
        flags.read_settings("gan", ["norm=maybe"], "--generator")
    assert flags.read_settings("gan", ["norm=FALSE", "batch=4"], "--generator") == {"norm": False, "batch": 4}
    assert flags.read_settings("latentgan", ["pretrained=false"], "--generator") == {"pretrained": False}


@pytest.mark.parametrize(
    ("words", "twice"),
    [
        (("--seed", "1", "--seed", "2"), "--seed"),
        (("--unlabelled", "a", "--unlabelled=b"), "--unlabelled"),
        (("--frames", "all", "--frames", "all"), "--frames"),
        (("--generator", "norm=true", "--margin", "1", "--margin", "2"), "--margin"),
    ],
)
def test_a_flag_of_one_value_that_is_given_twice_is_refused(words: tuple[str, ...], twice: str) -> None:
    """The first was dropped in silence."""
    with pytest.raises(BadInput, match=f"`{twice}` is given twice .*; give it once"):
        parser_of("augment").parse_args(["pics", *words])


def test_a_field_and_its_opposite_are_refused_and_what_repeats_may_be_repeated() -> None:
    words = ["gan", "pics", "--run", "r", "--steps", "1"]
    with pytest.raises(BadInput, match="`--no-norm` is given after `--norm`"):
        parser_of("train", "gan").parse_args([*words, "--norm", "--no-norm"])
    parser = parser_of("augment")
    for _ in range(2):  # nothing is remembered of the line before
        given = vars(parser.parse_args(["pics", "--generator", "a=1", "--generator", "b=2", "--json", "--json"]))
        assert given["generator"] == ["a=1", "b=2"] and "_given" not in given


def test_a_field_of_a_generator_that_is_not_trained_is_told_so(tmp_path: Path) -> None:
    """It was advised to name a recipe, which this treatment refuses."""
    words = ("augment", "fashion-mini", "--study", str(tmp_path / "st"), "--treatment", "guessed")
    for more in (("--generator", "width=8"), ("--recipe", "cgan"), ("--recipe", "cgan", "--generator", "width=8")):
        done = typed(*words, *more)
        assert done.code == 2 and "`--treatment guessed`, which generates nothing; leave out either" in done.err, done
    assert "name the recipe with --recipe" in typed(*words[:-2], "--generator", "width=8").err


TRAIN = ("train", "cgan", "fashion-mini", "--run", "r", "--steps", "1")


@pytest.mark.parametrize("words", [TRAIN, ("data", "show", "x")])
def test_what_an_unknown_flag_is_sent_to_lists_the_flags_of_just_this_word(words: tuple[str, ...]) -> None:
    done = typed(*words, "--nosuch", "3")
    (line,) = re.findall(r"`(zeuxis [^`]+)`", done.err)
    told = typed(*shlex.split(line)[1:])
    known = (parser_of("train", words[1]) if words[0] == "train" else parser_of("data_show"))._actions
    assert told.code == 0 and all(flag in told.out for a in known for flag in a.option_strings), line


@pytest.mark.parametrize("name", word.names())
def test_where_memory_runs_out_the_advice_names_flags_that_the_word_has(name: str) -> None:
    parser = parser_of(name, "cgan" if name == "train" else None)
    known = {flag for action in parser._actions for flag in action.option_strings}
    assert set(re.findall(r"--[a-z-]+", cli.less_memory(parser))) <= known
    assert ("--memory" in cli.less_memory(parser)) == (name in ("restore", "upscale", "translate"))
    assert ("--batch" in cli.less_memory(parser)) == (name == "train")


def test_a_choice_that_is_a_number_is_told_as_others_are() -> None:
    with pytest.raises(BadInput, match="--channels cannot be `5` .*; known: 1, 2, 3, 4"):
        parser_of("data_show").parse_args(["x", "--channels", "5"])
