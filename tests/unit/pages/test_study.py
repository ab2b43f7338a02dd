import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.unit.pages.fixtures import SENTENCES, SHA, write_grid, write_json, write_run, write_study
from tests.unit.pages.html_checks import Page, check_page
from zeuxis.augmentation.names import RIVALS
from zeuxis.errors import BadInput
from zeuxis.jobs.capability import write_report
from zeuxis.pages.arm_results import arms_of, mean_recalls, read_repeats
from zeuxis.pages.folder import open_study
from zeuxis.pages.generators import alarms, of_augment
from zeuxis.pages.study import made_of, settings_words, without_word, write_study_report
from zeuxis.pages.study_tables import arms_plot, controls_words
from zeuxis.spelling import Advice, Way


def page_of(folder: Path) -> Page:
    path = write_study_report(folder)
    assert path == folder / "report.html"
    return check_page(path.read_text("utf-8"))


def change(path: Path, **values: Any) -> None:
    write_json(path, {**json.loads(path.read_text()), **values})


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("study") / "study")


@pytest.fixture
def copy(study: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(study, tmp_path / "study"))


def test_the_distances_are_those_of_the_repeat_whose_pairs_are_shown(copy: Path) -> None:
    """The pairs are of the generator with the best score, even where another repeat lies closer."""
    near, best = ([{"distance": d, "class": 1}] for d in (0.25, 3.75))
    change(copy / "repeats" / "03" / "generator.json", nearest_pairs=near)
    change(copy / "repeats" / "05" / "generator.json", nearest_pairs=best, cas=0.99)
    page = page_of(copy)
    assert "row by row: trouser 3.75" in page.text and "trouser 0.25" not in page.text


def test_a_study_says_all(study: Path) -> None:
    page = page_of(study)
    for words in (
        "UNDECIDED",
        "This study cannot tell whether generated pictures help.",
        "Six paired repeats; exact sign-flip test",
        "gan against best, balanced accuracy on the sealed test part",
        "repeat 6",
        "policy light share 25 %",
        "Real and generated pictures",
        "its nearest real neighbour on the right",
        "t-shirt 1.20",
        "Accuracy on real validation pictures",
        "Training of the generator of repeat 1",
        "critic: what it minimises",
        "The samples look alike (diversity 0.31 of the real pictures)",
        "generator of repeat 2",
        "50 labels per class are few",
        "Share of each class that is recognised",
        "gan against shuffled",
        "p by Holm",
        "four times in five; smaller ones are missed more often",
        "over repeats and 1,000 test pictures",
        "chose no generated pictures",
        "policy light no generated pictures",
        "is the least possible, since 1 difference is 0 by choice",
        "happen to be moves the result by 0.24 points",
        "the population that the test part was drawn from",
        "not judged: it takes 7 repeats",
        "takes a new study of about 27 repeats; there were 6",
        "How to read this",
        "zeuxis augment fashion-mini --study study",
        "2,400 train, 600 validation, 1,000 test",
        SHA,
        SHA[::-1],
        "11 min 40 s planned",
    ):
        assert words in page.text, words
    assert len(page.images()) == 3
    assert "not in the folder" not in page.text


def test_what_the_controls_changed_is_said_in_one_sentence(copy: Path) -> None:
    """A reader took +0.95 points for the work of the generator; repeated real pictures had given +0.57."""
    for folder in sorted((copy / "repeats").iterdir()):
        for arm, test in {"none": 0.7, "light": 0.8, "strong": 0.7, "duplicated": 0.8057, "shuffled": 0.79}.items():
            change(folder / f"{arm}.json", test=test, validation=test)
        change(folder / "gan.json", test=0.8095, policy="light")
    said = (
        "Against the score without generated pictures, on average over the repeats: "
        "generated pictures changed it by +0.95 points; repeating real pictures in their place changed it by "
        "+0.57 points; generated pictures with shuffled labels changed it by \u22121.00 points."
    )
    assert said in page_of(copy).text
    for path in copy.glob("repeats/*/*.json"):
        if path.stem in ("duplicated", "shuffled"):
            path.unlink()
    (copy / "table.csv").unlink()
    assert "Against the score without" not in page_of(copy).text


