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


def _answer(evaluation: "Evaluation", given: Mapping[str, Any]) -> Answer:
    from zeuxis.pages.evaluation import lines

    return Answer("\n".join(lines(evaluation.to_json())), evaluation.to_json())


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
        p.Arg("what sets are compared in", "efficientnet-lite0 where it was added, else a classifier of the classes"),
    ]
    | None = None,
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
    the same shape. Raises BadInput.
    """
    folder = Path(made)
    is_run = (folder / "run.json").exists()
    checks.check_run(folder) if is_run else checks.check_source(str(made))
    given = dict(locals())
    if data is None:
        asking.refuse_reading(given)
    source = None if data is None else asking.source_of(data, given)
    from zeuxis.errors import BadInput
    from zeuxis.jobs import evaluating, training

    if is_run:
        return evaluating.evaluate_run(training.opened(folder), source, n or 1000, seed, features, snapshot)
    if source is None:
        raise BadInput("a folder of pictures needs real ones beside it", str(made), "name them with `--data`")
    for flag, value in (("-n", n), ("--snapshot", snapshot)):
        if value is not None:
            raise asking.unread(flag, "of a folder of pictures, all of which are measured")
    return evaluating.evaluate_folder(folder, source, seed, features)
