"""What a program of the corpus is, and the table of all of them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

PROGRAMS: dict[str, Program] = {}


@dataclass(frozen=True)
class Program:
    """A function of one array, a point, and the derivative that is asked for.

    Parameters
    ----------
    function : callable
        The program.
    point : ndarray
        Where it is differentiated.
    asks : {"grad", "jacobian", "hessian", "hvp"}
        The derivative.
    step : float
        The largest step of the differences: no kink and no pole is this close.
    """

    function: Callable[..., Any]
    point: np.ndarray
    asks: str
    step: float

    @property
    def module(self) -> ModuleType:
        """The module that the program is written in."""
        return sys.modules[self.function.__module__]


def program(point, asks="grad", step=0.01):
    """Add the decorated function to the corpus."""

    def register(function):
        name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        if name in PROGRAMS:
            raise ValueError(f"two programs are called {name}")
        PROGRAMS[name] = Program(function, np.asarray(point, dtype=float), asks, step)
        return function

    return register
