"""Data and formulas for tests: correlated, skewed and far from zero, with awkward names."""

import numpy as np
import pandas as pd

__all__ = ["FORMULAS", "spline_with_an_empty_cell", "table"]


def table(n=240, seed=0):
    """Numbers, levels as text, as numbers and as categories, and logical values."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "x": x,
            "z": 0.95 * x + 0.1 * rng.normal(size=n),
            "year": 2000.0 + rng.integers(0, 20, n),
            "income": np.exp(rng.normal(10, 1, n)),
            "k": rng.integers(1, 4, n),
            "sex": rng.choice(["female", "male"], n),
            "region": rng.choice(["north", "east", "south", "west"], n),
            "size": pd.Categorical(
                rng.choice(["small", "mid", "large"], n), ["small", "mid", "large"]
            ),
            "flag": rng.random(n) < 0.4,
            "odd name": rng.random(n) + 1,
        }
    )
    signal = x - 0.5 * (frame["sex"] == "male") + 0.3 * frame["k"] + rng.normal(size=n)
    frame["y"] = signal
    frame["counts"] = rng.poisson(np.exp(0.3 * signal.clip(-3, 3)))
    frame["died"] = (signal > 0.3).astype(int)
    return frame


# Right sides that patsy reads in the same way.
FORMULAS = [
    "x + z",
    "x*z",
    "x + I(x**2) + I(x**3)",
    "sex",
    "C(k)",
    "k + C(k)",
    "region*sex",
    "region:sex",
    "x:region",
    "x*region",
    "size",
    "C(size, Treatment('mid'))",
    "C(region, Treatment('south')) + x",
    "C(region, Sum)",
    "C(region, Sum)*x",
    "C(region, Helmert)",
    "C(size, Poly)",
    "C(region, Diff)",
    "flag",
    "flag*x",
    "0 + region",
    "0 + x + region",
    "region + sex - 1",
    "0 + region:x",
    "(x + sex + region)**2",
    "x/region",
    "np.log(income) + np.sqrt(income)",
    "np.log(income)*sex",
    "bs(x, df=4)",
    "bs(x, df=5, degree=2)",
    "bs(year, knots=[2005, 2012])",
    "bs(x, df=4)*sex",
    "cr(x, df=4, constraints='center')",
    "cr(year, df=3, constraints='center') + sex",
    "cc(x, df=4, constraints='center')",
    "center(year) + standardize(income)",
    "Q('odd name') + x",
    "Q('odd name')*sex",
    "C(k, Treatment(2))*size",
    "sex*size*x",
    "I(flag*x) + I(x*(1 - x))",
    "I(flag & (x > 0)) + flag",
    "np.where(flag, x, income)",
    "(flag + x)**2",
]


def spline_with_an_empty_cell():
    """Rows of level b with x = 0.5 have y = 0: there the columns of a B-spline of x are zero.

    At its knots and beyond they add up to one, but for rounding.
    """
    rng = np.random.default_rng(2)
    x = rng.choice([0.5, 2.5, 4, 7, 10, 15, 23], 200)
    data = pd.DataFrame({"x": x, "g": rng.choice(["a", "b"], 200), "y": rng.integers(0, 2, 200)})
    data.loc[(data["g"] == "b") & (data["x"] == 0.5), "y"] = 0
    return data
