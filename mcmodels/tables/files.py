"""Files of tables: paths, patterns, directories and lists of them."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mcmodels.tables.datasets import DatasetSource, stamp_of
from mcmodels.tables.packages import imported, pyarrow

__all__ = ["SUFFIXES", "expanded", "of_files"]

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
SUFFIXES = tuple(_FORMATS)
# What a missing value is in text files: as pandas.read_csv has it, quoted or not.
_MISSING = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
)


def of_files(given: Any, *, as_text: Sequence[str] = ()) -> DatasetSource:
    """The source of a path, a pattern, a directory, or a list of these.

    Parameters
    ----------
    given : path, or sequence of paths
        The files.
    as_text : sequence of str, default=()
        Columns of text files that stay as they are written there, whatever they look like.

    Raises
    ------
    ValueError
        For files that are not there, of an unknown kind, of several kinds, or not readable.
    """
    paths = [given] if isinstance(given, str | os.PathLike) else list(given)
    files = [path for one in paths for path in expanded(os.fspath(one))]
    if not files:
        raise ValueError("the list of paths is empty; name at least one file.")
    for path in files:
        if files.count(path) > 1:
            raise ValueError(f"{path} is named twice; each file is read once.")
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
        form = arrow.dataset.CsvFileFormat(
            parse_options=text.ParseOptions(delimiter="\t" if kind == "tsv" else ","),
            convert_options=text.ConvertOptions(
                null_values=list(_MISSING), strings_can_be_null=True
            ),
        )
    shown = os.fspath(paths[0]) if len(paths) == 1 else f"{len(files)} files"
    # Directories such as year=2024 are a column.
    options: dict[str, Any] = {"format": form, "partitioning": "hive"}
    if len(paths) == 1 and os.path.isdir(os.path.expanduser(paths[0])):
        options["partition_base_dir"] = os.path.abspath(os.path.expanduser(paths[0]))
    schema: Any = None
    unlike: dict[str, str] = {}
    for path in files:
        # Arrow looks at the first file alone, and finds the fault of another one in mid-fit.
        try:
            found = arrow.dataset.dataset([path], **options).schema
        except (arrow.ArrowInvalid, arrow.ArrowTypeError, OSError) as error:
            raise ValueError(f"{path} cannot be read as {kind}: {error}") from error
        if kind in ("csv", "tsv"):
            for name in set(as_text).intersection(found.names):
                position = found.get_field_index(name)
                found = found.set(position, found.field(position).with_type(arrow.string()))
        schema, conflicts = (found, {}) if schema is None else _united(schema, found)
        for name, (before, now) in conflicts.items():
            unlike.setdefault(name, f"it is {now} in {path}, and {before} in files before it")
    for name in unlike:
        schema = schema.remove(schema.get_field_index(name))
    dataset = arrow.dataset.dataset(files, schema=schema, **options)
    return DatasetSource(dataset, shown, stamp_of(files), kind in ("csv", "tsv"), unlike)


def _united(schema: Any, other: Any) -> tuple[Any, dict[str, tuple[Any, Any]]]:
    """The columns of both schemas, and those of which no type holds both: their two types."""
    arrow = pyarrow("a scan of files")
    conflicts = {}
    for name in other.names:
        if schema.names.count(name) != 1 or other.names.count(name) != 1:
            continue
        both = [arrow.schema([part.field(name)]) for part in (schema, other)]
        try:
            arrow.unify_schemas(both, promote_options="permissive")
        except (arrow.ArrowInvalid, arrow.ArrowTypeError):
            conflicts[name] = (schema.field(name).type, other.field(name).type)
            other = other.remove(other.get_field_index(name))
    return arrow.unify_schemas([schema, other], promote_options="permissive"), conflicts


def expanded(path: str) -> list[str]:
    """The files that a path, a pattern or a directory stands for, in the order of their names."""
    if "://" in path:
        raise ValueError(f"{path} is no local path; open it as a pyarrow.dataset, and pass that.")
    path = os.path.abspath(os.path.expanduser(path))
    if os.path.isdir(path):
        root = Path(path)
        found = sorted(
            str(file)
            for file in root.rglob("*")
            if file.is_file() and not _is_hidden(file.relative_to(root))
        )
        if not found:
            raise ValueError(f"{path} is a directory without files.")
        return found
    if os.path.exists(path):
        return [path]
    found = sorted(filter(os.path.isfile, glob.glob(path, recursive=True)))
    if not found:
        hint = ""
        if path.split()[0].rpartition("/")[2].lower() in ("select", "with"):
            hint = " Pass a query with connection=."
        elif "[" in path:
            hint = " In a pattern, [ ] stand for one of several letters; see glob.escape."
        raise ValueError(f"no file matches {path!r}.{hint}")
    return found


def _is_hidden(path: Path) -> bool:
    """Whether a file, or a directory above it, is a mark of another program, such as _SUCCESS."""
    return any(part.startswith((".", "_")) for part in path.parts)


def _kind(path: str) -> str:
    name = path.lower()
    for suffix, kind in _FORMATS.items():
        if name.endswith(suffix):
            return kind
    raise ValueError(
        f"{path} is of an unknown kind; the name of a file ends in one of {', '.join(SUFFIXES)}."
    )
