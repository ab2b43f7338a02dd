"""What the restoration benchmarks compare, each as a function of what is left of a picture."""

from collections.abc import Callable, Sequence
from pathlib import Path

import shim
from standard_sets import Task
from torch import Tensor

from zeuxis.degrade.degradation import Degraded
from zeuxis.degrade.resize import bicubic
from zeuxis.draw import Draw
from zeuxis.jobs import published_nets
from zeuxis.jobs.restoring import nets, spandrel_nets, steps, uncertainty
from zeuxis.nets import third_party as published
from zeuxis.weights import bundled, packages

Method = Callable[[Degraded], Tensor]
"""A damaged picture [1, C, H, W] to the repaired one [1, C, H * scale, W * scale] in [-1, 1]."""


def methods(task: Task, runs: Sequence[str] = ()) -> dict[str, Method]:
    """Every method that can do the task here, by name: the input, the classic ones, added published nets, ours."""
    given = {"bicubic" if task.job == "upscale" else "input": _given(task)}
    return {**given, **_classic(task), **_peers(task), **ours(task, runs)}


def _given(task: Task) -> Method:
    return lambda seen: bicubic(seen.image, task.scale) if task.scale > 1 else seen.image


def _classic(task: Task) -> dict[str, Method]:
    from zeuxis.classic import methods

    draw = Draw(0)
    if task.job == "denoise":
        denoisers = {name: methods.denoiser(name) for name in methods.names("denoising")}
        return {k: (lambda seen, m=m: m(seen.image, seen.level, draw)) for k, m in denoisers.items()}
    if task.job == "inpaint":
        fillers = {name: methods.filler(name) for name in methods.names("inpainting")}
        return {k: (lambda seen, m=m: m(seen.image, seen.known, draw)) for k, m in fillers.items()}
    return {}


def _peers(task: Task) -> dict[str, Method]:
    """The nets that were added to the cache; denoisers are told the level, colour ones take colour sets alone."""
    grey = _grey(task)
    found: dict[str, Method] = {}
    for name in published.added():
        rival = published.PUBLISHED[name]
        fits = rival.scale == task.scale and rival.task == task.job
        if fits and (task.job == "upscale" or rival.channels == (1 if grey else 3)):
            repair = published_nets.repair(name)
            found[name] = lambda seen, repair=repair: repair(seen.image, seen.level)
    return {**found, **_by_spandrel(task)}


def _by_spandrel(task: Task) -> dict[str, Method]:
    """DAT-light where it was added and spandrel imports; over the whole picture at once, as the other published."""
    name = f"dat-light-x{task.scale}"
    if task.job != "upscale" or not packages.is_here(name) or not shim.can_import("spandrel"):
        return {}
    net = nets.Net(name, *spandrel_nets.built(packages.opened(name)[0], name))

    def whole(seen: Degraded) -> Tensor:
        answer = net.able.restore(net.networks, seen.image.expand(-1, net.spec.channels, -1, -1))
        return answer.mean(1, keepdim=True) if seen.image.shape[1] == 1 else answer

    return {name: whole}


def ours(task: Task, runs: Sequence[str] = ()) -> dict[str, Method]:
    """Our own nets that fit the task: those of the runs or weights files named, else those of the package."""
    found = [nets.from_run(run) for run in runs] or [
        nets.from_bundle(name) for name in bundled.names() if name != uncertainty.NAME
    ]
    fitting = [net for net in found if net.scale == task.scale and _fills_holes(net) == (task.job == "inpaint")]
    fitting = [net for net in fitting if net.spec.channels == 3 or _grey(task)]
    both: dict[str, Method] = {}
    if task.job == "inpaint" and not runs:
        both["ours (as restore does it)"] = lambda seen: steps.filling(seen.image, seen.known, steps.StepConfig())[0]
    if task.job == "upscale" and not runs and not fitting:
        net = steps.upscaler(task.scale, steps.StepConfig())
        both["ours (as upscale does it)"] = lambda seen: steps.enlarged(seen.image, task.scale, net, None)
    return {f"ours ({Path(net.name).stem})": _applied(net) for net in fitting} | both


def _grey(task: Task) -> bool:
    return task.job == "jpeg" or task.folder.endswith("set12")


def _fills_holes(net: nets.Net) -> bool:
    return type(net.recipe).__module__.rpartition(".")[2].startswith("inpaint")


def _applied(net: nets.Net) -> Method:
    """Blind, unless the net reads a noise map."""
    told = getattr(net.recipe, "noise_map", False)
    return lambda seen: nets.apply(net, seen.image, seen.known, seen.level if told else None)
