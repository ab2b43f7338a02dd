"""Runs job specs, one JSON object a line on stdin, and answers each with a line on stdout."""

import gc
import importlib
import json
import os
import sys
import traceback
from typing import Any, TextIO

from zeuxis import platform
from zeuxis.errors import SHOWS_WHERE, MachineGaveOut, ZeuxisError, fault_words, is_out_of_memory


def in_words(error: Exception) -> dict[str, Any]:
    """The answer to a job that ended with an error; a fault of the program has its kind and the code 1."""
    if isinstance(error, ZeuxisError):
        return {"error": str(error), "code": error.exit_code}
    if is_out_of_memory(error):
        return {"error": "the memory is used up; close other programs", "code": MachineGaveOut.exit_code}
    return {"error": f"{fault_words(error)}; {SHOWS_WHERE}", "code": 1}


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
    platform.keep_freed_memory()
    import torch

    torch.set_num_threads(1)
    answer = sys.stdout
    sys.stdout = sys.stderr  # nothing but answers may go to the parent
    for line in sys.stdin:
        spec = json.loads(line)
        try:
            module, _, function = spec["work"].partition(":")
            getattr(importlib.import_module(module), function)(spec)
            gc.collect()  # tensors are few objects but many bytes, so the collector would wait too long
            reply = {"done": spec["name"]}
        except Exception as error:
            reply = in_words(error)
            if os.environ.get("ZEUXIS_DEBUG") == "1":
                traceback.print_exc()
        if not _tell(answer, reply):
            break
    return 0


if __name__ == "__main__":
    sys.exit(main())
