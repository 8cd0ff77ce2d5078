"""NumPy code for the terms of sums over indices: functions that do not act entry by entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcmodels.calculus.compute.compiling.code import is_line
from mcmodels.calculus.compute.stable.forms import PositiveLogDet
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import Index, UnitAt
from mcmodels.calculus.text.printing.functions import FUNCTION_NODES, called

__all__ = ["ENTRYWISE", "RULES", "unsupported"]


def unsupported(e: Expression) -> ValueError:
    """The error for what NumPy does not compute for all terms at once."""
    if isinstance(e, N.MatrixPower):
        name = "a matrix power whose exponent is an index"
    elif isinstance(e, N.Stack):
        name = "hstack" if e.axis else "vstack"
    elif isinstance(e, F.NuclearNorm):
        name = "the nuclear norm"
    else:
        name = called(e)[0] if isinstance(e, FUNCTION_NODES) else type(e).__name__.lower()
    return ValueError(
        f"compile() has no code for {name} inside a sum over an index, as in {e}; evaluate() "
        "computes it"
    )


# -- what is not entry by entry --------------------------------------------------------------------

Rule = Callable[[Any, Any], str]
ENTRYWISE = frozenset(
    [
        *(N.Elementwise, N.Power, F.Polygamma, F.Pairwise, F.Where),
        *(N.MatrixPower, N.Det, N.LogDet, PositiveLogDet),  # which NumPy applies to each matrix
    ]
)


def _number_of(s: Any, e: Index) -> str:
    count, level = s.size(e.over), s.open[e]
    axes = ", ".join([":", *["np.newaxis"] * level])
    text = f"np.arange({count}) * 1.0"
    return f"({text})[{axes}]" if level else text


def _units(s: Any, e: UnitAt) -> str:
    level = s.open[e.position]
    place = s.place(e)
    text = f"np.eye({s.size(e.rows)})"
    text = text if place == ":" else f"{text}[{place}]"
    return f"{text}[{', '.join([':', *['np.newaxis'] * level, ':'])}]" if level else text


def _axis(e: Any) -> str:
    return "-1" if is_line(e.argument) else "(-2, -1)"


def _norm(s: Any, e: N.Norm) -> str:
    return f"np.sqrt(np.square({s.terms(e.argument).text}).sum(axis={_axis(e)}))"


def _softmax(s: Any, e: N.Softmax) -> str:
    z = s.terms(e.argument).text
    power = s.code.assign(f"np.exp({z} - {z}.max(axis=-1, keepdims=True))")
    return f"{power} / {power}.sum(axis=-1, keepdims=True)"


def _logsumexp(s: Any, e: N.LogSumExp) -> str:
    z = s.terms(e.argument).text
    top = s.code.assign(f"{z}.max(axis=-1, keepdims=True)")
    return f"{top}[..., 0] + np.log(np.exp({z} - {top}).sum(axis=-1))"


def _two_dimensional(s: Any, e: Expression) -> str:
    terms = s.terms(e)
    if terms.kind == "matrix":
        return terms.text
    return (
        f"{terms.text}[..., :, np.newaxis]" if e.is_column else f"{terms.text}[..., np.newaxis, :]"
    )


def _kron(s: Any, e: N.Kron) -> str:
    A, B = _two_dimensional(s, e.left), _two_dimensional(s, e.right)
    blocks = s.code.assign(f"np.einsum('...ij,...kl->...ikjl', {A}, {B})")
    shape = s.size(e.rows if e.is_column else e.cols) if is_line(e) else ""
    shape = shape or f"{s.size(e.rows)}, {s.size(e.cols)}"
    return f"{blocks}.reshape(*{blocks}.shape[:-4], {shape})"


def _vec(s: Any, e: N.Vec) -> str:
    X = s.terms(e.argument).text
    return f"{X}.swapaxes(-1, -2).reshape(*{X}.shape[:-2], {s.size(e.rows)})"


RULES: dict[type[Expression], Rule] = {
    Index: _number_of,
    UnitAt: _units,
    N.Transpose: lambda s, e: f"{s.terms(e.argument).text}.swapaxes(-1, -2)",
    N.Norm: _norm,
    N.Total: lambda s, e: f"{s.terms(e.argument).text}.sum(axis={_axis(e)})",
    N.Trace: lambda s, e: f"np.trace({s.terms(e.argument).text}, axis1=-2, axis2=-1)",
    N.DiagonalMatrix: lambda s, e: (
        f"{s.terms(e.argument).text}[..., np.newaxis] * np.eye({s.size(e.rows)})"
    ),
    N.Diagonal: lambda s, e: f"np.diagonal({s.terms(e.argument).text}, axis1=-2, axis2=-1)",
    N.Softmax: _softmax,
    N.LogSumExp: _logsumexp,
    N.Kron: _kron,
    N.Vec: _vec,
}
