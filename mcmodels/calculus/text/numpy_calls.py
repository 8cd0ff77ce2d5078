"""Calls as NumPy's users type them: ``np.sum(x)``, ``x.sum(axis=0)``, ``norm(x, ord=1)``.

Also ``softmax(X, dim=1)``, as PyTorch names an axis, ``X.shape[0]`` as ``len(X)``, ``X.sum(0)``,
and ``keepdims=True``: what is summed down the columns is then a row, a vector transposed here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from typing import Any

from mcmodels.calculus.core.named_numbers import NAMED_NUMBERS
from mcmodels.calculus.core.signatures import SIGNATURES
from mcmodels.calculus.text.aliases import ALIASES
from mcmodels.calculus.text.generators import GENERATORS, over_index
from mcmodels.calculus.text.numpy_functions import FUNCTIONS, METHODS, name_of_function
from mcmodels.calculus.text.numpy_stacks import name_of_stack
from mcmodels.calculus.text.spelling import Across, with_nodes_changed

__all__ = [
    "MODULES",
    "divides_by_one_less",
    "is_function_of_module",
    "is_in_numpys_spelling",
    "is_length",
    "is_method",
    "is_module",
    "without_modules",
]

_MODULES = (
    "F autograd cp functional jax jnp linalg math nn np npla numpy scipy sp special sympy tf torch"
)
MODULES = frozenset(_MODULES.split())

_WITHOUT_ARRAYS = (
    "block commutation diagonal_selection duplication einsum elimination eye hstack ones size unit "
    "vstack zeros"
)
_PARTS = frozenset(["newaxis", "reshape", "slogdet"])  # read as parts of what stands around them
_NO_METHODS = frozenset(_WITHOUT_ARRAYS.split())
_NUMBERS = frozenset([*NAMED_NUMBERS, "inf"])  # np.inf is the order of a norm
_BY_ONE_LESS = frozenset(["std", "var"])  # PyTorch's divide by n - 1
_CHANGED = (ast.Attribute, ast.Subscript, ast.Call)
_OF_TORCH = frozenset(["F", "torch"])
_STACKS_ALONE = frozenset(["column_stack", "concatenate"])  # read without a module, too
_SHAPES_IN_TUPLES = frozenset(["ones", "zeros"])
_OF_COLUMNS = frozenset(["math", "sympy"])  # modules that say nothing of vectors of one axis
_NUMPYS_OPTIONS = frozenset(["dim", "keepdim", "keepdims"])
_ONE_OF_SHAPE = re.compile(r"\s*\[\s*[01]\s*\]")
_MAY_HOLD = re.compile(
    r"\.\s*(?!T\b)[^\W\d]|\b(?:ord|dim|for|None|keepdims?)\b|(?:ones|zeros)\s*\(\s*\("
    r"|,\s*-?\d\s*\)|\b(?:column_stack|concatenate|len)\b"
)


def is_module(path: str, known: Collection[str]) -> bool:
    """Whether such a path, as ``np.linalg``, is one of modules, and its first name not declared."""
    first, *others = path.split(".")
    return first not in known and MODULES.issuperset([first, *others])


def is_function_of_module(name: str, module: str, known: Collection[str]) -> bool:
    """Whether ``module.name`` is read as the function of that name, or as a number or inf."""
    if not is_module(module, known) or name in known or divides_by_one_less(name, module):
        return False
    if name in MODULES or name in _NUMBERS or name in _PARTS:
        return True
    if name_of_stack(name) or name_of_function(name):
        return True
    return name in SIGNATURES or name in ALIASES


def divides_by_one_less(name: str, module: str) -> bool:
    """Whether ``module.name`` is a variance or deviation that divides by n - 1, as PyTorch's."""
    return name in _BY_ONE_LESS and module.split(".")[0] == "torch"


def is_length(name: str, after: str) -> bool:
    """Whether ``x.name`` before such a text is a number of entries: ``x.size``, ``X.shape[1]``."""
    if name == "shape":
        return _ONE_OF_SHAPE.match(after) is not None
    return name == "size" and not after.lstrip().startswith("(")


def is_method(name: str, known: Collection[str]) -> bool:
    """Whether ``x.name(…)`` is read as ``name(x, …)``."""
    if name in known or name in _NO_METHODS:
        return False
    return name in METHODS or name == "reshape" or name in SIGNATURES or name in ALIASES


