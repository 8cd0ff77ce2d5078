"""Sums over indices: what they are, how they are written, and what is refused."""

from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np
import pytest

from mcmodels.calculus import (
    DerivativeError,
    EvaluationError,
    NonDifferentiableWarning,
    ParseError,
    ShapeError,
    UnsupportedFunctionError,
    amax,
    convexity,
    critical_point,
    diag,
    diagnose,
    einsum,
    exp,
    index,
    log,
    logsumexp,
    matrix,
    matrix_power,
    mean_over,
    norm,
    ones,
    parse,
    relu,
    scalar,
    sigmoid,
    size,
    softplus,
    sum_over,
    tensor,
    trace,
    unit,
    vector,
)
from mcmodels.calculus import abs as abs_
from mcmodels.calculus import sum as total
from mcmodels.calculus.core.index_nodes import SumOver
from mcmodels.calculus.core.indices import indices_in
from mcmodels.calculus.core.rewriting import parts_of, substitute
from mcmodels.calculus.text.shape_inference import infer_symbols

X, Z = matrix("X", "n", "p"), matrix("Z", "n", "p")
y, t, d = vector("y", "n"), vector("t", "n"), vector("d", "n")
w, c = vector("w", "p"), scalar("c")
M = matrix("M", "K", "p")
i, j, k = index("i", over="n"), index("j", over="n"), index("k", over="K")
before = index("l", over="n - 1")

LOGISTIC = sum_over(log(1 + exp(-y[i] * (X[i].T @ w))), i)
AT_RISK = sum_over(exp(X[j].T @ w), j, where=t[j] >= t[i])
COX = sum_over(d[i] * (X[i].T @ w - log(AT_RISK)), i)

# Rounding of sums of some ten terms of order 1; a wrong term is far larger.
CLOSE = 1e-12


class TestIdentity:
    def test_sums_are_equal_up_to_the_name_of_the_index(self):
        other = sum_over(log(1 + exp(-y[j] * (X[j].T @ w))), j)
        assert other == LOGISTIC
        assert hash(other) == hash(LOGISTIC)
        assert sum_over(y[i] * t[i], i) != sum_over(y[i] * t[i], i) + 1

    def test_nested_sums_are_equal_up_to_both_names(self):
        a = sum_over(y[i] * sum_over(exp(y[i] * t[j]), j), i)
        b = sum_over(y[j] * sum_over(exp(y[j] * t[i]), i), j)
        swapped = sum_over(y[i] * sum_over(exp(y[j] * t[i]), j), i)
        assert a == b
        assert a != swapped

    def test_an_index_that_is_free_is_told_from_another(self):
        assert y[i] != y[j]
        assert sum_over(y[i] * t[j], i) != sum_over(y[i] * t[i], i)

    def test_an_index_over_another_size_is_another(self):
        assert sum_over(y[before], before) != sum_over(y[i], i)

    def test_conditions_are_part_of_it(self):
        assert sum_over(exp(y[j]), j, where=t[j] > 0) != sum_over(exp(y[j]), j)
        assert sum_over(exp(y[j]), j, where=t[j] > 0) == sum_over(exp(y[i]), i, where=t[i] > 0)

    @pytest.mark.parametrize("e", [LOGISTIC, COX, COX.gradient(w), COX.hessian(w), y[i] * X[i]])
    def test_it_is_pickled_and_copied(self, e):
        assert pickle.loads(pickle.dumps(e)) == e
        assert copy.deepcopy(e) == e

    def test_the_index_is_no_symbol_of_the_sum(self):
        assert {symbol.name for symbol in LOGISTIC.symbols} == {"X", "y", "w"}
        assert {symbol.name for symbol in y[i].symbols} == {"y", "i"}


