"""Teaches a small net to see in maps what VGG16 sees in pictures: python tools/train_map_features.py SQUARES WORK

    python tools/train_map_features.py squares-160 features-4 --passes 4 --minutes 30 --bundle

SQUARES is what `autoencoder_pictures.py --side 160` wrote. Each pass takes every training square once, a random part of
it at 64 or 96 pixels, and makes its map by `autoencoder-4` or `-8`; to every four batches comes one of maps as a
generator draws them, by the trunk of `latent-pair-FACTOR`, since a critic has to see in such maps, too.
VGG16 (`zeuxis data weights add`) looks at the pictures; its relu3_3, 4_3 and 5_3, by random directions made 32, 64 and
96 channels, are what the net learns to tell from the map alone. WORK keeps the maps and what was seen in them in parts,
so what was stopped goes on; `WORK/features.safetensors` is the net. `--bundle` puts it into the package, in eight bits
each; the card, `map-features-FACTOR.md` beside it, is written by hand.
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from bundle import LICENCE
from torch import Tensor, nn
from torch.nn import functional as F

from zeuxis.engine.state import fitting
from zeuxis.nets import vgg
from zeuxis.nets.latent_codes import CODE
from zeuxis.nets.latent_gan import GeneratorTrunk
from zeuxis.nets.latent_maps import MapAutoencoder
from zeuxis.nets.map_features import WIDTHS, MapFeatures
from zeuxis.recipes.latentgan import PRETRAINED
from zeuxis.weights import bundled, packages, store

TAPS, SEEN = (6, 9, 12), (32, 64, 96)
SIDES, SMALLEST = {4: 64, 8: 96}, {4: 88, 8: 112}
"""Pixels of the pictures, and of the smallest part of a square that becomes one."""
PART, OF_EACH, DRAWN = 2_000, 4, 32
"""Squares of a part on the disk; batches of squares to one of drawn ones; pictures of a batch."""
HELD, LR, BATCH = 512, 2e-3, 48


class Taught(nn.Module):
    """The net, and what it answers at each scale, [B, SEEN[i], h >> i, w >> i], which stays out of the package."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.features = MapFeatures(code)
        self.heads = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in zip(WIDTHS, SEEN, strict=True))

    def forward(self, maps: Tensor) -> list[Tensor]:
        return [head(x) for head, x in zip(self.heads, self.features(maps), strict=True)]


def of_package(module: nn.Module, name: str, called: str) -> nn.Module:
    """The module with its weights among those of the package, where it has this name."""
    module.load_state_dict(fitting(store.load(bundled.path_of(name))[0], module, called))
    return module


