"""A study as a person lives it: killed in the middle, gone on with, and settled with the same numbers."""

import csv
import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.stories.commands import ended, inside, kill_group, pictures, start, tree, typed, wait_until
from zeuxis.data.files import write_json
from zeuxis.jobs.study import augmented_set, plan
from zeuxis.jobs.study import study as studies
from zeuxis.jobs.study.place import Place
from zeuxis.jobs.study.plan import StudyConfig
from zeuxis.stats.chance import guessing_of
from zeuxis.stats.choice import share_name
from zeuxis.stats.twoway import Examined
from zeuxis.stats.verdict import verdict

STUDY = ["augment", "pics", "--study", "st", "--repeats", "2", "--labels-per-class", "4", "--budget", "9s", "--threads"]
STUDY += [
    "2",
    "--recipe",
    "cgan",
    "--generator",
    "width=4",
    "--generator",
    "batch=8",
    "--classifier",
    "width=4",
    "--classifier",
    "batch=8",
]
STEPS = (12, 6)


def small(*given, **named) -> StudyConfig:
    """What was asked for, with steps in place of a time: the plan is then the same on every machine."""
    return StudyConfig(*given, **named, steps=STEPS)


@pytest.fixture
def few_steps(monkeypatch):
    monkeypatch.setattr(plan, "StudyConfig", small)


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """An undisturbed study, begun by the command, done in this process."""
    place = tmp_path_factory.mktemp("calm")
    pictures(place / "pics", ("boot", "dress"), 40)
    patch = pytest.MonkeyPatch()
    patch.setattr(plan, "StudyConfig", small)
    run = studies.run
    patch.setattr(studies, "run", lambda place, started=None: run(place, here=True))
    try:
        with inside(place):
            done = typed(*STUDY, "--out", "mixed", "--json")
    finally:
        patch.undo()
    assert done.code == 0 and not done.errors, done
    (place / "answer.json").write_text(done.out)
    return place


def test_the_answer_and_the_files(calm):
    found = json.loads((calm / "answer.json").read_text())
    assert found["verdict"] == "UNDECIDED" and len(found["differences"]) == 2
    assert {"study", "report", "sentence", "mean", "p", "interval95", "arms", "smallest_p"} <= set(found)
    names = ["study.json", "split.json", "table.csv", "verdict.json", "report.html"]
    assert all((calm / "st" / name).exists() for name in [*names, "samples/real.png", "samples/fake.png"])
    rows = (calm / "st" / "table.csv").read_text().splitlines()
    assert rows[0] == "repeat,arm,policy,share,validation,test" and len(rows) == 1 + 2 * 7


def test_a_dry_run_on_a_finished_study_says_that_it_is_finished_and_plans_nothing(calm, few_steps):
    before = tree(calm)
    told = json.loads((calm / "st/verdict.json").read_text())["sentence"]
    with inside(calm):
        done = typed(*STUDY, "--dry-run")
        assert done.code == 0 and "is finished" in done.err and "another --study" in done.err
        assert told.rstrip(".") in done.err and str(Path("st/report.html")) in done.err
        assert "classifiers" not in done.err, "no plan"
        other, dry = (typed(*STUDY, "--margin", "2", *more) for more in ((), ("--dry-run",)))
        assert other.code == 2 and "choose another --study" in other.err and "resume" not in other.err
        assert (dry.code, dry.errors) == (2, other.errors), "a dry run refuses what the run refuses"
        (calm / "st/verdict.json").rename(calm / "verdict")
        unfinished = typed(*STUDY, "--dry-run")
        (calm / "verdict").rename(calm / "st/verdict.json")
    assert "is finished" not in unfinished.err and tree(calm) == before
    assert re.search(r"begun before: (\d+) of \1 jobs done, about 0 s left", unfinished.err)


def test_repeats_are_counted_from_one_in_words_files_and_folders(calm):
    manifest = json.loads((calm / "mixed" / "manifest.json").read_text())
    folders = sorted((calm / "st/repeats").iterdir())
    assert [folder.name for folder in folders] == ["01", "02"]
    for folder in folders:
        counts = {json.loads(p.read_text())["repeat"] for p in folder.glob("*.json") if p.stem != "draw"}
        assert counts == {int(folder.name)}
    made = json.loads((calm / f"st/repeats/{manifest['repeat']:02d}/generator.json").read_text())
    assert made["weights_sha256"] == manifest["weights"]
    rows = list(csv.DictReader((calm / "st/table.csv").read_text().splitlines()))
    assert {row["repeat"] for row in rows} == {"1", "2"}
    with Image.open(calm / "st/samples/fake.png") as image:
        assert json.loads(image.text["zeuxis"])["repeat"] == manifest["repeat"]


