"""What a notebook shows of a model: scikit-learn's diagram, and below it the coefficients."""

from __future__ import annotations

import warnings
from html import escape
from typing import Any

import numpy as np

from mcmodels.exceptions import InferenceError
from mcmodels.inference.summary import facts_html, short, table_html

__all__ = ["NotebookHtml"]

_MOST_ROWS = 20
# Parameters whose covariance is formed only to look at a model: it takes some hundredths of a
# second.
_MOST_PARAMETERS = 1000


class NotebookHtml:
    """The HTML of a fitted model: the diagram, status, number of rows, and coefficients.

    scikit-learn's setting ``display`` holds, and what cannot be shown is left out: looking at a
    model never raises, and never warns. Inside a pipeline the diagram stays as it is.
    """

    def _repr_html_inner(self) -> str:
        return super()._repr_html_inner() + self._coefficients_html()  # type: ignore[misc]

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle = super()._repr_mimebundle_(**options)  # type: ignore[misc]
        if "text/html" in bundle:
            bundle["text/html"] += self._coefficients_html()
        return bundle

    def _coefficients_html(self) -> str:
        """HTML below the diagram; empty where there is nothing to show."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return _fit_html(self)
        except Exception:  # whatever a changed or broken model raises
            return ""


def _fit_html(model: Any) -> str:
    """Status, number of rows, and the first rows of the first table of the summary."""
    record = model._record()  # raises before a fit, and where coefficients were changed
    facts = {"status": record.status_text, "rows": str(record.seen.n_rows)}
    return f'<div style="margin-top: 0.5em">{facts_html(facts)}{_table_html(model)}</div>'


def _table_html(model: Any) -> str:
    if not hasattr(model, "summary"):
        return ""
    size = np.size(model.components_ if hasattr(model, "components_") else model.params_)
    if size > _MOST_PARAMETERS:
        return f"<p>{size} parameters: summary()</p>"
    try:
        tables = model.summary().tables
    except InferenceError as error:
        return f"<p>No standard errors: {escape(str(error))}</p>"
    heading, table = next(iter(tables.items()))
    parts = [f"<p>{escape(short(heading))}</p>" if heading != "" else ""]
    parts.append(table_html(table.iloc[:_MOST_ROWS].rename(index=short)))
    rows, others = len(table) - _MOST_ROWS, len(tables) - 1
    left_out = [
        f"{count} more {what}{'s' * (count > 1)}"
        for count, what in ((rows, "row"), (others, "table"))
        if count > 0
    ]
    parts.append(f"<p>{' and '.join(left_out)}: summary()</p>" if left_out else "")
    return "".join(parts)
