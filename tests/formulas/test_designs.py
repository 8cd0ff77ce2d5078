"""Design matrices against patsy, and against what R prints; other rows as those of the fit."""

import functools
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from mcmodels import Formula
from mcmodels.formulas.recipe import Recipe
from tests.formulas.designs import FORMULAS, table

pytest.importorskip("formulaic")
patsy = pytest.importorskip("patsy")

DATA = table()
# Splines and powers are sums of a dozen products of numbers near one, or relative to them: a few
# dozen roundings.
ROUNDING = 1e-12


def of_patsy(text, data=DATA):
    """Columns of patsy without the intercept, and their names."""
    made = patsy.dmatrix(text, data, return_type="dataframe")
    return made.drop(columns="Intercept", errors="ignore")


def same_span_column_by_column(ours, theirs):
    """Both have the same columns, in any order: patsy groups terms by their numbers."""
    assert ours.shape == theirs.shape
    left = list(range(theirs.shape[1]))
    for column in ours.T:
        scale = np.abs(column).max()
        close = [
            j for j in left if np.allclose(column, theirs[:, j], rtol=0, atol=ROUNDING * scale)
        ]
        assert close, "a column that patsy does not have"
        left.remove(close[0])
    assert not left


@functools.cache
def fitted(text):
    """A fitted step; no test changes it."""
    return Formula(text).fit(DATA)


@pytest.mark.parametrize("text", FORMULAS)
def test_designs_are_those_of_patsy(text):
    ours, theirs = fitted(text).transform(DATA), of_patsy(text)
    same_span_column_by_column(ours.to_numpy(), theirs.to_numpy())


def test_the_comparison_sees_another_column():
    made = of_patsy("x*sex").to_numpy()
    planted = made.copy()
    planted[5, 1] += 1e-9
    same_span_column_by_column(made[:, ::-1], made)
    with pytest.raises(AssertionError, match="a column that patsy does not have"):
        same_span_column_by_column(planted, made)


# patsy counts the columns of splines from 0, names differences and polynomials otherwise, and
# takes comparisons for factors, whose column beside an intercept is the same.
OWN_NAMES = ("bs(", "cr(", "cc(", "Q(", "Poly", "Diff", "&")


@pytest.mark.parametrize("text", [t for t in FORMULAS if not any(f in t for f in OWN_NAMES)])
def test_names_are_those_of_patsy(text):
    ours, theirs = fitted(text).get_feature_names_out(), of_patsy(text).columns
    assert sorted(ours) == sorted(theirs)


def test_orthogonal_polynomials_are_those_of_a_qr_factorisation():
    """As R's poly: columns of Q of [1, x, x²], with R's diagonal positive."""
    x = DATA["year"].to_numpy()
    ours = Formula("poly(year, 2)").fit_transform(DATA).to_numpy()
    centred = x - x.mean()
    q, r = np.linalg.qr(np.vander(centred, 3, increasing=True))
    np.testing.assert_allclose(ours, (q * np.sign(np.diag(r)))[:, 1:], rtol=0, atol=1e-12)


def test_contrasts_printed_by_r():
    """contr.sum(4), contr.helmert(4) and contr.poly(3) as R prints them, to its seven digits."""
    rows = pd.DataFrame({"g": list("abcd")})
    made = Formula("C(g, Sum)").fit_transform(rows).to_numpy()
    np.testing.assert_array_equal(made, [[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, -1, -1]])
    three = pd.DataFrame({"g": list("abc")})
    made = Formula("C(g, Poly)").fit_transform(three).to_numpy()
    printed = [[-7.071068e-01, 0.4082483], [0, -0.8164966], [7.071068e-01, 0.4082483]]
    np.testing.assert_allclose(made, printed, rtol=0, atol=5.1e-8)


@pytest.mark.parametrize("text", FORMULAS)
def test_other_rows_are_coded_as_in_the_fit(text):
    """One row, some rows in another order, rows of few levels: as where they stood in the fit."""
    step = fitted(text)
    whole = step.transform(DATA)
    few = DATA[(DATA["region"] == "west") & (DATA["sex"] == "male")]
    mixed = DATA.sample(frac=0.3, random_state=1)
    for rows in (DATA.iloc[[7]], few, mixed, few.assign(size=few["size"].astype(str))):
        made = step.transform(rows)
        assert list(made.index) == list(rows.index)
        # Vectorised functions of NumPy may round the last bit otherwise for few rows.
        scale = np.abs(whole.to_numpy()).max()
        np.testing.assert_allclose(
            made.to_numpy(), whole.loc[rows.index].to_numpy(), rtol=0, atol=1e-14 * scale
        )


