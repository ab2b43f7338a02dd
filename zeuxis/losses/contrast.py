"""What holds places of a translated picture to the same places of the one it was made from."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def patch_contrast(query: Tensor, key: Tensor, temperature: float = 0.07) -> Tensor:
    """[B]: mean over places i of -log softmax over j of <query_i, key_j> / temperature, at j = i; log n at no order.

    query, key: [B, n, d], vectors of length 1 at n places of one picture; the other places of the same picture are
    what it is told from. No gradient into `key` (PatchNCE, Park et al. 2020, arXiv 2007.15651, eq. 4).
    """
    logits = query @ key.detach().transpose(1, 2) / temperature
    places = torch.arange(logits.shape[1], device=logits.device).expand(len(logits), -1)
    return cross_entropy(logits.transpose(1, 2), places, reduction="none").mean(1)
