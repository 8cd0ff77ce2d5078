"""Arrays that are filled by index hold what NumPy's hold, and their derivatives are right."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mcmodels.autodiff.numpy as anp
from mcmodels.autodiff import NoRuleError, constant, grad, hessian, jacobian, jvp, vjp
from mcmodels.autodiff.filling import FilledArray
from tests.autodiff.checkers import differences

X = np.array([0.3, 1.2, 0.7])
MATRIX = np.arange(9.0).reshape(3, 3)

# ---- random programs of arrays, views and assignments ----------------------------------------

# Positions of a matrix (3, 2), by every kind of index.
INDICES = [
    (0, 1), (2, 0), (-1, -1), 0, -1, slice(1, None), slice(None, None, -1), (slice(None), 0),
    (slice(None), slice(None, None, -1)), Ellipsis, (Ellipsis, 1), [0, 2], [1, 1, 0],
    (np.array([0, 2, 0]), np.array([1, 1, 1])), np.array([True, False, True]),
    np.array([[True, False], [False, True], [True, True]]), (slice(None), [1, 0]), (slice(0, 2), 1),
    (None, slice(1, 3)), np.array([[0, 1], [2, 2]]),
]  # fmt: skip
VIEWS = [
    lambda np, a: a[:], lambda np, a: a[::-1], lambda np, a: np.flip(a), lambda np, a: a.copy(),
    lambda np, a: a.reshape(2, 3).T, lambda np, a: np.reshape(a.ravel(), (3, 2)),
    lambda np, a: a.T.reshape(3, 2), lambda np, a: np.array(a), lambda np, a: np.asarray(a),
    lambda np, a: a.T.T, lambda np, a: np.swapaxes(a.T, 0, 1), lambda np, a: np.array(a + 0.0),
    lambda np, a: np.expand_dims(a, 0)[0], lambda np, a: a[[0, 1, 2]], lambda np, a: np.copy(a),
    lambda np, a: np.squeeze(a[:, None]), lambda np, a: a.T.ravel().reshape(3, 2),
    lambda np, a: np.array(np.concatenate(np.split(a, 3))), lambda np, a: a.flatten().reshape(3, 2),
    lambda np, a: np.zeros_like(a), lambda np, a: copy.deepcopy(a),
    lambda np, a: np.asarray(a.T, order="C").T, lambda np, a: np.asfortranarray(a),
    lambda np, a: np.copy(a.T).T, lambda np, a: a.T.copy().T, lambda np, a: a.copy(order="F"),
    lambda np, a: a.swapaxes(0, 1).swapaxes(1, 0),
]  # fmt: skip


def _assign(np, a, b, x, index):
    a[index] = b[index]


def _assign_scalar(np, a, b, x, index):
    a[index] = x[0] * b[1, 0]


def _assign_number(np, a, b, x, index):
    a[index] = 0.25


def _multiply(np, a, b, x, index):
    a[index] *= x[1]


def _add_row(np, a, b, x, index):
    a += x[:2]


def _subtract(np, a, b, x, index):
    a -= 0.5 * b


def _add_to_view(np, a, b, x, index):
    part = a[index]
    part += x[2]  # a copy, or a view, as the index decides


def _rows(np, a, b, x, index):
    for row, value in zip(a, x, strict=True):
        row[:] = row * value


def _at(np, a, b, x, index):
    np.add.at(a, index, np.sin(x[0]))


def _out(np, a, b, x, index):
    np.multiply(b, x[:, None], out=a)


def _fill(np, a, b, x, index):
    a.fill(x[1])


def _diagonal(np, a, b, x, index):
    np.fill_diagonal(a, x[2])


def _copyto(np, a, b, x, index):
    np.copyto(a, np.cos(b))


def _list(np, a, b, x, index):
    a[0] = [x[0], 1.0]


STATEMENTS = [
    _assign, _assign_scalar, _assign_number, _multiply, _add_row, _subtract, _add_to_view, _rows,
    _at, _out, _fill, _diagonal, _copyto, _list,
]  # fmt: skip

step = st.one_of(
    st.tuples(st.just("view"), st.integers(0, len(VIEWS) - 1), st.integers(0, 5), st.just(0)),
    st.tuples(st.just("write"), st.integers(0, len(STATEMENTS) - 1), st.integers(0, 5),
              st.integers(0, 5), st.integers(0, len(INDICES) - 1)),
    st.tuples(st.just("read"), st.integers(0, 5)),
)  # fmt: skip
programs = st.lists(step, min_size=1, max_size=12)


def run(program, np, kind_of_numbers=float):
    """The function that a program is, written for one NumPy: all that its arrays hold, read or not.

    Arrays are named 0, 1, …; several names may belong to one array or to views of it. Of complex
    numbers it returns the real and the imaginary parts.
    """

    def f(x):
        arrays = [np.zeros((3, 2), kind_of_numbers), np.full((3, 2), kind_of_numbers(0.5))]
        if kind_of_numbers is complex:
            x = x * (1.0 - 0.5j)
        seen = []
        for kind, *rest in program:
            a = arrays[rest[-1 if kind == "read" else 1] % len(arrays)]
            if kind == "view":
                arrays.append(VIEWS[rest[0]](np, a))
            elif kind == "write":
                b = arrays[rest[2] % len(arrays)]
                STATEMENTS[rest[0]](np, a, b, x, INDICES[rest[3]])
            else:
                seen.append(np.sin(a))  # must not change when a is written to
        all_of_it = np.concatenate([np.ravel(a) for a in arrays + seen])
        if kind_of_numbers is complex:
            return np.concatenate([np.real(all_of_it), np.imag(all_of_it)])
        return all_of_it

    return f


@pytest.mark.parametrize("kind", [float, complex])
@settings(max_examples=300, deadline=None)
@given(program=programs)
def test_random_programs(kind, program):
    """Values are NumPy's; derivatives agree with differences of NumPy's values."""
    f, plain = run(program, anp, kind), run(program, np, kind)
    v = np.array([1.0, 0.4, -0.8])
    value, tangent = jvp(f, (X,), (v,))
    expected = plain(X)
    # Rounding: np.add.at adds terms in another order.
    np.testing.assert_allclose(value, expected, rtol=1e-14, atol=1e-14)
    np.testing.assert_array_equal(f(X), expected)
    slope = differences(plain, (X,), (v,))
    scale = 1 + np.max(np.abs(slope)) + np.max(np.abs(expected))
    # Products of up to twelve factors near 1; five-point differences with step 1e-3.
    np.testing.assert_allclose(tangent, slope, rtol=0, atol=1e-8 * scale)
    u = np.cos(np.arange(value.size))
    again, pullback = vjp(f, X)
    np.testing.assert_array_equal(again, value)
    assert abs(pullback(u) @ v - u @ tangent) < 1e-13 * scale * value.size


@settings(max_examples=60, deadline=None)
@given(program=programs)
def test_second_derivatives_of_random_programs(program):
    f, plain = run(program, anp), run(program, np)
    u = np.cos(np.arange(f(X).size))
    phi = lambda x: f(x) @ u  # noqa: E731
    H = hessian(phi)(X)
    scale = 1 + np.max(np.abs(H)) + np.sum(np.abs(plain(X)))
    forward = np.array(
        [[jvp(lambda y, v=v: jvp(phi, (y,), (v,))[1], (X,), (w,))[1] for w in np.eye(3)]
         for v in np.eye(3)]
    )  # fmt: skip
    np.testing.assert_allclose(forward, H, rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(jacobian(grad(phi))(X), H, rtol=0, atol=1e-12 * scale)
    v = np.array([1.0, 0.4, -0.8])
    second = [plain(X + k * 1e-2 * v) @ u for k in (-2, -1, 0, 1, 2)]
    curvature = np.array([-1, 16, -30, 16, -1]) @ second / 12e-4
    # Differences with step 1e-2: 1e-8 times sixth derivatives of products of twelve factors.
    assert abs(v @ H @ v - curvature) < 1e-5 * scale


# ---- what is special -------------------------------------------------------------------------


def test_the_check_sees_a_view_that_does_not_follow(monkeypatch):
    """Planted: indexing returns copies. A write through a view is then lost."""
    view = ("view", 0, 0, 0)
    program = [view, ("write", 1, 2, 1, 0), ("read", 0)]
    test_random_programs.hypothesis.inner_test(float, program)
    original = FilledArray.__getitem__
    monkeypatch.setattr(
        FilledArray, "__getitem__", lambda self, index: copy.copy(original(self, index))
    )
    with pytest.raises(AssertionError):
        test_random_programs.hypothesis.inner_test(float, program)


def test_the_check_sees_a_stale_snapshot(monkeypatch):
    """Planted: what was read changes when the array is filled again."""
    from mcmodels.autodiff.captured import SMALL
    from mcmodels.autodiff.cells import Cell

    def plain(self, at):
        return self.flat[at] if at is not None else self.flat.reshape(self.shape)

    def f(x):
        h = anp.zeros(SMALL + 1)  # smaller ones are copied by the tape
        before = x[0] * h
        h[...] = 2.0
        return anp.sum(before)

    np.testing.assert_array_equal(grad(f)(X), 0.0)
    monkeypatch.setattr(Cell, "_plain", plain)
    with pytest.raises(NoRuleError, match="overwritten"):
        grad(f)(X)


def test_outside_of_derivatives_all_is_numpy():
    assert type(anp.zeros(3)) is np.ndarray
    assert type(anp.array([1.0, 2.0])) is np.ndarray
    assert type(anp.full(3, 1.0)) is np.ndarray
    assert type(anp.r_[0.0, 1.0:3.0]) is np.ndarray
    assert type(anp.vectorize(lambda t: t * t)(X)) is np.ndarray
    assert anp.pi == np.pi
    assert anp.float64 is np.float64
    assert anp.linalg.LinAlgError is np.linalg.LinAlgError
    assert set(np.__all__) <= set(dir(anp))
    grad(lambda x: np.sum(anp.zeros(3) * x))(X)
    assert type(anp.zeros(3)) is np.ndarray
    with pytest.raises(ZeroDivisionError):
        grad(lambda x: 1 / 0)(X)
    assert type(anp.zeros(3)) is np.ndarray


def test_functions_are_pickled():
    for function in (anp.sum, anp.exp, anp.linalg.det, anp.array, anp.fft.fft):
        again = pickle.loads(pickle.dumps(function))
        assert getattr(again, "__wrapped__", again) is getattr(function, "__wrapped__", function)


def test_types_are_kept():
    seen = {}

    def f(x):
        h = anp.zeros(3, dtype=np.float32)
        h[0] = x[0]
        seen["single"] = h.dtype, (h * 2).dtype
        seen["integer"] = type(anp.zeros(3, dtype=int)), type(anp.array([1, 2]))
        return anp.sum(h) * 1.0

    g = grad(f)(X)
    assert seen["single"] == (np.float32, np.float32)
    assert seen["integer"] == (np.ndarray, np.ndarray)
    np.testing.assert_array_equal(g, [1.0, 0.0, 0.0])


def test_lists_of_values():
    """As NumPy takes lists of numbers: in makers, in reductions, in linear algebra."""
    for f in (
        lambda np, x: np.linalg.det([[1, x[0]], [x[0], 1.0]]),
        lambda np, x: np.linalg.inv(np.array([[1, x[0]], [x[1], 3.0]]))[0, 1],
        lambda np, x: np.linalg.solve([[1, x[0]], [x[1], 3.0]], [x[2], 1.0]) @ np.ones(2),
        lambda np, x: np.mean([x[0], x[1] ** 2, 1.0]) + np.sum((x[0], 2 * x[1])),
        lambda np, x: np.std([x[0], x[1], 2.0]) + np.max([x[0], x[1]]) * np.prod([x[0], x[2]]),
        lambda np, x: np.sum(np.exp([[1, x[0]], [x[0], 1]])) + np.log([x[0], 2.0])[0],
        lambda np, x: np.dot([x[0], x[1]], [x[1], 2.0]) + np.sum(np.array([x, x**2]) @ x),
        lambda np, x: np.sum(np.array([[x, x], [x, 2 * x]], dtype=float) ** 2),
        lambda np, x: np.concatenate([[x[0], 1.0], x, [3.0]]) @ np.arange(6.0),
        lambda np, x: np.vstack([[x[0], x[1]], [1, 2]])[0] @ np.hstack([x[0], [x[1]]]),
        lambda np, x: (
            np.sum(np.full((2, 3), x[0]) * np.full(3, x)) + np.sum(np.full(2, [x[0], 1.0]))
        ),
        lambda np, x: np.sum(np.r_[0.0, x, 1.0] ** 2) + np.r_[x[0], 0:2, x] @ np.arange(6.0),
        lambda np, x: np.sum(np.c_[x, [1.0, 2.0, x[0]], np.outer(x, x)] ** 2),
        lambda np, x: np.sum(np.where([x[0] > 0, x[1] > 2], [x[0], x[1]], [x[2], x[2] ** 2])),
        lambda np, x: np.array(x[0]) * np.asarray(x)[1] * np.array([x[0]], ndmin=2)[0, 0],
        lambda np, x: np.array([np.array([x[0], 1.0]), np.zeros(2)]).sum(axis=0)[0],
        lambda np, x: np.maximum.reduce([x[0], x[1] ** 2]) + np.add.reduce(np.array([x[0], x[1]])),
        lambda np, x: np.trace(np.diag([x[0], x[1]]) @ np.eye(2)),
        lambda np, x: np.average([1.0, 2.0], weights=[x[0], x[1]]) + np.sum(a=[x[0], x[2]]),
        lambda np, x: np.einsum("i,i", [x[0], x[1]], [x[1], 3.0]),
        lambda np, x: np.linalg.multi_dot([np.eye(3), np.outer(x, x), x])[0],
    ):
        expected = np.array([differences(lambda t, f=f: f(np, t), (X,), (v,)) for v in np.eye(3)])
        followed = lambda t, f=f: f(anp, t)  # noqa: E731
        # Five-point differences with step 1e-3, of smooth functions near 1.
        np.testing.assert_allclose(grad(followed)(X), expected, rtol=1e-8, atol=1e-9)
        forward = [jvp(followed, (X,), (v,))[1] for v in np.eye(3)]
        np.testing.assert_allclose(forward, expected, rtol=1e-8, atol=1e-9)


def test_ragged_lists_are_refused():
    with pytest.raises(ValueError, match="shapes"):
        grad(lambda x: anp.sum(anp.array([x, x[0]])))(X)


def test_what_numpy_refuses_is_refused():
    for statement, error in (
        (lambda h, x: h.__setitem__(7, x[0]), IndexError),
        (lambda h, x: h.__setitem__(slice(0, 2), x), ValueError),
        (lambda h, x: h.__setitem__(0, x), ValueError),
        (lambda h, x: h.__setitem__(0, 1j), TypeError),
        (lambda h, x: h.__setitem__(x, 1.0), (IndexError, TypeError)),
        (lambda h, x: h.__iadd__(np.ones((2, 3)) * x), ValueError),
        (lambda h, x: anp.broadcast_to(h, (2, 3)).__setitem__(0, x), ValueError),
        (lambda h, x: anp.diagonal(np.ones((3, 1)) * h).__setitem__(0, x[0]), ValueError),
    ):

        def f(x, statement=statement):
            h = anp.zeros(3)
            statement(h, x)
            return anp.sum(h)

        with pytest.raises(error):
            grad(f)(X)


def test_a_refused_write_changes_nothing():
    def f(x):
        h = anp.zeros(3)
        h[...] = x
        with pytest.raises(ValueError, match="broadcast"):
            h[:] = np.ones(2)
        with pytest.raises(ValueError, match="broadcast"):
            h[:2] = x
        return h @ h

    np.testing.assert_array_equal(grad(f)(X), 2 * X)


def test_plain_content_goes_anywhere():
    """An array that holds no traced value is a plain one to whoever asks."""
    seen = {}

    def f(x):
        h = anp.linspace(0.0, 1.0, 3)
        h[1] = 2.0
        seen.update(
            median=np.median(h), floor=np.floor(h), number=float(h[1]), items=h.tolist(),
            sort=np.sort(h), array=np.asarray(h), text=repr(h),
                pickled=pickle.loads(pickle.dumps(h)),
            plain=np.zeros(3) + h, into=np.add(h, 1.0, out=np.zeros(3)), length=len(h),
                flag=bool(h[0] < 1),
        )  # fmt: skip
        return np.sum(x * h)

    np.testing.assert_array_equal(grad(f)(X), [0.0, 2.0, 1.0])
    np.testing.assert_array_equal(seen["array"], [0.0, 2.0, 1.0])
    np.testing.assert_array_equal(constant(seen["sort"]), [0.0, 1.0, 2.0])
    np.testing.assert_array_equal(seen["into"], [1.0, 3.0, 2.0])
    assert seen["median"] == 1.0
    assert seen["number"] == 2.0
    assert seen["items"] == [0.0, 2.0, 1.0]


def test_traced_content_is_not_lost():
    """What NumPy's arrays would lose in silence is an error of filled ones too."""
    for lose in (
        lambda h: float(h[0]), lambda h: np.zeros(3).__setitem__(slice(None), h),
        lambda h: np.asarray(h), lambda h: np.floor(h), lambda h: pickle.dumps(h),
        lambda h: h.astype(int),
        lambda h: anp.zeros(3, int).__setitem__(0, h[0]), lambda h: np.add(h, 1.0, out=np.zeros(3)),
    ):  # fmt: skip

        def f(x, lose=lose):
            h = anp.zeros(3)
            h[0] = x[0]
            lose(h)
            return anp.sum(h)

        with pytest.raises((NoRuleError, ValueError, AttributeError)):
            grad(f)(X)


