"""NumPy's functions that join, pad, choose, scan and order entries."""

from __future__ import annotations

import numpy as np

from tests.autodiff.cases.drawing import any_, case, flat, pos

nan, inf = np.nan, np.inf
HOLES = np.array([[False, True, False], [False, False, True]])


def holed(x):
    """With two entries missing."""
    return np.where(HOLES, nan, x)


EXACT = {
    np.atleast_3d: [
        np.atleast_3d,
        lambda x: np.atleast_3d(x[0]),
        lambda x: flat(np.atleast_3d(x[0, 0], x)),
    ],
    np.dstack: [
        lambda x: np.dstack([x, 2 * x]),
        lambda x: np.dstack((x[0], x[1])),
        lambda x: np.dstack([x[..., None], np.ones((2, 3, 2))]),
    ],
    np.block: [
        lambda x: np.block([[x, np.zeros((2, 1))], [np.ones((1, 4))]]),
        lambda x: np.block([x, 2 * x]),
        lambda x: np.block([x[0], 1.0, x[1, 0]]),
        lambda x: np.block(x),
        lambda x: np.block([[x[0]], [x[1]]]),
        lambda x: np.block([[[x]], [[x * x]]]),
    ],
    np.hsplit: [
        lambda x: flat(np.hsplit(x, 3)),
        lambda x: np.hsplit(x[0], [1])[1],
        lambda x: np.hsplit(x, [2])[0],
    ],
    np.vsplit: [lambda x: flat(np.vsplit(x, 2)), lambda x: np.vsplit(x, [1])[1]],
    np.dsplit: [lambda x: flat(np.dsplit(x[None], 3))],
    np.rollaxis: [
        lambda x: np.rollaxis(x, 1),
        lambda x: np.rollaxis(x[None], 2, 1),
        lambda x: np.rollaxis(x, 0, 2),
    ],
    np.insert: [
        lambda x: np.insert(x, 1, 5.0),
        lambda x: np.insert(x, 1, x[:, 0], axis=1),
        lambda x: np.insert(x, [0, 2], 3.0, axis=1),
        lambda x: np.insert(x[0], [1, 1], x[1, :2]),
        lambda x: np.insert(x, -1, x[0, 0], axis=0),
        lambda x: np.insert(np.arange(3.0), [0, 3], x[0, :2]),
        lambda x: np.insert(x, slice(0, 2), 1.0, axis=1),
        lambda x: np.insert(x[0], [0, 1], [x[0, 0], 2.0]),
    ],
    np.diagflat: [np.diagflat, lambda x: np.diagflat(x[0], 1)],
    np.resize: [lambda x: np.resize(x, (2, 5)), lambda x: np.resize(x, 4)],
    np.pad: [
        lambda x: np.pad(x, 1),
        lambda x: np.pad(x, (1, 2), constant_values=3.0),
        lambda x: np.pad(x, ((0, 1), (2, 0)), "constant", constant_values=(1.0, 2.0)),
        lambda x: np.pad(x, ((1, 1), (1, 1)), constant_values=((1.0, 2.0), (3.0, 4.0))),
        lambda x: np.pad(x, 1, constant_values=x[0, 1]),
        lambda x: np.pad(x, 1, constant_values=(x[0, 1], x[1, 1])),
        lambda x: np.pad(x, 2, mode="edge"),
        lambda x: np.pad(x, 1, mode="reflect"),
        lambda x: np.pad(x, (1, 2), "symmetric"),
        lambda x: np.pad(x, ((0, 0), (2, 1)), mode="wrap"),
        lambda x: np.pad(x, 0),
    ],
    np.broadcast_arrays: [
        lambda x: flat(np.broadcast_arrays(x, x[0], 1.0)),
        lambda x: np.broadcast_arrays(x[0], np.ones((2, 1)))[0],
    ],
    np.meshgrid: [
        lambda x: flat(np.meshgrid(x[0], x[1])),
        lambda x: flat(np.meshgrid(x[0], x[1, :2], indexing="ij")),
        lambda x: flat(np.meshgrid(x[0], [1.0, 2.0], x[1, :1], sparse=True)),
        lambda x: np.meshgrid(x[0])[0],
        lambda x: flat(np.meshgrid(x[0, 0], x[1])),
    ],
    np.select: [
        lambda x: np.select([x > 0.5, x > 0], [x * x, 2 * x], x),
        lambda x: np.select([x < 0, [True, False, True]], [x, x[0]]),
        lambda x: np.select([x > 0.5, x > 0], [x[0], 1.0], default=x[0, 0]),
        lambda x: np.select([x > 9], [x], 4.0) + x,
    ],
    np.choose: [
        lambda x: np.choose([0, 1, 0], x),
        lambda x: np.choose([[2], [0]], [x[0], 1.0, x]),
        lambda x: np.choose([3, -1, 1], [x[0], x[1]], mode="wrap"),
        lambda x: np.choose([3, -1, 1], [x[0], x[1]], mode="clip"),
    ],
    np.compress: [
        lambda x: np.compress([True, False, True], x, axis=1),
        lambda x: np.compress(x.ravel() > 0, x),
        lambda x: x.compress([False, True], axis=0),
    ],
    np.extract: [lambda x: np.extract(x > 0, x)],
    np.piecewise: [
        lambda x: np.piecewise(x, [x < 0, x > 0.5], [lambda t: t * t, np.exp, 3.0]),
        lambda x: np.piecewise(x, [x < 0.5, x < 9], [np.sin, np.cos]),
        lambda x: np.piecewise(x[0], x[0] > 0, [np.log, lambda t: 2.0 * t]),
        lambda x: np.piecewise(x, [x > 0], [lambda t, a: a * t], 2.5),
    ],
    np.apply_along_axis: [
        lambda x: np.apply_along_axis(np.sum, 0, x * x),
        lambda x: np.apply_along_axis(np.sort, 1, x),
        lambda x: np.apply_along_axis(lambda r, a: np.outer(r, r) * a, 0, x, 2.0),
    ],
    np.lib.stride_tricks.sliding_window_view: [
        lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, axis=1),
        lambda x: np.lib.stride_tricks.sliding_window_view(x, (2, 2)),
    ],
    np.concatenate: [lambda x: np.concatenate([x[0], [x[1, 0], 2.0]])],
    np.hstack: [lambda x: np.hstack([x[0], [x[1, 0], 3.0], x[1, 2]])],
    np.vstack: [lambda x: np.vstack([x, [[x[1, 0], 3.0, x[0, 0]]], (1.0, 2.0, x[0, 1])])],
    np.column_stack: [lambda x: np.column_stack([x, [x[1, 0], 3.0]])],
    np.diff: [
        lambda x: np.diff(x, prepend=0.5),
        lambda x: np.diff(x, axis=0, prepend=[[1.0, 2.0, 3.0]], append=x[:1]),
        lambda x: np.diff(x[0], 2, append=x[1, 0]),
    ],
    np.take: [
        lambda x: np.take(x, [9, -4], mode="wrap"),
        lambda x: np.take(x, [5, 1], axis=1, mode="clip"),
    ],
    np.stack: [lambda x: np.stack([[x[0], x[1]], x])],
    np.append: [lambda x: np.append(x, [x[0, 0], 2.0])],
    np.amax: [np.amax, lambda x: np.amax(x, axis=1, keepdims=True)],
    np.amin: [np.amin, lambda x: np.amin(x, 0)],
    np.real: [np.real, lambda x: x.real * x],
    np.real_if_close: [np.real_if_close],
    np.imag: [lambda x: np.imag(x) + x, lambda x: x.imag + 2 * x],
    np.partition: [
        lambda x: np.partition(x, 1),
        lambda x: np.partition(x, 2, axis=None),
        lambda x: np.partition(x, (0, 1), axis=0),
    ],
    np.sort: [lambda x: np.sort(x, kind="stable"), lambda x: np.sort(x, 0, stable=True)],
    np.nan_to_num: [
        np.nan_to_num,
        lambda x: np.nan_to_num(
            np.where(HOLES, [[0.0, nan, 0.0], [0.0, 0.0, -inf]], x),
            nan=2.0,
            posinf=3.0,
            neginf=-4.0,
        ),
        lambda x: np.nan_to_num(holed(x), nan=x[0, 0], posinf=x[0, 0]),
    ],
    np.nanmax: [
        np.nanmax,
        lambda x: np.nanmax(holed(x), axis=1),
        lambda x: np.nanmax(holed(x), axis=0, keepdims=True),
    ],
    np.nanmin: [
        np.nanmin,
        lambda x: np.nanmin(holed(x), axis=1),
        lambda x: np.nanmin(holed(x), axis=(0, 1), keepdims=True),
    ],
}
if hasattr(np, "unstack"):
    EXACT[np.unstack] = [
        lambda x: flat(np.unstack(x)),
        lambda x: np.unstack(x, axis=1)[2],
        lambda x: np.unstack(x, axis=-1)[0],
    ]
