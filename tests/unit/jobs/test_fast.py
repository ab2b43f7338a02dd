import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from zeuxis.data.dataset import Spec
from zeuxis.draw import Draw
from zeuxis.jobs.restoring import fast, nets
from zeuxis.nets import to_ncnn
from zeuxis.recipes.compact import Compact
from zeuxis.recipes.inpaint import Inpaint
from zeuxis.recipes.restorer import Restorer
from zeuxis.weights import store


class Standing:
    """A module in the place of ncnn whose nets learned `value` everywhere, at twice the size."""

    def __init__(self, value=0.0):
        self.value, self.seen, self.opened = value, None, []

    def Net(self):
        net = SimpleNamespace(opt=SimpleNamespace(use_bf16_storage=True, use_fp16_storage=True, use_fp16_packed=True))
        net.load_param = net.load_model = lambda path: self.opened.append(path) or 0
        net.create_extractor = lambda: self
        return net

    def Mat(self, pixels):
        assert pixels.dtype == np.float32 and pixels.flags.c_contiguous
        self.seen = pixels
        return SimpleNamespace(clone=lambda: pixels)

    def input(self, name, pixels):
        assert name == to_ncnn.INPUT

    def extract(self, name):
        assert name == to_ncnn.OUTPUT
        channels, height, width = self.seen.shape
        return 0, np.full((channels, 2 * height, 2 * width), self.value, np.float32)


def made(recipe, channels=3):
    spec = Spec(channels, 32, 32)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        networks = recipe.networks(spec).requires_grad_(False).eval()
    return nets.Net("test", recipe, networks, spec, store.content_hash(networks.state_dict()))


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ZEUXIS_CACHE", str(tmp_path))
    monkeypatch.delenv(fast.SWITCH, raising=False)
    return tmp_path


@pytest.fixture
def small():
    """An untrained net that learned nothing: its answer is its base."""
    return made(Compact(scale=2, width=8, blocks=1))


def stand_in(monkeypatch, value=0.0, ncnn=1.0, torchs=2.0, share=1.0):
    module, asked = Standing(value), []
    monkeypatch.setitem(sys.modules, "ncnn", module)
    found = {"ncnn": ncnn, "torch": torchs, "share": share}
    monkeypatch.setattr(fast, "_seconds", lambda *given: asked.append(given) or found)
    return module, asked


def prefer_ncnn(monkeypatch):
    monkeypatch.setattr(fast, "_seconds", lambda *given: {"ncnn": 1.0, "torch": 2.0, "share": 0.0})


def test_without_ncnn_nothing_changes(small, empty_cache, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ncnn", None)  # as if not installed
    assert fast.fast_function(small) is None
    assert fast.quickened(small) is small
    assert not any(empty_cache.iterdir())
    assert capsys.readouterr() == ("", "")


def test_it_can_be_switched_off(small, empty_cache, monkeypatch):
    stand_in(monkeypatch)
    assert fast.quickened(small, wanted=False) is small
    monkeypatch.setenv(fast.SWITCH, "0")
    assert fast.quickened(small) is small
    assert not any(empty_cache.iterdir())
    monkeypatch.setenv(fast.SWITCH, "1")
    assert fast.quickened(small) is not small


def test_a_body_that_ncnn_is_not_taught_stays_with_torch(monkeypatch):
    stand_in(monkeypatch)
    net = made(Inpaint(**Inpaint.presets["tiny"]))
    assert fast.quickened(net) is net


def test_the_faster_one_is_taken_and_remembered(small, empty_cache, monkeypatch):
    module, asked = stand_in(monkeypatch)
    quick = fast.quickened(small, threads=1)
    assert quick is not small and len(asked) == 1
    assert fast.quickened(small, threads=1) is not small and len(asked) == 1
    folder = empty_cache / "fast" / small.sha256
    assert sorted(p.name for p in folder.iterdir()) == ["net.bin", "net.param", "timing.json"]
    assert {str(folder / "net.param"), str(folder / "net.bin")} == set(module.opened)
    record = json.loads((folder / "timing.json").read_text())
    assert record["seconds"] == {"ncnn": 1.0, "torch": 2.0, "share": 1.0} and record["machine"]["cores"] == fast.cores()


def test_the_slower_one_is_not_taken(small, monkeypatch):
    stand_in(monkeypatch, ncnn=2.0, torchs=1.0)
    assert fast.fast_function(small) is None
    assert fast.fast_function(small, timed=False) is not None


def test_what_was_measured_on_a_crowded_machine_is_not_remembered(small, empty_cache, monkeypatch):
    _, asked = stand_in(monkeypatch, share=0.5)
    assert fast.fast_function(small) is not None and fast.fast_function(small) is not None
    assert len(asked) == 2
    assert not list(empty_cache.rglob("timing.json"))


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"seconds": {"ncnn": 1}}', b'{"machine": {}, "seconds": 3}'])
def test_a_measurement_that_cannot_be_read_or_is_another_machines_is_made_again(
    small, empty_cache, monkeypatch, damage
):
    _, asked = stand_in(monkeypatch)
    fast.fast_function(small)
    path = empty_cache / "fast" / small.sha256 / "timing.json"
    whole = path.read_bytes()
    path.write_bytes(damage)
    assert fast.fast_function(small) is not None and len(asked) == 2
    assert path.read_bytes() == whole
    fast.fast_function(small, threads=fast.threads_here() + 1)
    assert len(asked) == 3


