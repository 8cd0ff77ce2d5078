"""Draw the picture of the front page: ``python -m docs.make_front_picture``.

Left the objective of a logistic fit, by its two parameters, with its gradient, its minimum and what
the Hessian there says: the ellipse of 95 % confidence. Right what follows for the predictions.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy import stats

from mcmodels import LogisticRegression

DOCS = Path(__file__).resolve().parent
PICTURE = DOCS / "front.png"
BLUE, ORANGE, GREY = "#2166ac", "#d95f02", "#666666"


def data():
    """Gearboxes of 32 cars, manual or not, and their weights less the mean, in 1000 lb."""
    cars = pd.read_csv(DOCS.parent / "datasets" / "mtcars.csv")
    return cars[["wt"]] - cars["wt"].mean(), cars["am"], cars["wt"].mean()


def ellipse(centre, covariance, level=0.95):
    """Points on the ellipse of a covariance around a centre."""
    reach = np.sqrt(stats.chi2.ppf(level, 2))
    angle = np.linspace(0, 2 * np.pi, 200)
    circle = np.array([np.cos(angle), np.sin(angle)])
    return centre[:, np.newaxis] + reach * np.linalg.cholesky(covariance) @ circle


def draw() -> Figure:
    """The picture."""
    X, y, middle = data()
    model = LogisticRegression(C=np.inf).fit(X, y)
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    draw_objective(left, model, X, y)
    draw_curve(right, model, X, y, middle)
    return figure


def draw_objective(axes, model, X, y):
    """Contours, minus gradients, the minimum and the ellipse."""
    best = np.ravel(model.params_)
    edge = ellipse(best, model.covariance_)
    low, high = edge.min(axis=1) - 0.8, edge.max(axis=1) + 0.8
    slopes, heights = np.linspace(low[0], high[0], 60), np.linspace(low[1], high[1], 60)
    values = [[model.objective(X, y, np.array([s, h])) for s in slopes] for h in heights]
    levels = model.objective_ + np.array([0.5, 1, 2, 3, 5, 8, 12, 17, 23, 30])
    axes.contour(slopes, heights, values, levels=levels, colors=GREY, linewidths=0.7)
    grid = [(s, h) for s in slopes[4:60:10] for h in heights[4:60:10]]
    downhill = np.array([-np.ravel(model.gradient(X, y, np.array(at))) for at in grid])
    downhill /= np.linalg.norm(downhill, axis=1, keepdims=True)
    axes.quiver(*np.array(grid).T, *downhill.T, color=GREY, width=0.004, scale=22, angles="xy")
    axes.fill(*edge, color=BLUE, alpha=0.2, label="95 % confidence, by the Hessian")
    axes.plot(*edge, color=BLUE)
    axes.plot(*best, "o", color=ORANGE, label="minimum: the gradient is zero")
    axes.set_xlabel("coefficient of the weight")
    axes.set_ylabel("intercept")
    axes.set_title("What was minimised, and its curvature")
    axes.legend(loc="upper left", fontsize="small", framealpha=0.95)


def draw_curve(axes, model, X, y, middle):
    """Probabilities, with the band that follows from the ellipse's covariance."""
    weights = np.linspace(X["wt"].min(), X["wt"].max(), 200)
    rows = np.column_stack([weights, np.ones_like(weights)])
    eta = rows @ np.ravel(model.params_)
    error = np.sqrt(np.einsum("ij,jk,ik->i", rows, model.covariance_, rows))
    z = stats.norm.ppf(0.975)

    def probability(eta):
        return 1 / (1 + np.exp(-eta))

    ends = probability(eta - z * error), probability(eta + z * error)
    axes.fill_between(weights + middle, *ends, color=BLUE, alpha=0.2, label="95 % interval")
    axes.plot(weights + middle, probability(eta), color=BLUE, label="fitted probability")
    axes.plot(X["wt"] + middle, y, "|", color=ORANGE, markersize=12, label="cars")
    axes.set_xlabel("weight in 1000 lb")
    axes.set_ylabel("probability of a manual gearbox")
    axes.set_title("What follows for predictions")
    axes.legend(loc="center right", fontsize="small")


def main(argv: list[str] | None = None) -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(prog="python -m docs.make_front_picture", description=__doc__)
    parser.add_argument("--out", type=Path, default=PICTURE)
    draw().savefig(parser.parse_args(argv).out, dpi=120)


if __name__ == "__main__":
    main()
