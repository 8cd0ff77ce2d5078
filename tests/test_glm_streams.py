"""Offsets of rows that come in blocks: a fit to a stream is the fit to the same rows in memory."""

import copy

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from mcmodels import (
    PCA,
    LinearRegression,
    LogisticRegression,
    MLPRegressor,
    ObjectiveRegressor,
    RowStream,
)
from mcmodels import GeneralizedLinearRegressor as Glm
from mcmodels.rows import ArrayRows, SpreadSample, gathered, gathering
from tests.glm_problems import problem, statsmodels_family
from tests.numerics import relative_error

# The same sums over rows in other blocks differ by a few hundred roundings, and the fits end at
# the same point up to their gradients; Hessians of these problems have conditions below 1e3.
RTOL = 1e-10
TIGHT = {"tol": 1e-13}
CASES = [
    ("poisson", "log"),
    ("gamma", "log"),
    ("normal", "identity"),
    ("binomial", "logit"),
    ("negative_binomial", "log"),
    ("inverse_gaussian", "inverse_squared"),
]
N = 400


def rows(family="poisson", link="log", n=N):
    """X, y, weights with zeros, and an offset."""
    X, y, w, added = problem(family, link, n=n, offset=True, weights=True)
    w[::7] = 0.0
    w[:9] = 0.0  # a whole block of the smaller ones
    return X, y, w, added


def blocks_of(*parts, height=97):
    """A stream of the rows in blocks of this height; a part may be None."""

    def walk():
        for start in range(0, len(parts[0]), height):
            part = slice(start, start + height)
            yield tuple(None if values is None else values[part] for values in parts)

    return RowStream(walk)


@pytest.mark.parametrize("height", [1, 7, 97, N])
@pytest.mark.parametrize(("family", "link"), CASES)
def test_fits_are_those_in_memory(family, link, height):
    n = N if height > 1 else 80  # blocks of one row take long
    X, y, w, added = rows(family, link, n)
    stream = blocks_of(X, y, w, added, height=height)
    options = {"family": family, "link": link, **TIGHT}
    model, known = Glm(**options).fit(stream), Glm(**options).fit(X, y, w, offset=added)
    assert relative_error(model.params_, known.params_) < RTOL
    assert relative_error(model.standard_errors_, known.standard_errors_) < RTOL
    assert relative_error(model.log_likelihood_, known.log_likelihood_) < RTOL
    for kind in ("nonrobust", "expected", "HC0", "HC1", "HC2", "HC3"):
        expected = known.covariance(X, y, w, kind=kind, offset=added)
        assert relative_error(model.covariance(stream, kind=kind), expected) < RTOL
    groups = np.arange(n) % 23
    expected = known.covariance(X, y, w, kind="cluster", groups=groups, offset=added)
    found = model.covariance(stream, kind="cluster", groups=groups)
    assert relative_error(found, expected) < RTOL
    assert abs(model.score(stream) - known.score(X, y, w, offset=added)) < RTOL
    assert relative_error(model.predict(stream), known.predict(X, offset=added)) < RTOL


@pytest.mark.parametrize("height", [7, N])
def test_methods_of_rows(height):
    X, y, w, added = rows()
    stream = blocks_of(X, y, w, added, height=height)
    model = Glm("poisson", **TIGHT).fit(X, y, w, offset=added)
    point, vector = model.params_ + 0.1, np.arange(1.0, 5.0)
    in_memory = {"y": y, "sample_weight": w, "offset": added}
    for name, options in {
        "objective": {"params": point},
        "gradient": {"params": point},
        "hessian": {"params": point},
        "hessian_vector_product": {"params": point, "vector": vector},
        "residuals": {},
        "profile_intervals": {"parameters": ["x0", "(intercept)"]},
        "likelihood_ratio_tests": {},
        "confidence_intervals": {"kind": "HC1"},
    }.items():
        method = getattr(model, name)
        if name == "confidence_intervals":
            found, expected = method(X=stream, **options), method(X=X, **in_memory, **options)
        else:
            found, expected = method(stream, **options), method(X, **in_memory, **options)
        # The ends of profiles are roots that are found up to 1e-9 of their distances.
        assert relative_error(found, expected) < (1e-8 if "profile" in name else RTOL), name
    for kind in ("pearson", "anscombe", "response", "working"):
        expected = model.residuals(X, y, w, kind=kind, offset=added)
        assert relative_error(model.residuals(stream, kind=kind), expected) < RTOL
    drawn = model.residuals(X, y, w, kind="quantile", random_state=0, offset=added)
    found = model.residuals(stream, kind="quantile", random_state=0)
    # Normal quantiles near the ends of their range have large slopes.
    assert relative_error(found, drawn) < 1e-8
    text = str(model.summary(stream, kind="HC0"))
    assert text == str(model.summary(X, y, w, kind="HC0", offset=added))


