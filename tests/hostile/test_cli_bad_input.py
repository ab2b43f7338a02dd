"""Every command with every kind of bad input: exit code 2, one line on stderr, nothing on the disk changed."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import zeuxis
from tests.stories.commands import TINY, bomb, in_process, inside, pictures, tree, typed
from zeuxis import word

STUDY = ["--study", "st", "--budget", "5s", "--size", "16"]


def _begun(good: Path, folder: Path, **changes) -> None:
    """A run folder that holds nothing but a changed run.json of a good one."""
    folder.mkdir()
    record = json.loads((good / "run.json").read_text()) | changes
    (folder / "run.json").write_text(json.dumps(record))


def _pictures(world: Path) -> None:
    pictures(world / "pics", ("a", "b"), 24)
    pictures(world / "one", ("a",), 24)
    pictures(world / "alike", ("boot", "Boot"), 24)
    pictures(world / "flat" / "..", ("flat",), 3)
    pictures(world / "sizes", ("a",), 2)
    pictures(world / "sizes", ("b",), 2, side=20)
    for name, data in (("empty", b""), ("bombs", bomb())):
        for label in "ab":
            (world / name / label).mkdir(parents=True)
            (world / name / label / "x.png").write_bytes(data)
    (world / "nothing").mkdir()
    (world / "junk.zip").write_bytes(b"PK\x03\x04" + os.urandom(400))
    (world / "junk.csv").write_bytes(bytes(range(256)) * 4)
    (world / "junk.bin").write_bytes(os.urandom(1000))
    (world / "columns.csv").write_text("picture,kind\npics/a/00.png,a\n")
    (world / "gone.csv").write_text("file,label\nnowhere/1.png,a\n")
    os.mkdir(os.fsencode(world) + b"/odd-\xff")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A folder with all that can be wrong, beside what is right."""
    world = tmp_path_factory.mktemp("world")
    _pictures(world)
    for recipe in ("dcgan", "classifier"):
        zeuxis.train(recipe, world / "pics", run=world / recipe, steps=1, compute="plain", width=8, batch=8)
    good = world / "dcgan"
    _begun(good, world / "old", format=99)
    _begun(good, world / "unstarted")
    _begun(good, world / "unknown-recipe", recipe="nowhere-gan")
    for name, text in (("garbage", "{{{"), ("list", "[]"), ("binary", "\x00\x01"), ("hollow", '{"format": 1}')):
        for file in ("run", "study"):
            (world / f"{name}-{file}").mkdir()
            (world / f"{name}-{file}" / f"{file}.json").write_text(text)
    (world / "old-study").mkdir()
    (world / "old-study" / "study.json").write_text('{"format": 99}')
    (world / "file").write_text("a file stands here")
    (world / "taken").mkdir()
    (world / "taken" / "mine.txt").write_text("not yours")
    return world


