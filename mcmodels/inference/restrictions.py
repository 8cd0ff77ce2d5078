"""Linear restrictions ``Rθ = q`` on named parameters, from a matrix or from text."""

from __future__ import annotations

import ast
import difflib
import itertools
import re
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from mcmodels.arrays import Array, refuse_masked
from mcmodels.exceptions import example_of

__all__ = ["Restrictions"]

_QUOTED = re.compile(r"`([^`]*)`")
_IDENTIFIER = "parameter_{}_"


@dataclass(frozen=True)
class Restrictions:
    """``Rθ = q``.

    Parameters
    ----------
    R : ndarray of shape (r, k)
        One restriction a row.
    q : ndarray of shape (r,)
        Its right-hand side.
    text : str
        The restrictions as text.
    """

    R: Array
    q: Array
    text: str

    @classmethod
    def of(cls, stated: Any, names: tuple[str, ...]) -> Self:
        """Restrictions on parameters of these names.

        Parameters
        ----------
        stated : str, array-like of shape (r, k) or (k,), or pair (R, q)
            Text is a list of equations with commas between: ``"income = 0, age = 2*tenure"``. Each
            side is linear in the parameters; several equalities may follow each other
            (``"a = b = 0"``), and ``"a - b"`` alone means that it is zero. A name that is not a
            Python identifier must be in backticks: ``"`sex=male` = 0"``. A matrix alone means q=0.
        names : tuple of str
            Names of the parameters.

        Raises
        ------
        ValueError
            For an unknown name, text that is not linear, or a matrix of another width.
        """
        if isinstance(stated, str):
            return cls._parsed(stated, names)
        R, q = stated if isinstance(stated, tuple) and len(stated) == 2 else (stated, None)
        refuse_masked("restrictions", R)
        refuse_masked("q", q)
        try:
            R = np.atleast_2d(np.asarray(R, dtype=np.float64))
            q = None if q is None else np.atleast_1d(np.asarray(q, dtype=np.float64))
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(
                f"restrictions are text such as 'a = 0', a matrix R, or a pair (R, q); found "
                f"{example_of(stated)}."
            ) from error
        if R.ndim != 2 or R.shape[1] != len(names):
            raise ValueError(
                f"restrictions have shape {R.shape}; they need one column for each of the "
                f"{len(names)} parameters ({', '.join(names[:10])})."
            )
        q = np.zeros(len(R)) if q is None else q
        if q.shape != (len(R),):
            raise ValueError(f"q has shape {q.shape}; R states {len(R)} restriction(s).")
        if not (np.isfinite(R).all() and np.isfinite(q).all()):
            raise ValueError("restrictions must be finite numbers.")
        text = ", ".join(_in_words(row, value, names) for row, value in zip(R, q, strict=True))
        return cls._checked(R, q, text)

    @classmethod
    def _parsed(cls, text: str, names: tuple[str, ...]) -> Self:
        rows = []
        for equation in _split(_with_backticks(text, names)):
            sides = [_Linear.parsed(side, names) for side in _EQUALS.split(_encoded(equation))]
            if len(sides) == 1:
                sides.append(_Linear(np.zeros(len(names)), 0.0))
            rows += [left.minus(right) for left, right in itertools.pairwise(sides)]
        if not rows:
            raise ValueError("restrictions are empty; state one, as in 'income = 0'.")
        R, q = np.array([row.slopes for row in rows]), np.array([-row.constant for row in rows])
        return cls._checked(R, q, " ".join(text.split()))

    @classmethod
    def _checked(cls, R: Array, q: Array, text: str) -> Self:
        if not R.any(axis=1).all():
            raise ValueError(f"a restriction in {text!r} does not depend on any parameter.")
        return cls(R, q, text)

    def __str__(self) -> str:
        return self.text

    def each(self, names: tuple[str, ...]) -> list[str]:
        """The restrictions in words, one by one."""
        return [_in_words(row, value, names) for row, value in zip(self.R, self.q, strict=True)]


_EQUALS = re.compile(r"==?")


