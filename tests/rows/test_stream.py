"""Rows of a stream: their positions, and samples that do not depend on how it is cut."""

import numpy as np
import pytest

from mcmodels.rows import RowBlock, Seen, SpreadSample, StreamRows
from mcmodels.rows.source import ArrayRows

rng = np.random.default_rng(0)
X, W = rng.standard_normal((40, 2)), np.tile([1.0, 0.0, 2.0, 0.5], 10)


@pytest.mark.parametrize("cuts", [(), (1,), (7, 30), (13, 15, 16)])
def test_blocks_know_their_place_in_the_stream(cuts):
    """Rows of weight zero count, though no summary sees them."""

    def walk():
        for part in np.split(np.arange(40), cuts):
            yield X[part], None, W[part]

    rows = StreamRows(walk, Seen.of(ArrayRows(X, None, W)), np.dtype(float))

    def places(block: RowBlock):
        return [block.start]

    assert rows.reduce(places) == [0, *cuts]


@pytest.mark.parametrize("cuts", [(), (1,), (7, 100), tuple(range(3, 1000, 3))])
def test_a_sample_is_spread_evenly_however_the_stream_is_cut(cuts):
    """Every k-th row of positive weight, k the least power of two that leaves few enough."""
    weights = np.tile([1.0, 0.0, 2.0], 400)[:1000]
    y = np.arange(1000.0)
    sample = SpreadSample(128)
    for part in np.split(np.arange(1000), cuts):
        sample.add(y[part, np.newaxis], y[part], weights[part])
    _, kept, w, *_ = sample.stacked()
    present = np.flatnonzero(weights)
    np.testing.assert_array_equal(kept, present[::8])
    np.testing.assert_array_equal(w, weights[present[::8]])