TRAIN = {
    "missing-folder": "train dcgan nowhere --run r --steps 2",
    "misspelt-set": "train dcgan fashion-mimi --run r --steps 2",
    "empty-files": "train dcgan empty --run r --steps 2",
    "bombs": "train dcgan bombs --run r --steps 2",
    "strict-bombs": "train dcgan bombs --run r --steps 2 --strict",
    "no-files": "train dcgan nothing --run r --steps 2",
    "junk-zip": "train dcgan junk.zip --run r --steps 2",
    "junk-csv": "train dcgan junk.csv --run r --steps 2",
    "junk-bin": "train dcgan junk.bin --run r --steps 2",
    "missing-column": "train dcgan columns.csv --run r --steps 2",
    "listed-files-gone": "train dcgan gone.csv --run r --steps 2",
    "sizes-differ": "train dcgan sizes --run r --steps 2",
    "unknown-recipe": "train dcgam pics --run r --steps 2",
    "unknown-recipe-in-front": "train --run r dcgam pics --steps 2",
    "no-recipe": "train",
    "no-run": "train dcgan pics --steps 2",
    "no-budget": "train dcgan pics --run r",
    "two-budgets": "train dcgan pics --run r --steps 2 --images 20",
    "negative-steps": "train dcgan pics --run r --steps -5",
    "zero-steps": "train dcgan pics --run r --steps 0",
    "wordy-steps": "train dcgan pics --run r --steps many",
    "zero-images": "train dcgan pics --run r --images 0",
    "zero-budget": "train dcgan pics --run r --budget 0",
    "zero-seconds": "train dcgan pics --run r --budget 0s",
    "wordy-budget": "train dcgan pics --run r --budget soon",
    "endless-budget": "train dcgan pics --run r --budget 99999999999h",
    "unknown-flag": "train dcgan pics --run r --step 2",
    "flag-of-another-recipe": "train dcgan pics --run r --steps 2 --widths 8,8",
    "flag-without-value": "train dcgan pics --run r --steps",
    "one-word-too-many": "train dcgan pics more --run r --steps 2",
    "wrong-choice": "train dcgan pics --run r --steps 2 --fit crops",
    "wrong-choice-of-a-field": "train dcgan pics --run r --steps 2 --body stridded",
    "wordy-field": "train dcgan pics --run r --steps 2 --width wide",
    "zero-width": "train dcgan pics --run r --steps 2 --width 0",
    "negative-batch": "train dcgan pics --run r --steps 2 --batch -4",
    "negative-rate": "train dcgan pics --run r --steps 2 --lr=-1",
    "rate-not-a-number": "train dcgan pics --run r --steps 2 --lr nan",
    "list-of-words": "train r3gan pics --run r --steps 2 --size 16 --widths a,b",
    "unknown-preset": "train dcgan pics --run r --steps 2 --preset tinny",
    "negative-seed": "train dcgan pics --run r --steps 2 --seed -1",
    "wordy-seed": "train dcgan pics --run r --steps 2 --seed x",
    "zero-size": "train dcgan pics --run r --steps 2 --size 0",
    "wordy-size": "train dcgan pics --run r --steps 2 --size 8x8x8",
    "huge-size": "train dcgan pics --run r --steps 2 --size 99999",
    "no-multiple-of-the-stride": "train r3gan pics --run r --steps 2 --size 18 --preset published",
    "too-small": "train dcgan pics --run r --steps 2 --size 2",
    "five-channels": "train dcgan pics --run r --steps 2 --channels 5",
    "unknown-device": "train dcgan pics --run r --steps 2 --device gpu",
    "missing-device": "train dcgan pics --run r --steps 2 --device cuda:77",
    "zero-threads": "train dcgan pics --run r --steps 2 --threads 0",
    "split-of-a-coupled-batch": "train dcgan pics --run r --steps 2 --micro 2",
    "one-sample-of-a-coupled-batch": "train dcgan pics --run r --steps 2 --batch 1",
    "zero-checkpoint-time": "train dcgan pics --run r --steps 2 --checkpoint-every 0s",
    "wordy-checkpoint-time": "train dcgan pics --run r --steps 2 --checkpoint-every often",
    "labels-needed": "train classifier one --run r --steps 2",
    "run-is-a-file": "train dcgan pics --run file --steps 2",
    "run-below-a-file": "train dcgan pics --run file/r --steps 2",
    "run-cannot-be-made": "train dcgan pics --run /proc/nowhere/r --steps 2",
    "run-is-there": "train dcgan pics --run dcgan --steps 2",
    "run-of-another-version": "train dcgan pics --run old --steps 2",
    "run-is-garbage": "train dcgan pics --run garbage-run --steps 2",
    "run-is-a-study": "train dcgan pics --run old-study --steps 2",
    "run-among-the-pictures": "train dcgan pics --run pics/r --steps 2",
}
SAMPLE = {
    "missing-run": "sample nowhere --out s",
    "run-is-a-file": "sample file --out s",
    "no-run": "sample pics --out s",
    "another-version": "sample old --out s",
    "garbage": "sample garbage-run --out s",
    "no-object": "sample list-run --out s",
    "binary": "sample binary-run --out s",
    "hollow": "sample hollow-run --out s",
    "recipe-gone": "sample unknown-recipe --out s",
    "no-weights-yet": "sample unstarted --out s",
    "a-classifier": "sample classifier --out s",
    "no-out": "sample dcgan",
    "unknown-class": "sample dcgan --class c --out s",
    "class-number-too-high": "sample dcgan --class 2 --out s",
    "no-pictures": "sample dcgan -n 0 --out s",
    "fewer-than-none": "sample dcgan -n -3 --out s",
    "very-many": "sample dcgan -n 99999999 --out s",
    "wordy-seeds": "sample dcgan --seeds one --out s",
    "no-seeds": "sample dcgan --seeds= --out s",
    "unknown-snapshot": "sample dcgan --snapshot best --out s",
    "seeds-backwards": "sample dcgan --seeds 8-5 --out s",
    "seed-too-large": "sample dcgan --seeds 99999999999999999999 --out s",
    "very-many-seeds": "sample dcgan --seeds 1-99999999 --out s",
    "out-is-a-file": "sample dcgan -n 2 --out file",
    "out-below-a-file": "sample dcgan -n 2 --out file/s",
    "out-cannot-be-made": "sample dcgan -n 2 --out /proc/nowhere/s",
    "unknown-flag": "sample dcgan --klass a --out s",
}
AUGMENT = {
    "missing-folder": "augment nowhere STUDY",
    "one-class": "augment one STUDY",
    "no-labels": "augment flat STUDY",
    "empty-files": "augment empty STUDY",
    "bombs": "augment bombs STUDY",
    "junk": "augment junk.bin STUDY",
    "no-study": "augment pics",
    "unknown-recipe": "augment pics STUDY --recipe cgam",
    "no-generator": "augment pics STUDY --recipe classifier",
    "unknown-field": "augment pics STUDY --recipe cgan --generator widht=8",
    "field-without-value": "augment pics STUDY --recipe cgan --generator width",
    "wordy-field": "augment pics STUDY --classifier width=wide",
    "zero-budget": "augment pics --study st --budget 0",
    "wordy-budget": "augment pics --study st --budget soon",
    "zero-repeats": "augment pics STUDY --repeats 0",
    "zero-margin": "augment pics STUDY --margin 0",
    "margin-not-a-number": "augment pics STUDY --margin nan",
    "wordy-margin": "augment pics STUDY --margin little",
    "unknown-treatment": "augment pics STUDY --treatment gam",
    "more-labels-than-there-are": "augment pics STUDY --labels-per-class 500",
    "one-label": "augment pics STUDY --labels-per-class 1",
    "unknown-device": "augment pics STUDY --device gpu",
    "study-of-another-version": "augment pics --study old-study --budget 5s",
    "study-is-garbage": "augment pics --study garbage-study --budget 5s",
    "study-is-a-run": "augment pics --study dcgan --budget 5s",
    "study-is-a-file": "augment pics --study file --budget 5s --recipe cgan --generator width=8 --generator batch=8",
    "study-among-the-pictures": "augment pics --study pics/st --budget 5s",
    "out-not-empty": "augment pics STUDY --out taken",
    "out-below-a-file": "augment pics STUDY --out file/o",
    "out-cannot-be-made": "augment pics STUDY --out /proc/nowhere/o",
    "out-among-the-pictures": "augment pics STUDY --out pics/more",
    "out-where-classes-share-a-folder": "augment alike STUDY --out o",
    "study-within-out": "augment pics --study o/st --budget 5s --size 16 --out o",
    "dry-run-out-not-empty": "augment pics STUDY --out taken --dry-run",
    "unknown-flag": "augment pics STUDY --repeat 3",
    "classic-no-out": "augment pics --classic-only",
    "classic-out-not-empty": "augment pics --classic-only --out taken",
    "classic-out-is-a-file": "augment pics --classic-only --out file",
    "classic-out-below-a-file": "augment pics --classic-only --out file/o",
    "classic-out-cannot-be-made": "augment pics --classic-only --out /proc/nowhere/o",
    "classic-out-among-the-pictures": "augment pics --classic-only --out pics/more",
    "classic-missing-folder": "augment nowhere --classic-only --out o",
    "classic-bombs": "augment bombs --classic-only --out o",
    "classic-no-copies": "augment pics --classic-only --out o --copies 0",
    "classic-unknown-policy": "augment pics --classic-only --out o --policy lite",
    "classic-balance-without-labels": "augment flat --classic-only --out o --balance",
}
IN_PLACE = {
    "missing": "nowhere",
    "a-file": "file",
    "no-run": "pics",
    "another-version": "old",
    "garbage": "garbage-run",
    "no-object": "list-run",
    "binary": "binary-run",
    "hollow": "hollow-run",
    "study-of-another-version": "old-study",
    "garbage-study": "garbage-study",
    "hollow-study": "hollow-study",
    "unknown-flag": "dcgan --loudly",
    "no-folder": "",
}
DATA = {
    "no-word": "data",
    "unknown-word": "data shwo pics",
    "missing-folder": "data show nowhere",
    "no-files": "data show nothing",
    "bombs": "data show bombs",
    "junk": "data show junk.bin",
    "junk-table": "data show junk.csv",
    "missing-column": "data show columns.csv",
    "sizes-differ": "data export sizes --out o",
    "wrong-size": "data show pics --size -8",
    "wrong-fit": "data show pics --fit squash",
    "list-with-more": "data list pics",
    "no-data": "data export --out o",
    "no-out": "data export pics",
    "out-not-empty": "data export pics --out taken",
    "out-is-a-file": "data export pics --out file",
    "out-below-a-file": "data export pics --out file/o",
    "out-cannot-be-made": "data export pics --out /proc/nowhere/o",
    "out-among-the-pictures": "data export pics --out pics/o",
}
WORDS = {
    "unknown-word": "trian dcgan pics",
    "unknown-shell": "completion tcsh",
    "no-shell": "completion",
    "flag-for-word": "--run r",
}
CASES = {
    **{f"train-{k}": v for k, v in TRAIN.items()},
    **{f"sample-{k}": v for k, v in SAMPLE.items()},
    **{f"augment-{k}": v.replace("STUDY", " ".join(STUDY)) for k, v in AUGMENT.items()},
    **{f"{word}-{k}": f"{word} {v}" for word in ("report", "resume") for k, v in IN_PLACE.items()},
    "resume-recipe-gone": "resume unknown-recipe",
    **{f"data-{k}": v for k, v in DATA.items()},
    **WORDS,
}


