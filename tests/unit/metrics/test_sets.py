"""Measures of generated pictures against real ones: at known sets, and what each cannot be without."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from zeuxis.draw import Stream, key_of
from zeuxis.metrics.linear_probe import fit_probe
from zeuxis.metrics.set_metric import Sets, catalog

CLASSES = 3
CENTRES = torch.eye(8)[:CLASSES] * 6


def cloud(name: str, n: int = 90, spread: float = 1.0) -> tuple[Tensor, Tensor]:
    """Three clouds of 8 numbers, classes in turn."""
    labels = torch.arange(n) % CLASSES
    return CENTRES[labels] + spread * Stream(key_of(name)).normal(n, 8), labels


def sets(fake: tuple[Tensor, Tensor], seen: bool = True) -> Sets:
    train, test = cloud("train"), cloud("test")
    return Sets(fake[0], train[0], test[0], (fake[1], train[1], test[1]), CLASSES, seen)


def test_the_order_of_rows_is_fixed():
    assert list(catalog()) == ["kid", "density", "coverage", "diversity", "within", "gan_test", "cas", "copied"]


def test_fresh_real_pictures_reach_what_real_pictures_reach():
    found = {name: metric.measure(sets(cloud("fresh"))) for name, metric in catalog().items()}
    assert found["kid"].value == pytest.approx(found["kid"].floor, abs=3)
    assert found["coverage"].value == pytest.approx(found["coverage"].floor, abs=0.1)
    assert found["density"].value == pytest.approx(found["density"].floor, abs=0.3)
    assert found["diversity"].value == pytest.approx(1, abs=0.1)
    assert found["within"].value == pytest.approx(1, abs=0.1) and found["within"].floor == pytest.approx(1, abs=0.1)
    assert found["within"].low < 1 < found["within"].high
    assert found["gan_test"].value > 0.95 and found["cas"].value > 0.95
    assert found["copied"].value < 0.1


def test_pictures_of_another_class_than_was_asked_for_teach_nothing():
    fake, labels = cloud("fresh")
    wrong = sets((fake, (labels + 1) % CLASSES))
    for name in ("gan_test", "cas"):
        metric = catalog()[name]
        assert metric.measure(wrong).value < 0.1 and metric.measure(wrong).floor > 0.95
        assert all(share < 0.1 for share in metric.by_class(wrong))


def test_sets_that_lie_class_by_class_are_compared_whole():
    """Two thirds of the generated pictures are noise; their class by class order must not hide it."""
    (train, labels), (test, _), (fresh, _) = cloud("train"), cloud("test", 30), cloud("fresh")
    by_class = labels.argsort(stable=True)
    fake = torch.where(torch.arange(90)[:, None] < 30, fresh[by_class], 40 * torch.ones(8))
    test = test[(torch.arange(30) % CLASSES).argsort(stable=True)]
    bad, good = (Sets(x, train[by_class], test) for x in (fake, fresh[by_class]))
    for name in ("density", "coverage"):
        measure = catalog()[name].measure
        assert measure(bad).value < 0.7 * measure(good).value
        assert measure(good).floor == pytest.approx(measure(good).value, abs=0.4)


def test_copies_are_counted_and_so_is_one_picture_drawn_again_and_again():
    train, labels = cloud("train")
    copied = catalog()["copied"].measure(sets((train + 1e-3, labels)))
    assert copied.value == 1.0 and copied.floor < 0.1
    same = sets((train[:CLASSES].repeat(30, 1) + 1e-6 * cloud("noise")[0], labels))
    assert catalog()["diversity"].measure(same).value < 0.95
    assert catalog()["coverage"].measure(same).value < 0.3


def test_one_picture_a_class_is_seen_within_the_classes():
    """Ten hands that showed ten digits, a hundred times the same ones, were 1.1 times as diverse as the real set."""
    labels = cloud("train")[1]
    same = sets((CENTRES[labels], labels))
    assert catalog()["diversity"].measure(same).value > 0.6
    assert catalog()["within"].measure(same).value < 0.01 and catalog()["within"].by_class(same) == [0.0] * CLASSES
    alone = sets((CENTRES, torch.arange(CLASSES)))
    assert catalog()["within"].by_class(alone) == [None] * CLASSES


def test_what_cannot_be_measured_is_left_out():
    train, test = cloud("train")[0], cloud("test")[0]
    plain = Sets(cloud("fresh")[0], train, test)
    assert [n for n, m in catalog().items() if m.possible(plain)] == ["kid", "density", "coverage", "diversity"]
    assert not catalog()["copied"].possible(sets(cloud("fresh"), seen=False))


def test_a_probe_has_one_answer_whatever_the_order_and_the_scale_of_its_features():
    features, labels = cloud("train", spread=3.0)
    order = Stream(key_of("order")).permutation(len(labels))
    scaled = features * torch.tensor([1e3, 1e-3, 1, 5, 1, 1, 1, 1]) + 7
    queries = cloud("test", spread=3.0)[0]
    first = fit_probe(features, labels, CLASSES)(queries)
    again = fit_probe(features[order], labels[order], CLASSES)(queries)
    moved = fit_probe(scaled, labels, CLASSES)(queries * torch.tensor([1e3, 1e-3, 1, 5, 1, 1, 1, 1]) + 7)
    assert (first == again).all() and (first == moved).all()


def test_a_probe_minimises_what_it_says():
    """The gradient of mean cross entropy + decay / 2 |W|^2 on standardised features is zero there."""
    from zeuxis.metrics.linear_probe import DECAY

    features, labels = cloud("train", spread=3.0)
    probe = fit_probe(features, labels, CLASSES)
    x = (features.double() - probe.mean) / probe.scale
    error = (x @ probe.weight + probe.bias).softmax(1) - torch.nn.functional.one_hot(labels, CLASSES)
    assert (x.T @ error / len(x) + DECAY * probe.weight).abs().max() < 1e-5
    assert error.mean(0).abs().max() < 1e-5


def test_plain_pictures_count_as_nobodys_copies():
    train, test = cloud("train"), cloud("test")
    fake = torch.cat([train[0][:30], cloud("fresh")[0]])
    plain = torch.arange(120) < 30
    seen = Sets(fake, train[0], test[0], seen=True)
    assert catalog()["copied"].measure(seen).value >= 0.25
    told = replace(seen, plain=(plain, torch.zeros(90, dtype=torch.bool)))
    assert catalog()["copied"].measure(told).value < 0.1 and catalog()["copied"].measure(told).n == 90
    all_plain = replace(seen, plain=(torch.ones(120, dtype=torch.bool), torch.zeros(90, dtype=torch.bool)))
    assert math.isnan(catalog()["copied"].measure(all_plain).value)