def test_what_was_asked_shows_a_time_as_it_is_typed(copy: Path) -> None:
    asked = json.loads((copy / "study.json").read_text())["asked"]
    change(copy / "study.json", asked={**asked, "budget": 720.0})
    page = page_of(copy)
    assert "budget 12m" in page.text and "720" not in page.text


@pytest.mark.parametrize(
    ("verdict", "css", "sign"),
    [
        ("HELPED", "helped", "▲"),
        ("HURT", "hurt", "▼"),
        ("NO USEFUL GAIN", "same", "="),
        ("UNDECIDED", "undecided", "?"),
    ],
)
def test_the_verdict_stands_first_with_word_and_sign(copy: Path, verdict: str, css: str, sign: str) -> None:
    change(copy / "verdict.json", verdict=verdict, sentence=SENTENCES[verdict], clearly=verdict == "HELPED")
    page = page_of(copy)
    head = page.text[: page.text.index("Mean difference")]
    assert sign in head and verdict in head and without_word(SENTENCES[verdict], verdict) in head
    assert ("HELPED CLEARLY" in head) == (verdict == "HELPED")
    assert ("header", {"class": css}) in page.tags


def test_fewer_than_six_repeats_say_so(tmp_path: Path) -> None:
    page = page_of(write_study(tmp_path / "few", repeats=3))
    assert "With 3 repeats the smallest possible p is 0.25, so no verdict can be reached." in page.text
    assert "so few repeats can never decide" in page.text


def test_all_share_zero_shows_its_words(copy: Path) -> None:
    why = "Every repeat chose share 0 on validation: the generated pictures were never worth using."
    change(
        copy / "verdict.json",
        verdict="NO USEFUL GAIN",
        sentence=SENTENCES["NO USEFUL GAIN"],
        why=why,
        differences=[0.0] * 6,
        mean=0.0,
        sd=0.0,
        interval95=[0.0, 0.0],
        shares=[0.0] * 6,
        p=1.0,
        mde80=0.0,
        repeats_for_margin=None,
    )
    page = page_of(copy)
    assert why in page.text and "0.00 · 0 %" not in page.text
    assert page.text.count("chose no generated pictures") == 6
    assert "not measured" in page.text and "0.00 to 0.00" not in page.text and "95 % interval 0" not in page.text
    assert "varies by 0.00 points" not in page.text and "with generated pictures; the number is" not in page.text
    found = open_study(copy)
    plot = arms_plot(found, arms_of(found.repeats, found.verdict))
    assert "none" in (names := re.findall(r">\s*(\w+)\s*<", plot)) and "gan" not in names


@pytest.mark.parametrize("treatment", ["again", "more-real", "shuffled-real"])
def test_a_check_of_the_study_itself_speaks_of_no_generator(tmp_path: Path, treatment: str) -> None:
    folder = write_study(tmp_path / "study", done=0)
    (folder / "verdict.json").unlink(missing_ok=True)
    shutil.rmtree(folder / "samples", ignore_errors=True)
    asked = json.loads((folder / "study.json").read_text())["asked"]
    change(folder / "study.json", asked={**asked, "treatment": treatment}, generates=False)
    result = {"policy": "light", "share": None, "validation": 0.8, "test": 0.8, "recalls": []}
    write_json(folder / "repeats" / "01" / f"{treatment}.json", {**result, "arm": treatment})
    page = page_of(folder).text
    assert f"{treatment} : check:" in page.replace(f"{treatment}:", f"{treatment} :")
    for words in ("generator cgan", "No generator", "copying was not looked at", "trains a generator"):
        assert words not in page


def test_alarms_keep_the_numbers_of_their_repeats_and_advise_flags_of_augment() -> None:
    again = Advice((Way({"lr": 0.0005, "norm": False}), Way(how="more pictures"), Way(how="another", of="seed")))
    assert again.words(of_augment) == (
        "train again with `--generator lr=0.0005 --generator norm=false`, or more pictures, or another --seed"
    )
    assert Advice((Way({"images": 12000}),), "it").words(of_augment) == "train again with more --budget: it"
    few = Advice((Way(how="more pictures"), Way(how="fewer", of="images"), Way(how="fewer", of="images")))
    assert few.words(of_augment) == "train again with more pictures"


