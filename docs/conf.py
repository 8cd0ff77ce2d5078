"""What Sphinx needs to know to build the site; `python -m docs.build` runs it."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS.parent), str(DOCS / "_ext")]

project = "mcmodels"
author = "the mcmodels developers"
copyright = "the mcmodels developers"
version = release = installed_version("mcmodels")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_nb",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinxcontrib.katex",
    "live",
]
root_doc = "index"
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = [
    "_build",
    "_web",
    "derive",
    "**/README.md",
    "examples/*.rst",
    "auto_examples/*.ipynb",
    "benchmarks/remarks.md",  # is a part of another page
    "sg_execution_times.rst",
    "auto_examples/sg_execution_times.rst",
    "**/__pycache__",
]
nitpicky = False
suppress_warnings = ["config.cache"]

# -- pages -----------------------------------------------------------------------------------------

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "attrs_inline", "attrs_block"]
myst_heading_anchors = 4
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_execution_show_tb = True
nb_merge_streams = True
copybutton_exclude = ".linenos, .gp, .go"

# -- formulas: KaTeX makes them when the site is built, so that pages need its fonts alone ---------

katex_prerender = True
katex_css_path = "vendor/katex/katex.min.css"
katex_js_path = str(DOCS / "_static" / "vendor" / "katex" / "katex.min.js")

# -- reference -------------------------------------------------------------------------------------

autosummary_generate = True
autodoc_typehints = "none"  # numpydoc says the types in words
autodoc_default_options = {"members": True, "inherited-members": True}
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
numpydoc_xref_param_type = False

# -- gallery ---------------------------------------------------------------------------------------

sphinx_gallery_conf = {
    "examples_dirs": ["examples"],
    "gallery_dirs": ["auto_examples"],
    "filename_pattern": r"/plot_",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "show_memory": False,
    "min_reported_time": 1e9,
    "reset_modules": ("matplotlib",),
    "remove_config_comments": True,
    "doc_module": ("mcmodels",),
    "reference_url": {"mcmodels": None},
    "backreferences_dir": "reference/backreferences",
}

# -- look ------------------------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = "mcmodels"
html_static_path = ["_static"]
html_extra_path = ["derive"]
templates_path = ["_templates"]
html_css_files = ["site.css"]
html_js_files = ["live.js"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "mcmodels"},
    "navbar_align": "left",
    "navbar_end": ["derive-link", "theme-switcher"],
    "header_links_before_dropdown": 7,
    "navigation_depth": 3,
    "show_toc_level": 2,
    "show_prev_next": True,
    "pygments_light_style": "tango",
    "pygments_dark_style": "github-dark",
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {"index": []}

# -- parts: `python -m docs.build --part book` leaves the other folders out ------------------------

_parts = os.environ.get("MCMODELS_DOCS_PARTS", "")
if _parts:
    _folders = {"start", "coming_from", "book", "examples", "reference"} - set(_parts.split(","))
    exclude_patterns += [f"{folder}/**" for folder in _folders]
    if "examples" in _folders:
        extensions.remove("sphinx_gallery.gen_gallery")
        exclude_patterns.append("auto_examples/**")
    if "reference" in _folders:
        autosummary_generate = False


# -- links to files outside of docs/ ---------------------------------------------------------------

_PAGES = {
    "](../CONTRIBUTING.md": "](contributing.md",
    "](../CHANGELOG.md": "](changelog.md",
    "](CHANGELOG.md": "](changelog.md",
    "](../datasets/README.md": "](datasets.md",
}


def _to_pages(app: object, name: str, source: list[str]) -> None:
    """Point links to files beside docs/ at the pages that show them."""
    for file, page in _PAGES.items():
        source[0] = source[0].replace(file, page)


def _included_to_pages(app: object, path: object, name: str, content: list[str]) -> None:
    """The same in files that a page includes."""
    _to_pages(app, name, content)


def setup(app: Any) -> None:
    """Enter what Sphinx calls."""
    app.connect("source-read", _to_pages)
    app.connect("include-read", _included_to_pages)
