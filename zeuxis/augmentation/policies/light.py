"""Flips where the domain allows, and the 4-pixel pad and crop of 32-pixel pictures in proportion.

Nothing is interpolated.
"""

from zeuxis.augmentation.policy import Policy

POLICY = Policy("light", always=(("flip_horizontal", 0.5), ("flip_vertical", 0.5), ("crop", 1.0)))
