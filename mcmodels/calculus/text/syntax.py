"""Text as a syntax tree: checked character by character and node by node, never run.

Text goes through three gates: its characters and its depth are checked before Python's own parser
sees it, every node of the tree must be one of a few kinds, and every call must be of a function in
`SIGNATURES`.
"""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
from dataclasses import dataclass
from typing import NoReturn

from mcmodels.calculus.core.norms import ORDERS
from mcmodels.calculus.core.numbers import LARGEST
from mcmodels.calculus.core.signatures import SIGNATURES
from mcmodels.calculus.core.sizes import ShapeError, Size, size_of_tree
from mcmodels.calculus.text import hints
from mcmodels.calculus.text.aliases import ALIASES
from mcmodels.calculus.text.index_calls import IndexCall, Place, index_call, place_in, tests_in
from mcmodels.calculus.text.quotes import Text
from mcmodels.calculus.text.spelling import (
    Caret,
    at_places_of,
    carets,
    transposes_by_caret,
    without_quotes,
)

__all__ = [
    "COMPARISONS",
    "OPERATORS",
    "Index",
    "ParseError",
    "Source",
    "blocks_in",
    "index_in",
    "number_in",
    "order_in",
    "read",
    "size_in",
    "subscripts_in",
    "unit_place",
    "whole_in",
]

Index = int | slice | Place

_MOST_CHARACTERS = 20_000  # keeps the time that a hostile text can take small
_DEEPEST = 100  # levels of nesting; far below Python's recursion limit
_SHOWN = 60  # characters of a long text in a message


class ParseError(ValueError):
    """Text that is not an expression.

    Attributes
    ----------
    column : int or None
        Where, counted from 1.
    """

    def __init__(self, message: str, column: int | None = None) -> None:
        super().__init__(message)
        self.column = column

    def __reduce__(self) -> tuple[type[ParseError], tuple[str, int | None]]:
        return type(self), (str(self), self.column)


@dataclass(frozen=True)
class Source:
    """Text that has been read.

    Attributes
    ----------
    text : str
    tree : ast.expr
    names : tuple of str
        Names that are used as values, in order of appearance.
    sizes : frozenset of str
        Names in the place of a size, as in ``eye(n)``.
    exponents : frozenset of str
        Names in the exponent of a `matrix_power`.
    indices : frozenset of str
        Names of the indices of sums.
    """

    text: str
    tree: ast.expr
    names: tuple[str, ...]
    sizes: frozenset[str]
    exponents: frozenset[str]
    indices: frozenset[str] = frozenset()

    def refuse(self, message: str, where: str | ast.AST | None = None) -> NoReturn:
        """Raise a `ParseError` at a node, or at the first place of a name."""
        if isinstance(where, str):
            nodes = (n for n in ast.walk(self.tree) if isinstance(n, ast.Name) and n.id == where)
            where = min(nodes, key=lambda n: n.col_offset, default=None)
        _refuse(self.text, message, None if where is None else _column(self.text, where))


# -- before the parser -----------------------------------------------------------------------------

_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<name>[^\W\d]\w*)"
    r"|(?P<number>(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<open>[(\[])|(?P<close>[)\]])|(?P<operator>\*\*|[<>]=?|!=|[-+*/@^])|(?P<mark>')"
    r"|(?P<other>[.,:=])"
)
_CLOSING = {"(": ")", "[": "]"}


