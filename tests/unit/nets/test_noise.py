import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zeuxis.draw import Draw
from zeuxis.nets.randomness import LATENT_LAWS, Dropout, bind


def net() -> nn.Module:
    return nn.ModuleDict({"a": nn.Sequential(Dropout(0.3), Dropout(0.3)), "b": Dropout(0.5)})


def test_unbound_dropout_refuses_to_train():
    with pytest.raises(RuntimeError, match="noise.bind"):
        Dropout(0.3)(torch.ones(2, 3))


def test_dropout_is_the_identity_in_eval_mode_and_at_zero():
    x = torch.ones(2, 3)
    assert Dropout(0.3).eval()(x) is x
    assert Dropout(0.0)(x) is x


def test_chances_outside_are_refused():
    with pytest.raises(ValueError, match="dropout needs"):
        Dropout(1.0)


def test_the_share_kept_and_the_mean_are_right():
    drop = Dropout(0.3)
    bind(drop, Draw(0))
    y = drop(torch.ones(64, 32, 7, 7))
    n = y.numel()
    assert abs((y > 0).float().mean().item() - 0.7) < 5 * (0.21 / n) ** 0.5
    assert y[y > 0].unique().numel() == 1
    assert y.max().item() == pytest.approx(1 / 0.7, rel=1e-4)
    assert y.flatten(1).std(1).min() > 0.5


def test_masks_depend_on_path_call_and_draw_alone():
    networks, x = net(), torch.ones(4, 50)
    bind(networks, Draw(0, step=3))
    first = [networks["a"][0](x), networks["a"][0](x), networks["a"][1](x)]
    assert not any(torch.equal(first[i], first[j]) for i, j in ((0, 1), (0, 2), (1, 2)))
    bind(networks, Draw(0, step=3))
    torch.manual_seed(99)
    again = [networks["a"][0](x), networks["a"][0](x), networks["a"][1](x)]
    assert all(torch.equal(p, q) for p, q in zip(first, again, strict=True))
    bind(networks, Draw(0, step=4))
    assert not torch.equal(networks["a"][0](x), first[0])


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(1, 4), st.integers(1, 3))
def test_ranks_see_their_rows_of_the_whole_mask(size, per_rank, world):
    drop, n = Dropout(0.4), per_rank * world
    bind(drop, Draw(5))
    whole = drop(torch.ones(n, size))
    for rank in range(world):
        bind(drop, Draw(5, rank=rank, world=world))
        assert torch.equal(drop(torch.ones(per_rank, size)), whole[rank::world])


def test_latent_laws():
    uniform = LATENT_LAWS["uniform"](Draw(0).at("z"), 1000, 8)
    normal = LATENT_LAWS["normal"](Draw(0).at("z"), 1000, 8)
    assert -1 <= uniform.min() < -0.99
    assert 0.99 < uniform.max() < 1
    assert normal.std().item() == pytest.approx(1, abs=0.05)
    assert uniform.std().item() == pytest.approx(3**-0.5, abs=0.02)
