from dataclasses import replace

import pytest
import torch
from torch import nn

from tests.unit.recipes.contexts import COLOUR32, GREY, TEN, built, context, count, samples
from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.losses.penalties import gradient_penalty
from zeuxis.nets.progressive import double, halve
from zeuxis.recipes.progan import ProGAN
from zeuxis.recipes.recipe import Generates, Judges, Recipe, at, make

TINY = make(ProGAN, "tiny")


class Answers(nn.Module):
    """A critic that gives the first pixel as logit, and hand-made class logits for real and for fake."""

    def __init__(self, *classes: list[list[float]]) -> None:
        super().__init__()
        self.classes, self.calls = [torch.tensor(c) for c in classes], 0

    def forward(self, image: torch.Tensor, level: float | None = None) -> torch.Tensor:
        pixel = image[:, :1, 0, 0]
        self.calls += 1
        more = self.classes[self.calls - 1] if self.calls <= len(self.classes) else torch.zeros(len(image), 0)
        return torch.cat([pixel, more], 1)


def conv(a: int, b: int, kernel: int) -> int:
    return kernel * kernel * a * b + b


def test_shapes_and_counts_at_28_px():
    networks = built(ProGAN(base=256, most=128), GREY)
    generator, critic = networks["generator"], networks["critic"]
    assert generator.start == (128, 7, 7)
    blocks = conv(128, 64, 3) + conv(64, 64, 3) + conv(64, 32, 3) + conv(32, 32, 3)
    rgb = conv(128, 1, 1) + conv(64, 1, 1) + conv(32, 1, 1)
    assert count(generator) == (64 * 6272 + 6272) + conv(128, 128, 3) + blocks + rgb
    blocks = conv(32, 32, 3) + conv(32, 64, 3) + conv(64, 64, 3) + conv(64, 128, 3)
    rgb = conv(1, 32, 1) + conv(1, 64, 1) + conv(1, 128, 1)
    assert count(critic) == rgb + blocks + conv(129, 128, 3) + (6272 * 128 + 128) + (128 + 1)


def test_counts_of_published_at_32_px():
    recipe = make(ProGAN, "published")
    networks = built(recipe, COLOUR32)
    assert recipe.widths(3) == [512, 512, 512, 512]
    generator = (512 * 8192 + 8192) + 7 * conv(512, 512, 3) + 4 * conv(512, 3, 1)
    assert count(networks["generator"]) == generator
    critic = 4 * conv(3, 512, 1) + 6 * conv(512, 512, 3) + conv(513, 512, 3) + (8192 * 512 + 512) + (512 + 1)
    assert count(networks["critic"]) == critic


def test_labels_widen_the_latent_and_the_head():
    plain, labelled = built(TINY, GREY), built(TINY, TEN)
    assert count(labelled["generator"]) == count(plain["generator"]) + 10 * labelled["generator"].dense.bias.numel()
    assert labelled["critic"].head.weight.shape[0] == 11
    assert labelled["generator"].dense.scale == pytest.approx((2 / (32 + 10)) ** 0.5 / 4)


def test_growth_by_halves_counts_back_from_the_last_level():
    recipe = ProGAN()
    begins, ends = zip(*recipe.fades()[-2:], strict=True)
    assert begins == pytest.approx((0.225, 0.45))
    assert ends == pytest.approx((0.3, 0.6))
    levels = [recipe.level(p, 2) for p in (0.0, 0.2, 0.2625, 0.3, 0.4, 0.525, 0.6, 1.0)]
    assert levels == pytest.approx([0, 0, 0.5, 1, 1, 1.5, 2, 2])
    assert recipe.level(0.5, 0) == 0


def test_growth_of_published_has_equal_phases_of_600_kimg():
    recipe = make(ProGAN, "published")
    kimg = [tuple(round(12000 * x) for x in fade) for fade in recipe.fades()]
    assert kimg == [(600, 1200), (1800, 2400), (3000, 3600)]