def _scan(text: str, known: frozenset[str]) -> list[tuple[int, str]]:
    """Refuse characters, keywords and depths that are not allowed in an expression.

    Gives the places of ``'`` and ``^``, with what Python writes for them.
    """
    depths, brackets, previous, owner = [0], [""], "", ""
    respelt: list[tuple[int, str]] = []
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        column = position + 1
        if found is None:
            character = text[position]
            advice = f"; {hints.SIGNS[character]}" if character in hints.SIGNS else ""
            _refuse(text, f"{character!r} has no meaning in an expression{advice}", column)
        kind, token = found.lastgroup, found.group()
        position = found.end()
        if kind == "space":
            continue
        operand = previous in ("name", "number", "close")
        if kind == "mark":
            if not operand or previous == "number":
                _refuse(text, f"{token!r} is the transpose of what it stands behind", column)
            respelt.append((column - 1, ".T"))
            previous = "close"
            continue
        if token == "^":
            respelt.append((column - 1, "**"))
        if kind == "name" and keyword.iskeyword(token):
            advice = f"; {hints.WORDS[token]}" if token in hints.WORDS else ""
            _refuse(text, f"{token!r} is a word of Python, not of expressions{advice}", column)
        if operand and kind in ("name", "number"):
            _refuse(text, f"expected * or @ before {token!r}", column)
        binary = kind == "operator" and token not in ("+", "-")
        if binary and previous == ".":
            advice = "* for an elementwise product, @ for a matrix product"
            advice = advice if token == "*" else f"{token} alone, which works entry by entry"
            _refuse(text, f"'.{token}' has no meaning in an expression; write {advice}", column)
        if (binary and not operand) or (kind == "close" and previous == "operator"):
            _refuse(text, f"something is missing before {token!r}", column)
        if kind == "name" and previous == "." and token != "T":
            advice = hints.for_attribute(token, owner, known)
            advice = f"; {advice}" if advice else ""
            _refuse(text, f"the only attribute is .T; found .{token}{advice}", column)
        if kind == "name":
            _check_name(text, token, column, known)
        elif kind == "number":
            _check_number(text, token, column)
        elif kind == "open":
            depths.append(0)
            brackets.append(_CLOSING[token])
        elif kind == "close":
            depths.pop()
            if token != brackets.pop():
                _refuse(text, f"{token!r} closes no bracket", column)
        elif token in ("**", "^") or (kind == "operator" and not operand):
            depths[-1] += 1
        elif kind == "operator" or token == ",":
            depths[-1] = 0
        if len(depths) + sum(depths) > _DEEPEST:
            _refuse(text, f"it is nested more than {_DEEPEST} deep; write it in parts", column)
        owner = token if kind == "name" else owner if token == "." else ""
        previous = token if token == "." else kind or ""
    if previous not in ("name", "number", "close"):
        _refuse(text, "something is missing at the end", len(text) + 1)
    if len(brackets) > 1:
        _refuse(text, f"a {brackets[-1]!r} is missing", len(text) + 1)
    return respelt


def _check_name(text: str, name: str, column: int, known: frozenset[str]) -> None:
    if name in known:
        return
    if unicodedata.normalize("NFKC", name) != name or not name.isidentifier():
        advice = next((hints.SIGNS[letter] for letter in name if letter in hints.SIGNS), "")
        advice = advice or "use plain letters and digits"
        _refuse(text, f"{name!r} is no name; {advice}", column)
    if name.startswith("_"):
        _refuse(text, f"{name!r} is not declared, and a name starts with a letter", column)


def _check_number(text: str, number: str, column: int) -> None:
    value = float(number.replace("_", ""))
    if value > LARGEST:
        _refuse(text, f"a number is at most {LARGEST:g}", column)
    if value == 0 and re.search("[1-9]", re.split("[eE]", number)[0]):
        _refuse(text, f"{number} is too small a number, and would be 0", column)


def _normalised(known: frozenset[str]) -> dict[str, str]:
    """Names by what Python's parser makes of them, as µ (micro) becomes μ (mu)."""
    result: dict[str, str] = {}
    for name in sorted(known):
        other = result.setdefault(unicodedata.normalize("NFKC", name), name)
        if other != name:
            raise ShapeError(
                f"Python cannot tell the names {other!r} and {name!r} apart; rename one"
            )
    return result