def test_the_mixed_set_is_marked(calm):
    manifest = json.loads((calm / "mixed" / "manifest.json").read_text())
    made = [row for row in manifest["files"] if row["generated"]]
    assert bool(made) == (manifest["share"] > 0) and all(
        {"recipe", "weights", "seed", "class", "source"} <= set(row) for row in made
    )
    assert all(Path(row["file"]).name.startswith("zeuxis-") for row in made)
    with inside(calm):
        shown = json.loads(typed("data", "show", "mixed", "--json").out)
    assert shown["pictures"] == len(manifest["files"]) and set(shown["classes"]) == {"boot", "dress"}


def test_the_verdict_can_be_worked_out_from_the_folder_again(calm):
    """By the files alone, as docs/folders.md says: test.csv and a bit for every arm, repeat and test picture."""
    folder = calm / "st"
    told = json.loads((folder / "verdict.json").read_text())
    rows = list(csv.DictReader((folder / "test.csv").read_text().splitlines()))
    split = json.loads((folder / "split.json").read_text())
    assert [row["position"] for row in rows] == [line.split(" ", 1)[0] for line in split["test"]]
    examined = Examined.of([int(row["class"]) for row in rows], [int(row["group"]) for row in rows])
    asked = json.loads((folder / "study.json").read_text())["asked"]
    x, results, both = [], {}, {"with it": [], "without": []}
    for r, (rival, share) in enumerate(zip(told["rivals"], told["shares"], strict=True)):
        for path in (folder / f"repeats/0{r + 1}").glob("*.json"):
            results[path.stem] = json.loads(path.read_text())
        bits = {}
        for arm in (rival, share_name(share) if share else rival):
            packed = np.frombuffer(bytes.fromhex(results[arm]["hits"]), np.uint8)
            bits[arm] = np.unpackbits(packed)[: len(rows)]
            by_class = [bits[arm][examined.classes == c].mean() for c in range(2)]
            assert by_class == pytest.approx(results[arm]["recalls"])
            assert np.mean(by_class) == pytest.approx(results[arm]["test"])
        x.append(bits[arm].astype(int) - bits[rival])
        both["with it"].append(bits[arm])
        both["without"].append(bits[rival])
    guessing = guessing_of(both, examined)
    short = "each classifier was trained for 6 steps only"
    assert told["shortage"] == short and told["sentence"].endswith(f"; {short}.")
    given = {"margin": asked["margin"], "shares": told["shares"], "shortage": short}
    again = verdict(np.stack(x), examined, guessing=guessing, **given).to_json()
    assert {name: told[name] for name in again} == json.loads(json.dumps(again))


@pytest.mark.parametrize("missing", ["test.csv", "hits"])
def test_a_damaged_folder_is_one_line(calm, tmp_path, missing):
    study = Path(shutil.copytree(calm / "st", tmp_path / "st"))
    if missing == "test.csv":
        (study / "test.csv").write_text("position,class,group\n1,x,2\n")
    else:
        path = study / "repeats/01/none.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"hits": "zz"}))
    with inside(calm):
        done = typed("resume", str(study))
    assert done.code == 2 and len(done.errors) == 1 and "begin the study anew" in done.errors[0], done


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_the_mixed_set_is_what_the_chosen_share_trained_on(calm, tmp_path, capsys, share):
    """Each class has the share that validation chose; where that is none, no generated picture, and a line says so."""
    study = Path(shutil.copytree(calm / "st", tmp_path / "st"))
    record = json.loads((study / "study.json").read_text())
    record["asked"]["shares"] = [0.25, 0.5, 0.75, 1.0]
    record["data"]["source"] = str(calm / "pics")
    (study / "study.json").write_text(json.dumps(record))
    for r in range(2):
        of_half = json.loads((study / f"repeats/0{r + 1}/gan-50.json").read_text())
        for other in record["asked"]["shares"]:
            result = {
                **of_half,
                "arm": share_name(other),
                "share": other,
                "validation": 2.0 if other == share else -1.0,
            }
            (study / f"repeats/0{r + 1}/{share_name(other)}.json").write_text(json.dumps(result))
    augmented_set.write_mixed(Place.open(study), tmp_path / "out")
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["share"] == share
    for name in ("boot", "dress"):
        files = [p.name for p in (tmp_path / "out" / name).iterdir()] if (tmp_path / "out" / name).exists() else []
        made = sum(file.startswith("zeuxis-") for file in files)
        real = 0 if share == 1 else 4
        assert (len(files) - made, made) == (real, {0.0: 0, 0.25: 1, 0.5: 4, 0.75: 12, 1.0: 4}[share])
    assert ("real pictures only" in capsys.readouterr().err) == (share == 0)


