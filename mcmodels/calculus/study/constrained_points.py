"""Classification of a critical point under constraints, on their tangent space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mcmodels.calculus.compute.binding import Array, bind
from mcmodels.calculus.compute.evaluate import natural, walk
from mcmodels.calculus.core import functions
from mcmodels.calculus.core.arithmetic import is_symmetric
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.derive import gradients
from mcmodels.calculus.derive.whole_arrays import by_whole_arrays
from mcmodels.calculus.study.checks import directions
from mcmodels.calculus.study.critical_points import CriticalPoint
from mcmodels.calculus.study.instances import Instance, as_declared
from mcmodels.calculus.study.kinks import at_kinks, has_kinks, require_decided, with_relu
from mcmodels.plain import np
from mcmodels.user_warnings import NonDifferentiableWarning, warn_user

if TYPE_CHECKING:
    from mcmodels.calculus.study.lagrangians import Lagrangian

__all__ = ["constrained_point"]

_ZERO = 1e-6  # of a constraint or a gradient, relative to what it is made of
_SAME_RANK = 1e-8  # of the largest singular value of the Jacobian


def constrained_point(lagrangian: Lagrangian, x: Any, at: Any) -> CriticalPoint:
    """The work of `Lagrangian.critical_point`."""
    L, f = lagrangian.expression, lagrangian.objective
    symbol = gradients.symbol_of(L, x)
    given = dict(at) if isinstance(at, Mapping) else {symbol.name: at}
    multipliers = [m for m in lagrangian.multipliers if isinstance(m, Symbol)]
    free = [m for m in multipliers if m.name not in given]
    parts = [f, *lagrangian.constraints, *(m for m in multipliers if m not in free)]
    point, sizes = bind(functions.vstack([functions.vec(part) for part in parts]), given)
    for m in free:
        point[m] = np.zeros((m.rows.value(sizes), m.cols.value(sizes)))
    instance = point, sizes
    basis = np.column_stack(
        [E.ravel(order="F") / np.linalg.norm(E) for E in directions(symbol, instance)]
    )
    with np.errstate(all="ignore"):
        _require_feasible(lagrangian.constraints, instance)
        _require_smooth(lagrangian.constraints, symbol, instance)
        J = np.vstack([_slopes(g, symbol, instance) @ basis for g in lagrangian.constraints])
        count = sum(_count(g, sizes) for g in lagrangian.constraints)
        tangent = _tangent_space(symbol, J, count)
        kinked = _at_kinks(lagrangian, symbol, free, instance, basis, tangent)
        if kinked is not None:
            return kinked
        slope = gradients.gradient(L, symbol)
        start = _vec(slope, instance)
        _fill(free, lagrangian, symbol, instance, basis, start)
        gradient = _vec(slope, instance)
        left = float(np.linalg.norm(basis.T @ gradient))
        size = max(float(np.linalg.norm(start)), float(np.abs(J).max()), 1e-300)
        if left > _ZERO * size:
            raise ValueError(
                f"at is not a critical point: the gradient of the Lagrangian by {symbol.name!r} "
                f"has norm {left:.3g} there, whatever the multipliers that are left out. Solve "
                "stationarity and constraints first, more exactly"
            )
        H = walk(gradients.hessian(L, symbol, symbol), point, sizes, checked=True)
        value = float(walk(f, point, sizes, checked=True)[0, 0])
    Z = basis @ tangent
    eigenvalues = np.linalg.eigvalsh(Z.T @ ((H + H.T) / 2) @ Z)
    shown = natural(symbol, gradient.reshape(point[symbol].shape, order="F"))
    return CriticalPoint.of(eigenvalues, float(shown) if symbol.is_scalar else shown, value)


def _require_smooth(constraints: Sequence[Expression], x: Symbol, instance: Instance) -> None:
    for g in constraints:
        if has_kinks(with_relu(by_whole_arrays(g)), x, *instance):
            raise ValueError(
                f"the constraint {g} = 0 has a kink there, where it has no tangent space: write it "
                "without abs, relu, norm, maximum or minimum"
            )


def _at_kinks(
    lagrangian: Lagrangian,
    x: Symbol,
    free: Sequence[Symbol],
    instance: Instance,
    basis: Array,
    tangent: Array,
) -> CriticalPoint | None:
    """The point where the objective has kinks, which the tangent directions cross; else None."""
    point, sizes = instance
    f = with_relu(by_whole_arrays(lagrangian.objective))
    require_decided(f, x, point, sizes)
    directions_ = basis @ tangent
    smooth = at_kinks(f, x, point, sizes, directions_)
    if smooth is None:
        return None
    if free:  # the multipliers of the constraints, which the Hessian below needs
        _fill(free, lagrangian, x, instance, basis, smooth.gradient.ravel(order="F"))
    L = with_relu(by_whole_arrays(lagrangian.expression))
    smooth = at_kinks(L, x, point, sizes, directions_)
    if smooth is None:
        return None
    if not smooth.strict:
        warn_user(
            f"{f} stands at a kink where it is flat on one side, up to second derivatives: these "
            "do not say whether it is an extremum",
            NonDifferentiableWarning,
        )
    value = float(walk(lagrangian.objective, point, sizes, checked=True)[0, 0])
    shown = natural(x, smooth.gradient)
    return CriticalPoint.at_kinks(smooth, float(shown) if x.is_scalar else shown, value)


def _vec(expression: Expression, instance: Instance) -> Array:
    return walk(expression, *instance, checked=True).ravel(order="F")


def _slopes(constraint: Expression, x: Symbol, instance: Instance) -> Array:
    return walk(gradients.jacobian(constraint, x), *instance, checked=True)


def _require_feasible(constraints: Sequence[Expression], instance: Instance) -> None:
    for constraint in constraints:
        terms = constraint.children if constraint.children else (constraint,)
        size = max(float(np.abs(walk(term, *instance)).max()) for term in terms)
        left = float(np.abs(walk(constraint, *instance, checked=True)).max())
        if left > _ZERO * max(size, 1.0):
            raise ValueError(
                f"at does not satisfy the constraint {constraint} = 0: it is {left:.3g} there"
            )


def _tangent_space(x: Symbol, J: Array, count: int) -> Array:
    """Directions along which no constraint changes, as orthonormal columns."""
    _, sizes, rows = np.linalg.svd(J)
    rank = int((sizes > _SAME_RANK * float(sizes[0])).sum()) if sizes[0] > 0 else 0
    if rank < count:
        raise ValueError(
            "the Jacobian of the constraints has not full rank there: they depend on each other, "
            "and the Lagrangian does not decide. Leave out those that follow from others"
        )
    if rank == J.shape[1]:
        raise ValueError(
            f"the constraints leave {x.name!r} no direction to move in, so that every function has "
            "an extremum there"
        )
    return rows[rank:].T


def _count(constraint: Expression, sizes: Mapping[str, int]) -> int:
    """How many equations a constraint is; a symmetric one has those of its free entries."""
    rows, cols = constraint.rows.value(sizes), constraint.cols.value(sizes)
    symmetric = constraint.is_array and is_symmetric(constraint)
    return rows * (rows + 1) // 2 if symmetric else rows * cols


def _fill(
    free: Sequence[Symbol],
    lagrangian: Lagrangian,
    x: Symbol,
    instance: Instance,
    basis: Array,
    gradient: Array,
) -> None:
    """Set the multipliers that are left out to those that make the gradient smallest."""
    if not free:
        return
    pairs = zip(lagrangian.multipliers, lagrangian.constraints, strict=True)
    rows = [_slopes(g, x, instance) @ basis for m, g in pairs if m in free]
    found = np.linalg.lstsq(np.vstack(rows).T, basis.T @ gradient, rcond=None)[0]
    point, _ = instance
    for m in free:
        shape = point[m].shape
        size = shape[0] * shape[1]
        point[m] = as_declared(m, found[:size].reshape(shape, order="F"))
        found = found[size:]
