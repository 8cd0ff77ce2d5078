"""Matrix calculus: derive gradients and Hessians, show the steps, and check them.

Symbols work without NumPy: writing, parsing, deriving, printing. It is imported when a number is
asked for.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from mcmodels.calculus.core.aliases import dot, outer, tr, transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.functions import (
    abs,
    block_sum,
    block_trace,
    commutation,
    cos,
    det,
    diag,
    diagonal_selection,
    exp,
    eye,
    inv,
    kron,
    log,
    logdet,
    logsumexp,
    matrix,
    matrix_power,
    mean,
    norm,
    ones,
    relu,
    scalar,
    sigmoid,
    sign,
    sin,
    size,
    softmax,
    softplus,
    sqrt,
    step,
    sum,
    tanh,
    trace,
    unit,
    unvec,
    vec,
    vector,
    zeros,
)
from mcmodels.calculus.core.named_numbers import pi
from mcmodels.calculus.core.nesting import NestingError
from mcmodels.calculus.core.sizes import ShapeError
from mcmodels.calculus.derive.rules import DerivativeError
from mcmodels.calculus.study.derivation import Derivation, Step
from mcmodels.calculus.text.parsing import ParseError, parse
from mcmodels.user_warnings import NonDifferentiableWarning

if TYPE_CHECKING:
    from mcmodels.calculus.compute.compiled import CompiledFunction
    from mcmodels.calculus.compute.evaluate import EvaluationError
    from mcmodels.calculus.study import identities as identities
    from mcmodels.calculus.study.critical_points import CriticalPoint, critical_point
    from mcmodels.calculus.study.doctor import Diagnosis, diagnose

__all__ = [
    "CompiledFunction",
    "CriticalPoint",
    "Derivation",
    "DerivativeError",
    "Diagnosis",
    "EvaluationError",
    "Expression",
    "NestingError",
    "NonDifferentiableWarning",
    "ParseError",
    "ShapeError",
    "Step",
    "abs",
    "block_sum",
    "block_trace",
    "commutation",
    "cos",
    "critical_point",
    "det",
    "diag",
    "diagnose",
    "diagonal_selection",
    "dot",
    "exp",
    "eye",
    "inv",
    "kron",
    "log",
    "logdet",
    "logsumexp",
    "matrix",
    "matrix_power",
    "mean",
    "norm",
    "ones",
    "outer",
    "parse",
    "pi",
    "relu",
    "scalar",
    "sigmoid",
    "sign",
    "sin",
    "size",
    "softmax",
    "softplus",
    "sqrt",
    "step",
    "sum",
    "tanh",
    "tr",
    "trace",
    "transpose",
    "unit",
    "unvec",
    "vec",
    "vector",
    "zeros",
]

# Imported when they are first asked for: what works with numbers needs NumPy, and the catalogue
# takes time to build.
_ON_DEMAND = {
    "CompiledFunction": "compute.compiled",
    "CriticalPoint": "study.critical_points",
    "Diagnosis": "study.doctor",
    "EvaluationError": "compute.evaluate",
    "critical_point": "study.critical_points",
    "diagnose": "study.doctor",
    "identities": "study.identities",
}

if not TYPE_CHECKING:  # with it, a type checker would accept every name
    try:
        has_numpy = find_spec("numpy") is not None
    except ImportError:
        has_numpy = False
    if not has_numpy:  # "from mcmodels.calculus import *" works, too
        __all__ = [name for name in __all__ if name not in _ON_DEMAND]

    def __getattr__(name: str) -> Any:
        if name not in _ON_DEMAND:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = import_module(f"{__name__}.{_ON_DEMAND[name]}")
        globals()[name] = found if name == "identities" else getattr(found, name)
        return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
