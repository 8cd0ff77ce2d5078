"""Ratios: exp of coefficients on a logarithmic scale, with their errors and intervals.

With an estimate θ̂ and its standard error s, the ratio ``exp θ̂`` has the standard error
``exp(θ̂) s`` by the delta method (Casella and Berger 2002, *Statistical Inference*, 2nd ed.,
theorem 5.5.24). Its interval is that of θ, with exp of both ends, and its test is that of
``θ = 0``, which is that of a ratio of one: both are as good as those of θ, as Stata's ``or`` and
``irr`` print them (Agresti 2013, *Categorical Data Analysis*, 3rd ed., §3.1.1 and §5.1.1).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from mcmodels.inference.summary import Summary

__all__ = ["exponentiated", "in_ratios"]

_LOG_SCALE = ("coefficient", "lower", "upper")


def exponentiated(table: pd.DataFrame) -> pd.DataFrame:
    """The table of an estimate, with its values as ratios.

    Parameters
    ----------
    table : DataFrame
        Columns of :meth:`mcmodels.inference.estimate.Estimate.table`.

    Returns
    -------
    DataFrame
        The same columns. coefficient, lower and upper are exp of what they were, standard_error is
        by the delta method, and tests are those of the logarithms. What float64 cannot hold is inf.
    """
    ratios = table.copy()
    with np.errstate(over="ignore"):
        for name in table.columns.intersection(_LOG_SCALE):
            ratios[name] = np.exp(table[name])
        if "standard_error" in table:
            ratios["standard_error"] = ratios["coefficient"] * table["standard_error"]
    return ratios


def in_ratios(summary: Summary, ratios: str) -> Summary:
    """A summary whose tables hold ratios; ``ratios`` says which: "odds ratios", …."""
    tables = {
        (ratios[:1].upper() + ratios[1:] if heading == "" else heading): exponentiated(table)
        for heading, table in summary.tables.items()
    }
    note = (
        f"Coefficients are shown as {ratios}: exp of the estimates and of the ends of their "
        "intervals. Standard errors are by the delta method; tests are those of the logarithms. "
        "exp of the intercept is no ratio, but the value where all columns are zero."
    )
    return replace(
        summary,
        tables=tables,
        facts={**summary.facts, "coefficients as": ratios},
        notes=(*summary.notes, note),
    )
