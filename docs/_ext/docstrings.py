"""Docstrings as pages: ``docs/choosing.md`` becomes a link, properties that have no line get one.

What a class has from scikit-learn is named, and not repeated.
"""

from __future__ import annotations

import inspect
import re
from functools import cached_property
from typing import Any

_PAGE = re.compile(r"(?<![`\w/])`{0,2}docs/([\w/]+)\.md`{0,2}")


def _properties(item: type, text: str) -> list[str]:
    """A list of the public properties that the docstring of a class does not describe."""
    lines: list[str] = []
    for name in sorted(dir(item)):
        found = inspect.getattr_static(item, name)
        if name.startswith("_") or not (
            isinstance(found, property | cached_property) or type(found).__name__ == "Fitted"
        ):
            continue
        if re.search(rf"^(\w+, )*{name}(, \w+)*( :|$)", text, flags=re.M):
            continue
        said = inspect.cleandoc(found.__doc__ or "").partition("\n\n")[0].splitlines()
        if said:
            lines += [f"``{name}``", *(f"    {line}" for line in said), ""]
    return [*("", ".. rubric:: Properties", ""), *lines] if lines else []


def _as_page(app: Any, what: str, name: str, item: Any, options: Any, lines: list[str]) -> None:
    if what == "method" and str(getattr(item, "__module__", "")).startswith("sklearn"):
        lines[:] = ["As in scikit-learn."]
    if what == "class" and isinstance(item, type):
        lines += _properties(item, "\n".join(lines))
    lines[:] = [_PAGE.sub(r":doc:`/\1`", line) for line in lines]


def setup(app: Any) -> dict[str, bool]:
    """Enter what Sphinx calls."""
    app.connect("autodoc-process-docstring", _as_page, priority=400)  # before numpydoc
    return {"parallel_read_safe": True, "parallel_write_safe": True}
