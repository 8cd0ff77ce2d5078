"""Whatever goes with a row by name stays with it: in every storage, sample and transformation."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from mcmodels.rows import ArrayRows, Rows, Seen, StreamRows, TransformedRows

N, P = 101, 3
WEIGHTS = {
    "unweighted": None,
    "positive": np.linspace(1.0, 2.0, N),
    "every third is absent": np.arange(N) % 3 * 1.0,
    "the first and last are absent": (np.abs(np.arange(N) - 50) < 20) * 2.0,
}


def numbered():
    """Rows whose features, target and companions all tell the number of the row."""
    number = np.arange(1.0, N + 1)
    X = number[:, np.newaxis] * [1.0, 10.0, 100.0]
    extras = {
        "groups": np.column_stack([number, -number]).astype(np.intp),
        "offset": number.astype(np.float32),
        "name": number.astype(str),
    }
    return X, number, extras


def stored(X, storage, folder):
    """The rows in a storage."""
    if storage == "memory map":
        path = folder / "rows"
        np.asarray(X).tofile(path)
        return np.memmap(path, dtype=np.float64, mode="r", shape=X.shape)
    return {
        "C": np.ascontiguousarray,
        "F": np.asfortranarray,
        "float32": np.float32,
        "csr": sparse.csr_array,
        "csc": sparse.csc_array,
    }[storage](X)


def numbers(rows: Rows, feature=lambda block: block.X.dense()[:, 0]):
    """The numbers of the rows, once every companion has said the same."""

    def told(block):
        number = np.rint(feature(block))
        np.testing.assert_array_equal(block.y, number)
        groups = block.extras["groups"]
        assert groups.dtype == np.intp
        np.testing.assert_array_equal(groups, np.column_stack([number, -number]))
        np.testing.assert_array_equal(block.extras["offset"], number)
        np.testing.assert_array_equal(block.extras["name"].astype(float), number)
        return [number]

    return np.concatenate(rows.reduce(told))


@pytest.fixture(params=WEIGHTS)
def weights(request):
    return WEIGHTS[request.param]


@pytest.fixture(params=["C", "F", "float32", "memory map", "csr", "csc"])
def storage(request):
    return request.param


def present(weights):
    number = np.arange(1.0, N + 1)
    return number if weights is None else number[weights > 0]


@pytest.mark.parametrize("block_rows", [1, 2, 7, 100, 1000])
class TestEveryStorage:
    @pytest.fixture
    def rows(self, storage, weights, block_rows, tmp_path):
        X, y, extras = numbered()
        return ArrayRows(stored(X, storage, tmp_path), y, weights, extras, block_rows=block_rows)

    def test_walked(self, rows, weights):
        np.testing.assert_array_equal(numbers(rows), present(weights))

    @pytest.mark.parametrize("count", [1, 10, 30, 1000])
    def test_sampled(self, rows, weights, count):
        assert np.isin(numbers(rows.sample(count)), present(weights)).all()

    def test_transformed(self, rows, weights):
        root = np.array([[2.0], [0.0], [0.0]])
        transformed = TransformedRows(rows, np.array([4.0, 0.0, 0.0]), root)

        def feature(block):
            return block.X.dense()[:, 0] / 2 + 4

        for again in (transformed, transformed.held()):
            np.testing.assert_array_equal(numbers(again, feature), present(weights))
        sampled = numbers(transformed.sample(10), feature)
        assert np.isin(sampled, present(weights)).all()

    def test_centred_in_their_storage(self, rows, weights):
        centred = TransformedRows(rows, np.zeros(P))
        np.testing.assert_array_equal(numbers(centred), present(weights))


@pytest.mark.parametrize("height", [1, 7, 200])
def test_streamed(storage, weights, height, tmp_path):
    X, y, extras = numbered()
    X = stored(X, storage, tmp_path)
    X = X.tocsr() if sparse.issparse(X) else X

    def walk():
        for start in range(0, N, height):
            part = slice(start, start + height)
            yield (
                X[part],
                y[part],
                None if weights is None else weights[part],
                {name: values[part] for name, values in extras.items()},
            )

    rows = StreamRows(walk, Seen.of(ArrayRows(X, y, weights)), X.dtype)
    np.testing.assert_array_equal(numbers(rows), present(weights))
    assert np.isin(numbers(rows.sample(10)), present(weights)).all()


def test_rows_without_companions_have_none():
    X, y, _ = numbered()
    assert ArrayRows(X, y).reduce(lambda block: [dict(block.extras)]) == [{}]
    held = TransformedRows(ArrayRows(X, y), np.zeros(P)).held()
    assert held.reduce(lambda block: [dict(block.extras)]) == [{}]


def test_codes_of_classes_stay_integers():
    X, y, _ = numbered()
    codes = (y % 2).astype(np.int32)
    for rows in (ArrayRows(X, codes), TransformedRows(ArrayRows(X, codes), np.zeros(P)).held()):
        assert rows.reduce(lambda block: [block.y.dtype]) == [np.int32]


@pytest.mark.parametrize("length", [0, N - 1, N + 1])
def test_companions_of_another_length_are_refused(length):
    X, y, _ = numbered()
    with pytest.raises(ValueError, match=f"groups has {length} entries for {N} rows"):
        ArrayRows(X, y, extras={"groups": np.zeros(length)})


class Misaligned(Rows):
    """Rows whose companions come with another row."""

    def __init__(self, rows, moved):
        self.rows = rows
        self.moved = moved

    def reduce(self, summarise):
        def wrong(block):
            extras = {name: self.moved(values) for name, values in block.extras.items()}
            return summarise(replace(block, extras=extras))

        return self.rows.reduce(wrong)

    def sample(self, count):
        return self


@pytest.mark.parametrize(
    "moved", [np.flipud, lambda values: np.roll(values, 1, axis=0), lambda values: values[:-1]]
)
def test_planted_misalignment_is_caught(moved):
    X, y, extras = numbered()
    rows = ArrayRows(X, y, WEIGHTS["every third is absent"], extras, block_rows=7)
    assert numbers(rows).size
    with pytest.raises(AssertionError):
        numbers(Misaligned(rows, moved))


@pytest.mark.parametrize("block_rows", [7, 100])
def test_sample_of_a_sample(block_rows):
    X, y, extras = numbered()
    rows = ArrayRows(X, y, None, extras, block_rows=block_rows)
    once = rows.sample(50)
    twice = once.sample(10)
    # It has about as many rows as were asked for, all of them of the first sample.
    assert 5 <= twice.n_rows <= 20
    assert len(numbers(twice)) == twice.n_rows
    assert np.isin(numbers(twice), present(None)).all()
