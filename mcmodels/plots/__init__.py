"""Pictures of fitted models, by scikit-learn's convention of displays; needs matplotlib.

A display is made by ``from_estimator`` or ``from_results``, which draw it, or from numbers that
were computed. ``figure_`` and ``axes_`` are those of matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from mcmodels.plots.biplot import BiplotDisplay
    from mcmodels.plots.calibration import CalibrationDisplay
    from mcmodels.plots.coefficients import CoefficientDisplay
    from mcmodels.plots.curvature import CurvatureDisplay
    from mcmodels.plots.effects import EffectDisplay
    from mcmodels.plots.influence import InfluenceDisplay
    from mcmodels.plots.penalty_curve import PenaltyCurveDisplay
    from mcmodels.plots.profile import ProfileDisplay
    from mcmodels.plots.residuals import ResidualsDisplay
    from mcmodels.plots.scree import ScreeDisplay
    from mcmodels.plots.separation import SeparationDisplay

__all__ = [
    "BiplotDisplay",
    "CalibrationDisplay",
    "CoefficientDisplay",
    "CurvatureDisplay",
    "EffectDisplay",
    "InfluenceDisplay",
    "PenaltyCurveDisplay",
    "ProfileDisplay",
    "ResidualsDisplay",
    "ScreeDisplay",
    "SeparationDisplay",
]

_MODULES = {
    "BiplotDisplay": "biplot",
    "CalibrationDisplay": "calibration",
    "CoefficientDisplay": "coefficients",
    "CurvatureDisplay": "curvature",
    "EffectDisplay": "effects",
    "InfluenceDisplay": "influence",
    "PenaltyCurveDisplay": "penalty_curve",
    "ProfileDisplay": "profile",
    "ResidualsDisplay": "residuals",
    "ScreeDisplay": "scree",
    "SeparationDisplay": "separation",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
