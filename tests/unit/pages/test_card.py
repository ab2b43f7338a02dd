import json
from pathlib import Path

from tests.unit.pages.fixtures import write_json, write_run
from zeuxis.pages.card import write_card


def test_the_card_tells_of_attempts_and_rewinds(tmp_path: Path) -> None:
    troubled, calm = write_run(tmp_path / "a"), write_run(tmp_path / "b", alarms=False)
    told, none = (write_card(folder).read_text("utf-8") for folder in (troubled, calm))
    assert "| attempts | 2; rewound: critic/hinge was not finite in step 207 |" in told
    assert "| attempts | 1, nothing was rewound |" in none


def test_the_card_begins_with_the_judgement(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "a")
    assert "How good the result is was not measured." in write_card(folder).read_text("utf-8")
    finish = json.loads((folder / "finish.json").read_text())
    write_json(folder / "finish.json", {**finish, "judgement": {"grade": "failed", "sentence": "The samples are fog."}})
    assert "\nThe samples are fog.\n" in write_card(folder).read_text("utf-8")
