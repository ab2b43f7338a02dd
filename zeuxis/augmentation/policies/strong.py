"""TrivialAugment Wide (Müller and Hutter 2021, arXiv 2103.10158), then light, then cutout of half the side.

Order and parts are those of its CIFAR set-up. It differs from the source in three things: strengths are continuous
instead of 31 levels, shifts end at 10/32 of the side instead of 32 pixels, and pictures are resampled bilinearly
instead of by nearest pixel.
"""

from zeuxis.augmentation.policies import light
from zeuxis.augmentation.policy import Policy

_TRIVIAL = (
    "autocontrast",
    "equalize",
    "rotate",
    "solarize",
    "saturation",
    "posterize",
    "contrast",
    "brightness",
    "sharpness",
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
)

POLICY = Policy("strong", one_of=_TRIVIAL, always=light.POLICY.always, last=(("cutout", 1.0),))
