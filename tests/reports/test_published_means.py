"""Marginal means and contrasts as R's emmeans and TukeyHSD print them."""

import warnings

import numpy as np
import pytest
from scipy import stats
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from mcmodels import LinearRegression, LogisticRegression, fit_formula, results
from mcmodels.exceptions import NotEstimableWarning, RankDeficiencyWarning
from tests.inference.published import agree, data
from tests.reports.designs import warpbreaks

SOURCE = "C(source, levels=['fish', 'soy', 'skim'])"
SHOWN = ["estimate", "standard_error", "lower", "upper"]


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def pigs(response, right=f"{SOURCE} + C(percent)"):
    """Leucine in the blood of pigs, by source and percentage of protein; 29 rows, unbalanced."""
    table = data("pigs")
    return table, results(fit_formula(f"{response} ~ {right}", table, LinearRegression()))


def test_means_of_an_unbalanced_experiment():
    """emmeans 2.0.1, vignette "basics": mod4, inverse(conc) ~ source + factor(percent)."""
    table, found = pigs("I(1/conc)")
    means = found.marginal_means(table, "source")
    assert list(means.index) == ["fish", "soy", "skim"]
    # rowMeans of the predictions, printed with all digits.
    agree(means["estimate"], "0.03368899 0.02565870 0.02285677")
    agree(means["standard_error"], "0.000926 0.000945 0.000994")
    agree(means["lower"], "0.0318 0.0237 0.0208")
    agree(means["upper"], "0.0356 0.0276 0.0249")
    agree(means["t"], "36.380 27.141 22.989")
    means = found.marginal_means(table, "percent", level=0.9)
    agree(means["estimate"], "0.03224764 0.02700341 0.02627654 0.02407836")
    agree(means["standard_error"], "0.00103 0.000969 0.00110 0.00134")
    agree(means["lower"], "0.0305 0.0253 0.0244 0.0218")
    agree(means["upper"], "0.0340 0.0287 0.0282 0.0264")
    agree(means["t"], "31.240 27.872 23.802 18.009")


def test_means_of_a_number_at_its_values():
    """The same vignette: mod5 with percent as a number, at the values of the factor."""
    table, found = pigs("I(1/conc)", f"{SOURCE} + percent")
    means = found.marginal_means(table, {"source": None, "percent": [9, 12, 15, 18]})
    # Averages over the four values, which the covariance of the twelve means would give; the model
    # is linear in percent, so that they are the means at 13.5.
    middle = found.marginal_means(table, {"source": None, "percent": [13.5]})
    np.testing.assert_allclose(
        means["estimate"].groupby(level=0, sort=False).mean(), middle["estimate"], rtol=1e-12
    )
    agree(middle["estimate"], "0.0336 0.0255 0.0227")
    agree(middle["standard_error"], "0.000958 0.000971 0.00103")
    agree(middle["lower"], "0.0316 0.0235 0.0206")
    agree(middle["upper"], "0.0355 0.0275 0.0248")


def test_cells_and_their_tests():
    """Vignette "confidence-intervals": predictions by source; pairs; the test of all of them."""
    table, found = pigs("I(1/conc)")
    cells = found.marginal_means(table, ["source", "percent"])
    agree(
        cells["estimate"],
        "0.0385 0.0333 0.0326 0.0304 0.0305 0.0253 0.0245 0.0223 0.0277 0.0225 0.0217 0.0195",
    )
    agree(
        cells["standard_error"],
        "0.00135 0.00125 0.00138 0.00138 0.00126 0.00124 0.00128 0.00162 0.00127 0.00125 0.00139 "
        "0.00163",
    )
    agree(
        cells["lower"],
        "0.0357 0.0307 0.0297 0.0275 0.0279 0.0227 0.0219 0.0190 0.0251 0.0199 0.0189 0.0162",
    )
    pairs = found.contrasts(table, "source")
    assert list(pairs.index) == ["soy - fish", "skim - fish", "skim - soy"]
    agree(-pairs["estimate"], "0.00803 0.01083 0.00280")
    agree(pairs["standard_error"], "0.00134 0.00137 0.00134")
    agree(-pairs["t"], "6.009 7.922 2.092")
    agree(pairs["p_value"].iloc[2], "0.1136")  # the others: below 0.0001
    assert (pairs["p_value"].iloc[:2] < 1e-4).all()
    together = found.wald_test(terms=[SOURCE])
    agree(together.loc[SOURCE, "statistic"], "34.009")
    assert together.loc[SOURCE, "df"] == 2
    assert together.loc[SOURCE, "df_denominator"] == 23


