"""For copies that people look at: flips where the domain allows, and a little of everything else.

Turned by up to 15 degrees, scaled by up to 9 %, shifted and cropped by up to a sixteenth of the side each, brightness,
contrast and saturation by up to 20 %, hue by up to 5 degrees, a little blur and noise, each by a share of its own.
Beyond its edges a picture is mirrored. Saturation and hue are left out for grey pictures.
"""

from zeuxis.augmentation.policy import Policy

_ALWAYS = (
    ("flip_horizontal", 0.5),
    ("flip_vertical", 0.5),
    ("rotate", 15 / 135),
    ("scale", 0.25),
    ("translate_x", 0.2),
    ("translate_y", 0.2),
    ("crop", 0.5),
)
_LAST = (
    ("brightness", 0.2),
    ("contrast", 0.2),
    ("saturation", 0.2),
    ("hue", 0.03),
    ("blur", 0.2),
    ("noise", 0.1),
)

POLICY = Policy("classic", always=_ALWAYS, last=_LAST, varied=True, beyond="reflection")