def test_contents_of_derivatives_inside():
    """An array that is filled inside and outside of an inner derivative."""

    def outer(x):
        h = anp.zeros(2)
        h[0] = x

        def inner(y):
            k = h.copy()
            k[1] = y * h[0]
            return k @ k  # x² + x²y²

        h[1] = grad(inner)(x)  # 2x²·x
        return h[1]

    assert grad(outer)(2.0) == pytest.approx(6 * 2.0**2, rel=1e-14)
    assert hessian(outer)(2.0) == pytest.approx(12 * 2.0, rel=1e-14)

    kept = []

    def leaks(x):
        h = anp.zeros(2)

        def inner(y):
            h[0] = y * x
            return y * x

        kept.append(grad(inner)(x))
        return anp.sum(h)

    with pytest.raises(ValueError, match="has ended"):
        grad(leaks)(2.0)


def test_a_filled_array_as_point_and_direction():
    def f(x):
        h = anp.zeros(3)
        h[...] = x
        return grad(lambda z: anp.sum(z**3))(h) @ jvp(anp.sin, (h,), (h,))[1]

    expected = [differences(lambda t: (3 * t**2) @ (np.cos(t) * t), (X,), (v,)) for v in np.eye(3)]
    np.testing.assert_allclose(grad(f)(X), expected, rtol=1e-8)  # five-point differences


