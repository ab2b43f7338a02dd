"""Turn pictures of one kind into another: by what a run learned, or in the manner of a painting."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from zeuxis import asking, flag_values
from zeuxis import parameters as p
from zeuxis.asking import text_of
from zeuxis.word import FINISHED_KEPT, word
from zeuxis.words.restore import files_and_figures

if TYPE_CHECKING:
    from zeuxis.jobs.per_image.records import Results

_RUN, _STYLE = "by a run", "in the manner of a painting"


@word(files_and_figures, "zeuxis translate photos painted --run runs/sea", kept=FINISHED_KEPT)
def translate(
    input: p.Pixels,
    out: p.Target | None = None,
    *,
    size: Annotated[p.Count, p.Arg("pixels of the longer side of what is made", "those of the picture")] | None = None,
    run: Annotated[p.PathLike, p.Arg("a trained run of pix2pix, cyclegan or cut, or a weights file", group=_RUN)]
    | None = None,
    direction: Annotated[
        Literal["ab", "ba"],
        p.Arg("from the first collection of the training to the second, or back", "ab", group=_RUN),
    ]
    | None = None,
    snapshot: Annotated[
        str, p.Reads(str), p.Arg("weights kept under this name, such as best", "those at the end", group=_RUN)
    ]
    | None = None,
    memory: p.Memory | None = None,
    style: Annotated[
        str | Path | tuple[str | Path, ...],
        p.Reads(flag_values.path, several=True),
        p.Words("a picture file, or several"),
        p.Arg("a painting; or several, each with a flag of its own, as FILE or FILE:WEIGHT", group=_STYLE),
    ]
    | None = None,
    strength: Annotated[float, p.Arg("how far texture goes, 0 to 1; 0 changes colours alone", "1", group=_STYLE)]
    | None = None,
    keep_colours: Annotated[bool, p.Arg("keep the colours of the picture", group=_STYLE)] = False,
    method: Annotated[
        Literal["patches", "neural"],
        p.Arg("patches: at once; neural: by VGG16, which you add, in minutes", "patches", group=_STYLE),
    ]
    | None = None,
    seed: p.Seed = 0,
    dry_run: p.DryRun = False,
) -> "Results":
    """Translates a picture, each of a folder tree, or (IN "-") the one on stdin; the originals stay as they are.

    Either by `run`, what it learned, or by `style`: one painting or several, each a file or "FILE:WEIGHT", with nothing
    trained. Returns a record for each picture, as `restore` does. seed: which answer, of a run of pix2pix with `noise`
    and of a painting. Raises BadInput; SomeFailed where some of several pictures could not be done.
    """
    given = asking.pictures_of(input)
    from zeuxis.jobs import training
    from zeuxis.jobs.translating.translate import translate_files
    from zeuxis.jobs.translating.wishes import work_of

    if isinstance(given, str) and out is not None:
        training.apart(given, out, "OUT")
    by_run = {"run": text_of(run), "direction": direction, "snapshot": text_of(snapshot), "memory": memory}
    by_style = {"style": style, "strength": strength, "keep_colours": keep_colours, "method": method}
    return translate_files(given, text_of(out), work_of(by_run, by_style, size, seed), dry_run)
