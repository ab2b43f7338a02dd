"""Which pixels of a picture are known."""

from torch import Tensor

from zeuxis.errors import BadInput


def known_of(image: Tensor, known: Tensor) -> Tensor:
    """`known` as bool; BadInput where a picture has no known pixel."""
    mask = known > 0.5
    if not mask.flatten(1).any(1).all():
        raise BadInput("no pixel of the picture is known", mend="the mask is white where the hole is")
    return mask.expand(len(image), 1, *image.shape[2:])