class TestCapture:
    def test_a_free_index_that_comes_in_stays_free(self):
        f = sum_over((c - y[i]) ** 2, i)
        g = substitute(f, {c: y[i]})
        assert i in g.used
        at = {"y": [1.0, 2.0, 4.0], "i": 2}
        assert g.evaluate(**at) == pytest.approx(9 + 4, rel=CLOSE)

    def test_a_sum_inside_of_one_with_the_same_letter_is_its_own(self):
        inner = sum_over(exp(t[i]), i)
        f = sum_over(exp(y[i] * inner), i)
        values = {"y": [0.1, -0.2, 0.3], "t": [0.5, 0.2, -1.0]}
        expected = np.exp(np.array(values["y"]) * np.exp(values["t"]).sum()).sum()
        assert f.evaluate(**values) == pytest.approx(expected, rel=CLOSE)
        assert f.check(t) < 1e-9

    def test_no_sum_hides_an_index_around_it(self):
        # Joined in one sum, the inner sums must not catch the index of the other.
        inner = log(sum_over(exp(X[j].T @ w), j))
        f = sum_over(exp(inner * (X[i].T @ w)), i)
        assert f.check(w) < 1e-9
        for e in (f, f.gradient(w), f.hessian(w)):
            for part in parts_of(e):
                if isinstance(part, SumOver):
                    assert part.name not in indices_in(part.body) or part.index in part.body.used

    def test_equal_letters_in_neighbouring_sums(self):
        f = sum_over(y[i] ** 2, i) * sum_over(t[i] ** 3, i)
        assert f.check(y) < 1e-9
        assert f.check(t) < 1e-9


class TestNormalForm:
    def test_what_does_not_depend_on_the_index_is_taken_out(self):
        assert sum_over(c * y[i], i) == c * sum_over(y[i], i)
        assert sum_over(c, i) == size("n") * c
        assert sum_over(M.T @ unit(k, "K") * y[i], i) == sum_over(y[i], i) * M[k]

    def test_a_row_stays_a_row(self):
        assert repr(sum_over(y[i] * X[i], i)) == "Σᵢ yᵢxᵢ"

    def test_entries_of_what_acts_entry_by_entry(self):
        B = matrix("B", "K", "p")
        assert exp(X @ w)[i] == exp(X[i].T @ w)
        assert (2 * y + 1)[i] == 2 * y[i] + 1
        assert (y**2 / t)[i] == y[i] ** 2 / t[i]
        assert repr(exp(X @ B.T)[i]) == "exp(Bxᵢ)"
        assert repr(exp(X @ B.T)[i, k]) == "exp(bₖᵀxᵢ)"
        assert exp(X @ B.T).T[k, i].evaluate(X=[[1.0, 2]], B=[[3.0, -1]], i=0, k=0) == np.exp(1.0)

    def test_all_unit_vectors(self):
        assert sum_over(unit(i, "n"), i) == ones("n")
        assert sum_over(y[i], i).gradient(y) == ones("n")

    def test_sums_of_one_index_are_joined_in_derivatives(self):
        f = sum_over(y[i] * (X[i].T @ w), i) - sum_over(softplus(X[j].T @ w), j)
        assert repr(f.gradient(w)) == "Σᵢ (yᵢ − σ(xᵢᵀw))xᵢ"


