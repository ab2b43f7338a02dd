"""`evaluate`: a run, a folder, what is said where neither can be measured, and `train auto` before it."""

import json

import pytest
from PIL import Image

import zeuxis
from tests.stories.commands import inside, pictures, typed
from zeuxis.pages.evaluation import lines, sentence_of


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("evaluate")
    pictures(place / "pics", ("boot", "dress"), 30)
    pictures(place / "few", ("boot",), 3)
    with inside(place):
        done = typed("train", "auto", "pics", "--run", "r", "--steps", "2", "--compute", "plain")
    assert done.code == 0 and "zeuxis: cgan: " in done.err and "pixel by pixel" in done.err
    assert json.loads((place / "r" / "run.json").read_text())["chosen"]
    return place


def test_a_run_against_what_it_held_out_and_against_others(place):
    with inside(place):
        done = typed("evaluate", "r", "-n", "20", "--data", "pics", "--features", "layout")
        assert done.code == 0 and "KID x 1000" in done.out and "copies" in done.out and "layout" in done.out
        record = zeuxis.evaluate("r", data="pics", n=20, features="layout")
    assert record.generated == 20 and record.train + record.test == 60 and record.seen
    assert set(record.figures["cas"].by_class) == {"boot", "dress"}
    assert record.to_json()["kid"]["floor"] is not None


def test_a_folder_of_pictures_is_measured_without_copies(place):
    with inside(place):
        done = typed("evaluate", "few", "--data", "pics", "--features", "layout", "--json")
        assert done.code == 2 and "too few to compare: 3 generated pictures" in done.err
        record = json.loads(typed("evaluate", "pics", "--data", "pics", "--features", "layout", "--json").out)
    assert "copied" not in record and record["generated"] == 60 and record["seen"] is False
    assert record["gan_test"]["value"] > 0.5


def test_features_of_a_classifier_are_named_with_their_hash_and_do_not_change(place, monkeypatch):
    from zeuxis.jobs import features

    monkeypatch.setattr(features, "_STEPS", 3)
    with inside(place):
        first, again = (zeuxis.evaluate("r", data="pics", n=16, features="classifier") for _ in range(2))
    assert first.to_json() == again.to_json() and len(first.features_sha256) == 64


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("evaluate pics", "needs real ones beside it"),
        ("evaluate nowhere --data pics", "there is no such file or folder"),
        ("evaluate r --data other", "the classes of these pictures are coat, hat; the run learned boot, dress"),
        ("evaluate other --data pics", "no class `coat`"),
        ("evaluate other --data pics -n 8", "a folder of pictures, which is measured as it is; leave -n out"),
        ("evaluate r --data pics --size 32 --channels 3", "read them with `--size 16 --channels 1`"),
        ("evaluate r --data pics --features efficientnet-lite0", "were not added"),
    ],
)
def test_what_cannot_be_measured_is_said_in_a_line(place, tmp_path, monkeypatch, line, said):
    monkeypatch.setenv("ZEUXIS_CACHE", str(tmp_path))
    if not (place / "other").exists():
        pictures(place / "other", ("hat", "coat"), 8)
    with inside(place):
        done = typed(*line.split())
    assert done.code == 2 and len(done.errors) == 1 and said in done.err, done.err


def test_a_folder_that_holds_the_real_pictures_themselves_is_found_out(place, tmp_path):
    with inside(place):
        done = typed("evaluate", "pics", "--data", "pics", "--features", "layout")
    assert "pixel for pixel 60 of 60 generated pictures can be found in pics" in done.err


def test_pictures_without_classes_are_measured_and_it_is_said_what_is_missing(place, tmp_path):
    pictures(tmp_path / "flat", ("one",), 12)
    with inside(place):
        done = typed("evaluate", str(tmp_path / "flat" / "one"), "--data", "pics", "--features", "layout")
    assert done.code == 0 and "GAN-test and CAS are not measured" in done.err and "GAN-test" not in done.out


def test_what_sample_drew_is_judged_by_class_and_at_its_own_size(place, tmp_path):
    """The pictures lie in one folder, beside their sheet, and say of which class they are in a note."""
    drawn = str(tmp_path / "drawn")
    pictures(tmp_path / "large", ("boot", "dress"), 30, side=24)
    with Image.open(next((tmp_path / "large").rglob("*.png"))) as one:
        one.resize((30, 40)).save(tmp_path / "large" / "boot" / "other.png")
    with inside(place):
        assert typed("sample", "r", "-n", "12", "--out", drawn).code == 0
        done = typed("evaluate", drawn, "--data", "pics", "--features", "layout")
        assert done.code == 0 and "left out: 1 sheet of several pictures" in done.err and "GAN-test" in done.out
        again = typed("evaluate", drawn, "--data", str(tmp_path / "large"), "--channels", "1", "--features", "layout")
    assert again.code == 0 and "comparing at 16x16 pixels, the size of the generated pictures" in again.err, again.err
    assert done.out.splitlines()[-1].startswith(("The samples ", "In light, colour and detail the samples "))
    with Image.open(tmp_path / "drawn" / "grid.png") as sheet:
        assert sheet.size == (6 * 18 - 2, 2 * 18 - 2)


