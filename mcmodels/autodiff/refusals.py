"""What an error says of a call that cannot be differentiated: the function's name, and the remedy.

The name is the one that the user called, found on the call stack: libraries wrap their functions
in others, and call NumPy from them.
"""

from __future__ import annotations

import ast
import importlib
import linecache
import sys
from collections.abc import Callable, Iterator, Sequence
from types import FrameType, TracebackType
from typing import Any

import numpy as np

from mcmodels.autodiff.tables import FUNCTIONS, RULES
from mcmodels.autodiff.tracing import NoRuleError, tracing

__all__ = ["calling_function", "instead", "is_entry", "name_of", "traced_call"]

# Libraries that may call NumPy themselves.
_LIBRARIES = ("numpy", "scipy", "sklearn", "pandas")
_NUMPY = "mcmodels.autodiff.numpy"
# NumPy's makers of arrays, which it does not let others see.
_MAKERS = {
    "numpy.array", "numpy.asarray", "numpy.asanyarray", "numpy.ascontiguousarray",
    "numpy.asfortranarray", "numpy.full", "numpy.r_", "numpy.c_", "numpy.fromiter",
    "numpy.vectorize", "numpy.ndenumerate",
}  # fmt: skip


# Names that public functions of SciPy have inside.
_PRIVATE_NAMES = {"_zeta": "zeta", "_riemann_zeta": "zeta", "_lambertw": "lambertw"}
# What is the same as a function that cannot be followed.
_OTHERS = {
    "scipy.special.comb": "scipy.special.binom",
    "scipy.special.factorial": "scipy.special.gamma(x + 1)",
}


def name_of(function: Callable[..., Any]) -> str:
    """The public name of a function."""
    module = getattr(function, "__module__", None) or "numpy"
    name = getattr(function, "__name__", type(function).__name__)
    name = _PRIVATE_NAMES.get(name, name)
    if isinstance(function, np.ufunc) and getattr(np, name, None) is not function:
        module = "scipy.special"
    return f"{module}.{name}"


def instead(name: str) -> str:
    """The sentence that says what to write instead of a function; empty if there is nothing."""
    library, *modules, last = (name or ".").split(".")
    if library == "scipy" and modules == ["fft"]:
        if getattr(np.fft, last, None) in FUNCTIONS:
            return f"Use numpy.fft.{last}, which can be followed."
        return (
            f"It is linear, so multiply by its matrix: {name}(np.eye(n), axis=0) @ x for x of n "
            "entries."
        )
    if library == "numpy" and modules[:1] == ["polynomial"] and last.endswith("val"):
        basis = f"{name.removesuffix('val')}vander(x, degree) @ c"
        return f"Of traced coefficients c write {basis}, with its matrix of basis functions."
    if name in _OTHERS:
        return f"Use {_OTHERS[name]}, which can be followed."
    if library == "scipy" and modules:
        ours = f"mcmodels.autodiff.{modules[0]}"
        try:
            found: Any = importlib.import_module(ours)
        except ImportError:
            found = None
        for part in [*modules[1:], last]:
            found = getattr(found, part, None)
        if found is not None and not isinstance(found, np.ufunc):
            return f"Use {'.'.join([ours, *modules[1:], last])}, which can be followed."
        if modules == ["linalg"] and getattr(np.linalg, last, None) in FUNCTIONS:
            return f"Use numpy.linalg.{last}, which can be followed."
    if library == "numpy":
        found = getattr(np.linalg if modules == ["linalg"] else np, last, None)
        if name in _MAKERS or found in FUNCTIONS or found in RULES:
            return f"Import {_NUMPY} in NumPy's place, whose {last} can be followed."
    if name == "ndarray.dot":
        return "Write A @ x or np.dot(A, x)."
    return ""


def calling_function() -> tuple[str, str, str]:
    """The library function that asks for a plain array, as far as the call stack shows it.

    Returns its name, which is empty where the user's own code asks; the name of the function in C
    that this code calls; and the expression, as far as the source text is at hand.
    """
    frame: FrameType | None = sys._getframe(1)
    inside: list[FrameType] = []
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.partition(".")[0] in _LIBRARIES:
            inside.append(frame)
        elif not module.startswith("mcmodels.autodiff"):
            break
        frame = frame.f_back
    expression, called = "", ""
    if frame is not None:
        expression = _expression(frame, frame.f_lasti)
        called = _called_in(expression, frame)
    return (_public_name(inside[::-1]) if inside else ""), called, expression


