"""What students take for granted, and factors that read as they are meant."""

import pytest

from mcmodels.calculus import (
    det,
    diagnose,
    exp,
    eye,
    inv,
    log,
    logdet,
    matrix,
    mean,
    norm,
    size,
    softmax,
    sum,
    trace,
    vector,
)

z, t, x, w = vector("z", "k"), vector("t", "k"), vector("x", "n"), vector("w", "n")
W = matrix("W", "k", "n")
CROSS_ENTROPY = -(t.T @ log(softmax(z)))


@pytest.mark.parametrize(
    ("f", "by", "claim"),
    [
        (CROSS_ENTROPY, z, softmax(z) - t),
        (-(t.T @ log(softmax(W @ x))), W, (softmax(W @ x) - t) @ x.T),
    ],
)
def test_labels_that_are_not_declared_to_sum_to_one(f, by, claim):
    found = diagnose(f, by, claim)
    assert found.mistake == "assumed probability"
    assert "t are taken to sum to 1" in found.explanation
    assert "probability=True" in found.remedy
    assert found.reproduced is not None


def test_declared_labels_are_right():
    one_hot = vector("t", "k", probability=True)
    assert diagnose(-(one_hot.T @ log(softmax(z))), z, softmax(z) - one_hot).correct


def test_another_mistake_beside_it_is_not_hidden():
    found = diagnose(CROSS_ENTROPY, z, t - softmax(z))
    assert "turn the sign" in found.remedy


def test_a_sum_in_a_factor_stands_in_brackets():
    """n − 1 over n is (n − 1)/n, not n − 1/n."""
    n = size("n")
    found = diagnose(norm(x - mean(x)) ** 2 / (n - 1), x, 2 * (x - mean(x)) / n)
    assert "(n − 1)/n" in found.explanation
    assert found.remedy == "multiply by n/(n − 1)"


def test_transposes_that_a_symmetric_matrix_would_allow_are_no_factor():
    """Each term has a transpose in the wrong place; with A = Aᵀ nothing is wrong."""
    X, A, B = matrix("X", "m", "n"), matrix("A", "m", "m"), matrix("B", "n", "n")
    found = diagnose(trace(A @ X @ B @ X.T), X, A.T @ X @ B + A @ X @ B.T)
    assert found.mistake == "assumed symmetric"
    assert found.explanation == "A is taken to be symmetric: the claim is right only then"
    assert found.remedy == "declare A with symmetric=True where it is"


SYMMETRIC = matrix("A", "n", "n")


@pytest.mark.parametrize(
    ("f", "by", "claim", "mistake", "also"),
    [
        (CROSS_ENTROPY, z, exp(z) - t, "not normalised", "the entries of t are taken to sum to 1"),
        (
            CROSS_ENTROPY,
            z,
            softmax(z) * (1 - softmax(z)) - t,
            "extra derivative",
            "the entries of t are taken to sum to 1",
        ),
        (
            x.T @ SYMMETRIC @ x + sum(exp(SYMMETRIC @ x)),
            x,
            2 * SYMMETRIC @ x + exp(SYMMETRIC @ x),
            "chain rule",
            "A is taken to be symmetric",
        ),
    ],
)
def test_a_mistake_beside_what_is_taken_for_granted(f, by, claim, mistake, also):
    found = diagnose(f, by, claim)
    assert found.mistake == mistake
    assert found.explanation.endswith(f"; and {also}")
    assert "declare" in found.remedy
    assert found.right == f.gradient(by)


def test_where_that_is_declared_the_mistake_is_alone():
    one_hot = vector("t", "k", probability=True)
    found = diagnose(-(one_hot.T @ log(softmax(z))), z, exp(z) - one_hot)
    assert found.mistake == "not normalised"
    assert "taken to" not in found.explanation


def test_infinity_agrees_with_nothing():
    """Each entry over that of I is infinite beside the diagonal, which fits any claim."""
    X, A = matrix("X", "n", "n"), matrix("A", "n", "n")
    found = diagnose(logdet(eye("n") + A @ X), X, inv(A @ X).T @ A)
    assert "that of I" not in found.explanation


def test_a_sign_that_is_right_at_some_points():
    """logdet is the logarithm of |det|."""
    X = matrix("X", "n", "n")
    found = diagnose(det(X), X, exp(logdet(X)) * inv(X).T)
    assert found.mistake == "factor"
    assert (
        found.explanation
        == "|det(X)| stands for det(X): the sign is wrong where det(X) is negative"
    )
    assert found.remedy.startswith("write det(X) in place of |det(X)|")


def test_a_power_that_no_usual_factor_has():
    A = matrix("A", "n", "n")
    f = norm(A @ x) ** 2 / norm(x) ** 2
    found = diagnose(f, x, 2 * A.T @ A @ x / norm(x) ** 2 - 2 * norm(A @ x) ** 2 * x)
    assert found.mistake == "dropped factor"
    assert found.reproduced is not None