class Teacher:
    """Maps of pictures, or pictures of maps, and what VGG16 sees in the pictures."""

    def __init__(self, factor: int) -> None:
        self.side, self.smallest = SIDES[factor], SMALLEST[factor]
        self.autoencoder = of_package(MapAutoencoder(factor), f"autoencoder-{factor}", "restorer").eval()
        widths, latent, _ = PRETRAINED
        trunk = GeneratorTrunk(latent + CODE, widths, self.autoencoder.code, (16, 16), 1.0)
        self.trunk = of_package(trunk, f"latent-pair-{factor}", "generator.trunk")
        self.vgg = vgg.vgg16(packages.opened("lpips-vgg")[0], TAPS).eval()
        self.cells = [(self.side // factor) >> i for i in range(len(SEEN))]
        draw = torch.Generator().manual_seed(0)
        self.onto = [
            torch.linalg.qr(torch.randn(c, n, generator=draw))[0] for c, n in zip((256, 512, 512), SEEN, strict=True)
        ]

    def sees(self, image: Tensor) -> list[Tensor]:
        maps = (torch.einsum("bchw,cd->bdhw", x, onto) for x, onto in zip(self.vgg(image), self.onto, strict=True))
        return [F.adaptive_avg_pool2d(x, cells).half() for x, cells in zip(maps, self.cells, strict=True)]

    def drawn(self, like: Tensor, draw: torch.Generator) -> Tensor:
        """Maps of the pair's generator, scaled as the maps `like`, with noise."""
        mean, deviation = like.mean((0, 2, 3), keepdim=True), like.std((0, 2, 3), keepdim=True)
        maps = self.trunk(torch.randn(DRAWN, self.trunk.dense.in_features, generator=draw))
        noise = torch.rand(len(maps), 1, 1, 1, generator=draw) * torch.randn(maps.shape, generator=draw)
        return (maps + 0.5 * noise) * deviation + mean


def part_of(square: np.ndarray, smallest: int, to: int, draw: np.random.Generator) -> Tensor:
    """A random part of a square, mirrored or not, at `to` pixels, in [-1, 1]."""
    side = int(draw.integers(smallest, len(square) + 1))
    top, left = draw.integers(0, len(square) - side + 1, 2)
    cut = (
        torch.from_numpy(square[top : top + side, left : left + side].copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
    )
    image = F.interpolate(cut, size=to, mode="bicubic", antialias=True).clamp(-1, 1)
    return image.flip(3) if draw.random() < 0.5 else image


@torch.no_grad()
def look(squares: list[np.ndarray], work: Path, passes: int, factor: int) -> list[Path]:
    """Writes maps and what is seen in them, in parts; those that lie there stay."""
    teacher = Teacher(factor)
    order = np.concatenate([np.random.default_rng(p).permutation(sum(map(len, squares))) for p in range(passes)])
    starts, files = np.cumsum([0, *map(len, squares)]), []
    for k in range(0, len(order), PART):
        files.append(work / f"part-{k // PART:03}.safetensors")
        if files[-1].exists():
            continue
        began, draw, noise = time.monotonic(), np.random.default_rng([7, k]), torch.Generator().manual_seed(k)
        maps: list[Tensor] = []
        seen: list[list[Tensor]] = []
        for i, rows in enumerate(np.array_split(order[k : k + PART], -(-len(order[k : k + PART]) // DRAWN))):
            which = np.searchsorted(starts, rows, "right") - 1
            cut = (squares[w][r - starts[w]] for w, r in zip(which, rows, strict=True))
            image = torch.cat([part_of(square, teacher.smallest, teacher.side, draw) for square in cut])
            maps.append(teacher.autoencoder.encode(image))
            seen.append(teacher.sees(image))
            if i % OF_EACH == OF_EACH - 1:
                maps.append(teacher.drawn(torch.cat(maps), noise))
                seen.append(teacher.sees(teacher.autoencoder.decode(maps[-1]).clamp(-1, 1)))
        tensors = {f"seen{i}": torch.cat(scale) for i, scale in enumerate(zip(*seen, strict=True))}
        store.save(files[-1], {"maps": torch.cat(maps).half(), **tensors}, {"format": "zeuxis weights 1"})
        print(f"{files[-1]}: {time.monotonic() - began:.0f} s", flush=True)
    return files


def teach(files: list[Path], minutes: float) -> Taught:
    found = [store.load(file)[0] for file in files]
    maps, *seen = (torch.cat([part[name] for part in found]) for name in ("maps", "seen0", "seen1", "seen2"))
    rows = torch.randperm(len(maps), generator=torch.Generator().manual_seed(0))
    held, rest, draw = rows[:HELD], rows[HELD:], torch.Generator().manual_seed(1)
    torch.manual_seed(0)
    net = Taught(maps.shape[1])
    some = maps[rest[:4000]].float()
    net.features.mean.copy_(some.mean((0, 2, 3))[:, None, None])
    net.features.deviation.copy_(some.std((0, 2, 3))[:, None, None])
    scales = [
        (x[rest[:4000]].float().mean((0, 2, 3), True), x[rest[:4000]].float().std((0, 2, 3), keepdim=True))
        for x in seen
    ]

    def wanted(at: Tensor) -> list[Tensor]:
        return [(x[at].float() - mean) / deviation for x, (mean, deviation) in zip(seen, scales, strict=True)]

    optimizer = torch.optim.AdamW(net.parameters(), LR, (0.9, 0.99), weight_decay=0.01)
    began, step = time.process_time(), 0
    while (progress := (time.process_time() - began) / (60 * minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = LR * min(1, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * progress))
        at = rest[torch.randint(len(rest), (BATCH,), generator=draw)]
        x = maps[at].float() + 0.05 * net.features.deviation * torch.randn(BATCH, *maps.shape[1:], generator=draw)
        loss = torch.stack([(a - b).square().mean() for a, b in zip(net(x), wanted(at), strict=True)]).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        if step % 500 == 0:
            print(
                f"{step}: {float(loss.detach()):.3f}, of held-out variance {explained(net, maps[held], wanted(held))}",
                flush=True,
            )
    print(f"{step}: of held-out variance {explained(net, maps[held], wanted(held))}")
    return net


@torch.no_grad()
def explained(net: Taught, maps: Tensor, wanted: list[Tensor]) -> list[float]:
    answers = net(maps.float())
    return [
        round(1 - float((a - b).square().mean() / b.square().mean()), 3) for a, b in zip(answers, wanted, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("squares", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--factor", type=int, default=4, choices=sorted(SIDES))
    parser.add_argument("--passes", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--bundle", action="store_true")
    a = parser.parse_args()
    torch.set_num_threads(1)
    a.work.mkdir(parents=True, exist_ok=True)
    squares = [np.load(file, mmap_mode="r") for file in sorted(a.squares.glob("train-*.npy"))]
    net = teach(look(squares, a.work, a.passes, a.factor), a.minutes)
    features = {f"features.{k}": v for k, v in net.features.state_dict().items()}
    store.save(a.work / "features.safetensors", features, {"format": "zeuxis weights 1"})
    if a.bundle:
        record = {"format": "zeuxis weights 1", "range": "[-1, 1]", "licence": LICENCE, "recipe": "latentgan"}
        record |= {"purpose": {"task": "features", "factor": a.factor}}
        path = bundled.FOLDER / f"map-features-{a.factor}.safetensors"
        store.save(path, store.packed(features), record)
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {sum(t.numel() for t in features.values()):,} weights")


if __name__ == "__main__":
    main()
