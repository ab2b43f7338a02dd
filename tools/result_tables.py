"""What the tables of measurements in docs/benchmarks.md show: columns, formats and the order of their rows."""

from dataclasses import dataclass
from itertools import product

Labels = frozenset[str]


@dataclass(frozen=True)
class Column:
    """What a column shows of the line that is named by the labels of the row and its own together.

    templates: the first whose figures are all known makes the cell, by `str.format`. labels: the first that a line has,
    `A | B` for two at once. lines: the table of the lines, where it is not the table's own.
    """

    heading: str
    templates: tuple[str, ...]
    labels: tuple[str, ...] = ("",)
    lines: str | None = None


@dataclass(frozen=True)
class Row:
    """words: the leading cells. labels: as those of a column."""

    words: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """lines: the name under which the lines were recorded. heads: those of the leading cells."""

    lines: str
    heads: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Count:
    """What is summed within a sentence, as `N of M`: `figure`, of M `pictures`, over the lines of all cells of `table`
    of which `label` is a label."""

    table: Table
    label: str
    figure: str


def keys(row: Row, column: Column) -> list[Labels]:
    """All sets of labels that a cell may be of, in order."""
    pairs = product(row.labels, column.labels)
    return [frozenset(part.strip() for label in pair for part in label.split("|") if part.strip()) for pair in pairs]


NETS = Table(
    "nets",
    ("net", "how"),
    (
        Column("weights", ("{weights:,}",)),
        Column("minutes of each stage", ("{minutes_1}, {minutes_2}, {minutes_3}", "{minutes_1}")),
        Column("squares of each stage", ("{squares_1:,}; {squares_2:,}; {squares_3:,}", "{squares_1:,}")),
        Column("pixels of a square's side", ("{side}",)),
    ),
    (
        Row(("`repair`", "the later stages with FFDNet as teacher of noise"), ("repair",)),
        Row(("`repair-grey`", "from an earlier `repair`"), ("repair-grey",)),
        Row(("`jpeg`", "from the first `repair`"), ("jpeg",)),
        Row(("`upscale-x4`", ""), ("upscale-x4",)),
        Row(("`upscale-x2`", "from `upscale-x4`, on a shared core"), ("upscale-x2",)),
        Row(("`upscale-x4-sharp`", "from `upscale-x4`; the time is approximate"), ("upscale-x4-sharp",)),
        Row(("`inpaint`", ""), ("inpaint",)),
        Row(("`uncertainty`", ""), ("uncertainty",)),
    ),
)

DAMAGE = ("clean", "noise 15", "noise 25", "JPEG 10", "JPEG 30", "blur 1.5")
NEVER_WORSE = (
    Column("pictures", ("{pictures}",)),
    Column("before", ("{before:.2f}", "equal")),
    Column("after", ("{after:.2f}", "{least_after:.1f} dB at worst", "equal")),
    Column("mean gain", ("{gain:+.2f}",)),
    Column("least gain", ("{least_gain:+.2f}", "{left_alone} unchanged")),
    Column("left alone", ("{left_alone}",)),
    Column("inside", ("{inside:.1%}",)),
    Column("half width", ("{half_width:.1f}",)),
)
SETS = {
    "Set5": "set5",
    "Set14": "set14",
    "Set12 (grey)": "set12",
    "Classic5 (grey)": "classic5",
    "CBSD68": "cbsd68",
}
HELD_OUT = Table(
    "never_worse", ("damage",), NEVER_WORSE, tuple(Row((damage,), (f"held-out | {damage}",)) for damage in DAMAGE)
)
STANDARD_SETS = Table(
    "never_worse",
    ("set", "damage"),
    NEVER_WORSE,
    tuple(Row((name, damage), (f"{folder} | {damage}",)) for name, folder in SETS.items() for damage in DAMAGE),
)