def test_long_loops_take_linear_time():
    """A recurrence through an array keeps one entry of the tape for each step, not one array."""

    def f(x):
        h = anp.zeros(4000)
        h[0] = x[0]
        for t in range(1, 4000):
            h[t] = 0.9 * h[t - 1] + x[1]
        return h[-1]

    from mcmodels.autodiff.recorded import Recorded

    recorded = Recorded(f, 0, (X,), {})
    assert sum(np.size(y) for _, y, *_ in recorded.tape.entries) < 5 * 4000
    # A geometric sum: x₀ 0.9³⁹⁹⁹ + 10 x₁; rounding of 4000 steps.
    np.testing.assert_allclose(grad(f)(X), [0.9**3999, 10.0, 0.0], rtol=1e-12)


def test_names_of_numpy_do_not_hide_those_of_python():
    """NumPy has names such as any and sum, which code of ours must not take for Python's."""
    for name in np.__all__:
        getattr(anp, name)
    test_lists_of_values()
    test_outside_of_derivatives_all_is_numpy()
    assert grad(lambda x: anp.sum(anp.r_[x, 1.0]))(X).tolist() == [1.0, 1.0, 1.0]


def test_views_without_axes():
    def f(x):
        h = anp.zeros((2, 2))
        point = h[1, 0, ...]
        point += x[0]
        point[...] *= x[1]
        return point * h[1, 0] + h.sum()

    # (ab)² + ab
    a, b = X[:2]
    np.testing.assert_allclose(grad(f)(X), [2 * a * b * b + b, 2 * a * a * b + a, 0.0], rtol=1e-14)


