"""What every derivative must satisfy: differences, transposition, and nestings that agree.

Each check returns the largest disagreement, relative to the sizes of what is compared, so that a
test states the bound and a planted error shows that the check sees it.
"""

from __future__ import annotations

import warnings
import zlib

import numpy as np

from mcmodels.autodiff import grad, jvp, vjp

# Five-point differences with step 1e-3: rounding 1.5 ε/1e-3 = 3e-13, truncation 1e-12 f⁽⁵⁾/30, and
# the functions of the cases have fifth derivatives below some thousands: 1e-9, and ten times that.
DIFFERENCES = 1e-8
# The same products of numbers, added in another order: a few dozen roundings (2e-16) of them, times
# the condition of the matrices of the cases, 3 at most.
ROUNDING = 1e-13
# Second derivatives are sums of more terms, some of which cancel.
SECOND_ROUNDING = 2e-12


def directions(case, count=1, salt=""):
    """Random directions, one for each argument, the same in every run."""
    rng = np.random.default_rng(zlib.crc32(f"{case}{salt}".encode()))
    found = [tuple(rng.standard_normal(np.shape(x)) for x in case.args) for _ in range(count)]
    return found[0] if count == 1 else found


def only(tangents, i):
    """The direction of argument i, and zero for the others."""
    return tuple(v if k == i else np.zeros_like(v) for k, v in enumerate(tangents))


def differences(f, args, tangents, step=1e-3):
    """Five-point central differences of a function of several arrays along a direction."""

    def at(multiple):
        return np.asarray(
            f(*(x + multiple * step * v for x, v in zip(args, tangents, strict=True)))
        )

    return (at(-2) - 8 * at(-1) + 8 * at(1) - at(2)) / (12 * step)


def disagreement(actual, expected, scale):
    """Largest deviation relative to a scale; infinite for NaN and for shapes that differ."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    if actual.shape != expected.shape:
        return np.inf
    if actual.size == 0:
        return 0.0
    deviation = np.max(np.abs(actual - expected)) / (scale if scale > 0 else 1.0)
    return deviation if np.isfinite(deviation) else np.inf


def forward_against_differences(case):
    """Forward mode by each argument."""
    worst, tangents = 0.0, directions(case)
    for i in range(len(case.args)):
        along = only(tangents, i)
        _, found = jvp(case.function, case.args, along)
        expected = differences(case.function, case.args, along)
        scale = 1.0 + np.max(np.abs(expected), initial=0.0)
        worst = max(worst, disagreement(found, expected, scale))
    return worst


def reverse_against_differences(case):
    """Reverse mode by each argument, for a random sum of the outputs."""
    value, pullback = vjp(case.function, *case.args)
    u = np.random.default_rng(1).standard_normal(np.shape(value))
    pulled, tangents, worst = pullback(u), directions(case), 0.0
    pulled = (pulled,) if len(case.args) == 1 else pulled
    for i, g in enumerate(pulled):
        if g.shape != np.shape(case.args[i]):
            return np.inf
        expected = np.sum(u * differences(case.function, case.args, only(tangents, i)))
        found = np.sum(g * tangents[i])
        worst = max(worst, disagreement(found, expected, 1.0 + np.sum(np.abs(g * tangents[i]))))
    return worst


def transposition(case):
    """``⟨u, Jv⟩ = ⟨Jᵀu, v⟩``, argument by argument."""
    value, pullback = vjp(case.function, *case.args)
    rng, worst = np.random.default_rng(2), 0.0
    for _ in range(2):
        u = rng.standard_normal(np.shape(value))
        pulled, tangents = pullback(u), directions(case)
        pulled = (pulled,) if len(case.args) == 1 else pulled
        for i, g in enumerate(pulled):
            if g.shape != np.shape(case.args[i]):
                return np.inf
            pushed = jvp(case.function, case.args, only(tangents, i))[1]
            left, right = np.sum(u * pushed), np.sum(g * tangents[i])
            scale = np.linalg.norm(u) * np.linalg.norm(pushed)
            scale += np.linalg.norm(g) * np.linalg.norm(tangents[i])
            worst = max(worst, disagreement(left, right, scale))
    return worst


def second_derivatives(case):
    """``wᵀ∇²φ v`` of a random sum φ of the outputs, by every nesting of the modes."""
    value = case.function(*case.args)
    u = np.random.default_rng(3).standard_normal(np.shape(value))
    v, w = directions(case, 2, "second")
    every = tuple(range(len(case.args)))

    def phi(*args):
        return np.sum(u * case.function(*args))

    def along_w_reverse(*args):
        parts = grad(phi, every)(*args)
        return sum(np.sum(part * direction) for part, direction in zip(parts, w, strict=True))

    def along_w_forward(*args):
        return jvp(phi, args, w)[1]

    def by_reverse(f):
        parts = grad(f, every)(*case.args)
        return sum(float(np.sum(part * d)) for part, d in zip(parts, v, strict=True))

    found = {
        "forward over reverse": float(jvp(along_w_reverse, case.args, v)[1]),
        "forward over forward": float(jvp(along_w_forward, case.args, v)[1]),
        "reverse over reverse": by_reverse(along_w_reverse),
        "reverse over forward": by_reverse(along_w_forward),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        curvature = grad(along_w_reverse, every)(*case.args)
    scale = sum(np.linalg.norm(g) * np.linalg.norm(d) for g, d in zip(curvature, v, strict=True))
    first = grad(phi, every)(*case.args)
    scale += sum(np.linalg.norm(g) for g in first)
    return found, float(differences(along_w_reverse, case.args, v)), max(float(scale), 1.0)
