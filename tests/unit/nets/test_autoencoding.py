import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from zeuxis.nets.autoencoding import BODIES, ClassCode, ConvDecoder, ConvEncoder, PlainCode, halvings, sides


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def test_halvings_and_sides():
    assert [halvings((n, 2 * n)) for n in (8, 28, 63, 64, 128)] == [3, 3, 3, 4, 5]
    assert sides((28, 28), 3) == [(28, 28), (14, 14), (7, 7), (3, 3)]
    assert sides((8, 12), 3) == [(8, 12), (4, 6), (2, 3), (1, 1)]


def test_parameters_of_the_convolutional_pair_against_arithmetic():
    encoder = (16 * 1 * 32 + 32) + (16 * 32 * 64 + 64) + (16 * 64 * 128 + 128) + 2 * (32 + 64 + 128)
    encoder += 128 * 9 * 32 + 32
    assert count(ConvEncoder(1, (28, 28), 16, 32)) == encoder == 201_920
    decoder = (16 * 1152 + 1152) + 2 * (128 + 64 + 32) + (9 * 128 * 64 + 64) + (9 * 64 * 32 + 32) + (9 * 32 * 1 + 1)
    assert count(ConvDecoder(1, (28, 28), 16, 32)) == decoder == 112_577


def test_parameters_of_the_dense_pair_are_784_400_20():
    encoder, decoder = BODIES["dense"]
    assert count(encoder(1, (28, 28), 20, 400)) == 784 * 400 + 400 + 2 * (400 * 20 + 20)
    assert count(decoder(1, (28, 28), 20, 400)) == 20 * 400 + 400 + 400 * 784 + 784


def test_parameters_of_the_strided_pair():
    encoder, decoder = BODIES["strided"]
    dense = 6272 * 1024 + 1024 + 2 * 1024 + 1024 * 128 + 128
    assert count(encoder(1, (28, 28), 64, 64)) == (16 * 64 + 64) + (16 * 64 * 128 + 128) + 2 * 128 + dense
    back = (64 * 1024 + 1024) + 2 * 1024 + (1024 * 6272 + 6272) + 2 * 6272 + (16 * 128 * 64 + 64) + 2 * 64
    assert count(decoder(1, (28, 28), 64, 64)) == back + 16 * 64 + 1


def test_strided_deviation_is_softplus():
    encoder = BODIES["strided"][0](1, (8, 8), 2, 4).eval()
    last = encoder.body[-1]
    nn.init.zeros_(last.weight)
    last.bias.data = torch.tensor([0.5, -0.5, 0.0, 1.0])
    mean, log_variance = encoder(torch.zeros(1, 1, 8, 8))
    assert mean.tolist() == [[0.5, -0.5]]
    expected = torch.log1p(torch.exp(torch.tensor([[0.0, 1.0]]))) + 1e-6
    assert torch.allclose(torch.exp(log_variance / 2), expected)


@given(st.integers(8, 40), st.integers(8, 40), st.integers(1, 4))
def test_any_size_comes_back(height: int, width: int, channels: int):
    encoder, decoder = BODIES["conv"]
    mean, log_variance = encoder(channels, (height, width), 3, 4)(torch.zeros(2, channels, height, width))
    assert mean.shape == log_variance.shape == (2, 3)
    assert decoder(channels, (height, width), 3, 4)(mean).shape == (2, channels, height, width)


@pytest.mark.parametrize("body", BODIES)
def test_bodies_share_their_shapes(body: str):
    encoder, decoder = BODIES[body]
    mean, _ = encoder(3, (12, 8), 5, 8)(torch.zeros(2, 3, 12, 8))
    assert decoder(3, (12, 8), 5, 8)(mean).shape == (2, 3, 12, 8)


def test_class_code_joins_the_label_and_has_a_row_for_none():
    net = ClassCode(nn.Identity(), classes=3, dim=2)
    out = net(torch.ones(2, 4), torch.tensor([0, 2]))
    assert torch.equal(out, torch.cat([torch.ones(2, 4), net.embedding.weight[[0, 2]]], 1))
    assert torch.equal(net(torch.ones(1, 4))[:, 4:], net.embedding.weight[[3]])
    assert net.no_label() == 3
    assert torch.equal(PlainCode(nn.Identity())(torch.ones(1, 4), torch.tensor([1])), torch.ones(1, 4))
