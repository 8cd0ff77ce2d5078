"""The gradient doctor: right gradients are never accused, and planted mistakes are named."""

import re
from collections import Counter
from itertools import cycle

import numpy as np
import pytest

from mcmodels.calculus import (
    diag,
    exp,
    eye,
    inv,
    log,
    logdet,
    matrix,
    mean,
    norm,
    relu,
    scalar,
    softmax,
    sqrt,
    sum,
    trace,
    vector,
    zeros,
)  # fmt: skip
from mcmodels.calculus.compute.binding import bind_sizes
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.derive.differentials import differential
from mcmodels.calculus.study.doctor import diagnose
from tests.calculus.mutations import (
    IDENTITIES,
    Mutant,
    corpus,
    derived,
    equal,
    equivalent_kinds,
    identified,
    instance_of,
    value_of,
)  # fmt: skip

x, a, b = vector("x", "n"), vector("a", "n"), vector("b", "n")
A, B, X = matrix("A", "n", "n"), matrix("B", "n", "n"), matrix("X", "n", "n")
M, y = matrix("M", "m", "n"), vector("y", "m")


def natural(f: Expression, instance) -> dict[str, np.ndarray]:
    """Values by name, as a user would give them."""
    values, _ = instance
    found = {}
    for symbol, array in values.items():
        if symbol in f.used:
            found[symbol.name] = array[:, 0] if symbol.is_column else array
            if symbol.is_scalar:
                found[symbol.name] = array[0, 0]
    return found


def as_function(value, f: Expression):
    """A function of the symbols' arrays by name, from one of an instance."""

    def claimed(**arrays):
        values = {
            s: np.asarray(arrays[s.name], dtype=float).reshape(
                (-1, 1) if s.is_column else np.shape(arrays[s.name])
            )
            for s in f.used
        }
        return value((values, bind_sizes(values, {})))

    return claimed


# -- right gradients -----------------------------------------------------------------------------


def forward_differences(f: Expression, x: Expression):
    """The gradient as a careless person would measure it."""

    def claimed(**arrays):
        point = np.asarray(arrays[x.name], dtype=float)
        gradient = np.zeros_like(point)
        at = f.evaluate(**arrays)
        for index in np.ndindex(point.shape):
            moved = point.copy()
            moved[index] += 1e-7
            gradient[index] = (f.evaluate(**{**arrays, x.name: moved}) - at) / 1e-7
        return gradient

    return claimed


def central_differences(f: Expression, x: Expression):
    def claimed(**arrays):
        point = np.asarray(arrays[x.name], dtype=float)
        gradient = np.zeros_like(point)
        for index in np.ndindex(point.shape):
            step = np.zeros_like(point)
            step[index] = 1e-5
            above = f.evaluate(**{**arrays, x.name: point + step})
            gradient[index] = (above - f.evaluate(**{**arrays, x.name: point - step})) / 2e-5
        return gradient

    return claimed


@pytest.mark.parametrize("identity", IDENTITIES)
def test_a_right_derivative_is_not_accused_in_any_form(identity):
    f, variable, right = derived(identity)
    instance = instance_of(identity)
    plain = identified(differential(f, frozenset([variable])), f, variable)
    forms = {
        "simplified": right,
        "as it comes from the trace form": plain,
        "as a sum of halves": 3 * plain / 2 - right / 2,
        "transposed twice in a product": (right.T / 7).T * 7,
        "a function": as_function(lambda point: value_of(right, point), f),
        "a function of lower precision": as_function(
            lambda point: value_of(plain, point).astype(np.float32), f
        ),
    }
    for name, claimed in forms.items():
        for seed in (0, 5):
            diagnosis = diagnose(f, variable, claimed, seed=seed)
            assert diagnosis.correct, (name, str(diagnosis))
            assert diagnosis.mistake is None
    at = natural(f, instance)
    assert diagnose(f, variable, value_of(right, instance), **at).correct
    assert diagnose(f, variable, value_of(plain, instance).tolist(), **at).correct
    if f.is_scalar and "symmetric" not in variable.declared:
        numerical = central_differences(f, variable)(**at)
        assert diagnose(f, variable, numerical, **at).correct


