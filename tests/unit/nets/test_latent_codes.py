"""Codes of pictures: a whitened view, a table in which each class counts evenly, and draws between two pictures."""

import pytest
import torch
from torch import Tensor

from zeuxis.draw import Draw
from zeuxis.nets.latent_codes import CODE, DRAWS, Codes, View
from zeuxis.nets.map_features import MapFeatures

GROUPS = (64, 512, 96)


def pictures(n: int, seed: int = 0) -> Tensor:
    """Descriptions with few strong directions, many weak ones, and a mean far from 0."""
    made = torch.Generator().manual_seed(seed)
    x = torch.randn(n, sum(GROUPS), generator=made) * torch.logspace(1, -2, sum(GROUPS))
    return x @ torch.linalg.qr(torch.randn(sum(GROUPS), sum(GROUPS), generator=made)).Q + 5


def test_a_view_is_white_over_the_pictures_that_it_was_found_on() -> None:
    x, view = pictures(900), View(GROUPS)
    view.find(x)
    codes = view(x)
    assert torch.allclose(codes.mean(0), torch.zeros(CODE), atol=1e-3)
    assert torch.allclose(codes.T @ codes / len(codes), torch.eye(CODE), atol=1e-3)


def test_groups_count_at_their_weights_whatever_their_scale() -> None:
    one, other = View(GROUPS), View(GROUPS)
    x = pictures(300)
    louder = torch.cat([part * k for part, k in zip(x.split(GROUPS, 1), (100.0, 1.0, 0.01), strict=True)], 1)
    one.find(x)
    other.find(louder)
    assert torch.allclose(one(x), other(louder), atol=1e-3)


@pytest.mark.parametrize("n", [1, 2, 10])
def test_of_fewer_pictures_than_numbers_the_directions_that_say_nothing_are_0(n: int) -> None:
    x, view = pictures(n), View(GROUPS)
    view.find(x)
    codes = view(x)
    assert torch.isfinite(codes).all()
    assert int((view.projection.abs().sum(0) > 0).sum()) == n - 1
    assert codes.abs().max() <= n**0.5 + 1e-3


def test_the_view_is_found_once_and_one_that_came_with_weights_stays() -> None:
    codes = Codes(4, 1, 0)
    codes.calibrate(pictures(200), None)
    kept = codes.view.projection.clone()
    codes.calibrate(pictures(200, seed=1), None)
    assert torch.equal(codes.view.projection, kept)


def test_a_table_holds_the_codes_of_every_picture_of_a_class_once() -> None:
    x, target, codes = pictures(60), torch.arange(60) % 3, Codes(4, 1, 4)
    codes.calibrate(x, target)
    own = codes(x)
    assert codes.table.shape == (4, 1024, CODE) and codes.counts.tolist() == [20, 20, 20, 60]
    for k, n in enumerate(codes.counts.tolist()):
        wanted = own if k == 3 else own[target == k]  # a class without pictures has those of all
        assert torch.allclose(codes.table[k, :n].sort(0).values, wanted.sort(0).values, atol=1e-5)
        assert torch.allclose(codes.centre[k], wanted.mean(0), atol=1e-5) and not codes.table[k, n:].any()


def test_of_more_pictures_than_there_is_room_for_some_stand_for_all_by_chance() -> None:
    """An even stride would leave out all mirror images, which stand at every second place."""
    x, codes = pictures(1000), Codes(4, 1, 100)
    target = torch.arange(1000) // 500
    codes.calibrate(x, target)
    assert codes.table.shape == (100, 64, CODE) and codes.counts[:2].tolist() == [64, 64]
    which = torch.cdist(codes.table[0], codes(x[:500])).argmin(1)
    assert len(which.unique()) == 64 and 20 < int((which % 2).sum()) < 44


def test_a_table_is_filled_anew_and_less_of_it_where_there_are_fewer() -> None:
    codes = Codes(4, 1, 0)
    codes.calibrate(pictures(30), None)
    codes.calibrate(pictures(20, seed=1), None)
    assert codes.counts.tolist() == [20]
    assert torch.allclose(codes.centre[0], codes(pictures(20, seed=1)).mean(0), atol=1e-5)


