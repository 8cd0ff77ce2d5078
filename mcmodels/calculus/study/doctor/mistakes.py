"""The mistakes the doctor knows, in the order in which they are tried: one entry each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mcmodels.calculus.study.doctor.case import Case, Finding
from mcmodels.calculus.study.doctor.mistakes_of_arguments import derivative_in_argument
from mcmodels.calculus.study.doctor.mistakes_of_cases import missing_case
from mcmodels.calculus.study.doctor.mistakes_of_factors import dropped_factor, extra_factor
from mcmodels.calculus.study.doctor.mistakes_of_functions import (
    OTHER_FUNCTIONS,
    held_constant,
    of_another_function,
)
from mcmodels.calculus.study.doctor.mistakes_of_identities import false_identity
from mcmodels.calculus.study.doctor.mistakes_of_normalisations import (
    assumed_one,
    assumed_unit_rows,
    divided_along_another_axis,
    not_divided,
)
from mcmodels.calculus.study.doctor.mistakes_of_parts import (
    elementwise_product,
    extra_derivative,
    extra_term,
    forgotten_function,
    left_out_condition,
    missing_indicator,
    missing_inverse,
    not_normalised,
    wrong_argument,
    wrong_axis,
)
from mcmodels.calculus.study.doctor.mistakes_of_products import inner_for_outer
from mcmodels.calculus.study.doctor.mistakes_of_quotients import (
    product_of_derivatives,
    quotient_of_derivatives,
)
from mcmodels.calculus.study.doctor.mistakes_of_reductions import not_reduced, reduced
from mcmodels.calculus.study.doctor.mistakes_of_rules import (
    chain_rule,
    misremembered_rule,
    mixed_layout,
    product_order,
    rule_for_numbers,
    taken_elsewhere,
    trace_order,
)
from mcmodels.calculus.study.doctor.mistakes_of_symbols import (
    exchanged_symbols,
    factor_of_entries,
    forgotten_symbol,
    forgotten_vector,
    wrong_power,
    wrong_symbol,
)
from mcmodels.calculus.study.doctor.mistakes_of_terms import (
    Effect,
    equal_terms,
    multiplied_terms,
    of_terms,
    several_terms,
    terms_of_rules,
    written_terms,
)
from mcmodels.calculus.study.doctor.mistakes_of_wholes import (
    another_variable,
    assumed_probability,
    assumed_symmetric,
    commuted,
    merged_as_symmetric,
    not_differentiated,
    not_symmetrised,
    odd_factor,
    overall_factor,
    sign_of_a_scalar,
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
    alone : bool
        Whether it is asked only where no mistake before it explains the case.
    of_zero : bool
        Whether it may explain a claim that is 0.
    single : bool
        Whether it is not asked for beside another mistake, as a factor of the whole or a layout.
    """

    name: str
    remedy: str
    findings: Callable[[Case], Iterator[Finding]]
    alone: bool = False
    of_zero: bool = False
    single: bool = False


def _terms(source: Callable[[Case], Iterator[Effect]]) -> tuple[Mistake, ...]:
    """The mistakes in terms of one source."""
    return (
        Mistake("dropped term", "add the term", of_terms("dropped term", source)),
        Mistake("sign of a term", "turn the sign of the term", of_terms("sign of a term", source)),
        Mistake(
            "factor of a term",
            "correct the factor of the term",
            of_terms("factor of a term", source),
        ),
    )