def _refused(result, line: str) -> str:
    assert result.code == 2, f"{line}: {result}"
    assert result.out == "", f"{line}: {result}"
    assert len(result.errors) == 1 and result.errors[0].startswith("error: "), f"{line}: {result}"
    assert "Traceback" not in result.err and "<lambda>" not in result.err
    return result.errors[0]


@pytest.mark.parametrize("name", CASES)
def test_one_line_and_nothing_written(world, name):
    before = tree(world)
    with inside(world):
        _refused(typed(*CASES[name].split()), CASES[name])
    assert tree(world) == before


SAYS = {
    "train dcgam pics --run r --steps 2": "did you mean `dcgan`?",
    "train dcgan fashion-mimi --run r --steps 2": "did you mean `fashion-mini`?",
    "train auto pics --run r --steps 2 --width 8": "`auto` takes no recipe's fields: name the recipe",
    "train auto pics --run r --budget 10": "10m",
    "train dcgan pics --run r --step 2": "did you mean `--steps`?",
    "restore pics --out o": "OUT stands there without a flag: zeuxis restore IN OUT",
    "train dcgan pics --run r --steps 2 --body stridded": "did you mean `strided`?",
    "train dcgan pics --run r --steps 2 --fit crops": "did you mean `crop`?",
    "train r3gan pics --run r --steps 2 --size 18 --preset published": "--size 24x24",
    "train dcgan sizes --run r --steps 2": "give --size",
    "train dcgan pics --run dcgan --steps 2": "choose another --run; `--start-from dcgan` begins a new one with its",
    "train dcgan pics --run unstarted --steps 2": "continue with `zeuxis resume unstarted`",
    "restore pics file/x --strength 0": "a file stands where a folder is needed",
    "upscale pics --method bicubic --page file/x.html": "a file stands where a folder is needed",
    "restore pics/a/00.png --strength 0 --compare file": "it is not a picture",
    "restore pics/a/00.png --strength 0 --compare one/b": "there is no such file or folder",
    "restore pics/a/00.png --strength 0 --compare pics/nowhere": "there is no such file or folder",
    "restore pics --memory inf": "no amount of memory",
    "restore pics --memory nan": "no amount of memory",
    "restore pics --memory=-2G": "no amount of memory",
    "restore pics --memory 1e400": "no amount of memory",
    "sample dcgan --class c --out s": "known: a, b",
    "sample classifier --out s": "cgan, dcgan",
    "sample unstarted --out s": "go on with `zeuxis resume unstarted`",
    "sample old --out s": "has format 99, this zeuxis reads 1",
    "sample dcgan --snapshot best --out s": "this run kept none",
    "augment pics --study st --out file/o": "(file/o); choose another",
    "augment one --study st": "two classes or more",
    "augment pics --study st --recipe classifier": "cgan",
    "data shwo pics": "did you mean `show`?",
    "trian dcgan pics": "did you mean `train`?",
}


