"""Nets that see their whole window restore pictures of any size, smaller ones too."""

from types import SimpleNamespace

import pytest
import torch

from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.jobs.restoring import nets
from zeuxis.jobs.restoring.nets import Net
from zeuxis.recipes.recipe import make
from zeuxis.recipes.vae import VAE

SIDE = 32


class Whole:
    """A recipe that takes pictures of its own size alone and gives their mean and themselves, half of each."""

    receptive_field, multiple_of, scale = None, 1, 1

    def restore(self, networks, image, known=None, level=None):
        assert image.shape[2:] == (SIDE, SIDE), "not the window"
        return 0.5 * image + 0.5 * image.mean((2, 3), keepdim=True)


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (15, 16), (20, 90), (32, 32), (40, 33)])
def test_any_size(size):
    net = Net("whole", Whole(), torch.nn.ModuleDict(), SimpleNamespace(channels=3, height=SIDE, width=SIDE), "")
    flat = torch.full((1, 3, *size), 0.3)
    assert torch.allclose(nets.apply(net, flat), flat, atol=1e-5)
    grain = Draw(0).at("x").uniform(1, 3, *size, low=-1, high=1)
    out = nets.apply(net, grain)
    assert out.shape == grain.shape and (out - 0.5 * grain).abs().max() <= 0.5
    known = torch.ones(1, 1, *size)
    assert torch.allclose(nets.apply(net, flat, known), flat, atol=1e-5)


def test_a_vae_restores_a_picture_smaller_than_those_that_it_learned_on():
    spec, recipe = Spec(3, SIDE, SIDE), make(VAE, width=8, latent=8)
    with torch.random.fork_rng(devices=[]):
        networks = recipe.networks(spec).eval()
    for size in ((9, 12), (50, 12)):
        out = nets.apply(Net("vae", recipe, networks, spec, ""), torch.zeros(1, 3, *size))
        assert out.shape == (1, 3, *size) and out.isfinite().all() and out.abs().max() <= 1
