"""Steps of methods of Runge and Kutta that are taken again with values that are differentiated.

SciPy chooses the steps; their times are constants here. Sources: Hairer, Nørsett and Wanner (1993),
*Solving Ordinary Differential Equations I*, 2nd ed., §II.4–II.6; Hairer and Wanner (1996), *Solving
Ordinary Differential Equations II*, 2nd ed., §IV.5 and §IV.8 (Radau IIA).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.integrate as si

from mcmodels.autodiff.filling import as_array, settled
from mcmodels.autodiff.rules.combinations import combination
from mcmodels.autodiff.tables import shape_of
from mcmodels.autodiff.tracing import Traced, constant, tracing
from mcmodels.autodiff.transforms import jacobian
from mcmodels.autodiff.trees import map_leaves

__all__ = ["ExplicitStep", "ImplicitStep", "Path", "System", "TooManyCalls", "array_of_floats"]

# Radau's nodes, and the weights by which its stages move the state: ∫₀^cᵢ of Lagrange polynomial j.
_NODES = np.array([(4 - 6**0.5) / 10, (4 + 6**0.5) / 10, 1.0])
_WEIGHTS = np.array([_NODES**k / k for k in (1, 2, 3)]).T @ np.linalg.inv(
    np.array([_NODES**k for k in (0, 1, 2)]).T
)


class TooManyCalls(RuntimeError):
    """A solver has called the right-hand side more often than it may."""


class System:
    """The right-hand side of a differential equation.

    Parameters
    ----------
    fun : callable
        ``fun(t, y, *args)``.
    args : tuple or None
        Its further arguments.
    vectorized : bool
        Whether it takes states as columns.
    most_calls : int
        How often it may be called with plain values.
    """

    def __init__(
        self, fun: Callable[..., Any], args: Any, vectorized: bool, most_calls: int
    ) -> None:
        self._fun, self._vectorized, self._most_calls = fun, vectorized, most_calls
        self._args = () if args is None else tuple(args)
        self.plain_args = None if args is None else tuple(map(_plain, self._args))
        self._calls = 0

    def slope(self, t: Any, y: Any) -> Any:
        """``dy/dt``, followed."""
        return self._of(t, y, self._args)

    def plain_slope(self, t: float, y: Any) -> Any:
        """``dy/dt``, of plain values."""
        return constant(self._of(t, y, self.plain_args or ()))

    def slope_by_state(self, t: float, y: Any) -> Any:
        """The Jacobian of dy/dt by y, of plain values."""
        return constant(jacobian(lambda y: self._of(t, y, self.plain_args or ()))(y))

    def plain(self, t: Any, y: Any, *args: Any) -> Any:
        """``dy/dt``, as SciPy calls it; the calls are counted."""
        self._calls += 1
        if self._calls > self._most_calls:
            raise TooManyCalls
        return constant(self._of(t, y, args))

    def _of(self, t: Any, y: Any, args: Sequence[Any]) -> Any:
        shape = shape_of(y)
        if self._vectorized:
            found = np.reshape(array_of_floats(self._fun(t, np.reshape(y, (-1, 1)), *args)), shape)
        else:
            found = array_of_floats(self._fun(t, y, *args))
        return found if shape_of(found) == shape else np.broadcast_to(found, shape)


class ExplicitStep:
    """One step of an explicit method of Runge and Kutta, and its dense output.

    Parameters
    ----------
    system : System
        The equation.
    method : type
        SciPy's class of the method, which has its coefficients.
    time, next_time : float
        Where the step begins and ends.
    state, slope : ndarray
        y and dy/dt at its beginning.
    """

    def __init__(
        self, system: System, method: Any, time: Any, next_time: Any, state: Any, slope: Any
    ) -> None:
        self._system, self._method = system, method
        self._time, self._length, self._state = time, next_time - time, state
        self._slopes = [slope]
        for row, c in zip(method.A[1:], method.C[1:], strict=True):
            self._add_slope(row, c)
        self.end = self._moved(method.B)
        self._slopes.append(system.slope(next_time, self.end))
        self._polynomial: list[Any] = []

    @property
    def end_slope(self) -> Any:
        """``dy/dt`` at its end."""
        return self._slopes[self._method.n_stages]

    def _moved(self, weights: Any) -> Any:
        """``y + h Σ wᵢkᵢ``."""
        weights = weights[: len(self._slopes)]
        if isinstance(self._length, Traced):
            return self._state + self._length * combination(weights, self._slopes)
        return combination([1.0, *(self._length * weights)], [self._state, *self._slopes])

    def _add_slope(self, weights: Any, c: float) -> None:
        time = self._time + c * self._length
        self._slopes.append(self._system.slope(time, self._moved(weights)))

    def at(self, time: Any) -> Any:
        """The state at a time inside the step."""
        x = (time - self._time) / self._length
        if not issubclass(self._method, si.DOP853):
            powers = [x ** (k + 1) for k in range(self._method.P.shape[1])]
            if isinstance(x, Traced):
                parts = [combination(column, self._slopes) for column in self._method.P.T]
                total = sum(p * part for p, part in zip(powers, parts, strict=True))
                return self._state + self._length * total
            return self._moved(self._method.P @ powers)
        value: Any = 0.0
        for k, part in enumerate(reversed(self._parts_of_order_7())):
            value = (value + part) * (1 - x if k % 2 else x)
        return value + self._state

    def _parts_of_order_7(self) -> list[Any]:
        """The polynomial of the dense output of DOP853: Hairer, Nørsett and Wanner, §II.6."""
        if not self._polynomial:
            h, change = self._length, self.end - self._state
            for row, c in zip(self._method.A_EXTRA, self._method.C_EXTRA, strict=True):
                self._add_slope(row, c)
            first, last = self._slopes[0], self.end_slope
            self._polynomial = [
                change, h * first - change, 2 * change - h * (last + first),
                *(h * combination(row, self._slopes) for row in self._method.D),
            ]  # fmt: skip
        return self._polynomial


class ImplicitStep:
    """One step of Radau IIA, of order 5, and its dense output.

    The stages solve equations. They are first solved for plain values; each step of Newton from
    there with the Jacobian held fixed then gives one more order of derivatives.

    Parameters
    ----------
    system : System
        The equation.
    time, next_time : float
        Where the step begins and ends.
    state : ndarray
        y at its beginning.
    guess : callable
        A solution that is nearly right, as a function of time.
    """

    def __init__(
        self, system: System, time: Any, next_time: Any, state: Any, guess: Callable[..., Any]
    ) -> None:
        self._time, self._length, self._state = time, next_time - time, state
        plain_time, y = float(constant(time)), np.asarray(constant(state))
        h = float(constant(next_time)) - plain_time
        times = plain_time + _NODES * h
        n = y.size

        def defect(moves: Any, f: Any, t: Any, y: Any, h: Any) -> Any:
            slopes = [f(t[i], y + moves[i * n : (i + 1) * n]) for i in range(3)]
            parts = [combination(row, slopes) for row in _WEIGHTS]
            return moves - h * np.concatenate(parts)

        moves = np.concatenate([guess(t) - y for t in times])
        last = np.inf
        while True:
            blocks = [
                system.slope_by_state(t, y + moves[i * n : (i + 1) * n])
                for i, t in enumerate(times)
            ]
            matrix = np.eye(3 * n) - h * np.block(
                [[w * block for w, block in zip(row, blocks, strict=True)] for row in _WEIGHTS]
            )
            inverse = np.linalg.inv(matrix)
            change = inverse @ defect(moves, system.plain_slope, times, y, h)
            size = float(np.linalg.norm(change))
            if not size < 0.5 * last:  # it has converged to rounding
                break
            moves, last = moves - change, size
        traced = moves
        for _ in range(tracing.depth):
            traced = traced - inverse @ defect(
                traced, system.slope, [time + c * self._length for c in _NODES], state, self._length
            )
        self._moves = [traced[i * n : (i + 1) * n] for i in range(3)]
        self.end = state + self._moves[-1]

    def at(self, time: Any) -> Any:
        """The state at a time inside the step: the polynomial through its stages."""
        x = (time - self._time) / self._length
        nodes = np.array([0.0, *_NODES])
        total = self._state
        for i, move in enumerate(self._moves, start=1):
            weight: Any = 1.0
            for k in range(4):
                if k != i:
                    weight = weight * ((x - nodes[k]) / (nodes[i] - nodes[k]))
            total = total + weight * move
        return total


class Path:
    """A solution, as a function of time.

    Parameters
    ----------
    system : System
        The equation.
    method : type
        SciPy's class of the method: an explicit one, or ``Radau``.
    mesh : list of float
        The times at which the steps end, the first of them the beginning.
    state : ndarray
        The state at the beginning.
    guess : callable
        A solution that is nearly right, as a function of time: where implicit steps start from.
    """

    def __init__(
        self, system: System, method: Any, mesh: Sequence[Any], state: Any, guess: Any
    ) -> None:
        self.ts = np.array([float(constant(t)) for t in mesh])
        self._sign = 1.0 if self.ts[-1] >= self.ts[0] else -1.0
        self.steps: list[Any] = []
        slope = system.slope(mesh[0], state) if method is not si.Radau else None
        for before, after in itertools.pairwise(mesh):
            if method is si.Radau:
                step: Any = ImplicitStep(system, before, after, state, guess)
            else:
                step = ExplicitStep(system, method, before, after, state, slope)
                slope = step.end_slope
            self.steps.append(step)
            state = step.end

    def at(self, time: Any) -> Any:
        """The state at one time."""
        k = np.searchsorted(self._sign * self.ts, self._sign * float(constant(time)))
        return self.steps[min(max(int(k) - 1, 0), len(self.steps) - 1)].at(time)

    def __call__(self, t: Any) -> Any:
        """The states at a time, or as columns at several."""
        times = array_of_floats(t)
        if not shape_of(times):
            return self.at(times)
        return np.stack([self.at(times[k]) for k in range(len(times))], axis=-1)


def array_of_floats(x: Any) -> Any:
    """An argument, or what a function returned, as an array of real or complex numbers."""
    x = as_array(x)
    return x if isinstance(x, Traced) or x.dtype.kind in "fc" else x.astype(np.float64)


def _plain(x: Any) -> Any:
    return map_leaves(lambda leaf: constant(settled(leaf)), x)
