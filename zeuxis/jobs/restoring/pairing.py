"""Which picture became which: sources, results and originals, opened as tensors of matching sizes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from torch import Tensor

from zeuxis.classic.impulse import despeckled
from zeuxis.data.signatures import Unreadable
from zeuxis.degrade.resize import bicubic
from zeuxis.errors import BadInput, counted, system_words
from zeuxis.jobs.per_image.done import size_of_file
from zeuxis.jobs.per_image.pairs import files_of, stem_of, tree
from zeuxis.jobs.per_image.records import Record
from zeuxis.jobs.restoring import diagnose
from zeuxis.jobs.restoring.measured import Measured
from zeuxis.pictures.picture import Picture, alpha_tensor, read, to_tensor
from zeuxis.pictures.png import read_note


@dataclass(frozen=True)
class Work:
    """One picture: its name for people, what it was, what it became, and its original or None."""

    name: str
    before: Path
    after: Path
    original: Path | None


@dataclass(frozen=True, eq=False)
class Pair:
    """A picture and what became of it as tensors [1, C, H, W] in [-1, 1], with its original or None.

    read: the same three as they were read.
    before is as given, `scale` times smaller than after; original is as large as after. All are as seen on white:
    colours that transparency hides do not count. alphas: [1, 1, H, W] each, opaque where a file has none; None where
    all are opaque.
    """

    work: Work
    before: Tensor
    after: Tensor
    original: Tensor | None
    scale: int
    measured: Measured
    note: Mapping[str, Any] | None
    remark: str = ""
    alphas: tuple[Tensor, Tensor, Tensor | None] | None = None
    read: tuple[Picture, Picture, Picture | None] = field(kw_only=True)

    @property
    def left_alone(self) -> bool:
        return self.note is None

    @property
    def whole(self) -> tuple[Tensor, Tensor]:
        """Before and after at sizes that are exact multiples, also where a crop cut the result."""
        h, w = (side // self.scale for side in self.after.shape[2:])
        return self.before[..., :h, :w], self.after[..., : h * self.scale, : w * self.scale]

    @property
    def beside(self) -> tuple[Tensor, Tensor]:
        """As `whole`, for what was taken away beside specks of salt and pepper, which were replaced: the picture before
        is shown without them where there was noise, too."""
        before, after = self.whole
        specks = self.measured.specks
        return (before if specks is None or not self.measured.noise else despeckled(before, specks)), after

    def given(self) -> Tensor:
        """What the result is held against: the picture before, enlarged by bicubic where it was enlarged."""
        return self._as_large(self.before)

    def alpha_pairs(self) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]] | None:
        """The alpha given and that of the result, each with the original's; None where nothing is transparent."""
        before, after, original = self.alphas or (None, None, None)
        if before is None or after is None or original is None:
            return None
        return (self._as_large(before), original), (after, original)

    def _as_large(self, x: Tensor) -> Tensor:
        if self.scale == 1:
            return x
        return bicubic(x, self.scale).clamp(-1, 1)[..., : self.after.shape[2], : self.after.shape[3]]


Originals = Mapping[str, Path]
"""By path and stem in their folder; a lone file by the empty name."""


def work_of(record: Record, originals: Originals) -> Work:
    """The files of a picture that was worked on."""
    assert record.source is not None and record.result is not None
    return Work(record.name, record.source, record.result, _original_of(record.name, originals))


def _original_of(name: str, originals: Originals) -> Path | None:
    return originals.get(stem_of(PurePosixPath(name)), originals.get(""))


def originals_of(original: str, given: str, scale: int) -> Originals:
    """The originals of the pictures `given`.

    Raises BadInput where one cannot be read, or none is there that fits any of them.
    """
    if Path(original).is_file():
        _opened(Path(original))
    sources = files_of(given)
    originals, first = _originals(original, len(sources)), None
    for source, inner in sources:
        try:
            _check_one(source, str(inner), originals, original, scale)
            return originals
        except BadInput as error:
            first = first or error
    assert first is not None
    others = "" if len(sources) == 1 else f", and none of {counted(len(sources), 'picture')} can be compared"
    raise BadInput(first.what + others, first.where, first.mend)


def _check_one(source: Path, name: str, originals: Originals, original: str, scale: int) -> None:
    """Raises BadInput where the original of one picture is missing, or of another size."""
    own = _original_of(name, originals)
    if own is None:
        raise BadInput("it has no original under its name", original, "check --compare")
    size, wanted = size_of_file(source), size_of_file(own)
    if size and wanted:
        _check_sizes((size[0] * scale, size[1] * scale), wanted, scale, name)


