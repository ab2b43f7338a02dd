"""Readers of other formats: what they give on files made here, and that they run nothing and accept nothing else."""

import io
import os
import pickle
import struct

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zeuxis.errors import BadInput
from zeuxis.weights import convert


def numbers(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape) / 7


def jax_like() -> dict:
    trunk = {f"Conv_{i}": {"kernel": numbers(3, 3, 2, 4) + i, "bias": numbers(4) + i} for i in range(5)}
    return {"VGG16_0": trunk} | {f"NetLinLayer_{i}": {"Conv_0": {"kernel": numbers(1, 1, 4, 1)}} for i in range(5)}


class Command:
    def __reduce__(self):
        return os.system, ("false",)


class Hidden:
    """An allowed callable that hides a forbidden one."""

    def __reduce__(self):
        return np.dtype, (Command(),)


def test_lpips_becomes_torch_weights():
    found = convert.lpips(pickle.dumps(jax_like(), protocol=4), "VGG16_0")
    assert len(found) == 15 and found["heads.3"].tolist() == numbers(4).tolist()
    assert found["convs.2.weight"].shape == (4, 2, 3, 3) and found["convs.2.weight"].is_contiguous()
    assert float(found["convs.2.weight"][3, 1, 0, 2]) == float(numbers(3, 3, 2, 4)[0, 2, 1, 3] + 2)
    assert found["convs.4.bias"].tolist() == (numbers(4) + 4).tolist()


def test_the_old_home_of_numpy_is_known():
    data = pickle.dumps({"a": numbers(2)}, protocol=3).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert b"numpy.core.multiarray" in data and convert.arrays(data)["a"].tolist() == numbers(2).tolist()


@pytest.mark.parametrize("held", [Command(), {"a": Hidden()}, {"a": print}, {"a": torch.zeros(2)}, {"a": nn.ReLU()}])
def test_a_pickle_of_anything_else_is_refused(held):
    with pytest.raises(BadInput, match="plain arrays"):
        convert.arrays(pickle.dumps(held))


@settings(max_examples=60)
@given(st.binary(max_size=60), st.integers(0, 400), st.integers(0, 255))
def test_damaged_pickles_are_refused_or_read(junk, place, value):
    whole = bytearray(pickle.dumps({"a": numbers(3, 2)}, protocol=4))
    whole[place % len(whole)] = value
    for data in (junk, bytes(whole), bytes(whole[: place % len(whole)])):
        try:
            assert isinstance(convert.arrays(data), dict)
        except BadInput as error:
            assert "\n" not in str(error)


def saved(value: object) -> bytes:
    out = io.BytesIO()
    torch.save(value, out)
    return out.getvalue()


def test_state_reads_plain_tensors_alone():
    state = {"module.a.weight": torch.ones(2), "b": torch.zeros(1)}
    assert set(convert.state(saved(state))) == {"a.weight", "b"}
    assert set(convert.state(saved({"params": state}))) == {"a.weight", "b"}
    for data in (saved(Command()), saved({"a": nn.Linear(1, 1)}), saved({}), saved([torch.ones(1)]), b"", b"no"):
        with pytest.raises(BadInput) as told:
            convert.state(data)
        assert "\n" not in str(told.value)


def test_batch_norms_are_folded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1, bias=False),
            nn.ReLU(),
            nn.Conv2d(4, 4, 3, padding=1, bias=False),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Conv2d(4, 2, 3, padding=1),
        )
        for p in net[3].parameters():
            nn.init.normal_(p)
        net.train()(torch.randn(8, 2, 9, 9) + 1)
        image = torch.randn(1, 2, 7, 7)
    found = convert.stack(saved(net.state_dict()))
    assert sorted(found) == [f"{i}.{what}" for i in range(3) for what in ("bias", "weight")]
    x = image
    for i in range(3):
        x = nn.functional.conv2d(x, found[f"{i}.weight"], found[f"{i}.bias"], padding=1)
        x = x.relu() if i < 2 else x
    assert torch.allclose(x, net.eval()(image), atol=1e-5)


PARAM = """7767517
5 5
Input                    data                     0 1 data
Convolution              Conv_0                   1 1 data a 0=3 1=3 4=1 5=1 6=54 9=2 -23310=1,2.000000e-01
PReLU                    PRelu_1                  1 1 a b 0=3
Convolution              Conv_2                   1 1 b c 0=1 1=1 6=3
PixelShuffle             shuffle                  1 1 c out 0=1
"""


def ncnn_bytes() -> bytes:
    half = numbers(3, 2, 3, 3).astype("<f2").tobytes()
    first = struct.pack("<I", 0x01306B47) + half + b"\0" * (-len(half) % 4) + numbers(3).tobytes()
    return first + (-numbers(3)).tobytes() + struct.pack("<I", 0) + numbers(3).tobytes()


def test_ncnn_layers_in_order():
    found = convert.ncnn(PARAM, ncnn_bytes())
    assert set(found) == {"0.weight", "0.bias", "1.weight", "2.weight", "2.bias"}
    assert found["0.weight"].shape == (3, 2, 3, 3) and found["2.weight"].shape == (1, 3, 1, 1)
    assert torch.equal(found["0.weight"], torch.from_numpy(numbers(3, 2, 3, 3).astype(np.float16).astype(np.float32)))
    assert found["0.bias"].tolist() == numbers(3).tolist() and found["1.weight"].tolist() == (-numbers(3)).tolist()
    assert found["2.bias"].tolist() == [0]


def test_ncnn_weights_of_odd_length_are_padded():
    param = PARAM.replace("0=3 1=3 4=1 5=1 6=54", "0=1 1=3 4=1 5=1 6=9").replace("b 0=3", "b 0=1").replace("6=3", "6=1")
    half = numbers(9).astype("<f2").tobytes() + b"\0\0"
    rest = numbers(1).tobytes() * 2 + struct.pack("<I", 0) + numbers(1).tobytes()
    assert convert.ncnn(param, struct.pack("<I", 0x01306B47) + half + rest)["0.weight"].shape == (1, 1, 3, 3)


@pytest.mark.parametrize(
    ("param", "data"),
    [
        (PARAM, ncnn_bytes() + b"\0\0\0\0"),
        (PARAM, ncnn_bytes()[:-4]),
        (PARAM, b""),
        (PARAM, struct.pack("<I", 0x000D4B38) + ncnn_bytes()[4:]),
        (PARAM.replace("PixelShuffle", "MemoryData"), ncnn_bytes()),
        (PARAM.replace("9=2", "9=4"), ncnn_bytes()),
        (PARAM.replace("0=3 1=3", "0=5 1=3"), ncnn_bytes()),
        (PARAM.replace("6=54", "6=-2"), ncnn_bytes()),
        (PARAM.replace("6=54", "6=many"), ncnn_bytes()),
        ("7767517\n1 1\nConvolution", b""),
    ],
)
def test_ncnn_that_does_not_fit_is_refused(param, data):
    with pytest.raises(BadInput):
        convert.ncnn(param, data)
