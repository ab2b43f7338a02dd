"""Whether photographs made of label maps show what these say: a small net finds labels in them, as in real ones.

After the FCN-score of Isola et al. 2017 (arXiv 1611.07004, section 4.1), by a net that learned from the same pairs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, interpolate

from zeuxis.data.dataset import Dataset
from zeuxis.data.label_maps import MOST
from zeuxis.draw import Draw, some_of
from zeuxis.engine.batches import to_image
from zeuxis.engine.progress import say
from zeuxis.jobs.features import no_larger
from zeuxis.metrics.result import Result, mean_of
from zeuxis.nets.init import seeded
from zeuxis.nets.translating import UNetTranslator
from zeuxis.pictures.in_colour import in_colour

_STEPS, _BATCH, _WIDTH = 400, 8, 16
_SHARP = 10.0
"""Largest logit of a net whose answers end at 1."""


@dataclass(frozen=True)
class Segments:
    """colours: [k, C] of the label maps; find: photographs [n, C, H, W] to labels, int64 [n, h, w] of a small size."""

    colours: Tensor
    find: Callable[[Tensor], Tensor]

    def of(self, maps: Tensor) -> Tensor:
        """Labels of maps [n, C, H, W] at that size."""
        return _small(labels_of(maps, self.colours))

    def agreement(self, photographs: Tensor, maps: Tensor) -> Result:
        """Share of pixels whose label is found, with an interval over photographs."""
        return mean_of((self.find(photographs) == self.of(maps)).flatten(1).double().mean(1), 0.0, 1.0)


def colours_of(maps: Dataset) -> Tensor | None:
    """[k, C] in [-1, 1] of label maps, None where one colour is all that they have."""
    chosen = some_of(len(maps), 64, "colours of label maps")
    found = maps.images(chosen).permute(0, 2, 3, 1).flatten(0, 2).unique(dim=0)
    return to_image(found[..., None, None])[..., 0, 0] if 1 < len(found) <= MOST else None


def labels_of(maps: Tensor, colours: Tensor) -> Tensor:
    """int64 [n, H, W]: the nearest of the colours at each pixel of maps [n, C, H, W]."""
    near = [torch.stack([(x - c[:, None, None]).square().sum(1) for c in colours]).argmin(0) for x in maps.split(8)]
    return torch.cat(near)


def _small(labels: Tensor) -> Tensor:
    size = no_larger(torch.zeros(1, 1, *labels.shape[1:])).shape[2:]
    return interpolate(labels[:, None].float(), size=size, mode="nearest-exact")[:, 0].long()


def taught(maps: Dataset, photographs: Dataset, seed: int) -> Segments | None:
    """A net taught on the pairs of a training, of label maps and photographs; None where the maps say nothing."""
    if (colours := colours_of(maps)) is None:
        return None
    say("zeuxis: teaching a small net to find the labels in real photographs")
    with seeded("segments", seed):
        net = UNetTranslator(3, len(colours), _WIDTH, 4, "resize", 0.0)
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3, fused=True)
    for step in range(_STEPS):
        draw = Draw(seed, step, phase="segments")
        rows = draw.at("rows").integers(min(_BATCH, len(maps)), high=len(maps))
        image = in_colour(no_larger(to_image(photographs.images(rows))))
        label = _small(labels_of(to_image(maps.images(rows)), colours))
        turned = (draw.at("mirrored").integers(len(rows), high=2) == 1)[:, None, None]
        image, label = torch.where(turned[..., None], image.flip(3), image), torch.where(turned, label.flip(2), label)
        loss = cross_entropy(_SHARP * net(image), label)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    net.eval()

    @torch.no_grad()
    def find(images: Tensor) -> Tensor:
        return torch.cat([net(in_colour(no_larger(x))).argmax(1) for x in images.split(16)])

    return Segments(colours, find)