def test_a_stream_beside_statsmodels():
    sm = pytest.importorskip("statsmodels.api")
    X, y, _, added = problem("poisson", "log", n=N, offset=True)
    stream = blocks_of(X, y, None, added)
    model = Glm("poisson", **TIGHT).fit(stream)
    design = np.column_stack([X, np.ones(N)])
    known = sm.GLM(y, design, family=statsmodels_family("poisson", "log"), offset=added)
    fitted = known.fit(tol=1e-13, maxiter=50)
    # Its last step is no larger than the root of its tolerance.
    assert relative_error(model.params_, fitted.params) < 1e-9
    assert relative_error(model.standard_errors_, fitted.bse) < 1e-9
    robust = known.fit(tol=1e-13, maxiter=50, cov_type="HC0").bse
    found = np.sqrt(np.diagonal(model.covariance(stream, kind="HC0")))
    assert relative_error(found, robust) < 1e-9


def test_an_offset_is_a_column_with_coefficient_one():
    """Where a column has the coefficient c, an offset of c times the column changes no other."""
    X, y, w, _ = rows()
    wide = Glm("poisson", **TIGHT).fit(blocks_of(X, y, w, height=13))
    offset = wide.coef_[2] * X[:, 2]
    model = Glm("poisson", **TIGHT).fit(blocks_of(X[:, :2], y, w, offset, height=13))
    # Both gradients are below 1e-13 Σw.
    assert relative_error(model.params_, wide.params_[[0, 1, 3]]) < RTOL
    assert relative_error(model.deviance_, wide.deviance_) < RTOL


def test_exposures_are_logarithms_of_offsets():
    X, y, w, added = rows()
    years = np.exp(added)
    known = Glm("poisson", **TIGHT).fit(X, y, w, offset=added)
    for parts in ((None, years), (added / 2, np.sqrt(years))):
        stream = blocks_of(X, y, w, *parts, height=31)
        model = Glm("poisson", **TIGHT).fit(stream)
        assert relative_error(model.params_, known.params_) < RTOL
        assert relative_error(model.predict(stream), known.predict(X, offset=added)) < RTOL
        assert relative_error(model.covariance(stream), known.covariance(X, y, w, offset=added)) < (
            RTOL
        )
        assert next(len(block) for block in stream) == 5
    with pytest.raises(ValueError, match=r"block 0 .*exposure multiplies the mean"):
        Glm("normal").fit(blocks_of(X, y, w, None, years))
    # The link is that of the fit, whatever the parameters are now.
    other = copy.copy(model).set_params(link="sqrt")
    assert relative_error(other.covariance(stream), model.covariance(stream)) < RTOL


