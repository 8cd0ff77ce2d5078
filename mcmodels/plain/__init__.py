"""NumPy and SciPy for the calculus, or small arrays in plain Python where they are not installed.

A browser has Python's own library alone, and so have some installations. There, the few functions
that the calculus uses are those of this folder. Arrays have some tens of entries then, as where the
doctor tries a claim at random points.
"""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING

__all__ = ["has_numpy", "np", "scipy"]

if TYPE_CHECKING:
    import numpy as np
    import scipy

    has_numpy = True
else:
    try:
        import numpy as np

        has_numpy = True
    except ImportError:
        from mcmodels.plain.names import NAMES

        np = ModuleType("mcmodels.plain.np")
        np.__dict__.update(NAMES)
        has_numpy = False

    def __getattr__(name: str) -> object:
        """SciPy takes time to import, and not all need it."""
        if name != "scipy":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        if has_numpy:
            import scipy.linalg
            import scipy.special

            found = scipy
        else:
            from mcmodels.plain.linear_algebra import scipy_linalg
            from mcmodels.plain.mpmath_values import SPECIAL

            found = SimpleNamespace(linalg=scipy_linalg, special=SimpleNamespace(**SPECIAL))
        globals()["scipy"] = found
        return found
