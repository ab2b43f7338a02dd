"""Law 9: every public loss has the gradient that finite differences see, and stays finite at the extremes.

Losses are found by themselves; their closed forms are in the unit tests.
"""

import importlib
import inspect
import math
import pkgutil

import pytest
import torch

import zeuxis.losses
from zeuxis.draw import Draw, Stream, key_of

FIGURES = {"accuracy", "recalls", "balanced_accuracy", "active_units"}
"""What is read off, not minimised: steps, without a gradient."""


def _public():
    for module in pkgutil.iter_modules(zeuxis.losses.__path__):
        found = importlib.import_module(f"zeuxis.losses.{module.name}")
        for name, function in vars(found).items():
            if inspect.isfunction(function) and not name.startswith("_") and function.__module__ == found.__name__:
                yield name, function


LOSSES = dict(_public())
MINIMISED = sorted(set(LOSSES) - FIGURES)
SHAPES = {
    "real": (4,),
    "fake": (4,),
    "logits": (4, 3),
    "values": (4,),
    "weight": (4,),
    "mean": (4, 5),
    "log_variance": (4, 5),
    "kl": (4, 5),
    "raw": (3, 1, 3, 4),
    "image": (3, 1, 3, 4),
    "x": (4, 2, 3),
    "answer": (3, 1, 3, 4),
    "truth": (3, 1, 3, 4),
    "query": (2, 4, 3),
}
POSITIVE = {"weight", "kl"}
REST = {"least": 0.1, "share": 0.3, "classes": 3}
REST["key"] = Stream(key_of("law loss", "key")).normal(2, 4, 3).double()  # no gradient goes there


def normal(name, shape, dtype=torch.float64):
    x = Stream(key_of("law loss", name)).normal(*shape).to(dtype)
    return x.abs() + 0.5 if name in POSITIVE else x


def critic(x):
    """A smooth critic with a curvature: logits [B]."""
    flat = x.flatten(1)
    return torch.tanh(flat @ torch.linspace(-1, 1, flat.shape[1], dtype=x.dtype)) + 0.1 * flat.square().sum(1)


def penalty_of_logits(gradient):
    def penalty(image):
        return gradient(critic(image), image)

    return penalty


def case(name):
    """(a function of tensors alone, the tensors by name in float64)."""
    loss = LOSSES[name]
    if name == "gradient":
        return penalty_of_logits(loss), {"image": normal("image", (3, 1, 2, 2))}
    if name == "gradient_square":
        return lambda scale: scale * loss(lambda x: critic(scale * x), normal("image", (3, 1, 2, 2))), {
            "real": normal("real", (1,))
        }
    if name == "gradient_penalty":
        real, fake = normal("image", (3, 1, 2, 2)), normal("other", (3, 1, 2, 2))
        return lambda scale: loss(lambda x: critic(scale * x), real, fake, Draw(0)), {"real": normal("real", (1,))}
    tensors, rest = {}, {}
    for parameter in inspect.signature(loss).parameters.values():
        if parameter.name == "target":
            rest["target"] = torch.tensor([0, 2, 1, 2])
        elif parameter.name == "mean" and parameter.annotation is not torch.Tensor:
            rest["mean"] = lambda x: x.mean(0, keepdim=True)
        elif parameter.name in SHAPES:
            tensors[parameter.name] = normal(parameter.name, SHAPES[parameter.name])
        elif parameter.name in REST:
            rest[parameter.name] = REST[parameter.name]
        elif parameter.default is inspect.Parameter.empty:
            pytest.fail(f"no law input for `{parameter.name}` of {name}: give its shape in SHAPES")
    if "image" in tensors:
        tensors["image"] = tensors["image"].tanh()
    names = list(tensors)

    def minimised(*values):
        beside = {k: v.to(values[0].dtype) if k == "key" else v for k, v in rest.items()}
        return loss(**dict(zip(names, values, strict=True)), **beside)

    return minimised, tensors


@pytest.mark.parametrize("name", MINIMISED)
def test_gradcheck(name):
    function, tensors = case(name)
    assert torch.autograd.gradcheck(function, tuple(t.requires_grad_() for t in tensors.values()))


EXTREMES = {
    "real": 1e4,
    "fake": 1e4,
    "logits": 1e4,
    "raw": 1e4,
    "values": 1e4,
    "mean": 100.0,
    "log_variance": 60.0,
    "kl": 1e4,
    "weight": 1e4,
    "query": 1e2,
    "x": 1e4,
    "image": 1.0,
    "answer": 1e4,
    "truth": 1.0,
}


@pytest.mark.parametrize("sign", [(1, 1), (1, -1), (-1, 1), (-1, -1), (0, 0)], ids=str)
@pytest.mark.parametrize("name", MINIMISED)
def test_finite_at_the_extremes(name, sign):
    """Constant inputs of either sign, equal on both sides, and zero: values and gradients are finite in float32."""
    function, tensors = case(name)
    if name in ("gradient", "gradient_square", "gradient_penalty"):
        edge = {k: torch.full_like(v, 100.0 * sign[0]) for k, v in tensors.items()}
    else:
        edge = {
            k: torch.full_like(v, EXTREMES[k] * sign[i % 2]).to(torch.float32)
            for i, (k, v) in enumerate(tensors.items())
        }
        edge = {k: v.abs() + 1e-3 if k in POSITIVE else v for k, v in edge.items()}
    values = [v.requires_grad_() for v in edge.values()]
    loss = function(*values)
    assert bool(torch.isfinite(loss).all())
    for gradient in torch.autograd.grad(loss.sum(), values, allow_unused=True):
        assert gradient is None or bool(torch.isfinite(gradient).all())


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_figures_are_shares(name):
    mean, logits, label = normal("mean", (6, 4)), normal("logits", (6, 4)), torch.arange(6) % 4
    found = LOSSES[name](mean) if name == "active_units" else LOSSES[name](logits, label)
    assert bool(((found >= 0) & (found <= 1)).all())


def test_known_points_of_the_game():
    """Where a critic cannot tell the sides apart, logistic losses are log 2 a side."""
    zero = torch.zeros(1)
    at_equality = {
        "non_saturating_critic": 2 * math.log(2),
        "relativistic_critic": math.log(2),
        "hinge_critic": 2.0,
        "wasserstein_critic": 0.0,
        "least_squares_critic": 0.5,
    }
    for name, value in at_equality.items():
        assert float(LOSSES[name](zero, zero)) == pytest.approx(value)
