"""Generator and critic of maps."""

import pytest
import torch

from zeuxis.nets.latent_gan import LatentCritic, LatentGenerator, doublings
from zeuxis.nets.map_features import WIDTHS as SEEN
from zeuxis.nets.map_features import MapFeatures

WIDTHS = (8, 12, 16)


@pytest.mark.parametrize(("side", "times"), [(4, 1), (7, 1), (8, 1), (12, 1), (16, 2), (24, 2), (32, 3), (64, 3)])
def test_a_generator_begins_with_four_cells_and_more(side: int, times: int) -> None:
    assert doublings(side, side + 3) == times


@pytest.mark.parametrize("size", [(4, 4), (7, 9), (8, 8), (16, 16), (17, 23), (32, 36)])
@pytest.mark.parametrize("classes", [0, 3])
def test_maps_of_any_size_are_drawn_and_judged(size: tuple[int, int], classes: int) -> None:
    label = torch.tensor([0, 2]) if classes else None
    maps = LatentGenerator(5, WIDTHS, 4, size, classes, 6)(torch.randn(2, 5), label)
    assert maps.shape == (2, 4, *size)
    seen = MapFeatures(4)(maps)
    assert [x.shape[1:] for x in seen] == [(w, size[0] >> i, size[1] >> i) for i, w in enumerate(SEEN)]
    assert LatentCritic(SEEN, size, classes, 10)(seen, label).shape == (2,)


def test_parameters_are_those_that_were_measured() -> None:
    """64 px by cells of 4: residual blocks of two 3x3 convolutions, doublings by a 3x3, halvings by a 4x4."""

    def conv(a: int, b: int, side: int = 3) -> int:
        return a * b * side**2 + b

    blocks = sum(2 * conv(width, width) for width in (64, 128, 256))
    generator = LatentGenerator(64, (64, 128, 256), 4, (16, 16), 6, 32)
    dense = (64 + 32) * 4096 + 4096  # in two parts, of which the one of the class has no bias
    doubling = conv(256, 128) + conv(128, 64)
    assert sum(p.numel() for p in generator.parameters()) == 6 * 32 + dense + blocks + doubling + conv(64, 4)
    critic = LatentCritic(SEEN, (16, 16), 6, 128)
    tops = conv(32, 64, 4) + conv(64, 64, 4) + conv(64, 64, 4) + conv(128, 96)
    local = sum(conv(seen, width) + conv(width, width, 1) for seen, width in zip(SEEN, (32, 64, 64), strict=True))
    head = (64 + 64 + 96) * 16 * 128 + 128 + (288 + 1) + 6 * 288
    assert sum(p.numel() for p in critic.parameters()) == tops + local + head


@pytest.mark.parametrize("classes", [0, 6])
def test_maps_begin_with_about_the_spread_of_standardised_ones(classes: int) -> None:
    torch.manual_seed(0)
    label = torch.arange(64) % classes if classes else None
    with torch.no_grad():
        maps = LatentGenerator(64, (64, 128, 256), 4, (16, 16), classes, 32)(torch.randn(64, 64), label)
    assert 0.5 < maps.std() < 2


def test_a_net_heeds_the_class_as_far_as_it_is_told_and_remembers_that() -> None:
    torch.manual_seed(0)
    generator, critic = LatentGenerator(5, WIDTHS, 4, (8, 8), 2, 6), LatentCritic(SEEN, (8, 8), 2, 10)
    z, labels = torch.randn(1, 5), [torch.tensor([0]), torch.tensor([1])]
    for net, given in ((generator, z), (critic, MapFeatures(4)(torch.randn(1, 4, 8, 8)))):

        def apart(share: float | None, net=net, given=given) -> float:
            with torch.no_grad():
                one, other = (net(given, label, share) for label in labels)
            return float((one - other).abs().mean())

        assert apart(0.0) == 0.0 == float(net.share) and apart(1.0) > apart(0.3) > 0
        apart(0.3)
        net.eval()
        assert apart(None) == apart(0.3) and float(net.share) == pytest.approx(0.3)
        apart(1.0)
        assert float(net.share) == pytest.approx(0.3), "what it is told outside of training is not written down"