@pytest.mark.parametrize("text", FORMULAS)
def test_what_was_learnt_survives_pickling_and_is_plain_data(text):
    step = fitted(text)
    again = pickle.loads(pickle.dumps(step))
    np.testing.assert_array_equal(again.transform(DATA), step.transform(DATA))
    assert "formulaic" not in pickle.dumps(step).decode("latin-1")
    fresh = clone(step).fit(DATA)
    assert fresh.get_feature_terms() == step.get_feature_terms()


@pytest.mark.parametrize("text", FORMULAS)
def test_sparse_columns_are_the_dense_ones(text):
    dense = fitted(text).transform(DATA)
    sparse = Formula(text, sparse=True).fit_transform(DATA)
    assert sparse.format == "csr"
    np.testing.assert_allclose(sparse.toarray(), dense.to_numpy(), rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("text", FORMULAS)
def test_terms_cover_all_columns_once(text):
    step = fitted(text)
    terms = step.get_feature_terms()
    positions = [position for columns in terms.values() for position in columns]
    assert sorted(positions) == list(range(len(step.get_feature_names_out())))


def test_terms_are_named_as_they_are_written():
    step = Formula("x + C(k)*sex + `odd name`").fit(DATA)
    assert step.get_feature_terms() == {
        "x": [0],
        "C(k)": [1, 2],
        "sex": [3],
        "odd name": [4],
        "C(k):sex": [5, 6],
    }
    assert list(step.get_feature_names_out()) == [
        "x",
        "C(k)[T.2]",
        "C(k)[T.3]",
        "sex[T.male]",
        "odd name",
        "C(k)[T.2]:sex[T.male]",
        "C(k)[T.3]:sex[T.male]",
    ]


def test_weird_columns():
    """Names that Python, pandas or formulaic would read as something else."""
    names = ["class", "lambda", "log", "C", "np", "a.b", "1st", "x y", "Σ", "a~b", "a:b", "it's"]
    names += ['"q"', "_column0_", "a+b", "__import__", "True", "é\u0301", "ﬁ", "a\\b", "x\ty", "0"]
    rng = np.random.default_rng(0)
    data = pd.DataFrame(rng.random((9, len(names))), columns=names)
    made = Formula(" + ".join(f"`{name}`" for name in names)).fit_transform(data)
    assert list(made.columns) == names
    np.testing.assert_array_equal(made, data)
    made = Formula(" + ".join(f"exp(`{name}`)" for name in names)).fit_transform(data)
    np.testing.assert_array_equal(made, np.exp(data))
    everything = Formula(".").fit_transform(data)
    np.testing.assert_array_equal(everything, data)


def test_levels_that_do_not_occur_have_no_column():
    """As in R; a column of zeros would make the fit rank deficient."""
    data = DATA[DATA["size"] != "mid"]
    assert list(Formula("size").fit(data).get_feature_names_out()) == ["size[T.large]"]


def test_whole_numbers_do_not_overflow():
    data = pd.DataFrame({"n": np.array([100, 120, 90, 7], dtype=np.int8)})
    made = Formula("I(n**3)").fit_transform(data).to_numpy().ravel()
    np.testing.assert_array_equal(made, [1_000_000, 1_728_000, 729_000, 343])


def test_a_recipe_of_other_columns_is_refused():
    recipe = Recipe.learnt("x + sex", DATA)
    with pytest.raises(ValueError, match="another version of formulaic"):
        replace(recipe, names=("x", "sex[T.f]")).matrix(DATA)


def test_many_levels_need_no_dense_matrix():
    """Learning and sparse columns: 3000 rows of 1500 levels are 36 MB if they are dense."""
    import tracemalloc

    rows = pd.DataFrame({"g": [f"level {i % 1500}" for i in range(3000)]})
    Formula("g", sparse=True).fit(rows[:9])  # imports
    tracemalloc.start()
    made = Formula("g", sparse=True).fit_transform(rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made.shape == (3000, 1499)
    assert made.nnz == 2998
    # A pointer for each column of each one-column matrix and few entries: far below 36 MB.
    assert peak < 12e6
