"""Does `zeuxis restore --task auto` keep its hands off what is well, and find what is not? By kinds of pictures.

    python benchmarks/kinds.py --photographs FOLDER... [--files NAME=FOLDER...] [--only WORD] [--decide] [--out FILE]

The kinds of `untouchable.py` must come out unchanged or at 45 dB and more; those of `damages.py` must not come out
farther from the truth, and be found. 20 pictures of each kind; thresholds are chosen on those of even numbers, and
those of odd numbers, which come from other photographs, are reported beside them. --decide stops at the plan: a few
minutes on one core; with the nets some ten more. Photographs are shrunk before use, so that no codec's trace is
left. --files adds kinds of files as they are, such as icons of a theme.
"""

import argparse
import io
import json
import math
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import damages
import numpy as np
import untouchable
from damages import Damaged, saved
from PIL import Image
from results import record, unusual
from source import Source

from zeuxis.jobs.restoring import diagnose
from zeuxis.jobs.restoring.restore import RestoreConfig, work_on
from zeuxis.pictures.picture import read, to_tensor

PICTURES = 20
CLEAN = 45.0
ROUNDING = 0.005  # dB
SUFFIXES = (".png", ".jpg", ".webp")


def rng_of(kind: str, seed: int) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(kind.encode()), seed])


def untouched(source: Source, kind: str, seed: int) -> Damaged:
    """One picture that nobody should touch, as a file."""
    pixels = untouchable.KINDS[kind](rng_of(kind, seed), at(source, seed))
    return Damaged(pixels, saved(pixels))


def damaged(source: Source, kind: str, seed: int) -> Damaged:
    rng = rng_of(kind, seed)
    return damages.KINDS[kind](rng, at(source, seed).photograph(rng))


def at(source: Source, turn: int) -> Source:
    return Source(source.photographs, source.side, source.files, turn)


def as_it_is(path: Path) -> Damaged:
    data = path.read_bytes()
    with Image.open(io.BytesIO(data)) as image:
        alpha = "A" in image.getbands() or "transparency" in image.info
        pixels = np.array(image.convert("RGBA" if alpha else "L" if image.mode in ("1", "L", "I;16") else "RGB"))
    return Damaged(pixels, data, path.suffix.lower())


def decibels(a: np.ndarray, b: np.ndarray) -> float:
    """PSNR over what is seen: colours weighted by their opacity, over all pixels that are not fully transparent."""
    if a.ndim == 2:
        a, b = a[..., None], b[..., None]
    apart = np.square(a[..., :3].astype(float) - b[..., :3].astype(float)).mean(2)
    seen = a[..., 3] / 255 if a.shape[2] == 4 else np.ones(a.shape[:2])
    error = float((apart * seen).sum() / max(1.0, seen.sum()))
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def pixels_like(data: bytes, truth: np.ndarray) -> np.ndarray:
    mode = "L" if truth.ndim == 2 else "RGB" if truth.shape[2] == 3 else "RGBA"
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image.convert(mode))


def row(kind: str, seed: int, made: Damaged, harmed: bool, decide: bool) -> dict[str, object]:
    """What was decided of one picture and, where something was done, how near to the truth it lies."""
    started = time.process_time()
    picture = read(made.data)
    measured = diagnose.measure(picture, to_tensor(picture))
    plan = diagnose.plan("auto", measured)
    spent = time.process_time() - started
    steps = plan.steps
    found = {"kind": kind, "seed": seed, "harmed": harmed, "steps": list(steps), "why": plan.why, "seconds": spent}
    if decide or not steps:
        return found | {"gain": 0.0, "after": math.inf if not harmed else 0.0, "alone": not steps}
    result, _ = work_on(made.data, "x" + made.suffix, RestoreConfig(), ".png")
    given, mended = (pixels_like(x, made.truth) for x in (made.data, result))
    before, after = decibels(made.truth, given), decibels(made.truth, mended)
    alone = bool(np.array_equal(given, mended))
    gain = 0.0 if alone else after - before
    return found | {
        "gain": gain if harmed else 0.0,
        "after": after if harmed else decibels(given, mended),
        "alone": alone,
    }


