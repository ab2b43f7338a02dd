"""The job `sample`: pictures from a trained run, each a function of its seed, with a note in every file."""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch

from zeuxis import catalog
from zeuxis.data.export import folder_name
from zeuxis.data.files import make_folder
from zeuxis.engine.batches import to_image
from zeuxis.engine.progress import say
from zeuxis.errors import BadInput, nearest
from zeuxis.jobs.sampling import generate, seeds_of
from zeuxis.pictures.png import write_png, write_sheet
from zeuxis.recipes.recipe import Generates
from zeuxis.runs import Run
from zeuxis.weights.store import content_hash

MOST = 100_000  # pictures of one call: more is a slip of the finger
_LARGEST = 2**62


def parse_seeds(text: str) -> list[int]:
    """Seeds of "1,5-8": 1, 5, 6, 7, 8. Raises BadInput, for a seed that stands there twice too."""
    seeds: dict[int, None] = {}
    for part in text.split(","):
        first, dash, last = (x.strip() for x in part.partition("-"))
        if not all(re.fullmatch("[0-9]{1,20}", x) for x in (first, *([last] if dash else []))):
            raise BadInput(f"`{text}` is no list of seeds", "--seeds", "write whole numbers such as 1,5-8")
        low, high = int(first), int(last if dash else first)
        if high >= _LARGEST:
            raise BadInput(f"the seed {high} is too large", "--seeds", f"write seeds below {_LARGEST}")
        if high < low:
            raise BadInput(f"`{part.strip()}` is no range of seeds", "--seeds", "write the smaller first, such as 5-8")
        if any(seed in seeds for seed in range(low, min(high, low + MOST) + 1)):
            raise BadInput(f"`{part.strip()}` names a seed twice", "--seeds", "the same seed gives the same picture")
        if len(seeds) + high - low >= MOST:
            raise BadInput(f"more than {MOST:,} pictures at once", "--seeds", "draw them in parts")
        seeds |= dict.fromkeys(range(low, high + 1))
    return list(seeds)


def generating(labelled: bool = False) -> list[str]:
    """Names of the recipes that generate pictures; `labelled`: of a wanted class."""
    known = {name: catalog.load(name) for name in catalog.names()}
    return [n for n, cls in known.items() if _generates(cls) and not (labelled and cls.labels == "ignored")]


def _generates(cls: type) -> bool:
    return hasattr(cls, "latents") and hasattr(cls, "decode")


def check_snapshot(run: Run, name: str) -> str:
    """The name of weights that the run kept. Raises BadInput, with the names there are, where it kept none so."""
    kept = sorted(path.stem for path in (run.path / "snapshots").glob("*.safetensors"))
    if name not in kept:
        mend = "known: " + ", ".join(kept) if kept else "this run kept none; leave --snapshot away"
        raise BadInput(f"no snapshot `{name}`", str(run.path), mend)
    return name