def is_in_numpys_spelling(tree: ast.expr, text: str, known: Collection[str]) -> bool:
    """Whether a text has what Python's programs alone have.

    These are names of modules, methods, ``shape``, ``len``, loops over ``range``, ``[:, None]`` and
    ``keepdims``. Its vectors are then NumPy's, of one axis. SymPy's are columns.
    """
    if _MAY_HOLD.search(text) is None:
        return False
    return any(_is_of_programs(node, known) for node in ast.walk(tree))


def _is_of_programs(node: ast.AST, known: Collection[str]) -> bool:
    if isinstance(node, ast.Attribute) and node.attr != "T":
        owner = node.value
        if isinstance(owner, ast.Name) and owner.id in _OF_COLUMNS:
            return not _is_module(owner, known)
        return True
    if isinstance(node, ast.Call):
        if any(option.arg in _NUMPYS_OPTIONS for option in node.keywords):
            return True
        return isinstance(node.func, ast.Name) and node.func.id == "len" and "len" not in known
    if isinstance(node, ast.Subscript):
        return _line(node) is not None
    return isinstance(node, GENERATORS)


def without_modules(tree: ast.expr, text: str, known: Collection[str]) -> ast.expr:
    """The tree of a text with such calls as functions alone."""
    if _MAY_HOLD.search(text) is None:
        return tree
    words = [word for word in _OF_TORCH if word in text and word not in known]
    is_torch = bool(words) and any(
        isinstance(node, ast.Name) and node.id in words for node in ast.walk(tree)
    )
    return with_nodes_changed(tree, lambda node: _plain(node, known, is_torch))


def _plain(node: Any, known: Collection[str], is_torch: bool) -> Any:
    if not isinstance(node, _CHANGED):  # as most are
        return node
    if isinstance(node, ast.Attribute) and node.attr in _NUMBERS:
        # Any other such attribute has been refused.
        return ast.copy_location(ast.Name(node.attr, ast.Load()), node)
    if not isinstance(node, ast.Call):
        found = _columns(node, known) or _log_determinant(node, known)
        return found or _length(node) or _line(node) or node
    function, of_module = node.func, False
    if isinstance(function, ast.Attribute) and function.attr != "T":
        name = function.attr
        of_module = _is_module(function.value, known)
        if not of_module:
            node.args.insert(0, function.value)
            options = {option.arg for option in node.keywords}
            if name in _BY_ONE_LESS and (is_torch or "dim" in options):
                is_told = not options.isdisjoint(["correction", "ddof"])
                name = f"np.{name}" if is_told else f"torch.{name}"  # which is refused
            name = f"np.{name}" if name in METHODS else name
        elif name == "size" and len(node.args) == 1:
            return _called("len", [_called("vec", node.args, node)], node)
        else:
            name = name_of_stack(name) or name_of_function(name) or name
        node.func = ast.copy_location(ast.Name(name, ast.Load()), function)
    elif isinstance(function, ast.Name) and function.id in _STACKS_ALONE - set(known):
        function.id = f"np.{function.id}"
    if not isinstance(node.func, ast.Name):
        return node
    if node.func.id == "reshape" and isinstance(function, ast.Attribute):
        return _reshaped(node) or node
    if node.func.id in _SHAPES_IN_TUPLES and len(node.args) == 1:
        shape = node.args[0]
        node.args = shape.elts if isinstance(shape, ast.Tuple) else node.args
    if node.func.id == "norm" and len(node.args) == 1:
        orders = [option for option in node.keywords if option.arg == "ord"]
        node.args += [option.value for option in orders]
        node.keywords = [option for option in node.keywords if option not in orders]
    sum_ = over_index(node)
    if sum_ is None:
        return _along_axis(node) if _takes_axis(node.func.id) else node
    if of_module and isinstance(node.args[0], ast.ListComp):
        return _called(node.func.id, [sum_], node)  # NumPy's sum of a list of vectors is a number
    return sum_


def _takes_axis(function: str) -> bool:
    if function in FUNCTIONS:
        return "axis" in FUNCTIONS[function].options
    return function in SIGNATURES and SIGNATURES[function].axis


def _length(node: ast.Attribute | ast.Subscript) -> ast.expr | None:
    """``X.shape[0]``, ``X.shape[1]`` and ``X.size`` by ``len``."""
    if isinstance(node, ast.Attribute):
        if node.attr != "size":
            return None
        return _called("len", [_called("vec", [node.value], node)], node)
    shape = node.value
    if not (isinstance(shape, ast.Attribute) and shape.attr == "shape"):
        return None
    array, axis = shape.value, node.slice
    if isinstance(axis, ast.Constant) and axis.value == 1:
        array = ast.copy_location(Across(array, "T", ast.Load()), node)
    return _called("len", [array], node)


