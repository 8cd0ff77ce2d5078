"""The data sets with certified answers in datasets/, read as the tests need them."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd

DATASETS = Path(__file__).parent.parent / "datasets"
NIST = (
    "norris",
    "pontius",
    "noint1",
    "noint2",
    "filip",
    "longley",
    "wampler1",
    "wampler2",
    "wampler3",
    "wampler4",
    "wampler5",
)


def answers(name: str) -> dict:
    """The model and its reference values; numbers are decimal strings."""
    return json.loads((DATASETS / f"{name}.json").read_text())


def table(name: str) -> pd.DataFrame:
    """The CSV behind a set of answers."""
    return pd.read_csv(DATASETS / answers(name)["csv"])


def linear_data(name: str) -> tuple[np.ndarray, np.ndarray]:
    """X and y of a NIST set; powers of x are rounded once, from their exact value."""
    about = answers(name)
    text = pd.read_csv(DATASETS / about["csv"], dtype=str)
    degree = about["polynomial_degree"] or 1
    columns = [
        [float(Fraction(Decimal(value)) ** k) for value in text[predictor]]
        for predictor in about["predictors"]
        for k in range(1, degree + 1)
    ]
    return np.array(columns).T, text[about["response"]].astype(float).to_numpy()


def linear_params(name: str, key: str | None = None) -> np.ndarray:
    """Reference parameters, coefficients first and the intercept last, as float64."""
    about = answers(name)
    values = [float(v) for v in (about[key] if key else about)["params"].values()]
    return np.array(values[1:] + values[:1] if about["fit_intercept"] else values)
