"""The right derivative of an f that was rewritten by an identity that does not hold."""

from __future__ import annotations

from collections.abc import Iterator

from mcmodels.calculus.core import functions
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import (
    add,
    hadamard,
    matmul,
    matrix_power,
    parts,
    power,
    scale,
    size_value,
)
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.sizes import ONE
from mcmodels.calculus.study.doctor.case import Case, Finding
from mcmodels.calculus.study.doctor.mistakes_of_parts import edits
from mcmodels.calculus.study.doctor.terms import Words

__all__ = ["false_identity"]

_INVERSE = number(-1)


def false_identity(case: Case) -> Iterator[Finding]:
    """The derivative of f with one part rewritten by an identity that does not hold."""
    if case.is_long or case.is_large:
        return

    def variants(part: Expression) -> Iterator[tuple[Expression, Words]]:
        if case.x in part.used:
            for other in _taken_for(part):
                yield other, Words("{} is taken for {}", (part, other))

    yield from edits(case, _products_of_sums)
    yield from edits(case, _taken_apart)
    for edit, derivative in case.other_functions(variants):
        good, bad = edit.part.mathematics(), edit.variant.mathematics()
        yield Finding(
            f"{edit}, which it does not equal",
            derivative,
            f"differentiate f with {good} in place of {bad}{edit.where}",
        )


def _products_of_sums(part: Expression) -> Iterator[tuple[Expression, Words]]:
    """Σ ab, of each row and column of a product, as Σa Σb, and mean(ab) as mean(a) mean(b)."""
    if not isinstance(part, N.Product):
        return
    for cut in range(1, len(part.children)):
        left, right = matmul(part.children[:cut]), matmul(part.children[cut:])
        size = left.cols
        if size == ONE or isinstance(part.children[cut - 1], N.Ones):
            continue
        sums = matmul([left, N.Ones(size, ONE), N.Ones(ONE, size), right])
        words = "{}, of sums, stands for {}, a sum of products"
        yield sums, Words(words, (sums, part))
        means = scale(power(size_value(size), _INVERSE), sums)
        yield means, Words(words.replace("sums", "means"), (means, part))


def _taken_apart(part: Expression) -> Iterator[tuple[Expression, Words]]:
    """The same in the derivative: ψ(a + b) = ψ(a) + ψ(b)."""
    if part.is_scalar or isinstance(part, N.Elementwise | N.Power | N.MatrixPower):
        for other in _taken_for(part):
            yield other, Words("{} is taken for {}", (part, other))


def _taken_for(part: Expression) -> Iterator[Expression]:
    """What a part is rewritten as, one line a false identity."""
    if isinstance(part, N.Trace):
        yield from _of_trace(part.argument)
    elif isinstance(part, N.Det):
        yield functions.trace(part.argument)
        yield from _summed(part, functions.det)  # det(A + B) = det(A) + det(B)
    elif isinstance(part, N.LogDet):
        yield elementwise("log", functions.trace(part.argument))
        yield from _summed(part, functions.logdet)
    elif isinstance(part, N.MatrixPower):
        if isinstance(part.base, N.Sum):  # (A + B)⁻¹ = A⁻¹ + B⁻¹
            yield add([matrix_power(term, part.exponent) for term in part.base.children])
    elif isinstance(part, N.Power):
        yield from _of_power(part)
    elif isinstance(part, N.Norm):
        yield from _summed(part, functions.norm)  # ‖a + b‖ = ‖a‖ + ‖b‖
        yield from _factored(part.argument, functions.norm)
    elif isinstance(part, N.LogSumExp) and part.is_scalar:  # log Σ exp(z) = Σ z
        yield functions.sum(part.argument)
    elif isinstance(part, N.Elementwise):
        yield from _of_function(part)
        if part.name == "softplus":
            yield from _of_other_labels(part.argument)
    elif isinstance(part, N.Sum):
        yield from _of_signed_labels(part)
    elif isinstance(part, N.Total) and isinstance(part.argument, N.Hadamard):
        yield from _factored(part.argument, functions.sum)  # Σ ab = Σa Σb


def _of_trace(M: Expression) -> Iterator[Expression]:
    if isinstance(M, N.MatrixPower) and M.is_inverse:
        yield power(functions.det(M.base), _INVERSE)
        yield power(functions.trace(M.base), _INVERSE)
    yield functions.det(M)
    yield from _factored(M, functions.trace)  # tr(AB) = tr(A) tr(B)


def _of_power(part: N.Power) -> Iterator[Expression]:
    base, k = part.base, part.exponent
    if isinstance(base, N.Sum):  # (a + b)² = a² + b², 1/(a + b) = 1/a + 1/b
        yield add([power(term, k) for term in base.children])
    elif isinstance(base, N.Total):  # (Σ z)² = Σ z²
        yield functions.sum(power(base.argument, k))
    elif isinstance(base, N.Norm) and isinstance(base.argument, N.Sum):
        yield add([power(functions.norm(term), k) for term in base.argument.children])


def _of_function(part: N.Elementwise) -> Iterator[Expression]:
    inner = part.argument
    if isinstance(inner, N.Sum):  # log(a + b) = log(a) + log(b)
        yield add([elementwise(part.name, term) for term in inner.children])
    elif isinstance(inner, N.Total):  # log(Σ z) = Σ log(z)
        yield functions.sum(elementwise(part.name, inner.argument))


def _of_other_labels(margin: Expression) -> Iterator[Expression]:
    """log(1 + exp(−yη)), of labels −1 and 1, for log(1 + exp(η)) − yη, of labels 0 and 1."""
    _, scalars, array = parts(scale(-1, margin))
    factors = array.children if isinstance(array, N.Hadamard) else scalars
    for i, y in enumerate(factors):
        if isinstance(y, N.Symbol):
            rest = [*factors[:i], *factors[i + 1 :]]
            eta = (hadamard if isinstance(array, N.Hadamard) else scale)(rest)  # type: ignore
            yield add([elementwise("softplus", eta), scale(-1, hadamard([y, eta]))])


def _of_signed_labels(part: N.Sum) -> Iterator[Expression]:
    """The same the other way round."""
    for term in part.children:
        if isinstance(term, N.Elementwise) and term.name == "softplus":
            rest = add([part, scale(-1, term)])
            if not isinstance(rest, N.Sum):
                yield elementwise("softplus", rest)


def _summed(part: Expression, function: object) -> Iterator[Expression]:
    (inner,) = part.children
    if isinstance(inner, N.Sum) and callable(function):
        yield add([function(term) for term in inner.children])


def _factored(inner: Expression, function: object) -> Iterator[Expression]:
    if not (isinstance(inner, N.Product | N.Hadamard) and callable(function)):
        return
    build = matmul if isinstance(inner, N.Product) else hadamard
    for cut in range(1, len(inner.children)):
        left, right = build(inner.children[:cut]), build(inner.children[cut:])
        if function is not functions.trace or (left.is_square and right.is_square):
            yield scale(function(left), function(right))
