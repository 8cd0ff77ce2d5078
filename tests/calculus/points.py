"""Random values of the symbols of expressions, at which these are tame."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from mcmodels.calculus.compute.evaluate import ANALYTIC, VALUES, EvaluationError
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.rewriting import parts_of
from tests.calculus.expressions import NAMES

_LARGEST = 1e3  # of any part: beyond it, rounding hides small errors
_CONDITION = 1e3  # of any matrix that is inverted, for the same reason
_NEAR = 1e-3  # a kink that is nearer than this is left alone


@dataclass(frozen=True)
class Point:
    """Values and sizes, as `evaluate.walk` takes them."""

    values: dict[N.Symbol, np.ndarray]
    sizes: dict[str, int]

    def arguments(self, expression: Expression) -> dict[str, object]:
        """As `Expression.evaluate` takes them."""
        given = {s.name: as_user_gives(s, self.values[s]) for s in expression.used}
        names = expression.size_names
        return {**given, **{name: self.sizes[name] for name in sorted(names)}}


def as_user_gives(expression: Expression, value: np.ndarray) -> np.ndarray | float:
    """A vector of one dimension, and a scalar of none."""
    if expression.is_scalar:
        return float(value[0, 0])
    return value[:, 0] if expression.is_column else value


SOME_SIZES = [*permutations((2, 3, 4)), (3, 2, 1), (1, 3, 2), (2, 1, 3), (3, 3, 2)]


@st.composite
def points(draw, used: frozenset[N.Symbol]):
    """Random values of the symbols, as declared; sizes mostly differ, and may be 1."""
    sizes = dict(zip(NAMES, draw(st.sampled_from(SOME_SIZES)), strict=True))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    ordered = sorted(used, key=lambda symbol: symbol.name)
    return Point({symbol: random_value(symbol, sizes, rng) for symbol in ordered}, sizes)


def random_value(symbol: N.Symbol, sizes: dict[str, int], rng) -> np.ndarray:
    value = rng.standard_normal((symbol.rows.value(sizes), symbol.cols.value(sizes)))
    if "positive_definite" in symbol.declared:
        return value @ value.T / len(value) + np.eye(len(value))
    if "symmetric" in symbol.declared:
        return (value + value.T) / 2
    if "probability" in symbol.declared:
        return np.exp(value) / np.exp(value).sum()
    return value


def require_tame(expression: Expression, point: Point) -> None:
    """Discard a point at which any part is undefined, huge, ill-conditioned or near a kink."""
    assume(is_tame(expression, point))


def is_tame(expression: Expression, point: Point) -> bool:
    known: dict[bytes, np.ndarray] = {}
    with np.errstate(all="ignore"):
        for part in parts_of(expression):
            if isinstance(part, N.Symbol):
                known[part.key] = point.values[part]
                continue
            children = [known[child.key] for child in part.children]
            try:
                value = VALUES[type(part)](part, children, ANALYTIC, point.sizes)
            except (np.linalg.LinAlgError, EvaluationError):
                return False
            if not (np.isfinite(value).all() and np.abs(value).max() < _LARGEST):
                return False
            if _delicate(part, children):
                return False
            known[part.key] = value
    return True


_KINKED = ("abs", "relu", "sign", "step")


def _delicate(part: Expression, children: list[np.ndarray]) -> bool:
    if isinstance(part, N.Elementwise) and part.name in _KINKED:
        return bool(np.abs(children[0]).min() < _NEAR)
    if isinstance(part, N.Elementwise) and part.name == "log":
        return bool(children[0].min() < _NEAR)
    if isinstance(part, N.Norm):
        return bool(np.abs(children[0]).max() < _NEAR)
    if isinstance(part, N.Power) and not _whole_and_positive(part.exponent):
        return bool(np.abs(children[0]).min() < _NEAR)
    if isinstance(part, F.Pairwise | F.Where | F.Hardmax | F.Pinv | F.Eigenvalues):
        return _is_delicate_function(part, children)
    if isinstance(part, N.Det | N.LogDet) or (
        isinstance(part, N.MatrixPower) and children[1][0, 0] < 0
    ):
        return bool(np.linalg.cond(children[0]) > _CONDITION)
    return False


def _whole_and_positive(exponent: Expression) -> bool:
    return (
        isinstance(exponent, N.Number) and exponent.value > 0 and float(exponent.value).is_integer()
    )


def _is_delicate_function(part: Expression, children: list[np.ndarray]) -> bool:
    if isinstance(part, F.Pairwise):
        a, b = children
        distance = np.hypot(a, b) if part.name == "hypot" else np.abs(a - b)
        return bool(distance.min() < _NEAR)
    if isinstance(part, F.Where):
        return bool(np.abs(children[0]).min() < _NEAR)
    if isinstance(part, F.Hardmax):
        largest = np.sort(children[0], axis=None)[-2:]
        return bool(np.diff(largest).min(initial=1) < _NEAR)
    if isinstance(part, F.Eigenvalues):
        values = np.linalg.eigvalsh(children[0])
        return bool(np.diff(values).min(initial=np.inf) < np.abs(values).max() / _CONDITION)
    sizes = np.linalg.svd(children[0], compute_uv=False)
    # The complex step has A⁺ = (AᵀA)⁻¹Aᵀ, which squares the condition number.
    return bool(sizes[-1] ** 2 * _CONDITION < sizes[0] ** 2 or sizes[-1] < _NEAR)
