import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from zeuxis.nets.progressive import (
    EqualConv,
    EqualLinear,
    GrowingCritic,
    GrowingGenerator,
    at_level,
    channels_at,
    double,
    doublings,
    group_size,
    halve,
    minibatch_stddev,
    pixel_norm,
    split_level,
)


def critic(**changes: int) -> GrowingCritic:
    torch.manual_seed(0)
    return GrowingCritic(1, changes.get("classes", 0), (4, 4), [8, 6, 4], 8)


def generator(classes: int = 0) -> GrowingGenerator:
    torch.manual_seed(0)
    return GrowingGenerator(5, classes, 1, (4, 4), [8, 6, 4])


@pytest.mark.parametrize(
    ("size", "count"), [((28, 28), 2), ((32, 32), 3), ((64, 64), 4), ((28, 64), 2), ((48, 64), 3), ((8, 12), 1)]
)
def test_doublings(size: tuple[int, int], count: int):
    assert doublings(size, 9) == count
    assert doublings(size, 1) == 1


def test_channels_of_the_source():
    # nf(stage) = min(8192 / 2^stage, 512): 4 to 32 px 512, 64 px 256, 128 px 128
    assert [channels_at(s, 8192, 512, 16) for s in range(1, 7)] == [512, 512, 512, 512, 256, 128]
    assert channels_at(9, 256, 128, 16) == 16


