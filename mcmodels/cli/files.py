"""Files of the command line: kinds, names, and output that is written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["SUFFIXES", "is_csv", "one_line", "replacing", "require_file"]

_CSV, _PARQUET = (".csv", ".csv.gz"), (".parquet", ".pq")
SUFFIXES = _CSV + _PARQUET


def require_file(path: Path) -> None:
    """Refuse a path that does not exist or is a directory."""
    if path.is_dir():
        raise ValueError(f"{path} is a directory; name a file")
    if not path.exists():
        raise ValueError(f"no such file: {path}")


def is_csv(path: Path) -> bool:
    """Whether a file is CSV rather than Parquet, judged by its name; other names are refused."""
    name = path.name.lower()
    if not name.endswith(SUFFIXES):
        raise ValueError(f"{path} is of an unknown kind; use one of {', '.join(SUFFIXES)}")
    return name.endswith(_CSV)


@contextmanager
def replacing(path: Path | None, *, source: Path) -> Iterator[Path | None]:
    """A temporary path to write to, which is moved to ``path`` if the block ends without an error.

    Entered before any work, so that a place that cannot be written to is found at once.
    """
    if path is None:
        yield None
        return
    if path.is_dir():
        raise ValueError(f"cannot write to {path}: it is a directory")
    if path.exists() and source.exists() and path.samefile(source):
        raise ValueError(f"{path} is the input file; write to another")
    try:
        folder = tempfile.TemporaryDirectory(dir=path.parent, prefix=".mcmodels-")
    except OSError as error:
        raise ValueError(f"cannot write to {path}: {error.strerror}") from error
    with folder:
        temporary = Path(folder.name, path.name)
        yield temporary
        os.replace(temporary, path)


def one_line(message: object) -> str:
    """A message without line breaks."""
    return " ".join(str(message).split())
