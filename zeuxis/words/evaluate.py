"""Measure generated pictures against real ones."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from zeuxis import asking
from zeuxis import parameters as p
from zeuxis.data import checks
from zeuxis.word import Answer, word

if TYPE_CHECKING:
    from zeuxis.jobs.evaluating import Evaluation
    from zeuxis.jobs.sources import Source


def _answer(evaluation: "Evaluation", given: Mapping[str, Any]) -> Answer:
    from zeuxis.pages.evaluation import lines, sentence_of

    record = evaluation.to_json()
    page = [str(given["page"])] if given["page"] is not None else []
    return Answer("\n".join([*lines(record), sentence_of(record), *page]), record)


@word(_answer, "zeuxis evaluate runs/first --data MY_PICTURES")
def evaluate(
    made: Annotated[p.PathLike, p.Arg("a run that generates, or a folder of generated pictures", metavar="RUN|FOLDER")],
    *,
    data: Annotated[
        p.Collection, p.Arg("real pictures; of a run only those that it did not learn from", "what the run held out")
    ]
    | None = None,
    n: Annotated[p.Count, p.Arg("how many pictures", "1000", flag="-n")] | None = None,
    features: Annotated[
        Literal["efficientnet-lite0", "classifier", "layout"],
        p.Arg(
            "what sets are compared in",
            "efficientnet-lite0 where it was added, else classifier where there are classes, else layout",
        ),
    ]
    | None = None,
    page: Annotated[p.PathLike, p.Arg("HTML file to write: the figures, and pictures of both kinds")] | None = None,
    snapshot: Annotated[str, p.Reads(str), p.Arg("weights kept under this name, such as best", "those at the end")]
    | None = None,
    seed: p.Seed = 0,
    size: p.Size | None = None,
    channels: p.Channels | None = None,
    fit: p.Fit = "crop",
    classes_at: p.ClassesAt | None = None,
    group_at: p.GroupAt | None = None,
    part_at: p.PartAt | None = None,
    frames: p.Frames = "first",
    range: p.White | None = None,
    strict: p.Strict = False,
    join: p.Join | None = None,
) -> "Evaluation":
    """How near generated pictures come to real ones: each figure with its interval, and what real pictures reach.

    made: a run, or a folder of pictures, a folder per class where classes are to be judged. data: real pictures of
    the same shape. page: an HTML file. Raises BadInput.
    """
    folder = Path(made)
    is_run = checks.is_run(folder)
    named = str(made) if is_run else checks.name_of(made)
    given = dict(locals())
    if data is None:
        asking.refuse_reading(given)
    source = None if data is None else asking.source_of(data, given)
    from zeuxis.jobs import evaluating, training
    from zeuxis.pages.evaluation import write_evaluation
    from zeuxis.pages.page import check_page

    if page is not None:
        check_page(Path(page))
    if is_run:
        found = evaluating.evaluate_run(training.opened(folder), source, n or 1000, seed, features, snapshot)
    else:
        found = _of_folder(named, source, {"-n": n, "--snapshot": snapshot}, seed, features)
    if page is not None:
        write_evaluation(Path(page), str(made), found)
    return found


def _of_folder(
    folder: str, source: "Source | None", idle: Mapping[str, Any], seed: int, features: str | None
) -> "Evaluation":
    from zeuxis.errors import BadInput
    from zeuxis.jobs import evaluating

    if source is None:
        raise BadInput("a folder of pictures needs real ones beside it", folder, "name them with `--data`")
    for flag, value in idle.items():
        if value is not None:
            raise asking.unread(flag, "of a folder of pictures, which is measured as it is", f"leave {flag} out")
    return evaluating.evaluate_folder(folder, source, seed, features)