KINDS = Table(
    "kinds",
    ("damage",),
    tuple(
        Column(f"{half}: found, worse, gain", ("{found} of {pictures}, {worse}, {gain:+.2f}",), (half,))
        for half in ("chosen on", "held back")
    ),
    tuple(
        Row((kind,), (kind,))
        for kind in (
            "noise 10",
            "noise 15",
            "noise 25",
            "noise 50",
            "grey noise",
            "sensor, ISO 1600",
            "sensor, ISO 3200",
            "sensor, ISO 6400",
            "JPEG 5 to 15",
            "JPEG 20 to 40",
            "JPEG 45 to 60",
            "JPEG, cut, PNG",
            "double JPEG",
            "JPEG, cut, JPEG",
            "JPEG, shrunk",
            "noise, JPEG",
            "noise, JPEG 80 to 92",
            "WebP",
            "noise, cut-out",
            "noise, framed",
            "noise, partly smooth",
            "chroma noise",
            "blotched chroma noise",
            "salt and pepper",
            "noise, enlarged",
            "blur 1.1 to 1.6",
            "blur 1.8 to 3",
        )  # fmt: skip
    ),
)

PSNR = ("{psnr:.2f}",)
DENOISE = Table(
    "denoise",
    ("set, sigma",),
    (
        Column("input", PSNR, ("input",)),
        Column("ours, `repair` and `repair-grey`", PSNR, ("ours (repair-grey)", "ours (repair)")),
        Column("aim", ("{psnr:.1f}",), ("aim",)),
        Column("non-local means", PSNR, ("non-local-means",)),
        Column("total variation", PSNR, ("total-variation",)),
        Column("FFDNet, measured", PSNR, ("ffdnet-color", "ffdnet-grey")),
        Column("FFDNet, published", PSNR, ("published FFDNet",)),
    ),
    tuple(
        Row((f"{name}, {sigma}{', clipped to 8 bits' if kind == '8-bit' else ''}",), (f"{SETS[name]} {kind} {sigma}",))
        for kind, sigmas in (("unclipped", (15, 25, 50)), ("8-bit", (25,)))
        for name in ("CBSD68", "Set12 (grey)")
        for sigma in sigmas
    ),
)

JPEG = Table(
    "jpeg",
    ("set, quality",),
    (
        Column("input", ("{before:.2f}",), lines="never_worse"),
        Column("ours, `jpeg`", ("{after:.2f}",), lines="never_worse"),
        Column("aim", ("{psnr:.1f}",), ("aim",)),
        Column("ARCNN (published)", PSNR, ("published ARCNN",)),
        Column("DnCNN-3 (published)", PSNR, ("published DnCNN-3",)),
    ),
    tuple(Row((f"classic5, {q}",), (f"classic5 | JPEG {q}", f"classic5 q{q}")) for q in (10, 30)),
)

UPSCALE = Table(
    "upscale",
    ("method", "weights"),
    tuple(
        Column(f"{name} x{scale}", ("{psnr:.2f} / {ssim:.4f} / {lpips:.3f}",), (f"{SETS[name]} x{scale}",))
        for name in ("Set5", "Set14")
        for scale in (2, 3, 4)
    ),
    (
        Row(("bicubic", ""), ("bicubic",)),
        Row(
            ("ours, `zeuxis upscale` (x3: the x4 net, shrunk)", "78,636; 89,040"),
            ("ours (as upscale does it)", "ours (upscale-x2)", "ours (upscale-x4)"),
        ),
        Row(("ours, `--fidelity 0`", "89,040"), ("ours (upscale-x4-sharp)",)),
        Row(("SRMDNF", "1.5 M"), tuple(f"srmdnf-x{scale}" for scale in (2, 3, 4))),
        Row(("DAT-light", "0.57 M"), tuple(f"dat-light-x{scale}" for scale in (2, 3, 4))),
        Row(("Real-ESRGAN x4plus", "16.7 M"), ("realesrgan-x4plus",)),
    ),
)

