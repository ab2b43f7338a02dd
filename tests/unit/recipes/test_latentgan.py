"""The GAN on maps: what its critic sees, and pictures of every kind of channel."""

from dataclasses import replace

import pytest
import torch

from tests.unit.recipes.contexts import built, context, with_logits
from zeuxis.augmentation.shifting import shifted
from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.engine.state import build_networks
from zeuxis.errors import BadInput
from zeuxis.nets.latent_codes import CODE, DRAWS
from zeuxis.recipes.latentgan import LatentGAN
from zeuxis.recipes.recipe import Batch, StepContext
from zeuxis.weights import bundled, store

SMALL = {"widths": (8, 8), "batch": 4}
SPEC = Spec(3, 32, 32, ("a", "b"))


def of_maps(recipe: LatentGAN, spec: Spec, **more: float) -> StepContext:
    m = context(recipe, spec, **more)
    batch = m.batch["images"]
    with torch.no_grad():
        maps = recipe.encode(m.networks, batch.image)
    m.batch["images"] = Batch(maps, batch.label)
    return m


def test_cells_have_four_pixels_up_to_96_and_eight_above() -> None:
    for side, factor in ((32, 4), (96, 4), (128, 8), (256, 8)):
        networks = built(LatentGAN(**SMALL), Spec(3, side, side))
        assert networks["representation"].autoencoder.factor == factor
    assert built(LatentGAN(**SMALL, factor=8), Spec(3, 64, 64))["representation"].autoencoder.factor == 8


def test_it_begins_with_the_autoencoder_of_the_package() -> None:
    networks = build_networks(LatentGAN(**SMALL), SPEC, 0)
    other = build_networks(LatentGAN(**SMALL), SPEC, 1)
    mine, its = (n["representation"].autoencoder.state_dict() for n in (networks, other))
    assert all(torch.equal(mine[k], its[k]) for k in mine)
    image = torch.linspace(-0.8, 0.8, 32).reshape(1, 1, 1, 32).expand(1, 3, 32, 32)
    with torch.no_grad():
        back = networks["representation"].autoencoder(image)
    assert (back - image).abs().mean() < 0.05


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pictures_of_one_to_four_channels_come_back(channels: int) -> None:
    representation = build_networks(LatentGAN(**SMALL), Spec(channels, 32, 32), 0)["representation"]
    ramp = torch.linspace(-0.8, 0.8, 32).reshape(1, 1, 1, 32).expand(1, channels, 32, 32)
    image = torch.cat([ramp, ramp.flip(3)])
    if channels in (2, 4):
        image[:, -1] = torch.tensor([1.0, -1.0])[:, None, None]
    with torch.no_grad():
        maps = representation.encode(image)
        representation.calibrate(maps)
        standard = representation.standardised(maps)
        back = representation.decode(standard)
    assert maps.shape == (2, 8 if channels in (2, 4) else 4, 8, 8)
    assert back.shape == image.shape and back.abs().max() <= 1
    assert (back - image).abs().mean() < 0.07


def test_standardised_maps_have_mean_zero_and_deviation_one_over_the_set() -> None:
    recipe = LatentGAN(**SMALL)
    m = of_maps(recipe, SPEC)
    encoded = m.batch["images"].image
    recipe.calibrate(m.networks, encoded, m.batch["images"].label, False)
    maps = encoded[:, :, : 4 * 8 * 8].unflatten(2, (4, 8, 8))
    standard = m.networks["representation"].standardised(maps.flatten(0, 1))
    assert torch.allclose(standard.mean((0, 2, 3)), torch.zeros(4), atol=1e-4)
    assert torch.allclose(standard.std((0, 2, 3), correction=0), torch.ones(4), atol=1e-3)


def test_a_channel_that_never_changes_is_not_blown_up() -> None:
    representation = built(LatentGAN(**SMALL), SPEC)["representation"]
    representation.calibrate(torch.ones(5, 4, 2, 2))
    assert torch.isfinite(representation.standardised(torch.ones(1, 4, 2, 2))).all()


def test_losses_equal_their_closed_form() -> None:
    """softplus(-(real - fake)) of the critic, softplus(-(fake - real)) of the generator."""
    recipe = LatentGAN(**SMALL, lazy=4)
    m = with_logits(of_maps(recipe, SPEC, n=2), [1.0, 2.0, 0.5, 0.0])
    expected = torch.nn.functional.softplus(-torch.tensor([0.5, 2.0])).mean()
    assert torch.allclose(recipe.critic_loss(m)["relativistic"], expected)
    m = with_logits(of_maps(recipe, SPEC, n=2), [1.0, 2.0], [0.5, 0.0])
    expected = torch.nn.functional.softplus(torch.tensor([0.5, 2.0])).mean()
    assert torch.allclose(recipe.generator_loss(m)["relativistic"], expected)


