"""The entry point of the command line: options are parsed, and the command chosen is run."""

from __future__ import annotations

import argparse
import io
import os
import sys
import warnings
from collections.abc import Callable, Sequence

from mcmodels.cli.files import one_line
from mcmodels.cli.options import parser

__all__ = ["main"]

_NO_PARQUET = "Parquet files need pyarrow; install it with: pip install 'mcmodels[parquet]'"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Predicting loads a model with joblib, which runs any code that the file holds: only load models
    that you trust.

    Parameters
    ----------
    argv : sequence of str, default=None
        Arguments; None takes those of the process.

    Returns
    -------
    int
        Exit code: 0; 2 when the input was refused; 130 when interrupted.
    """
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader has closed the pipe. Python flushes once more at exit, which must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _run(argv: Sequence[str] | None) -> int:
    options = parser().parse_args(argv)
    if options.command is None:
        parser().print_help()
        return 2
    try:
        with warnings.catch_warnings(record=True) as caught:
            for for_programmers in (DeprecationWarning, FutureWarning):
                warnings.simplefilter("ignore", for_programmers)
            text = _command(options.command)(options)
    except (ImportError, MemoryError, OSError, ValueError) as error:
        reason = _NO_PARQUET if isinstance(error, ImportError) else one_line(error)
        print(f"mcmodels: error: {reason}", file=sys.stderr)
        return 2
    for warning in caught:
        print(f"mcmodels: warning: {one_line(warning.message)}", file=sys.stderr)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names may have letters that the encoding of the terminal lacks.
        sys.stdout.reconfigure(errors="backslashreplace")
    print(text)
    return 0


def _command(name: str) -> Callable[[argparse.Namespace], str]:
    """The function of a command. Deriving needs no estimators, so that it starts without them."""
    if name == "derive":
        from mcmodels.cli.derive import derive

        return derive
    from mcmodels.cli.models import fit, predict

    return fit if name == "fit" else predict
