"""Inference as users ask for it: a fit with its summary, and the influence of every row."""

from collections.abc import Callable
from typing import Any

import statsmodels.api as sm
from problems import Problem

from mcmodels import LinearRegression, LogisticRegression

Run = Callable[[], Any]


def summaries(task: str, data: Problem) -> dict[str, Run]:
    """Fit and printed coefficient table, ours and statsmodels'; its column of ones is a cost."""

    def ours() -> str:
        if task == "linear":
            return str(LinearRegression().fit(data.X, data.y).summary())
        made = LogisticRegression(C=float("inf")).fit(data.X, data.labels)
        return str(made.summary())

    def theirs() -> str:
        rows = sm.add_constant(data.X, has_constant="add")
        if task == "linear":
            return str(sm.OLS(data.y, rows).fit().summary())
        return str(sm.Logit(data.labels, rows).fit(method="newton", disp=0).summary())

    return {"mcmodels": ours, "statsmodels": theirs}


def influences(data: Problem) -> dict[str, Run]:
    """Leverage, residuals, Cook's distance, DFFITS and DFBETAS of every row of a fit."""
    model = LinearRegression().fit(data.X, data.y)
    fitted = sm.OLS(data.y, sm.add_constant(data.X, has_constant="add")).fit()
    return {
        "mcmodels": lambda: model.influence(data.X, data.y),
        "statsmodels": lambda: fitted.get_influence().summary_frame(),
    }
