"""What derive.html asks of the calculus: a question as JSON, and the answer as JSON.

It runs in the reader's browser, without NumPy. Texts that are typed are read by `parse`, which
never runs them.
"""

from __future__ import annotations

import json
import re
import warnings
from typing import Any

from mcmodels.calculus.core.einsum_nodes import TensorSymbol
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.named_numbers import NAMED_NUMBERS
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.core.sizes import ShapeError
from mcmodels.calculus.core.tensors import Tensor
from mcmodels.calculus.derive.products_meant import product_meant
from mcmodels.calculus.study.derivation import Derivation, Step
from mcmodels.calculus.text.declarations import Declaration, declaration
from mcmodels.calculus.text.parsing import parse
from mcmodels.calculus.text.printing import latex, tensor_latex, tensor_mathematics
from mcmodels.calculus.text.shape_inference import infer_symbols, other_kind

__all__ = ["LANGUAGES", "LONGEST", "answer"]

LANGUAGES = ("numpy", "jax", "torch", "julia", "matlab", "r", "latex")
LONGEST = 2000  # characters of a text that is typed
_LONGEST_SHOWN = 20_000  # characters of a formula; nobody reads more, and to typeset it takes long
# Between declarations: a semicolon, a line, or a comma or a space before the next NAME=.
_BETWEEN = re.compile(r"[;\n]|[,\s]\s*(?=[^\W\d]\w*\s*=)")


class Question(ValueError):
    """What is asked cannot be answered; the message says what to change."""


def answer(question: str) -> str:
    """The answer to a question, both as JSON; an error is an answer, too."""
    asked = json.loads(question)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = _ANSWERS[asked["what"]](asked)
    except RecursionError:
        found = _refusal("NestingError", "the expression is nested too deeply; write it in parts")
    except (ValueError, TypeError, ArithmeticError, LookupError, NotImplementedError) as error:
        kind = "" if isinstance(error, Question) else type(error).__name__
        found = _refusal(kind, str(error))
    return json.dumps(found, ensure_ascii=False)


def _refusal(kind: str, message: str) -> dict[str, Any]:
    # Messages of the command line name its option; here declarations have a field of their own.
    words = re.sub(r"--let ([^\s;)]+)( --let )?", r"\1", message).replace("as --let", "as")
    return {"ok": False, "kind": kind, "message": words}


# -- what was typed --------------------------------------------------------------------------------


def _declared(text: str) -> dict[str, Declaration]:
    found: dict[str, Declaration] = {}
    for pair in _BETWEEN.split(text):
        if not pair.strip():
            continue
        name, equals, shape = (part.strip() for part in pair.partition("="))
        if not (name and equals and shape):
            raise Question(
                f"declaration {pair.strip()!r}: write NAME=SHAPE, as in A=n,n or c=scalar"
            )
        if name in found:
            raise Question(f"{name} is declared twice")
        found[name] = declaration(name, shape)
    return found


def _read(asked: dict[str, Any]) -> tuple[Expression | Tensor, dict[str, Symbol], str, str]:
    """The expression, its symbols, the variable, and what a name was taken for beside others."""
    text, wanted = asked["expression"], asked.get("variable") or None
    given = asked.get("declarations", "")
    if not text.strip():
        raise Question("type an expression, for example x.T @ A @ x")
    for typed in (text, given):
        if len(typed) > LONGEST:
            raise Question(
                f"at most {LONGEST} characters are read here; in Python there is no limit"
            )
    declared = _declared(given)
    symbols = infer_symbols(text, declared, wanted)
    if not symbols:
        raise Question("the expression has no variables: there is nothing to differentiate by")
    variable = wanted if wanted in symbols else _likely(symbols)
    if variable != wanted:
        symbols = infer_symbols(text, declared, variable)
    f = parse(text, **symbols)
    return f, symbols, variable, other_kind(text, declared, symbols, variable)


def _likely(symbols: dict[str, Symbol]) -> str:
    """By what an expression is likely to be differentiated."""
    for name in ("x", "w", "X", "W", "theta", "beta", "mu", "b"):
        if name in symbols:
            return name
    return next(iter(symbols))


# -- how it is shown -------------------------------------------------------------------------------


def _formula(e: Any) -> dict[str, str]:
    """A formula as LaTeX, as mathematics in plain text, and as Python."""
    shown = {"text": tensor_mathematics(e), "latex": tensor_latex(e), "python": str(e)}
    if len(shown["latex"]) > _LONGEST_SHOWN:
        shown["latex"] = ""
    return {key: _short(text) for key, text in shown.items()}


def _short(text: str) -> str:
    rest = len(text) - _LONGEST_SHOWN
    return text if rest <= 0 else f"{text[:_LONGEST_SHOWN]} … ({rest} characters more)"


def _shape(e: Any) -> str:
    if isinstance(e, Tensor):
        return f"tensor of {'×'.join(map(_size, e.dims.of))}"
    if e.is_scalar:
        return "scalar"
    return f"vector of {_size(e.rows)}" if e.is_column else f"{_size(e.rows)}×{_size(e.cols)}"


