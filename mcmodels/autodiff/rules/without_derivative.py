"""Functions without a derivative: those that return truth values or positions, and steps."""

from __future__ import annotations

import numpy as np

from mcmodels.autodiff.tables import JUMPS, NOT_DIFFERENTIATED, STEPS

NOT_DIFFERENTIATED |= {
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal,
    np.logical_and, np.logical_or, np.logical_not, np.logical_xor,
    np.isfinite, np.isinf, np.isnan, np.signbit,
    np.shape, np.ndim, np.size, np.argmax, np.argmin, np.argsort, np.nonzero, np.flatnonzero,
    np.argwhere, np.count_nonzero, np.any, np.all, np.isclose, np.allclose, np.array_equal,
    np.searchsorted, np.result_type,
    np.iscomplexobj, np.isrealobj, np.can_cast, np.may_share_memory, np.shares_memory,
    np.array_repr, np.array_str, np.linalg.matrix_rank,
    np.argpartition, np.lexsort, np.nanargmax, np.nanargmin, np.digitize, np.isin,
    np.isposinf, np.isneginf, np.isreal, np.iscomplex, np.array_equiv,
    np.tril_indices_from, np.triu_indices_from, np.diag_indices_from,
}  # fmt: skip
STEPS |= {
    np.sign, np.floor, np.ceil, np.trunc, np.rint, np.floor_divide, np.heaviside, np.round, np.fix,
}  # fmt: skip
_COUNTS = (
    "counts entries, and a count is constant until an entry crosses the border of a bin. Use a "
    "smooth weight for each bin (scipy.special.expit, or a kernel density)"
)
JUMPS |= {
    np.unique: "leaves out an entry as soon as two are equal, so the length of its result jumps. "
    "If all entries differ, np.sort is the same",
    np.histogram: _COUNTS,
    np.histogram2d: _COUNTS,
    np.histogramdd: _COUNTS,
    np.histogram_bin_edges: "chooses the number of bins by the data, and it jumps. Compute the "
    "edges by np.linspace(np.min(x), np.max(x), bins + 1)",
}
