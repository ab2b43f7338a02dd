"""Teaches a small net to see in maps what VGG16 sees in pictures: python tools/train_map_features.py SQUARES WORK

    python tools/train_map_features.py squares-160 features-4 --passes 4 --minutes 40

SQUARES is what `autoencoder_pictures.py --side 160` wrote. Each pass takes every training square once, a random part of
it at 64 pixels, and makes its map by `autoencoder-4`; to every four such come one drawn by the trunk of
`latent-pair-4`, with noise on its map, since a critic has to see in such maps, too. VGG16 (`zeuxis data weights add`)
looks at the pictures; its relu3_3, 4_3 and 5_3, by random directions made 32, 64 and 96 channels of 16, 8 and 4 cells,
are what the net learns to tell from the map alone. WORK keeps the maps and what was seen in them in parts, so what was
stopped goes on; `WORK/features.safetensors` is the net.

Tried as the trunk of the critic of `latentgan --preset quick` in place of its own, frozen, with a few layers above
each of its three scales: KID 105 in place of 122, GAN-test .32 in place of .27, CAS .36 in place of .38 (28,800 images
of 300 photographs, against 120 held out, one seed), by a net that one pass and seven minutes of one core had taught
(0.35, 0.35 and 0.28 of the variance of what VGG16 sees in held-out pictures). It is in no recipe yet.
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zeuxis.data.dataset import Spec
from zeuxis.engine.state import build_networks
from zeuxis.nets import vgg
from zeuxis.nets.latent_maps import Residual
from zeuxis.recipes.latentgan import LatentGAN
from zeuxis.weights import packages, store

TAPS, CELLS, SEEN, WIDTHS = (6, 9, 12), (16, 8, 4), (32, 64, 96), (32, 64, 128)
SIDE, PART, OF_EACH, DRAWN = 64, 2_000, 4, 32
"""Pixels; squares of a part on the disk; batches of squares to one of drawn ones; pictures of a batch."""
SMALLEST, HELD, LR, BATCH = 88, 512, 2e-3, 48


class MapFeatures(nn.Module):
    """Maps [B, code, 16, 16], not standardised, to what is seen at three scales, [B, SEEN[i], CELLS[i], CELLS[i]]."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, code: int = 4) -> None:
        super().__init__()
        self.first = nn.Conv2d(code, WIDTHS[0], 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in zip(WIDTHS, WIDTHS[1:], strict=False))
        self.blocks = nn.ModuleList(
            nn.Sequential(*[Residual(w) for _ in range(1 + (i > 0))]) for i, w in enumerate(WIDTHS)
        )
        self.heads = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in zip(WIDTHS, SEEN, strict=True))
        self.register_buffer("mean", torch.zeros(1, code, 1, 1))
        self.register_buffer("deviation", torch.ones(1, code, 1, 1))

    def hidden(self, maps: Tensor) -> list[Tensor]:
        x = self.blocks[0](self.first((maps - self.mean) / self.deviation))
        found = [x]
        for down, block in zip(self.down, self.blocks[1:], strict=True):
            x = block(down(F.silu(x)))
            found.append(x)
        return found

    def forward(self, maps: Tensor) -> list[Tensor]:
        return [head(F.silu(x)) for head, x in zip(self.heads, self.hidden(maps), strict=True)]


