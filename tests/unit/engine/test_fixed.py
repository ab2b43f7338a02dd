"""The frozen nets that losses read."""

import torch

from zeuxis.draw import Draw
from zeuxis.engine.fixed import Exact


def test_a_frozen_net_keeps_its_precision_beside_bfloat16():
    net = Exact(torch.nn.Conv2d(3, 4, 3))
    image = Draw(0).at("x").normal(2, 3, 9, 9)
    wanted = net.net(image)
    with torch.autocast("cpu", torch.bfloat16):
        assert net.net(image).dtype == torch.bfloat16
        assert torch.equal(net(image), wanted)
        assert net(image.bfloat16()).dtype == torch.float32
