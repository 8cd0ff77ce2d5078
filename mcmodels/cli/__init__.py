"""The command line: ``mcmodels fit`` and ``mcmodels predict``."""

from mcmodels.cli.commands import main

__all__ = ["main"]
