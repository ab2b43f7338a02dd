"""Moments made by hand for recipes of games, and what their tests share."""

import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.nets.randomness import bind
from zeuxis.recipes.recipe import Batch, Recipe, StepContext, Terms

TEN = Spec(1, 28, 28, tuple("abcdefghij"))
GREY = Spec(1, 28, 28)
COLOUR32 = Spec(3, 32, 32)


def built(recipe: Recipe, spec: Spec) -> nn.ModuleDict:
    recipe.check(spec)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return recipe.networks(spec)


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def context(recipe: Recipe, spec: Spec, n: int = 6, step: int = 0, progress: float = 0.0) -> StepContext:
    """Players in train mode, n pictures of noise, and labels where the spec has classes."""
    networks, draw = built(recipe, spec), Draw(3, step=step, phase="test")
    image = draw.at("image").uniform(n, spec.channels, spec.height, spec.width, low=-1.0)
    label = torch.arange(n) % spec.condition if spec.condition else None
    bind(networks, draw)
    return StepContext(networks, {"images": Batch(image, label)}, draw, progress, step)


class Fixed(nn.Module):
    """A critic that gives hand-made logits: the first `real` pictures get the first value, and so on."""

    def __init__(self, *logits: Tensor) -> None:
        super().__init__()
        self.logits, self.calls = logits, 0

    def forward(self, image: Tensor | list[Tensor], label: Tensor | None = None, *_: object) -> Tensor:
        self.calls += 1
        logits = self.logits[(self.calls - 1) % len(self.logits)]
        assert len(logits) == len(image[0] if isinstance(image, list) else image)
        assert label is None or len(label) == len(logits)
        return logits


def with_logits(m: StepContext, *logits: list[float]) -> StepContext:
    """The same context, its critic replaced by one that answers its calls with these logits in turn."""
    m.networks["critic"] = Fixed(*map(torch.tensor, logits))
    return m


def plays(recipe: Recipe, spec: Spec, steps: int = 1) -> list[Terms]:
    """Every phase of the recipe, `steps` times, with plain gradient descent; asserts finite terms and gradients."""
    m, found = context(recipe, spec), []
    for _ in range(steps):
        for phase in recipe.phases():
            learner = m.networks[phase.optimizer]
            for name, network in m.networks.items():
                network.requires_grad_(name == phase.optimizer)
            terms = phase.loss(m)
            terms.total().backward()
            for parameter in learner.parameters():
                assert parameter.grad is not None
                assert torch.isfinite(parameter.grad).all()
                parameter.data -= 1e-3 * parameter.grad
                parameter.grad = None
            assert all(p.grad is None for p in m.networks.parameters())
            assert torch.isfinite(terms.total())
            found.append(terms)
    return found


def samples(recipe: Recipe, spec: Spec, n: int = 3) -> Tensor:
    """Pictures as a job draws them: eval mode, no gradient."""
    networks = built(recipe, spec).eval()
    label = torch.arange(n) % spec.condition if spec.condition else None
    with torch.no_grad():
        image = recipe.decode(networks, recipe.latents(n, Draw(0)), label)
        alone = recipe.decode(networks, recipe.latents(1, Draw(0)), None if label is None else label[:1])
    assert image.shape == (n, spec.channels, spec.height, spec.width)
    assert image.dtype == torch.float32
    assert image.abs().max() <= 1
    assert torch.allclose(image[:1], alone, atol=1e-5)
    assert not torch.allclose(image[0], image[-1])
    return image
