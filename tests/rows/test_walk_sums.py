"""Sums of a walk tell other rows apart, and rows in other blocks or in another order do not."""

import itertools
from collections import Counter

import numpy as np
import pytest
from scipy import sparse

from mcmodels.rows import WalkSums

STORES = ["normal", "binary", "counts", "scaled", "sparse", "float32"]


def rows_of(store, rng):
    n, p = int(rng.integers(3, 300)), int(rng.integers(2, 9))
    if store == "binary":
        X = rng.integers(0, 2, (n, p)).astype(float)
    elif store == "counts":
        X = rng.integers(0, 4, (n, p))
    elif store == "scaled":  # scales over 8 decades, means up to 1e4 deviations from zero
        X = (rng.normal(size=(n, p)) + rng.uniform(-1e4, 1e4, p)) * 10.0 ** rng.integers(-4, 5, p)
    elif store == "sparse":
        X = rng.normal(size=(n, p)) * (rng.random((n, p)) < 0.2)
    else:
        X = rng.normal(size=(n, p))
    if store == "float32":
        X = X.astype(np.float32)
        X[0] = 1e3  # the first row, about which the others are seen, lies far away
    y = rng.integers(0, 2, n) if rng.random() < 0.5 else None
    w = rng.integers(0, 3, n) + rng.random(n) if rng.random() < 0.5 else None
    return X, y, w


def add_all(X, y, w, cuts, store, before=None):
    sums = WalkSums() if before is None else before.of_next_walk()
    Z = sparse.csr_array(X) if store == "sparse" else X
    for a, b in itertools.pairwise([0, *sorted(cuts), len(X)]):
        if a < b:
            sums.add(Z[a:b], None if y is None else y[a:b], None if w is None else w[a:b])
    return sums


def as_counted(X, y, w):
    """How often each row occurs: the rows in any order."""
    n = len(X)
    parts = [X, np.zeros(n) if y is None else y, np.ones(n) if w is None else w]
    return Counter(map(tuple, np.column_stack(parts).tolist()))


@pytest.mark.parametrize("store", STORES)
def test_other_cuts_and_another_order_are_the_same_rows(store):
    for seed in range(60):
        rng = np.random.default_rng(seed)
        X, y, w = rows_of(store, rng)
        n = len(X)
        first = add_all(X, y, w, rng.integers(0, n + 1, 3), store)
        for order in (np.arange(n), rng.permutation(n)):
            part = (None if a is None else a[order] for a in (y, w))
            again = add_all(X[order], *part, rng.integers(0, n + 1, 5), store, first)
            again.require(first, [f"x{j}" for j in range(X.shape[1])])


@pytest.mark.parametrize("how", ["any", "two rows", "within targets", "swapped columns"])
@pytest.mark.parametrize("store", STORES)
def test_a_column_whose_entries_move_to_other_rows_is_seen(store, how):
    """Against the rows themselves, counted; also where no product of two columns changes."""
    seen = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        X, y, w = rows_of(store, rng)
        n, p = X.shape
        changed, j = X.copy(), int(rng.integers(p))
        at = np.arange(n)
        if how == "any":
            at = rng.permutation(n)
        elif how == "two rows":
            a, b = rng.choice(n, 2, replace=False)
            at[[a, b]] = b, a
        elif how == "within targets":
            for label in () if y is None else (0, 1):
                of_label = np.flatnonzero(y == label)
                at[of_label] = rng.permutation(of_label)
        changed[:, j] = X[at, j]
        if how == "swapped columns":
            changed[:, [j, j - 1]] = X[:, [j - 1, j]]
        if as_counted(changed, y, w) == as_counted(X, y, w):
            continue
        seen += 1
        first = add_all(X, y, w, rng.integers(0, n + 1, 3), store)
        again = add_all(changed, y, w, rng.integers(0, n + 1, 3), store, first)
        with pytest.raises(ValueError, match="every walk must give the same rows"):
            again.require(first, [f"x{j}" for j in range(p)])
    assert seen > 10
