"""Published experiments, generated unbalanced designs, and pipelines that code their factors."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures

from tests.certified import DATASETS


def moore():
    """Moore and Krupat (1971), as in R's package carData: conformity, authoritarianism, status."""
    low = (
        "8l 4h 8h 7l 10l 6l 12m 4m 13l 12l 4m 13h 7l 9m 9h 24h 6l 7h 23h 13h 8l 12l",
        "19h 12m 21l 9h 23l 7h 17m 14m 11h 16m 15l 20m 8m 12l 14h 14m 17m 7m 17m 13h 16l 10h 15m",
    )
    rows = [
        (status, {"l": "low", "m": "medium", "h": "high"}[entry[-1]], float(entry[:-1]))
        for status, entries in zip(("low", "high"), low, strict=True)
        for entry in entries.split()
    ]
    return pd.DataFrame(rows, columns=["status", "category", "conformity"])


def warpbreaks():
    """Tippett (1950), as in R's datasets: breaks of yarn by wool and tension; balanced."""
    breaks = (
        "26 30 54 25 70 52 51 26 67 18 21 29 17 12 18 35 30 36 36 21 24 18 10 43 28 15 26 "
        "27 14 29 19 29 31 41 20 44 42 26 19 16 39 28 21 39 29 20 21 24 17 13 15 15 16 28"
    )
    table = pd.DataFrame({"breaks": [float(value) for value in breaks.split()]})
    table["wool"] = np.repeat(["A", "B"], 27)
    table["tension"] = np.tile(np.repeat(["L", "M", "H"], 9), 2)
    return table


def dobson():
    """Dobson (1990), the example of R's ``glm``: counts by outcome and treatment."""
    return pd.DataFrame(
        {
            "counts": [18.0, 17, 15, 20, 10, 20, 25, 13, 12],
            "outcome": np.tile(["1", "2", "3"], 3),
            "treatment": np.repeat(["1", "2", "3"], 3),
        }
    )


def duncan():
    """Duncan's prestige of occupations: one factor, two numbers."""
    return pd.read_csv(DATASETS / "duncan.csv")


def unbalanced(seed, n=70):
    """Two factors and a number, with unequal cells, and their interactions in y."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "region": rng.choice(list("abc"), n, p=[0.55, 0.3, 0.15]),
            "sex": rng.choice(["f", "m"], n, p=[0.7, 0.3]),
            "age": rng.normal(5.0, 2.0, n),
        }
    )
    effect = table["region"].map({"a": 0.0, "b": 1.0, "c": -1.0}) * (table["sex"] == "m")
    noise = rng.normal(size=n) * (1 + (table["sex"] == "m"))
    table["y"] = 0.4 * table["age"] + effect + noise
    return table


def treatment_pipeline(model, factors, numbers=(), degree=2, drop="first"):
    """Indicators of factors, and products of all columns."""
    columns = make_column_transformer(
        (OneHotEncoder(drop=drop, sparse_output=False), list(factors)),
        ("passthrough", list(numbers)),
    )
    if degree == 1:
        return make_pipeline(columns, model)
    products = PolynomialFeatures(degree, interaction_only=True, include_bias=False)
    return make_pipeline(columns, products, model)


class SumCoding(TransformerMixin, BaseEstimator):
    """Two factors whose codes sum to zero, and their interaction; it says its terms itself."""

    def __init__(self, first, second):
        self.first = first
        self.second = second

    def fit(self, X, y=None):
        self.levels_ = {name: sorted(set(X[name])) for name in (self.first, self.second)}
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        one, two = (self._codes(X[name], self.levels_[name]) for name in self.levels_)
        both = np.einsum("ij,ik->ijk", one, two).reshape(len(X), -1)
        return np.column_stack([one, two, both])

    def _codes(self, values, levels):
        codes = np.array([[float(v == level) for level in levels[:-1]] for v in values])
        codes[np.asarray(values) == levels[-1]] = -1.0
        return codes

    def _counts(self):
        return [len(levels) - 1 for levels in self.levels_.values()]

    def get_feature_names_out(self, names=None):
        a, b = self._counts()
        return np.array([f"c{j}" for j in range(a + b + a * b)], dtype=object)

    def get_feature_terms(self):
        a, b = self._counts()
        one, two = f"C({self.first}, Sum)", f"C({self.second}, Sum)"
        ends = np.cumsum([0, a, b, a * b])
        spans = [list(range(*ends[k : k + 2])) for k in range(3)]
        return dict(zip((one, two, f"{one}:{two}"), spans, strict=True))


def sum_pipeline(model, first, second):
    return make_pipeline(SumCoding(first, second), model)


def columns_of(pipeline, X):
    """The columns that the steps make, by scikit-learn alone."""
    for _, step in pipeline.steps[:-1]:
        X = step.transform(X)
    return np.asarray(X)


def squares_left(X, y, weights=None):
    """Squares of residuals, and the rank, of least squares with an intercept: by NumPy's SVD."""
    root = np.ones(len(y)) if weights is None else np.sqrt(weights)
    A = np.column_stack([np.ones(len(y)), X]) * root[:, np.newaxis]
    found, _, rank, _ = np.linalg.lstsq(A, root * y, rcond=1e-10)
    return float(np.sum((root * y - A @ found) ** 2)), int(rank)
