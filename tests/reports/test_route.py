"""The way through steps: which are refused because they were fitted to y, and which are not."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import FeatureAgglomeration, KMeans
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import NMF, PCA, FactorAnalysis, FastICA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier, RandomTreesEmbedding, StackingRegressor
from sklearn.feature_selection import (
    RFE,
    SelectFdr,
    SelectFromModel,
    SelectKBest,
    SequentialFeatureSelector,
    VarianceThreshold,
)
from sklearn.frozen import FrozenEstimator
from sklearn.impute import KNNImputer, MissingIndicator, SimpleImputer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression as SklearnLogisticRegression
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import NeighborhoodComponentsAnalysis
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.random_projection import GaussianRandomProjection

from mcmodels import LinearRegression, LogisticRegression, likelihood_ratio_test, results, summarize
from mcmodels.exceptions import InferenceError
from mcmodels.reports.supervised_steps import step_fitted_to_targets

N = 80


class NeedsTargets(TransformerMixin, BaseEstimator):
    """A step of nobody's library that cannot be fitted without y."""

    def fit(self, X, y):
        self.slope_ = float(np.dot(np.asarray(X)[:, 0], y))
        return self

    def transform(self, X):
        return np.asarray(X) * np.sign(self.slope_)


class Sampler(BaseEstimator):
    """As those of imbalanced-learn: a step without transform."""

    def fit(self, X, y):
        return self

    def fit_resample(self, X, y):
        return X, y


SUPERVISED = {
    "SelectKBest": lambda: SelectKBest(k=2),
    "SelectFdr": lambda: SelectFdr(alpha=1.0),
    "SelectFromModel": lambda: SelectFromModel(SklearnLogisticRegression(), threshold=-np.inf),
    "RFE": lambda: RFE(SklearnLogisticRegression(), n_features_to_select=2),
    "SequentialFeatureSelector": lambda: SequentialFeatureSelector(
        SklearnLogisticRegression(), n_features_to_select=1, cv=2
    ),
    "TargetEncoder": lambda: TargetEncoder(cv=2, target_type="continuous"),
    "LinearDiscriminantAnalysis": LinearDiscriminantAnalysis,
    "NeighborhoodComponentsAnalysis": lambda: NeighborhoodComponentsAnalysis(max_iter=2),
    "StackingRegressor": lambda: StackingRegressor([("ridge", Ridge())], cv=2),
    "NeedsTargets": NeedsTargets,
}
UNSUPERVISED = {
    "StandardScaler": StandardScaler,
    "MinMaxScaler": MinMaxScaler,
    "MaxAbsScaler": MaxAbsScaler,
    "RobustScaler": RobustScaler,
    "Normalizer": Normalizer,
    "Binarizer": Binarizer,
    "QuantileTransformer": lambda: QuantileTransformer(n_quantiles=10),
    "KBinsDiscretizer": lambda: KBinsDiscretizer(3, encode="ordinal", strategy="uniform"),
    "FunctionTransformer": lambda: FunctionTransformer(np.tanh),
    "PCA": lambda: PCA(2),
    "TruncatedSVD": lambda: TruncatedSVD(2),
    "FastICA": lambda: FastICA(2, random_state=0),
    "FactorAnalysis": lambda: FactorAnalysis(1),
    "NMF": lambda: make_pipeline(MinMaxScaler(clip=True), NMF(2, max_iter=2000)),
    "KMeans": lambda: KMeans(2, n_init=1, random_state=0),
    "FeatureAgglomeration": lambda: FeatureAgglomeration(2),
    "RandomTreesEmbedding": lambda: RandomTreesEmbedding(2, max_depth=1, random_state=0),
    "VarianceThreshold": VarianceThreshold,
    "SimpleImputer": SimpleImputer,
    "KNNImputer": KNNImputer,
    "MissingIndicator": lambda: FeatureUnion(
        [("same", StandardScaler()), ("missing", MissingIndicator(features="missing-only"))]
    ),
    "Nystroem": lambda: Nystroem(n_components=3, random_state=0),
    "GaussianRandomProjection": lambda: GaussianRandomProjection(2, random_state=0),
    "GridSearchCV": lambda: GridSearchCV(PCA(), {"n_components": [2]}, cv=2),
}
# Other steps that hold one: where it lies does not matter.
INSIDE = {
    "itself": lambda step: step,
    "pipeline": lambda step: make_pipeline(StandardScaler(), step),
    "columns": lambda step: ColumnTransformer([("in", step, [0, 1])]),
    "remainder": lambda step: ColumnTransformer([("out", "drop", [])], remainder=step),
    "union": lambda step: FeatureUnion([("other", StandardScaler()), ("in", step)]),
    "deep": lambda step: ColumnTransformer(
        [
            ("plain", "passthrough", [1]),
            ("in", FeatureUnion([("u", make_pipeline("passthrough", step))]), [0, 1]),
        ]
    ),
    "search": lambda step: GridSearchCV(
        Pipeline([("outer", StandardScaler()), ("in", step)]),
        {"outer__with_mean": [True]},
        cv=2,
        scoring=lambda *_: 0.0,
    ),
}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, 2))
    return X, (X[:, 0] + rng.normal(size=N) > 0).astype(int)


