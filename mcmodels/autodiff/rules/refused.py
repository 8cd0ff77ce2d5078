"""Derivatives by arguments that have no closed form: refused, with the name of the argument."""

from __future__ import annotations

from typing import Any, NoReturn

from mcmodels.autodiff.tables import Map
from mcmodels.autodiff.tracing import NoRuleError

__all__ = ["no_closed_form"]


def no_closed_form(function: str, argument: str) -> Map:
    """A map, to stand in a rule, that refuses the derivative by one argument of a function."""

    def refuse(*_: Any) -> NoReturn:
        raise NoRuleError(
            f"{function} has no rule for the derivative by {argument}: it has no closed form. If "
            f"{argument} is fixed, pass constant({argument})."
        )

    return refuse
