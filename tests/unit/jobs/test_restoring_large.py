"""Pictures in bands come out as the whole would, by the same nets and the same steps."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from zeuxis.errors import BadInput
from zeuxis.jobs.restoring import large, steps
from zeuxis.jobs.restoring.nets import Net
from zeuxis.jobs.restoring.restore import RestoreConfig, picture_of, run_batch
from zeuxis.jobs.restoring.steps import StepConfig
from zeuxis.pictures.picture import read
from zeuxis.pictures.png import read_note
from zeuxis.pictures.tiles import by_columns

pytest.importorskip("pyvips")

HEIGHT, WIDTH, TIGHT = 251, 205, 7 << 20


RADIUS = 9


def ghosts(x: torch.Tensor, radius: int = RADIUS) -> torch.Tensor:
    """Each place with its neighbours at exactly `radius` pixels, which weigh as much as itself."""
    wide = F.pad(x, (radius,) * 4, "replicate")
    h, w, last = x.shape[2], x.shape[3], 2 * radius
    corners = [wide[..., t : t + h, v : v + w] for t in (0, last) for v in (0, last)]
    return (x + torch.stack(corners).sum(0)) / 5


class Ghosts:
    """A recipe that reaches exactly as far as it says, and enlarges by `scale`."""

    receptive_field, multiple_of = RADIUS, 1

    def __init__(self, scale: int = 1) -> None:
        self.scale = scale

    def restore(self, networks, image, known=None, level=None):
        wave = torch.linspace(0.6, 1.0, self.scale).repeat(image.shape[3])
        return ghosts(image).repeat_interleave(self.scale, 2).repeat_interleave(self.scale, 3) * wave


class OnBlocks(Ghosts):
    """A recipe whose answer hangs on where blocks of 8 pixels lie."""

    receptive_field, multiple_of = 16, 8

    def restore(self, networks, image, known=None, level=None):
        blocks = F.interpolate(F.avg_pool2d(image, 8), scale_factor=8, mode="nearest")
        return 0.5 * blocks + 0.5 * ghosts(image, 16)


def net(name: str, recipe: Ghosts) -> Net:
    return Net(name, recipe, torch.nn.ModuleDict(), SimpleNamespace(channels=3, height=96, width=96), "")


NETS = {
    "repair": net("repair", Ghosts()),
    "jpeg": net("jpeg", OnBlocks()),
    "upscale-x4": net("upscale-x4", Ghosts(4)),
}


@pytest.fixture(autouse=True)
def nets(monkeypatch):
    """Small nets in place of the package's, which are told apart by what they do; bands of 64 rows."""
    monkeypatch.setattr(steps, "net_for", lambda name, means: NETS.get(name))
    monkeypatch.setattr(large, "_MOST", 64)


@pytest.fixture()
def in_bands(monkeypatch):
    monkeypatch.setattr("zeuxis.pictures.streaming.LARGE", HEIGHT * WIDTH - 1)


