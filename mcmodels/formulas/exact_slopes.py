"""How the columns of a formula move when the columns that it reads move: exact where it is smooth.

A term is a product of factors, and each factor stands in it once. So the design is affine in each
factor f, and where f moves by f′ it moves by ``M(f = f′) - M(f = 0)``, with the other factors as
they are. f′ is that of the expression, run on dual numbers (Griewank and Walther 2008, *Evaluating
Derivatives*, 2nd ed., §3.1). Splines, ``poly``, and functions that jump or have corners are none of
these expressions.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.formulas.frames import numbers, selected
from mcmodels.formulas.language import FUNCTIONS
from mcmodels.formulas.recipe import Recipe

__all__ = ["moved_design"]

_SMOOTH = {
    *("log", "log2", "log10", "log1p", "exp", "exp2", "expm1", "sqrt", "cbrt", "square"),
    *("sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh"),
    *("arcsinh", "arccosh", "arctanh"),
}
_AFFINE = ("scale", "center", "standardize")
_OPERATIONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}


class _NotSmoothError(Exception):
    """An expression that is not differentiated here."""


def moved_design(recipe: Recipe, data: Any, moved: Mapping[str, Array]) -> Array | None:
    """How the design of rows moves, shape (n, p); None where a factor is not differentiated here.

    Parameters
    ----------
    recipe : Recipe
        What the formula has learnt.
    data : table
        The rows.
    moved : dict of str to ndarray of shape (n,)
        How columns move.

    Raises
    ------
    InferenceError
        Where a factor has no finite slope, such as ``sqrt(x)`` at zero.
    """
    language = recipe.language
    frame = selected(data, recipe.columns)
    changes: dict[str, Array] = {}
    for factor in dict.fromkeys(f for term in language.terms for f in term.factors):
        if factor.expr == "1":
            continue
        tree = ast.parse(factor.expr, mode="eval").body
        names = {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and language.names.get(node.id) in moved
        }
        if not names:
            continue
        if any(
            name in language.factors or language.names[name] not in recipe.numeric for name in names
        ):
            return None
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        used &= set(language.names)
        if any(language.names[name] not in recipe.numeric for name in used):
            return None
        try:
            changes[factor.expr] = _slope(tree, recipe, frame, sorted(used), moved)
        except _NotSmoothError:
            return None
        _refuse_infinite(changes[factor.expr], language.shown(factor.expr), frame, names, language)
    total = np.zeros((len(frame), len(recipe.names)))
    for expression, change in changes.items():
        parts = [
            recipe.with_factor(frame, expression, values)
            for values in (change, np.zeros(len(frame)))
        ]
        if any(part.shape != total.shape for part in parts):
            return None
        total += parts[0] - parts[1]
    return total


def _slope(
    tree: ast.expr, recipe: Recipe, frame: Any, used: list[str], moved: Mapping[str, Array]
) -> Array:
    """``f′`` of an expression along the columns that move."""
    from mcmodels.autodiff import jvp  # imported only when it is needed

    columns = [recipe.language.names[name] for name in used]
    at = [numbers(frame[column]) for column in columns]
    along = [moved.get(column, np.zeros(len(frame))) for column in columns]

    def value(*values: Any) -> Any:
        return _value(tree, dict(zip(used, values, strict=True)), recipe.transforms)

    value(*at)  # refuses what is not smooth before it is traced
    with np.errstate(all="ignore"):
        _, found = jvp(value, at, along)
    found = np.array(np.broadcast_to(np.asarray(found, dtype=np.float64), (len(frame),)))
    found[~np.any([of != 0 for of in along], axis=0)] = 0.0  # rows that do not move
    return found


def _value(node: ast.expr, values: Mapping[str, Any], states: Mapping[str, Any]) -> Any:
    """The value of an expression of smooth functions."""
    if isinstance(node, ast.Name) and node.id in values:
        return values[node.id]
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = _value(node.operand, values, states)
        return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        left, right = (_value(side, values, states) for side in (node.left, node.right))
        with np.errstate(all="ignore"):
            return _OPERATIONS[type(node.op)](left, right)
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).removeprefix("np.")
        if name in _AFFINE and ast.unparse(node) in states:
            state = states[ast.unparse(node)]
            inner = _value(node.args[0], values, states)
            inner = inner if state.get("center") is None else inner - state["center"]
            return inner if state.get("scale") is None else inner / state["scale"]
        if len(node.args) == 1 and not node.keywords and name in {*_SMOOTH, "I"}:
            inner = _value(node.args[0], values, states)
            with np.errstate(all="ignore"):
                return inner if name == "I" else FUNCTIONS[name](inner)
    raise _NotSmoothError


def _refuse_infinite(slopes: Array, shown: str, frame: Any, names: set[str], language: Any) -> None:
    wrong = np.flatnonzero(~np.isfinite(slopes))
    if wrong.size:
        column = language.names[min(names)]
        raise InferenceError(
            f"{shown} has no finite slope in {wrong.size} of {len(slopes)} rows of a block, the "
            f"first where {column} is {frame[column].iloc[wrong[0]]:g}; leave such rows out, or "
            "take measure='comparison'."
        )
