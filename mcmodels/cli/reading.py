"""Data files and saved models, read completely or refused in one line."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path

import joblib
import pandas as pd
from sklearn.pipeline import Pipeline

from mcmodels.cli.files import is_csv, one_line, require_file

__all__ = ["load", "read"]

# Before pandas 3.1, which has no such choice, the last bit of a number may be read wrongly.
_IS_EXACT = tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1)
_EXACT = {} if _IS_EXACT else {"float_precision": "round_trip"}


def read(path: Path, text: Iterable[str] = ()) -> pd.DataFrame:
    """A data file as a frame; the columns named in ``text`` stay text."""
    require_file(path)
    as_csv = is_csv(path)
    try:
        frame = _read_csv(path, text) if as_csv else pd.read_parquet(path)
    except ImportError:
        raise
    except pd.errors.EmptyDataError:
        raise ValueError(f"{path} is empty") from None
    except pd.errors.ParserWarning:
        raise ValueError(f"the rows of {path} have more values than its header names") from None
    except Exception as error:  # each format and each compression has its own errors
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
    """A saved model. Loading it runs any code that the file holds."""
    require_file(path)
    refusal = f"{path} is not a model saved by 'mcmodels fit --save' of this version"
    try:
        pipeline = joblib.load(path)
    except Exception as error:  # unpickling can fail in any way
        raise ValueError(refusal) from error
    if not isinstance(pipeline, Pipeline) or list(pipeline.named_steps) != ["encode", "model"]:
        raise ValueError(refusal)
    return pipeline
