"""Find out whether generated pictures help a classifier, or augment a folder by rules."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from zeuxis import asking, catalog
from zeuxis import parameters as p
from zeuxis.arguments import taken_fields
from zeuxis.augmentation.names import DOMAIN_NAMES, POLICY_NAMES
from zeuxis.errors import BadInput
from zeuxis.jobs.study import treatment as treatments
from zeuxis.word import FINISHED_KEPT, NOTHING_KEPT, Answer, word
from zeuxis.words.resume import concluded

if TYPE_CHECKING:
    from zeuxis.jobs.per_image.records import Results
    from zeuxis.jobs.study.handle import Study

RULES = "augmenting by rules, without a study"

Out = Annotated[
    p.PathLike,
    p.Arg("folder for the augmented set of `--treatment gan`: one repeat's real pictures, and generated ones"),
]
LabelsPerClass = Annotated[int, p.AtLeast(2), p.Arg("real training pictures per class", "80 % of them")]
OfGenerator = Annotated[
    Mapping[str, Any], p.FieldsOf("recipe", argument=True), p.Arg("a field of that recipe; repeat for more")
]
OfClassifier = Annotated[Mapping[str, Any], p.FieldsOf("classifier"), p.Arg("a field of the classifier")]
Treatment = Annotated[
    str,
    p.OneOf(treatments.names()),
    p.Arg("gan; guessed: other real pictures by guessed labels; again, more-real, shuffled-real check the study"),
]
Unlabelled = Annotated[
    p.PathLike,
    p.Arg(
        "a folder that the generator also learns from, by guessed labels; rest: training pictures not drawn",
        offered=("rest",),
    ),
]
Domain = Annotated[
    str,
    p.OneOf(DOMAIN_NAMES),
    p.Arg("kind of picture: which flips and turns keep the label true", "guessed from the name"),
]


def _answer(output: "Study | Results | None", given: Mapping[str, Any]) -> Answer:
    from zeuxis.jobs.per_image.records import Results

    if output is None:
        return Answer("", {"dry_run": True})
    if isinstance(output, Results):
        return Answer(str(output.beside["out"]), output.to_json())
    return concluded(Path(output))


def _kept(given: Mapping[str, Any]) -> str:
    return FINISHED_KEPT if given.get("classic_only") else NOTHING_KEPT


def _check_places(data: Any, study: str | Path | None, out: str | Path | None, classic_only: bool) -> None:
    """Raises BadInput where a folder lies among the pictures, or that of the set holds something else already."""
    from zeuxis.data.export import check_empty
    from zeuxis.jobs import training
    from zeuxis.jobs.study import augmented_set

    for folder, flag in ((out, "--out"), (study, "--study")):
        if folder is not None:
            training.apart(data, folder, flag)
    if out is not None and not classic_only and (study is None or not augmented_set.is_of(Path(study), Path(out))):
        check_empty(Path(out))


def _check_treatment(treatment: str, out: bool, unlabelled: bool, generator: bool) -> None:
    """Raises BadInput where this treatment does not read what was given."""
    tried = treatments.named(treatment)
    if out and not tried.generates:
        raise BadInput(f"`--treatment {treatment}` generates nothing that --out could hold", "", "leave --out away")
    if unlabelled and not tried.generates and not tried.undrawn:
        raise asking.unread("--unlabelled", f"with `--treatment {treatment}`")
    if generator and not tried.generates:
        raise asking.unread("--generator or --recipe", f"with `--treatment {treatment}`, which generates nothing")


@word(
    _answer,
    "zeuxis augment fashion-mini --labels-per-class 20 --budget 20m --study studies/garments",
    begins="study",
    kept=_kept,
)
def augment(
    data: Annotated[p.Collection, p.Arg("folder per class, zip, table of file,label[,group], or a set by name")],
    *,
    study: Annotated[p.PathLike, p.Arg("folder of the study")] | None = None,
    out: Out | None = None,
    labels_per_class: LabelsPerClass | None = None,
    repeats: Annotated[p.Count, p.Arg("six is the least that can decide")] = 10,
    budget: Annotated[p.Time, p.Arg("time for the whole study, such as 12m or 1h30m")] = "60m",
    recipe: Annotated[str, p.Arg("what generates, such as cgan or latentgan; auto: what these pictures need")] = "auto",
    generator: OfGenerator | None = None,
    classifier: OfClassifier | None = None,
    margin: Annotated[float, p.Arg("points of accuracy that matter")] = 0.5,
    treatment: Treatment = "gan",
    unlabelled: Unlabelled | None = None,
    domain: Domain | None = None,
    dry_run: p.DryRun = False,
    seed: p.Seed = 0,
    classic_only: Annotated[bool, p.Arg("write turned, shifted, brightened copies; no study", group=RULES)] = False,
    copies: Annotated[p.Count, p.Arg("augmented copies of each picture", group=RULES)] = 5,
    policy: Annotated[str, p.OneOf(POLICY_NAMES), p.Arg("how far copies may differ", group=RULES)] = "classic",
    balance: Annotated[bool, p.Arg("end with equally many of each class", group=RULES)] = False,
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
    threads: Annotated[p.Threads, p.Arg("how many processes at once; each has one thread", "all cores")] | None = None,
    device: p.Device | None = None,
) -> "Study | Results | None":
    """Does mixing generated pictures into the labelled set help? Runs the study; or writes a folder augmented by rules.

    out: where the augmented set is written: real training pictures of one repeat, and pictures of its generator at the
    chosen share. classic_only: no study, `copies` copies by `policy` into `out`, classes made equal with `balance`.
    treatment: "gan", "guessed", or a check of the study itself. unlabelled: a folder, or "rest"; what it gains is
    held against these pictures alone, too. Returns the study, or a record for each file; None after a dry run.
    """
    source = asking.source_of(data, locals())
    from zeuxis.augmentation.domains import guess_domain
    from zeuxis.jobs import training
    from zeuxis.jobs.study import augmented_set, run_study
    from zeuxis.jobs.study import unlabelled as unlabelled_pictures
    from zeuxis.jobs.study.plan import StudyConfig

    _check_places(data, study, out, classic_only)
    domain = domain or guess_domain(str(data))
    asking.refuse_idle(augment, locals(), classic_only)
    if classic_only:
        return asking.copies_by_rules(source, out, (copies, policy, balance, seed, domain), dry_run)
    if study is None:
        raise BadInput(
            "the study needs a folder", "", "add `--study DIR`; or, for copies by rules, `--classic-only --out DIR`"
        )
    if out is not None and not augmented_set.is_of(Path(study), Path(out)):
        augmented_set.check_place(Path(out), Path(study))
    _check_treatment(treatment, out is not None, unlabelled is not None, bool(generator) or recipe != catalog.AUTO)
    fields = training.generator_fields(recipe, generator or {})
    asked = StudyConfig(
        labels_per_class,
        repeats,
        asking.seconds_of(budget),
        catalog.canonical(recipe),
        margin,
        seed,
        treatment,
        domain,
        generator=fields,
        classifier=taken_fields(catalog.load("classifier"), classifier or {}),
        unlabelled=unlabelled_pictures.asked_for(unlabelled),
    )
    return run_study.study(Path(study), source, asked, threads, device, out, dry_run)
