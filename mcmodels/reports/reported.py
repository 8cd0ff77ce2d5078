"""What tables for publication are made of: a model's estimates, with the names of its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mcmodels.inference.estimate import Estimate
from mcmodels.records.linear import LinearFit
from mcmodels.records.logistic import LogisticFit
from mcmodels.records.record import ParameterFit
from mcmodels.reports.results import Results, results

__all__ = ["Reported", "recorded"]


@dataclass(frozen=True)
class Reported:
    """The estimates of a model as summaries report them.

    Parameters
    ----------
    model : estimator
        The model at the end of the pipeline.
    record : ParameterFit
        The record of its fit.
    whole : Estimate
        All parameters, with the covariance in use.
    estimate : Estimate
        What is reported: with more than two classes, differences from the class of reference.
    reference : label, default=None
        That class; None for the first.
    """

    model: Any
    record: ParameterFit
    whole: Estimate
    estimate: Estimate
    reference: object = None

    @classmethod
    def of(
        cls,
        fitted: Any,
        what: str,
        rows: Mapping[str, Any],
        robust: Mapping[str, Any],
        reference: object = None,
    ) -> Reported:
        """From a model, a pipeline or Results; ``what`` asks for it, for errors.

        ``rows`` are the training rows by the names X, y and sample_weight, or None; ``robust`` are
        options of the covariance.
        """
        found, record = recorded(fitted, what)
        model, route = found.model, found._route
        given = any(value is not None for value in rows.values()) or bool(robust)
        if not given and hasattr(found, "_estimate"):  # the covariance that results have chosen
            whole = found._estimate()
        else:
            again = map(rows.get, ("X", "y", "sample_weight"))
            X, y, weights, options = route.training_rows(*again, **robust)
            whole = model._estimate(X, y, weights, **options)[1]
        record.warn_of_perfect_fit()
        return cls(model, record, whole, record.reported(whole, reference), reference)

    @property
    def shows_tests(self) -> bool:
        """Whether tests mean what they say: of coefficients that no penalty has shrunk."""
        return not getattr(self.record, "is_penalised", False)

    @property
    def outputs(self) -> tuple[str, list[Any]]:
        """What the outputs are, "class" or "target", and their labels; empty if there is one."""
        record = self.record
        if len(self.estimate.names) == len(record.parameter_names):
            return "", []
        if isinstance(record, LogisticFit):
            base = record.position(self.reference)
            return "class", [label for k, label in enumerate(record.classes.tolist()) if k != base]
        assert isinstance(record, LinearFit)
        return "target", list(record.targets)

    @property
    def baseline(self) -> str:
        """The class that the reported ones are compared with; empty if there is none."""
        record = self.record
        if not isinstance(record, LogisticFit):
            return ""
        return str(record.classes[record.position(self.reference)])

    def tables(self, level: float) -> list[pd.DataFrame]:
        """The table of each output, with the names of the parameters."""
        names, whole = list(self.record.parameter_names), self.estimate.table(level)
        P = len(names)
        return [whole.iloc[k : k + P].set_axis(names) for k in range(0, len(whole), P)]


def recorded(fitted: Any, what: str) -> tuple[Results, ParameterFit]:
    """The results of a fitted model, and its record; ``what`` asks for them, for errors.

    Raises
    ------
    TypeError
        If the model has no coefficients.
    InferenceError
        If its coefficients were changed after the fit.
    """
    found = fitted if isinstance(fitted, Results) else results(fitted)
    if not isinstance(getattr(found.model, "_fit", None), ParameterFit):
        raise TypeError(
            f"{what} needs a model with coefficients, and found {type(found.model).__name__}; its "
            "summary() has tables of its own."
        )
    return found, found.model._record()
