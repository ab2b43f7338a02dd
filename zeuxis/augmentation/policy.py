"""What a policy of augmentation is: a file for each in `policies`, imported when it is used."""

import importlib
from dataclasses import dataclass

from zeuxis.augmentation.names import POLICY_NAMES
from zeuxis.augmentation.operations import OPERATIONS
from zeuxis.errors import BadInput, nearest


@dataclass(frozen=True)
class Policy:
    """What is done to each picture: one of `one_of`, all of `always` (of both the geometry first), all of `last`.

    one_of: operations of which each sample gets one with equal chance, or none with the chance of one more,
    at a strength uniform in [0, 1); those without a strength of their own are done in full.
    always, last: (operation, strength); `last` is photometric. strength: multiplies every strength and
    chance; at 0 the policy is the identity, to the bit. varied: each sample gets a strength uniform from 0 to the
    one given of each of `always` and `last`, chances excepted. beyond: what a moved picture shows where it ends,
    "zeros" (black) or "reflection". Raises BadInput for an unknown operation.
    """

    name: str
    one_of: tuple[str, ...] = ()
    always: tuple[tuple[str, float], ...] = ()
    last: tuple[tuple[str, float], ...] = ()
    strength: float = 1.0
    varied: bool = False
    beyond: str = "zeros"

    def __post_init__(self) -> None:
        for name in (*self.one_of, *(n for n, _ in self.always), *(n for n, _ in self.last)):
            if name not in OPERATIONS:
                raise BadInput(f"no operation `{name}`", f"policy {self.name}", nearest(name, sorted(OPERATIONS)))
        for name, _ in self.last:
            if OPERATIONS[name].geometric:
                raise BadInput(f"`{name}` moves pixels", f"policy {self.name}", "put it into `always`")


def find_policy(policy: str | Policy) -> Policy:
    """The policy of that name; raises BadInput with the nearest known one."""
    if isinstance(policy, Policy):
        return policy
    if policy not in POLICY_NAMES:
        raise BadInput(f"no policy `{policy}`", "", nearest(policy, list(POLICY_NAMES)))
    loaded: Policy = importlib.import_module(f"{__package__}.policies.{policy.replace('-', '_')}").POLICY
    return loaded
