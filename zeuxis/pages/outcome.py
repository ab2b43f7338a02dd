"""What came of a training, in one sentence, from measured figures alone."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from zeuxis.errors import counted
from zeuxis.pages.formats import decimal, percent, things, whole
from zeuxis.pages.read import advice, mapping, number
from zeuxis.spelling import in_flags

GRADES = ("failed", "poor", "usable", "close")
"""How samples are graded, from the worst."""
GAINS = ("worse", "no better", "little better", "better")
"""How what mends or recognizes is graded, against its rival."""
UNJUDGED = "not judged"
_FEW = 40  # held-out pictures under which the figures are rough


@dataclass(frozen=True)
class Outcome:
    """grade: one of GRADES or GAINS, or UNJUDGED; sentence: for people; figures: what it was read from, by name."""

    grade: str
    sentence: str
    figures: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"figures": dict(self.figures)}


def unjudged(why: str) -> Outcome:
    return Outcome(UNJUDGED, f"How good the result is was not measured: {why}.", {})


def too_good(studies: Sequence[str]) -> str:
    """Why figures on held-out pictures flatter a run that trains on what the generators of these studies drew."""
    of = "the study " if len(studies) == 1 else "the studies "
    of += " and ".join(f"`{study}`" for study in studies)
    return (
        f"the generator of {of} also learned from the pictures held out here, so they are not new to this run; "
        "the study's own page has the honest figure"
    )


# ------------------------------------------------------------------ samples

FAR, NEAR, ALIKE = 0.06, 0.01, 0.005
"""Distances from 0 to 1: no pictures yet above the first, of use up to the second, close up to the third."""


def of_samples(figures: Mapping[str, Any]) -> Outcome:
    """The judgement of a generator's samples; figures as `metrics.likeness.Likeness.to_json` gives them.

    Where they say what so many images give by other runs (`expected`), passable samples are told of by that first: what
    a picture shows, the figures do not see.

    The thresholds stand in docs/measured.md with the runs that they were chosen on.
    """
    values = {name: number(figures.get(name)) for name in _NAMES}
    if values["diversity"] is None or values["sharpness"] is None:
        return unjudged("the real pictures are all alike, or without any detail")
    if any(value is None for value in values.values()):
        return unjudged("a figure is missing or not finite")
    f = {name: value for name, value in values.items() if value is not None}
    covered, recalled = f["coverage"] / max(f["coverage_real"], 1e-9), f["recall"] / max(f["recall_real"], 1e-9)
    grade = _grade(f, covered, recalled)
    said = {"failed": _failed(f), "poor": _poor(f, covered), "usable": _usable(recalled), "close": _CLOSE}
    known = _recognised(figures)
    blind = _BLIND if grade in ("usable", "close") else ""
    held = "the other pictures" if figures.get("apart") is False else "the held-out pictures"
    sentence = f"{said[grade]}: {_measured(f, held)}.{blind}{_caution(figures)}"
    if known and _unlike(figures):
        return Outcome("failed" if grade == "failed" else "poor", f"{known} {sentence}", figures)
    expected = str(figures.get("expected") or "") if blind else ""
    return Outcome(grade, " ".join(filter(None, [expected, sentence, known])), figures)


_HALF = 0.5
"""Share of the way from chance to real pictures, below which samples do not show what they should."""
_BY_SURFACE = "It goes by colours and surfaces, too: whether objects are whole, the eye alone tells."


def _unlike(figures: Mapping[str, Any]) -> bool:
    ours, real, chance = (number(figures.get(f"recognised{end}")) or 0.0 for end in ("", "_real", "_chance"))
    return ours - chance < _HALF * (real - chance)


def _recognised(figures: Mapping[str, Any]) -> str:
    """Whether samples show the class that they were drawn for; empty where that was not measured."""
    ours, real, chance = (number(figures.get(f"recognised{end}")) for end in ("", "_real", "_chance"))
    if ours is None or real is None or chance is None:
        return ""
    shares = f"{percent(ours)} of the samples for the class that they were drawn for"
    beside = f"{percent(real)} of held-out real ones; by chance {percent(chance)}"
    lead = "Most samples do not show what they should: a" if _unlike(figures) else "A"
    return f"{lead} classifier that learned from the real pictures takes {shares} ({beside}). {_BY_SURFACE}"


def _caution(figures: Mapping[str, Any]) -> str:
    if figures.get("apart") is False:
        return " No pictures were held out, so the samples were held against half of the training pictures."
    few = few_held(number(figures.get("held")))
    return f" {few}" if few else ""


def few_held(pictures: float | None) -> str:
    """A sentence where so few pictures were held out that figures of them are rough, otherwise empty."""
    if not pictures or pictures >= _FEW:
        return ""
    were = "was" if pictures == 1 else "were"
    return f"Only {counted(round(pictures), 'picture')} {were} held out, so these figures are rough."


_NAMES = (
    "diversity", "sharpness", "distance", "distance_real", "coverage", "coverage_real", "recall", "recall_real",
)  # fmt: skip
_CLOSE = "In light, colour and variety the samples are close to the real pictures"
_BLIND = " Whether what they show can be recognised, these figures do not tell: look at them."


def _grade(f: Mapping[str, float], covered: float, recalled: float) -> str:
    """From the worst figure: no good one makes up for a bad one."""
    distance, diversity, sharpness = f["distance"], f["diversity"], f["sharpness"]
    if distance > FAR or diversity < 0.3 or covered < 0.05:
        return "failed"
    if distance > NEAR or covered < 0.7 or recalled < 0.6 or diversity < 0.6 or not 0.5 <= sharpness <= 2:
        return "poor"
    near = distance <= ALIKE and covered >= 0.9 and recalled >= 0.8
    return "close" if near and diversity >= 0.8 and 0.7 <= sharpness <= 1.4 else "usable"


def _failed(f: Mapping[str, float]) -> str:
    """What the samples are, where they are no pictures."""
    if f["diversity"] < 0.3:
        return (
            "The samples are fog, all alike" if f["sharpness"] < 0.5 else "The samples have collapsed: all look alike"
        )
    if f["sharpness"] < 0.5:
        return "The samples are a blur without detail"
    return "The samples are noise" if f["sharpness"] > 2 else "The samples do not look like the real pictures"


def _poor(f: Mapping[str, float], covered: float) -> str:
    """The plainest fault of samples that are on the way."""
    faults = (
        (f["sharpness"] < 0.6, "The samples are blurred"),
        (f["sharpness"] > 2, "The samples are noisy"),
        (f["diversity"] < 0.6 or covered < 0.3, "The samples show only some of what the real pictures show"),
        (f["distance"] > NEAR, "The samples are easily told from real pictures"),
    )
    return next(
        (sentence for fault, sentence in faults if fault), "The samples lack much of the variety of real pictures"
    )


def _usable(recalled: float) -> str:
    lack = ", though less varied than the real pictures" if recalled < 0.8 else ""
    return f"In light, colour and detail the samples are usable{lack}"


def _measured(f: Mapping[str, float], held: str) -> str:
    """The figures as a person reads them, beside those of real pictures; held: what these are."""
    return (
        f"{decimal(f['diversity'], 2)} times as varied and {decimal(f['sharpness'], 2)} times as sharp as real ones; "
        f"distance {decimal(max(f['distance'], 0), 3)} (0 alike, 1 nothing in common; real against real "
        f"{decimal(max(f['distance_real'], 0), 3)}); {percent(f['coverage'])} of {held} covered "
        f"(by real ones {percent(f['coverage_real'])})"
    )


# ------------------------------------------------------------------ held-out figures


@dataclass(frozen=True)
class Earlier:
    """A held-out figure that was better on the way, the images seen by then, the step, and where its weights are."""

    figure: float
    images: int
    step: int | None = None
    kept: str = ""


@dataclass(frozen=True)
class Held:
    """A held-out figure beside its rival's: what is more is better.

    doing: what the rival is, after "than"; least: a smaller gain is none; noise: what chance alone gives or takes, 0
    where it is not known; pictures: how many were held out, if known; aside: a sentence on what the figure does not
    see; earlier: where it was better before.
    """

    ours: float
    rival: float
    doing: str
    unit: str = "dB"
    least: float = 0.1
    noise: float = 0.0
    pictures: int | None = None
    aside: str = ""
    earlier: Earlier | None = None


def of_held(held: Held) -> Outcome:
    """The judgement of what mends, enlarges, fills or recognizes: worse, no better, little or well above its rival.

    Nothing is judged where not even the best figure could be told from chance.
    """
    if held.unit == "%" and held.rival + held.noise >= 1:
        few = counted(held.pictures or 0, "held-out picture")
        return unjudged(f"with {few}, being right on every one would not be told from {held.doing}")
    gain = held.ours - held.rival
    pictures = counted(held.pictures, "held-out picture") if held.pictures else "held-out pictures"
    figures = f"{_figure(held.ours, held.unit)}{_spread(held)} against {_figure(held.rival, held.unit)} on {pictures}"
    amount = f"{decimal(gain, 2)} dB" if held.unit == "dB" else f"{decimal(100 * gain, 1)} points"
    grade = _gain(gain, held.least, held.noise)
    by = f", by {amount}" if grade in ("little better", "better") else ""
    is_ = "was not shown to be better" if held.least < gain <= held.noise else f"is {grade}"
    said = [f"The result {is_} than {held.doing}{by}: {figures}.", held.aside, _earlier(held), few_held(held.pictures)]
    comparison = {
        "ours": held.ours,
        "rival": held.rival,
        "doing": held.doing,
        "unit": held.unit,
        "pictures": held.pictures,
    }
    before = {} if held.earlier is None else {"earlier": asdict(held.earlier)}
    return Outcome(grade, " ".join(sentence for sentence in said if sentence), comparison | before)


def _spread(held: Held) -> str:
    """How far a share of so few pictures may lie from that of all such: 95 % (Agresti and Coull 1998)."""
    if held.unit != "%" or not held.pictures:
        return ""
    n = held.pictures + 4
    share = (held.ours * held.pictures + 2) / n
    return f" (±{decimal(196 * (share * (1 - share) / n) ** 0.5, 0)})"


def _figure(value: float, unit: str) -> str:
    return f"{decimal(value, 2)} dB" if unit == "dB" else percent(value, 1)


def _earlier(held: Held) -> str:
    if held.earlier is None:
        return ""
    earlier = held.earlier
    when = f"after {counted(earlier.images, 'image')}" if earlier.step is None else f"at step {earlier.step:,}"
    best, kept = f"{_figure(earlier.figure, held.unit)} {when}", f"; {earlier.kept}" if earlier.kept else ""
    if earlier.figure - held.ours <= held.noise:
        return f"It had {best} on the way, which so few pictures do not tell from luck{kept}."
    return f"It was better on the way, with {best}, as happens when a net learns its training pictures by heart{kept}."


def _gain(gain: float, least: float, noise: float) -> str:
    if gain < -max(least, noise):
        return "worse"
    if gain <= max(least, noise):
        return "no better"
    return "little better" if gain <= 5 * least else "better"


def of_intervals(calibration: Mapping[str, Any]) -> Outcome:
    """The judgement of what says how sure a restorer is, from its calibration.json."""
    factor, missed, alpha = (number(calibration.get(name)) for name in ("factor", "missed", "alpha"))
    figures = {"factor": factor, "missed": missed, "alpha": alpha}
    if factor is None or missed is None or alpha is None:
        why = calibration.get("why") or "they were not calibrated"
        return Outcome("no better", f"The intervals cannot be trusted: {why}.", figures)
    return Outcome(
        "better",
        f"The intervals, {decimal(factor, 2)} times as wide as learned, miss {percent(missed, 1)} of the values of "
        f"{things(calibration.get('pictures'), 'held-out picture')}, where {percent(alpha)} may be missed.",
        figures,
    )


def of_translations(record: Mapping[str, Any]) -> Outcome:
    """The judgement of what translates, from its translations.json: what passes, beside the better cheap way."""
    found = [mapping(one) for one in record["directions"]]
    sentences, grades = zip(*(_translated(one) for one in found), strict=True)
    few = few_held(min(number(one.get("n")) or 0.0 for one in found))
    grade = min(grades, key=GAINS.index)
    return Outcome(grade, " ".join(filter(None, [*sentences, few])), {"directions": found})


def _translated(one: Mapping[str, Any]) -> tuple[str, str]:
    passes = {who: mapping(share) for who, share in mapping(one.get("passes")).items()}
    ours, real = passes.pop("ours", {}), passes.pop("real", {})
    shares = "".join(f"{who} passes {percent(share.get('value'))}; " for who, share in passes.items())
    high = max((number(share.get("high")) or 0.0 for share in passes.values()), default=0.0)
    best = max((number(share.get("value")) or 0.0 for share in passes.values()), default=0.0)
    value, low = number(ours.get("value")) or 0.0, number(ours.get("low")) or 0.0
    least = max((number(share.get("low")) or 0.0 for share in passes.values()), default=0.0)
    worse = (number(ours.get("high")) or 0.0) < least
    kind = "better" if low > high else "worse" if worse else "little better" if value > best else "no better"
    spread = f"{percent(low)} to {percent(ours.get('high'))}"
    sentence = (
        f"{percent(value)} ({spread}) of {things(one.get('n'), 'held-out picture')} of `{one.get('from')}` pass for "
        f"`{one.get('to')}` once translated; {shares}of real ones {percent(real.get('value'))} do."
    )
    return " ".join(filter(None, [sentence, _labels_found(mapping(one.get("labels"))), _copied(one)])), kind


def _labels_found(labels: Mapping[str, Any]) -> str:
    """How much of what a label map says is seen in what was made of it; empty where there are no label maps."""
    share = {who: percent(mapping(value).get("value")) for who, value in labels.items()}
    if not share:
        return ""
    return (
        f"A small net finds the given label in {share.get('ours')} of their pixels, in {share.get('real')} of those of "
        f"real photographs, and in {share.get('shuffled')} where another label map is held beside them."
    )


def _copied(one: Mapping[str, Any]) -> str:
    copies = mapping(one.get("copies"))
    if not copies.get("alarm"):
        return ""
    expected = decimal(copies.get("expected"), 1)
    said = f"{things(copies.get('copies'), 'translation')} stand out as copies of training pictures"
    return f"{said}, where about {expected} would."


def judgement_of(finish: Mapping[str, Any]) -> Outcome | None:
    """The judgement in a run's finish.json; None where there is none."""
    judgement = mapping(finish.get("judgement"))
    sentence = judgement.get("sentence")
    if not isinstance(sentence, str):
        return None
    return Outcome(str(judgement.get("grade") or UNJUDGED), sentence, mapping(judgement.get("figures")))


