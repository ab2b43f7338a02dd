"""Trains the autoencoders on whose maps a generator can play: python tools/train_autoencoder.py SQUARES RUN

    python tools/train_autoencoder.py squares-96 ae4 --factor 4 --steps 6000
    python tools/train_autoencoder.py squares-160 ae4-sharp --steps 3000 --start-from ae4 --adversarial 0.1 --noise 0.4

SQUARES is what `autoencoder_pictures.py` wrote; RUN is a folder that is made, or gone on with where it stopped
(every 100 steps, and at SIGTERM, there is a checkpoint).
Mean absolute error, LPIPS by VGG16 (`zeuxis data weights add`; on a window of half the side, which moves with every
step) and 1e-4 of the mean square of the map; the decoder sees the map with noise of up to `--noise` of its deviation,
a level for each picture, so that it draws pictures from maps that a generator missed by a little. With
`--adversarial` the decoder alone is trained on, against a critic of patches that compares each picture with its round
trip (relativistic pairs, R1 and R2 as `r3gan`): without, it blurs what it does not know. Every `--every` steps the
averaged weights are measured on pictures that were held out, by kind: PSNR, LPIPS by AlexNet, which taught nothing
here, and sharpness over that of the pictures. One thread, products in bfloat16 where the processor has such.
`RUN/weights.safetensors` (half precision) and `RUN/sheet.png` are the last averaged weights'.
"""

import argparse
import copy
import json
import math
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import autoencoder_tests as tests
import numpy as np
import torch
from torch import Tensor, nn

from zeuxis.engine.compute import has_bf16
from zeuxis.losses.adversarial import relativistic_critic, relativistic_generator
from zeuxis.losses.penalties import gradient, squared_norm
from zeuxis.nets import vgg
from zeuxis.nets.critics import PatchCritic
from zeuxis.nets.latent_maps import MapAutoencoder
from zeuxis.weights import packages, store

TAPS = (1, 3, 6, 9)
"""VGG16's relu1_2, 2_2, 3_3 and 4_3; the fifth of LPIPS sees nothing in so small a window."""
SIZE, AVERAGE, WARM_UP, LONGEST = 1e-4, 0.999, 0.02, 1.0
GAMMA, LAZY, ALONE, FASTER = 0.01, 4, 150, 2
"""Of the critic: weight of the penalties of its slope, per patch; every how many steps they are taken; steps that it
learns before the decoder heeds it; its rate over the decoder's."""


@dataclass(frozen=True)
class Plan:
    factor: int
    crop: int
    batch: int
    steps: int
    lr: float
    perceptual: float
    adversarial: float
    noise: float
    seed: int


HALF = has_bf16("cpu")
PRODUCTS = torch.bfloat16 if HALF else torch.float32


