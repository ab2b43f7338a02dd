"""Enlarge pictures two, three or four times."""

from typing import TYPE_CHECKING, Annotated, Literal

from zeuxis import asking
from zeuxis import parameters as p
from zeuxis.asking import text_of
from zeuxis.word import FINISHED_KEPT, word
from zeuxis.words.restore import files_and_figures

if TYPE_CHECKING:
    from zeuxis.jobs.per_image.records import Results


@word(files_and_figures, "zeuxis upscale photo.jpg --scale 3", kept=FINISHED_KEPT)
def upscale(
    input: p.Pixels,
    out: p.Target | None = None,
    *,
    method: Annotated[str, p.Arg("net, or bicubic", offered=("net", "bicubic"))] = "net",
    run: p.NetsFrom | None = None,
    memory: p.Memory | None = None,
    compare: p.Original | None = None,
    page: p.Page | None = None,
    dry_run: p.DryRun = False,
    scale: Annotated[Literal[2, 3, 4], p.Arg("times larger along each side")] = 2,
    fidelity: Annotated[float, p.Arg("1: faithful; towards 0: more detail that is invented")] = 1.0,
) -> "Results":
    """Enlarges as `restore` mends. scale: 2, 3 or 4; fidelity: 1 is the faithful net, less mixes in invented detail."""
    given = asking.pictures_of(input)
    from zeuxis.jobs.restoring.command import bytes_of, mend
    from zeuxis.jobs.restoring.restore import RestoreConfig

    asked = RestoreConfig(scale=scale, fidelity=fidelity, method=method, run=text_of(run), memory=bytes_of(memory))
    return mend(given, text_of(out), asked, None, text_of(compare), text_of(page), dry_run)
