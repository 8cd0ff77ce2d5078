"""convexity: known functions, random compositions, and each table against numbers."""

import math

import mpmath
import numpy as np
import pytest

from mcmodels.calculus import (
    DerivativeError,
    convexity,
    exp,
    log,
    matrix,
    parse,
    scalar,
    sqrt,
    sum,
    vector,
)
from mcmodels.calculus.compute.digits.walking import walk_exactly
from mcmodels.calculus.compute.evaluate import walk
from mcmodels.calculus.core.arithmetic import add
from mcmodels.calculus.core.elementwise import FUNCTIONS, elementwise
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.calculus.study.convexity import atoms
from mcmodels.calculus.study.convexity.ranges import Ranges
from mcmodels.calculus.study.convexity.witness import find_witness
from tests.calculus import convex_functions as known

KNOWN = [
    (f, x, signed, kind)
    for kind in ("CONVEX", "CONCAVE", "AFFINE", "NEITHER")
    for f, x, signed in getattr(known, kind)
]

# 1 − σ(z) has no digits left at z = 36: a sum of rounding errors must not be taken for a witness.
LOGISTIC = next(case for case in KNOWN if "1 - sigmoid" in str(case[0]))


@pytest.mark.parametrize(
    ("f", "x", "signed", "kind"), KNOWN, ids=lambda value: str(value)[:60].replace("/", "÷")
)
def test_known_functions(f, x, signed, kind):
    found = convexity(f, x, nonnegative=signed)
    assert found.kind == kind.lower(), found
    if kind == "NEITHER":
        require_witness(f, x, found.witness)


def second_difference(f, x, bend, others):
    """The values at three points on a line; positive where f is above its chord's complement."""
    h, v, at = bend.step, np.asarray(bend.direction), np.asarray(bend.point)
    up, middle, down = (float(f.evaluate(**{**others, x.name: at + k * h * v})) for k in (1, 0, -1))
    return (up - 2 * middle + down) / h**2


def require_witness(f, x, witness):
    for bend, sign in ((witness.up, 1), (witness.down, -1)):
        others = {s.name: witness.others[s.name] for s in f.symbols if s != x}
        assert np.linalg.norm(bend.direction) == pytest.approx(1)
        assert sign * second_difference(f, x, bend, others) > 0
        if bend.curvature is not None:
            H = np.atleast_2d(f.hessian(x).evaluate(**{**others, x.name: bend.point}))
            v = np.asarray(bend.direction).ravel(order="F")
            # The same Hessian and direction, in another order of sums.
            assert v @ H @ v == pytest.approx(bend.curvature, rel=1e-6)
            assert sign * bend.curvature > 0


def test_no_witness_is_found_against_what_is_known():
    decided = [case for case in KNOWN if case[3] != "NEITHER"]
    for f, x, signed, _ in [*decided[4::9], LOGISTIC]:
        assert find_witness(f, x, frozenset(signed), f.hessian(x)) is None, f


# -- random compositions ------------------------------------------------------------------------


def random_function(rng, x, depth):
    """A random function of one number or of the two entries of a vector."""
    if depth == 0:
        atoms_ = [x] if x.is_scalar else [x[0], x[1]]
        coefficient, shift = rng.integers(-2, 3), rng.integers(-1, 2)
        return int(coefficient or 1) * atoms_[rng.integers(len(atoms_))] + int(shift)
    inside = random_function(rng, x, depth - 1)
    choice = rng.integers(9)
    if choice < 4:
        names = sorted(set(FUNCTIONS) - {"sign", "step"})
        return elementwise(names[rng.integers(len(names))], inside)
    if choice == 4:
        return inside ** float(rng.choice([-2, -1, -0.5, 0.5, 1.5, 2, 3, 4]))
    other = random_function(rng, x, rng.integers(depth))
    if choice in (5, 6):
        return inside + int(rng.choice([-2, -1, 1, 2])) * other
    return inside * other if choice == 7 else -inside


def test_random_compositions_are_never_judged_wrongly():
    # Chords of 0.01 to 2 at 40 points. Rounding leaves 1e-9 of the values in a second difference.
    counts = dict.fromkeys(("convex", "concave", "affine", "neither", "unknown"), 0)
    for seed in range(150):
        rng = np.random.default_rng(seed)
        x = scalar("x") if seed % 2 else vector("x", 2)
        try:
            f = random_function(rng, x, int(rng.integers(1, 4)))
        except (ValueError, ZeroDivisionError):
            continue
        if x not in f.used:
            continue
        signed = [x] if seed % 3 == 0 else []
        found = convexity(f, x, nonnegative=signed)
        counts[found.kind] += 1
        if found.kind == "neither":
            require_witness(f, x, found.witness)
        elif found.kind != "unknown":
            require_kind(f, x, found, bool(signed), rng)
    assert counts["convex"] > 15, counts
    assert counts["concave"] > 8, counts
    assert counts["neither"] > 15, counts