class Teacher:
    """LPIPS by VGG16, between two batches [B, 3, H, W] in [-1, 1]."""

    def __init__(self) -> None:
        tensors, _ = packages.opened("lpips-vgg")
        self.trunk = vgg.vgg16(tensors, TAPS).to(PRODUCTS).to(memory_format=torch.channels_last)
        self.heads = [h.to(PRODUCTS) for h in vgg.heads(tensors)[: len(TAPS)]]

    def __call__(self, image: Tensor, target: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = [unit(t) for t in self.trunk(target.to(PRODUCTS))]
        got = [unit(t) for t in self.trunk(image.to(PRODUCTS))]
        apart = [(g - w).square().permute(0, 2, 3, 1) @ h for g, w, h in zip(got, wanted, self.heads, strict=True)]
        return torch.stack([a.float().mean() for a in apart]).sum()


def unit(maps: Tensor) -> Tensor:
    return maps * maps.square().sum(1, keepdim=True, dtype=torch.float32).add(1e-8).rsqrt().to(maps.dtype)


class Squares:
    """All squares of a folder; a batch is a function of seed and step."""

    def __init__(self, folder: Path) -> None:
        self.pools = [np.load(p, mmap_mode="r") for p in sorted(folder.glob("train-*.npy"))]
        self.ends = np.cumsum([len(p) for p in self.pools])

    def batch(self, plan: Plan, step: int) -> Tensor:
        rng = np.random.default_rng([plan.seed, step])
        return tests.to_net(np.stack([self.one(rng, plan.crop) for _ in range(plan.batch)]))

    def any(self, rng: np.random.Generator) -> np.ndarray:
        at = int(rng.integers(self.ends[-1]))
        pool = int(np.searchsorted(self.ends, at, "right"))
        return self.pools[pool][at - int(self.ends[pool])]

    def one(self, rng: np.random.Generator, crop: int) -> np.ndarray:
        """A crop of one square, or of four at half the size: whole scenes in few pixels are what people bring."""
        pixels = self.any(rng) if rng.random() < 0.7 else quarters([self.any(rng) for _ in range(4)])
        top, left = rng.integers(0, len(pixels) - crop + 1, 2)
        return varied(pixels[top : top + crop, left : left + crop], rng)


def quarters(four: list[np.ndarray]) -> np.ndarray:
    """Four squares at half their size, as one of their size."""
    wide = [x.astype(np.uint16) for x in four]
    sums = (x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2] for x in wide)
    a, b, c, d = (((x + 2) // 4).astype(np.uint8) for x in sums)
    return np.concatenate([np.concatenate([a, b], 1), np.concatenate([c, d], 1)])


def varied(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mirrored; now and then turned, in other colours, grey, inverted, or with another range."""
    if rng.random() < 0.5:
        pixels = pixels[:, ::-1]
    if rng.random() < 0.2:
        pixels = np.rot90(pixels, int(rng.integers(1, 4)))
    if rng.random() < 0.15:
        pixels = pixels[..., rng.permutation(3)]
    if rng.random() < 0.05:
        pixels = np.repeat(pixels.mean(2, keepdims=True).astype(np.uint8), 3, 2)
    if rng.random() < 0.05:
        pixels = 255 - pixels
    if rng.random() < 0.2:
        low, high = sorted(rng.integers(0, 256, 2))
        pixels = (low + pixels * ((high - low) / 255)).astype(np.uint8)
    return pixels


def rate(plan: Plan, step: int) -> float:
    """Linear warm-up, then a cosine to 0."""
    at = step / plan.steps
    return plan.lr * (at / WARM_UP if at < WARM_UP else 0.5 + 0.5 * math.cos(math.pi * (at - WARM_UP) / (1 - WARM_UP)))


class Training:
    """Nets, their averages and optimizers; what a checkpoint holds."""

    def __init__(self, plan: Plan) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.step = plan, 0
        self.net = MapAutoencoder(plan.factor).to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.net).requires_grad_(False)
        self.critic = PatchCritic(3, 32, 2).to(memory_format=torch.channels_last) if plan.adversarial else None
        learner: nn.Module = self.net.decoder if plan.adversarial else self.net
        self.optimizers = [torch.optim.Adam(learner.parameters(), plan.lr, (0.9, 0.99), fused=True)]
        if self.critic is not None:
            self.optimizers.append(torch.optim.Adam(self.critic.parameters(), plan.lr, (0.0, 0.99), fused=True))

    def start_from(self, tensors: dict[str, Tensor]) -> int:
        """Takes over every tensor whose name and shape fit: a deeper net its outer layers. How many did."""
        mine = self.net.state_dict()
        fit = {k: v.float() for k, v in tensors.items() if k in mine and mine[k].shape == v.shape}
        self.net.load_state_dict(fit, strict=False)
        self.average.load_state_dict(self.net.state_dict())
        return len(fit)

    def state(self) -> dict[str, object]:
        nets = {"net": self.net, "average": self.average} | ({"critic": self.critic} if self.critic else {})
        found: dict[str, object] = {name: net.state_dict() for name, net in nets.items()}
        return found | {"step": self.step, "optimizers": [o.state_dict() for o in self.optimizers]}

    def resume(self, state: dict) -> None:
        for name in ("net", "average", "critic"):
            if name in state:
                getattr(self, name).load_state_dict(state[name])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.step = state["step"]

    def play(self, image: Tensor, teacher: Teacher) -> dict[str, Tensor]:
        """One step of the net, and of the critic where there is one; the terms, for the log."""
        noise = torch.Generator().manual_seed(self.plan.seed << 32 | self.step)
        for optimizer, times in zip(self.optimizers, (1, FASTER), strict=False):
            optimizer.param_groups[0]["lr"] = times * rate(self.plan, self.step)
        with torch.autocast("cpu", torch.bfloat16, HALF):
            code = self.coded(image)
            spread = code.detach().std((0, 2, 3), keepdim=True)
            level = self.plan.noise * torch.rand(len(code), 1, 1, 1, generator=noise)
            seen = code + level * spread * torch.randn(code.shape, generator=noise)
            made = self.net.decode(seen).float()
        top, left = torch.randint(0, image.shape[2] // 2 + 1, (2,), generator=noise).tolist()
        half = image.shape[2] // 2
        window = (..., slice(top, top + half), slice(left, left + half))
        terms = {"pixels": (made - image).abs().mean(), "vgg": teacher(made[window], image[window])}
        loss = terms["pixels"] + self.plan.perceptual * terms["vgg"] + SIZE * code.square().mean()
        if self.critic is not None:
            terms["game"] = self.against(self.critic, image, made)
            loss = loss + self.plan.adversarial * self.balance(loss, terms["game"]) * terms["game"]
        self.descend(0, loss, self.net)
        if self.critic is not None:
            terms["critic"] = self.judge(self.critic, image, made.detach())
        self.follow()
        return {name: term.detach() for name, term in terms.items()}

    def coded(self, image: Tensor) -> Tensor:
        with torch.set_grad_enabled(self.critic is None):
            return self.net.encode(image).float()

    def balance(self, loss: Tensor, game: Tensor) -> Tensor:
        """What makes the game's gradient at the last layer as long as the other terms' (arXiv 2012.09841, eq. 7).

        0 while the critic is new, and says nothing yet.
        """
        last = self.net.decoder.last.weight
        others, own = (torch.autograd.grad(x, last, retain_graph=True)[0].norm() for x in (loss, game))
        return (others / (own + 1e-4)).clamp(max=10.0).detach() * float(self.step >= ALONE)

    def against(self, critic: nn.Module, image: Tensor, made: Tensor) -> Tensor:
        critic.requires_grad_(False)
        with torch.autocast("cpu", torch.bfloat16, HALF):
            with torch.no_grad():
                real = critic(image).float()
            fake = critic(made).float()
        critic.requires_grad_(True)
        return relativistic_generator(real, fake).mean()

    def judge(self, critic: nn.Module, image: Tensor, made: Tensor) -> Tensor:
        due = self.step % LAZY == 0
        both = torch.cat([image, made]).requires_grad_(due)
        with torch.autocast("cpu", torch.bfloat16, HALF and not due):
            logits = critic(both).float()
        real, fake = logits.chunk(2)
        loss = relativistic_critic(real, fake).mean()
        if due:
            slope = squared_norm(gradient(logits.flatten(1).sum(1), both)) / logits[0].numel()
            loss = loss + LAZY * GAMMA * slope.mean()
        self.descend(1, loss, critic)
        return loss

    def descend(self, which: int, loss: Tensor, net: nn.Module) -> None:
        self.optimizers[which].zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), LONGEST)
        self.optimizers[which].step()

    @torch.no_grad()
    def follow(self) -> None:
        self.step += 1
        share = 1 - min(AVERAGE, self.step / (self.step + 10))
        for mean, now in zip(self.average.parameters(), self.net.parameters(), strict=True):
            mean.lerp_(now, share)


class Files:
    """A run's folder: a checkpoint that is whole at any time, a log of lines, weights and a sheet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, training: Training) -> None:
        aside = self.folder / "checkpoint.aside"
        torch.save(training.state(), aside)
        os.replace(aside, self.folder / "checkpoint.pt")
        half = {name: t.half() for name, t in training.average.state_dict().items()}
        words = {"format": "zeuxis map autoencoder 1", "factor": training.plan.factor, "step": training.step}
        store.save(self.folder / "weights.safetensors", half, words | {"range": "[-1, 1]"})

    def checkpoint(self) -> dict | None:
        path = self.folder / "checkpoint.pt"
        return torch.load(path, weights_only=True) if path.exists() else None

    def note(self, **words: object) -> None:
        print(json.dumps(words), flush=True)
        with open(self.folder / "log.jsonl", "a") as file:
            file.write(json.dumps(words) + "\n")


def train(plan: Plan, squares: Squares, files: Files, held: dict[str, np.ndarray], a: argparse.Namespace) -> None:
    training, teacher = Training(plan), Teacher()
    saved = files.checkpoint()
    if saved is not None:
        training.resume(saved)
    elif a.start_from:
        file = a.start_from / "weights.safetensors" if a.start_from.is_dir() else a.start_from
        tensors, _ = store.load(file)
        files.note(taken=training.start_from(tensors), start_from=a.start_from.name)
    alex, _ = packages.opened("lpips-alex")
    judge = (vgg.alexnet(alex), vgg.heads(alex))
    started, used, sums, first = time.monotonic(), time.process_time(), {}, training.step
    files.note(**vars(plan), at=training.step)
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopped.append(number))
    while training.step < plan.steps and time.monotonic() - started < 60 * a.minutes and not stopped:
        for name, term in training.play(squares.batch(plan, training.step), teacher).items():
            sums[name] = sums.get(name, 0.0) + float(term)
        if training.step % 50 == 0:
            done = (training.step - first) * plan.batch
            means = {name: round(total / 50, 4) for name, total in sums.items()}
            speed = {"wall": round(time.monotonic() - started), "cpu": round(time.process_time() - used)}
            files.note(step=training.step, **means, **speed, pictures=done)
            sums = {}
        if training.step % a.every == 0:
            measure(training, files, held, judge)
        if training.step % 100 == 0:
            files.save(training)
    files.save(training)
    if training.step % a.every and not stopped:
        measure(training, files, held, judge)


def measure(training: Training, files: Files, held: dict[str, np.ndarray], judge: tuple) -> None:
    found = tests.scores(training.average, held, *judge)
    files.note(step=training.step, psnr={k: round(score.psnr, 2) for k, score in found.items()})
    files.note(step=training.step, lpips={k: round(score.lpips, 4) for k, score in found.items()})
    files.note(step=training.step, sharp={k: round(score.sharp, 2) for k, score in found.items()})
    tests.sheet(training.average, held, files.folder / "sheet.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("squares", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--factor", type=int, choices=(4, 8), default=4)
    parser.add_argument("--crop", type=int, default=64)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=6000, help="may be another one when a run goes on")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stops then; the same command goes on")
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--perceptual", type=float, default=0.5)
    parser.add_argument(
        "--adversarial", type=float, default=0.0, help="share of the critic in the gradient; 0: no critic"
    )
    parser.add_argument("--noise", type=float, default=0.06, help="largest deviation of the noise on the map")
    parser.add_argument("--start-from", type=Path, help="a run, or its weights, taken over where they fit")
    parser.add_argument("--every", type=int, default=500)
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared/data")
    parser.add_argument("--garments", type=Path, help="t10k-images-idx3-ubyte of Fashion-MNIST")
    parser.add_argument("--seed", type=int, default=0)
    a = parser.parse_args()
    torch.set_num_threads(1)
    plan = Plan(a.factor, a.crop, a.batch, a.steps, a.lr, a.perceptual, a.adversarial, a.noise, a.seed)
    held = tests.kinds(a.squares, a.shared, a.garments, 64 if a.factor == 4 else 128)
    train(plan, Squares(a.squares), Files(a.run), held, a)


if __name__ == "__main__":
    main()
