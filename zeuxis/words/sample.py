"""Draw pictures from a trained run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from zeuxis import asking
from zeuxis.data import checks
from zeuxis.parameters import Arg, Count, OutFolder, Reads, RunFolder, Seeds
from zeuxis.word import Answer, word


def _answer(paths: list[Path], given: Mapping[str, Any]) -> Answer:
    *files, grid = [str(path) for path in paths]
    return Answer(grid, {"files": files, "grid": grid})


@word(_answer, "zeuxis sample runs/first -n 16 --out made")
def sample(
    run: RunFolder,
    *,
    n: Annotated[Count, Arg("how many pictures", "64, or as many as --seeds", flag="-n")] | None = None,
    class_: Annotated[str | int, Reads(str), Arg("keep to this class, by name or number", "all in turn")] | None = None,
    seeds: Annotated[Seeds, Arg("in place of -n, such as 1,5-8; the same seed gives the same picture")] | None = None,
    snapshot: Annotated[str, Reads(str), Arg("weights kept under this name, such as best", "those at the end")]
    | None = None,
    out: OutFolder,
) -> list[Path]:
    """Draws pictures from a trained run into the folder `out`; returns their paths, that of the grid last.

    class_: keep to this class, by name or number; seeds: "1,5-8", or [1, 5, 6], in place of n; snapshot: weights of
    the run's `snapshots` folder by name, such as "best". The same seed gives the same picture. Raises BadInput.
    """
    checks.check_run(Path(run))
    from zeuxis.jobs import training
    from zeuxis.jobs.sample_files import sample as draw

    wanted, opened = None if class_ is None else str(class_), training.opened(run)
    for source in filter(None, (stream["source"] for stream in opened.record["sources"].values())):
        training.apart(source, out, "--out")
    return draw(opened, Path(out), asking.how_many(n, seeds), wanted, asking.seeds_of(seeds), snapshot)
