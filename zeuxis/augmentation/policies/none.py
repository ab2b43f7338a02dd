"""Nothing is changed."""

from zeuxis.augmentation.policy import Policy

POLICY = Policy("none")