INPAINT = Table(
    "inpaint",
    ("method",),
    tuple(
        Column(hole, ("{ssim_hole:.4f} / {lpips:.4f}",), (f"set14 {hole}",))
        for hole in ("boxes 16", "boxes 48", "strokes 12")
    ),
    (
        Row(("biharmonic",), ("biharmonic",)),
        Row(("ours, the net alone",), ("ours (inpaint)",)),
        Row(("ours, `zeuxis restore`",), ("ours (as restore does it)",)),
    ),
)

KSVD = Table(
    "ksvd",
    ("",),
    tuple(Column(name, PSNR, (name,)) for name in ("house", "peppers", "lena", "barbara", "boat")),
    (Row(("ours",), ("ours",)), Row(("recalled",), ("recalled",))),
)

SPARSE = Table(
    "sparse",
    ("penalty",),
    (
        Column("atoms used", ("{atoms:.1f}",)),
        Column("`lasso`", ("{lasso_seconds:.2f} s",)),
        Column("FISTA from zero", ("{fista_seconds:.2f} s",)),
        Column("`lasso_cd`", ("{lasso_cd_seconds:.2f} s",)),
        Column("ratio of `lasso`", ("{lasso_ratio:.1f}",)),
        Column("objective, sum", ("{lasso_sum:+.1e}",)),
        Column("objective, worst patch", ("{lasso_worst:+.1e}",)),
    ),
    tuple(Row((f"{factor} sigma",), (f"set12 | {factor} sigma",)) for factor in ("1.2", "2", "3")),
)

SPEED = Table(
    "speed",
    ("method", "weights"),
    (
        Column("PSNR-Y", PSNR, ("set5 x4",)),
        Column("output megapixels per CPU-second", ("{megapixels_per_cpu_second:.3g}",), ("set5 x4",)),
    ),
    (
        Row(("DAT-light", "0.57 M"), ("dat-light-x4",)),
        Row(("SRMDNF", "1.5 M"), ("srmdnf-x4",)),
        Row(("ours, `upscale-x4`", "89,040"), ("ours (upscale-x4)",)),
        Row(("ours, `upscale-x4-sharp` (LPIPS, not PSNR)", "89,040"), ("ours (upscale-x4-sharp)",)),
        Row(("bicubic", ""), ("bicubic",)),
        Row(("Real-ESRGAN's anime net (invents detail)", "0.6 M"), ("realesr-animevideo-x4",)),
    ),
)


def _photographs(which: str, recipe: str, minutes: str, remark: str = "", seed: int = 0) -> Row:
    return Row((which, f"`{recipe}`{remark}"), (f"{which} | {recipe} | {minutes} | seed {seed}",))


_BEFORE = ", earlier form"

