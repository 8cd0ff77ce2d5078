"""Whatever of NumPy and SciPy is called with a traced array: an error, or the right derivative.

Every public function is called with floats, vectors, matrices, lists of them and arrays of traced
numbers, with one argument after the other traced. Where the function returns real numbers, either
an error is raised, or the derivative agrees with differences: it is never silently zero.
"""

from __future__ import annotations

import copy
import itertools
import warnings

import numpy as np
import pytest
import scipy.special

from mcmodels.autodiff import jacobian, jvp
from mcmodels.autodiff.tables import FUNCTIONS, NOT_DIFFERENTIATED, RULES, Implementation
from mcmodels.autodiff.tracing import Traced, constant

# Read or write files, change settings, start tests or print.
EFFECTS = {
    "DataSource", "fromfile", "fromregex", "genfromtxt", "get_include", "info", "load", "loadtxt",
    "memmap", "save", "savetxt", "savez", "savez_compressed", "set_printoptions", "setbufsize",
    "seterr", "seterrcall", "show_config", "show_runtime", "test", "printoptions", "errstate",
}  # fmt: skip
# Values that are no function of the numbers alone, or of the memory that they are kept in.
UNDEFINED = {"empty", "empty_like", "ndarray", "recarray", "chararray", "frombuffer"}
# Of np.polynomial: their shapes depend on whether an argument is an ndarray; they cannot be
# intercepted.
ASK_FOR_NDARRAY = {"polyval", "polyvalfromroots"}


def public(module):
    return {
        f"{module.__name__}.{name}": getattr(module, name)
        for name in dir(module)
        if not name.startswith("_")
        and callable(getattr(module, name))
        and name not in EFFECTS | UNDEFINED
        and not (module is np.polynomial.polynomial and name in ASK_FOR_NDARRAY)
    }


SPECIAL = {
    f"scipy.special.{name}": f
    for name, f in vars(scipy.special).items()
    if isinstance(f, np.ufunc) and not name.startswith("_")
}
EVERY = {
    **public(np),
    **public(np.linalg),
    **public(np.fft),
    **public(np.emath),
    **public(np.polynomial.polynomial),
    **SPECIAL,
    "sliding_window_view": np.lib.stride_tricks.sliding_window_view,
}

SCALAR, OTHER, SMALL = np.array(0.73), np.array(1.3), np.array(0.2)
VECTOR = np.array([0.35, 0.85, 0.6])
UP = np.array([0.1, 0.5, 0.9])
MATRIX = np.array([[1.1, 0.3], [0.3, 0.7]])
ARGUMENTS = [
    (SCALAR,), (VECTOR,), (MATRIX,),
    (SCALAR, OTHER), (VECTOR, SCALAR), (SCALAR, VECTOR), (VECTOR, UP), (MATRIX, MATRIX + 0.1),
    (MATRIX, SCALAR), (SCALAR, MATRIX), (MATRIX, VECTOR[:2]), (VECTOR, 2), (MATRIX, 2), (2, SCALAR),
    (MATRIX, 0), (MATRIX, 1, SCALAR), (VECTOR, 0, SCALAR), (VECTOR, 1, SCALAR), ((2, 2), SCALAR),
    (SCALAR, OTHER, SMALL), (VECTOR, UP, SMALL), (VECTOR, UP, VECTOR[::-1] + 0.02),
    (VECTOR, SMALL, OTHER), (SCALAR, UP, VECTOR), (UP > 0.3, VECTOR, UP), (SMALL, OTHER, 5),
    (1.5, SCALAR, OTHER, SMALL), ([SCALAR, OTHER],), ([VECTOR, UP],), ([MATRIX, MATRIX],),
    ([SCALAR, OTHER], SMALL),
    ([VECTOR, UP], VECTOR + 0.02), ("i,i", VECTOR, UP),
    (VECTOR, [UP > 0.3, UP <= 0.3], [SCALAR, OTHER]),
]  # fmt: skip


def numbers(result):
    """The real numbers among results, as one array; None if there are none, or other things."""
    if isinstance(result, Traced):
        return np.ravel(result)
    if isinstance(result, tuple | list):
        parts = [numbers(part) for part in result]
        parts = [part for part in parts if part is not None]
        return np.concatenate(parts) if parts else None
    if (
        isinstance(result, np.ndarray | np.generic | float)
        and np.asarray(result).dtype.kind in "fO"
    ):
        result = np.asarray(result)
        return (
            np.ravel(np.stack(result.ravel().tolist())) if result.dtype == "O" else result.ravel()
        )
    if np.iscomplexobj(result) and isinstance(result, np.ndarray | np.generic):
        return np.concatenate([np.ravel(np.real_array(result)), np.ravel(np.imag(result))])
    return None