def photo(seed: int = 0) -> np.ndarray:
    y, x = np.mgrid[: HEIGHT + 8, : WIDTH + 8]
    grain = np.random.default_rng(seed).normal(0, 4, (*y.shape, 3))
    wave = 120 + 60 * np.sin(x / 9 + y / 31)[..., None] * np.array([1, 0.7, 0.4]) + 40 * ((x + y) // 23 % 2)[..., None]
    return np.clip(wave + grain, 0, 255).astype(np.uint8)


def compressed(path, quality: int = 15, cut: tuple[int, int] = (0, 0)):
    """A JPEG, or as PNG what was cut out of one, so that its blocks begin elsewhere."""
    buffer = io.BytesIO()
    Image.fromarray(photo()).crop((0, 0, WIDTH + cut[1], HEIGHT + cut[0])).save(buffer, "JPEG", quality=quality)
    if path.suffix == ".jpg":
        path.write_bytes(buffer.getvalue())
    else:
        Image.fromarray(np.asarray(Image.open(buffer))[cut[0] :, cut[1] :]).save(path)
    return path


def same(path, wanted) -> bool:
    """But for values that lie in the middle between two levels."""
    far = np.abs(read(path).pixels.astype(int) - wanted.pixels)
    return bool(far.max() <= 1 and (far > 0).mean() < 1e-4)


@pytest.mark.parametrize("task, recipe", [("auto", OnBlocks), ("jpeg", OnBlocks), ("jpeg", Ghosts)])
@pytest.mark.parametrize("cut", [(0, 0), (3, 5), (7, 1)])
def test_jpeg_in_bands_by_its_own_net_on_its_own_blocks_and_held_to_them(
    tmp_path, in_bands, monkeypatch, task, recipe, cut
):
    monkeypatch.setitem(NETS, "jpeg", net("jpeg", recipe()))
    path = compressed(tmp_path / "x.png", cut=cut)
    asked = RestoreConfig(task=task, memory=3 * TIGHT)
    whole = picture_of(read(path), asked)
    run_batch(str(path), str(tmp_path / "out.png"), asked)
    assert whole.used == ("jpeg",) and read_note(tmp_path / "out.png")["used"] == ["jpeg"]
    assert same(tmp_path / "out.png", whole.picture)
    loose = recipe().restore({}, torch.from_numpy(read(path).pixels[:64, :64] / 127.5 - 1.0).permute(2, 0, 1)[None])
    tight = torch.from_numpy(read(tmp_path / "out.png").pixels[:64, :64] / 127.5 - 1.0).permute(2, 0, 1)[None]
    assert (loose - tight).abs().max() * 127.5 > 5, "it was not held to what the file says"


def test_jpeg_files_are_read_with_their_tables(tmp_path, in_bands):
    path = compressed(tmp_path / "x.jpg")
    asked = RestoreConfig(memory=3 * TIGHT)
    run_batch(str(path), str(tmp_path / "out.png"), asked)
    assert read_note(tmp_path / "out.png")["why"].startswith("in its middle: JPEG quality 15")
    whole = picture_of(read(path), asked).picture.pixels.astype(int)
    assert np.abs(read(tmp_path / "out.png").pixels - whole).max() <= 6  # two decoders


def test_noise_that_was_proven_in_bands_is_held_to_what_noise_can_be(tmp_path, in_bands):
    """By limits from the middle, which is all of so small a picture."""
    plain = photo()[:HEIGHT, :WIDTH] // np.where(np.arange(WIDTH) < WIDTH // 2, 6, 1)[:, None] + 60
    noisy = plain + np.random.default_rng(1).normal(0, 20, plain.shape)
    path = tmp_path / "x.png"
    Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(path)
    run_batch(str(path), str(tmp_path / "out.png"), RestoreConfig(memory=TIGHT))
    assert read_note(tmp_path / "out.png")["why"].startswith("in its middle: noise")
    mended, whole, loose = (
        x.pixels.astype(int)
        for x in (
            read(tmp_path / "out.png"),
            picture_of(read(path), RestoreConfig(memory=TIGHT)).picture,
            picture_of(read(path), RestoreConfig(task="denoise", memory=TIGHT)).picture,
        )
    )
    inner = (slice(8, -8), slice(8, -8))  # at the border the one mirrors what was given, the other what was taken
    assert (np.abs(mended - whole)[inner] > 1).mean() < 1e-3
    assert (np.abs(loose - whole) > 1).mean() > 0.1, "it was not held"


def test_noise_and_strength_in_bands(tmp_path, in_bands):
    noisy = photo() + np.random.default_rng(1).normal(0, 25, photo().shape)
    path = tmp_path / "x.png"
    Image.fromarray(np.clip(noisy[:HEIGHT, :WIDTH], 0, 255).astype(np.uint8)).save(path)
    asked = RestoreConfig(task="denoise", strength=0.6, memory=TIGHT)
    run_batch(str(path), str(tmp_path / "out.png"), asked)
    assert read_note(tmp_path / "out.png")["used"] == ["repair"]
    assert same(tmp_path / "out.png", picture_of(read(path), asked).picture)


def test_the_grid_of_a_sample_is_that_of_the_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(large, "SAMPLE", 120)
    plan, found = large.plan_for(compressed(tmp_path / "x.png", cut=(3, 5)), "auto")
    assert plan.steps == ("unblock",) and found.step == "unblock" and found.grid == (5, 3)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("method", ["net", "bicubic"])
@pytest.mark.parametrize("memory", [TIGHT, 1 << 30])
def test_enlarging_in_bands(tmp_path, in_bands, monkeypatch, scale, method, memory):
    path, seen = tmp_path / "x.png", []
    Image.fromarray(photo()[:HEIGHT, :WIDTH]).save(path)
    asked = RestoreConfig(scale=scale, method=method, memory=memory)
    whole = picture_of(read(path), asked)
    enlarged = steps.enlarged
    monkeypatch.setattr(steps, "enlarged", lambda x, *rest: seen.append(tuple(x.shape[2:])) or enlarged(x, *rest))
    run_batch(str(path), str(tmp_path / "out.png"), asked)
    assert read(tmp_path / "out.png").size == (HEIGHT * scale, WIDTH * scale)
    assert same(tmp_path / "out.png", whole.picture)
    assert read_note(tmp_path / "out.png")["used"] == list(whole.used)
    assert max(height for height, _ in seen) < HEIGHT / 2
    assert max(height * width for height, width in seen) < HEIGHT * WIDTH / (8 if memory == TIGHT else 2)


@pytest.mark.parametrize("mirrored", [False, True])
def test_columns_one_after_the_other_give_the_band(mirrored):
    part, widths = torch.from_numpy(photo()[:40, :200] / 127.5 - 1.0).permute(2, 0, 1)[None], []
    whole = ghosts(part)

    def function(some):
        widths.append(some.shape[3])
        return ghosts(some)

    made = by_columns(function, part, 50, RADIUS, into=part if mirrored else None)
    assert torch.equal(made[..., RADIUS:-RADIUS], whole[..., RADIUS:-RADIUS]) and (made is part) == mirrored
    assert mirrored or torch.equal(made, whole)
    assert widths == [50 + (1 + (mirrored or i in (1, 2))) * RADIUS for i in range(4)]


def test_the_mixed_net_of_the_slider_in_bands(tmp_path, in_bands, monkeypatch):
    mixed = net("mixed", Ghosts(4))
    monkeypatch.setattr(steps, "_between", lambda first, last, fidelity: mixed)
    path, asked = tmp_path / "x.png", RestoreConfig(scale=3, fidelity=0.3, memory=1 << 30)
    Image.fromarray(photo()[:HEIGHT, :WIDTH]).save(path)
    run_batch(str(path), str(tmp_path / "out.png"), asked)
    assert read_note(tmp_path / "out.png")["used"] == ["mixed, then bicubic"]
    assert same(tmp_path / "out.png", picture_of(read(path), asked).picture)


def test_enlarging_with_alpha_in_bands(tmp_path, in_bands):
    alpha = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 1), np.uint8)
    Image.fromarray(np.concatenate([photo()[:HEIGHT, :WIDTH], alpha], 2)).save(tmp_path / "x.png")
    asked = RestoreConfig(scale=2, memory=TIGHT)
    run_batch(str(tmp_path / "x.png"), str(tmp_path / "out.png"), asked)
    whole = picture_of(read(tmp_path / "x.png"), asked).picture
    assert np.array_equal(read(tmp_path / "out.png").alpha, whole.alpha)


