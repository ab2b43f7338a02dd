"""Small run and study folders as docs/folders.md describes them: deterministic, written in milliseconds."""

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from zeuxis.augmentation.names import RIVALS
from zeuxis.draw import Draw

CLASSES = ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"]
SHA = "0123456789abcdef" * 4


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, sort_keys=True), "utf-8")


def noise(name: str, *shape: int, seed: int = 0) -> np.ndarray:
    """float32 standard normal numbers, the same for the same name."""
    return Draw(seed).at(name).normal(1, *shape)[0].numpy()


def fake_grid(rows: int, columns: int, sharp: float, channels: int = 1, side: int = 28, seed: int = 0) -> np.ndarray:
    """uint8 [H, W] or [H, W, 3]: blobs that grow out of noise as `sharp` goes from 0 to 1, one kind per row."""
    y, x = np.mgrid[0:side, 0:side] / (side - 1) * 2 - 1
    sheet = np.zeros((rows * side, columns * side, 3), np.float32)
    wobble = noise("wobble", rows * columns, 3, seed=seed)
    rough = noise("rough", rows * side, columns * side, seed=seed)
    for r in range(rows):
        for c in range(columns):
            dx, dy, size = 0.15 * wobble[r * columns + c]
            angle = np.arctan2(y - dy, x - dx)
            radius = 0.6 + size + 0.22 * np.cos((r % 5 + 1) * angle)
            blob = 1 / (1 + np.exp(18 * (np.hypot(x - dx, y - dy) - radius)))
            tint = np.array([1.0, 1.0 - 0.08 * r, 0.55 + 0.045 * r])
            sheet[r * side : (r + 1) * side, c * side : (c + 1) * side] = blob[..., None] * tint
    mixed = sharp * sheet + (1 - sharp) * (0.5 + 0.25 * rough[..., None])
    pixels = (255 * np.clip(mixed, 0, 1)).astype(np.uint8)
    return pixels[..., 0] if channels == 1 else pixels


