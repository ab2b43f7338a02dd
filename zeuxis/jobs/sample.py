"""The job `sample`: pictures from a trained run, each a function of its seed, with a note in every file."""

from pathlib import Path

import torch

from zeuxis.data.files import make_folder
from zeuxis.errors import BadInput, nearest
from zeuxis.jobs.sampling import generate, seeds_of
from zeuxis.pictures.write import grid, write_png
from zeuxis.recipes.recipe import Generates
from zeuxis.engine.batches import to_image
from zeuxis.runs import Run


def parse_seeds(text: str) -> list[int]:
    """Seeds of "1,5-8": 1, 5, 6, 7, 8. Raises BadInput."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            raise BadInput(f"`{text}` is no list of seeds", "--seeds", "write 1,5-8")
        found += range(int(first), int(last) + 1) if dash else [int(first)]
    if not found:
        raise BadInput(f"`{text}` is no list of seeds", "--seeds", "write 1,5-8")
    return found


def sample(run: Run, out: Path, n: int = 64, wanted: str | None = None, seeds: str | None = None) -> list[Path]:
    """Writes n pictures (or one per seed) and grid.png into `out`; returns their paths.

    Conditional runs go through the classes in turn, or keep to the class `wanted`. Raises BadInput for a run
    that does not generate, an unknown class, n below 1, or an `out` that holds such files already.
    """
    record, recipe, spec = run.record, run.recipe, run.spec
    if not isinstance(recipe, Generates):
        raise BadInput(f"{record['recipe']} does not generate pictures", str(run.path))
    if n < 1:
        raise BadInput(f"-n must be 1 or more, not {n}")
    chosen = torch.tensor(parse_seeds(seeds)) if seeds else seeds_of("sample", record["seed"], n)
    classes = spec.classes if record["conditional"] else ()
    labels = _labels(classes, len(chosen), wanted, record["recipe"])
    names = [_name(classes, labels, i, int(s)) for i, s in enumerate(chosen)]
    taken = [name for name in (*names, "grid.png") if (out / name).exists()]
    if taken:
        raise BadInput(f"{taken[0]} is there already", str(out), "choose another --out")
    make_folder(out)
    players, digest = run.players(), run.weights_hash()
    made = torch.cat(list(generate(recipe, players, chosen, labels)))
    for i, name in enumerate(names):
        note = {"recipe": record["recipe"], "weights": digest, "seed": int(chosen[i]),
                "class": classes[int(labels[i])] if labels is not None else None}
        write_png(out / name, made[i].permute(1, 2, 0).numpy(), note)
    columns = round(len(made) ** 0.5) if not classes or wanted else min(len(classes), len(made))
    write_png(out / "grid.png", grid(to_image(made), max(1, columns)), {"recipe": record["recipe"], "weights": digest})
    return [out / name for name in (*names, "grid.png")]


def _labels(classes: tuple[str, ...], n: int, wanted: str | None, recipe: str) -> torch.Tensor | None:
    if wanted is None:
        return torch.arange(n) % len(classes) if classes else None
    if not classes:
        raise BadInput(f"this {recipe} was trained without labels and has no classes", f"--class {wanted}")
    if wanted in classes:
        return torch.full((n,), classes.index(wanted))
    if wanted.isdigit() and int(wanted) < len(classes):
        return torch.full((n,), int(wanted))
    raise BadInput(f"no class `{wanted}`", "--class", nearest(wanted, list(classes)))


def _name(classes: tuple[str, ...], labels: torch.Tensor | None, i: int, seed: int) -> str:
    which = f"-{classes[int(labels[i])]}" if labels is not None and classes else ""
    return f"zeuxis{which.replace('/', '_')}-{seed}.png"