def test_a_code_drawn_lies_between_two_pictures_of_its_class_nearer_the_first() -> None:
    x, target, codes = pictures(40), torch.arange(40) % 2, Codes(4, 1, 2)
    codes.calibrate(x, target)
    label = torch.tensor([0, 1, 1, 1])
    uniform = torch.tensor([[0.0, 0.7, 0.0], [0.3, 0.99, 0.0], [0.3, 0.6, 0.5], [0.999, 0.999, 0.999]])
    drawn = codes.drawn(uniform, label)
    for row, (of_class, one, other) in enumerate([(0, 0, 14), (1, 6, 5), (1, 6, 18), (1, 19, 18)]):
        share = 1 / 3 + float(uniform[row, 2]) / 6
        centre = codes.centre[of_class]
        table = codes.table[of_class] - centre
        wanted = centre + ((1 - share) * table[one] + share * table[other]) / ((1 - share) ** 2 + share**2) ** 0.5
        assert torch.allclose(drawn[row], wanted, atol=1e-5), (row, "never one with itself")


@pytest.mark.parametrize("n", [1, 2])
def test_of_one_or_two_pictures_of_a_class_codes_are_finite(n: int) -> None:
    codes = Codes(4, 1, 0)
    codes.view.find(pictures(50))
    codes.calibrate(pictures(n, seed=1), None)
    drawn = codes.drawn(Draw(0).at("codes").uniform(9, DRAWS), None)
    assert torch.isfinite(drawn).all()
    if n == 1:
        assert torch.allclose(drawn, codes(pictures(1, seed=1)).expand(9, -1), atol=1e-5)


def test_a_group_that_is_constant_says_nothing_and_is_not_blown_up() -> None:
    x, view = pictures(100), View(GROUPS * 2)
    flat = torch.cat([x, 0.3 + 1e-4 * pictures(100, seed=1)], 1)
    view.find(flat)
    assert not view.projection[sum(GROUPS) :].any() and view.projection[: sum(GROUPS)].any()
    assert torch.allclose(view(flat), view(torch.cat([x, x], 1)))


def test_codes_drawn_vary_as_those_of_the_pictures_of_a_class_and_lie_where_they_do() -> None:
    x, codes = pictures(400), Codes(4, 1, 2)
    codes.calibrate(x, (x[:, 0] > 5).long())
    label = torch.arange(20_000) % 2
    drawn = codes.drawn(Draw(0).at("codes").uniform(20_000, DRAWS), label)
    for k in (0, 1):
        ours, theirs = drawn[label == k], codes.table[k, : codes.counts[k]]
        assert torch.allclose(ours.mean(0), theirs.mean(0), atol=0.06)
        assert ours.var(0).sum() == pytest.approx(float(theirs.var(0).sum()), rel=0.03)


def test_a_description_tells_layout_contents_and_surfaces_of_each_map() -> None:
    features = MapFeatures(4)
    maps = torch.randn(3, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        one, both = Codes.described(features, (maps,)), Codes.described(features, (maps, -maps))
        fine, middle, coarse = features(maps)
    assert one.shape == (3, Codes(4, 1, 0).numbers) and both.shape == (3, Codes(4, 2, 0).numbers)
    assert torch.equal(both[:, : one.shape[1]], one)
    layout, whole, surfaces = one.split(GROUPS, 1)
    assert torch.allclose(layout.unflatten(1, (4, 4, 4))[:, 2, 1, 3], maps[:, 2, 4:8, 12:].mean((1, 2)), atol=1e-6)
    assert torch.allclose(whole.unflatten(1, (128, 2, 2))[:, 5, 1, 0], coarse[:, 5, 2:, :2].mean((1, 2)), atol=1e-6)
    assert torch.allclose(surfaces, torch.cat([fine.mean((2, 3)), middle.mean((2, 3))], 1))
