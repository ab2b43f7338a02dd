"""GAN on the maps of an autoencoder: photographs of 32 to 256 pixels on a laptop."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d

from zeuxis.augmentation.shifting import shifted
from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.losses.adversarial import relativistic_critic, relativistic_generator
from zeuxis.losses.collapse import too_alike
from zeuxis.losses.penalties import gradient, squared_norm
from zeuxis.losses.unlikeness import unlikeness
from zeuxis.nets.latent_codes import CODE, DRAWS, Codes
from zeuxis.nets.latent_gan import LatentCritic, LatentGenerator
from zeuxis.nets.latent_maps import Representation
from zeuxis.nets.map_features import WIDTHS, MapFeatures
from zeuxis.recipes.recipe import (
    SLOWER_TO_THE_END,
    Adapting,
    Amount,
    Average,
    BatchSpec,
    Count,
    Decay,
    Need,
    OneOrMore,
    Optimizer,
    Phase,
    Recipe,
    Remedy,
    Share,
    StepContext,
    Terms,
    Whole,
)
from zeuxis.schedule import cosine

PRETRAINED = ((32, 64, 128), 16, 128)
"""Widths, latent and dense of the pairs of trunks of the package, one a factor, for maps of 16 x 16 cells."""

_MATERIALS = "colours and materials in rough shapes"
_BY_EYE = (150_000, "samples of which some can be told by eye, and of pictures much alike most")
_BY_CHANCE = ((28_000, "rough shapes"), (90_000, _MATERIALS), _BY_EYE)
_WITH_TRUNKS = ((14_000, _MATERIALS), _BY_EYE)
"""What was seen after how many images of 420 and 540 photographs of trashnet-600 at 64 px: of sixty samples a stranger
named the kind of 24, of hands, which are much alike, a classifier that of nine in ten. By chance the last is an
estimate: by GAN-test 109,000 images are worth what 154,000 are with trunks."""
_LARGEST = 512
"""Pixels of a side: of larger pictures nothing was tried, and what each costs grows with their area."""
_LAYOUT = 4
"""Parts along a side of a map, whose means are where the map is what."""
_LEAST_VARIETY = 0.8
"""Of the variance within a class of real pictures, that generated ones keep."""
_LIKENESS_LEFT = 0.25
"""Of the weight of likeness, at the end: first what a picture shows is learned, then the critic sharpens it."""


@dataclass(frozen=True, kw_only=True)
class LatentGAN(Recipe):
    """The game of `r3gan` on small maps of the pictures in place of pixels; the decoder draws the picture.

    The autoencoder comes with the package and stays as it is, so what edges and textures look like is known from the
    first step, and a step costs the same for pictures of 64 and of 128 pixels. What it cannot give back, the generator
    cannot draw: small print, and pictures of fewer than 32 pixels, are better learned as pixels. The critic looks at
    maps through a frozen net of the package, which sees in them what VGG16 sees in pictures, and learns what to make of
    that.

    What to draw, the generator is told: beside chance it gets a code, some numbers of what a frozen net sees in a
    picture and where. In half of a batch the code is that of the real picture beside it, which the result should be
    like (`likeness`); in the other half, as in samples, it lies between the codes of two pictures of the class.

    Classes come in by and by, but for the codes: at first neither net is told the class, and from `transition` on it
    counts in full.
    All along the generator loses where the pictures of a class differ less than real ones do (`variety`).
    """

    factor: Literal[0, 4, 8] = 0  # own: pixels of a cell's side; 0: 4 up to 96 pixels, 8 for larger pictures
    widths: tuple[Count, ...] = (64, 128, 256)  # own: channels from the map inwards
    latent: Count = 16  # own: of chance, beside the code
    label_dim: Count = 32  # own
    dense: Count = 128  # own: features of the critic, before its head
    batch: Count = 32  # own
    gamma: Amount = 3.0  # own; on standardised maps
    lazy: Count = 4  # as `r3gan`
    lr: Amount = 1e-3  # own
    lr_end: Amount = 2.5e-4  # own
    beta2: Decay = 0.9  # own
    half_life: OneOrMore = 1100.0  # own: images
    ramp: Share = 0.1  # as `r3gan`
    shift: Whole = 2  # own: cells that the critic sees maps moved by, at most
    pretrained: bool | None = None  # own: trunks begin with weights of the package; None: where these fit
    transition: Share = 0.5  # arXiv 2201.06578; own: progress from which on the class counts in full
    likeness: Amount = 4.0  # own: weight, at first, of being like the picture whose code was given
    variety: Amount = 1.0  # own: weight of what keeps pictures of a class from becoming one; 0: nothing does
    flip: bool = True  # own: mirror images of the pictures are real, too
    domain: Literal["photo", "digits", "text"] = "photo"  # digits and text have no mirror images, as in `r3gan`

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "tiny": {},
        "quick": {"widths": PRETRAINED[0]},  # own: a quarter of the work of a step, for minutes of a slow processor
    }
    coupled: ClassVar[bool] = True
    half: ClassVar[bool] = True
    representing: ClassVar[str] = "representation.autoencoder"
    describing: ClassVar[str] = "features"
    needs: ClassVar[tuple[Need, ...]] = (
        Need(64, True, 7_000, 150_000, "begun with trunks of the package: 420 photographs", stages=_WITH_TRUNKS),
        Need(128, True, 7_000, 150_000, "begun with trunks, as at 64 px", True, stages=_WITH_TRUNKS),
        Need(128, False, 7_000, 150_000, "begun with trunks, as those of colour", True, stages=_WITH_TRUNKS),
        Need(96, True, 14_752, 150_000, "540 photographs of trashnet-600 at 64 px", True, stages=_BY_CHANCE),
        Need(256, True, 14_752, 150_000, "those of 64 px, whose maps have as many cells", True, stages=_BY_CHANCE),
        Need(256, False, 14_752, 150_000, "those of colour, of whose maps theirs are", True, stages=_BY_CHANCE),
    )
    remedies: ClassVar[Mapping[str, tuple[Remedy, ...]]] = {
        "collapse": (Remedy(("gamma",), times=2.0),),
        "saturation": (Remedy(("gamma",), times=2.0),),
        "penalty gap": (Remedy(("gamma",), times=2.0),),
        "divergence": (SLOWER_TO_THE_END, Remedy(("gamma",), times=2.0)),
    }

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(self.widths))  # a list where the settings come from JSON

    def _factor(self, spec: Spec) -> int:
        return self.factor or (4 if max(spec.height, spec.width) <= 96 else 8)

    def stride(self, spec: Spec) -> int:
        return self._factor(spec)

    def smallest(self) -> int:
        return 4 * (self.factor or 4)

    def networks(self, spec: Spec) -> nn.ModuleDict:
        factor = self._factor(spec)
        representation = Representation(factor, spec.channels)
        size, code = (spec.height // factor, spec.width // factor), representation.code
        generator = LatentGenerator(self.latent + CODE, self.widths, code, size, spec.condition, self.label_dim)
        features = MapFeatures(representation.autoencoder.code).requires_grad_(False)
        whole, *rest = (width * code // representation.autoencoder.code for width in WIDTHS)
        critic = LatentCritic((whole + code, *rest), size, spec.condition, self.dense)
        codes = Codes(representation.autoencoder.code, code // representation.autoencoder.code, spec.condition)
        frozen = {"representation": representation, "features": features, "codes": codes}
        return nn.ModuleDict({"generator": generator, "critic": critic, **frozen})

    def check(self, spec: Spec) -> None:
        super().check(spec)
        factor = self._factor(spec)
        if min(spec.height, spec.width) < 4 * factor:
            what = f"{spec.height}x{spec.width} pixels are too few for latentgan, whose cells have {factor} pixels here"
            raise BadInput(what, "", f"use `--size` with {4 * factor} pixels or more a side")
        if max(spec.height, spec.width) > _LARGEST:
            what = f"latentgan is made for pictures of up to 256 pixels, and {spec.height}x{spec.width} are far more"
            raise BadInput(what, "", "use `--size 256`")
        if self.pretrained and not self._trunks_fit(spec):
            raise BadInput(
                "the trunks of the package fit `--preset quick` at 64x64 or 128x128 px alone, without alpha",
                "--pretrained",
                "use `--preset quick --size 64` or 128, or leave `--pretrained` away",
            )

    def _trunks_fit(self, spec: Spec) -> bool:
        factor = self._factor(spec)
        known = (self.widths, self.latent, self.dense) == PRETRAINED and spec.channels in (1, 3)
        return known and (spec.height, spec.width) == (16 * factor, 16 * factor)

    def _with_trunks(self, spec: Spec) -> bool:
        return self.pretrained is not False and self._trunks_fit(spec)

    def known_needs(self, spec: Spec) -> tuple[Need, ...]:
        stages = _WITH_TRUNKS if self._with_trunks(spec) else _BY_CHANCE
        return tuple(need for need in self.needs if need.stages == stages)

    def initial(self, spec: Spec) -> dict[str, str]:
        factor = self._factor(spec)
        parts = {"representation.autoencoder": f"autoencoder-{factor}", "features": f"map-features-{factor}"}
        if self._with_trunks(spec):
            parts |= dict.fromkeys(("generator.trunk", "critic.trunk", "codes.view"), f"latent-pair-{factor}")
        return parts

    def snapshots(self) -> tuple[float, ...]:
        """Kept for the case that the end copies its pictures, as few pictures let it."""
        return (0.25, 0.5, 0.75)

    def adapting(self, spec: Spec) -> Adapting:
        """Slower than from chance, so that little of what the net knows of all pictures is lost."""
        factor = self._factor(spec)
        settings = {"levels": factor.bit_length() - 1, "patch": min(spec.height, spec.width), "lr": 3e-4}
        return Adapting("autoencoder", "map", settings, f"autoencoder-{factor}")

    def batch_specs(self) -> dict[str, BatchSpec]:
        return {"images": BatchSpec(size=self.batch)}

    def optimizers(self) -> dict[str, Optimizer]:
        lr = cosine(self.lr, self.lr_end)
        return {name: Optimizer((name,), lr=lr, beta1=0.0, beta2=self.beta2) for name in ("critic", "generator")}

    def phases(self) -> tuple[Phase, ...]:
        return Phase("critic", self.critic_loss), Phase("generator", self.generator_loss, fresh=True)

    def average(self) -> Average:
        return Average(("generator",), self.half_life, self.ramp)

    def encode(self, networks: nn.ModuleDict, image: Tensor) -> Tensor:
        """[n, views, numbers]: maps, and what codes are a view of; of mirror images, too, where these are real."""
        representation: Any = networks["representation"]
        views = []
        for view in [image, image.flip(3)] if self.flip and self.domain == "photo" else [image]:
            maps = representation.encode(view)
            described = networks["codes"].described(networks["features"], representation.divided(maps))  # type: ignore[operator]
            views.append(torch.cat([maps.flatten(1), described], 1))
        return torch.stack(views, 1)

    def calibrate(self, networks: nn.ModuleDict, encoded: Tensor, target: Tensor | None, known: bool) -> None:
        maps, described = self._divided(networks, encoded.flatten(0, 1))
        if not known:
            networks["representation"].calibrate(maps)  # type: ignore[operator]
        classes: Any = networks["generator"].classes
        of_each = target.repeat_interleave(encoded.shape[1]) if classes and target is not None else None
        networks["codes"].calibrate(described, of_each)  # type: ignore[operator]

    def _divided(self, networks: nn.ModuleDict, encoded: Tensor) -> tuple[Tensor, Tensor]:
        """[B, numbers] to maps [B, code, h, w] and what codes are a view of."""
        numbers: Any = networks["codes"].numbers
        maps, described = encoded.split([encoded.shape[1] - numbers, numbers], 1)
        size: Any = networks["generator"].trunk.size
        return maps.unflatten(1, (-1, *size)), described

    def critic_loss(self, m: StepContext) -> Terms:
        """softplus(-(D(x) - D(G(z)))) + gamma / 2 (R1 + R2), x and G(z) standardised maps."""
        real_maps, codes, _ = self._real(m)
        label = m.batch["images"].label
        with torch.no_grad():
            fake_maps = m.networks["generator"](self._given(m, codes), label, self._share(m))
        due = (m.step + 1) % self.lazy == 0
        both = torch.cat([real_maps, fake_maps]).requires_grad_(due)
        seen = self._moved(m, both, 2)
        logits = m.networks["critic"](seen, None if label is None else label.repeat(2), self._share(m))
        real, fake = logits.chunk(2)
        terms = {"relativistic": relativistic_critic(real, fake).mean()}
        watch = {"real": real.mean(), "fake": fake.mean()}
        if due:
            r1, r2 = (half.mean() for half in squared_norm(gradient(logits, both)).chunk(2))
            terms["penalty"] = 0.5 * self.gamma * self.lazy * (r1 + r2)
            watch |= {"r1": r1, "r2": r2}
        return Terms(terms, watch=watch)

    def generator_loss(self, m: StepContext) -> Terms:
        """softplus(-(D(G(z)) - D(x))), the gradient through G(z) alone; how unlike the picture whose code was given a
        result is; and what pictures of a class lack in variety.

        Of likeness counts what is seen at half and quarter size, and the map at half size: the critic sees to the rest.
        Of variety counts where a map is what: in single cells, faults of one and the same picture would pass for it.
        """
        real_maps, codes, own = self._real(m)
        label, share = m.batch["images"].label, self._share(m)
        generator: Any = m.networks["generator"]
        with torch.no_grad():
            real_seen = self._moved(m, real_maps, 1)
            real = m.networks["critic"](real_seen, label, share)
        maps = generator(self._given(m, codes), label, share)
        fake_seen = self._moved(m, maps, 1)
        fake = m.networks["critic"](fake_seen, label, share)
        terms = {"relativistic": relativistic_generator(real, fake).mean()}
        if self.likeness:
            both = ([*s[1:], avg_pool2d(s[0][:, -maps.shape[1] :], 2)] for s in (fake_seen, real_seen))
            missed = [unlikeness(a.float(), b.float(), own, m.mean) for a, b in zip(*both, strict=True)]
            weight = self.likeness * (1 - (1 - _LIKENESS_LEFT) * m.progress)
            terms["likeness"] = weight * torch.stack(missed).mean()
        if self.variety:
            ours, theirs = (adaptive_avg_pool2d(x, _LAYOUT) for x in (maps, real_maps))
            terms["alike"] = self.variety * too_alike(ours, theirs, label, generator.classes, _LEAST_VARIETY, m.mean)
        return Terms(terms, watch={"real": real.mean(), "fake": fake.mean()})

    def _real(self, m: StepContext) -> tuple[Tensor, Tensor, Tensor]:
        """Standardised maps [B, code, h, w] of the batch, each picture as it is or mirrored; a code for each; and for
        which it is its own, 1, or else 0."""
        batch, codes = m.batch["images"], m.networks["codes"]
        n, device = len(batch), batch.image.device
        view = m.draw.at("view").integers(n, high=batch.image.shape[1]).to(device)
        chosen = batch.image.gather(1, view[:, None, None].expand(-1, 1, batch.image.shape[2]))[:, 0]
        maps, described = self._divided(m.networks, chosen)
        drawn = codes.drawn(m.draw.at("codes").uniform(n, DRAWS).to(device), batch.label)  # type: ignore[operator]
        own = m.draw.at("own").keep(0.5, n).to(device)
        given = torch.where(own[:, None], codes(described), drawn)
        return m.networks["representation"].standardised(maps), given, own.float()  # type: ignore[operator]

    def _moved(self, m: StepContext, maps: Tensor, halves: int) -> list[Tensor]:
        """What the critic is given to see, of maps moved by up to `shift` cells, row i of each half alike."""
        rows = m.draw.at("rows").index(len(maps) // halves).repeat(halves)
        return self._seen(m.networks, shifted(maps, m.draw, self.shift, rows) if self.shift else maps)

    def _seen(self, networks: nn.ModuleDict, maps: Tensor) -> list[Tensor]:
        """What the frozen net sees in standardised maps, at each scale; in those of alpha, too.

        Beside it the maps as they are: seen through the net alone, faults of single cells became a mosaic.
        """
        parts = networks["representation"].parts(maps)  # type: ignore[operator]
        whole, *rest = zip(*(networks["features"](part) for part in parts), strict=True)
        return [torch.cat([*whole, maps], 1), *(torch.cat(scale, 1) for scale in rest)]

    def _share(self, m: StepContext) -> float:
        """How far the class counts: from 0, evenly, to 1."""
        return min(1.0, m.progress / self.transition) if self.transition else 1.0

    def _given(self, m: StepContext, codes: Tensor) -> Tensor:
        """What the generator is given: chance, and codes [B, CODE]."""
        return torch.cat([m.draw.at("z").normal(len(codes), self.latent).to(codes), codes], 1)

    def latents(self, n: int, draw: Draw) -> Tensor:
        """[n, latent + DRAWS]: normal numbers, and uniform ones that the code is drawn by."""
        return torch.cat([draw.at("z").normal(n, self.latent), draw.at("codes").uniform(n, DRAWS)], 1)

    def decode(self, networks: nn.ModuleDict, latents: Tensor, condition: Tensor | None) -> Tensor:
        z, uniform = latents.split([self.latent, DRAWS], 1)
        given = torch.cat([z, networks["codes"].drawn(uniform, condition)], 1)  # type: ignore[operator]
        image: Tensor = networks["representation"].decode(networks["generator"](given, condition))  # type: ignore[operator]
        return image

    def judge(self, networks: nn.ModuleDict, image: Tensor, condition: Tensor | None) -> Tensor:
        """Of pictures: their maps are judged."""
        representation: Any = networks["representation"]
        maps = representation.standardised(representation.encode(image))
        logits: Tensor = networks["critic"](self._seen(networks, maps), condition)
        return logits
