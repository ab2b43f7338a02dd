"""A study that lies in a folder, as Python and a notebook have it."""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from zeuxis.errors import command
from zeuxis.pages.notebook import line
from zeuxis.pages.read import read_object
from zeuxis.spelling import pythonic


@dataclass(frozen=True)
class Study:
    """A study's folder; it reads, and needs nothing kept alive."""

    path: Path

    def __fspath__(self) -> str:
        return str(self.path)

    @property
    def finished(self) -> bool:
        return (self.path / "verdict.json").exists()

    @property
    def verdict(self) -> dict[str, Any]:
        """What verdict.json holds; empty before the end."""
        return dict(read_object(self.path / "verdict.json"))

    @property
    def sentence(self) -> str:
        """The verdict in one sentence."""
        sentence = str(self.verdict.get("sentence", ""))
        return sentence if self.finished else f"No verdict yet: {command('resume', self.path)} goes on."

    def _repr_html_(self) -> str:
        """For a notebook: the verdict, why, and where the page is."""
        why, page = pythonic(str(self.verdict.get("why", ""))), self.path / "report.html"
        rest = [why, str(page) if page.exists() else ""]
        return f"<p><b>{escape(self.sentence)}</b></p>" + "".join(line(text) for text in rest if text)
