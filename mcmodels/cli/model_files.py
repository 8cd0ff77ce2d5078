"""Model files: arrays and names with a checksum, and no code.

A file is one line of text that says what it is, the SHA-256 of the rest, and an ``npz`` archive.
The archive holds the arrays of the model, and as "document" a JSON text for everything else. An
object is stored as the name of its class and its fields. Only dataclasses and enumerations of this
package are read back, and none of their methods is called. NumPy and the standard library suffice.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import io
import json
import sys
import warnings
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

import mcmodels
from mcmodels import PCA, GeneralizedLinearRegressor, LinearRegression, LogisticRegression
from mcmodels.arrays import Array
from mcmodels.cli.files import one_line, require_file
from mcmodels.exceptions import NoMeanWarning
from mcmodels.formula import Formula
from mcmodels.formulas.language import parsed
from mcmodels.formulas.recipe import Recipe
from mcmodels.formulas.response import Response
from mcmodels.rows import CodedBlock
from mcmodels.tables.columns import TableColumns

__all__ = [
    "MODELS",
    "features_of",
    "formula_of",
    "has_offset",
    "level_name",
    "levels_by_column",
    "load_model",
    "new_pipeline",
    "pipeline_of_formula",
    "pipeline_of_scan",
    "save_model",
    "table_columns_of",
    "target_of",
]

MODELS = {
    "linear": LinearRegression,
    "logistic": LogisticRegression,
    "glm": GeneralizedLinearRegressor,
    "pca": PCA,
}
FORMAT = 2  # raised when a file can no longer be read by the version before
_WITHOUT_FORMULA = 1  # the format of models without a formula, which earlier versions read
_START = b"mcmodels model file\n"
# How the files begin that joblib and pickle write, compressed or not.
_ZLIB = tuple(b"x" + level for level in (b"\x01", b"\x5e", b"\x9c", b"\xda"))
_PICKLES = (b"\x80", b"\x1f\x8b", *_ZLIB, b"BZ", b"\xfd7zXZ", b"]\x00", b"\x04\x22M\x18")
_STORED = "biufcSU"  # kinds of arrays that have a form without pickling
_FOREIGN = "{} is not a model saved by 'mcmodels fit --save' of this version"


def level_name(column: str, level: Any) -> str:
    """The name of the 0/1 column of a level: ``sex=male``; joblib files refer to this function."""
    return f"{column}={level}"


def new_pipeline(model: Any, features: list[str], categorical: list[str]) -> Pipeline:
    """A step that encodes the columns, then the model; it gets frames, so warnings name columns."""
    encoder = OneHotEncoder(
        drop=None if isinstance(model, PCA) else "first",
        sparse_output=False,
        feature_name_combiner=level_name,
    )
    numbers = [name for name in features if name not in categorical]
    parts = [("numbers", "passthrough", numbers), ("categories", encoder, categorical)]
    encode = ColumnTransformer(
        [part for part in parts if part[2]], verbose_feature_names_out=False
    ).set_output(transform="pandas")
    return Pipeline([("encode", encode), ("model", model)])


def pipeline_of_formula(model: Any, step: Formula, target: Response | None) -> Pipeline:
    """A model whose columns are made by a formula, and the left side of that."""
    pipeline = Pipeline([("encode", step), ("model", model)])
    pipeline.target_ = target
    return pipeline


def target_of(pipeline: Pipeline) -> Response | None:
    """The left side of the formula by which a model was fitted; files of before lack it."""
    return getattr(pipeline, "target_", None)


def formula_of(pipeline: Pipeline) -> Recipe | None:
    """What the formula has learnt by which a model was fitted, if it was."""
    step = pipeline["encode"]
    return step._recipe if isinstance(step, Formula) else None


def pipeline_of_scan(model: Any) -> Pipeline:
    """A model that is fitted to a scan: its rows come coded, and it holds the levels itself."""
    return Pipeline([("encode", "passthrough"), ("model", model)])


def table_columns_of(pipeline: Pipeline) -> TableColumns | None:
    """The columns of the table that a model was fitted to, if that was a scan."""
    return getattr(pipeline["model"], "table_columns_", None)


def features_of(pipeline: Pipeline) -> list[str]:
    """The columns that are read for predictions."""
    scanned = table_columns_of(pipeline)
    return list(pipeline.feature_names_in_ if scanned is None else scanned.features)


def levels_by_column(pipeline: Pipeline) -> dict[str, Array]:
    """The levels of each categorical column, the baseline first."""
    scanned = table_columns_of(pipeline)
    if scanned is not None:
        return {name: np.array(known, dtype=object) for name, known in scanned.levels.items()}
    recipe = formula_of(pipeline)
    if recipe is not None:
        return {
            name: np.array(known, dtype=object if isinstance(known[0], str) else None)
            for name, known in recipe.levels.items()
        }
    encoder = pipeline["encode"].named_transformers_.get("categories")
    if encoder is None:
        return {}
    return dict(zip(encoder.feature_names_in_, encoder.categories_, strict=True))


def save_model(pipeline: Pipeline, path: Path) -> None:
    """Write a fitted pipeline, of :func:`new_pipeline` or :func:`pipeline_of_scan`, to a file."""
    model = pipeline["model"]
    arrays: dict[str, Any] = {}
    recipe = formula_of(pipeline)
    # A model of a scan, and a formula, hold their levels themselves.
    own = table_columns_of(pipeline) or recipe
    levels = {} if own else levels_by_column(pipeline)
    document = {
        "format": FORMAT if recipe else _WITHOUT_FORMULA,
        "mcmodels": mcmodels.__version__,
        "model": next(name for name, kind in MODELS.items() if type(model) is kind),
        "parameters": _packed(model.get_params(), arrays),
        "attributes": _packed(
            {name: value for name, value in vars(model).items() if name not in model.get_params()},
            arrays,
        ),
        "features": features_of(pipeline),
        "levels": _packed(levels, arrays),
        **({"formula": _packed(recipe, arrays)} if recipe else {}),
        **({"target": _packed(target, arrays)} if (target := target_of(pipeline)) else {}),
    }
    text = json.dumps(document).encode()
    content = io.BytesIO()
    np.savez(content, document=np.frombuffer(text, np.uint8), **arrays)
    body = content.getvalue()
    path.write_bytes(_START + hashlib.sha256(body).digest() + body)


def load_model(path: Path | str, *, trust_pickle: bool = False) -> Pipeline:
    """A saved model: a pipeline of a step "encode", which codes columns, and a step "model".

    Of a model that was fitted to a scan, "encode" passes rows through: they are a scan, too, as in
    ``load_model("trips.model").predict(scan("new.parquet"))``.

    Parameters
    ----------
    path : Path or str
        A file written by ``mcmodels fit --save``.
    trust_pickle : bool, default=False
        Whether to read also joblib files, as earlier versions wrote. They run any code that they
        hold when they are read.

    Returns
    -------
    Pipeline

    Raises
    ------
    ValueError
        If the file is foreign, damaged, or written by another version in a way that this one
        cannot read.
    """
    path = Path(path)
    require_file(path)
    content = path.read_bytes()
    if content.startswith(_START):
        return _read(path, content)
    if not content.startswith(_PICKLES):
        raise ValueError(_FOREIGN.format(path))
    if trust_pickle:
        return _unpickled(path)
    raise ValueError(
        f"{path} looks like a joblib file, which runs any code that it holds when it is read; if "
        "you trust it, add --trust-pickle"
    )


def _read(path: Path, content: bytes) -> Pipeline:
    start = len(_START)
    body = content[start + 32 :]
    if hashlib.sha256(body).digest() != content[start : start + 32]:
        raise ValueError(f"{path} is damaged: its checksum is wrong; restore it, or fit again")
    writer = "an unknown version of mcmodels"
    try:
        with np.load(io.BytesIO(body), allow_pickle=False) as archive:
            document = json.loads(archive["document"].tobytes())
            writer = f"mcmodels {document['mcmodels']}"
            if document["format"] > FORMAT:
                raise ValueError("its format is newer")
            kind = MODELS[document["model"]]
            model = kind(**_unpacked(document["parameters"], archive))
            vars(model).update(_unpacked(document["attributes"], archive))
            levels = _unpacked(document["levels"], archive)
            recipe = _unpacked(document.get("formula"), archive)
            target = _unpacked(document.get("target"), archive)
        if recipe is not None:
            return _with_formula(model, recipe, target, document["features"])
        return _assembled(model, document["features"], levels)
    except Exception as error:  # what a file with a right checksum may hold is without bounds
        raise ValueError(
            f"{path} was written by {writer} and cannot be read by {mcmodels.__version__} "
            f"({one_line(error)}); use that version, or fit again"
        ) from error


def _with_formula(model: Any, recipe: Any, target: Any, features: list[str]) -> Pipeline:
    """A fitted pipeline. What the formula calls is checked before anything is evaluated."""
    if not isinstance(recipe, Recipe) or list(recipe.columns) != features:
        raise ValueError("its features are not those of its formula")
    parsed(recipe.formula, recipe.columns)
    if model.n_features_in_ != len(recipe.names):
        raise ValueError("its formula makes other columns")
    if not isinstance(target, Response | None):
        raise ValueError("its target is no left side of a formula")
    if target is not None and target.recipe is not None:
        parsed(target.recipe.formula, target.recipe.columns)
    return pipeline_of_formula(model, Formula._of(recipe), target)


def _assembled(model: Any, features: list[str], levels: Mapping[str, Array]) -> Pipeline:
    """A fitted pipeline. The encoder learns the levels from rows in which each of them occurs."""
    if hasattr(model, "table_columns_"):
        pipeline, names = pipeline_of_scan(model), model.table_columns_.names
        if list(model.table_columns_.features) != features or levels:
            raise ValueError("its features are not those of its scan")
        one = CodedBlock(np.zeros((1, len(names))), names)
        _try_out(pipeline, one, 1)
        return pipeline
    pipeline = new_pipeline(model, features, list(levels))
    n_rows = max((len(known) for known in levels.values()), default=1)
    columns = {
        name: np.resize(levels[name], n_rows) if name in levels else np.zeros(n_rows)
        for name in features
    }
    rows = pd.DataFrame(columns, columns=features)
    pipeline["encode"].fit(rows)
    _try_out(pipeline, rows, n_rows)
    return pipeline


def _try_out(pipeline: Pipeline, rows: Any, n_rows: int) -> None:
    """Find parts of a model that do not belong together."""
    model = pipeline["model"]
    if isinstance(model, PCA):
        pipeline.transform(rows)
        return
    offset = {"offset": np.zeros(n_rows)} if has_offset(model) else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoMeanWarning)
        pipeline.predict(rows, **offset)


def has_offset(model: Any) -> bool:
    """Whether a model was fitted with an offset or an exposure."""
    training = getattr(model._fit, "training", None)
    return getattr(training, "offset", None) is not None


def _unpickled(path: Path) -> Pipeline:
    import joblib

    try:
        pipeline = joblib.load(path)
    except Exception as error:  # unpickling can fail in any way
        raise ValueError(_FOREIGN.format(path)) from error
    if not isinstance(pipeline, Pipeline) or list(pipeline.named_steps) != ["encode", "model"]:
        raise ValueError(_FOREIGN.format(path))
    return pipeline


def _packed(value: Any, arrays: dict[str, Array]) -> Any:
    """A value in terms of JSON; arrays are put into ``arrays`` and named."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in _STORED:
        name = f"array{len(arrays)}"
        arrays[name] = np.asarray(value)
        return {"array" if isinstance(value, np.ndarray) else "number": name}
    if isinstance(value, np.ndarray):
        return {"objects": _packed(value.ravel().tolist(), arrays), "shape": list(value.shape)}
    if isinstance(value, list | tuple):
        return {type(value).__name__: [_packed(entry, arrays) for entry in value]}
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, dict):
        pairs = [[_packed(part, arrays) for part in pair] for pair in value.items()]
        return {"dict": pairs}
    name = f"{type(value).__module__}:{type(value).__qualname__}"
    if _is_known(type(value)):
        if isinstance(value, enum.Enum):
            return {"member": value.name, "class": name}
        own = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {"class": name, "fields": {n: _packed(v, arrays) for n, v in own.items()}}
    raise ValueError(f"this model cannot be saved: it holds {type(value).__name__}")