# What a text book prints, LaTeX, and Python, which is read back.
PRINTED = [
    (
        LOGISTIC.gradient(w),
        "−Σᵢ yᵢσ(−yᵢxᵢᵀw) xᵢ",
        r"-\sum_{i} y_{i} \sigma(-y_{i} x_{i}^{\top} w) x_{i}",
    ),
    (
        COX.gradient(w),
        "Σᵢ dᵢ(xᵢ − (Σ_(j: tⱼ ≥ tᵢ) exp(xⱼᵀw) xⱼ)/(Σ_(j: tⱼ ≥ tᵢ) exp(xⱼᵀw)))",
        r"\sum_{i} d_{i} \left(x_{i} - \frac{\sum_{j: t_{j} \ge t_{i}} \exp(x_{j}^{\top} w) x_{j}}"
        r"{\sum_{j: t_{j} \ge t_{i}} \exp(x_{j}^{\top} w)}\right)",
    ),
    (sum_over((y[i] - X[i].T @ w) ** 2, i).gradient(w), "2 Σᵢ (xᵢᵀw − yᵢ)xᵢ", None),
    (sum_over((y[i] - X[i].T @ w) ** 2, i).hessian(w), "2 Σᵢ xᵢxᵢᵀ", None),
    (sum_over((y[before + 1] - y[before]) ** 2, before), "Σₗ (yₗ₊₁ − yₗ)²", None),
    (sum_over(y[i] * y[j], i, j, where=i < j), "Σᵢ yᵢ Σ_(j: j > i) yⱼ", None),
    (sum_over(exp(y[i] * y[j]), i, j, where=abs_(i - j) > 0), "Σᵢ Σ_(j: i ≠ j) exp(yᵢyⱼ)", None),
    (sum_over(X[i, 0] * X[i, -1], i), "Σᵢ X[i,0] X[i,−1]", None),
    (sum_over(norm(X[i] - M[k]) ** 2, i, k).gradient(M), "−2 Σᵢ Σₖ eₖ(xᵢ − mₖ)ᵀ", None),
    (sum_over(i * y[i], i), "Σᵢ iyᵢ", None),
    (sum_over(X[i, 1:].T @ X[i, :-1], i), "Σᵢ X[i,1:]ᵀ X[i,:−1]", None),
    (sum_over(X[1:, :][before] * y[before], before), "Σₗ yₗxₗ₊₁", None),
]  # fmt: skip


