"""`data degrade`: pictures damaged on purpose, so that there is something to restore and to measure with."""

from dataclasses import replace
from pathlib import Path

from zeuxis.data.decode import Unreadable
from zeuxis.data.files import write_bytes
from zeuxis.degrade.pixels import apply_to_pixels
from zeuxis.degrade.words import parse
from zeuxis.engine.progress import say
from zeuxis.errors import BadInput, SomeFailed
from zeuxis.jobs.restoring.files import pairs_of
from zeuxis.pictures.picture import encode, from_tensor, read, to_tensor


def degrade_files(given: str, out: str, damage: str, seed: int) -> list[Path]:
    """Writes each picture damaged, as PNG so that no other damage is added; returns the files.

    Raises BadInput; SomeFailed where some could not be read.
    """
    made = parse(damage)
    pairs = [replace(pair, target=pair.target.with_suffix(".png")) for pair in pairs_of(given, out, "damaged")]
    failed: dict[str, str] = {}
    for pair in pairs:
        try:
            picture = read(pair.source.read_bytes())
        except (Unreadable, OSError) as error:
            if len(pairs) == 1:
                raise BadInput(f"it {error}", str(pair.source)) from error
            failed[pair.name] = f"it {error}"
            say(f"zeuxis: {pair.name}: it {error}")
            continue
        eight = from_tensor(to_tensor(picture), replace(picture, pixels=picture.pixels.astype("uint8"), alpha=None))
        pixels = apply_to_pixels(eight.pixels, made, seed, pair.name)
        damaged = replace(eight, pixels=pixels, kept=replace(eight.kept, icc=None, lost=None))
        write_bytes(pair.target, encode(damaged, ".png", {"damage": damage, "seed": seed, "source": pair.name}))
    if failed:
        what = f"{len(failed)} of {len(pairs)} pictures could not be read"
        files = [str(pair.target) for pair in pairs if pair.name not in failed]
        found = {"files": files, "failed": [{"name": name, "why": why} for name, why in failed.items()]}
        raise SomeFailed(what, given, "they are listed above", found)
    return [pair.target for pair in pairs]
