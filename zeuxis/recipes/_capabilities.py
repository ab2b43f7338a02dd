"""What a recipe can do: protocols that a recipe fulfils by having their methods."""

from typing import ClassVar, Protocol, runtime_checkable

from torch import Tensor, nn

from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.recipes._about import Adapting


@runtime_checkable
class Generates(Protocol):
    """Draws new pictures: sample = decode(latents)."""

    def latents(self, n: int, draw: Draw) -> Tensor:
        """[n, dim] latents; the same draw gives the same latents."""
        ...

    def decode(self, networks: nn.ModuleDict, latents: Tensor, condition: Tensor | None) -> Tensor:
        """Pictures [n, C, H, W] in [-1, 1]; condition: int64 [n] class indices or None."""
        ...


@runtime_checkable
class Represents(Protocol):
    """Learns on maps of its pictures, which one of its networks, that no phase moves, makes of them once.

    In training, `Batch.image` holds the maps; all else, samples, scores and judges among them, sees pictures.
    """

    representing: ClassVar[str]
    """That network, or the part of it on whose weights the maps depend: "NETWORK.PART"."""
    describing: ClassVar[str]
    """Another, on which depends what is kept beside the maps."""

    def encode(self, networks: nn.ModuleDict, image: Tensor) -> Tensor:
        """Maps [n, ...] of pictures [n, C, H, W] in [-1, 1]; in any scale."""
        ...

    def calibrate(self, networks: nn.ModuleDict, maps: Tensor, target: Tensor | None, known: bool) -> None:
        """Takes what it needs to know of the maps of all training pictures and their classes, int64 [N], in place,
        before the first step. known: the networks' weights know the scale of their maps, which stays."""
        ...


@runtime_checkable
class Adapts(Protocol):
    """One that represents, by a net that another recipe can train on a person's own pictures first."""

    def adapting(self, spec: Spec) -> Adapting:
        """How that net is trained for pictures like these, in colour."""
        ...


@runtime_checkable
class Judges(Protocol):
    """Has a critic whose logit can be read for a picture: lets the engine watch overfitting and saturation."""

    def judge(self, networks: nn.ModuleDict, image: Tensor, condition: Tensor | None) -> Tensor:
        """Logits [n], higher is more real."""
        ...


@runtime_checkable
class Recognizes(Protocol):
    """Tells classes apart."""

    def logits(self, networks: nn.ModuleDict, image: Tensor) -> Tensor:
        """[n, classes]."""
        ...


@runtime_checkable
class Embeds(Protocol):
    """Gives features."""

    def features(self, networks: nn.ModuleDict, image: Tensor) -> Tensor:
        """[n, dim]."""
        ...


@runtime_checkable
class Reconstructs(Protocol):
    """Gives a picture back from a picture, mended or enlarged."""

    @property
    def scale(self) -> int:
        """Output pixels per input pixel along a side."""
        ...

    @property
    def multiple_of(self) -> int:
        """Sides of the input must be multiples of this number of pixels."""
        ...

    @property
    def receptive_field(self) -> int | None:
        """Input pixels farther than this from a place do not touch it; None where every pixel may touch all."""
        ...

    def restore(
        self, networks: nn.ModuleDict, image: Tensor, known: Tensor | None = None, level: Tensor | None = None
    ) -> Tensor:
        """[n, C, H * scale, W * scale] in [-1, 1].

        known: [n, 1, H, W], 0 in holes; level: [n, 1, 1, 1], standard deviation of the noise on the scale of 255;
        None where nothing is missing or nothing is known of the noise.
        """
        ...


@runtime_checkable
class Translates(Protocol):
    """Turns pictures of one collection into such as could stand in another."""

    directions: ClassVar[tuple[str, ...]]
    """"ab" from the first source to the second, "ba" back."""
    paired: ClassVar[bool]
    """Whether the pictures of the two sources belong together."""

    @property
    def width(self) -> int:
        """Channels of the translator at the size of the picture, by which the memory that it takes is told."""
        ...

    @property
    def multiple_of(self) -> int:
        """Sides of a picture must be multiples of this number of pixels."""
        ...

    @property
    def receptive_field(self) -> int | None:
        """Pixels farther than this from a place do not touch it but through the statistics of norms; None: all may."""
        ...

    def translate(
        self, networks: nn.ModuleDict, image: Tensor, direction: str = "ab", draw: Draw | None = None
    ) -> Tensor:
        """[n, C', H, W] in [-1, 1] of pictures [n, C, H, W] in [-1, 1].

        draw: of those that give several answers for a picture, which one; None: the one without noise.
        """
        ...

    def judged(self, networks: nn.ModuleDict, given: Tensor, answer: Tensor, direction: str = "ab") -> Tensor:
        """Mean logits [n] of the critic, higher is more real: of answers, beside what was given where it sees both."""
        ...


@runtime_checkable
class Quantifies(Protocol):
    """Says how far from a restored picture the true one may lie."""

    @property
    def alpha(self) -> float:
        """The share of values that may lie outside."""
        ...

    def given(self, restorer: nn.Module, clean: Tensor, draw: Draw) -> tuple[Tensor, Tensor, Tensor]:
        """Damaged pictures, what the restorer makes of them, and the truth, [n, C, H, W] each."""
        ...

    def interval(self, networks: nn.ModuleDict, before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
        """How far below and above `after` [n, C, H, W], restored from `before`, values may lie: two of its shape."""
        ...
