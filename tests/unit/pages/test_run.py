import json
from pathlib import Path

import pytest
from PIL import Image

import zeuxis
from tests.unit.pages.fixtures import (
    CLASSES,
    SHA,
    game_log,
    run_header,
    write_classifier_run,
    write_grid,
    write_json,
    write_log,
    write_run,
)
from tests.unit.pages.html_checks import check_page
from zeuxis.errors import BadInput
from zeuxis.jobs.capability import write_report
from zeuxis.pages import run as module
from zeuxis.pages.formats import DASH
from zeuxis.pages.outcome import of_samples
from zeuxis.pages.run_folder import open_run


def page_of(folder: Path):
    path = write_report(folder)
    assert path == folder / "report.html"
    return check_page(path.read_text("utf-8"))


def test_a_finished_run_says_all(tmp_path: Path) -> None:
    page = page_of(write_run(tmp_path / "run"))
    for words in (
        "cgan on fashion-mini",
        "cgan was trained on 2,700 pictures of 10 classes from fashion-mini (28 x 28 pixels, grey), told the class of"
        " each, for 2,400 steps: 153,600 pictures seen in 5 min 1 s.",
        "5m asked, 0.4 % more",
        "ankle boot",
        "How they developed",
        "The samples look alike (diversity 0.18 of the real pictures)",
        "What to do: train again with a smaller rate",
        "first at step 200, 2 times",
        "critic/hinge was not finite in step 207",
        "It took 2 attempts",
        "Diversity of the samples",
        "critic: what it minimises",
        "critic: watched",
        "Throughput",
        "zeuxis train cgan fashion-mini --budget 5m --run runs/first",
        SHA,
        SHA[::-1],
        "2.13.0",
        "zeuxis report .",
    ):
        assert words in page.text, words
    assert "has not finished" not in page.text
    assert len(page.images()) == 2 and all("pixel" in str(i["class"]) for i in page.images())