@pytest.mark.parametrize("form", ["frame", "csr", "float32", "lists"])
def test_forms_of_blocks(form):
    X, y, w, added = rows()
    if form == "float32":
        X = X.astype(np.float32).astype(np.float64)

    def walk():
        for start in range(0, N, 53):
            part = slice(start, start + 53)
            given = X[part]
            if form == "frame":
                given = pd.DataFrame(given, columns=list("abc"), index=np.arange(N)[part])
                series = (pd.Series(values[part], index=given.index) for values in (y, w, added))
                yield given, *series
            elif form == "csr":
                yield sparse.csr_array(given), y[part], w[part], added[part]
            elif form == "float32":
                yield given.astype(np.float32), y[part], w[part], added[part]
            else:
                yield given.tolist(), y[part].tolist(), w[part].tolist(), added[part].tolist()

    stream = RowStream(walk)
    model, known = Glm("poisson", **TIGHT).fit(stream), Glm("poisson", **TIGHT)
    known.fit(X, y, w, offset=added)
    # float32 blocks are converted exactly, but their predictions are rounded to float32.
    exact = RTOL if form != "float32" else 1e-6
    assert relative_error(model.params_, known.params_) < RTOL
    assert relative_error(model.predict(stream), known.predict(X, offset=added)) < exact


@pytest.mark.parametrize("limit", [1, 50, 10**6])
def test_arrays_that_a_reader_uses_again(limit, monkeypatch):
    """Blocks that are gathered, or summed as they are, before the next ones overwrite them."""
    monkeypatch.setattr(gathering, "_GATHERED_ENTRIES", 2 * limit)
    monkeypatch.setattr(gathering, "_LARGE_ENTRIES", limit)
    given = rows()

    def walk():
        held = [np.empty((20, *values.shape[1:])) for values in given]
        for start in range(0, N, 20):
            for values, array in zip(given, held, strict=True):
                array[:] = values[start : start + 20]
            yield tuple(held)
            for array in held:
                array[:] = np.nan

    X, y, w, added = given
    stream, known = RowStream(walk), Glm("poisson", **TIGHT).fit(X, y, w, offset=added)
    model = Glm("poisson", **TIGHT).fit(stream)
    assert relative_error(model.params_, known.params_) < RTOL
    expected = known.covariance(X, y, w, kind="HC3", offset=added)
    assert relative_error(model.covariance(stream, kind="HC3"), expected) < RTOL
    assert relative_error(model.predict(stream), known.predict(X, offset=added)) < RTOL


def test_without_weights_and_without_targets():
    X, y, _, added = rows()
    stream = blocks_of(X, y, None, added, height=11)
    model, known = Glm("poisson", **TIGHT).fit(stream), Glm("poisson", **TIGHT)
    known.fit(X, y, offset=added)
    assert relative_error(model.params_, known.params_) < RTOL
    new = blocks_of(X, None, None, added, height=11)
    assert relative_error(model.predict(new), known.predict(X, offset=added)) < RTOL


def test_theta_is_estimated_with_an_offset():
    X, y, _, added = problem("negative_binomial", "log", n=N, offset=True)
    known = Glm("negative_binomial", theta="estimate").fit(X, y, offset=added)
    model = Glm("negative_binomial", theta="estimate").fit(blocks_of(X, y, None, added))
    # θ ends where its step is below 1e-8 of it.
    assert relative_error(model.theta_, known.theta_) < 1e-8
    assert relative_error(model.params_, known.params_) < 1e-8


def test_a_start_from_a_part_of_the_rows_knows_their_offset():
    """Fits begin at a sample that is held: with an offset far from zero, a start without it fails.

    With means of exp(-700 + 700), a start that ignores the offset has an infinite objective.
    """
    X, y, w, added = rows()
    far = added + 700.0
    model = Glm("poisson", **TIGHT).fit(blocks_of(X, y, w, far, height=19))
    known = Glm("poisson", **TIGHT).fit(X, y, w, offset=added)
    # 700 has a rounding of 1e-13, which is one of the intercept.
    assert relative_error(model.params_[:-1], known.params_[:-1]) < 1e-9
    assert abs(model.intercept_ + 700.0 - known.intercept_) < 1e-9


