"""Law 8: two ranks end with bit-equal parameters, and their first gradient is that of one process."""

import os
import socket
import subprocess
import sys
import threading

import pytest
import torch

from tests.laws.helper import (
    ALONE,
    NAMES,
    differing,
    dues,
    law,
    samplers_for,
    small,
    smallest,
    state_for,
    streams_for,
)
from zeuxis.engine import parallel
from zeuxis.engine.parallel import Ranks
from zeuxis.engine.phases import cast, gradient, phase_names, play
from zeuxis.runs import Run


class Threads:
    """Stands in for torch.distributed where two threads play the two processes."""

    class ReduceOp:
        SUM, MAX = "sum", "max"

    def __init__(self, world):
        self.world, self.gathered = world, {}
        self.barrier = threading.Barrier(world, timeout=30)
        self.here = threading.local()

    def all_reduce(self, tensor, op="sum"):
        self.gathered[self.here.rank] = tensor.clone()
        self.barrier.wait()
        stack = torch.stack([self.gathered[r] for r in range(self.world)])
        self.barrier.wait()
        tensor.copy_(stack.sum(0) if op == "sum" else stack.amax(0))

    def get_world_size(self):
        return self.world

    def get_backend(self):
        return "gloo"

    def run(self, work):
        """work(rank) in a thread per rank; the results in order."""
        found, wrong = {}, []

        def one(rank):
            self.here.rank = rank
            try:
                found[rank] = work(rank)
            except BaseException as error:
                wrong.append(error)
                self.barrier.abort()

        threads = [threading.Thread(target=one, args=(r,)) for r in range(self.world)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        if wrong:
            raise next((e for e in wrong if not isinstance(e, threading.BrokenBarrierError)), wrong[0])
        return [found[r] for r in range(self.world)]


@pytest.fixture
def threads(monkeypatch):
    stand_in = Threads(2)
    monkeypatch.setattr(parallel, "dist", stand_in)
    return stand_in


def gradients(state, samplers, phase, name, ranks):
    """The gradient of one phase, as one float64 vector per network."""

    def batches(rank, world):
        return {k: cast(f.batch("", state.step, rank, world), torch.float64) for k, f in samplers.items()}

    gradient(state, phase, name, batches, ranks)
    found = torch.cat([p.grad.reshape(-1) for p in state.networks.parameters() if p.grad is not None])
    for p in state.networks.parameters():
        p.grad = None
    return found


@pytest.mark.parametrize("name", NAMES)
@law("parallel")
def test_parallel_gradient(name, threads):
    recipe = small(name)
    spec = smallest(recipe)
    states = [state_for(recipe, spec, dtype=torch.float64) for _ in range(3)]
    samplers = samplers_for(recipe, streams_for(recipe, spec))
    for phase, phase_name in zip(recipe.phases(), phase_names(recipe.phases()), strict=True):
        for step in dues(phase, count=3)[:2]:
            for state in states:
                state.step = step
            whole = gradients(states[2], samplers, phase, phase_name, ALONE)
            halves = threads.run(lambda r: gradients(states[r], samplers, phase, phase_name, Ranks(r, 2)))
            assert bool((halves[0] == halves[1]).all())
            gap = float((halves[0] - whole).norm() / whole.norm())
            assert gap < 1e-6, f"{phase_name}: the gradients of two processes and of one are {gap:.1e} apart"


@pytest.mark.parametrize("name", NAMES)
def test_parallel_ranks_end_equal(name, threads):
    """The half of the law that no recipe is excused from."""
    recipe = small(name)
    spec = smallest(recipe)
    states = [state_for(recipe, spec, steps=3) for _ in range(2)]
    samplers = samplers_for(recipe, streams_for(recipe, spec))

    def played(rank):
        return [play(states[rank], samplers, Ranks(rank, 2)) for _ in range(3)]

    threads.run(played)
    assert differing(states[0].tensors(), states[1].tensors()) == []


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in held]
    [s.close() for s in held]
    return ports


def test_two_processes_end_equal(tmp_path, project):
    """Really two processes, over gloo on loopback: a game, one tied over the batch, and one without."""
    names = [n for n in ("gan", "vae", "classifier") if n in NAMES] or NAMES[:2]
    jobs = [f"{name}:{port}" for name, port in zip(names, free_ports(len(names)), strict=True)]
    environment = {**os.environ, "PYTHONPATH": str(project), "GLOO_SOCKET_IFNAME": "lo"}
    ranks = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.laws.processes", str(rank), str(tmp_path), *jobs],
            cwd=project,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        said = [rank.communicate(timeout=100) for rank in ranks]
    finally:
        [rank.kill() for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0], said[0][1][-2000:] + said[1][1][-2000:]
    mine, theirs = (dict(line.split() for line in out.splitlines()) for out, _ in said)
    assert sorted(mine) == sorted(names) and mine == theirs
    for name in names:
        assert Run.open(tmp_path / name).finish["steps"] == 3 and Run.open(tmp_path / name).record["world"] == 2
