"""Matrix calculus: derive gradients and Hessians, show the steps, and check them.

Symbols work without NumPy: writing, parsing, deriving, printing, code. So does the doctor, with
`mcmodels.plain` and mpmath. NumPy is imported when a number is asked for, or code.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mcmodels.calculus.compute.undefined import EvaluationError
from mcmodels.calculus.core.aliases import dot, outer, tr, transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.functions import (
    abs,
    amax,
    amin,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctanh,
    block,
    block_sum,
    block_trace,
    clip,
    commutation,
    cos,
    cosh,
    det,
    diag,
    diagonal_selection,
    digamma,
    duplication,
    eigvalsh,
    eigvecsh,
    einsum,
    elimination,
    erf,
    erfc,
    exp,
    expm,
    expm1,
    expm_frechet,
    expm_frechet_matrix,
    eye,
    gammaln,
    gelu,
    hardmax,
    hstack,
    hypot,
    inv,
    inverse_mills,
    inverse_mills_gap,
    kron,
    log,
    log1p,
    logdet,
    logm,
    logm_frechet,
    logm_frechet_matrix,
    logsumexp,
    matrix,
    matrix_power,
    maximum,
    mean,
    minimum,
    norm,
    norm_cdf,
    norm_logcdf,
    norm_pdf,
    ones,
    pinv,
    polar,
    polygamma,
    reciprocal_gaps,
    relu,
    scalar,
    sigmoid,
    sign,
    sin,
    sinh,
    size,
    softmax,
    softplus,
    solve,
    sqrt,
    sqrtm,
    sqrtm_frechet,
    sqrtm_frechet_matrix,
    step,
    sum,
    tan,
    tanh,
    tensor,
    trace,
    tril,
    triu,
    unit,
    unvec,
    vec,
    vech,
    vector,
    vstack,
    where,
    zeros,
)
from mcmodels.calculus.core.indices import index
from mcmodels.calculus.core.named_numbers import pi
from mcmodels.calculus.core.nesting import NestingError
from mcmodels.calculus.core.sizes import ShapeError
from mcmodels.calculus.core.summation import mean_over, sum_over
from mcmodels.calculus.core.tensors import Tensor
from mcmodels.calculus.derive.rules import DerivativeError
from mcmodels.calculus.derive.tensor_derivatives import tensor_derivative
from mcmodels.calculus.study.derivation import Derivation, Step
from mcmodels.calculus.text.parsing import ParseError, parse
from mcmodels.user_warnings import LostDigitsWarning, NonDifferentiableWarning

if TYPE_CHECKING:
    from mcmodels.calculus.compute.compiled import CompiledFunction
    from mcmodels.calculus.compute.export.code import ExportedFunction
    from mcmodels.calculus.compute.export.writing import UnsupportedFunctionError
    from mcmodels.calculus.study import identities as identities
    from mcmodels.calculus.study.convexity import Convexity, convexity
    from mcmodels.calculus.study.critical_points import CriticalPoint, critical_point
    from mcmodels.calculus.study.doctor import Diagnosis, diagnose
    from mcmodels.calculus.study.lagrangians import Lagrangian, lagrangian
    from mcmodels.calculus.study.tangents import tangent_projection

__all__ = [
    "CompiledFunction",
    "Convexity",
    "CriticalPoint",
    "Derivation",
    "DerivativeError",
    "Diagnosis",
    "EvaluationError",
    "ExportedFunction",
    "Expression",
    "Lagrangian",
    "LostDigitsWarning",
    "NestingError",
    "NonDifferentiableWarning",
    "ParseError",
    "ShapeError",
    "Step",
    "Tensor",
    "UnsupportedFunctionError",
    "abs",
    "amax",
    "amin",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctanh",
    "block",
    "block_sum",
    "block_trace",
    "clip",
    "commutation",
    "convexity",
    "cos",
    "cosh",
    "critical_point",
    "det",
    "diag",
    "diagnose",
    "diagonal_selection",
    "digamma",
    "dot",
    "duplication",
    "eigvalsh",
    "eigvecsh",
    "einsum",
    "elimination",
    "erf",
    "erfc",
    "exp",
    "expm",
    "expm1",
    "expm_frechet",
    "expm_frechet_matrix",
    "eye",
    "gammaln",
    "gelu",
    "hardmax",
    "hstack",
    "hypot",
    "index",
    "inv",
    "inverse_mills",
    "inverse_mills_gap",
    "kron",
    "lagrangian",
    "log",
    "log1p",
    "logdet",
    "logm",
    "logm_frechet",
    "logm_frechet_matrix",
    "logsumexp",
    "matrix",
    "matrix_power",
    "maximum",
    "mean",
    "mean_over",
    "minimum",
    "norm",
    "norm_cdf",
    "norm_logcdf",
    "norm_pdf",
    "ones",
    "outer",
    "parse",
    "pi",
    "pinv",
    "polar",
    "polygamma",
    "reciprocal_gaps",
    "relu",
    "scalar",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "size",
    "softmax",
    "softplus",
    "solve",
    "sqrt",
    "sqrtm",
    "sqrtm_frechet",
    "sqrtm_frechet_matrix",
    "step",
    "sum",
    "sum_over",
    "tan",
    "tangent_projection",
    "tanh",
    "tensor",
    "tensor_derivative",
    "tr",
    "trace",
    "transpose",
    "tril",
    "triu",
    "unit",
    "unvec",
    "vec",
    "vech",
    "vector",
    "vstack",
    "where",
    "zeros",
]

# Imported when they are first asked for: what works with numbers imports NumPy, and the catalogue
# takes time to build.
_ON_DEMAND = {
    "CompiledFunction": "compute.compiled",
    "Convexity": "study.convexity",
    "CriticalPoint": "study.critical_points",
    "Diagnosis": "study.doctor",
    "Lagrangian": "study.lagrangians",
    "convexity": "study.convexity",
    "ExportedFunction": "compute.export.code",
    "UnsupportedFunctionError": "compute.export.writing",
    "critical_point": "study.critical_points",
    "diagnose": "study.doctor",
    "identities": "study.identities",
    "lagrangian": "study.lagrangians",
    "tangent_projection": "study.tangents",
}

if not TYPE_CHECKING:  # with it, a type checker would accept every name

    def __getattr__(name: str) -> Any:
        if name not in _ON_DEMAND:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = import_module(f"{__name__}.{_ON_DEMAND[name]}")
        globals()[name] = found if name == "identities" else getattr(found, name)
        return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