class TestCompanionsInBlocks:
    """What stands beside a row stays with it while blocks are gathered, sampled and cut."""

    NUMBER = np.arange(1.0, 1001.0)

    def chunks(self, heights, limit, monkeypatch):
        monkeypatch.setattr(gathering, "_GATHERED_ENTRIES", 2 * limit)
        monkeypatch.setattr(gathering, "_LARGE_ENTRIES", limit)
        starts = np.concatenate([[0], np.cumsum(heights)])
        starts = starts[starts < 1000]
        parts = [slice(a, b) for a, b in zip(starts, [*starts[1:], 1000], strict=True)]
        blocks = [
            (self.NUMBER[p, np.newaxis], self.NUMBER[p], None, {"offset": self.NUMBER[p]})
            for p in parts
        ]
        return [
            [np.array(chunk.X[:, 0]), np.array(chunk.extras["offset"])]
            for chunk in gathered(blocks)
        ]

    @pytest.mark.parametrize("limit", [1, 10, 64, 5000])
    @pytest.mark.parametrize("seed", range(5))
    def test_gathered(self, seed, limit, monkeypatch):
        heights = np.random.default_rng(seed).integers(1, 60, 900)
        found = self.chunks(heights, limit, monkeypatch)
        for X, offset in found:
            np.testing.assert_array_equal(X, offset)
        np.testing.assert_array_equal(np.concatenate([X for X, _ in found]), self.NUMBER)

    def test_blocks_with_and_without_are_not_gathered_together(self):
        one = np.ones((3, 1))
        found = list(gathered([(one, None, None, {"offset": one[:, 0]}), (one,), (one,)]))
        assert [(len(c.X), bool(c.extras)) for c in found] == [(3, True), (6, False)]

    @pytest.mark.parametrize("most", [64, 100, 2000])
    def test_sampled(self, most):
        samples = SpreadSample(most), SpreadSample(most)
        for k, part in enumerate(np.split(self.NUMBER, [7, 300, 301, 800])):
            weights = np.ones(len(part))
            weights[::3] = 0.0
            samples[k > 2].add(part[:, np.newaxis], part, weights, {"offset": part})
        for sample in (*samples, samples[0] + samples[1]):
            kept = sample.stacked()
            np.testing.assert_array_equal(kept.X[:, 0], kept.extras["offset"])
            assert ArrayRows(*kept[:4]).n_rows == len(kept.y)

    def test_a_planted_shift_is_seen(self):
        """The comparison of fits tells offsets that are one row off."""
        X, y, w, added = rows()
        known = Glm("poisson", **TIGHT).fit(X, y, w, offset=added)
        model = Glm("poisson", **TIGHT).fit(blocks_of(X, y, w, np.roll(added, 1)))
        assert relative_error(model.params_, known.params_) > 1e-3


class TestTrainingRows:
    def fitted(self):
        X, y, w, added = rows()
        return Glm("poisson").fit(blocks_of(X, y, w, added)), (X, y, w, added)

    def test_other_blocks_of_the_rows(self):
        model, given = self.fitted()
        X, y, w, added = given
        expected = model.covariance(X, y, w, offset=added, kind="HC0")
        order = np.random.default_rng(0).permutation(N)
        others = [blocks_of(*given, height=height) for height in (1, 50, N)]
        others.append(blocks_of(*(values[order] for values in given)))
        for stream in others:
            # Sums of the same terms in another order.
            assert relative_error(model.covariance(stream, kind="HC0"), expected) < 1e-10

    # A constant changes the objective by its square: the sums of the offsets tell it.
    @pytest.mark.parametrize("change", [1e-2, 1e-5, 1e-8, "moved", "doubled"])
    def test_other_offsets_are_refused(self, change):
        model, (X, y, w, added) = self.fitted()
        others = {"moved": np.roll(added, 1), "doubled": 2 * added}
        other = others[change] if change in others else added + change
        for call in (
            lambda: model.covariance(blocks_of(X, y, w, other), kind="HC0"),
            lambda: model.covariance(X, y, w, kind="HC0", offset=other),
            lambda: model.profile_intervals(blocks_of(X, y, w, other), parameters=["x0"]),
        ):
            with pytest.raises(ValueError, match="not the rows that the model was fitted to"):
                call()

    def test_missing_offsets_are_refused(self):
        model, (X, y, w, _) = self.fitted()
        stream = blocks_of(X, y, w)
        for call in (
            model.predict,
            model.score,
            model.covariance,
            model.residuals,
            model.objective,
            model.gradient,
            model.hessian,
            model.profile_intervals,
            model.likelihood_ratio_tests,
            model.summary,
        ):
            with pytest.raises(ValueError, match="fitted with an offset or an exposure"):
                call(stream)

    def test_an_offset_that_the_fit_had_not_is_refused(self):
        X, y, w, added = rows()
        model = Glm("poisson").fit(blocks_of(X, y, w))
        with pytest.raises(
            ValueError,
            match="offset was given with the training rows, and the model was fitted without",
        ):
            model.covariance(blocks_of(X, y, w, added), kind="HC0")


