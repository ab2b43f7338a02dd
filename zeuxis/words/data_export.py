"""The pictures of a collection as PNG files, a folder per class."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zeuxis import asking
from zeuxis import parameters as p
from zeuxis.word import Answer, word


def _answer(out: Path, given: Mapping[str, Any]) -> Answer:
    return Answer(str(out), {"out": str(out)})


@word(_answer, "zeuxis data export fashion-mini --out garments")
def data_export(
    data: p.Collection,
    *,
    size: p.Size | None = None,
    channels: p.Channels | None = None,
    fit: p.Fit = "crop",
    classes_at: p.ClassesAt | None = None,
    group_at: p.GroupAt | None = None,
    part_at: p.PartAt | None = None,
    frames: p.Frames = "first",
    range: p.White | None = None,
    strict: p.Strict = False,
    out: p.OutFolder,
) -> Path:
    """Writes the pictures as PNG files, a folder per class, with a manifest; returns the folder."""
    source = asking.source_of(data, locals())
    from zeuxis.data.export import check_empty, export_folder
    from zeuxis.engine.progress import pictures_done
    from zeuxis.jobs import training

    training.apart(data, out, "--out")
    check_empty(Path(out))
    dataset = source.open()
    with pictures_done(len(dataset)) as tell:
        export_folder(dataset, Path(out), tell=tell)
    return Path(out)