def require_kind(f, x, found, positive, rng):
    def value(at):
        try:
            with np.errstate(all="ignore"):
                result = walk(f, {x: np.atleast_2d(at).T}, {}, checked=True)[0, 0]
        except (ValueError, OverflowError):
            return math.nan
        return float(result)

    size = 1 if x.is_scalar else 2
    for _ in range(40):
        at, v = 2 * rng.standard_normal(size), rng.standard_normal(size)
        at = np.abs(at) if positive else at
        for h in (0.01, 0.3, 1.0):
            ends = [at - h * v, at, at + h * v]
            if positive and min(end.min() for end in ends) < 0:
                continue
            values = [value(end) for end in ends]
            if not np.isfinite([values[0], values[2]]).all():
                continue
            # The set on which it is defined is convex.
            assert np.isfinite(values[1]) or np.abs(values).max() > 1e100, (f, ends)
            change = values[0] - 2 * values[1] + values[2]
            noise = 1e-9 * np.abs(values).max() + 1e-12
            if found.is_convex:
                assert change >= -noise, (f, found, ends)
            if found.is_concave:
                assert change <= noise, (f, found, ends)


# -- tables ---------------------------------------------------------------------------------------


def points(low, high):
    low = max(float(low), -6.0)
    return np.linspace(low, min(float(high), 6.0), 41)[1:-1]


@pytest.mark.parametrize("name", sorted(atoms._PIECES))
def test_pieces_have_the_curvature_and_slope_that_they_say(name):
    z = scalar("z")
    f = elementwise(name, z)
    require_pieces(f, z, atoms.pieces_of(f), atoms._DOMAINS.get(name, (-6, 6)))


@pytest.mark.parametrize("p", [-3, -2, -1, -0.5, 0.3, 0.5, 1.5, 2, 2.5, 3, 4, 5])
def test_pieces_of_powers(p):
    z = scalar("z")
    require_pieces(z**p, z, atoms.pieces_of(z**p), (-6, 6))


def require_pieces(f, z, pieces, domain):
    assert pieces
    h = 1e-3  # second differences at 1e-3 of values near 1 are right to 1e-9
    for piece in pieces:
        for at in points(max(piece.low, domain[0]), min(piece.high, domain[1])):
            try:
                left, middle, right = (float(f.evaluate(z=at + k * h)) for k in (-1, 0, 1))
            except ValueError:
                continue
            noise = 1e-12 * max(1, np.abs([left, middle, right]).max())
            assert piece.curvature * (left - 2 * middle + right) >= -noise, (f, piece, at)
            if piece.slope:
                assert piece.slope * (right - left) >= -noise, (f, piece, at)


def test_a_planted_piece_is_caught():
    z = scalar("z")
    wrong = atoms.Piece(-1, 1, 1, 1)
    with pytest.raises(AssertionError):
        require_pieces(elementwise("tanh", z), z, (wrong,), (-6, 6))


def test_the_inverse_mills_ratio_is_convex_also_far_out():
    # By 40 digits: values in double precision lose the second difference there.
    with mpmath.workdps(40):
        ratio = lambda z: mpmath.npdf(z) / mpmath.ncdf(z)  # noqa: E731
        for at in range(-30, 12, 2):
            assert mpmath.diff(ratio, at, 2) > 0


def test_ranges_hold_for_all_parts_of_known_functions():
    rng = np.random.default_rng(0)
    sizes = {"n": 3, "m": 4, "p": 2, "k": 3}
    checked = positive = 0
    for f, _x, signed, _ in KNOWN:
        ranges = Ranges(signed)
        for _ in range(5):
            values = {s: drawn(s, sizes, rng, s in signed) for s in f.used}
            for part in parts_of(f):
                try:
                    with np.errstate(all="ignore"):
                        found = walk(part, values, sizes, checked=True)
                except ValueError:
                    continue
                low, high = ranges.of(part)
                assert float(low) - 1e-12 <= found.min(), (part, low)
                assert found.max() <= float(high) + 1e-12, (part, high)
                for sign in (1, -1):
                    if part.is_square and ranges.definite(part, sign):
                        checked += 1
                        eigenvalues = sign * np.linalg.eigvalsh(found)
                        # Rounding of products of at most four matrices of order 1 to 100.
                        assert eigenvalues[0] >= -1e-9 * max(1, abs(eigenvalues[-1]))
                        assert found == pytest.approx(found.T)
                if ranges.positive(part):
                    positive += 1
                    assert smallest_exactly(part, values, sizes) > 0, part
    assert checked > 300
    assert positive > 300


def smallest_exactly(part, values, sizes):
    """The smallest entry in 60 digits, where nothing underflows: exp(-1000) is above 0."""
    with mpmath.workdps(60):
        exact = {s: [[mpmath.mpf(v) for v in row] for row in a.tolist()] for s, a in values.items()}
        return min(entry for row in walk_exactly(part, exact, sizes) for entry in row)