def test_alarms_of_one_name_stand_once_with_their_repeats(copy: Path) -> None:
    for r, words in enumerate(("diversity 0.14", "diversity 0.22", "diversity 0.14")):
        listed = [{"name": "saturation", "words": words}]
        change(copy / "repeats" / f"0{r + 1}" / "generator.json", alarms=listed)
    found = [a for a in alarms(open_study(copy)) if a["name"] == "saturation"]
    assert [(a["words"], a["where"]) for a in found] == [
        ("diversity 0.14", "generator of repeats 1, 2, 3; the figures are of repeat 1"),
    ]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"judged": "better", "p_holm": 0.04}, "better"),
        ({"judged": "open", "p_holm": 0.06}, "open"),
        ({"judged": "empty", "p_holm": 1.0}, "gan holds no generated pictures"),
        ({"judged": None, "repeats_needed": 8, "p_holm": 0.1}, "not judged: it takes 8 repeats"),
    ],
)
def test_a_comparison_reads_as_its_numbers_allow(copy: Path, found: dict[str, Any], words: str) -> None:
    numbers = {"comparison": "gan against none", "mean": 5.63, "interval95": [4.03, 7.87]}
    change(copy / "verdict.json", secondary=[{**numbers, **found}])
    page = page_of(copy)
    assert words in page.text and "cannot be told apart" not in page.text
    assert ("not one of them can be judged" in page.text) == ("repeats_needed" in found)


def test_no_useful_gain_is_drawn_with_the_interval_that_it_rests_on(copy: Path) -> None:
    """The bar of 95 % stuck out of the shaded band under a verdict that lies within it."""
    change(copy / "verdict.json", verdict="NO USEFUL GAIN", interval90=[-0.41, 0.48], interval95=[-0.53, 0.60])
    assert "at 90 %" in page_of(copy).text
    change(copy / "verdict.json", verdict="UNDECIDED")
    assert "at 90 %" not in page_of(copy).text


def test_the_treatment_is_no_control_of_itself(copy: Path) -> None:
    """Pictures with guessed labels were said to change the score twice, once by "the the treatment"."""
    study = json.loads((copy / "study.json").read_text())
    change(copy / "study.json", generates=False, asked={**study["asked"], "treatment": "guessed"})
    change(copy / "verdict.json", arm="guessed")
    for path in copy.glob("repeats/*/gan.json"):
        path.with_name("guessed.json").write_text(path.read_text().replace('"gan"', '"guessed"'))
    said = controls_words(open_study(copy))
    assert "the the" not in said and "guessed labels" not in said


def test_no_number_of_repeats_is_said_with_the_test_pictures_it_takes(copy: Path) -> None:
    change(copy / "verdict.json", repeats_for_margin=None, pictures_for_margin=4200)
    page = page_of(copy)
    assert "No number of repeats calls 0.50 points as surely on 1,000 test pictures like these" in page.text
    assert "takes at least about 4,200" in page.text and "as surely takes a new" not in page.text


@pytest.mark.parametrize(("repeats", "how"), [(20, "exact"), (21, "sampled")])
def test_the_page_says_how_p_was_found(copy: Path, repeats: int, how: str) -> None:
    change(copy / "verdict.json", repeats=repeats, shares=None)
    assert f"{how} test over repeats; " in page_of(copy).text


def test_an_unfinished_study_says_what_is_missing(tmp_path: Path) -> None:
    page = page_of(write_study(tmp_path / "half", done=2))
    assert "No verdict yet: 2 of 6 repeats done." in page.text
    assert "Go on, in the folder that holds it, with: zeuxis resume half" in page.text
    assert "Balanced accuracy on the sealed test part" in page.text
    assert "copying was not looked at" in page.text


def test_missing_repeats_are_named_and_taken_from_the_table(copy: Path) -> None:
    for r in (2, 4):
        shutil.rmtree(copy / "repeats" / f"{r + 1:02d}")
    repeats = read_repeats(copy)
    assert [r.index for r in repeats] == [0, 1, 2, 3, 4, 5]
    assert repeats[2].results["gan"].share == 0.25 and repeats[2].results["gan"].recalls == []
    assert "are not in the folder" not in page_of(copy).text
    (copy / "table.csv").unlink()
    assert "The results of repeats 3, 5 of 6 are not in the folder" in page_of(copy).text


