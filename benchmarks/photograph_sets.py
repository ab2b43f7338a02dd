"""Sets of photographs, each divided in two folders by file: what generators learn from, and what they are held to."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from zeuxis.data.reader import open_dataset

TEST = 0.3


class Piece(NamedTuple):
    """One picture of a set."""

    part: str
    label: str
    name: str
    image: Image.Image


def trashnet(shared: Path, side: int) -> Iterator[Piece]:
    """Rubbish, 70 and 30 photographs of each of six classes."""
    root = shared / "data" / "trashnet-600"
    for folder in sorted(p for p in root.iterdir() if p.is_dir()):
        files = sorted(folder.glob("*.jpg"))
        random.Random(folder.name).shuffle(files)
        for i, file in enumerate(files):
            part = "test" if i < round(TEST * len(files)) else "train"
            with Image.open(file) as image:
                yield Piece(part, folder.name, file.stem, squared(image, side))


def cards(shared: Path, side: int) -> Iterator[Piece]:
    """Squares around the boxes of playing cards, divided as at their source."""
    return boxes(shared / "data" / "cards-224", side, None)


def cells(shared: Path, side: int) -> Iterator[Piece]:
    """Squares around the boxes of blood cells, divided by smear."""
    return boxes(shared / "data" / "smear-256", side, TEST)


def boxes(root: Path, side: int, test: float | None) -> Iterator[Piece]:
    """The square around each box, a tenth wider; test: share of the files held out, None for the source's own parts."""
    notes = json.loads((root / "annotations.json").read_text())
    names = {c["id"]: c["name"] for c in notes["categories"]}
    entries = sorted(notes["images"], key=lambda entry: entry["file_name"])
    if test is not None:
        random.Random(root.name).shuffle(entries)
    count = 0 if test is None else round(test * len(entries))
    for i, entry in enumerate(entries):
        part = entry["split"] if test is None else "test" if i < count else "train"
        with Image.open(root / entry["file_name"]) as image:
            for k, box in enumerate(a for a in notes["annotations"] if a["image_id"] == entry["id"]):
                piece = around(image.convert("RGB"), box["bbox"], side)
                if piece is not None:
                    name = f"{Path(entry['file_name']).stem}-{k}"
                    yield Piece(part, names[box["category_id"]], name, piece)


def around(image: Image.Image, box: list[float], side: int) -> Image.Image | None:
    """None where the square does not fit into the picture, or is less than a third of `side`."""
    left, top, width, height = box
    wide = 1.1 * max(width, height)
    if wide > min(image.size) or wide < side / 3:
        return None
    x, y = (
        min(max(at + length / 2 - wide / 2, 0), whole - wide)
        for at, length, whole in ((left, width, image.width), (top, height, image.height))
    )
    return image.resize((side, side), Image.Resampling.LANCZOS, (x, y, x + wide, y + wide), reducing_gap=3.0)


def cifar(shared: Path, side: int) -> Iterator[Piece]:
    """The 5,000 and 1,000 pictures of the copy of CIFAR-10."""
    root = shared / "data" / "cifar10-6k"
    names = "airplane automobile bird cat deer dog frog horse ship truck".split()
    for line in (root / "labels.txt").read_text().split("\n"):
        sheet, _, digits = line.partition(" ")
        if not digits:
            continue
        with Image.open(root / f"{sheet}.webp") as image:
            pixels = np.asarray(image.convert("RGB")).reshape(40, side, 25, side, 3)
        part = "test" if sheet.startswith("test") else "train"
        for i, (one, digit) in enumerate(zip(pixels.swapaxes(1, 2).reshape(1000, side, side, 3), digits, strict=True)):
            yield Piece(part, names[int(digit)], f"{sheet}-{i:03}", Image.fromarray(one))


def garments(shared: Path, side: int) -> Iterator[Piece]:
    """The 5,000 garments of the package, a fifth held out."""
    data = open_dataset("fashion-mini")
    classes = np.asarray(data.labels)
    for i in range(len(data)):
        label = data.spec.classes[classes[i]].replace("/", " ")
        part = "test" if i % 5 == 0 else "train"
        image = Image.fromarray(data.images([i])[0, 0].numpy())
        yield Piece(part, label, f"{i:04}", image.resize((side, side), Image.Resampling.BICUBIC))


def hands(shared: Path, side: int) -> Iterator[Piece]:
    """Hands that show the digits, some 206 photographs of each; the last of each class, other students, are held out.

    From https://github.com/ardamavi/Sign-Language-Digits-Dataset (Apache-2.0;
    arXiv:2011.08927), cloned beside `shared`.
    """
    root = shared.parent / "Sign-Language-Digits-Dataset" / "Dataset"
    for folder in sorted(root.iterdir()):
        files = sorted(folder.glob("*.JPG"))
        for i, file in enumerate(files):
            part = "test" if i >= len(files) - round(TEST * len(files)) else "train"
            with Image.open(file) as image:
                yield Piece(part, folder.name, file.stem, squared(image, side))


def squared(image: Image.Image, side: int) -> Image.Image:
    short = min(image.size)
    left, top = ((n - short) / 2 for n in image.size)
    box = (left, top, left + short, top + short)
    return image.convert("RGB").resize((side, side), Image.Resampling.LANCZOS, box, reducing_gap=3.0)


SETS = {
    "trashnet-64": (trashnet, 64),
    "trashnet-128": (trashnet, 128),
    "cards-64": (cards, 64),
    "cells-64": (cells, 64),
    "cifar-32": (cifar, 32),
    "garments-28": (garments, 28),
    "garments-32": (garments, 32),
    "hands-64": (hands, 64),
}


def divided(name: str, shared: Path, root: Path) -> tuple[Path, Path]:
    """The folders of the pictures to learn from and of those held out, a folder per class in each; made once."""
    place = root / name
    if not place.exists():
        pieces, side = SETS[name]
        unready = root / f"{name}.part"
        for piece in pieces(shared, side):
            folder = unready / piece.part / piece.label
            folder.mkdir(parents=True, exist_ok=True)
            piece.image.save(folder / f"{piece.name}.png")
        unready.rename(place)
    return place / "train", place / "test"