def _line(node: ast.Attribute | ast.Subscript) -> ast.expr | None:
    """``x[:, None]`` as a column and ``x[None, :]`` as a row."""
    index = node.slice if isinstance(node, ast.Subscript) else None
    if not (isinstance(index, ast.Tuple) and len(index.elts) == 2):
        return None
    new = [_is_new_axis(part) for part in index.elts]
    others = [part for part, is_new in zip(index.elts, new, strict=True) if not is_new]
    if len(others) != 1 or not (isinstance(others[0], ast.Slice) and _is_whole(others[0])):
        return None
    return _called("np.row" if new[0] else "np.column", [node.value], node)


def _reshaped(node: ast.Call) -> ast.expr | None:
    """``x.reshape(-1, 1)`` as a column and ``x.reshape(1, -1)`` as a row."""
    array, *shape = node.args
    if len(shape) == 1 and isinstance(shape[0], ast.Tuple):
        shape = shape[0].elts
    names: dict[tuple[int | None, ...], str] = {
        (-1, 1): "np.column",
        (1, -1): "np.row",
        (-1,): "np.flat",
    }
    name = names.get(tuple(_whole(part) for part in shape))
    return None if name is None or node.keywords else _called(name, [array], node)


def _is_new_axis(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is None
    return isinstance(node, ast.Attribute) and node.attr == "newaxis"


def _is_whole(node: ast.Slice) -> bool:
    return node.lower is node.upper is node.step is None


def _columns(node: ast.Attribute | ast.Subscript, known: Collection[str]) -> ast.expr | None:
    """``np.c_[X, y]`` as a stack."""
    stack = node.value
    if not isinstance(node, ast.Subscript) or not isinstance(stack, ast.Attribute):
        return None
    if stack.attr != "c_" or not _is_module(stack.value, known):
        return None
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    together = ast.copy_location(ast.List(parts, ast.Load()), node)
    return _called("np.column_stack", [together], node)


def _log_determinant(
    node: ast.Attribute | ast.Subscript, known: Collection[str]
) -> ast.expr | None:
    """``np.linalg.slogdet(S)[1]`` as ``logdet(S)``."""
    call = node.value
    if not isinstance(node, ast.Subscript) or not isinstance(call, ast.Call) or call.keywords:
        return None
    function, entry = call.func, node.slice
    if not (isinstance(function, ast.Attribute) and function.attr == "slogdet"):
        return None
    if not _is_module(function.value, known):
        return None
    is_second = isinstance(entry, ast.Constant) and entry.value == 1
    return _called("logdet", call.args, node) if is_second else None


def _called(name: str, arguments: list[ast.expr], where: ast.expr) -> ast.expr:
    function = ast.copy_location(ast.Name(name, ast.Load()), where)
    return ast.copy_location(ast.Call(function, arguments, []), where)


def _along_axis(node: ast.Call) -> ast.expr:
    """A call with its axis by name; with ``keepdims``, as a row or a column."""
    assert isinstance(node.func, ast.Name)
    for option in node.keywords:
        option.arg = "axis" if option.arg == "dim" else option.arg
        option.arg = "ddof" if option.arg == "correction" else option.arg
    if len(node.args) == 2 and _whole(node.args[1]) is not None and node.func.id != "norm":
        node.keywords.append(ast.keyword("axis", node.args.pop()))
    keeps = [o for o in node.keywords if o.arg in ("keepdims", "keepdim")]
    if len(keeps) != 1 or _whole(keeps[0].value) not in (0, 1) or node.func.id == "softmax":
        return node
    node.keywords.remove(keeps[0])
    axes = [_whole(option.value) for option in node.keywords if option.arg == "axis"]
    if _whole(keeps[0].value) == 1 and axes in ([0], [-2]):
        return _called("np.row", [node], node)
    if _whole(keeps[0].value) == 1 and axes in ([1], [-1]):
        return _called("np.column", [node], node)
    return node


def _whole(node: ast.expr) -> int | None:
    """The whole number that is typed there; None for anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _whole(node.operand)
        return None if inner is None else -inner
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None


def _is_module(node: ast.expr, known: Collection[str]) -> bool:
    while isinstance(node, ast.Attribute) and node.attr in MODULES:
        node = node.value
    return isinstance(node, ast.Name) and node.id in MODULES and node.id not in known
