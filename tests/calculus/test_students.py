"""The doctor on what students write: named, told what to do, and never accused when right."""

from functools import cache
from itertools import combinations

import numpy as np
import pytest

from mcmodels.calculus import Expression, diagnose
from mcmodels.calculus.core.arithmetic import add, parts, scale
from mcmodels.calculus.core.nodes import Sum
from mcmodels.calculus.derive.simplification import simplify
from mcmodels.calculus.study.checks import directions, largest_deviation
from mcmodels.calculus.study.doctor.terms import expanded
from mcmodels.calculus.study.instances import random_instance
from mcmodels.differences import difference_quotient
from tests.calculus.mutations import equal, value_of
from tests.calculus.students import STUDENTS
from tests.calculus.students.further_remedies import carried_out_further
from tests.calculus.students.remedies import Reader, cured, undone
from tests.calculus.students.rewriting import carried_out, derived_anew
from tests.calculus.students.right_answers import RIGHT_ANSWERS
from tests.calculus.students.right_forms import RIGHT_FORMS
from tests.calculus.test_doctor import as_function

ids = [f"{i}-{student.slip}" for i, student in enumerate(STUDENTS)]
each = pytest.mark.parametrize("student", STUDENTS, ids=ids)

# Remedies that are advice: what to do is told by the mistake, and no formula is named.
ADVICE = {
    "transposed layout": ("transpose it", "has the shape of its variable"),
    "wrong shape": ("has the shape of its variable", "has outputs as rows"),
    "assumed symmetric": ("keep both terms", "keep the transposes"),
    "assumed probability": ("keep the sum",),
    "trace order": ("cyclically",),
    "product order": ("keep the order of the factors",),
    "rule for numbers": (
        "d(A⁻¹) = −A⁻¹ dA A⁻¹",
        "d(Z⁻¹) = −Z⁻¹ dZ Z⁻¹",
        "d(X⁻¹) = −X⁻¹ dX X⁻¹",
        "keep the order",
    ),
    "row-major vec": ("stack the columns",),
    "wrong argument": ("in place of step(time[j] − time[i])",),
    "elementwise product": ("in place of (tanh(XW) − Y)(1 − tanh(XW)^∘2)",),
    "product rule": ("use the product rule", "multiply the derivative of"),
    "missing condition": ("in place of 1",),
    "another variable": ("differentiate by",),
    "diagonal Jacobian": (
        "diag(softmax(z)) − softmax(z) softmax(z)ᵀ",
        "each row s is diag(s) − s sᵀ",
    ),
    "missing indicator": (
        "multiply by the indicator step(",
        "multiply by the indicator 1 − step(",
    ),
    "chain rule": ("multiply by", "take the outer derivative at"),
    # What is reproduced equals the claim in another form, in which the words are not found.
    "wrong axis": ("in place of",),
    "inner product": ("in place of",),
    "false identity": ("differentiate f with", "in place of"),
    "quotient rule": ("use the quotient rule",),
    "scalar for an array": ("in place of",),
    "array for a scalar": ("in place of",),
    "assumed to be 1": ("keep",),
    "wrong derivative": (
        "leave Xw out where it is differentiated",
        "d(S⁻¹) = −S⁻¹ dS S⁻¹",
    ),
    "unknown": ("f.derivation",),
}


@cache
def diagnosis_of(student):
    """One diagnosis for all that is asked of it."""
    return diagnose(student.f, student.x, student.wrong)


def point_of(student):
    """A point that the doctor does not draw."""
    formulas = [student.f, student.right, student.x]
    if isinstance(student.wrong, Expression):
        formulas.append(student.wrong)
    return random_instance(formulas, seed=977)


def claimed_at(student, point):
    if isinstance(student.wrong, Expression):
        return value_of(student.wrong, point)
    values, _ = point
    arguments = {
        symbol.name: array[:, 0] if symbol.is_column else array for symbol, array in values.items()
    }
    code = student.wrong.__code__
    return np.asarray(
        student.wrong(**{n: arguments[n] for n in code.co_varnames[: code.co_argcount]})
    )


def reader_of(student, diagnosis):
    sources = [diagnosis.right, *([] if diagnosis.reproduced is None else [diagnosis.reproduced])]
    if diagnosis.reproduced is not None and diagnosis.reproduced.shape == diagnosis.right.shape:
        off = simplify(diagnosis.right - diagnosis.reproduced)
        sources += [off, off / 2]  # of a term of the wrong sign, the half
    terms = [term for source in sources for term in expanded(source)]
    for source in sources:
        coefficient, scalars, array = parts(source)
        if isinstance(array, Sum):  # as in ½(A + B), of which ½A is a term
            terms += [scale(coefficient, *scalars, term) for term in array.children]
        for several in (expanded(source), source.children if isinstance(source, Sum) else ()):
            if len(several) <= 6:
                terms += [add(pair) for pair in combinations(several, 2)]
    return Reader(student.f, diagnosis.right, [*sources, *terms])