@pytest.mark.parametrize("identity", ["quadratic", "ridge", "logistic", "softmax cross-entropy"])
def test_forward_differences_are_right(identity):
    f, variable, _ = derived(identity)
    assert diagnose(f, variable, forward_differences(f, variable)).correct


def test_rounding_at_a_minimum_is_right():
    rng = np.random.default_rng(0)
    design, response = 1e3 * rng.standard_normal((30, 4)), 1e3 * rng.standard_normal(30)
    weights = np.linalg.lstsq(design, response, rcond=None)[0]
    f = norm(M @ x - y) ** 2
    residual = design @ weights - response
    claimed = np.array([2 * (column * residual).sum() for column in design.T])
    diagnosis = diagnose(f, x, claimed, M=design, x=weights, y=response)
    assert diagnosis.correct
    assert "many mistakes cannot be seen" in diagnosis.explanation


# -- planted mistakes ----------------------------------------------------------------------------


def named(mutant: Mutant, form: str) -> tuple[bool, str]:
    """Whether the doctor names the planted mistake (or one that gives the same), and its words."""
    f, variable, _ = derived(mutant.identity)
    instance = instance_of(mutant.identity)
    if form == "expression" and mutant.claimed is not None:
        diagnosis = diagnose(f, variable, mutant.claimed)
    elif form == "array":
        values = natural(f, instance)
        diagnosis = diagnose(f, variable, mutant.value(instance), **values)
    else:
        diagnosis = diagnose(f, variable, as_function(mutant.value, f))
    right = diagnosis.mistake in equivalent_kinds(mutant)
    if diagnosis.mistake != mutant.kind:
        right = right and diagnosis.reproduced is not None
    elif mutant.place and "-1" not in mutant.place:
        right = right and mutant.place in diagnosis.explanation
    if diagnosis.reproduced is not None:
        reproduced = value_of(diagnosis.reproduced, instance)
        right = right and equal(reproduced, mutant.value(instance))
    return right, f"{mutant.identity}, {mutant.kind} ({mutant.what}): {diagnosis}"


@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_planted_mistakes_are_named(step):
    mutants = corpus(seed=7, most=1)
    forms = cycle(["expression", "expression", "function", "expression", "array"])
    total, right, wrong = Counter(), Counter(), []
    for mutant, form in list(zip(mutants, forms, strict=False))[::step]:
        good, words = named(mutant, form)
        total[mutant.kind] += 1
        right[mutant.kind] += good
        if not good:
            wrong.append(words)
    for kind, count in total.items():
        print(f"{kind:20} {right[kind]:4} of {count}")
    assert len(mutants) >= 300
    assert len(IDENTITIES) >= 40
    assert right.total() >= 0.95 * total.total(), "\n".join(wrong)
    for kind, count in total.items():
        assert right[kind] >= 0.9 * count, (kind, "\n".join(wrong))