def test_plain_entries_stay_plain():
    """Reading the whole array does not make its numbers traced ones."""

    def f(x):
        h = anp.zeros(3)
        h[0], h[1] = x[0], 2.0
        total = anp.sum(h)
        return total * float(h[1]) + anp.floor(h[1:]).sum()

    assert grad(f)(X).tolist() == [2.0, 0.0, 0.0]


def test_copies_of_plain_arrays_can_be_filled():
    for maker in (
        lambda: anp.copy(MATRIX), lambda: anp.array(MATRIX), lambda: anp.diag(MATRIX[0]),
        lambda: anp.outer(X, X), lambda: anp.tile(MATRIX, 1), lambda: anp.triu(MATRIX),
        lambda: anp.eye(3) * 2.0, lambda: anp.full_like(MATRIX, 3.0), lambda: -anp.ones((3, 3)),
    ):  # fmt: skip

        def f(x, maker=maker):
            A = maker()
            A[0, 1:] = x[:2]
            return anp.sum(A * A)

        np.testing.assert_allclose(grad(f)(X), [2 * X[0], 2 * X[1], 0.0], rtol=1e-14)
    np.testing.assert_array_equal(MATRIX, np.arange(9.0).reshape(3, 3))
    with pytest.raises(ValueError, match="read-only"):
        grad(lambda x: anp.diag(MATRIX).__setitem__(0, 1.0))(X)


