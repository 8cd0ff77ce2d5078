"""Symbols: named scalars, vectors and matrices, and what may be declared of them."""

from __future__ import annotations

import keyword

from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.core.signatures import SIGNATURES
from mcmodels.calculus.core.sizes import ONE, ShapeError, Size

__all__ = ["matrix", "require_name", "scalar", "vector"]


def scalar(name: str, *, integer: bool = False) -> Expression:
    """A scalar.

    Parameters
    ----------
    name : str
        A Python name. Names of Greek letters (``mu``, ``Sigma``, ``lambda_``) print as such.
    integer : bool, default=False
        Whether it is a whole number, which may be the exponent of a matrix.

    Returns
    -------
    Expression
        Of shape ``()``.

    Raises
    ------
    ShapeError
        If the name is no Python name (or a keyword), or is that of a function of
        `mcmodels.calculus`.

    Examples
    --------
    >>> from mcmodels.calculus import scalar, vector
    >>> c, x = scalar("c"), vector("x", "n")
    >>> (c * x.T @ x).gradient(x)
    2cx
    """
    return _symbol(name, ONE, ONE, {"integer"} if integer else set())


def vector(name: str, n: int | str | Size, *, probability: bool = False) -> Expression:
    """A column vector.

    Parameters
    ----------
    name : str
        A Python name.
    n : int or str
        Its size: a number, a name, or a product such as ``"m*n"``.
    probability : bool, default=False
        Whether its entries are at least zero and sum to one, as those of a one-hot vector. A
        derivative by it does not use this: its differential is any vector.

    Returns
    -------
    Expression
        Of shape ``(n,)``.

    Raises
    ------
    ShapeError
        If the name cannot be that of a symbol (see `scalar`), or the size is none.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, vector
    >>> x, A = vector("x", "n"), matrix("A", "n", "n")
    >>> (x.T @ A @ x).gradient(x)
    (A + Aᵀ)x
    """
    return _symbol(name, Size.of(n), ONE, {"probability"} if probability else set())


def matrix(
    name: str,
    m: int | str | Size,
    n: int | str | Size,
    *,
    symmetric: bool = False,
    positive_definite: bool = False,
    diagonal: bool = False,
    lower_triangular: bool = False,
    upper_triangular: bool = False,
    orthogonal: bool = False,
) -> Expression:
    """A matrix.

    Parameters
    ----------
    name : str
        A Python name.
    m, n : int or str
        Numbers of rows and columns: a number, a name, or a product such as ``"m*n"``.
    symmetric : bool, default=False
        Whether it is symmetric. Its differential then is, too, and a gradient by it is the
        symmetric matrix G with df = tr(Gᵀ dX) for all symmetric dX.
    positive_definite : bool, default=False
        Whether it is symmetric and positive definite.
    diagonal, lower_triangular, upper_triangular : bool, default=False
        Whether its other entries are zero, and stay so: the gradient is zero there, too.
    orthogonal : bool, default=False
        Whether its columns are orthonormal. QᵀQ is I as soon as it is written; so leave this out
        where QᵀQ − I is a constraint. A derivative by Q does not use it: its differential is any
        matrix.

    Returns
    -------
    Expression
        Of shape ``(m, n)``.

    Raises
    ------
    ShapeError
        If the name cannot be that of a symbol (see `scalar`), a size is none, a symmetric matrix is
        not square, or there is one column (which is a `vector`).

    Examples
    --------
    >>> from mcmodels.calculus import logdet, matrix, trace
    >>> X = matrix("X", "n", "n")
    >>> logdet(X).gradient(X)
    X⁻ᵀ
    """
    rows, cols = Size.of(m), Size.of(n)
    given = {
        "diagonal": diagonal,
        "symmetric": symmetric or positive_definite or diagonal,
        "positive_definite": positive_definite,
        "lower_triangular": lower_triangular,
        "upper_triangular": upper_triangular,
    }
    declared = {word for word, is_given in given.items() if is_given}
    if declared and rows != cols:
        word = min(declared, key=list(given).index).replace("_", " ")
        raise ShapeError(f"a {word} matrix is square; found {name!r} of {rows}×{cols}")
    if orthogonal:
        declared.add("orthogonal")
    triangular = declared & {"lower_triangular", "upper_triangular"}
    if len(triangular) + (len(declared - triangular) > 0) > 1:
        words = " and ".join(sorted(declared)).replace("_", " ")
        raise ShapeError(f"{name!r} is declared {words}; write diagonal=True for what is both")
    if {"symmetric", "orthogonal"} <= declared:
        raise ShapeError(
            f"{name!r} is declared orthogonal and symmetric; declare one, and give the other as a "
            "formula, as eye(n) - 2 * v @ v.T"
        )
    if cols == ONE:
        raise ShapeError(
            f"a matrix of one column is a vector: write vector({name!r}, {str(rows)!r})"
        )
    return _symbol(name, rows, cols, declared)


def _symbol(name: str, rows: Size, cols: Size, declared: set[str]) -> Expression:
    require_name(name, rows.all_names | cols.all_names)
    return Symbol(name, rows, cols, frozenset(declared))


def require_name(name: str, sizes: frozenset[str]) -> None:
    """Refuse a name that no symbol can have beside these names of sizes."""
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        advice = "; write 'lambda_' for λ" if name == "lambda" else ""
        raise ShapeError(f"a symbol needs a Python name; found {name!r}{advice}")
    if name in SIGNATURES:
        raise ShapeError(f"{name!r} is the name of a function; choose another for a symbol")
    if name in sizes:
        raise ShapeError(f"the name {name!r} stands for a size and for a symbol; rename one")