def figure_rows(outcome: Outcome) -> list[tuple[str, str, str]]:
    """(figure, that of the samples, that of as many real pictures) for the page's table; none of other results."""
    f = outcome.figures
    if "diversity" in f:
        names = (("distance", "distance, 0 to 1"), ("coverage", "coverage"), ("recall", "recall"))
        shown = {k: max(v, 0.0) for k, v in ((k, number(v)) for k, v in f.items()) if v is not None}
        pairs = [(label, decimal(shown.get(n), 3), decimal(shown.get(f"{n}_real"), 3)) for n, label in names]
        ours, real = (number(f.get(name)) for name in ("recognised", "recognised_real"))
        known = [] if ours is None else [("recognised as their class", percent(ours), percent(real))]
        return [
            *pairs,
            ("diversity", decimal(f.get("diversity"), 2), "1"),
            ("sharpness", decimal(f.get("sharpness"), 2), "1"),
            *known,
        ]
    return []


def advice_of(finish: Mapping[str, Any]) -> str:
    """What to do about the result, as finish.json says it; empty where nothing is to be done."""
    return advice(mapping(finish.get("judgement")).get("advice")).words(in_flags)


# ------------------------------------------------------------------ copies

_CANNOT = "A copy adds nothing new, and must stay wherever its original must stay."


