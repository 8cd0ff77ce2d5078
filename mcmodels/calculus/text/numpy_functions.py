"""Functions of NumPy, SciPy and PyTorch that have another name or sign here: ``np.square(x)``.

They are read behind the name of their module, and where NumPy has them as methods, as ``x.max()``.
By their name alone they are refused with what to write, see `hints`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mcmodels.calculus.text.aliases import aliased

__all__ = ["BROADCAST", "ENTRYWISE", "FUNCTIONS", "METHODS", "applied", "name_of_function"]

Meaning = Callable[..., Any]


@dataclass(frozen=True)
class _Function:
    """A function of another name or sign.

    Attributes
    ----------
    count : int
        How many arguments it takes.
    meaning : callable
        What it means: a function of an algebra, of expressions or shapes, and of the arguments.
    of_vectors : bool
        Whether it takes vectors only.
    options : tuple of str
        Whole numbers that it takes by name: ``axis``, and ``ddof``, which is subtracted from the
        number of entries.
    """

    count: int
    meaning: Meaning
    of_vectors: bool = False
    options: tuple[str, ...] = ()


def _renamed(name: str, *options: str) -> _Function:
    def meaning(algebra: Any, x: Any, axis: int | None = None) -> Any:
        return algebra.call(name, [x], axis)

    return _Function(1, meaning, options=options)


def _logarithm(base: int) -> _Function:
    def meaning(algebra: Any, x: Any) -> Any:
        scale = algebra.call("log", [algebra.number(base)], None)
        return algebra.multiple([(False, algebra.call("log", [x], None)), (True, scale)])

    return _Function(1, meaning)


def _square(algebra: Any, x: Any) -> Any:
    return algebra.binary("**", x, algebra.number(2))


def _variance(algebra: Any, x: Any, axis: int | None = None, ddof: int = 0) -> Any:
    if axis in (0, -1) and x.is_column:
        axis = None
    centre = algebra.call("mean", [x], axis)
    if axis in (0, -2):
        centre = algebra.transposed(centre)
    squares = _square(algebra, algebra.total([(False, x), (True, centre)]))
    if not ddof:
        return algebra.call("mean", [squares], axis)
    counted = x if axis in (0, -2) else algebra.transposed(x)
    if axis is None:
        counted = algebra.call("vec", [x], None)
    count = algebra.total([(False, algebra.length(counted)), (True, algebra.number(ddof))])
    return algebra.multiple([(False, algebra.call("sum", [squares], axis)), (True, count)])


def _deviation(algebra: Any, x: Any, axis: int | None = None, ddof: int = 0) -> Any:
    return algebra.call("sqrt", [_variance(algebra, x, axis, ddof)], None)


def _inner(algebra: Any, x: Any, y: Any) -> Any:
    as_it_is = x.is_scalar or y.is_column
    return aliased("dot", algebra, [x, y if as_it_is else algebra.transposed(y)])


def _differences(algebra: Any, x: Any) -> Any:
    later, earlier = slice(1, None), slice(None, -1)
    return algebra.total(
        [(False, algebra.entry(x, (later,))), (True, algebra.entry(x, (earlier,)))]
    )


def _running_sums(algebra: Any, x: Any) -> Any:
    n = algebra.size_of(x, 0)
    below = algebra.call("tril", [algebra.call("ones", [n, n], None)], None)
    return algebra.binary("@", below, x)


def _log_of_two(algebra: Any, a: Any, b: Any) -> Any:
    gap = algebra.total([(False, b), (True, a)])
    return algebra.total([(False, a), (False, algebra.call("softplus", [gap], None))])


def _log_beta(algebra: Any, a: Any, b: Any) -> Any:
    parts = [a, b, algebra.total([(False, a), (False, b)])]
    logs = [algebra.call("gammaln", [part], None) for part in parts]
    return algebra.total(list(zip((False, False, True), logs, strict=True)))


def _logit(algebra: Any, p: Any) -> Any:
    odds = [(False, p), (True, algebra.total([(False, algebra.number(1)), (True, p)]))]
    return algebra.call("log", [algebra.multiple(odds)], None)


def _log_softmax(algebra: Any, x: Any, axis: int | None = None) -> Any:
    return algebra.call("log", [algebra.call("softmax", [x], axis)], None)


def _log_sigmoid(algebra: Any, x: Any) -> Any:
    return algebra.call("log", [algebra.call("sigmoid", [x], None)], None)


def _silu(algebra: Any, x: Any) -> Any:
    return algebra.multiple([(False, x), (False, algebra.call("sigmoid", [x], None))])


def _negative(algebra: Any, x: Any) -> Any:
    return algebra.negative(x)


def _reciprocal(algebra: Any, x: Any) -> Any:
    return algebra.multiple([(False, algebra.number(1)), (True, x)])


def _power_of_two(algebra: Any, x: Any) -> Any:
    return algebra.binary("**", algebra.number(2), x)


def _product(algebra: Any, x: Any, y: Any) -> Any:
    return aliased("dot", algebra, [x, y])


_OF_ARITHMETIC = {
    "add": lambda algebra, a, b: algebra.total([(False, a), (False, b)]),
    "divide": lambda algebra, a, b: algebra.multiple([(False, a), (True, b)]),
    "multiply": lambda algebra, a, b: algebra.multiple([(False, a), (False, b)]),
    "power": lambda algebra, a, b: algebra.binary("**", a, b),
    "subtract": lambda algebra, a, b: algebra.total([(False, a), (True, b)]),
}
_OF_ARITHMETIC |= {
    "float_power": _OF_ARITHMETIC["power"],
    "fmax": lambda algebra, a, b: algebra.call("maximum", [a, b], None),
    "fmin": lambda algebra, a, b: algebra.call("minimum", [a, b], None),
    "true_divide": _OF_ARITHMETIC["divide"],
}
_SAME = {
    "absolute": "abs",
    "expit": "sigmoid",
    "fabs": "abs",
    "lgamma": "gammaln",
    "log_ndtr": "norm_logcdf",
    "max": "amax",
    "min": "amin",
    "ndtr": "norm_cdf",
    "psi": "digamma",
}
_FUNCTIONS = {
    **{name: _Function(2, meaning) for name, meaning in _OF_ARITHMETIC.items()},
    **{name: _renamed(same) for name, same in _SAME.items()},
    "average": _renamed("mean", "axis"),
    "betaln": _Function(2, _log_beta),
    "cumsum": _Function(1, _running_sums, of_vectors=True),
    "diff": _Function(1, _differences, of_vectors=True),
    "exp2": _Function(1, _power_of_two),
    "inner": _Function(2, _inner),
    "log10": _logarithm(10),
    "log2": _logarithm(2),
    "log_softmax": _Function(1, _log_softmax, options=("axis",)),
    "logaddexp": _Function(2, _log_of_two),
    "logit": _Function(1, _logit),
    "logsigmoid": _Function(1, _log_sigmoid),
    "matmul": _Function(2, _product),
    "negative": _Function(1, _negative),
    "reciprocal": _Function(1, _reciprocal),
    "reduce_mean": _renamed("mean", "axis"),
    "reduce_sum": _renamed("sum", "axis"),
    "silu": _Function(1, _silu),
    "square": _Function(1, _square),
    "std": _Function(1, _deviation, options=("axis", "ddof")),
    "var": _Function(1, _variance, options=("axis", "ddof")),
}
# By names that no text can hold, so that they are only made of calls with a module before them.
FUNCTIONS = {f"np.{name}": function for name, function in _FUNCTIONS.items()}
_POWERS = frozenset(["power", "float_power"])  # of arrays with one exponent, or of a number
BROADCAST = frozenset(
    f"np.{name}" for name in (*_OF_ARITHMETIC, "betaln", "logaddexp") if name not in _POWERS
)
"""Functions entry by entry of two arrays, which NumPy repeats."""
ENTRYWISE = frozenset(
    f"np.{name}"
    for name in (
        *_SAME,
        "log10",
        "log2",
        "logit",
        "logsigmoid",
        "negative",
        "reciprocal",
        "silu",
        "square",
    )
    if name not in ("max", "min")
)
"""Functions entry by entry of one array."""
METHODS = frozenset(["cumsum", "max", "min", "std", "var"])


def name_of_function(name: str) -> str | None:
    """The name in `FUNCTIONS`; None for others."""
    return f"np.{name}" if name in _FUNCTIONS else None


def applied(name: str, algebra: Any, arguments: list[Any], options: Mapping[str, int]) -> Any:
    """The meaning of such a call in an algebra of expressions or shapes.

    Raises
    ------
    ValueError
        If it is one of vectors only.
    """
    function = FUNCTIONS[name]
    if function.of_vectors and not (arguments[0].is_column and not arguments[0].is_scalar):
        raise ValueError(f"{name} takes a vector here; found {arguments[0]}")
    return function.meaning(algebra, *arguments, **options)
