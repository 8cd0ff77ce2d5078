"""A claim that has another shape than the right derivative: how it came about."""

from __future__ import annotations

from dataclasses import replace

from mcmodels.calculus.core.arithmetic import scale, transpose
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.derive.gradients import hessian
from mcmodels.calculus.derive.rules import DerivativeError
from mcmodels.calculus.study.doctor.case import Case
from mcmodels.calculus.study.doctor.factors import ratios_of, recognise
from mcmodels.calculus.study.doctor.mistakes_of_products import of_another_shape
from mcmodels.calculus.study.doctor.mistakes_of_rules import stopped_inside
from mcmodels.calculus.study.doctor.mistakes_of_wholes import another_variable
from mcmodels.calculus.study.doctor.naming import transposed_beside
from mcmodels.calculus.study.doctor.shapes import REMEDIES, mismatch, reshaped
from mcmodels.calculus.study.doctor.shapes import remedy as remedy_of_shape
from mcmodels.calculus.study.doctor.verdict import Diagnosis
from mcmodels.plain import np

__all__ = ["wrong_shape"]

_SAME = 1e-6  # relative, of a ratio


def not_summed(case: Case) -> tuple[str, str] | None:
    """What is wrong and what to do, where sums of the entries that are claimed are right."""
    for axis, what in ((None, "entries"), (0, "rows"), (1, "columns")):
        pairs = []
        for sample in case.samples:
            claimed = sample.claimed
            if claimed.ndim <= sample.right.ndim or (axis is not None and claimed.ndim < 2):
                break
            pairs.append((np.asarray(claimed.sum(axis=axis)), sample.right))
        if len(pairs) < len(case.samples):
            continue
        ratios = ratios_of(pairs, [case.allowed(sample) for sample in case.samples])
        factor = None if ratios is None else recognise(ratios, case.quantities, _SAME)
        if factor is None or not factor.recognised:
            continue
        words = f"it is not summed: the sum of its {what} is the right {case.kind}"
        todo = f"sum its {what}"
        if factor.number != 1 or factor.powers:
            words = f"it is not summed: of the sum of its {what}, {factor.statement()}"
            todo += f", and {factor.remedy('the sum')}"
        return words, todo
    return None


def wrong_shape(case: Case) -> Diagnosis:
    """What gives the claimed shape: a layout, a chain rule that stops, another variable."""
    samples, right = case.samples, case.right
    error = max(sample.error() for sample in samples)
    at = ", ".join(f"{name} = {size}" for name, size in sorted(samples[0].sizes.items())
                   if name in case.f.size_names)  # fmt: skip
    shapes = mismatch(samples[0].claimed, samples[0].right, case.kind)
    shapes += f" (at {at})" if at else ""
    remedy = REMEDIES[case.kind]
    pairs = [(sample.claimed, sample.right) for sample in samples]
    found = reshaped(pairs, [case.allowed(sample) for sample in samples])
    if found is not None:
        name, words, factor = found
        reproduced = None
        if name == "transposed layout":
            reproduced = (
                transpose(right) if factor == 1 else scale(number(factor), transpose(right))
            )
        if factor != 1:
            words += f", and {factor:.6g} times the right one"
        todo = remedy_of_shape(name, case.kind, factor)
        return Diagnosis(False, error, name, f"{words}; {shapes}", todo, right, reproduced)
    if all(s.claimed.ndim == 2 and s.claimed.T.shape == s.right.shape for s in samples):
        beside = transposed_beside(case, error)
        if beside is not None:
            words = f"{beside.explanation}; {shapes}"
            return replace(beside, explanation=words)
    summed = not_summed(case)
    if summed is not None:
        words, todo = summed
        return Diagnosis(False, error, "wrong shape", f"{words}; {shapes}", todo, right)
    inside = next(stopped_inside(case), None)
    if inside is not None:
        words = f"{inside.words}; {shapes}"
        return Diagnosis(False, error, "chain rule", words, inside.remedy, right, inside.reproduced)
    product = next(of_another_shape(case), None)
    if product is not None:
        words = f"{product.words}; {shapes}"
        return Diagnosis(
            False, error, "inner product", words, product.remedy, right, product.reproduced
        )
    if case.f.is_scalar:
        try:
            second = hessian(case.f, case.x, case.x)
        except DerivativeError:
            second = None
        if second is not None and case.is_claimed(second):
            words = f"it is the Hessian, not the gradient; {shapes}"
            return Diagnosis(False, error, "wrong shape", words, remedy, right, second)
    for finding in another_variable(case, any_shape=True):
        words = f"{finding.words}; {shapes}"
        return Diagnosis(
            False, error, "another variable", words, finding.remedy, right, finding.reproduced
        )
    return Diagnosis(False, error, "wrong shape", shapes, remedy, right)
