"""Turn pictures of one kind into another: a picture or a folder of them."""

from typing import TYPE_CHECKING, Annotated, Literal

from zeuxis import asking
from zeuxis import parameters as p
from zeuxis.asking import text_of
from zeuxis.word import FINISHED_KEPT, word
from zeuxis.words.restore import files_and_figures

if TYPE_CHECKING:
    from zeuxis.jobs.per_image.records import Results


@word(files_and_figures, "zeuxis translate photos painted --run runs/sea", kept=FINISHED_KEPT)
def translate(
    input: p.Pixels,
    out: p.Target | None = None,
    *,
    run: Annotated[p.PathLike, p.Arg("a trained run of pix2pix, cyclegan or cut, or a weights file")],
    direction: Annotated[
        Literal["ab", "ba"], p.Arg("from the first collection of the training to the second, or back")
    ] = "ab",
    snapshot: Annotated[str, p.Reads(str), p.Arg("weights kept under this name, such as best", "those at the end")]
    | None = None,
    seed: p.Seed = 0,
    memory: p.Memory | None = None,
    dry_run: p.DryRun = False,
) -> "Results":
    """Translates a picture, each of a folder tree, or (IN "-") the one on stdin; the originals stay as they are.

    Returns a record for each picture, as `restore` does. seed: which answer, of a run of pix2pix with `noise`. Raises
    BadInput; SomeFailed where some of several pictures could not be done.
    """
    given = asking.pictures_of(input)
    from zeuxis.jobs import training
    from zeuxis.jobs.restoring.command import bytes_of
    from zeuxis.jobs.translating.translate import Translate, translate_files

    if isinstance(given, str) and out is not None:
        training.apart(given, out, "OUT")
    work = Translate(str(run), direction, text_of(snapshot), bytes_of(memory), seed)
    return translate_files(given, text_of(out), work, dry_run)
