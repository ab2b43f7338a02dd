"""Likeness of samples and pictures: zero on equal sets, and fog, noise, blur and collapse each show in their figure."""

import pytest
import torch

from zeuxis.draw import Draw
from zeuxis.metrics.likeness import Space, apart, features, likeness, sharpness
from zeuxis.pages.outcome import of_samples


def shapes(n: int, name: str, channels: int = 1) -> torch.Tensor:
    """Discs of random place, size and brightness: pictures of one kind, [n, C, 24, 24] in [-1, 1]."""
    x, y, size, light = Draw(0).at(name).uniform(n, 4)[..., None, None].unbind(1)
    rows = torch.linspace(0, 1, 24)
    inside = (rows[:, None] - 0.3 - 0.4 * y) ** 2 + (rows[None] - 0.3 - 0.4 * x) ** 2 < (0.1 + 0.2 * size) ** 2
    return (inside * (0.4 + 0.6 * light) * 2 - 1)[:, None].expand(-1, channels, -1, -1).contiguous()


REAL, HELD, FRESH = shapes(200, "train"), shapes(120, "held"), shapes(200, "fresh")


def test_fresh_real_pictures_are_as_good_as_real_ones():
    found = likeness(FRESH, REAL, HELD)
    assert found.distance == pytest.approx(found.distance_real, abs=0.01) and abs(found.distance) < 0.01
    assert found.coverage > 0.9 * found.coverage_real and found.recall > 0.8 * found.recall_real
    assert found.diversity == pytest.approx(1, abs=0.1) and found.sharpness == pytest.approx(1, abs=0.1)
    assert (found.n, found.held) == (200, 120)


def test_order_does_not_count():
    turned = likeness(FRESH.flip(0), REAL, HELD)
    assert turned.distance == pytest.approx(likeness(FRESH, REAL, HELD).distance, abs=1e-9)


def test_each_fault_shows_in_its_figure():
    grey = likeness(torch.zeros_like(FRESH), REAL, HELD)
    assert grey.diversity == grey.sharpness == grey.coverage == 0 and grey.distance > 0.3
    noise = likeness(Draw(0).at("noise").uniform(200, 1, 24, 24) * 2 - 1, REAL, HELD)
    assert noise.sharpness > 2 and noise.distance > 0.3 and noise.coverage < 0.05
    soft = torch.nn.functional.avg_pool2d(FRESH, 5, 1, 2, count_include_pad=False)
    blurred = likeness(soft, REAL, HELD)
    assert blurred.sharpness < 0.6 and blurred.diversity > 0.5 and blurred.distance > 0.01
    few = likeness(FRESH[torch.arange(200) % 5], REAL, HELD)
    assert few.coverage < 0.5 * few.coverage_real and few.recall < 0.2 and few.diversity > 0.5


def test_a_class_that_repeats_one_picture_is_seen_though_all_together_vary():
    labels = torch.arange(200) % 4
    found = likeness(FRESH[labels], REAL, HELD, (labels, labels))
    assert found.diversity < 1e-6 < likeness(FRESH[labels], REAL, HELD).diversity


def test_apart_has_known_values():
    one, other = torch.zeros(3, 2), torch.ones(3, 2)
    assert apart(one, other) == 1.0 and apart(one, one) == 0.0
    # two points a side: between (1 + 1) / 2 = 1, within 2 and 0
    assert apart(torch.tensor([[-1.0], [1.0]]), torch.zeros(2, 1)) == pytest.approx(1 - 0.5 * (2 + 0) / 1)


@pytest.mark.parametrize("shape", [(4, 1, 8, 8), (4, 3, 9, 17), (4, 4, 5, 5)])
def test_small_and_odd_pictures_have_features(shape):
    pictures = Draw(0).at("odd").uniform(*shape) * 2 - 1
    layout, texture = features(pictures)
    assert len(layout) == len(texture) == 4 and torch.isfinite(Space.of(pictures)(pictures)).all()
    assert sharpness(torch.zeros(shape)) == 0.0
    found = likeness(pictures, pictures[:2], pictures[2:])
    assert all(value == value for value in found.to_json().values())


def test_what_real_pictures_do_not_have_is_not_measured():
    """Of flat pictures "1.00 times as varied and 1.00 times as sharp" was said."""
    flat, noise = torch.zeros(6, 3, 16, 16), Draw(0).at("n").uniform(6, 3, 16, 16, low=-1.0)
    record = likeness(noise, flat, flat).to_json()
    assert record["diversity"] is None and record["sharpness"] is None
    found = of_samples(record)
    assert found.grade == "not judged" and "the real pictures are all alike, or without any detail" in found.sentence
