"""Colours from a file's ICC profile to sRGB and back, in 8 and 16 bits.

Profiles made of three curves and a matrix (of screens and cameras: Display P3, Adobe RGB, ProPhoto) are computed here,
since Pillow's engine knows 8 bits only; those made of tables (of printers and scanners) go through that engine.
Formats: ICC.1:2022, sections 8.4, 10.6 (curv), 10.18 (para); sRGB: IEC 61966-2-1.
"""

import io
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

_BANDS = 256
_SRGB = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
"""Linear sRGB to XYZ under D50 (Bradford)."""


@dataclass(frozen=True, eq=False)
class Space:
    """A space of colours: matrix [3, 3] from linear values to XYZ under D50; curves: 3 of [4096], value to linear."""

    matrix: np.ndarray
    curves: tuple[np.ndarray, ...]


# ------------------------------------------------------------------ reading a profile


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    tags = {}
    for i in range(min(count, 200)):
        name, start, length = struct.unpack_from(">4sII", profile, 132 + 12 * i)
        tags[name] = profile[start : start + length]
    return tags


def _curve(data: bytes, x: np.ndarray) -> np.ndarray:
    """A curve of type curv or para at the values x in [0, 1]. ValueError or struct.error for anything else."""
    if data[:4] == b"curv":
        (count,) = struct.unpack_from(">I", data, 8)
        if count == 0:
            return x
        table = np.frombuffer(data, ">u2", count, 12).astype(np.float64)
        if count == 1:
            return np.asarray(np.power(x, table[0] / 256))
        return np.asarray(np.interp(x, np.linspace(0, 1, count), table / 65535))
    if data[:4] == b"para":
        (kind,) = struct.unpack_from(">H", data, 8)
        p = [v / 65536 for v in struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", data, 12)]
        return _parametric(p, x)
    raise ValueError("not a curve")


def _parametric(p: list[float], x: np.ndarray) -> np.ndarray:
    """The five functions of ICC.1:2022, table 68; p: g a b c d e f, as many as there are."""
    if len(p) == 1:
        return np.asarray(np.power(x, p[0]))
    g, a, b = p[:3]
    rest = {3: (0.0, -b / a, 0.0, 0.0), 4: (0.0, -b / a, p[-1], p[-1]), 5: (*p[3:], 0.0, 0.0), 7: tuple(p[3:])}
    c, d, e, f = rest[len(p)]
    return np.where(x >= d, np.power(np.maximum(a * x + b, 0), g) + e, c * x + f)


def space(profile: bytes) -> Space | None:
    """The curves and matrix of an RGB profile; None where it has tables instead, is of another kind, or damaged."""
    try:
        tags = _tags(profile)
        if profile[16:24] != b"RGB XYZ " or b"A2B0" in tags:
            return None
        x = np.linspace(0, 1, 4096)
        with np.errstate(all="ignore"):
            curves = tuple(_curve(tags[name], x) for name in (b"rTRC", b"gTRC", b"bTRC"))
        columns = [struct.unpack_from(">3i", tags[name], 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        matrix = np.array(columns, np.float64).T / 65536
    except (struct.error, KeyError, ValueError, IndexError, ZeroDivisionError):
        return None
    sound = all(np.isfinite(c).all() and (np.diff(c) >= 0).all() and c[-1] > c[0] for c in curves)
    return Space(matrix, curves) if sound and abs(np.linalg.det(matrix)) > 1e-4 else None


def _of_srgb() -> Space:
    x = np.linspace(0, 1, 4096)
    curve = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    return Space(_SRGB, (curve, curve, curve))


# ------------------------------------------------------------------ pixels


def _through(pixels: np.ndarray, given: Space, wanted: Space) -> np.ndarray:
    """Pixels [H, W, 3] of one space in another, cut at its ends; a band of rows at a time."""
    white, grid = float(np.iinfo(pixels.dtype).max), np.linspace(0, 1, 4096)
    values = np.linspace(0, 1, int(white) + 1)
    linear = [np.interp(values, grid, curve).astype(np.float32) for curve in given.curves]
    matrix = (np.linalg.inv(wanted.matrix) @ given.matrix).astype(np.float32)
    result = np.empty_like(pixels)
    for top in range(0, len(pixels), _BANDS):
        rows = pixels[top : top + _BANDS]
        light = np.stack([linear[i][rows[..., i]] for i in range(3)], -1) @ matrix.T
        for i, curve in enumerate(wanted.curves):
            back = np.interp(light[..., i], curve, grid)
            result[top : top + _BANDS, :, i] = np.rint(back * white)
    return result


def _through_engine(pixels: np.ndarray, profile: bytes, inwards: bool) -> np.ndarray | None:
    """As `_through`, between a profile of tables and sRGB, by Pillow's engine; None where it cannot."""
    from PIL import ImageCms

    if pixels.dtype != np.uint8 or profile[16:20] != b"RGB ":
        return None
    try:
        ends: list[Any] = [ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")]
        given, wanted = ends if inwards else ends[::-1]
        converted = ImageCms.profileToProfile(Image.fromarray(pixels), given, wanted, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return None if converted is None else np.asarray(converted)


def _convert(pixels: np.ndarray, profile: bytes, inwards: bool) -> np.ndarray | None:
    known = space(profile)
    if known is None:
        return _through_engine(pixels, profile, inwards)
    ends = (known, _of_srgb())
    return _through(pixels, *(ends if inwards else ends[::-1]))


def to_srgb(pixels: np.ndarray, profile: bytes) -> tuple[np.ndarray, np.ndarray] | None:
    """(pixels [H, W, 3] in sRGB, what the way there and back costs), uint8 or uint16; None where it cannot be done.

    The cost (int16 or int32 [H, W, 3]) is the colours outside of sRGB, and rounding; `from_srgb` gives it back.
    """
    inside = _convert(pixels, profile, inwards=True)
    back = None if inside is None else _convert(inside, profile, inwards=False)
    if inside is None or back is None:
        return None
    wide = np.int16 if pixels.dtype == np.uint8 else np.int32
    return inside, pixels.astype(wide) - back.astype(wide)


def from_srgb(pixels: np.ndarray, profile: bytes, lost: np.ndarray | None = None) -> np.ndarray | None:
    """Pixels [H, W, 3] of sRGB in the profile's colours, plus what `to_srgb` had lost (stretched to another size).

    None where it cannot be done. Pixels that were not changed come back exactly.
    """
    back = _convert(pixels, profile, inwards=False)
    if back is None or lost is None:
        return back
    if lost.shape != back.shape:
        lost = np.stack([stretched(lost[..., i], *back.shape[:2]) for i in range(3)], -1)
    white = np.iinfo(pixels.dtype).max
    whole: np.ndarray = np.clip(back.astype(np.int32) + np.rint(lost).astype(np.int32), 0, white)
    return whole.astype(pixels.dtype)


def stretched(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    """A plane [H, W] of numbers at another size by bicubic interpolation, float32."""
    image = Image.fromarray(plane.astype(np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))


def srgb_profile() -> bytes:
    """A profile of sRGB, with the time of its making left out, so that equal pictures give equal files."""
    from PIL import ImageCms

    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    return bytes(profile)


# ------------------------------------------------------------------ alpha


def on_white(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Pixels [H, W, C] laid on white by alpha [H, W], of the same dtype."""
    white = float(np.iinfo(pixels.dtype).max)
    cover = (alpha / white).astype(np.float32)[..., None]
    return np.rint(pixels * cover + white * (1 - cover)).astype(pixels.dtype)


_FAINT = 0.25  # of the largest alpha beside it: with less, 8 bits say little of a pixel's colour
_BESIDE = 2  # pixels
_SOFT, _REACH = 1.5, 3  # pixels: of the colours beside, the width of their mean, and how far alpha is looked at


def fill_transparent(pixels: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """Pixels [H, W, C] as a net should see them: what alpha [H, W] hides is continued from what it shows.

    A pixel much fainter than those beside it leans to their mean colour, weighed by alpha, since programs leave any
    colour there; under full transparency what is seen is mirrored in its own edge, so that a net finds the same
    colours, texture and noise on both sides. What hides there is no part of the picture, and a net would draw it over
    the edge.
    """
    if alpha is None or alpha.all() and not _is_faint(alpha).any() or not alpha.any():
        return pixels
    from scipy.ndimage import distance_transform_edt

    bled = _bled(pixels, alpha)
    if alpha.all():
        return bled
    nearest = distance_transform_edt(alpha == 0, return_distances=False, return_indices=True)
    own = np.indices(alpha.shape)
    mirrored = [np.clip(2 * n - o, 0, side - 1) for n, o, side in zip(nearest, own, alpha.shape, strict=True)]
    seen = alpha[tuple(mirrored)] > 0
    places = tuple(np.where(seen, m, n) for m, n in zip(mirrored, nearest, strict=True))
    filled: np.ndarray = bled[places]
    filled[alpha > 0] = bled[alpha > 0]
    return filled


def _is_faint(alpha: np.ndarray) -> np.ndarray:
    """bool [H, W]: where alpha is much less than beside it."""
    from scipy.ndimage import maximum_filter

    faint: np.ndarray = alpha < _FAINT * maximum_filter(alpha, 2 * _BESIDE + 1)
    return faint


def _bled(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Pixels, where alpha is faint mixed with the mean of the colours beside them, weighed by alpha."""
    from scipy.ndimage import gaussian_filter, maximum_filter

    white = float(np.iinfo(pixels.dtype).max)
    cover = (alpha / white).astype(np.float32)
    top = maximum_filter(cover, 2 * _BESIDE + 1)
    trust = np.minimum(1, cover / np.maximum(_FAINT * top, 1e-9))
    if (trust == 1).all():
        return pixels
    weight = cover * trust
    around = gaussian_filter(weight, _SOFT, radius=_REACH)
    result = pixels.copy()
    for i in range(pixels.shape[2]):
        mean = gaussian_filter(weight * pixels[..., i], _SOFT, radius=_REACH) / np.maximum(around, 1e-9)
        mixed = np.rint(trust * pixels[..., i] + (1 - trust) * np.clip(mean, 0, white))
        result[..., i] = np.where((trust < 1) & (around > 1e-9), mixed, pixels[..., i])
    return result


def shaped(large: np.ndarray, alpha: np.ndarray, scale: int) -> np.ndarray:
    """The alpha [H * scale, W * scale] that a net made of alpha [H, W], of its dtype: no values that were not near.

    large: in units of alpha's white. Each place keeps within the least and the most that alpha has around it, so that
    what is flat stays exactly so; and where it is all or nothing, edges stay hard.
    """
    from scipy.ndimage import maximum_filter, minimum_filter

    white = int(np.iinfo(alpha.dtype).max)
    soft = maximum_filter((alpha > 0) & (alpha < white), 2 * _REACH + 1)
    ends = (minimum_filter(alpha, 2 * _BESIDE + 1), maximum_filter(alpha, 2 * _BESIDE + 1))
    rows, columns = (np.arange(side) // scale for side in large.shape)
    low, high, is_soft = (x[rows[:, None], columns] for x in (*ends, soft))
    hardened = np.where(is_soft, large, np.where(2 * large >= white, white, 0))
    kept: np.ndarray = np.clip(np.rint(hardened), low, high).astype(alpha.dtype)
    return kept
