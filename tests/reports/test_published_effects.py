"""Effects as Stata's margins, and R's margins and marginaleffects, print them."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import special
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    fit_formula,
    results,
)
from tests.inference.published import agree, data

SHOWN = ["estimate", "standard_error", "lower", "upper"]
FIVE = [52, 96, 123, 180, 335]  # fivenum(mtcars$hp)


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def fitted(formula, model=None, name="mtcars"):
    table = data(name)
    return table, results(fit_formula(formula, table, model or LinearRegression()))


STATA = {
    "mpg ~ cyl + hp + wt": {
        ("cyl", "slope"): "-.9416166 .5509165 -2.070118 .1868846",
        ("hp", "slope"): "-.0180381 .0118763 -.0423655 .0062893",
        ("wt", "slope"): "-3.166973 .740576 -4.683975 -1.649972",
    },
    "mpg ~ cyl*hp + wt": {
        ("cyl", "slope"): ".0381376 .5998897 -1.192735 1.26901",
        ("hp", "slope"): "-.0463187 .014516 -.076103 -.0165343",
        ("wt", "slope"): "-3.119815 .661322 -4.476736 -1.762894",
    },
    "mpg ~ C(cyl) + hp + wt": {
        ("cyl", "6 - 4"): "-3.359024 1.40167 -6.235014 -.4830353",
        ("cyl", "8 - 4"): "-3.185884 2.170476 -7.639332 1.267564",
        ("hp", "slope"): "-.0231198 .0119522 -.0476437 .0014041",
        ("wt", "slope"): "-3.181404 .7196011 -4.657904 -1.704905",
    },
    "mpg ~ cyl + hp + I(hp**2) + wt": {
        ("cyl", "slope"): "-.3696041 .6163571 -1.634264 .8950561",
        ("hp", "slope"): "-.0429018 .0178353 -.0794969 -.0063066",
        ("wt", "slope"): "-2.873553 .7301251 -4.371646 -1.37546",
    },
    "am ~ cyl + hp + wt": {
        ("cyl", "slope"): ".0214527 .0469746 -.0706157 .1135212",
        ("hp", "slope"): ".0014339 .0006182 .0002224 .0026455",
        ("wt", "slope"): "-.4025475 .1154098 -.6287466 -.1763484",
    },
    "am ~ C(cyl) + hp + wt": {
        ("cyl", "6 - 4"): ".1197978 .1062873 -.0885214 .3281171",
        ("cyl", "8 - 4"): "-.3478575 .2067542 -.7530883 .0573732",
        ("hp", "slope"): ".0033268 .0029852 -.0025241 .0091777",
        ("wt", "slope"): "-.3441297 .1188604 -.5770919 -.1111675",
    },
}


def cars_in_stata():
    """Stata reads numbers in single precision; in double the sixth digits differ."""
    table = data("mtcars")
    table[["mpg", "wt"]] = table[["mpg", "wt"]].astype(np.float32).astype(np.float64)
    return table


@pytest.mark.parametrize("formula", STATA)
def test_stata(formula):
    """``reg`` and ``logit``, then ``margins, dydx(*)``: the vignettes of R's margins 0.3."""
    table = cars_in_stata()
    is_logit = formula.startswith("am")
    model = LogisticRegression(C=np.inf, tol=1e-12) if is_logit else LinearRegression()
    effects = results(fit_formula(formula, table, model)).marginal_effects(table)
    effects.index = [(name, of.replace(" (differences)", "")) for name, of in effects.index]
    assert set(effects.index) == set(STATA[formula])
    for key, printed in STATA[formula].items():
        agree(effects.loc[[key], SHOWN], printed)


def test_a_square_without_its_number():
    """The same vignette: R's margins of I(hp^2) by hp, where Stata has hp2 for itself."""
    table, found = fitted("mpg ~ cyl + I(hp**2) + wt")
    effects = found.marginal_effects(table)
    agree(effects["estimate"], "-1.2192 -0.0082 -3.2186")
    agree(effects["standard_error"], "0.5031 0.0081 0.7571")
    table = cars_in_stata().assign(hp2=table["hp"] ** 2)
    found = results(fit_formula("mpg ~ cyl + hp2 + wt", table, LinearRegression()))
    effects = found.marginal_effects(table, ["cyl", "hp2", "wt"])
    agree(effects["estimate"], "-1.21919 -.000028 -3.218637")
    agree(effects["standard_error"], ".5030753 .0000276 .7570747")