@pytest.mark.parametrize("name", [*list(CASES)[::9], *WORDS])
def test_an_error_as_json(world, name):
    """The same as one object on stdout; usage errors too."""
    before = tree(world)
    with inside(world):
        told = typed(*CASES[name].split(), "--json")
    error = json.loads(told.out)["error"]
    assert told.code == 2 and list(error) == ["mend", "what", "where"] and error["what"]
    line = error["what"] + (f" ({error['where']})" if error["where"] else "")
    line += f"; {error['mend']}" if error["mend"] else ""
    assert told.errors == [f"error: {' '.join(line.split())}"]
    assert tree(world) == before


@pytest.mark.parametrize("line", SAYS)
def test_the_line_says_what_to_do(world, line):
    with inside(world):
        assert SAYS[line] in _refused(typed(*line.split()), line)


def test_a_folder_that_one_stands_in_is_not_replaced(world, tmp_path):
    for name in ("augment", "data export"):
        with inside(tmp_path):
            more = ["--classic-only"] if name == "augment" else []
            line = _refused(typed(*name.split(), str(world / "pics"), *more, "--out", "."), word)
        assert "you stand in this folder, and it would be replaced" in line and list(tmp_path.iterdir()) == []


def test_names_that_are_no_text(world):
    name = os.fsdecode(b"odd-\xff")
    before = tree(world)
    with inside(world):
        for line in (["train", "dcgan", name, "--run", "r", "--steps", "2"], ["sample", name, "--out", "s"],
                     ["sample", "dcgan", "--out", name], ["report", name], ["data", "show", name]):  # fmt: skip
            assert "not valid UTF-8" in _refused(typed(*line), str(line))
    assert tree(world) == before


