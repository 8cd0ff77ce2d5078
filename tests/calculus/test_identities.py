"""The catalogue: printed as in textbooks, right in float64 and in fifty digits, step by step."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from itertools import pairwise

import numpy as np
import pytest
from mpmath import mp

from mcmodels.calculus import identities
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, is_zero, scale, transpose, vec
from mcmodels.calculus.study.instances import random_instance
from tests.calculus import high_precision
from tests.calculus.textbook import FORMULAS, LETTERS

# Differences, extrapolated to step zero, lose four digits of sixteen, condition numbers two more.
CLOSE = 1e-9
# Fifty digits less those of the step, 1e-12, and of condition numbers and third derivatives.
CLOSE_IN_FIFTY_DIGITS = "1e-32"
# Twice a value or a term too few is wrong in the first digit; terms here are between 0.01 and 100.
WRONG = 1e-3

DERIVED = [identity for identity in identities.CATALOGUE if identity.variable is not None]
RULES = [identity for identity in identities.CATALOGUE if identity.variable is None]
TWICE = [identity for identity in DERIVED if identity.hessian is not None]


def name_of(identity):
    return identity.name


# -- printed forms ---------------------------------------------------------------------------------


def test_every_identity_has_a_textbook_form():
    assert [identity.name for identity in identities.CATALOGUE] == list(FORMULAS)


@pytest.mark.parametrize("identity", identities.CATALOGUE, ids=name_of)
def test_an_identity_is_printed_as_in_textbooks(identity):
    assert identity.formulas == FORMULAS[identity.name]
    assert identity.letters == LETTERS.get(identity.name, "")


@pytest.mark.parametrize("identity", DERIVED, ids=name_of)
def test_deriving_again_prints_the_same(identity):
    derived = identity.derivation().result
    found = [identity.gradient, identity.jacobian, identity.hessian]
    result = next(formula for formula in reversed(found) if formula is not None)
    assert derived == result
    assert repr(derived) == repr(result)


def test_an_identity_prints_its_statement():
    assert str(identities.named("ridge regression")) == (
        "f = ‖Xw − y‖² + λ‖w‖²\n∂f/∂w = 2Xᵀ(Xw − y) + 2λw\n∂²f/∂w² = 2(XᵀX + λI)"
    )
    assert repr(identities.named("softmax")) == (
        "F = softmax(z)\n∂F/∂z = diag(softmax(z)) − softmax(z) softmax(z)ᵀ"
    )
    assert repr(identities.named("differential of a product")) == "d(AB) = dA B + A dB"
    assert repr(identities.named("squared loss of a network, in b₂")) == (
        "f = ½‖W₂h + b₂ − y‖²\n∂f/∂b₂ = W₂h + b₂ − y\n∂²f/∂b₂² = I\nwhere h = tanh(W₁x + b₁)"
    )


# -- values ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("identity", identities.CATALOGUE, ids=name_of)
@pytest.mark.parametrize("seed", [0, 1])
def test_an_identity_agrees_with_differences_and_so_does_each_step(identity, seed):
    assert identity.check(seed) < CLOSE


@pytest.mark.parametrize("identity", RULES, ids=name_of)
def test_a_wrong_rule_is_caught(identity):
    wrong = replace(identity)
    wrong.__dict__["differential"] = scale(2, identity.differential)
    assert wrong.check() > WRONG


@pytest.fixture
def fifty_digits():
    with mp.workdps(high_precision.DIGITS):
        yield


def point_of(identity):
    wanted = (identity.expression, identity.gradient, identity.jacobian, identity.hessian)
    defined = [formula for formula in wanted if formula is not None]
    values, sizes = random_instance([*defined, identity.variable], seed=3)
    exact = {symbol: high_precision.exactly(array) for symbol, array in values.items()}
    for symbol, array in exact.items():
        if "probability" in symbol.declared:
            exact[symbol] = array / array.sum()
    return exact, sizes


def direction_of(identity, values, seed):
    """A direction in general position: a wrong derivative is wrong along it."""
    drawn = np.random.default_rng(seed).integers(1, 9, values[identity.variable].shape)
    return drawn + drawn.T if "symmetric" in identity.variable.declared else drawn


def require_close(found, expected):
    largest = max(1, np.max(np.abs(expected)))
    assert np.max(np.abs(found - expected)) <= mp.mpf(CLOSE_IN_FIFTY_DIGITS) * largest


@pytest.mark.parametrize("identity", DERIVED, ids=name_of)
@pytest.mark.usefixtures("fifty_digits")
def test_a_first_derivative_is_right_in_fifty_digits(identity):
    values, sizes = point_of(identity)
    E = direction_of(identity, values, 0)
    slope = high_precision.slope(identity.expression, identity.variable, E, values, sizes)
    if identity.gradient is not None:
        G = high_precision.value(identity.gradient, values, sizes)
        assert G.shape == E.shape
        require_close((G * E).sum(), slope[0, 0])
    else:
        J = high_precision.value(identity.jacobian, values, sizes)
        require_close(J @ E.T.reshape(-1, 1), slope.T.reshape(-1, 1))


@pytest.mark.parametrize("identity", TWICE, ids=name_of)
@pytest.mark.usefixtures("fifty_digits")
def test_a_hessian_is_right_in_fifty_digits(identity):
    values, sizes = point_of(identity)
    E, other = (direction_of(identity, values, seed) for seed in (0, 1))
    H = high_precision.value(identity.hessian, values, sizes)
    slope = high_precision.slope(identity.gradient, identity.variable, E, values, sizes)
    found = other.T.reshape(1, -1) @ H @ E.T.reshape(-1, 1)
    require_close(found[0, 0], (other * slope).sum())


# -- derivations -----------------------------------------------------------------------------------


@pytest.mark.parametrize("identity", DERIVED, ids=name_of)
def test_a_derivation_starts_from_the_expression_and_ends_with_the_result(identity):
    derivation = identity.derivation()
    assert derivation.expression == identity.expression
    assert derivation.steps[-1].identifies
    assert derivation.steps[-1].after == derivation.result
    for step, following in pairwise(derivation.steps):
        opened = add([step.after])  # 2(A + B), of which the next step may speak as 2A + 2B
        ways = (step.after, opened, vec(opened))
        assert step.identifies or following.before in ways


def test_a_rule_has_no_derivation():
    with pytest.raises(ValueError, match="rule of differentials"):
        identities.named("differential of a trace").derivation()


@pytest.mark.parametrize("identity", DERIVED, ids=name_of)
def test_a_wrong_step_is_caught_wherever_it_stands(identity):
    derivation = identity.derivation()
    for step in derivation.steps:
        for planted in mistakes(step):
            alone = replace(derivation, steps=(planted,))
            assert alone.check() > WRONG, f"{step.rule}: {step.before!r} became {planted.after!r}"


def mistakes(step):
    """The step with a factor 2, and with each of its terms dropped."""
    if is_zero(step.after):
        return
    yield replace(step, after=scale(2, step.after))
    if isinstance(step.after, N.Sum):
        terms = step.after.children
        for i in range(len(terms)):
            yield replace(step, after=add([*terms[:i], *terms[i + 1 :]]))


def test_wrong_steps_of_every_kind_were_planted():
    kinds = {rule.name for one in DERIVED for step in one.derivation().steps for rule in step.rules}
    assert kinds >= {
        "sum", "scalar multiple", "product", "elementwise product", "power", "matrix power",
        "trace", "determinant", "log determinant", "norm", "sum of entries", "log-sum-exp",
        "softmax", "elementwise tanh", "elementwise sigmoid", "elementwise log",
        "cyclic shift", "transposition", "scalar factor", "elementwise shift", "collect",
        "symmetric differential", "identification", "vec of a product", "commutation",
        "elementwise",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["tr(X⁻¹A)", "aᵀX⁻¹b", "tr(X³)", "inverse"])
def test_a_derivative_read_off_transposed_is_caught(name):
    identity = identities.named(name)
    derivation = identity.expression.derivation(identity.variable)
    last = derivation.steps[-1]
    wrong = replace(derivation, steps=(replace(last, after=transpose(last.after)),))
    assert wrong.check() > WRONG


# -- the catalogue ---------------------------------------------------------------------------------


def test_names_are_unique():
    names = [identity.name for identity in identities.CATALOGUE]
    assert len(set(names)) == len(names)


def test_find_looks_for_words_in_name_theme_and_formula():
    assert "log determinant" in [found.name for found in identities.find("log det")]
    assert [found.name for found in identities.find("rayleigh matrix")] == [
        "Rayleigh quotient of a matrix"
    ]
    assert {found.theme for found in identities.find("dense layer")} == {"Dense layer"}
    assert "squared distance from b" in [found.name for found in identities.find("‖Ax−b‖²")]
    assert identities.find("no such thing") == ()


def test_an_unknown_name_is_refused_with_the_closest():
    with pytest.raises(LookupError, match="'ridge regression'"):
        identities.named("ridge regresion")


def test_an_identity_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        identities.named("softmax").name = "hardmax"
