"""Labels and codes of every dtype against np.unique, which sorts all of them."""

import numpy as np
import pytest

from mcmodels.estimators import classes as _labels
from mcmodels.estimators.classes import encode, select

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
NARROW = _labels._COUNTED_RANGE


def disagreement(y, labels, codes):
    """What labels and codes say of y otherwise than np.unique does, or None."""
    expected, positions = np.unique(y, return_inverse=True)
    if labels.dtype != y.dtype:
        return f"labels are {labels.dtype}"
    if not np.array_equal(labels, expected):
        return f"labels are {labels}"
    if codes.shape != y.shape or codes.dtype.kind not in "iu":
        return f"codes are {codes.dtype} of shape {codes.shape}"
    if not np.array_equal(codes, positions):
        return "codes are others"
    if not np.array_equal(labels[codes], y):
        return "codes lead elsewhere"
    return None


def check(y):
    before = y.copy()
    labels, codes = encode(y)
    assert disagreement(y, labels, codes) is None
    np.testing.assert_array_equal(y, before)
    assert not np.shares_memory(labels, y)


def drawn(values, dtype, n=300, seed=0):
    """The values in random order, each at least once."""
    values = np.array(values, dtype=dtype)
    rng = np.random.default_rng(seed)
    more = values[rng.integers(len(values), size=n)]
    return rng.permutation(np.concatenate([values, more]))


@pytest.mark.parametrize("values", [[False, True], [False], [True]])
def test_booleans(values):
    check(drawn(values, bool))
    check(np.array(values))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_near_zero_and_at_both_ends(dtype):
    info = np.iinfo(dtype)
    for values in (
        [3],
        [0, 1],
        [4, 9],
        [0, 1, 2],
        [5, 7, 100],
        [info.max],
        [info.max - 1, info.max],
        [info.max - 5, info.max - 2, info.max],
        [info.min],
        [info.min, info.min + 1],
        [info.min, info.min + 3, info.min + 7],
        [info.min, info.max],
        [info.min, 0, 1, info.max],
    ):
        check(drawn(values, dtype))


def test_unsigned_integers_about_the_largest_signed_one():
    for values in ([2**63 - 1, 2**63], [2**63 - 2, 2**63 + 2], [0, 2**63], [1, 2**63 - 1, 2**63]):
        check(drawn(values, np.uint64))


@pytest.mark.parametrize("dtype", [t for t in INTEGERS if t.startswith("i")])
def test_negative_integers(dtype):
    for values in ([-1, 0], [-1, 1], [-2, -1], [-7, -3, 5], [-100, 100], [-128, 127]):
        check(drawn(values, dtype))


@pytest.mark.parametrize("dtype", ["int16", "int32", "int64", "uint16", "uint32", "uint64"])
@pytest.mark.parametrize("span", [NARROW - 1, NARROW, NARROW + 1])
def test_spans_about_where_counting_ends(dtype, span):
    for low in (0, 17, int(np.iinfo(dtype).max) - span, int(np.iinfo(dtype).min)):
        check(drawn([low, low + 1, low + span], dtype))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_as_many_integers_as_codes_of_one_size_hold_and_one_more(dtype):
    for count in (126, 127, 128, 129, 130, 200, 255, 256):
        check(drawn(np.arange(count) + (0 if dtype != "int8" else -128), dtype))


@pytest.mark.parametrize("count", [2**15 - 1, 2**15, 2**15 + 1])
def test_many_distinct_labels(count):
    check(drawn(np.arange(count) * 3, np.int64))


def test_integers_of_the_other_byte_order_and_of_a_slice():
    check(drawn([-3, 5, 2000], ">i4"))
    check(drawn([0, 1], ">i8"))
    check(drawn([0, 1], np.int64)[::2])
    check(np.column_stack([drawn([4, 5, 9], np.uint8)] * 3)[:, 1])


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_floats(dtype):
    for values in ([0.0, 1.0], [-1.5, 0.25], [3.0], [-2.0, 0.0, 7.0], np.arange(-150, 150)):
        check(drawn(values, dtype))
    info = np.finfo(dtype)
    check(drawn([info.min, -info.tiny, 0.0, info.tiny, 1.0, 1 + info.eps, info.max], dtype))