def test_pictures_whose_names_are_no_text_are_read_or_listed(tmp_path):
    pictures(tmp_path / "pics", ("a", "b"), 4)
    (tmp_path / "pics" / "a" / "00.png").rename(os.fsdecode(os.fsencode(tmp_path) + b"/pics/a/caf\xe9.png"))
    with inside(tmp_path):
        shown = typed("data", "show", "pics", "--json")
        assert shown.code == 0
        found = json.loads(shown.out)
        assert found["pictures"] + len(found["skipped"]) == 8
        trained = typed("train", "dcgan", "pics", "--run", "r", *TINY)
        assert trained.code == 0, trained.err
        exported = typed("data", "export", "pics", "--out", "o")
        assert exported.code == 0, exported.err
        copied = typed("augment", "pics", "--classic-only", "--copies", "1", "--out", "c")
        assert copied.code == 0, copied.err


def test_some_bombs_among_pictures_are_skipped_with_a_count(world, tmp_path):
    shutil.copytree(world / "pics", tmp_path / "pics")
    for label in "ab":
        (tmp_path / "pics" / label / "bomb.png").write_bytes(bomb())
    with inside(tmp_path):
        result = typed("train", "dcgan", "pics", "--run", "r", *TINY)
        assert result.code == 0 and "zeuxis: 2 files skipped, 48 pictures read" in result.err
        assert json.loads(Path("r/run.json").read_text())["sources"]["images"]["skipped"] == 2
        before = tree(tmp_path)
        _refused(typed("train", "dcgan", "pics", "--run", "s", *TINY, "--strict"), "strict")
        assert tree(tmp_path) == before