def test_a_settled_study_is_left_alone(calm, few_steps):
    results = _results(calm)
    with inside(calm):
        again, resumed, page = typed(*STUDY), typed("resume", "st"), typed("report", "st")
        other = typed(*STUDY, "--margin", "2")
    assert again.code == resumed.code == page.code == 0
    assert again.out == resumed.out and again.out.startswith("UNDECIDED") and again.out.endswith("st/report.html\n")
    assert _results(calm) == results
    assert other.code == 2 and "another study is there already: its `--margin` is 0.5, not 2 (st)" in other.errors[0]


def test_a_finished_study_is_told_again_where_its_pictures_are_gone(calm, few_steps):
    before = tree(calm / "st")
    with inside(calm):
        first = typed("resume", "st")
        Path("pics").rename("gone")
        try:
            again = typed("resume", "st")
            Path("st/verdict.json").rename("verdict")
            unfinished = typed("resume", "st")
            Path("verdict").rename("st/verdict.json")
        finally:
            Path("gone").rename("pics")
    assert (again.code, again.out) == (0, first.out) and "nothing to do" in again.err and tree(calm / "st") == before
    assert unfinished.code == 2 and "--data NEW" in unfinished.err


def test_the_augmented_set_is_left_alone_and_written_where_it_is_missing(calm, few_steps):
    kept = tree(calm / "mixed")
    with inside(calm):
        again = typed(*STUDY, "--out", "mixed")
        assert again.code == 0 and not again.errors, again
        assert tree(calm / "mixed") == kept
        shutil.rmtree("mixed")
        Path("mixed").mkdir()
        (Path("mixed") / "mine.txt").write_text("not yours")
        resumed, refused = typed("resume", "st"), typed(*STUDY, "--out", "mixed")
        assert resumed.code == 0 and "the augmented set is not written" in resumed.err
        assert refused.code == 2 and "not an empty folder" in refused.errors[0]
        shutil.rmtree("mixed")
        assert typed("resume", "st").code == 0
    assert tree(calm / "mixed") == kept


def test_a_dry_run_prints_the_plan_and_writes_nothing(calm, few_steps):
    with inside(calm):
        done = typed(*[w if w != "st" else "other" for w in STUDY], "--dry-run")
        assert (done.code, done.out) == (0, "") and "2 repeats x (1 generator + 7 classifiers)" in done.err
        assert "2 repeats can never decide" in done.err
        assert (
            "with 16 sealed test pictures a difference below about 7 points can hardly be found, however many"
            in done.err
        )
        assert "to say NO USEFUL GAIN within 0.5 points takes 600: give more pictures" in done.err
        assert not Path("other").exists()


def test_a_plan_warns_of_pictures_under_two_labels(tmp_path):
    pictures(tmp_path / "pics", ("boot", "dress"), 12)
    shutil.copyfile(tmp_path / "pics/boot/01.png", tmp_path / "pics/dress/same.png")
    with inside(tmp_path):
        done = typed("augment", "pics", "--study", "st", "--labels-per-class", "4", "--dry-run")
    assert "warning: 1 picture under two labels, such as `boot/01.png` and `dress/same.png`" in done.err, done


def _results(place: Path) -> dict[str, int]:
    return {p.name + p.parent.name: p.stat().st_mtime_ns for p in place.glob("st/repeats/*/*.json")}


BEGIN = """
import sys
from tests.stories.test_study_story import STUDY, small
from zeuxis import cli
from zeuxis.jobs.study import plan
plan.StudyConfig = small
sys.argv = ["zeuxis", *STUDY]
sys.exit(cli.main())
"""


def _begin(place: Path, project: Path):
    import os
    import subprocess

    return subprocess.Popen(
        [sys.executable, "-c", BEGIN], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=place,
        start_new_session=True, env={**os.environ, "PYTHONPATH": str(project)},
    )  # fmt: skip