def read(
    text: object, known: frozenset[str] = frozenset(), scalars: frozenset[str] = frozenset()
) -> Source:
    """Text as a tree of permitted nodes.

    Parameters
    ----------
    text : str
    known : frozenset of str
        Names that are declared.
    scalars : frozenset of str
        Those of them that are scalars.

    Raises
    ------
    ParseError
        If it is no expression.
    """
    if not isinstance(text, str):
        raise ParseError(f"an expression is read from text; found {type(text).__name__}")
    if len(text) > _MOST_CHARACTERS:
        raise ParseError(
            f"the text is {len(text)} characters long; the most is {_MOST_CHARACTERS}. "
            "Read it in parts, and add them"
        )
    if not text.strip():
        raise ParseError("there is no text to read an expression from")
    typed = without_quotes(text.typed if isinstance(text, Text) else text)
    respelt = _scan(Text.of(typed), known)
    # Python's parser takes no line breaks outside brackets, and no spaces at the start.
    text = Text.of(re.sub(r"\s", " ", typed))
    written, places = at_places_of(text, respelt) if respelt else (text, [])
    stripped = written.lstrip()
    skipped = len(written) - len(stripped)
    try:
        tree = ast.parse(stripped, mode="eval").body
    except SyntaxError as error:
        message = (error.msg or "no expression").split(".")[0]
        column = skipped + (error.offset or 1)
        if respelt:
            column = len(text.encode()[: places[len(written[: column - 1].encode())]].decode()) + 1
        _refuse(text, message, column)
    except (RecursionError, MemoryError, ValueError):
        _refuse(text, "it has too many parts; read it in parts, and add them")
    if respelt:
        carets(tree, stripped, [place - skipped for place in _places_of_carets(respelt)])
        tree = transposes_by_caret(tree, scalars)
    as_declared = _normalised(known)
    for node in ast.walk(tree):
        if hasattr(node, "col_offset"):
            node.col_offset += skipped
            if respelt:
                node.col_offset = places[node.col_offset]
        if isinstance(node, ast.Name):
            node.id = as_declared.get(node.id, node.id)
    return _checked(text, tree, known)


def _places_of_carets(respelt: list[tuple[int, str]]) -> list[int]:
    """Where they stand in the text that Python reads, which is longer by one for each change."""
    return [place + before for before, (place, new) in enumerate(respelt) if new == "**"]


# -- after the parser ------------------------------------------------------------------------------

OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.MatMult: "@",
    ast.Pow: "**",
    Caret: "^",
}


COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Lt: "<",
    ast.LtE: "<=",
}


def _checked(text: str, tree: ast.expr, known: frozenset[str]) -> Source:
    """The tree with its names by role; refuses nodes and calls that are not permitted."""
    values: list[ast.Name] = []
    sizes: set[str] = set()
    exponents: set[str] = set()
    indices: set[str] = set()
    places: list[tuple[Place, ast.AST]] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name):
            if node.id in SIGNATURES:
                _refuse(text, f"{node.id!r} is a function; write {node.id}(…)", node)
            values.append(node)
        elif isinstance(node, ast.Constant):
            number_in(text, node)
        elif isinstance(node, ast.BinOp):
            if type(node.op) not in OPERATORS:
                _refuse(text, "the operators are + - * / @ **", node.right)
            waiting += [node.left, node.right]
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            waiting.append(node.operand)
        elif isinstance(node, ast.Attribute):
            assert node.attr == "T", "all other attributes have been refused"
            waiting.append(node.value)
        elif isinstance(node, ast.Compare):
            if len(node.ops) > 1 or type(node.ops[0]) not in COMPARISONS:
                message = "a comparison is one of > >= < <= between two expressions"
                if isinstance(node.ops[0], ast.NotEq):
                    message += "; for i != j write abs(i - j) > 0, or sum(f, j, where=i != j)"
                _refuse(text, message, node)
            waiting += [node.left, node.comparators[0]]
        elif isinstance(node, ast.Subscript):
            for part in index_in(text, node):
                if isinstance(part, Place):
                    places.append((part, node))
                bounds = (part.start, part.stop) if isinstance(part, slice) else ()
                for bound in bounds:
                    sizes.update(bound.all_names if isinstance(bound, Size) else ())
            waiting.append(node.value)
        elif isinstance(node, ast.Call) and (sum_ := _index_call(text, node, known)):
            indices.update(sum_.names)
            waiting.append(sum_.body)
            waiting += _sides_of_condition(text, sum_)
            if sum_.over is not None:
                sizes.update(size_in(text, sum_.over).all_names)
        elif isinstance(node, ast.Call):
            function = _check_call(text, node, known)
            if function in ALIASES:
                waiting += node.args
                continue
            for kind, argument in zip(SIGNATURES[function].kinds, node.args, strict=False):
                if kind == "s":
                    sizes.update(size_in(text, argument).all_names)
                elif kind in "lg":
                    waiting += blocks_in(text, function, argument)
                elif kind == "i" and function == "unit" and place_in(argument) is not None:
                    places.append((unit_place(argument), argument))
                elif kind == "i":
                    whole_in(text, argument)
                elif kind == "q":
                    subscripts_in(text, argument)
                elif kind == "o" and order_in(argument) is not None:
                    continue
                else:
                    waiting.append(argument)
            if function == "matrix_power":
                inside = ast.walk(node.args[1])
                exponents.update(part.id for part in inside if isinstance(part, ast.Name))
        else:
            _refuse(text, "this is no part of an expression", node)
    for place, where in places:
        if place.name not in indices and place.name not in known:
            _refuse(text, f"expected a whole number here, or an index; {_for_index(place)}", where)
    values.sort(key=lambda node: node.col_offset)
    names = tuple(dict.fromkeys(node.id for node in values if node.id not in indices))
    found = (frozenset(sizes), frozenset(exponents), frozenset(indices))
    return Source(text, tree, names, *found)


