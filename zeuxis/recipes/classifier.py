"""Small residual classifier without batch norm, trained on real pictures and, by share, on made ones."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zeuxis.augmentation.names import Domain, Rival
from zeuxis.data.dataset import Spec
from zeuxis.losses.classification import accuracy, balanced_accuracy, cross_entropy, weighted_mean
from zeuxis.nets.classifying import ResidualClassifier
from zeuxis.recipes.recipe import (
    Amount,
    Average,
    Batch,
    BatchSpec,
    Count,
    OneOrMore,
    Optimizer,
    Phase,
    Recipe,
    Share,
    StepContext,
    Terms,
    Yardstick,
)


def labels_of(batch: Batch) -> Tensor:
    """The batch's labels, or ValueError where it has none."""
    if batch.label is None:
        raise ValueError("a classifier needs a label per picture")
    return batch.label


def compose(real: Batch, synthetic: Batch | None, progress: float, tail: float) -> tuple[Tensor, Tensor, Tensor]:
    """One batch of always the same size: image [B, C, H, W], label int64 [B], synthetic rows as bool [B].

    The last len(synthetic) of the real rows give way to the synthetic ones while progress < 1 - tail.
    """
    count = 0 if synthetic is None or progress >= 1 - tail else len(synthetic)
    kept = len(real) - count
    rows = torch.arange(len(real), device=real.image.device) >= kept
    if synthetic is None or count == 0:
        return real.image, labels_of(real), rows
    image = torch.cat([real.image[:kept], synthetic.image])
    return image, torch.cat([labels_of(real)[:kept], labels_of(synthetic)]), rows


def classifier_of(networks: nn.ModuleDict) -> ResidualClassifier:
    net = networks["classifier"]
    assert isinstance(net, ResidualClassifier)
    return net


@dataclass(frozen=True, kw_only=True)
class Classifier(Recipe):
    """Residual classifier for 28 to 128 pixels; equal steps and batch sizes whatever the share of made pictures.

    Group norm (arXiv 1803.08494) in place of batch norm, since made and real pictures differ in
    their statistics; the last part of the steps sees real pictures only, in every arm of a study.
    With `mix` the samples of one process are tied together, so two processes no longer equal one.
    """

    width: Count = 24  # own: 0.13 M weights and 3.0 million multiplications at 28 px, 600 steps in 10 CPU-seconds
    batch: Count = 64  # own: 64 to 128 is usual on small sets
    lr: Amount = 1e-2  # own trials, 50 to 400 labels a class of Fashion-MNIST: 4e-3 to 2e-2 are level
    weight_decay: Amount = 0.1  # decoupled (arXiv 1711.05101); own trials: 0.05 to 0.2 are level
    warm_up: Amount = 0.05  # share of the steps; arXiv 1812.01187, section 3.1
    label_smoothing: Share = 0.1  # arXiv 1512.00567, section 7
    policy: Rival = "none"  # strong: TrivialAugment, arXiv 2103.10158
    domain: Domain = "photo"  # own: digits and text keep no flips
    mix: Literal["none", "mixup", "cutmix"] = "none"  # arXiv 1710.09412, arXiv 1905.04899
    share: Share = 0.0  # own: share of each batch that comes from the stream "synthetic"
    tail: Share = 0.1  # own: the last part of the steps on real pictures only, in every arm
    synthetic_weight: Amount = 1.0  # own: weight of a made picture in the loss
    half_life: OneOrMore = 1000.0  # own: images; short, since the cosine already quiets the weights

    presets: ClassVar[dict[str, dict[str, Any]]] = {"tiny": {"width": 8}, "wide": {"width": 48, "lr": 4e-3}}
    labels: ClassVar[str] = "needed"

    def slots(self) -> int:
        """Rows of the global batch that hold made pictures."""
        return round(self.share * self.batch)

    def networks(self, spec: Spec) -> nn.ModuleDict:
        net = ResidualClassifier(spec.channels, (spec.height, spec.width), spec.condition, self.width)
        return nn.ModuleDict({"classifier": net})

    def batch_specs(self) -> dict[str, BatchSpec]:
        synthetic = {"synthetic": BatchSpec("synthetic", self.slots())} if self.slots() else {}
        return {"images": BatchSpec("images", self.batch), **synthetic}

    def rate(self, progress: float) -> float:
        """Linear warm-up, then half a cosine to zero (Loshchilov and Hutter 2017, arXiv 1608.03983)."""
        # the first step, at progress 0, must move too
        rise = min(1.0, 0.1 + progress / self.warm_up) if self.warm_up else 1.0
        return self.lr * rise * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))

    def optimizers(self) -> dict[str, Optimizer]:
        return {"classifier": Optimizer(("classifier",), "adamw", self.rate, weight_decay=self.weight_decay)}

    def phases(self) -> tuple[Phase, ...]:
        return (Phase("classifier", self.classifier_loss),)

    def average(self) -> Average:
        return Average(("classifier",), self.half_life)

    def _augmented(self, image: Tensor, target: Tensor, m: StepContext) -> tuple[Tensor, Tensor]:
        """The same policy on every row, then the mixing of rows; target: shares of the classes [B, K]."""
        if self.policy == "none" and self.mix == "none":
            return image, target
        from zeuxis.augmentation.apply import apply
        from zeuxis.augmentation.mixing import cutmix, mixup

        if self.policy != "none":
            image = apply(self.policy, image, m.draw, domain=self.domain).image
        mixing = {"mixup": mixup, "cutmix": cutmix}
        return (image, target) if self.mix == "none" else mixing[self.mix](image, target, m.draw)

    def classifier_loss(self, m: StepContext) -> Terms:
        """Mean cross-entropy over the composed batch, made rows with their weight."""
        net = classifier_of(m.networks)
        image, label, is_synthetic = compose(m.batch["images"], m.batch.get("synthetic"), m.progress, self.tail)
        target = F.one_hot(label, net.head.out_features).to(image.dtype)
        image, target = self._augmented(image, target, m)
        logits = net(image)
        losses = cross_entropy(logits, target, self.label_smoothing)
        weight = 1 + (self.synthetic_weight - 1) * is_synthetic.to(losses.dtype)
        return Terms({"cross_entropy": weighted_mean(losses, weight)}, watch={"accuracy": accuracy(logits, label)})

    def logits(self, networks: nn.ModuleDict, image: Tensor) -> Tensor:
        return classifier_of(networks).forward(image)

    def features(self, networks: nn.ModuleDict, image: Tensor) -> Tensor:
        return classifier_of(networks).features(image)

    def yardstick(self, spec: Spec) -> Yardstick:
        return Yardstick("score", "", "guessing", "%", 0.01, chance=1 / spec.condition)

    def score(self, m: StepContext) -> dict[str, Tensor]:
        """Balanced accuracy (0 to 1) and cross-entropy (nats) of the averaged net on m.batch["images"]."""
        batch = m.batch["images"]
        logits = self.logits(m.ema if "classifier" in m.ema else m.networks, batch.image)
        label = labels_of(batch)
        return {"score": balanced_accuracy(logits, label), "loss": cross_entropy(logits, label).mean()}
