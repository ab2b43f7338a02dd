"""The loss whose best answer is a quantile."""

from torch import Tensor


def pinball(truth: Tensor, answer: Tensor, share: float) -> Tensor:
    """Mean of max(s d, (s - 1) d) for d = truth - answer: least where the share s of truths lies below the answer.

    Koenker and Bassett (1978). Any shapes that broadcast; share in (0, 1).
    """
    apart = truth - answer
    return (share * apart).maximum((share - 1) * apart).mean()
