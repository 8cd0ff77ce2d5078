"""Values: a plain walk over the expression, with arrays of two dimensions.

It runs in float64, and with complex numbers for the complex step: the operations are analytic, so
that nothing is conjugated. Values in more digits are in `digits`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from types import SimpleNamespace
from typing import Any

from mcmodels.calculus.compute.binding import Array, bind
from mcmodels.calculus.compute.constant_values import CONSTANT_VALUES, Values
from mcmodels.calculus.compute.contractions import einsum_value
from mcmodels.calculus.compute.function_values import FUNCTION_OPERATIONS, FUNCTION_VALUES
from mcmodels.calculus.compute.guards import guarded
from mcmodels.calculus.compute.kinks import kinks_that_count
from mcmodels.calculus.compute.lost_digits import (
    DIGITS,
    Choices,
    Doubt,
    digits_left,
    warn_of_lost_digits,
)
from mcmodels.calculus.compute.more_digits import value_by_digits
from mcmodels.calculus.compute.product_values import (
    block_sum,
    block_trace,
    is_slice,
    kron,
    product,
    slice_of,
)
from mcmodels.calculus.compute.sides_of_kinks import value_on_all_sides
from mcmodels.calculus.compute.stable.forms import PositiveLogDet, stabilised
from mcmodels.calculus.compute.sums_of_rows import Terms
from mcmodels.calculus.compute.undefined import (
    EvaluationError,
    parts_of_choices,
    shape_of,
    takes_step_or_sign,
    warn_of_kink,
)
from mcmodels.calculus.compute.underflows import underflow_counts
from mcmodels.calculus.compute.wide_range import may_be_wide, wide_value
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.einsum_nodes import AxisLogSumExp, AxisSoftmax, Einsum, TensorSymbol
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import SumOver
from mcmodels.calculus.core.named_numbers import exact
from mcmodels.plain import has_numpy, np, scipy

__all__ = ["ANALYTIC", "EvaluationError", "evaluate", "natural", "walk"]


def _analytic_sigmoid(z: Array) -> Array:
    if not np.iscomplexobj(z):
        return scipy.special.expit(z)
    with np.errstate(over="ignore"):
        flipped = np.exp(-np.where(z.real >= 0, z, -z))
    return np.where(z.real >= 0, 1, flipped) / (1 + flipped)


def _analytic_softplus(z: Array) -> Array:
    if not np.iscomplexobj(z):
        return np.logaddexp(0, z)
    return np.where(z.real > 0, z, 0) + np.log1p(np.exp(-np.where(z.real > 0, z, -z)))


def _analytic_abs(z: Array) -> Array:
    return z * np.sign(z.real)


ANALYTIC = SimpleNamespace(
    array=lambda value: np.asarray(value),
    number=float,
    exp=np.exp,
    log=np.log,
    sin=np.sin,
    cos=np.cos,
    tanh=np.tanh,
    sigmoid=_analytic_sigmoid,
    softplus=_analytic_softplus,
    abs=_analytic_abs,
    relu=lambda z: z * (z.real > 0),
    sign=lambda z: np.sign(z.real),
    step=lambda z: np.heaviside(z.real, 0),
    sqrt=np.sqrt,
    power=np.power,
    inv=np.linalg.inv,
    det=np.linalg.det,
    logabsdet=lambda X: (
        np.log(_analytic_abs(np.linalg.det(X))) if np.iscomplexobj(X) else np.linalg.slogdet(X)[1]
    ),
    **FUNCTION_OPERATIONS,
)


_SAME = 1e-9  # relative: two ways to compute a value differ by rounding


def evaluate(expression: Expression, values: Mapping[str, Any]) -> Any:
    """The value of an expression for given symbols; the work of `Expression.evaluate`."""
    if not has_numpy:
        raise ImportError(
            "values in float64 need NumPy: pip install numpy; with digits=… mpmath alone",
            name="numpy",
        )
    bound, sizes = bind(expression, values)
    form = guarded(stabilised(expression), keep_steps=True)
    doubt = Doubt(form)
    kinks: list[Expression] = []
    with np.errstate(all="ignore", under="call", call=doubt.underflow):
        try:
            result = walk(form, bound, sizes, checked=True, doubt=doubt, kinks=kinks)
        except EvaluationError:  # a part overflows on the way to a finite value, or has none
            wide = wide_value(form, bound, sizes, VALUES, ANALYTIC)
            if wide is None:
                wide = value_by_digits(expression, bound, sizes)
            if wide is None:
                raise
            result = wide
        else:
            if doubt.of_range:  # a part underflows on the way to another value
                result = _in_range(form, bound, sizes, result, doubt)
            elif doubt.of_digits:
                result = _judged(expression, form, bound, sizes, result)
            if kinks and expression.is_derivative:
                result, kinks = _beside_kinks(form, bound, sizes, result, kinks)
            for part in kinks:
                warn_of_kink(part)
    shaped = natural(expression, result)
    return float(shaped) if expression.is_scalar else np.array(shaped, order="C")


def _in_range(
    form: Expression,
    bound: Mapping[N.Symbol, Array],
    sizes: Mapping[str, int],
    result: Array,
    doubt: Doubt,
) -> Array:
    """The value, or the one by numbers of any size where what has underflowed counts."""
    if not may_be_wide(form) or not underflow_counts(
        form, lambda changed: walk(form, bound, sizes, changed=changed), doubt.of_range, result
    ):
        return result
    wide = wide_value(form, bound, sizes, VALUES, ANALYTIC)
    if wide is None or np.allclose(wide, result, rtol=_SAME, atol=0):
        return result
    return wide


def _judged(
    expression: Expression,
    form: Expression,
    bound: Mapping[N.Symbol, Array],
    sizes: Mapping[str, int],
    result: Array,
) -> Array:
    """The value, or the one in more digits where it has lost its own; a warning where none is."""
    choices = Choices()
    try:
        left = digits_left(
            form,
            lambda values, changed: walk(form, values, sizes, changed=changed),
            bound,
            result,
            choices,
        )
    except EvaluationError:
        return result
    if left == DIGITS:
        return result
    # In digits, 0.4 as it is typed is not the float, and a choice between the two another one.
    exact = None if choices.has_ties else value_by_digits(expression, bound, sizes)
    if exact is None:
        warn_of_lost_digits(expression, left)
        return result
    return exact


def _beside_kinks(
    form: Expression,
    bound: Mapping[N.Symbol, Array],
    sizes: Mapping[str, int],
    result: Array,
    kinks: list[Expression],
) -> tuple[Array, list[Expression]]:
    """The value on all sides of what has a kink; and the kinks, where sides differ."""
    found = value_on_all_sides(
        lambda values, changed: walk(form, values, sizes, changed=changed), bound, result
    )
    if found is not None:
        result = np.where(np.isnan(found), result, found)
        if not np.isnan(found).any():
            return result, []
    return result, kinks


def natural(expression: Expression, value: Array, sizes: Mapping[str, int] | None = None) -> Array:
    """A value of two dimensions, in the shape of the expression; with sizes, of a tensor."""
    if sizes is not None and isinstance(expression, TensorSymbol):
        return value.reshape([size.value(sizes) for size in expression.axes])
    if expression.is_scalar:
        return np.asarray(value[0, 0])
    return value[:, 0] if expression.is_column else value


def walk(
    expression: Expression,
    values: Mapping[N.Symbol, Array],
    sizes: Mapping[str, int],
    checked: bool = False,
    largest: float = np.inf,
    known: dict[bytes, Array] | None = None,
    doubt: Doubt | None = None,
    changed: Callable[[Expression, list[Array], Array], Array] | None = None,
    kinks: list[Expression] | None = None,
) -> Array:
    """The value as an array of two dimensions.

    Parameters
    ----------
    expression : Expression
    values : mapping of Symbol to array of two dimensions
    sizes : mapping of str to int
    checked : bool
        Whether a part that is not finite is an error that names it.
    largest : float
        Of any entry of an inverse, where ``checked``.
    known : dict of bytes to array, optional
        Values of parts at this point, by their keys, of walks that were not checked; those that
        are computed are added.
    doubt : Doubt, optional
        What is told of the parts that it watches, where ``checked``.
    changed : callable, optional
        What is used in place of the value of a part, from the part, the values of its children
        and its own.
    kinks : list of Expression, optional
        Takes the parts that have a kink at this point, in place of a warning of each.

    Raises
    ------
    EvaluationError
        If a part is not defined there.
    """
    found: dict[bytes, Array] = {} if known is None else known
    met: list[Expression] = []
    tell = warn_of_kink if kinks is None else kinks.append

    def value(part: Expression) -> Array:
        if part.key not in found:
            found[part.key] = computed(part)
        return found[part.key]

    def computed(part: Expression) -> Array:
        if isinstance(part, N.Symbol):
            return values[part]
        if isinstance(part, N.Unevaluated):
            return _directional_derivative(part, values, sizes)
        if isinstance(part, N.Product) and is_slice(part):
            return slice_of(part, value, sizes)
        if isinstance(part, SumOver):
            terms = Terms(value, node, check_term if checked else None, ahead, sizes, ANALYTIC)
            result = terms.total(part)
            if checked:
                check(part, [], result)
            return result
        children = [value(child) for child in part.children]
        result = node(part, children)
        if checked:
            check(part, children, result)
        return result

    def ahead(part: N.Unevaluated) -> tuple[Callable[[Expression], Array], float]:
        moved = _moved(part, values)
        return lambda inner: walk(inner, moved, sizes), _STEP

    def node(part: Expression, children: list[Array]) -> Array:
        try:
            result = VALUES[type(part)](part, children, ANALYTIC, sizes)
            return result if changed is None else changed(part, children, result)
        except (np.linalg.LinAlgError, ZeroDivisionError) as error:
            why = str(error) or "a division by zero"
            raise EvaluationError("{} is not defined here: {}", part, why) from None

    def check(part: Expression, children: list[Array], result: Array) -> None:
        try:
            _check(part, children, result, largest)
        except EvaluationError:  # what a choice does not choose is checked where it chooses
            if part.key not in parts_of_choices(expression):
                raise
        if takes_step_or_sign(part) and not children[0].all():
            met.append(part)
        if doubt is not None and (doubt.underflows or part.key in doubt.watched):
            doubt.see(part, children, result)

    def check_term(part: Expression, children: list[Array], result: Array) -> None:
        check(part, children, result)
        while met:  # the other factors of a term are not kept
            tell(met.pop())

    result = value(expression)
    for part in kinks_that_count(expression, met, lambda e: (found[e.key] == 0).ravel().tolist()):
        tell(part)
    return result


def _check(part: Expression, children: list[Array], result: Array, largest: float) -> None:
    if not np.isfinite(result).all():
        if isinstance(part, N.Power) and np.isfinite(children[0]).all() and children[0].all():
            if np.isnan(result).any():
                raise EvaluationError("{} has a fractional power of a negative number here", part)
            raise EvaluationError("{} has a power that is too large for float64 here", part)
        raise EvaluationError("{} is not finite here: its value has {}", part, _odd(result))
    if isinstance(part, N.MatrixPower) and part.is_inverse and np.abs(result).max() > largest:
        raise EvaluationError("{} is larger than {:.0e} here", part, largest)
    if isinstance(part, F.Hardmax) and (children[0] == children[0].max()).sum() > 1:
        warn_of_kink(part)


def _odd(result: Array) -> str:
    return "a NaN" if np.isnan(result).any() else "an infinity"


_STEP = 1e-100  # of the complex step


def _directional_derivative(
    part: N.Unevaluated, values: Mapping[N.Symbol, Array], sizes: Mapping[str, int]
) -> Array:
    """d(E) by the complex step, which does not use the rules of differentials.

    Squire and Trapp (1998), SIAM Review 40(1).
    """
    return np.imag(walk(part.children[0], _moved(part, values), sizes)) / _STEP


def _moved(part: N.Unevaluated, values: Mapping[N.Symbol, Array]) -> dict[N.Symbol, Array]:
    """The values, with the variables of d(E) a complex step ahead."""
    return {
        symbol: array + 1j * _STEP * values[N.Differential(symbol)]
        if symbol in part.variables
        else array
        for symbol, array in values.items()
    }


def _log_det(X: Array, xp: Any) -> Any:
    """Log det X, NaN where the determinant is not positive."""
    sign = np.sign(np.real(xp.det(X))) if np.iscomplexobj(X) else np.linalg.slogdet(X)[0]
    return xp.logabsdet(X) if sign > 0 else np.nan


def _softmax(z: Array, xp: Any, axis: int) -> Array:
    exponentials = xp.exp(z - _largest(z, axis))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


def _logsumexp(z: Array, xp: Any, axis: int) -> Array:
    top = _largest(z, axis)
    # Those that are largest give their number, beside which the others would be absorbed.
    are_largest = z.real == top
    count = are_largest.sum(axis=axis, keepdims=True)
    shifted = z - top
    at_top = np.expm1(shifted) if np.iscomplexobj(z) else 0.0
    rest = np.where(are_largest, at_top, np.exp(shifted)).sum(axis=axis, keepdims=True)
    return top + np.log(count) + np.log1p(rest / count)


def _by_last(e: AxisSoftmax | AxisLogSumExp, z: Array, sizes: Mapping[str, int]) -> Array:
    """The entries of a tensor as a matrix whose rows run along its last axis."""
    return z.reshape(-1, e.dims.of[-1].value(sizes))


def _largest(z: Array, axis: int) -> Array:
    real = z.real if np.iscomplexobj(z) else z
    return real.max(axis=axis, keepdims=True)


def _power(e: Any, c: list[Array], xp: Any, sizes: Any) -> Array:
    base, exponent = c
    if isinstance(e.exponent, N.Number):
        value = e.exponent.value
        if value == int(value):
            found = _whole_power(base, int(value), xp)
            return _zero_as_nan(found) if value < 0 else found
        if float(value) == 0.5:
            return xp.sqrt(base)
        if value < 0:
            return _zero_as_nan(xp.power(base, exponent))
    return xp.power(base, exponent)


def _zero_as_nan(found: Array) -> Array:
    """A power with a negative exponent, with NaN for each 0: there the base has overflowed.

    Other factors are mostly as large as that base, so that the product would be wrong with 0.
    """
    if found.all() or found.dtype == object:
        return found
    return np.where(found == 0, np.nan, found)


def _whole_power(base: Array, k: int, xp: Any) -> Array:
    # Exact for complex numbers, where a general power goes through logarithms.
    if k < 0:
        return 1 / _whole_power(base, -k, xp)
    return base**k


def _matrix_power(e: Any, c: list[Array], xp: Any, sizes: Any) -> Array:
    base, exponent = c[0], c[1][0, 0].real
    k = int(exponent)
    if k != exponent:
        raise EvaluationError(f"{e} needs a whole exponent; {e.exponent} is {exponent} here")
    if k < 0:
        base, k = xp.inv(base), -k
    result = None
    while k:
        if k & 1:
            result = base if result is None else result @ base
        base, k = base @ base, k >> 1
    return xp.array(np.eye(len(base))) if result is None else result


def _scalar(value: Any) -> Array:
    return np.asarray(value).reshape(1, 1)


VALUES: dict[type[Expression], Values] = {
    N.Number: lambda e, c, xp, s: xp.array([[xp.number(e.value)]]),
    N.NamedNumber: lambda e, c, xp, s: xp.array([[xp.number(exact(e.name))]]),
    N.SizeValue: lambda e, c, xp, s: xp.array([[xp.number(s[e.name])]]),
    N.Stack: lambda e, c, xp, s: np.concatenate(c, axis=e.axis),
    N.Sum: lambda e, c, xp, s: reduce(lambda a, b: a + b, c),
    N.Scaled: lambda e, c, xp, s: reduce(lambda a, b: a * b, c, xp.number(e.coefficient)),
    N.Product: lambda e, c, xp, s: product(c),
    N.Hadamard: lambda e, c, xp, s: reduce(lambda a, b: a * b, c),
    N.Power: _power,
    N.MatrixPower: _matrix_power,
    N.Transpose: lambda e, c, xp, s: c[0].T,
    N.Elementwise: lambda e, c, xp, s: getattr(xp, e.name)(c[0]),
    N.Trace: lambda e, c, xp, s: _scalar(np.trace(c[0])),
    N.Det: lambda e, c, xp, s: _scalar(xp.det(c[0])),
    N.LogDet: lambda e, c, xp, s: _scalar(xp.logabsdet(c[0])),
    PositiveLogDet: lambda e, c, xp, s: _scalar(_log_det(c[0], xp)),
    N.Norm: lambda e, c, xp, s: _scalar(xp.sqrt((c[0] ** 2).sum())),
    N.Total: lambda e, c, xp, s: _scalar(c[0].sum()),
    N.DiagonalMatrix: lambda e, c, xp, s: c[0] * xp.array(np.eye(len(c[0]))),
    N.Diagonal: lambda e, c, xp, s: np.diagonal(c[0])[:, None],
    N.Vec: lambda e, c, xp, s: c[0].T.reshape(-1, 1),
    N.Unvec: lambda e, c, xp, s: c[0].reshape(shape_of(e, s)[::-1]).T,
    N.Kron: lambda e, c, xp, s: kron(c),
    N.Softmax: lambda e, c, xp, s: _softmax(c[0], xp, 0 if e.argument.is_column else 1),
    N.LogSumExp: lambda e, c, xp, s: _logsumexp(c[0], xp, 0 if e.argument.is_column else 1),
    N.BlockSum: lambda e, c, xp, s: block_sum(c),
    N.BlockTrace: lambda e, c, xp, s: block_trace(c),
    **CONSTANT_VALUES,
    **FUNCTION_VALUES,
    Einsum: lambda e, c, xp, s: einsum_value(e, c, s),
    AxisSoftmax: lambda e, c, xp, s: _softmax(_by_last(e, c[0], s), xp, 1).reshape(-1, 1),
    AxisLogSumExp: lambda e, c, xp, s: _logsumexp(_by_last(e, c[0], s), xp, 1).reshape(
        e.rows.value(s), e.cols.value(s)
    ),
}
