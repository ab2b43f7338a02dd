"""How a class enters a net: batch norm with a gain and shift per class, and the projection head."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from zeuxis.nets.init import glorot_


def needed(label: Tensor | None) -> Tensor:
    """The labels, or ValueError where a net built with classes got none."""
    if label is None:
        raise ValueError("this net was built with classes and needs a label per sample")
    return label


class ClassNorm(nn.Module):
    """Batch norm of [B, features] (or [B, features, H, W] where `maps`), with gain and shift per class.

    Gains begin at 1 and shifts at 0 (Dumoulin et al. 2017, arXiv 1610.07629; in a GAN
    Miyato and Koyama 2018, arXiv 1802.05637). `classes` 0 gives ordinary batch norm.
    """

    def __init__(self, features: int, classes: int = 0, maps: bool = True, eps: float = 1e-5) -> None:
        super().__init__()
        kind = nn.BatchNorm2d if maps else nn.BatchNorm1d
        self.norm = kind(features, eps=eps, affine=classes == 0)
        self.gain = nn.Parameter(torch.ones(classes, features)) if classes else None
        self.shift = nn.Parameter(torch.zeros(classes, features)) if classes else None

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        x = self.norm(x)
        if self.gain is None or self.shift is None:
            return x
        rows, shape = needed(label), (*x.shape[:2], *[1] * (x.dim() - 2))
        # not gain[rows]: the gradient of indexing adds up in another order each time where there are two threads
        gain, shift = (F.embedding(rows, each).reshape(shape) for each in (self.gain, self.shift))
        return torch.addcmul(shift, x, gain)


class ProjectionHead(nn.Module):
    """Logit [B] of features [B, F]: w . f + b, and with classes + <E_y, f> (Miyato and Koyama 2018, eq. 3).

    `spectral`: both weights under spectral norm, as published; `glorot`: both begin Glorot
    uniform, as published. Otherwise the linear layer begins as torch begins it, and so does
    the embedding where its scale is normalised away; else it begins N(0, 1 / F).
    """

    def __init__(
        self, features: int, classes: int = 0, spectral: bool = False, bias: bool = True, glorot: bool = False
    ) -> None:
        super().__init__()
        self.linear = nn.Linear(features, 1, bias=bias)
        self.embedding = nn.Embedding(classes, features) if classes else None
        if glorot:
            glorot_(self.linear)
            if self.embedding is not None:
                glorot_(self.embedding)
        elif self.embedding is not None and not spectral:
            nn.init.normal_(self.embedding.weight, std=features**-0.5)
        if spectral:
            spectral_norm(self.linear)
            if self.embedding is not None:
                spectral_norm(self.embedding)

    def forward(self, features: Tensor, label: Tensor | None = None, share: float | Tensor = 1.0) -> Tensor:
        """share: how far the class counts, 0 to 1."""
        logit: Tensor = self.linear(features)[:, 0]
        if self.embedding is not None:
            logit = logit + share * (self.embedding(needed(label)) * features).sum(1)
        return logit


class Heeding(nn.Module):
    """A net that remembers how far it heeded the class when it last trained: a buffer, as samples know no progress.

    The class comes in step by step, since few pictures a class, learned with it from the first step, become one picture
    a class (Shahbazi et al. 2022, arXiv 2201.06578).
    """

    share: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("share", torch.ones(()))

    def heeded(self, share: float | None) -> float | Tensor:
        """The given share, written down in train mode; None gives the remembered one."""
        if share is None:
            return self.share
        if self.training:
            self.share.fill_(share)
        return share