def test_the_penalty_comes_every_fourth_step_and_weighs_four_times() -> None:
    recipe = LatentGAN(**SMALL, lazy=4, gamma=3.0)
    terms = [recipe.critic_loss(of_maps(recipe, SPEC, step=step)) for step in range(4)]
    assert ["penalty" in t for t in terms] == [False, False, False, True]
    watch = terms[3].watch
    assert torch.allclose(terms[3]["penalty"], 0.5 * 3.0 * 4 * (watch["r1"] + watch["r2"]))


def test_mirror_images_are_real_only_where_they_may_be() -> None:
    networks = built(LatentGAN(**SMALL), SPEC)
    image = torch.rand(2, 3, 32, 32) * 2 - 1
    both = LatentGAN(**SMALL).encode(networks, image)
    assert torch.equal(both[:, 1, : 4 * 8 * 8], networks["representation"].encode(image.flip(3)).flatten(1))
    assert torch.equal(both[:, 1], LatentGAN(**SMALL).encode(networks, image.flip(3))[:, 0])
    assert LatentGAN(**SMALL, flip=False).encode(networks, image).shape[1] == 1


def test_a_shift_repeats_the_edge_and_is_the_same_for_the_same_row() -> None:
    maps = torch.arange(25.0).reshape(1, 1, 5, 5).repeat(40, 1, 1, 1)
    moved = shifted(maps, Draw(1), 2, torch.arange(40))
    again = shifted(maps[:3], Draw(1), 2, torch.tensor([7, 0, 39]))
    assert torch.equal(again, moved[[7, 0, 39]])
    seen = set()
    for one in moved[:, 0]:
        down, right = divmod(int(one[2, 2]), 5)
        rows, columns = (torch.arange(5) + by - 2 for by in (down, right))
        wanted = maps[0, 0][rows.clamp(0, 4)][:, columns.clamp(0, 4)]
        assert torch.equal(one, wanted)
        seen.add((down, right))
    assert len(seen) > 12


QUICK = {**LatentGAN.presets["quick"], "batch": 4}


@pytest.mark.parametrize("factor", [4, 8])
@pytest.mark.parametrize(("channels", "classes"), [(3, ("a", "b")), (3, ()), (1, ("a", "b"))])
def test_a_quick_one_of_64_or_128_pixels_begins_with_the_trunks_of_the_package(factor, channels, classes) -> None:
    spec = Spec(channels, 16 * factor, 16 * factor, classes)
    networks = build_networks(LatentGAN(**QUICK), spec, 0)
    tensors, _ = store.load(bundled.path_of(f"latent-pair-{factor}"))
    for name in ("generator", "critic"):
        trunk = networks[name].trunk.state_dict()
        assert {f"{name}.trunk.{k}" for k in trunk} == {k for k in tensors if k.startswith(f"{name}.trunk")}
        assert all(torch.equal(v, tensors[f"{name}.trunk.{k}"]) for k, v in trunk.items())
    view = networks["codes"].view.state_dict()
    assert view["projection"].any() and all(torch.equal(v, tensors[f"codes.view.{k}"]) for k, v in view.items())
    by_chance = build_networks(LatentGAN(**QUICK, pretrained=False), spec, 0)
    assert not by_chance["codes"].view.projection.any()
    assert not torch.equal(by_chance["critic"].trunk.dense.weight, networks["critic"].trunk.dense.weight)


@pytest.mark.parametrize(
    ("fields", "spec"),
    [
        ({"widths": (64, 128, 256)}, Spec(3, 64, 64)),  # other widths
        ({}, Spec(3, 96, 96)),  # maps of 24 cells
        ({}, Spec(3, 192, 192)),
        ({}, Spec(4, 64, 64)),  # alpha has maps of its own
        ({}, Spec(2, 64, 64)),
        ({"factor": 8}, Spec(3, 64, 64)),  # maps of 8 cells
        ({}, Spec(4, 128, 128)),
        ({"latent": 32}, Spec(3, 64, 64)),
    ],
)
def test_others_begin_by_chance_and_refuse_to_do_otherwise(fields, spec) -> None:
    assert set(LatentGAN(**{**QUICK, **fields}).initial(spec)) == {"representation.autoencoder", "features"}
    with pytest.raises(
        BadInput, match=r"trunks of the package fit .* 64x64 or 128x128 px alone, without alpha \(--pretrained\)"
    ) as refused:
        LatentGAN(**{**QUICK, **fields}, pretrained=True).check(spec)
    assert refused.value.mend == "use `--preset quick --size 64` or 128, or leave `--pretrained` away"
    LatentGAN(**QUICK, pretrained=True).check(Spec(3, 64, 64))
    LatentGAN(**{**QUICK, **fields}, pretrained=False).check(spec)


