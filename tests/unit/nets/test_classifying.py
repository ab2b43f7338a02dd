import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from zeuxis.nets.classifying import Halving, ResidualClassifier, group_norm


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def test_parameters_at_28_px_against_arithmetic():
    # stem, then two blocks of (norm, conv3x3, norm, conv3x3, shortcut 1x1), last norm, dense over a 4x4 grid
    def block(a: int, b: int) -> int:
        return 2 * a + 9 * a * b + 2 * b + 9 * b * b + a * b

    expected = 9 * 1 * 24 + block(24, 48) + block(48, 72) + 2 * 72 + (72 * 16 * 10 + 10)
    assert count(ResidualClassifier(1, (28, 28), 10)) == expected == 125_746


def test_larger_pictures_get_a_second_stem_layer_and_a_third_block():
    body = ResidualClassifier(3, (64, 64), 4).body
    assert [m.stride[0] for m in body if isinstance(m, nn.Conv2d)] == [2, 2]
    assert sum(isinstance(m, Halving) for m in body) == 2
    body = ResidualClassifier(3, (128, 96), 4).body
    assert [m.shortcut[1].out_channels for m in body if isinstance(m, Halving)] == [48, 72, 96]


def test_no_batch_norm_anywhere():
    kinds = {type(m) for m in ResidualClassifier(3, (64, 64), 4).modules()}
    assert nn.GroupNorm in kinds
    assert not kinds & {nn.BatchNorm1d, nn.BatchNorm2d}


def test_group_norm_falls_back_to_one_group():
    assert group_norm(24).num_groups == 3
    assert group_norm(10).num_groups == 1


@given(st.integers(8, 40), st.integers(8, 40), st.integers(1, 4), st.integers(1, 3))
def test_any_size_gives_finite_logits_and_equal_modes(height: int, width: int, channels: int, n: int):
    net = ResidualClassifier(channels, (height, width), 3, width=8)
    nn.init.normal_(net.head.weight)
    image = torch.linspace(-1, 1, n * channels * height * width).reshape(n, channels, height, width)
    logits = net(image)
    assert logits.shape == (n, 3)
    assert torch.isfinite(logits).all()
    assert torch.equal(net.eval()(image), logits)


@pytest.mark.parametrize(("side", "out"), [(7, 4), (8, 4), (1, 1)])
def test_halving_rounds_up(side: int, out: int):
    assert Halving(8, 16)(torch.zeros(2, 8, side, side)).shape == (2, 16, out, out)
