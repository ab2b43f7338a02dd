import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zeuxis.nets import strided


@pytest.mark.parametrize(
    ("side", "stages", "start"), [(8, 2, 2), (28, 2, 7), (32, 2, 8), (56, 3, 7), (64, 3, 8), (128, 4, 8)]
)
def test_stages_by_size(side, stages, start):
    assert strided.stages(side, side) == stages
    assert side // strided.stride(side, side) == start


def test_widths_double_up_to_eight_times():
    assert strided.widths(32, 5) == [32, 64, 128, 256, 256]


def test_maps_at_28_px():
    generator = strided.StridedGenerator(64, 32, 1, (28, 28))
    assert generator.start == (64, 7, 7)
    shapes = [tuple(layer.weight.shape) for layer in (generator.dense, generator.map, *generator.up, generator.last)]
    assert shapes == [(512, 64), (3136, 512), (64, 32, 4, 4), (32, 1, 4, 4)]
    critic = strided.StridedCritic(1, (28, 28), 32)
    shapes = [tuple(layer.weight.shape) for layer in (*critic.down, critic.dense, critic.head.linear)]
    assert shapes == [(32, 1, 4, 4), (64, 32, 4, 4), (512, 3136), (1, 512)]


def test_maps_at_64_px():
    generator = strided.StridedGenerator(64, 8, 3, (64, 96))
    assert generator.start == (32, 8, 12)
    assert [layer.out_channels for layer in (*generator.up, generator.last)] == [16, 8, 3]


def test_the_moved_sigmoid_spans_minus_one_to_one():
    x = torch.tensor([-50.0, 0.0, 50.0])
    assert torch.allclose(strided.OUTPUTS["sigmoid"](x), torch.tensor([-1.0, 0.0, 1.0]))


@pytest.mark.parametrize("norm", ["none", "batch", "spectral"])
def test_norms_of_the_critic(norm):
    critic = strided.StridedCritic(1, (8, 8), 4, norm=norm)
    kinds = {type(m).__name__ for m in critic.modules()}
    assert ("BatchNorm2d" in kinds) == (norm == "batch")
    names = [n for n, _ in critic.named_parameters() if "original" in n]
    assert len(names) == (4 if norm == "spectral" else 0)


@settings(max_examples=12, deadline=None)
@given(st.integers(2, 5), st.integers(2, 5), st.integers(1, 4), st.sampled_from([0, 2]))
def test_any_size_and_channels(rows, columns, channels, classes):
    size = (4 * rows, 4 * columns)
    label = torch.tensor([0, 1]) if classes else None
    generator = strided.StridedGenerator(5, 2, channels, size, classes)
    image = generator(torch.randn(2, 5), label)
    assert image.shape == (2, channels, *size)
    assert image.abs().max() <= 1
    assert strided.StridedCritic(channels, size, 2, classes)(image, label).shape == (2,)