def test_what_the_critic_looks_through_is_that_of_the_package_and_moved_by_no_phase() -> None:
    recipe = LatentGAN(**SMALL)
    m = of_maps(recipe, Spec(4, 32, 32, ("a", "b")))
    assert not any(p.requires_grad for p in m.networks["features"].parameters())
    (recipe.critic_loss(m)["relativistic"] + recipe.generator_loss(m)["relativistic"]).backward()
    assert all(p.grad is None for p in m.networks["features"].parameters())
    assert any(p.grad.abs().sum() > 0 for p in m.networks["generator"].parameters() if p.grad is not None)
    tensors, _ = store.load(bundled.path_of("map-features-4"))
    whole = build_networks(recipe, SPEC, 0)["features"].state_dict()
    assert all(torch.equal(v, tensors[f"features.{k}"]) for k, v in whole.items()) and len(tensors) == len(whole)


def test_with_the_trunks_of_the_package_the_first_pictures_are_varied_and_in_range() -> None:
    """Of classes that nobody trained: what they add is small beside what the trunk knows."""
    networks = build_networks(LatentGAN(**QUICK), Spec(3, 64, 64, ("a", "b", "c")), 0).eval()
    with torch.no_grad():
        label = torch.arange(12) % 3
        maps = networks["generator"](torch.randn(12, 16 + CODE, generator=torch.Generator().manual_seed(0)), label)
    assert 0.4 < maps.std() < 2.5 and maps.flatten(1).std(0).mean() > 0.3


@pytest.mark.parametrize(("progress", "share"), [(0.0, 0.0), (0.2, 0.4), (0.5, 1.0), (0.9, 1.0)])
def test_classes_come_in_by_and_by(progress: float, share: float) -> None:
    """Learned from the first step, ten hands that show digits became ten pictures."""
    recipe = LatentGAN(**SMALL, transition=0.5)
    m = of_maps(recipe, SPEC, progress=progress)
    assert "relativistic" in recipe.critic_loss(m) and "relativistic" in recipe.generator_loss(m)
    assert [float(m.networks[name].share) for name in ("generator", "critic")] == pytest.approx([share, share])
    at_once = of_maps(LatentGAN(**SMALL, transition=0), SPEC)
    LatentGAN(**SMALL, transition=0).critic_loss(at_once)
    assert float(at_once.networks["critic"].share) == 1.0


def test_a_generator_loses_where_pictures_of_a_class_are_one_and_not_where_they_are_as_varied_as_real_ones() -> None:
    recipe = LatentGAN(**SMALL)
    m = of_maps(recipe, SPEC, n=8)
    maps = m.batch["images"].image[:, 0, : 4 * 8 * 8].unflatten(1, (4, 8, 8))
    real = m.networks["representation"].standardised(maps)
    label = m.batch["images"].label

    class Drawing(torch.nn.Module):
        classes = 2
        trunk = m.networks["generator"].trunk

        def forward(self, z: torch.Tensor, *_: object) -> torch.Tensor:
            return self.maps

    drawing = Drawing()
    m.networks["generator"] = drawing
    drawing.maps = real
    assert recipe.generator_loss(m)["alike"] == 0
    drawing.maps = label[:, None, None, None].float() * 3 + torch.zeros_like(real)
    assert recipe.generator_loss(m)["alike"] > 1
    checks = (torch.arange(8)[:, None] + torch.arange(8)) % 2 * 2.0 - 1
    drawing.maps = drawing.maps + checks * torch.linspace(-1, 1, 8)[:, None, None, None]  # varied in single cells alone
    assert recipe.generator_loss(m)["alike"] > 1
    assert "alike" not in LatentGAN(**SMALL, variety=0.0).generator_loss(m)