def test_pixel_norm_has_unit_mean_square():
    x = 5 * torch.randn(3, 7, 2, 2, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(pixel_norm(x).square().mean(1), torch.ones(3, 2, 2), atol=1e-5)
    assert torch.equal(pixel_norm(torch.zeros(1, 3)), torch.zeros(1, 3))
    assert torch.allclose(pixel_norm(torch.tensor([[3.0, 4.0]])), torch.tensor([[3.0, 4.0]]) / math.sqrt(12.5))


def test_equalised_scale_at_run_time():
    dense, conv = EqualLinear(50, 4), EqualConv(6, 4, 3)
    assert dense.scale == pytest.approx(math.sqrt(2 / 50))
    assert conv.scale == pytest.approx(math.sqrt(2 / 54))
    nn.init.ones_(dense.weight)
    nn.init.ones_(conv.weight)
    assert torch.allclose(dense(torch.ones(1, 50)), torch.full((1, 4), 50 * math.sqrt(2 / 50)))
    inner = conv(torch.ones(1, 6, 3, 3))[0, :, 1, 1]
    assert torch.allclose(inner, torch.full((4,), 54 * math.sqrt(2 / 54)))


def test_first_weights_are_standard_normal():
    torch.manual_seed(0)
    assert EqualLinear(200, 200).weight.std().item() == pytest.approx(1, abs=0.02)


def test_minibatch_stddev_by_hand():
    # groups i mod 2: (0, 2, 4, 6) and (1, 3, 5, 7); one feature
    x = torch.tensor([0.0, 1.0, 2.0, 1.0, 0.0, 1.0, 2.0, 1.0]).reshape(8, 1, 1, 1)
    found = minibatch_stddev(x, 4)
    assert torch.allclose(found[::2], torch.ones(4))
    assert torch.allclose(found[1::2], torch.full((4,), 1e-4))


def test_minibatch_stddev_averages_over_features():
    x = torch.tensor([[0.0, 5.0], [2.0, 5.0]]).reshape(2, 2, 1, 1)
    assert torch.allclose(minibatch_stddev(x, 4), torch.full((2,), (1 + 1e-4) / 2))
    assert torch.isfinite(minibatch_stddev(x[:1], 4)).all()


def test_strided_shards_fall_into_the_same_groups():
    x = torch.randn(16, 3, 2, 2, generator=torch.Generator().manual_seed(1))
    whole = minibatch_stddev(x, 4)
    for rank in (0, 1):
        assert torch.allclose(minibatch_stddev(x[rank::2], 4), whole[rank::2])


@given(st.integers(1, 40))
def test_groups_divide_the_batch(n: int):
    size = group_size(n, 4)
    assert n % size == 0
    assert size == max(g for g in (1, 2, 3, 4) if n % g == 0)


def test_split_level():
    assert split_level(0.0) == (0, 1.0)
    assert split_level(2.0) == (2, 1.0)
    assert split_level(1.25) == (2, 0.25)


def test_double_and_halve_are_inverse():
    x = torch.arange(4.0).reshape(1, 1, 2, 2)
    assert torch.equal(double(x)[0, 0, 0], torch.tensor([0.0, 0.0, 1.0, 1.0]))
    assert torch.equal(halve(double(x, 2), 2), x)


def test_reals_fade_like_fakes():
    x = torch.arange(64.0).reshape(1, 1, 8, 8)
    assert torch.equal(at_level(x, 1.0, 1), x)
    assert torch.equal(at_level(x, 0.0, 1), halve(x))
    assert torch.allclose(at_level(x, 0.25, 1), 0.25 * x + 0.75 * double(halve(x)))
    assert torch.allclose(at_level(x, 0.5, 2), 0.5 * halve(x) + 0.5 * double(halve(x, 2)))


@pytest.mark.parametrize("share", [0.25, 0.75])
def test_generator_fade_is_the_lerp_of_two_paths(share: float):
    net, z = generator(), torch.linspace(-1, 1, 10).reshape(2, 5)
    old, new, between = net(z, None, 1.0), net(z, None, 2.0), net(z, None, 1 + share)
    assert (old.shape[-1], new.shape[-1], between.shape[-1]) == (8, 16, 16)
    assert torch.allclose(between, (1 - share) * double(old) + share * new, atol=1e-6)


@pytest.mark.parametrize("share", [0.25, 0.75])
def test_critic_fade_joins_two_paths_before_the_coarser_block(share: float):
    net = critic().eval()
    image = torch.linspace(-1, 1, 64).reshape(1, 1, 8, 8)
    act = nn.functional.leaky_relu
    new = halve(net.blocks[0](act(net.from_rgb[1](image), 0.2)))
    old = act(net.from_rgb[0](halve(image)), 0.2)
    x = torch.cat([(1 - share) * old + share * new, torch.zeros(1, 1, 4, 4)], 1)
    expected = net.head(act(net.dense(act(net.last(x), 0.2).flatten(1)), 0.2))
    assert torch.allclose(net(image, share), expected, atol=1e-6)


def test_at_the_ends_of_a_fade_nothing_jumps():
    net, judge = generator(), critic().eval()
    z = torch.linspace(-1, 1, 10).reshape(2, 5)
    assert torch.allclose(double(net(z, None, 1.0)), net(z, None, 1.0001), atol=1e-3)
    image = net(z, None, 1.0)
    assert torch.allclose(judge(image, 1.0), judge(double(image), 1.0001), atol=1e-3)


def test_levels_are_remembered_in_train_mode_alone():
    net = generator()
    z = torch.zeros(1, 5)
    net(z, None, 1.25)
    assert net.level.item() == 1.25
    net.eval()(z, None, 2.0)
    assert net.level.item() == 1.25
    assert net.picture(z, None).shape == (1, 1, 16, 16)
    assert net.picture(z, None).abs().max() <= 1
    fresh = generator()
    assert torch.equal(fresh.picture(z, None), double(fresh(z, None, 0.0), 2).clamp(-1, 1))


def test_label_is_joined_before_the_norm():
    net = generator(classes=3)
    code = net.code(torch.ones(1, 5), torch.tensor([1]))
    expected = torch.tensor([[1.0, 1, 1, 1, 1, 0, 1, 0]]) / math.sqrt(6 / 8)
    assert torch.allclose(code, expected)
    with pytest.raises(ValueError, match="label"):
        net(torch.ones(1, 5))


def test_eval_mode_reads_the_usual_spread():
    net = critic()
    image = torch.randn(8, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    net(image, 2.0)
    used = net.usual.item()
    assert used > 0
    net.eval()
    assert torch.allclose(net(image)[:1], net(image[:1]), atol=1e-5)
    assert net.usual.item() == used
    assert torch.equal(net.of_picture(image, net), net(image, 2.0))


def test_parameters_against_arithmetic():
    def conv(a: int, b: int, k: int) -> int:
        return k * k * a * b + b

    blocks = conv(8, 6, 3) + conv(6, 6, 3) + conv(6, 4, 3) + conv(4, 4, 3)
    rgb = sum(conv(w, 1, 1) for w in (8, 6, 4))
    assert sum(p.numel() for p in generator().parameters()) == (5 * 128 + 128) + conv(8, 8, 3) + blocks + rgb
    blocks = conv(6, 6, 3) + conv(6, 8, 3) + conv(4, 4, 3) + conv(4, 6, 3)
    rgb = sum(conv(1, w, 1) for w in (8, 6, 4))
    end = conv(9, 8, 3) + (128 * 8 + 8) + (8 * 4 + 4)
    assert sum(p.numel() for p in critic(classes=3).parameters()) == rgb + blocks + end