class TestText:
    @pytest.mark.parametrize(("e", "text", "latex"), PRINTED, ids=[text for _, text, _ in PRINTED])
    def test_it_is_printed_as_in_a_textbook_and_read_back(self, e, text, latex):
        assert repr(e) == text
        assert latex is None or e.latex() == latex
        assert parse(str(e), **{symbol.name: symbol for symbol in e.symbols}) == e

    @pytest.mark.parametrize("e", [COX.hessian(w), LOGISTIC.gradient(X), y[i] * X[i], X[:, 0][i]])
    def test_python_text_is_read_back(self, e):
        assert parse(str(e), **{symbol.name: symbol for symbol in e.symbols}) == e

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("sum(log(1 + exp(-y[i] * (X[i].T @ w))), i)", LOGISTIC),
            ("sum(log(1 + exp(-y[a] * dot(X[a], w))), a)", LOGISTIC),
            ("sum_over(log(1 + exp(-y[i] * (w' @ X[i, :]))), i)", LOGISTIC),
            ("sum(sum(y[i] * t[j], j), i)", sum_over(y[i] * t[j], i, j)),
            (
                "sum(y[i] * t[j], i, j, where=i != j)",
                sum_over(y[i] * t[j], i, j, where=abs_(i - j) > 0),
            ),
            (
                "sum(y[i] * t[j], i, j, where=(i < j) * (t[j] > 0))",
                sum_over(y[i] * t[j], i, j, where=(i < j) * (t[j] > 0)),
            ),
            (
                "sum((y[i + 1] - c * y[i])**2, i)",
                sum_over((y[before + 1] - c * y[before]) ** 2, before),
            ),
            ("sum(y[i], i, over=n - 1)", sum_over(y[before], before)),
            ("mean((y[i] - X[i].T @ w)**2, i)", mean_over((y[i] - X[i].T @ w) ** 2, i)),
            ("sum(X[i, l] * w[l], i, l)", total(X @ w)),
        ],
    )  # fmt: skip
    def test_texts_as_people_type_them(self, text, expected):
        found = parse(text, X="n,p", y="n", t="n", w="p")
        assert found == expected or found.matrix_form() == expected.matrix_form()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("sum(y[i])", "for the sum over i write sum"),
            ("sum(y[i], j)", "for the sum over i write sum"),
            ("sum(y[i], i) + i", "outside of its sum"),
            ("sum(y[i], i, i)", "given twice"),
            ("sum(sum(y[i:]) for i in range(n))", "a size in the sum over i depends on i"),
            ("sum_over(sum(y[:i]), i, over=n)", "a size in the sum over i depends on i"),
            ("sum(trace(eye(i)) for i in range(n))", "a size in the sum over i depends on i"),
            ("sum(y[i], 2)", r"for the sum over i write sum\(…, i\)"),
            ("sum(y[w], w)", "cannot be the index"),
            ("sum(y[i], i, where=y[i])", "is a comparison"),
            ("sum(y[i], i, where=y[i] == 0)", "is a comparison|means nothing|no meaning"),
            ("sum(y[i], i, how=1)", "by name"),
            ("mean(y[i], i, where=y[i] > 0)", "by name"),
            ("y[w]", "whole number"),
            ("sum(i**2, i)", "nothing tells over what"),
        ],
    )
    def test_what_is_no_sum_is_refused(self, text, message):
        with pytest.raises((ParseError, ShapeError), match=message):
            parse(text, X="n,p", y="n", t="n", w="p")

    @pytest.mark.parametrize(
        ("text", "by", "shapes", "gradient"),
        [
            (
                "sum(log(1+exp(-y[i]*(x[i].T@w))), i)",
                "w",
                {"y": ("m",), "x": ("m", "n"), "w": ("n",)},
                "−Σᵢ yᵢσ(−yᵢxᵢᵀw) xᵢ",
            ),
            (
                "sum(w[i]*(y[i]-a-b*x[i])**2, i)",
                "b",
                {"w": ("n",), "y": ("n",), "a": (), "b": (), "x": ("n",)},
                "−2 Σᵢ wᵢxᵢ(yᵢ − a − bxᵢ)",
            ),
            (
                "sum(sum(norm(x[i]-c[k])**2*r[i,k], k), i)",
                "c",
                {"x": ("m", "n"), "c": ("p", "n"), "r": ("m", "p")},
                "−2 Σᵢ Σₖ r[i,k] eₖ(xᵢ − cₖ)ᵀ",
            ),
            (
                "sum((y[i+1]-phi*y[i])^2, i)",
                "phi",
                {"y": ("n",), "phi": ()},
                "−2 Σᵢ yᵢ(yᵢ₊₁ − φyᵢ)",
            ),
        ],
    )
    def test_shapes_that_texts_tell(self, text, by, shapes, gradient):
        found = infer_symbols(text, {}, by)
        assert {name: symbol.shape for name, symbol in found.items()} == shapes
        assert repr(parse(text, **found).gradient(by)) == gradient

    def test_names_that_clash_are_told_apart(self):
        e = scalar("i") * sum_over(exp(y[i]), i)
        assert repr(e) == "i Σⱼ exp(yⱼ)"
        assert parse(str(e), y="n") == e
        e = sum_over(X[i].T @ Z[i], i) * scalar("x")  # x is taken: row i of X is X[i]
        assert repr(e) == "x Σᵢ X[i]ᵀ zᵢ"