def traced_call(f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Call a function that is being differentiated.

    NumPy cannot compute with everything that it makes of traced numbers: arrays of objects. Its
    errors say so in terms that do not help; they are translated.
    """
    depth = tracing.depth
    tracing.depth = depth + 1
    try:
        return f(*args, **kwargs)
    except Exception as error:
        dropped = tracing.refused
        if dropped not in (None, error) and _passes_scipy(error.__traceback__):
            raise dropped from error
        if not isinstance(error, TypeError | ValueError | AttributeError):
            raise
        refused = isinstance(error.__cause__, NoRuleError)
        if isinstance(error, NoRuleError) or not (tracing.objects or refused):
            raise
        told = _translated(error) or (str(error.__cause__) if refused else None)
        if told is None:
            raise
        raise NoRuleError(told) from error
    finally:
        tracing.depth = depth
        if not depth and (tracing.objects or tracing.refused is not None):
            tracing.objects, tracing.refused = False, None


def _translated(error: Exception) -> str | None:
    """The message for an error of NumPy about an array of objects; None for other errors."""
    text = str(error)
    name, where = _raised_in(error.__traceback__)
    if "setting an array element" in text and not name:
        return (
            "assignment of a value that is being differentiated to entries of a plain array"
            f"{f', {where},' if where else ''} cannot be followed. Import {_NUMPY} in "
            "NumPy's place: what its np.zeros, np.array(a) and the like make can be filled. Or "
            "build the array by np.stack, np.concatenate or np.where."
        )
    signs = (
        "setting an array element",
        "dtype('O')",
        "no callable",
        "object arrays",
        "'object'",
        "dtype=object",
        "not supported for the input types",
        "ndarray.",
    )
    if not any(sign in text for sign in signs):
        return None
    if not name and "no callable" in text:
        name = f"numpy.{text.split()[-2]}"
    if not name and not where:
        return None
    return (
        f"{name or repr(where)} cannot be differentiated here: np.array of numbers that are being "
        f"differentiated is an array of objects, which it does not take. Import {_NUMPY} in "
        "NumPy's place, whose np.array can be followed; or use np.stack."
    )


def _raised_in(trace: TracebackType | None) -> tuple[str, str]:
    """The library function that an error comes from, and the user's expression that called it."""
    inside: list[FrameType] = []
    where = ""
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "")
        if module.partition(".")[0] in _LIBRARIES:
            inside.append(trace.tb_frame)
        elif not module.startswith("mcmodels.autodiff"):
            inside, where = [], _expression(trace.tb_frame, trace.tb_lasti)
        trace = trace.tb_next
    return (_public_name(inside) if inside else ""), where


def _passes_scipy(trace: TracebackType | None) -> bool:
    """Whether SciPy is among the callers: its code in C may drop an error, and go on."""
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__", "").startswith("scipy."):
            return True
        trace = trace.tb_next
    return False


def _expression(frame: FrameType, instruction: int) -> str:
    """The source text of an instruction; empty if it is not at hand, or long."""
    positions = list(frame.f_code.co_positions())[instruction // 2]
    line, last, start, end = positions
    if line is None or line != last or start is None or end is None:
        return ""
    text = linecache.getline(frame.f_code.co_filename, line).encode()[start:end].decode()
    return text if len(text) < 60 else ""


def is_entry(expression: str) -> bool:
    """Whether an expression is an array with an index, as it is assigned to."""
    try:
        return isinstance(ast.parse(expression, mode="eval").body, ast.Subscript)
    except (SyntaxError, ValueError):
        return False


def _called_in(expression: str, frame: FrameType) -> str:
    """The name of the function in C that an expression calls; empty if it calls none."""
    try:
        node = ast.parse(expression, mode="eval").body
    except (SyntaxError, ValueError):
        return ""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return ""
    owner = node.func.value
    root = owner.id if isinstance(owner, ast.Name) else ""
    value = frame.f_locals.get(root, frame.f_globals.get(root))
    of_numpy = value is np or value is sys.modules.get(_NUMPY)
    return f"{'numpy' if of_numpy else 'ndarray'}.{node.func.attr}"


def _public_name(frames: Sequence[FrameType]) -> str:
    """The name of the outermost of several nested functions that users can call."""
    for frame in frames:
        if (found := next(_names_of(frame), "")) != "":
            return found
    outermost = frames[0]
    return f"{_public(outermost.f_globals.get('__name__'))}.{outermost.f_code.co_name}"


def _public(module: str | None) -> str:
    """The innermost public module that a module is in."""
    parts = (module or "").split(".")
    return ".".join(part for part in parts if not part.startswith("_") and part != "core")


def _names_of(frame: FrameType) -> Iterator[str]:
    """Public names of the function that a frame runs, the best first."""
    code, module = frame.f_code, _public(frame.f_globals.get("__name__"))
    if code.co_argcount and code.co_varnames[0] == "self":
        yield from _names_of_method(frame.f_locals["self"], code.co_name, module)
        return
    candidates = [(module, code.co_name)]
    for name in code.co_freevars:  # a wrapper keeps the function that it wraps in a variable
        wrapped = frame.f_locals.get(name)
        if callable(wrapped) and hasattr(wrapped, "__name__"):
            candidates.append((_public(wrapped.__module__), wrapped.__name__))
    for home, name in candidates:
        for place in _places(home):
            if not name.startswith("_") and callable(getattr(sys.modules[place], name, None)):
                yield f"{place}.{name}"


def _names_of_method(owner: Any, method: str, module: str) -> Iterator[str]:
    dist = getattr(owner, "__dict__", {}).get("dist", owner)
    for place in _places(module):
        for name, value in vars(sys.modules[place]).items():
            # A frozen distribution has a family of its own.
            if type(value) is type(dist) and not name.startswith("_"):
                whole = f"{place}.{name}"
                yield whole if method.startswith("__") else f"{whole}.{method}"
    for place in _places(module):
        for kind in type(owner).__mro__:
            if getattr(sys.modules[place], kind.__name__, None) is kind:
                whole = f"{place}.{kind.__name__}"
                yield whole if method in ("__init__", "__call__") else f"{whole}.{method}"


def _places(module: str) -> list[str]:
    """A module and those that it is in, from the inside."""
    parts = module.split(".")
    found = [".".join(parts[:k]) for k in range(len(parts), 0, -1)]
    return [place for place in found if place in sys.modules]