def test_real_pictures_and_nearest_pairs_are_shown_where_they_lie_in_the_folder(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    without = page_of(folder)
    assert "Did the generator copy?" not in without.text and "Real" not in without.text
    assert "could not be read" not in without.text and "not in the folder" not in without.text
    write_grid(folder / "real" / "grid.png", 10, 10, 1.0, seed=2)
    write_grid(folder / "real" / "nearest_pairs.png", 4, 8, 0.95, seed=3)
    page = page_of(folder)
    assert "Real" in page.text and "Generated" in page.text
    assert [str(i["alt"]) for i in page.images()] == [
        "real training pictures, one row per class",
        "grid of samples at step 2,400",
        "samples from the same latents at growing numbers of steps",
        "generated pictures, each beside its nearest real training picture",
    ]
    rows = [a["title"] for t, a in page.tags if t == "li" and "title" in a]
    assert rows == [*CLASSES, *CLASSES]
    assert "Whether they are copies was not measured" in page.text
    write_json(folder / "real" / "nearest_pairs.json", {"n": 1000, "copies": 120, "expected": 10.0, "alarm": True})
    assert "120 of 1,000 lie much closer to one training picture" in page_of(folder).text


def test_no_page_praises_what_was_not_measured() -> None:
    for template in (Path(module.__file__).parent / "templates").glob("*.j2"):
        assert "as it should" not in template.read_text("utf-8"), template


FIGURES = {"n": 512, "held": 400, "diversity": 0.045, "sharpness": 0.1, "distance": 0.8, "distance_real": 0.0,
           "coverage": 0.0, "coverage_real": 0.97, "recall": 0.0, "recall_real": 0.9, "apart": True}  # fmt: skip


@pytest.mark.parametrize(("then", "over"), [([], True), (["collapse"], False), (None, False)])
def test_an_alarm_that_is_over_is_said_to_be(tmp_path: Path, then: list[str] | None, over: bool) -> None:
    folder = write_run(tmp_path / "run")
    look = {"kind": "score", "step": 2400, "images": 1, "progress": 1.0, "score": {"diversity": 0.9}}
    with (folder / "log.jsonl").open("a") as log:
        log.write(json.dumps(look | ({} if then is None else {"alarms": then})) + "\n")
    assert ("no longer at the last look" in page_of(folder).text) == over


def test_the_first_sentence_is_the_judgement(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", alarms=False)
    text = page_of(folder).text
    assert text.index("How good the result is was not measured in this run.") < text.index("cgan was trained on")
    found = of_samples(FIGURES)
    finish = json.loads((folder / "finish.json").read_text())
    write_json(
        folder / "finish.json",
        {**finish, "judgement": {**found.to_json(), "advice": {"ways": [{"values": {"images": 7}}]}}},
    )
    text = page_of(folder).text
    assert text.index("The samples are fog, all alike: 0.04 times as varied") < text.index("cgan was trained on")
    assert "What to do: train again with --images 7 ." in text and "How the samples were judged" in text
    assert "was not measured" not in text and "Alarms do not say how good the result is." in text


def test_without_a_look_no_alarm_says_nothing(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", alarms=False)
    write_log(folder / "log.jsonl", [])
    assert "Nothing was looked at, so no alarm could be raised." in page_of(folder).text


def test_damaged_real_pictures_do_not_cost_the_page(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    before = page_of(folder).text
    for name in ("grid", "nearest_pairs"):
        (folder / "real").mkdir(exist_ok=True)
        (folder / "real" / f"{name}.png").write_bytes(b"cut short")
    assert page_of(folder).text == before


def test_the_same_folder_gives_the_same_page(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    first = write_report(folder).read_bytes()
    assert write_report(folder).read_bytes() == first
    assert not [p for p in folder.iterdir() if p.name.endswith(".tmp")]


def test_an_unfinished_run_says_how_far_it_came(tmp_path: Path) -> None:
    page = page_of(write_run(tmp_path / "half", finished=False, alarms=False))
    ended = "has not finished: the log ends at step 1,440 of 2,400 (60 %)"
    assert f"{ended}. Go on, in the folder that holds it, with: zeuxis resume half" in page.text
    assert "No alarm was raised so far; the training was looked at 7 times." in page.text


def test_a_classifier_shows_accuracy_in_place_of_samples(tmp_path: Path) -> None:
    page = page_of(write_classifier_run(tmp_path / "run"))
    assert "Balanced accuracy on held-out pictures" in page.text
    assert "Samples" not in page.text and "told the class" not in page.text and not page.images()
    assert "600 steps asked" in page.text and "Losses of a game" not in page.text


def test_a_run_with_its_header_alone_has_a_page(tmp_path: Path) -> None:
    write_json(tmp_path / "run.json", {"format": 1})
    page = page_of(tmp_path)
    assert "no step was logged yet" in page.text and "before its first logged step" in page.text
    assert "The command was not recorded." in page.text


def test_odd_values_do_not_cost_the_page(tmp_path: Path) -> None:
    folder = write_run(
        tmp_path / "run", spec={"channels": None, "height": "tall", "classes": "three"}, sources=None, steps=400
    )
    nan = float("nan")
    events = [
        {
            "kind": "step",
            "step": 10,
            "images": 640,
            "terms": {"critic": {"hinge": nan}, "generator": None},
            "watch": [],
        },
        {"kind": "step", "step": 20, "images": None, "terms": None, "clock": {"images_per_second": "fast"}},
        {"kind": "step", "step": None},
        {
            "kind": "score",
            "step": 20,
            "images": 99,
            "score": {"diversity": None, "recalls": [1, 2], "odd": float("inf")},
        },
        {"kind": "alarm"},
        {"kind": "rewind"},
        {"kind": "novelty"},
    ]
    write_log(folder / "log.jsonl", [*game_log(400, 400), *events])
    with (folder / "log.jsonl").open("a") as file:
        file.write('{"kind": "step", "st')
    (folder / "samples" / "000400.png").write_bytes(b"cut short")
    (folder / "finish.json").write_text('{"steps": NaN, "alarms": [{"name": "x"}, "diverged"], "best": {"step": null}}')
    page = page_of(folder)
    assert "The last grid of samples could not be read." in page.text
    assert "1 line of the log could not be read." in page.text
    assert "diverged" in page.text


def test_of_a_step_played_twice_the_last_stands(tmp_path: Path) -> None:
    write_json(tmp_path / "run.json", run_header(steps=20))
    step = {"kind": "step", "images": 640, "terms": {"critic": {"hinge": 1.0}}}
    write_log(
        tmp_path / "log.jsonl", [{**step, "step": 10}, {**step, "step": 10, "terms": {"critic": {"hinge": 7.25}}}]
    )
    assert "hinge 7.25" in page_of(tmp_path).text


def test_everything_is_escaped(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    folder = write_run(
        tmp_path / "run", recipe=evil, command=evil, settings={evil: evil}, versions={evil: evil}, steps=400
    )
    data = json.loads((folder / "run.json").read_text())
    data["spec"]["classes"] = [evil] * 10
    data["sources"]["images"]["source"] = "a/" + evil
    write_json(folder / "run.json", data)
    event = {"kind": "step", "step": 5, "images": 1, "terms": {evil: {evil: 1.0}}, "watch": {evil + "/x": 2.0}}
    alarm = {
        "kind": "alarm",
        "step": 5,
        "name": evil,
        "words": evil,
        "advice": {"ways": [{"how": evil}, {"values": {evil: evil}}], "why": evil},
    }
    write_log(folder / "log.jsonl", [event, alarm, {"kind": "score", "step": 5, "images": 1, "score": {evil: 1.0}}])
    page = page_of(folder)
    assert evil in page.text


@pytest.mark.parametrize("content", [None, "", "[1, 2]", '{"format": 1', '{"format": 99}'])
def test_what_is_no_run_is_refused_in_one_line(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(BadInput) as caught:
        write_report(tmp_path)
    assert "run.json" in str(caught.value) and "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


def test_the_best_checkpoint_is_found_by_step_or_by_score(tmp_path: Path) -> None:
    write_json(tmp_path / "run.json", run_header(steps=20))
    scores = [
        {"kind": "score", "step": s, "images": s, "score": {"score": v, "accuracy": v}}
        for s, v in ((10, 0.9), (20, 0.7))
    ]
    write_log(tmp_path / "log.jsonl", scores)
    for best in ({"step": 10, "score": 0.9}, 0.9):
        write_json(tmp_path / "finish.json", {"steps": 20, "best": best})
        assert "best (step 10) score 0.700 0.900 accuracy 0.700 0.900" in page_of(tmp_path).text
    write_json(tmp_path / "finish.json", {"steps": 20, "best": None})
    assert "best (step" not in page_of(tmp_path).text


def test_grids_as_the_engine_writes_them_get_their_rows(tmp_path: Path) -> None:
    import torch

    from zeuxis.pictures.png import grid

    folder = write_run(
        tmp_path / "run", steps=400, spec={"channels": 1, "height": 8, "width": 8, "classes": list("abcdefgh")}
    )
    for path in (folder / "samples").glob("*.png"):
        Image.fromarray(grid(torch.zeros(15, 1, 8, 8), 5)[..., 0]).save(path)
    page = page_of(folder)
    labels = [a["title"] for t, a in page.tags if t == "li" and "title" in a]
    assert labels == ["a", "b", "c"] and "How they developed" in page.text


def test_recalls_of_a_classifier_are_shown_class_by_class(tmp_path: Path) -> None:
    folder = write_classifier_run(tmp_path / "run")
    recalls = [0.9, 0.8, None, *[0.7] * 7]
    found = {"format": 1, "balanced_accuracy": 0.7333, "recalls": recalls, "pictures": [30, 30, 0, *[30] * 7]}
    write_json(folder / "recalls.json", found)
    text = check_page(write_report(folder).read_text("utf-8")).text
    assert "Balanced accuracy on the held-out pictures: 73.3 %" in text
    assert f"t-shirt 90.0 % 30 trouser 80.0 % 30 pullover {DASH} 0" in text
    for damaged in ("{", json.dumps({**found, "recalls": recalls[:3]})):
        (folder / "recalls.json").write_text(damaged)
        assert "Class by class" not in check_page(write_report(folder).read_text("utf-8")).text


def test_the_last_grid_is_that_of_the_largest_step(tmp_path: Path) -> None:
    """As text, step 1,000,000 comes before step 999,000."""
    folder = write_run(tmp_path / "run")
    for path in (folder / "samples").glob("*.png"):
        path.unlink()
    for step in (999_000, 1_000_000):
        write_grid(folder / "samples" / f"{step:06d}.png", 10, 10, 0.5)
    assert [path.stem for path in open_run(folder).samples] == ["999000", "1000000"]
    assert "grid of samples at step 1,000,000" in [i["alt"] for i in page_of(folder).images()]


@pytest.mark.parametrize(("exact", "says"), [(True, "promised, with these compute"), (False, "not promised")])
def test_the_page_says_whether_the_same_bits_come_again(tmp_path: Path, exact: bool, says: str) -> None:
    assert says in page_of(write_run(tmp_path / "run", exact=exact)).text


def test_scores_are_called_held_out_where_something_was(tmp_path: Path) -> None:
    assert "on pictures that were not trained on." in page_of(write_run(tmp_path / "run")).text
    alone = page_of(write_run(tmp_path / "alone", splits={"images": {"digest": "a", "train": 1, "held_out": 0}})).text
    assert (
        "that were not trained on" not in alone
        and "There was no held-out picture" in alone
        and "Held-out scores" not in alone
    )


def test_the_command_below_a_page_draws_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_run(tmp_path / "a b" / "run")
    assert "zeuxis report ." in page_of(folder).text
    monkeypatch.chdir(folder)
    before = (folder / "report.html").stat().st_mtime_ns
    assert zeuxis.report(".").resolve() == folder / "report.html"
    assert (folder / "report.html").stat().st_mtime_ns > before
