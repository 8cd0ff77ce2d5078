"""NumPy's functions that arrange, join and reduce."""

from __future__ import annotations

import numpy as np

from tests.autodiff.cases.drawing import any_, case, flat

ARRANGED = {
    np.reshape: [
        lambda x: np.reshape(x, (3, 2)),
        lambda x: x.reshape(3, 2),
        lambda x: x.reshape(-1),
        lambda x: np.reshape(x, (-1, 2), order="F"),
        lambda x: x.reshape((1, 6)),
    ],
    np.ravel: [np.ravel, lambda x: np.ravel(x, "F"), lambda x: x.ravel(), lambda x: x.flatten()],
    np.copy: [np.copy, lambda x: x.copy()],
    np.transpose: [
        np.transpose,
        lambda x: x.T,
        lambda x: x.transpose(1, 0),
        lambda x: x.transpose(),
        lambda x: np.transpose(x, [-1, 0]),
    ],
    np.permute_dims: [lambda x: np.permute_dims(x, (1, 0))],
    np.matrix_transpose: [np.matrix_transpose, lambda x: x.mT],
    np.linalg.matrix_transpose: [np.linalg.matrix_transpose],
    np.swapaxes: [lambda x: np.swapaxes(x, 0, -1), lambda x: x.swapaxes(1, 0)],
    np.moveaxis: [lambda x: np.moveaxis(x, 0, -1), lambda x: np.moveaxis(x, (0, 1), (1, 0))],
    np.expand_dims: [
        lambda x: np.expand_dims(x, 1),
        lambda x: np.expand_dims(x, (0, -1)),
        lambda x: np.expand_dims(x, ()),
    ],
    np.squeeze: [
        lambda x: np.squeeze(x[:, :1]),
        lambda x: np.squeeze(x[:, :1], axis=-1),
        lambda x: x[:1].squeeze(0),
    ],
    np.atleast_1d: [
        np.atleast_1d,
        lambda x: np.atleast_1d(x[0, 0]),
        lambda x: flat(np.atleast_1d(x[0, 0], x[0])),
    ],
    np.atleast_2d: [
        np.atleast_2d,
        lambda x: np.atleast_2d(x[0]),
        lambda x: np.atleast_2d(x[0, 0]),
        lambda x: flat(np.atleast_2d(x[0], x)),
    ],
    np.broadcast_to: [
        lambda x: np.broadcast_to(x, (2, 2, 3)),
        lambda x: np.broadcast_to(x[0, 0], 3),
        lambda x: np.broadcast_to(x[0, 0], ()),
    ],
    np.full_like: [lambda x: np.full_like(x, x[0, 1]), lambda x: x * np.full_like(x, 3.0)],
    np.flip: [np.flip, lambda x: np.flip(x, 0), lambda x: np.flip(x, (0, -1))],
    np.flipud: [np.flipud],
    np.fliplr: [np.fliplr],
    np.roll: [
        lambda x: np.roll(x, 2),
        lambda x: np.roll(x, -1, axis=1),
        lambda x: np.roll(x, (1, 2), (0, 1)),
    ],
    np.rot90: [np.rot90, lambda x: np.rot90(x, 3), lambda x: np.rot90(x, -1, (1, 0))],
    np.tile: [lambda x: np.tile(x, 2), lambda x: np.tile(x, (2, 1, 2))],
    np.repeat: [
        lambda x: np.repeat(x, 2),
        lambda x: np.repeat(x, [1, 0, 2], axis=1),
        lambda x: x.repeat(2, 0),
    ],
    np.take: [
        lambda x: np.take(x, [5, 0, 0]),
        lambda x: np.take(x, 1, axis=-1),
        lambda x: x.take([[0, 2]], 1),
    ],
    np.take_along_axis: [
        lambda x: np.take_along_axis(x, np.array([[0, 0], [2, 1]]), 1),
        lambda x: np.take_along_axis(x, np.argsort(x, axis=0), axis=0),
    ],
    np.delete: [lambda x: np.delete(x, 2), lambda x: np.delete(x, [0, 2], axis=1)],
    np.sort: [np.sort, lambda x: np.sort(x, axis=0), lambda x: np.sort(x, axis=None)],
    np.diagonal: [
        np.diagonal,
        lambda x: np.diagonal(x, 1),
        lambda x: np.diagonal(x, -1, 1, 0),
        lambda x: x.diagonal(),
        lambda x: np.diagonal(np.stack([x, 2 * x])),
    ],
    np.linalg.diagonal: [
        np.linalg.diagonal,
        lambda x: np.linalg.diagonal(x, offset=1),
        lambda x: np.linalg.diagonal(np.stack([x, x * x])),
    ],
    np.diag: [
        np.diag,
        lambda x: np.diag(x[0]),
        lambda x: np.diag(x[0], 2),
        lambda x: np.diag(x[:, 0], -1),
        lambda x: np.diag(x, 1),
    ],
    np.trace: [
        np.trace,
        lambda x: np.trace(x, 1),
        lambda x: np.trace(np.stack([x, x * x]), 0, 1, 2),
        lambda x: x.trace(),
    ],
    np.linalg.trace: [np.linalg.trace, lambda x: np.linalg.trace(np.stack([x, x * x]), offset=1)],
    np.tril: [np.tril, lambda x: np.tril(x, 1)],
    np.triu: [np.triu, lambda x: np.triu(x, k=-1)],
    np.sum: [
        np.sum,
        lambda x: np.sum(x, axis=0),
        lambda x: x.sum(-1, keepdims=True),
        np.add.reduce,
        lambda x: np.add.reduce(x, axis=None),
        lambda x: np.sum(x, axis=(0, 1), keepdims=True),
        lambda x: np.sum(x, 1, None, None, True),
        lambda x: np.sum(x, axis=()),
    ],
    np.mean: [np.mean, lambda x: np.mean(x, axis=1), lambda x: x.mean(0, keepdims=True)],
    np.average: [
        np.average,
        lambda x: np.average(x, axis=0, weights=x * x + 1),
        lambda x: np.average(x, axis=1, weights=[1.0, 2.0, 3.0]),
        lambda x: np.average(x, weights=np.exp(x), keepdims=True),
    ],
    np.var: [
        np.var,
        lambda x: np.var(x, axis=1, ddof=1),
        lambda x: x.var(0, keepdims=True),
        lambda x: np.var(x, axis=(0, 1), ddof=0.5),
    ],
    np.std: [np.std, lambda x: np.std(x, axis=1, ddof=1), lambda x: x.std(-1, keepdims=True)],
    np.max: [
        np.max,
        lambda x: np.max(x, axis=0),
        lambda x: x.max(-1, keepdims=True),
        np.maximum.reduce,
    ],
    np.min: [np.min, lambda x: np.min(x, axis=(0, 1)), lambda x: x.min(0), np.minimum.reduce],
    np.ptp: [np.ptp, lambda x: np.ptp(x, axis=0, keepdims=True)],
    np.prod: [
        np.prod,
        lambda x: np.prod(x, axis=1),
        lambda x: x.prod(axis=0, keepdims=True),
        lambda x: np.prod(x * np.array([1.0, 0.0, 1.0])),
        lambda x: np.multiply.reduce(x, axis=1),
        lambda x: np.prod(x * np.array([0.0, 0.0, 1.0]), axis=1),
        lambda x: np.prod(x[0, 0]),
        lambda x: np.prod(np.stack([x, x + 1]), axis=(0, -1)),
        lambda x: np.prod(x[:, :0], axis=1),
    ],
    np.cumsum: [np.cumsum, lambda x: np.cumsum(x, axis=0), lambda x: x.cumsum(-1)],
    np.diff: [
        np.diff,
        lambda x: np.diff(x, axis=0),
        lambda x: np.diff(x, 2),
        lambda x: np.diff(x, n=0),
    ],
    np.split: [
        lambda x: flat(np.split(x, 3, axis=1)),
        lambda x: flat(np.split(x, [1], axis=-1)),
        lambda x: np.split(x, 2)[1],
    ],
    np.array_split: [
        lambda x: np.array_split(x, 2, axis=1)[0],
        lambda x: flat(np.array_split(x, 2, 1)),
    ],
    np.clip: [
        lambda x: np.clip(x, -0.5, 0.5),
        lambda x: x.clip(0.1),
        lambda x: np.clip(x, None, 0.7),
        lambda x: np.clip(x, a_min=-1, a_max=None),
        lambda x: np.clip(x, 0.5 * x, 0.1 + x * x),
    ],
}
# Computed by other sums or products than NumPy's.
ROUNDED = {
    np.mean,
    np.average,
    np.var,
    np.std,
    np.prod,
    np.trace,
    np.linalg.trace,
    np.multiply.reduce,
}
for function, examples in ARRANGED.items():
    for k, example in enumerate(examples):
        case(function, f"{k}", example, any_(2, 3), exact=function not in ROUNDED)
