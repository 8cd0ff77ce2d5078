"""A thread that reads ahead: order, errors, and the end of both."""

import threading
import time

import numpy as np
import pandas as pd
import pytest

from mcmodels import LinearRegression, scan
from mcmodels.tables.read_ahead import read_ahead

MANY = 50
# A thread that ends does so at once; this long is waited for one that does not.
PATIENCE = 10.0


def made(n, told, error=None):
    """Numbers from 0 on, whose making is written down."""
    try:
        for k in range(n):
            told.append(k)
            yield k
        if error is not None:
            raise error
    finally:
        told.append("closed")


def until(condition):
    end = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < end:
        time.sleep(0.001)
    return condition()


@pytest.mark.parametrize("depth", [1, 3, 100])
@pytest.mark.parametrize("n", [0, 1, MANY])
def test_items_come_in_their_order(n, depth):
    told = []
    assert list(read_ahead(made(n, told), depth)) == list(range(n))
    assert told == [*range(n), "closed"]


def test_no_more_than_depth_and_one_are_ahead():
    told = []
    items = read_ahead(made(MANY, told), 3)
    assert next(items) == 0
    # The first is used, three wait, and the thread holds one more.
    assert until(lambda: len(told) == 5)
    time.sleep(0.3)  # longer than the thread waits before it looks again
    assert told == [0, 1, 2, 3, 4]
    assert list(items) == list(range(1, MANY))


def test_an_error_comes_after_the_items_before_it():
    told = []
    items = read_ahead(made(2, told, ValueError("broken")), 5)
    assert [next(items), next(items)] == [0, 1]
    with pytest.raises(ValueError, match="broken"):
        next(items)
    assert told == [0, 1, "closed"]


@pytest.mark.parametrize("taken", [1, 2])
def test_closing_ends_the_thread_and_the_generator(taken):
    before = threading.active_count()
    told = []
    items = read_ahead(made(MANY, told), 1)
    for _ in range(taken):
        next(items)
    items.close()
    assert told[-1] == "closed"
    assert threading.active_count() == before


def test_a_fit_that_fails_leaves_no_thread(tmp_path):
    pytest.importorskip("pyarrow")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(20_000, 3)), columns=["a", "b", "y"])
    frame.loc[10, "b"] = np.inf
    frame.to_parquet(tmp_path / "d.parquet", row_group_size=500)
    before = threading.active_count()
    with pytest.raises(ValueError, match="infinity"):
        LinearRegression().fit(scan(tmp_path / "d.parquet", target="y"))
    assert threading.active_count() == before
