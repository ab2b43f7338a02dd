"""A run as a person lives it: train, sample, report, stop, resume."""

import errno
import html
import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import zeuxis
from tests.stories.commands import TINY, ended, inside, kill_group, pictures, start, tree, typed, wait_until
from zeuxis.data import files
from zeuxis.errors import BadInput, Stopped
from zeuxis.jobs import training
from zeuxis.pictures.png import read_note
from zeuxis.runs import Run
from zeuxis.weights import store
from zeuxis.word import NOTHING_KEPT

LONG_RUN = ["train", "dcgan", "pics", "--run", "r", "--steps", "20000", "--compute", "plain", "--width", "8"]
LONG_RUN += ["--batch", "8"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Pictures, and a finished run with labels."""
    place = tmp_path_factory.mktemp("story")
    pictures(place / "pics", ("dress", "boot"), 24)
    with inside(place):
        assert typed("train", "dcgan", "pics", "--run", "r", *TINY).code == 0
    return place


def test_train_prints_the_page_and_keeps_the_promised_files(place):
    with inside(place):
        done = typed("train", "dcgan", "pics", "--run", "again", *TINY)
        assert (done.code, done.out, done.errors) == (0, "again/report.html\n", [])
        for name in (
            "run.json",
            "log.jsonl",
            "finish.json",
            "weights.safetensors",
            "split.json",
            "card.md",
            "report.html",
        ):
            assert (Path("again") / name).exists(), name
        pair = 16 + 2 + 16  # of pictures of 16 x 16, two classes; 16 pairs
        for name, columns, rows, wide, gap in (("grid", 10, 2, 16, 2), ("nearest_pairs", 4, 4, pair, 8)):
            with Image.open(Path("again") / "real" / f"{name}.png") as sheet:
                assert sheet.size == (columns * (wide + gap) - gap, rows * (16 + gap) - gap), name
        assert "Did the generator copy?" in Path("again/report.html").read_text("utf-8")
        assert Run.open("again").weights_hash() == Run.open("r").weights_hash()


TIMED = {"log.jsonl", "finish.json", "report.html", "card.md"}
"""The files of a run that say how long something took."""


def test_two_equal_runs_are_folders_of_equal_bytes(place):
    found = []
    for name in ("one", "two"):
        (place / name).mkdir()
        with inside(place / name):
            assert typed("train", "dcgan", str(place / "pics"), "--run", "r", *TINY).code == 0
        files = (p for p in (place / name / "r").rglob("*") if p.is_file() and p.name != ".lock")
        found.append({str(p.relative_to(place / name)): p for p in files})
    one, two = found
    assert one.keys() == two.keys()
    other = {name for name in one if one[name].read_bytes() != two[name].read_bytes()}
    assert {Path(name).name for name in other} <= TIMED | {"manifest.json"}, other
    first, second = ([{k: v for k, v in line.items() if k != "clock"} for line in Run.open(place / n / "r").log()]
                     for n in ("one", "two"))  # fmt: skip
    assert first == second


def test_a_run_shows_itself_in_a_notebook(place, tmp_path):
    shown = Run(place / "r")._repr_html_()
    assert shown.count("data:image/png;base64,") == 1 and "report.html" in shown and "http" not in shown
    assert html.escape(Run(place / "r").finish["judgement"]["sentence"]) in shown
    run = Run(shutil.copytree(place / "r", tmp_path / "<r>"))
    (run.path / "finish.json").unlink()
    assert "not finished" in run._repr_html_() and "<r>" not in run._repr_html_()


def test_a_training_that_fails_says_so_everywhere(place, tmp_path):
    with inside(place):
        run = tmp_path / "grey"
        done = typed("train", "dcgan", "pics", "--run", str(run), *TINY, "--lr", "0", "--lr-end", "0", "--json")
        found = json.loads(done.out)["judgement"]
        assert done.code == 0 and found["grade"] == "failed" and found["figures"]["diversity"] < 0.3
        assert found["sentence"].startswith("The samples are fog, all alike: ") and found["advice"]
        *_, times, last, mend = done.err.splitlines()
        assert mend.startswith("zeuxis: what to do: train again with `--images ")
        assert last == f"zeuxis: {found['sentence']}" and re.fullmatch(
            r"zeuxis: .+ s in all, .+ s of them training", times
        )
        assert "zeuxis: how many images `dcgan` needs on 16x16 px" in done.err
        assert Run.open(run).log("score")[-1]["alarms"] == ["too early"]
        page, card = (run / "report.html").read_text("utf-8"), (run / "card.md").read_text("utf-8")
        assert f"on {Run.open(run).record['splits']['images']['train']} pictures" in card and "image-generation" in card
        assert "zeuxis sample" in card and found["sentence"] in card and json.loads(done.out)["alarms"] == ["too early"]
        assert page.index("The samples are fog, all alike") < page.index("dcgan was trained on")
        assert typed("report", str(run)).code == 0 and "fog" in (run / "report.html").read_text("utf-8")


def test_kept_weights_are_drawn_from_by_name(place, tmp_path):
    """A snapshot is weights like any: its pictures are its own, and the note says whose they are."""
    run = Run(shutil.copytree(place / "r", tmp_path / "r"))
    halved = {k: v / 2 if v.is_floating_point() else v for k, v in run.tensors().items()}
    for name, tensors in (("0.40", halved), ("best", run.tensors())):
        store.save(tmp_path / "r" / "snapshots" / f"{name}.safetensors", tensors, {"format": "zeuxis weights 1"})
    with inside(tmp_path):
        for out, words in (("end", []), ("b", ["--snapshot", "best"]), ("h", ["--snapshot", "0.40"])):
            assert typed("sample", "r", "--seeds", "8", *words, "--out", out).code == 0
        end, best, half = (Path(out, "zeuxis-boot-8.png") for out in ("end", "b", "h"))
        assert best.read_bytes() == end.read_bytes() != half.read_bytes()
        assert (read_note(half) or {})["weights"] == store.content_hash(halved)
        unknown = typed("sample", "r", "--snapshot", "../weights", "--out", "u")
        assert unknown.code == 2 and unknown.errors[0].endswith("no snapshot `../weights` (r); known: 0.40, best")


@pytest.mark.parametrize("way", ["a bit", "others"])
def test_weights_that_are_not_those_of_the_run_are_refused(place, tmp_path, way):
    """A bit that flipped on the disk, or another run's file: neither is drawn from, shown or called done."""
    run = Run(shutil.copytree(place / "r", tmp_path / "r"))
    file = run.path / "weights.safetensors"
    if way == "a bit":
        found = bytearray(file.read_bytes())
        found[-40] ^= 4
        file.write_bytes(found)
    else:
        store.save(
            file, {k: v / 2 if v.is_floating_point() else v for k, v in run.tensors().items()}, store.words(file)
        )
    with inside(tmp_path):
        for words in (
            ["sample", "r", "--out", "s"],
            ["report", "r"],
            ["resume", "r"],
            ["train", "dcgan", str(place / "pics"), "--run", "n", *TINY, "--start-from", "r"],
        ):
            done = typed(*words)
            assert done.code == 2 and "these weights are not those that" in done.err, words
        assert not Path("s").exists() and not Path("n").exists()


def test_a_snapshot_with_a_flipped_bit_is_refused(place, tmp_path):
    run = Run(shutil.copytree(place / "r", tmp_path / "r"))
    file = run.path / "snapshots" / "0.40.safetensors"
    store.save(file, run.tensors(), {"format": "zeuxis weights 1"})
    found = bytearray(file.read_bytes())
    found[-40] ^= 4
    file.write_bytes(found)
    with inside(tmp_path):
        done = typed("sample", "r", "--snapshot", "0.40", "--out", "s")
    assert done.code == 2 and "these weights are not those that were written" in done.err
    assert not (tmp_path / "s").exists()


def test_a_classifier_says_how_much_of_each_class_it_finds(place):
    with inside(place):
        assert typed("train", "classifier", "pics", "--run", "c", *TINY).code == 0
        found = json.loads(Path("c/recalls.json").read_text())
        log = Run.open("c").log("score")
        assert sum(found["pictures"]) == Run.open("c").record["splits"]["images"]["held_out"]
        assert found["balanced_accuracy"] == pytest.approx(log[-1]["score"]["score"], abs=1e-6)
        assert found["balanced_accuracy"] == pytest.approx(sum(found["recalls"]) / 2)
        assert "Class by class" in Path("c/report.html").read_text("utf-8")


def test_flags_before_the_recipe(place):
    """Its fields are known all the same; a flag's value that is called like a recipe is none."""
    with inside(place):
        done = typed("train", "--run", "vae", "--width", "8", "dcgan", "pics", *TINY[:4], "--batch", "8")
        assert done.code == 0 and not done.errors, done
        assert Run.open("vae").record["recipe"] == "dcgan" and Run.open("vae").record["settings"]["width"] == 8


def test_memory_that_runs_out_beside_the_steps_is_code_4_and_to_resume(place, monkeypatch):
    def greedy(*_):
        raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes")

    with inside(place), monkeypatch.context() as patch:
        patch.setattr("zeuxis.engine.loop.monitoring.sample_grid", greedy)
        ended = typed("train", "dcgan", "pics", "--run", "short", *TINY)
        told = "the memory is used up; close other programs, then continue with `zeuxis resume short`"
        assert ended.code == 4 and ended.errors == [f"error: {told}"]
    with inside(place):
        assert typed("resume", "short").code == 0 and Run.open("short").weights_hash() == Run.open("r").weights_hash()


def test_plain_compute_with_threads(place):
    with inside(place):
        done = typed(
            "train", "gan", "pics", "--run", "threaded", "--steps", "1", "--compute", "plain", "--threads", "2"
        )
        assert done.code == 0 and Run.open("threaded").record["compute"]["threads"] == 2
        assert Run.open("r").record["compute"]["threads"] == 1
        with pytest.raises(BadInput, match="compute= cannot be .plane."):
            zeuxis.train("gan", "pics", run="three", steps=1, compute="plane")


def test_a_stop_while_the_page_is_drawn_says_resume(place, tmp_path, monkeypatch):
    """By then a run is there, which the same command would be refused for; and its split is there too."""
    report = training.write_report

    def terminated(folder):
        raise Stopped(signal.SIGTERM)

    with inside(tmp_path):
        (tmp_path / "pics").symlink_to(place / "pics")
        monkeypatch.setattr(training, "write_report", terminated)
        done = typed("train", "gan", "pics", "--run", "r", "--steps", "1", "--compute", "plain")
        assert (done.code, done.errors) == (143, ["stopped (r); continue with `zeuxis resume r`"])
        monkeypatch.setattr(training, "write_report", report)
        assert typed("resume", "r").out == "r/report.html\n"


def test_a_stopped_run_has_its_split(place, tmp_path, monkeypatch):
    """Also one that was killed, once it is gone on with; a split of other pictures is none of its own."""

    def stopped(*given):
        raise Stopped(signal.SIGINT, "r", "continue with `zeuxis resume r`")

    with inside(tmp_path):
        (tmp_path / "pics").symlink_to(place / "pics")
        monkeypatch.setattr(training.engine, "train_run", stopped)
        for words in (["train", "gan", "pics", "--run", "r", "--steps", "1", "--compute", "plain"], ["resume", "r"]):
            assert typed(*words).code == 130
            split = json.loads(Path("r/split.json").read_text())
            assert split["digest"] == Run.open("r").record["splits"]["images"]["digest"]
            Path("r/split.json").unlink()
        record = json.loads(Path("r/run.json").read_text())
        Path("r/run.json").write_text(json.dumps({**record, "splits": {"images": {"digest": "another"}}}))
        assert typed("resume", "r").code == 130 and not Path("r/split.json").exists()


def test_train_as_json(place):
    with inside(place):
        done = typed("train", "dcgan", "pics", "--run", "js", *TINY, "--json")
    found = json.loads(done.out)
    assert set(found) == {
        "run", "report", "steps", "images", "seconds", "images_per_second", "overrun_percent", "weights_sha256",
        "judgement",
            "alarms", "attempts", "best",
    }  # fmt: skip
    assert (found["run"], found["steps"], found["images"]) == ("js", 2, 16)


def test_sample_draws_the_same_picture_for_the_same_seed(place):
    with inside(place):
        done = typed("sample", "r", "--seeds", "4,7-8", "--out", "s1")
        assert done.code == 0 and done.out == "s1/grid.png\n" and not done.errors
        assert sorted(p.name for p in Path("s1").iterdir()) == [
            "grid.png", "zeuxis-boot-4.png", "zeuxis-boot-8.png", "zeuxis-dress-7.png",
        ]  # fmt: skip
        alone = json.loads(typed("sample", "r", "--seeds", "8", "--out", "s2", "--json").out)
        assert alone == {"files": ["s2/zeuxis-boot-8.png"], "grid": "s2/grid.png"}
        assert Path("s1/zeuxis-boot-8.png").read_bytes() == Path("s2/zeuxis-boot-8.png").read_bytes()
        note = read_note("s2/zeuxis-boot-8.png")
        assert note == {"class": "boot", "recipe": "dcgan", "seed": 8, "weights": Run.open("r").weights_hash()}


def test_a_name_that_sample_gives_draws_its_picture_again(place):
    with inside(place):
        assert typed("sample", "r", "-n", "6", "--out", "six").code == 0
        files = sorted(Path("six").glob("zeuxis-*.png"))
        assert [sum(c in f.name for f in files) for c in ("boot", "dress")] == [3, 3]
        seed = re.search(r"-(\d+)\.png", files[0].name)
        assert seed and typed("sample", "r", "--seeds", seed[1], "--out", "once").code == 0
        assert (Path("once") / files[0].name).read_bytes() == files[0].read_bytes()


def test_sample_of_a_run_that_has_not_ended_says_of_which_step(place, tmp_path):
    """Of a run that was killed at once it drew with an untrained net, and printed nothing but the path."""
    cut = Path(shutil.copytree(place / "r", tmp_path / "cut"))
    for name in ("finish.json", "weights.safetensors"):
        (cut / name).unlink()
    with inside(tmp_path):
        done = typed("sample", "cut", "-n", "2", "--out", "drawn")
    steps = Run.open(cut).record["steps"]
    assert done.code == 0 and f"the run has not ended: drawn with its weights after step {steps} of {steps}" in done.err


@pytest.mark.parametrize("out", ["pics", "pics/made", "pics/boot/made"])
def test_sample_writes_nothing_among_the_pictures(place, out):
    """What it drew would be pictures of a class of its own the next time."""
    with inside(place):
        before = tree(Path("pics"))
        done = typed("sample", "r", "-n", "2", "--out", out)
        assert done.code == 2 and "--out lies in the folder of the pictures, which stays as it is" in done.errors[0]
        assert tree(Path("pics")) == before


def test_sample_of_one_class(place):
    with inside(place):
        assert typed("sample", "r", "-n", "3", "--class", "dress", "--out", "d").code == 0
        assert len(list(Path("d").glob("zeuxis-dress-*.png"))) == 3
        with Image.open("d/grid.png") as sheet:
            assert sheet.size[0] >= 16
        assert typed("sample", "r", "-n", "3", "--class", "dress", "--out", "d").code == 2


def test_report_and_resume_of_a_finished_run(place):
    with inside(place):
        page, weights = Path("r/report.html"), Path("r/weights.safetensors").stat().st_mtime_ns
        page.unlink()
        assert typed("report", "r").out == "r/report.html\n" and page.exists()
        done = typed("resume", "r")
        assert done.code == 0 and done.out == "r/report.html\n" and "this run is finished" in done.err
        page.unlink()
        assert typed("resume", "r", "--json").code == 0 and page.exists()
        assert Path("r/weights.safetensors").stat().st_mtime_ns == weights


def test_resume_where_the_pictures_have_changed(place, tmp_path):
    pictures(tmp_path / "pics", ("a", "b"), 12)
    with inside(tmp_path):
        assert typed("train", "dcgan", "pics", "--run", "r", *TINY).code == 0
        Path("r/finish.json").unlink()
        Path("r/weights.safetensors").unlink()
        Path("pics/a/00.png").unlink()
        done = typed("resume", "r")
    assert done.code == 2 and "not those that this run began with" in done.errors[0]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_saves_a_checkpoint_and_says_how_to_go_on(place, tmp_path, number, code):
    """A second process is refused meanwhile, by `train` and by `resume`."""
    with inside(tmp_path):
        (tmp_path / "pics").symlink_to(place / "pics")
        process = start(*LONG_RUN)
        log = tmp_path / "r" / "log.jsonl"
        wait_until(lambda: log.exists() and b'"step": 100,' in log.read_bytes(), process)
        other = typed("resume", "r")
        assert (
            other.code == 2 and f"another process is at work in this folder, process {process.pid}" in other.errors[0]
        )
        assert typed(*LONG_RUN).code == 2
        process.send_signal(number)
        done = ended(process, 60)
        assert (done.code, done.out) == (code, "")
        assert done.errors == ["stopped (r); continue with `zeuxis resume r`"]
        saved = sorted(p.name for p in (tmp_path / "r" / "checkpoints").iterdir())
        assert int(saved[-1]) >= 100
        assert Run.open("r").weights_hash() and typed("sample", "r", "-n", "2", "--out", "s").code == 0


def test_stdout_that_is_closed_is_no_error(place):
    line = "import sys; sys.argv = ['zeuxis', 'completion', 'bash']; from zeuxis.cli import main; sys.exit(main())"
    command = f'python3 -c "import time; time.sleep(0)" ; {{ "$0" -c "{line}"; echo $? >code; }} | true; cat code'
    import sys

    with inside(place):
        done = subprocess.run(["sh", "-c", command, sys.executable], capture_output=True, text=True)
    assert done.stdout.strip() == "0" and done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_of_its_shell(shell, tmp_path):
    import shutil

    done = typed("completion", shell)
    assert done.code == 0
    for name in zeuxis.__all__:
        assert name.split("_")[-1] in done.out
    assert "dcgan" in done.out and ("checkpoint-every" in done.out)
    if shutil.which(shell):
        (tmp_path / "script").write_text(done.out)
        checked = subprocess.run([shell, "-n", str(tmp_path / "script")], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr


def test_bash_completes(tmp_path):
    import shutil

    if not shutil.which("bash"):
        pytest.skip("there is no bash here")
    script = typed("completion", "bash").out
    asks = {
        "zeuxis trai": "train",
        "zeuxis train dcg": "dcgan",
        "zeuxis sample r --see": "--seeds",
        "zeuxis restore a.png --task old": "old-photo",
        "zeuxis upscale a.png --method bi": "bicubic",
        "zeuxis data sh": "show",
        "zeuxis data show fashion-mi": "fashion-mini",
        "zeuxis data degrade --a": "--as",
        "zeuxis data weights ad": "add",
        "zeuxis train cgan fashion-mi": "fashion-mini",
        "zeuxis train cgan pics --generator-ba": "--generator-batches",
        "zeuxis train cgan pics --body res": "residual",
        "zeuxis train cgan pics --preset pub": "published",
        "zeuxis train cgan pics --run r --com": "--compute",
        "zeuxis augment pics --treatment mo": "more-real",
        "zeuxis augment fashion-mn": "fashion-mnist",
        "zeuxis completion fi": "fish",
    }
    for line, wanted in asks.items():
        words = line.split()
        ask = f"{script}\nCOMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; _zeuxis; echo ${{COMPREPLY[@]}}"
        found = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, cwd=tmp_path)
        assert found.stdout.split() == [wanted], found


def test_help_of_every_word_and_recipe():
    assert typed("--help").code == 0 and typed("--version").out.startswith("zeuxis ")
    for words in (["train"], ["train", "dcgan"], ["sample"], ["augment"], ["report"], ["resume"], ["data"]):
        done = typed(*words, "--help")
        assert done.code == 0 and done.out.startswith(f"usage: zeuxis {words[0]}") and done.err == ""
    assert "--width" in typed("train", "dcgan", "--help").out


def test_data_words(place):
    with inside(place):
        assert "fashion-mini" in typed("data", "list").out and "fashion-mini" in json.loads(
            typed("data", "list", "--json").out
        )
        shown = json.loads(typed("data", "show", "pics", "--json").out)
        assert shown["classes"] == {"boot": 24, "dress": 24} and (shown["height"], shown["channels"]) == (16, 1)
        assert typed("data", "export", "pics", "--out", "copy").out == "copy\n"
        again = json.loads(typed("data", "show", "copy", "--json").out)
        assert again["digest"] == shown["digest"]


def test_augmenting_by_rules(place):
    with inside(place):
        for i in range(16):
            Path(f"pics/boot/{i:02d}.png").rename(f"boot-{i:02d}.png")
        plan = typed(
            "augment", "pics", "--classic-only", "--copies", "2", "--balance", "--out", "more", "--dry-run", "--json"
        )
        assert plan.code == 0 and json.loads(plan.out) == {"dry_run": True} and "boot 72, dress 72" in plan.err
        assert not Path("more").exists()
        done = typed("augment", "pics", "--classic-only", "--copies", "2", "--balance", "--out", "more")
        assert (done.code, done.out) == (0, "more\n")
        assert json.loads(typed("data", "show", "more", "--json").out)["classes"] == {"boot": 72, "dress": 72}
        note = read_note("more/dress/000008-1.png") or {}
        assert note["augmented"] == "classic" and note["source"].startswith("dress/")
        for i in range(16):
            Path(f"boot-{i:02d}.png").rename(f"pics/boot/{i:02d}.png")


def test_a_kill_leaves_a_run_that_goes_on(place, tmp_path):
    """Twice killed: in the middle, and just after; the weights are those of the undisturbed run."""
    line = [
        "train",
        "dcgan",
        str(place / "pics"),
        "--steps",
        "160",
        "--compute",
        "plain",
        "--width",
        "8",
        "--batch",
        "8",
    ]
    line += ["--checkpoint-every", "0.2s"]
    with inside(tmp_path):
        calm = typed(*line, "--run", "calm")
        assert calm.code == 0
        process = start(*line, "--run", "r")
        wait_until(lambda: b'"step": 20,' in _log(tmp_path), process)
        kill_group(process)
        process = start("resume", "r", "--checkpoint-every", "0.2s")
        wait_until(lambda: b'"step": 80,' in _log(tmp_path), process)
        kill_group(process)
        assert typed("resume", "r").code == 0
        assert Run.open("r").finish["weights_sha256"] == Run.open("calm").finish["weights_sha256"]


def _log(place: Path) -> bytes:
    path = place / "r" / "log.jsonl"
    return path.read_bytes() if path.exists() else b""


def test_a_kill_before_the_run_was_written_leaves_nothing_in_the_way(place, tmp_path):
    """At the first sign of the folder, while the machine is being measured."""
    line = ["train", "dcgan", str(place / "pics"), "--run", "r", "--steps", "2", "--width", "8", "--batch", "8"]
    process = start(*line, cwd=tmp_path)
    wait_until(lambda: (tmp_path / "r" / ".lock").exists(), process)
    kill_group(process)
    with inside(tmp_path):
        done = typed(*line) if not Path("r/run.json").exists() else typed("resume", "r")
    assert done.code == 0 and not done.errors


def test_a_disk_that_is_full_in_the_middle(place, tmp_path, monkeypatch):
    """The error of the system in the place where files are made safe; the run then goes on with equal weights."""
    calls = []
    real = files.sync_file

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) > 12:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    line = [
        "train",
        "dcgan",
        str(place / "pics"),
        "--steps",
        "60",
        "--compute",
        "plain",
        "--width",
        "8",
        "--batch",
        "8",
    ]
    line += ["--checkpoint-every", "0.001s"]
    with inside(tmp_path):
        assert typed(*line, "--run", "calm").code == 0
        monkeypatch.setattr(files, "sync_file", full)
        stopped = typed(*line, "--run", "r")
        assert stopped.code == 4 and len(stopped.errors) == 1 and "the disk is full (r/" in stopped.errors[0]
        assert stopped.errors[0].endswith("; free some space, then continue with `zeuxis resume r`")
        monkeypatch.undo()
        assert not Path("r/finish.json").exists() and typed("resume", "r").code == 0
        assert Run.open("r").finish["weights_sha256"] == Run.open("calm").finish["weights_sha256"]


