"""The mistakes the doctor knows, in the order in which they are tried: one entry each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mcmodels.calculus.study.doctor.case import Case, Finding
from mcmodels.calculus.study.doctor.mistakes_of_rules import (
    chain_rule,
    mixed_layout,
    product_order,
    taken_elsewhere,
    trace_order,
)
from mcmodels.calculus.study.doctor.mistakes_of_terms import (
    equal_terms,
    of_terms,
    terms_of_rules,
    written_terms,
)
from mcmodels.calculus.study.doctor.mistakes_of_wholes import (
    another_variable,
    assumed_symmetric,
    commuted,
    not_symmetrised,
    odd_factor,
    overall_factor,
    symmetric_convention,
    transposed,
)
from mcmodels.calculus.study.doctor.terms import with_one_sign_changed, without_one

__all__ = ["MISTAKES", "Mistake"]


@dataclass(frozen=True)
class Mistake:
    """A kind of mistake.

    Attributes
    ----------
    name : str
    remedy : str
        What to do about it.
    findings : callable
        The ways in which it explains a case.
    """

    name: str
    remedy: str
    findings: Callable[[Case], Iterator[Finding]]


MISTAKES = (
    Mistake("factor", "multiply by what is missing", overall_factor),
    Mistake(
        "transposed layout",
        "transpose it: a gradient has the shape of its variable, a Jacobian has outputs as rows",
        transposed,
    ),
    Mistake(
        "symmetric convention",
        "take the symmetric part, (G + Gᵀ)/2",
        not_symmetrised,
    ),
    Mistake(
        "assumed symmetric",
        "keep both terms, or declare the matrix with symmetric=True where it is",
        assumed_symmetric,
    ),
    Mistake("dropped term", "add the term", of_terms("dropped term", written_terms)),
    Mistake(
        "sign of a term", "turn the sign of the term", of_terms("sign of a term", written_terms)
    ),
    Mistake(
        "symmetric convention",
        "take G with df = tr(Gᵀ dX), symmetric where X is declared so, for all entries alike",
        symmetric_convention,
    ),
    Mistake(
        "factor of a term",
        "correct the factor of the term",
        of_terms("factor of a term", written_terms),
    ),
    Mistake("dropped term", "add the term", of_terms("dropped term", terms_of_rules, without_one)),
    Mistake(
        "sign of a term",
        "turn the sign of the term",
        of_terms("sign of a term", terms_of_rules, with_one_sign_changed),
    ),
    Mistake(
        "trace order",
        "shift the factors of a trace cyclically: tr(ABC) = tr(BCA) = tr(CAB), but not tr(ACB)",
        trace_order,
    ),
    Mistake("product order", "keep the order of the factors: d(AB) = (dA)B + A dB", product_order),
    Mistake(
        "mixed layout",
        "use one layout throughout: here the gradient of f(Ax) by x is Aᵀ∇f",
        mixed_layout,
    ),
    Mistake("chain rule", "multiply by the derivative of the inner function", chain_rule),
    Mistake("row-major vec", "stack the columns, as vec does", commuted),
    Mistake("another variable", "differentiate by the variable asked for", another_variable),
    Mistake(
        "factor of a term",
        "correct the factor of the term",
        of_terms("factor of a term", terms_of_rules),
    ),
    Mistake("assumed symmetric", "keep both terms", equal_terms),
    Mistake("chain rule", "take the outer derivative at the inner function", taken_elsewhere),
    Mistake("factor", "look for the constant in the derivation", odd_factor),
)
