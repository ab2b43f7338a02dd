"""Pictures damaged on purpose, to have something to restore."""

from typing import TYPE_CHECKING, Annotated

from zeuxis import asking
from zeuxis.asking import text_of
from zeuxis.parameters import Arg, PathLike, Pixels, Seed
from zeuxis.word import FINISHED_KEPT, word
from zeuxis.words.restore import files_and_figures

if TYPE_CHECKING:
    from zeuxis.jobs.per_image.records import Results


@word(files_and_figures, "zeuxis data degrade photos damaged --as web", kept=FINISHED_KEPT)
def data_degrade(
    input: Pixels,
    out: Annotated[
        PathLike, Arg("folder to write to; for one picture also a .png file, or - for stdout", metavar="OUT")
    ]
    | None = None,
    *,
    damage: Annotated[
        str,
        Arg(
            "web, hard, old-photo, or blur=1+noise=10+jpeg=50",
            flag="--as",
            metavar="WORDS",
            offered=("web", "hard", "old-photo"),
        ),
    ] = "web",
    seed: Seed = 0,
) -> "Results":
    """Damages a picture, a folder tree or a pattern, to have something to restore; returns a record for each.

    damage: a preset or words of `zeuxis.degrade.parsing`. Raises BadInput; SomeFailed where a file cannot be read.
    """
    given = asking.pictures_of(input)
    from zeuxis.jobs import training
    from zeuxis.jobs.degrading import degrade_files

    if isinstance(given, str) and out is not None:
        training.apart(given, out, "OUT")
    return degrade_files(given, text_of(out), damage, seed)
