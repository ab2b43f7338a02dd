"""Runs job specs, one JSON object a line on stdin, and answers each with a line on stdout."""

import gc
import json
import os
import sys
from typing import Any, TextIO

from zeuxis import platform
from zeuxis.errors import MachineGaveOut, ZeuxisError


def in_words(error: Exception) -> dict[str, Any]:
    """The answer to a job that ended with an error. Raises the error itself where it is a fault of the program."""
    import torch

    if isinstance(error, ZeuxisError):
        return {"error": str(error), "code": error.exit_code}
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "allocate memory" in str(error):
        return {"error": "the memory is used up; close other programs", "code": MachineGaveOut.exit_code}
    raise error


def _tell(answer: TextIO, reply: dict[str, Any]) -> bool:
    """Whether there is still somebody to tell."""
    try:
        print(json.dumps(reply), file=answer, flush=True)
    except BrokenPipeError:  # the parent is gone; nor may Python stumble over the rest when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), answer.fileno())
        return False
    return True


def main() -> int:
    platform.die_with_parent()
    import torch

    from zeuxis.data.shared import mapped
    from zeuxis.jobs.study import arms

    torch.set_num_threads(1)
    answer = sys.stdout
    sys.stdout = sys.stderr  # nothing but answers may go to the parent
    place: arms.Place | None = None
    for line in sys.stdin:
        spec = json.loads(line)
        try:
            if place is None or str(place.folder) != spec["study"]:
                place = arms.Place.open(spec["study"], mapped(spec["pixels"]) if spec.get("pixels") else None)
            arms.work(place, spec)
            gc.collect()  # tensors are few objects but many bytes, so the collector would wait too long
            reply = {"done": spec["name"]}
        except Exception as error:
            reply = in_words(error)
        if not _tell(answer, reply):
            break
    return 0


if __name__ == "__main__":
    sys.exit(main())
