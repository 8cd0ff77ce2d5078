"""How the columns of a formula move when the columns that it reads move: exact where it is smooth.

A term is a product of factors, and each factor stands in it once. So the design is affine in each
factor f, and where f moves by f′ it moves by ``M(f = f′) - M(f = 0)``, with the other factors as
they are. f′ is that of the expression, run on dual numbers (Griewank and Walther 2008, *Evaluating
Derivatives*, 2nd ed., §3.1). A comparison, and a function such as ``floor``, is flat between its
jumps. At a corner, as of ``abs(x)`` at zero, f′ is the derivative of the side to which the row
moves (ibid., §14.1). Splines and ``poly`` are none of these expressions.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.formulas.frames import selected
from mcmodels.formulas.language import FUNCTIONS
from mcmodels.formulas.recipe import Recipe

__all__ = ["moved_design"]

_SMOOTH = {
    *("log", "log2", "log10", "log1p", "exp", "exp2", "expm1", "sqrt", "cbrt", "square"),
    *("sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh"),
    *("arcsinh", "arccosh", "arctanh"),
}
_FLAT = ("sign", "floor", "ceil", "round", "isin")
_CORNERS = ("abs", "minimum", "maximum", "clip")
_AFFINE = ("scale", "center", "standardize")
_OPERATIONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}
_COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}
# A value, and how it moves.
_Dual = tuple[Any, Any]


class _NotSmoothError(Exception):
    """An expression that is not differentiated here."""


def moved_design(recipe: Recipe, data: Any, moved: Mapping[str, Array], told: Any) -> Array | None:
    """How the design of rows moves, shape (n, p); None where a factor is not differentiated here.

    Parameters
    ----------
    recipe : Recipe
        What the formula has learnt.
    data : table
        The rows.
    moved : dict of str to ndarray of shape (n,)
        How columns move.
    told : Told
        Gets what jumps, and what has a corner where a row is.

    Raises
    ------
    InferenceError
        Where a factor has no finite slope, such as ``sqrt(x)`` at zero.
    """
    language = recipe.language
    frame = selected(data, recipe.columns)
    given = recipe.given(frame)
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
        try:
            changes[factor.expr] = _slope(tree, recipe, given, moved, told)
        except _NotSmoothError:
            return None
        _refuse_infinite(changes[factor.expr], language.shown(factor.expr), frame, names, language)
    total = np.zeros((len(frame), len(recipe.names)))
    for expression, change in changes.items():
        if not change.any():
            continue
        parts = [
            recipe.with_factor(frame, expression, values)
            for values in (change, np.zeros(len(frame)))
        ]
        if any(part.shape != total.shape for part in parts):
            return None
        total += parts[0] - parts[1]
    return total


def _slope(
    tree: ast.expr, recipe: Recipe, given: Any, moved: Mapping[str, Array], told: Any
) -> Array:
    """``f′`` of an expression along the columns that move."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    values, along = {}, []
    for name in used & set(recipe.language.names):
        column = given[name]
        if column.dtype.kind not in "bif":
            column = column.astype(object)  # text is only compared
        along.append(moved.get(recipe.language.names[name], np.zeros(len(given))))
        values[name] = column.to_numpy(), along[-1]
    with np.errstate(all="ignore"):
        found = _Expression(values, recipe, told)(tree)[1]
    found = np.array(np.broadcast_to(found, (len(given),)), dtype=np.float64)
    found[~np.any([of != 0 for of in along], axis=0)] = 0.0  # rows that do not move
    return found