def test_views_by_functions_follow_their_array():
    """What is read from a view after its array was written to is what was written."""
    for view in (
        lambda h: anp.broadcast_arrays(h, anp.ones((2, 3)))[0][1],
        lambda h: anp.atleast_2d(h, anp.ones(3))[0][0],
        lambda h: anp.broadcast_to(h, (2, 3))[1],
        lambda h: anp.split(h, [1])[1][::-1],
        lambda h: h.real if isinstance(h, FilledArray) else h,
        lambda h: anp.moveaxis(h[:, None], 0, 1)[0],
        lambda h: anp.diagonal(anp.broadcast_to(h, (3, 3))),
    ):

        def f(x, view=view):
            h = anp.zeros(3)
            v = view(h)
            h[...] = x
            return anp.sum(v**2)

        expected = 2 * X
        expected[0] *= view(np.ones(3)).shape == (3,)  # split leaves the first out
        np.testing.assert_allclose(grad(f)(X), expected, rtol=1e-14)


def test_the_memory_is_not_shared():
    """A plain view would not see what is written later: it is refused."""
    for name in ("view", "data", "base", "ctypes", "getfield"):
        with pytest.raises(AttributeError, match=name):
            grad(lambda x, name=name: getattr(anp.zeros(3), name))(X)


# ---- complex numbers -------------------------------------------------------------------------


