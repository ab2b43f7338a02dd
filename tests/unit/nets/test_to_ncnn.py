import numpy as np
import pytest
import torch
from torch import nn

from tests.unit.nets.reaching import noise, randomised
from zeuxis.nets import to_ncnn
from zeuxis.nets.restoring import RestoringStack, RestoringUNet
from zeuxis.nets.upscaling import BranchedConv, PlainUpscaler, ResidualUpscaler, SpanUpscaler, folded

NETS = {
    "unet": lambda: RestoringUNet(3, 8, 3, 1),
    "unet, told the noise": lambda: RestoringUNet(1, 8, 2, 2, extra=1),
    "stack": lambda: RestoringStack(3, 12, 5),
    "stack, told the noise": lambda: RestoringStack(3, 12, 4, extra=1),
    "plain": lambda: PlainUpscaler(3, 4, 12, 3),
    "plain, grey, in branches": lambda: PlainUpscaler(1, 3, 8, 2, "nearest", BranchedConv),
    "span": lambda: SpanUpscaler(3, 2, 8, 2),
    "span, in branches, no base": lambda: SpanUpscaler(3, 2, 8, 1, "none", BranchedConv),
    "srresnet": lambda: ResidualUpscaler(3, 4, 8, 2),
    "srresnet, no norm": lambda: ResidualUpscaler(1, 3, 8, 2, ends=3, norm="none", base="bicubic"),
}


def ready(name):
    """The net in float32 and eval mode, no weight zero; batch norms have seen a batch."""
    net = NETS[name]()
    inputs = to_ncnn.files(net).inputs
    randomised(net)
    for norm in (m for m in net.modules() if isinstance(m, nn.BatchNorm2d)):
        norm.running_mean.copy_(noise(norm.num_features, name="means"))
        norm.running_var.copy_(1.5 + noise(norm.num_features, name="variances"))
    with torch.no_grad():
        for path, p in net.named_parameters():
            if path.startswith(("tail", "last")):
                p.mul_(0.2)  # an answer in the range of pictures, which the tolerance is meant for
    return net.float(), inputs


def parsed(files):
    """(kind, inputs, outputs, keys) of each layer, and the count of blobs that the file states."""
    magic, counts, *lines = files.param.decode("ascii").splitlines()
    assert magic == "7767517"
    layers, blobs = map(int, counts.split())
    assert layers == len(lines)
    found = []
    for line in lines:
        kind, _, n_in, n_out, *rest = line.split()
        n_in, n_out = int(n_in), int(n_out)
        keys = dict(word.split("=") for word in rest[n_in + n_out :])
        found.append((kind, rest[:n_in], rest[n_in : n_in + n_out], {int(k): v for k, v in keys.items()}))
    return found, blobs


@pytest.mark.parametrize("name", NETS)
def test_every_blob_is_made_once_before_it_is_read_once(name):
    layers, blobs = parsed(to_ncnn.files(NETS[name]()))
    made, read = [], []
    for _, inputs, outputs, _ in layers:
        assert set(inputs) <= set(made)
        made += outputs
        read += inputs
    assert len(made) == len(set(made)) == blobs
    assert len(read) == len(set(read))
    assert set(made) - set(read) == {to_ncnn.OUTPUT}
    assert layers[0][0] == "Input" and layers[0][2] == ["given"] and layers[-1][2] == ["learned"]


@pytest.mark.parametrize("name", NETS)
def test_every_weight_stands_in_the_file_once(name):
    net = NETS[name]()
    files = to_ncnn.files(net)
    layers, _ = parsed(files)
    tags = sum(kind in ("Convolution", "Deconvolution") for kind, *_ in layers)
    flat = folded(net)
    norms = sum(p.numel() for m in flat.modules() if isinstance(m, nn.BatchNorm2d) for p in m.parameters())
    weights = sum(p.numel() for p in flat.parameters()) - norms  # norms are part of the convolutions before them
    assert len(files.weights) == 4 * weights + 4 * tags
    stated = sum(int(k[6]) + int(k[0]) * int(k[5]) for kind, _, _, k in layers if "onvolution" in kind)
    assert stated + sum(int(k[0]) for kind, _, _, k in layers if kind == "PReLU") == weights