def _for_index(place: Place) -> str:
    return f"for the sum over {place.name} write sum(…, {place.name})"


def _index_call(text: str, node: ast.Call, known: frozenset[str]) -> IndexCall | None:
    if isinstance(node.func, ast.Name) and node.func.id in known:
        return None
    return index_call(node, lambda message, where: _refuse(text, message, where))


def _sides_of_condition(text: str, call: IndexCall) -> list[ast.expr]:
    """What a condition compares."""
    if call.where is None:
        return []
    tests = tests_in(call.where)
    allowed = (*COMPARISONS, ast.NotEq)
    if tests is None or any(not isinstance(test.ops[0], allowed) for test in tests):
        message = "the condition of a sum is a comparison such as t[j] >= t[i] or i != j, or "
        _refuse(text, f"{message}comparisons multiplied: (i < j) * (t[j] > 0)", call.where)
    return [side for test in tests for side in (test.left, test.comparators[0])]


def unit_place(node: ast.expr) -> Place:
    """The index of ``unit(i, n)``."""
    place = place_in(node)
    assert place is not None
    return place


def number_in(text: str, node: ast.Constant) -> int | float:
    """The number of a node."""
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(text, "only whole and decimal numbers are read", node)
    return value


def _check_call(text: str, node: ast.Call, known: frozenset[str]) -> str:
    if not isinstance(node.func, ast.Name):
        _refuse(text, "only a function by its name can be called", node)
    name = node.func.id
    if name in known:
        _refuse(text, f"{name!r} is no function; write {name} * (…)", node)
    if name in ALIASES:
        count = ALIASES[name]
        if node.keywords:
            _refuse(text, f"{name} takes no argument by name", node)
        if len(node.args) != count:
            _refuse(text, f"{name} takes {count}, found {len(node.args)} arguments", node)
        return name
    if name not in SIGNATURES:
        _refuse(text, f"unknown function {name!r}; {hints.for_function(name)}", node)
    signature = SIGNATURES[name]
    for keyword_ in node.keywords:
        if not (signature.axis and keyword_.arg == "axis") or len(node.keywords) > 1:
            what = f"{name} takes no argument by name" + (" but axis" if signature.axis else "")
            _refuse(text, what, node)
        whole_in(text, keyword_.value)
    if name == "einsum" and not node.args:
        subscripts_in(text, node)
    most = len(signature.kinds)
    if not signature.required <= len(node.args) <= most:
        counts = str(most) if signature.required == most else f"{signature.required} or {most}"
        _refuse(text, f"{name} takes {counts}, found {len(node.args)} arguments", node)
    return name


