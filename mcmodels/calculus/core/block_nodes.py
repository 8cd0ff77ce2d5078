"""The nodes of slices, blocks and triangles: the fields of each, and its shape."""

from __future__ import annotations

from mcmodels.calculus.core.expression import Expression, node
from mcmodels.calculus.core.sizes import Size, half_of_square

__all__ = ["Duplication", "Elimination", "Selection", "Stack", "Triangle"]


@node
class Selection(Expression):
    """The matrix [0 I 0] that takes the entries of a vector from ``start`` on, ``rows`` of them.

    A slice x[1:] is its product with x; its transpose puts entries back, with zeros around them.
    """

    start: Size
    rows: Size
    cols: Size

    def __post_init__(self) -> None:
        self._identify((), (str(self.start),))
        self.size_names = self.size_names | self.start.all_names


@node
class Triangle(Expression):
    """The n×n matrix with ones on and below the diagonal, and zeros above."""

    rows: Size

    def _dimensions(self) -> tuple[Size, Size]:
        return self.rows, self.rows


@node
class Duplication(Expression):
    """The matrix D with D vech(S) = vec(S) for symmetric S of n×n.

    Magnus and Neudecker (2019), section 3.8.
    """

    n: Size

    def _dimensions(self) -> tuple[Size, Size]:
        return self.n * self.n, half_of_square(self.n)


@node
class Elimination(Expression):
    """The matrix L with L vec(X) = vech(X), the entries on and below the diagonal of n×n.

    Magnus and Neudecker (1980), SIAM Journal on Algebraic and Discrete Methods 1(4).
    """

    n: Size

    def _dimensions(self) -> tuple[Size, Size]:
        return half_of_square(self.n), self.n * self.n


@node
class Stack(Expression):
    """Blocks below each other (``axis`` 0) or side by side (1), two or more of them."""

    blocks: tuple[Expression, ...]
    axis: int

    def _dimensions(self) -> tuple[Size, Size]:
        first, *others = self.blocks
        rows, cols = first.rows, first.cols
        for block in others:
            rows, cols = (rows, cols + block.cols) if self.axis else (rows + block.rows, cols)
        return rows, cols
