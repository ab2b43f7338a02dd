"""The names of policies and kinds of pictures, in a module that loads nothing: for recipes, flags, jobs and pages."""

from pathlib import Path
from typing import Literal, get_args

Rival = Literal["none", "light", "strong"]
"""Policies that a study lets compete for the rival, weakest first: named beforehand, a new policy is none of them."""
Domain = Literal["photo", "garments", "digits", "text", "overhead"]
"""Kinds of pictures, which decide what flips and turns keep the label true."""

RIVALS: tuple[str, ...] = get_args(Rival)
POLICY_NAMES: tuple[str, ...] = tuple(
    sorted(path.stem.replace("_", "-") for path in Path(__file__).with_name("policies").glob("[!_]*.py"))
)
DOMAIN_NAMES: tuple[str, ...] = get_args(Domain)