def test_a_read_only_folder(tmp_path):
    """In a mount namespace, since permissions do not bind the superuser."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        pytest.skip("needs mount namespaces")
    where = tmp_path / "ro"
    where.mkdir()
    pictures(tmp_path / "pics", ("a", "b"), 12)
    inner = f"mount -t tmpfs -o ro,size=1m none {where} && exec {sys.executable} -m zeuxis.cli train dcgan "
    inner += f"{tmp_path}/pics --run {where}/r --steps 1 --compute plain --width 8 --batch 8"
    probe = subprocess.run(["unshare", "-rm", "true"], capture_output=True)
    if probe.returncode:
        pytest.skip("mount namespaces are not allowed here")
    done = subprocess.run(["unshare", "-rm", "sh", "-c", inner], capture_output=True, text=True)
    if "mount:" in done.stderr:
        pytest.skip("mounting is not allowed here")
    assert done.returncode == 2 and done.stderr.splitlines() == [
        f"error: the file system is read-only ({where}/r); choose another place"
    ]


@pytest.mark.parametrize(
    "line",
    ["train dcgan pics --run file --steps 2", "nonsense"],
)
def test_as_a_process_of_its_own(world, line):
    before = tree(world)
    result = in_process(*line.split(), cwd=world)
    _refused(result, line)
    assert tree(world) == before


def test_a_name_that_is_no_text_as_a_process(world):
    _refused(in_process("report", b"odd-\xff", cwd=world), "odd")


def test_debug_gives_the_traceback(world):
    result = in_process("resume", "old", cwd=world, ZEUXIS_DEBUG="1")
    assert result.code != 0 and "Traceback" in result.err and "has format 99" in result.err


def test_a_fault_of_ours_is_one_line_and_code_1(monkeypatch):
    def broken(folder: str):
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(zeuxis.report, "word", replace(word.of("report"), function=broken))
    result = typed("report", "x")
    assert result.code == 1 and len(result.errors) == 1 and "RuntimeError: two lines" in result.errors[0]
    monkeypatch.setenv("ZEUXIS_DEBUG", "1")
    with pytest.raises(RuntimeError):
        typed("report", "x")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
def test_memory_that_is_used_up_is_code_4(monkeypatch, error):
    def greedy(folder: str):
        raise error

    monkeypatch.setattr(zeuxis.report, "word", replace(word.of("report"), function=greedy))
    result = typed("report", "x")
    assert result.code == 4 and len(result.errors) == 1 and "the memory is used up" in result.errors[0]


def test_mixed_sizes_are_shown(world):
    with inside(world):
        shown, as_json = typed("data", "show", "sizes"), typed("data", "show", "sizes", "--json")
    assert shown.code == as_json.code == 0 and not shown.errors
    assert "2 different, from " in shown.out and "give --size" in shown.out
    found = json.loads(as_json.out)
    assert found["pictures"] == 4 and found["digest"] is None and found["classes"] == {"a": 2, "b": 2}
    assert found["sizes"]["different"] == 2 and found["sizes"]["largest"] == "20x20"
    with inside(world):
        one = json.loads(typed("data", "show", "sizes", "--size", "8", "--json").out)
    assert one["height"] == 8 and "sizes" not in one


def test_copies_by_rules_are_turned_unless_told_otherwise(world, tmp_path):
    with inside(world):
        done = typed("augment", "pics", "--classic-only", "--copies", "1", "--out", str(tmp_path / "o"))
    assert done.code == 0 and json.loads((tmp_path / "o/manifest.json").read_text())["policy"] == "classic"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full disk to write to")
@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_an_answer_that_cannot_be_written_is_one_line(flags):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "zeuxis.cli", "data", "list", *flags], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 4, done.stderr
    assert done.stderr == "error: the answer cannot be written: No space left on device (stdout)\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full disk to write to")
def test_a_picture_that_cannot_be_written_to_stdout_is_one_line(world):
    line = "restore pics/a/00.png - --method wavelet --task denoise"
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "zeuxis.cli", *line.split()],
            cwd=world,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 4, done.stderr
    assert done.stderr.splitlines()[-1] == "error: the answer cannot be written: No space left on device (stdout)"


def test_no_stdin_at_all_is_an_empty_one(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert "nothing came in on stdin" in _refused(typed("upscale", "-", "-"), "upscale - -")


LONG = "n" * 256


@pytest.mark.parametrize(
    "line",
    [
        f"augment pics --classic-only --out {LONG}",
        f"augment pics --study {LONG}",
        f"data export pics --out {LONG}",
        f"restore pics {LONG} --dry-run",
        f"train dcgan pics --run {LONG} --steps 1",
        f"upscale {LONG}",
        f"data show {LONG}",
        f"evaluate {LONG} --data pics",
    ],
)
def test_a_name_that_is_too_long_is_no_fault_of_ours(world, line):
    before = tree(world)
    with inside(world):
        said = _refused(typed(*line.split()), line)
    assert "the name is too long (nnn" in said and len(said) < 200 and tree(world) == before
