"""Which files a word that writes one picture per picture reads and writes, settled before work starts."""

import glob
import itertools
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from zeuxis.data.files import check_place, cut
from zeuxis.data.listing import hidden_words, is_candidate
from zeuxis.errors import BadInput
from zeuxis.pictures.picture import SUFFIXES


@dataclass(frozen=True)
class Pair:
    """One picture: where it comes from, where it goes, its name for people, its mask or None.

    copy: where its file goes as it is, if it is left alone and results cannot have its format; None: to the target.
    """

    source: Path
    target: Path
    name: str
    mask: Path | None = None
    copy: Path | None = None

    @property
    def spared(self) -> "Pair":
        """The pair of a picture that is left alone."""
        return self if self.copy is None else replace(self, target=self.copy, copy=None)


def pairs_of(given: str, out: str | None, word: str, mask: str | None = None, suffix: str | None = None) -> list[Pair]:
    """A file, a folder tree (mirrored) or a glob, with the target of each.

    Without `out`, NAME-WORD beside the file or folder. suffix: that of all targets; None: see `writable_suffix`.
    Raises BadInput where there is nothing, where two would share a target, where a target would be its own source or
    what a pattern finds would be written beside its sources, or a mask is missing.
    """
    sources = files_of(given)
    if len(sources) == 1 and sources[0][0] == Path(given):
        source, target = sources[0][0], _single_target(sources[0][0], out, word, suffix)
        named = out is not None and target == Path(out)
        copy = None if named or suffix is not None else target.with_suffix(source.suffix)
        pairs = [Pair(source, target, source.name, Path(mask) if mask else None, copy if copy != target else None)]
    else:
        folder = Path(out) if out else _beside(given, word)
        if folder.is_file():
            raise BadInput("a folder of pictures needs a folder to go to", str(folder), "name another OUT")
        if Path(given).is_dir() and folder.resolve().is_relative_to(Path(given).resolve()):
            what = "the results would lie in the folder of the pictures, as pictures of it the next time"
            raise BadInput(what, str(folder), "name an OUT outside of it")
        masks = _masks(mask)
        pairs = _apart([_in_tree(path, inner, folder, masks, suffix) for path, inner in sources])
    _check(pairs)
    if Path(given) not in (pair.source for pair in pairs):
        _check_beside(pairs)
    return pairs


def tree(folder: Path) -> list[tuple[Path, PurePosixPath]]:
    """The files of a folder that may be pictures by their names, sorted, each with its place in the folder."""
    files = sorted(p for p in folder.rglob("*") if _is_file(p))
    inside = [(p, PurePosixPath(p.relative_to(folder).as_posix())) for p in files]
    return [(p, inner) for p, inner in inside if is_candidate(inner)]


def _is_file(path: Path) -> bool:
    """A link that leads nowhere is one, which cannot be read, so that it is not passed over in silence."""
    return path.is_file() or (path.is_symlink() and not path.exists())


def left_out(given: str) -> list[str]:
    """What of a folder is not gone through, a line each: hidden pictures, and links to folders."""
    folder = Path(given)
    if not folder.is_dir():
        return []
    below = sorted(folder.rglob("*"))
    inside = [PurePosixPath(p.relative_to(folder).as_posix()) for p in below if p.is_file()]
    links = [p.relative_to(folder) for p in below if p.is_symlink() and p.is_dir()]
    named = [f"`{link}` is a link to a folder, which is not followed" for link in links]
    return hidden_words(inner for inner in inside if not is_candidate(inner)) + named


def stem_of(inner: PurePosixPath) -> str:
    """By what a mask or an original is matched: the place in its folder without the suffix."""
    return inner.with_suffix("").as_posix()


def files_of(given: str) -> list[tuple[Path, PurePosixPath]]:
    path = Path(given)
    if path.is_file():
        return [(path, PurePosixPath(path.name))]
    if path.is_dir():
        inside = tree(path)
    else:
        matches = [Path(p) for p in sorted(glob.glob(given, recursive=True))]
        base = _base(path)
        inside = [(p, PurePosixPath(p.relative_to(base).as_posix())) for p in matches if _is_file(p)]
        inside = [(p, inner) for p, inner in inside if is_candidate(inner)]
    if not inside:
        what = "there is no picture here" if path.is_dir() else "there is no such file or folder"
        raise BadInput(what, given, "check the path")
    return inside