@pytest.mark.parametrize(
    ("f", "variable", "claimed", "mistake", "words"),
    [
        (x.T @ A @ x, x, 2 * A @ x, "assumed symmetric", "A is taken to be symmetric"),
        (x.T @ A @ x, x, A @ x, "dropped term", "the term Aᵀx is missing"),
        (x.T @ A @ x, x, (A - A.T) @ x, "sign of a term", "the term Aᵀx has the wrong sign"),
        (x.T @ A @ x, x, x.T @ (A + A.T), "transposed layout", "it is a row"),
        (norm(x) ** 2, x, x, "factor", "the factor 2 is missing"),
        (norm(x) ** 2, x, -2 * x, "factor", "the sign is wrong"),
        (mean((M @ x - y) ** 2), x, 2 * M.T @ (M @ x - y), "factor", "extra factor m"),
        (norm(x), x, x, "factor", "extra factor ‖x‖"),
        (norm(x) ** 2, x, 2.001 * x, "factor", "1.0005 times the right one"),
        (trace(A @ X @ B), X, B.T @ A.T, "trace order", "not cyclically"),
        (norm(A @ x - a) ** 2, x, 2 * (A @ x - a), "chain rule", "inner derivative"),
        (norm(M @ x - y) ** 2, x, 2 * (M @ x - y), "chain rule", "inner derivative"),
        (sum(exp(A @ x)), x, A.T @ exp(x), "chain rule", "taken at x"),
        (softmax(x), x, diag(softmax(x)), "dropped term", "softmax(x) softmax(x)ᵀ is missing"),
        (M @ x, x, M.T, "transposed layout", "transpose"),
        (norm(x) ** 2, x, 2 * eye("n"), "wrong shape", "the Hessian"),
        (a.T @ inv(X) @ b, X, -inv(X).T @ inv(X).T @ a @ b.T, "product order", ""),
        (A @ X @ B, X, (B.T.T), "wrong shape", "of shape"),
        (norm(x) ** 2, x, x**3, "unknown", "the worst entry is"),
    ],
)  # fmt: skip
def test_the_explanation_tells_what_is_wrong(f, variable, claimed, mistake, words):
    diagnosis = diagnose(f, variable, claimed)
    assert not diagnosis.correct
    assert diagnosis.mistake == mistake, str(diagnosis)
    assert words in diagnosis.explanation
    assert diagnosis.error > 1e-4


def test_the_worst_entry_is_shown_where_the_claim_is_wrong():
    """This claim is right at the first points, where no entry of x is above 1."""
    wrong = diagnose(sum(relu(1 - x) ** 2), x, -2 * relu(1 - x) - 3 * relu(x - 1) ** 2)
    claimed, right = re.search(r"claimed (\S+), right (\S+)", wrong.explanation).groups()
    assert abs(float(claimed) - float(right)) > 0.1 * wrong.error


def test_a_penalty_with_a_wrong_factor_is_told_by_its_term():
    lam = scalar("lam")
    f = norm(M @ x - y) ** 2 + lam * norm(x) ** 2
    for claimed, words in (
        (2 * M.T @ (M @ x - y) + lam * x, "in the term 2λx, the factor 2 is missing"),
        (2 * M.T @ (M @ x - y) + 2 * x, "in the term 2λx, the factor λ is missing"),
    ):
        diagnosis = diagnose(f, x, claimed)
        assert diagnosis.mistake == "factor of a term"
        assert words in diagnosis.explanation


def test_symmetric_variables():
    S = matrix("S", "n", "n", positive_definite=True)
    f = logdet(S)
    assert diagnose(f, S, inv(S)).correct
    structured = diagnose(f, S, 2 * inv(S) - diag(diag(inv(S))))
    assert structured.mistake == "symmetric convention"
    assert "count twice" in structured.explanation
    one_sided = diagnose(a.T @ S @ b, S, a @ b.T)
    assert one_sided.mistake == "symmetric convention"
    assert "symmetric one" in one_sided.explanation


def test_a_gradient_that_is_not_symmetrised_is_told_first():
    S = matrix("S", "n", "n", symmetric=True)
    for claimed in (A.T, A):
        diagnosis = diagnose(trace(S @ A), S, claimed)
        assert diagnosis.mistake == "symmetric convention"
        assert "the gradient is the symmetric one, (G + Gᵀ)/2" in diagnosis.explanation
    assert diagnose(trace(S @ A), S, (A + A.T) / 2).correct


