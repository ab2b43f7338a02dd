"""Autoencoders between pictures and maps."""

import pytest
import torch
from torch import nn

from zeuxis.nets.latent_maps import CODES, MapAutoencoder, Residual


@pytest.mark.parametrize("factor", [4, 8])
@pytest.mark.parametrize("size", [(32, 32), (40, 64)])
def test_a_picture_becomes_a_map_of_its_size_over_the_factor_and_comes_back(factor: int, size: tuple[int, int]) -> None:
    net = MapAutoencoder(factor)
    image = torch.rand(2, 3, *size) * 2 - 1
    code = net.encode(image)
    assert code.shape == (2, CODES[factor], size[0] // factor, size[1] // factor)
    assert net.decode(code).shape == image.shape
    assert torch.equal(net(image), net.decode(code))


def test_weights_number_one_to_two_millions() -> None:
    assert [sum(p.numel() for p in MapAutoencoder(f).parameters()) for f in (4, 8)] == [1_005_447, 2_014_859]


def test_the_deeper_net_has_the_outer_layers_of_the_other_one_under_the_same_names() -> None:
    small, large = (MapAutoencoder(f).state_dict() for f in (4, 8))
    apart = {name for name, t in small.items() if large[name].shape != t.shape}
    assert apart == {"encoder.last.weight", "encoder.last.bias", "decoder.first.weight"}


def test_a_residual_block_begins_as_the_identity() -> None:
    x = torch.randn(2, 8, 5, 7)
    assert torch.equal(Residual(8)(x), x)


def test_a_picture_does_not_depend_on_its_neighbours_in_the_batch() -> None:
    net = MapAutoencoder(4)
    for block in net.modules():
        if isinstance(block, Residual):
            nn.init.normal_(block.second.weight, std=0.05)
    image = torch.rand(3, 3, 16, 16)
    assert torch.allclose(net(image)[1:2], net(image[1:2]), atol=1e-5)


def test_a_picture_moved_by_multiples_of_the_factor_has_its_map_moved_by_whole_cells() -> None:
    net = MapAutoencoder(8)
    image = torch.rand(1, 3, 128, 128)
    moved = torch.roll(image, (8, 16), (2, 3))
    here, there = net.encode(image), net.encode(moved)
    assert torch.allclose(torch.roll(here, (1, 2), (2, 3))[..., 8:12, 8:12], there[..., 8:12, 8:12], atol=1e-4)


@pytest.mark.parametrize("factor", [4, 8])
def test_at_the_start_the_picture_is_neither_lost_nor_blown_up_on_its_way(factor: int) -> None:
    torch.manual_seed(0)
    net = MapAutoencoder(factor)
    image = torch.randn(4, 3, 64, 64)
    with torch.no_grad():
        code = net.encode(image)
        back = net.decode(torch.randn_like(code))
    assert 0.5 < float(code.std()) < 2
    assert 0.5 < float(back.std()) < 2
