"""Derivatives and derivations measured against finite differences and the complex step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mcmodels.calculus.compute.binding import Array, bind, bind_sizes, known_names
from mcmodels.calculus.compute.digits.evaluation import require_digits
from mcmodels.calculus.compute.digits.functions import mpmath, number
from mcmodels.calculus.compute.digits.rows import Rows, entries, mapped, product, transposed
from mcmodels.calculus.compute.digits.walking import walk_exactly
from mcmodels.calculus.compute.evaluate import walk
from mcmodels.calculus.core.einsum_nodes import TensorSymbol
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Differential, Symbol, Unevaluated
from mcmodels.calculus.derive.gradients import derivative, symbol_of
from mcmodels.calculus.study.both_sides import on_both_sides, same_cases, thresholds
from mcmodels.calculus.study.instances import Instance, as_declared, random_instance
from mcmodels.differences import difference_quotient
from mcmodels.plain import np

if TYPE_CHECKING:
    from mcmodels.calculus.study.derivation import Derivation

__all__ = [
    "check",
    "check_differential",
    "check_steps",
    "directions",
    "largest_deviation",
]

_STEPS = (1e6, 1e4, 1e2, 1.0, 0.1, 0.01)  # the largest one that leaves no case is taken
_FIRST_STEP = 2.0**-4  # of `difference_quotient`, as a multiple of the direction
_SMALLEST_SCALE = 1e-3  # of a derivative; differences of one that is 0 leave 1e-13 or so


def check(
    f: Expression,
    x: Any,
    seed: int = 0,
    values: Mapping[str, Any] | None = None,
    digits: int | None = None,
) -> float:
    """The work of `Expression.check`."""
    if digits is not None and "digits" in known_names(f):  # the value of a symbol of that name
        values = {**(values or {}), "digits": digits}
    elif digits is not None:
        return _check_in_digits(f, x, seed, values or {}, require_digits(digits))
    symbol = symbol_of(f, x)
    first = derivative(f, symbol)
    instance, *others = _points(f, symbol, first, seed, values or {})
    errors = [_error_at(f, symbol, first, instance, directions(symbol, instance))]
    for other in others:
        basis = directions(symbol, other)
        moves = [_largest_step(f, symbol, other, E) * E for E in basis]
        errors.append(_error_at(f, symbol, first, other, moves))
    return max(errors)


def _largest_step(f: Expression, x: Symbol, instance: Instance, E: Array) -> float:
    """As large as the entries that move, or so much less that no step leaves the case."""
    values, sizes = instance
    largest, margins = float(np.abs(values[x] * E).max(initial=0.0)), thresholds((f,))
    steps = [step for step in _STEPS if step <= 1 or step <= largest]

    def stays(step: float) -> bool:
        for t in (-step, step):
            moved: Instance = ({**values, x: values[x] + t * _FIRST_STEP * E}, sizes)
            with np.errstate(all="ignore"):
                defined = np.isfinite(walk(f, *moved)).all()
            if not (defined and same_cases(margins, instance, moved)):
                return False
        return True

    return next((step for step in steps if stays(step)), steps[-1])


def _points(
    f: Expression, x: Symbol, first: Expression, seed: int, values: Mapping[str, Any]
) -> list[Instance]:
    """A random point, and others beyond thresholds such as that of relu(x − 100)."""
    instance = instance_at((f, first, x), seed, values)
    margins = thresholds((f,))
    if not margins:
        return [instance]
    given = frozenset(symbol for symbol in instance[0] if symbol.name in values)
    return [instance, *on_both_sides([instance], margins, (f, first), given)[0]]


def _error_at(
    f: Expression, x: Symbol, first: Expression, instance: Instance, moves: list[Array]
) -> float:
    """The error of a derivative at a point, by differences in some directions."""
    found = walk(first, *instance)
    analytic, numerical = [], []
    for E in moves:
        product = np.sum(found * E) if f.is_scalar else found @ E.T.reshape(-1, 1)
        analytic.append(np.ravel(product))
        change = difference_quotient(_along(f, x, E, instance))
        numerical.append(change.T.ravel())
    return largest_deviation(np.array(analytic), np.array(numerical))


def _check_in_digits(
    f: Expression, x: Any, seed: int, values: Mapping[str, Any], digits: int
) -> float:
    """As `check`, by central differences of two steps, extrapolated, in so many digits.

    With a step h, they are wrong by h⁴ and by rounding over h.
    """
    symbol = symbol_of(f, x)
    first = derivative(f, symbol)
    points = _points(f, symbol, first, seed, values)
    return max(_error_in_digits(f, symbol, first, point, digits) for point in points)


def _error_in_digits(
    f: Expression, symbol: Symbol, first: Expression, instance: Instance, digits: int
) -> float:
    drawn, sizes = instance
    mp = mpmath().mp
    with mp.workdps(digits):
        exact = {s: mapped(number, array.tolist()) for s, array in drawn.items()}
        found = walk_exactly(first, exact, sizes)
        step = mp.mpf(10) ** -(digits // 5)
        largest = worst = mp.mpf(0)

        def moved(E: Rows, h: Any) -> Rows:
            ahead = mapped(lambda entry, e: entry + h * e, exact[symbol], E)
            return walk_exactly(f, {**exact, symbol: ahead}, sizes)

        def quotient(E: Rows, h: Any) -> Rows:
            return mapped(lambda a, b: (a - b) / (2 * h), moved(E, h), moved(E, -h))

        for direction in directions(symbol, (drawn, sizes)):
            E = mapped(number, direction.tolist())
            vec = [[entry] for entry in entries(transposed(E))]
            analytic = entries(
                [[mp.fdot(entries(found), entries(E))]] if f.is_scalar else product(found, vec)
            )
            halves = mapped(lambda a, b: (4 * a - b) / 3, quotient(E, step / 2), quotient(E, step))
            numerical = entries(transposed(halves))
            largest = max(largest, *map(abs, numerical))
            worst = max(worst, *(abs(a - b) for a, b in zip(analytic, numerical, strict=True)))
        return float(worst / max(largest, mp.mpf(_SMALLEST_SCALE)))


def check_steps(derivation: Derivation, seed: int = 0) -> float:
    """The work of `Derivation.check`."""
    steps = derivation.steps
    sides = [side for step in steps for side in (step.before, step.after)]
    dX = Differential(derivation.variable)
    plain = [side for side in (derivation.expression, *sides) if dX not in side.used]
    values, sizes = random_instance([*plain, dX], seed)
    errors = [0.0]
    for step in steps:
        before, after = walk(step.before, values, sizes), walk(step.after, values, sizes)
        if step.identifies_gradient:
            after = np.array([[np.sum(after * values[dX])]])
        elif step.identifies:
            after = after @ values[dX].T.reshape(-1, 1)
        errors.append(largest_deviation(after, before))
    return max(errors)


def check_differential(f: Expression, claimed: Expression, seed: int = 0) -> float:
    """The error of a differential in all symbols, measured by the complex step."""
    values, sizes = random_instance([f, claimed], seed)
    pending = Unevaluated(f, f.used)
    return largest_deviation(walk(claimed, values, sizes), walk(pending, values, sizes))


def instance_at(
    expressions: tuple[Expression, ...], seed: int, values: Mapping[str, Any]
) -> Instance:
    """A random instance, but for the values given by name."""
    given: dict[Symbol, Array] = {}
    size_names = {name for expression in expressions for name in expression.size_names}
    sizes = bind_sizes({}, {name: values[name] for name in values if name in size_names})
    for symbol in {symbol for expression in expressions for symbol in expression.used}:
        if symbol.name in values:
            bound, _ = bind(symbol, {symbol.name: values[symbol.name]})
            given |= bound
            if isinstance(symbol, TensorSymbol):  # whose entries do not tell its sizes
                sizes = bind_sizes({symbol: np.asarray(values[symbol.name])}, sizes)
    unknown = sorted(set(values) - {symbol.name for symbol in given} - set(sizes))
    if unknown:
        raise ValueError(f"{unknown[0]!r} does not occur in {expressions[0]}")
    return random_instance(expressions, seed, given, sizes)


def directions(x: Symbol, instance: Instance) -> list[Array]:
    """A basis of the directions in which ``x`` may move: symmetric ones where it is symmetric."""
    values, _ = instance
    rows, cols = values[x].shape
    basis = []
    for j in range(cols):
        for i in range(rows):
            E = np.zeros((rows, cols))
            E[i, j] = 1
            if not as_declared(x, E).any():
                continue
            if "symmetric" in x.declared:
                if i < j:
                    continue
                E[j, i] = 1
            basis.append(E)
    return basis


def _along(f: Expression, x: Symbol, E: Array, instance: Instance) -> Callable[[float], Array]:
    values, sizes = instance
    return lambda t: walk(f, {**values, x: values[x] + t * E}, sizes)


def largest_deviation(found: Array, expected: Array) -> float:
    """The largest deviation, relative to the largest entry (or to 1e-3 where that is smaller)."""
    if found.size == 0:
        return 0.0
    scale = max(float(np.abs(expected).max()), _SMALLEST_SCALE)
    return float(np.abs(found - expected).max()) / scale
