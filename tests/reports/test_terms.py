"""Terms of a model: which columns belong to one input, after each kind of step."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.decomposition import PCA as SklearnPCA
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
)

from mcmodels import LinearRegression, results
from mcmodels.exceptions import RankDeficiencyWarning
from mcmodels.reports.step_columns import variables_of
from mcmodels.reports.terms import Terms
from tests.reports.designs import sum_pipeline, unbalanced

TABLE = unbalanced(0).drop(columns="y").assign(tenure=lambda t: np.arange(len(t)) % 7.0)
Y = unbalanced(0)["y"]
NUMBERS = ["age", "tenure"]


def found(*steps, X=TABLE):
    pipeline = make_pipeline(*steps, LinearRegression())
    with warnings.catch_warnings():  # some of these designs have dependent columns
        warnings.simplefilter("ignore", RankDeficiencyWarning)
        pipeline.fit(X, Y[: len(X)])
    terms = results(pipeline).terms
    return dict(zip(terms.names, map(list, terms.columns), strict=True))


def by_changes(step, X, names):
    """Which columns change with each input: by changing it, without any knowledge of the step."""
    base = dense(step.transform(X))
    changed = {}
    for name in names:
        other = X.copy()
        other[name] = X[name].to_numpy()[np.random.default_rng(0).permutation(len(X))]
        changed[name] = set(np.flatnonzero((dense(step.transform(other)) != base).any(axis=0)))
    return base.shape[1], changed


def dense(X):
    return X.toarray() if sparse.issparse(X) else np.asarray(X, dtype=float)


STEPS = {
    "scaler": (StandardScaler(), NUMBERS),
    "one-hot": (OneHotEncoder(), ["region", "sex"]),
    "one-hot, first dropped": (OneHotEncoder(drop="first"), ["region", "sex"]),
    "one-hot, binary dropped": (OneHotEncoder(drop="if_binary"), ["region", "sex"]),
    "one-hot, rare levels": (OneHotEncoder(min_frequency=25), ["region", "sex"]),
    "one-hot, rare and dropped": (
        OneHotEncoder(max_categories=3, drop="first"),
        ["region", "tenure"],
    ),
    "ordinal": (OrdinalEncoder(), ["region", "sex"]),
    "spline": (SplineTransformer(n_knots=4), NUMBERS),
    "spline without bias": (SplineTransformer(n_knots=3, include_bias=False), NUMBERS),
    "periodic spline": (SplineTransformer(extrapolation="periodic"), NUMBERS),
    "bins": (KBinsDiscretizer(4, encode="onehot", strategy="uniform"), NUMBERS),
    "bins as numbers": (KBinsDiscretizer(4, encode="ordinal", strategy="uniform"), NUMBERS),
    "polynomial": (PolynomialFeatures(3), NUMBERS),
    "interactions": (PolynomialFeatures(2, interaction_only=True, include_bias=False), NUMBERS),
    "imputer": (SimpleImputer(), NUMBERS),
    "function": (FunctionTransformer(np.sqrt, feature_names_out="one-to-one"), NUMBERS),
    "frozen": (FrozenEstimator(OneHotEncoder().fit(TABLE[["region", "sex"]])), ["region", "sex"]),
}


@pytest.mark.parametrize("name", STEPS)
def test_columns_are_of_the_inputs_that_change_them(name):
    # Every column depends on exactly the variables of its term, as changing inputs shows.
    step, inputs = STEPS[name]
    X = TABLE[inputs]
    terms = found(step, X=X)
    n, changed = by_changes(step.fit(X, None), X, inputs)
    by_term = {j: set(variables_of(term)) for term, columns in terms.items() for j in columns}
    for j in range(n):
        assert by_term.get(j, set()) == {name for name in inputs if j in changed[name]}


@pytest.mark.parametrize("pandas_out", [False, True])
@pytest.mark.parametrize("verbose", [False, True])
def test_a_column_transformer_of_everything(pandas_out, verbose):
    columns = ColumnTransformer(
        [
            ("code", OneHotEncoder(drop="first", sparse_output=False), ["region"]),
            ("spline", SplineTransformer(n_knots=3), make_column_selector("^age")),
            ("out", "drop", ["sex"]),
            ("none", StandardScaler(), []),
            ("both", make_pipeline(StandardScaler(), PolynomialFeatures(2)), ["tenure", "age"]),
        ],
        remainder="passthrough",
        verbose_feature_names_out=verbose,
    )
    if pandas_out:
        columns.set_output(transform="pandas")
    X = TABLE.assign(z=np.arange(len(TABLE)) ** 2.0)
    terms = found(columns, StandardScaler(), X=X)
    expected = {
        "region": [0, 1],
        "age": [2, 3, 4, 5, 6, 9, 12],
        "tenure": [8, 10],
        "tenure:age": [11],
        "z": [13],
    }
    assert terms == expected


@pytest.mark.parametrize(
    "chosen",
    [[0, 3], slice(0, None, 3), [True, False, False, True], [-4, -1], slice("b", "c")],
)
def test_column_transformers_take_columns_in_many_ways(chosen):
    X = pd.DataFrame(np.arange(28.0).reshape(7, 4) ** 2 % 11, columns=list("abcd"))
    columns = make_column_transformer((SplineTransformer(n_knots=3), chosen))
    inputs = "bc" if isinstance(chosen, slice) and chosen.start == "b" else "ad"
    expected = dict(zip(inputs, ([0, 1, 2, 3, 4], [5, 6, 7, 8, 9]), strict=True))
    assert found(columns, X=X) == expected


def test_unions_and_mixtures_and_arrays():
    both = FeatureUnion([("spline", SplineTransformer(n_knots=3)), ("scaled", StandardScaler())])
    assert found(both, X=TABLE[NUMBERS]) == {
        "age": [0, 1, 2, 3, 4, 10],
        "tenure": [5, 6, 7, 8, 9, 11],
    }
    # A mixture of all inputs belongs to none of them.
    mixed = found(SklearnPCA(2), StandardScaler(), X=TABLE[NUMBERS])
    assert mixed == {"pca0": [0], "pca1": [1]}
    # Without names of columns; without steps; with a step that has no names.
    X = TABLE[NUMBERS].to_numpy()
    assert found(PolynomialFeatures(2), X=X) == {"x0": [1, 3], "x1": [2, 5], "x0:x1": [4]}
    assert found(X=TABLE[NUMBERS]) == {"age": [0], "tenure": [1]}
    nameless = FunctionTransformer(lambda X: X[:, ::-1])
    assert found(nameless, PolynomialFeatures(2), X=X) == {f"x{j}": [j] for j in range(6)}


def test_a_step_says_its_terms_itself():
    pipeline = sum_pipeline(LinearRegression(), "region", "sex").fit(TABLE, Y)
    terms = results(pipeline).terms
    assert terms.names == ("C(region, Sum)", "C(sex, Sum)", "C(region, Sum):C(sex, Sum)")
    assert terms.columns == ((0, 1), (2,), (3, 4))
    assert [terms.containing(k) for k in range(3)] == [[2], [2], []]
    assert repr(terms).startswith("terms C(region, Sum): [0, 1], C(sex, Sum): [2]")


def test_variables_of_a_term():
    assert variables_of("age") == ("age",)
    assert variables_of("C(a, levels=['x:y']): bs(age, df=4)") == (
        "C(a, levels=['x:y'])",
        "bs(age, df=4)",
    )


def test_what_is_left_out_of_the_model_of_each_type():
    terms = Terms.of_mapping(
        {"a": ["a"], "b": ["b"], "a:b": ["ab"], "c": ["c"]},
        ["a", "b", "ab", "c"],
        all_of_them=True,
    )
    assert [terms.left_out(k, 1) for k in range(4)] == [[1, 2, 3], [2, 3], [3], []]
    assert [terms.left_out(k, 2) for k in range(4)] == [[2], [2], [], []]
    assert [terms.left_out(k, 3) for k in range(4)] == [[], [], [], []]


def test_stated_terms_that_are_wrong():
    model = LinearRegression().fit(TABLE[NUMBERS], Y)
    said = results(model)
    with pytest.raises(ValueError, match="holds 'agee', which is not a feature; did you mean 'age"):
        said.anova(terms={"a": ["agee"], "b": ["tenure"]})
    with pytest.raises(ValueError, match="holds no 'tenure'; each feature must be in one term"):
        said.anova(terms={"a": ["age"]})
    with pytest.raises(ValueError, match="holds 'age' twice"):
        said.anova(terms={"a": ["age"], "b": ["tenure", "age"]})
    for wrong in ([], "age"):
        with pytest.raises(TypeError, match="must be a list of names of features"):
            said.wald_test(terms={"a": wrong})
    with pytest.raises(ValueError, match="'tenur', which is not a term; did you mean 'tenure'"):
        said.wald_test(terms=["tenur"])
    for wrong in ("age", [], 3):
        with pytest.raises(TypeError, match="must be True, a list of names of terms, or a dict"):
            said.wald_test(terms=wrong)
    with pytest.raises(TypeError, match="must be a dict of names of terms"):
        said.anova(terms=["age"])