@dataclass(frozen=True)
class _Linear:
    """``slopes · θ + constant``."""

    slopes: Array
    constant: float

    @classmethod
    def parsed(cls, encoded: str, names: tuple[str, ...]) -> Self:
        """One side of an equation, in which names in backticks are encoded as identifiers."""
        try:
            tree = ast.parse(encoded.strip(), mode="eval").body
        except SyntaxError:
            raise ValueError(
                f"restrictions: cannot read {example_of(_decoded(encoded.strip()))} as a sum of "
                "parameters; write, say, 'income = 0, age = 2*tenure', and names that are not "
                "plain words in backticks."
            ) from None
        return cls._of(tree, names)

    @classmethod
    def _of(cls, node: ast.expr, names: tuple[str, ...]) -> Self:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return cls(np.zeros(len(names)), float(node.value))
        if isinstance(node, ast.Name):
            return cls(np.eye(len(names))[_position(node.id, names)], 0.0)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub):
            return cls._of(node.operand, names).times(
                1.0 if isinstance(node.op, ast.UAdd) else -1.0
            )
        if isinstance(node, ast.BinOp):
            left, right = cls._of(node.left, names), cls._of(node.right, names)
            match node.op:
                case ast.Add():
                    return left.minus(right.times(-1.0))
                case ast.Sub():
                    return left.minus(right)
                case ast.Mult() if not right.slopes.any():
                    return left.times(right.constant)
                case ast.Mult() if not left.slopes.any():
                    return right.times(left.constant)
                case ast.Div() if not right.slopes.any() and right.constant:
                    return left.times(1.0 / right.constant)
        raise ValueError(
            f"{_decoded(ast.unparse(node))!r} is not linear in the parameters; restrictions are "
            "sums of numbers times parameters. For other functions, use delta_method."
        )

    def times(self, factor: float) -> Self:
        return type(self)(self.slopes * factor, self.constant * factor)

    def minus(self, other: _Linear) -> Self:
        return type(self)(self.slopes - other.slopes, self.constant - other.constant)


def _with_backticks(text: str, names: tuple[str, ...]) -> str:
    """The text with backticks around names such as ``sex[T.m]``, ``bs(x, df=4)[1]``, ``a:b``.

    No sum of parameters has a bracket, a colon or a call, so that such a name is itself.
    """
    longest_first = sorted((n for n in names if _UNLIKE_SUMS.search(n)), key=len, reverse=True)
    if not longest_first:
        return text
    either = "|".join(map(re.escape, longest_first))
    found = re.compile(rf"`[^`]*`|(?<![\w.:\])])({either})(?![\w\[(:])")
    return found.sub(lambda m: f"`{m[1]}`" if m[1] else m[0], text)


def _split(text: str) -> list[str]:
    """The equations: text between commas, except commas in backticks."""
    encoded = _encoded(text)
    return [_decoded_in_backticks(part) for part in encoded.split(",") if part.strip()]


def _encoded(text: str) -> str:
    """The text with each name in backticks encoded as an identifier."""
    return _QUOTED.sub(lambda found: _IDENTIFIER.format(found[1].encode().hex()), text)


_UNLIKE_SUMS = re.compile(r"[\[:]|\w\(")
_ENCODED = re.compile(_IDENTIFIER.format("([0-9a-f]*)"))


def _decoded(text: str) -> str:
    return _ENCODED.sub(lambda found: bytes.fromhex(found[1]).decode(), text)


def _decoded_in_backticks(text: str) -> str:
    return _ENCODED.sub(lambda found: f"`{bytes.fromhex(found[1]).decode()}`", text)


def _position(identifier: str, names: tuple[str, ...]) -> int:
    name = identifier if identifier in names else _decoded(identifier)
    if name not in names and name == "intercept" and "(intercept)" in names:
        name = "(intercept)"
    if names.count(name) > 1:
        raise ValueError(
            f"restrictions name {name!r}, and {names.count(name)} parameters have this name; "
            "rename the column, or pass a matrix R."
        )
    if name in names:
        return names.index(name)
    hint = ""
    for close in difflib.get_close_matches(name, names, n=1) or [n for n in names if name in n][:1]:
        hint = f"; did you mean {close!r}{'' if close.isidentifier() else ', in backticks'}?"
    there = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
    raise ValueError(
        f"restrictions name {name!r}, which is not a parameter{hint or '.'} There are {there}."
    )


def _in_words(row: Array, value: float, names: tuple[str, ...]) -> str:
    terms = [
        f"{'- ' if slope < 0 else '+ '}{'' if abs(slope) == 1 else f'{abs(slope):g}*'}{name}"
        for slope, name in zip(row, names, strict=True)
        if slope
    ]
    return f"{' '.join(terms).removeprefix('+ ') or '0'} = {value + 0.0:g}"
