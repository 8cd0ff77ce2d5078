"""The corpus: what is typed, how it is declared, and what it is, said once more in plain NumPy.

A line of a data file is ``where | text | names | by | value | book | mark``, with - for no names.
``value`` is what the text means, as NumPy writes it; derivatives are differences of it, so that
nothing of the engine takes part in the answer. ``book`` is the derivative as a textbook prints it.
``by`` names a symbol twice for a Hessian. The mark says what is not right today, and why:
``refused: reason`` or ``clumsy: reason``.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
import scipy.linalg
import scipy.special

from mcmodels.calculus import Expression, parse

__all__ = ["TEXTS", "Text", "Verdict"]

_SIZES = {"n": 4, "m": 5, "k": 3, "p": 6, "q": 2}
_OF_NUMPY = """abs cos cosh diag exp eye kron log log1p maximum mean ones outer sign sin sqrt sum
tanh trace"""
_NUMPY = {
    "np": np,
    "pi": np.pi,
    "scipy": scipy,
    "det": np.linalg.det,
    "inv": np.linalg.inv,
    "norm": np.linalg.norm,
    "vec": lambda X: X.ravel(order="F"),
    **{
        name: getattr(scipy.special, name)
        for name in ("expit", "gammaln", "log_ndtr", "logsumexp", "softmax")
    },
    **{name: getattr(np, name) for name in _OF_NUMPY.split()},
}
_DRAWS: tuple[Callable[[np.random.Generator, tuple[int, ...]], np.ndarray], ...] = (
    lambda rng, shape: rng.standard_normal(shape),
    lambda rng, shape: rng.uniform(0.5, 1.5, shape),
    lambda rng, shape: rng.uniform(0.1, 0.4, shape),
    lambda rng, shape: rng.uniform(0.5, 0.9, shape) / 10 ** (len(shape) == 2),
)
_UNEQUAL = np.arange(4.0).reshape(2, 2)
_STEP = 1e-2
# Differences extrapolated twice from steps of 0.01 are exact up to (0.01)⁶ and rounding / 0.0025.
_CLOSE = 1e-7
# Differences of differences divide rounding by that step twice.
_CLOSE_TWICE = 1e-6


@dataclass(frozen=True)
class Verdict:
    """What became of a text.

    Attributes
    ----------
    kind : {"right", "clumsy", "refused", "wrong"}
        "clumsy" is a right derivative that prints much longer than the textbook's.
    said : str
        What was printed, or the message of the refusal.
    """

    kind: str
    said: str


@dataclass(frozen=True)
class Text:
    """One line of the corpus."""

    file: str
    where: str
    text: str
    names: dict[str, str]
    by: tuple[str, ...]
    value: str
    book: str
    mark: str

    def __str__(self) -> str:
        return f"{self.file}: {self.text} by {' '.join(self.by)}"

    @property
    def expected(self) -> str:
        """The kind of verdict that the line is marked with."""
        return self.mark.partition(":")[0] or "right"

    def judged(self, seed: int = 0) -> Verdict:
        """Read, differentiate and compare, by evaluation and by the compiled function."""
        try:
            f = parse(self.text, **self.names)
            derivative = self._derivative(f)
        except (ValueError, TypeError) as error:
            return Verdict("refused", str(error).replace("\n", " "))
        values = self._values(seed)
        expected = self._differences(values)
        close = _CLOSE_TWICE if len(self.by) == 2 else _CLOSE
        declared = self.names.get(self.by[0], "") if len(self.by) == 2 else ""
        for expression, right in ((f, self._at(values)), (derivative, expected)):
            for found in self._numbers(expression, values):
                if expression is derivative:
                    found = _on_directions(found, declared)
                if not _agree(found, right, close):
                    return Verdict("wrong", f"{derivative!r}: {found} is not {right}")
        clumsy = self.book and _length(repr(derivative)) > 1.3 * _length(self.book) + 2
        return Verdict("clumsy" if clumsy else "right", repr(derivative))

    def _derivative(self, f: Expression) -> Expression:
        if len(self.by) == 2:
            return f.hessian(*self.by)
        return f.gradient(self.by[0]) if f.is_scalar else f.jacobian(self.by[0])

    def _numbers(self, expression: Expression, values: dict[str, Any]) -> list[Any]:
        given = {symbol.name: values[symbol.name] for symbol in expression.symbols}
        given |= {name: _SIZES[name] for name in expression.size_names}
        function = expression.compile()
        return [expression.evaluate(**given), function(**given)]

    @cached_property
    def _code(self) -> CodeType:
        return compile(self.value, str(self), "eval")

    def _at(self, values: dict[str, Any]) -> np.ndarray:
        return np.asarray(eval(self._code, {**_NUMPY, **_SIZES, **values}))

    def _values(self, seed: int) -> dict[str, Any]:
        """Random values, as declared, of all names of the text, at which the value is finite."""
        for draw in _DRAWS:
            rng = np.random.default_rng(seed)
            values = {name: _drawn(shape, draw, rng) for name, shape in self.names.items()}
            free = set(self._code.co_names) - {*values, *_NUMPY, *_SIZES, *dir(builtins)}
            values |= {name: float(draw(rng, ())) for name in sorted(free) if name.islower()}
            values |= {n: 3.0 for n, shape in self.names.items() if shape == "scalar:integer"}
            with np.errstate(all="ignore"):
                found = self._at(values)
            if np.isrealobj(found) and np.isfinite(found).all():
                return values
        raise ValueError(f"no values were found at which {self} is defined")

    def _differences(self, values: dict[str, Any]) -> np.ndarray:
        f = self._at
        for name in self.by:
            f = _differentiated(f, name, self.names.get(name, ""))
        return f(values)


def _drawn(shape: str, draw: Callable, rng: np.random.Generator) -> Any:
    sizes, _, declared = shape.partition(":")
    if sizes == "scalar":
        return float(draw(rng, ()))
    counted = tuple(eval(size, {}, dict(_SIZES)) for size in sizes.split(","))
    value = draw(rng, counted)
    if declared == "positive_definite":
        return value @ value.T / counted[0] + np.eye(counted[0])
    if declared == "orthogonal":
        return np.linalg.qr(value)[0]
    if declared == "probability":
        return np.abs(value) / np.abs(value).sum()
    return _direction(value, declared)


def _direction(E: np.ndarray, declared: str) -> np.ndarray:
    """The part of E along which a variable that is declared so may vary."""
    if "symmetric" in declared or "positive_definite" in declared:
        return (E + E.T) / 2
    if "diagonal" in declared:
        return np.diag(np.diag(E))
    if "lower_triangular" in declared:
        return np.tril(E)
    return np.triu(E) if "upper_triangular" in declared else E


def _on_directions(hessian: Any, declared: str) -> Any:
    """A Hessian by a declared matrix is meant for the directions in which that may vary."""
    if _direction(_UNEQUAL, declared) is _UNEQUAL:
        return hessian
    n = round(len(hessian) ** 0.5)
    units = np.eye(n * n).reshape(n * n, n, n)
    P = np.column_stack([_direction(E.T, declared).ravel(order="F") for E in units])
    return P @ hessian @ P


def _differentiated(f: Callable, name: str, declared: str) -> Callable:
    """Gradient of a scalar (of the shape of the variable), Jacobian over vec of anything else."""

    def derivative(values: dict[str, Any]) -> np.ndarray:
        x = np.asarray(values[name], dtype=float)
        columns = []
        for place in range(x.size):
            direction = np.zeros(x.size)
            direction[place] = 1.0
            E = _direction(direction.reshape(x.shape, order="F"), declared)
            columns.append(_along(lambda t, E=E: f({**values, name: x + t * E})))
        if columns[0].ndim == 0:
            return np.reshape(columns, x.shape, order="F")
        return np.column_stack([column.ravel(order="F") for column in columns])

    return derivative


def _along(f: Callable[[float], np.ndarray]) -> np.ndarray:
    """f′(0) by central differences, extrapolated twice (Richardson)."""
    steps = (_STEP, _STEP / 2, _STEP / 4)
    a, b, c = ((f(h) - f(-h)) / (2 * h) for h in steps)
    a, b = (4 * b - a) / 3, (4 * c - b) / 3
    return (16 * b - a) / 15


def _agree(found: Any, right: np.ndarray, close: float) -> bool:
    found = np.asarray(found, dtype=float)
    if found.size != right.size:
        return False
    if found.ndim != right.ndim:  # one row or column of a Jacobian
        found = found.reshape(right.shape)
    scale = max(1.0, float(np.abs(right).max()))
    return found.shape == right.shape and bool(np.abs(found - right).max() <= close * scale)


def _length(printed: str) -> int:
    """How many signs are read: spaces and parentheses are no work."""
    return sum(letter not in " ()" for letter in printed)


def _read() -> list[Text]:
    texts = []
    for path in sorted(Path(__file__).parent.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("#"):
                continue
            fields = [field.strip() for field in f"{line} ".split(" | ")]
            where, text, names, by, value, book, mark = (*fields, "", "")[:7]
            declared = dict(pair.split("=", 1) for pair in names.strip("-").split())
            texts.append(
                Text(
                    path.stem,
                    where,
                    text,
                    declared,
                    tuple(by.split()),
                    value,
                    book.strip("-"),
                    mark,
                )
            )
    return texts


TEXTS = _read()
