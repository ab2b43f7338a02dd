"""Public sets from their official places, checked by sha256 before anything is kept."""

import gzip
import hashlib
import io
import tarfile
import urllib.error
import urllib.request
import zlib
from pathlib import Path

from zeuxis.data.files import write_bytes
from zeuxis.errors import BadInput

URLS = {
    "fashion-mnist": (
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/{}.gz",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/{}.gz",
    ),
    "mnist": (
        "https://ossci-datasets.s3.amazonaws.com/mnist/{}.gz",
        "https://storage.googleapis.com/cvdf-datasets/mnist/{}.gz",
    ),
    "cifar10": ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
}
"""Where each set is published; `{}` is the name of a file. A mirror is as good: the sha256 decides."""

_MOST = 256 << 20
_SECONDS = 30.0


class _Unusable(Exception):
    """What came is not the wanted file, or nothing came; the text says why."""


def _get(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": "zeuxis"})
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            data: bytes = answer.read(_MOST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        message = getattr(reason, "strerror", None) or str(reason) or type(error).__name__
        raise _Unusable(" ".join(message.split()).lower()) from error
    if len(data) > _MOST:
        raise _Unusable("the answer is far larger than the file")
    return data


def _unpacked(data: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(data)) as file:
            return file.read(_MOST)
    except (OSError, EOFError, zlib.error) as error:
        raise _Unusable("the answer is not the file") from error


def _from_gz(urls: tuple[str, ...], name: str, sha256: str) -> bytes:
    reasons = []
    for url in urls:
        try:
            data = _unpacked(_get(url.format(name)))
            if hashlib.sha256(data).hexdigest() == sha256:
                return data
            reasons.append("the sha256 is wrong")
        except _Unusable as error:
            reasons.append(str(error))
    raise _Unusable(reasons[0])


def _from_tar(urls: tuple[str, ...], wanted: dict[str, str]) -> dict[str, bytes]:
    try:
        with tarfile.open(fileobj=io.BytesIO(_get(urls[0])), mode="r:gz") as archive:
            files = {Path(m.name).name: m for m in archive.getmembers() if m.isreg() and m.size < _MOST}
            members = {name: archive.extractfile(files[name]) for name in wanted}
            data = {name: file.read() for name, file in members.items() if file is not None}
    except (tarfile.TarError, KeyError, EOFError, OSError, zlib.error) as error:
        raise _Unusable("the answer is not the archive") from error
    if any(hashlib.sha256(data.get(name, b"")).hexdigest() != sha256 for name, sha256 in wanted.items()):
        raise _Unusable("the sha256 is wrong")
    return data


def fetch(name: str, folder: Path, wanted: dict[str, str]) -> None:
    """Downloads the files of a set, unpacked, into `folder`; `wanted` maps their names to their sha256.

    Raises BadInput, in one line with what to put where, when they cannot be had.
    """
    urls = URLS[name]
    try:
        if "{}" in urls[0]:
            missing = [file for file in wanted if not (folder / file).is_file()]
            files = {file: _from_gz(urls, file, wanted[file]) for file in missing}
        else:
            files = _from_tar(urls, wanted)
    except _Unusable as error:
        mend = f"put {', '.join(wanted)} there, give {name}:FOLDER, or use fashion-mini, which needs no network"
        raise BadInput(f"{name} is not here and cannot be downloaded: {error}", str(folder), mend) from error
    for file, data in files.items():
        write_bytes(folder / file, data)