class TestValues:
    values = {
        "X": np.array([[0.5, -1.0], [1.0, 2.0], [-0.3, 0.2], [0.1, 0.9]]),
        "y": np.array([1.0, -1.0, 1.5, 1.0]),
        "t": np.array([2.0, 1.0, 2.0, 3.0]),
        "d": np.array([1.0, 0.0, 1.0, 1.0]),
        "w": np.array([0.4, -0.7]),
    }

    def given(self, e):
        return {s.name: self.values[s.name] for s in e.symbols}

    def test_a_condition_leaves_out_what_is_undefined(self):
        f = sum_over(log(abs_(y[i] - y[j] + t[i] - t[j])), i, j, where=abs_(i - j) > 0)
        a = self.values["y"] + self.values["t"]
        expected = sum(
            np.log(abs(p - q)) for m, p in enumerate(a) for n, q in enumerate(a) if m != n
        )
        assert f.evaluate(**self.given(f)) == pytest.approx(expected, rel=CLOSE)
        assert f.compile()(**self.given(f)) == pytest.approx(expected, rel=CLOSE)

    def test_an_undefined_term_is_named(self):
        f = sum_over(log(y[i]) * t[i], i)
        with pytest.raises(EvaluationError, match=r"log\(y\[i\]\) is not finite"):
            f.evaluate(**self.given(f))

    def test_no_term_is_0(self):
        f = sum_over(y[i], i, where=t[i] > 10)
        assert f.evaluate(**self.given(f)) == f.compile()(**self.given(f)) == 0

    def test_the_logarithm_of_no_term_is_refused(self):
        f = log(sum_over(exp(y[i]), i, where=t[i] > 10))
        for function in (f.evaluate, f.compile()):
            with pytest.raises(EvaluationError):
                function(**self.given(f))

    def test_a_condition_at_a_tie_is_no_kink(self, recwarn):
        COX.gradient(w).evaluate(**self.given(COX.gradient(w)))
        assert not recwarn.list

    def test_a_kink_in_a_term_warns(self):
        g = sum_over(relu(X[i].T @ w), i).gradient(w)
        with pytest.warns(NonDifferentiableWarning, match="kink"):
            g.evaluate(X=[[1.0, 2.0], [1.0, -1.0]], w=[1.0, 1.0])
        with warnings.catch_warnings():  # relu(0ᵀw) is 0 for all w
            warnings.simplefilter("error")
            at_zero = g.evaluate(X=[[1.0, 2.0], [0.0, 0.0]], w=[1.0, 1.0])
        np.testing.assert_array_equal(at_zero, [1, 2])

    def test_an_index_may_be_given(self):
        e = y[i] * X[i]
        rows = {"X": self.values["X"], "y": self.values["y"]}
        for function in (e.evaluate, e.compile()):
            np.testing.assert_array_equal(function(**rows, i=1), [-1, -2])
            for outside in (4, -1):
                with pytest.raises((ValueError, IndexError), match=r"outside|out of bounds"):
                    function(**rows, i=outside)

    def test_many_rows_are_taken_in_blocks(self):
        rng = np.random.default_rng(0)
        n = 3000
        u = rng.standard_normal((n, 2))
        v = rng.standard_normal((40, 2))
        f = sum_over(norm(X[i] - M[k]) ** 2, i, k)
        expected = ((u[:, None] - v) ** 2).sum()
        # Sums of 1e5 terms, in another order.
        assert f.evaluate(X=u, M=v) == pytest.approx(expected, rel=1e-10)

    @pytest.mark.parametrize("e", [LOGISTIC, COX, COX.gradient(w), COX.hessian(w), COX.gradient(X)])
    def test_code_has_no_loop_over_rows(self, e):
        assert "for " not in e.compile().source

    def test_code_of_weighted_rows_has_no_array_of_three_axes(self):
        for source in (COX.gradient(w).compile().source, COX.hessian(w).compile().source):
            assert "X[:, np.newaxis, :]" not in source

    def test_code_of_a_linear_model_is_that_of_matrices(self):
        whole = total(log(1 + exp(-y * (X @ w))))
        for ours, theirs in ((LOGISTIC.gradient(w), whole.gradient(w)), (LOGISTIC, whole)):
            assert ours.matrix_form().compile().source == theirs.compile().source

    def test_margins_of_1000_and_tails(self):
        at = {"X": [[1000.0], [-1000.0]], "y": [1.0, 1.0], "w": [1.0]}
        assert LOGISTIC.evaluate(**at) == LOGISTIC.compile()(**at) == 1000
        at = {"X": [[40.0]], "y": [1.0], "w": [1.0]}
        expected = 1600 * np.exp(-40.0) / (1 + np.exp(-40.0)) ** 2
        H = LOGISTIC.hessian(w)
        for value in (H.evaluate(**at), H.compile()(**at)):
            np.testing.assert_allclose(value, [[expected]], rtol=1e-12)

    def test_digits(self):
        mpmath = pytest.importorskip("mpmath")
        at = {"X": [["0.1"], ["0.3"]], "d": [1, 1], "t": [1, 2], "w": ["0.5"]}
        with mpmath.mp.workdps(40):
            x = [mpmath.mpf("0.1"), mpmath.mpf("0.3")]
            e = [mpmath.exp(v / 2) for v in x]
            expected = x[0] - (e[0] * x[0] + e[1] * x[1]) / (e[0] + e[1])
            found = COX.gradient(w).evaluate(**at, digits=30)[0]
            assert abs(found - expected) < mpmath.mpf(10) ** -29
        assert COX.check(w, digits=20) < 1e-14