MISTAKES = (
    Mistake("factor", "correct the factor", overall_factor),
    Mistake("factor", "correct the sign", sign_of_a_scalar, alone=True),
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
        merged_as_symmetric,
    ),
    Mistake(
        "assumed probability",
        "keep the sum, or declare the vector with probability=True where it sums to 1",
        assumed_probability,
    ),
    Mistake("assumed probability", "keep the sums", assumed_unit_rows, alone=True),
    *_terms(written_terms)[:2],
    Mistake(
        "symmetric convention",
        "take G with df = tr(Gᵀ dX), symmetric where X is declared so, for all entries alike",
        symmetric_convention,
    ),
    Mistake("forgotten symbol", "put the symbol in", forgotten_vector, alone=True),
    *_terms(written_terms)[2:],
    Mistake("missing case", "differentiate both cases", missing_case, alone=True, of_zero=True),
    Mistake(
        "missing indicator",
        "multiply by the indicator",
        missing_indicator,
        alone=True,
        of_zero=True,
    ),
    Mistake("missing derivative", "differentiate f", not_differentiated, alone=True, of_zero=True),
    Mistake("missing condition", "put the condition in", left_out_condition, alone=True),
    Mistake("chain rule", "multiply by the derivative of the inner function", chain_rule),
    Mistake("wrong argument", "correct the argument", wrong_argument, alone=True),
    Mistake("extra derivative", "leave the derivative out", extra_derivative, alone=True),
    Mistake("dropped term", "add the term", of_terms("dropped term", terms_of_rules, without_one)),
    Mistake(
        "sign of a term",
        "turn the sign of the term",
        of_terms("sign of a term", terms_of_rules, with_one_sign_changed),
    ),
    Mistake("product rule", "use the product rule", misremembered_rule("product rule"), alone=True),
    *(
        Mistake(name, "look the derivative up", misremembered_rule(name), alone=True)
        for name in ("wrong derivative", "diagonal Jacobian", "not normalised")
    ),
    Mistake("chain rule", "use the chain rule", misremembered_rule("chain rule"), alone=True),
    Mistake("not normalised", "divide by the sum", not_normalised, alone=True),
    Mistake("wrong axis", "take softmax of each row", wrong_axis, alone=True),
    Mistake("forgotten function", "put the function in", forgotten_function, alone=True),
    *_terms(multiplied_terms),
    Mistake(
        "trace order",
        "shift the factors of a trace cyclically: tr(ABC) = tr(BCA) = tr(CAB), but not tr(ACB)",
        trace_order,
    ),
    Mistake("product order", "keep the order of the factors: d(AB) = (dA)B + A dB", product_order),
    Mistake("rule for numbers", "keep the order of the factors", rule_for_numbers, alone=True),
    Mistake(
        "mixed layout",
        "use one layout throughout: here the gradient of f(Ax) by x is Aᵀ∇f",
        mixed_layout,
    ),
    Mistake(
        "assumed symmetric",
        "keep the transposes, or declare the matrix with symmetric=True where it is",
        assumed_symmetric,
    ),
    Mistake("row-major vec", "stack the columns, as vec does", commuted),
    Mistake("another variable", "differentiate by the variable asked for", another_variable),
    Mistake(
        "factor of a term",
        "correct the factor of the term",
        of_terms("factor of a term", terms_of_rules),
    ),
    Mistake("assumed symmetric", "keep both terms", equal_terms),
    Mistake("chain rule", "take the outer derivative at the inner function", taken_elsewhere),
    Mistake("product rule", "use the product rule", product_of_derivatives, alone=True),
    Mistake("quotient rule", "use the quotient rule", quotient_of_derivatives, alone=True),
    Mistake("chain rule", "use the chain rule", derivative_in_argument, alone=True),
    Mistake("missing inverse", "invert the matrix", missing_inverse, alone=True),
    Mistake(
        "wrong derivative",
        "use d(X⁻¹) = −X⁻¹ dX X⁻¹",
        misremembered_rule("derivative of an inverse"),
        alone=True,
    ),
    Mistake("dropped factor", "put the factor in", dropped_factor, alone=True),
    Mistake("extra factor", "take the factor out", extra_factor, alone=True),
    Mistake("elementwise product", "take the other product", elementwise_product, alone=True),
    Mistake("wrong axis", "divide by the other sums", divided_along_another_axis, alone=True),
    Mistake("not normalised", "divide by the sums", not_divided, alone=True),
    Mistake("inner product", "take the other product", inner_for_outer, alone=True),
    Mistake("forgotten symbol", "put the symbol in", forgotten_symbol, alone=True),
    Mistake("exchanged symbols", "exchange the symbols", exchanged_symbols, alone=True),
    Mistake("assumed to be 1", "keep it", assumed_one, alone=True),
    Mistake("extra factor", "divide each entry", factor_of_entries, alone=True),
    Mistake("held constant", "differentiate it, too", held_constant, alone=True),
    *(
        Mistake(name, "differentiate f as it is", of_another_function(variants), alone=True)
        for name, variants in OTHER_FUNCTIONS
    ),
    Mistake("false identity", "differentiate f as it is", false_identity, alone=True),
    *(
        Mistake(name, remedy, findings, alone=True, single=True)
        for name, remedy, findings in (
            ("factor of a term", "correct the terms", several_terms),
            ("scalar for an array", "write the array", reduced),
            ("array for a scalar", "write the scalar", not_reduced),
            ("wrong power", "correct the power", wrong_power),
            ("wrong symbol", "write the other symbol", wrong_symbol),
        )
    ),
    Mistake("factor", "look for the constant in the derivation", odd_factor),
    Mistake("extra term", "take the term away", extra_term, alone=True),
)
