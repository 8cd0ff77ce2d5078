"""Model files of the command line: no code, a checksum, and one line for whatever is no model."""

import copy
import hashlib
import io
import itertools
import json
import os
import pickle
import stat
import subprocess
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

import mcmodels
from mcmodels import PCA, LinearRegression, LogisticRegression
from mcmodels.cli.model_files import FORMAT, load_model, new_pipeline, save_model
from mcmodels.solvers import room
from tests.certified import DATASETS
from tests.test_cli import accepted, contents, refused, run

MTCARS = DATASETS / "mtcars.csv"


@pytest.fixture
def saved(capsys, tmp_path):
    """A model file, its predictions, and the bytes of the file."""
    model, out = tmp_path / "cars.model", tmp_path / "o.csv"
    options = ["--features", "wt", "cyl", "--categorical", "cyl"]
    accepted(capsys, "fit", "linear", MTCARS, "--target", "mpg", *options, "--save", model)
    accepted(capsys, "predict", model, MTCARS, "--output", out)
    return model, pd.read_csv(out), model.read_bytes()


def test_one_flipped_bit_anywhere_is_one_line(capsys, saved, tmp_path):
    model, _, content = saved
    rng = np.random.default_rng(0)
    # Every bit of the beginning, where the file says what it is, and many of the rest.
    positions = [*range(8 * 60), *rng.integers(8 * 60, 8 * len(content), 3000).tolist()]
    for position in positions:
        damaged = bytearray(content)
        damaged[position // 8] ^= 1 << position % 8
        model.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"is damaged|is not a model|joblib") as refusal:
            load_model(model)
        assert "\n" not in str(refusal.value)
    message = refused(capsys, "predict", model, MTCARS, "--output", tmp_path / "new.csv")
    assert message == f"{model} is damaged: its checksum is wrong; restore it, or fit again"
    assert not (tmp_path / "new.csv").exists()


def test_cut_and_lengthened_files_are_refused(saved):
    model, _, content = saved
    for changed in [content[:k] for k in range(0, len(content), 97)] + [content + b"\0"]:
        model.write_bytes(changed)
        with pytest.raises(ValueError, match=r"is damaged|is not a model"):
            load_model(model)


# The program for several files, each in a process of its own that has the imports already.
PREDICTIONS = """
import os, sys
from mcmodels.cli import main
import mcmodels.cli.models  # before the processes part
rows, output, *models = sys.argv[1:]
for model in models:
    child = os.fork()
    if not child:
        sys.exit(main(["predict", model, rows, "--output", output]))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def test_damage_ends_the_process_with_one_line(saved, tmp_path):
    _, _, content = saved
    models = []
    for position in np.random.default_rng(1).integers(0, len(content), 4):
        damaged = bytearray(content)
        damaged[position] ^= 16
        models.append(tmp_path / f"damaged at {position}")
        models[-1].write_bytes(damaged)
    command = [sys.executable, "-c", PREDICTIONS, MTCARS, tmp_path / "n.csv", *models]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout == b"2\n" * len(models)
    errors = done.stderr.splitlines()
    assert len(errors) == len(models)
    assert all(line.startswith(b"mcmodels: error: ") for line in errors)
    assert not (tmp_path / "n.csv").exists()


def rewritten(content, change):
    """A model file with a changed document and a right checksum."""
    start = len(b"mcmodels model file\n")
    with np.load(io.BytesIO(content[start + 32 :])) as archive:
        arrays = dict(archive)
    document = json.loads(arrays["document"].tobytes())
    document = change(document) or document
    arrays["document"] = np.frombuffer(json.dumps(document).encode(), np.uint8)
    stored = io.BytesIO()
    np.savez(stored, **arrays)
    body = stored.getvalue()
    return content[:start] + hashlib.sha256(body).digest() + body


def test_a_newer_file_says_which_version_wrote_it(capsys, saved, tmp_path):
    model, _, content = saved
    newer = {"format": FORMAT + 1, "mcmodels": "9.9.9"}
    model.write_bytes(rewritten(content, lambda document: document | newer))
    message = refused(capsys, "predict", model, MTCARS, "--output", tmp_path / "n.csv")
    assert message == (
        f"{model} was written by mcmodels 9.9.9 and cannot be read by {mcmodels.__version__} "
        "(its format is newer); use that version, or fit again"
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.pop("model") and None,
        lambda document: document["parameters"].update(dict=[["nonsense", 1]]),
        lambda document: document["attributes"]["dict"].append(["predict", 1]),
        lambda document: document["features"].append("more"),
        lambda document: document | {"attributes": {"array": "nowhere"}},
        lambda document: document | {"attributes": {"class": "os:system", "fields": {}}},
        lambda document: (
            document | {"attributes": {"class": "mcmodels.cli.main:run", "fields": {}}}
        ),
        lambda document: document | {"attributes": {"class": "mcmodels.rows:Seen", "fields": {}}},
        lambda document: ["no", "fields"],
    ],
)
def test_files_that_contradict_themselves_are_one_line(capsys, saved, tmp_path, change):
    model, _, content = saved
    model.write_bytes(rewritten(content, change))
    message = refused(capsys, "predict", model, MTCARS, "--output", tmp_path / "n.csv")
    assert "cannot be read by" in message


def test_the_file_holds_no_pickle(saved):
    _, _, content = saved
    with np.load(io.BytesIO(content[len(b"mcmodels model file\n") + 32 :])) as archive:
        kinds = {archive[name].dtype.kind for name in archive.files}
    assert "O" not in kinds


class Bomb:
    """Leaves a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)])
