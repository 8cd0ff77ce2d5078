"""What exists here in place of a function of SciPy whose calls cannot be followed.

SciPy converts its arguments to plain arrays. Then all that is left to see of a call is the stack.
"""

from __future__ import annotations

from types import FrameType
from typing import Any

__all__ = ["counterpart", "counterpart_of_ufunc"]

# Names that SciPy's public functions have inside.
_PRIVATE_NAMES = {"_zeta": "zeta", "_riemann_zeta": "zeta"}


def counterpart(frame: FrameType | None) -> str | None:
    """The function of this package for the outermost call of SciPy on a stack, if there is one."""
    found = None
    while frame is not None:
        module = frame.f_globals.get("__name__", "").split(".")
        if module[0] not in ("numpy", "scipy"):
            break
        if module[0] == "scipy":
            found = _for_call(frame, module) or found
        frame = frame.f_back
    return found


def _for_call(frame: FrameType, module: list[str]) -> str | None:
    from mcmodels.autodiff import linalg, special, stats  # they import the arrays that ask

    name, local = frame.f_code.co_name, frame.f_locals
    if name == "wrapper" and callable(local.get("f")):  # around functions of SciPy that take stacks
        module, name = local["f"].__module__.split("."), local["f"].__name__
    room = module[1] if len(module) > 1 else ""
    if room == "fft":
        return "numpy.fft"
    if room == "stats":
        distribution = _distribution(local.get("self"))
        if distribution in stats.__all__ and hasattr(getattr(stats, distribution), name):
            return f"mcmodels.autodiff.stats.{distribution}.{name}"
    for ours in (linalg, special):
        if ours.__name__.endswith(room) and room and name in ours.__all__:
            return f"{ours.__name__}.{name}"
    return None


def counterpart_of_ufunc(name: str) -> str | None:
    """The function of this package that calls a ufunc of SciPy that is not public."""
    public = _PRIVATE_NAMES.get(name)
    return None if public is None else f"special.{public}"


def _distribution(owner: Any) -> str:
    """SciPy's name of a distribution, from the object that has its methods."""
    owner = getattr(owner, "dist", owner)  # of one with fixed parameters
    name = getattr(owner, "name", None)
    return name if isinstance(name, str) else type(owner).__name__.removesuffix("_gen")
