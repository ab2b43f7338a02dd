import pytest
import torch
from torch import nn

from zeuxis.draw import Draw
from zeuxis.losses.penalties import drift, gradient, gradient_penalty, gradient_square, squared_norm

SHAPE = (5, 2, 3, 4)


def image(seed: int = 0) -> torch.Tensor:
    return Draw(seed).at("image").normal(SHAPE[0], *SHAPE[1:])


def quadratic(x: torch.Tensor) -> torch.Tensor:
    return 0.5 * squared_norm(x)


def test_gradient_square_of_a_linear_critic_is_its_weight_squared():
    weight = image(1)[0]
    found = gradient_square(lambda x: (x * weight).flatten(1).sum(1), image())
    assert torch.allclose(found, weight.square().sum().expand(5))


def test_gradient_square_of_a_quadratic_critic_is_the_squared_norm():
    assert torch.allclose(gradient_square(quadratic, image()), squared_norm(image()))


def test_real_and_fake_from_one_pass_equal_two_passes():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(2, 4, 3), nn.Softplus(), nn.Flatten(), nn.Linear(8, 1))
    apart = torch.cat([gradient_square(net, image(k))[:, None] for k in (0, 1)])
    x = torch.cat([image(0), image(1)]).requires_grad_()
    assert torch.allclose(squared_norm(gradient(net(x)[:, 0], x))[:, None], apart, atol=1e-6)


def test_gradient_square_can_be_minimised():
    scale = torch.tensor(3.0, requires_grad=True)
    gradient_square(lambda x: scale * quadratic(x), image()).mean().backward()
    assert torch.allclose(scale.grad, 2 * 3.0 * squared_norm(image()).mean())


def test_gradient_square_passes_gradcheck():
    weight = image(1)[0].double().requires_grad_()
    x = image()[:2].double()

    def penalty(w: torch.Tensor) -> torch.Tensor:
        return gradient_square(lambda y: torch.tanh((y * w).flatten(1).sum(1)), x)

    assert torch.autograd.gradcheck(penalty, (weight,))


@pytest.mark.parametrize("norm", [0.0, 1.0, 2.5])
def test_gradient_penalty_of_a_linear_critic_is_its_slope_less_one_squared(norm):
    weight = torch.zeros(SHAPE[1:])
    weight[0, 0, 0] = norm
    found = gradient_penalty(lambda x: (x * weight).flatten(1).sum(1), image(0), image(1), Draw(0))
    assert torch.allclose(found, torch.full((5,), (norm - 1) ** 2), atol=1e-5)


def test_gradient_penalty_is_taken_between_real_and_fake():
    draw, real, fake = Draw(7), image(0), image(1)
    u = draw.at("penalty").uniform(5).reshape(5, 1, 1, 1)
    between = u * real + (1 - u) * fake
    known = (squared_norm(between).sqrt() - 1).square()
    assert torch.allclose(gradient_penalty(quadratic, real, fake, draw), known, atol=1e-4)


def test_gradient_penalty_is_finite_where_the_critic_is_flat():
    scale = torch.tensor(0.0, requires_grad=True)
    gradient_penalty(lambda x: scale * x.flatten(1).sum(1), image(0), image(1), Draw(0)).mean().backward()
    assert torch.isfinite(scale.grad)


def test_drift_is_the_square():
    assert torch.equal(drift(torch.tensor([-2.0, 0.0, 3.0])), torch.tensor([4.0, 0.0, 9.0]))
