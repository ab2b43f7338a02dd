"""Train a recipe on a folder of pictures."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from zeuxis import asking, catalog
from zeuxis import parameters as p
from zeuxis.arguments import taken_fields
from zeuxis.word import Answer, word
from zeuxis.words.resume import finished

if TYPE_CHECKING:
    from zeuxis.runs import Run


def _answer(run: "Run", given: Mapping[str, Any]) -> Answer:
    return finished(run.path, run.finish)


@word(_answer, "zeuxis train cgan fashion-mini --budget 2m --run runs/first", begins="run")
def train(
    recipe: Annotated[str, p.Arg("name of a recipe; `auto` chooses one for these pictures")],
    data: p.Collections,
    *,
    run: p.RunFolder,
    steps: Annotated[p.Count, p.Arg("train for so many batches")] | None = None,
    images: Annotated[p.Count, p.Arg("train until so many pictures were seen")] | None = None,
    budget: Annotated[p.Time, p.Arg("train for a time: 90s, 8m, 1h30m")] | None = None,
    preset: Annotated[str, p.Arg("a named set of values")] | None = None,
    seed: p.Seed = 0,
    start_from: Annotated[
        p.PathLike, p.Arg("begin with the weights of a run, of a file, or `bundled`", "by chance", offered=("bundled",))
    ]
    | None = None,
    adapt: Annotated[
        p.Time, p.Arg("first train the autoencoder of `latentgan` on these pictures for a time, such as 2m")
    ]
    | None = None,
    conditional: Annotated[bool, p.Arg("leave the labels aside")] = True,
    compute: Annotated[Literal["auto", "plain"], p.Arg("plain: no measuring; one thread, or --threads")] = "auto",
    micro: Annotated[
        p.Count, p.Arg("split a batch in so many parts, for less memory, where its samples are independent")
    ] = 1,
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
    generated: p.Generated = "leave",
    side_by_side: p.SideBySide = False,
    threads: p.Threads | None = None,
    device: p.Device | None = None,
    checkpoint_every: p.CheckpointEvery = "30s",
    on_nan: p.OnNan = "rewind",
    **settings: Any,
) -> "Run":
    """Trains a recipe on pictures into the run folder `run`; `settings` are the recipe's own fields.

    Exactly one of steps, images and budget ("8m", or seconds) is given. size: pixels, or (height, width);
    start_from: a finished run, a weights file, or "bundled", whose settings hold where none are given; range: white of
    more than 8 bits. Raises BadInput, Stopped, MachineGaveOut.
    """
    sources = asking.sources_of(data, locals())
    from zeuxis.engine.progress import say
    from zeuxis.engine.train import Start
    from zeuxis.jobs import initial_weights, training

    for source in sources:
        training.apart(source.source, run, "--run")
    limit = asking.budget_of(steps, images, budget)  # before the look of `auto`
    choice = asking.choice_of(recipe, sources, preset or start_from, limit.seconds, device, conditional)
    if choice is not None and choice.poor and adapt is None:
        say("zeuxis: `--adapt 2m` would tune its autoencoder to these pictures first")
    recipe = recipe if choice is None else choice.recipe
    return training.begin(
        recipe,
        sources,
        Path(run),
        limit,
        Start(
            seed,
            conditional,
            asking.compute_of(compute, threads, device),
            threads,
            device,
            micro,
            preset=preset if choice is None else choice.preset,
            chosen=None if choice is None else choice.why,
        ),
        asking.loop_options_of(checkpoint_every, on_nan),
        taken_fields(catalog.load(recipe), settings),
        training.First(
            None if start_from is None else initial_weights.asked_for(start_from),
            None if adapt is None else asking.seconds_of(adapt, "--adapt"),
        ),
    )