def test_at_values_and_in_groups():
    """R's margins 0.3, vignette "Introduction"."""
    table, found = fitted("mpg ~ cyl + wt + hp*am")
    effects = found.marginal_effects(table, at={"am": [0, 1]})
    for am, hp in ((0, "-0.008945"), (1, "-0.026392")):
        of = effects.xs(am, level="am").droplevel("effect")["estimate"]
        agree(of[["cyl", "wt", "hp"]], f"-0.9339 -2.812 {hp}")
    effects = found.marginal_effects(table, "am", at={"hp": FIVE})
    agree(effects["estimate"], "2.6864 1.9188 1.4477 0.4533 -2.2509")
    curve = make_pipeline(PolynomialFeatures(2, include_bias=False), LinearRegression())
    weights = [1.513, 2.5425, 3.325, 3.65, 5.424]
    X = table[["wt"]]
    effects = results(curve.fit(X, table["mpg"])).marginal_effects(X, at={"wt": weights})
    agree(effects["estimate"], "-9.8366 -7.4254 -5.5926 -4.8314 -0.6764")
    table, found = fitted("mpg ~ C(cyl)*hp + wt")
    effects = found.marginal_effects(table, ["hp", "wt", "cyl"])
    agree(effects["estimate"], "-0.04475 -3.06 1.473 0.8909")
    table, found = fitted("mpg ~ C(cyl)*am + hp + wt")
    effects = found.marginal_effects(table, ["am", "hp", "wt", "cyl"], by="am")
    agree(effects.xs(0, level="am")["estimate"], "1.706 -0.03115 -2.441 -1.715 -1.586")
    agree(effects.xs(1, level="am")["estimate"], "2.167 -0.03115 -2.441 -4.218 -2.656")


def test_three_inputs_that_interact():
    """R's marginaleffects, README of 2021: mpg ~ hp*wt*am, with intervals of the normal.

    Its derivatives of standard errors are differences, good to five digits.
    """
    table, found = fitted("mpg ~ hp*wt*am")
    effects = found.marginal_effects(table, ["am", "hp", "wt"])
    agree(effects["estimate"], "-0.04811 -0.03807 -3.93909")
    agree(effects["standard_error"], "1.85260 0.01279 1.08596")
    rows = found.marginal_effects(table, "hp", at="rows")
    agree(rows.iloc[:4], "-0.03690556 -0.02868936 -0.04657166 -0.04227128")
    # Predictions on a grid, with hp at its mean; their standard errors have no differences.
    grid = table.assign(hp=146.6875)
    means = found.predictions(
        grid[:1], at={"wt": [1.513, 2.5425, 3.325, 3.65, 5.424], "am": [0, 1]}
    )
    agree(
        means["estimate"],
        "23.259500 27.148334 20.504387 21.555612 18.410286 17.304709 17.540532 15.539158 12.793013 "
        "5.901966",
    )
    agree(
        means["standard_error"],
        "2.7059342 2.8518051 1.3244556 1.0723852 0.6151016 1.5528055 0.7293676 2.1453449 2.9784942 "
        "5.8149853",
    )
    agree(
        means["lower"],
        "17.674726 21.262498 17.770845 19.342318 17.140779 14.099876 16.035192 11.111383 6.645703 "
        "-6.099574",
    )
    # At given values: a newer version, with three digits.
    chosen = found.marginal_effects(grid[:1], "am", at={"wt": [2, 4]})
    agree(chosen["estimate"], "2.5465 -2.9661")
    agree(chosen["standard_error"], "2.7860 3.0381")
    groups = found.marginal_effects(table, "am", by="hp")
    groups = groups[["estimate", "standard_error"]].droplevel([1, 2])
    agree(groups.loc[[110, 93, 335, 109]], "-0.640 1.57 1.201 2.35 4.027 3.24 -0.237 1.59")


def test_marginal_means():
    """The same README: mpg ~ am + cyl + hp, am logical."""
    table = data("mtcars").assign(am=lambda of: of["am"] == 1)
    found = results(fit_formula("mpg ~ am + C(cyl) + hp", table, LinearRegression()))
    means = found.marginal_means(table, "am")
    agree(means[["estimate", "standard_error"]], "18.32 0.7854 22.48 0.8343")
    means = found.marginal_means(table, "cyl")
    agree(means[["estimate", "standard_error"]], "22.88 1.3566 18.96 1.0729 19.35 1.3771")


