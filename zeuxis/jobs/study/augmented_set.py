"""The augmented set of a study: the training pictures of its best repeat with generated ones mixed in."""

import contextlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zeuxis.data.export import check_empty, folder_names, kinds_of, note_for
from zeuxis.data.files import cut, plain_errors, write_json
from zeuxis.engine.progress import say
from zeuxis.errors import BadInput
from zeuxis.jobs.sampling import generate, seeds_of
from zeuxis.jobs.study.analyse import best_repeat
from zeuxis.jobs.study.job_graph import chosen
from zeuxis.jobs.study.place import Place, draw_repeat
from zeuxis.pictures.png import write_png
from zeuxis.runs import Run


def write_mixed(place: Place, out: Path) -> Path:
    """Writes a folder per class; generated files are named `zeuxis-SEED.png`, noted inside, and listed.

    It is what the treatment of the best generator's repeat trained on: at the share that validation chose there, each
    class at this share. Where that is 0 it is the real pictures alone, and a line says so.
    A set of this study that is there already is left as it is. Raises BadInput where `out` holds other files.
    """
    if is_of(place.folder, out):
        return out
    check_empty(out)
    r = best_repeat(place)
    choice = chosen(place, r)
    assert choice is not None, f"repeat {r + 1} is not finished"
    train = np.asarray(draw_repeat(place, r)["train"])
    labels = np.asarray(place.dataset.labels)
    kept, generated_counts = portions(choice.share, np.bincount(labels[train], minlength=place.classes))
    folders = folder_names(place.dataset.spec.classes)
    aside = out.with_name(f".{cut(out.name, 200)}.{os.getpid()}.tmp")
    kinds = kinds_of(place.dataset)
    try:
        rows = []
        for i in train.tolist() if kept else ():
            file = f"{folders[place.dataset.spec.classes[labels[i]]]}/{i:06d}.png"
            noted = note_for(place.dataset, i, kinds[i], study=place.folder.resolve().name)
            write_png(aside / file, place.dataset.images([i])[0].permute(1, 2, 0).numpy(), *noted)
            group = {} if place.dataset.groups is None else {"group": place.dataset.groups[i]}
            rows.append({"file": file, "source": place.dataset.sources[i], "generated": kinds[i] == "made", **group})
        rows += _generated(place, r, aside, torch.arange(place.classes).repeat_interleave(generated_counts), folders)
        made_by = {
            "study": place.folder.resolve().name,
            "weights": (place.result(r, "generator") or {})["weights_sha256"],
        }
        manifest = {"format": 1, **made_by, "repeat": r + 1, "share": choice.share, "files": rows}
        write_json(aside / "manifest.json", manifest)
        if out.exists():
            out.rmdir()
        os.rename(aside, out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    say(f"zeuxis: the augmented set is written: {out}")
    if choice.share == 0:
        say(
            f"zeuxis: {out} holds real pictures only: on the validation pictures of repeat {r + 1}, whose generator "
            "was the best, no share of generated pictures did better than none"
        )
    return out


def portions(share: float, counts: np.ndarray) -> tuple[bool, torch.Tensor]:
    """Whether real pictures are kept, and how many generated ones each class gets, int64 [classes].

    counts: real pictures by class. Generated pictures are the same `share` of every class, rounded, but not to
    none; share 1 puts as many generated pictures in the place of the real ones.
    """
    if share in (0.0, 1.0):
        return share == 0.0, torch.from_numpy(counts * int(share))
    generated_counts = np.maximum(np.round(share / (1.0 - share) * counts), counts > 0)
    return True, torch.from_numpy(generated_counts.astype(np.int64))


def check_place(out: Path, study: Path) -> None:
    """Tries out that the set can be written, so that no study is trained for nothing; leaves everything as it was.

    Raises BadInput where `out` would hold the study itself or its place cannot be written, MachineGaveOut for a
    full disk.
    """
    whole = out.resolve()
    if study.resolve().is_relative_to(whole):
        raise BadInput("the study would lie in the augmented set", str(out), "choose another --out")
    aside = whole.with_name(f".{cut(whole.name, 200)}.{os.getpid()}.tmp")
    missing: list[Path] = []
    try:
        with plain_errors(out):
            missing += [path for path in (aside, *aside.parents) if not path.exists()]
            aside.mkdir(parents=True)
    finally:
        for path in missing:
            with contextlib.suppress(OSError):
                path.rmdir()


def is_of(study: Path, out: Path) -> bool:
    """Whether `out` holds the augmented set of the study: the manifest has its weights, whatever it is called."""
    try:
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        result = json.loads((study / "repeats" / f"{manifest['repeat']:02d}" / "generator.json").read_text())
        return bool(manifest["weights"] == result["weights_sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _generated(
    place: Place, r: int, aside: Path, labels: torch.Tensor, folders: dict[str, str]
) -> list[dict[str, Any]]:
    """Pictures of a generator with these labels, in files; a row for each."""
    if not len(labels):
        return []
    result = place.result(r, "generator")
    assert result is not None
    run = Run.open(place.repeat(r) / "generator")
    seeds = seeds_of("mixed", place.seed(r, "mixed"), len(labels))
    networks = run.networks(result["chosen"])
    pictures = torch.cat(list(generate(run.recipe, networks, seeds, labels)))
    rows = []
    for picture, label, seed in zip(pictures, labels.tolist(), seeds.tolist(), strict=True):
        name = place.dataset.spec.classes[label]
        file = f"{folders[name]}/zeuxis-{seed}.png"
        note = {"recipe": place.asked.recipe, "weights": result["weights_sha256"], "seed": seed, "class": name}
        note |= {"study": place.folder.resolve().name}
        write_png(aside / file, picture.permute(1, 2, 0).numpy(), note)
        rows.append({"file": file, "generated": True, "source": place.folder.resolve().name, **note})
    return rows
