"""The functions of `numpy` that the calculus uses, of arrays in plain Python."""

from __future__ import annotations

import math
import operator
import struct
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from types import SimpleNamespace
from typing import Any

from mcmodels.plain.arrays import made, ndarray
from mcmodels.plain.elementwise import FUNCTIONS, absolute, frexp, iscomplexobj, nonzero
from mcmodels.plain.linear_algebra import linalg
from mcmodels.plain.numbers import Kind
from mcmodels.plain.random_numbers import Generator, default_rng
from mcmodels.plain.shapes import joint_shape

__all__ = ["NAMES"]


def _letter(dtype: Any) -> str | None:
    return None if dtype is None else Kind(dtype).kind


def _shape(shape: Any) -> tuple[int, ...]:
    if isinstance(shape, tuple | list | ndarray):
        return tuple(map(operator.index, shape))
    return (operator.index(shape),)


def array(value: Any, dtype: Any = None, copy: bool = True, **_: Any) -> ndarray:
    """An array of its own."""
    found = made(value, _letter(dtype))
    return found.copy() if found is value else found


def asarray(value: Any, dtype: Any = None, **_: Any) -> ndarray:
    """An array; the same one where it is one."""
    return made(value, _letter(dtype))


def full(shape: Any, value: Any, dtype: Any = None) -> ndarray:
    """One number everywhere."""
    wanted = _shape(shape)
    found = ndarray([value] * math.prod(wanted), wanted, None if math.prod(wanted) else "f")
    return found if dtype is None else found.astype(dtype)


def zeros(shape: Any, dtype: Any = float) -> ndarray:
    """Zeros."""
    return full(shape, Kind(dtype)(0), dtype)


def ones(shape: Any, dtype: Any = float) -> ndarray:
    """Ones."""
    return full(shape, Kind(dtype)(1), dtype)


def zeros_like(like: Any, dtype: Any = None) -> ndarray:
    """Zeros of the shape and kind of an array."""
    other = made(like)
    return zeros(other.shape, other.dtype if dtype is None else dtype)


def ones_like(like: Any, dtype: Any = None) -> ndarray:
    """Ones of the shape and kind of an array."""
    other = made(like)
    return ones(other.shape, other.dtype if dtype is None else dtype)


def full_like(like: Any, value: Any, dtype: Any = None) -> ndarray:
    """One number in the shape of an array."""
    other = made(like)
    return full(other.shape, value, other.dtype if dtype is None else dtype)


def empty(shape: Any, dtype: Any = float) -> ndarray:
    """Zeros, which are to be set."""
    return zeros(shape, dtype)


def _by_place(rows: int, cols: int, entry: Callable[[int, int], Any], kind: str) -> ndarray:
    return ndarray([entry(i, j) for i in range(rows) for j in range(cols)], (rows, cols), kind)


def eye(n: int, m: int | None = None, k: int = 0, dtype: Any = float) -> ndarray:
    """Ones on a diagonal."""
    cols = n if m is None else m
    return _by_place(int(n), int(cols), lambda i, j: float(j - i == k), "f").astype(dtype)


def tri(n: int, m: int | None = None, k: int = 0) -> ndarray:
    """Ones on and below a diagonal."""
    return _by_place(n, n if m is None else m, lambda i, j: float(j - i <= k), "f")


def tril(A: Any, k: int = 0) -> ndarray:
    """The entries on and below a diagonal."""
    X = made(A)
    zero = Kind(X.dtype)(0)
    rows, cols = X.shape
    return _by_place(rows, cols, lambda i, j: X[i, j] if j - i <= k else zero, X.kind)


def triu(A: Any, k: int = 0) -> ndarray:
    """The entries on and above a diagonal."""
    X = made(A)
    zero = Kind(X.dtype)(0)
    rows, cols = X.shape
    return _by_place(rows, cols, lambda i, j: X[i, j] if j - i >= k else zero, X.kind)


