"""Random numbers, as `numpy.random.default_rng` gives them; those of a seed are others."""

from __future__ import annotations

import math
import random
from typing import Any

from mcmodels.plain.arrays import ndarray

__all__ = ["Generator", "default_rng"]


class Generator:
    """Draws from a seed."""

    def __init__(self, seed: Any = None) -> None:
        self._drawn = random.Random(repr(seed))

    def _filled(self, draw: Any, size: Any) -> Any:
        if size is None:
            return draw()
        shape = tuple(size) if isinstance(size, tuple | list) else (size,)
        return ndarray([draw() for _ in range(math.prod(shape))], shape)

    def standard_normal(self, size: Any = None) -> Any:
        """Normally distributed."""
        return self._filled(lambda: self._drawn.gauss(0, 1), size)

    def uniform(self, low: float = 0.0, high: float = 1.0, size: Any = None) -> Any:
        """Uniformly distributed."""
        return self._filled(lambda: self._drawn.uniform(low, high), size)

    def random(self, size: Any = None) -> Any:
        """Uniformly distributed between 0 and 1."""
        return self._filled(self._drawn.random, size)

    def integers(self, low: int, high: int | None = None, size: Any = None) -> Any:
        """Whole numbers from the first to the last but one."""
        first, end = (0, low) if high is None else (low, high)
        return self._filled(lambda: self._drawn.randrange(first, end), size)

    def choice(self, of: Any, size: Any = None) -> Any:
        """One of some."""
        among = list(range(of)) if isinstance(of, int) else list(of)
        return self._filled(lambda: self._drawn.choice(among), size)


def default_rng(seed: Any = None) -> Generator:
    """A generator."""
    return Generator(seed)