def test_joblib_files_are_not_read_unless_trusted(capsys, tmp_path, compress):
    model, trace = tmp_path / "m.joblib", tmp_path / "exploded"
    joblib.dump(Bomb(trace), model, compress=compress)
    argv = ["predict", model, MTCARS, "--output", tmp_path / "o.csv"]
    message = refused(capsys, *argv)
    assert message == (
        f"{model} looks like a joblib file, which runs any code that it holds when it is read; if "
        "you trust it, add --trust-pickle"
    )
    assert not trace.exists()
    message = refused(capsys, *argv, "--trust-pickle")
    assert "is not a model saved by 'mcmodels fit --save'" in message
    assert trace.exists()  # so the file was a trap indeed


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_any_protocol_are_refused(tmp_path, protocol):
    model, trace = tmp_path / "m.joblib", tmp_path / "exploded"
    model.write_bytes(pickle.dumps(Bomb(trace), protocol))
    with pytest.raises(ValueError, match=r"joblib|is not a model"):
        load_model(model)
    assert not trace.exists()


def test_a_trusted_joblib_file_predicts(capsys, saved, tmp_path):
    model, expected, _ = saved
    joblib.dump(load_model(model), tmp_path / "m.joblib")
    out = tmp_path / "again.csv"
    argv = ["predict", tmp_path / "m.joblib", MTCARS, "--output", out, "--trust-pickle"]
    accepted(capsys, *argv)
    pd.testing.assert_frame_equal(pd.read_csv(out), expected)
    for broken in (b"\x80\x05garbage", pickle.dumps({"encode": 1, "model": 2})):
        (tmp_path / "m.joblib").write_bytes(broken)
        message = refused(capsys, *argv)
        assert "is not a model saved by 'mcmodels fit --save'" in message


