"""``mcmodels derive``: the shapes, and the steps, LaTeX or code of a derivative."""

from __future__ import annotations

import argparse
import difflib
import itertools
from collections.abc import Mapping

from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.named_numbers import NAMED_NUMBERS
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.calculus.derive.products_meant import product_meant
from mcmodels.calculus.text.declarations import Declaration, declaration
from mcmodels.calculus.text.parsing import parse
from mcmodels.calculus.text.shape_inference import infer_symbols, other_kind

__all__ = ["derive"]


def derive(options: argparse.Namespace) -> str:
    """The derivation as text, in the form that the options choose."""
    declared = _declared(options.let)
    symbols = infer_symbols(options.expression, declared, options.wrt)
    if options.wrt not in symbols:
        raise ValueError(f"--wrt {options.wrt}: {_absent(options.wrt, symbols)}")
    try:
        f = parse(options.expression, **symbols)
        derivation = f.derivation(symbols[options.wrt], order=2 if options.hessian else 1)
        if options.latex:
            sign, text = "% ", derivation.latex()
        elif options.numpy:
            sign, text = "# ", _code(derivation.result)
        else:
            sign, text = "", str(derivation)
    except RecursionError:
        raise ValueError("the expression is nested too deeply to be differentiated") from None
    other = other_kind(options.expression, declared, symbols, options.wrt)
    return f"{sign}{_shapes(f, symbols, declared, options.wrt, other)}\n\n{text.strip()}"


def _code(result: Expression) -> str:
    """Python code; a comment says if it was written for certain sizes only."""
    compiled = result.compile()
    names = sorted(result.size_names)
    others = dict(zip(names, itertools.count(101), strict=False))
    usual = compiled.standalone_source_for()
    if compiled.standalone_source_for(**others) == usual:
        return usual
    return (
        f"# written for {', '.join(names)} of 100; declare other sizes, as in --let A=30,20\n\n"
        f"{usual}"
    )


def _declared(pairs: list[str]) -> dict[str, Declaration]:
    declared: dict[str, Declaration] = {}
    for pair in pairs:
        name, equals, shape = (part.strip() for part in pair.partition("="))
        if not (name and equals and shape):
            raise ValueError(f"--let {pair}: write NAME=SHAPE, as in A=n,n or c=scalar")
        if name in declared:
            raise ValueError(f"--let {pair}: {name} is declared twice")
        declared[name] = declaration(name, shape)
    return declared


def _absent(name: str, symbols: Mapping[str, Symbol]) -> str:
    if not symbols:
        return "the expression has no variables"
    nearest = difflib.get_close_matches(name, symbols, n=1)
    hint = f"did you mean {nearest[0]}?" if nearest else f"it has {', '.join(symbols)}"
    return f"the expression has no {name}; {hint}"


def _shapes(
    f: Expression,
    symbols: Mapping[str, Symbol],
    declared: Mapping[str, Declaration],
    varied: str,
    other: str,
) -> str:
    """What each name was taken for, in one line, and what else that may be which varies."""
    said = []
    for name, made in symbols.items():
        advice = ""
        if name not in declared and name == "I":
            advice = " (the identity is eye(n))"
        elif name not in declared and f.is_array and made.is_scalar:
            advice = f" (if it is a vector: --let {name}=n)"
        elif name == varied and other:
            size = "scalar" if other == "scalar" else "n"
            advice = f" (if it is a {other}: --let {name}={size})"
        said.append(f"{name}: {made.described().removeprefix('a ')}{advice}")
    parts = set(parts_of(f))
    said += [f"{name}: the number" for name, value in NAMED_NUMBERS.items() if value in parts]
    hint = product_meant(f) if f.is_array else ""
    return f"with {', '.join(said)}{'; ' if hint else ''}{hint}"
