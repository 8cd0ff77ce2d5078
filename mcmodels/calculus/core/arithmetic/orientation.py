"""A key that an expression shares with equal ones whose transposes are written in another place.

3(A + B)ᵀ and 3Aᵀ + 3Bᵀ are printed as they are written, and so are tanh(XW)ᵀ and tanh(WᵀXᵀ). To
tell that a matrix is symmetric, both are looked at with all transposes at the symbols, and all
sums opened. Nothing is built for this: each part is looked at twice at most, upright and turned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from hashlib import blake2b

from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.function_nodes import MatrixFunction, Pairwise, Pinv, Polygamma, Where
from mcmodels.calculus.core.nodes import (
    Elementwise,
    Hadamard,
    Kron,
    MatrixPower,
    Ones,
    Power,
    Product,
    Scaled,
    Sum,
    Transpose,
    Zeros,
)
from mcmodels.calculus.core.numbers import Value

__all__ = ["is_its_transpose"]

# Nodes that are transposed by transposing their parts, and parts that are scalars beside them.
_BY_PARTS = (
    Hadamard, Power, Elementwise, Polygamma, Pairwise, Where, Kron, MatrixPower, MatrixFunction,
    Pinv,
)  # fmt: skip


def is_its_transpose(expression: Expression, is_symmetric: Callable[[Expression], bool]) -> bool:
    """Whether a square matrix is written like its transpose, all transposes at the symbols.

    ``is_symmetric`` is asked of symbols, and of other parts that have no parts to transpose.
    """
    forms = _Forms(is_symmetric)
    return forms.of(expression, False) == forms.of(expression, True)


class _Forms:
    """Keys of expressions, and of their transposes, each found once."""

    def __init__(self, is_symmetric: Callable[[Expression], bool]) -> None:
        self.is_symmetric = is_symmetric
        self.known: dict[tuple[bytes, bool], bytes] = {}

    def of(self, e: Expression, turned: bool) -> bytes:
        """The key of an expression, or of its transpose."""
        if e.is_scalar:
            turned = False
        name = (e.key, turned)
        if name not in self.known:
            self.known[name] = self._found(e, turned)
        return self.known[name]

    def _found(self, e: Expression, turned: bool) -> bytes:
        if isinstance(e, Transpose):
            return self.of(e.argument, not turned)
        if isinstance(e, Sum | Scaled) and e.is_array:
            terms = self._terms(e, turned)
            if len(terms) == 1 and next(iter(terms.values())) == 1:
                return next(iter(terms))
            return _joined("sum", sorted(key + str(c).encode() for key, c in terms.items()))
        if isinstance(e, Product):
            if e.is_scalar:  # xᵀAy and yᵀAᵀx
                return min(self._chain(e, False), self._chain(e, True))
            return self._chain(e, turned)
        if isinstance(e, _BY_PARTS) and e.is_array:
            keys = [self.of(child, turned) for child in e.children]
            kind = f"{type(e).__name__}|{e.label}"
            return _joined(kind, sorted(keys) if e.commutative else keys)
        if not turned or self.is_symmetric(e):
            return e.key
        if isinstance(e, Zeros | Ones):
            return type(e)(e.cols, e.rows).key
        return _joined("transpose", [e.key])

    def _chain(self, e: Product, turned: bool) -> bytes:
        factors = reversed(e.children) if turned else e.children
        return _joined("product", [self.of(factor, turned) for factor in factors])

    def _terms(self, e: Expression, turned: bool) -> dict[bytes, Value]:
        """The terms with their numbers, like ones added."""
        if isinstance(e, Transpose):
            return self._terms(e.argument, not turned)
        found: dict[bytes, Value] = {}
        if isinstance(e, Sum):
            for term in e.children:
                for key, number in self._terms(term, turned).items():
                    found[key] = found.get(key, Fraction(0)) + number
            return {key: number for key, number in found.items() if number != 0}
        if isinstance(e, Scaled) and e.array is not None:
            scalars = sorted(self.of(scalar, False) for scalar in e.scalars)
            for key, number in self._terms(e.array, turned).items():
                name = _joined("multiple", [*scalars, key]) if scalars else key
                found[name] = e.coefficient * number
            return found
        return {self.of(e, turned): Fraction(1)}


def _joined(kind: str, keys: Iterable[bytes]) -> bytes:
    return blake2b(kind.encode() + b"|" + b"|".join(keys), digest_size=16).digest()