def _unpacked(packed: Any, arrays: Mapping[str, Array]) -> Any:
    """The value that :func:`_packed` has packed."""
    if not isinstance(packed, dict):
        return packed
    if "class" in packed:
        return _object(packed, arrays)
    kind, content = next(iter(packed.items()))
    if kind == "array":
        return arrays[content]
    if kind == "number":
        return arrays[content][()]
    if kind == "bytes":
        return bytes.fromhex(content)
    if kind == "decimal":
        return Decimal(content)
    if kind == "dict":
        return {_unpacked(key, arrays): _unpacked(value, arrays) for key, value in content}
    if kind == "objects":
        cells = np.empty(packed["shape"], dtype=object)
        cells.ravel()[:] = _unpacked(content, arrays)
        return cells
    entries = [_unpacked(entry, arrays) for entry in content]
    return {"list": list, "tuple": tuple}[kind](entries)


def _object(packed: Mapping[str, Any], arrays: Mapping[str, Array]) -> Any:
    module, _, name = packed["class"].partition(":")
    # Only modules that the estimators have imported: importing would run what is in a module.
    kind: Any = getattr(sys.modules.get(module), name, None)
    if not _is_known(kind):
        raise ValueError(f"it holds {packed['class']}, which is unknown")
    if "member" in packed:
        return kind[packed["member"]]
    fields = {name: _unpacked(value, arrays) for name, value in packed["fields"].items()}
    if set(fields) != {field.name for field in dataclasses.fields(kind)}:
        raise ValueError(f"its {kind.__name__} has other fields")
    made: Any = object.__new__(kind)
    for name, value in fields.items():
        object.__setattr__(made, name, value)
    return made


def _is_known(kind: Any) -> bool:
    """Whether objects of a class are data of this package."""
    ours = isinstance(kind, type) and kind.__module__.partition(".")[0] == "mcmodels"
    return ours and (dataclasses.is_dataclass(kind) or issubclass(kind, enum.Enum))
