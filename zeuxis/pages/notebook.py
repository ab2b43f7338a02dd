"""What results show of themselves in a notebook: a piece of HTML that needs nothing beside it."""

from html import escape
from typing import TYPE_CHECKING

from zeuxis.pages.pictures import encode, uri

if TYPE_CHECKING:
    from PIL import Image

_WIDEST = 640  # pixels
_CUT = "this.previousElementSibling.lastElementChild.style.clipPath='inset(0 '+(100-this.value)+'% 0 0)'"


def line(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def picture(image: "Image.Image") -> tuple[str, int, int]:
    """A data URI of a picture, at most 640 pixels wide, and its size."""
    from PIL import Image

    shown = image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB")
    if shown.width > _WIDEST:
        shown = shown.resize((_WIDEST, max(1, round(shown.height * _WIDEST / shown.width))), Image.Resampling.LANCZOS)
    return uri(encode(shown)), *shown.size


def before_and_after(before: "Image.Image", after: "Image.Image", caption: str) -> str:
    """Two pictures of one place behind a slider, and a line on them."""
    after_uri, width, height = picture(after)
    given, *_ = picture(before)
    size = f"width: {width}px; height: {height}px"
    return (
        f'<figure style="margin: 0 0 1em">{line(caption)}<div style="position: relative; {size}">'
        f'<img src="{after_uri}" alt="after" style="{size}">'
        f'<img src="{given}" alt="before" style="{size}; position: absolute; left: 0; clip-path: inset(0 50% 0 0)">'
        f'</div><input type="range" value="50" style="width: {width}px" oninput="{escape(_CUT)}" '
        'aria-label="how much is shown as it was before"></figure>'
    )