RNG = np.random.default_rng(3)
X = pd.DataFrame(RNG.normal(size=(60, 4)), columns=list("abcd")).assign(
    text=RNG.choice(["u", "ü", "w"], 60), number=RNG.choice([1.5, np.pi, 3.0], 60)
)
NOISY = X["a"] + RNG.normal(size=60)
FITS = [
    *((LinearRegression(solver=s), NOISY) for s in ("auto", "normal", "pinv")),
    (LinearRegression(fit_intercept=False), NOISY),
    *(
        (LogisticRegression(solver=s, C=C), classes)
        for s in ("auto", "newton", "newton-cholesky")
        for C in (1.0, np.inf)
        for classes in (NOISY > 0, np.digitize(NOISY, [-1, 1]), NOISY.gt(0).map(str) + " ✓")
    ),
    *(
        (PCA(n_components=k, solver=s, whiten=True), None)
        for s in ("auto", "eigh", "deflation")
        for k in (None, 2, 0.5, "mle")
    ),
]


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.FitWarning")
@pytest.mark.parametrize("side", [None, 3])
@pytest.mark.parametrize("number", range(len(FITS)))
def test_what_is_read_back_is_the_fit_to_the_last_bit(tmp_path, monkeypatch, number, side):
    if side is not None:
        monkeypatch.setattr(room, "LARGEST_SIDE", side)  # fits without a Hessian
    model, y = FITS[number]
    fitted = new_pipeline(model, list(X.columns), ["text", "number"])
    fitted.fit(X, y)
    save_model(fitted, tmp_path / "m")
    again = load_model(tmp_path / "m")
    assert again["model"].get_params() == fitted["model"].get_params()
    one, other = (
        np.asarray(m.transform(X) if isinstance(model, PCA) else m.predict(X))
        for m in (fitted, again)
    )
    assert one.dtype == other.dtype
    np.testing.assert_array_equal(one, other)
    assert report(fitted["model"]) == report(again["model"])
    if isinstance(model, LogisticRegression):
        np.testing.assert_array_equal(fitted.predict_proba(X), again.predict_proba(X))


def report(model):
    try:
        return str(model.summary())
    except ValueError as reason:
        return str(reason)


def test_levels_of_any_length_and_type_come_back(tmp_path):
    kinds = {
        "bits": np.array([True, False]),
        "whole": np.arange(-3, 4),
        "names": np.array(["a", "b", "0", "x=y"], dtype=object),
        "parts": np.array([0.1, 1e300, -0.0]),
    }
    frame = pd.DataFrame(
        list(itertools.islice(itertools.product(*kinds.values()), 0, None, 5)), columns=list(kinds)
    ).astype({"names": object})
    frame.insert(1, "z", np.random.default_rng(0).normal(size=len(frame)))
    fitted = new_pipeline(LinearRegression(), list(frame.columns), list(kinds))
    fitted.fit(frame, frame["z"] * 2 + frame["bits"])
    save_model(fitted, tmp_path / "m")
    again = load_model(tmp_path / "m")
    assert list(again["encode"].get_feature_names_out()) == list(
        fitted["encode"].get_feature_names_out()
    )
    np.testing.assert_array_equal(again.predict(frame), fitted.predict(frame))


def test_a_failed_save_leaves_the_old_file(capsys, saved, monkeypatch):
    model, *_ = saved

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    before = contents(model.parent)
    argv = ["fit", "linear", MTCARS, "--target", "hp", "--save", model]
    assert "No space left" in refused(capsys, *argv)
    assert contents(model.parent) == before


def test_what_is_no_regular_file_is_not_replaced(capsys, tmp_path):
    # A pipe stands for devices: a test that fails must not replace those of the machine.
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        message = refused(capsys, "fit", "linear", MTCARS, "--target", "mpg", "--save", path)
        assert message == f"cannot write to {path}: it is not a regular file"
    assert pipe.is_fifo()


# Where files are written


def test_a_link_stays_and_what_it_leads_to_is_replaced(capsys, tmp_path):
    folder, real, link = tmp_path / "there", tmp_path / "there" / "real", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(real)
    for columns in (["wt"], ["wt", "hp"]):  # a new file, and then an old one
        options = ["--target", "mpg", "--features", *columns, "--save", link]
        accepted(capsys, "fit", "linear", MTCARS, *options)
        assert link.is_symlink()
        assert not real.is_symlink()
        assert list(load_model(real).feature_names_in_) == columns
    assert [path.name for path in folder.iterdir()] == ["real"]


def test_a_replaced_file_keeps_its_permissions(capsys, tmp_path):
    model = tmp_path / "m"
    model.touch(mode=0o600)
    model.chmod(0o640)
    accepted(capsys, "fit", "linear", MTCARS, "--target", "mpg", "--save", model)
    assert stat.S_IMODE(model.stat().st_mode) == 0o640
    load_model(model)


