"""``--formula``: which columns it reads, and its target."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import pandas as pd

from mcmodels.formulas.language import parsed, sides, without_dot
from mcmodels.formulas.response import Response

__all__ = ["FormulaOption", "formula_named"]


@dataclass(frozen=True)
class FormulaOption:
    """A formula of the command line, read for the columns of a file.

    Parameters
    ----------
    left : str or None
        The text of the target; None for components.
    right : str
        The text of the columns of the design.
    columns : tuple of str
        The columns that are read.
    factors : tuple of str
        Those that the formula calls levels, as in ``C(zip)``.
    """

    left: str | None
    right: str
    columns: tuple[str, ...]
    factors: tuple[str, ...]

    @classmethod
    def of(cls, options: argparse.Namespace, known: Sequence[str], taken: Sequence[str]) -> Self:
        """The formula of the options; ``taken`` are columns of weights and offsets."""
        left, right = sides(options.formula)
        if options.model == "pca" and left is not None:
            raise ValueError(f"components have no target; leave {left!r} and ~ out")
        if options.model != "pca" and left is None:
            raise ValueError(f"there is no target; write 'target ~ {right or 'x'}'")
        target = parsed(f"0 + {left}", known) if left is not None else None
        read = target.columns if target is not None else ()
        right = without_dot(right, [name for name in known if name not in {*read, *taken}])
        found = parsed(right, known)
        if getattr(options, "fit_intercept", True) is False and found.has_intercept:
            raise ValueError("write '0 + …' on its right side in place of --no-intercept")
        factors = dict.fromkeys(found.names[name] for name in sorted(found.factors))
        columns = tuple(dict.fromkeys([*read, *found.columns]))
        return cls(left, right, columns, tuple(factors))

    def target(self, frame: pd.DataFrame, *, labels: bool) -> Response | None:
        """The left side, learnt of rows without missing values."""
        if self.left is None:
            return None
        return Response.learnt(self.left, frame, labels=labels)


@contextmanager
def formula_named() -> Iterator[None]:
    """Say in errors that they are about the formula."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise ValueError(f"--formula: {error}") from error