@dataclass(frozen=True)
class _Expression:
    """Expressions of smooth functions, and of some that jump or have corners.

    Parameters
    ----------
    values : dict
        Columns, and how they move.
    recipe : Recipe
        What the formula has learnt.
    told : Told
        Gets what jumps, and what has a corner where a row is.
    """

    values: Mapping[str, _Dual]
    recipe: Recipe
    told: Any

    def __call__(self, node: ast.expr) -> _Dual:
        """The value of an expression, and how it moves."""
        if isinstance(node, ast.Name) and node.id in self.values:
            return self.values[node.id]
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str):
            return node.value, 0.0
        if isinstance(node, ast.UnaryOp):
            value, moved = self(node.operand)
            if isinstance(node.op, ast.Invert):
                return ~np.asarray(value, dtype=bool), 0.0
            return (-value, -moved) if isinstance(node.op, ast.USub) else (value, moved)
        if isinstance(node, ast.Compare):
            return self._compared(node)
        if isinstance(node, ast.BinOp):
            sides = [self(node.left), self(node.right)]
            if type(node.op) in _OPERATIONS:
                return _smooth(_OPERATIONS[type(node.op)], sides)
            bits = {ast.BitAnd: np.logical_and, ast.BitOr: np.logical_or}.get(type(node.op))
            if bits is not None:
                return bits(sides[0][0], sides[1][0]), 0.0
        if isinstance(node, ast.Call):
            return self._called(node, ast.unparse(node.func).removeprefix("np."))
        raise _NotSmoothError

    def _called(self, node: ast.Call, name: str) -> _Dual:
        state = self.recipe.transforms.get(ast.unparse(node))
        if name in _AFFINE and state is not None:
            value, moved = self(node.args[0])
            scale = 1.0 if state.get("scale") is None else state["scale"]
            center = 0.0 if state.get("center") is None else state["center"]
            return (value - center) / scale, moved / scale
        if name == "C":
            value, moved = self(node.args[0])
            if not np.any(moved):  # levels of what is flat
                return value, 0.0
        if node.keywords:
            raise _NotSmoothError
        if name in _FLAT:
            value, moved = self(node.args[0])
            others = [ast.literal_eval(of) for of in node.args[1:]]
            return self._flat(node, FUNCTIONS[name](value, *others), moved)
        found = [self(of) for of in node.args]
        if name == "where" and len(found) == 3:
            chosen = np.asarray(found[0][0], dtype=bool)
            (a, da), (b, db) = found[1:]
            return np.where(chosen, a, b), np.where(chosen, da, db)
        if name in _CORNERS:
            return self._with_corners(node, name, found)
        if len(found) == 1 and name == "I":
            return found[0]
        if len(found) == 1 and name in _SMOOTH:
            return _smooth(FUNCTIONS[name], found)
        raise _NotSmoothError

    def _compared(self, node: ast.Compare) -> _Dual:
        (left, dl), (right, dr) = self(node.left), self(node.comparators[0])
        return self._flat(node, _COMPARISONS[type(node.ops[0])](left, right), dl, dr)

    def _flat(self, node: ast.expr, value: Any, *moved: Any) -> _Dual:
        if any(np.any(of) for of in moved):
            self.told.flat.add(self._shown(node))
        return value, 0.0

    def _with_corners(self, node: ast.expr, name: str, found: Sequence[_Dual]) -> _Dual:
        """``abs(x) = max(x, -x)``, and ``clip(x, a, b) = min(max(x, a), b)``."""
        value, moved = found[0]
        if name == "abs":
            return self._larger(node, found[0], (-value, -moved))
        if name == "clip" and len(found) == 3:
            return self._smaller(node, self._larger(node, *found[:2]), found[2])
        if len(found) == 2 and name != "clip":
            return (self._larger if name == "maximum" else self._smaller)(node, *found)
        raise _NotSmoothError

    def _larger(self, node: ast.expr, one: _Dual, other: _Dual) -> _Dual:
        (a, da), (b, db) = one, other
        tied = np.where(a == b, da, db) != db
        if np.any(tied):
            self.told.corners.add(self._shown(node))
        larger = np.where(a > b, da, np.where(a < b, db, np.maximum(da, db)))
        return np.maximum(a, b), larger

    def _smaller(self, node: ast.expr, one: _Dual, other: _Dual) -> _Dual:
        (a, da), (b, db) = one, other
        value, moved = self._larger(node, (-a, -da), (-b, -db))
        return -value, -moved

    def _shown(self, node: ast.expr) -> str:
        return self.recipe.language.shown(ast.unparse(node))


def _smooth(function: Callable[..., Any], found: Sequence[_Dual]) -> _Dual:
    """A smooth function of values that move."""
    from mcmodels.autodiff import jvp  # imported only when it is needed

    moving = [k for k, (_, along) in enumerate(found) if np.any(along)]
    if not moving:
        return function(*(value for value, _ in found)), 0.0

    def of_moving(*at: Any) -> Any:
        others = dict(zip(moving, at, strict=True))  # constants, such as a power, are none
        return function(*(others.get(k, value) for k, (value, _) in enumerate(found)))

    size = np.broadcast_shapes(*(np.shape(of) for pair in found for of in pair))
    at, along = (
        [np.broadcast_to(np.asarray(found[k][side], dtype=np.float64), size) for k in moving]
        for side in (0, 1)
    )
    value, moved = jvp(of_moving, at, along)
    return np.asarray(value), np.asarray(moved)


def _refuse_infinite(slopes: Array, shown: str, frame: Any, names: set[str], language: Any) -> None:
    wrong = np.flatnonzero(~np.isfinite(slopes))
    if wrong.size:
        column = language.names[min(names)]
        raise InferenceError(
            f"{shown} has no finite slope in {wrong.size} of {len(slopes)} rows of a block, the "
            f"first where {column} is {frame[column].iloc[wrong[0]]:g}; leave such rows out, or "
            "take measure='comparison'."
        )
