"""What a restoration did: held against the originals where they are there, else what changed; figures and a page."""

from collections.abc import Mapping, Sequence
from math import inf, isfinite
from pathlib import Path
from typing import Any

import torch

from zeuxis.data.files import check_place
from zeuxis.engine.progress import say
from zeuxis.errors import BadInput, MemoryRanOut, SomeFailed, counted, system_in_words
from zeuxis.jobs.per_image.records import Record
from zeuxis.jobs.published_nets import Distance, distance
from zeuxis.jobs.restoring import changes, diagnose, scoring
from zeuxis.jobs.restoring.pairing import Originals, Pair, Work, originals_of, pair_of, work_of
from zeuxis.jobs.restoring.presenting import panel, write_page
from zeuxis.jobs.restoring.restore import RestoreConfig
from zeuxis.metrics.score import catalog
from zeuxis.pages import restored
from zeuxis.pages.page import check_page
from zeuxis.pictures.picture import Picture
from zeuxis.spelling import spelled

_PAGES = (".html", ".htm")


def check(original: str | None, page: str | None, given: str, scale: int) -> Originals:
    """The originals of the pictures `given`, none where none were asked for; `scale` times as large as these.

    Raises BadInput for an original or a page that cannot be, before any work is done.
    """
    originals: Originals = {}
    if original is not None:
        if not Path(original).exists():
            raise BadInput("there is no such file or folder", original, "check --compare")
        originals = originals_of(original, given, scale)
    if page is not None:
        if Path(page).suffix.lower() not in _PAGES:
            raise BadInput("the page is written as HTML", page, "name it .html")
        if Path(page).is_dir():
            raise BadInput("a folder stands where a file is needed", page, "choose another place")
        check_place(page)
        check_page(Path(page))
    return originals


def _finite(scores: Mapping[str, float | None]) -> dict[str, float | str | None]:
    """For JSON: "equal" in place of what is infinite, since nothing differs."""
    return {k: "equal" if v == inf else v for k, v in scores.items()}


def _entry(pair: Pair, asked: RestoreConfig, measure: Distance | None, why: str | None) -> dict[str, Any]:
    """The figures of one picture, as plain values; scores stand under "input" and "output"."""
    note, plan = pair.note, diagnose.plan(asked.task, pair.measured)
    if why is None:
        why = plan.why if note is None else str(note.get("why", ""))
    entry: dict[str, Any] = {
        "name": pair.work.name,
        "source": str(pair.work.before),
        "result": str(pair.work.after),
        "original": None if pair.work.original is None else str(pair.work.original),
        "size": list(pair.after.shape[2:]),
        "measured": pair.measured.judged().to_json(),
        "left_alone": pair.left_alone,
        "used": [] if note is None else [str(u) for u in note["used"]],
        "why": spelled(why),
    }
    taken = plan.only_takes and not pair.left_alone and pair.scale == 1
    looked_at = pair.beside if taken else pair.whole
    change = changes.change(*looked_at, pair.scale, asked.task == diagnose.FILL and not pair.left_alone)
    entry["changed"] = change.to_json()
    entry["words"] = change.words(pair.measured.noise if taken else 0.0, pair.measured.specks is not None)
    if pair.original is not None:
        before, after, alphas = pair.given(), pair.after, pair.alpha_pairs() or (None, None)
        same = pair.scale == 1 and before.shape == after.shape and torch.equal(before, after)
        output = scoring.scores(after, pair.original, pair.scale, measure, alphas[1])
        unchanged = same and (alphas[0] is None or torch.equal(alphas[0][0], alphas[1][0]))
        entry["input"] = output if unchanged else scoring.scores(before, pair.original, pair.scale, measure, alphas[0])
        entry["output"] = output
    return entry


def _distance() -> Distance | None:
    """LPIPS where its weights were added, else a line on how to add them."""
    try:
        return distance("alex")
    except BadInput as error:
        say(f"zeuxis: LPIPS is left out: {error.what}; {error.mend}")
        return None


def _tell(rows: Sequence[Mapping[str, Any]], mean: Mapping[str, Any], protocol: Mapping[str, str]) -> None:
    """The table: a row a picture, the mean below, the protocol above."""
    known = catalog()
    say("zeuxis: " + "; ".join(f"{known[name].title}: {what}" for name, what in protocol.items()))
    columns = {name: known[name].heading for name in protocol}
    text = restored.table_of(rows, mean, columns)
    cells = [["picture", *columns.values()]]
    cells += [[row[0], *(f"{b} -> {a}" for b, a in zip(row[1::2], row[2::2], strict=True))] for row in text]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    for row in cells:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


