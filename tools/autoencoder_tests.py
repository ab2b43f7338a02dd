"""What the round trip of an autoencoder is measured on, by kind of picture, and how; nothing of it was trained on."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from zeuxis.data.idx import read_idx
from zeuxis.metrics.likeness import sharpness
from zeuxis.metrics.perceptual import LEAST, Features, lpips_each

COUNT = 48
"""Pictures of a kind, evenly spaced over its files."""


def centre(image: Image.Image, size: int) -> np.ndarray:
    """uint8 [size, size, 3]: the middle square, shrunk or enlarged."""
    side = min(image.size)
    left, top = ((n - side) / 2 for n in image.size)
    box = (left, top, left + side, top + side)
    return np.array(image.convert("RGB").resize((size, size), Image.Resampling.BICUBIC, box))


def spaced(found: list[Path]) -> list[Path]:
    return [found[len(found) * i // COUNT] for i in range(min(COUNT, len(found)))]


def squares(folder: Path, size: int) -> np.ndarray:
    images = []
    for path in spaced(sorted(p for p in folder.rglob("*") if p.suffix in (".jpg", ".png"))):
        with Image.open(path) as image:
            images.append(centre(image, size))
    return np.stack(images)


def boxes(folder: Path, size: int) -> np.ndarray:
    """Squares around annotated objects, with a tenth of the box more on each side."""
    noted = json.loads((folder / "annotations.json").read_text())
    names = {i["id"]: i["file_name"] for i in noted["images"]}
    images = []
    for note in noted["annotations"][:: max(1, len(noted["annotations"]) // COUNT)][:COUNT]:
        x, y, width, height = note["bbox"]
        half = 0.6 * max(width, height)
        box = (x + width / 2 - half, y + height / 2 - half, x + width / 2 + half, y + height / 2 + half)
        with Image.open(folder / names[note["image_id"]]) as image:
            images.append(centre(image.convert("RGB").crop(tuple(round(b) for b in box)), size))
    return np.stack(images)


def cifar(folder: Path) -> np.ndarray:
    sheet = np.asarray(Image.open(folder / "test_batch.webp").convert("RGB"))
    return sheet.reshape(40, 32, 25, 32, 3).swapaxes(1, 2).reshape(1000, 32, 32, 3)[:COUNT]


def garments(file: Path) -> np.ndarray:
    """28 pixels with a black border of 2."""
    grey = np.pad(np.asarray(read_idx(file))[:COUNT], ((0, 0), (2, 2), (2, 2)))
    return np.repeat(grey[..., None], 3, 3)


def kinds(held: Path, shared: Path, idx: Path | None, size: int) -> dict[str, np.ndarray]:
    """uint8 [N, H, W, 3] by kind: squares held out by file, and whole sets that were left out."""
    found = {}
    for path in sorted(held.glob("held-*.npy")):
        pixels = np.load(path)
        at = (pixels.shape[1] - size) // 2
        mine = pixels[:: max(1, len(pixels) // COUNT)][:COUNT]
        found[path.stem.removeprefix("held-")] = mine[:, at : at + size, at : at + size]
    found["trashnet-600"] = squares(shared / "trashnet-600", size)
    found["smear-256"] = squares(shared / "smear-256/images", size)
    found["cells of smear-256"] = boxes(shared / "smear-256", size)
    found["cards-224"] = boxes(shared / "cards-224", size)
    if size <= 64:
        found["cifar10, 32 px"] = cifar(shared / "cifar10-6k")
        if idx is not None:
            found["garments, 28 px"] = garments(idx)
    return found


def to_net(pixels: np.ndarray) -> Tensor:
    """[N, 3, H, W] in [-1, 1]."""
    x = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)
    return x.float().div(127.5).sub(1).to(memory_format=torch.channels_last)


@torch.no_grad()
def round_trip(net: nn.Module, pixels: np.ndarray) -> np.ndarray:
    """uint8, as given."""
    parts = [net(to_net(part)).clamp(-1, 1).add(1).mul(127.5).round() for part in np.array_split(pixels, 4)]
    return torch.cat(parts).permute(0, 2, 3, 1).byte().numpy()


def psnr(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """dB of each picture, at most 60."""
    apart = np.square(a.astype(float) - b.astype(float)).mean((1, 2, 3))
    return 10 * np.log10(255**2 / np.maximum(apart, 255**2 * 1e-6))


class Score(NamedTuple):
    """Of a kind: mean PSNR in dB, mean LPIPS, and the finest detail over that of the pictures given."""

    psnr: float
    lpips: float
    sharp: float


@torch.no_grad()
def scores(net: nn.Module, tests: dict[str, np.ndarray], trunk: Features, heads: list[Tensor]) -> dict[str, Score]:
    found = {}
    for kind, pixels in tests.items():
        after = round_trip(net, pixels)
        apart = lpips_each(to_net(after), to_net(pixels), trunk, heads) if pixels.shape[1] >= LEAST else torch.zeros(1)
        sharp = sharpness(to_net(after)) / max(sharpness(to_net(pixels)), 1e-9)
        found[kind] = Score(float(psnr(pixels, after).mean()), float(apart.mean()), sharp)
    return found


def sheet(net: nn.Module, tests: dict[str, np.ndarray], path: Path, across: int = 12, zoom: int = 2) -> None:
    """Two rows a kind: given, and after the round trip."""
    rows = []
    for pixels in tests.values():
        mine = pixels[:: max(1, len(pixels) // across)][:across]
        size = max(t.shape[1] for t in tests.values())
        for row in (mine, round_trip(net, mine)):
            larger = row.repeat(size // row.shape[1], 1).repeat(size // row.shape[1], 2)
            rows.append(np.concatenate([*larger, *[np.zeros_like(larger[0])] * (across - len(larger))], 1))
    pixels = np.concatenate(rows).repeat(zoom, 0).repeat(zoom, 1)
    Image.fromarray(pixels).save(path)