def triu_indices(n: int, k: int = 0) -> tuple[ndarray, ndarray]:
    """The places on and above a diagonal."""
    found = [(i, j) for i in range(n) for j in range(n) if j - i >= k]
    return made([i for i, _ in found], "i"), made([j for _, j in found], "i")


def arange(*bounds: Any) -> ndarray:
    """Numbers in equal steps."""
    if all(isinstance(bound, int) for bound in bounds):
        return made(list(range(*bounds)), "i")
    start, stop, *step = (0, *bounds) if len(bounds) == 1 else bounds
    by = step[0] if step else 1
    count = max(0, math.ceil((stop - start) / by))
    return ndarray([start + i * by for i in range(count)], (count,), "f")


def linspace(start: float, stop: float, count: int = 50) -> ndarray:
    """Equally spaced numbers."""
    step = (stop - start) / (count - 1)
    return ndarray([start + i * step for i in range(count)], (count,), "f")


def indices(shape: Sequence[int]) -> ndarray:
    """The row of each entry, and its column."""
    places = list(product(*map(range, shape)))
    entries = [place[axis] for axis in range(len(shape)) for place in places]
    return ndarray(entries, (len(shape), *shape), "i")


def ndindex(*shape: Any) -> Iterator[tuple[int, ...]]:
    """All places of an array."""
    lengths = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
    return product(*map(range, lengths))


def concatenate(arrays: Sequence[Any], axis: int = 0) -> ndarray:
    """Arrays put together along an axis that they have."""
    parts = [made(part) for part in arrays]
    axis %= parts[0].ndim
    if axis:
        order = (axis, *(i for i in range(parts[0].ndim) if i != axis))
        back = tuple(order.index(i) for i in range(parts[0].ndim))
        return concatenate([part.transpose(*order) for part in parts]).transpose(*back)
    if len({part.shape[1:] for part in parts}) > 1:
        raise ValueError("all the input array dimensions except for the axis must match exactly")
    entries = [entry for part in parts for entry in part.entries]
    shape = (sum(part.shape[0] for part in parts), *parts[0].shape[1:])
    return ndarray(entries, shape, None if entries else parts[0].kind)


def stack(arrays: Sequence[Any], axis: int = 0) -> ndarray:
    """Arrays put together along a new axis."""
    parts = [expand_dims(made(part), axis) for part in arrays]
    return concatenate(parts, axis)


def expand_dims(A: Any, axis: int) -> ndarray:
    """With a new axis of length 1."""
    X = made(A)
    at = axis % (X.ndim + 1)
    return ndarray(list(X.entries), (*X.shape[:at], 1, *X.shape[at:]), X.kind)


def block(rows: Any) -> ndarray:
    """A matrix from its blocks; a row of one axis is a row."""
    lines = []
    for row in rows:
        parts = [made(part) for part in row]
        lines.append(concatenate([p if p.ndim == 2 else p.reshape(1, -1) for p in parts], 1))
    return concatenate(lines, 0)


def append(A: Any, value: Any) -> ndarray:
    """All entries, and more behind them."""
    return concatenate([made(A).ravel(), made(value).ravel()])


def squeeze(A: Any, axis: Any = None) -> ndarray:
    """Without axes of length 1."""
    X = made(A)
    return X.reshape(*(length for length in X.shape if length != 1)) if axis is None else X


def diag(A: Any, k: int = 0) -> ndarray:
    """The diagonal of a matrix, or the matrix of a diagonal."""
    X = made(A)
    if X.ndim == 1:
        zero = Kind(X.dtype)(0)
        return _by_place(len(X), len(X), lambda i, j: X.entries[i] if i == j else zero, X.kind)
    return diagonal(X)


def diagonal(A: Any) -> ndarray:
    """The diagonal of a matrix."""
    X = made(A)
    n = min(X.shape)
    return ndarray([X[i, i] for i in range(n)], (n,), X.kind)


def trace(A: Any) -> Any:
    """The sum of the diagonal."""
    return diagonal(A).sum()


