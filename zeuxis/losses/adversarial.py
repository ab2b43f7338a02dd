"""What the two sides of a game minimise: functions of logits [B], one value per sample [B].

Higher logits mean more real. Everything is written on logits with softplus, so that
large logits neither overflow nor lose their gradient.
"""

from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import relu, softplus


def non_saturating_critic(real: Tensor, fake: Tensor) -> Tensor:
    """softplus(-real) + softplus(fake): the logistic loss (Goodfellow et al. 2014, arXiv 1406.2661, eq. 1)."""
    return softplus(-real) + softplus(fake)


def non_saturating_generator(fake: Tensor) -> Tensor:
    """softplus(-fake): -log D(G(z)) (Goodfellow et al. 2014, arXiv 1406.2661, section 3)."""
    return softplus(-fake)


def least_squares_critic(real: Tensor, fake: Tensor) -> Tensor:
    """(real - 1)^2 / 2 + fake^2 / 2 (Mao et al. 2017, arXiv 1611.04076, eq. 9)."""
    return 0.5 * ((real - 1).square() + fake.square())


def least_squares_generator(fake: Tensor) -> Tensor:
    """(fake - 1)^2 / 2 (Mao et al. 2017, arXiv 1611.04076, eq. 9)."""
    return 0.5 * (fake - 1).square()


def wasserstein_critic(real: Tensor, fake: Tensor) -> Tensor:
    """fake - real (Arjovsky et al. 2017, arXiv 1701.07875); needs a Lipschitz critic."""
    return fake - real


def wasserstein_generator(fake: Tensor) -> Tensor:
    """-fake (Arjovsky et al. 2017, arXiv 1701.07875)."""
    return -fake


def hinge_critic(real: Tensor, fake: Tensor) -> Tensor:
    """relu(1 - real) + relu(1 + fake) (Miyato et al. 2018, arXiv 1802.05957, eq. 16)."""
    return relu(1 - real) + relu(1 + fake)


def hinge_generator(fake: Tensor) -> Tensor:
    """-fake (Miyato et al. 2018, arXiv 1802.05957, eq. 17)."""
    return -fake


def relativistic_critic(real: Tensor, fake: Tensor) -> Tensor:
    """softplus(-(real - fake)) for pairs (Huang et al. 2024, arXiv 2501.05441, eq. 1); log 2 at equality."""
    return softplus(fake - real)


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """softplus(-(fake - real)) for pairs (Huang et al. 2024, arXiv 2501.05441); log 2 at equality."""
    return softplus(real - fake)


GAMES: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "hinge": (hinge_critic, hinge_generator),
    "least-squares": (least_squares_critic, least_squares_generator),
    "logistic": (non_saturating_critic, non_saturating_generator),
}
"""What a critic and a generator minimise, by name of the game."""
