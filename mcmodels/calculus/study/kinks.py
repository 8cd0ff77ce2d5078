"""Critical points at kinks of abs, relu and norm: a multiplier for each kink decides.

Where |u| has its kink, |u| ≥ t u for every t of size up to 1, with equality at the kink. So a
function that grows with |u| is nowhere below the smooth one with t u in its place. If the gradient
of that one is zero for some t of size below 1, the function rises at a rate along all directions
that leave u = 0, and the Hessian of the smooth one decides along the others. relu(u) is
(u + |u|)/2, and ‖u‖ ≥ tᵀu for every vector t of length up to 1.

Rockafellar and Wets (1998), *Variational Analysis*, 10.1 and 13.24.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mcmodels.calculus.compute.binding import Array
from mcmodels.calculus.compute.evaluate import EvaluationError, walk
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import functions, operators
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, scale
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.rewriting import closed_parts_of, parts_of, rewrite, substitute
from mcmodels.calculus.derive import gradients
from mcmodels.plain import np

__all__ = ["SmoothPart", "at_kinks", "has_kinks", "require_decided", "with_relu"]

_STRICT = 1 - 1e-9  # multipliers of at least this size decide nothing
_ROUNDING = 1e-9  # of a gradient that the multipliers should cancel, relative to its terms
_SAME_RANK = 1e-10  # of the largest singular value of the slopes


@dataclass(frozen=True, eq=False)
class _Kink:
    """A part with a kink at the point.

    Attributes
    ----------
    part : Expression
        abs(u) or relu(u), with a kink where an entry of u is 0; or the norm of u = 0.
    multiplier : Symbol
        Of the shape of u: t, so that t ∘ u, or its sum for a norm, stands in the part's place.
    active : array of bool
        Which entries of u are 0.
    fixed : Array
        The multipliers at t = 0: slopes of entries that are not active, the middle of both slopes
        where they are.
    """

    part: Expression
    multiplier: N.Symbol
    active: Array
    fixed: Array

    @property
    def argument(self) -> Expression:
        return self.part.children[0]

    @property
    def half(self) -> float:
        """Half the jump of the slope."""
        return 0.5 if getattr(self.part, "name", "") == "relu" else 1.0

    @property
    def linear(self) -> Expression:
        product = operators.multiply(self.multiplier, self.argument)
        return functions.sum(product) if isinstance(self.part, N.Norm) else product


@dataclass(frozen=True)
class SmoothPart:
    """What a function is along the directions that leave all kinks as they are.

    Attributes
    ----------
    strict : bool
        Whether the slopes change sign at every kink; False where some are flat on one side.
    sign : int
        1 where the function rises across every kink, -1 where it falls, 0 where it does both.
    eigenvalues : Array
        Of the Hessian along the other directions, ascending; there may be none.
    gradient : Array
        With the multipliers: zero up to rounding.
    """

    strict: bool
    sign: int
    eigenvalues: Array
    gradient: Array


def with_relu(f: Expression) -> Expression:
    """The same function with maximum(a, b) = b + relu(a − b), minimum(a, b) = b − relu(b − a)."""

    def replaced(part: Expression) -> Expression | None:
        if not (isinstance(part, F.Pairwise) and part.name in ("maximum", "minimum")):
            return None
        a, b = (rewrite(side, replaced) for side in (part.left, part.right))
        sign = 1 if part.name == "maximum" else -1
        above = scale(sign, add([a, scale(-1, b)]))
        return add([b, scale(sign, elementwise("relu", above))])

    return rewrite(f, replaced).within(f.context)


def require_decided(
    f: Expression, x: N.Symbol, point: Mapping[N.Symbol, Array], sizes: Mapping[str, int]
) -> None:
    """Refuse ties of `amax` and boundaries of `where`: no multipliers here decide there.

    Raises
    ------
    ValueError
    """
    for part in parts_of(f):
        if not isinstance(part, F.Largest | F.Where) or x not in part.used:
            continue
        if isinstance(part, F.Largest):
            values = walk(part.argument, point, sizes)
            found, what = int((values == values.max()).sum()) > 1, "the largest entry stands twice"
        else:
            found = bool((walk(part.condition, point, sizes) == 0).any())
            what = "the condition is at its boundary"
        if found:
            raise ValueError(
                f"{part} may have a kink at this point, where {what}: slopes on both sides are "
                "compared at kinks of abs, relu, norm, maximum and minimum alone"
            )


def has_kinks(
    f: Expression, x: N.Symbol, point: Mapping[N.Symbol, Array], sizes: Mapping[str, int]
) -> bool:
    """Whether abs, relu or norm stands at a kink in it."""
    return bool(_active(f, x, point, sizes))


def at_kinks(
    f: Expression,
    x: N.Symbol,
    point: Mapping[N.Symbol, Array],
    sizes: Mapping[str, int],
    basis: Array,
) -> SmoothPart | None:
    """What decides at a point with kinks; None where there are none, or where this does not decide.

    Parameters
    ----------
    f : Expression
        A scalar.
    x : Symbol
    point : mapping of Symbol to Array
    sizes : mapping of str to int
    basis : Array
        Orthonormal columns: the directions in which x may move.

    Raises
    ------
    ValueError
        If the function falls along some direction at a rate: the point is not critical.
    """
    rates = {kink: _jumps(f, kink, point, sizes) for kink in _active(f, x, point, sizes)}
    # ‖x‖² has no kink: its slope in ‖x‖ is 0 there.
    kinks = [kink for kink, jumps in rates.items() if jumps.any()]
    if not kinks:
        return None
    jumps = np.concatenate([rates[kink] for kink in kinks])
    smooth = substitute(f, {kink.part: kink.linear for kink in kinks})
    G = gradients.gradient(smooth, x)
    values = {**point, **{kink.multiplier: kink.fixed for kink in kinks}}
    gradient = basis.T @ walk(G, values, sizes, checked=True).T.ravel()
    if not jumps.all():
        return None
    slopes, groups = _crossings(x, kinks, point, sizes, basis)
    signs = np.sign(jumps)
    t = _multipliers(x, slopes.T * jumps, gradient, groups)
    if t is None:
        return None
    across, inside = _split(slopes)
    if len(set(signs)) > 1 and len(across.T) < len(slopes):
        return None  # kinks that rise and kinks that fall, which may cancel
    start = 0
    for kink in kinks:
        stop = start + int(kink.active.sum())
        moved = kink.fixed.copy()
        moved.T[kink.active.T] += kink.half * t[start:stop]
        values[kink.multiplier] = moved
        start = stop
    H = walk(gradients.jacobian(G, x), values, sizes, checked=True)
    H = inside.T @ basis.T @ H @ basis @ inside
    sign = int(signs[0]) if len(set(signs)) == 1 else 0
    eigenvalues = np.linalg.eigvalsh((H + H.T) / 2)
    strict = _size(t, groups) < _STRICT
    return SmoothPart(strict, sign, eigenvalues, walk(G, values, sizes, checked=True))


def _active(
    f: Expression, x: N.Symbol, point: Mapping[N.Symbol, Array], sizes: Mapping[str, int]
) -> list[_Kink]:
    """The parts with a kink at the point; none where one is inside another."""
    found: list[_Kink] = []
    # Of kinks in the terms of a sum, `evaluate` tells, where a derivative stands at one.
    for part in closed_parts_of(f):
        kinked = isinstance(part, N.Elementwise) and part.name in ("abs", "relu")
        if not (kinked or isinstance(part, N.Norm)) or x not in part.used:
            continue
        u = walk(part.children[0], point, sizes)
        active = u == 0
        if not (active.any() if kinked else active.all()):
            continue
        argument = part.children[0]
        name = f"_kink{len(found)}"
        symbol = N.Symbol(name, argument.rows, argument.cols, frozenset())
        slope = np.sign(u)
        fixed = (slope + 1) / 2 if getattr(part, "name", "") == "relu" else slope
        found.append(_Kink(part, symbol, active, fixed))
    inner = {part for kink in found for part in parts_of(kink.argument)}
    return [] if any(kink.part in inner for kink in found) else found


def _jumps(
    f: Expression, kink: _Kink, point: Mapping[N.Symbol, Array], sizes: Mapping[str, int]
) -> Array:
    """Half the jump of the slope of f in each active entry of the argument."""
    part = kink.part
    stand_in = N.Symbol("_value", part.rows, part.cols, frozenset())
    rate = gradients.gradient(substitute(f, {part: stand_in}), stand_in)
    given = {**point, stand_in: walk(part, point, sizes)}
    try:
        slope = walk(rate, given, sizes, checked=True)
    except EvaluationError as error:  # it names the stand-in
        what, *about = error.args
        named = [substitute(e, {stand_in: part}) if isinstance(e, Expression) else e for e in about]
        raise EvaluationError(what, *named) from None
    rates = np.broadcast_to(slope, kink.active.shape)
    return np.asarray(kink.half * rates.T[kink.active.T])


def _crossings(
    x: N.Symbol,
    kinks: list[_Kink],
    point: Mapping[N.Symbol, Array],
    sizes: Mapping[str, int],
    basis: Array,
) -> tuple[Array, list[list[int]]]:
    """Of each active entry: how it moves with x; and which belong to one norm."""
    slopes: list[Array] = []
    groups: list[list[int]] = []
    for kink in kinks:
        J = walk(gradients.jacobian(kink.argument, x), point, sizes, checked=True) @ basis
        members = list(range(len(slopes), len(slopes) + int(kink.active.sum())))
        slopes += list(J[kink.active.T.ravel()])
        groups += [members] if isinstance(kink.part, N.Norm) else [[i] for i in members]
    return np.array(slopes), groups


def _multipliers(x: N.Symbol, M: Array, gradient: Array, groups: list[list[int]]) -> Array | None:
    """Find t with M t = -gradient, of size up to 1 in each group; None where none is found."""
    t, _, rank, _ = np.linalg.lstsq(M, -gradient, rcond=None)
    left = float(np.abs(M @ t + gradient).max())
    if left > _ROUNDING * max(1.0, float(np.abs(gradient).max()), float(np.abs(M).max())):
        raise ValueError(
            f"at is not a critical point: along directions that cross no kink, the gradient by "
            f"{x.name!r} is {left:.3g} there. Solve gradient = 0 first, more exactly"
        )
    size = _size(t, groups)
    if size < _STRICT:
        return np.asarray(t)
    if rank == M.shape[1]:  # there is no other t
        _require_bounded(x, size)
        return np.asarray(t)
    if any(len(group) > 1 for group in groups):
        return None
    return _smallest_multipliers(x, M, gradient)


def _size(t: Array, groups: list[list[int]]) -> float:
    return max(float(np.linalg.norm(t[group])) for group in groups)


def _smallest_multipliers(x: N.Symbol, M: Array, gradient: Array) -> Array | None:
    """The t whose largest entry is smallest, by linear programming."""
    from scipy.optimize import linprog

    count = M.shape[1]
    last = np.zeros(count + 1)
    last[-1] = 1
    bounds = np.vstack([np.eye(count), -np.eye(count)])
    found = linprog(
        last,
        A_ub=np.column_stack([bounds, -np.ones(2 * count)]),
        b_ub=np.zeros(2 * count),
        A_eq=np.column_stack([M, np.zeros(len(M))]),
        b_eq=-gradient,
        bounds=[(None, None)] * count + [(0, None)],
    )
    if found.status != 0:
        return None
    _require_bounded(x, float(found.x[-1]))
    return np.asarray(found.x[:-1])


def _require_bounded(x: N.Symbol, size: float) -> None:
    if size > 2 - _STRICT:
        raise ValueError(
            f"at is not a critical point: at the kinks of {x.name!r} the slopes do not change "
            f"sign; the smooth part is {size:.3g} times as steep as the kinks allow"
        )


def _split(slopes: Array) -> tuple[Array, Array]:
    """Orthonormal directions that cross kinks, and those that cross none."""
    _, values, V = np.linalg.svd(slopes)
    rank = int((values > _SAME_RANK * values[0]).sum()) if values[0] else 0
    return V[:rank].T, V[rank:].T