def test_what_a_large_file_loses_is_said(tmp_path, in_bands, capsys):
    deep = np.random.default_rng(0).integers(0, 65536, (HEIGHT, WIDTH), np.uint16)
    Image.fromarray(deep).save(tmp_path / "x.png")
    run_batch(str(tmp_path / "x.png"), str(tmp_path / "out.jpg"), RestoreConfig(task="denoise", memory=TIGHT))
    assert "16 bits became 8: JPEG holds no more" in capsys.readouterr().err


def test_less_memory_gives_smaller_bands():
    bands = large._Bands(4, 10, 1, 285, 256 << 20)
    assert bands.rows(1000) == large._MOST and bands.rows(20_000) < bands.rows(10_000) <= large._MOST
    for width in (10_000, 20_000):
        assert (bands.rows(width) + 2 * bands.halo) * width * 285 <= 256 << 20


@pytest.mark.parametrize("scale", [2, 3])
def test_a_run_that_enlarges_less_is_named(tmp_path, monkeypatch, scale):
    monkeypatch.setattr(steps, "net_for", lambda name, means: net("own", Ghosts(scale - 1)))
    path = tmp_path / "x.png"
    Image.fromarray(photo()).save(path)
    with pytest.raises(BadInput, match=f"enlarges {scale - 1} times, not {scale}"):
        large.upscale_large(path, tmp_path / "out.png", scale, StepConfig(), {}, print)
    assert not (tmp_path / "out.png").exists()


def test_a_run_that_enlarges_does_not_restore(tmp_path, in_bands, monkeypatch):
    monkeypatch.setattr(steps, "net_for", lambda name, means: net("own", Ghosts(2)))
    with pytest.raises(BadInput, match="use `zeuxis upscale`"):
        run_batch(str(compressed(tmp_path / "x.png")), str(tmp_path / "out.png"), RestoreConfig(task="denoise"))
    assert not (tmp_path / "out.png").exists()


def test_grey_pictures_have_a_net_of_their_own(monkeypatch):
    assert steps.restorer(1, StepConfig()).name == "repair" and steps.unblocker(1, StepConfig()).name == "jpeg"
    monkeypatch.setitem(NETS, "repair-grey", net("repair-grey", Ghosts()))
    assert steps.restorer(1, StepConfig()).name == "repair-grey" and steps.restorer(3, StepConfig()).name == "repair"
    monkeypatch.delitem(NETS, "jpeg")
    assert steps.unblocker(1, StepConfig()).name == "repair-grey"
    monkeypatch.setitem(NETS, "repair", net("repair", Ghosts(2)))
    with pytest.raises(BadInput, match="use `zeuxis upscale`"):
        steps.restorer(3, StepConfig())