def test_the_gradient_by_a_symbol_that_does_not_occur_is_zero():
    f = sum(a)
    assert diagnose(f, x, zeros("n")).correct
    assert diagnose(f, x, lambda a, x: 0 * x).correct
    at_a_point = diagnose(f, x, [0.0, 0.0], a=[1.0, 2.0], x=[3.0, 4.0])
    assert at_a_point.correct
    assert "cancel" not in at_a_point.explanation
    for claimed in (x, a, lambda a, x: x, lambda a, x: np.outer(a, x)):
        assert not diagnose(f, x, claimed).correct
    assert diagnose(a, x, zeros("n", "n")).correct
    with pytest.raises(ValueError, match="'x' has none"):
        diagnose(f, x, [0.0, 0.0], a=[1.0, 2.0])


def test_symbols_may_have_the_names_of_parameters():
    seed, function, claim = scalar("seed"), scalar("f"), scalar("claimed")
    f = seed * function * claim * norm(x) ** 2
    assert diagnose(f, x, 2 * seed * function * claim * x).correct
    at = {"seed": 0.5, "f": 2, "claimed": 3, "x": [1.0]}
    assert diagnose(f, x, [6.0], **at).correct
    assert not diagnose(f, x, [7.0], **at).correct
    assert diagnose(norm(x) ** 2, x, 2 * x, seed=4).correct
    sized = vector("x", "seed")
    seen = []

    def claimed(x):
        seen.append(len(x))
        return 2 * x

    assert diagnose(norm(sized) ** 2, sized, claimed, seed=7).correct
    assert set(seen) == {7}


def test_a_jacobian_over_rows_is_told_from_one_over_columns():
    diagnosis = diagnose(X @ B, X, lambda X, B: np.kron(np.eye(len(X)), B.T))
    assert diagnosis.mistake == "row-major vec"


def test_two_mistakes_that_give_the_same_are_both_mentioned():
    diagnosis = diagnose(trace(A @ X), X, A)
    assert diagnosis.mistake == "transposed layout"
    assert "assumed symmetric" in diagnosis.also
    assert "the same would come of" in str(diagnosis)


def test_a_declaration_in_the_claim_alone_is_the_mistake():
    symmetric = matrix("A", "n", "n", symmetric=True)
    claimed = (x.T @ symmetric @ x).gradient(x)
    assert diagnose(x.T @ A @ x, x, claimed).mistake == "assumed symmetric"


def test_claims_that_are_not_finite():
    assert diagnose(norm(x) ** 2, x, [1.0, np.nan], x=[1.0, 2.0]).mistake == "not finite"


def test_numbers_and_scalars():
    t = scalar("t")
    assert diagnose(t**2, t, 2 * t).correct
    assert diagnose(t**2, t, t).mistake == "factor"
    assert diagnose(3 * t, t, 3).correct
    assert diagnose(3 * t, t, 2).mistake == "factor"
    assert diagnose(sqrt(t), t, 0.25, t=4.0).correct
    assert not diagnose(sqrt(t), t, 0.26, t=4.0).correct


def test_values_are_kept_and_the_rest_drawn():
    given = np.arange(6.0).reshape(2, 3)
    seen = []

    def claimed(M, x, y):
        seen.append(M)
        return 2 * M.T @ (M @ x - y)

    assert diagnose(norm(M @ x - y) ** 2, x, claimed, M=given).correct
    assert len(seen) > 1
    assert all(np.array_equal(value, given) for value in seen)


def test_what_cannot_be_examined_is_refused():
    f = x.T @ A @ x
    with pytest.raises(ValueError, match="every symbol of f needs a value; 'A' has none"):
        diagnose(f, x, [1.0, 2.0], x=[1.0, 2.0])
    with pytest.raises(ValueError, match="could not be called with the symbols by name"):
        diagnose(f, x, lambda A, z: A @ z)
    with pytest.raises(ValueError, match="use the same symbol in both"):
        diagnose(f, x, matrix("A", "n", "m") @ vector("z", "m"))
    with pytest.raises(TypeError, match="claimed must be an expression, an array"):
        diagnose(f, x, "2Ax", x=[1.0], A=[[1.0]])
    with pytest.raises(TypeError, match="f must be an expression or a function"):
        diagnose(3.0, [1.0], [1.0])
    with pytest.raises(TypeError, match="found values for A"):
        diagnose(lambda v: v @ v, [1.0], [2.0], A=1)
    with pytest.raises(ValueError, match="x is the point"):
        diagnose(lambda v: v @ v, "x", [2.0])
    with pytest.raises(ValueError, match="f must be finite"):
        diagnose(lambda v: v.sum() * np.nan, [1.0], [2.0])


