"""Schedules: functions of progress, 0 to 1 of the budget; outside they keep the value of the nearer end."""

import math
from collections.abc import Callable


def cosine(start: float, end: float) -> Callable[[float], float]:
    """From start to end along half a cosine (Loshchilov and Hutter 2017, arXiv 1608.03983, eq. 5)."""
    return lambda progress: end + (start - end) * 0.5 * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0)))


def linear(start: float, end: float) -> Callable[[float], float]:
    """From start to end in a straight line."""
    return lambda progress: start + (end - start) * min(max(progress, 0.0), 1.0)


def kept_then_linear(start: float, kept: float) -> Callable[[float], float]:
    """start until the progress `kept`, then in a straight line to 0 at 1."""
    return lambda progress: start * min(1.0, max(0.0, 1 - progress) / max(1 - kept, 1e-9))
