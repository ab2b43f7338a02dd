"""The run folder: names, reading, writing, hashes, and the lock that one process holds."""

import base64
import json
import os
import platform as python_platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import zeuxis
from zeuxis import catalog, platform
from zeuxis.data.checks import check_run, is_adapting
from zeuxis.data.dataset import Spec
from zeuxis.data.files import make_folder, plain_errors, write_json
from zeuxis.errors import BadInput, command, system_words
from zeuxis.recipes.recipe import Recipe, make
from zeuxis.spelling import flag as typed
from zeuxis.weights import bundled, checkpoint, store

FORMAT = 1
LOCK = ".lock"
_BESIDE = ("numpy", "pillow", "safetensors", "scipy")


def versions() -> dict[str, str]:
    """What a number depends on: Python, torch, ourselves and the readers of files."""
    core = {"python": python_platform.python_version(), "torch": torch.__version__, "zeuxis": zeuxis.__version__}
    return core | {name: metadata.version(name) for name in _BESIDE}


def read_json(path: Path, what: str) -> dict[str, Any]:
    """A JSON object. Raises BadInput, naming `what`, where it is missing or damaged."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"this is no {what}: {path.name} is missing", str(path.parent)) from None
    except (OSError, ValueError) as error:
        raise BadInput(f"{path.name} cannot be read: {system_words(error)}", str(path.parent)) from None
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        format_number = value.get("format") if isinstance(value, dict) else None
        raise BadInput(
            f"this {what} has format {format_number}, this zeuxis reads {FORMAT}",
            str(path.parent),
            "use the version of zeuxis that wrote it, or start anew",
        )
    return value


@dataclass(frozen=True)
class Run:
    """A run that lies in a folder; it reads, and needs nothing kept alive."""

    path: Path

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "Run":
        """Raises BadInput where the folder is no run, one that has not begun, damaged, or of another format."""
        run = cls(Path(path))
        check_run(run.path)
        if is_adapting(run.path):
            what = "this run was stopped while `--adapt` went on, before its own training began"
            raise BadInput(what, str(run.path), "the `zeuxis train` line that began it, given again, goes on with it")
        run.record  # noqa: B018 - reading is the check
        return run

    def __fspath__(self) -> str:
        return str(self.path)

    @property
    def record(self) -> dict[str, Any]:
        return read_json(self.path / "run.json", "run folder")

    @property
    def spec(self) -> Spec:
        return Spec.from_json(self.record["spec"])

    @property
    def recipe(self) -> Recipe:
        record = self.record
        known = {k: frozen(v) for k, v in record["settings"].items()}
        return make(catalog.load(record["recipe"]), None, **known)

    @property
    def finished(self) -> bool:
        return (self.path / "finish.json").exists()

    @property
    def finish(self) -> dict[str, Any]:
        return json.loads((self.path / "finish.json").read_text()) if self.finished else {}

    def log(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The lines of log.jsonl, of one kind or of all; a half-written last line is left out."""
        path = self.path / "log.jsonl"
        if not path.exists():
            return []
        lines = []
        for text in path.read_text(encoding="utf-8").split("\n"):
            try:
                line = json.loads(text)
            except ValueError:
                break
            if kind in (None, line["kind"]):
                lines.append(line)
        return lines

    def tensors(self, snapshot: str | None = None) -> dict[str, Tensor]:
        """Weights by "PLAYER.NAME": of a snapshot, of the finished run, or of the newest good checkpoint.

        Raises BadInput where they are damaged, or are not those that the finished run ended with.
        """
        if snapshot is not None:
            return store.load(self.path / "snapshots" / f"{snapshot}.safetensors")[0]
        return self._at_the_end() or self._from_checkpoint()

    def check_weights(self) -> None:
        """Raises BadInput where the weights that the run ended with are there, and damaged or others."""
        self._at_the_end()

    def _at_the_end(self) -> dict[str, Tensor] | None:
        path = self.path / "weights.safetensors"
        if not path.exists():
            return None
        tensors, _ = store.load(path)
        if self.finished and store.content_hash(tensors) != self.finish["weights_sha256"]:
            raise BadInput("these weights are not those that the run ended with", str(path), "copy the run again")
        return tensors

    @property
    def saved_step(self) -> int | None:
        """The step of the newest good checkpoint; None without one."""
        saved, _ = checkpoint.newest(self.path / "checkpoints")
        return None if saved is None else saved.step

    def _from_checkpoint(self) -> dict[str, Tensor]:
        saved, _ = checkpoint.newest(self.path / "checkpoints")
        if saved is None:
            if self.finished:
                what = "the weights of this finished run are gone, and so is its checkpoint"
                raise BadInput(what, str(self.path), "copy the run again, or train it anew")
            mend = f"go on with `{command('resume', self.path)}`"
            raise BadInput("this run has no weights yet", str(self.path), mend)
        return inference_weights(checkpoint.tensors_of(saved))

    def networks(self, snapshot: str | None = None, tensors: Mapping[str, Tensor] | None = None) -> nn.ModuleDict:
        """The networks in eval mode with averaged weights where the recipe averages; tensors: these, read already."""
        with torch.random.fork_rng(devices=[]):
            networks = self.recipe.networks(self.spec)
        weights = self.tensors(snapshot) if tensors is None else tensors
        store.check_same(networks.state_dict(), weights, str(self.path))
        networks.load_state_dict(weights)
        return networks.requires_grad_(False).eval()

    def _repr_html_(self) -> str:
        """For a notebook: what came of it, its newest samples, and where its page is."""
        judged = self.finish.get("judgement") or {}
        unfinished = f"This run is not finished: {command('resume', self.path)} goes on."
        said = judged.get("sentence", "") if self.finished else unfinished
        sheets = sorted((self.path / "samples").glob("*.png"))
        grid = base64.b64encode(sheets[-1].read_bytes()).decode("ascii") if sheets else ""
        image = (
            f'<img src="data:image/png;base64,{grid}" alt="its newest samples" style="max-width: 100%">' if grid else ""
        )
        page = self.path / "report.html"
        more = f"<p>{escape(str(page))}</p>" if page.exists() else ""
        return f"<p><b>{escape(str(self.path))}</b>: {escape(said)}</p>{image}{more}"

    def weights_hash(self) -> str:
        """Content hash of the weights that inference uses."""
        return store.content_hash(self.tensors())


