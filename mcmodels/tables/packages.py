"""Packages that tables need, imported when they are used."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["imported", "pyarrow"]


def imported(name: str, extra: str, what: str) -> Any:
    """A module, or an ImportError that names the extra that installs it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"{what} needs {name.partition('.')[0]}: pip install 'mcmodels[{extra}]'.", name=name
        ) from error


def pyarrow(what: str) -> Any:
    """The package pyarrow, with its modules ``compute`` and ``dataset``."""
    arrow = imported("pyarrow", "tables", what)
    for module in ("compute", "dataset", "types"):
        imported(f"pyarrow.{module}", "tables", what)
    return arrow
