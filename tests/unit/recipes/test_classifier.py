import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from tests.unit.recipes.contexts import GREY, TEN, built, context, count
from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.losses.classification import cross_entropy
from zeuxis.recipes.classifier import Classifier, compose
from zeuxis.recipes.recipe import Batch, Embeds, Recognizes, StepContext, make


def flat(values: list[float], labels: list[int]) -> Batch:
    """One picture of one grey level per value."""
    return Batch(torch.tensor(values).reshape(-1, 1, 1, 1).expand(-1, 1, 8, 8), torch.tensor(labels))


REAL, MADE = flat([0.1, 0.2, 0.3, 0.4], [0, 1, 2, 0]), flat([0.8, 0.9], [2, 1])


def test_composition_by_hand():
    image, label, made = compose(REAL, MADE, progress=0.5, tail=0.1)
    assert torch.allclose(image[:, 0, 0, 0], torch.tensor([0.1, 0.2, 0.8, 0.9]))
    assert label.tolist() == [0, 1, 2, 1]
    assert made.tolist() == [False, False, True, True]


@pytest.mark.parametrize(("progress", "made"), [(0.0, True), (0.89, True), (0.9, False), (1.0, False)])
def test_the_tail_sees_real_pictures_alone(progress: float, made: bool):
    image, label, rows = compose(REAL, MADE, progress, tail=0.1)
    assert rows.any().item() is made
    assert (image[:, 0, 0, 0] > 0.5).any().item() is made
    if not made:
        assert torch.equal(image, REAL.image)
        assert torch.equal(label, torch.tensor([0, 1, 2, 0]))


def test_without_a_synthetic_stream_nothing_changes():
    image, label, made = compose(REAL, None, 0.0, 0.1)
    assert torch.equal(image, REAL.image)
    assert label.tolist() == [0, 1, 2, 0]
    assert not made.any()


def test_two_shards_hold_the_rows_of_the_whole():
    whole = compose(REAL, MADE, 0.0, 0.1)[0]

    def shard(batch: Batch, rank: int) -> Batch:
        assert batch.label is not None
        return replace(batch, image=batch.image[rank::2], label=batch.label[rank::2])

    for rank in (0, 1):
        assert torch.equal(compose(shard(REAL, rank), shard(MADE, rank), 0.0, 0.1)[0], whole[rank::2])


def test_feeds_name_the_synthetic_stream_only_where_it_is_used():
    assert {k: (f.stream, f.size) for k, f in Classifier().batch_specs().items()} == {"images": ("images", 64)}
    mixed = Classifier(share=0.25).batch_specs()
    assert (mixed["images"].size, mixed["synthetic"].stream, mixed["synthetic"].size) == (64, "synthetic", 16)
    assert Classifier(share=0.5, batch=10).slots() == 5


def test_count_at_28_px_against_arithmetic():
    # stem + block 24 to 48 + block 48 to 72 + last norm + dense over a 4x4 grid of 72
    small = 2 * 24 + 9 * 24 * 48 + 2 * 48 + 9 * 48 * 48 + 24 * 48
    large = 2 * 48 + 9 * 48 * 72 + 2 * 72 + 9 * 72 * 72 + 48 * 72
    assert count(built(Classifier(), TEN)["classifier"]) == 216 + small + large + 144 + 72 * 16 * 10 + 10 == 125_746


def test_cost_at_28_px_is_below_five_million_multiplications():
    maps: list[int] = []
    net = built(Classifier(), TEN)["classifier"]
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda m, _, out: maps.append(m.weight.numel() * out.shape[2] * out.shape[3]))
    net(torch.zeros(1, 1, 28, 28))
    assert sum(maps) < 5_000_000


