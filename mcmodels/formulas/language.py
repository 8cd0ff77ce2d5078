"""The text of a formula: its sides, its columns, and that it calls nothing but known functions.

Formulas are evaluated as Python by formulaic, and come from shells and files, too. So each
expression is parsed before, and refused unless all of it is on a list: numbers, columns,
arithmetic, comparisons, and calls of the functions below. Columns have names of their own in what
is evaluated, so that none is mistaken for a function or for a word of Python.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcmodels.exceptions import example_of
from mcmodels.tables.packages import imported

__all__ = [
    "FUNCTIONS",
    "Parsed",
    "baseline_of",
    "formulaic",
    "parsed",
    "refuse_unknown",
    "sides",
    "without_dot",
]

_UFUNCS = (
    *("log", "log2", "log10", "log1p", "exp", "exp2", "expm1", "sqrt", "cbrt", "square", "abs"),
    *("sign", "floor", "ceil", "round", "sin", "cos", "tan", "arcsin", "arccos", "arctan"),
    *("sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "minimum", "maximum"),
    *("where", "clip", "isin"),
)
# What formulaic has itself; `hashed` and `lag` are left out: the latter depends on other rows.
_TRANSFORMS = {"bs", "cr", "cs", "cc", "poly", "center", "scale", "standardize", "C", "I"}
_CONTRASTS = {"Treatment", "Sum", "Poly", "Helmert", "Diff"}
_KINDS_OF_CONTRASTS = {"treatment", "SAS", "sum", "helmert", "diff", "backward", "poly", "custom"}
# Functions by the name that a formula gives them; those of NumPy may also be written np.log.
FUNCTIONS = {name: getattr(np, name) for name in _UFUNCS}
_CALLED = {*FUNCTIONS, *_TRANSFORMS, *_CONTRASTS, "exp10"}
_LONGEST = 10_000  # characters of a formula
_LARGEST_POWER = 64
_ORDERS_OF_PRODUCTS = tuple("12345")  # formulaic makes all products before it drops equal ones
_INSTEAD = {
    "offset": "pass offset= with the name of the column to fit_formula",
    "exposure": "pass exposure= with the name of the column to fit_formula",
    "ns": "cr(x, df=3, constraints='center') spans natural cubic splines",
    "spline": "bs(x, df=4) is a spline of fixed knots",
    "s": "there are no penalised smooths; bs(x, df=4) is a spline of fixed knots",
    "te": "there are no penalised smooths; bs(x, df=4) is a spline of fixed knots",
    "factor": "write C(…)",
    "relevel": "write C(x, Treatment('level'))",
    "lag": "make the lagged column in the table: a row must not depend on the rows around it",
    "hashed": "make the hashed column in the table",
    "cbind": "give the share of successes, and the trials as sample_weight",
}
_TOKEN = re.compile(
    r"""(?P<quoted>Q\(\s*(?:'[^'\\`]*'|"[^"\\`]*")\s*\))   # Q("a name")
      | (?P<text>'[^']*'|"[^"]*")
      | (?P<ticked>`[^`]*`)
      | (?P<within>%in%)
      | (?P<number>(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
      | (?P<name>[^\W\d][\w.]*)
      | (?P<dot>\.)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_FORMULA = "the formula"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m|⧛\[[^⧚]*⧚|\n")


def formulaic() -> Any:
    """The package that makes design matrices of formulas."""
    return imported("formulaic", "formula", "a formula")


def sides(text: str) -> tuple[str | None, str]:
    """The left and the right side of a formula, as they are written; None without a left side.

    Raises
    ------
    TypeError, ValueError
        Where there is no text, or more than one ``~``.
    """
    if not isinstance(text, str):
        raise TypeError(f"formula={example_of(text)} must be text, such as 'age + C(region)*sex'.")
    if len(text) > _LONGEST:
        raise ValueError(f"formula has {len(text)} characters; at most {_LONGEST} are read.")
    cuts = [m.start() for m in _TOKEN.finditer(text) if m.group() == "~"]
    if len(cuts) > 1:
        raise ValueError(f"formula={example_of(text)} has {len(cuts)} signs ~; write one.")
    if not cuts:
        return None, text.strip()
    return text[: cuts[0]].strip() or None, text[cuts[0] + 1 :].strip()


def without_dot(text: str, columns: Iterable[str]) -> str:
    """The text with ``.`` written out: the sum of these columns."""
    every = " + ".join(f"`{name}`" for name in columns)
    return "".join(
        (f"({every})" if every else "0") if m.lastgroup == "dot" else m.group()
        for m in _TOKEN.finditer(text)
    )


@dataclass(frozen=True)
class Parsed:
    """A formula that calls known functions alone, in terms of names of its own.

    Parameters
    ----------
    terms : formulaic.SimpleFormula
        Its terms; columns are named as in ``names``.
    columns : tuple of str
        The columns that it reads, in the order in which it names them.
    names : dict of str to str
        The column behind each name in ``terms``.
    factors : frozenset of str
        Those names that stand for levels: ``x`` in ``C(x)``. Names of values in other calls begin
        with ``_value``.
    """

    terms: Any
    columns: tuple[str, ...]
    names: dict[str, str]
    factors: frozenset[str]

    def shown(self, text: str) -> str:
        """A text of formulaic with the names of the user."""
        return re.sub(r"_(?:column|factor|value)\d+_", lambda m: self.names.get(m[0], m[0]), text)

    @property
    def has_intercept(self) -> bool:
        """Whether the formula has an intercept: unless it says ``0 +`` or ``- 1``."""
        return any(str(term) == "1" for term in self.terms)

    @property
    def is_null(self) -> bool:
        """Whether the formula has an intercept and nothing else."""
        return [str(term) for term in self.terms] == ["1"]


def parsed(text: str, known: Sequence[str]) -> Parsed:
    """One side of a formula for a table with these columns.

    Raises
    ------
    ValueError
        Where it names a column that is not there, calls what it may not, or is no formula.
    """
    translated, names, factors = _translated(text, known)
    try:
        terms = formulaic().Formula(translated)
    except ImportError:
        raise
    except Exception as error:  # whatever the parser meets
        why = _COLOUR.sub(" ", str(error)).split("  ")[0].strip()
        found = Parsed((), (), names, factors).shown(why) or type(error).__name__
        raise ValueError(f"{example_of(text)} is not a formula: {found}") from error
    if not isinstance(terms, formulaic().formula.SimpleFormula):
        raise ValueError(f"{example_of(text)} has several parts; write one sum of terms.")
    result = Parsed(terms, tuple(dict.fromkeys(names.values())), names, factors)
    for factor in dict.fromkeys(f for term in terms for f in term.factors):
        _check(factor, result)
    return result


def _translated(text: str, known: Sequence[str]) -> tuple[str, dict[str, str], frozenset[str]]:
    """The text with names for columns that are safe, what they stand for, and which are factors."""
    columns, factors = set(known), set()
    safe: dict[str, str] = {}
    tokens = [m for m in _TOKEN.finditer(text) if not m.group().isspace()]
    out: list[str] = []
    opened: list[bool] = []  # brackets, and whether they are those of a call
    position = 0
    for at, token in enumerate(tokens):
        kind, written = token.lastgroup, token.group()
        out.append(text[position : token.start()])
        position = token.end()
        after = tokens[at + 1].group() if at + 1 < len(tokens) else ""
        second = tokens[at + 2].group() if at + 2 < len(tokens) else ""
        name = written
        _refuse_token(token, after)
        if written in ("(", "{", "["):
            called = at > 0 and tokens[at - 1].lastgroup == "name"
            opened.append(called or written != "(" or any(opened))
        elif written in (")", "}", "]") and opened:
            opened.pop()
        if not any(opened) and written in ("*", "^"):
            is_power = written == "^" or (at > 0 and tokens[at - 1].group() == "*")
            if is_power and after not in _ORDERS_OF_PRODUCTS:
                raise ValueError(
                    f"the formula has {example_of('**' + after)}; products of terms go up to **5, "
                    "and powers of columns are written I(x**2)."
                )
        if kind == "ticked":
            name = written[1:-1]
        elif kind == "quoted":
            name = written[written.index("(") + 1 : -1].strip()[1:-1]
        elif kind != "name" or after == "(" or (after == "=" != second and any(opened)):
            out.append(written)  # a number, an operator, a function or the name of an argument
            continue
        elif name not in columns and _is_word(name):
            out.append(written)
            continue
        if name not in columns:
            refuse_unknown(name, known)
        if kind == "name" and at and tokens[at - 1].lastgroup == "dot":
            raise ValueError(f"the formula has .{name}; attributes are not read.")
        before = [t.group() for t in tokens[max(at - 2, 0) : at]]
        role = "value" if any(opened) else "column"
        if before == ["C", "("] and after in (",", ")"):
            role = "factor"
        index = list(dict.fromkeys([*safe.values(), name])).index(name)
        safe[f"_{role}{index}_"] = name
        if role == "factor":
            factors.add(f"_{role}{index}_")
        out.append(f"_{role}{index}_")
    return "".join([*out, text[position:]]), safe, frozenset(factors)


def _refuse_token(token: re.Match[str], after: str) -> None:
    """Refuse what could make Python read the text otherwise, or call what is not known.

    The parser of formulaic evaluates the names of functions. So this comes before it.
    """
    kind, written = token.lastgroup, token.group()
    if kind == "other" and written in "\\#'\"`;@$!?":
        remedy = "; write where(a == b, 0, 1) for what differs." if written == "!" else "."
        raise ValueError(f"the formula has {written!r}, which has no meaning there{remedy}")
    if kind == "text" and (
        set("\\`") & set(written) or (len(written) == 2 and after[:1] == written[0])
    ):
        raise ValueError(
            f"the text {written} in the formula has a backslash, a backtick or a quotation mark; "
            "rename the level."
        )
    if kind == "name" and after == "(":
        start, _, rest = written.partition(".")
        if written not in _CALLED and not (rest and _is_attribute(start, rest)):
            raise ValueError(f"in the formula {_not_called(written)}")


def _is_word(name: str) -> bool:
    """Whether a name that is no column has a meaning of its own."""
    start, _, rest = name.partition(".")
    constant = name in {"True", "False", "None"} or name in _CONTRASTS
    return constant or (start == "np" and rest in FUNCTIONS) or start == "contr"


def refuse_unknown(name: str, known: Sequence[str], who: str = _FORMULA) -> None:
    """Raise for a name that is no column; ``who`` has named it."""
    columns = [str(column) for column in known]
    nearest = difflib.get_close_matches(name, columns, n=1)
    nearest = nearest or [of for of in columns if name in re.split(r"\W+", of)]  # of several words
    listed = ", ".join(columns[:10]) + (", …" if len(columns) > 10 else "")
    hint = f"Did you mean {nearest[0]!r}?" if nearest else f"The data have {listed}."
    if nearest and who == _FORMULA and not all(map(str.isidentifier, nearest[0].split("."))):
        hint = f"Did you mean `{nearest[0]}`? Names that are no words stand in backticks."
    raise ValueError(f"{who} names {name!r}, which is not a column of the data. {hint}")


def _check(factor: Any, found: Parsed) -> None:
    """Refuse a factor that does anything but compute with columns."""
    method, expression = factor.eval_method.value, factor.expr
    if method == "literal":
        if expression != "1":
            raise ValueError(
                f"the formula has the number {expression} as a term; write I(…) for arithmetic."
            )
        return
    if method == "lookup":
        if expression not in found.names:
            raise ValueError(f"the formula has {expression!r} as a term, which is not a column.")
        return
    shown = found.shown(expression)
    try:
        tree = ast.parse(expression, mode="eval").body
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        refused = next(_refused(tree, found), None)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"{shown!r} in the formula is not an expression: {error}") from error
    if refused is not None:
        raise ValueError(f"{shown!r} in the formula: {found.shown(refused)}")
    if used.isdisjoint(found.names):
        raise ValueError(f"{shown!r} in the formula reads no column.")


_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)
_BITS = (ast.BitAnd, ast.BitOr)
_MAY_BE = (
    *(ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.Name, ast.Constant, ast.List, ast.Tuple),
    *(ast.Dict, ast.Attribute),
)
_SIGNS = (ast.UAdd, ast.USub, ast.Invert)
_ORDERS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)


