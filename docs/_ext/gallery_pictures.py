"""How the gallery shows pictures: displays as notebooks show them, all figures in one style.

Displays have figures that pyplot does not know, so that sphinx-gallery does not find them alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx_gallery.scrapers import figure_rst

from mcmodels.plots.display import Display
from mcmodels.plots.style import COLOURS

__all__ = ["FirstStepsFirst", "scrape", "use_style"]

_DPI = 150  # displays are 3.4 inches wide: 510 pixels

# What others of a section build on comes first.
_FIRST = (
    "plot_coefficients.py",
    "plot_residuals.py",
    "plot_influence.py",
    "plot_contours_and_ellipses.py",
    "plot_newton_and_gradient_descent.py",
    "plot_leave_one_out.py",
    "plot_conformal_intervals.py",
    "plot_derived_formula_compiled.py",
    "plot_partial_fit.py",
)


def scrape(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save the display that is the last line of a block, and say where it is.

    Parameters
    ----------
    block : Block
        Of the example; not used.
    block_vars : dict
        What sphinx-gallery knows of the block.
    gallery_conf : dict
        The configuration of the gallery.

    Returns
    -------
    str
        The directive of the picture, empty where there is none.
    """
    shown = block_vars["example_globals"].get("___")
    if isinstance(shown, list) and all(type(one).__module__[:11] == "matplotlib." for one in shown):
        block_vars["example_globals"]["___"] = None  # what ax.set returns is no result
    if not isinstance(shown, Display) or not shown._own:
        return ""
    shown._own = False  # a later block that ends without an expression does not show it again
    path = Path(next(block_vars["image_path_iterator"]))
    sharp = path.with_name(f"{path.stem}_2_00x{path.suffix}")
    shown.figure_.savefig(path, dpi=_DPI)
    shown.figure_.savefig(sharp, dpi=2 * _DPI)
    name = repr(shown).strip("<>")  # for readers who hear the page
    return figure_rst([path], gallery_conf["src_dir"], name, srcsetpaths=[{0: path, 2.0: sharp}])


def use_style(gallery_conf: dict[str, Any], file: str) -> None:
    """Give figures of pyplot the colours, and nearly the sizes, of the displays."""
    import matplotlib.pyplot as plt

    plt.rcParams.update(
        {
            "axes.prop_cycle": plt.cycler(color=COLOURS),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "figure.constrained_layout.use": True,
            "figure.figsize": (6.4, 3.6),
            "image.cmap": "viridis",
            "legend.frameon": False,
        }
    )


class FirstStepsFirst:
    """The order of the examples of a section: some first, the others by name."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __call__(self, file: str) -> tuple[int, str]:
        """What examples are sorted by."""
        place = _FIRST.index(file) if file in _FIRST else len(_FIRST)
        return place, file
