"""The steps that a plan is made of: each takes a picture's tensor and gives it back mended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import torch
from torch import Tensor

from zeuxis.classic import estimate, methods, residual
from zeuxis.classic.consistency import within_cells
from zeuxis.classic.deblur import sharpened
from zeuxis.classic.impulse import despeckled
from zeuxis.degrade.resize import bicubic
from zeuxis.draw import Draw
from zeuxis.errors import BadInput
from zeuxis.jobs.restoring import nets
from zeuxis.jobs.restoring.diagnose import TASKS
from zeuxis.jobs.restoring.fast import quickened
from zeuxis.jobs.restoring.measured import Measured
from zeuxis.jobs.restoring.nets import Net
from zeuxis.weights import bundled

MOST_NOISE = 55.0
"""Grey levels of noise up to which the package's nets learned."""
WIDEST = 4.0  # pixels of blur that are undone at most
NET_SHARE = 0.4
"""Of the package's net in what fills a hole; the rest is biharmonic. On held-out photographs both together are nearer
to the truth than either: the net knows texture, the smooth filling brightness near the edge."""
_MEDIAN, _EDGES = "adaptive median", "total variation"
_SMOOTH = "biharmonic"  # the filling beside the net, and without one
_DENOISING = ("net", *methods.names("denoising"))
METHODS = dict.fromkeys(TASKS, _DENOISING) | {
    "jpeg": ("net",),
    "deblur": ("net",),
    "inpaint": ("net", *methods.names("inpainting")),
}
"""By what a task may be done. A blur is undone by total variation, net or not."""


Weights = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class State:
    """A picture on its way: image [1, C, H, W] in [-1, 1], known [1, 1, H, W] or None, what was measured and used.

    weights: (name, sha256) of each net that had a part in it.
    """

    image: Tensor
    measured: Measured
    known: Tensor | None = None
    used: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    weights: Weights = ()

    def with_image(self, image: Tensor, used: str, weights: Weights = ()) -> "State":
        return replace(self, image=image, used=(*self.used, used), weights=(*self.weights, *weights))


@dataclass(frozen=True)
class StepConfig:
    """With what the steps work: a method, a trained run in place of the package's net, and bytes of memory or None.

    fidelity: where between the two nets of a run of two stages; None: its last one. part: see `nets.apply`. most: how
    much `denoise` may take away, where it sees a part only; None: by the picture itself.
    """

    method: str = "net"
    run: str | None = None
    memory: int | None = None
    fidelity: float | None = None
    seed: int = 0
    part: bool = False
    most: residual.Limits | None = None


@cache
def _bundled(name: str) -> Net:
    return quickened(nets.from_bundle(name))


@lru_cache(maxsize=2)
def _of_run(path: str, fidelity: float | None, fingerprint: str) -> Net:
    """The fingerprint is for the cache: a run that was trained anew is another net."""
    return quickened(nets.from_run(path) if fidelity is None else nets.between(path, fidelity))


@cache
def _between(first: str, last: str, fidelity: float) -> Net:
    return quickened(nets.between_bundled(first, last, fidelity))


def net_for(name: str, means: StepConfig) -> Net | None:
    """The net of the run that was named, else the package's of this name; None where it carries none."""
    if means.run is not None:
        return _of_run(means.run, means.fidelity, nets.fingerprint(means.run, two=means.fidelity is not None))
    return _bundled(name) if name in bundled.names() else None


def weights_of(*used: Net | None) -> Weights:
    """For the note in what they made."""
    return tuple((net.name, net.sha256) for net in used if net is not None)


def are_current(weights: Mapping[str, str], scale: int, means: StepConfig) -> bool:
    """Whether nets of these names, which a note gives with their hashes, are still the same. Raises BadInput."""
    if not weights:
        return True
    if means.run is not None:
        net = net_for("", means)
        return net is not None and set(weights.values()) == {net.sha256}
    known = {name: _bundled(name).sha256 for name in weights if name in bundled.names()}
    if scale > 1:
        known |= dict(weights_of(upscaler(scale, means)))
    return known == weights


def restorer(channels: int, means: StepConfig) -> Net:
    """The net for noise, JPEG and mild blur in pictures of so many channels; grey ones have one of their own.

    Raises BadInput where there is none, or the run enlarges.
    """
    net = net_for(bundled.find("repair", channels), means) or net_for(bundled.find("repair"), means)
    if net is None:
        raise BadInput(
            "no weights to restore with come with the package", "", "use `--method non-local-means`, or --run"
        )
    if net.scale != 1:
        raise BadInput(f"this run enlarges pictures {net.scale} times", net.name, "use `zeuxis upscale`")
    return net


