"""What a rule of a derivation is, and the error where there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["DerivativeError", "Rule"]


class DerivativeError(ValueError):
    """A derivative that does not exist, or has no closed form here; the message says which."""


def _not_applicable(*_: Any) -> Any:
    raise NotImplementedError("a rule that is only named, as in a step of algebra")


@dataclass(frozen=True, repr=False)
class Rule:
    """A rule of a derivation; printing it shows name, statement and source.

    Attributes
    ----------
    name : str
    statement : str
        The rule as a formula.
    source : str
        Where it is proved.
    apply : callable
        For a rule of differentials: the differential of a node, given a function that takes the
        differential of a part. Left out for a rule that a step only names.
    """

    name: str
    statement: str
    source: str
    apply: Callable[..., Any] = field(default=_not_applicable, compare=False)

    def __str__(self) -> str:
        return f"{self.name}: {self.statement}  [{self.source}]"

    __repr__ = __str__

    def __reduce__(self) -> Any:
        # Without the function, which may be a lambda and cannot be pickled.
        return Rule, (self.name, self.statement, self.source)