for function, examples in EXACT.items():
    for k, example in enumerate(examples):
        case(function, f"more {k}", example, any_(2, 3))

ROUNDED = {
    np.linspace: [
        lambda x: np.linspace(x[0, 0], 1.0, 5),
        lambda x: np.linspace(0.0, x[0, 1], num=4, endpoint=False),
        lambda x: np.linspace(x[0], x[1], 3, axis=1),
        lambda x: flat(np.linspace(x[0, 0], x[1, 0], 3, retstep=True)),
        lambda x: np.linspace(x[0], 2.0, 2, axis=-1),
        lambda x: np.linspace(x[0, 0], 1.0, 0),
        lambda x: np.linspace(x[0, 0], 1.0, 1),
    ],
    np.logspace: [
        lambda x: np.logspace(x[0, 0], x[0, 1], 4),
        lambda x: np.logspace(x[0], 1.0, 3, base=2.0, axis=-1),
        lambda x: np.logspace(0.0, 1.0, 3, base=x[0, 0] * x[0, 0]),
    ],
    np.cumprod: [
        np.cumprod,
        lambda x: np.cumprod(x, axis=0),
        lambda x: x.cumprod(1),
        lambda x: np.cumprod(x * np.array([1.0, 0.0, 1.0]), axis=1),
        lambda x: np.cumprod(x * np.array([0.0, 2.0, 0.0]), axis=-1),
        lambda x: np.multiply.accumulate(x, axis=1),
        lambda x: np.cumprod(x[0, 0]),
    ],
    np.multiply: [
        lambda x: x * [x[0], x[1] * 2],
        lambda x: np.multiply.outer(x, x[0]),
        lambda x: np.multiply.accumulate(x),
        lambda x: np.multiply.reduceat(x, [0, 2], axis=1),
    ],
    np.add: [
        lambda x: np.add.outer(x[0], [1.0, 2.0]),
        lambda x: np.add.accumulate(x, 1),
        lambda x: np.add.reduceat(x, [0, 1]),
        lambda x: np.add.reduceat(x, [2, 0, 1], axis=-1),
        lambda x: np.add.reduceat(x.ravel(), [0, 3, 3, 1]),
    ],
    np.subtract: [
        lambda x: np.subtract.outer(x[0], x[1]),
        lambda x: np.subtract.accumulate(x, axis=1),
        lambda x: np.subtract.reduce(x, axis=1),
    ],
    np.divide: [lambda x: np.divide.reduce(x + 3.0, axis=0), lambda x: np.divide.outer(1.0, x)],
    np.maximum: [
        lambda x: np.maximum.accumulate(x),
        lambda x: np.maximum.accumulate(x, axis=1),
        lambda x: np.maximum.outer(x[0], x[1]),
        lambda x: np.maximum.reduceat(x, [0, 2], 1),
    ],
    np.minimum: [lambda x: np.minimum.accumulate(x, axis=-1)],
    np.logaddexp: [
        lambda x: np.logaddexp.reduce(x),
        lambda x: np.logaddexp.reduce(x, axis=None),
        lambda x: np.logaddexp.reduce(x, axis=1, keepdims=True),
        lambda x: np.logaddexp.accumulate(x, axis=1),
        lambda x: np.logaddexp.outer(x[0], x[1]),
    ],
    np.hypot: [
        lambda x: np.hypot.reduce(x, axis=1, keepdims=True),
        lambda x: np.hypot.reduce(x, axis=(0, 1)),
        lambda x: np.hypot.reduce(x, axis=None, keepdims=True),
    ],
    np.nansum: [np.nansum, lambda x: np.nansum(holed(x), axis=1, keepdims=True)],
    np.nanprod: [np.nanprod, lambda x: np.nanprod(holed(x), axis=0)],
    np.nancumsum: [np.nancumsum, lambda x: np.nancumsum(holed(x), axis=1)],
    np.nancumprod: [np.nancumprod, lambda x: np.nancumprod(holed(x), axis=1)],
    np.nanmean: [
        np.nanmean,
        lambda x: np.nanmean(holed(x), axis=1),
        lambda x: np.nanmean(holed(x), axis=(0, 1), keepdims=True),
    ],
    np.nanvar: [np.nanvar, lambda x: np.nanvar(holed(x), axis=1, ddof=1, keepdims=True)],
    np.nanstd: [np.nanstd, lambda x: np.nanstd(holed(x), axis=1, ddof=0.5, keepdims=True)],
}
MASK = ~HOLES
for reduction in (np.sum, np.mean, np.prod, np.var, np.std):
    ROUNDED[reduction] = [
        lambda x, f=reduction: f(x, where=MASK),
        lambda x, f=reduction: f(x, axis=1, where=MASK, keepdims=True),
        lambda x, f=reduction: f(x, axis=1, where=[True, False, True]),
    ]