@pytest.mark.parametrize("how", ["resume", pytest.param("the same command", marks=pytest.mark.long)])
def test_killed_and_gone_on_with(calm, tmp_path, project, how):
    """SIGKILL once three results are there; nothing finished is done again, and the table is the undisturbed one."""
    (tmp_path / "pics").symlink_to(calm / "pics")
    process = _begin(tmp_path, project)
    wait_until(lambda: len([n for n in _results(tmp_path) if not n.startswith("draw")]) >= 3, process)
    kill_group(process)
    kept = _results(tmp_path)
    assert not (tmp_path / "st" / "verdict.json").exists()
    clock = json.loads((tmp_path / "st" / "clock.json").read_text())
    assert clock["running"] and clock["seconds"] > 0
    process = start("resume", "st", cwd=tmp_path) if how == "resume" else _begin(tmp_path, project)
    done = ended(process)
    assert done.code == 0 and not done.errors, done
    after = _results(tmp_path)
    assert {name: after[name] for name in kept} == kept
    ended_clock = json.loads((tmp_path / "st" / "clock.json").read_text())
    assert ended_clock["seconds"] > clock["seconds"] and ended_clock["at_least"] and not ended_clock["running"]
    assert "taken" in (page := (tmp_path / "st" / "report.html").read_text()) and "at least" in page
    for file in ("table.csv", "verdict.json"):
        assert (tmp_path / "st" / file).read_bytes() == (calm / "st" / file).read_bytes(), file


def test_ctrl_c_stops_a_study_with_the_line_to_go_on_with(calm, tmp_path, project):
    import signal

    (tmp_path / "pics").symlink_to(calm / "pics")
    process = _begin(tmp_path, project)
    wait_until(lambda: any(n.startswith("none") for n in _results(tmp_path)), process)
    process.send_signal(signal.SIGINT)
    done = ended(process, 60)
    assert done.code == 130 and done.errors == ["stopped (st); continue with `zeuxis resume st`"], done


def test_a_study_that_has_nothing_to_do_takes_no_time(calm, few_steps):
    clock = (calm / "st/clock.json").read_bytes()
    with inside(calm):
        assert typed("resume", "st").code == 0 and typed(*STUDY).code == 0
    assert (calm / "st/clock.json").read_bytes() == clock


@pytest.mark.parametrize("word", ["augment", "train"])
def test_a_folder_that_holds_other_files_is_no_place_for_a_study_or_a_run(calm, tmp_path, word):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("do not touch")
    with inside(calm):
        data = STUDY[1]
        if word == "augment":
            done = typed(*[str(tmp_path / "mine") if w == "st" else w for w in STUDY])
        else:
            done = typed("train", "gan", data, "--run", str(tmp_path / "mine"), "--steps", "1")
    assert done.code == 2 and "not empty: it holds notes.txt" in done.err
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_a_study_that_was_renamed_knows_its_own_set(calm, tmp_path):
    """With the set written beside it: resuming leaves the set as it is, and says nothing of another one."""
    shutil.copytree(calm, tmp_path / "all")
    with inside(tmp_path / "all"):
        Path("st").rename("renamed")
        record = json.loads(Path("renamed/study.json").read_text())
        write_json(Path("renamed/study.json"), {**record, "out": str(tmp_path / "all" / "mixed")})
        done = typed("resume", "renamed")
    assert done.code == 0 and "not written" not in done.err, done.err


def test_a_place_that_cannot_be_is_refused_by_a_dry_run_too(calm, few_steps):
    with inside(calm):
        Path("afile").write_text("hi")
        for place in ("afile", "afile/sub"):
            typed_in = [place if w == "st" else w for w in STUDY]
            both = [typed(*typed_in, *more) for more in ((), ("--dry-run",))]
            assert [one.code for one in both] == [2, 2] and both[0].errors == both[1].errors
        Path("afile").unlink()


def test_what_a_study_leaves_out_is_told(calm, tmp_path, few_steps):
    """Copies by rules of originals that are held out were dropped in silence."""
    with inside(calm):
        assert typed("augment", "pics", "--classic-only", "--copies", "2", "--out", str(tmp_path / "more")).code == 0
        more = [str(tmp_path / "more") if w == "pics" else str(tmp_path / "st2") if w == "st" else w for w in STUDY]
        done = typed(*more, "--dry-run")
    assert done.code == 0 and "zeuxis: left out: " in done.err and "as copies of those held out" in done.err


def test_a_study_whose_pictures_moved_says_where_to_name_them_though_it_is_finished(calm, tmp_path):
    """Its set is missing and would be written again: from pictures that are not there any more."""
    shutil.copytree(calm, tmp_path / "all")
    with inside(tmp_path / "all"):
        record = json.loads(Path("st/study.json").read_text())
        data = {**record["data"], "source": str(tmp_path / "gone")}
        write_json(Path("st/study.json"), {**record, "data": data, "out": str(tmp_path / "nowhere")})
        done = typed("resume", "st")
    assert done.code == 2 and "the pictures are no longer here" in done.err and "--data NEW" in done.err