def _refused(node: ast.AST, found: Parsed) -> Iterator[str]:
    """What is wrong with an expression."""
    if not isinstance(node, _MAY_BE):
        yield f"{ast.unparse(node)!r} is not allowed; write arithmetic and functions of columns."
        return
    if isinstance(node, ast.Constant):
        # formulaic writes expressions into quotation marks, and a text must not end them.
        if isinstance(node.value, str) and set(ast.unparse(node)[1:-1]) & set("\"'\\"):
            yield f"the text {node.value!r} has a quotation mark or a backslash; rename the level."
        elif not isinstance(node.value, str | int | float | bool | None):
            yield f"{ast.unparse(node)!r} is not allowed."
        elif isinstance(node.value, str) and ast.unparse(node)[0] != "'":
            yield f"the text {node.value!r} has a quotation mark; rename the level."
    elif isinstance(node, ast.Name):
        if node.id not in found.names and node.id not in _CONTRASTS:
            yield _not_called(node.id) if node.id not in _CALLED else f"{node.id} needs a column."
    elif isinstance(node, ast.Attribute):
        if not (isinstance(node.value, ast.Name) and _is_attribute(node.value.id, node.attr)):
            yield f"{ast.unparse(node)!r} is not allowed; of NumPy there are {_some_functions()}."
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name):
            if node.func.id not in _CALLED:
                yield _not_called(node.func.id)
        else:
            yield from _refused(node.func, found)
        for keyword in node.keywords:
            if keyword.arg is None or keyword.arg.startswith("_"):
                yield f"{ast.unparse(keyword)!r} is not allowed."
            yield from _refused(keyword.value, found)
        for argument in node.args:
            yield from _refused(argument, found)
    else:
        if isinstance(node, ast.BinOp):
            yield from _refused_operation(node)
        if isinstance(node, ast.UnaryOp) and not isinstance(node.op, _SIGNS):
            yield f"{ast.unparse(node)!r} is not allowed; write ~ for not."
        if isinstance(node, ast.Compare) and not (
            len(node.ops) == 1 and isinstance(node.ops[0], _ORDERS)
        ):
            yield f"{ast.unparse(node)!r} is not allowed; join comparisons of two with & or |."
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                yield from _refused(child, found)


