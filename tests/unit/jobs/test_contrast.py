"""Contrast for `enhance` and levels for `old-photo`: by hand on slopes."""

import torch

from zeuxis.jobs.restoring.measured import Measured
from zeuxis.jobs.restoring.steps import STEPS, State, StepConfig


def slopes() -> torch.Tensor:
    """Red from -0.5 to 0.3, green the same and 0.1 lower, blue 0.1 higher."""
    slope = torch.linspace(-0.5, 0.3, 1000).reshape(1, 1, 1, 1000).expand(1, 1, 4, 1000)
    return torch.cat([slope, slope - 0.1, slope + 0.1], 1)


def done(step: str) -> torch.Tensor:
    return STEPS[step](State(slopes(), Measured(0.0, None, (0, 0), 0.0)), StepConfig()).image


def test_contrast_keeps_the_channels_apart():
    image = done("contrast")
    assert abs(float(image.min()) + 1) < 0.02 and abs(float(image.max()) - 1) < 0.02
    middle = image[0, :, 0, 500]
    assert torch.allclose(middle[0] - middle[1], middle[2] - middle[0], atol=1e-5) and middle[0] - middle[1] > 0.1


def test_levels_bring_them_together():
    image = done("levels")
    assert torch.allclose(image[:, 0], image[:, 1], atol=0.01) and torch.allclose(image[:, 0], image[:, 2], atol=0.01)
