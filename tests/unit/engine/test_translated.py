"""Signs of a training that translates: each trouble, made on purpose, is seen, and what is well is not called one."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from tests.laws.helper import small
from zeuxis.engine.alarms import Signals, check_alarms
from zeuxis.engine.translated import signs, write_strip

torch.manual_seed(0)
A, B = (torch.nn.functional.interpolate(torch.rand(12, 3, 8, 8), size=(32, 32), mode="bicubic") * 2 - 1 for _ in "ab")


def board(image):
    rows = torch.arange(image.shape[2])[:, None] + torch.arange(image.shape[3])
    return image + 0.2 * (rows % 2 * 2 - 1)


TROUBLES = {
    "copying": lambda x: x + 0.01,
    "inverted": lambda x: -x,
    "pattern": lambda x: board(B.flip(0)[: len(x)]),
    "collapse": lambda x: B[:1].expand(len(x), -1, -1, -1) + 0.05 * x,
    "": lambda x: 0.7 * x + 0.5 * B[: len(x)],
}


def translating(made, believed=lambda given, answer: answer.mean((1, 2, 3))):
    return SimpleNamespace(
        directions=("ab",),
        paired=False,
        translate=lambda networks, image, direction, draw=None: made(image),
        judged=lambda networks, given, answer, direction: believed(given, answer),
    )


def alarms(figures):
    found = check_alarms(Signals(figures, {}, 1.0, 10_000, 12, 12), small("cut"))
    return {alarm.name: alarm for alarm in found}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_each_trouble_is_seen(trouble):
    found = alarms(signs(translating(TROUBLES[trouble]), {}, {"a": A, "b": B}, {}))
    assert set(found) == ({trouble} if trouble else set())
    if trouble:
        assert found[trouble].fact and found[trouble].advice.ways


def test_a_critic_that_knows_the_training_pictures_is_seen():
    known = B.mean((1, 2, 3))

    def believed(given, answer):
        return torch.isin(answer.mean((1, 2, 3)), known).float() + 0.01 * torch.randn(len(answer))

    held = {"a": A.flip(3), "b": torch.rand(12, 3, 32, 32)}
    assert "overfitting" in alarms(signs(translating(TROUBLES[""], believed), {}, {"a": A, "b": B}, held))


def test_pairs_that_are_dark_where_the_other_is_light_are_not_called_turned_over():
    recipe = translating(lambda x: -0.8 * x)
    recipe.paired = True
    assert signs(recipe, {}, {"a": A, "b": -A}, {})["inverted"] == pytest.approx(0, abs=1e-3)


def test_a_strip_has_a_row_for_what_is_given_and_made_and_for_partners(tmp_path):
    recipe = translating(lambda x: x[:, :1])
    recipe.paired = True
    write_strip(recipe, {}, {"a": A, "b": B}, tmp_path / "s.png")
    with Image.open(tmp_path / "s.png") as image:
        assert np.asarray(image).shape == (3 * 34 - 2, 8 * 34 - 2, 3)