def _refused_operation(node: ast.BinOp) -> Iterator[str]:
    if not isinstance(node.op, _OPERATORS + _BITS):
        yield f"{ast.unparse(node)!r} is not allowed."
    for side in (node.left, node.right):
        if isinstance(side, ast.Constant | ast.List | ast.Tuple | ast.Dict) and not isinstance(
            getattr(side, "value", None), int | float
        ):
            yield f"{ast.unparse(node)!r} is not arithmetic."
    if isinstance(node.op, ast.Pow):
        power: Any = node.right
        power = power.operand if isinstance(power, ast.UnaryOp) else power
        has_column = any(isinstance(n, ast.Name) for n in ast.walk(node.left))
        if not isinstance(power, ast.Constant) or not has_column:
            yield f"{ast.unparse(node)!r}: raise a column to a number; exp(…) has columns in it."
        elif isinstance(power.value, int | float) and power.value > _LARGEST_POWER:
            yield f"{ast.unparse(node)!r}: powers go up to {_LARGEST_POWER}."


def _is_attribute(of: str, name: str) -> bool:
    return (of == "np" and name in FUNCTIONS) or (of == "contr" and name in _KINDS_OF_CONTRASTS)


def _not_called(name: str) -> str:
    known = sorted(_CALLED)
    nearest = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"there are {', '.join(known)}."
    if name in _INSTEAD:
        hint = f"{_INSTEAD[name]}."
    return f"{name!r} is not a function of formulas; {hint}"


def _some_functions() -> str:
    return ", ".join(f"np.{name}" for name in _UFUNCS[:8]) + " and others"


def baseline_of(expression: str, levels: Sequence[Any]) -> Any:
    """The level that treatment contrasts compare with; the first one for all other codings.

    Parameters
    ----------
    expression : str
        A factor as it is coded, such as ``x`` or ``C(x, Treatment('b'))``.
    levels : sequence
        Its levels, in order.
    """
    for node in ast.walk(ast.parse(expression, mode="eval")):  # a call before its name
        given: list[ast.expr] = []
        if isinstance(node, ast.Call):
            given = [*node.args, *(k.value for k in node.keywords if k.arg == "base")]
        kind = ast.unparse(node.func if isinstance(node, ast.Call) else node)
        kind = kind.removeprefix("contr.")
        if kind in ("Treatment", "treatment", "SAS"):
            if given:
                base = ast.literal_eval(given[0])
                return next(level for level in levels if level == base)
            return levels[-1 if kind == "SAS" else 0]
    return levels[0]