def unblocker(channels: int, means: StepConfig) -> Net:
    """The net that learned on whole blocks of JPEG, else `restorer`. Raises BadInput as it does."""
    net = net_for(bundled.find("jpeg"), means)
    return restorer(channels, means) if net is None or net.scale != 1 else net


def repair(state: State, means: StepConfig) -> State:
    """Noise, JPEG and mild blur, by the blind net or a classic denoiser."""
    if means.method != "net":
        denoiser, draw = methods.denoiser(means.method), Draw(means.seed, phase="sparse")
        return state.with_image(denoiser(state.image, _level(state), draw), means.method)
    net = restorer(state.image.shape[1], means)
    level = torch.full((1, 1, 1, 1), _level(state))
    answer = nets.apply(net, state.image, None, level, means.memory, means.part)
    mended = state.with_image(answer, net.name, weights_of(net))
    if means.run is not None or state.measured.noise <= MOST_NOISE:
        return mended
    remark = f"noise of {state.measured.noise:.0f} is more than the net has seen ({MOST_NOISE:g}): look at the result"
    return replace(mended, remarks=(*mended.remarks, remark))


def denoise(state: State, means: StepConfig) -> State:
    """`repair` where noise was proven, and no more taken away than noise can be; means.most: see `most_noise`."""
    mended = repair(state, means)
    if means.method != "net" or means.run is not None:
        return mended
    most = means.most or most_noise(state, mended)
    return replace(mended, image=residual.held(state.image, mended.image, most))


def most_noise(given: State, mended: State) -> residual.Limits:
    """How much may be taken from a picture, by what was taken from its calm parts."""
    return residual.limits(given.image, mended.image, given.measured.quiet)


def unblock(state: State, means: StepConfig) -> State:
    """JPEG's traces taken away by a net that learned on whole blocks, then held to what the file still says."""
    if means.method != "net" or net_for(bundled.find("jpeg"), means) is None:
        return repair(state, means)
    net = unblocker(state.image.shape[1], means)
    mended = nets.apply(net, state.image, None, None, means.memory, grid=state.measured.grid)
    return state.with_image(held(mended, state), net.name, weights_of(net))


def held(mended: Tensor, given: State) -> Tensor:
    """`mended` moved to where JPEG could have made of it what was given, where the file's steps are known."""
    m = given.measured
    return within_cells(mended, given.image, m.table, m.grid) if m.table else mended


def _level(state: State) -> float:
    """Grey levels of noise; where none was told from texture, as much as there may be: denoising was asked for."""
    if state.measured.noise or min(state.image.shape[2:]) < 3:
        return state.measured.noise
    return float(estimate.rough_noise(state.image))


def sharpen(state: State, means: StepConfig) -> State:
    """A Gaussian blur undone; where none was measured, one that the strongest edges would explain, taken short."""
    sigma = state.measured.blur or 0.8 * float(estimate.blur_sigma(state.image).sigma)
    noise = max(1.0, state.measured.noise)
    sharp = state.with_image(sharpened(state.image, min(sigma, WIDEST), noise), _EDGES)
    same = torch.allclose(sharp.image, state.image, rtol=0, atol=1 / 255)  # rounded to 8 bits it is what it was
    if state.measured.blur or same:
        return sharp
    guess = f"the width of the blur, {sigma:.1f} pixels, is a guess from the strongest edges: look at the result"
    return replace(sharp, remarks=(*sharp.remarks, guess))


def despeckle(state: State, means: StepConfig) -> State:
    """Salt and pepper, where it was found, replaced by medians; every other value keeps its bits."""
    shares = state.measured.specks
    return state if shares is None else state.with_image(despeckled(state.image, shares), _MEDIAN)


def fill(state: State, means: StepConfig) -> State:
    """Holes filled by the net where there is one, else by classic methods; what is known keeps its bits."""
    if state.known is None or bool((state.known > 0.5).all()):
        return state
    filled, used = filling(state.image, state.known, means)
    whole = torch.where(state.known > 0.5, state.image, filled)
    return state.with_image(whole, used, weights_of(_filler(means)))


def _filler(means: StepConfig) -> Net | None:
    return net_for(bundled.find("inpaint"), means) if means.method == "net" else None


def _filled_by(means: StepConfig) -> str:
    net = _filler(means)
    if net is None:
        return _SMOOTH if means.method == "net" else means.method
    return net.name if means.run is not None else f"{net.name} and {_SMOOTH}"


