"""The characters of a text, checked before Python's own parser sees it."""

from __future__ import annotations

import keyword
import re
import unicodedata

from mcmodels.calculus.core.numbers import LARGEST
from mcmodels.calculus.text import hints
from mcmodels.calculus.text.latex_words import for_backslash
from mcmodels.calculus.text.numpy_calls import (
    MODULES,
    is_function_of_module,
    is_length,
    is_method,
    is_module,
)
from mcmodels.calculus.text.syntax import refuse

__all__ = ["scan"]

_DEEPEST = 100  # levels of nesting; far below Python's recursion limit
_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<name>[^\W\d]\w*)"
    r"|(?P<number>(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<open>[(\[])|(?P<close>[)\]])|(?P<operator>\*\*|[<>]=?|!=|[-+*/@^])|(?P<mark>')"
    r"|(?P<other>[.,:=])"
)
_CLOSING = {"(": ")", "[": "]"}
_OF_LOOPS = frozenset(["for", "if", "in"])
_BEHIND_POINTS = frozenset("*/^+-'")


def scan(text: str, known: frozenset[str]) -> list[tuple[int, str]]:
    """Refuse characters, keywords and depths that are not allowed in an expression.

    Gives the places of ``'`` and ``^``, and of the points of ``.*``, ``./``, ``.^`` and ``f.(x)``,
    with what Python writes for them.
    """
    depths, brackets, previous, owner = [0], [""], "", ""
    loops = [False]  # of each bracket, whether a "for" stands in it
    entrywise = False  # whether a point stands before the sign
    respelt: list[tuple[int, str]] = []
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        column = position + 1
        operand = previous in ("name", "number", "close")
        if found is None:
            character = text[position]
            word = for_backslash(text, position, operand) if character == "\\" else None
            if word is not None:
                refuse(text, f"{word[0]} is LaTeX, which is not read; {word[1]}", column)
            advice = f"; {hints.SIGNS[character]}" if character in hints.SIGNS else ""
            refuse(text, f"{character!r} has no meaning in an expression{advice}", column)
        kind, token = found.lastgroup, found.group()
        position = found.end()
        if kind == "space":
            continue
        if kind == "mark":
            if not operand or previous == "number":
                refuse(text, f"{token!r} is the transpose of what it stands behind", column)
            respelt.append((column - 1, ".T"))
            previous = "close"
            continue
        if token == "." and _works_by_entry(text, position, operand, previous):
            entrywise = text[position] == "^"
            respelt.append((column - 1, "*" if entrywise else " "))
            continue
        if token == "^":
            respelt.append((column - 1, "*" if entrywise else "**"))
            entrywise = False
        if operand and token in _OF_LOOPS and (loops[-1] or (token == "for" and len(brackets) > 1)):
            loops[-1], depths[-1], previous = True, 0, "operator"
            continue
        new_axis = token == "None" and brackets[-1] == "]"
        if kind == "name" and keyword.iskeyword(token) and not new_axis:
            advice = f"; {hints.WORDS[token]}" if token in hints.WORDS else ""
            refuse(text, f"{token!r} is a word of Python, not of expressions{advice}", column)
        if operand and kind in ("name", "number"):
            refuse(text, f"expected * or @ before {token!r}", column)
        binary = kind == "operator" and token not in ("+", "-")
        if (binary and not operand) or (kind == "close" and previous == "operator"):
            refuse(text, f"something is missing before {token!r}", column)
        if kind == "name" and previous == "." and not _is_attribute(text, found, owner, known):
            advice = hints.for_attribute(token, owner, known)
            advice = f"; {advice}" if advice else ""
            what = f"the only attribute is .T; found .{token}"
            if is_module(owner, known):
                what = f"behind {owner}. stands a function that is known here; found .{token}"
            refuse(text, f"{what}{advice}", column)
        if kind == "name":
            _check_name(text, token, column, known)
        elif kind == "number":
            _check_number(text, token, column)
        elif kind == "open":
            if token == "[" and hints.is_named_as_function(owner, known):
                refuse(text, f"arguments stand in ( and ); {hints.for_function(owner)}", column)
            depths.append(0)
            loops.append(False)
            brackets.append(_CLOSING[token])
        elif kind == "close":
            depths.pop()
            loops.pop()
            if token != brackets.pop():
                refuse(text, f"{token!r} closes no bracket", column)
        elif token in ("**", "^") or (kind == "operator" and not operand):
            depths[-1] += 1
        elif kind == "operator" or token == ",":
            depths[-1] = 0
        if len(depths) + sum(depths) > _DEEPEST:
            refuse(text, f"it is nested more than {_DEEPEST} deep; write it in parts", column)
        if kind == "name" and previous == "." and token in MODULES:
            owner = f"{owner}.{token}"
        else:
            owner = token if kind == "name" else owner if token == "." else ""
        previous = token if token == "." else kind or ""
    if previous not in ("name", "number", "close"):
        refuse(text, "something is missing at the end", len(text) + 1)
    if len(brackets) > 1:
        refuse(text, f"a {brackets[-1]!r} is missing", len(text) + 1)
    return respelt


def _works_by_entry(text: str, position: int, operand: bool, previous: str) -> bool:
    """Whether the point before a position is that of MATLAB's .* or Julia's f.(x)."""
    after = text[position : position + 1]
    if after in _BEHIND_POINTS and not text.startswith("**", position):
        return operand
    return previous == "name" and after == "("


def _is_attribute(text: str, found: re.Match, owner: str, known: frozenset[str]) -> bool:
    """Whether a name behind a point is a transpose, a function of a module, or a method."""
    name, is_called = found.group(), re.match(r"\s*\(", text[found.end() :]) is not None
    if name == "T" or is_function_of_module(name, owner, known):
        return True
    if is_module(owner, known):
        return False
    return is_length(name, text[found.end() :]) or (is_called and is_method(name, known))


def _check_name(text: str, name: str, column: int, known: frozenset[str]) -> None:
    if name in known:
        return
    if unicodedata.normalize("NFKC", name) != name or not name.isidentifier():
        advice = next((hints.SIGNS[letter] for letter in name if letter in hints.SIGNS), "")
        advice = advice or "use plain letters and digits"
        refuse(text, f"{name!r} is no name; {advice}", column)
    if name.startswith("_"):
        refuse(text, f"{name!r} is not declared, and a name starts with a letter", column)


def _check_number(text: str, number: str, column: int) -> None:
    value = float(number.replace("_", ""))
    if value > LARGEST:
        refuse(text, f"a number is at most {LARGEST:g}", column)
    if value == 0 and re.search("[1-9]", re.split("[eE]", number)[0]):
        refuse(text, f"{number} is too small a number, and would be 0", column)
