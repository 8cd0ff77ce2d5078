"""Correct digits of every least-squares solver on NIST's certified data sets.

``python docs/benchmarks/certified_digits.py`` writes docs/certified_digits.md; with ``--check`` it
measures again and fails when a figure of this package has fallen by more than half a digit.
"""

import argparse
import platform
import re
import sys
import warnings
from datetime import date
from pathlib import Path

import numpy as np
import scipy
import sklearn
import sklearn.linear_model
import statsmodels
import statsmodels.api as sm

import mcmodels
from mcmodels import LinearRegression

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "certified_digits.md"
sys.path.insert(0, str(ROOT))

from tests import certified  # noqa: E402
from tests.numerics import correct_digits  # noqa: E402

OURS = ("normal", "pinv", "auto")
HEADER = """# Correct digits on the certified data sets

Least number of correct significant digits of any parameter,
`-log10 |estimate - certified| / |certified|`, against NIST's values rederived to 30 digits (17
stands for equal as float64). *Limit* is what the exact solution for the data rounded to float64
has: no float64 program can do better except by luck. The last column is `auto` against that exact
solution. The data and their answers are in [datasets/](../datasets/README.md).

`normal` is Cholesky of the scaled normal equations and loses the square of the condition; `pinv` is
a plain orthogonal factorisation (on Wampler4 and 5, whose residuals are large, it is behind the
bidiagonalisation that scikit-learn calls); `auto` corrects either from the rows, in twice the
working precision where the condition calls for it. scikit-learn judges the rank on raw columns:
with its default `tol` it drops directions that these data need.

"""
ERRORS = """
## Standard errors

The same for the standard errors that come with the fit. Wampler1 and Wampler2, whose residuals are
zero, have none.

"""
EXACT = ("wampler1", "wampler2")


def digits(params: np.ndarray, reference: np.ndarray) -> float:
    """Least correct digits over the parameters, never below zero."""
    pairs = zip(params, reference, strict=True)
    return max(0.0, min(correct_digits(value, exact) for value, exact in pairs))


def measure(name: str) -> dict[str, float | str]:
    """One row of the table."""
    about = certified.answers(name)
    X, y = certified.linear_data(name)
    reference = certified.linear_params(name, "rederived")
    rounded = certified.linear_params(name, "float64_inputs")
    intercept = about["fit_intercept"]
    row: dict[str, float | str] = {"data set": about["name"]}

    def params_of(model: object) -> np.ndarray:
        fitted = model.fit(X, y)
        return np.append(fitted.coef_, fitted.intercept_) if intercept else fitted.coef_

    for solver in OURS:
        model = LinearRegression(solver=solver, fit_intercept=intercept)
        row[solver] = digits(params_of(model), reference)
    row["factor behind auto"] = model.solver_
    theirs = sklearn.linear_model.LinearRegression
    row["scikit-learn tol=0"] = digits(params_of(theirs(fit_intercept=intercept, tol=0)), reference)
    row["scikit-learn default"] = digits(params_of(theirs(fit_intercept=intercept)), reference)
    row["limit"] = digits(rounded, reference)
    row["auto, data as float64"] = digits(
        params_of(LinearRegression(fit_intercept=intercept)), rounded
    )
    return row


def measure_errors(name: str) -> dict[str, float | str]:
    """One row of the table of standard errors."""
    about = certified.answers(name)
    X, y = certified.linear_data(name)
    intercept = about["fit_intercept"]
    reference = np.array([float(v) for v in about["rederived"]["standard_errors"].values()])
    rows = sm.add_constant(X) if intercept else X
    errors = LinearRegression(fit_intercept=intercept).fit(X, y).standard_errors_
    row: dict[str, float | str] = {"data set": about["name"]}
    row["auto"] = digits(np.roll(errors, 1) if intercept else errors, reference)
    for method in ("pinv", "qr"):
        row[f"statsmodels {method}"] = digits(sm.OLS(y, rows).fit(method=method).bse, reference)
    return row


def table(rows: list[dict[str, float | str]]) -> str:
    """Rows as Markdown."""
    columns = list(rows[0])
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for row in rows:
        cells = [f"{v:.1f}" if isinstance(v, float) else str(v) for v in row.values()]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def page(rows: list[dict[str, float | str]], errors: list[dict[str, float | str]]) -> str:
    """The tables, with what they were measured on."""
    machine = f"Python {platform.python_version()}; {platform.system()}, {platform.machine()}"
    versions = (
        f"mcmodels {mcmodels.__version__}, NumPy {np.__version__}, SciPy {scipy.__version__}, "
        f"scikit-learn {sklearn.__version__}, statsmodels {statsmodels.__version__}"
    )
    made = f"Made by `docs/benchmarks/certified_digits.py` on {date.today()}:"
    tables = HEADER + table(rows) + ERRORS + table(errors)
    return f"{tables}\n{made}\n{versions},\n{machine}.\n"


def fallen(rows: list[dict[str, float | str]], text: str, ours: tuple[str, ...]) -> list[str]:
    """Figures that are more than half a digit below those of the page."""
    found = []
    for row in rows:
        line = re.search(rf"^\| {row['data set']} \|(.*)\|$", text, re.M)
        cells = [cell.strip() for cell in line.group(1).split("|")]
        for solver, cell in zip(ours, cells, strict=False):
            if float(row[solver]) < float(cell) - 0.5:
                found.append(f"{row['data set']}, {solver}: {row[solver]:.1f}, was {cell}")
    return found


def main() -> int:
    """Measure, then write the page or compare with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the page")
    check = parser.parse_args().check
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = [measure(name) for name in certified.NIST]
        errors = [measure_errors(name) for name in certified.NIST if name not in EXACT]
    if not check:
        PAGE.write_text(page(rows, errors))
        return 0
    first, second = PAGE.read_text().split(ERRORS)
    problems = fallen(rows, first, OURS) + fallen(errors, second, ("auto",))
    print("\n".join(problems) or "all figures stand")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