class TestMatrixForm:
    @pytest.mark.parametrize(
        ("e", "whole"),
        [
            (sum_over(X[i] @ X[i].T, i), X.T @ X),
            (sum_over(y[i] * X[i], i), X.T @ y),
            (sum_over(d[i] * X[i] @ X[i].T, i), X.T @ diag(d) @ X),
            (sum_over(X[i] @ Z[i].T, i), X.T @ Z),
            (sum_over(sigmoid(X[i].T @ w), i), total(sigmoid(X @ w))),
            (sum_over(y[before + 1] * y[before], before), total(y[1:] * y[:-1])),
            (LOGISTIC, total(log(1 + exp(-y * (X @ w))))),
        ],
    )
    def test_known_forms(self, e, whole):
        assert e.matrix_form() == whole

    @pytest.mark.parametrize("x", [w, X, y])
    @pytest.mark.parametrize(
        ("by_rows", "by_matrices"),
        [
            (LOGISTIC, total(log(1 + exp(-y * (X @ w))))),
            (
                sum_over(softplus(X[i].T @ w) - y[i] * (X[i].T @ w), i),
                total(softplus(X @ w) - y * (X @ w)),
            ),
        ],
    )
    def test_derivatives_are_those_of_the_matrices(self, by_rows, by_matrices, x):
        assert by_rows.gradient(x).matrix_form() == by_matrices.gradient(x)
        if x is w:
            assert by_rows.hessian(x).matrix_form() == by_matrices.hessian(x)

    def test_forms_of_textbooks(self):
        A = matrix("A", "n", "n", symmetric=True)
        laplacian = sum_over(A[i, j] * norm(X[i] - X[j]) ** 2, i, j).gradient(X)
        assert laplacian.matrix_form() == 4 * (diag(A @ ones("n")) - A) @ X
        B, T = matrix("B", "K", "p"), matrix("T", "n", "K")
        classes = sum_over(logsumexp(B @ X[i]) - T[i].T @ B @ X[i], i).gradient(B)
        assert repr(classes) == "Σᵢ (softmax(Bxᵢ) − tᵢ)xᵢᵀ"
        assert repr(classes.matrix_form()) == "(softmax_rows(XBᵀ) − T)ᵀX"
        negative = -sum_over(log(sigmoid(-X[i].T @ Z[j])), i, j).gradient(Z)
        assert repr(negative.matrix_form()) == "σ(XZᵀ)ᵀ X"
        p = sigmoid(X @ w)
        entropy = -sum_over(y[i] * log(p[i]) + (1 - y[i]) * log(1 - p[i]), i).gradient(w)
        whole = -total(y * log(p) + (1 - y) * log(1 - p)).gradient(w)
        assert entropy.matrix_form() == whole

    def test_what_has_no_such_form_stays(self):
        assert COX.matrix_form() == COX
        both = COX + LOGISTIC
        assert both.matrix_form() == COX + LOGISTIC.matrix_form()

    def test_a_softmax_over_the_other_rows(self):
        tau = scalar("tau")
        nce = -sum_over(log(exp(X[i].T @ Z[i] / tau) / sum_over(exp(X[i].T @ Z[j] / tau), j)), i)
        assert repr(nce.gradient(X).matrix_form()) == "(softmax_rows(XZᵀ/τ) Z − Z)/τ"