def whole_in(text: str, node: ast.expr) -> int:
    """The whole number, which may be negative, of a node."""
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, node = -1, node.operand
    value = number_in(text, node) if isinstance(node, ast.Constant) else None
    if not isinstance(value, int):
        _refuse(text, "expected a whole number here", node)
    return sign * value


def subscripts_in(text: str, node: ast.expr) -> str:
    """The subscripts of an einsum, which stand in quotes."""
    quoted = text.quoted if isinstance(text, Text) else {}
    if not isinstance(node, ast.Constant) or node.col_offset not in quoted:
        _refuse(text, "einsum takes subscripts in quotes first, as einsum('ij,jk->ik', A, B)", node)
    return quoted[node.col_offset]


def order_in(node: ast.expr) -> str | None:
    """The name of the order of a norm; None for anything else."""
    return node.id if isinstance(node, ast.Name) and node.id in ORDERS else None


def index_in(text: str, node: ast.Subscript) -> tuple[Index, ...]:
    """The index of a node: whole numbers and slices, whose bounds may be sizes."""
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    index: list[Index] = []
    for part in parts:
        if isinstance(part, ast.Slice):
            if part.step is not None:
                _refuse(text, "a slice has two bounds, as in x[1:5], and no step", node)
            index.append(slice(_bound_in(text, part.lower), _bound_in(text, part.upper)))
        else:
            place = place_in(part)
            index.append(whole_in(text, part) if place is None else place)
    if not 1 <= len(index) <= 2 or all(part == slice(None) for part in index):
        message = "write x[i], x[i:j], X[i, j], X[i, :] or X[:, j]"
        if len(index) > 2:
            message = "a tensor has no index in brackets; write einsum('ijk,i->jk', T, unit(0, n))"
        _refuse(text, message, node)
    return tuple(index)


def _bound_in(text: str, node: ast.expr | None) -> int | Size | None:
    if node is None:
        return None
    named = any(isinstance(part, ast.Name) for part in ast.walk(node))
    return size_in(text, node) if named else whole_in(text, node)


def blocks_in(text: str, function: str, node: ast.expr) -> list[ast.expr]:
    """The elements of a list of blocks."""
    if not isinstance(node, ast.List | ast.Tuple) or not node.elts:
        grid = "[[A, B], [C, D]]" if function == "block" else "[A, B]"
        _refuse(text, f"{function} takes a list, as in {function}({grid})", node)
    if function != "block":
        return list(node.elts)
    return [element for row in node.elts for element in blocks_in(text, "hstack", row)]


def size_in(text: str, node: ast.expr) -> Size:
    """A size: a number, a name, a product or a sum of them."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id in SIGNATURES:
            _refuse(text, f"{part.id!r} is a function, not a size", part)
    try:
        return size_of_tree(node).checked()
    except ShapeError as error:
        message = "a size is a number, a name, a product or a sum of them, as in m*n or n - 1"
        _refuse(text, str(error) if "at least" in str(error) else message, node)


def _refuse(text: str, message: str, where: int | ast.AST | None = None) -> NoReturn:
    column = _column(text, where) if isinstance(where, ast.AST) else where
    if isinstance(text, Text):
        text = text.typed
    shown = text.strip()
    if len(text) > _SHOWN:
        start = max(0, min((column or 1) - _SHOWN // 2, len(text) - _SHOWN))
        shown = text[start : start + _SHOWN]
        shown = ("…" if start else "") + shown + ("…" if start + _SHOWN < len(text) else "")
    place = "" if column is None else f", column {column}"
    raise ParseError(f"cannot read {shown!r}{place}: {message}", column)


def _column(text: str, node: ast.AST) -> int:
    """Where a node starts, counted from 1 in characters; Python counts the bytes of UTF-8."""
    offset = getattr(node, "col_offset", 0)
    return len(text.encode()[:offset].decode(errors="ignore")) + 1
