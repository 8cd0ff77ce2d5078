"""Data and model files: read whole or refused in one line, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import joblib
import pandas as pd
from sklearn.pipeline import Pipeline

__all__ = ["SUFFIXES", "is_csv", "load", "one_line", "read", "replacing"]

_CSV, _PARQUET = (".csv", ".csv.gz"), (".parquet", ".pq")
SUFFIXES = _CSV + _PARQUET
# Before pandas 3.1, which has no such choice, numbers may be read with a last bit that is off.
_IS_EXACT = tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1)
_EXACT = {} if _IS_EXACT else {"float_precision": "round_trip"}


def read(path: Path, text: Iterable[str] = ()) -> pd.DataFrame:
    """A data file as a frame; the columns named in ``text`` stay text."""
    _check_file(path)
    as_csv = is_csv(path)
    try:
        frame = _read_csv(path, text) if as_csv else pd.read_parquet(path)
    except ImportError:
        raise
    except pd.errors.EmptyDataError:
        raise ValueError(f"{path} is empty") from None
    except pd.errors.ParserWarning:
        raise ValueError(f"the rows of {path} have more values than its header names") from None
    except Exception as error:  # each format and compression has errors of its own
        raise ValueError(f"cannot read {path}: {one_line(error)}") from error
    return frame.rename(columns=str)


def _read_csv(path: Path, text: Iterable[str]) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(
            path,
            dtype=dict.fromkeys(text, str),
            index_col=False,  # else rows longer than the header shift all columns by one
            skipinitialspace=True,
            low_memory=False,
            **_EXACT,
        )


def load(path: Path) -> Pipeline:
    """A saved model. Runs whatever code the file holds."""
    _check_file(path)
    refusal = f"{path} is not a model saved by 'mcmodels fit --save' of this version"
    try:
        pipeline = joblib.load(path)
    except Exception as error:  # unpickling can fail in any way
        raise ValueError(refusal) from error
    if not isinstance(pipeline, Pipeline) or list(pipeline.named_steps) != ["encode", "model"]:
        raise ValueError(refusal)
    return pipeline


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise ValueError(f"{path} is a directory; name a file")
    if not path.exists():
        raise ValueError(f"no such file: {path}")


def is_csv(path: Path) -> bool:
    """Whether a file is CSV and not Parquet, by its name; other names are refused."""
    name = path.name.lower()
    if not name.endswith(SUFFIXES):
        raise ValueError(f"{path} is of an unknown kind; use one of {', '.join(SUFFIXES)}")
    return name.endswith(_CSV)


@contextmanager
def replacing(path: Path | None, *, source: Path) -> Iterator[Path | None]:
    """A path to write to, moved to ``path`` when the block has ended well.

    Entered before any work, so that a place that cannot be written to is found out at once.
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
