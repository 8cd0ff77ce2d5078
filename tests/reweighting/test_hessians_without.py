"""Inverse Hessians without groups: from their rows as from the matrices; sums by group."""

import numpy as np
import pytest

from mcmodels import LogisticRegression
from mcmodels.resampling.training_fit import training_fit
from mcmodels.reweighting import hessians_without as module
from mcmodels.reweighting.hessians_without import hessians_without, is_low_rank
from mcmodels.reweighting.refits import refit_without
from mcmodels.reweighting.row_parts import sums_by_group


@pytest.mark.parametrize("n_classes", [2, 3])
def test_both_forms_are_the_same(n_classes, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 5))
    y = np.digitize(X[:, 0] + rng.normal(size=90), [0.0, 1.0][: n_classes - 1])
    codes = rng.permutation(np.arange(90) // 3)
    model = LogisticRegression(C=3.0, tol=1e-12).fit(X, y)
    fit = training_fit(model, X, y, extras={"group": codes}).fit
    groups = rng.permutation(30)[:11]
    formed, of_rows = (hessians_without(fit, groups, low_rank=low) for low in (False, True))
    vectors = rng.normal(size=(fit.basis.size, 11))
    at = np.arange(11)
    # Matrices of a few parameters, with eigenvalues between 0.1 and 1.
    assert of_rows.solve(at, vectors) == pytest.approx(formed.solve(at, vectors), rel=1e-11)
    assert formed.positive.all()
    assert of_rows.positive.all()
    U = refit_without(fit, groups).U
    monkeypatch.setattr(module, "_MANY_PARAMETERS", 1)
    monkeypatch.setattr(module, "_FEW_ROWS", 10.0)
    assert is_low_rank(fit.basis.size, 9.0)
    assert refit_without(fit, groups).U == pytest.approx(U, rel=1e-9, abs=1e-12)


def test_sums_by_group_are_those_of_loops():
    rng = np.random.default_rng(1)
    codes, values = rng.integers(0, 9, 200), rng.normal(size=(200, 4))
    groups = np.array([1, 2, 5, 8, 11])
    found = sums_by_group(codes, groups, 4, lambda rows: values[rows])
    expected = np.array([values[codes == group].sum(axis=0) for group in groups])
    assert found == pytest.approx(expected, abs=1e-12)
