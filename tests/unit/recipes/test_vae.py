import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from tests.unit.recipes.contexts import COLOUR32, GREY, TEN, built, context, count, samples
from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.recipes.recipe import Batch, Embeds, Generates, Reconstructs, StepContext, make
from zeuxis.recipes.vae import VAE


class Code(nn.Module):
    """An encoder with a fixed answer."""

    def __init__(self, mean: list[list[float]], log_variance: list[list[float]]) -> None:
        super().__init__()
        self.mean, self.log_variance = torch.tensor(mean), torch.tensor(log_variance)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.mean, self.log_variance


class Grey(nn.Module):
    """A decoder that always gives the picture 0."""

    def forward(self, code: torch.Tensor, label: torch.Tensor | None = None) -> torch.Tensor:
        return torch.zeros(len(code), 1, 2, 2)


def fixed(mean: list[list[float]], log_variance: list[list[float]]) -> StepContext:
    networks = nn.ModuleDict({"encoder": Code(mean, log_variance), "decoder": Grey()})
    image = torch.tensor([0.5, 0.1]).reshape(2, 1, 1, 1).expand(2, 1, 2, 2)
    return StepContext(networks, {"images": Batch(image)}, Draw(0), progress=1.0)


def test_counts_of_the_default_against_arithmetic():
    networks = built(VAE(), GREY)
    encoder = (16 * 32 + 32) + (16 * 32 * 64 + 64) + (16 * 64 * 128 + 128) + 2 * 224 + (1152 * 32 + 32)
    assert count(networks["encoder"]) == encoder
    decoder = (16 * 1152 + 1152) + 2 * 224 + (9 * 128 * 64 + 64) + (9 * 64 * 32 + 32) + (9 * 32 + 1)
    assert count(networks["decoder"]) == decoder


def test_layers_of_the_default():
    encoder = built(VAE(), GREY)["encoder"]
    convs = [m for m in encoder.modules() if isinstance(m, nn.Conv2d)]
    assert [(c.out_channels, c.kernel_size, c.stride) for c in convs] == [(w, (4, 4), (2, 2)) for w in (32, 64, 128)]
    assert {m.num_groups for m in encoder.modules() if isinstance(m, nn.GroupNorm)} == {8}


def test_counts_of_the_presets():
    classic = built(make(VAE, "classic"), GREY)
    assert count(classic) == (784 * 400 + 400) + 2 * (400 * 20 + 20) + (20 * 400 + 400) + (400 * 784 + 784)
    published = built(make(VAE, "published"), GREY)["encoder"]
    dense = 6272 * 1024 + 1024 + 2 * 1024 + 1024 * 128 + 128
    assert count(published) == (16 * 64 + 64) + (16 * 64 * 128 + 128) + 2 * 128 + dense


def test_a_decoder_with_labels_reads_sixteen_numbers_more():
    plain, labelled = built(VAE(), GREY), built(VAE(), TEN)
    assert count(labelled["decoder"]) == count(plain["decoder"]) + 16 * 1152 + 11 * 16
    assert count(labelled["encoder"]) == count(plain["encoder"])


def test_loss_against_its_closed_form():
    m = fixed([[2.0, 0.0], [0.0, 0.0]], [[0.0, math.log(4.0)], [0.0, 0.0]])
    terms = VAE(latent=2).vae_loss(m)
    mse, nats = (0.25 + 0.01) / 2, (2.0 + (3 - math.log(4)) / 2) / 2
    assert terms["reconstruction"].item() == pytest.approx(2 * (math.log(2 * math.pi * mse) + 1), rel=1e-5)
    assert terms["kl"].item() == pytest.approx(nats, rel=1e-5)
    assert terms.watch["kl"].item() == pytest.approx(nats, rel=1e-5)
    assert terms.watch["mse"].item() == pytest.approx(mse, rel=1e-5)
    assert terms.watch["elbo"].item() == pytest.approx(-terms.total().item(), rel=1e-5)
    assert terms.watch["active_units"].item() == 0.5


def test_beta_warm_up_and_free_bits():
    m = fixed([[2.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]])
    assert VAE(latent=2, beta=3.0).vae_loss(m)["kl"].item() == pytest.approx(3.0)
    assert VAE(latent=2, free_bits=0.25).vae_loss(m)["kl"].item() == pytest.approx(1.0 + 0.25)
    recipe = VAE(beta=2.0, warm_up=0.25)
    assert [recipe.kl_weight(p) for p in (0.0, 0.125, 0.25, 1.0)] == [0.0, 1.0, 2.0, 2.0]
    assert VAE(warm_up=0.0).kl_weight(0.0) == 1.0


