"""NumPy code for functions, inverses, constants, vec and Kronecker products."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mcmodels.calculus.compute.compiling.applying import applied, kron_of, two_dimensional
from mcmodels.calculus.compute.compiling.code import Snippet, is_line, safe
from mcmodels.calculus.compute.compiling.functions import elementwise_code
from mcmodels.calculus.compute.stable.forms import PositiveLogDet
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.elementwise import FUNCTIONS
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.sizes import Size

if TYPE_CHECKING:
    from mcmodels.calculus.compute.compiling.writing import Writer

__all__ = ["WRITERS"]


def _matrix_power(w: Writer, e: N.MatrixPower) -> Snippet:
    base = w.value(e.base)
    if e.is_inverse:
        return Snippet(f"np.linalg.inv({base})", fresh=True)
    if not isinstance(e.exponent, N.Number):
        return Snippet(f"np.linalg.matrix_power({base}, int({w.value(e.exponent)}))", fresh=True)
    return Snippet(f"np.linalg.matrix_power({base}, {e.exponent.value})", fresh=True)


def _logdet(w: Writer, e: N.LogDet) -> Snippet:
    return Snippet(f"np.linalg.slogdet({w.value(e.argument)})[1]")


def _positive_logdet(w: Writer, e: PositiveLogDet) -> Snippet:
    both = w.code.assign(f"np.linalg.slogdet({w.value(e.argument)})")
    return Snippet(f"np.log({both}[0]) + {both}[1]", atom=False)


def _elementwise(w: Writer, e: N.Elementwise) -> Snippet:
    if e.name == "softplus":
        # In a third of the time of np.logaddexp(0, z), whose loop is not vectorised.
        z = _named(w, w.value(e.argument))
        text = f"np.maximum({z}, 0) + np.log1p(np.exp(-np.abs({z})))"
        return Snippet(text, atom=False, fresh=True)
    return elementwise_code(w, FUNCTIONS[e.name].code, w.value(e.argument))


def _softmax(w: Writer, e: N.Softmax) -> Snippet:
    z = w.value(e.argument)
    if e.is_column:
        z = _named(w, z)
        power = w.code.assign(f"np.exp({z} - {z}.max())")
        return Snippet(f"{power} / {power}.sum()", atom=False, fresh=True, product=True)
    columns = _rows_as_columns(w, z)
    power = w.code.assign(f"np.exp({columns} - {columns}.max(axis=0))")
    return Snippet(f"({power} / {power}.sum(axis=0)).T", fresh=True)


def _logsumexp(w: Writer, e: N.LogSumExp) -> Snippet:
    z = w.value(e.argument)
    if e.argument.is_column:
        z = _named(w, z)
        top = w.code.assign(f"{z}.max()")
        return Snippet(f"{top} + np.log(np.exp({z} - {top}).sum())", atom=False)
    columns = _rows_as_columns(w, z)
    top = w.code.assign(f"{columns}.max(axis=0)")
    inside = f"np.exp({columns} - {top})"
    return Snippet(f"{top} + np.log({inside}.sum(axis=0))", atom=False, fresh=True)


def _named(w: Writer, z: Snippet) -> Snippet:
    return z if z.text.isidentifier() else w.code.assign(z)


def _rows_as_columns(w: Writer, z: Snippet) -> Snippet:
    """A transposed copy: NumPy reduces along a short last axis slowly."""
    return w.code.assign(f"{z.transposed}.copy()")


def _transpose(w: Writer, e: N.Transpose) -> Snippet:
    inner = w.value(e.argument)
    return inner if is_line(e) else inner.transposed


def _filled(name: str) -> Callable[[Writer, Any], Snippet]:
    def write(w: Writer, e: Expression) -> Snippet:
        if is_line(e):
            length = w.size(e.rows if e.is_column else e.cols)
            return Snippet(f"np.{name}({length})", fresh=True)
        return Snippet(f"np.{name}(({w.size(e.rows)}, {w.size(e.cols)}))", fresh=True)

    return write


def _unit(w: Writer, e: N.Unit) -> Snippet:
    name = w.code.assign(f"np.zeros({w.size(e.rows)})")
    w.code.do(f"{name}[{e.index}] = 1")
    return name


def _formed(w: Writer, e: Expression) -> Snippet:
    """A matrix of zeros and ones, as a product with the identity."""
    done = applied(w, e, Snippet(f"np.eye({w.size(e.cols)})"), line=False)
    assert done is not None
    return done


def _diagonal_matrix(w: Writer, e: N.DiagonalMatrix) -> Snippet:
    return Snippet(f"np.diag({w.value(e.argument)})", fresh=True)


def _vec(w: Writer, e: N.Vec) -> Snippet:
    return Snippet(f"{w.value(e.argument).grouped}.ravel(order='F')")


def _unvec(w: Writer, e: N.Unvec) -> Snippet:
    shape = f"({w.size(e.rows)}, {w.size(e.cols)})"
    return Snippet(f"{w.value(e.argument).grouped}.reshape({shape}, order='F')")


def _kron(w: Writer, e: N.Kron) -> Snippet:
    if is_line(e):
        return Snippet(f"np.kron({w.value(e.left)}, {w.value(e.right)})", fresh=True)
    return kron_of(w, e.left, e.right)


def _stack(w: Writer, e: N.Stack) -> Snippet:
    pieces = []
    for block in e.blocks:
        if block.is_scalar:
            shape = "1" if is_line(e) else "(1, 1)"
            pieces.append(f"np.reshape({w.value(block)}, {shape})")
        else:
            pieces.append(str(w.value(block) if is_line(e) else two_dimensional(w, block)))
    axis = f", axis={e.axis}" if e.axis and not is_line(e) else ""
    return Snippet(f"np.concatenate([{', '.join(pieces)}]{axis})", fresh=True)


def _blocks(w: Writer, e: Expression, subscripts: str) -> Snippet:
    C, other = e.children
    r, c = (other.rows, other.cols) if isinstance(e, N.BlockSum) else (e.rows, e.cols)
    p, q = (e.rows, e.cols) if isinstance(e, N.BlockSum) else (other.rows, other.cols)
    shape = ", ".join(w.size(size) for size in (r, p, c, q))
    blocks = f"{two_dimensional(w, C).grouped}.reshape({shape})"
    text = f"np.einsum('{subscripts}', {blocks}, {two_dimensional(w, other)})"
    if e.is_scalar:
        return Snippet(f"{text}[0, 0]")
    return Snippet(f"{text}.ravel()" if is_line(e) else text, fresh=True)


WRITERS: dict[type[Expression], Callable[[Writer, Any], Snippet]] = {
    N.Symbol: lambda w, e: Snippet(safe(e.name)),
    N.Differential: lambda w, e: Snippet(safe(e.name)),
    N.NamedNumber: lambda w, e: Snippet(f"np.{e.name}"),
    N.SizeValue: lambda w, e: Snippet(w.size(Size(1, (e.name,)))),
    N.Identity: lambda w, e: Snippet(f"np.eye({w.size(e.rows)})", fresh=True),
    N.Zeros: _filled("zeros"),
    N.Ones: _filled("ones"),
    N.Unit: _unit,
    N.Commutation: _formed,
    N.DiagonalSelection: _formed,
    N.Selection: _formed,
    N.Duplication: _formed,
    N.Elimination: _formed,
    N.Triangle: lambda w, e: Snippet(f"np.tri({w.size(e.rows)})", fresh=True),
    N.Stack: _stack,
    N.MatrixPower: _matrix_power,
    N.Transpose: _transpose,
    N.Elementwise: _elementwise,
    N.Det: lambda w, e: Snippet(f"np.linalg.det({w.value(e.argument)})"),
    N.LogDet: _logdet,
    PositiveLogDet: _positive_logdet,
    N.DiagonalMatrix: _diagonal_matrix,
    N.Vec: _vec,
    N.Unvec: _unvec,
    N.Kron: _kron,
    N.Softmax: _softmax,
    N.LogSumExp: _logsumexp,
    N.BlockSum: lambda w, e: _blocks(w, e, "ipjq,ij->pq"),
    N.BlockTrace: lambda w, e: _blocks(w, e, "ipjq,pq->ij"),
}