def test_more_pictures_than_are_compared_are_drawn_from_all_classes(place, monkeypatch):
    from zeuxis.jobs import evaluating

    monkeypatch.setattr(evaluating, "MOST", 20)
    with inside(place):
        record = zeuxis.evaluate("pics", data="pics", features="layout")
    assert (record.generated, record.train) == (20, 20)
    assert all(share is not None for share in record.figures["gan_test"].by_class.values())


def test_a_run_whose_pictures_moved_says_how_to_name_them(place, tmp_path):
    pictures(tmp_path / "before", ("boot", "dress"), 30)
    with inside(tmp_path):
        assert typed("train", "cgan", "before", "--run", "r", "--steps", "1", "--compute", "plain").code == 0
        (tmp_path / "before").rename(tmp_path / "now")
        done = typed("evaluate", "r", "--data", "now", "--features", "layout")
        assert done.code == 2 and "`zeuxis resume r --data NEW` reads them where they are now" in done.err
        assert typed("resume", "r", "--data", "now").code == 0
        assert typed("evaluate", "r", "-n", "16", "--features", "layout").code == 0


def test_the_page_begins_with_the_answer_and_shows_both_kinds(place, tmp_path):
    with inside(place):
        done = typed("evaluate", "r", "--data", "pics", "-n", "20", "--features", "layout", "--page", "e.html")
        assert done.code == 0 and done.out.splitlines()[-1] == "e.html"
        page = (place / "e.html").read_text()
        record = zeuxis.evaluate("r", data="pics", n=20, features="layout")
    said = sentence_of(record.to_json())
    assert said in page and "are recognised as the class that they were made for" in said and said in done.out
    alike = record.to_json() | {"within": {**record.to_json()["within"], "value": 0.1}}
    assert "the pictures of a class are only 0.10 times as varied as real ones of it" in sentence_of(alike)
    assert page.count("data:image/png") == 4 and "boot" in page and "http" not in page.replace("http-equiv", "")
    with inside(place):
        (place / "mine.html").write_text("<p>mine</p>")
        assert typed("evaluate", "r", "--features", "layout", "--page", "mine.html").code == 2
        assert (place / "mine.html").read_text() == "<p>mine</p>"


def test_a_run_without_labels_is_held_against_pictures_with_others_or_with_none(place, tmp_path):
    pictures(tmp_path / "flat", ("one",), 90)
    pictures(tmp_path / "others", ("hat", "coat"), 90)
    with inside(place):
        line = "train gan pics --no-conditional --steps 1 --compute plain --run"
        assert typed(*line.split(), str(tmp_path / "r")).code == 0
        for data in (tmp_path / "flat" / "one", tmp_path / "others"):
            done = typed("evaluate", str(tmp_path / "r"), "-n", "16", "--features", "layout", "--data", str(data))
            assert done.code == 0 and "KID x 1000" in done.out and "GAN-test" not in done.out, done


def test_a_single_class_is_none_to_tell_apart(place, tmp_path):
    files = sorted((place / "pics").rglob("*.png"))
    (tmp_path / "one.csv").write_text("file,label\n" + "".join(f"{file},cat\n" for file in files))
    with inside(tmp_path):
        assert typed("train", "gan", "one.csv", "--run", "r", "--steps", "1", "--compute", "plain").code == 0
        done = typed("evaluate", "r", "-n", "16")
        assert done.code == 0 and "layout" in done.out and "GAN-test" not in done.out, done
        done = typed("evaluate", "r", "-n", "16", "--features", "classifier")
        assert done.code == 2 and "two classes" in done.err, done


def test_a_figure_that_cannot_be_is_left_empty(place):
    with inside(place):
        done = typed("evaluate", "r", "-n", "8", "--data", "pics", "--features", "layout", "--json")
        record = json.loads(done.out)
    record["within"] |= {"value": float("nan"), "low": None, "high": None, "floor": None}
    assert "nan" not in "\n".join(lines(record))


def test_of_a_large_folder_it_is_said_how_many_are_compared(place, monkeypatch):
    from zeuxis.jobs import evaluating

    monkeypatch.setattr(evaluating, "MOST", 20)
    with inside(place):
        done = typed("evaluate", "pics", "--data", "pics", "--features", "layout")
    assert "20 of 60 generated pictures are compared, drawn by chance" in done.err


def test_after_a_longer_training_the_judgement_says_whether_samples_show_their_class(place, tmp_path, monkeypatch):
    from zeuxis.jobs import features
    from zeuxis.jobs.capabilities import generates

    monkeypatch.setattr(generates, "_WORTH", 0.0)
    monkeypatch.setattr(generates, "_SHOWN", 40)
    monkeypatch.setattr(features, "_STEPS", 30)
    with inside(place):
        run = zeuxis.train("cgan", "pics", run=tmp_path / "r", steps=2, compute="plain")
        alone = zeuxis.train("cgan", "pics", run=tmp_path / "q", steps=2, compute="plain", conditional=False)
    figures, sentence = (run.finish["judgement"][name] for name in ("figures", "sentence"))
    assert figures["recognised_n"] == 40 and figures["recognised_chance"] == 0.5 and 0 <= figures["recognised"] <= 1
    assert f"{100 * figures['recognised']:.0f} % of the samples for the class that they were drawn for" in sentence
    assert "recognised as their class" in (run.path / "report.html").read_text()
    assert "recognised" not in alone.finish["judgement"]["figures"]