def _size(size: Any) -> str:
    """A size as it is written by hand: mn, 2n, (n + 1)."""
    text = str(size).replace("*", "")
    return f"({text})" if " " in text else text


def _symbol(name: str, made: Symbol, f: Any, declared: dict[str, Declaration]) -> dict[str, Any]:
    described = made.described()
    advice = ""
    if name not in declared and name == "I":
        advice = "the identity is eye(n)"
    elif name not in declared and not f.is_scalar and made.is_scalar:
        advice = f"if it is a vector, declare {name}=n"
    kind = "scalar" if made.is_scalar else "vector" if made.is_column else "matrix"
    return {
        "name": name,
        "kind": kind,
        "properties": sorted(made.declared),
        "described": re.sub(r"^an? ", "", described),
        "declared": name in declared,
        "advice": advice,
    }


def _step(step: Step, starts_anew: bool) -> dict[str, Any]:
    lines = []
    if step.identifies:
        lines.append((step.label, step.after))
    else:
        if starts_anew:
            lines.append((step.label, step.before))
        lines.append(("", step.after))
    return {
        "rules": [
            {"name": r.name, "statement": r.statement, "source": r.source} for r in step.rules
        ],
        "lines": [
            {
                "latex": _label(label) + r" = " + _formula(e)["latex"]
                if _formula(e)["latex"]
                else "",
                "text": f"{label} = {_formula(e)['text']}",
            }
            for label, e in lines
        ],
    }


def _label(label: str) -> str:
    for sign, written in (
        ("∂²", r"\partial^2 "), ("∂", r"\partial "), ("∇", r"\nabla "), ("²", "^2"),
        ("vec ", r"\operatorname{vec} "), ("d", r"\mathrm{d}"),
    ):  # fmt: skip
        if sign != "d":
            label = label.replace(sign, written)
    return re.sub(r"^d|(?<=vec\} )d", r"\\mathrm{d}", label)


# -- questions -------------------------------------------------------------------------------------


def _derive(asked: dict[str, Any]) -> dict[str, Any]:
    f, symbols, variable, other = _read(asked)
    order = asked.get("order") or "gradient"
    derivation, result, remarks = _derived(f, symbols[variable], order)
    declared = _declared(asked.get("declarations", ""))
    if other:
        size = "scalar" if other == "scalar" else "n"
        remarks.append(f"{variable} is taken for {symbols[variable].described()}; "
                       f"if it is a {other}, declare {variable}={size}")  # fmt: skip
    parts = f.entries if isinstance(f, Tensor) else f
    text = asked["expression"]
    numbers = [name for name in NAMED_NUMBERS if re.search(rf"\b{name}\b", text)]
    remarks += [f"{name} is the number" for name in numbers if name not in symbols]
    hint = product_meant(parts) if parts.is_array else ""
    remarks += [hint] if hint else []
    steps = () if derivation is None else derivation.steps
    notes = () if derivation is None else derivation.notes
    return {
        "ok": True,
        "variable": variable,
        "symbols": [_symbol(name, made, parts, declared) for name, made in symbols.items()],
        "kind": _name_of(f, order),
        "f": {**_formula(f), "shape": _shape(f)},
        "by": latex(symbols[variable]),
        "result": {**_formula(result), "shape": _shape(result)},
        "steps": [
            _step(step, i == 0 or steps[i - 1].after != step.before) for i, step in enumerate(steps)
        ],
        "notes": [*notes, *remarks],
    }


def _name_of(f: Any, order: str) -> str:
    if order == "Hessian":
        return "Hessian"
    return "gradient" if f.is_scalar and order != "Jacobian" else "Jacobian"


def _derived(f: Any, x: Symbol, order: str) -> tuple[Derivation | None, Any, list[str]]:
    """The derivation, the derivative, and what is to be said of them."""
    if isinstance(f, Tensor):
        derivative = f.gradient(x) if f.is_scalar else f.jacobian(x)
        return None, derivative, ["steps are shown for scalars, vectors and matrices"]
    if order == "Hessian" and not f.is_scalar:
        raise Question(
            f"a Hessian is one of a scalar, and this is a {_shape(f)}: take its Jacobian, or the "
            "Hessian of an entry or of a sum of it"
        )
    if order == "Hessian":
        derivation = f.derivation(x, order=2)
        return derivation, derivation.result, []
    derivation = f.derivation(x)
    if f.is_scalar and order == "Jacobian":
        return derivation, f.jacobian(x), ["the Jacobian of a scalar is its gradient as one row"]
    said = [] if f.is_scalar or order == "Jacobian" else [
        f"this is a {_shape(f)}, so that it has a Jacobian: a row for each output, a column for "
        "each input"
    ]  # fmt: skip
    return derivation, derivation.result, said


def _code(asked: dict[str, Any]) -> dict[str, Any]:
    f, symbols, variable, _ = _read(asked)
    _, result, _ = _derived(f, symbols[variable], asked.get("order") or "gradient")
    language = asked["language"]
    if language not in LANGUAGES:
        raise Question(f"the language is one of {', '.join(LANGUAGES)}")
    return {"ok": True, "language": language, "code": _short(result.code(language))}


