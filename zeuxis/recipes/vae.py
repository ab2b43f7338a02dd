"""Variational autoencoder, convolutional by default, with a Gaussian code and a calibrated decoder."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.losses.elbo import LIKELIHOODS, active_units, free_bits, kl_normal, squared_error
from zeuxis.losses.fidelity import psnr8
from zeuxis.nets.autoencoding import BODIES, ClassCode, PlainCode
from zeuxis.recipes.recipe import (
    SLOWER_TO_THE_END,
    Amount,
    Average,
    BatchSpec,
    Count,
    OneOrMore,
    Optimizer,
    Phase,
    Recipe,
    Remedy,
    Share,
    StepContext,
    Terms,
    Whole,
    Yardstick,
)
from zeuxis.schedule import cosine


@dataclass(frozen=True, kw_only=True)
class VAE(Recipe):
    """VAE (Kingma and Welling 2014, arXiv 1312.6114): both terms of the ELBO in nats per picture.

    The default decoder is Gaussian at its best shared variance, so nothing has to be weighed
    (sigma-VAE, arXiv 2006.13202). With classes the decoder also reads the label; a tenth of the
    labels is left out in training, so that a picture without label can be given back too.
    """

    body: Literal["conv", "dense", "strided"] = "conv"  # dense: pytorch/examples; strided: google/compare_gan v1
    width: Count = 32  # own: convolutions 32-64-128; 400 in pytorch/examples, 64 in compare_gan v1
    latent: Count = 16  # own: 16 at 28 px, 64 at 64 px; 20 in pytorch/examples, 64 in compare_gan v1
    likelihood: Literal["sigma", "gaussian", "bernoulli"] = "sigma"  # arXiv 2006.13202
    beta: Amount = 1.0  # weight of the KL term: 1 is the ELBO; more is arXiv 1804.03599
    free_bits: Amount = 0.0  # nats per unit; arXiv 1606.04934: 0.1 to 0.5; off, for the sigma decoder holds its units
    warm_up: Amount = 0.25  # own: the KL term grows over the first 20 to 30 % of the steps (arXiv 1602.02282)
    batch: Count = 128  # pytorch/examples
    lr: Amount = 1e-3  # pytorch/examples, Adam
    lr_end: Amount = 0.0  # own: cosine; as lr in the sources
    label_dim: Whole = 16  # own: numbers per label in the decoder
    drop_label: Share = 0.1  # own, as in classifier-free guidance (arXiv 2207.12598)
    half_life: OneOrMore = 5000.0  # own: images, never above 10 % of those seen

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "classic": {  # pytorch/examples vae/main.py: 784-400-20
            "body": "dense", "width": 400, "latent": 20, "likelihood": "bernoulli", "warm_up": 0.0, "lr_end": 1e-3,
        },
        "published": {  # google/compare_gan v1, "Are GANs Created Equal?" (arXiv 1711.10337)
            "body": "strided", "width": 64, "latent": 64, "likelihood": "bernoulli", "warm_up": 0.0, "batch": 64,
            "lr_end": 1e-3,
        },
        "photos": {"latent": 64},  # own: for 64 px and more
    }  # fmt: skip
    coupled: ClassVar[bool] = True
    remedies: ClassVar[Mapping[str, tuple[Remedy, ...]]] = {
        "posterior collapse": (Remedy(("free_bits",), to=0.2, over=(0.0,)), Remedy(("beta",), times=0.25)),
        "divergence": (SLOWER_TO_THE_END,),
    }

    def stride(self, spec: Spec) -> int:
        return {"strided": 4}.get(self.body, 1)

    def networks(self, spec: Spec) -> nn.ModuleDict:
        encoder, decoder = BODIES[self.body]
        size = (spec.height, spec.width)
        extra = self.label_dim if spec.condition >= 2 else 0
        back = decoder(spec.channels, size, self.latent + extra, self.width)
        reader = ClassCode(back, spec.condition, extra) if extra else PlainCode(back)
        return nn.ModuleDict({"encoder": encoder(spec.channels, size, self.latent, self.width), "decoder": reader})

    def batch_specs(self) -> dict[str, BatchSpec]:
        return {"images": BatchSpec("images", self.batch)}

    def optimizers(self) -> dict[str, Optimizer]:
        return {"vae": Optimizer(("encoder", "decoder"), "adam", cosine(self.lr, self.lr_end))}

    def phases(self) -> tuple[Phase, ...]:
        return (Phase("vae", self.vae_loss),)

    def average(self) -> Average:
        return Average(("encoder", "decoder"), self.half_life)

    def kl_weight(self, progress: float) -> float:
        """beta, after a linear warm-up from zero."""
        return self.beta * (min(1.0, progress / self.warm_up) if self.warm_up else 1.0)

    def _labels(self, networks: nn.ModuleDict, label: Tensor | None, draw: Draw) -> Tensor | None:
        """The labels, a share of them replaced by "no label"."""
        decoder = networks["decoder"]
        if label is None or not isinstance(decoder, ClassCode):
            return None
        drop = draw.at("drop").keep(self.drop_label, len(label))
        return torch.where(drop, decoder.no_label(), label)

    def vae_loss(self, m: StepContext) -> Terms:
        """Negative ELBO per picture: the decoder's negative log-likelihood and beta times the KL term."""
        image, label = m.batch["images"].image, m.batch["images"].label
        mean, log_variance = m.networks["encoder"](image)
        noise = m.draw.at("noise").normal(len(image), self.latent).to(mean.dtype)
        code = mean + torch.exp(0.5 * log_variance) * noise
        raw = m.networks["decoder"](code, self._labels(m.networks, label, m.draw))
        reconstruction = LIKELIHOODS[self.likelihood](raw, image, m.mean)
        per_unit = kl_normal(mean, log_variance)
        kl = per_unit.sum(1).mean()
        watch = {
            "reconstruction": reconstruction,
            "kl": kl,
            "elbo": -(reconstruction + kl),
            "mse": squared_error(raw, image).mean() / image[0].numel(),
            "active_units": active_units(mean),
        }
        weighted = self.kl_weight(m.progress) * free_bits(per_unit, self.free_bits, m.mean)
        return Terms({"reconstruction": reconstruction, "kl": weighted}, watch=watch)

    def yardstick(self, spec: Spec) -> Yardstick:
        return Yardstick("psnr", "mean_picture", "giving back one mean picture for all")

    def score(self, m: StepContext) -> dict[str, Tensor]:
        """ELBO (nats per picture, one draw of the code), its parts and the share of active units, averaged nets.

        Beside it the mean PSNR in dB of pictures given back from their mean code, and of the pictures' own mean.
        """
        networks = m.ema if "encoder" in m.ema else m.networks
        batch = m.batch["images"]
        mean, log_variance = networks["encoder"](batch.image)
        noise = m.draw.at("noise").normal(len(mean), self.latent).to(mean.dtype)
        raw = networks["decoder"](mean + torch.exp(0.5 * log_variance) * noise, batch.label)
        reconstruction = LIKELIHOODS[self.likelihood](raw, batch.image, m.mean)
        kl = kl_normal(mean, log_variance).sum(1).mean()
        parts = {"reconstruction": reconstruction, "kl": kl, "active_units": active_units(mean)}
        back = torch.tanh(networks["decoder"](mean, batch.label) / 2)
        flat = batch.image.mean(0, keepdim=True).expand_as(batch.image)
        against = {"psnr": psnr8(back, batch.image).mean(), "mean_picture": psnr8(flat, batch.image).mean()}
        return {"score": -(reconstruction + kl), **parts, **against}

    def latents(self, n: int, draw: Draw) -> Tensor:
        return draw.at("z").normal(n, self.latent)

    def decode(self, networks: nn.ModuleDict, latents: Tensor, condition: Tensor | None) -> Tensor:
        """The decoder's mean; with classes, `condition` None means no label."""
        raw = networks["decoder"](latents.to(next(networks["decoder"].parameters()).dtype), condition)
        return torch.tanh(raw / 2)

    scale: ClassVar[int] = 1
    multiple_of: ClassVar[int] = 1
    receptive_field: ClassVar[int | None] = None

    def restore(
        self, networks: nn.ModuleDict, image: Tensor, known: Tensor | None = None, level: Tensor | None = None
    ) -> Tensor:
        """The picture as the code holds it: encoded, decoded."""
        return self.decode(networks, self.features(networks, image), None)

    def features(self, networks: nn.ModuleDict, image: Tensor) -> Tensor:
        mean: Tensor = networks["encoder"](image)[0]
        return mean
