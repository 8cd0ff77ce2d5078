"""Levels with rows of one class alone beside a spline: separated, but for rounding."""

import re

import numpy as np
import pytest
from scipy.optimize import linprog

from mcmodels import Formula, LogisticRegression, fit_formula
from mcmodels.exceptions import ConvergenceWarning
from tests.formulas.designs import spline_with_an_empty_cell

pytest.importorskip("formulaic")

FORMULA = "bs(x, knots=[2.5, 7])*g"


def growth(X, y):
    """How much the margins grow along the best direction in [-1, 1], by a linear program."""
    rows = np.where(y == 1, 1.0, -1.0)[:, np.newaxis] * np.column_stack([X, np.ones(len(X))])
    found = linprog(-rows.sum(axis=0), A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=(-1, 1))
    return -found.fun


def test_the_warning_names_the_level_and_the_remedy():
    data = spline_with_an_empty_cell()
    assert growth(Formula(FORMULA).fit_transform(data), data["y"]) > 1.0
    with pytest.warns(ConvergenceWarning) as caught:
        fit_formula(f"y ~ {FORMULA}", data, LogisticRegression(C=np.inf))
    (text,) = [str(one.message) for one in caught]
    assert re.search("but for rounding errors in the columns, the classes are separated", text)
    assert "'g[T.b]'" in text
    assert "Penalise (a finite C, or alpha > 0), merge classes or categories" in text
    assert "scale the columns" not in text


def test_fits_that_are_stopped_early_are_not_called_separated():
    data = spline_with_an_empty_cell().assign(y=np.arange(200) % 2)
    assert growth(Formula(FORMULA).fit_transform(data), data["y"]) < 1e-6
    with pytest.warns(ConvergenceWarning, match="Raise max_iter, or scale the columns"):
        fit_formula(f"y ~ {FORMULA}", data, LogisticRegression(C=np.inf, max_iter=1))