def test_a_stack_line_by_line():
    net = RestoringStack(1, 2, 3)
    files = to_ncnn.files(net)
    conv = "1=3 11=3 3=1 13=1 4=1 14=1 5=1"
    assert files.param.decode() == (
        "7767517\n4 4\nInput given 0 1 given\n"
        f"Convolution b1 1 1 given b1 0=2 {conv} 6=18 9=1\n"
        f"Convolution b2 1 1 b1 b2 0=2 {conv} 6=36 9=1\n"
        f"Convolution b3 1 1 b2 learned 0=1 {conv} 6=18\n"
    )
    first = net.body[0]
    assert files.weights[:4] == bytes(4)
    weights = np.frombuffer(files.weights, "<f4", count=20, offset=4)
    assert weights[:18].tolist() == first.weight.flatten().tolist()
    assert weights[18:].tolist() == first.bias.tolist()
    assert files.inputs == 1


def test_a_blob_that_two_layers_read_is_split():
    layers, _ = parsed(to_ncnn.files(RestoringUNet(1, 4, 1, 1)))
    kinds = [kind for kind, *_ in layers]
    assert kinds == ["Input", "Reorg", "Convolution", "Split"] + ["Convolution"] * 2 + [
        "BinaryOp",
        "Convolution",
        "PixelShuffle",
    ]
    split, added = layers[3], layers[6]
    assert split[1:3] == (["b2"], ["b2_0", "b2_1"])
    assert added[1] == ["b2_1", "b4"] or added[1] == ["b2_0", "b4"]


def test_writing_leaves_the_net_as_it_is():
    net = ResidualUpscaler(3, 2, 8, 1)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    assert to_ncnn.files(net).weights == to_ncnn.files(net).weights
    assert net.training and all(torch.equal(v, before[k]) for k, v in net.state_dict().items())


def test_other_nets_are_not_known():
    class Other(RestoringStack):
        pass

    assert to_ncnn.is_known(RestoringStack(1, 4, 3))
    for net in (nn.Conv2d(1, 1, 3), Other(1, 4, 3)):
        assert not to_ncnn.is_known(net)
        with pytest.raises(KeyError):
            to_ncnn.files(net)


@pytest.mark.parametrize("name", NETS)
def test_ncnn_gives_what_torch_gives(name, tmp_path):
    ncnn = pytest.importorskip("ncnn", exc_type=ImportError)
    net, inputs = ready(name)
    files = to_ncnn.files(net)
    (tmp_path / "net.param").write_bytes(files.param)
    (tmp_path / "net.bin").write_bytes(files.weights)
    opened = ncnn.Net()
    opened.opt.num_threads = 1
    opened.opt.use_fp16_packed = opened.opt.use_fp16_storage = opened.opt.use_fp16_arithmetic = False
    assert opened.load_param(str(tmp_path / "net.param")) == 0
    assert opened.load_model(str(tmp_path / "net.bin")) == 0
    channels = inputs - ("told" in name)
    given = noise(1, inputs, 24, 40, name="given").float()
    extractor = opened.create_extractor()
    extractor.input(to_ncnn.INPUT, ncnn.Mat(given[0].numpy()).clone())
    failed, learned = extractor.extract(to_ncnn.OUTPUT)
    assert failed == 0
    with torch.inference_mode():
        seen, told = given[:, :channels], given[:, channels:]
        expected = net(seen, told) if "told" in name else net(seen)
        base = to_ncnn.base_of(net, seen)
    assert float((expected - base).abs().max()) > 0.05
    torch.testing.assert_close(base + torch.from_numpy(np.array(learned))[None], expected, rtol=0, atol=1e-4)
