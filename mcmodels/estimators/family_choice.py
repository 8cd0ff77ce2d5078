"""Family and link of a generalized linear model, by their names."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.arrays import Array
from mcmodels.estimators.arguments import check_choice, check_number
from mcmodels.inference.weighting import Weighting
from mcmodels.objectives.families import Binomial, Family, NegativeBinomial, PowerFamily
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.links import LINKS
from mcmodels.rows import RowBlock, Rows

__all__ = ["ESTIMATE", "FAMILIES", "check_dispersion", "chosen_loss", "refuse_wrong_targets"]

# What theta is where it is found by maximum likelihood.
ESTIMATE = "estimate"
# A product of a proportion and its trials is a whole number up to rounding.
_COUNT_ROUNDING = 1e-9
_POWERS = {"normal": 0.0, "poisson": 1.0, "gamma": 2.0, "inverse_gaussian": 3.0}
POISSON = PowerFamily("poisson", _POWERS["poisson"])
FAMILIES = (*_POWERS, "binomial", "tweedie", "negative_binomial")
_OTHER_NAMES = {"gaussian": "normal", "bernoulli": "binomial", "nb": "negative_binomial"}


def chosen_loss(family: Any, link: Any, power: Any, theta: Any) -> FamilyLoss:
    """The loss of a family and a link.

    Raises
    ------
    ValueError
        For names that are not known, or a power or theta out of its range.
    """
    found = _family(family, power, theta)
    check_choice("link", link, ("auto", *LINKS))
    return FamilyLoss(found, LINKS[found.link if link == "auto" else link])


def _family(family: Any, power: Any, theta: Any) -> Family:
    # Glum writes "inverse.gaussian".
    name = family.replace(".", "_") if isinstance(family, str) else family
    check_choice("family", name, FAMILIES, _OTHER_NAMES)
    if name in _POWERS:
        return PowerFamily(name, _POWERS[name])
    if name == "binomial":
        return Binomial()
    if name == "tweedie":
        check_number("power", power)
        if not np.isfinite(power) or 0 < power < 1:
            raise ValueError(
                f"power={power!r} must be at most 0 or at least 1: between them there is no "
                "distribution with such variances."
            )
        return PowerFamily(name, float(power))
    if isinstance(theta, str):
        check_choice("theta", theta, (ESTIMATE,))
        return NegativeBinomial(1.0)  # until it is known
    check_number("theta", theta, above=0)
    if not np.isfinite(theta):
        raise ValueError(f"theta={theta!r} must be finite.")
    return NegativeBinomial(float(theta))


def refuse_other_counts(rows: Rows) -> None:
    """Refuse targets that are no whole numbers."""

    def first(block: RowBlock) -> list[float]:
        wrong = block.y != np.rint(block.y)
        return [float(block.y[wrong.argmax()])] if wrong.any() else []

    found = rows.reduce(first)
    if found:
        raise ValueError(
            f"theta='estimate' needs counts, and y has {found[0]:g}. Give theta a number, or round."
        )


def refuse_wrong_targets(
    family: Family,
    y: Array,
    weights: Array | None,
    dispersion: Any,
    weighting: Weighting,
    place: str = "",
) -> None:
    """Refuse targets that the family cannot have, in rows of positive weight.

    Proportions need whole numbers of trials and of successes, unless a dispersion is estimated:
    then they are fitted by quasi-likelihood.
    """
    wrong, needed = family.wrong_targets(y)
    if weights is not None:
        wrong = wrong & (weights > 0)
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(
            f"y must be {needed} with family={family.name!r}; found {y[row]:g} in row {row}"
            f"{place}. Remove such rows, or choose another family."
        )
    if isinstance(family, Binomial) and isinstance(dispersion, str) and dispersion != "auto":
        _refuse_counted_trials(y, weights, dispersion, weighting)
    if isinstance(family, Binomial) and dispersion in ("auto", 1):
        sampled = weighting is Weighting.PROBABILITY  # their weights are no trials
        trials = np.ones(len(y)) if weights is None or sampled else weights
        parts = np.abs([trials - np.rint(trials), trials * y - np.rint(trials * y)])
        wrong = (y > 0) & (y < 1) & (parts > _COUNT_ROUNDING * np.maximum(trials, 1.0)).any(axis=0)
        if wrong.any():
            row = int(wrong.argmax())
            raise ValueError(
                f"y is {y[row]:g} in row {row}{place}, with the weight {trials[row]:g}: binomial "
                "proportions need their numbers of trials as sample_weight, whole numbers of "
                "which y is the share of successes. Pass these; or dispersion='pearson' for "
                "proportions without trials."
            )


def _refuse_counted_trials(
    y: Array, weights: Array | None, dispersion: str, weighting: Weighting
) -> None:
    """Refuse trials as counts of rows: then φ is that of so many rows that are all alike.

    Fractions that are no proportions of counts may be there as often as their weights say.
    """
    if weights is None or weighting is not Weighting.FREQUENCY:
        return
    parts = np.abs([weights - np.rint(weights), weights * y - np.rint(weights * y)])
    whole = (parts <= _COUNT_ROUNDING * np.maximum(weights, 1.0)).all()
    if whole and ((weights > 1) & (y > 0) & (y < 1)).any():
        raise ValueError(
            f"dispersion={dispersion!r} was given with proportions whose weights are their trials, "
            "and weights='frequency' would count each trial as a row with that proportion. Pass "
            "weights='precision': the dispersion is then that of the proportions, as in R's "
            "quasibinomial."
        )


def check_dispersion(dispersion: Any) -> None:
    """Refuse a dispersion that is neither a way to estimate it nor a positive number."""
    if isinstance(dispersion, str):
        check_choice("dispersion", dispersion, ("auto", "pearson", "deviance"))
        return
    check_number("dispersion", dispersion, above=0)
    if not np.isfinite(dispersion):
        raise ValueError(f"dispersion={dispersion!r} must be finite.")