case(np.broadcast_to, "length one", lambda x: np.broadcast_to(x, (3, 2, 3)), any_(2, 1))
case(np.clip, "limits", lambda x, a, b: np.clip(x, a, b), any_(4), np.array(-0.4), np.array(0.45))

JOINED = {
    np.concatenate: [
        lambda a, b: np.concatenate([a, b]),
        lambda a, b: np.concatenate((a, b), axis=-1),
        lambda a, b: np.concatenate([a, np.ones((1, 2)), b], axis=0),
        lambda a, b: np.concatenate([a, b], axis=None),
    ],
    np.stack: [
        lambda a, b: np.stack([a, b]),
        lambda a, b: np.stack([a, b], axis=-1),
        lambda a, b: np.stack([a, np.zeros((2, 2)), b], axis=1),
        lambda a, b: np.stack([a[0, 0], 1.0, b[1, 1]]),
    ],
    np.vstack: [lambda a, b: np.vstack([a, b]), lambda a, b: np.vstack((a[0], b))],
    np.hstack: [lambda a, b: np.hstack([a, b]), lambda a, b: np.hstack([a[0], b[1], 1.0])],
    np.column_stack: [
        lambda a, b: np.column_stack([a, b]),
        lambda a, b: np.column_stack([a[0], b]),
    ],
    np.append: [
        np.append,
        lambda a, b: np.append(a, b, axis=1),
        lambda a, b: np.append(a, 3.0) * b[0, 0],
    ],
    np.where: [
        lambda a, b: np.where(a > 0, a, b),
        lambda a, b: np.where([[True], [False]], a, 2.0) + b,
        lambda a, b: np.where(a > b, a * b, 0),
    ],
}
for function, examples in JOINED.items():
    for k, example in enumerate(examples):
        case(function, f"{k}", example, any_(2, 2), any_(2, 2))
