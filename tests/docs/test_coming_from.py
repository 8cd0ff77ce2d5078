"""Who comes from another program can type what the tables say, and `beside` compares."""

import importlib.util
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mcmodels

FOLDER = Path(__file__).parents[2] / "docs" / "coming_from"
spec = importlib.util.spec_from_file_location("beside", FOLDER / "beside.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
beside = module.beside


def lines(page, column=-1):
    """What is in backticks in a column of the table "Side by side"."""
    text = (FOLDER / page).read_text().partition("## Side by side")[2].partition("\n## ")[0]
    rows = [re.split(r" \| ", row.strip("| \n")) for row in re.findall(r"^\|.*\|$", text, re.M)]
    found = [code for row in rows[2:] for code in re.findall(r"`([^`]+)`", row[column])]
    assert len(found) > 4
    return [f"results(f){code}" if code.startswith(".") else code for code in found]


@pytest.fixture(scope="module")
def names():
    rng = np.random.default_rng(0)
    t = pd.DataFrame(rng.normal(size=(80, 2)), columns=["x", "z"])
    t["g"] = rng.integers(0, 6, 80)
    t["wt"], t["hp"], t["a"], t["b"], t["mpg"] = rng.normal(size=(5, 80))
    t["cyl"] = t["g"] % 3
    t["y"] = (t["x"] + rng.logistic(size=80) > 0).astype(int)
    t["e"] = rng.uniform(1, 2, 80)
    found = {name: getattr(mcmodels, name) for name in mcmodels.__all__}
    found |= {"np": np, "pd": pd, "sm": sm, "smf": smf, "t": t}
    found |= {"make_pipeline": make_pipeline, "StandardScaler": StandardScaler}
    X, y, g, e = t[["wt", "hp"]], t["y"], t["g"], t["e"]
    found |= {"X": X, "y": y, "g": g, "e": e, "A": sm.add_constant(X)}
    found["m"] = mcmodels.LinearRegression().fit(X, t["mpg"])
    found["new"] = X[:2]
    fit, linear = mcmodels.fit_formula, mcmodels.LinearRegression
    found["linear"] = fit("mpg ~ x + z + a + b + C(g)", t, linear())
    found["logistic"] = fit("y ~ x + z", t, mcmodels.LogisticRegression(C=np.inf))
    found["small"], found["large"] = fit("mpg ~ x", t, linear()), fit("mpg ~ x + z", t, linear())
    found["m1"], found["m2"] = found["small"], found["large"]
    return found


@pytest.mark.parametrize("page", ["r.md", "stata.md"])
def test_what_one_types_here(page, names, tmp_path, monkeypatch):
    names["t"].to_csv(tmp_path / "cars.csv")
    monkeypatch.chdir(tmp_path)
    for line in lines(page):
        line = line.replace("new", "t").replace("[...]", "[0, 1]")
        line = line.replace("PCA()).fit(t)", "PCA()).fit(X)")
        of_classes = any(word in line for word in ("profile", "exponentiate", "reference"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(line, names | {"f": names["logistic" if of_classes else "linear"]})


def test_what_one_types_here_and_in_statsmodels(names):
    classes = mcmodels.LogisticRegression(C=np.inf).fit(names["X"], names["y"])
    numbers, labels = names | {"y": names["t"]["mpg"]}, names
    for line in lines("statsmodels.md"):
        space = labels if re.search("Logistic|poisson", line) else numbers
        m = classes if "reference" in line else names["m"]
        exec(line, space | {"m": m, "f": names["linear"]})
    for line in lines("statsmodels.md", 0):
        of_classes = bool(re.search("Logit|Poisson|margeff", line))
        space = dict(labels if of_classes else numbers)
        space["r"] = (sm.Logit if of_classes else sm.OLS)(space["y"], names["A"]).fit()
        if "anova_lm" in line:
            space["r"] = smf.ols("mpg ~ wt + C(cyl)", names["t"]).fit()
        line = line.replace("get_prediction(new)", "get_prediction(A[:2])")
        exec(f"sm.OLS(y, A).{line}" if line.startswith("fit(") else line, space)


def test_beside_sees_a_difference():
    beside("R", "1.23 -0.5", [1.2345, -0.45], ["a", "b"])
    beside("statsmodels", [1.0, 2.0], pd.Series([1.0, 2.0 + 1e-7], index=["a", "b"]))
    with pytest.raises(AssertionError, match=r"R has \[1.23\], mcmodels \[1.236\]"):
        beside("R", "1.23 -0.5", [1.236, -0.45])
    with pytest.raises(AssertionError, match="statsmodels has"):
        beside("statsmodels", [1.0, 2.0], [1.0, 2.0001])
    with pytest.raises(AssertionError, match="as many numbers"):
        beside("R", "1.0", [1.0, 2.0])
