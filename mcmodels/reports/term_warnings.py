"""What users should know of tests of terms: terms that add nothing, and tests at a baseline."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from mcmodels.exceptions import BaselineTestWarning, DependentTermWarning
from mcmodels.inference.estimable import EstimableSpace
from mcmodels.inference.sums_of_squares import are_indicators
from mcmodels.records.linear import LinearFit
from mcmodels.reports.terms import Terms
from mcmodels.user_warnings import warn_user

__all__ = ["warn_of_baselines", "warn_of_dependent_terms"]


def warn_of_dependent_terms(
    table: pd.DataFrame, terms: Terms, space: EstimableSpace | None, instead: str = ""
) -> None:
    """Warn of terms without a degree of freedom.

    Parameters
    ----------
    table : DataFrame
        The tests of terms, one a row, with the column df.
    terms : Terms
        All terms of the model.
    space : EstimableSpace or None
        What the data determine.
    instead : str
        The call that tests a term without those that contain it, if this one tests it beside them.
    """
    names = list(table.index[table["df"] == 0])
    if not names:
        return
    contained = [
        name for k, name in enumerate(terms.names) if name in names and terms.containing(k)
    ]
    remedies = [] if space is None else space.remedies
    if contained and instead:
        them = f"the terms that contain {'them' if len(contained) > 1 else 'it'}"
        remedies = [f"call {instead} for {', '.join(contained)}, without {them}", *remedies]
    said = "; ".join(remedies) or "leave out columns"
    warn_user(
        f"{', '.join(names)}: no test (NA), because the columns are linear combinations of those "
        "that they are tested beside, and add nothing (0 degrees of freedom). "
        f"{said[0].upper()}{said[1:]}.",
        DependentTermWarning,
    )


def warn_of_baselines(terms: Terms, record: LinearFit, but: Sequence[str] = ()) -> None:
    """Warn of terms that are tested where indicators of an interacting factor are all zero.

    ``but`` are terms that have no test.
    """
    indicators = are_indicators(record.factored("anova"))
    by_variables = dict(zip(terms.variables, terms.columns, strict=True))
    tested: dict[str, list[str]] = {}
    for k, name in enumerate(terms.names):
        for larger in () if name in but else terms.containing(k):
            others = terms.variables[larger] - terms.variables[k]
            own = [by_variables.get(frozenset([variable]), ()) for variable in others]
            if any(indicators[list(columns)].any() for columns in own if columns):
                tested.setdefault(name, []).append(terms.names[larger])
    if tested:
        name, interactions = next(iter(tested.items()))
        warn_user(
            f"{', '.join(tested)}: with type=3 and the interaction {interactions[0]}, the test of "
            f"{name} is of its effect at the baseline of the other factor, coded by indicators. "
            "Take type=2; or code factors so that their codes sum to zero.",
            BaselineTestWarning,
        )