class Teacher:
    """Maps of pictures, or pictures of maps, and what VGG16 sees in the pictures."""

    def __init__(self) -> None:
        networks = build_networks(LatentGAN(widths=(32, 64, 128)), Spec(3, SIDE, SIDE), 0).eval()
        self.autoencoder, self.trunk = networks["representation"].autoencoder, networks["generator"].trunk
        self.vgg = vgg.vgg16(packages.opened("lpips-vgg")[0], TAPS).eval()
        draw = torch.Generator().manual_seed(0)
        self.onto = [
            torch.linalg.qr(torch.randn(c, n, generator=draw))[0] for c, n in zip((256, 512, 512), SEEN, strict=True)
        ]

    def sees(self, image: Tensor) -> list[Tensor]:
        maps = (torch.einsum("bchw,cd->bdhw", x, onto) for x, onto in zip(self.vgg(image), self.onto, strict=True))
        return [F.adaptive_avg_pool2d(x, cells).half() for x, cells in zip(maps, CELLS, strict=True)]

    def drawn(self, like: Tensor, draw: torch.Generator) -> Tensor:
        """Maps of the pair's generator, scaled as the maps `like`, with noise."""
        mean, deviation = like.mean((0, 2, 3), keepdim=True), like.std((0, 2, 3), keepdim=True)
        maps = self.trunk(torch.randn(DRAWN, 64, generator=draw))
        noise = torch.rand(DRAWN, 1, 1, 1, generator=draw) * torch.randn(maps.shape, generator=draw)
        return (maps + 0.5 * noise) * deviation + mean


def parts_of(square: np.ndarray, draw: np.random.Generator) -> Tensor:
    """A random part of a square, mirrored or not, at SIDE pixels, in [-1, 1]."""
    side = int(draw.integers(SMALLEST, len(square) + 1))
    top, left = draw.integers(0, len(square) - side + 1, 2)
    cut = (
        torch.from_numpy(square[top : top + side, left : left + side].copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
    )
    image = F.interpolate(cut, size=SIDE, mode="bicubic", antialias=True).clamp(-1, 1)
    return image.flip(3) if draw.random() < 0.5 else image


@torch.no_grad()
def look(squares: list[np.ndarray], work: Path, passes: int) -> list[Path]:
    """Writes maps and what is seen in them, in parts; those that lie there stay."""
    teacher = Teacher()
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
            image = torch.cat([parts_of(squares[w][r - starts[w]], draw) for w, r in zip(which, rows, strict=True)])
            maps.append(teacher.autoencoder.encode(image))
            seen.append(teacher.sees(image))
            if i % OF_EACH == OF_EACH - 1:
                maps.append(teacher.drawn(torch.cat(maps), noise))
                seen.append(teacher.sees(teacher.autoencoder.decode(maps[-1]).clamp(-1, 1)))
        tensors = {f"seen{i}": torch.cat(scale) for i, scale in enumerate(zip(*seen, strict=True))}
        store.save(files[-1], {"maps": torch.cat(maps).half(), **tensors}, {"format": "zeuxis weights 1"})
        print(f"{files[-1]}: {time.monotonic() - began:.0f} s", flush=True)
    return files


def teach(files: list[Path], minutes: float) -> MapFeatures:
    found = [store.load(file)[0] for file in files]
    maps, *seen = (torch.cat([part[name] for part in found]) for name in ("maps", "seen0", "seen1", "seen2"))
    rows = torch.randperm(len(maps), generator=torch.Generator().manual_seed(0))
    held, rest, draw = rows[:HELD], rows[HELD:], torch.Generator().manual_seed(1)
    torch.manual_seed(0)
    net = MapFeatures(maps.shape[1])
    some = maps[rest[:4000]].float()
    net.mean.copy_(some.mean((0, 2, 3), keepdim=True))
    net.deviation.copy_(some.std((0, 2, 3), keepdim=True))
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
        x = maps[at].float() + 0.05 * net.deviation * torch.randn(BATCH, *maps.shape[1:], generator=draw)
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
def explained(net: MapFeatures, maps: Tensor, wanted: list[Tensor]) -> list[float]:
    answers = net(maps.float())
    return [
        round(1 - float((a - b).square().mean() / b.square().mean()), 3) for a, b in zip(answers, wanted, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("squares", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--passes", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=40.0)
    a = parser.parse_args()
    torch.set_num_threads(1)
    a.work.mkdir(parents=True, exist_ok=True)
    squares = [np.load(file, mmap_mode="r") for file in sorted(a.squares.glob("train-*.npy"))]
    net = teach(look(squares, a.work, a.passes), a.minutes)
    store.save(a.work / "features.safetensors", net.state_dict(), {"format": "zeuxis weights 1"})


if __name__ == "__main__":
    main()
