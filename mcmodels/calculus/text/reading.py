"""Text as a syntax tree: checked character by character and node by node, never run.

Text goes through three gates: its characters and its depth are checked before Python's own parser
sees it, every node of the tree must be one of a few kinds, and every call must be of a function in
`SIGNATURES`.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from bisect import bisect_left
from itertools import accumulate

from mcmodels.calculus.core.signatures import SIGNATURES
from mcmodels.calculus.core.sizes import ShapeError, Size
from mcmodels.calculus.text import hints
from mcmodels.calculus.text.aliases import ALIASES
from mcmodels.calculus.text.arguments import (
    blocks_in,
    index_in,
    number_in,
    order_in,
    size_in,
    subscripts_in,
    unit_place,
    whole_in,
)
from mcmodels.calculus.text.generators import GENERATORS, REMEDY
from mcmodels.calculus.text.index_calls import (
    IndexCall,
    Place,
    counted_in,
    index_call,
    place_in,
    tests_in,
)
from mcmodels.calculus.text.numpy_calls import is_in_numpys_spelling, without_modules
from mcmodels.calculus.text.numpy_functions import FUNCTIONS
from mcmodels.calculus.text.numpy_stacks import STACKS
from mcmodels.calculus.text.quotes import Text
from mcmodels.calculus.text.scanning import scan
from mcmodels.calculus.text.spelling import (
    Caret,
    Slash,
    SlashBesideMarks,
    Star,
    StarBesideMarks,
    at_places_of,
    mark,
    places_of_whole_products,
    transposes_by_caret,
    with_plain_options,
)
from mcmodels.calculus.text.syntax import COMPARISONS, OPERATORS, ParseError, Source, refuse

__all__ = ["read"]

_MOST_CHARACTERS = 20_000  # keeps the time that a hostile text can take small


_NO_NUMBERS = {
    "inf": "of norms, it is an order: norm(x, inf)",
    "nan": "declare it, as in nan='scalar', if it is a symbol",
}


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
    typed = with_plain_options(text.typed if isinstance(text, Text) else text)
    respelt = scan(Text.of(typed), known)
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
        refuse(text, message, column)
    except (RecursionError, MemoryError, ValueError):
        refuse(text, "it has too many parts; read it in parts, and add them")
    if respelt:
        carets = [place for place, new in respelt if new == "**"]
        mark(tree, stripped, _written(carets, respelt, skipped), {ast.Pow: Caret})
        kinds: dict[type, type[ast.operator]] | None = None
        if any(new in (" ", "*") for _, new in respelt):
            kinds = {ast.Mult: Star, ast.Div: Slash}
        elif "@" not in text and any(new == ".T" for _, new in respelt):
            kinds = {ast.Mult: StarBesideMarks, ast.Div: SlashBesideMarks}
        if kinds is not None:
            products = _written(places_of_whole_products(text), respelt, skipped)
            mark(tree, stripped, products, kinds)
        tree = transposes_by_caret(tree, scalars)
    is_numpy = is_in_numpys_spelling(tree, text, known)
    tree = without_modules(tree, text, known)
    as_declared = _normalised(known)
    if skipped or respelt or any(name != read for read, name in as_declared.items()):
        for node in ast.walk(tree):
            if hasattr(node, "col_offset"):
                node.col_offset += skipped
                if respelt:
                    node.col_offset = places[node.col_offset]
            if isinstance(node, ast.Name):
                node.id = as_declared.get(node.id, node.id)
    return _checked(text, tree, known, is_numpy)


def _written(places: list[int], respelt: list[tuple[int, str]], skipped: int) -> list[int]:
    """Where characters of the text stand in what Python reads, in which some signs are longer."""
    starts = [place for place, _ in respelt]
    longer = [0, *accumulate(len(new) - 1 for _, new in respelt)]
    return [place + longer[bisect_left(starts, place)] - skipped for place in places]


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


def _checked(text: str, tree: ast.expr, known: frozenset[str], is_numpy: bool) -> Source:
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
                refuse(text, f"{node.id!r} is a function; write {node.id}(…)", node)
            if node.id in _NO_NUMBERS and node.id not in known:
                refuse(text, f"no number is {node.id} here; {_NO_NUMBERS[node.id]}", node)
            values.append(node)
        elif isinstance(node, ast.Constant):
            number_in(text, node)
        elif isinstance(node, ast.BinOp):
            if type(node.op) not in OPERATORS:
                refuse(text, "the operators are + - * / @ **", node.right)
            waiting += [node.left, node.right]
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            waiting.append(node.operand)
        elif isinstance(node, ast.Attribute):
            if node.attr != "T":
                how = hints.how_called(node.attr)
                refuse(text, f"{node.attr!r} is a function; write {how}", node)
            waiting.append(node.value)
        elif isinstance(node, ast.Compare):
            if len(node.ops) > 1 or type(node.ops[0]) not in COMPARISONS:
                message = "a comparison is one of > >= < <= between two expressions"
                if isinstance(node.ops[0], ast.NotEq):
                    message += "; for i != j write abs(i - j) > 0, or sum(f, j, where=i != j)"
                refuse(text, message, node)
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
            if counted := counted_in(sum_.over):
                waiting.append(counted[0])
            elif sum_.over is not None:
                sizes.update(size_in(text, sum_.over).all_names)
        elif isinstance(node, ast.Call):
            function = _check_call(text, node, known)
            if function in STACKS:
                waiting += blocks_in(text, function, node.args[0])
                continue
            if function in ALIASES or function in FUNCTIONS:
                waiting += node.args
                continue
            for kind, argument in zip(SIGNATURES[function].kinds, node.args, strict=False):
                if kind == "s" and (counted := counted_in(argument)):
                    waiting.append(counted[0])
                elif kind == "s":
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
        elif isinstance(node, ast.List | ast.Tuple):
            message = "arrays side by side are written hstack([A, B]), one below the other "
            refuse(text, f"{message}vstack([A, B])", node)
        elif isinstance(node, GENERATORS):
            refuse(text, f"a sum in Python runs over range(n) here; {REMEDY}", node)
        else:
            refuse(text, "this is no part of an expression", node)
    for place, where in places:
        if place.name not in indices and place.name not in known:
            refuse(text, f"expected a whole number here, or an index; {_for_index(place)}", where)
    values.sort(key=lambda node: node.col_offset)
    names = tuple(dict.fromkeys(node.id for node in values if node.id not in indices))
    found = (frozenset(sizes), frozenset(exponents), frozenset(indices))
    return Source(text, tree, names, *found, is_numpy)


def _for_index(place: Place) -> str:
    return f"for the sum over {place.name} write sum(…, {place.name})"


def _index_call(text: str, node: ast.Call, known: frozenset[str]) -> IndexCall | None:
    if isinstance(node.func, ast.Name) and node.func.id in known:
        return None
    return index_call(node, lambda message, where: refuse(text, message, where))


def _sides_of_condition(text: str, call: IndexCall) -> list[ast.expr]:
    """What a condition compares."""
    if call.where is None:
        return []
    tests = tests_in(call.where)
    allowed = (*COMPARISONS, ast.NotEq)
    if tests is None or any(not isinstance(test.ops[0], allowed) for test in tests):
        message = "the condition of a sum is a comparison such as t[j] >= t[i] or i != j, or "
        refuse(text, f"{message}comparisons multiplied: (i < j) * (t[j] > 0)", call.where)
    return [side for test in tests for side in (test.left, test.comparators[0])]


def _check_call(text: str, node: ast.Call, known: frozenset[str]) -> str:
    if not isinstance(node.func, ast.Name):
        refuse(text, "only a function by its name can be called", node)
    name = node.func.id
    if name in known:
        refuse(text, f"{name!r} is no function; write {name} * (…)", node)
    if name in STACKS:
        for option in node.keywords:
            if option.arg != "axis" or name != "np.concatenate" or len(node.keywords) > 1:
                what = ", and axis" if name == "np.concatenate" else ""
                refuse(text, f"{name} takes the arrays alone{what}", node)
            whole_in(text, option.value)
        if len(node.args) != 1:
            refuse(text, f"{name} takes a list, as in {name}([A, B])", node)
        return name
    if name in ALIASES or name in FUNCTIONS:
        count = ALIASES[name] if name in ALIASES else FUNCTIONS[name].count
        options = FUNCTIONS[name].options if name in FUNCTIONS else ()
        for option in node.keywords:
            if option.arg not in options:
                refuse(text, hints.for_options(name, options), node)
            whole_in(text, option.value)
        if len(node.args) != count:
            refuse(text, f"{name} takes {count}, found {len(node.args)} arguments", node)
        return name
    if name not in SIGNATURES:
        refuse(text, f"unknown function {name!r}; {hints.for_function(name)}", node)
    signature = SIGNATURES[name]
    for keyword_ in node.keywords:
        if not (signature.axis and keyword_.arg == "axis") or len(node.keywords) > 1:
            what = f"{name} takes no argument by name" + (" but axis" if signature.axis else "")
            refuse(text, what, node)
        whole_in(text, keyword_.value)
    if name == "einsum" and not node.args:
        subscripts_in(text, node)
    most = len(signature.kinds)
    if not signature.required <= len(node.args) <= most:
        counts = str(most) if signature.required == most else f"{signature.required} or {most}"
        advice = f"; along an axis write {name}(X, axis=1)" if signature.axis and node.args else ""
        refuse(text, f"{name} takes {counts}, found {len(node.args)} arguments{advice}", node)
    return name
