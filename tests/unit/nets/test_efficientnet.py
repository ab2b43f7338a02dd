"""EfficientNet-Lite0, without the weights that a person adds."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from zeuxis.nets.efficientnet import EfficientNetLite0, Same


def test_its_parameters_are_those_that_were_published() -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in EfficientNetLite0().parameters()) == 4_652_008


@pytest.mark.parametrize(("side", "before", "after"), [(8, 0, 1), (7, 1, 1)])
def test_padding_is_that_of_tensorflow(side: int, before: int, after: int) -> None:
    """At stride 2 an even side gets its one row of zeros at the end."""
    conv = Same(1, 1, 3, 2, bias=False)
    nn.init.normal_(conv.weight)
    x = torch.randn(1, 1, side, side)
    wanted = F.conv2d(F.pad(x, (before, after, before, after)), conv.weight, stride=2)
    assert torch.equal(conv(x), wanted) and wanted.shape[-1] == -(-side // 2)


def test_features_of_pictures_of_any_size() -> None:
    net = EfficientNetLite0().eval()
    with torch.no_grad():
        assert net.features(torch.rand(1, 3, 40, 60)).shape == (1, 1280)