_LIKE_ANY = "were left out, since they resemble any such picture"
_NO_COPIES = "by this test it does not copy whole pictures. Turned or cut copies it misses."


def of_copies(nearest_pairs: Mapping[str, Any], outcome: Outcome | None) -> list[str]:
    """Paragraphs beside the pairs of samples and nearest training pictures, from their JSON and the judgement."""
    n, count, expected, held = (number(nearest_pairs.get(name)) for name in ("n", "copies", "expected", "held"))
    plain = number(nearest_pairs.get("plain"))
    of = f"Of {things(n, 'generated picture')}" if n is not None else "Of the generated pictures"
    pairs = (
        f"{of}, these stand out most as copies of one training picture: generated on the left, "
        "its nearest real neighbour on the right."
        + (f" {things(plain, 'sample')} of nearly one colour {_LIKE_ANY}." if plain else "")
    )
    if plain and not n:
        return ["Nearly all samples are of one colour, so none can be told to be a copy."]
    if n is None or count is None or expected is None:
        return [pairs, f"Whether they are copies was not measured, so compare the pairs. {_CANNOT}"]
    stand = f"{whole(count)} of {whole(n)} lie much closer to one training picture than to others like it"
    digits = 1 if (held or 0) < 100 else 2  # some dozen held-out pictures tell no more
    about = decimal(float(f"{expected:.{digits}g}"), 0 if expected >= 1 else 1)
    fresh = f"of as many new real pictures about {about} would, as {things(held or 0, 'held-out picture')} show"
    if nearest_pairs.get("alarm") is True:
        before = nearest_pairs.get("before")
        way = (
            f" The weights kept as snapshot {before} did not yet: `--snapshot {before}` draws by them."
            if before
            else ""
        )
        return [pairs, f"{stand}; {fresh}: the generator repeats pictures that it was trained on.{way} {_CANNOT}"]
    more = " That is more, and may be chance: compare the pairs."
    sentence = f"{stand}; {fresh}.{more}" if count > 2 * expected else f"{stand}; {fresh}: {_NO_COPIES}"
    poor = outcome is not None and outcome.grade == "failed"
    return [pairs, sentence + (" That says little here, since these are no pictures yet." if poor else "")]