@each
def test_the_right_gradient_is_right_by_differences(student):
    values, sizes = point_of(student)
    formula = value_of(student.right, (values, sizes))
    by_formula, by_differences = [], []
    for E in directions(student.x, (values, sizes)):
        moved = difference_quotient(
            lambda t, E=E: np.atleast_1d(
                value_of(student.f, ({**values, student.x: values[student.x] + t * E}, sizes))
            )
        )
        by_differences.append(np.ravel(moved, order="F"))
        if student.f.is_scalar:
            by_formula.append(np.ravel(np.sum(formula.reshape(E.shape) * E)))
        else:
            by_formula.append(formula @ E.ravel(order="F"))
    # Extrapolated differences are good to 1e-9 or so where f is smooth; all points are.
    assert largest_deviation(np.array(by_formula), np.array(by_differences)) < 1e-7


@each
def test_the_mistake_is_named(student):
    diagnosis = diagnosis_of(student)
    assert not diagnosis.correct
    assert diagnosis.mistake in student.names, str(diagnosis)
    assert student.says in diagnosis.explanation, str(diagnosis)
    assert student.remedy in diagnosis.remedy, str(diagnosis)


@each
def test_the_remedy_makes_it_right(student):
    diagnosis = diagnosis_of(student)
    point = point_of(student)
    right, claimed = value_of(student.right, point), claimed_at(student, point)
    if diagnosis.reproduced is not None:
        assert equal(value_of(diagnosis.reproduced, point), claimed), str(diagnosis)
    reader = reader_of(student, diagnosis)
    remedy = diagnosis.remedy
    if "and it is transposed" in diagnosis.explanation:
        remedy, claimed = remedy.removeprefix("transpose it, and "), claimed.T
    done = carried_out_further(remedy, student.x, reader, claimed, right, point)
    if done is not None:
        assert done, str(diagnosis)
        return
    remedy, _, second = remedy.partition(", and multiply")
    if second:
        claimed = reader.factor(second.removeprefix(" by "), point) * claimed
    if "; and the sign is wrong" in diagnosis.explanation:
        remedy, claimed = remedy.removesuffix(", and turn the sign"), -claimed
    words = (remedy, diagnosis.explanation)
    result = cured(*words, claimed, reader, point)
    if result is not None:
        assert equal(result, right), str(diagnosis)
        return
    done = carried_out(*words, student.x, reader, claimed, right, point)
    if done is None:
        done = undone(remedy, reader, claimed, point)
    if done is None:
        done = derived_anew(remedy, student.x, reader, claimed, point)
    if done is None:
        assert any(text in remedy for text in ADVICE[diagnosis.mistake]), str(diagnosis)
        if remedy.startswith("transpose it"):
            # The transpose of a row is a vector, which arrays write without a second axis.
            assert equal(claimed.T.reshape(right.shape), right)
        return
    assert done, str(diagnosis)


def test_a_remedy_that_is_turned_round_is_caught():
    """The reader of remedies is no rubber stamp: the opposite of a right remedy fails."""
    opposite = {"divide": "multiply", "multiply": "divide"}
    caught = 0
    for student in STUDENTS:
        if not {"factor", "factor of a term"} & set(student.names):
            continue
        diagnosis = diagnosis_of(student)
        if "; " in diagnosis.remedy or "transpose" in diagnosis.remedy:
            continue
        action = diagnosis.remedy.split(" ")[0]
        if action not in opposite or diagnosis.mistake not in ("factor", "factor of a term"):
            continue
        point = point_of(student)
        reader = reader_of(student, diagnosis)
        turned = diagnosis.remedy.replace(action, opposite[action], 1)
        claimed, right = claimed_at(student, point), value_of(student.right, point)
        if not right.any():  # as where no margin is violated: any multiple is 0
            continue
        result = cured(turned, diagnosis.explanation, claimed, reader, point)
        assert not equal(result, right), turned
        caught += 1
    assert caught >= 15


@pytest.mark.parametrize(
    ("f", "x", "claimed"),
    [entry[1:] for entry in (*RIGHT_ANSWERS, *RIGHT_FORMS)],
    ids=[entry[0] for entry in (*RIGHT_ANSWERS, *RIGHT_FORMS)],
)
def test_right_answers_in_other_forms_are_not_accused(f, x, claimed):
    for seed in (0, 3):
        diagnosis = diagnose(f, x, claimed, seed=seed)
        assert diagnosis.correct, str(diagnosis)
    if isinstance(claimed, Expression):
        assert diagnose(f, x, as_function(lambda point: value_of(claimed, point), f)).correct
