"""Values that derivatives treat as constants, for users."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.autodiff import tracing

__all__ = ["constant"]


def constant(x: Any) -> Any:
    """The plain value of x, which derivatives treat as a constant.

    Parameters
    ----------
    x : array-like
        Any value, also one that is being differentiated.

    Returns
    -------
    ndarray or number
        Of an array that is being differentiated a copy, which may be written to.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels.autodiff import constant, grad
    >>> float(grad(lambda x: x * np.floor(constant(x)))(2.5))
    2.0
    """
    value = tracing.constant(x)
    return value if value is x or not isinstance(value, np.ndarray) else value.copy()
