"""Functions without a derivative: those that return truth values or positions, and steps."""

from __future__ import annotations

import numpy as np

from mcmodels.autodiff.tables import NOT_DIFFERENTIATED, STEPS

NOT_DIFFERENTIATED |= {
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal,
    np.logical_and, np.logical_or, np.logical_not, np.logical_xor,
    np.isfinite, np.isinf, np.isnan, np.signbit,
    np.shape, np.ndim, np.size, np.argmax, np.argmin, np.argsort, np.nonzero, np.flatnonzero,
    np.argwhere, np.count_nonzero, np.any, np.all, np.isclose, np.allclose, np.array_equal,
    np.searchsorted, np.result_type,
    np.iscomplexobj, np.isrealobj, np.can_cast, np.may_share_memory, np.shares_memory,
    np.array_repr, np.array_str, np.linalg.matrix_rank,
}  # fmt: skip
STEPS |= {
    np.sign, np.floor, np.ceil, np.trunc, np.rint, np.floor_divide, np.heaviside, np.round, np.fix,
}  # fmt: skip
