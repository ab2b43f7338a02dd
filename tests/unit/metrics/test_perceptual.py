"""LPIPS with a trunk of two taps that is done by hand; the published trunks are tested where their weights are."""

import pytest
import torch

from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.metrics.perceptual import lpips, lpips_each


def trunk(image: torch.Tensor) -> list[torch.Tensor]:
    return [image, torch.nn.functional.avg_pool2d(image, 2)[:, :2]]


HEADS = [torch.tensor([1.0, 2.0, 0.5]), torch.tensor([0.25, 4.0]).reshape(1, 2, 1, 1)]


def pictures(name: str, channels: int = 3) -> torch.Tensor:
    return Draw(5).at(name).uniform(2, channels, 32, 34, low=-1, high=1)


def by_definition(a: torch.Tensor, b: torch.Tensor) -> float:
    """Zhang et al. 2018, eq. 1, pixel by pixel, of one picture."""
    total = 0.0
    for x, y, head in zip(trunk(a[None]), trunk(b[None]), HEADS):
        rows = [m[0].flatten(1).T.double() for m in (x, y)]
        units = [r / (r.norm(dim=1, keepdim=True) + 1e-10) for r in rows]
        total += float(((units[0] - units[1]).square() * head.flatten().double()).sum(1).mean())
    return total


def test_the_definition():
    a, b = pictures("a"), pictures("b")
    found = lpips_each(a, b, trunk, HEADS)
    assert found.tolist() == pytest.approx([by_definition(x, y) for x, y in zip(a, b)], rel=1e-5)
    assert torch.equal(found, lpips_each(b, a, trunk, HEADS))


def test_zero_on_itself_whatever_the_brightness_of_the_features():
    a = pictures("a")
    assert lpips_each(a, a, trunk, HEADS).tolist() == [0, 0]
    assert lpips_each(a, a / 2, trunk, HEADS).tolist() == pytest.approx([0, 0], abs=1e-9)


def test_grey_is_three_equal_channels():
    a, b = pictures("a", 1), pictures("b", 1)
    assert torch.equal(
        lpips_each(a, b, trunk, HEADS), lpips_each(*(x.repeat(1, 3, 1, 1) for x in (a, b)), trunk, HEADS)
    )


def test_the_result_is_rounded_and_named_and_the_plain_one_has_a_gradient():
    a, b = pictures("a"), pictures("b")
    found = lpips(a, b, trunk, HEADS, "Alex", "abc")
    assert (found.n, found.features, found.weights_hash) == (2, "LPIPS 0.1 Alex, RGB, crop 0, 8-bit", "abc")
    assert float(lpips(b + 0.4 / 127.5 * (b.round() == 1), b, trunk, HEADS)) < 1e-3
    eights = [(x.clamp(-1, 1) * 127.5 + 127.5).round() / 127.5 - 1 for x in (a, b)]
    assert found.value == pytest.approx(float(lpips_each(*eights, trunk, HEADS).mean()))
    a.requires_grad_(True)
    lpips_each(a, b, trunk, HEADS).sum().backward()
    assert a.grad is not None and a.grad.isfinite().all() and a.grad.abs().sum() > 0


def test_bad_input_is_refused():
    a = pictures("a")
    for other in (a[..., :33], a[:, :2], a[0]):
        with pytest.raises(BadInput):
            lpips_each(other, a, trunk, HEADS)
    with pytest.raises(BadInput, match="32 pixels"):
        lpips_each(a[..., :31, :], a[..., :31, :], trunk, HEADS)