def _parts_assigned(np, x):
    z = np.zeros(3, complex)
    z.real, z.imag = x, x[::-1] ** 2
    z.imag = z.imag * 2
    return z * z


def _state(np, x):
    state = np.zeros(4, dtype=complex)
    state[0] = 1
    for k in range(3):
        new = state.copy()
        new[k + 1], new[k] = state[k] * np.exp(1j * x[k]), state[k] * x[k]
        state = new
    return state


def _admittances(np, x):
    Y = np.zeros((2, 2), complex)
    Y[0, 0] = 1 / x[0] + 1.3j * x[1]
    Y[0, 1] = Y[1, 0] = -1.3j * x[1]
    Y[1, 1] = 1.3j * (x[1] + x[2]) + 1.0
    return np.linalg.solve(Y, np.array([1.0, 1j]))


def _band(np, x):
    spectrum = np.fft.fft(x)
    kept = np.zeros_like(spectrum)
    kept[:2] = spectrum[:2] * 1j
    kept[1:] -= x[0]
    return np.fft.ifft(kept)


def _entries(np, x):
    z = np.array([x[0] + 1j * x[1], 2.0, 1j])
    z[1:] /= x[2] - 1j
    return z**2


@pytest.mark.parametrize("f", [_parts_assigned, _state, _admittances, _band, _entries])
def test_arrays_of_complex_numbers_are_filled(f):
    def real(np):
        return lambda x: np.concatenate([np.real(f(np, x)), np.abs(f(np, x)) ** 2])

    v, w = np.array([1.0, 0.4, -0.8]), np.array([0.2, -0.5, 1.0])
    value, slope = jvp(real(anp), (X,), (v,))
    np.testing.assert_allclose(value, real(np)(X), rtol=1e-14, atol=1e-15)
    # Five-point differences with step 1e-3; products of a few numbers near 1.
    np.testing.assert_allclose(slope, differences(real(np), (X,), (v,)), rtol=0, atol=1e-8)
    u = np.cos(np.arange(value.size))
    np.testing.assert_allclose(vjp(real(anp), X)[1](u) @ v, u @ slope, rtol=1e-13)
    phi = lambda x: real(anp)(x) @ u  # noqa: E731
    curvature = differences(lambda x: grad(phi)(x) @ w, (X,), (v,))
    assert w @ hessian(phi)(X) @ v == pytest.approx(curvature, rel=1e-7)
    assert w @ jacobian(grad(phi))(X) @ v == pytest.approx(curvature, rel=1e-7)


@pytest.mark.parametrize("part", ["real", "imag"])
@pytest.mark.parametrize("traced", [False, True])
def test_parts_of_complex_numbers_are_no_views(part, traced):
    """Of NumPy's arrays they are; what would be written to them is refused, not lost."""

    def f(x):
        z = anp.zeros((2, 3), complex)
        z[0, 1] = x[0] if traced else 1.0
        for of in (z, z[0], z.T[1]):
            for got in (getattr(of, part), getattr(anp, part)(of)):
                with pytest.raises((ValueError, NoRuleError)):
                    got[0] = 1.0
        with pytest.raises((NoRuleError, TypeError), match=r"imaginary|complex"):
            anp.zeros(2)[0] = 1j * x[0]
        return np.sum(x)

    grad(f)(X)


def test_partitions_in_place():
    def f(x):
        y = anp.array(x)
        y.partition(1)
        return 2.0 * y[0] + y[2]

    x = np.array([3.0, 1.0, 2.0])
    np.testing.assert_array_equal(grad(f)(x), [1.0, 2.0, 0.0])
