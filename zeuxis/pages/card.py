"""The model card of a run: what it is, what it was made of, how to use it (Hugging Face front matter)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zeuxis import catalog
from zeuxis.data.files import write_text
from zeuxis.errors import command, counted
from zeuxis.pages.outcome import judgement_of
from zeuxis.recipes.recipe import Generates
from zeuxis.runs import Run

_CARD = """---
library_name: zeuxis
tags: [{tags}]
license: other
---

# {recipe} on {source}

Trained by Zeuxis {zeuxis} on {items} pictures of {height}x{width} pixels, {channels} channel(s){classes}.

{judgement}

The weights are as free as the pictures they were trained on.

    {command}

| | |
| --- | --- |
| images seen | {images:,} |
| time | {seconds:,.0f} s on {device}, {threads} thread(s) |
| data (sha256) | {digest} |
| weights (content sha256) | {weights} |
| alarms in training | {alarms} |
| attempts | {attempts} |
"""


def attempts_words(attempts: int, rewinds: list[str]) -> str:
    """How often the run began again at half the rate, and why: `2; rewound: critic/hinge was not finite in step 7`."""
    return f"{attempts}; rewound: {', '.join(rewinds)}" if rewinds else f"{attempts}, nothing was rewound"


def _trained_on(record: Mapping[str, Any], stream: str, source: Mapping[str, Any]) -> str:
    """How many pictures of a source are in its training part; of one of a pair, in that of the first."""
    splits = record["splits"]
    split = splits.get(stream) or (next(iter(splits.values()), None) if len(splits) == 1 else None)
    return f"{split['train'] if split else source.get('items', '?')}"


def write_card(folder: Path) -> Path:
    """Writes card.md into a finished run's folder."""
    run = Run.open(folder)
    r, done = run.record, run.finish
    s, outcome = r["spec"], judgement_of(done)
    sources, draws = r["sources"].values(), issubclass(catalog.load(r["recipe"]), Generates)
    text = _CARD.format(
        recipe=r["recipe"],
        tags=", ".join([r["recipe"], *(["image-generation"] if draws else [])]),
        source=" and ".join(Path(one["source"]).name for one in sources),
        zeuxis=r["zeuxis"],
        items=" and ".join(_trained_on(r, name, one) for name, one in r["sources"].items()),
        height=s["height"],
        width=s["width"],
        channels=s["channels"],
        classes=f", {counted(len(s['classes']), 'class')}" if s["classes"] else "",
        command=r["command"],
        images=done["images"],
        seconds=done["seconds"],
        device=r["compute"]["device"],
        threads=r["compute"]["threads"],
        digest=", ".join(one["digest"] for one in sources),
        weights=done["weights_sha256"],
        alarms=", ".join(done["alarms"]) or "none",
        attempts=attempts_words(done["attempts"], [line["words"] for line in run.log("rewind")]),
        judgement=outcome.sentence if outcome else "How good the result is was not measured.",
    )
    place = folder.name if folder.is_absolute() else folder  # a card is given on: no place of this machine
    use = f"\nUse: `{command('sample', place, '-n', '64', '--out', 'samples')}`\n" if draws else ""
    write_text(folder / "card.md", text + use)
    return folder / "card.md"
