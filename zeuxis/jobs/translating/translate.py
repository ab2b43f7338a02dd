"""The job `translate`: each picture as it would be in the other collection, by the net of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zeuxis.draw import Draw
from zeuxis.jobs.per_image import pipeline
from zeuxis.jobs.per_image.done import request
from zeuxis.jobs.per_image.pairs import Pair
from zeuxis.jobs.per_image.pipeline import Bar
from zeuxis.jobs.per_image.records import Results
from zeuxis.jobs.per_image.single import check_files_only, one_picture
from zeuxis.jobs.per_image.work import Decision, InMemory, Note, Outcome, Work
from zeuxis.jobs.restoring.nets import Net
from zeuxis.jobs.translating import translators
from zeuxis.pictures.in_colour import luma
from zeuxis.pictures.picture import Picture, alpha_tensor, from_tensor, to_tensor
from zeuxis.pictures.resizing import resized

_FAR = 4.0
"""Times the side of what was learned, from which on a picture is mentioned: a net knows no larger things."""


@dataclass(frozen=True)
class Translate(InMemory):
    """By the net of a run, in one of its directions. seed: which answer, of a net that gives several."""

    run: str
    direction: str
    snapshot: str | None = None
    memory: int | None = None
    seed: int = 0
    size: int | None = None
    word = "translated"

    def _net(self) -> Net:
        return translators.translator(self.run, self.snapshot)

    @property
    def settings(self) -> Mapping[str, Any]:
        asked = {"run": self.run, "direction": self.direction, "snapshot": self.snapshot, "size": self.size}
        return asked | ({"seed": self.seed} if getattr(self._net().recipe, "noise", False) else {})

    def is_current(self, weights: Mapping[str, str]) -> bool:
        return set(weights.values()) == {self._net().sha256}

    def note(self, pair: Pair, source: bytes | Path, mask: bytes | Path | None) -> Note:
        return request(self.settings, source, mask)

    def decide(self, picture: Picture, mask: Picture | None, name: str) -> Decision:
        translators.channels(self._net(), self.direction)
        there, learned = self.sized(picture.size), self._net().spec
        times = max(there) / max(learned.height, learned.width)
        remarks: tuple[str, ...] = ()
        if times > _FAR:
            remarks = (f"{times:.0f} times as large as what was learned: only fine things change; see `--size`",)
        return Decision(True, f"as in the collection `{self.direction[1]}`", remarks, detail=name)

    def sized(self, size: tuple[int, int]) -> tuple[int, int]:
        share = 1 if self.size is None else self.size / max(size)
        return max(1, round(size[0] * share)), max(1, round(size[1] * share))

    def by_what(self, decision: Decision) -> tuple[str, ...]:
        return (self._net().name,)

    def apply(self, picture: Picture, decision: Decision) -> Outcome:
        net, size = self._net(), self.sized(picture.size)
        given, made = translators.channels(net, self.direction)
        draw = Draw(self.seed, phase=f"translate/{decision.detail}")
        image = resized(_as_learned(picture, given), size).clamp(-1, 1)
        bar = Bar(size[0] * size[1], decision.detail)

        def told(share: float) -> None:
            bar(round(share * size[0] * size[1]))

        answer = translators.apply(net, image, self.direction, self.memory, draw, told)
        if made in (2, 4):
            result = from_tensor(answer[:, :-1], replace(picture, alpha=None))
            result = replace(result, alpha=from_tensor(answer[:, -1:], replace(picture, alpha=None)).pixels[..., 0])
        else:
            result = from_tensor(answer, picture)
        used = ((net.name, net.sha256),)
        return Outcome(result, decision.why, self.by_what(decision), decision.remarks, used)


def _as_learned(picture: Picture, channels: int) -> Tensor:
    """[1, channels, H, W] in [-1, 1]: grey from colours or colours from grey, and alpha where it was learned.

    Where it was not, what shows through has the colour of the nearest that does not, so that no white ground shines
    through a rim.
    """
    image = to_tensor(picture)
    if channels in (1, 2) and image.shape[1] == 3:
        image = luma(image)
    image = image.expand(-1, 3, -1, -1) if channels >= 3 else image
    if channels in (1, 3):
        return image
    alpha = torch.ones_like(image[:, :1]) if picture.alpha is None else alpha_tensor(picture)
    return torch.cat([image, alpha], 1)


def translate_files(given: str | bytes, out: str | None, work: Work, dry_run: bool) -> Results:
    """What became of each picture; given: see `single.one_picture`.

    Raises BadInput, also where a file is there that is not this picture translated in this way: then nothing is
    written; SomeFailed where some could not be read.
    """
    if isinstance(given, bytes) or "-" in (given, out):
        check_files_only({"--dry-run": dry_run}, "a picture in memory" if isinstance(given, bytes) else "a pipe")
        return one_picture(work, given, out)
    return pipeline.run(given, out, work, dry_run=dry_run)
