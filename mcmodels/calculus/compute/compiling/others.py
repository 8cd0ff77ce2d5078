"""NumPy code for functions, inverses, constants, vec and Kronecker products."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mcmodels.calculus.compute.compiling.applying import applied, kron_of, two_dimensional
from mcmodels.calculus.compute.compiling.code import Text, is_line, safe
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.elementwise import FUNCTIONS
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.sizes import Size

if TYPE_CHECKING:
    from mcmodels.calculus.compute.compiling.writing import Writer

__all__ = ["WRITERS"]


def _matrix_power(w: Writer, e: N.MatrixPower) -> Text:
    base = w.value(e.base)
    if e.is_inverse:
        return Text(f"np.linalg.inv({base})", fresh=True)
    if not isinstance(e.exponent, N.Number):
        return Text(f"np.linalg.matrix_power({base}, int({w.value(e.exponent)}))", fresh=True)
    return Text(f"np.linalg.matrix_power({base}, {e.exponent.value})", fresh=True)


def _logdet(w: Writer, e: N.LogDet) -> Text:
    return Text(f"np.linalg.slogdet({w.value(e.argument)})[1]")


def _elementwise(w: Writer, e: N.Elementwise) -> Text:
    code = FUNCTIONS[e.name].code
    if "expit" in code:
        w.code.use("from scipy.special import expit")
    return Text(code.format(w.value(e.argument)), fresh=True)


def _softmax(w: Writer, e: N.Softmax) -> Text:
    z = w.value(e.argument)
    if e.is_column:
        z = _named(w, z)
        power = w.code.assign(f"np.exp({z} - {z}.max())")
        return Text(f"{power} / {power}.sum()", atom=False, fresh=True, product=True)
    columns = _rows_as_columns(w, z)
    power = w.code.assign(f"np.exp({columns} - {columns}.max(axis=0))")
    return Text(f"({power} / {power}.sum(axis=0)).T", fresh=True)


def _logsumexp(w: Writer, e: N.LogSumExp) -> Text:
    z = w.value(e.argument)
    if e.argument.is_column:
        z = _named(w, z)
        top = w.code.assign(f"{z}.max()")
        return Text(f"{top} + np.log(np.exp({z} - {top}).sum())", atom=False)
    columns = _rows_as_columns(w, z)
    top = w.code.assign(f"{columns}.max(axis=0)")
    inside = f"np.exp({columns} - {top})"
    return Text(f"{top} + np.log({inside}.sum(axis=0))", atom=False, fresh=True)


def _named(w: Writer, z: Text) -> Text:
    return z if z.text.isidentifier() else w.code.assign(z)


def _rows_as_columns(w: Writer, z: Text) -> Text:
    """A transposed copy: NumPy takes maxima and sums of few columns slowly row by row."""
    return w.code.assign(f"{z.transposed}.copy()")


def _transpose(w: Writer, e: N.Transpose) -> Text:
    inner = w.value(e.argument)
    return inner if is_line(e) else inner.transposed


def _filled(name: str) -> Callable[[Writer, Any], Text]:
    def write(w: Writer, e: Expression) -> Text:
        if is_line(e):
            length = w.size(e.rows if e.is_column else e.cols)
            return Text(f"np.{name}({length})", fresh=True)
        return Text(f"np.{name}(({w.size(e.rows)}, {w.size(e.cols)}))", fresh=True)

    return write


def _unit(w: Writer, e: N.Unit) -> Text:
    name = w.code.assign(f"np.zeros({w.size(e.rows)})")
    w.code.do(f"{name}[{e.index}] = 1")
    return name


def _formed(w: Writer, e: Expression) -> Text:
    """A matrix of zeros and ones, as a product with the identity."""
    done = applied(w, e, Text(f"np.eye({w.size(e.cols)})"), line=False)
    assert done is not None
    return done


def _diagonal_matrix(w: Writer, e: N.DiagonalMatrix) -> Text:
    return Text(f"np.diag({w.value(e.argument)})", fresh=True)


def _vec(w: Writer, e: N.Vec) -> Text:
    return Text(f"{w.value(e.argument).grouped}.ravel(order='F')")


def _unvec(w: Writer, e: N.Unvec) -> Text:
    shape = f"({w.size(e.rows)}, {w.size(e.cols)})"
    return Text(f"{w.value(e.argument).grouped}.reshape({shape}, order='F')")


def _kron(w: Writer, e: N.Kron) -> Text:
    if is_line(e):
        return Text(f"np.kron({w.value(e.left)}, {w.value(e.right)})", fresh=True)
    return kron_of(w, e.left, e.right)


def _blocks(w: Writer, e: Expression, subscripts: str) -> Text:
    C, other = e.children
    r, c = (other.rows, other.cols) if isinstance(e, N.BlockSum) else (e.rows, e.cols)
    p, q = (e.rows, e.cols) if isinstance(e, N.BlockSum) else (other.rows, other.cols)
    shape = ", ".join(w.size(size) for size in (r, p, c, q))
    blocks = f"{two_dimensional(w, C).grouped}.reshape({shape})"
    text = f"np.einsum('{subscripts}', {blocks}, {two_dimensional(w, other)})"
    if e.is_scalar:
        return Text(f"{text}[0, 0]")
    return Text(f"{text}.ravel()" if is_line(e) else text, fresh=True)


WRITERS: dict[type[Expression], Callable[[Writer, Any], Text]] = {
    N.Symbol: lambda w, e: Text(safe(e.name)),
    N.Differential: lambda w, e: Text(safe(e.name)),
    N.SizeValue: lambda w, e: Text(w.size(Size(1, (e.name,)))),
    N.Identity: lambda w, e: Text(f"np.eye({w.size(e.rows)})", fresh=True),
    N.Zeros: _filled("zeros"),
    N.Ones: _filled("ones"),
    N.Unit: _unit,
    N.Commutation: _formed,
    N.DiagonalSelection: _formed,
    N.MatrixPower: _matrix_power,
    N.Transpose: _transpose,
    N.Elementwise: _elementwise,
    N.Det: lambda w, e: Text(f"np.linalg.det({w.value(e.argument)})"),
    N.LogDet: _logdet,
    N.DiagonalMatrix: _diagonal_matrix,
    N.Vec: _vec,
    N.Unvec: _unvec,
    N.Kron: _kron,
    N.Softmax: _softmax,
    N.LogSumExp: _logsumexp,
    N.BlockSum: lambda w, e: _blocks(w, e, "ipjq,ij->pq"),
    N.BlockTrace: lambda w, e: _blocks(w, e, "ipjq,pq->ij"),
}
