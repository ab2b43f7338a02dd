import pytest
import torch
from torch import nn

from tests.unit.engine.fakes import Plain
from zeuxis.engine.optim import ALGORITHMS, ScheduledOptimizer
from zeuxis.recipes.recipe import Optimizer


def networks(layout=torch.contiguous_format):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.ModuleDict({"net": nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 2, 3))}).to(memory_format=layout)


def steps(optimizer, net, first, count):
    for k in range(first, first + count):
        net.zero_grad()
        x = torch.linspace(-1, 1, 2 * 3 * 6 * 6).reshape(2, 3, 6, 6) * (k + 1)
        net["net"](x).square().mean().backward()
        optimizer.set_rates(k / 10)
        optimizer.clip()
        optimizer.torch.step()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=["rows", "channels_last"])
@pytest.mark.parametrize("fused", [False, True], ids=["plain", "fused"])
@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_state_round_trip(algorithm, fused, layout):
    """Saved as contiguous tensors, loaded into any layout, the next steps are bit-equal."""
    words = Optimizer(("net",), algorithm, lr=lambda p: 0.1 * (1 - p), clip=1.0)
    straight = networks(layout)
    optimizer = ScheduledOptimizer(words, straight, fused)
    steps(optimizer, straight, 0, 3)
    saved = {k: v.detach().contiguous().clone() for k, v in optimizer.state().items()}
    weights = {k: v.clone() for k, v in straight.state_dict().items()}
    steps(optimizer, straight, 3, 2)

    again = networks(layout)
    again.load_state_dict(weights)
    resumed = ScheduledOptimizer(words, again, fused)
    resumed.load(saved)
    steps(resumed, again, 3, 2)
    assert saved and resumed.state().keys() == optimizer.state().keys()
    assert all(torch.equal(a, b) for a, b in zip(straight.parameters(), again.parameters(), strict=True))
    assert all(torch.equal(v, optimizer.state()[k]) for k, v in resumed.state().items())


def test_sgd_without_momentum_is_plain_descent():
    net = networks()
    optimizer = ScheduledOptimizer(Optimizer(("net",), "sgd", lr=0.5, momentum=0.0), net, False)
    before = [p.detach().clone() for p in net.parameters()]
    steps(optimizer, net, 0, 1)
    moved = zip(net.parameters(), before, strict=True)
    assert all(torch.equal(p.detach(), b - 0.5 * p.grad) for p, b in moved)


def test_rates_follow_progress():
    optimizer = ScheduledOptimizer(
        Optimizer(("net",), lr=lambda p: 1 - p, beta1=0, beta2=lambda p: 0.9 + 0.09 * p), networks(), False
    )
    optimizer.set_rates(0.5, factor=0.5)
    group = optimizer.torch.param_groups[0]
    assert group["lr"] == 0.25 and group["betas"] == pytest.approx((0.0, 0.945))
    assert all(isinstance(beta, float) for beta in group["betas"])


def test_clip_bounds_the_norm_of_the_whole_gradient():
    net = networks()
    optimizer = ScheduledOptimizer(Optimizer(("net",), clip=0.5), net, False)
    for p in net.parameters():
        p.grad = torch.ones_like(p)
    optimizer.clip()
    assert float(torch.cat([p.grad.flatten() for p in net.parameters()]).norm()) == pytest.approx(0.5, rel=1e-4)


@pytest.mark.parametrize("every", [1, 3])
def test_resets_forget_the_moments_also_between_turns(every):
    from tests.unit.engine.fakes import state, streams
    from zeuxis.engine.batches import batch_samplers
    from zeuxis.engine.parallel import Ranks
    from zeuxis.engine.phases import play

    recipe = Plain(resets=(0.35,), every=every)
    one = state(recipe, steps=10)
    samplers = batch_samplers(recipe.batch_specs(), streams(), 0, "cpu", False)
    counts = []
    for _ in range(10):
        play(one, samplers, Ranks())
        counts.append(float(one.optimizers["net"].state().get("0/step", torch.zeros(()))))
    assert counts == ([1, 2, 3, 4, 1, 2, 3, 4, 5, 6] if every == 1 else [0, 0, 1, 1, 0, 1, 1, 1, 2, 2])