def test_zeros_of_both_signs_are_one_label():
    labels, codes = encode(np.array([0.0, -0.0, 1.0, -0.0]))
    np.testing.assert_array_equal(labels, [0, 1])
    np.testing.assert_array_equal(codes, [0, 0, 1, 0])


@pytest.mark.parametrize("dtype", ["U", "S", object])
def test_strings(dtype):
    for values in (["no", "yes"], ["yes"], ["b", "a", "B", "", "aa", " a"]):
        check(drawn(values, dtype))


def test_strings_beyond_ascii_sort_by_code_point():
    check(drawn(["é", "e", "z", "ß", "日", "z̈"], "U"))
    check(drawn(["é", "e", "z", "ß", "日", "z̈"], object))


def test_objects_that_are_numbers_or_booleans():
    check(drawn([3, 1, 2**70], object))
    check(drawn([False, True], object))
    check(drawn([1.5, -2], object))


def test_codes_are_small():
    """One byte a row, however wide the labels are: codes are as long as the data."""
    for y in (drawn([0, 1], np.int64), drawn([-(10**9), 10**9], np.int64), drawn(["a", "b"], "U")):
        assert encode(y)[1].itemsize == 1


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_by_chance(dtype, seed):
    rng = np.random.default_rng(seed)
    info = np.iinfo(dtype)
    scale = 10.0 ** rng.uniform(0, np.log10(float(info.max)))
    centre = int(rng.integers(info.min, info.max, dtype=dtype, endpoint=True))
    offsets = (rng.standard_normal(12) * scale).tolist()
    values = [min(max(centre + int(o), info.min), info.max) for o in offsets]
    check(drawn(values, dtype, seed=seed))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda labels, codes: (labels[::-1], len(labels) - 1 - codes),
        lambda labels, codes: (labels, np.roll(codes, 1)),
        lambda labels, codes: (labels.astype(np.float64), codes),
        lambda labels, codes: (labels[:-1], np.minimum(codes, len(labels) - 2)),
        lambda labels, codes: (np.append(labels, 99), codes),
        lambda labels, codes: (labels, codes.astype(float)),
        lambda labels, codes: (labels, codes[:, None]),
    ],
    ids=["descending", "shifted", "dtype", "one lost", "one more", "float codes", "shape"],
)
def test_the_check_sees_planted_errors(spoil):
    y = drawn([4, 7, 9], np.int64)
    labels, codes = encode(y)
    assert disagreement(y, labels, codes) is None
    assert disagreement(y, *spoil(labels, codes)) is not None


class TestSelect:
    @pytest.mark.parametrize("labels", [[2, 5, 7, 8], ["a", "b", "c", "d"]])
    @pytest.mark.parametrize("mask", range(1, 16))
    def test_keeps_what_is_present(self, labels, mask):
        labels = np.array(labels)
        present = np.array([bool(mask >> k & 1) for k in range(4)])
        codes = drawn(range(4), np.int8, n=50, seed=mask)
        kept, new = select(labels, codes, present)
        np.testing.assert_array_equal(kept, labels[present])
        counted = present[codes]
        np.testing.assert_array_equal(kept[new[counted]], labels[codes[counted]])
        # Rows of the others have no weight, but a code that indexes something.
        assert new.min() >= 0
        assert new.max() < len(kept)
        assert new.dtype == codes.dtype

    def test_changes_nothing_where_all_are_present(self):
        labels, codes = np.array([1, 2]), np.array([0, 1, 1], dtype=np.int8)
        kept, new = select(labels, codes, np.array([True, True]))
        assert kept is labels
        assert new is codes

    def test_does_not_write_on_what_it_is_given(self):
        labels, codes = np.array([1, 2, 3]), np.array([0, 1, 2], dtype=np.int8)
        select(labels, codes, np.array([False, True, True]))
        np.testing.assert_array_equal(labels, [1, 2, 3])
        np.testing.assert_array_equal(codes, [0, 1, 2])