def test_optimizers_forget_at_each_new_level():
    recipe = ProGAN()
    for optimizer in recipe.optimizers().values():
        assert optimizer.resets == tuple(begin for begin, _ in recipe.fades())
        assert (optimizer.beta1, optimizer.beta2, optimizer.eps) == (0.0, 0.99, 1e-8)
        assert at(optimizer.lr, 0.0) == recipe.lr
    published = make(ProGAN, "published").optimizers()["critic"]
    assert at(published.lr, 0.0) == at(published.lr, 0.9) == pytest.approx(1e-3)


@pytest.mark.parametrize("progress", [0.0, 0.2625, 0.3, 0.525, 0.8])
def test_reals_and_fakes_meet_at_the_level_of_the_progress(progress: float):
    m = context(TINY, GREY, progress=progress)
    level, real, fake, label = TINY._scene(m)
    side = {0.0: 7, 0.2625: 14, 0.3: 14, 0.525: 28, 0.8: 28}[progress]
    assert level == pytest.approx(TINY.level(progress, 2))
    assert real.shape == fake.shape == (6, 1, side, side)
    assert label is None
    image = m.batch["images"].image
    if progress == 0.2625:
        assert torch.allclose(real, 0.5 * halve(image) + 0.5 * double(halve(image, 2)), atol=1e-6)
    if progress == 0.8:
        assert torch.equal(real, image)


def test_wasserstein_terms_against_their_closed_form():
    m = context(TINY, GREY, progress=1.0)
    m.networks["critic"] = Answers()
    terms = TINY.critic_loss(m)
    real = m.batch["images"].image[:, 0, 0, 0]
    with torch.no_grad():
        fake = m.networks["generator"](TINY.latents(6, m.draw), None, 2.0)[:, 0, 0, 0]
    assert set(terms) == {"wasserstein", "penalty", "drift"}
    assert terms["wasserstein"].item() == pytest.approx((fake.mean() - real.mean()).item(), abs=1e-5)
    assert terms["drift"].item() == pytest.approx(1e-3 * real.square().mean().item(), rel=1e-5)
    # the gradient of the first pixel is one there and zero elsewhere: its norm is 1
    assert terms["penalty"].item() == pytest.approx(0, abs=1e-6)
    assert terms.watch["real"].item() == pytest.approx(real.mean().item(), abs=1e-6)
    assert terms.watch["fake"].item() == pytest.approx(fake.mean().item(), abs=1e-5)


def test_penalty_is_ten_times_the_pure_function():
    m = context(TINY, GREY, progress=1.0)
    critic = m.networks["critic"]
    with torch.no_grad():
        fake = m.networks["generator"](TINY.latents(6, m.draw), None, 2.0)
    pure = gradient_penalty(lambda x: critic(x, 2.0)[:, 0], m.batch["images"].image, fake, m.draw).mean()
    assert TINY.critic_loss(m)["penalty"].item() == pytest.approx(10 * pure.item(), rel=1e-4)


def test_class_terms_of_both_sides_by_hand():
    spec = replace(GREY, classes=("a", "b"))
    m = context(replace(TINY, class_weight=2.0), spec, n=2, progress=1.0)
    log3 = torch.tensor(3.0).log().item()
    m.networks["critic"] = Answers([[log3, 0.0], [log3, 0.0]], [[0.0, log3], [0.0, log3]])
    terms = replace(TINY, class_weight=2.0).critic_loss(m)
    # labels 0, 1: chances 3/4 and 1/4 on real, 1/4 and 3/4 on fake
    both = -(torch.tensor(0.75).log() + torch.tensor(0.25).log()).item() / 2
    assert terms["class_real"].item() == pytest.approx(2 * both, rel=1e-5)
    assert terms["class_fake"].item() == pytest.approx(2 * both, rel=1e-5)
    m.networks["critic"] = Answers([[log3, 0.0], [0.0, log3]])
    sure = replace(TINY, class_weight=2.0).generator_loss(m)["class"]
    assert sure.item() == pytest.approx(-2 * torch.tensor(0.75).log().item(), rel=1e-5)