# The figures below are those that R's marginaleffects saves for the tests of its Python version,
# which it is compared with: tests/r/*.csv of pymarginaleffects. Estimates have all digits. Standard
# errors are from Jacobians by forward differences, with errors of up to half a unit of
# the fifth digit.
ERRORS = 5e-5


def test_averages_by_a_column_that_is_not_in_the_model():
    """lm(mpg ~ qsec*wt + factor(cyl)), by carb: predictions, and changes by one."""
    table, found = fitted("mpg ~ qsec*wt + C(cyl)")
    means = found.predictions(table, by="carb")
    agree(
        means["estimate"],
        "25.5107766030298 22.1238713951316 15.8091742827023 15.9602942464661 19.7390920794847 "
        "16.3162924352228",
        units=5,  # of 1e-13: rounding of predictions of 20
    )
    printed = [
        0.75288430575,
        0.63170679067,
        0.84661635252,
        0.64649182317,
        1.25738534751,
        1.153623545,
    ]
    np.testing.assert_allclose(means["standard_error"], printed, rtol=ERRORS)
    effects = found.marginal_effects(table, measure="comparison", by="carb")
    qsec = effects.xs("qsec", level="variable")
    printed = [
        [0.802507092207616, 0.484646869062876],
        [0.584457385081027, 0.392236465625696],
        [0.00119781440871947, 0.627721728628348],
        [-0.0206773439779067, 0.644968530214879],
        [0.638735852949449, 0.406607471642849],
        [0.170818026497535, 0.505557985872803],
    ]
    # Differences of predictions of 20: 1e-15 of them.
    np.testing.assert_allclose(qsec["estimate"], np.array(printed)[:, 0], atol=1e-12)
    np.testing.assert_allclose(qsec["standard_error"], np.array(printed)[:, 1], rtol=ERRORS)
    cyl = effects.loc[(slice(None), "cyl"), :]
    np.testing.assert_allclose(
        cyl["estimate"], 6 * [-2.76413130981813, -4.16318891716703], rtol=1e-11
    )


def test_robust_errors_weights_and_groups():
    """lm(Literacy ~ Pop1831*Desertion) of Guerry: HC3, by Region, means weighted by Donations."""
    table, found = fitted("Literacy ~ Pop1831*Desertion", name="guerry")
    names = ["Desertion", "Pop1831"]
    wanted = {
        None: [0.0690315207379859, 0.0115321521127789],
        "HC3": [0.0657645520711836, 0.015781540487033],
    }
    for kind, errors in wanted.items():
        asked = {} if kind is None else {"kind": kind, "y": table["Literacy"]}
        effects = found.marginal_effects(table, names, measure="comparison", **asked)
        np.testing.assert_allclose(
            effects["estimate"], [0.268463118375401, 0.00536033110050482], rtol=1e-11
        )
        np.testing.assert_allclose(effects["standard_error"], errors, rtol=ERRORS)
    effects = found.marginal_effects(table, names, measure="comparison", by="Region")
    desertion = effects.xs("Desertion", level="variable")
    assert list(desertion.index.get_level_values(0)) == list("CENSW")
    np.testing.assert_allclose(
        desertion["estimate"],
        [
            0.357702981664389,
            0.306210300624969,
            0.0795366252064937,
            0.389690516392015,
            0.209175167989102,
        ],
        rtol=1e-10,
    )
    np.testing.assert_allclose(
        desertion["standard_error"],
        [
            0.0747988667375558,
            0.0692309242947562,
            0.108396228657442,
            0.0808528995882816,
            0.0753576779357821,
        ],
        rtol=ERRORS,
    )
    # The means are weighted, the fit is not.
    means = found.predictions(table, by="Region", sample_weight=table["Donations"])
    np.testing.assert_allclose(
        means["estimate"],
        [32.969480575229, 44.0718608708206, 40.6605580353274, 31.0758197072093, 43.2734860129156],
        rtol=1e-13,
    )
    np.testing.assert_allclose(
        means["standard_error"],
        [2.22180969353534, 2.00055861203985, 2.26011337468196, 2.54510750051061, 2.05722474774514],
        rtol=ERRORS,
    )