def _doctor(asked: dict[str, Any]) -> dict[str, Any]:
    from mcmodels.calculus.study.doctor import diagnose

    f, symbols, variable, _ = _read(asked)
    claim = asked["claim"]
    if not claim.strip():
        raise Question("type your derivative, for example 2 * A @ x")
    if len(claim) > LONGEST:
        raise Question(f"at most {LONGEST} characters are read here; in Python there is no limit")
    if isinstance(f, Tensor) or isinstance(symbols[variable], TensorSymbol):
        raise Question("the doctor examines derivatives of scalars, vectors and matrices")
    try:
        claimed = parse(claim, **symbols)
    except ShapeError as error:
        return _misfit(asked, symbols, error)
    unknown = sorted(s.name for s in claimed.used if s.name not in symbols)
    if unknown:
        raise Question(
            f"the expression has no {unknown[0]}; it has {', '.join(symbols)}. Write your "
            "derivative in these names"
        )
    order = asked.get("order") or "gradient"
    of = f.gradient(symbols[variable]) if order == "Hessian" and f.is_scalar else f
    found = diagnose(of, symbols[variable], claimed)
    right = f.jacobian(symbols[variable]) if order == "Jacobian" else found.right
    return {
        "ok": True,
        "correct": found.correct,
        "mistake": found.mistake,
        "explanation": found.explanation,
        "remedy": _in_declarations(found.remedy),
        "also": list(found.also),
        "right": _formula(right) if isinstance(right, Expression) else {"text": str(right)},
        "claimed": _formula(claimed),
        "kind": _name_of(f, order),
    }


def _misfit(asked: dict[str, Any], symbols: dict[str, Symbol], error: ShapeError) -> dict[str, Any]:
    """The verdict on a claim that fits no shape: its mistake, if it has one where all are equal."""
    equal = {
        s.name: [",".join("n" for _ in s.shape) or "scalar", *sorted(s.declared)]
        for s in symbols.values()
    }
    given = "; ".join(f"{name}={':'.join(parts[:2])}" for name, parts in equal.items())
    misfit = f"your derivative does not fit the shapes: {error}"
    if asked.get("equal") or any(len(parts) > 2 for parts in equal.values()):
        raise Question(misfit)
    try:
        found = _doctor({**asked, "declarations": given, "equal": True})
    except (Question, ShapeError):
        raise Question(misfit) from None
    if found["correct"] or found["mistake"] == "unknown":
        raise Question(misfit)
    explanation = f"{misfit}. Where all sizes are equal: {found['explanation']}"
    f = parse(asked["expression"], **symbols)
    _, right, _ = _derived(f, symbols[asked["variable"]], asked.get("order") or "gradient")
    return {**found, "explanation": explanation, "right": _formula(right)}


def _in_declarations(remedy: str) -> str:
    """A remedy in the words of the page, where symbols are declared by text."""
    return re.sub(r"\bwith (\w+)=True\b", r"as \1 (under Shapes)", remedy)


def _identities(_: dict[str, Any]) -> dict[str, Any]:
    from mcmodels.calculus import identities

    return {"ok": True, "identities": [_identity(each) for each in identities.CATALOGUE]}


def _identity(identity: Any) -> dict[str, Any]:
    f, x = identity.expression, identity.variable
    lines = []
    if x is None:
        lines.append(rf"\mathrm{{d}}\left({latex(f)}\right) = {latex(identity.differential)}")
    else:
        by, letter = latex(x), identity.letter
        lines.append(f"{letter} = {latex(f)}")
        first = identity.gradient if identity.jacobian is None else identity.jacobian
        lines.append(rf"\frac{{\partial {letter}}}{{\partial {by}}} = {latex(first)}")
        if identity.hessian is not None:
            lines.append(
                rf"\frac{{\partial^2 {letter}}}{{\partial {by}^2}} = {latex(identity.hessian)}"
            )
    symbols = sorted(f.used, key=lambda symbol: symbol.name)
    return {
        "name": identity.name,
        "theme": identity.theme,
        "lines": lines,
        "text": identity.statement,
        "remark": identity.remark,
        "source": identity.source,
        "expression": str(f),
        "variable": "" if x is None else x.name,
        "declarations": "; ".join(f"{s.name}={_declaration(s)}" for s in symbols),
    }


def _declaration(symbol: Symbol) -> str:
    """The declaration of a symbol, as it is typed."""
    sizes = (
        "scalar"
        if symbol.is_scalar
        else ",".join(str(size) for size in symbol.axes[: len(symbol.shape)])
    )
    implied = {"symmetric"} if symbol.declared & {"positive_definite", "diagonal"} else set()
    properties = sorted(symbol.declared - implied)
    return f"{sizes}:{','.join(properties)}" if properties else sizes


_ANSWERS = {"derive": _derive, "code": _code, "doctor": _doctor, "identities": _identities}
