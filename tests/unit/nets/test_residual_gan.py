import math

import pytest
import torch
from torch.nn.functional import interpolate

from zeuxis.nets import residual_gan as r
from zeuxis.nets.init import LEAKY_GAIN


def test_doubling_is_bilinear_inside():
    x = torch.randn(2, 3, 6, 8)
    inside = (..., slice(1, -1), slice(1, -1))
    assert torch.allclose(r.double(x)[inside], interpolate(x, scale_factor=2.0, mode="bilinear")[inside], atol=1e-6)


def test_halving_keeps_a_constant_inside_and_is_the_adjoint_of_doubling():
    assert torch.allclose(r.halve(torch.ones(1, 2, 8, 8))[..., 1:-1, 1:-1], torch.ones(1, 2, 2, 2))
    x, y = torch.randn(2, 3, 8, 8, dtype=torch.float64), torch.randn(2, 3, 4, 4, dtype=torch.float64)
    assert torch.allclose((4 * r.halve(x) * y).sum(), (x * r.double(y)).sum())


def test_a_block_begins_as_the_identity_with_sixteen_channels_a_group():
    block, x = r.Residual(96, blocks=8), torch.randn(1, 96, 4, 4)
    assert torch.equal(block(x), x)
    assert block.conv2.groups == 12
    assert block.conv1.weight.std().item() == pytest.approx(LEAKY_GAIN * 8**-0.25 / math.sqrt(96), rel=0.05)
    assert block.conv2.weight.std().item() == pytest.approx(LEAKY_GAIN * 8**-0.25 / math.sqrt(16 * 9), rel=0.05)


def test_output_is_linear_in_training_and_cut_after():
    net = r.ResidualGenerator(4, (8, 8), 1, 1, (4, 4))
    with torch.no_grad():
        net.last.weight.fill_(100.0)
    z = torch.randn(3, 4)
    assert net(z).abs().max() > 1
    assert net.eval()(z).abs().max() == 1


def block_count(width: int) -> int:
    inner = 2 * width
    return (width * inner + inner) + (16 * 9 * inner + inner) + inner * width


def test_counts_of_a_small_conditional_pair():
    widths, classes = (32, 16), 3
    generator = r.ResidualGenerator(8, widths, 2, 3, (8, 12), classes)
    blocks = 2 * block_count(32) + 2 * block_count(16)
    known = blocks + classes * 64 + 32 * 4 * 6 + (8 + 64) * 32 + 32 * 16 + 16 * 3
    assert sum(p.numel() for p in generator.parameters()) == known
    critic = r.ResidualCritic(3, (8, 12), widths, 2, classes)
    known = blocks + 3 * 16 + 16 * 32 + 32 * 4 * 6 + 32 * 32 + classes * 32
    assert sum(p.numel() for p in critic.parameters()) == known


def test_the_conditional_logit_is_the_inner_product_alone():
    critic = r.ResidualCritic(1, (4, 4), (8, 8), 1, classes=2)
    with torch.no_grad():
        critic.embedding.weight[0].zero_()
    logits = critic(torch.randn(4, 1, 4, 4), torch.tensor([0, 1, 0, 1]))
    assert torch.equal(logits[::2], torch.zeros(2))
    assert logits[1::2].abs().min() > 0
