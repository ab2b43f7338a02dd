"""Where a picture comes from, as the note in its file says: from a camera, changed by rules, or made by a model."""

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KEY = "zeuxis"
"""Keyword of the PNG text chunk that holds the note as JSON."""

_PROGRAM = b"trainedalgorithmicmedia"
"""In lower case, the end of trainedAlgorithmicMedia and compositeWithTrainedAlgorithmicMedia (IPTC NewsCodes)."""

_NOTE = re.compile(r'\szeuxis:note="([^"]*)"')


@dataclass(frozen=True)
class Origin:
    """kind: "" for a picture that no program changed, "changed" by rules, "made" by a model, "sheet" for several.

    family: digest of the pixels of the picture that it is, or was changed from, in the set that it was written for;
    it outlives zipping, moving and renaming. study: name of the study that wrote it;
    label: the class of which a model drew it.
    """

    kind: str = ""
    family: str = ""
    study: str = ""
    label: str = ""


PLAIN = Origin()


def note_in_xmp(packet: bytes | str | None) -> str | None:
    """The note of a format without text chunks, as it stands in its XMP packet."""
    text = packet.decode("utf-8", "replace") if isinstance(packet, bytes) else packet or ""
    match = _NOTE.search(text)
    return None if match is None else html.unescape(match[1])


def origin_of(info: Mapping[Any, Any]) -> Origin:
    """What the text chunks and the XMP of an opened picture say."""
    packets = [info.get(key) or b"" for key in ("xmp", "XML:com.adobe.xmp")]
    texts = [packet.encode("utf-8", "replace") if isinstance(packet, str) else bytes(packet) for packet in packets]
    generated = any(_PROGRAM in text.lower() for text in texts)
    written = info.get(KEY) or next(filter(None, map(note_in_xmp, texts)), None)
    if written is None:
        return Origin("made") if generated else PLAIN
    note = parsed(written)
    kind = "sheet" if note.get("sheet") else "made" if generated else "" if note.get("original") else "changed"
    named = (value if isinstance(value := note.get(key), str) else "" for key in ("family", "study", "class"))
    return Origin(kind, *named)


def parsed(text: object) -> dict[str, Any]:
    """A note as its values; {} where it cannot be understood."""
    try:
        note = json.loads(text)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return {}
    return note if isinstance(note, dict) else {}
