"""A photograph in the manner of paintings by the statistics of a net's maps."""

import pytest
import torch
from torch import nn

from tests.unit.classic.test_style import DRAW, painting, photograph
from zeuxis.classic.style import plainly
from zeuxis.jobs.translating import neural_style
from zeuxis.jobs.translating.neural_style import styled_by_net
from zeuxis.nets.init import seeded
from zeuxis.weights import packages


class _Toy(nn.Module):
    """Six maps, as VGG16 gives, by a chain of narrow convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(a, 8, 3, 1 + (k % 2), 1) for k, a in enumerate((3, 8, 8, 8, 8, 8)))

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        maps, x = [], image
        for conv in self.convs:
            x = torch.relu(conv(x))
            maps.append(x)
        return maps


@pytest.fixture(autouse=True)
def _net(monkeypatch):
    with seeded("toy", 0):
        toy = _Toy().eval().requires_grad_(False)
    monkeypatch.setattr(neural_style, "net", lambda: (toy, "known"))


def test_statistics_of_maps_become_the_painting_s_and_the_photograph_stays():
    photo, there, told = photograph(), painting(), []
    made = styled_by_net(photo, [(there, 1.0)], DRAW, told=told.append)
    assert made.shape == photo.shape and made.abs().max() <= 1
    assert told == sorted(told) and 0.9 < told[-1] <= 1 and len(told) > 60
    begun = plainly(photo, [(there, 1.0)], DRAW)
    off = [_grams_apart(x, there) for x in (begun, made)]
    assert off[1] < 0.5 * off[0]
    wanted = neural_style._Wanted(begun, [(there, 1.0)])
    flipped = torch.nn.functional.mse_loss(neural_style._maps(made.flip(2))[1], wanted.content)
    assert torch.nn.functional.mse_loss(neural_style._maps(made)[1], wanted.content) < 0.8 * flipped


def _grams_apart(image: torch.Tensor, other: torch.Tensor) -> float:
    pairs = zip(neural_style._maps(image)[0], neural_style._maps(other)[0], strict=True)
    return float(torch.stack([neural_style._share(a, b) for a, b in pairs]).mean())


def test_of_several_paintings_statistics_are_mixed_and_strength_0_changes_colours_alone():
    photo, one, other = photograph(), painting(), painting(turned=True)
    wanted = neural_style._Wanted(photo, [(one, 3.0), (other, 1.0)])
    for mixed, a, b in zip(wanted.grams, neural_style._maps(one)[0], neural_style._maps(other)[0], strict=True):
        assert torch.allclose(mixed, 0.75 * a + 0.25 * b, atol=1e-6)
    assert torch.equal(styled_by_net(photo, [(one, 1.0)], DRAW, 0.0), plainly(photo, [(one, 1.0)], DRAW))


def test_the_net_is_one_that_a_person_adds():
    assert neural_style.NET in packages.KNOWN