@pytest.mark.parametrize(
    ("right", "restrictions", "statistic", "p", "df"),
    [
        ("hp + wt + disp", "hp = 0, wt = 0", 7.72769631208158, 0.00212618448310864, (2, 28)),
        ("hp + wt + disp", "(intercept) = 1, hp = 2, wt = 3", 811073.258088452, 0.0, (3, 28)),
        ("hp + wt + disp", "(intercept) = 4, disp = 4, wt = 4", 8520340.17301277, 0.0, (3, 28)),
        (
            "0 + hp + wt + disp",
            "hp = wt = disp = 0",
            11.1162545397227,
            5.00882326577301e-05,
            (3, 29),
        ),
        ("0 + hp + wt + disp", "hp = 0, wt = 0", 12.8439392466833, 0.000101239587237067, (2, 29)),
    ],
)
def test_joint_hypotheses(right, restrictions, statistic, p, df):
    """hypotheses(mod, joint = ..., hypothesis = ...) of am ~ hp + wt + disp."""
    test = fitted(f"am ~ {right}")[1].wald_test(restrictions)
    # All of the 15 digits but those that the condition of the columns, 1e3, takes.
    np.testing.assert_allclose([test.statistic, test.p_value], [statistic, p], 1e-11, 1e-30)
    assert (test.df, test.df_denominator) == df


def test_slopes_and_elasticities():
    """lm(mpg ~ wt*hp): dY/dX, and eY/eX."""
    table, found = fitted("mpg ~ wt*hp")
    slopes = found.marginal_effects(table, ["hp", "wt"])
    # Of a model that is linear in each input differences have only rounding.
    np.testing.assert_allclose(
        slopes["estimate"], [-0.0305076357995439, -4.13164904073731], rtol=1e-11
    )
    np.testing.assert_allclose(
        slopes["standard_error"], [0.00750298782140432, 0.529566331779939], rtol=ERRORS
    )
    elasticities = found.marginal_effects(table, ["hp", "wt"], measure="elasticity")
    np.testing.assert_allclose(
        elasticities["estimate"], [-0.144728840825501, -0.626372370054312], rtol=1e-11
    )
    np.testing.assert_allclose(
        elasticities["standard_error"], [0.0758080281632227, 0.109237741117164], rtol=ERRORS
    )


def test_counts():
    """glm(carb ~ mpg*qsec + factor(cyl), poisson), by cyl.

    The version that saved them took changes by one from x - ½ to x + ½; newer ones take them from x
    to x + 1, as here. So rows are moved by a half.
    """
    table, found = fitted("carb ~ mpg*qsec + C(cyl)", GeneralizedLinearRegressor("poisson"))
    means = found.predictions(table, by="cyl")
    # glm stops where the deviance changes by 1e-8 of it: six digits of the errors.
    np.testing.assert_allclose(means["estimate"], [17 / 11, 24 / 7, 3.5], rtol=1e-9)
    np.testing.assert_allclose(
        means["standard_error"],
        [0.3748260776, 0.6998533349, 0.4999999112],
        rtol=1e-5,
    )
    printed = {
        "cyl": (0, [0.346242669770493, -0.469901962474624, 0.627541086020484, -0.851665070772313]),
        "mpg": (0.5, [-0.0852888302289916, -0.228675852990758, -0.266863922525347]),
        "qsec": (0.5, [-0.212171678553908, -0.65449055054218, -0.821508272236265]),
    }
    for name, (half, wanted) in printed.items():
        moved = table.assign(**{name: table[name] - half}) if half else table
        effects = found.marginal_effects(moved, name, measure="comparison", by=table["cyl"])
        np.testing.assert_allclose(effects["estimate"][: len(wanted)], wanted, rtol=1e-9)