@pytest.mark.parametrize(
    ("text", "is_positive"),
    [
        ("exp(x)", True),
        ("3 * exp(x) * sigmoid(x)", True),
        ("sum(softplus(x))", True),
        ("softmax(x)", True),
        ("exp(x)[0]", True),
        ("1 + x**2", True),
        ("1 / (1 + exp(x))", True),
        ("abs(x) + norm_cdf(x)", True),
        ("relu(x)", False),
        ("x**2", False),
        ("abs(x)", False),
        ("norm(x)", False),
        ("exp(x) - 1", False),
        ("-exp(x)", False),
        ("exp(x) + x", False),
        ("x * exp(x)", False),
        ("sigmoid(x) - 1", False),
        ("step(x)", False),
        ("tanh(x)", False),
        ("c * exp(x)", False),
        ("sum(x)", False),
    ],
)
def test_what_is_known_to_be_positive(text, is_positive):
    """Those that are not have entries that are not above 0: at x = 0, or at one of the others."""
    f = parse(text, x="n", c=())
    assert Ranges(frozenset()).positive(f) is is_positive
    if is_positive:
        return
    points = ([0.0, 0.0], [-1.0, -2.0], [1.0, 2.0])
    values = [f.evaluate(x=at, **({"c": -1} if "c" in text.split() else {})) for at in points]
    assert min(np.min(value) for value in values) <= 0


def drawn(symbol, sizes, rng, positive):
    shape = (symbol.rows.value(sizes), symbol.cols.value(sizes))
    value = rng.standard_normal(shape)
    if "positive_definite" in symbol.declared:
        return value @ value.T + np.eye(len(value))
    if "probability" in symbol.declared:
        return np.exp(value) / np.exp(value).sum()
    if "symmetric" in symbol.declared:
        return value + value.T
    return np.abs(value) if positive else value


@pytest.mark.parametrize(
    ("text", "is_definite"),
    [
        ("A.T @ A", True),
        ("A.T @ diag(exp(b)) @ A", True),
        ("A.T @ diag(b) @ A", False),
        ("eye(n) - ones(n, n) / n", True),
        ("eye(n) - 2 * ones(n, n) / n", False),
        ("diag(softmax(c)) - softmax(c) @ softmax(c).T", True),
        ("A @ (diag(softmax(c)) - softmax(c) @ softmax(c).T) @ A.T", True),
        ("diag(softmax(c)) - 2 * softmax(c) @ softmax(c).T", False),
        ("diag(c) - c @ c.T", False),
        ("kron(S, A.T @ A)", True),
        ("kron(S, B)", False),
        ("S * (A.T @ A)", True),
        ("inv(S) + matrix_power(S, 3)", True),
        ("S - eye(n)", False),
        ("eye(n) - B @ inv(B.T @ B) @ B.T", True),
        ("B @ B", False),
        ("A.T @ B @ A", False),
    ],
)
def test_definite(text, is_definite):
    M = parse(text, A="m,n", b="m", c="n", S=known.S, B=("m,m" if "A.T @ B" in text else "n,n"))
    assert Ranges().definite(M) is is_definite
    assert not Ranges().definite(M, -1)
    assert Ranges().definite(-M, -1) is is_definite


# -- what it says -----------------------------------------------------------------------------


def test_kinks_and_gaps_are_not_proved_by_a_hessian():
    s = scalar("s")
    for f in (-(abs(s)) + s**2, 1 / s**2, log(s**2), abs(s) * s, 1 / (s**2 - 1)):
        assert convexity(f, s).kind in ("neither", "unknown"), f


def test_unknown_says_of_what_and_under_which_condition():
    lam, x = scalar("lam"), vector("x", "n")
    found = convexity(lam * sum(x**2), x)
    assert found.kind == "unknown"
    assert "convex where λ ≥ 0" in str(found)
    assert convexity(lam * sum(x**2), x, nonnegative="lam").is_convex


def test_refusals():
    x, W = vector("x", "n"), matrix("W", "n", "p", orthogonal=True)
    with pytest.raises(DerivativeError, match="scalar"):
        convexity(exp(x), x)
    with pytest.raises(DerivativeError, match="no symbol 'v'"):
        convexity(sum(x), "v")
    with pytest.raises(DerivativeError, match="no symbol 'x'"):
        convexity(3, "x")
    with pytest.raises(DerivativeError, match="orthogonal"):
        convexity(sum(W), W)
    with pytest.raises(DerivativeError, match="no symbol 'c'"):
        convexity(sum(x), x, nonnegative=["c"])


def test_the_verdict_shows():
    x = vector("x", "n")
    found = convexity(sum(sqrt(1 + x**2)), "x")
    assert repr(found) == "convex: by composition"
    assert found._repr_html_().startswith("<pre>convex")


def test_hessians_of_a_long_sum_are_derived_a_few_times(monkeypatch):
    """Not once for each symbol that might be at least 0: of 12 symbols here, none decides."""
    from mcmodels.calculus.derive import gradients

    derived = []
    hessian = gradients.hessian
    monkeypatch.setattr(
        gradients, "hessian", lambda f, *rest: derived.append(f) or hessian(f, *rest)
    )
    x = vector("x", "n")
    f = add([log(1 + (vector(f"a{i}", "n").T @ x) ** 2) for i in range(12)])
    assert convexity(f, x).kind == "neither"
    assert len(derived) == len(set(derived)) <= 4