PHOTOGRAPHS = Table(
    "photographs",
    ("set", "recipe"),
    (
        Column("CPU-seconds", ("{cpu_seconds:.0f}",)),
        Column("images", ("{images:,}",)),
        Column("KID x 1000", ("{kid_x1000:.0f}",)),
        Column("density", ("{density:.2f}",)),
        Column("coverage", ("{coverage:.2f}",)),
        Column("diversity (in class)", ("{diversity:.2f} ({within:.2f})", "{diversity:.2f}")),
        Column("GAN-test (real)", ("{gan_test:.2f} ({gan_test_real:.2f})",)),
        Column("CAS (real)", ("{cas:.2f} ({cas_real:.2f})",)),
        Column("copies", ("{copied:.3f}",)),
    ),
    (
        _photographs("trashnet-64", "latentgan:quick", "0.7 min"),
        _photographs("trashnet-64", "latentgan:quick", "1.35 min"),
        _photographs("trashnet-64", "latentgan:quick", "2.7 min"),
        _photographs("trashnet-64", "latentgan:quick", "5 min"),
        _photographs("trashnet-64", "latentgan:quick", "15 min"),
        *(_photographs("trashnet-64", "latentgan:quick", "15 min", f"{_BEFORE}, seed {k}", k) for k in (1, 2)),
        _photographs("trashnet-64", "latentgan:quick", "40 min"),
        _photographs("trashnet-64", "latentgan", "15 min", _BEFORE),
        _photographs("trashnet-64", "cgan", "8 min", ", float32"),
        _photographs("trashnet-64", "r3gan:few", "10 min", ", float32"),
        _photographs("trashnet-64", "dcgan", "8 min"),
        _photographs("trashnet-128", "latentgan:quick", "15 min", _BEFORE),
        _photographs("cards-64", "latentgan:quick", "15 min"),
        _photographs("cards-64", "cgan", "10 min"),
        _photographs("cells-64", "latentgan:quick", "15 min", _BEFORE),
        _photographs("cells-64", "cgan", "15 min"),
        _photographs("cifar-32", "latentgan:quick", "10 min"),
        _photographs("cifar-32", "r3gan", "6 min"),
        _photographs("hands-64", "latentgan:quick", "6 min"),
        _photographs("garments-32", "latentgan:quick", "4 min"),
        _photographs("garments-32", "cgan", "4 min"),
    ),
)


def _rivals(figure: str, form: str, *whom: str) -> str:
    """Ours with its interval, and in brackets what others reach."""
    others = "; ".join(f"{{{figure}_{one}:{form}}}" for one in whom)
    return f"{{{figure}_ours:{form}}} ({others})"


def _translated(which: str, recipe: str, images: str, seed: int = 0, direction: str = "ab") -> Row:
    words = (which if direction == "ab" else f"{which}, back", f"`{recipe}`", f"{images}, seed {seed}")
    return Row(words, (f"{which} | {recipe} | {images} images | seed {seed} | {direction}",))


_CHEAP = ("colour_transfer", "copying")
_SPENT = Column("CPU-seconds", ("{cpu_seconds:.0f}",))
_KID = Column("KID x 1000 (colour transfer; copying; real)", (_rivals("kid_x1000", ".0f", *_CHEAP, "real"),))

TRANSLATED_PAIRS = Table(
    "translate",
    ("set", "recipe", "images"),
    (
        _SPENT,
        Column(
            "labels found (colour transfer; copying; real)",
            (
                "{labels_ours:.2f}, {labels_ours_low:.2f} to {labels_ours_high:.2f} "
                "({labels_colour_transfer:.2f}, {labels_colour_transfer_low:.2f} to {labels_colour_transfer_high:.2f}; "
                "{labels_copying:.2f}; {labels_real:.2f})",
            ),
        ),
        _KID,
        Column("PSNR (colour transfer; copying)", (_rivals("psnr", ".1f", *_CHEAP),)),
        Column("LPIPS (colour transfer; copying)", (_rivals("lpips", ".2f", *_CHEAP),)),
    ),
    (
        *(_translated("camvid-64", "pix2pix", "6,000", seed) for seed in (0, 1)),
        _translated("camvid-64", "pix2pix+adversarial=0", "6,000"),
        _translated("camvid-64", "pix2pix+width=64+critic_width=64", "1,400"),
        _translated("camvid-64", "pix2pix", "20,000"),
        _translated("camvid", "pix2pix", "4,000"),
        _translated("camvid", "pix2pix+adversarial=0", "4,000"),
        _translated("camvid", "pix2pix+up=transposed+batch=4", "6,000"),
        _translated("earth", "pix2pix", "5,000"),
    ),
)
TRANSLATED = Table(
    "translate",
    ("set", "recipe", "images"),
    (
        _SPENT,
        Column(
            "passes (colour transfer; copying; real)",
            (
                "{passes_ours:.2f}, {passes_ours_low:.2f} to {passes_ours_high:.2f} "
                "({passes_colour_transfer:.2f}, {passes_colour_transfer_low:.2f} to {passes_colour_transfer_high:.2f}; "
                "{passes_copying:.2f}; {passes_real:.2f})",
            ),
        ),
        _KID,
        Column("edges kept (colour transfer; shuffled)", (_rivals("edges", ".2f", "colour_transfer", "shuffled"),)),
        Column("copies (expected)", ("{copies_copies:.0f} ({copies_expected:.1f})",)),
    ),
    (
        _translated("sea-64", "cut", "4,000"),
        _translated("sea-64", "cut+augment=diffaugment", "6,500"),
        *(_translated("sea-64", "cyclegan+cycle=2+identity=0", "4,000", direction=x) for x in ("ab", "ba")),
        _translated("to-starry-night", "cut+crop=64", "6,000"),
    ),
)

