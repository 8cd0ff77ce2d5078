"""Files of tables: paths, patterns, directories and lists of them."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import Any

from mcmodels.tables.packages import imported, pyarrow
from mcmodels.tables.sources import DatasetSource

__all__ = ["of_files"]

_FORMATS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".feather": "feather",
    ".arrow": "ipc",
    ".ipc": "ipc",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".tsv": "tsv",
    ".tsv.gz": "tsv",
}


def of_files(given: Any) -> DatasetSource:
    """The source of a path, a pattern, a directory, or a list of these.

    Raises
    ------
    ValueError
        For files that are not there, of an unknown kind, of several kinds, or not readable.
    """
    paths = [given] if isinstance(given, str | os.PathLike) else list(given)
    files = [path for one in paths for path in _expanded(os.fspath(one))]
    if not files:
        raise ValueError("the list of paths is empty; name at least one file.")
    kinds = {_kind(path) for path in files}
    if len(kinds) > 1:
        raise ValueError(
            f"the files are of several kinds ({', '.join(sorted(kinds))}); scan one kind at a time."
        )
    arrow = pyarrow("a scan of files")
    (kind,) = kinds
    form: Any = kind
    if kind in ("csv", "tsv"):
        text = imported("pyarrow.csv", "tables", "a scan of text files")
        delimiter = "\t" if kind == "tsv" else ","
        form = arrow.dataset.CsvFileFormat(parse_options=text.ParseOptions(delimiter=delimiter))
    shown = os.fspath(paths[0]) if len(paths) == 1 else f"{len(files)} files"
    schema = None
    for path in files:
        # Arrow looks at the first file alone, and finds the fault of another one in mid-fit.
        try:
            found = arrow.dataset.dataset(path, format=form).schema
        except (arrow.ArrowInvalid, arrow.ArrowTypeError, OSError) as error:
            raise ValueError(f"{path} cannot be read as {kind}: {error}") from error
        schema = found if schema is None else schema
        lacking = [name for name in schema.names if name not in found.names]
        if lacking:
            raise ValueError(
                f"{path} has no column {lacking[0]!r}, which {files[0]} has; scan files of the "
                "same columns."
            )
    return DatasetSource(arrow.dataset.dataset(files, format=form, schema=schema), shown)


def _expanded(path: str) -> list[str]:
    """The files that a path, a pattern or a directory stands for, in the order of their names."""
    path = os.path.expanduser(path)
    if os.path.isdir(path):
        found = sorted(str(file) for file in Path(path).rglob("*") if _is_data(file))
        if not found:
            raise ValueError(f"{path} is a directory without files.")
        return found
    if os.path.exists(path):
        return [path]
    found = sorted(filter(os.path.isfile, glob.glob(path, recursive=True)))
    if not found:
        raise ValueError(f"no file matches {path!r}.")
    return found


def _is_data(file: Path) -> bool:
    """Whether this is a file that is no mark of another program, such as _SUCCESS."""
    return file.is_file() and not file.name.startswith((".", "_"))


def _kind(path: str) -> str:
    name = path.lower()
    for suffix, kind in _FORMATS.items():
        if name.endswith(suffix):
            return kind
    raise ValueError(
        f"{path} is of an unknown kind; the name of a file ends in one of {', '.join(_FORMATS)}."
    )