def _base(pattern: Path) -> Path:
    """The folder below which a pattern looks: a tree is mirrored from there."""
    plain = itertools.takewhile(lambda part: not glob.has_magic(part), pattern.parts)
    return Path(*plain)


def writable_suffix(source: Path) -> str:
    """The suffix that the result gets: the picture's own where it can be written in full, else .png."""
    own = source.suffix.lower()
    return source.suffix if own in SUFFIXES and own != ".gif" else ".png"  # 256 colours would undo the work


def _single_target(source: Path, out: str | None, word: str, suffix: str | None) -> Path:
    """suffix: the only one that files are written with; then any other name is that of a folder."""
    own = suffix or writable_suffix(source)
    if out is None:
        return source.with_name(cut(source.stem, 255 - len(f"-{word}{own}")) + f"-{word}{own}")
    target = Path(out)
    named = target.suffix.lower()
    if target.is_dir() or out.endswith("/") or (suffix is not None and named not in SUFFIXES):
        return target / (source.stem + own)
    if suffix is not None and named != suffix:
        raise BadInput(f"what is written here is {suffix}, not {named}", out, f"name it {suffix}, or name a folder")
    if named not in SUFFIXES:
        known = " ".join(sorted(SUFFIXES))
        raise BadInput(f"pictures cannot be written as `{target.suffix or target.name}`", out, f"one of {known}")
    return target


def _beside(given: str, word: str) -> Path:
    path = Path(given)
    return path.with_name(f"{path.resolve().name}-{word}") if path.is_dir() else Path(word)


def _masks(mask: str | None) -> dict[str, Path] | None:
    if mask is None:
        return None
    folder = Path(mask)
    if not folder.is_dir():
        raise BadInput("a folder of pictures needs a folder of masks", mask, "give a folder whose names match")
    return {stem_of(inner): p for p, inner in tree(folder)}


def _in_tree(path: Path, inner: PurePosixPath, folder: Path, masks: dict[str, Path] | None, suffix: str | None) -> Pair:
    target = folder / inner.with_suffix(suffix or writable_suffix(path))
    stem = stem_of(inner)
    if masks is not None and stem not in masks:
        raise BadInput("a picture has no mask", str(inner), f"put {stem}.png into the folder of masks, or leave it out")
    copy = None if suffix is not None or target == folder / inner else folder / inner
    return Pair(path, target, str(inner), masks[stem] if masks is not None else None, copy)


def _apart(pairs: list[Pair]) -> list[Pair]:
    """Where two would share a target, those that change their format keep their whole name: one.gif.png."""
    count = Counter(str(pair.target).casefold() for pair in pairs)
    return [
        replace(pair, target=pair.target.with_name(pair.source.name + pair.target.suffix))
        if count[str(pair.target).casefold()] > 1 and pair.target.suffix.lower() != pair.source.suffix.lower()
        else pair
        for pair in pairs
    ]


def _check_beside(pairs: list[Pair]) -> None:
    """Raises BadInput where a result would lie in a folder of the pictures, as one of them the next time."""
    folders = {pair.source.parent.resolve() for pair in pairs}
    beside = next((pair for pair in pairs if pair.target.parent.resolve() in folders), None)
    if beside is not None:
        what = f"{beside.target.name} would lie among the pictures, which stay as they are"
        raise BadInput(what, str(beside.target.parent), "name another OUT")


def _check(pairs: list[Pair]) -> None:
    seen: dict[str, Pair] = {}
    for pair in pairs:
        other = seen.setdefault(str(pair.target).casefold(), pair)
        if other is not pair:
            raise BadInput(
                f"{other.name} and {pair.name} would both become {pair.target.name}", "", "rename one of them"
            )
        if any(place.exists() and place.samefile(pair.source) for place in (pair.target, pair.spared.target)):
            raise BadInput("the original would be overwritten", str(pair.source), "name another OUT")
    for pair in {pair.target.parent: pair for pair in pairs}.values():
        check_place(pair.target)
    sources = {pair.source.resolve() for pair in pairs}
    for place in (place for pair in pairs for place in (pair.target, pair.spared.target)):
        if place.exists() and place.resolve() in sources:
            raise BadInput("an original would be overwritten", str(place), "name another OUT")
