"""Codes: what a picture shows and where, in few numbers, and those of the pictures of a set, to draw from.

After Casanova et al. 2021 (arXiv 2109.05070), whose generator is told what a net sees in a picture and draws its
neighbours. Here a code is a linear view of what a frozen net sees in a map, and samples lie between two pictures.
"""

from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from zeuxis.draw import some_of
from zeuxis.nets.map_features import WIDTHS, MapFeatures

CODE = 64
"""Numbers of a code, each of variance 1 over the pictures that the view was found on."""
DRAWS = 3
"""Uniform numbers that a code is drawn by: two pictures, and how far it is from the first to the second."""
_LAYOUT, _WHOLE = 4, 2
"""Parts along a side of a map, of whose cells and of whose contents means are kept."""
_WEIGHTS = (1.0, 1.0, 0.5)
"""Of the layout, of what is seen as a whole, and of surfaces: the root of the variance that each has in all."""
_ROWS, _FEWEST = 4096, 64
"""Codes of a table, shared evenly by all classes, and room for so many of each at least."""
_SHARES = (1 / 3, 1 / 2)
"""Of the second picture in a code that is drawn. Drawn from 0 on, 103 of 1,000 samples stood out as copies of one of
540 photographs, where 16 new ones would; from 1/4 on 29, from 1/3 on 18, from 2/5 on 12."""
_LOOKED_AT = 4096
"""Pictures on which a view is found, at most: it is found anew wherever the speed of a training is measured."""
_LEAST = 1e-3
"""Deviation along a direction, in that along the first, under which it says nothing."""
_STILL = 1e-2
"""Deviation of a group under which it is taken for constant: what is left is rounding."""


class View(nn.Module):
    """Descriptions [B, D] to codes [B, CODE]: all 0 until the view is found, or comes with weights.

    groups: numbers of what a description holds of each kind, kinds in the order of their weights.
    """

    mean: Tensor
    projection: Tensor

    def __init__(self, groups: tuple[int, ...]) -> None:
        super().__init__()
        self.groups = groups
        self.register_buffer("mean", torch.zeros(sum(groups)))
        self.register_buffer("projection", torch.zeros(sum(groups), CODE))

    def forward(self, described: Tensor) -> Tensor:
        kind = described.device.type
        whole = nullcontext() if kind == "meta" else torch.autocast(kind, enabled=False)
        with whole:  # what is told apart is small beside the mean
            codes: Tensor = (described.to(self.mean) - self.mean) @ self.projection
        return codes

    @torch.no_grad()
    def find(self, described: Tensor) -> None:
        """Principal directions over pictures [N, D], each group at its weight; in float64, whitened."""
        x = described.double()
        mean = x.mean(0)
        x = x - mean
        weights = _WEIGHTS * (len(self.groups) // len(_WEIGHTS))
        spread = [part.square().sum(1).mean().sqrt() for part in x.split(self.groups, 1)]
        scales = [torch.where(s > _STILL, w / s.clamp_min(_STILL), 0) for w, s in zip(weights, spread, strict=True)]
        scale = torch.cat([s.expand(n) for s, n in zip(scales, self.groups, strict=True)])
        x = x * scale
        variance, direction = torch.linalg.eigh(x.T @ x / len(x))  # the largest last
        deviation, direction = variance.clamp_min(0).sqrt().flip(0)[:CODE], direction.flip(1)[:, :CODE]
        largest = direction.gather(0, direction.abs().argmax(0, keepdim=True))
        direction = direction * largest.sign()  # which of both signs comes out is chance
        tells = deviation > _LEAST * deviation[0]
        self.mean.copy_(mean)
        self.projection.copy_(scale[:, None] * direction * tells / deviation.clamp_min(1e-12))


class Codes(nn.Module):
    """Descriptions [B, D] of maps to codes [B, CODE], and a table of the codes of a set.

    code: channels of an autoencoder's map; parts: how many such maps there are of a picture. table: [max(classes, 1),
    rows, CODE], of which those of class k are the first counts[k]; centre: their means. All 0 until `calibrate`.
    """

    table: Tensor
    counts: Tensor
    centre: Tensor

    def __init__(self, code: int, parts: int, classes: int) -> None:
        super().__init__()
        groups = (code * _LAYOUT**2, WIDTHS[2] * _WHOLE**2, WIDTHS[0] + WIDTHS[1]) * parts
        self.numbers, self.view = sum(groups), View(groups)
        tables = max(classes, 1)
        self.register_buffer("table", torch.zeros(tables, max(_FEWEST, _ROWS // tables), CODE))
        self.register_buffer("counts", torch.zeros(tables, dtype=torch.int64))
        self.register_buffer("centre", torch.zeros(tables, CODE))

    @staticmethod
    def described(features: MapFeatures, maps: tuple[Tensor, ...]) -> Tensor:
        """Maps [B, code, H, W], one or more a picture, as the autoencoder gives them, to descriptions [B, D]."""
        found = []
        for part in maps:
            fine, middle, coarse = features(part)
            layout = adaptive_avg_pool2d((part - features.mean) / features.deviation, _LAYOUT)
            whole = adaptive_avg_pool2d(coarse, _WHOLE)
            found += [layout.flatten(1), whole.flatten(1), fine.mean((2, 3)), middle.mean((2, 3))]
        return torch.cat(found, 1)

    def forward(self, described: Tensor) -> Tensor:
        codes: Tensor = self.view(described)
        return codes

    @torch.no_grad()
    def calibrate(self, described: Tensor, target: Tensor | None) -> None:
        """Fills the table with pictures [N, D] of classes target [N], by chance where they are more than it has room
        for; a class without any gets those of all. Finds the view where there is none."""
        if not self.view.projection.any():
            self.view.find(described[some_of(len(described), _LOOKED_AT, "view")])
        label = torch.zeros(len(described), dtype=torch.long) if target is None else target.cpu()
        for k, rows in enumerate(self.table):
            members = (label == k).nonzero()[:, 0]
            members = members if len(members) else torch.arange(len(described))
            chosen = members[some_of(len(members), len(rows), "codes", k)]
            codes = self.view(described[chosen].to(rows))
            rows[: len(codes)] = codes
            self.counts[k] = len(codes)
            self.centre[k] = codes.mean(0)

    def drawn(self, uniform: Tensor, label: Tensor | None) -> Tensor:
        """Codes [B, CODE] between those of two pictures of the class, nearer the first; uniform: [B, DRAWS] in [0, 1).

        They vary as the codes of the class's pictures do.
        """
        of_class = torch.zeros(len(uniform), dtype=torch.long, device=uniform.device) if label is None else label
        counts = self.counts[of_class]
        one = (uniform[:, 0] * counts).long()
        other = (one + 1 + (uniform[:, 1] * (counts - 1)).long()) % counts.clamp_min(1)  # never the same
        centre = self.centre[of_class]
        first, second = (self.table[of_class, row] - centre for row in (one, other))
        share = _SHARES[0] + (_SHARES[1] - _SHARES[0]) * uniform[:, 2:]
        codes: Tensor = centre + ((1 - share) * first + share * second) / (share.square() + (1 - share).square()).sqrt()
        return codes