@pytest.mark.parametrize("inside", INSIDE)
@pytest.mark.parametrize("name", SUPERVISED)
def test_steps_that_were_fitted_to_y_are_refused_wherever_they_are(data, name, inside):
    X, y = data
    step = INSIDE[inside](SUPERVISED[name]())
    fitted = Pipeline([("first", step), ("model", LinearRegression())]).fit(X, y)
    message = f"^step 'first' .*{name}.* was fitted to y.*sklearn.frozen.FrozenEstimator"
    for ask in (results, summarize, lambda it: likelihood_ratio_test(it, it)):
        with pytest.raises(InferenceError, match=message):
            ask(fitted)


@pytest.mark.parametrize("inside", INSIDE)
@pytest.mark.parametrize("name", SUPERVISED)
def test_steps_that_were_fitted_to_other_rows_are_not(data, name, inside):
    X, y = data
    frozen = FrozenEstimator(SUPERVISED[name]().fit(X[::2], y[::2]))
    fitted = Pipeline([("first", INSIDE[inside](frozen)), ("model", LogisticRegression(C=1.0))])
    assert np.isfinite(results(fitted.fit(X, y)).confidence_intervals()).all(axis=None)
    # All frozen at once: nothing in it has seen these rows.
    whole = FrozenEstimator(INSIDE[inside](SUPERVISED[name]()).fit(X[::2], y[::2]))
    fitted = Pipeline([("first", whole), ("model", LogisticRegression(C=1.0))]).fit(X, y)
    assert np.isfinite(results(fitted).confidence_intervals()).all(axis=None)


@pytest.mark.parametrize("inside", INSIDE)
@pytest.mark.parametrize("name", UNSUPERVISED)
def test_steps_that_read_no_y_pass(data, name, inside):
    X, y = data
    if name == "MissingIndicator" and inside not in ("itself", "union"):
        return
    step = INSIDE[inside](UNSUPERVISED[name]())
    fitted = Pipeline([("first", step), ("model", LogisticRegression(C=1.0))]).fit(X, y)
    assert step_fitted_to_targets(fitted[0]) is None
    assert np.isfinite(results(fitted).confidence_intervals()).all(axis=None)


def test_tests_of_this_file_would_notice():
    """Planted: what looks at the first level alone, or not at tags, misses these."""
    X = np.random.default_rng(0).normal(size=(N, 2))
    y = np.arange(N) % 2
    deep = INSIDE["deep"](SelectKBest(k=1)).fit(X, y)
    assert isinstance(step_fitted_to_targets(deep), SelectKBest)
    assert step_fitted_to_targets(StandardScaler().fit(X, y)) is None
    forest = RandomForestClassifier(2).fit(X, y)
    assert step_fitted_to_targets(forest) is forest
    # Its fit_transform returns a pair, so that scikit-learn's pipelines cannot hold it unfrozen.
    pls = PLSRegression(1).fit(X, y)
    assert step_fitted_to_targets(pls) is pls


def test_steps_that_sample_rows_are_refused(data):
    X, y = data
    fitted = Pipeline([("model", LinearRegression())]).fit(X, y)
    fitted.steps.insert(0, ("sample", Sampler()))
    with pytest.raises(TypeError, match=r"step 'sample' \(Sampler\) has no transform.*sample rows"):
        results(fitted)


def test_the_way_is_that_of_the_pipeline(data):
    """Rows after the steps are those that the model is given by the pipeline itself."""
    X, y = data
    made = make_pipeline(StandardScaler(), FunctionTransformer(np.tanh), LinearRegression())
    fitted = made.fit(X, y)
    route = results(fitted)._route
    np.testing.assert_array_equal(route.rows(X), fitted[:-1].transform(X))
    np.testing.assert_array_equal(route.model.predict(route.rows(X)), fitted.predict(X))
    assert [name for name, _ in route.steps] == ["standardscaler", "functiontransformer"]
    assert route.rows(None) is None
    assert route.targets(None) is None
    assert route.targets(y) is y
    assert route.names is None  # a FunctionTransformer has none


def test_targets_of_two_dimensions(data):
    X, y = data
    Y = np.column_stack([y, np.cos(5 * X[:, 1])]) + 3.0
    fitted = TransformedTargetRegressor(LinearRegression(), transformer=StandardScaler()).fit(X, Y)
    scaled = StandardScaler().fit_transform(Y)
    expected = LinearRegression().fit(X, scaled)
    pd.testing.assert_frame_equal(
        results(fitted).confidence_intervals(X=X, y=Y, kind="HC3"),
        expected.confidence_intervals(X=X, y=scaled, kind="HC3"),
        check_exact=True,
    )