@pytest.mark.parametrize("size", [(16, 128), (128, 24), (8, 96)])
def test_a_side_of_fewer_than_four_cells_is_refused(size) -> None:
    with pytest.raises(BadInput, match="too few"):
        LatentGAN().check(Spec(3, *size))
    LatentGAN().check(Spec(3, 32, 128))
    LatentGAN(factor=4).check(Spec(3, 16, 128))


def test_large_pictures_are_drawn_and_seen_a_few_at_a_time(monkeypatch) -> None:
    """A layer of 256 pictures of 256 pixels alone has 4 GB."""
    representation = build_networks(LatentGAN(**SMALL), Spec(3, 32, 32), 0)["representation"].eval()
    maps = torch.randn(10, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        whole = representation.decode(maps)
        again = representation.encode(whole)
        monkeypatch.setattr("zeuxis.nets.latent_maps._PIXELS", 4 * 32 * 32)
        counts: list[int] = []
        for part in (representation.autoencoder.encoder, representation.autoencoder.decoder):
            part.register_forward_pre_hook(lambda module, given: counts.append(len(given[0])))
        assert torch.allclose(representation.decode(maps), whole, atol=1e-5)
        assert torch.allclose(representation.encode(whole), again, atol=1e-5)
    assert counts == [4, 4, 2, 4, 4, 2]
    representation.decode(maps)
    assert counts[6:] == [10], "where gradients are wanted, all lie in memory anyway"


def test_sides_of_which_nothing_is_known_are_refused():
    with pytest.raises(BadInput, match="made for pictures of up to 256 pixels, and 2000x64 are far more"):
        LatentGAN().check(Spec(3, 2000, 64))
    LatentGAN().check(Spec(3, 512, 64))


def test_half_of_the_codes_are_those_of_the_pictures_beside_them_and_the_others_of_their_class() -> None:
    recipe = LatentGAN(**SMALL)
    m = of_maps(recipe, SPEC, n=64)
    encoded, label = m.batch["images"].image, m.batch["images"].label
    recipe.calibrate(m.networks, encoded, label, False)
    maps, given, own = recipe._real(m)
    codes = m.networks["codes"]
    of_all = codes(encoded[:, :, 4 * 8 * 8 :].flatten(0, 1)).unflatten(0, (64, 2))
    nearest = (given[:, None] - of_all).square().sum(2).amin(1)
    assert 20 < int(own.sum()) < 44 and nearest[own == 1].max() < 1e-6 < nearest[own == 0].median()
    assert maps.shape == (64, 4, 8, 8)


def test_a_result_like_its_picture_costs_nothing_and_only_where_the_code_was_its_own() -> None:
    recipe = LatentGAN(**SMALL, variety=0.0)
    m = of_maps(recipe, SPEC, n=16)
    recipe.calibrate(m.networks, m.batch["images"].image, m.batch["images"].label, False)
    real, _, own = recipe._real(m)

    class Drawing(torch.nn.Module):
        classes = 2
        trunk = m.networks["generator"].trunk

        def forward(self, *_: object) -> torch.Tensor:
            return self.maps

    drawing = Drawing()
    m.networks["generator"] = drawing
    drawing.maps = torch.where(own[:, None, None, None] > 0, real, 9.0)
    assert recipe.generator_loss(m)["likeness"] == 0
    drawing.maps = real.flip(0)
    found = recipe.generator_loss(m)["likeness"]
    assert found > 1
    weaker = LatentGAN(**SMALL, variety=0.0, likeness=1.0).generator_loss(m)["likeness"]
    assert torch.allclose(weaker * recipe.likeness, found)
    assert torch.allclose(recipe.generator_loss(replace(m, progress=1.0))["likeness"], found / 4)
    assert "likeness" not in LatentGAN(**SMALL, likeness=0.0).generator_loss(m)


def test_samples_of_a_class_come_from_the_codes_of_its_pictures() -> None:
    recipe = LatentGAN(**SMALL)
    m = of_maps(recipe, SPEC, n=6)
    recipe.calibrate(m.networks, m.batch["images"].image, m.batch["images"].label, False)
    latents = recipe.latents(5, Draw(0))
    assert latents.shape == (5, recipe.latent + DRAWS) and 0 <= latents[:, -DRAWS:].min() <= latents.max()
    label, networks = torch.zeros(5, dtype=torch.long), m.networks.eval()
    with torch.no_grad():
        first = recipe.decode(networks, latents, label)
        networks["codes"].table[1] = 7.0
        assert torch.equal(recipe.decode(networks, latents, label), first)
        assert not torch.equal(recipe.decode(networks, latents, label + 1), first)
