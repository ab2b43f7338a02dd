"""`data show` where pictures have several sizes."""

from typing import Any

from zeuxis.data.sizes import sizes_of
from zeuxis.errors import BadInput


def mixed_sizes(data: str, channels: int | None, strict: bool) -> dict[str, Any]:
    found = sizes_of(data, channels)
    if strict and found.skipped:
        first = " ".join(found.skipped[0])
        raise BadInput(f"{len(found.skipped)} of the files cannot be used, the first: {first}", data)
    return {
        "source": data,
        "pictures": sum(found.counts.values()),
        "digest": None,
        "channels": found.channels,
        "height": None,
        "width": None,
        "sizes": {
            "different": len(found.counts),
            "smallest": "{}x{}".format(*found.smallest),
            "largest": "{}x{}".format(*found.largest),
            "to train": "give --size, such as --size 64",
        },
        "classes": found.classes,
        "skipped": [list(s) for s in found.skipped],
    }