for reduction in (np.sum, np.prod, np.max, np.min):
    ROUNDED.setdefault(reduction, []).extend([
        lambda x, f=reduction: f(x, initial=0.05),
        lambda x, f=reduction: f(x, axis=1, where=MASK, initial=0.05),
        lambda x, f=reduction: f(x[1:], axis=0, initial=x[0, 0], where=x[:1] > 0),
    ])  # fmt: skip
if hasattr(np, "cumulative_sum"):
    ROUNDED[np.cumulative_sum] = [
        lambda x: np.cumulative_sum(x, axis=1),
        lambda x: np.cumulative_sum(x[0], include_initial=True),
    ]
    ROUNDED[np.cumulative_prod] = [
        lambda x: np.cumulative_prod(x, axis=0),
        lambda x: np.cumulative_prod(x, axis=1, include_initial=True),
    ]
for function, examples in ROUNDED.items():
    for k, example in enumerate(examples):
        case(function, f"more {k}", example, any_(2, 3), exact=False)
for k, example in enumerate(
    [
        lambda x: np.geomspace(x[0, 0], x[0, 1], 4),
        lambda x: np.geomspace(x[0], 3.0, 3, endpoint=False),
        lambda x: np.geomspace(-x[0], -x[1], 3, axis=1),
        lambda x: np.geomspace(x[0, 0], 2.0, 1),
    ]
):
    case(np.geomspace, f"{k}", example, pos(2, 3), exact=False)

