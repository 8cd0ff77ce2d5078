"""Docstrings as pages: ``docs/choosing.md`` becomes a link, and what is scikit-learn's is named."""

from __future__ import annotations

import re
from typing import Any

_PAGE = re.compile(r"(?<![`\w/])`{0,2}docs/([\w/]+)\.md`{0,2}")


def _to_pages(app: Any, what: str, name: str, item: Any, options: Any, lines: list[str]) -> None:
    if what == "method" and str(getattr(item, "__module__", "")).startswith("sklearn"):
        lines[:] = ["As in scikit-learn."]
    lines[:] = [_PAGE.sub(r":doc:`/\1`", line) for line in lines]


def setup(app: Any) -> dict[str, bool]:
    """Enter what Sphinx calls."""
    app.connect("autodoc-process-docstring", _to_pages, priority=400)  # before numpydoc
    return {"parallel_read_safe": True, "parallel_write_safe": True}