class TestDerivatives:
    def test_every_step_of_a_derivation_is_right(self):
        for f, x in ((LOGISTIC, w), (LOGISTIC, X), (COX, w)):
            # Random values of order 1: steps differ by rounding alone.
            assert f.derivation(x, order=2).check() < 1e-9

    def test_a_direction(self):
        u = vector("u", "p")
        product = COX.hessian_vector_product(w, u)
        assert product.evaluate(**_point()) == pytest.approx(
            COX.hessian(w).evaluate(**_point(without="u")) @ _point()["u"], rel=1e-9
        )

    def test_an_index_is_not_varied(self):
        with pytest.raises(DerivativeError, match="is an index"):
            (y[i] * c).gradient(i)
        assert (y[i] ** 2).differential().used.isdisjoint({i}) is False

    def test_mixed_derivatives(self):
        J = COX.gradient(w).jacobian(d)
        assert (J - J).shape == ("p", "n")
        assert COX.gradient(w).check(d) < 1e-9


def _point(without=""):
    rng = np.random.default_rng(3)
    point = {
        "X": rng.standard_normal((5, 2)),
        "d": np.array([1.0, 0, 1, 1, 1]),
        "t": np.array([3.0, 1, 2, 2, 5]),
        "w": rng.standard_normal(2),
        "u": rng.standard_normal(2),
    }
    return {name: value for name, value in point.items() if name != without}


class TestRefusals:
    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: y[index("i", over="m")], "declare the index over 'n'"),
            (lambda: y[i + 1], "declare the index over 'n - 1'"),
            (lambda: y[i - 1], "count from the first entry"),
            (lambda: y[i * 2], "an index is a whole number"),
            (lambda: y[c], "an index is a whole number"),
            (lambda: sum_over(y[i]), "takes an index"),
            (lambda: sum_over(y[i], c), "runs over an index"),
            (lambda: sum_over(y[i], i, i), "given twice"),
            (lambda: sum_over(y[i], i, where=i != j), r"write abs\(i - j\) > 0"),
            (lambda: sum_over(y[i], i, where=y[i]), "is a comparison"),
            (lambda: sum_over(y[i], i, where=X[i] > 0), "compares scalars"),
            (lambda: index("sum", over="n"), "name of a function"),
            (lambda: index("2", over="n"), "Python name"),
            (lambda: index("n", over="n"), "rename one"),
            (lambda: sum_over(y[i] * scalar("i"), i), "rename one"),
        ],
    )
    def test_wrong_input(self, make, message):
        with pytest.raises(ShapeError, match=message):
            make()

    def test_a_power_for_each_index(self):
        A = matrix("A", "p", "p")
        f = sum_over(y[i] * trace(matrix_power(A, i)), i)
        value = f.evaluate(A=[[2.0, 0], [0, 3]], y=[1.0, 1, 1])
        assert value == 2 + 5 + 13
        assert sum_over(y[i] * c**i, i).evaluate(y=[1.0, 1, 1], c=3.0) == 13
        with pytest.raises(ValueError, match="exponent is an index"):
            f.compile()(A=np.eye(2), y=np.ones(3))

    def test_code_names_the_function_that_it_lacks(self):
        f = sum_over(amax(X[i]), i)
        assert f.evaluate(X=[[1.0, 3.0], [2.0, 0.0]]) == 5
        with pytest.raises(ValueError, match=r"no code for amax inside a sum.*amax\(X\[i\]\)"):
            f.compile()(X=np.eye(2))

    def test_other_languages_say_what_they_lack(self):
        assert "sigmoid" in LOGISTIC.gradient(w).code("julia")
        with pytest.raises(UnsupportedFunctionError, match="matrix_form"):
            COX.code("r")


