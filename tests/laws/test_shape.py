"""Law 1: every recipe builds at its smallest size, and what it gives has the stated shape, range and type."""

import pytest
import torch

from tests.laws.helper import LAWS, NAMES, law, outputs, pictures, shapes, small, smallest
from zeuxis import catalog
from zeuxis.data.dataset import Spec
from zeuxis.engine.batches import to_image
from zeuxis.engine.state import build_networks
from zeuxis.recipes.recipe import Recipe


def check(recipe: Recipe, spec: Spec) -> None:
    networks = build_networks(recipe, spec, 0).eval()
    image = to_image(pictures(spec, 1).images([0]))
    label = torch.zeros(1, dtype=torch.int64) if spec.condition else None
    for name, x in outputs(recipe, networks, spec, image, label, torch.arange(1)).items():
        wanted = shapes(recipe, spec, 1)[name]
        assert len(x.shape) == len(wanted) and all(w in (None, s) for s, w in zip(x.shape, wanted)), (name, x.shape)
        assert x.dtype == torch.float32 and bool(torch.isfinite(x).all())
        if name in ("decode", "restore", "translate"):
            assert float(x.abs().max()) <= 1.0, f"{name} leaves [-1, 1]"


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("name", NAMES)
@law("shape")
def test_shape(name, channels):
    recipe = small(name)
    check(recipe, smallest(recipe, channels))


@pytest.mark.parametrize("name", NAMES)
@law("shape")
def test_shape_not_square(name):
    recipe = small(name)
    spec = smallest(recipe, 3, square=False)
    assert spec.height != spec.width
    check(recipe, spec)


@pytest.mark.parametrize("name", [n for n in NAMES if catalog.load(n).labels == "optional"])
@law("shape")
def test_shape_without_labels(name):
    recipe = small(name)
    check(recipe, smallest(recipe, labelled=False))


PRESETS = [(name, preset) for name in NAMES for preset in ["", *sorted(catalog.load(name).presets)]]


@pytest.mark.parametrize(("name", "preset"), PRESETS, ids=[f"{n}-{p or 'default'}" for n, p in PRESETS])
def test_presets_build(name, preset):
    """Without memory for the weights, so that the large ones cost nothing."""
    recipe = catalog.load(name)(**(catalog.load(name).presets[preset] if preset else {}))
    spec = smallest(recipe, 3, least=28)
    with torch.device("meta"):
        networks = recipe.networks(spec)
    assert sum(p.numel() for p in networks.parameters()) > 0
    learners = {network for o in recipe.optimizers().values() for network in o.networks}
    assert learners <= set(networks) and set(recipe.average().networks) <= set(networks)
    assert {t.optimizer for t in recipe.phases()} == set(recipe.optimizers())


@pytest.mark.parametrize("name", NAMES)
def test_excuses(name):
    excused = catalog.load(name).excused
    assert len(excused) <= 2 and set(excused) <= set(LAWS) and all(len(reason) > 10 for reason in excused.values())
