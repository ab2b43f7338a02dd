"""Damage by name: what files, the web and time do to pictures."""

from zeuxis.degrade.blur import Anisotropic, Gaussian, Motion
from zeuxis.degrade.colour import Fading, Grey, Sepia
from zeuxis.degrade.degradation import Chain, Degradation, OneOf, Sometimes
from zeuxis.degrade.jpeg import Jpeg
from zeuxis.degrade.masks import Scratches
from zeuxis.degrade.noise import GaussianNoise, Grain, Poisson
from zeuxis.degrade.resize import LowResolution

REPAIR = Chain(
    (
        Sometimes(Grey(), 0.15),
        Sometimes(Gaussian((0.3, 2.0)), 0.3),
        Sometimes(GaussianNoise((0.0, 55.0), clipped=0.5), 0.65),
        Sometimes(Jpeg((8, 95), half=0.5, shift=7), 0.5),
    )
)
"""The blind mixture of the bundled restorer: each part by its own chance, so one sample in eight gets none of blur,
noise and JPEG. A grey sample is wanted grey: restorers learn towards `Degraded.wanted`."""

OLD_PHOTO = Chain(
    (
        OneOf((Grey(), Sepia((0.5, 1.0)), Chain()), (0.5, 0.35, 0.15)),
        Sometimes(Gaussian((0.3, 1.5)), 0.6),
        Fading((0.2, 1.0)),
        Sometimes(Grain((3.0, 20.0)), 0.8),
        Sometimes(Scratches((1, 6)), 0.8),
        Sometimes(Jpeg((50, 95)), 0.8),
    )
)
"""A print from an album, scanned: no colour or a toned one, soft, faded, grainy, scratched, then a JPEG."""

HARD = Chain(
    (
        Sometimes(OneOf((Gaussian((0.2, 3.0)), Anisotropic((0.2, 3.0)), Motion((2.0, 9.0))), (0.5, 0.35, 0.15)), 0.8),
        Sometimes(LowResolution((1.0, 3.0)), 0.7),
        OneOf((GaussianNoise((1.0, 30.0), grey=0.4), Poisson((1.0, 25.0), grey=0.4))),
        Jpeg((30, 95)),
        Sometimes(Gaussian((0.2, 1.5)), 0.5),
        Sometimes(LowResolution((1.0, 2.0)), 0.5),
        OneOf((GaussianNoise((1.0, 25.0), grey=0.4), Poisson((1.0, 20.0), grey=0.4))),
        Jpeg((30, 95)),
    )
)
"""Two passes of blur, resizing, noise and JPEG, after Real-ESRGAN (arXiv 2107.10833), with milder ends and no sinc."""

PRESETS: dict[str, str | Degradation] = {
    "clean": Chain(),
    "web": "blur=0.2..1.2@0.6+low-resolution=1..2@0.5+noise-8bit=0..5@0.5+jpeg=30..90",
    "hard": HARD,
    "old-photo": OLD_PHOTO,
    "repair": REPAIR,
}
"""Whole damages by name, in the words of `zeuxis.degrade.parsing` where those suffice."""