class TestStudy:
    def test_convexity(self):
        assert convexity(LOGISTIC, w).kind == "convex"
        assert convexity(-COX, w, nonnegative=[d]).kind == "convex"
        assert convexity(-COX, w).kind == "neither"  # of censoring indicators below 0
        assert convexity(sum_over(log(X[i].T @ w), i), w).kind == "concave"

    def test_a_sum_that_may_be_empty_is_not_positive(self):
        f = log(sum_over(d[i] ** 2, i, where=t[i] > 0) + w.T @ w)
        assert convexity(f, w).kind != "convex"

    def test_critical_points(self):
        f = sum_over(abs_(y[i] - c), i)
        found = critical_point(f, c, at={"y": [1.0, 2.0, 4.0], "c": 2.0})
        assert "minimum at a kink" in str(found)

    @pytest.mark.parametrize(
        ("f", "claim", "mistake"),
        [
            (LOGISTIC, LOGISTIC.gradient(w), None),
            (LOGISTIC, -X.T @ (y * sigmoid(-y * (X @ w))), None),
            (LOGISTIC, -LOGISTIC.gradient(w), "the sign is wrong"),
            (
                sum_over((y[i] - X[i].T @ w) ** 2, i),
                sum_over((X[i].T @ w - y[i]) * X[i], i),
                "the factor 2 is missing",
            ),
            (
                sum_over(softplus(X[i].T @ w) - y[i] * (X[i].T @ w), i),
                sum_over((X[i].T @ w - y[i]) * X[i], i),
                "stands for σ",
            ),
            (COX, sum_over(d[i] * X[i], i), "is missing"),
        ],
    )
    def test_the_doctor(self, f, claim, mistake):
        diagnosis = diagnose(f, w, claim)
        assert diagnosis.correct == (mistake is None)
        assert mistake is None or mistake in str(diagnosis)


def test_weights_of_exponentials_may_depend_on_more_indices_than_exponents():
    """Cox's likelihood with the condition as a factor is that with the condition of the sum."""
    rng = np.random.default_rng(0)
    values = {"d": [1.0, 0, 1, 1], "x": rng.normal(size=(4, 2)), "t": [3.0, 1, 2, 4]}
    values["b"] = 400 * rng.normal(size=2)  # exponentials overflow
    declared = {"d": "n", "x": "n,p", "b": "p", "t": "n"}
    inside = "exp(x[j].T @ b)"
    factor = parse(f"sum(d[i] * log(sum((t[j] >= t[i]) * {inside}, j)), i)", **declared)
    left_out = parse(f"sum(d[i] * log(sum({inside}, j, where=t[j] >= t[i])), i)", **declared)
    z = values["x"] @ values["b"]
    risk = [np.logaddexp.reduce(z[np.array(values["t"]) >= time]) for time in values["t"]]
    expected = np.dot(values["d"], risk)
    for f in (factor, left_out):
        for value in (f.evaluate(**values), f.compile()(**values)):
            # Sums of a few numbers of 400, which are rounded.
            assert value == pytest.approx(expected, rel=1e-13)
        np.testing.assert_allclose(
            f.gradient("b").evaluate(**values),
            left_out.gradient("b").compile()(**values),
            rtol=1e-12,
        )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sum(y[i] ** 2, i)", r'declare it, as in y="n"'),
        ("sum(sum((i != j) * (y[i] - y[j]) ** 2, j), i)", r"write abs\(i - j\) > 0, or sum\(f, j"),
    ],
)
def test_refusals_say_what_to_write(text, message):
    with pytest.raises(ValueError, match=message):
        parse(text)


def test_sums_that_differ_in_the_names_of_indices_are_both_seen():
    """They are equal, but a name of either is taken."""
    T = tensor("T", ("n", "n", "n"))
    row = einsum("ijk,k->ij", T, t)
    f = sum_over(sum_over(row[i].T @ matrix("A", "n", "n") @ row[j], j), i)
    both = f.gradient("A")
    assert indices_in(both) == {"i", "j"}
    # Neither name stands for an index of the einsum inside.
    assert repr(both) == "(Σᵢ [Σᵣ Tₗₖᵣ tᵣ]ₖₗ eᵢ)(Σⱼ [Σᵣ Tₗₖᵣ tᵣ]ₖₗ eⱼ)ᵀ"
    one, other = sum_over(y[i] ** 2, i), sum_over(y[j] ** 2, j)
    assert one == other
    product = one * unit(0, 2) @ (other * unit(1, 2)).T * scalar("i") * scalar("j")
    declared = {symbol.name: symbol for symbol in product.symbols}
    assert parse(str(product), **declared) == product