def moved(arg, t):
    """An argument displaced by t along a fixed direction, and whether it has one."""
    if isinstance(arg, list):
        return [a + t * (1.0 + k) for k, a in enumerate(arg)]
    direction = 1.0 + 0.5 * np.arange(np.size(arg)).reshape(np.shape(arg))
    if np.ndim(arg) == 2:  # a symmetric matrix stays one
        direction = direction + direction.T
    return arg + t * direction


def is_real(arg):
    first = arg[0] if isinstance(arg, list) else arg
    return isinstance(first, np.ndarray) and first.dtype == float


def outcome(function, args, k, wrap=lambda x: x):
    """What happens when argument k is traced: None if it is what should."""
    if function in (np.logical_and, np.logical_or) and np.ndim(args[k]) == 1:
        return None  # of arrays of objects they return one of these, as Python's do

    def rest(t):  # copies: some functions write to their arguments
        before, after = copy.deepcopy((args[:k], args[k + 1 :]))
        return (*before, wrap(moved(args[k], t)), *after)

    def plain(t):
        return numbers(function(*rest(t)))

    try:
        value, tangent = jvp(lambda t: numbers(function(*rest(t))), (0.0,), (1.0,))
    except (RecursionError, AssertionError):
        raise
    except Exception as error:
        return None if str(error) else "an error without a message"
    try:
        at_zero, h = plain(0.0), 1e-4
    except Exception:
        return None  # more is allowed than by NumPy
    if at_zero is None:
        return "numbers where NumPy has none"
    if value.shape != at_zero.shape:
        return f"shape {value.shape} for {at_zero.shape}"
    slope = (plain(-2 * h) - 8 * plain(-h) + 8 * plain(h) - plain(2 * h)) / (12 * h)
    known = np.abs(slope) < 1e6  # not across a jump
    # Differences with step 1e-4: rounding of 1e-12, functions that are smooth at these points.
    if not np.allclose(value, at_zero, rtol=1e-12, atol=1e-13, equal_nan=True):
        return f"value {value} for {at_zero}"
    if not np.allclose(tangent[known], slope[known], rtol=1e-6, atol=1e-7):
        return f"derivative {tangent} for {slope}"
    return None


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("name", EVERY)
def test_an_error_or_the_derivative(name):
    function = EVERY[name]
    for args in ARGUMENTS:
        for k, arg in enumerate(args):
            if is_real(arg):
                found = outcome(function, args, k)
                assert found is None, f"argument {k} of {args}: {found}"


def as_objects(x):
    """A traced vector as ``np.array([x[0], x[1], …])``: an array of objects inside NumPy."""
    if isinstance(x, list):
        return x
    return np.array([x[k] for k in range(len(x))]) if np.ndim(constant(x)) == 1 else x


@pytest.mark.parametrize("name", EVERY)
def test_an_error_or_the_derivative_of_arrays_of_traced_numbers(name):
    for args in ARGUMENTS:
        for k, arg in enumerate(args):
            if is_real(arg) and np.ndim(arg) == 1 and not isinstance(arg, list):
                found = outcome(EVERY[name], args, k, as_objects)
                assert found is None, f"argument {k} of {args}: {found}"


UFUNCS = [f for f in vars(np).values() if isinstance(f, np.ufunc)]


@pytest.mark.parametrize("ufunc", list(dict.fromkeys(UFUNCS)), ids=lambda f: f.__name__)
def test_methods_of_ufuncs(ufunc):
    def at(a, b):
        found = np.array([0.2, 0.4, 0.6])
        ufunc.at(found, [0, 1], b)
        return a * found

    for args, method in itertools.product(ARGUMENTS[:13], ("reduce", "accumulate", "outer")):
        if method == "outer" and ufunc in (np.remainder, np.fmod):
            continue  # 0.6 is a multiple of 0.1: at a jump
        for k, arg in enumerate(args):
            if is_real(arg):
                assert outcome(getattr(ufunc, method), args, k) is None
    for k in (0, 1):
        assert outcome(lambda x, i: ufunc.reduceat(x, [0, 2]), (VECTOR, k), 0) is None
        assert outcome(at, (SCALAR, OTHER), k) is None
        for keyword in ("out", "where", "dtype"):
            given = {"out": np.zeros(3), "where": np.ones(3, bool), "dtype": float}[keyword]
            call = lambda *a, d={keyword: given}: ufunc(*a, **d)  # noqa: E731
            assert outcome(call, (VECTOR, UP), k) is None
            assert outcome(call, (VECTOR,), 0) is None
    if ufunc.nin == 2:
        assert outcome(lambda x, i: ufunc.reduce(x, initial=0.5), (VECTOR, 0), 0) is None
        assert outcome(lambda x, i: ufunc.reduce(VECTOR, initial=x), (SCALAR, 0), 0) is None
        assert outcome(lambda x, y: ufunc(x, y, out=y), (VECTOR, UP), 0) is None


