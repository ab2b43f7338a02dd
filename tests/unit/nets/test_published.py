import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zeuxis.nets import published

SMALL = {
    "ffdnet": lambda: published.FFDNet(3, 8, 4),
    "ffdnet-noise": lambda: published.FFDNet(1, 8, 4, noise=True),
    "srmdnf": lambda: published.SRMDNF(3, (0.1,) * 15, width=8, depth=4),
    "rrdb": lambda: published.RRDBNet(2, 8, 4),
    "compact": lambda: published.CompactSR(2, 8),
}
FULL = {
    485_316: lambda: published.FFDNet(1, 64, 15, noise=True),
    852_108: lambda: published.FFDNet(3, 96, 12),
    1_552_048: lambda: published.SRMDNF(4, (0.0,) * 15),
    1_510_540: lambda: published.SRMDNF(2, (0.0,) * 15),
    16_697_987: lambda: published.RRDBNet(),
    4_467_779: lambda: published.RRDBNet(6),
    621_424: lambda: published.CompactSR(),
}
"""Parameters as counted in the published files, with the bias of every convolution."""


def numbered(net: torch.nn.Module) -> dict[str, torch.Tensor]:
    state = ((i, layer.state_dict()) for i, layer in enumerate(published.layers(net)))
    return {f"{i}.{name}": t for i, part in state for name, t in part.items()}


@pytest.mark.parametrize("count", FULL)
def test_parameters_as_published(count):
    with torch.device("meta"):
        assert sum(p.numel() for p in FULL[count]().parameters()) == count


@pytest.mark.parametrize("name", SMALL)
def test_numbered_weights_fill_the_net(name):
    with torch.random.fork_rng():
        net = SMALL[name]().eval()
    before = torch.random.get_rng_state()
    again = published.filled(SMALL[name], numbered(net))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(t, net.state_dict()[k]) for k, t in again.state_dict().items())
    assert not any(p.requires_grad for p in again.parameters())
    with pytest.raises(KeyError):
        published.filled(SMALL[name], numbered(net) | {"99.weight": torch.zeros(1)})
    with pytest.raises(KeyError):
        published.filled(SMALL[name], {})


@settings(max_examples=12)
@given(st.integers(5, 12), st.integers(5, 12))
def test_any_size(height, width):
    for name, scale in (("ffdnet", 1), ("srmdnf", 3), ("rrdb", 4), ("compact", 4)):
        with torch.random.fork_rng():
            net = SMALL[name]()
        level = (torch.tensor([5.0, 50.0]).reshape(2, 1, 1, 1),) if name == "ffdnet" else ()
        assert net(torch.zeros(2, 3, height, width), *level).shape == (2, 3, height * scale, width * scale)


def silent(make) -> torch.nn.Module:
    net = make()
    for p in net.parameters():
        p.data.zero_()
    return net


def test_what_a_net_without_weights_gives():
    """Which of them give the picture, and which a difference to it."""
    image = torch.linspace(-1, 1, 3 * 20).reshape(1, 3, 4, 5)
    level = torch.full((1, 1, 1, 1), 25.0)
    assert torch.allclose(silent(SMALL["ffdnet-noise"])(image[:, :1], level), image[:, :1], atol=1e-6)
    assert torch.equal(silent(SMALL["ffdnet"])(image, level), torch.full_like(image, -1))
    near = image.repeat_interleave(4, 2).repeat_interleave(4, 3)
    assert torch.allclose(silent(SMALL["compact"])(image), near, atol=1e-6)
    assert torch.equal(silent(SMALL["rrdb"])(image), torch.full((1, 3, 16, 20), -1.0))


def test_the_level_is_read_on_the_scale_of_255():
    """A net that passes its noise plane on gives the level back, at its place in the input."""
    for noise, place in ((False, 4), (True, 0)):
        net = silent(lambda noise=noise: published.FFDNet(1, 4, 2, noise=noise))
        net.convs[0].weight.data[0, place, 1, 1] = 1
        net.convs[1].weight.data[:, 0, 1, 1] = 1
        image, level = torch.zeros(1, 1, 4, 4), torch.full((1, 1, 1, 1), 51.0)
        expected = 2 * 0.2 - 1 if not noise else (0.5 - 0.2) * 2 - 1
        assert net(image, level).flatten().tolist() == pytest.approx([expected] * 16, abs=1e-6)
