"""Every picture: not blank, its texts inside and apart, the same twice, pyplot as it was."""

import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from mcmodels import plots
from mcmodels.plots.names import shortened
from tests.plots.displays import DISPLAYS
from tests.plots.pictures import faults, pixels, rendered, texts
from tests.rotation import rotated


@pytest.fixture(scope="module")
def drawn():
    made = {}

    def of(name):
        if name not in made:
            made[name] = DISPLAYS[name]()
        return made[name]

    return of


def test_every_display_is_drawn(drawn):
    shown = {type(drawn(name)).__name__ for name in DISPLAYS}
    assert shown == set(plots.__all__)


@pytest.mark.parametrize("name", DISPLAYS)
def test_texts_are_inside_and_apart_at_the_width_of_a_column(drawn, name):
    figure = drawn(name).figure_
    assert figure.get_size_inches()[0] == 3.4
    assert faults(figure) == []
    # No smaller than is read: 7 points, and 6.5 beside contours.
    assert min(text.get_fontsize() for text, _ in texts(figure)) >= 6.0


@pytest.mark.parametrize("name", DISPLAYS)
def test_pictures_are_not_blank(drawn, name):
    found = pixels(drawn(name).figure_)
    dark = (found[..., :3].min(axis=-1) < 250).mean()
    # Axes and labels alone are 1.5 %; a picture that is mostly ink is wrong, too.
    assert 0.02 < dark < 0.6
    # Something is drawn in a colour, not black or grey.
    colours = np.ptp(found[..., :3].astype(int), axis=-1)
    assert (colours > 60).mean() > 5e-4


@pytest.mark.parametrize(
    ("name", "kind"),
    rotated(
        ["coefficients", "residuals", "biplot", "curvature", "separation"], ["png", "svg", "pdf"]
    ),
)
def test_the_same_bytes_twice(name, kind):
    assert rendered(DISPLAYS[name]().figure_, kind) == rendered(DISPLAYS[name]().figure_, kind)


@pytest.mark.parametrize(("name", "layout"), rotated(DISPLAYS, ["tight", "constrained"]))
def test_axes_of_the_user_are_taken_with_any_layout(drawn, name, layout):
    display = drawn(name)
    panels = len(display.axes_)
    figure = Figure(figsize=(7.0, 6.0), layout=layout)
    axes = np.atleast_1d(figure.subplots(1, panels)).ravel()
    display.plot(axes[0] if panels == 1 else axes)
    assert display.figure_ is figure
    assert display.ax_ is axes[0]
    assert display._repr_png_() is None
    assert len(rendered(figure)) > 5000
    display.plot()  # for the next test
    assert display._repr_png_()[:4] == b"\x89PNG"


def test_too_few_axes_and_other_things_are_refused(drawn):
    residuals, coefficients = drawn("residuals"), drawn("coefficients")
    with pytest.raises(ValueError, match="ax has 1 axes, and this picture has 4 panels"):
        residuals.plot(Figure().subplots())
    with pytest.raises(ValueError, match="ax has 2 axes, and this picture has 1 panels; pass one"):
        coefficients.plot(Figure().subplots(1, 2))
    with pytest.raises(TypeError, match=r"ax must be matplotlib axes.*found str"):
        coefficients.plot("here")
    residuals.plot()
    coefficients.plot()


def test_settings_of_pyplot_are_untouched():
    before = dict(matplotlib.rcParams)
    for name in ("coefficients", "residuals", "biplot"):
        rendered(DISPLAYS[name]().figure_, "svg")
    assert dict(matplotlib.rcParams) == before
    script = (
        "import sys, pandas as pd, mcmodels, mcmodels.plots\n"
        "assert 'matplotlib' not in sys.modules\n"
        "m = mcmodels.LinearRegression().fit([[0.], [1], [3]], [0., 2, 1])\n"
        "mcmodels.plots.CoefficientDisplay.from_estimator(m)\n"
        "assert 'matplotlib.figure' in sys.modules\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_without_matplotlib_the_extra_is_named():
    script = (
        "import sys\n"
        "sys.modules['matplotlib'] = None\n"
        "import mcmodels, mcmodels.plots\n"
        "m = mcmodels.LinearRegression().fit([[0.], [1], [3]], [0., 2, 1])\n"
        "try:\n"
        "    mcmodels.plots.CoefficientDisplay.from_estimator(m)\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    assert done.stdout.decode().strip() == (
        "a picture needs matplotlib: pip install 'mcmodels[plot]'."
    )


def test_shortened_names_are_short_and_different():
    rng = np.random.default_rng(0)
    for most in (8, 12, 22):
        for _ in range(200):
            start, end = "s" * rng.integers(0, 40), "e" * rng.integers(0, 40)
            names = [f"{start}{k}{end}" for k in rng.choice(10**6, 12, replace=False)]
            found = shortened(names, most)
            assert max(map(len, found)) <= most
            assert len(set(found)) == len(names)
    assert shortened(["a", "a"], 5) == ["a", "a"]
    assert shortened(["age", "tenure"], 10) == ["age", "tenure"]
    long = [f"a_long_start_of_a_name_{k}_and_an_end_of_it" for k in range(3)]
    assert all(str(k) in text for k, text in enumerate(shortened(long, 22)))


def test_the_checker_finds_planted_faults():
    figure = Figure(figsize=(2, 2))
    ax = figure.subplots()
    ax.set_xlabel("a label that is far too long for a figure of two inches")
    ax.annotate("one", (0.5, 0.5))
    ax.annotate("two", (0.52, 0.5))
    found = faults(figure)
    assert any("leaves the figure" in fault for fault in found)
    assert any("'two' is over 'one'" in fault for fault in found)