QUANTILES = {
    np.quantile: 1.0,
    np.nanquantile: 1.0,
    np.percentile: 100.0,
    np.nanpercentile: 100.0,
}
METHODS = (
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf",
    "hazen", "weibull", "linear", "median_unbiased", "normal_unbiased", "lower", "higher",
    "midpoint", "nearest",
)  # fmt: skip
for function, scale in QUANTILES.items():
    h = holed if function.__name__.startswith("nan") else np.positive
    for k, example in enumerate(
        [
            lambda x, f=function, s=scale: f(x, 0.3 * s),
            lambda x, f=function, s=scale, h=h: f(h(x), [0.2 * s, 0.65 * s], axis=1),
            lambda x, f=function, s=scale, h=h: f(h(x), [[0.1 * s]], axis=1, keepdims=True),
            lambda x, f=function, s=scale, h=h: f(h(x), 0.9 * s, axis=(0, 1), keepdims=True),
            lambda x, f=function, s=scale: f(x, 1.0 * s, axis=0),
        ]
    ):
        case(function, f"{k}", example, any_(2, 3), exact=False)
for method in METHODS:
    case(
        np.quantile, method, lambda x, m=method: np.quantile(x, [0.11, 0.47, 0.93], method=m),
        any_(7), exact=False,
    )  # fmt: skip
case(
    np.quantile,
    "weights",
    lambda x: np.quantile(
        x, [0.2, 0.7], axis=0, weights=np.array([1.0, 3.0, 2.0, 0.5]), method="inverted_cdf"
    ),
    any_(4, 2),
    exact=False,
)
case(
    np.quantile, "by q", lambda x, q: np.quantile(x, q), any_(5), np.array([0.3, 0.6]), exact=False
)
case(np.percentile, "by q", np.percentile, any_(6), np.array(37.0), exact=False)
for function in (np.median, np.nanmedian):
    h = holed if function is np.nanmedian else np.positive
    case(function, "all", function, any_(2, 3), exact=False)
    case(function, "odd", lambda x, f=function: f(x, axis=1), any_(2, 3), exact=False)
    case(
        function, "holes", lambda x, f=function, h=h: f(h(x), axis=1, keepdims=True),
        any_(2, 3), exact=False,
    )  # fmt: skip