def test_pairs_of_logarithms():
    """Vignettes "comparisons" and "transformations": log(conc)."""
    table, found = pigs("log(conc)")
    means = found.marginal_means(table, "source")
    agree(means["estimate"], "3.39 3.67 3.80")
    agree(means["standard_error"], "0.0367 0.0374 0.0394")
    agree(means["lower"], "3.32 3.59 3.72")
    agree(means["upper"], "3.47 3.74 3.88")
    null = (means["estimate"] - np.log(35)) / means["standard_error"]
    agree(null, "-4.385 2.988 6.130")
    agree(2 * stats.t.sf(abs(null.iloc[:2]), 23), "0.0002 0.0066")
    pairs = found.contrasts(table, "source")
    agree(-pairs["estimate"], "-0.273 -0.402 -0.130")
    agree(pairs["standard_error"], "0.0529 0.0542 0.0530")
    agree(-pairs["t"], "-5.153 -7.428 -2.442")
    agree(pairs["p_value"].iloc[2], "0.0570")


def test_a_square_is_a_square_of_the_mean():
    """Vignette "basics": mcmod1, where disp and its square belong together, and mcmod2."""
    cars = data("mtcars")
    square = fit_formula("mpg ~ C(cyl) + disp + I(disp**2)", cars, LinearRegression())
    means = results(square).marginal_means(cars, "cyl")
    agree(means["estimate"], "19.3 17.2 18.8")
    agree(means["standard_error"], "2.66 1.36 1.47")
    agree(means["lower"], "13.9 14.4 15.7")
    agree(means["upper"], "24.8 20.0 21.8")
    apart = cars.assign(dispsq=cars["disp"] ** 2)
    columns = make_column_transformer(
        (OneHotEncoder(drop="first"), ["cyl"]), ("passthrough", ["disp", "dispsq"])
    )
    pipe = make_pipeline(columns, LinearRegression())
    X = apart[["cyl", "disp", "dispsq"]]
    means = results(pipe.fit(X, apart["mpg"])).marginal_means(X, "cyl")
    agree(means["estimate"], "20.8 18.7 20.2")
    agree(means["standard_error"], "2.05 1.19 1.77")
    agree(means["lower"], "16.6 16.3 16.6")
    agree(means["upper"], "25.0 21.1 23.9")


def test_three_factors():
    """Vignette "interactions": noise/10 ~ size * type * side, balanced."""
    table = data("auto_noise")
    size, kind = "C(size, levels=['S', 'M', 'L'])", "C(type, levels=['Std', 'Octel'])"
    fit = fit_formula(f"I(noise/10) ~ {size} * {kind} * side", table, LinearRegression())
    found = results(fit)
    means = found.marginal_means(table, "size")
    agree(means["estimate"], "82.42 83.38 77.25")
    agree(means["standard_error"], "0.11 0.11 0.11")
    agree(means["lower"], "82.19 83.15 77.02")
    agree(means["upper"], "82.64 83.60 77.48")
    pairs = found.contrasts(table, "size")
    agree(-pairs["estimate"], "-0.958 5.167 6.125")
    agree(pairs["standard_error"], "0.156 0.156 0.156")
    agree(-pairs["t"], "-6.147 33.140 39.287")
    cells = found.marginal_means(table, ["type", "size"])
    agree(cells["estimate"], "82.58 84.58 77.50 82.25 82.17 77.00")
    agree(cells["lower"], "82.26 84.26 77.18 81.93 81.84 76.68")
    within = found.contrasts(table, "size", by="type")
    agree(-within["estimate"], "-2.0000 5.0833 7.0833 0.0833 5.2500 5.1667")
    agree(-within["t"], "-9.071 23.056 32.127 0.378 23.812 23.434")
    agree(within["p_value"].loc[("Octel", "M - S")], "0.9245")
    # anova(noise.lm): sequential, and balanced.
    for order in (1, 2):
        anova = found.anova(type=order)
        agree(anova["sum_of_squares"], "260.514 10.563 0.007 8.042 12.931 0.174 3.014 3.500")
        agree(anova["F"].iloc[:7], "893.1905 72.4286 0.0476 27.5714 44.3333 1.1905 10.3333")
        agree(anova["p_value"].iloc[[2, 5, 6]], "0.8291042 0.2860667 0.0005791")


def nutrition():
    """Gains of mothers by age, food stamps and race: no Hispanics outside of one age group."""
    table = data("nutrition")
    with pytest.warns(RankDeficiencyWarning):
        fit = fit_formula("gain ~ (C(age) + group + race)**2", table, LinearRegression())
    return table, results(fit)


