"""What a restoration did: held against the originals where they are there, else what changed; figures and a page."""

from collections.abc import Mapping, Sequence
from math import inf, isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from zeuxis.data.files import check_place
from zeuxis.engine.progress import say
from zeuxis.errors import BadInput, MemoryRanOut, SomeFailed, counted, memory_in_words
from zeuxis.jobs.published_nets import Distance, distance
from zeuxis.jobs.restoring import changes, diagnose, scoring
from zeuxis.jobs.restoring.pairing import Pair, Work, check_original, pair_of, works_of
from zeuxis.jobs.restoring.presenting import panel, write_page
from zeuxis.jobs.restoring.restore import RestoreConfig
from zeuxis.metrics.score import catalog
from zeuxis.pages import restored
from zeuxis.pages.page import check_page
from zeuxis.spelling import spelled

_PAGES = (".html", ".htm")


def check(original: str | None, page: str | None, given: str = "", scale: int = 1) -> None:
    """Raises BadInput for an original or a page that cannot be, before any work is done.

    given: where the pictures are; a single one must have its original there, `scale` times as large.
    """
    if original is not None:
        if not Path(original).exists():
            raise BadInput("there is no such file or folder", original, "check --compare")
        check_original(original, given, scale)
    if page is not None:
        if Path(page).suffix.lower() not in _PAGES:
            raise BadInput("the page is written as HTML", page, "name it .html")
        if Path(page).is_dir():
            raise BadInput("a folder stands where a file is needed", page, "choose another place")
        check_place(page)
        check_page(Path(page))


def _finite(found: Mapping[str, float | None]) -> dict[str, float | str | None]:
    """For JSON: "equal" in place of what is infinite, since nothing differs."""
    return {k: "equal" if v == inf else v for k, v in found.items()}


def _entry(pair: Pair, asked: RestoreConfig, measure: Distance | None, why: str | None) -> dict[str, Any]:
    """The figures of one picture, as plain values; scores stand under "input" and "output"."""
    note = pair.note
    if why is None:
        why = diagnose.plan(asked.task, pair.measured).why if note is None else str(note.get("why", ""))
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
    found = changes.change(*pair.whole, pair.scale, asked.task == diagnose.FILL and not pair.left_alone)
    entry["changed"] = found.to_json()
    entry["words"] = found.words(pair.measured.noise)
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


def compare(
    given: str,
    paths: list[Path],
    asked: RestoreConfig,
    original: str | None,
    page: str | None,
    whys: Mapping[Path, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Figures of every result against its original, or of what changed where there is none; and a page of them.

    paths: the results, in the order of the pictures of `given`. original: a file, or a folder matched by path and
    stem. whys: why each was done or left alone, where a run has just decided it. Returns {"compared": [...], "mean":
    {"input": ..., "output": ...}, "protocol": ..., "page": path or None}; a PSNR of "equal" is infinite. Raises
    BadInput; SomeFailed where some of several could not be compared.
    """
    check(original, page)
    works = works_of(given, paths, original)
    target = None if page is None else Path(page)
    measure = _distance() if original is not None else None
    done: list[tuple[Work, dict[str, Any]]] = []
    panels: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []
    for work, _ in works:
        try:
            if original is not None and work.original is None:
                raise BadInput("it has no original under its name", original)
            with memory_in_words(str(work.name)):
                pair = pair_of(work, asked.scale, asked.task)
                entry = _entry(pair, asked, measure, whys.get(work.after))
                if target is not None and len(works) <= restored.MOST:
                    panels.append(panel(pair, entry, asked.uncertainty))
                done.append((work, entry))
        except (BadInput, MemoryRanOut) as error:
            if len(works) == 1:
                raise
            failed.append({"name": work.name, "source": str(work.before), "why": str(error)})
            say(f"zeuxis: {work.name}: {error}")
    if not done:
        none: dict[str, Any] = {"compared": [], "mean": {}, "protocol": {}, "page": None, "failed": failed}
        raise SomeFailed("none of the pictures could be compared", given, "they are listed above", none)
    words = _summary([entry for _, entry in done], asked.scale, measure is not None, original is not None)
    if target is not None:
        write_page(target, done, panels, asked, words)
        say(f"zeuxis: before and after in {target}")
    compared = [_plain(entry) for _, entry in done]
    found = {**{k: words[k] for k in ("mean", "protocol")}, "compared": compared, "page": target and str(target)}
    if failed:
        what = f"{len(failed)} of {counted(len(works), 'picture')} could not be compared"
        raise SomeFailed(what, given, "they are listed above", {**found, "failed": failed})
    return found


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
    return {side: scoring.means(found) for side, found in kept.items()}