TRANSLATE_SPEED = Table(
    "translate_speed",
    ("recipe", "threads"),
    (
        Column("the loop of the papers' code", ("{seconds_plain:.3f} s",)),
        Column("float32", ("{seconds_engine:.3f} s, {ratio_engine:.2f} times",)),
        Column("and fused Adam", ("{seconds_fused:.3f} s, {ratio_fused:.2f} times",)),
        Column("and bfloat16", ("{seconds_bfloat16:.3f} s, {ratio_bfloat16:.2f} times",)),
        Column("channels last in place of bfloat16", ("{ratio_channels_last:.2f} times",)),
        Column("Gflop", ("{gflop:.0f}",)),
        Column("share of a large product's rate", ("{share:.2f}",)),
    ),
    tuple(
        Row((f"`{recipe}`", str(threads)), (f"{recipe} | 128 px | threads {threads}",))
        for recipe in ("pix2pix", "cut", "cyclegan")
        for threads in (1, 2)
    ),
)

BLURS = Table(
    "blurs",
    ("blur",),
    tuple(
        Column(
            f"`{task}`: worse, gain, least",
            (f"{{{task}_worse}} of {{pictures}}, {{{task}_mean:+.2f}}, {{{task}_least:+.2f}}",),
        )
        for task in ("auto", "deblur")
    ),
    tuple(
        Row((kind,), (kind,))
        for kind in (
            "Gaussian, 1.5 px",
            "Gaussian, 3 px",
            "hardly (0.6 px)",
            "Gaussian, 1.5 px, inside a sharp border",
            "half of the picture",
            "box of 5 px",
            "motion, 9 px along",
            "motion, 7 px across",
            "out of focus, radius 3 px",
            "strip of 24 rows",
        )
    ),
)

TABLES = {
    "nets": NETS,
    "held-out": HELD_OUT,
    "standard-sets": STANDARD_SETS,
    "kinds": KINDS,
    "denoise": DENOISE,
    "jpeg": JPEG,
    "upscale": UPSCALE,
    "inpaint": INPAINT,
    "ksvd": KSVD,
    "sparse": SPARSE,
    "speed": SPEED,
    "photographs": PHOTOGRAPHS,
    "blurs": BLURS,
    "translated-pairs": TRANSLATED_PAIRS,
    "translated": TRANSLATED,
    "translate-speed": TRANSLATE_SPEED,
}
"""By the name between the markers of the page."""

COUNTS = {
    "blurred-left-alone": (Count(STANDARD_SETS, "blur 1.5", "left_alone"),),
    "noisy-left-alone": tuple(Count(STANDARD_SETS, f"noise {sigma}", "left_alone") for sigma in (15, 25)),
    "damaged-left-alone": tuple(Count(STANDARD_SETS, damage, "left_alone") for damage in DAMAGE[1:]),
    "blurred-worse": tuple(Count(BLURS, row.labels[0], "deblur_worse") for row in BLURS.rows),
    "damaged-found": tuple(Count(KINDS, row.labels[0], "found") for row in KINDS.rows),
}
"""Sums within sentences, by the name between `<!-- count: NAME -->` and `<!-- end -->`; all together are one sum."""
