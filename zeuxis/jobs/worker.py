"""Runs job specs, one JSON object a line on stdin, and answers each with a line on stdout."""

import gc
import json
import sys

from zeuxis import platform
from zeuxis.errors import ZeuxisError


def main() -> int:
    platform.die_with_parent()
    import torch

    from zeuxis.jobs.study import arms

    torch.set_num_threads(1)
    answer = sys.stdout
    sys.stdout = sys.stderr  # nothing but answers may go to the parent
    place: arms.Place | None = None
    for line in sys.stdin:
        spec = json.loads(line)
        try:
            if place is None or str(place.folder) != spec["study"]:
                place = arms.Place.open(spec["study"])
            arms.work(place, spec)
            gc.collect()  # tensors are few objects but many bytes, so the collector would wait too long
            reply = {"done": spec["name"]}
        except ZeuxisError as error:
            reply = {"error": str(error), "code": error.exit_code}
        print(json.dumps(reply), file=answer, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
