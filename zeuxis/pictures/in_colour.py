"""Pictures of any number of channels as colour, to be shown or looked at beside others."""

from torch import Tensor


def in_colour(image: Tensor) -> Tensor:
    """[n, 1 to 4, H, W] in [-1, 1] as colour: grey three times, alpha laid on white."""
    if image.shape[1] in (2, 4):
        share = (image[:, -1:] + 1) / 2
        image = image[:, :-1] * share + (1 - share)
    return image.expand(-1, 3, -1, -1)
