"""The names of policies and kinds of pictures, in a module that loads nothing: for recipes, flags, jobs and pages."""

from typing import Literal, get_args

Rival = Literal["none", "light", "strong"]
"""Policies that a study lets compete for the rival, weakest first."""
Domain = Literal["photo", "garments", "digits", "text", "overhead"]
"""Kinds of pictures, which decide what flips and turns keep the label true."""

RIVALS: tuple[str, ...] = get_args(Rival)
POLICY_NAMES: tuple[str, ...] = (*RIVALS, "classic")
DOMAIN_NAMES: tuple[str, ...] = get_args(Domain)