class Comparison:
    """Figures of every result against its original, or of what changed where there is none; and a page of them.

    original: as it was asked for, a file or a folder; originals: what `check` found there. A picture is looked at once,
    as soon as it is there.
    """

    def __init__(self, asked: RestoreConfig, original: str | None, originals: Originals, page: str | None) -> None:
        self.asked, self.original, self.originals = asked, original, originals
        self.page = None if page is None else Path(page)
        self.measure = None if original is None else _distance()
        self.done: dict[str, tuple[Work, dict[str, Any]]] = {}
        self.panels: dict[str, dict[str, Any]] = {}
        self.failed: list[tuple[Work, BadInput | MemoryRanOut]] = []

    def look(self, record: Record, given: Picture | None = None, measured: Any = None) -> None:
        """What became of a picture: a `Look` of the pipeline. What cannot be compared is told, and kept for the end."""
        work = work_of(record, self.originals)
        why = None if record.state == "done before" else record.decision
        try:
            if self.original is not None and work.original is None:
                raise BadInput("it has no original under its name", self.original)
            with system_in_words(work.name):
                pair = pair_of(work, self.asked.scale, self.asked.task, given, measured)
                entry = _entry(pair, self.asked, self.measure, why)
                if self.page is not None and len(self.panels) <= restored.MOST:
                    self.panels[work.name] = panel(pair, entry, self.asked)
                self.done[work.name] = work, entry
        except (BadInput, MemoryRanOut) as error:
            self.failed.append((work, error))

    def end(self, records: Sequence[Record], given: str) -> dict[str, Any]:
        """What was seen of these pictures, in their order, in figures; the table is told, and the page written.

        Returns {"compared": [...], "mean": {"input": ..., "output": ...}, "protocol": ..., "page": path or None}; a
        PSNR of "equal" is infinite. Raises BadInput where the only one could not be compared, SomeFailed where some of
        several could not.
        """
        if self.failed and len(records) == 1:
            raise self.failed[0][1]
        failed = [{"name": w.name, "source": str(w.before), "why": str(error)} for w, error in self.failed]
        for work, error in self.failed:
            say(f"zeuxis: {work.name}: {error}")
        names = [record.name for record in records if record.name in self.done]
        if not names:
            none: dict[str, Any] = {"compared": [], "mean": {}, "protocol": {}, "page": None, "failed": failed}
            raise SomeFailed("none of the pictures could be compared", given, "they are listed above", none)
        done = [self.done[name] for name in names]
        summary = _summary(
            [entry for _, entry in done], self.asked.scale, self.measure is not None, self.original is not None
        )
        if self.page is not None:
            panels = [self.panels[name] for name in names] if len(names) <= restored.MOST else []
            write_page(self.page, done, panels, self.asked, summary)
            changed = not all(entry["left_alone"] for _, entry in done)
            say(f"zeuxis: {'before and after in' if changed else 'what was measured is shown in'} {self.page}")
        compared = [_plain(entry) for _, entry in done]
        page = None if self.page is None else str(self.page)
        report = {**{k: summary[k] for k in ("mean", "protocol")}, "compared": compared, "page": page}
        if failed:
            what = f"{len(failed)} of {counted(len(records), 'picture')} could not be compared"
            raise SomeFailed(what, given, "they are listed above", {**report, "failed": failed})
        return report


def _plain(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _finite(v) if k in ("input", "output") else v for k, v in entry.items()}


def _summary(entries: Sequence[Mapping[str, Any]], scale: int, with_lpips: bool, originals: bool) -> dict[str, Any]:
    """Means, protocols, headings and rows of the table; said on stderr."""
    if not originals:
        for entry in entries:
            say(f"zeuxis: {entry['name']}: {'left alone' if entry['left_alone'] else entry['words']}")
        return {"mean": {}, "protocol": {}, "columns": {}, "rows": []}
    mean = _means(entries)
    with_alpha = any("psnr_alpha" in entry["output"] for entry in entries)
    protocol = scoring.protocol_words(scale, with_lpips, with_alpha)
    rows = [_plain(entry) for entry in entries]
    _tell(rows, mean, protocol)
    return {"mean": mean, "protocol": protocol, "columns": {n: catalog()[n].heading for n in protocol}, "rows": rows}


def _means(entries: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float | None]]:
    """Per side the mean of each score, over the pictures that have it on both sides and equal nothing."""
    kept: dict[str, list[dict[str, float | None]]] = {"input": [], "output": []}
    for entry in entries:
        both = [(k, entry["input"][k], entry["output"][k]) for k in entry["output"]]
        good = [(k, b, a) for k, b, a in both if None not in (b, a) and isfinite(b) and isfinite(a)]
        kept["input"].append({k: b for k, b, _ in good})
        kept["output"].append({k: a for k, _, a in good})
    return {side: scoring.means(scores) for side, scores in kept.items()}