KEYWORDS = [
    (np.sum, {"initial": SCALAR}), (np.prod, {"initial": SCALAR}), (np.max, {"initial": OTHER}),
    (np.min, {"initial": SMALL}), (np.sum, {"where": UP}), (np.mean, {"where": UP}),
    (np.var, {"ddof": SCALAR}), (np.std, {"ddof": SCALAR}), (np.var, {"mean": SCALAR}),
    (np.linalg.norm, {"ord": OTHER}), (np.average, {"weights": UP}), (np.clip, {"min": SMALL}),
    (np.clip, {"a_min": SMALL, "a_max": 0.5}), (np.nan_to_num, {"nan": SCALAR}),
    (np.interp, {"xp": UP + 0.02, "fp": VECTOR}), (np.trapezoid, {"dx": SCALAR}),
    (np.trapezoid, {"x": UP}), (np.diff, {"prepend": SCALAR}), (np.diff, {"append": SCALAR}),
    (np.pad, {"pad_width": 1, "constant_values": SCALAR}), (np.full_like, {"fill_value": SCALAR}),
    (np.quantile, {"q": SCALAR}), (np.bincount, {"weights": UP}), (np.cov, {"aweights": UP}),
    (np.ediff1d, {"to_end": SCALAR}), (np.polyfit, {"y": UP, "deg": 1}), (np.where, {"x": UP}),
    (np.select, {"choicelist": [VECTOR], "default": SCALAR}), (np.gradient, {}),
    (np.linalg.lstsq, {"b": UP}), (np.linalg.pinv, {"rcond": SMALL}),
    (np.histogram, {"weights": UP}),
    (np.take, {"indices": SCALAR}), (np.roll, {"shift": SCALAR}), (np.repeat, {"repeats": OTHER}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "keywords"), KEYWORDS, ids=lambda x: getattr(x, "__name__", None)
)
@pytest.mark.parametrize("first", [VECTOR, MATRIX])
def test_keywords(function, keywords, first):
    """Traced values in keywords, alone and beside a traced argument."""
    for traced in (None, *keywords):
        for name in (traced,) if traced else ("first",):

            def call(a, value, name=name):
                given = {**keywords, name: value} if name != "first" else keywords
                return function(a if name != "first" else value, **given)

            moving = first if name == "first" else keywords[name]
            if not is_real(moving):
                continue
            assert outcome(call, (first, moving), 1) is None, name
            # Both are functions of the same variable.
            both = lambda value, _, name=name: call(first * np.sum(value), value, name)  # noqa: E731
            assert outcome(both, (moving, 0), 0) is None, f"{name} and the first"


# ---- the check sees what is lost -------------------------------------------------------------


def test_a_lost_derivative_is_seen():
    assert outcome(lambda x: np.sin(constant(x)) + 0 * x, (VECTOR,), 0) is not None
    assert outcome(lambda x: np.sin(constant(x)), (SCALAR,), 0) is not None
    assert outcome(lambda x: np.sin(x)[::-1] + constant(x), (VECTOR,), 0) is not None
    assert outcome(lambda x: 0 * x if isinstance(x, Traced) else x, (VECTOR,), 0) is not None


def test_the_tables_are_reached():
    """Functions with rules are among those called, and agree instead of being refused."""
    assert set(FUNCTIONS) - {np.empty_like} <= set(EVERY.values())
    assert {f for f in RULES if isinstance(f, np.ufunc)} <= set(EVERY.values())
    assert set(EVERY.values()) >= NOT_DIFFERENTIATED
    # Of vectors and matrices, with integers, and with a sign that is a step.
    others = {np.matmul, np.ldexp, np.copysign, np.vecdot}
    others |= {getattr(np, name) for name in ("matvec", "vecmat") if hasattr(np, name)}
    for ufunc in (f for f in RULES if isinstance(f, np.ufunc) and f not in others):
        point = {np.arccosh: 1.2, scipy.special.ndtri_exp: -0.4}.get(ufunc, 0.73)
        before = (point,) * (ufunc.nin - 1)  # some rules are by the last argument only
        value, _ = jvp(lambda x, f=ufunc, b=before: f(*b, x), (point,), (1.0,))
        assert value == ufunc(*before, point)


def test_a_function_of_numpy_may_have_no_signature():
    """As those written in C have none before NumPy 2.4: arguments are passed on as they are."""

    class WithoutSignature:
        @property
        def __signature__(self):
            raise ValueError("no signature found")

        def __call__(self):
            raise NotImplementedError

    found = Implementation(lambda a, b=1: (a, b), WithoutSignature())
    assert found.named((2,), {"b": 3}) == ((2,), {"b": 3})
    assert found(2, b=3) == (2, 3)


def test_roots_of_an_array_of_traced_numbers():
    """The product of the roots is the last coefficient, their sum the second, negative."""

    def both(x):
        z = np.roots(np.array([1.0, x[0], x[1]]))
        return np.stack([np.real(np.sum(z)), np.real(np.prod(z))])

    J = jacobian(both)(np.array([0.3, 0.4]))
    np.testing.assert_allclose(J, [[-1.0, 0.0], [0.0, 1.0]], atol=1e-14)
