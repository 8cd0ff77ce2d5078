"""Points at which a function bends up and down, found at random and checked by its values."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mcmodels.calculus.compute.binding import Array
from mcmodels.calculus.compute.evaluate import EvaluationError, natural, walk
from mcmodels.calculus.compute.guards import guarded
from mcmodels.calculus.compute.stable.forms import stabilised
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.core.rewriting import closed_parts_of, parts_of
from mcmodels.calculus.study.checks import directions
from mcmodels.calculus.study.instances import Instance, as_declared, random_instance
from mcmodels.plain import np

__all__ = ["Bend", "Witness", "find_witness"]

_ROUNDING = 1e-8  # of the values that a second difference is made of
_STEPS = (0.03, 0.3, 1.0)
_SCALES = (1.0, 0.3, 3.0, 0.1, 6.0)
_SEEDS = 8
_SLOW = (F.Frechet, F.FrechetMatrix, F.MatrixFunction)
_DRAWS = 6  # of x at each scale
_OF_SLOW = 1  # seeds and draws where a value takes milliseconds
_MOST_PARTS = 200  # a function of n parts is drawn 200/n times at each scale


@dataclass(frozen=True, eq=False)
class Bend:
    """A point and a direction v along which a function bends.

    Attributes
    ----------
    point : float or ndarray
        The value of x.
    direction : float or ndarray
        v, of the shape of x and of length 1.
    step : float
        The h of the second difference (f(x + hv) − 2f(x) + f(x − hv))/h², whose sign alone shows
        that f is not concave (above 0) or not convex (below 0).
    difference : float
        That second difference.
    curvature : float or None
        vᵀHv, of the same sign; None where a kink or a gap in the domain bends the function.
    """

    point: Any
    direction: Any
    step: float
    difference: float
    curvature: float | None

    def __repr__(self) -> str:
        bends = "up" if self.difference > 0 else "down"
        return f"bends {bends} at {np.asarray(self.point)} along {np.asarray(self.direction)}"


@dataclass(frozen=True, eq=False)
class Witness:
    """Where a function bends up and where down, for the same values of the other symbols.

    Attributes
    ----------
    up, down : Bend
    others : dict of str to array
        The values of the other symbols.
    """

    up: Bend
    down: Bend
    others: dict[str, Any]

    def __repr__(self) -> str:
        return f"{self.up!r}\n{self.down!r}"


def find_witness(
    f: Expression, x: Symbol, nonnegative: frozenset[Symbol], H: Expression | None
) -> Witness | None:
    """Two bends of opposite signs; None where none are found. ``H`` is the Hessian, where known."""
    f = guarded(stabilised(f), keep_steps=True)  # as `evaluate` computes it
    seeds, draws = _effort(f)
    lasting = _lasting(x, f, H)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        across: Witness | None = None
        for seed in range(seeds):
            smooth: dict[int, Bend] = {}
            found: dict[int, Bend] = {}
            value = _Values(f, lasting)
            for instance in _instances(value, x, nonnegative, seed, draws):
                told = set(smooth) if H is not None else set(found)
                for bend in _bends(value, x, H, instance, nonnegative, seed, told):
                    sign = 1 if bend.difference > 0 else -1
                    found.setdefault(sign, bend)
                    if bend.curvature is not None:
                        smooth.setdefault(sign, bend)
                values, sizes = instance
                others = {s.name: _shown(s, v, sizes) for s, v in values.items() if s != x}
                if len(smooth) == 2:
                    return Witness(smooth[1], smooth[-1], others)
                if len(found) == 2 and across is None:
                    across = Witness(found[1], found[-1], others)
    return across


def _effort(f: Expression) -> tuple[int, int]:
    """Seeds, and draws of x at each scale: fewer where f is long, so that the work is bounded."""
    parts = list(parts_of(f))
    if any(isinstance(part, _SLOW) for part in parts):
        return _OF_SLOW, _OF_SLOW
    most = max(_OF_SLOW, _MOST_PARTS // len(parts))
    return min(_SEEDS, most), min(_DRAWS, most)


def _instances(
    value: _Values, x: Symbol, nonnegative: frozenset[Symbol], seed: int, draws: int
) -> Iterator[Instance]:
    """Values that differ in x alone, at which the function is defined."""
    rng = np.random.default_rng(seed)
    try:
        first = random_instance([value.f, x], seed)
    except EvaluationError:
        return
    values, sizes = dict(first[0]), first[1]
    for symbol in nonnegative & set(values):
        values[symbol] = np.abs(values[symbol])
    if np.isfinite(value(values, sizes)):
        yield values, sizes
    for scale in _SCALES:
        for _ in range(draws):
            drawn = {**values, x: _drawn(x, values[x].shape, rng, scale, x in nonnegative)}
            if np.isfinite(value(drawn, sizes)):
                yield drawn, sizes


def _drawn(
    x: Symbol, shape: tuple[int, ...], rng: np.random.Generator, scale: float, positive: bool
) -> Array:
    value = scale * rng.standard_normal(shape)
    if "positive_definite" in x.declared:
        return as_declared(x, value @ value.T + 0.1 * scale**2 * np.eye(len(value)))
    if "probability" in x.declared:
        shares = np.exp(value - value.max())
        return shares / shares.sum()
    return as_declared(x, np.abs(value) if positive else value)


class _Values:
    """Values of f at points that differ in x alone: what does not depend on x is computed once.

    Parameters
    ----------
    f : Expression
        A scalar.
    lasting : frozenset of bytes
        The keys of the parts that do not depend on x.
    """

    def __init__(self, f: Expression, lasting: frozenset[bytes]) -> None:
        self.f, self._lasting = f, lasting
        self._known: dict[bytes, Array] = {}

    def of(
        self, e: Expression, values: Mapping[Symbol, Array], sizes: Mapping[str, int]
    ) -> Array | None:
        """The value of another expression; None where it is not defined."""
        known = dict(self._known)
        try:
            result = walk(e, values, sizes, checked=True, known=known)
        except (EvaluationError, ValueError, OverflowError):
            return None
        if len(self._known) < len(self._lasting):
            self._known = {key: known[key] for key in self._lasting & known.keys()}
        return result

    def __call__(self, values: Mapping[Symbol, Array], sizes: Mapping[str, int]) -> float:
        """The value; NaN where it is not defined."""
        found = self.of(self.f, values, sizes)
        return np.nan if found is None else float(found[0, 0])


def _lasting(x: Symbol, *expressions: Expression | None) -> frozenset[bytes]:
    return frozenset(
        part.key
        for e in expressions
        if e is not None
        for part in closed_parts_of(e)
        if x not in part.used and not isinstance(part, Symbol)
    )


def _bends(
    value: _Values,
    x: Symbol,
    H: Expression | None,
    instance: Instance,
    nonnegative: frozenset[Symbol],
    seed: int,
    told: Collection[int],
) -> Iterator[Bend]:
    """Bends at a point; none of a sign in ``told``, of which there is one already."""
    values, sizes = instance
    at, middle = values[x], value(values, sizes)
    hessian = None if H is None else value.of(H, values, sizes)
    for v in _candidates(x, hessian, instance, seed):
        for step in _STEPS:
            ends = [at + step * v, at - step * v]
            if not all(_belongs(x, end, x in nonnegative) for end in ends):
                continue
            change = _change(value, x, instance, step * v, middle)
            if change is None or (1 if change > 0 else -1) in told:
                continue
            if not all(
                _is_alike(_change(value, x, (moved, sizes), step * v, value(moved, sizes)), change)
                for moved in _moved(x, values)
            ):
                continue
            curvature = _curvature(hessian, v, change)
            difference = float(change / step**2)
            yield Bend(_shown(x, at), _shown(x, v), step, difference, curvature)
            if curvature is not None:
                break


def _curvature(hessian: Array | None, v: Array, change: float) -> float | None:
    """vᵀHv, where it is not rounding and has the sign of the second difference."""
    if hessian is None:
        return None
    column = v.ravel(order="F")
    found = float(column @ hessian @ column)
    is_rounding = abs(found) <= _ROUNDING * float(np.abs(hessian).max())
    return None if is_rounding or found * change <= 0 else found


def _change(
    value: _Values, x: Symbol, instance: Instance, step: Array, middle: float
) -> float | None:
    """The second difference, not divided, where it is not rounding; f is ``middle`` at x."""
    values, sizes = instance
    up, down = (value({**values, x: values[x] + k * step}, sizes) for k in (1, -1))
    change = (up - middle) + (down - middle)
    noise = _ROUNDING * (abs(up) + abs(down) + abs(middle))
    return change if np.isfinite(change) and abs(change) > noise else None


def _moved(x: Symbol, values: Mapping[Symbol, Array]) -> Iterator[dict[Symbol, Array]]:
    """Values nearby, at which rounding differs and the function nearly does not."""
    for factor in (1 + 1e-7, 1 - 1.7e-7):
        yield {**values, x: factor * values[x]}


def _is_alike(change: float | None, expected: float) -> bool:
    return change is not None and abs(change - expected) <= 0.2 * abs(expected)


def _candidates(x: Symbol, hessian: Array | None, instance: Instance, seed: int) -> Iterator[Array]:
    """Directions: eigenvectors of the Hessian at both ends, and a few at random."""
    values, _ = instance
    basis = [E / np.linalg.norm(E) for E in directions(x, instance)]
    if "probability" in x.declared:  # those along which the sum stays one
        basis = [E - np.full_like(E, E.sum() / E.size) for E in basis]
    stacked = np.column_stack([E.ravel(order="F") for E in basis])
    if stacked.shape[1] == 1:  # along a line all directions are one
        yield from _normed(stacked[:, 0], values[x].shape)
        return
    if hessian is not None:
        _, vectors = np.linalg.eigh(stacked.T @ ((hessian + hessian.T) / 2) @ stacked)
        for column in {0, vectors.shape[1] - 1}:
            yield from _normed(stacked @ vectors[:, column], values[x].shape)
    rng = np.random.default_rng(seed)
    yield from _normed(stacked[:, 0], values[x].shape)
    for _ in range(3):
        yield from _normed(stacked @ rng.standard_normal(stacked.shape[1]), values[x].shape)


def _normed(direction: Array, shape: tuple[int, ...]) -> Iterator[Array]:
    size = np.linalg.norm(direction)
    if size > 0:
        yield (direction / size).reshape(shape, order="F")


def _belongs(x: Symbol, value: Array, nonnegative: bool) -> bool:
    """Whether a value is one that x may have."""
    if (nonnegative or "probability" in x.declared) and (value < 0).any():
        return False
    if "positive_definite" in x.declared:
        return bool(np.linalg.eigvalsh(value)[0] > 0)
    return True


def _shown(symbol: Symbol, value: Array, sizes: Mapping[str, int] | None = None) -> Any:
    return float(value[0, 0]) if symbol.is_scalar else natural(symbol, value, sizes)