def test_what_empty_cells_do_not_determine():
    """Vignette "messy-data": nonEst, and the means that stand beside them."""
    table, found = nutrition()
    with pytest.warns(NotEstimableWarning, match="Hispanic"):
        means = found.marginal_means(table, ["group", "race"])
    lost = [race == "Hispanic" for _, race in means.index]
    assert means[SHOWN].isna().to_numpy()[lost].all()
    kept = means[~np.array(lost)]
    assert list(kept.index) == [
        (group, race) for group in ("FoodStamps", "NoAid") for race in ("Black", "White")
    ]
    agree(kept["estimate"], "4.71 3.61 -2.19 2.26")
    agree(kept["standard_error"], "2.37 1.16 2.49 2.39")
    agree(kept["lower"], "0.00497 1.31252 -7.13690 -2.48897")
    agree(kept["upper"], "9.41 5.90 2.76 7.00")
    for weights, printed in (("equal", "1.258929 2.932008"), ("proportional", "1.926554 2.522821")):
        with pytest.warns(NotEstimableWarning):
            means = found.marginal_means(table, "race", weights=weights)
        agree(means["estimate"].loc[["Black", "White"]], printed)
    # At age 3 everything is determined.
    means = found.marginal_means(table, {"race": None, "group": None, "age": [3]})
    agree(means["estimate"], "7.50 -3.67 0.00 2.50 5.42 -0.20")
    agree(means["standard_error"], "2.67 2.18 5.34 3.78 0.96 1.19")
    agree(means["lower"], "2.19 -8.00 -10.61 -5.01 3.51 -2.57")
    agree(means["upper"], "12.807 0.666 10.614 10.005 7.326 2.173")


def test_tests_beside_empty_cells():
    """The same vignette: car's Anova, type II, of the model with aliased coefficients."""
    _, found = nutrition()
    table = found.anova(type=2)
    assert table["df"].tolist() == [3, 1, 2, 3, 3, 2, 92]
    agree(table["sum_of_squares"], "82.37 658.13 11.17 91.58 87.30 113.70 2627.47")
    agree(table["F"].iloc[:6], "0.9614 23.0441 0.1956 1.0688 1.0189 1.9906")
    p = table["p_value"]
    agree(p.iloc[[0, 2, 3, 4, 5]], "0.4145 0.8227 0.3663 0.3880 0.1424")
    agree(p.iloc[1], "6.105e-06")


def test_counterfactuals_with_robust_errors():
    """The same vignette: averages over the patients by treatment, with sandwich's vcovHC (HC3)."""
    table = data("neuralgia")
    fit = fit_formula(
        "Pain ~ Sex + Age + Duration + Treatment", table, LogisticRegression(C=np.inf)
    )
    found = results(fit).predictions(table, at={"Treatment": ["A", "B", "P"]}, kind="HC3")
    agree(found["estimate"], "0.283 0.221 0.754")
    agree(found["standard_error"], "0.0792 0.0669 0.104")
    agree(found["lower"], "0.1280 0.0894 0.5500")
    agree(found["upper"], "0.439 0.352 0.958")


def test_tukey_of_warpbreaks():
    """TukeyHSD(aov(breaks ~ wool + tension)), as the tests of R's multcomp print it."""
    table = warpbreaks()
    levels = "C(tension, levels=['L', 'M', 'H'])"
    found = results(fit_formula(f"breaks ~ wool + {levels}", table, LinearRegression()))
    pairs = found.contrasts(table, "tension")
    assert list(pairs.index) == ["M - L", "H - L", "H - M"]
    agree(pairs["estimate"], "-10.000000 -14.722222 -4.722222")
    agree(pairs["lower"], "-19.35342 -24.07564 -14.07564")
    agree(pairs["upper"], "-0.6465793 -5.3688015 4.6311985")
    agree(pairs["p_value"], "0.0336262 0.0011218 0.4474210")
    wool = found.contrasts(table, "wool")
    agree(
        wool[["estimate", "lower", "upper", "p_value"]], "-5.777778 -12.12841 0.5728505 0.0736137"
    )
    # tension alone, as R's documentation prints it.
    found = results(fit_formula(f"breaks ~ {levels}", table, LinearRegression()))
    pairs = found.contrasts(table, "tension")
    agree(pairs["lower"], "-19.55982 -24.28205 -14.28205")
    agree(pairs["upper"], "-0.4401756 -5.1623978 4.8376022")
    agree(pairs["p_value"], "0.0384598 0.0014315 0.4630831")