def test_a_study_with_its_header_alone_has_a_page(tmp_path: Path) -> None:
    write_json(tmp_path / "study.json", {"format": 1})
    page = page_of(tmp_path)
    assert "No verdict yet: 0 of 0 repeats done." in page.text
    assert "No arm has finished yet." in page.text and "No generator has finished yet." in page.text


def test_odd_values_do_not_cost_the_page(copy: Path) -> None:
    nan = float("nan")
    change(
        copy / "verdict.json",
        mean=nan,
        sd=None,
        interval95=[nan, None],
        p=None,
        mde80=nan,
        differences=[nan, None, 0.2],
        shares=None,
        arms=[{"arm": "gan", "values": [nan, None, 80.0], "mean": nan}, {"arm": None}, 7],
        secondary=[{"comparison": None}, {}],
        sentence=None,
        why=None,
    )
    change(
        copy / "repeats" / "01" / "generator.json",
        curve=[["0.4", nan], [None, 1], 3],
        cas=None,
        chosen="none",
        nearest_pairs=[{}, 5],
    )
    change(copy / "repeats" / "02" / "gan.json", test=nan, validation=None, recalls=None, share="half")
    (copy / "repeats" / "03" / "gan.json").write_text("{")
    (copy / "repeats" / "04" / "generator.json").write_text("")
    (copy / "samples" / "real.png").unlink()
    (copy / "samples" / "nearest_pairs.png").write_bytes(b"no picture")
    change(
        copy / "study.json", spec=None, plan=None, versions=None, command=None, asked={"repeats": "six", "margin": nan}
    )
    (copy / "split.json").write_text("[]")
    page = page_of(copy)
    assert "UNDECIDED" in page.text and "This grid is not in the folder." in page.text


def test_everything_is_escaped(copy: Path) -> None:
    evil = "<script>alert('x')</script>"
    change(
        copy / "study.json",
        command=evil,
        primary=evil,
        versions={evil: evil},
        asked={"recipe": evil, "repeats": 6},
        spec={"channels": 1, "height": 28, "width": 28, "classes": [evil] * 10},
        plan={"warnings": [evil]},
    )
    change(copy / "verdict.json", sentence=evil, why=evil, secondary=[{"comparison": evil, "mean": 1.0}])
    assert evil in page_of(copy).text


def test_arms_of_a_verdict_come_before_those_of_the_repeats(study: Path) -> None:
    repeats = read_repeats(study)
    verdict = {"arms": [{"arm": "gan", "values": [50.0, 60.0], "mean": 55.0, "low": 50.0, "high": 60.0}]}
    arms = {a.name: a for a in arms_of(repeats, verdict)}
    assert list(arms) == ["none", "light", "strong", "gan", "duplicated", "shuffled"]
    assert arms["gan"].values == [50.0, 60.0] and arms["gan"].mean == 55.0 and arms["gan"].high == 60.0
    assert arms["none"].low is None
    assert arms["none"].mean == pytest.approx(sum(100 * r.results["none"].test for r in repeats) / 6)


def test_recalls_are_means_over_repeats_of_rival_and_gan(tmp_path: Path) -> None:
    place = tmp_path / "repeats"
    for r, (rival, gan) in enumerate([("light", [0.5, 1.0]), ("none", [0.7, 0.6])]):
        for arm, found in (("none", [0.2, 0.4]), ("light", [0.4, 0.8])):
            write_json(
                place / f"{r + 1:02d}" / f"{arm}.json", {"arm": arm, "policy": arm, "validation": 0.5, "recalls": found}
            )
        write_json(place / f"{r + 1:02d}" / "gan.json", {"arm": "gan", "policy": rival, "share": 0.5, "recalls": gan})
    rival, gan = mean_recalls(read_repeats(tmp_path), {}, 2)
    assert rival == pytest.approx([30.0, 60.0]) and gan == pytest.approx([60.0, 80.0])
    assert mean_recalls(read_repeats(tmp_path), {}, 3) == ([], [])


