"""The slider of `--fidelity` between the package's two x4 nets: its ends are those nets, its middle lies between."""

import pytest
import torch

from zeuxis.draw import Stream, key_of
from zeuxis.errors import BadInput
from zeuxis.jobs.restoring import nets, steps
from zeuxis.jobs.restoring.restore import RestoreConfig, check_asked
from zeuxis.jobs.restoring.steps import StepConfig


def small() -> torch.Tensor:
    return Stream(key_of("slider", 0)).uniform(1, 3, 20, 24, low=-0.5, high=0.5)


def test_the_ends_are_the_nets():
    image = small()
    for fidelity, name in ((1.0, "upscale-x4"), (0.0, "upscale-x4-sharp")):
        mixed = nets.between_bundled("upscale-x4", "upscale-x4-sharp", fidelity)
        alone = nets.from_bundle(name)
        assert torch.allclose(nets.apply(mixed, image), nets.apply(alone, image), atol=1e-6)


def enlarged(image: torch.Tensor, scale: int, fidelity: float) -> tuple[torch.Tensor, str]:
    net = steps.upscaler(scale, StepConfig(fidelity=fidelity))
    return steps.enlarged(image, scale, net, None), steps.enlarged_by(net, scale)


def test_the_middle_lies_between_and_says_so():
    image = small()
    faithful, _ = enlarged(image, 4, 1.0)
    half, used = enlarged(image, 4, 0.5)
    sharp, _ = enlarged(image, 4, 0.0)
    assert half.shape == (1, 3, 80, 96) and used == "upscale-x4 and upscale-x4-sharp at fidelity 0.5"
    whole = float((faithful - sharp).abs().mean())
    assert 0 < float((faithful - half).abs().mean()) < whole and 0 < float((half - sharp).abs().mean()) < whole
    twice, used = enlarged(image, 2, 0.5)
    assert twice.shape == (1, 3, 40, 48) and used.endswith("then bicubic")


def test_bicubic_has_no_slider():
    with pytest.raises(BadInput, match="no slider"):
        check_asked(RestoreConfig(scale=4, method="bicubic", fidelity=0.5))