def test_a_point_beside_a_kink_is_noted():
    diagnosis = diagnose(sum(abs(x)), x, [1.0, 1.0], x=[1e-6, 1.0])
    assert diagnosis.correct
    assert "kink" in diagnosis.explanation


def test_a_claim_that_is_not_defined_where_f_is():
    f = sum(log(1 + exp(x)))
    assert diagnose(f, x, exp(x) * log(-exp(x))).mistake == "not finite"


def test_compiled_functions_are_examined_like_any_other():
    f = norm(M @ x - y) ** 2
    assert diagnose(f, x, f.gradient(x).compile()).correct
    assert diagnose(f, x, (M.T @ (M @ x - y)).compile()).mistake == "factor"
    assert diagnose(a.T @ x, x, a.compile()).correct


@pytest.mark.parametrize("exponent", [1, -1, 2, -2])
@pytest.mark.parametrize("number", [1, 2])
def test_powers_of_a_scalar_and_of_a_size_as_factors(exponent, number):
    """A gradient times cᵏ, or mᵏ, is told by the power, and what it was is built again."""
    c = scalar("c")
    power = {1: "", -1: "", 2: "²", -2: "²"}[exponent]
    f = c * norm(M @ x - y) ** 2
    right = 2 * c * M.T @ (M @ x - y)
    claims = {"c": number * c**exponent * right}
    claims["m"] = lambda M, x, y, c: (
        number * float(len(M)) ** exponent * (2 * c * M.T @ (M @ x - y))
    )
    for name, claimed in claims.items():
        diagnosis = diagnose(f, x, claimed)
        assert diagnosis.mistake == "factor", str(diagnosis)
        size = f"{name}{power}"
        if number == 1:
            words = f"the factor {size} is missing" if exponent < 0 else f"extra factor {size}"
        else:
            words = f"2/{size}" if exponent < 0 else f"extra factor 2·{size}"
        assert words in diagnosis.explanation
        if name == "c":
            at = {"c": 1.7, "M": [[1.0, 2.0], [0.5, -1.0]], "x": [0.3, -0.7], "y": [1.0, 2.0]}
            # The same few products in another order.
            np.testing.assert_allclose(
                diagnosis.reproduced.evaluate(**at), claimed.evaluate(**at), rtol=1e-13
            )


def test_a_tuple_of_several_results_is_refused_by_name():
    """Functions that return the value beside the gradient are common; both in one array is none."""
    f, t = x.T @ A @ x, scalar("t")
    words = (
        r"claimed is a tuple of 2 \(a float64, an array of shape \(\d,\)\); claim the derivative"
    )
    with pytest.raises(TypeError, match=words):
        diagnose(f, x, lambda x, A: (x @ A @ x, (A + A.T) @ x))
    with pytest.raises(TypeError, match=r"a tuple of 2 \(a float, a float\)"):
        diagnose(t**2, t, lambda t: (t**2, 2 * t))
    with pytest.raises(TypeError, match=r"a tuple of 2 \(an array of shape"):
        diagnose(a.T @ x, x, lambda a, x: (a, x))
    with pytest.raises(TypeError, match="a tuple of 1 \\(an expression\\)"):
        diagnose(f, x, (2 * A @ x,))
    with pytest.raises(TypeError, match="a tuple of 2"):
        diagnose(lambda v: v @ v, np.ones(3), lambda v: (v @ v, 2 * v))
    assert diagnose(norm(x) ** 2, x, (2.0, 4.0), x=(1.0, 2.0)).correct
    assert diagnose(lambda v: v @ v, np.ones(3), (2.0, 2.0, 2.0)).correct
