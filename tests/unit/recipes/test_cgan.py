import pytest
import torch

from tests.unit.recipes.contexts import COLOUR32, GREY, TEN, built, context, count, plays, samples, with_logits
from zeuxis.data.dataset import Spec
from zeuxis.errors import BadInput
from zeuxis.recipes.cgan import CGAN
from zeuxis.recipes.recipe import at, make

TEN32 = Spec(3, 32, 32, TEN.classes)


def test_counts_of_the_default():
    networks = built(CGAN(), GREY)
    generator = 64 * 512 + 2 * 512 + 512 * 3136 + 2 * 3136 + 16 * 64 * 32 + 2 * 32 + (16 * 32 + 1)
    assert count(networks["generator"]) == generator == 1_679_041
    critic = (16 * 32 + 32) + (16 * 32 * 64 + 64) + (3136 * 512 + 512) + (512 + 1)
    assert count(networks["critic"]) == critic == 1_640_033


def test_counts_with_ten_classes():
    networks = built(CGAN(), TEN)
    # a gain and a shift per class in place of one, on all batch norms but the 3136 wide one
    assert count(networks["generator"]) == 1_679_041 + (10 - 1) * 2 * (512 + 32)
    assert count(networks["critic"]) == 1_640_033 + 10 * 512


def test_counts_of_published_at_32_px():
    def conv(a: int, b: int, kernel: int) -> int:
        return kernel * kernel * a * b + b

    plain, labelled = (built(make(CGAN, "published"), spec) for spec in (COLOUR32, TEN32))
    up = 2 * conv(256, 256, 3) + conv(256, 256, 1)
    generator = (128 * 4096 + 4096) + 3 * up + 2 * 256 + conv(256, 3, 3)
    assert count(plain["generator"]) == generator + 3 * 2 * (2 * 256)
    assert count(labelled["generator"]) == generator + 3 * 2 * (2 * 10 * 256)
    first = conv(3, 128, 3) + conv(128, 128, 3) + conv(3, 128, 1)
    down, same = 2 * conv(128, 128, 3) + conv(128, 128, 1), 2 * conv(128, 128, 3)
    critic = first + down + 2 * same + 128
    assert count(plain["critic"]) == critic
    assert count(labelled["critic"]) == critic + 10 * 128


def test_first_weights():
    generator = built(CGAN(), TEN)["generator"]
    for layer in (generator.dense, generator.map, generator.up[0]):
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.03)
    assert torch.equal(generator.dense_norm.gain, torch.ones(10, 512))
    assert torch.equal(generator.up_norm[0].shift, torch.zeros(10, 32))
    block = built(make(CGAN, "published"), TEN32)["generator"].blocks[0]
    # Glorot: gain * sqrt(2 / (fan in + fan out))
    assert block.conv1.weight.std().item() == pytest.approx((2 * 2 / (2 * 9 * 256)) ** 0.5, rel=0.01)
    assert block.short.weight.std().item() == pytest.approx((2 / (2 * 256)) ** 0.5, rel=0.02)


def test_spectral_norm_on_every_layer_of_the_critic():
    critic = built(CGAN(), TEN)["critic"]
    names = {n.rpartition(".parametrizations")[0] for n, _ in critic.named_parameters() if "original" in n}
    assert names == {"down.0", "down.1", "dense", "head.linear", "head.embedding"}


def test_the_loss_at_hand_made_logits():
    recipe = CGAN(width=4)
    m = with_logits(context(recipe, TEN, n=2), [2.0, 0.5, -3.0, 0.0])
    terms = recipe.critic_loss(m)
    assert terms["hinge"].item() == pytest.approx((0 + 0.5 + 0 + 1) / 2)
    assert (terms.watch["real"].item(), terms.watch["fake"].item()) == (1.25, -1.5)
    assert recipe.generator_loss(with_logits(m, [4.0, -1.0]))["hinge"].item() == -1.5


def test_fakes_bear_the_labels_of_the_reals():
    seen = []
    recipe = CGAN(width=4, generator_batches=2)
    m = context(recipe, TEN, n=3)
    m.networks["generator"].register_forward_hook(lambda net, args, out: seen.append(args[1].tolist()))
    m.networks["critic"].register_forward_hook(lambda net, args, out: seen.append(args[1].tolist()))
    recipe.critic_loss(m)
    recipe.generator_loss(m)
    assert seen == [[0, 1, 2], [0, 1, 2, 0, 1, 2], [0, 1, 2, 0, 1, 2], [0, 1, 2, 0, 1, 2]]


def test_rates_over_progress():
    rate = CGAN().optimizers()["critic"].lr
    assert [at(rate, p) for p in (0.0, 0.5, 1.0)] == pytest.approx([1e-3, 6.25e-4, 2.5e-4])
    published = make(CGAN, "published")
    assert at(published.optimizers()["generator"].lr, 0.25) == pytest.approx(1.5e-4)
    assert [t.every for t in published.phases()] == [1, 5]


def test_three_steps_stay_finite():
    assert len(plays(CGAN(), TEN, steps=3)) == 6


@pytest.mark.parametrize("preset", [None, "published"])
@pytest.mark.parametrize("spec", [TEN, Spec(3, 8, 16), Spec(4, 64, 64, ("a", "b"))])
def test_presets_play_and_sample(preset, spec):
    recipe = make(CGAN, preset, width=8)
    plays(recipe, spec)
    samples(recipe, spec)


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(BadInput, match="multiples of 4"):
        CGAN().check(Spec(1, 30, 30))
    with pytest.raises(BadInput, match="too few"):
        CGAN().check(Spec(1, 4, 28))
