"""Jeffreys' prior in high precision, from definitions alone: sums of kernels and a determinant."""

import mpmath as mp
import numpy as np

from mcmodels.objectives.links import LINKS

# Digits of the arithmetic; steps of differences, whose error is their square.
DIGITS, STEP = 60, mp.mpf(10) ** -15

MEANS = {
    "identity": lambda eta: eta,
    "log": mp.exp,
    "logit": lambda eta: 1 / (1 + mp.exp(-eta)),
    "probit": lambda eta: mp.erfc(-eta / mp.sqrt(2)) / 2,
    "cloglog": lambda eta: -mp.expm1(-mp.exp(eta)),
    "inverse": lambda eta: 1 / eta,
    "inverse_squared": lambda eta: 1 / mp.sqrt(eta),
    "sqrt": lambda eta: eta**2,
}
assert set(MEANS) == set(LINKS)
POWER, THETA = mp.mpf("1.6"), mp.mpf("0.7")
VARIANCES = {
    "normal": lambda mu: mp.mpf(1),
    "poisson": lambda mu: mu,
    "gamma": lambda mu: mu**2,
    "inverse_gaussian": lambda mu: mu**3,
    "tweedie": lambda mu: mu**POWER,
    "binomial": lambda mu: mu * (1 - mu),
    "negative_binomial": lambda mu: mu + THETA * mu**2,
}
KERNELS = {
    "normal": lambda y, mu: mu**2 / 2 - y * mu,
    "poisson": lambda y, mu: mu - y * mp.log(mu),
    "gamma": lambda y, mu: y / mu + mp.log(mu),
    "inverse_gaussian": lambda y, mu: y / (2 * mu**2) - 1 / mu,
    "tweedie": lambda y, mu: mu ** (2 - POWER) / (2 - POWER) - y * mu ** (1 - POWER) / (1 - POWER),
    "binomial": lambda y, mu: -y * mp.log(mu) - (1 - y) * mp.log(1 - mu),
    "negative_binomial": lambda y, mu: (y + 1 / THETA) * mp.log(1 + THETA * mu) - y * mp.log(mu),
}


def expected_weight(family, link, eta):
    """``μ′²/V(μ)``, the slope by a central difference."""
    mean = MEANS[link]
    slope = (mean(eta + STEP) - mean(eta - STEP)) / (2 * STEP)
    return slope**2 / VARIANCES[family](mean(eta))


def exactly(values):
    """Floats as they are, in high precision."""
    return [[mp.mpf(float(x)) for x in row] for row in np.atleast_2d(values)]


def objective(family, link, X, y, weights, dispersion=1):
    """``Σ wℓ - φ/2 log det Σ wu x̃x̃ᵀ`` as a function of a list of numbers."""
    rows, (y,), (weights,) = exactly(X), exactly(y), exactly(weights)
    P = len(rows[0])

    def value(theta):
        total, information = mp.mpf(0), mp.zeros(P)
        for row, target, w in zip(rows, y, weights, strict=True):
            eta = mp.fdot(row, theta)
            total += w * KERNELS[family](target, MEANS[link](eta))
            u = w * expected_weight(family, link, eta)
            for j in range(P):
                for k in range(P):
                    information[j, k] += u * row[j] * row[k]
        return total - mp.mpf(dispersion) / 2 * mp.log(mp.det(information))

    return value


def objective_of_classes(X, codes, weights, n_classes):
    """The same of a softmax, over the parameters of all classes but the first, class by class."""
    rows, (weights,) = exactly(X), exactly(weights)
    P, q = len(rows[0]), n_classes - 1

    def value(theta):
        total, information = mp.mpf(0), mp.zeros(P * q)
        for row, code, w in zip(rows, codes, weights, strict=True):
            etas = [mp.mpf(0)] + [mp.fdot(row, theta[k * P : (k + 1) * P]) for k in range(q)]
            terms = [mp.exp(eta) for eta in etas]
            p = [term / mp.fsum(terms) for term in terms]
            total -= w * mp.log(p[int(code)])
            for a in range(q):
                for b in range(q):
                    m = w * p[a + 1] * ((a == b) - p[b + 1])
                    for j in range(P):
                        for k in range(P):
                            information[a * P + j, b * P + k] += m * row[j] * row[k]
        return total - mp.log(mp.det(information)) / 2

    return value


def derivatives(value, theta):
    """Gradient and Hessian by central differences, to about 25 digits."""
    n = len(theta)

    def at(*moves):
        moved = list(theta)
        for j, size in moves:
            moved[j] += size * STEP
        return value(moved)

    ends = [(at((j, 1)), at((j, -1))) for j in range(n)]
    gradient = mp.matrix([(up - down) / (2 * STEP) for up, down in ends])
    middle, hessian = value(theta), mp.zeros(n)
    for j in range(n):
        hessian[j, j] = (ends[j][0] - 2 * middle + ends[j][1]) / STEP**2
        for k in range(j):
            both = at((j, 1), (k, 1)) + at((j, -1), (k, -1))
            across = at((j, 1), (k, -1)) + at((j, -1), (k, 1))
            hessian[j, k] = hessian[k, j] = (both - across) / (4 * STEP**2)
    return gradient, hessian


def minimum(value, start, n_steps=4):
    """The minimum near a start of a few digits, by Newton's method."""
    theta = [mp.mpf(float(t)) for t in start]
    for _ in range(n_steps):
        gradient, hessian = derivatives(value, theta)
        step = mp.lu_solve(hessian, -gradient)
        theta = [t + s for t, s in zip(theta, step, strict=True)]
    assert max(abs(s) for s in step) < mp.mpf(10) ** -18
    return np.array([float(t) for t in theta])