def sample(
    run: Run,
    out: Path,
    n: int = 64,
    wanted: str | None = None,
    seeds: str | None = None,
    snapshot: str | None = None,
) -> list[Path]:
    """Writes n pictures (or one per seed) and grid.png into `out`; returns their paths.

    A conditional run's picture has the class `seed % classes`, so the classes come in turn, or the class
    `wanted`. snapshot: name of kept weights, in place of those at the end. Raises BadInput for a run that does
    not generate or has no weights yet, an unknown class or snapshot, n out of 1 to MOST, or an `out` that holds
    such files already.
    """
    record, recipe, spec = run.record, run.recipe, run.spec
    if not isinstance(recipe, Generates):
        raise BadInput(
            f"a {record['recipe']} does not generate pictures", str(run.path), f"these do: {', '.join(generating())}"
        )
    if not 1 <= n <= MOST:
        raise BadInput(f"-n must be 1 to {MOST}, not {n}")
    classes = spec.classes if record["conditional"] else ()
    chosen = torch.tensor(parse_seeds(seeds)) if seeds is not None else _in_turn(record["seed"], n, len(classes))
    labels = _labels(classes, chosen, wanted, record["recipe"])
    names = [_name(classes, labels, i, int(s)) for i, s in enumerate(chosen)]
    taken = [name for name in (*names, "grid.png") if (out / name).exists()]
    if taken:
        raise BadInput(f"{taken[0]} is there already", str(out), "choose another --out")
    kept = None if snapshot is None else check_snapshot(run, snapshot)
    tensors = run.tensors(kept)
    if kept is None and not run.finished and run.saved_step is not None:
        at = f"step {run.saved_step:,} of {record['steps']:,}"
        say(f"zeuxis: the run has not ended: drawn with its weights after {at}")
    networks, digest = run.networks(tensors=tensors), content_hash(tensors)
    pictures, paths = (
        torch.cat(list(generate(recipe, networks, chosen, labels))),
        [out / n for n in (*names, "grid.png")],
    )
    with _all_or_none(out, paths):
        for i, path in enumerate(paths[:-1]):
            note = {
                "recipe": record["recipe"],
                "weights": digest,
                "seed": int(chosen[i]),
                "class": classes[int(labels[i])] if labels is not None else None,
            }
            write_png(path, pictures[i].permute(1, 2, 0).numpy(), note)
        sheet, columns = _laid_out(to_image(pictures), None if wanted else labels)
        write_sheet(paths[-1], sheet, columns, {"recipe": record["recipe"], "weights": digest})
    return paths


def _laid_out(pictures: torch.Tensor, labels: torch.Tensor | None) -> tuple[torch.Tensor, int]:
    """A class a row, its lacking places white, and the columns; a square where classes do not matter."""
    found = [] if labels is None else [pictures[labels == c] for c in labels.unique().tolist()]
    if len(found) < 2:
        return pictures, max(1, round(len(pictures) ** 0.5))
    columns = max(map(len, found))
    rows = [torch.cat([one, torch.ones(columns - len(one), *one.shape[1:])]) for one in found]
    return torch.cat(rows), columns


@contextmanager
def _all_or_none(out: Path, paths: list[Path]) -> Iterator[None]:
    """Takes new files away again where not all of them come to stand: with some there the same command is refused."""
    there = out.exists()
    make_folder(out)
    try:
        yield
    except BaseException:
        for path in paths:
            path.unlink(missing_ok=True)
        if not there:
            with suppress(OSError):
                out.rmdir()
        raise


def _in_turn(seed: int, n: int, classes: int) -> torch.Tensor:
    """n seeds whose classes, `seed % classes`, come in turn."""
    seeds = seeds_of("sample", seed, n)
    return seeds - seeds % classes + torch.arange(n) % classes if classes else seeds


def _labels(classes: tuple[str, ...], seeds: torch.Tensor, wanted: str | None, recipe: str) -> torch.Tensor | None:
    if wanted is None:
        return seeds % len(classes) if classes else None
    if not classes:
        raise BadInput(f"this {recipe} was trained without labels and has no classes", "--class", "leave --class away")
    wanted, names = (unicodedata.normalize("NFC", wanted), [unicodedata.normalize("NFC", name) for name in classes])
    if wanted in names:
        return torch.full_like(seeds, names.index(wanted))
    numbered = any(name.isdecimal() for name in names)  # a number then is a name, and never a position
    if wanted.isdecimal() and len(wanted) < 10 and int(wanted) < len(classes) and not numbered:
        return torch.full_like(seeds, int(wanted))
    raise BadInput(f"no class `{wanted}`", "--class", nearest(wanted, list(classes)))


def _name(classes: tuple[str, ...], labels: torch.Tensor | None, i: int, seed: int) -> str:
    which = f"-{folder_name(classes[int(labels[i])])}" if labels is not None and classes else ""
    return f"zeuxis{which}-{seed}.png"
