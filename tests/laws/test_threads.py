"""Law 5 with two threads: gradients have the bits of one order, also while another process keeps the cores busy."""

import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.laws.helper import ALONE, bits_equal, copies, differing, pictures, samplers_for
from zeuxis import catalog
from zeuxis.augmentation import geometry
from zeuxis.data.dataset import Spec
from zeuxis.draw import Stream, key_of
from zeuxis.engine.compute import ComputeOptions
from zeuxis.engine.phases import play
from zeuxis.engine.state import build_state
from zeuxis.nets.conditional import ClassNorm, ProjectionHead
from zeuxis.recipes.recipe import make

N, C, S = 16, 8, 24  # enough numbers that torch divides them over its threads
LABEL = Stream(key_of("labels")).integers(N, high=3)
ANGLES = Stream(key_of("angles")).uniform(N, low=-180, high=180)


@pytest.fixture(autouse=True)
def two_threads_beside_a_busy_process():
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    torch.set_num_threads(2)
    try:
        yield
    finally:
        torch.set_num_threads(1)
        busy.kill()
        busy.wait()


TRIED = {
    "class gains": (ClassNorm(C, 3), lambda net, x: net(x, LABEL)),
    "class gains of features": (ClassNorm(1024, 3, maps=False), lambda net, x: net(x.flatten(1)[:, :1024], LABEL)),
    "projection": (ProjectionHead(C * S * S, 3), lambda net, x: net(x.flatten(1), LABEL)),
    "batch norm": (nn.BatchNorm2d(C), lambda net, x: net(x)),
    "group norm": (nn.GroupNorm(4, C), lambda net, x: net(x)),
    "convolution": (nn.Conv2d(C, 24, 3, padding=1), lambda net, x: net(x)),
    "strided transposed": (nn.ConvTranspose2d(C, 8, 4, 2, 1), lambda net, x: net(x)),
    "dense": (nn.Linear(C * S * S, 64), lambda net, x: net(x.flatten(1))),
    "prelu": (nn.PReLU(C), lambda net, x: net(x)),
    "turned, mirrored beyond": (None, lambda _, x: geometry.warp(x, geometry.rotation(ANGLES), padding="reflection")),
    "turned, nearest": (None, lambda _, x: geometry.warp_nearest(x, geometry.rotation(ANGLES))),
    "nearest": (None, lambda _, x: F.interpolate(x, scale_factor=2.0)),
    "bilinear": (None, lambda _, x: F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)),
    "bicubic": (None, lambda _, x: F.interpolate(x, scale_factor=0.5, mode="bicubic", antialias=True)),
    "edge repeated": (None, lambda _, x: F.pad(x, (3, 3, 3, 3), mode="replicate")),
    "mirrored": (None, lambda _, x: F.pad(x, (3, 3, 3, 3), mode="reflect")),
    "means of blocks": (None, lambda _, x: F.avg_pool2d(x, 2)),
    "rows chosen": (None, lambda _, x: x.index_select(2, torch.arange(S).repeat(3))),
    "patches": (None, lambda _, x: F.fold(F.unfold(x, 4, stride=2), (S, S), 4, stride=2)),
    "spectrum": (None, lambda _, x: torch.view_as_real(torch.fft.rfft2(x))),
}


@pytest.mark.parametrize("name", TRIED)
def test_gradients_are_of_one_order(name):
    """Whatever nets, losses and augmentations do that adds several numbers to one gradient."""
    net, of = TRIED[name]
    x = Stream(key_of("tried")).normal(N, C, S, S).requires_grad_()
    given = [x, *(net.parameters() if net else ())]

    def gradients():
        out = of(net, x)
        return torch.autograd.grad(out, given, Stream(key_of("back")).normal(*out.shape), allow_unused=True)

    first = gradients()
    for _ in range(6):
        assert all(a is b is None or bits_equal(a, b) for a, b in zip(first, gradients(), strict=True))


def played(name, stop=None):
    """A small training of default width; where it stops, another table goes on from its tensors."""
    spec = Spec(1, 28, 28, ("a", "b", "c"))
    recipe = make(catalog.load(name), "tiny" if "tiny" in catalog.load(name).presets else None)
    samplers = samplers_for(recipe, {"images": pictures(spec, 128)}, 5)
    state = build_state(recipe, spec, seed=5, steps=2, batch=64, compute=ComputeOptions(threads=2))
    for step in range(2):
        if step == stop:
            tensors, state = (
                copies(state.tensors()),
                build_state(recipe, spec, seed=5, steps=2, batch=64, compute=ComputeOptions()),
            )
            state.load(tensors, step, 0)
        play(state, samplers, ALONE)
    return copies(state.tensors())


LONG = ("cgan", "gan", "r3gan", "wgan_gp", "progan", "vae", "classifier")


@pytest.mark.parametrize("name", ["dcgan", *(pytest.param(name, marks=pytest.mark.long) for name in LONG)])
def test_seed_and_resume_hold_with_two_threads(name):
    first = played(name)
    assert differing(first, played(name)) == []
    assert differing(first, played(name, stop=1)) == []
