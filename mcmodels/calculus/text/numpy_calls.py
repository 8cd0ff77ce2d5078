"""Calls as NumPy's users type them: ``np.sum(x)``, ``x.sum(axis=0)``, ``norm(x, ord=1)``.

Also ``softmax(X, dim=1)``, as PyTorch names an axis, ``X.sum(0)``, and ``keepdims=True``: what is
summed down the columns is then a row, which is a vector transposed here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from typing import Any

from mcmodels.calculus.core.named_numbers import NAMED_NUMBERS
from mcmodels.calculus.core.signatures import SIGNATURES
from mcmodels.calculus.text.aliases import ALIASES
from mcmodels.calculus.text.spelling import with_nodes_changed

__all__ = ["MODULES", "is_function_of_module", "is_method", "is_module", "without_modules"]

_MODULES = "F autograd cp jax jnp linalg math np npla numpy scipy sp special sympy tf torch"
MODULES = frozenset(_MODULES.split())

# NumPy's hstack of two vectors is one long vector, its vstack a matrix of two rows. Here a vector
# is a column, so that both are otherwise.
_OF_OTHER_SHAPES = frozenset(["hstack", "vstack"])
_WITHOUT_ARRAYS = (
    "block commutation diagonal_selection duplication einsum elimination eye hstack ones size unit "
    "vstack zeros"
)
_NO_METHODS = frozenset(_WITHOUT_ARRAYS.split())
_NUMBERS = frozenset([*NAMED_NUMBERS, "inf"])  # np.inf is the order of a norm
# What NumPy joins along the first axis stands one below the other here, vectors and matrices alike.
_JOINED = {"concatenate": "vstack", "column_stack": "hstack"}
_SHAPES_IN_TUPLES = frozenset(["ones", "zeros"])
_MAY_HOLD = re.compile(
    r"\.\s*(?!T\b)[^\W\d]|\b(?:ord|dim|keepdims?)\b|\b(?:concatenate|column_stack)\b|(?:ones|zeros)\s*\(\s*\(|,\s*-?\d\s*\)"
)


def is_module(path: str, known: Collection[str]) -> bool:
    """Whether such a path, as ``np.linalg``, is one of modules, and its first name not declared."""
    first, *others = path.split(".")
    return first not in known and MODULES.issuperset([first, *others])


def is_function_of_module(name: str, module: str, known: Collection[str]) -> bool:
    """Whether ``module.name`` is read as the function of that name, or as a number or inf."""
    if not is_module(module, known) or name in known:
        return False
    if name in MODULES or name in _NUMBERS or name in _JOINED:
        return True
    return (name in SIGNATURES or name in ALIASES) and name not in _OF_OTHER_SHAPES


def is_method(name: str, known: Collection[str]) -> bool:
    """Whether ``x.name(…)`` is read as ``name(x, …)``."""
    if name in known or name in _NO_METHODS:
        return False
    return name in SIGNATURES or name in ALIASES


def without_modules(tree: ast.expr, text: str, known: Collection[str]) -> ast.expr:
    """The tree of a text with such calls as functions alone."""
    if _MAY_HOLD.search(text) is None:
        return tree
    return with_nodes_changed(tree, lambda node: _plain(node, known))


def _plain(node: Any, known: Collection[str]) -> Any:
    if isinstance(node, ast.Attribute) and node.attr in _NUMBERS:
        # Any other such attribute has been refused.
        return ast.copy_location(ast.Name(node.attr, ast.Load()), node)
    if not isinstance(node, ast.Call):
        return node
    function = node.func
    if isinstance(function, ast.Attribute) and function.attr != "T":
        if not _is_module(function.value, known):
            node.args.insert(0, function.value)
        node.func = ast.copy_location(ast.Name(function.attr, ast.Load()), function)
    if not isinstance(node.func, ast.Name):
        return node
    if node.func.id in _JOINED and node.func.id not in known:
        return _joined(node, node.func)
    if node.func.id in _SHAPES_IN_TUPLES and len(node.args) == 1:
        shape = node.args[0]
        node.args = shape.elts if isinstance(shape, ast.Tuple) else node.args
    if node.func.id == "norm" and len(node.args) == 1:
        orders = [option for option in node.keywords if option.arg == "ord"]
        node.args += [option.value for option in orders]
        node.keywords = [option for option in node.keywords if option not in orders]
    if node.func.id in SIGNATURES and SIGNATURES[node.func.id].axis:
        return _along_axis(node)
    return node


def _joined(node: ast.Call, function: ast.Name) -> ast.Call:
    """A stack in place of NumPy's function; along the second axis it is hstack."""
    axes = [*node.args[1:], *(o.value for o in node.keywords if o.arg == "axis")]
    others = [o for o in node.keywords if o.arg != "axis"]
    if others or len(axes) > 1 or (axes and function.id != "concatenate"):
        return node
    along = _whole(axes[0]) if axes else 0
    if along not in (0, 1, -1):
        return node
    function.id = _JOINED[function.id] if along == 0 else "hstack"
    node.args, node.keywords = node.args[:1], []
    return node


def _along_axis(node: ast.Call) -> ast.expr:
    """A call with its axis by name; where a row is meant, the transpose of that call."""
    assert isinstance(node.func, ast.Name)
    for option in node.keywords:
        option.arg = "axis" if option.arg == "dim" else option.arg
    if len(node.args) == 2 and _whole(node.args[1]) is not None and node.func.id != "norm":
        node.keywords.append(ast.keyword("axis", node.args.pop()))
    keeps = [o for o in node.keywords if o.arg in ("keepdims", "keepdim")]
    if len(keeps) != 1 or _whole(keeps[0].value) not in (0, 1) or node.func.id == "softmax":
        return node
    node.keywords.remove(keeps[0])
    axes = [_whole(option.value) for option in node.keywords if option.arg == "axis"]
    if _whole(keeps[0].value) == 1 and axes in ([0], [-2]):
        return ast.copy_location(ast.Attribute(node, "T", ast.Load()), node)
    return node


def _whole(node: ast.expr) -> int | None:
    """The whole number that stands there."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _whole(node.operand)
        return None if inner is None else -inner
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None


def _is_module(node: ast.expr, known: Collection[str]) -> bool:
    while isinstance(node, ast.Attribute) and node.attr in MODULES:
        node = node.value
    return isinstance(node, ast.Name) and node.id in MODULES and node.id not in known
