"""The page of a comparison: what it says of each picture, and which pictures it shows."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf, isfinite
from pathlib import Path
from typing import Any

import torch

from zeuxis.classic import methods
from zeuxis.errors import counted
from zeuxis.jobs.restoring import changes, diagnose, scoring, uncertainty
from zeuxis.jobs.restoring.measured import COLOURS, JPEG_, NOISE_, SOFTNESS, SPECKS, Measured
from zeuxis.jobs.restoring.pairing import Pair, Work, pair_of
from zeuxis.jobs.restoring.restore import RestoreConfig
from zeuxis.metrics.score import catalog
from zeuxis.pages import restored
from zeuxis.pages.formats import decimal, signed
from zeuxis.pages.restored import Map, Shown
from zeuxis.weights import bundled

_SAID = {SPECKS: ("specks",), NOISE_: ("noise",), JPEG_: ("JPEG",), SOFTNESS: ("blur", "soft")}
"""By which words a reason names what was measured."""
_DID = {
    "jpeg": "JPEG traces removed",
    "inpaint": "holes filled",
    "upscale": "enlarged",
    "total variation": "sharpened",
    "adaptive median": "specks removed",
    "levels": "levels stretched",
    "contrast": "contrast stretched",
}
"""What was done, by the task of a net of the package, or the method."""
_NOTHING = 0.005  # dB that are rounding


def _tiles(entry: Mapping[str, Any], taken: bool) -> tuple[tuple[str, str, str], ...]:
    """(name, figure, small print): scores where there was an original, colours, and what was kept of the input."""
    tiles = []
    for key, score in catalog().items():
        if "output" in entry and key in entry["output"]:
            before, after = entry["input"][key], entry["output"][key]
            name, digits, unit = score.title, score.digits, f" {score.unit}" if score.unit else ""
            figure = "equal" if after == inf else decimal(after, digits) + (unit if after is not None else "")
            was, now = (None if v is None or not isfinite(v) else v for v in (before, after))
            tiles.append((name, figure, restored.gain_words(was, now, unit, digits)))
    return (*tiles, *([] if entry["left_alone"] else _changed_tiles(entry, taken)))


def _changed_tiles(entry: Mapping[str, Any], taken: bool) -> list[tuple[str, str, str]]:
    """taken: whether nothing was done but to take noise or specks away."""
    changed, tiles = entry["changed"], []
    if changed["filled"] is not None:
        return [("Filled", f"{100 * changed['filled']:.2g} %", "of the pixels; all others are what they were")]
    tiles.append(_shifted(changed))
    if changed["residual"] is None:
        db = "exact" if changed["consistency"] is None else f"{decimal(changed['consistency'], 1)} dB"
        tiles.append(("Consistency", db, "made small again, against the input"))
    elif not taken:
        tiles.append(
            ("Changed by", decimal(changed["residual"], 1), "grey levels: the standard deviation over its pixels")
        )
    else:
        noise = entry["measured"]["noise"]
        level = f"the noise was measured as {decimal(noise, 1)}" if noise else "no noise was measured"
        level = "the noise could not be judged" if noise is None else level
        beside = " beside the specks" if noise and entry["measured"]["specks"] else ""
        small = f"grey levels{beside}; {level}"
        tiles.append(("Taken away", decimal(changed["residual"], 1), small))
    return tiles


def _shifted(changed: Mapping[str, Any]) -> tuple[str, str, str]:
    """The tile of the colours, or of the brightness of a grey picture."""
    if len(changed["channels"]) == 1:
        return "Brightness shifted by", signed(changed["channels"][0], 1), "grey levels on average"
    small = ", ".join(f"{n} {signed(v, 1)}" for n, v in zip(("red", "green", "blue"), changed["channels"], strict=True))
    if changed["chroma"]:
        before, after = (decimal(v) for v in changed["chroma"])
        small += f"; colourfulness (mean chroma in CIELAB) {before} to {after}"
    return "Colours shifted by", decimal(changed["shift"], 1), f"grey levels: {small}"


def panel(pair: Pair, entry: Mapping[str, Any], asked: RestoreConfig) -> dict[str, Any]:
    """What the page shows of one picture."""
    return restored.drawn(_shown(pair, entry, asked))


def done_words(used: Sequence[str], why: str, measured: Measured, asked: RestoreConfig) -> str:
    """What was done and why, and what else was measured: what the reason names is not said again."""
    done = f"{_opening(', '.join(_did(name, why, measured, asked) for name in used))}: {why}."
    if asked.task == diagnose.FILL or asked.scale > 1:
        return done
    rest = measured.words(without=[what for what, said in _SAID.items() if any(word in why for word in said)])
    return f"{done} Besides: {rest}." if rest else done


def _did(name: str, why: str, measured: Measured, asked: RestoreConfig) -> str:
    """What a net or method did, as `State.used` names it."""
    lossy = measured.quality is not None and measured.quality <= diagnose.QUALITY
    net = re.split(" and |, then ", name)[0]
    task = bundled.purposes()[net].task if net in bundled.names() else ""
    if asked.scale > 1:
        task = "upscale"
    elif not task and name in methods.names("inpainting" if asked.task == diagnose.FILL else "denoising"):
        task = "inpaint" if asked.task == diagnose.FILL else "repair"
        lossy = False  # these take noise alone
    did = _repaired(why, measured, lossy) if task == "repair" else _DID.get(task or name, "mended")
    by = f"net `{net}`{name.removeprefix(net)}" if net in bundled.names() else name
    return did if name in ("levels", "contrast") else f"{did} ({by})"


def _repaired(why: str, measured: Measured, lossy: bool) -> str:
    """What was taken away: noise where some was found, since tasks run without any, too. lossy: JPEG traces, too."""
    if measured.noise or measured.colours > COLOURS or re.search(r"noise (of )?(about )?\d", why):
        return "noise and JPEG traces removed" if lossy else "noise removed"
    if lossy:
        return "JPEG traces removed"
    return "what noise there may be removed" if NOISE_ in measured.unjudged else "what grain there is smoothed away"


def _opening(words: str) -> str:
    """As a sentence begins."""
    return words[:1].upper() + words[1:]


def _shown(pair: Pair, entry: Mapping[str, Any], asked: RestoreConfig) -> Shown:
    why = entry["why"]
    done = f"Left alone: {why}." if pair.left_alone else done_words(entry["used"], why, pair.measured, asked)
    size = (pair.after.shape[2], pair.after.shape[3])
    taken = diagnose.plan(asked.task, pair.measured).only_takes
    remarks = (_opening(pair.remark) + ".",) if pair.remark else ()
    shown = Shown(pair.work.name, *pair.read, pair.scale, size, done, pair.left_alone, taken=taken)
    tiles = _tiles(entry, taken)
    if pair.left_alone:
        return replace(shown, tiles=tiles, remarks=remarks)
    before, after = pair.whole
    if pair.scale > 1:
        heat = changes.inconsistent(before, after, pair.scale)
        at = changes.taken(pair.given(), pair.after, 0.0).values
    else:
        noise, specks = pair.measured.noise if taken else 0.0, pair.measured.specks is not None
        heat = changes.taken(*(pair.beside if noise else pair.whole), noise, specks)
        at = heat.values
    place = changes.place(torch.from_numpy(at), *size, restored.SIDE)
    unsure = _unsure(pair, asked.uncertainty)
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


def _sentence(entries: Sequence[Mapping[str, Any]], mean: Mapping[str, Any], scale: int = 1) -> str:
    if not mean:
        alone = sum(e["left_alone"] for e in entries)
        if len(entries) == 1 and alone:
            apart = entries[0]["changed"]["residual"]
            return (
                "It was left alone: not a pixel of it changed."
                if not apart
                else f"It was left alone; {_in_format(apart)}."
            )
        if len(entries) == 1:
            return f"{_opening(entries[0]['words'])}."
        were = f"{alone or 'None'} of {counted(len(entries), 'picture')} {'were' if alone > 1 else 'was'} left alone."
        return (
            f"{were} No originals were given: the page shows what changed, and not whether it is nearer to the truth."
        )
    if len(entries) == 1:
        return _alone(entries[0], "bicubic" if scale > 1 else "before")
    return _of_several(entries, mean, "bicubic" if scale > 1 else "before")


def _which(gained: float) -> int:
    """Of a gain in dB: 1 nearer, -1 farther, 0 neither beyond rounding."""
    return 0 if abs(gained) <= _NOTHING else 1 if gained > 0 else -1


def _alone(entry: Mapping[str, Any], given: str) -> str:
    """Of one picture, whether it came nearer to its original than `given`: "before", or "bicubic"."""
    before, after = entry["input"]["psnr"], entry["output"]["psnr"]
    if None in (before, after):
        return "PSNR cannot be told."
    if entry["left_alone"]:
        far = "equal to the original" if after == inf else f"PSNR {decimal(after, 2)} dB"
        return f"It was left alone, and is as near to the original as before: {far}."
    if before == after == inf:
        return "Nothing differs from the original, neither before nor after."
    if after == inf:
        return f"Nothing differs from the original any more; PSNR was {decimal(before, 2)} dB."
    if before == inf:
        return f"Farther from the original than {given}, when nothing differed: PSNR is {decimal(after, 2)} dB."
    which = _which(after - before)
    if not which:
        return f"No nearer to the original than {given}, and no farther: PSNR {decimal(after, 2)} dB."
    return f"{'Nearer to' if which > 0 else 'Farther from'} the original than {given}: {_went(before, after)}."


def _went(before: float, after: float) -> str:
    return f"PSNR went from {decimal(before, 2)} to {decimal(after, 2)} dB ({signed(after - before, 2)})"


def _of_several(entries: Sequence[Mapping[str, Any]], mean: Mapping[str, Any], given: str) -> str:
    """As `_alone`, on average of all that differ from their originals, and how many went which way."""
    ways = [_which(gain(e)) for e in entries]
    several = {"nearer": ways.count(1), "as near": ways.count(0), "farther": ways.count(-1)}
    (way, count), *others = [(way, n) for way, n in several.items() if n]
    each = f"by this measure {count} of {len(entries)} {'is' if count == 1 else 'are'} {way}"
    each += "".join(f", {n} {way}" for way, n in others)
    before, after = (mean[side].get("psnr") for side in ("input", "output"))
    if before is None or after is None:
        equal = all(e[side]["psnr"] == inf for e in entries for side in ("input", "output"))
        none = "Nothing differs from the originals" if equal else "A mean of PSNR cannot be told, some being infinite"
        return f"{none}; {each}."
    near = {1: "Nearer to the originals than", 0: "As near to the originals as", -1: "Farther from the originals than"}
    finite = sum(all(v is not None and isfinite(v) for v in (e["input"]["psnr"], e["output"]["psnr"])) for e in entries)
    over = "" if finite == len(entries) else f" of {finite} that {'differs' if finite == 1 else 'differ'} from them"
    return f"{near[_which(after - before)]} {given} on average{over}: {_went(before, after)}; {each}."


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
        panels = [panel(pair, entry, asked) for pair, entry in again]
    done = "restored" if asked.scale == 1 else f"enlarged {asked.scale} times"
    done = "left alone" if all(e["left_alone"] for e in entries) else done
    title = f"{entries[0]['name']}, {done}" if len(entries) == 1 else f"{len(entries)} pictures, {done}"
    kicker = "Zeuxis restore" if asked.scale == 1 else "Zeuxis upscale"
    kicker += f" · task {asked.task}" if asked.scale == 1 else ""
    sentence = _sentence(entries, summary["mean"], asked.scale)
    rows = restored.table_of(summary["rows"], summary["mean"], summary["columns"]) if summary["mean"] else []
    shown = {"title": title, "kicker": kicker, "sentence": sentence, "rows": rows, "total": len(entries)}
    restored.write_restored(path, panels, {**shown, "protocol": summary["protocol"], "columns": summary["columns"]})