def pictures(source: Source, kind: str | None) -> Iterator[tuple[str, int, Damaged, bool]]:
    """(kind, number, file, whether it is harmed) of all kinds whose name holds the word."""
    for name in untouchable.KINDS:
        if kind is None or kind in name:
            yield from ((name, s, untouched(source, name, s), False) for s in range(PICTURES))
    for name, files in source.files:
        if kind is None or kind in name:
            chosen = [files[len(files) * s // PICTURES] for s in range(min(PICTURES, len(files)))]
            yield from ((name, s, as_it_is(path), False) for s, path in enumerate(chosen))
    for name in damages.KINDS:
        if kind is None or kind in name:
            yield from ((name, s, damaged(source, name, s), True) for s in range(PICTURES))


def failed(r: dict[str, object]) -> bool:
    """An untouchable picture changed below 45 dB, or a damaged one that came out farther from the truth."""
    return float(r["gain"]) < -ROUNDING if r["harmed"] else not r["alone"] and float(r["after"]) < CLEAN  # type: ignore[arg-type]


HALVES = ("chosen on", "held back")


def halves(rows: list[dict[str, object]], decide: bool) -> Iterator[tuple[tuple[str, str], dict[str, float]]]:
    """((kind, half), figures): of the untouchable how many came out well, of the damaged found, worse, gain."""
    for kind, harmed in dict.fromkeys((str(r["kind"]), bool(r["harmed"])) for r in rows):
        for half, name in enumerate(HALVES):
            mine = [r for r in rows if r["kind"] == kind and r["harmed"] == harmed and int(r["seed"]) % 2 == half]  # type: ignore[call-overload]
            if not harmed:
                well = sum(bool(r["alone"]) if decide else not failed(r) for r in mine)
                yield (kind, name), {"pictures": len(mine), "well": well}
                continue
            gain = float(np.mean([float(r["gain"]) for r in mine])) if mine else 0.0  # type: ignore[arg-type]
            found, worse = sum(not r["alone"] for r in mine), sum(map(failed, mine))
            yield (kind, name), {"pictures": len(mine), "found": found, "worse": worse, "gain": gain}


def table(rows: list[dict[str, object]], decide: bool) -> list[str]:
    lines = {False: ["| kind | chosen on: well | held back: well |", "| --- | --- | --- |"]}
    lines[True] = [
        "",
        "| damage | chosen on: found, worse, gain | held back: found, worse, gain |",
        "| --- | --- | --- |",
    ]
    for (kind, half), f in halves(rows, decide):
        cell = "{found} of {pictures}, {worse}, {gain:+.2f}" if "gain" in f else "{well} of {pictures}"
        if half == HALVES[0]:
            lines["gain" in f].append(f"| {kind} |")
        lines["gain" in f][-1] += f" {cell.format(**f)} |"
    return lines[False] + lines[True]


def files_of(words: str) -> tuple[str, tuple[Path, ...]]:
    name, _, folder = words.partition("=")
    return name, tuple(
        sorted(p for p in Path(folder).rglob("*") if p.suffix in SUFFIXES and p.is_file() and not p.is_symlink())
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", nargs="+", type=Path, required=True)
    parser.add_argument("--files", nargs="*", default=[], help="NAME=FOLDER: a kind of untouchable files")
    parser.add_argument("--only", help="kinds whose name holds this word")
    parser.add_argument("--decide", action="store_true", help="measure and plan only")
    parser.add_argument("--out", type=Path)
    a = parser.parse_args()
    photographs = sorted(p for folder in a.photographs for p in folder.rglob("*") if p.suffix in SUFFIXES)
    order = np.random.default_rng(0).permutation(len(photographs))
    source = Source(tuple(photographs[i] for i in order), files=tuple(files_of(words) for words in a.files))
    rows = [row(kind, seed, made, harmed, a.decide) for kind, seed, made, harmed in pictures(source, a.only)]
    for labels, figures in halves(rows, a.decide):
        record("kinds", [*labels, *unusual(parser, a, "decide")], figures)
    print("\n".join(table(rows, a.decide)))
    for r in rows:
        if failed(r) or (a.decide and not r["harmed"] and not r["alone"]):
            print(f"FAILED {r['kind']} {r['seed']}: {r['after']:.1f} dB, {r['gain']:+.2f} dB ({r['why']})")
    print(f"{len(rows)} pictures, {sum(float(r['seconds']) for r in rows):.0f} s of measuring")  # type: ignore[arg-type]
    if a.out:
        a.out.write_text(
            json.dumps([{k: str(v) if v == math.inf else v for k, v in r.items()} for r in rows], indent=0)
        )


if __name__ == "__main__":
    main()
