"""Denoise, deblur, repair JPEG, fill holes: a picture or a folder of them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from zeuxis import asking
from zeuxis import parameters as p
from zeuxis.asking import text_of
from zeuxis.classic import methods
from zeuxis.errors import one_line
from zeuxis.word import FINISHED_KEPT, Answer, word

if TYPE_CHECKING:
    from zeuxis.jobs.per_image.records import Results


_DENOISING, _INPAINTING = methods.names("denoising"), methods.names("inpainting")


def files_and_figures(results: "Results", given: Mapping[str, Any]) -> Answer:
    """The names of the files and what was found, or a picture for stdout."""
    if len(results) == 1 and results[0].made is not None:
        return Answer("", {}, results.data)
    return Answer("\n".join(one_line(str(path)) for path in results.files), results.to_json())


@word(files_and_figures, "zeuxis restore photos mended", kept=FINISHED_KEPT)
def restore(
    input: p.Pixels,
    out: p.Target | None = None,
    *,
    method: Annotated[
        str,
        p.Arg(
            f"net, or a classic one: {', '.join(_DENOISING)}; for inpaint: {', '.join(_INPAINTING)}",
            offered=tuple(dict.fromkeys(("net", *_DENOISING, *_INPAINTING))),
        ),
    ] = "net",
    run: p.NetsFrom | None = None,
    memory: p.Memory | None = None,
    compare: p.Original | None = None,
    page: p.Page | None = None,
    dry_run: p.DryRun = False,
    task: Annotated[
        Literal["auto", "denoise", "deblur", "jpeg", "inpaint", "enhance", "old-photo"],
        p.Arg("auto: measures first, and leaves good pictures alone"),
    ] = "auto",
    mask: p.Mask | None = None,
    mask_is: Annotated[
        Literal["hole", "keep"],
        p.Arg(
            "what is painted in the mask is missing, or is there and the rest is missing",
            "hole, and asked where that is more than half",
        ),
    ]
    | None = None,
    strength: Annotated[float, p.Arg("0 to 1; 0 changes nothing", "1, and 0.5 for enhance")] | None = None,
    uncertainty: Annotated[p.PathLike, p.Arg("a run of that recipe: the page shows what is not sure", metavar="RUN")]
    | None = None,
) -> "Results":
    """Mends a picture, each of a folder tree, or (IN "-") the one on stdin; the originals stay as they are.

    Returns a record for each picture: `image` and `before` (PIL), `decision`, `measured`, `notes`, `result`; of one in
    memory `data` are the bytes of the file that was made. strength: 0 to 1, None is the task's own; uncertainty: a run
    of that recipe, for the page's map; mask_is: whether what is painted in the mask is the "hole" or to "keep".
    Raises BadInput; SomeFailed where some of several pictures could not be done.
    """
    given = asking.pictures_of(input)
    from zeuxis.jobs.restoring.command import bytes_of, mend
    from zeuxis.jobs.restoring.restore import RestoreConfig

    asked = RestoreConfig(
        task=task,
        strength=strength,
        method=method,
        run=text_of(run),
        memory=bytes_of(memory),
        uncertainty=text_of(uncertainty),
        mask_is=mask_is,
    )
    return mend(given, text_of(out), asked, asking.mask_of(mask), text_of(compare), text_of(page), dry_run)