def test_a_damaged_file_is_written_again(small, empty_cache, monkeypatch):
    stand_in(monkeypatch)
    fast.fast_function(small)
    folder = empty_cache / "fast" / small.sha256
    whole = {name: (folder / name).read_bytes() for name in ("net.param", "net.bin")}
    files = to_ncnn.files(small.networks["upscaler"])
    assert whole == {"net.param": files.param, "net.bin": files.weights}
    (folder / "net.bin").write_bytes(whole["net.bin"][:-3] + b"bad")
    (folder / "net.param").unlink()
    fast.fast_function(small)
    assert whole == {name: (folder / name).read_bytes() for name in whole}


@pytest.mark.parametrize("value", [2e-4, float("nan")])
def test_an_answer_unlike_torchs_is_refused_in_one_line(small, monkeypatch, capsys, value):
    stand_in(monkeypatch, value)
    assert fast.quickened(small) is small
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "torch does the work" in err


def test_a_cache_that_cannot_be_written_is_no_error(small, empty_cache, monkeypatch, capsys):
    stand_in(monkeypatch)
    (empty_cache / "fast").write_text("a file where a folder is needed")
    assert fast.quickened(small) is small
    assert capsys.readouterr().err.count("\n") == 1


def test_what_ncnn_refuses_is_no_error(small, monkeypatch, capsys):
    module, _ = stand_in(monkeypatch)
    net = module.Net()
    net.load_param = lambda path: -1
    monkeypatch.setattr(module, "Net", lambda: net)
    assert fast.quickened(small) is small
    assert "ncnn cannot read" in capsys.readouterr().err


def test_the_options_keep_float32(small, monkeypatch):
    module, _ = stand_in(monkeypatch)
    net = module.Net()
    monkeypatch.setattr(module, "Net", lambda: net)
    assert fast.fast_function(small, threads=3) is not None
    assert vars(net.opt) == {
        "num_threads": 3,
        "use_winograd_convolution": True,
        "use_sgemm_convolution": True,
        "use_fp16_packed": False,
        "use_fp16_storage": False,
        "use_bf16_storage": False,
    }


def test_threads(monkeypatch):
    monkeypatch.setattr(fast, "cores", lambda: 4)
    for value, expected in {"1": 1, "3": 3, "9": 4, "0": 4, "": 4, "4,2": 4}.items():
        monkeypatch.setenv("OMP_NUM_THREADS", value)
        assert fast.threads_here() == expected


@pytest.mark.parametrize(
    "recipe",
    [Restorer(width=8, levels=2, blocks=1), Restorer(body="plain", width=8, levels=1), Compact(width=8, blocks=2)],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_job_gets_the_same_picture_from_ncnn(recipe, channels, monkeypatch):
    pytest.importorskip("ncnn", exc_type=ImportError)
    prefer_ncnn(monkeypatch)
    net = made(recipe, channels)
    image = Draw(1).at("picture").uniform(1, channels, 37, 50, low=-1.0, high=1.0)
    quick = fast.quickened(net, threads=1)
    assert any(isinstance(network, fast.Quick) for network in quick.networks.values())
    torch.testing.assert_close(nets.apply(quick, image), nets.apply(net, image), rtol=0, atol=1e-4)


def test_a_net_that_is_told_the_noise_still_is(monkeypatch):
    pytest.importorskip("ncnn", exc_type=ImportError)
    prefer_ncnn(monkeypatch)
    net = made(Restorer(width=8, levels=2, blocks=1, noise_map=True))
    with torch.no_grad():
        net.networks["restorer"].tail.weight.mul_(30)  # so that the level can be seen in the answer
    net = replace(net, sha256=store.content_hash(net.networks.state_dict()))
    quick = fast.quickened(net, threads=1)
    assert quick is not net
    image = Draw(1).at("picture").uniform(1, 3, 24, 32, low=-0.5, high=0.5)
    few, many = torch.full((1, 1, 1, 1), 5.0), torch.full((1, 1, 1, 1), 80.0)
    a, b = (nets.apply(quick, image, level=level) for level in (few, many))
    assert float((a - b).abs().max()) > 1e-3
    torch.testing.assert_close(b, nets.apply(net, image, level=many), rtol=0, atol=1e-4)


def test_a_batch_goes_through_one_by_one():
    pytest.importorskip("ncnn", exc_type=ImportError)
    net = made(Compact(scale=3, width=8, blocks=1, skip="nearest"))
    torch.nn.init.constant_(net.networks["upscaler"].last.bias, 0.125)
    function = fast.fast_function(net, threads=1, timed=False)
    images = Draw(2).at("picture").uniform(2, 3, 9, 8, low=-1.0, high=1.0).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        torch.testing.assert_close(function(images), net.networks["upscaler"](images), rtol=0, atol=1e-4)


def test_a_measurement_takes_the_better_of_two_after_a_first(monkeypatch):
    """A clock of the test: ncnn takes 0.05 seconds at first, then 0.1 and 0.3; torch 0.2 always; or both long."""
    now = 0.0

    def taking(*times):
        left = iter(times)

        def function(image):
            nonlocal now
            now += next(left)

        return function

    clock = SimpleNamespace(perf_counter=lambda: now, process_time=lambda: now / 2)
    monkeypatch.setattr(fast, "time", clock)
    found = fast._seconds(taking(0.05, 0.1, 0.3), taking(0.2, 0.2, 0.2), None)
    assert found == pytest.approx({"ncnn": 0.1, "torch": 0.2, "share": 0.5})
    assert fast._seconds(taking(3.0), taking(1.0), None) == pytest.approx({"ncnn": 3.0, "torch": 1.0, "share": 0.5})