def test_probabilities():
    """glm(Sepal.Width < median ~ Petal.Length*Petal.Width, binomial) of iris, by Species."""
    table = data("iris")
    table.columns = [name.replace(".", "_") for name in table]
    table["narrow"] = (table["Sepal_Width"] < table["Sepal_Width"].median()).astype(int)
    fit = fit_formula("narrow ~ Petal_Length*Petal_Width", table, LogisticRegression(C=np.inf))
    found = results(fit)
    means = found.predictions(table, by="Species")
    # glm stops where the deviance changes by 1e-8 of it.
    np.testing.assert_allclose(
        means["estimate"], [0.058516267060629, 0.710670261242511, 0.370813471811869], rtol=1e-8
    )
    np.testing.assert_allclose(
        means["standard_error"],
        [0.0322588526752713, 0.0574860536368188, 0.0568893448039478],
        rtol=ERRORS,
    )
    printed = {
        "Petal_Length": [
            [0.12665409022896, 0.0573867579331511],
            [0.142001904765239, 0.0894217981499414],
            [-0.0232367756922176, 0.0997021674963737],
        ],
        "Petal_Width": [
            [0.0963478628019696, 0.0815404386504339],
            [-0.368671592138209, 0.173028564493804],
            [-0.603813738137152, 0.104743443370577],
        ],
    }
    for name, wanted in printed.items():
        moved = table.assign(**{name: table[name] - 0.5})
        effects = found.marginal_effects(moved, name, measure="comparison", by="Species")
        np.testing.assert_allclose(effects["estimate"], np.array(wanted)[:, 0], rtol=1e-8)
        np.testing.assert_allclose(effects["standard_error"], np.array(wanted)[:, 1], rtol=ERRORS)


def test_several_classes():
    """multinom(island ~ bill_length_mm + flipper_length_mm) of penguins, by species.

    nnet's multinom stops at 1e-8 of the deviance: probabilities are good to 1e-4. Intercepts are
    far from the data, so that forward differences of R's errors by species are wrong by up to a
    half; ours are compared with central ones of the predictions and statsmodels' covariance.
    """
    table = data("penguins")
    formula = "island ~ bill_length_mm + flipper_length_mm"
    found = results(fit_formula(formula, table, LogisticRegression(C=np.inf)))
    means = found.predictions(table)
    # At the maximum these are the shares of the islands, from which multinom's differ by 1e-5.
    np.testing.assert_allclose(means["estimate"], np.array([167, 124, 51]) / 342, rtol=1e-8)
    np.testing.assert_allclose(
        means["estimate"], [0.48830124527737, 0.362583254892688, 0.149115499829942], atol=2e-5
    )
    np.testing.assert_allclose(
        means["standard_error"],
        [0.0202329119962108, 0.0206813347457146, 0.017472692529923],
        atol=1e-5,
    )
    by = found.predictions(table, by="species")
    np.testing.assert_allclose(
        by.xs("Adelie", level="species")["estimate"],
        [0.305056391121413, 0.4034933006663, 0.291450308212287],
        atol=1e-4,
    )
    moved = table.assign(bill_length_mm=table["bill_length_mm"] - 0.5)
    effects = found.marginal_effects(moved, "bill_length_mm", measure="comparison", by="species")
    np.testing.assert_allclose(
        effects.xs("Adelie", level="species")["estimate"],
        [-0.0185326413250287, 0.0586659779285743, -0.0401333366035456],
        atol=1e-4,
    )
    for species in ("Adelie", "Chinstrap", "Gentoo"):
        rows = np.flatnonzero(table["species"] == species)
        wanted = errors_of_shares(table.iloc[:, 2:], table["island"], rows)
        np.testing.assert_allclose(
            by.xs(species, level="species")["standard_error"], wanted, rtol=1e-6
        )


def errors_of_shares(X, y, rows):
    """Standard errors of average probabilities of some rows: statsmodels, central differences.

    The steps are 1e-5 of an error of each parameter: 1e-10 is left of rounding, 1e-10 of the third
    derivative.
    """
    design = sm.add_constant(X).to_numpy(float)
    # In units of its columns, where Newton's method of statsmodels ends.
    design[:, 1:] = (design[:, 1:] - design[:, 1:].mean(0)) / design[:, 1:].std(0)
    fit = sm.MNLogit(pd.Categorical(y).codes, design).fit(disp=0, tol=1e-12)
    covariance, params = fit.cov_params(), fit.params.T.ravel()

    def shares(params):
        eta = design[rows] @ np.vstack([np.zeros(3), params.reshape(2, 3)]).T
        return special.softmax(eta, axis=1).mean(axis=0)

    steps = 1e-5 * np.diag(np.sqrt(np.diag(covariance)))
    J = [(shares(params + h) - shares(params - h)) / (2 * h.sum()) for h in steps]
    return np.sqrt(np.einsum("ij,ik,kj->j", J, covariance, J))
