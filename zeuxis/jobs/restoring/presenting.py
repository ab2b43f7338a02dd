"""The page of a comparison: what it says of each picture, and which pictures it shows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf, isfinite
from pathlib import Path
from typing import Any

import torch

from zeuxis.errors import counted
from zeuxis.jobs.restoring import changes, scoring, uncertainty
from zeuxis.jobs.restoring.pairing import Pair, Work, pair_of
from zeuxis.jobs.restoring.restore import RestoreConfig
from zeuxis.metrics.score import catalog
from zeuxis.pages import restored
from zeuxis.pages.formats import decimal, signed
from zeuxis.pages.restored import Map, Shown

_NOTHING = 0.005  # dB that are rounding


def _tiles(entry: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """(name, figure, small print): scores where there was an original, colours, and what was kept of the input."""
    tiles = []
    for key, score in catalog().items():
        if "output" in entry and key in entry["output"]:
            before, after = entry["input"][key], entry["output"][key]
            name, digits, unit = score.title, score.digits, f" {score.unit}" if score.unit else ""
            figure = "equal" if after == inf else decimal(after, digits) + (unit if after is not None else "")
            was, now = (None if v is None or not isfinite(v) else v for v in (before, after))
            tiles.append((name, figure, restored.gain_words(was, now, unit, digits)))
    return (*tiles, *([] if entry["left_alone"] else _changed_tiles(entry)))


def _changed_tiles(entry: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    changed, tiles = entry["changed"], []
    if changed["filled"] is not None:
        return [("Filled", f"{100 * changed['filled']:.2g} %", "of the pixels; all others are what they were")]
    parts = ("brightness",) if len(changed["channels"]) == 1 else ("red", "green", "blue")
    small = ", ".join(f"{n} {signed(v, 1)}" for n, v in zip(parts, changed["channels"], strict=True))
    if changed["chroma"]:
        small += f"; chroma {decimal(changed['chroma'][0])} to {decimal(changed['chroma'][1])}"
    tiles.append(("Colours shifted by", decimal(changed["shift"], 1), f"grey levels: {small}"))
    if changed["residual"] is None:
        db = "exact" if changed["consistency"] is None else f"{decimal(changed['consistency'], 1)} dB"
        tiles.append(("Consistency", db, "made small again, against the input"))
    else:
        noise = entry["measured"]["noise"]
        level = f"the noise was measured as {decimal(noise, 1)}" if noise else "no noise was measured"
        beside = " beside the specks" if noise and entry["measured"]["specks"] else ""
        small = f"grey levels{beside}; {level}"
        tiles.append(("Taken away", decimal(changed["residual"], 1), small))
    return tiles


def panel(pair: Pair, entry: Mapping[str, Any], heads: str | None) -> dict[str, Any]:
    """What the page shows of one picture."""
    return restored.drawn(_shown(pair, entry, heads))


def _shown(pair: Pair, entry: Mapping[str, Any], heads: str | None) -> Shown:
    measured = f"{pair.measured.words()[:1].upper()}{pair.measured.words()[1:]}"
    used = ", ".join(entry["used"])
    filled = entry["changed"]["filled"] is not None
    done = f"Left alone: {entry['why']}." if pair.left_alone else f"Done by {used}: {entry['why']}."
    done = done if pair.left_alone or filled or pair.scale > 1 else f"{measured}. {done}"
    size = pair.after.shape[2], pair.after.shape[3]
    remarks = (pair.remark[:1].upper() + pair.remark[1:] + ".",) if pair.remark else ()
    shown = Shown(pair.work.name, *pair.read, pair.scale, size, done, pair.left_alone)
    tiles = _tiles(entry)
    if pair.left_alone:
        return replace(shown, tiles=tiles, remarks=remarks)
    before, after = pair.whole
    if pair.scale > 1:
        heat = changes.invented(before, after, pair.scale)
        at = changes.taken(pair.given(), pair.after, 0.0).values
    else:
        noise, specks = 0.0 if filled else pair.measured.noise, pair.measured.specks is not None
        heat = changes.taken(*(pair.beside if noise else pair.whole), noise, specks)
        at = heat.values
    place = changes.place(torch.from_numpy(at), *size, restored.SIDE)
    unsure = _unsure(pair, heads)
    tiles, maps = (tiles, (heat,)) if unsure is None else ((*tiles, unsure[1]), (heat, unsure[0]))
    return replace(shown, tiles=tiles, remarks=remarks, maps=maps, place=place)


def _unsure(pair: Pair, heads: str | None) -> tuple[Map, tuple[str, str, str]] | None:
    """The map of what is not sure and its tile; None where no head can speak of the picture."""
    note = pair.note or {}
    head = uncertainty.head_for(heads, tuple(note.get("used", ())), note.get("strength")) if pair.scale == 1 else None
    if head is None:
        return None
    before, after = pair.whole
    truth = pair.original if pair.original is not None and pair.original.shape == after.shape else None
    heat, figures = uncertainty.told(head, *scoring.alike(before, after), truth)
    inside, small = figures["inside"], f"grey levels, on average, for {1 - head.alpha:.0%} of the values"
    small += "" if inside is None else f"; of this picture's {inside:.0%} lie inside"
    return heat, ("Sure to within", f"± {decimal(figures['half_width'], 1)}", small)


def _chosen(entries: Sequence[Mapping[str, Any]]) -> list[int]:
    """Positions of the pictures that the page shows: all, or spread from the least gain to the largest."""
    order = list(range(len(entries)))
    if len(order) <= restored.MOST:
        return order
    if all("output" in e for e in entries):
        order.sort(key=lambda i: gain(entries[i]))
    return [order[round(k * (len(order) - 1) / (restored.MOST - 1))] for k in range(restored.MOST)]


def gain(entry: Mapping[str, Any]) -> float:
    """PSNR after - before in dB; 0 where both are equal to the original."""
    before, after = entry["input"]["psnr"], entry["output"]["psnr"]
    return 0.0 if None in (before, after) or before == after else after - before


def _in_format(apart: float) -> str:
    return f"the format that it was written in changed its pixels by {decimal(apart, 1)} grey levels"


def _sentence(entries: Sequence[Mapping[str, Any]], mean: Mapping[str, Any]) -> str:
    if not mean:
        alone = sum(e["left_alone"] for e in entries)
        if len(entries) == 1 and alone:
            apart = entries[0]["changed"]["residual"]
            return "It was left alone, and is what it was." if not apart else f"It was left alone; {_in_format(apart)}."
        if len(entries) == 1:
            return f"{entries[0]['words'][:1].upper()}{entries[0]['words'][1:]}."
        of = counted(len(entries), "picture")
        return f"What changed, told without the originals. {alone or 'None'} of {of} left alone."
    before, after = (mean[side].get("psnr") for side in ("input", "output"))
    worse = sum(gain(e) < -_NOTHING for e in entries)
    if before is None or after is None:
        equal = all(e[side]["psnr"] == inf for e in entries for side in ("input", "output"))
        gained = "Nothing differs from the originals" if equal else "A mean of PSNR cannot be told, some being infinite"
    else:
        gained = f"PSNR went from {decimal(before, 2)} to {decimal(after, 2)} dB ({signed(after - before, 2)})"
        gained += f" on average of {len(entries)} pictures" if len(entries) > 1 else ""
    far = f"{worse} of {len(entries)} {'is' if worse == 1 else 'are'}" if len(entries) > 1 else "it is"
    none = "none is" if len(entries) > 1 else "it is not"
    return f"{gained}; by this measure {far if worse else none} farther from the original than before."


def write_page(
    path: Path,
    pairs: Sequence[tuple[Work, Mapping[str, Any]]],
    panels: Sequence[Mapping[str, Any]],
    asked: RestoreConfig,
    summary: dict[str, Any],
) -> None:
    """panels: those of all pictures, as `panel` draws them; where these are too many, those chosen are read again."""
    entries = [entry for _, entry in pairs]
    if len(panels) < len(entries):
        again = [(pair_of(pairs[i][0], asked.scale, asked.task), entries[i]) for i in _chosen(entries)]
        panels = [panel(pair, entry, asked.uncertainty) for pair, entry in again]
    done = "restored" if asked.scale == 1 else f"enlarged {asked.scale} times"
    done = "left alone" if all(e["left_alone"] for e in entries) else done
    title = f"{entries[0]['name']}, {done}" if len(entries) == 1 else f"{len(entries)} pictures, {done}"
    kicker = "Zeuxis restore" if asked.scale == 1 else "Zeuxis upscale"
    kicker += f" · task {asked.task}" if asked.scale == 1 else ""
    sentence = _sentence(entries, summary["mean"])
    rows = restored.table_of(summary["rows"], summary["mean"], summary["columns"]) if summary["mean"] else []
    shown = {"title": title, "kicker": kicker, "sentence": sentence, "rows": rows, "total": len(entries)}
    restored.write_restored(path, panels, {**shown, "protocol": summary["protocol"], "columns": summary["columns"]})