def write_grid(path: Path, rows: int, columns: int, sharp: float, **kind: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(fake_grid(rows, columns, sharp, **kind)).save(path)


def run_header(recipe: str = "cgan", steps: int = 2400, **changes: Any) -> dict[str, Any]:
    settings = {"width": 32, "latent": 64, "lr": 2e-4, "betas": [0.0, 0.99], "augment": "diffaugment", "lazy": None}
    split = {"digest": SHA[::-1], "train": 2700, "held_out": 300}
    data = {"source": "fashion-mini", "size": None, "channels": None, "fit": "crop", "digest": SHA}
    return {
        "format": 1,
        "zeuxis": "0.1.0",
        "recipe": recipe,
        "preset": None,
        "settings": settings,
        "spec": {"channels": 1, "height": 28, "width": 28, "classes": CLASSES},
        "conditional": True,
        "sources": {"images": {**data, "items": 3000, "skipped": 2}},
        "splits": {"images": split},
        "seed": 0,
        "steps": steps,
        "batch": 64,
        "budget": {"asked": "5m", "seconds": 300.0, "images_per_second": 512.0},
        "snapshots": [],
        "compute": {"threads": 2, "channels_last": True, "fused": True, "device": "cpu"},
        "world": 1,
        "versions": {"python": "3.11.7", "torch": "2.13.0", "zeuxis": "0.1.0"},
        "command": f"zeuxis train {recipe} fashion-mini --budget 5m --run runs/first",
        **changes,
    }


def game_log(steps: int, upto: int, every: int = 10) -> Iterator[dict[str, Any]]:
    """Events of a GAN's log."""
    rough = noise("losses", steps // every + 1, 4)
    for i, step in enumerate(range(every, upto + 1, every)):
        p, (a, b, c, d) = step / steps, rough[i]
        fall = math.exp(-4 * p)
        yield {
            "kind": "step",
            "step": step,
            "images": step * 64,
            "progress": p,
            "attempt": 0,
            "terms": {
                "critic": {"hinge": float(1.2 + 0.8 * fall + 0.08 * a), "r1": float(0.05 + 0.2 * fall + 0.01 * abs(b))},
                "generator": {"hinge": float(0.4 + 0.7 * (1 - fall) + 0.1 * b)},
            },
            "watch": {
                "critic/real": float(0.9 * fall + 0.3 + 0.05 * c),
                "critic/fake": float(-0.3 - 0.4 * fall + 0.05 * d),
            },
            "clock": {"seconds": step / 8.0, "images_per_second": float(510 + 9 * a)},
        }
        if step % 200 == 0:
            score = {
                "diversity": 1 - 0.6 * fall,
                "critic_real": 0.4,
                "critic_held_out": 0.38 - 0.1 * p,
                "critic_fake": -0.3,
            }
            yield {"kind": "score", "step": step, "images": step * 64, "progress": p, "score": score}


def write_log(path: Path, events: Sequence[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(e) + "\n" for e in events), "utf-8")


def write_run(folder: Path, *, finished: bool = True, alarms: bool = True, steps: int = 2400, **changes: Any) -> Path:
    """A run of a conditional GAN with its samples; unfinished ones stop at 60 %."""
    write_json(folder / "run.json", run_header(steps=steps, **changes))
    upto = steps if finished else steps * 6 // 10
    events = list(game_log(steps, upto))
    if alarms:
        words = "the samples look alike (diversity 0.18 of the real pictures)"
        advice = {"ways": [{"how": "a smaller rate for the critic"}, {"how": "more pictures"}]}
        at = {"step": 200, "images": 12800}
        events += [{"kind": "alarm", **at, "name": "collapse", "words": words, "advice": advice}] * 2
        events += [
            {
                "kind": "rewind",
                "step": 210,
                "images": 13440,
                "attempt": 1,
                "words": "critic/hinge was not finite in step 207",
            }
        ]
    write_log(folder / "log.jsonl", events)
    for step in range(0, upto + 1, max(steps // 12, 1)):
        write_grid(folder / "samples" / f"{step:06d}.png", 10, 10, min(1.0, 0.04 + step / steps))
    if finished:
        finish = {
            "steps": steps,
            "images": steps * 64,
            "seconds": 301.2,
            "images_per_second": 510.0,
            "overrun_percent": 0.4,
        }
        best = {"step": steps - steps % 200, "score": 0.8}
        more = {
            "weights_sha256": SHA,
            "alarms": ["collapse"] if alarms else [],
            "attempts": 2 if alarms else 1,
            "best": best,
        }
        write_json(folder / "finish.json", {**finish, **more})
    return folder


def write_classifier_run(folder: Path, steps: int = 600) -> Path:
    """A run of the classifier: accuracy over time, no samples."""
    write_json(folder / "run.json", run_header("classifier", steps, budget={"asked": None, "seconds": None}))
    rough, events = noise("classifier", steps // 10 + 1, 2), []
    for i, step in enumerate(range(10, steps + 1, 10)):
        p, fall = step / steps, math.exp(-5 * step / steps)
        common = {"step": step, "images": step * 64, "progress": p}
        loss = float(0.4 + 1.9 * fall + 0.05 * rough[i, 0])
        watch = {"classifier/accuracy": float(0.9 - 0.8 * fall + 0.01 * rough[i, 1])}
        clock = {"seconds": step / 50, "images_per_second": 3200.0}
        events.append(
            {
                "kind": "step",
                **common,
                "attempt": 0,
                "terms": {"classifier": {"cross_entropy": loss}},
                "watch": watch,
                "clock": clock,
            }
        )
        if step % 60 == 0:
            events.append(
                {"kind": "score", **common, "score": {"accuracy": 0.82 - 0.6 * fall, "balanced": 0.81 - 0.6 * fall}}
            )
    write_log(folder / "log.jsonl", events)
    finish = {
        "steps": steps,
        "images": steps * 64,
        "seconds": 12.0,
        "images_per_second": 3200.0,
        "overrun_percent": None,
    }
    write_json(folder / "finish.json", {**finish, "weights_sha256": SHA, "alarms": [], "attempts": 1, "best": None})
    return folder


# ---------------------------------------------------------------- a study

SENTENCES = {
    "HELPED": "HELPED: with generated pictures the classifier was better by 1.20 points (95 % interval 0.60 to 1.80).",
    "HURT": "HURT: with generated pictures the classifier was worse by 1.20 points (95 % interval −1.80 to −0.60).",
    "NO USEFUL GAIN": "NO USEFUL GAIN: whatever the generated pictures change is less than 0.5 points either way.",
    "UNDECIDED": "UNDECIDED: this study cannot tell whether generated pictures help.",
}
EFFECT = {"HELPED": 1.2, "HURT": -1.2, "NO USEFUL GAIN": 0.02, "UNDECIDED": 0.25}


def _spread(values: np.ndarray) -> dict[str, float]:
    mean, sd = float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0
    half = 2 * sd / math.sqrt(len(values))
    return {"mean": mean, "sd": sd, "low": mean - half, "high": mean + half}


def arm_values(verdict: str, repeats: int, shares: list[float]) -> dict[str, np.ndarray]:
    """Test accuracy in points per arm and repeat; share 0 is the rival's own run."""
    luck, own = noise("luck", repeats), noise("own", 6, repeats)
    level = {"none": 77.0, "light": 79.6, "strong": 79.2}
    values = {a: level[a] + 0.8 * luck + 0.35 * own[i] for i, a in enumerate(level)}
    narrow = 0.12 if verdict == "NO USEFUL GAIN" else 0.45
    values["gan"] = values["light"] + np.where(np.array(shares) > 0, EFFECT[verdict] + narrow * own[3], 0.0)
    values["duplicated"] = values["light"] - 0.1 + 0.3 * own[4]
    values["shuffled"] = values["light"] - 1.4 + 0.4 * own[5]
    return values


def recalls(mean: float, lift: float = 0.0) -> list[float]:
    shape = np.array([-0.03, 0.14, -0.1, 0.02, -0.08, 0.1, -0.24, 0.09, 0.11, 0.08]) - 0.009
    bend = lift * np.array([1.5, 0.2, 1.2, -0.4, 1.8, 0.1, 3.0, -0.2, 0.3, 0.0])
    return [float(v) for v in np.clip(mean + shape + bend / 100, 0, 1)]


def write_repeat(folder: Path, r: int, values: dict[str, np.ndarray], share: float, effect: float) -> None:
    """Results of one repeat, and the run of its generator."""
    write_json(folder / "draw.json", {"positions": list(range(20)), "digest": SHA})
    curve = [["0.40", 0.62 + 0.005 * r], ["0.60", 0.68], ["0.80", 0.71 - 0.004 * r], ["1.00", 0.70]]
    nearest_pairs = [{"distance": 1.2 + 0.1 * k, "class": k % len(CLASSES)} for k in range(10)]
    generator = {
        "chosen": "0.80",
        "cas": 0.71 - 0.004 * r,
        "curve": curve,
        "cas_per_class": [0.7] * 10,
        "weights_sha256": SHA,
    }
    alarms = ["collapse"] if r == 1 else []
    write_json(
        folder / "generator.json",
        {**generator, "images": 96000, "seconds": 71.0 + r, "alarms": alarms, "nearest_pairs": nearest_pairs},
    )
    for arm, points in values.items():
        test = float(points[r]) / 100
        policy = arm if arm in RIVALS else "light"
        part = share if arm == "gan" else 0.5 if arm in ("duplicated", "shuffled") else 0.0
        lift = effect if arm == "gan" else 0.0
        found = {"arm": arm, "repeat": r + 1, "policy": policy, "share": part, "validation": test + 0.008, "test": test}
        write_json(folder / f"{arm}.json", {**found, "recalls": recalls(test, lift), "steps": 600, "seconds": 11.8})


def verdict_of(verdict: str, repeats: int, values: dict[str, np.ndarray], shares: list[float]) -> dict[str, Any]:
    d = values["gan"] - values["light"]
    spread = _spread(d)
    arms = [
        {"arm": a, "values": [float(x) for x in v], **_spread(v), "recalls": recalls(float(v.mean()) / 100)}
        for a, v in values.items()
    ]
    pairs = [
        ("gan against duplicated", "duplicated"),
        ("gan against shuffled", "shuffled"),
        ("gan against none", "none"),
    ]
    secondary = []
    for name, other in pairs:
        s = _spread(values["gan"] - values[other])
        secondary.append(
            {
                "comparison": name,
                "mean": s["mean"],
                "p": 0.03,
                "p_holm": 0.09,
                "interval95": [s["low"], s["high"]],
                "judged": None if repeats < 7 else "open",
                "repeats_needed": 7 if repeats < 7 else None,
            }
        )
    few = f"With {repeats} repeats the smallest possible p is {2 / 2**repeats:.5g}, so no verdict can be reached."
    why = (
        few
        if repeats < 6
        else "Six paired repeats; exact sign-flip test and bootstrap interval, by the rule fixed beforehand."
    )
    return {
        "verdict": verdict,
        "clearly": verdict == "HELPED",
        "sentence": SENTENCES[verdict],
        "why": why,
        "repeats": repeats,
        "margin": 0.5,
        "differences": [float(x) for x in d],
        "mean": spread["mean"],
        "sd": spread["sd"],
        "interval95": [spread["low"], spread["high"]],
        "interval90": [spread["low"], spread["high"]],
        "p": 0.0625,
        "test_pictures": 1000,
        "error": 0.31,
        "error_pictures": 0.24,
        "df": 12.5,
        "pictures_for_margin": None,
        "pictures_for_none": 600,
        "mde80": 1.44 * spread["sd"],
        "repeats_for_margin": 27,
        "smallest_p": 2 / 2 ** (repeats - shares.count(0.0)),
        "shares": shares,
        "arms": arms,
        "secondary": secondary,
    }


def write_study(folder: Path, verdict: str = "UNDECIDED", repeats: int = 6, *, done: int | None = None) -> Path:
    """A study; with `done` below `repeats` it is unfinished: no verdict, no table, no pictures."""
    done = repeats if done is None else done
    shares = [(0.25, 0.5, 0.25, 0.0, 0.5, 0.25, 0.25, 0.5, 0.25, 0.25)[r % 10] for r in range(repeats)]
    values = arm_values(verdict, repeats, shares)
    asked = {
        "labels_per_class": 50,
        "repeats": repeats,
        "budget": "12m",
        "recipe": "cgan",
        "margin": 0.5,
        "seed": 0,
        "treatment": "gan",
    }
    header = run_header()
    plan = {"slots": 2, "generator_steps": 1500, "classifier_steps": 600, "probe_steps": 100, "generator_images": 96000}
    seconds = {"generator": 70.0, "classifier": 12.0, "repeat": 230.0, "whole": 700.0}
    study = {
        "format": 1,
        "zeuxis": "0.1.0",
        "data": header["sources"]["images"],
        "spec": header["spec"],
        "asked": asked,
        "plan": {
            **plan,
            "seconds": seconds,
            "warnings": ["50 labels per class are few for a generator trained from nothing"],
        },
        "primary": "gan against best, balanced accuracy on the sealed test part, in points",
        "versions": header["versions"],
        "command": f"zeuxis augment fashion-mini --study study --labels-per-class 50 --repeats {repeats} --budget 12m",
    }
    write_json(folder / "study.json", study)
    parts = {"train": list(range(2400)), "validation": list(range(600)), "test": list(range(1000))}
    write_json(folder / "split.json", {**parts, "digest": SHA, "test_digest": SHA[::-1]})
    for r in range(done):
        place = folder / "repeats" / f"{r + 1:02d}"
        write_repeat(place, r, values, shares[r], EFFECT[verdict])
        write_json(place / "generator" / "run.json", run_header(steps=1500))
        events = list(game_log(1500, 1500, every=20))
        if r == 1:
            events.append(
                {
                    "kind": "alarm",
                    "step": 400,
                    "images": 25600,
                    "name": "collapse",
                    "words": "the samples look alike (diversity 0.31 of the real pictures)",
                    "advice": {"ways": [{"how": "more", "of": "images"}]},
                }
            )
        write_log(place / "generator" / "log.jsonl", events)
    if done < repeats:
        return folder
    lines = ["repeat,arm,policy,share,validation,test"]
    lines += [
        f"{r + 1},{a},{a if a in RIVALS else 'light'},{shares[r] if a == 'gan' else 0},"
        f"{v[r] / 100 + 0.008},{v[r] / 100}"
        for r in range(done)
        for a, v in values.items()
    ]
    (folder / "table.csv").write_text("\n".join(lines) + "\n", "utf-8")
    write_json(folder / "verdict.json", verdict_of(verdict, repeats, values, shares))
    write_grid(folder / "samples" / "real.png", 10, 10, 1.0, seed=1)
    write_grid(folder / "samples" / "fake.png", 10, 10, 0.85, seed=2)
    write_grid(folder / "samples" / "nearest_pairs.png", 10, 2, 0.95, seed=3)
    return folder


__all__ = ["CLASSES", "SHA", "write_classifier_run", "write_grid", "write_json", "write_run", "write_study"]