def filling(image: Tensor, known: Tensor, means: StepConfig) -> tuple[Tensor, str]:
    """A whole picture [1, C, H, W] of which the holes count (known [1, 1, H, W] is 0 there), and by what."""
    net, used = _filler(means), _filled_by(means)
    draw = Draw(means.seed, phase="fill")
    if net is None:
        return methods.filler(used)(image, known, draw), used
    if means.run is not None:
        return nets.apply(net, image, known, None, means.memory), used
    smooth = methods.filler(_SMOOTH)(image, known, draw)
    drawn = nets.apply(net, image, known, None, means.memory)
    return NET_SHARE * drawn + (1 - NET_SHARE) * smooth, used


def scratches(state: State, means: StepConfig) -> State:
    """Finds scratches and specks, and makes holes of them."""
    from zeuxis.classic.scratches import scratches as find

    hole = find(state.image, eager=1.0) > 0.5  # the person said that it is an old photograph
    if not hole.any():
        return replace(state, remarks=(*state.remarks, "no scratch was found"))
    known = (~hole).to(state.image.dtype)
    known = known if state.known is None else known * state.known
    return replace(state, known=known)


def levels(state: State, means: StepConfig) -> State:
    """Each channel stretched from its black and white points, half a per cent cut at either end: a cast goes too."""
    points = estimate.levels(state.image)
    return _stretched(state, points[..., 0, None, None], points[..., 1, None, None], "levels")


def contrast(state: State, means: StepConfig) -> State:
    """All channels stretched alike, from the lowest black point to the highest white one: hues stay."""
    points = estimate.levels(state.image)
    low, high = points[..., 0].amin(1), points[..., 1].amax(1)
    return _stretched(state, low[:, None, None, None], high[:, None, None, None], "contrast")


def _stretched(state: State, low: Tensor, high: Tensor, used: str) -> State:
    span = (high - low).clamp_min(0.1)
    return state.with_image(((state.image - low) / span * 2 - 1).clamp(-1, 1), used)


def by_what(step: str, channels: int, means: StepConfig) -> str:
    """The net or method by which a step works on pictures of so many channels; empty for one that only looks.

    Raises BadInput as the step does where there is no net.
    """
    classic = means.method if means.method != "net" else ""
    names: dict[str, Callable[[], str]] = {
        "despeckle": lambda: _MEDIAN,
        "sharpen": lambda: _EDGES,
        "inpaint": lambda: _filled_by(means),
        "scratches": lambda: "",
        "unblock": lambda: classic or unblocker(channels, means).name,
    }
    if step in ("denoise", "repair"):
        return classic or restorer(channels, means).name
    return names.get(step, lambda: step)()


STEPS: dict[str, Callable[[State, StepConfig], State]] = {
    "despeckle": despeckle,
    "denoise": denoise,
    "repair": repair,
    "unblock": unblock,
    "sharpen": sharpen,
    "inpaint": fill,
    "scratches": scratches,
    "levels": levels,
    "contrast": contrast,
}


def upscaler(scale: int, means: StepConfig) -> Net | None:
    """The run's net, the package's for this scale, or its largest; None: bicubic. Raises BadInput where none fits."""
    if means.method == "bicubic":
        return None
    largest = max((p.scale for p in bundled.purposes().values() if p.task == "upscale"), default=scale)
    if means.run is None and means.fidelity is not None and means.fidelity < 1:
        ends = (bundled.find("upscale", scale=largest, fidelity=end) for end in (1.0, 0.0))
        return _between(*ends, means.fidelity)
    net = next(filter(None, (net_for(bundled.find("upscale", scale=s), means) for s in (scale, largest))), None)
    if net is None:
        mend = "use `--method bicubic`, or --run with your own"
        raise BadInput(f"no weights for x{scale} come with the package", "", mend)
    if net.scale < scale or net.scale == 1:
        raise BadInput(
            f"this run enlarges {net.scale} times, not {scale} times", net.name, f"use `--scale {net.scale}`"
        )
    return net


def enlarged_by(net: Net | None, scale: int) -> str:
    """What enlarges a picture `scale` times, in words."""
    return "bicubic" if net is None else net.name if net.scale == scale else f"{net.name}, then bicubic"


def enlarged(image: Tensor, scale: int, net: Net | None, memory: int | None) -> Tensor:
    """[1, C, H * scale, W * scale]; what is larger than asked for is shrunk by bicubic interpolation."""
    large = image if net is None else nets.apply(net, image, memory=memory)
    reached = 1 if net is None else net.scale
    return large if reached == scale else bicubic(large, scale / reached).clamp(-1, 1)