def test_a_read_only_file_is_not_replaced(capsys, tmp_path, monkeypatch):
    model = tmp_path / "m"
    model.write_text("old")
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may write everywhere
    message = refused(capsys, "fit", "linear", MTCARS, "--target", "mpg", "--save", model)
    assert message == f"cannot write to {model}: it is read-only"
    assert model.read_text() == "old"


def test_predictions_do_not_replace_the_model(capsys, saved, tmp_path):
    model, _, content = saved
    named = model.rename(tmp_path / "cars.csv")
    message = refused(capsys, "predict", named, MTCARS, "--output", named)
    assert message == f"{named} is the input file; write to another"
    assert named.read_bytes() == content


# Right checksums, wrong contents


WRONG = [
    *(None, True, -1, 10**400, 1e308, float("nan"), "", "x", [], {}, [[]], {"array": "array0"}),
    *({"array": "nowhere"}, {"tuple": [1]}, {"dict": [[{"list": []}, 2]]}, {"bytes": "zz"}),
    *({"class": 5}, {"class": "os:system", "fields": {}}, {"objects": [1], "shape": [10**12]}),
]


def spots(value):
    """All places in a JSON value: the containers, and the keys in them."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in list(pairs):
        yield value, key
        if isinstance(part, dict | list):
            yield from spots(part)


def spoilt(document, arrays, rng):
    """The contents of a model file, with something in it deleted, replaced or put elsewhere."""
    document, arrays = copy.deepcopy(document), dict(arrays)
    places = list(spots(document))
    container, key = places[rng.integers(len(places))]
    name, other = rng.choice(sorted(arrays), 2)
    match rng.integers(7):
        case 0:
            del container[key]
        case 1 | 2:
            container[key] = WRONG[rng.integers(len(WRONG))]
        case 3:
            container[key] = copy.deepcopy((lambda c, k: c[k])(*places[rng.integers(len(places))]))
        case 4:
            arrays[name] = arrays[other]
        case 5:
            arrays[name] = np.append(arrays[name].ravel(), arrays[name].ravel()[:1])
        case 6:
            arrays[name] = np.array(["a", "b"]) if rng.random() < 0.5 else np.zeros((0, 3), np.int8)
    return document, arrays


@pytest.mark.parametrize("model", ["linear", "logistic", "pca"])
@pytest.mark.parametrize(("seed", "count"), [(4, 50), pytest.param(5, 200, marks=pytest.mark.slow)])
def test_contradictions_of_any_kind_are_one_line(capsys, tmp_path, model, seed, count):
    path, out, rng = tmp_path / "m", tmp_path / "o.csv", np.random.default_rng(seed)
    target = {"linear": ["--target", "mpg"], "logistic": ["--target", "carb"], "pca": []}[model]
    options = [*target, "--features", "wt", "cyl", "--categorical", "cyl", "--save", path]
    accepted(capsys, "fit", model, MTCARS, *options)
    start = len(b"mcmodels model file\n")
    content = path.read_bytes()
    with np.load(io.BytesIO(content[start + 32 :])) as archive:
        arrays = dict(archive)
    document = json.loads(arrays.pop("document").tobytes())
    argv = ["predict", path, MTCARS, "--output", out]
    argv += ["--intervals"] if model != "pca" else []
    for _ in range(count):
        changed, others = spoilt(document, arrays, rng)
        body = io.BytesIO()
        text = np.frombuffer(json.dumps(changed).encode(), np.uint8)
        np.savez(body, document=text, **others)
        digest = hashlib.sha256(body.getvalue()).digest()
        path.write_bytes(content[:start] + digest + body.getvalue())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code, _, err = run(capsys, *argv)
        # What no prediction needs may be wrong; but there is no traceback.
        assert code in (0, 2)
        assert code == 0 or (err.startswith("mcmodels: error: ") and err.count("\n") == 1)