def test_a_stop_before_any_training_is_one_line(tmp_path):
    """SIGTERM while a word has not begun to train."""
    code = (
        "import os, signal, sys\n"
        "from zeuxis import cli\n"
        "cli.run = lambda words: os.kill(os.getpid(), signal.SIGTERM)\n"
        "sys.exit(cli.main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 143
    assert done.stderr == f"stopped; {NOTHING_KEPT}\n"


def test_weights_of_other_networks_are_told_in_a_line(tmp_path):
    """A run of a version whose nets had other sizes ended in "a fault in zeuxis" at every word."""
    with inside(tmp_path):
        pictures(tmp_path / "p", ("a", "b"), 8)
        for name in ("ended", "begun"):
            line = ["train", "gan", "p", "--first", "8", "--steps", "2", "--compute", "plain", "--run", name]
            assert typed(*line).code == 0
            record = json.loads((tmp_path / name / "run.json").read_text())
            record["settings"]["first"] = 16
            (tmp_path / name / "run.json").write_text(json.dumps(record))
        (tmp_path / "begun" / "finish.json").unlink()
        (tmp_path / "begun" / "weights.safetensors").unlink()
        for words in (
            ["sample", "ended", "-n", "2", "--out", "o"],
            ["evaluate", "ended", "--data", "p"],
            ["resume", "begun"],
        ):
            done = typed(*words)
            assert done.code == 2 and "another version of zeuxis wrote these weights" in done.err, done
            assert len(done.errors) == 1 and not (tmp_path / "o").exists()