def moveaxis(A: Any, source: int, to: int) -> ndarray:
    """With one axis at another place."""
    X = made(A)
    order = [i for i in range(X.ndim) if i != source % X.ndim]
    order.insert(to % X.ndim, source % X.ndim)
    return X.transpose(*order)


def resize(A: Any, shape: Any) -> ndarray:
    """The entries again and again, as many as a shape has."""
    entries, wanted = made(A).entries, _shape(shape)
    count = math.prod(wanted)
    repeated = (entries * (count // max(len(entries), 1) + 1))[:count]
    return ndarray(repeated, wanted)


def diff(A: Any, n: int = 1, axis: int = -1) -> ndarray:
    """Differences of neighbours."""
    X = made(A)
    for _ in range(n):
        moved = moveaxis(X, axis, 0)
        X = moveaxis(moved[1:] - moved[:-1], 0, axis)
    return X


def matmul(A: Any, B: Any) -> Any:
    """The matrix product."""
    return made(A) @ made(B)


def einsum(subscripts: str, *operands: Any, optimize: Any = None) -> ndarray:
    """Sums of products of entries; all at once, as arrays are small."""
    given, _, kept = subscripts.replace(" ", "").partition("->")
    arrays, terms = [made(operand) for operand in operands], given.split(",")
    lengths: dict[str, int] = {}
    for letters, operand in zip(terms, arrays, strict=True):
        lengths |= dict(zip(letters, operand.shape, strict=True))
    if len(arrays) > 2:  # two at a time
        first = _kept_of("".join(terms[:2]), "".join(terms[2:]) + kept)
        done = einsum(f"{terms[0]},{terms[1]}->{first}", arrays[0], arrays[1])
        rest = ",".join([first, *terms[2:]])
        return einsum(f"{rest}->{kept}", done, *arrays[2:])
    summed = [letter for letter in lengths if letter not in kept]
    found = []
    for place in product(*(range(lengths[letter]) for letter in kept)):
        at = dict(zip(kept, place, strict=True))
        total: Any = 0
        for inner in product(*(range(lengths[letter]) for letter in summed)):
            at |= dict(zip(summed, inner, strict=True))
            value: Any = 1
            for letters, operand in zip(terms, arrays, strict=True):
                value = value * operand[tuple(at[letter] for letter in letters)]
            total = total + value
        found.append(total)
    return ndarray(found, tuple(lengths[letter] for letter in kept))


def _kept_of(letters: str, needed: str) -> str:
    return "".join(dict.fromkeys(letter for letter in letters if letter in needed))


def einsum_path(subscripts: str, *operands: Any, optimize: Any = None) -> tuple[list[Any], str]:
    """An order of contraction: each time the two that leave the fewest entries."""
    given, _, kept = subscripts.partition("->")
    terms = given.split(",")
    lengths: dict[str, int] = {}
    for letters, operand in zip(terms, operands, strict=True):
        lengths |= dict(zip(letters, operand.shape, strict=True))
    path: list[Any] = ["einsum_path"]

    def left_by(pair: tuple[int, int]) -> str:
        others = "".join(term for k, term in enumerate(terms) if k not in pair)
        return _kept_of(terms[pair[0]] + terms[pair[1]], others + kept)

    while len(terms) > 2:
        pairs = [(i, j) for j in range(len(terms)) for i in range(j)]
        best = min(pairs, key=lambda pair: math.prod(lengths[a] for a in left_by(pair)))
        joined = left_by(best)
        path.append(best)
        terms = [term for k, term in enumerate(terms) if k not in best] + [joined]
    return [*path, tuple(range(len(terms)))], ""


def allclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8) -> bool:
    """Whether arrays are equal up to rounding."""
    A, B = made(a), made(b)
    return bool((abs(A - B) <= atol + rtol * abs(B)).all())


def array_equal(a: Any, b: Any) -> bool:
    """Whether arrays have the same shape and entries."""
    A, B = made(a), made(b)
    return A.shape == B.shape and A.entries == B.entries


def nanmax(A: Any, axis: Any = None, initial: float = -math.inf) -> Any:
    """The largest entry but for NaN."""
    X = made(A)
    kept = ndarray([-math.inf if z != z else z for z in X.entries], X.shape, X.kind)
    return kept.max(axis=axis, initial=initial)


def unravel_index(place: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The place of an entry, axis by axis."""
    found = []
    for length in reversed(shape):
        found.append(place % length)
        place //= length
    return tuple(reversed(found))


def argwhere(A: Any) -> ndarray:
    """The places of entries that are not 0, a row each."""
    X = made(A)
    lists = [part.entries for part in nonzero(X)]
    rows = [list(place) for place in zip(*lists, strict=True)]
    return made(rows, "i").reshape(-1, X.ndim)


def isscalar(value: Any) -> bool:
    """Whether it is a number or a text."""
    return isinstance(value, int | float | complex | str)


def array2string(A: Any, precision: int = 8, **_: Any) -> str:
    """As text."""
    return str(FUNCTIONS["where"](True, A, A).tolist())


def broadcast_to(A: Any, shape: Any) -> ndarray:
    """Repeated to a larger shape."""
    return made(A).spread(_shape(shape)).copy()


class errstate:
    """Nothing: numbers do what NumPy's do with its warnings off."""

    def __init__(self, **_: Any) -> None:
        pass

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


def _method(name: str) -> Callable[..., Any]:
    def of(A: Any, *arguments: Any, **named: Any) -> Any:
        return getattr(made(A), name)(*arguments, **named)

    return of


def _single(value: float) -> float:
    found: float = struct.unpack("f", struct.pack("f", value))[0]
    return found


_FLOATS = SimpleNamespace(eps=2.0**-52, tiny=2.0**-1022, max=1.7976931348623157e308)

_METHODS = (
    "all",
    "any",
    "argmax",
    "argmin",
    "max",
    "mean",
    "min",
    "prod",
    "ravel",
    "reshape",
    "sum",
    "transpose",
)

NAMES: dict[str, Any] = {
    **FUNCTIONS,
    **{
        name: _method(name)
        for name in _METHODS
    },
    **{
        function.__name__: function
        for function in (
            allclose, append, arange, argwhere, array, array2string, array_equal, asarray, block,
            broadcast_to, concatenate, diag, diagonal, diff, einsum, einsum_path, empty, errstate,
            expand_dims, eye, frexp, full, full_like, indices, iscomplexobj, isscalar, linalg,
            linspace, matmul, moveaxis, nanmax, ndarray, ndindex, nonzero, ones, ones_like,
            resize, squeeze, stack, trace, tri, tril, triu, triu_indices, unravel_index, zeros,
            zeros_like,
        )
    },
    "absolute": absolute,
    "bool_": bool,
    "broadcast_shapes": joint_shape,
    "complex128": complex,
    "dtype": Kind,
    "e": math.e,
    "finfo": lambda _: _FLOATS,
    "flatnonzero": lambda A: nonzero(made(A).ravel())[0],
    "float32": _single,
    "float64": float,
    "imag": lambda A: made(A).imag,
    "inf": math.inf,
    "int64": int,
    "intp": int,
    "isreal": lambda A: not iscomplexobj(A),
    "mod": lambda a, b: made(a) % b,
    "multiply": lambda a, b: made(a) * b,
    "nan": math.nan,
    "ndim": lambda A: made(A).ndim,
    "newaxis": None,
    "pi": math.pi,
    "ptp": lambda A: made(A).max() - made(A).min(),
    "random": SimpleNamespace(default_rng=default_rng, Generator=Generator),
    "real": lambda A: made(A).real,
    "round": FUNCTIONS["rint"],
    "seterr": lambda **_: {},
    "shape": lambda A: made(A).shape,
    "size": lambda A: made(A).size,
    "typing": SimpleNamespace(NDArray=ndarray, ArrayLike=Any),
}  # fmt: skip
