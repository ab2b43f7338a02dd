"""One of two processes that train recipes together on the loopback device; prints what it ends with.

python processes.py RANK FOLDER NAME:PORT ...
"""

import os
import sys
from pathlib import Path

import torch

from tests.laws.helper import small, smallest, streams_for
from zeuxis.engine import loop
from zeuxis.engine import train as engine
from zeuxis.engine.budget import Budget
from zeuxis.engine.loop import LoopOptions
from zeuxis.engine.train import Start
from zeuxis.weights import store


def main(rank: int, folder: Path, jobs: list[str]) -> None:
    torch.set_num_threads(1)
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}
    agreement = loop._check_agreement

    def told(trainer: loop.Trainer) -> None:
        print(trainer.record["recipe"], store.content_hash(trainer.state.tensors()), flush=True)
        agreement(trainer)

    loop._check_agreement = told
    for job in jobs:
        name, _, os.environ["MASTER_PORT"] = job.partition(":")
        recipe = small(name)
        streams = streams_for(recipe, smallest(recipe))
        engine.train(recipe, streams, folder / name, Budget(steps=3), None, Start(compute="plain"), LoopOptions(-1.0))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