def _check_sizes(size: tuple[int, int], original: tuple[int, int], scale: int, name: str) -> None:
    """Raises BadInput where the result of height and width `size` differs from its original by more than a crop."""
    (h, w), (oh, ow) = size, original
    if max(abs(h - oh), abs(w - ow)) >= scale:
        raise BadInput(f"the original is {ow}x{oh} and the result {w}x{h}", name, "give the original of this picture")


def _originals(original: str, count: int) -> Originals:
    """Raises BadInput."""
    path = Path(original)
    if path.is_file():
        if count > 1:
            raise BadInput("a folder of pictures needs a folder of originals", original, "names are matched by stem")
        return {"": path}
    originals = {stem_of(inner): p for p, inner in tree(path)}
    if not originals:
        raise BadInput("there is no original here", original, "check --compare")
    return originals


# ------------------------------------------------------------------ one picture


def _opened(path: Path) -> Picture:
    try:
        return read(path)
    except Unreadable as error:
        raise BadInput(f"it {error}", str(path)) from error
    except OSError as error:
        raise BadInput(f"it cannot be read: {system_words(error)}", str(path)) from error


def _note_of(work: Work, before: Tensor, after: Tensor) -> dict[str, Any] | None:
    """What was done to the picture, from the note in its file; None where it was left alone.

    A picture that was left alone may carry the note of an earlier restoration: its pixels tell.
    """
    note = read_note(work.after)
    same = before.shape == after.shape and torch.equal(before, after)
    return note if note and "used" in note and not same else None


def _cropped(after: Tensor, original: Tensor, scale: int, name: str) -> tuple[Tensor, Tensor, str]:
    """Both at the size of the smaller, as modcrop cuts, right and below; and a remark. Raises BadInput."""
    (h, w), (oh, ow) = after.shape[2:], original.shape[2:]
    if (h, w) == (oh, ow):
        return after, original, ""
    _check_sizes((h, w), (oh, ow), scale, name)
    h, w = min(h, oh), min(w, ow)
    return after[..., :h, :w], original[..., :h, :w], f"compared on {w}x{h}, the smaller of both"


def pair_of(work: Work, scale: int, task: str, given: Picture | None = None, measured: Measured | None = None) -> Pair:
    """The files of a work, opened, and measured for what `task` asks.

    given, measured: the picture before, and what was measured of it, where that is known. Raises BadInput where a file
    cannot be read or the sizes do not belong together.
    """
    picture, result = given or _opened(work.before), _opened(work.after)
    before, after = to_tensor(picture), to_tensor(result)
    wanted = tuple(side * scale for side in before.shape[2:])
    if tuple(after.shape[2:]) != wanted:
        raise BadInput("the result is not of the size that was asked for", str(work.after), "name another OUT")
    note, truth, original, remark = _note_of(work, before, after), None, None, ""
    measured = measured or diagnose.measure(picture, before, task if scale == 1 else "")
    alphas: tuple[Tensor, Tensor, Tensor | None] = (alpha_of(picture), alpha_of(result), None)
    before, after = on_white(before, alphas[0]), on_white(after, alphas[1])
    if work.original is not None:
        truth = _opened(work.original)
        alpha = alpha_of(truth)
        after, original, remark = _cropped(after, on_white(to_tensor(truth), alpha), scale, work.name)
        alphas = (alphas[0], *_cropped(alphas[1], alpha, scale, work.name)[:2])
    through = any(x is not None and bool((x < 1).any()) for x in alphas)
    seen, three = alphas if through else None, (picture, result, truth)
    return Pair(work, before, after, original, scale, measured, note, remark, seen, read=three)


def alpha_of(picture: Picture) -> Tensor:
    """[1, 1, H, W] in [-1, 1]; 1 all over where the file has no alpha."""
    return torch.ones(1, 1, *picture.size) if picture.alpha is None else alpha_tensor(picture)


def on_white(image: Tensor, alpha: Tensor) -> Tensor:
    """What is seen of a picture [1, C, H, W] in [-1, 1] on white, by its alpha [1, 1, H, W] in [-1, 1]."""
    if not bool((alpha < 1).any()):
        return image
    return 1 + (image - 1) * (alpha + 1) / 2