def test_loss_is_the_smoothed_cross_entropy_of_the_composed_batch():
    recipe = Classifier(share=0.5, batch=4, synthetic_weight=0.5, width=8)
    spec = Spec(1, 8, 8, ("a", "b", "c"))
    networks = built(recipe, spec)
    nn.init.normal_(networks["classifier"].head.weight, std=0.1)
    m = StepContext(networks, {"images": REAL, "synthetic": MADE}, Draw(0), 0.2)
    image = torch.cat([REAL.image[:2], MADE.image])
    single = cross_entropy(networks["classifier"](image), torch.tensor([0, 1, 2, 1]), 0.1)
    terms = recipe.classifier_loss(m)
    expected = (single[0] + single[1] + 0.5 * single[2] + 0.5 * single[3]) / 3
    assert terms["cross_entropy"].item() == pytest.approx(expected.item(), rel=1e-5)
    tail = recipe.classifier_loss(replace(m, progress=0.95))["cross_entropy"].item()
    real = cross_entropy(networks["classifier"](REAL.image), torch.tensor([0, 1, 2, 0]), 0.1).mean()
    assert tail == pytest.approx(real.item(), rel=1e-5)


def test_first_loss_is_log_k():
    assert Classifier().classifier_loss(context(Classifier(), TEN))["cross_entropy"].item() == pytest.approx(
        math.log(10), rel=1e-5
    )


@pytest.mark.parametrize("settings", [{"policy": "light"}, {"policy": "strong"}, {"mix": "mixup"}, {"mix": "cutmix"}])
def test_policies_and_mixing_change_the_loss_and_follow_the_draw(settings: dict[str, str]):
    recipe = make(Classifier, **settings, width=8)
    m = context(recipe, TEN)
    nn.init.normal_(m.networks["classifier"].head.weight, std=0.1)
    one, again = (recipe.classifier_loss(m)["cross_entropy"] for _ in range(2))
    plain = Classifier(width=8).classifier_loss(m)["cross_entropy"]
    assert torch.equal(one, again)
    assert not torch.equal(one, plain)
    other = recipe.classifier_loss(replace(m, draw=Draw(4)))["cross_entropy"]
    assert not torch.equal(one, other)


def test_rate_rises_then_falls_to_zero():
    recipe = Classifier()
    rates = [recipe.rate(p / 100) for p in range(101)]
    assert 0 < rates[0] < 0.2 * recipe.lr
    assert max(rates) == rates[5] == pytest.approx(recipe.lr, rel=0.01)
    assert rates[5:] == sorted(rates[5:], reverse=True)
    assert rates[-1] == pytest.approx(0, abs=1e-9)
    assert Classifier(warm_up=0.0).rate(0.0) == recipe.lr
    optimizer = recipe.optimizers()["classifier"]
    assert (optimizer.algorithm, optimizer.weight_decay) == ("adamw", 0.1)


def test_score_reads_the_averaged_net():
    recipe, spec = Classifier(width=8), Spec(1, 8, 8, ("a", "b", "c"))
    networks, ema = built(recipe, spec), built(recipe, spec)
    ema["classifier"].head.bias.data = torch.tensor([0.0, 5.0, 0.0])
    m = StepContext(networks, {"images": REAL}, Draw(0), ema=ema)
    score = recipe.score(m)
    assert score["score"].item() == pytest.approx(1 / 3)
    logits = torch.tensor([0.0, 5.0, 0.0])
    expected = (-logits.log_softmax(0)[[0, 1, 2, 0]]).mean()
    assert score["loss"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_it_learns_one_batch():
    recipe = Classifier(width=8)
    m = context(recipe, TEN, n=10)
    optimizer = torch.optim.AdamW(m.networks.parameters(), lr=1e-2)
    first = recipe.classifier_loss(m).total().item()
    for _ in range(15):
        optimizer.zero_grad()
        recipe.classifier_loss(m).total().backward()
        optimizer.step()
    assert recipe.classifier_loss(m).total().item() < 0.7 * first


def test_capabilities_and_presets():
    for preset in (None, *Classifier.presets):
        recipe = make(Classifier, preset)
        assert isinstance(recipe, Recognizes)
        assert isinstance(recipe, Embeds)
        networks = built(recipe, Spec(3, 32, 28, ("a", "b")))
        image = torch.zeros(2, 3, 32, 28)
        assert recipe.logits(networks, image).shape == (2, 2)
        assert recipe.features(networks, image).shape == (2, 48 * recipe.width)


def test_labels_are_needed():
    with pytest.raises(BadInput, match="labelled"):
        Classifier().check(GREY)
    with pytest.raises(ValueError, match="label"):
        compose(Batch(torch.zeros(1, 1, 8, 8)), None, 0.0, 0.1)
