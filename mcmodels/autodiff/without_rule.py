"""The errors for functions, and arguments of them, that have no rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import numpy as np

from mcmodels.autodiff.refusals import instead
from mcmodels.autodiff.rules import JUMPS, STEPS
from mcmodels.autodiff.tracing import NoRuleError

__all__ = ["refuse"]

# Functions that write to an array.
_WRITING = frozenset(
    f"numpy.{name}" for name in ("fill_diagonal", "put", "put_along_axis", "putmask", "place",
                                 "copyto")
)  # fmt: skip


def refuse(function: Callable[..., Any], name: str, keywords: Iterable[str]) -> NoReturn:
    """Say what a function has no rule for, and what to write instead.

    Parameters
    ----------
    function : callable
        The function.
    name : str
        Its name for users.
    keywords : iterable of str
        The arguments that its rule does not know; if there are none, it has no rule at all.
    """
    if "where" in keywords and isinstance(function, np.ufunc):
        raise NoRuleError(
            f"{name} with where= leaves entries of the plain array out= as they are, and these "
            "cannot be followed. Use np.where with arguments that are allowed everywhere; or make "
            "the array of out= by mcmodels.autodiff.numpy, imported in NumPy's place."
        )
    if keywords:
        listed = ", ".join(f"{key}=" for key in sorted(keywords))
        in_place = (
            " Plain arrays cannot be changed in place (a += x) by values that are being "
            "differentiated; those of mcmodels.autodiff.numpy, imported in NumPy's place, can."
        )
        raise NoRuleError(
            f"{name} with {listed} has no rule for its derivative; leave it out."
            f"{in_place if 'out' in keywords else ''}"
        )
    if function in STEPS:
        raise NoRuleError(
            f"{name} is constant between its jumps: its derivative is zero wherever it has one, "
            "and is not taken silently. If that is what you want, write "
            f"{function.__name__}(constant(x){', …' if getattr(function, 'nin', 1) > 1 else ''})."
        )
    if function in JUMPS:
        raise NoRuleError(
            f"{name} has no derivative: it {JUMPS[function]}; or constant(x), if no derivative is "
            "wanted."
        )
    if name in _WRITING or name.endswith(".at"):
        raise NoRuleError(
            f"{name} cannot write to an array of plain NumPy, or to one that is being "
            "differentiated, what can be followed. Write to x.copy(), or to an array that was made "
            "by mcmodels.autodiff.numpy, imported in NumPy's place; or use constant(x), if no "
            "derivative is wanted."
        )
    advice = instead(name) if name.startswith("scipy") else ""
    raise NoRuleError(
        f"{name} has no rule for its derivative. {advice + ' Or write' if advice else 'Write'} it "
        "with functions that have one (they are listed in mcmodels.autodiff.rules), or use "
        "constant(x), if no derivative is wanted."
    )