def test_the_code_is_mean_plus_deviation_times_noise():
    m = fixed([[1.0, -1.0], [0.5, 0.0]], [[0.0, math.log(4.0)], [0.0, 0.0]])
    seen: list[torch.Tensor] = []
    m.networks["decoder"].register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    VAE(latent=2).vae_loss(m)
    noise = m.draw.at("noise").normal(2, 2)
    assert torch.allclose(seen[0], torch.tensor([[1.0, -1.0], [0.5, 0.0]]) + noise * torch.tensor([[1.0, 2], [1, 1]]))


def test_two_shards_see_the_error_of_the_whole_batch():
    recipe = VAE(latent=2)
    m = context(recipe, Spec(1, 8, 8), n=4)
    whole = recipe.vae_loss(m)["reconstruction"]
    image = m.batch["images"].image
    errors = []

    def remember(x: torch.Tensor) -> torch.Tensor:
        errors.append(x.mean(0, keepdim=True))
        return errors[-1]

    for rank in (0, 1):
        draw = replace(m.draw, rank=rank, world=2)
        recipe.vae_loss(replace(m, batch={"images": Batch(image[rank::2])}, draw=draw, mean=remember))
    mse = torch.stack([errors[0], errors[2]]).mean()
    assert whole.item() == pytest.approx(32 * (math.log(2 * math.pi * mse.item()) + 1), rel=1e-4)


@pytest.mark.parametrize("settings", [{}, {"likelihood": "gaussian"}, {"likelihood": "bernoulli"}])
@pytest.mark.parametrize("spec", [TEN, COLOUR32, Spec(4, 8, 13)])
def test_every_parameter_gets_a_finite_gradient(settings: dict[str, str], spec: Spec):
    recipe = make(VAE, **settings)
    m = context(recipe, spec, progress=0.5)
    recipe.vae_loss(m).total().backward()
    for parameter in m.networks.parameters():
        assert parameter.grad is not None
        assert torch.isfinite(parameter.grad).all()


@pytest.mark.parametrize("preset", [None, *VAE.presets])
def test_samples_and_reconstructions(preset: str | None):
    recipe = make(VAE, preset)
    assert isinstance(recipe, Generates)
    assert isinstance(recipe, Reconstructs)
    assert isinstance(recipe, Embeds)
    samples(recipe, TEN)
    networks = built(recipe, TEN).eval()
    image = torch.linspace(-1, 1, 2 * 784).reshape(2, 1, 28, 28)
    back = recipe.restore(networks, image)
    assert back.shape == image.shape
    assert torch.equal(back, recipe.decode(networks, networks["encoder"](image)[0], None))
    assert recipe.features(networks, image).shape == (2, recipe.latent)


def test_labels_matter_and_some_are_left_out():
    recipe = VAE(drop_label=1.0)
    m = context(recipe, TEN)
    given = recipe.vae_loss(m)["reconstruction"]
    bare = recipe.vae_loss(replace(m, batch={"images": Batch(m.batch["images"].image)}))["reconstruction"]
    assert torch.equal(given, bare)
    assert not torch.equal(VAE(drop_label=0.0).vae_loss(m)["reconstruction"], bare)


def test_score_reads_the_averaged_nets():
    recipe = VAE(latent=2)
    m = fixed([[2.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]])
    ema = fixed([[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]).networks
    found = recipe.score(replace(m, ema=ema))
    assert found["kl"].item() == 0
    assert found["score"].item() == pytest.approx(-found["reconstruction"].item())
    assert recipe.score(m)["kl"].item() == pytest.approx(1.0)


def test_it_learns_one_batch():
    recipe = VAE()
    m = context(recipe, Spec(1, 8, 8), n=4, progress=0.5)
    optimizer = torch.optim.Adam(m.networks.parameters(), lr=1e-3)
    first = recipe.vae_loss(m).total().item()
    for _ in range(20):
        optimizer.zero_grad()
        recipe.vae_loss(m).total().backward()
        optimizer.step()
    assert recipe.vae_loss(m).total().item() < first


def test_the_strided_body_wants_multiples_of_four():
    with pytest.raises(BadInput, match="multiples of 4"):
        make(VAE, "published").check(Spec(1, 30, 30))
    VAE().check(Spec(1, 29, 31))