def changing(first, later):
    """A stream whose walks after the first are other ones."""
    walks = iter([first])
    return RowStream(lambda: iter(next(walks, later)))


@pytest.mark.parametrize("height", [40, N])
def test_later_walks_with_other_offsets_are_refused(height):
    X, y, w, added = rows()

    def cut(*parts):
        return list(blocks_of(*parts, height=height))

    one = added.copy()
    one[200] += 1e-6
    exchanged = added.copy()
    exchanged[[100, 300]] = exchanged[[300, 100]]
    w1 = np.ones(N)
    for other, message in (
        (added + 0.5, "sum over the offsets"),
        (one, "sum over the offsets"),
        (exchanged, "entries are in other rows"),
    ):
        with pytest.raises(ValueError, match=message):
            Glm("poisson").fit(changing(cut(X, y, w1, added), cut(X, y, w1, other)))
    with pytest.raises(ValueError, match="no offset in this walk, and offset in the first"):
        Glm("poisson").fit(changing(cut(X, y, w, added), cut(X, y, w)))
    with pytest.raises(ValueError, match="offset in this walk, and none in the first"):
        Glm("poisson").fit(changing(cut(X, y, w), cut(X, y, w, added)))


BAD = {
    "NaN": (lambda o: np.where(np.arange(len(o)) == 3, np.nan, o), "row 3 of offset"),
    "infinite": (lambda o: np.where(np.arange(len(o)) == 3, np.inf, o), "row 3 of offset"),
    "short": (lambda o: o[:-1], r"offset has shape \(96,\).*97 rows"),
    "two columns": (lambda o: np.column_stack([o, o]), r"offset has shape \(97, 2\)"),
    "a number": (lambda o: 1.0, "offset=1.0 must be an array"),
    "missing": (lambda o: None, "has no offset, and earlier blocks have offset"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_offsets_are_refused_with_their_block(kind):
    X, y, w, added = rows()
    spoil, message = BAD[kind]

    def walk():
        for number, block in enumerate(blocks_of(X, y, w, added)):
            yield block if number != 2 else (*block[:3], spoil(block[3]))

    model = Glm("poisson").fit(X, y, w, offset=added)
    for call in (Glm("poisson").fit, model.predict, model.score, model.covariance):
        with pytest.raises((ValueError, TypeError), match="block 2 of the stream.*" + message):
            call(RowStream(walk))


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_bad_exposures_are_refused_with_their_block(value):
    X, y, w, added = rows()
    years = np.exp(added)
    years[200] = value
    with pytest.raises(ValueError, match=r"block 2 of the stream.*exposure"):
        Glm("poisson").fit(blocks_of(X, y, w, None, years))


def test_an_offset_in_another_order_than_its_block():
    X, y, _, added = rows()
    frame = pd.DataFrame(X)
    moved = pd.Series(added, index=frame.index[::-1])
    with pytest.raises(ValueError, match=r"block 0 of the stream.*another order"):
        Glm("poisson").fit(RowStream([(frame, y, None, moved)]))


def test_offsets_beside_streams_are_refused():
    X, y, w, added = rows()
    stream = blocks_of(X, y, w, added)
    model = Glm("poisson").fit(stream)
    for name in ("offset", "exposure"):
        beside = {name: np.exp(added)}
        for call in (
            Glm("poisson").fit,
            model.predict,
            model.score,
            model.covariance,
            model.residuals,
            model.objective,
            model.profile_intervals,
            model.summary,
        ):
            with pytest.raises(ValueError, match=f"{name} was given together with a RowStream"):
                call(stream, **beside)
    with pytest.raises(ValueError, match="pass X and y"):
        model.covariance(offset=added)


WITHOUT_EXPOSURES = [
    LinearRegression(),
    LogisticRegression(),
    ObjectiveRegressor("(y - eta)**2"),
    PCA(2),
    MLPRegressor((2,), max_iter=2),
]


@pytest.mark.parametrize("model", WITHOUT_EXPOSURES, ids=lambda model: type(model).__name__)
@pytest.mark.filterwarnings("ignore:.*did not|.*stopped|.*rank|.*Newton")
def test_models_refuse_what_they_do_not_take(model):
    X, y, w, added = rows()
    labels = (y > 1).astype(int)
    model = copy.copy(model)
    name = type(model).__name__
    for argument, parts in {"offset": (added,), "exposure": (None, np.exp(added))}.items():
        if argument in model._offset_names:
            continue
        stream = blocks_of(X, labels, w, *parts)
        with pytest.raises(ValueError, match=f"an {argument}, and {name} takes none"):
            model.fit(stream)
        fitted = type(model)(**model.get_params()).fit(X, labels)
        names = ("predict", "score", "transform", "predict_proba", "objective", "covariance")
        found = [name for name in names if hasattr(fitted, name)]
        if name == "MLPRegressor":
            found = ["predict", "score", "objective"]
        if name == "PCA":
            found = ["transform", "score", "objective"]
        for method in found:
            with pytest.raises(ValueError, match=f"and {name} takes none"):
                getattr(fitted, method)(stream)


def test_blocks_are_handed_on_as_they_were_given():
    X, y, w, added = rows()
    parts = [len(block) for block in RowStream([X, (X, y), (X, y, w)])]
    assert parts == [3, 3, 3]
    ((*_, last),) = RowStream([(X, y, None, added)])
    assert last is added
    assert len(next(iter(RowStream([(X, y, w, None, None)])))) == 3
    for block in ((X, y, w, added, added, added), ()):
        with pytest.raises(ValueError, match=f"has {len(block)} parts"):
            list(RowStream([block]))
    scaled = RowStream(lambda: ((2 * X, *rest) for X, *rest in blocks_of(X, y, w, added)))
    model, known = Glm("poisson", **TIGHT).fit(scaled), Glm("poisson", **TIGHT)
    known.fit(X, y, w, offset=added)
    assert relative_error(2 * model.coef_, known.coef_) < RTOL


def test_empty_blocks_need_no_offset():
    X, y, w, added = rows()
    stream = RowStream([(X[:0], y[:0]), (X, y, w, added), (X[:0], y[:0])])
    known = Glm("poisson").fit(X, y, w, offset=added)
    assert relative_error(Glm("poisson").fit(stream).params_, known.params_) < RTOL


def test_pipelines_hand_on_offsets():
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from mcmodels import summarize

    X, y, w, added = rows()
    pipeline = make_pipeline(StandardScaler(), Glm("poisson"))
    steps = pipeline[0].fit(X)
    pipeline[-1].fit(steps.transform(X), y, w, offset=added)
    found = summarize(pipeline, blocks_of(X, y, w, added), kind="HC0").to_frame()
    expected = pipeline[-1].summary(steps.transform(X), y, w, kind="HC0", offset=added).to_frame()
    assert relative_error(found["standard_error"], expected["standard_error"]) < RTOL
