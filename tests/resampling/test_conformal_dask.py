"""Intervals and sets of rows in partitions of Dask are those of the same rows in memory."""

import pickle

import numpy as np
import pandas as pd
import pytest

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    RowStream,
    leave_one_out,
    scan,
)
from mcmodels.exceptions import FewRowsWarning
from mcmodels.resampling.new_row_tables import NewRowTable
from tests.resampling.test_conformal import N, classes, counts, linear, rows

da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")
NAMES = list("abc")


def parted(values):
    return da.from_array(values, chunks=(17, *values.shape[1:]))


def test_intervals_and_sets_of_arrays():
    X, y, _ = rows()
    loo = linear(X, y)
    found = loo.predict_interval(parted(X), 0.8).compute()
    pd.testing.assert_frame_equal(found, loo.predict_interval(X, 0.8), rtol=1e-12)
    X, y = classes()
    loo = leave_one_out(LogisticRegression().fit(X, y), X, y)
    found = loo.predict_set(parted(X), 0.8).compute()
    pd.testing.assert_frame_equal(found, loo.predict_set(X, 0.8))


def test_data_frames_keep_their_index():
    X, y, _ = rows()
    frame = pd.DataFrame(X, columns=NAMES, index=np.arange(N) + 100)
    loo = linear(frame, y)
    found = loo.predict_interval(dd.from_pandas(frame, npartitions=3), 0.8).compute()
    pd.testing.assert_frame_equal(found, loo.predict_interval(frame, 0.8), rtol=1e-12)


def test_offsets_and_weights_of_new_rows():
    X, y, exposure = counts()
    model = GeneralizedLinearRegressor("poisson", weights="probability", alpha=0.1)
    weights = np.linspace(1, 2, N)
    loo = leave_one_out(
        model.fit(X, y, weights, exposure=exposure), X, y, weights, exposure=exposure
    )
    expected = loo.predict_interval(X, 0.8, sample_weight=weights, exposure=exposure)
    found = loo.predict_interval(
        parted(X), 0.8, sample_weight=parted(weights), exposure=parted(exposure)
    )
    pd.testing.assert_frame_equal(found.compute(), expected, rtol=1e-12)
    one = loo.predict_interval(parted(X), 0.8, sample_weight=1.5, exposure=parted(exposure))
    expected = loo.predict_interval(X, 0.8, sample_weight=1.5, exposure=exposure)
    pd.testing.assert_frame_equal(one.compute(), expected, rtol=1e-12)
    with pytest.raises(TypeError, match="exposure is a ndarray, and X a collection of Dask"):
        loo.predict_interval(parted(X), 0.8, sample_weight=1.5, exposure=exposure)
    with pytest.raises(ValueError, match="fitted with an offset or an exposure"):
        loo.predict_interval(parted(X), 0.8, sample_weight=1.5)


def test_warnings_come_when_intervals_are_asked_for():
    X, y, _ = rows(n=18)
    loo = linear(X, y)
    with pytest.warns(FewRowsWarning, match="at least 19 rows"):
        loo.predict_interval(parted(X), 0.95)


def test_what_is_sent_to_partitions_holds_no_training_rows(monkeypatch):
    sent = []
    monkeypatch.setattr(NewRowTable, "asked", lambda self, *_: sent.append(self))
    X, y, _ = rows(n=5000)
    X = np.column_stack([X, np.zeros((5000, 200))])
    linear_fit = GeneralizedLinearRegressor(alpha=1.0).fit(X, y)
    loo = leave_one_out(linear_fit, X, y)
    loo.predict_interval(X)
    held = len(pickle.dumps(sent[0]))
    # The steps, the model and a few numbers a row; the rows would be as much as the steps again.
    assert held < loo.steps.nbytes + X.nbytes / 5


def test_training_rows_in_blocks_and_tables():
    X, y, _ = rows()
    expected = linear(X, y).predict_interval(X, 0.8)
    blocks = RowStream(lambda: ((X[i : i + 7], y[i : i + 7]) for i in range(0, N, 7)))
    by_blocks = leave_one_out(LinearRegression().fit(blocks), blocks).predict_interval(X, 0.8)
    pd.testing.assert_frame_equal(by_blocks, expected, rtol=1e-10)
    table = scan(pd.DataFrame(X, columns=NAMES).assign(y=y), "y", NAMES)
    loo = leave_one_out(LinearRegression().fit(table), table)
    for new in (table, pd.DataFrame(X, columns=NAMES)):
        pd.testing.assert_frame_equal(loo.predict_interval(new, 0.8), expected, rtol=1e-10)