def test_relativistic_terms():
    recipe = make(ProGAN, "tiny", loss="relativistic", gamma=4.0)
    m = context(recipe, GREY, progress=1.0)
    m.networks["critic"] = Answers()
    terms = recipe.critic_loss(m)
    real = m.batch["images"].image[:, 0, 0, 0]
    with torch.no_grad():
        fake = m.networks["generator"](recipe.latents(6, m.draw), None, 2.0)[:, 0, 0, 0]
    assert terms["relativistic"].item() == pytest.approx(nn.functional.softplus(fake - real).mean().item(), rel=1e-4)
    # squared gradient norm 1, times gamma / 2
    assert terms["r1"].item() == pytest.approx(2.0)
    assert terms["r2"].item() == pytest.approx(2.0)
    m.networks["critic"] = Answers()
    game = recipe.generator_loss(m)["relativistic"].item()
    assert game == pytest.approx(nn.functional.softplus(real - fake).mean().item(), rel=1e-4)


@pytest.mark.parametrize("loss", ["wgan-gp", "relativistic"])
@pytest.mark.parametrize("spec", [TEN, Spec(3, 8, 12), Spec(4, 32, 16)])
def test_every_parameter_gets_a_finite_gradient_within_one_cycle(loss: str, spec: Spec):
    recipe: Recipe = make(ProGAN, "tiny", loss=loss)
    m = context(recipe, spec, n=4)
    seen: dict[str, set[str]] = {"critic": set(), "generator": set()}
    for progress in (0.0, 0.2, 0.25, 0.5, 1.0):
        for phase in recipe.phases():
            for name, network in m.networks.items():
                network.requires_grad_(name == phase.optimizer)
            m.networks.zero_grad()
            phase.loss(replace(m, progress=progress)).total().backward()
            for key, parameter in m.networks[phase.optimizer].named_parameters():
                if parameter.grad is not None:
                    assert torch.isfinite(parameter.grad).all()
                    seen[phase.optimizer].add(key)
            assert all(p.grad is None for n, q in m.networks.items() if n != phase.optimizer for p in q.parameters())
    assert seen == {name: {k for k, _ in network.named_parameters()} for name, network in m.networks.items()}


@pytest.mark.parametrize("progress", [0.0, 0.5, 1.0])
def test_samples_are_always_of_full_size(progress: float):
    m = context(TINY, TEN, n=4, progress=progress)
    TINY.generator_loss(m)
    m.networks.eval()
    with torch.no_grad():
        image = TINY.decode(m.networks, TINY.latents(3, Draw(1)), torch.tensor([0, 1, 2]))
    assert image.shape == (3, 1, 28, 28)
    blocks = halve(image, 2)
    assert torch.allclose(double(blocks, 2), image, atol=1e-6) is (progress == 0.0)


@pytest.mark.parametrize("preset", [None, "tiny"])
def test_presets_sample_and_judge_alone(preset: str | None):
    recipe = make(ProGAN, preset)
    assert isinstance(recipe, Generates)
    assert isinstance(recipe, Judges)
    samples(recipe, TEN)
    m = context(recipe, TEN, n=4, progress=1.0)
    recipe.critic_loss(m)
    m.networks.eval()
    image = m.batch["images"].image
    with torch.no_grad():
        logits, alone = recipe.judge(m.networks, image, None), recipe.judge(m.networks, image[:1], None)
        features = recipe.features(m.networks, image)
    assert logits.shape == (4,)
    assert torch.allclose(logits[:1], alone, atol=1e-4)
    assert features.shape == (4, m.networks["critic"].head.weight.shape[1])


def test_a_step_of_two_strided_shards_equals_the_whole():
    whole = context(TINY, GREY, n=8, progress=1.0)
    parts = []
    for rank in (0, 1):
        batch = whole.batch["images"]
        draw = replace(whole.draw, rank=rank, world=2)
        shard = replace(whole, batch={"images": replace(batch, image=batch.image[rank::2])}, draw=draw)
        parts.append(TINY.critic_loss(shard))
    together = TINY.critic_loss(whole)
    for name, value in together.items():
        assert (parts[0][name] + parts[1][name]).item() / 2 == pytest.approx(value.item(), rel=1e-4, abs=1e-6)
