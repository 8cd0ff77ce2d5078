"""`check_rule`: whether the derivatives are right that `autodiff.rule` has given a function."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcmodels.autodiff import NoRuleError, jvp, vjp
from mcmodels.derivative_checks import GradientCheck, check_gradient

__all__ = ["RuleCheck", "check_rule"]


@dataclass(frozen=True, repr=False, eq=False)
class RuleCheck:
    """The result of `check_rule`: true if all derivatives are right; printed as a report.

    Attributes
    ----------
    checks : dict of str to GradientCheck
        By ``"vjp by argument 0"``, ``"jvp by argument 0"``, and so on.
    not_given : tuple of int
        Positions of the arguments that the rule has no derivative for.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import check_rule
    >>> from mcmodels.autodiff import rule
    >>> double = rule(vjp=lambda g, y, x: 3 * g)(lambda x: 2 * x)
    >>> check = check_rule(double, np.array([1.0]))
    >>> bool(check)
    False
    >>> round(check.checks["vjp by argument 0"].numerical, 6)
    2.273923
    """

    checks: dict[str, GradientCheck]
    not_given: tuple[int, ...]

    @property
    def correct(self) -> bool:
        """Whether all derivatives are right."""
        return all(self.checks.values())

    def __bool__(self) -> bool:
        return self.correct

    def __repr__(self) -> str:
        lines = [f"rule {'correct' if self.correct else 'wrong'}"]
        for name, check in self.checks.items():
            lines.append(f"  {name} {repr(check).splitlines()[0].removeprefix('gradient ')}")
        lines += [f"  argument {i}: no derivative" for i in self.not_given]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


def check_rule(
    f: Callable[..., Any], *args: Any, rtol: float | None = None, **kwargs: Any
) -> RuleCheck:
    """Whether the derivatives of a function are those of its values, in both modes.

    A random combination of the results is differentiated by each argument: by values of the
    function alone, as `check_gradient` does; by the reverse mode of `autodiff`; and by its forward
    mode. A derivative that is the transpose of the other is checked like one that was given.

    Parameters
    ----------
    f : callable
        A function decorated by `autodiff.rule`; or any function that `autodiff` differentiates.
    *args, **kwargs
        Its arguments. Those that are arrays or numbers of floating point are varied.
    rtol : float, default=None
        As for `check_gradient`.

    Returns
    -------
    RuleCheck
        True if all are right, so that tests may say ``assert check_rule(f, x)``.

    Raises
    ------
    ValueError
        If no argument can be varied; and as `check_gradient`.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import check_rule
    >>> from mcmodels.autodiff import rule
    >>> @rule(vjp=lambda g, y, x: 3 * g * x)
    ... def squared(x):
    ...     return np.asarray(x) ** 2
    >>> check_rule(squared, np.array([1.0, 2.0])).correct
    False
    """
    varied = [i for i, x in enumerate(args) if np.asarray(x).dtype.kind == "f"]
    if not varied:
        raise ValueError("check_rule needs an argument that is an array of floating-point numbers.")
    u = np.random.default_rng(0).uniform(0.5, 1.5, np.shape(f(*args, **kwargs)))
    checks: dict[str, GradientCheck] = {}
    not_given = []
    for i in varied:

        def of_one(x: Any, i: int = i) -> Any:
            return f(*args[:i], x, *args[i + 1 :], **kwargs)

        x = np.asarray(args[i], dtype=np.float64)
        try:
            slopes = {
                "vjp": vjp(of_one, x)[1](u),
                "jvp": np.array(
                    [np.sum(u * jvp(of_one, (x,), (v,))[1]) for v in _units(x)]
                ).reshape(x.shape),
            }
        except NoRuleError:
            not_given.append(i)
            continue
        for mode, slope in slopes.items():

            def combined(x: Any, of_one: Callable[..., Any] = of_one) -> Any:
                return np.sum(u * of_one(x))

            checks[f"{mode} by argument {i}"] = check_gradient(combined, slope, x, rtol=rtol)
    return RuleCheck(checks, tuple(not_given))


def _units(x: Any) -> list[Any]:
    return [unit.reshape(x.shape) for unit in np.eye(x.size)]
