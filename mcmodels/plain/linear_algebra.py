"""Determinants, inverses and decompositions of small matrices, as `numpy.linalg` names them."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from mcmodels.plain.arrays import made, ndarray
from mcmodels.plain.mpmath_values import matrix_function, mpmath

__all__ = ["LinAlgError", "linalg"]

_EPSILON = 2.0**-52
_SWEEPS = 60


class LinAlgError(ValueError):
    """A matrix for which a function is not defined."""


class SlogdetResult(NamedTuple):
    """Sign and logarithm of the absolute value of a determinant."""

    sign: Any
    logabsdet: Any


class EighResult(NamedTuple):
    """Eigenvalues and eigenvectors."""

    eigenvalues: ndarray
    eigenvectors: ndarray


class SVDResult(NamedTuple):
    """The parts of a singular value decomposition."""

    U: ndarray
    S: ndarray
    Vh: ndarray


def _rows(A: Any) -> list[list[Any]]:
    array = made(A)
    if array.ndim != 2:
        raise LinAlgError(f"{array.ndim}-dimensional array given; it must be two-dimensional")
    if array.kind in "bi":
        array = array.astype(float)
    nested: list[list[Any]] = array.tolist()
    return nested


def _array(rows: list[list[Any]], shape: tuple[int, int]) -> ndarray:
    return ndarray([entry for row in rows for entry in row], shape)


def _eliminated(A: list[list[Any]], B: list[list[Any]]) -> tuple[list[Any], int, list[list[Any]]]:
    """The pivots, the sign of the exchanges, and A⁻¹B, by Gauss with partial pivoting."""
    n = len(A)
    if any(len(row) != n for row in A):
        raise LinAlgError("Last 2 dimensions of the array must be square")
    rows = [[*a, *b] for a, b in zip(A, B, strict=True)]
    sign, pivots = 1, []
    for k in range(n):
        place = max(range(k, n), key=lambda i: abs(rows[i][k]))
        if place != k:
            rows[k], rows[place] = rows[place], rows[k]
            sign = -sign
        pivot = rows[k][k]
        pivots.append(pivot)
        if pivot == 0:
            return [0.0], sign, []
        for i in range(k + 1, n):
            if rows[i][k] != 0:
                factor = rows[i][k] / pivot
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[k], strict=True)]
    solved: list[list[Any]] = [[] for _ in range(n)]
    width = len(B[0]) if B else 0
    for k in reversed(range(n)):
        line = []
        for j in range(width):
            rest = sum(rows[k][i] * solved[i][j] for i in range(k + 1, n))
            line.append((rows[k][n + j] - rest) / pivots[k])
        solved[k] = line
    return pivots, sign, solved


def inv(A: Any) -> ndarray:
    """The inverse."""
    rows = _rows(A)
    n = len(rows)
    _, _, solved = _eliminated(rows, [[float(i == j) for j in range(n)] for i in range(n)])
    if not solved and n:
        raise LinAlgError("Singular matrix")
    return _array(solved, (n, n))


def solve(A: Any, b: Any) -> ndarray:
    """The solution of linear equations."""
    B = made(b)
    columns = B.reshape(-1, 1) if B.ndim == 1 else B
    _, _, solved = _eliminated(_rows(A), columns.tolist())
    if not solved:
        raise LinAlgError("Singular matrix")
    found = _array(solved, columns.shape)  # type: ignore[arg-type]
    return found.ravel() if B.ndim == 1 else found


def det(A: Any) -> Any:
    """The determinant."""
    rows = _rows(A)
    pivots, sign, _ = _eliminated(rows, [[] for _ in rows])
    return sign * math.prod(pivots)


def slogdet(A: Any) -> SlogdetResult:
    """Sign and logarithm of the determinant."""
    rows = _rows(A)
    pivots, sign, _ = _eliminated(rows, [[] for _ in rows])
    if not all(pivots):
        return SlogdetResult(0.0, -math.inf)
    if any(pivot != pivot for pivot in pivots):
        return SlogdetResult(math.nan, math.nan)
    negative = sum(pivot < 0 for pivot in pivots) % 2
    return SlogdetResult(
        float(-sign if negative else sign), sum(math.log(abs(pivot)) for pivot in pivots)
    )


def eigh(A: Any) -> EighResult:
    """Eigenvalues in ascending order, and eigenvectors, by the rotations of Jacobi.

    Golub and Van Loan (2013), *Matrix Computations*, 4th ed., section 8.5.
    """
    a = _rows(A)
    n = len(a)
    if any(not math.isfinite(entry) for row in a for entry in row):
        raise LinAlgError("Eigenvalues did not converge")
    v = [[float(i == j) for j in range(n)] for i in range(n)]
    total = sum(entry * entry for row in a for entry in row)
    for _ in range(_SWEEPS):
        off = sum(a[i][j] ** 2 for i in range(n) for j in range(n) if i != j)
        if off <= (_EPSILON**2) * 1e-4 * total:
            break
        for p in range(n):
            for q in range(p + 1, n):
                if a[p][q] == 0:
                    continue
                tau = (a[q][q] - a[p][p]) / (2 * a[p][q])
                t = math.copysign(1, tau) / (abs(tau) + math.hypot(1, tau))
                c = 1 / math.hypot(1, t)
                s = t * c
                for line in (*a, *v):
                    line[p], line[q] = c * line[p] - s * line[q], s * line[p] + c * line[q]
                for k in range(n):
                    a[p][k], a[q][k] = c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]
    order = sorted(range(n), key=lambda i: a[i][i])
    vectors = [[row[j] for j in order] for row in v]
    return EighResult(ndarray([a[i][i] for i in order], (n,), "f"), _array(vectors, (n, n)))


def eigvalsh(A: Any) -> ndarray:
    """Eigenvalues of a symmetric matrix, in ascending order."""
    return eigh(A).eigenvalues


def eigvals(A: Any) -> ndarray:
    """Eigenvalues of any matrix, as complex numbers."""
    rows = _rows(A)
    mp = mpmath().mp
    found = mp.eig(mp.matrix(rows), left=False, right=False)
    return ndarray([complex(value) for value in found], (len(rows),), "c")


def svd(A: Any, full_matrices: bool = False, compute_uv: bool = True) -> Any:
    """Singular values, the largest first, by rotations of the columns (Hestenes)."""
    X = made(A).astype(float)
    turned = X.shape[0] < X.shape[1]
    columns: list[list[float]] = (X if turned else X.T).tolist()
    n, length = len(columns), len(columns[0]) if columns else 0
    v = [[float(i == j) for j in range(n)] for i in range(n)]  # rows are columns of V
    for _ in range(_SWEEPS):
        done = True
        for p in range(n):
            for q in range(p + 1, n):
                alpha = sum(a * a for a in columns[p])
                beta = sum(b * b for b in columns[q])
                gamma = sum(a * b for a, b in zip(columns[p], columns[q], strict=True))
                if abs(gamma) <= _EPSILON * math.sqrt(alpha * beta) or gamma == 0:
                    continue
                done = False
                zeta = (beta - alpha) / (2 * gamma)
                t = math.copysign(1, zeta) / (abs(zeta) + math.hypot(1, zeta))
                c = 1 / math.hypot(1, t)
                s = c * t
                for lines in (columns, v):
                    lines[p], lines[q] = (
                        [c * a - s * b for a, b in zip(lines[p], lines[q], strict=True)],
                        [s * a + c * b for a, b in zip(lines[p], lines[q], strict=True)],
                    )
        if done:
            break
    sizes = [math.sqrt(sum(a * a for a in line)) for line in columns]
    order = sorted(range(n), key=lambda i: -sizes[i])
    S = ndarray([sizes[i] for i in order], (n,), "f")
    if not compute_uv:
        return S
    left = [[a / sizes[i] if sizes[i] else 0.0 for a in columns[i]] for i in order]
    U, V = _array(left, (n, length)), _array([v[i] for i in order], (n, n))
    return SVDResult(V.T, S, U) if turned else SVDResult(U.T, S, V)


def pinv(A: Any, rcond: float = 1e-15) -> ndarray:
    """The Moore-Penrose inverse."""
    U, S, Vh = svd(A)
    least = rcond * S.max(initial=0.0)
    inverted = ndarray([1 / s if s > least else 0.0 for s in S.entries], S.shape, "f")
    found: ndarray = (Vh.T * inverted) @ U.T
    return found


def lstsq(A: Any, b: Any, rcond: float = 1e-15) -> tuple[ndarray, ndarray, int, ndarray]:
    """Least squares: the solution, nothing for the residuals, the rank, the singular values."""
    S = svd(A, compute_uv=False)
    rank = sum(s > rcond * S.max(initial=0.0) for s in S.entries)
    return pinv(A, rcond) @ made(b), ndarray([], (0,), "f"), rank, S


def qr(A: Any) -> tuple[ndarray, ndarray]:
    """Orthonormal columns and a triangle, by Gram and Schmidt, twice."""
    X = made(A)
    columns: list[list[float]] = X.T.tolist()
    found: list[list[float]] = []
    for column in columns:
        line = column
        for _ in range(2):
            for other in found:
                along = sum(a * b for a, b in zip(line, other, strict=True))
                line = [a - along * b for a, b in zip(line, other, strict=True)]
        size = math.sqrt(sum(a * a for a in line))
        found.append([a / size for a in line])
    Q = _array(found, (len(found), X.shape[0])).T
    return Q, Q.T @ X


def norm(A: Any) -> float:
    """The root of the sum of squares."""
    return math.sqrt(sum(abs(entry) ** 2 for entry in made(A).entries))


class linalg:
    """`numpy.linalg`."""

    LinAlgError = LinAlgError
    inv = staticmethod(inv)
    solve = staticmethod(solve)
    det = staticmethod(det)
    slogdet = staticmethod(slogdet)
    eigh = staticmethod(eigh)
    eigvalsh = staticmethod(eigvalsh)
    eigvals = staticmethod(eigvals)
    svd = staticmethod(svd)
    pinv = staticmethod(pinv)
    lstsq = staticmethod(lstsq)
    qr = staticmethod(qr)
    norm = staticmethod(norm)


class scipy_linalg:
    """`scipy.linalg`, of which three functions are used."""

    @staticmethod
    def expm(A: Any) -> ndarray:
        """The exponential."""
        return _of_matrix("expm", A)

    @staticmethod
    def logm(A: Any) -> ndarray:
        """The principal logarithm."""
        return _of_matrix("logm", A)

    @staticmethod
    def sqrtm(A: Any) -> ndarray:
        """The principal root."""
        return _of_matrix("sqrtm", A)


def _of_matrix(name: str, A: Any) -> ndarray:
    rows = _rows(A)
    try:
        found = matrix_function(name, rows)
    except (ZeroDivisionError, ValueError, ArithmeticError) as error:
        raise LinAlgError(f"{name} is not defined: {error}") from None
    return _array(found, (len(rows), len(rows)))
