"""Templates to one self-contained page: no script, no request, everything escaped."""

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from zeuxis.data.files import write_bytes
from zeuxis.errors import BadInput
from zeuxis.pages import formats
from zeuxis.pages.glossary import terms_of

if TYPE_CHECKING:
    from jinja2 import Environment

_SHORT = 24  # characters


def coded(text: str) -> Markup:
    """What stands between backticks, as messages have it, in the type of code; short pieces are kept on one line, and
    so is a number with its %. Outside of code a negative number has a minus, as in all figures of a page."""

    def shown(match: re.Match[str]) -> str:
        return f"<code{' class=short' if len(match[1]) <= _SHORT else ''}>{match[1]}</code>"

    together = re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", str(escape(text)))
    parts = re.split(r"(`[^`]+`)", together)
    parts[::2] = [re.sub(r"(?<![^\s(±])-(?=\d)", formats.MINUS, part) for part in parts[::2]]
    return Markup(re.sub(r"`([^`]+)`", shown, "".join(parts)))


FILTERS = {
    "brief": formats.brief,
    "coded": coded,
    "decimal": formats.decimal,
    "duration": formats.duration,
    "interval": formats.interval,
    "percent": formats.percent,
    "probability": formats.probability,
    "signed": formats.signed,
    "spelled": formats.spelled,
    "value": formats.value,
    "whole": formats.whole,
}


@cache
def environment() -> "Environment":
    """Escapes every value; a name that a template uses and nobody gave is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    env = Environment(
        loader=PackageLoader("zeuxis.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(FILTERS)
    return env


def render(template: str, **context: Any) -> str:
    """HTML of `templates/TEMPLATE.html.j2`; a whole page ends with the terms that stand on it."""
    html = environment().get_template(f"{template}.html.j2").render(**context)
    head, footer, rest = html.rpartition("<footer>")
    if not footer:
        return html
    terms = environment().get_template("terms.html.j2").render(terms=terms_of(html))
    return f"{head}{terms}{footer}{rest}"


def fragment(template: str, **context: Any) -> Markup:
    """The same as a part of a page."""
    return Markup(render(template, **context))


_HEAD = 1 << 12  # bytes of a page within which it says what wrote it


def check_page(path: Path) -> None:
    """Raises BadInput where a file is there that is no page of ours: a page may be drawn again, nothing else lost."""
    try:
        with open(path, "rb") as file:
            ours = b'<meta name="generator" content="zeuxis ' in file.read(_HEAD)
    except FileNotFoundError:
        return
    except OSError as error:
        raise BadInput(f"no page can be written here: {error.strerror}", str(path), "name another file") from error
    if not ours:
        raise BadInput("this is there already, and no page of zeuxis", str(path), "name another file, or remove it")


def write_page(folder: Path, html: str) -> Path:
    """Writes `folder/report.html`, whole or not at all, and returns its path."""
    path = folder / "report.html"
    write_bytes(path, html.encode("utf-8", errors="replace"))
    return path
