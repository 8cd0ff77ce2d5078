"""Nodes of further functions: of two arrays entry by entry, of matrices, and their derivatives.

As in `nodes`, a node only stores its fields. The constructors are in `choices`,
`special_functions`, `norms` and `matrix_functions`.
"""

from __future__ import annotations

from mcmodels.calculus.core.expression import Expression, node
from mcmodels.calculus.core.sizes import ONE, Size

__all__ = [
    "Eigenvalues",
    "Eigenvectors",
    "Frechet",
    "FrechetMatrix",
    "Hardmax",
    "Largest",
    "MatrixFunction",
    "NuclearNorm",
    "Pairwise",
    "Pinv",
    "Polar",
    "Polygamma",
    "ReciprocalGaps",
    "Where",
]


@node
class Polygamma(Expression):
    """The derivative of the given order, 1 or more, of digamma, of each entry."""

    order: int
    argument: Expression

    def _dimensions(self) -> tuple[Size, Size]:
        return self.argument.rows, self.argument.cols


@node
class Pairwise(Expression):
    """A function of the entries of two arrays; ``name`` is one of `pairwise.PAIRWISE`."""

    name: str
    left: Expression
    right: Expression

    def _dimensions(self) -> tuple[Size, Size]:
        return self.left.rows, self.left.cols


@node
class Where(Expression):
    """The entries of ``left`` where those of ``condition`` are positive, else of ``right``."""

    condition: Expression
    left: Expression
    right: Expression

    def _dimensions(self) -> tuple[Size, Size]:
        return self.left.rows, self.left.cols


@node
class _OfArray(Expression):
    """A function of one array, of its shape unless it says otherwise."""

    argument: Expression

    def _dimensions(self) -> tuple[Size, Size]:
        return self.argument.rows, self.argument.cols


@node
class Largest(_OfArray):
    """The largest entry."""

    def _dimensions(self) -> tuple[Size, Size]:
        return ONE, ONE


@node
class Hardmax(_OfArray):
    """1 in the place of the largest entry (the first of several, row by row), else 0."""


@node
class NuclearNorm(_OfArray):
    """The sum of the singular values of a matrix."""

    def _dimensions(self) -> tuple[Size, Size]:
        return ONE, ONE


@node
class Polar(_OfArray):
    """UVᵀ of the thin singular value decomposition UΣVᵀ of a matrix of full rank."""


@node
class Pinv(_OfArray):
    """The Moore-Penrose inverse."""

    def _dimensions(self) -> tuple[Size, Size]:
        return self.argument.cols, self.argument.rows


@node
class Eigenvalues(_OfArray):
    """The eigenvalues of a symmetric matrix, in ascending order."""

    def _dimensions(self) -> tuple[Size, Size]:
        return self.argument.rows, ONE


@node
class Eigenvectors(_OfArray):
    """The orthogonal matrix of eigenvectors of a symmetric matrix, in the order of eigenvalues."""


@node
class ReciprocalGaps(_OfArray):
    """The matrix of 1/(vⱼ − vᵢ) of a vector v, with zeros on its diagonal."""

    def _dimensions(self) -> tuple[Size, Size]:
        return self.argument.rows, self.argument.rows


@node
class MatrixFunction(Expression):
    """The exponential, logarithm or square root of a square matrix: expm, logm or sqrtm."""

    name: str
    argument: Expression

    def _dimensions(self) -> tuple[Size, Size]:
        return self.argument.rows, self.argument.cols


@node
class Frechet(Expression):
    """The Fréchet derivative of a matrix function at ``argument`` along ``direction``."""

    name: str
    argument: Expression
    direction: Expression

    def _dimensions(self) -> tuple[Size, Size]:
        return self.argument.rows, self.argument.cols


@node
class FrechetMatrix(Expression):
    """The n²×n² matrix K of a Fréchet derivative: vec L(A, E) = K vec(E)."""

    name: str
    argument: Expression

    def _dimensions(self) -> tuple[Size, Size]:
        size = self.argument.rows * self.argument.rows
        return size, size
