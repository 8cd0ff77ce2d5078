"""Rows that are not finite are refused, and no library prints a complaint before."""

import numpy as np
import pytest
from scipy import sparse

from mcmodels import GeneralizedLinearRegressor as Glm

Y = np.arange(30.0) % 4 + 1
MODELS = [
    Glm("poisson"),
    Glm("poisson", fit_intercept=False),
    Glm("gamma", link="identity"),
    Glm("negative_binomial", theta="estimate"),
    Glm("poisson", prior="jeffreys"),
]


@pytest.mark.parametrize("model", MODELS, ids=str)
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
def test_the_column_is_named_in_silence_of_lapack(model, value, storage, capfd):
    """LAPACK wrote "On entry to DLASCL parameter number 4 had an illegal value" to the terminal."""
    X = np.random.default_rng(0).normal(size=(30, 2))
    X[3, 1] = value
    with pytest.raises(ValueError, match="Input X contains"):
        model.fit(storage(X), Y)
    out, err = capfd.readouterr()
    assert out + err == ""