def frozen(value: Any) -> Any:
    """A value of JSON as a setting: lists as tuples."""
    return tuple(frozen(v) for v in value) if isinstance(value, list) else value


def inference_weights(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """From a table's tensors: every network, with its averaged copy (ema)'s weights where there is one."""
    raw = {k.removeprefix("networks/"): v for k, v in tensors.items() if k.startswith("networks/")}
    return raw | {k.removeprefix("ema/"): v for k, v in tensors.items() if k.startswith("ema/")}


def begun_with(record: Mapping[str, Any]) -> str:
    """With which weights a run began, as its run.json says; empty where all began by chance."""
    package, named = list(record.get("initial") or ()), record.get("start_from") or {}
    asked = named.get("asked", "")
    if asked == "bundled" or asked in bundled.names():
        package, asked = [Path(named["file"]).stem, *package], ""
    own = f"the weights of {asked}" if asked else ""
    return ", and ".join(filter(None, (own, f"{', '.join(package)} of the package" if package else "")))


def command_line() -> str:
    """The command as a person would type it again."""
    import shlex

    if Path(sys.argv[0]).name in ("zeuxis", "__main__.py", "cli.py"):
        return shlex.join(["zeuxis", *sys.argv[1:]])
    return shlex.join(["python", *sys.argv])


def taken(path: Path, flag: str = "--run") -> BadInput:
    """What to say where the folder `path`, given by `flag`, holds a run or a study; a finished one cannot go on."""
    noun, end = ("study", "verdict.json") if (path / "study.json").exists() else ("run", "finish.json")
    if not (path / end).exists():
        mend = f"continue with `{command('resume', path)}`, or choose another {flag}"
        return BadInput(f"a {noun} is there already", str(path), mend)
    more = "" if noun == "study" else f"; `{typed('start_from', path)}` begins a new one with its weights"
    return BadInput(f"a finished {noun} is there already", str(path), f"choose another {flag}{more}")


def create(path: Path, record: Mapping[str, Any]) -> None:
    """Writes run.json into a new run folder. Raises BadInput where a run is there already."""
    if (path / "run.json").exists():
        raise taken(path)
    write_json(path / "run.json", {"format": FORMAT, "zeuxis": zeuxis.__version__, "versions": versions(), **record})


def lock(path: Path) -> platform.Lock:
    """The folder's lock. Raises BadInput while another process trains here."""
    make_folder(path)
    with plain_errors(path):
        held = platform.acquire(path / LOCK)
    if held is None:
        who = platform.owner(path / LOCK)
        raise BadInput("another process is at work in this folder" + (f", process {who}" if who else ""), str(path))
    return held
