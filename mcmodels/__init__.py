"""mcmodels: estimators that hand you the exact gradient and Hessian of what they minimised."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # true for type checkers; importing `typing` would double the time
if TYPE_CHECKING:
    from typing import Any

    from mcmodels.derivative_checks import check_gradient, check_hessian
    from mcmodels.firth import FirthLogisticRegression
    from mcmodels.formula import Formula
    from mcmodels.formula_fit import FormulaFit, fit_formula
    from mcmodels.glm import GeneralizedLinearRegressor
    from mcmodels.linear import LinearRegression
    from mcmodels.logistic import LogisticRegression
    from mcmodels.mlp import MLPClassifier, MLPRegressor
    from mcmodels.objective_models import ObjectiveClassifier, ObjectiveRegressor
    from mcmodels.pca import PCA
    from mcmodels.quantile import QuantileRegressor
    from mcmodels.reports.comparison import likelihood_ratio_test
    from mcmodels.reports.nested import anova
    from mcmodels.reports.results import Results, results
    from mcmodels.reports.side_by_side import Comparison, compare
    from mcmodels.reports.summarize import summarize
    from mcmodels.reports.tidy import glance, tidy
    from mcmodels.resampling.attribution import Attribution, attribution
    from mcmodels.resampling.bootstrap import bootstrap
    from mcmodels.resampling.bootstrap_result import Bootstrap
    from mcmodels.resampling.fit_functions import loss_on, prediction_at
    from mcmodels.resampling.leave_one_out import LeaveOneOut, leave_one_out
    from mcmodels.resampling.most_influential import InfluentialRows, most_influential
    from mcmodels.rows import RowStream
    from mcmodels.rule_checks import RuleCheck, check_rule
    from mcmodels.tables import scan

__all__ = [
    "PCA",
    "Attribution",
    "Bootstrap",
    "Comparison",
    "FirthLogisticRegression",
    "Formula",
    "FormulaFit",
    "GeneralizedLinearRegressor",
    "InfluentialRows",
    "LeaveOneOut",
    "LinearRegression",
    "LogisticRegression",
    "MLPClassifier",
    "MLPRegressor",
    "ObjectiveClassifier",
    "ObjectiveRegressor",
    "QuantileRegressor",
    "Results",
    "RowStream",
    "RuleCheck",
    "anova",
    "attribution",
    "bootstrap",
    "check_gradient",
    "check_hessian",
    "check_rule",
    "compare",
    "fit_formula",
    "glance",
    "leave_one_out",
    "likelihood_ratio_test",
    "loss_on",
    "most_influential",
    "prediction_at",
    "results",
    "scan",
    "summarize",
    "tidy",
]
__version__ = "0.1.0"

# A name is imported when it is first asked for, so that nobody loads what they do not use. The same
# holds for modules: ``mcmodels.calculus`` works after ``import mcmodels``.
_MODULES = {
    "PCA": "pca",
    "Attribution": "resampling.attribution",
    "Bootstrap": "resampling.bootstrap_result",
    "Comparison": "reports.side_by_side",
    "FirthLogisticRegression": "firth",
    "Formula": "formula",
    "FormulaFit": "formula_fit",
    "GeneralizedLinearRegressor": "glm",
    "InfluentialRows": "resampling.most_influential",
    "LeaveOneOut": "resampling.leave_one_out",
    "LinearRegression": "linear",
    "LogisticRegression": "logistic",
    "MLPClassifier": "mlp",
    "MLPRegressor": "mlp",
    "ObjectiveClassifier": "objective_models",
    "ObjectiveRegressor": "objective_models",
    "QuantileRegressor": "quantile",
    "Results": "reports.results",
    "RowStream": "rows",
    "RuleCheck": "rule_checks",
    "anova": "reports.nested",
    "attribution": "resampling.attribution",
    "bootstrap": "resampling.bootstrap",
    "check_gradient": "derivative_checks",
    "check_hessian": "derivative_checks",
    "check_rule": "rule_checks",
    "compare": "reports.side_by_side",
    "fit_formula": "formula_fit",
    "glance": "reports.tidy",
    "leave_one_out": "resampling.leave_one_out",
    "likelihood_ratio_test": "reports.comparison",
    "loss_on": "resampling.fit_functions",
    "most_influential": "resampling.most_influential",
    "prediction_at": "resampling.fit_functions",
    "results": "reports.results",
    "scan": "tables",
    "summarize": "reports.summarize",
    "tidy": "reports.tidy",
}

if not TYPE_CHECKING:  # with it, a type checker would accept every name

    def __getattr__(name: str) -> Any:
        if name in _MODULES:
            globals()[name] = found = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
            return found
        missing = AttributeError(f"module {__name__!r} has no attribute {name!r}")
        if name.startswith("_"):
            raise missing
        try:
            return import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as error:
            if error.name == f"{__name__}.{name}":
                raise missing from None
            raise


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
