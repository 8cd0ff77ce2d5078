"""NumPy code for the functions of `core.function_nodes`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mcmodels.calculus.compute.compiling.code import Snippet, is_line
from mcmodels.calculus.compute.polygamma import POLYGAMMA
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import SumOver
from mcmodels.calculus.core.pairwise import PAIRWISE, unfilled
from mcmodels.calculus.core.rewriting import parts_of

if TYPE_CHECKING:
    from mcmodels.calculus.compute.compiling.writing import Writer

__all__ = ["UNCHOSEN", "WRITERS", "decorators", "elementwise_code"]

UNCHOSEN = '@np.errstate(all="ignore")'  # for the entries that a choice does not choose

_REPEATED = (
    "two eigenvalues coincide, where they have no derivatives one by one; trace, logdet and other "
    "functions of the matrix itself have"
)


def decorators(expression: Expression) -> list[str]:
    """What stands above the function: a choice computes entries that it does not choose."""
    chooses = any(
        isinstance(part, F.Where) or (isinstance(part, SumOver) and part.is_conditional)
        for part in parts_of(expression)
    )
    return [UNCHOSEN] if chooses else []


def elementwise_code(w: Writer, code: str, argument: Snippet) -> Snippet:
    """The code of a function of each entry, with its argument in all places."""
    if "expit" in code:
        w.code.use("from scipy.special import expit")
    if "special." in code:
        w.code.use("from scipy import special")
    if code.count("{0}") > 1 and not argument.text.isidentifier():
        argument = w.code.assign(argument)
    bare = code.startswith(("{0} *", "0."))
    text = code.format(argument)
    return Snippet(text, atom=not bare, fresh=True, product=bare)


def _polygamma(w: Writer, e: F.Polygamma) -> Snippet:
    w.code.use("from scipy import special")
    w.code.define(POLYGAMMA)
    return Snippet(f"polygamma({e.order}, {w.value(e.argument)})", fresh=True)


def _pairwise(w: Writer, e: F.Pairwise) -> Snippet:
    left, right = unfilled(e.left, (e.right,)), unfilled(e.right, (e.left,))
    return Snippet(PAIRWISE[e.name].code.format(w.value(left), w.value(right)), fresh=True)


def _where(w: Writer, e: F.Where) -> Snippet:
    c = e.children
    test, left, right = (unfilled(c[i], (*c[:i], *c[i + 1 :])) for i in range(3))
    text = f"np.where({w.value(test).grouped} > 0, {w.value(left)}, {w.value(right)})"
    return Snippet(text, fresh=True)


def _hardmax(w: Writer, e: F.Hardmax) -> Snippet:
    argument = w.value(e.argument)
    name = w.code.assign(f"np.zeros({argument.grouped}.shape)")
    w.code.do(f"{name}.flat[np.argmax({argument})] = 1")
    return name


def _pinv(w: Writer, e: F.Pinv) -> Snippet:
    if is_line(e):
        text = f"np.linalg.pinv({w.value(e.argument).grouped}[np.newaxis, :]).ravel()"
        return Snippet(text, fresh=True)
    return Snippet(f"np.linalg.pinv({w.value(e.argument)})", fresh=True)


def _named(w: Writer, e: Expression) -> Snippet:
    value = w.value(e)
    return value if value.text.isidentifier() else w.code.assign(value)


def _polar(w: Writer, e: F.Polar) -> Snippet:
    left, sizes, right = (w.code.name() for _ in range(3))
    X = w.value(e.argument)
    w.code.do(f"{left}, {sizes}, {right} = np.linalg.svd({X}, full_matrices=False)")
    w.code.do(f"if {sizes}[-1] <= 1e-14 * {sizes}[0]:")
    w.code.do(
        '    raise np.linalg.LinAlgError("the matrix has not full rank, where its nuclear norm '
        'has no derivative")'
    )
    return Snippet(f"{left} @ {right}", atom=False, fresh=True, product=True)


def _matrix_function(w: Writer, e: F.MatrixFunction) -> Snippet:
    w.code.use(f"from scipy.linalg import {e.name}")
    argument = w.value(e.argument)
    if e.name == "logm":  # SciPy gives a finite matrix where it is singular
        argument = w.code.assign(argument)
        w.code.do(f"if np.linalg.slogdet({argument})[0] == 0:")
        w.code.do('    raise np.linalg.LinAlgError("logm needs eigenvalues that are not 0")')
    value = Snippet(f"{e.name}({argument})", fresh=True)
    return value if e.name == "expm" else _real(w, e.name, value)


def _real(w: Writer, name: str, value: Snippet) -> Snippet:
    named = w.code.assign(value)
    w.code.do(f"if np.iscomplexobj({named}) or not np.isfinite({named}).all():")
    w.code.do(
        f'    raise np.linalg.LinAlgError("{name} needs eigenvalues that are neither 0 nor '
        'negative")'
    )
    return named


def _frechet_code(w: Writer, name: str, A: Snippet, E: str) -> str:
    if name == "expm":
        w.code.use("from scipy.linalg import expm_frechet")
        return f"expm_frechet({A}, {E}, compute_expm=False)"
    w.code.use(f"from scipy.linalg import {name}")
    block = f"np.block([[{A}, {E}], [np.zeros_like({A}), {A}]])"
    return f"{name}({block})[: len({A}), len({A}) :]"


def _frechet(w: Writer, e: F.Frechet) -> Snippet:
    A, E = _named(w, e.argument), w.value(e.direction)
    value = Snippet(_frechet_code(w, e.name, A, str(E)), fresh=True)
    return value if e.name == "expm" else _real(w, e.name, value)


def _frechet_matrix(w: Writer, e: F.FrechetMatrix) -> Snippet:
    A = _named(w, e.argument)
    n = w.size(e.argument.rows)
    columns = _frechet_code(w, e.name, A, f"unit.reshape({n}, {n}, order='F')")
    text = f"np.column_stack([{columns}.ravel(order='F') for unit in np.eye({n} * {n})])"
    value = Snippet(text, fresh=True)
    return value if e.name == "expm" else _real(w, e.name, value)


def _eigenvectors(w: Writer, e: F.Eigenvectors) -> Snippet:
    values, vectors = w.code.name(), w.code.name()
    w.code.do(f"{values}, {vectors} = np.linalg.eigh({w.value(e.argument)})")
    w.code.do(f"if (np.diff({values}) <= 1e-12 * np.abs({values}).max()).any():")
    w.code.do(f'    raise np.linalg.LinAlgError("{_REPEATED}")')
    w.code.do(
        f"{vectors} = {vectors} * np.sign({vectors}[np.abs({vectors}).argmax(axis=0), "
        f"np.arange({vectors}.shape[1])])"
    )
    return vectors


def _reciprocal_gaps(w: Writer, e: F.ReciprocalGaps) -> Snippet:
    v = _named(w, e.argument)
    gaps = w.code.assign(f"{v}[np.newaxis, :] - {v}[:, np.newaxis]")
    w.code.do(f"np.fill_diagonal({gaps}, np.inf)")
    return Snippet(f"1 / {gaps}", atom=False, fresh=True, product=True)


WRITERS: dict[type[Expression], Callable[[Writer, Any], Snippet]] = {
    F.Polygamma: _polygamma,
    F.Pairwise: _pairwise,
    F.Where: _where,
    F.Largest: lambda w, e: Snippet(f"np.max({w.value(e.argument)})"),
    F.Hardmax: _hardmax,
    F.NuclearNorm: lambda w, e: Snippet(
        f"np.linalg.svd({w.value(e.argument)}, compute_uv=False).sum()"
    ),
    F.Polar: _polar,
    F.Pinv: _pinv,
    F.MatrixFunction: _matrix_function,
    F.Frechet: _frechet,
    F.FrechetMatrix: _frechet_matrix,
    F.Eigenvalues: lambda w, e: Snippet(f"np.linalg.eigvalsh({w.value(e.argument)})", fresh=True),
    F.Eigenvectors: _eigenvectors,
    F.ReciprocalGaps: _reciprocal_gaps,
}