def test_a_gan_without_recalls_borrows_those_of_the_run_it_stands_for(tmp_path: Path) -> None:
    place = tmp_path / "repeats" / "01"
    write_json(place / "light.json", {"arm": "light", "policy": "light", "validation": 0.5, "recalls": [0.4, 0.8]})
    write_json(place / "gan-25.json", {"arm": "gan-25", "policy": "light", "share": 0.25, "recalls": [0.5, 0.5]})
    write_json(place / "gan.json", {"arm": "gan", "policy": "light", "share": 0.25})
    assert mean_recalls(read_repeats(tmp_path), {}, 2)[1] == pytest.approx([50.0, 50.0])


def test_without_word_leaves_other_sentences_alone() -> None:
    assert without_word("HURT: it got worse.", "HURT") == "It got worse."
    assert without_word("HELPED, CLEARLY: better.", "HELPED") == "Better."
    assert without_word("It got worse: much.", "HURT") == "It got worse: much."
    assert without_word("HURT", "HURT") == "HURT"


def test_pages_of_large_colour_pictures_stay_small(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study", "HURT", 20)
    for name, columns in (("real", 10), ("fake", 10), ("nearest_pairs", 2)):
        write_grid(study / "samples" / f"{name}.png", 10, columns, 0.5, channels=3, side=64)
    assert len(page_of(study).images()) == 3
    run = write_run(tmp_path / "run", steps=400)
    write_grid(run / "samples" / "000400.png", 10, 10, 0.5, channels=3, side=64)
    assert check_page(write_report(run).read_text("utf-8")).images()


def test_what_is_no_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no study to report: it has no study\.json"):
        write_study_report(tmp_path)


def test_a_repeat_without_gan_takes_the_candidate_that_validation_prefers(tmp_path: Path) -> None:
    place = tmp_path / "repeats" / "01"
    scores = {"none": 0.70, "light": 0.80, "strong": 0.75, "gan-25": 0.81}
    for arm, score in scores.items():
        found = {
            "arm": arm,
            "policy": "light",
            "share": 0.25 if arm == "gan-25" else 0.0,
            "validation": score,
            "test": score,
        }
        write_json(place / f"{arm}.json", found)
    assert "gan" not in read_repeats(tmp_path, RIVALS, (0.25, 0.5))[0].results
    write_json(place / "gan-50.json", {"arm": "gan-50", "share": 0.5, "validation": 0.79, "test": 0.9})
    chosen = read_repeats(tmp_path, RIVALS, (0.25, 0.5))[0].results["gan"]
    assert (chosen.policy, chosen.share, chosen.test) == ("light", 0.25, 0.81)
    write_json(place / "gan-25.json", {"arm": "gan-25", "share": 0.25, "validation": 0.80, "test": 0.9})
    chosen = read_repeats(tmp_path, RIVALS, (0.25, 0.5))[0].results["gan"]
    assert (chosen.policy, chosen.share, chosen.test) == ("light", 0.0, 0.80)


def test_other_treatments_are_called_by_their_name(copy: Path) -> None:
    asked = json.loads((copy / "study.json").read_text())["asked"]
    change(copy / "study.json", asked={**asked, "treatment": "again", "budget": 720.0}, generates=False)
    for place in (copy / "repeats").iterdir():
        (place / "gan.json").rename(place / "again.json")
        change(place / "again.json", arm="again")
    page = page_of(copy)
    assert "accuracy with the treatment `again` minus accuracy without" in page.text
    assert "12 min 0 s asked" in page.text and "with generated pictures; the number" not in page.text


def test_settings_without_a_value_are_not_listed_and_why_a_recipe_was_chosen_is_none(copy: Path) -> None:
    asked = json.loads((copy / "study.json").read_text())["asked"]
    chosen = "28x28 px are few enough to learn pixel by pixel"
    change(copy / "study.json", asked={**asked, "steps": None, "chosen": chosen})
    names = settings_words(open_study(copy).asked)
    assert "steps" not in names and "chosen" not in names and "repeats" in names
    assert ("Recipe chosen", chosen) in made_of(open_study(copy))
