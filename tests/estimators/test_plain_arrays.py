"""The quick way through validation accepts only what scikit-learn's checks return as it is."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from mcmodels import LinearRegression
from mcmodels.estimators import arguments, validation

P = 3
GOOD = np.arange(12.0).reshape(4, P)
ROWS = {
    "float64": GOOD,
    "float32": GOOD.astype(np.float32),
    "fortran": np.asfortranarray(GOOD),
    "not contiguous": np.repeat(GOOD, 2, axis=0)[::2],
    "float16": GOOD.astype(np.float16),
    "longdouble": GOOD.astype(np.longdouble),
    "integers": GOOD.astype(int),
    "bool": GOOD > 3,
    "objects": GOOD.astype(object),
    "text": GOOD.astype(str),
    "complex": GOOD + 1j,
    "dates": GOOD.astype("M8[D]"),
    "swapped bytes": GOOD.astype(">f8"),
    "nan": np.where(GOOD == 5, np.nan, GOOD),
    "inf": np.where(GOOD == 5, np.inf, GOOD),
    "both inf": np.where(GOOD == 5, np.inf, np.where(GOOD == 7, -np.inf, GOOD)),
    "huge": np.full((4, P), 1e308),
    "huge float32": np.full((4, P), 3e38, dtype=np.float32),
    "other columns": GOOD[:, :2],
    "no rows": GOOD[:0],
    "no columns": GOOD[:, :0],
    "vector": GOOD[0],
    "cube": GOOD[np.newaxis],
    "masked": np.ma.array(GOOD, mask=GOOD == 3),
    "matrix": np.asmatrix(GOOD),
    "frame": pd.DataFrame(GOOD),
    "named frame": pd.DataFrame(GOOD, columns=list("abc")),
    "lists": GOOD.tolist(),
    "sparse": sparse.csr_array(GOOD),
    "None": None,
}
QUICK = {"float64", "float32", "fortran", "not contiguous", "swapped bytes"}
Y = np.array([0.0, 1.0, 1.0, 0.0])
TARGETS = {
    "float64": Y,
    "float32": Y.astype(np.float32),
    "two": np.column_stack([Y, Y]),
    "column": Y[:, np.newaxis],
    "no columns": np.empty((4, 0)),
    "integers": Y.astype(int),
    "bool": Y > 0,
    "text": Y.astype(str),
    "bytes": Y.astype("S"),
    "objects": Y.astype(object),
    "dates": Y.astype("M8[D]"),
    "complex": Y + 1j,
    "nan": np.where(Y > 0, np.nan, Y),
    "inf": np.where(Y > 0, np.inf, Y),
    "longer": np.append(Y, 1),
    "cube": Y.reshape(2, 2, 1),
    "number": np.float64(3.0),
    "zero-dimensional": np.array(1.0),
    "masked": np.ma.array(Y, mask=Y > 0),
    "series": pd.Series(Y),
    "lists": Y.tolist(),
    "None": None,
}
OPTIONS = [
    {"multi_output": True, "y_numeric": True},
    {"multi_output": False, "y_numeric": True},
    {"multi_output": False},
    {},
]
FITTED = {
    "arrays": LinearRegression().fit(np.eye(5, P), np.arange(5)),
    "frame": LinearRegression().fit(pd.DataFrame(np.eye(5, P), columns=list("abc")), np.arange(5)),
    "nothing": LinearRegression(),
}


def outcome(of, *args, **options):
    """What comes of a call: the values and their types, or the error, and the warnings."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            found = of(*args, **options)
        except Exception as error:
            found = type(error), str(error)
    parts = found if isinstance(found, tuple) else (found,)
    shown = [
        (type(part), getattr(part, "dtype", None), getattr(part, "shape", None), repr(part))
        for part in parts
    ]
    return shown, [str(w.message) for w in seen]


@pytest.mark.parametrize("fitted", FITTED)
@pytest.mark.parametrize("rows", ROWS)
def test_rows_and_targets(fitted, rows, monkeypatch):
    model, X = FITTED[fitted], ROWS[rows]
    calls = [(validation.validated_rows, model, X)]
    options = [{}]
    # Other rows are never quick, so that a few targets do.
    targets = [y for name, y in TARGETS.items() if rows in QUICK or name in ("float64", "text")]
    for y, for_y in itertools.product(targets, OPTIONS):
        calls.append((validation.validated_pair, model, X, y))
        options.append(for_y)
    for y, for_y in itertools.product(targets, OPTIONS):
        calls.append((validation.validated_block, model, X, y))
        options.append({"reset": False} | for_y)
        calls.append((validation.training_pair, model, X, y))
        options.append(for_y)
    for least in (1, 4, 5):
        calls.append((validation.training_features, model, X))
        options.append({"ensure_min_samples": least})
    quick = [outcome(*call, **given) for call, given in zip(calls, options, strict=True)]
    monkeypatch.setattr(validation, "_is_plain", lambda *args, **options: False)
    slow = [outcome(*call, **given) for call, given in zip(calls, options, strict=True)]
    for call, given, one, other in zip(calls, options, quick, slow, strict=True):
        assert one == other, (call, given)


@pytest.mark.parametrize("name", TARGETS)
def test_numbers_of_an_argument(name):
    """A subclass is never quick, and has the same numbers."""

    class Slow(np.ndarray):
        pass

    values = TARGETS[name]
    if type(values) is not np.ndarray:
        pytest.skip("no plain array")
    found = outcome(arguments.finite_numbers, "w", values)
    expected = outcome(arguments.finite_numbers, "w", values.view(Slow))
    assert found == expected


def test_some_arrays_are_quick():
    model = FITTED["arrays"]
    quick = {
        name: validation._is_plain(model, X, Y, finite=True, y_numeric=True)
        for name, X in ROWS.items()
    }
    assert {name for name, is_quick in quick.items() if is_quick} == QUICK
    fits = {
        name: validation._is_plain(model, X, Y, finite=False, reset=True, y_numeric=True)
        for name, X in ROWS.items()
    }
    # The sums of a fit show what is not finite.
    not_finite = {"nan", "inf", "both inf", "huge", "huge float32"}
    assert {name for name, is_quick in fits.items() if is_quick} == QUICK | not_finite | {
        "other columns"
    }
