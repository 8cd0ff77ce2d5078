"""PCA: scikit-learn's results, constructed spectra, small variances, whitening, weights."""

import warnings

import numpy as np
import pytest
import sklearn.decomposition
from scipy import sparse
from sklearn.datasets import load_iris, make_low_rank_matrix

from mcmodels import PCA
from mcmodels.exceptions import ConvergenceWarning, RankDeficiencyWarning
from mcmodels.rows import RowStream
from tests.numerics import relative_error
from tests.problems import orthonormal

SHAPES = {"tall": (80, 6), "wide": (7, 30), "square": (10, 10)}
SOLVERS = ("auto", "eigh", "deflation")


def spectrum_problem(seed, n, p, variances, *, offset=3.0):
    """Rows whose sample covariance has the given eigenvalues and known eigenvectors."""
    rng = np.random.default_rng(seed)
    k = len(variances)
    U = orthonormal(rng, n, k, away_from=np.ones((n, 1)))
    V = orthonormal(rng, p, k)
    X = U * np.sqrt(np.asarray(variances) * (n - 1)) @ V.T
    return X + offset * rng.standard_normal(p), V.T


def up_to_sign(a, b):
    """Rows of a, each with the sign that brings it nearest to the row of b."""
    return a * np.where(np.einsum("kp,kp->k", a, b) < 0, -1, 1)[:, None]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n_components", [None, 1, 3, 0.7])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("whiten", [False, True])
@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.RankDeficiencyWarning")
def test_agrees_with_scikit_learn(shape, n_components, solver, whiten):
    rng = np.random.default_rng(0)
    n, p = SHAPES[shape]
    X = rng.standard_normal((n, p)) * np.geomspace(5, 1, p) + rng.standard_normal(p)
    reference = sklearn.decomposition.PCA(n_components, whiten=whiten, svd_solver="full").fit(X)
    model = PCA(n_components, whiten=whiten, solver=solver, random_state=0).fit(X)
    k = model.rank_
    assert model.n_components_ == reference.n_components_
    # Axes are as sharp as the gaps between variances allow: here a few per cent of the largest.
    assert relative_error(model.components_[:k], reference.components_[:k]) < 1e-10
    for name in ("explained_variance_", "explained_variance_ratio_", "mean_", "noise_variance_"):
        assert relative_error(getattr(model, name), getattr(reference, name)) < 1e-10
    assert relative_error(model.singular_values_[:k], reference.singular_values_[:k]) < 1e-10
    scores = model.transform(X)
    assert relative_error(scores[:, :k], reference.transform(X)[:, :k]) < 1e-10
    assert (
        relative_error(model.inverse_transform(scores), reference.inverse_transform(scores)) < 1e-10
    )
    if not whiten:  # scikit-learn's covariance of a whitened model is not that of the data
        assert relative_error(model.get_covariance(), reference.get_covariance()) < 1e-10
    names = model.get_feature_names_out()
    np.testing.assert_array_equal(names, reference.get_feature_names_out())


@pytest.mark.parametrize("n_components", [1, 3, 6])
@pytest.mark.parametrize("whiten", [False, True])
def test_likelihood_is_that_of_the_gaussian_with_the_model_covariance(n_components, whiten):
    from scipy.stats import multivariate_normal

    X = np.random.default_rng(1).standard_normal((60, 6)) * np.geomspace(3, 1, 6)
    model = PCA(n_components, whiten=whiten).fit(X)
    covariance = model.get_covariance()
    expected = multivariate_normal(model.mean_, covariance).logpdf(X)
    assert relative_error(model.score_samples(X), expected) < 1e-12
    assert model.score(X) == pytest.approx(expected.mean(), rel=1e-12)
    assert relative_error(model.get_precision(), np.linalg.inv(covariance)) < 1e-11
    plain = sklearn.decomposition.PCA(n_components).fit(X)
    assert relative_error(model.score_samples(X), plain.score_samples(X)) < 1e-10


def test_covariance_does_not_depend_on_whitening():
    X = np.random.default_rng(2).standard_normal((60, 5))
    assert (
        relative_error(PCA(3, whiten=True).fit(X).get_covariance(), PCA(3).fit(X).get_covariance())
        == 0
    )
    assert relative_error(PCA(whiten=True).fit(X).get_covariance(), np.cov(X.T)) < 1e-13


@pytest.mark.parametrize("n_components", [None, 4])
def test_singular_covariance_has_a_likelihood_on_its_subspace(n_components):
    from scipy.stats import multivariate_normal

    X = np.random.default_rng(3).standard_normal((5, 9)) + 3
    model = PCA(n_components).fit(X)
    covariance = model.get_covariance()
    expected = multivariate_normal(model.mean_, covariance, allow_singular=True).logpdf(X)
    assert np.isfinite(expected).all()
    assert relative_error(model.score_samples(X), expected) < 1e-10
    for off in (1e-3, 1e-6):
        assert np.all(model.score_samples(X + off * np.arange(9)) == -np.inf)
    assert relative_error(model.get_precision(), np.linalg.pinv(covariance, rcond=1e-10)) < 1e-10


@pytest.mark.parametrize("seed", range(5))
def test_minka_chooses_as_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((200, 8)) @ np.diag([6, 4, 3, 1, 1, 1, 1, 1])
    reference = sklearn.decomposition.PCA("mle", svd_solver="full").fit(X)
    model = PCA("mle").fit(X)
    assert model.n_components_ == reference.n_components_
    assert relative_error(model.noise_variance_, reference.noise_variance_) < 1e-11


@pytest.mark.parametrize("share", [0.05, 0.5, 0.92, 0.95, 0.999])
def test_a_share_of_the_variance(share):
    X = load_iris().data
    reference = sklearn.decomposition.PCA(share, svd_solver="full").fit(X)
    assert PCA(share).fit(X).n_components_ == reference.n_components_


@pytest.mark.parametrize("shape", [(200, 8), (9, 40)])
def test_variances_far_below_the_largest_keep_their_digits(shape):
    """Variances over 24 decades: through squares, everything below 1e-16 would be noise."""
    variances = np.geomspace(1, 1e-24, 8)
    X, V = spectrum_problem(4, *shape, variances, offset=0.0)
    model = PCA(8 if shape[0] > 8 else None).fit(X)
    assert model.solver_ == "svd"
    assert model.rank_ >= 8
    # An entry of X is rounded to 1e-16 of the largest deviation: an absolute error of 1e-16 in
    # the smallest deviation, which is 1e-12.
    deviations = np.sqrt(model.eigenvalues_[:8])
    assert np.abs(deviations / np.sqrt(variances) - 1).max() < 1e-2
    assert np.abs(deviations / np.sqrt(variances) - 1)[:5].max() < 1e-7
    through_squares = PCA(8 if shape[0] > 8 else None, solver="eigh").fit(X)
    assert through_squares.rank_ < 8
    assert np.abs(up_to_sign(model.components_[:8], V) - V).max() < 1e-2


def test_auto_takes_the_short_way_when_nothing_is_lost():
    X, _ = spectrum_problem(5, 100, 6, np.geomspace(1, 1e-5, 6))
    assert PCA().fit(X).solver_ == "eigh"
    X, _ = spectrum_problem(5, 100, 6, [1, 0.5, 0.2, 1e-9, 1e-9, 1e-9])
    assert PCA(3).fit(X).solver_ == "svd"
    assert PCA(3).fit(X).noise_variance_ == pytest.approx(1e-9, rel=1e-6)


@pytest.mark.parametrize("solver", SOLVERS)
def test_whitening_a_deficient_matrix_does_not_blow_up_noise(solver):
    """scikit-learn issue 29534: a maximum of 8.7e5 where 3.9 is right."""
    X = make_low_rank_matrix(1000, 10, effective_rank=2, random_state=0, tail_strength=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RankDeficiencyWarning)
        model = PCA(whiten=True, solver=solver, random_state=0).fit(X)
    scores = model.transform(X)
    expected = sklearn.decomposition.PCA(whiten=True, svd_solver="full").fit_transform(X)
    assert np.abs(scores).max() < 4
    k = 5  # components that squaring leaves seven digits
    assert relative_error(scores[:, :k], expected[:, :k]) < 1e-6
    # Through squares, deviations below √(8pε) = 1.3e-7 of the largest count as none.
    assert relative_error(model.inverse_transform(scores), X) < (
        1e-14 if solver == "auto" else 1e-6
    )


@pytest.mark.parametrize("shape", [(60, 6), (8, 30)])
@pytest.mark.parametrize("solver", SOLVERS)
def test_exactly_deficient_rows(shape, solver):
    rng = np.random.default_rng(6)
    X = rng.standard_normal((shape[0], 3)) @ rng.standard_normal((3, shape[1])) + 4
    with pytest.warns(RankDeficiencyWarning, match="only 3 of 6 components"):
        model = PCA(6, whiten=True, solver=solver, random_state=0).fit(X)
    assert model.rank_ == 3
    assert model.status_ == "rank deficient"
    assert np.all(model.eigenvalues_[3:] == 0)
    assert relative_error(model.components_ @ model.components_.T, np.eye(6)) < 1e-12
    scores = model.transform(X)
    assert np.all(scores[:, 3:] == 0)
    assert relative_error(scores[:, :3].var(axis=0, ddof=1), np.ones(3)) < 1e-10
    assert relative_error(model.inverse_transform(scores), X) < 1e-12


@pytest.mark.parametrize("solver", SOLVERS)
def test_repeated_eigenvalues(solver):
    X, V = spectrum_problem(7, 50, 5, [4, 1, 1, 1, 0.25])
    model = PCA(solver=solver, random_state=1).fit(X)
    assert relative_error(model.eigenvalues_, [4, 1, 1, 1, 0.25]) < 1e-12
    # Only the span of equal components is determined.
    projector = model.components_[1:4].T @ model.components_[1:4]
    assert relative_error(projector, V[1:4].T @ V[1:4]) < 1e-11
    assert relative_error(model.components_ @ model.components_.T, np.eye(5)) < 1e-13


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("solver", ["auto", "eigh"])
def test_sparse_rows_equal_dense_rows(shape, weighted, solver):
    rng = np.random.default_rng(8)
    X = rng.standard_normal(SHAPES[shape])
    X[np.abs(X) < 0.7] = 0
    X[:, 2] += 50  # a filled column
    w = rng.integers(0, 3, len(X)).astype(float) if weighted else None
    dense = PCA(3, solver=solver).fit(X, sample_weight=w)
    for storage in (sparse.csr_array, sparse.csc_matrix):
        model = PCA(3, solver=solver).fit(storage(X), sample_weight=w)
        assert relative_error(model.components_, dense.components_) < 1e-10
        assert relative_error(model.eigenvalues_, dense.eigenvalues_) < 1e-12
        assert np.abs(model.gradient_).max() < 1e-12 * model.eigenvalues_[0]
        assert relative_error(model.transform(storage(X)), dense.transform(X)) < 1e-10
        assert relative_error(model.hessian_, dense.hessian_) < 1e-12
        assert relative_error(model.score_samples(storage(X)), dense.score_samples(X)) < 1e-9


def test_sparse_rows_stay_sparse_in_memory():
    """120,000 × 400 rows would be 384 MB as an array."""
    import tracemalloc

    X = sparse.random_array((3000, 400), density=1e-2, rng=9, format="csr")
    tall = sparse.vstack([X] * 40, format="csr")
    tracemalloc.start()
    PCA(3).fit(tall)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.1 * tall.shape[0] * tall.shape[1] * 8


def test_weights_count_rows():
    X = np.random.default_rng(10).standard_normal((30, 4))
    w = np.random.default_rng(11).integers(1, 4, 30)
    model = PCA().fit(X, sample_weight=w)
    assert relative_error(model.get_covariance(), np.cov(X.T, fweights=w)) < 1e-13
    assert relative_error(model.mean_, np.average(X, axis=0, weights=w)) < 1e-14


def test_weights_that_sum_to_one_are_refused():
    X = np.random.default_rng(12).standard_normal((10, 2))
    with pytest.raises(ValueError, match="weights of the rows sum to 1; weights count rows"):
        PCA().fit(X, sample_weight=np.full(10, 0.1))


def test_float32_in_float32_out():
    X = np.random.default_rng(13).standard_normal((50, 4)).astype(np.float32)
    model = PCA(2).fit(X)
    assert model.transform(X).dtype == np.float32
    assert model.components_.dtype == np.float64
    assert relative_error(model.components_, PCA(2).fit(X.astype(float)).components_) < 1e-12


def test_deflation_that_may_not_iterate_long_enough_warns(monkeypatch):
    from mcmodels.solvers import deflation

    monkeypatch.setattr(deflation, "_MAX_ROUNDS", 1)
    monkeypatch.setattr(deflation, "_RAYLEIGH_STEPS", 1)
    X, _ = spectrum_problem(14, 60, 30, np.linspace(1.0, 0.99, 30))
    with pytest.warns(ConvergenceWarning, match="relative residual of 1e-12"):
        model = PCA(2, solver="deflation", random_state=0).fit(X)
    assert model.status_ == "not converged"
    assert np.isfinite(model.components_).all()


def test_deflation_is_reproducible_and_equals_eigh():
    X = np.random.default_rng(15).standard_normal((300, 40))
    fits = [PCA(10, solver="deflation", random_state=3).fit(X) for _ in range(2)]
    np.testing.assert_array_equal(fits[0].components_, fits[1].components_)
    exact = PCA(10, solver="eigh").fit(X)
    assert relative_error(fits[0].eigenvalues_, exact.eigenvalues_) < 1e-12
    # Neighbouring variances differ by about one per cent here.
    assert relative_error(fits[0].components_, exact.components_) < 1e-9


def test_large_wide_data_keep_no_hessian_but_say_where_to_get_it(monkeypatch):
    from mcmodels.solvers import spectra

    X = np.random.default_rng(16).standard_normal((6, 20))
    kept = PCA(2).fit(X)
    monkeypatch.setattr(spectra, "_LARGEST_FACTOR", 10)
    model = PCA(2).fit(X)
    with pytest.raises(AttributeError, match=r"call hessian\(X\)"):
        _ = model.hessian_
    full = model.hessian(X)
    assert relative_error(full[:20, :20], kept.hessian_[0]) < 1e-12
    assert np.abs(model.gradient_).max() < 1e-12


def test_status_is_that_of_the_components_kept():
    X = np.random.default_rng(19).standard_normal((30, 4))
    X[:, 3] = X[:, 0]
    for n_components in (0.3, 2):
        model = PCA(n_components).fit(X)
        assert (model.rank_, model.status_) == (model.n_components_, "converged")
    assert PCA().fit(X).status_ == "rank deficient"


def test_fit_transform_is_fit_then_transform():
    X = np.random.default_rng(17).standard_normal((40, 5))
    np.testing.assert_array_equal(PCA(2).fit_transform(X), PCA(2).fit(X).transform(X))


def test_no_components_at_all():
    X = np.random.default_rng(18).standard_normal((40, 5))
    model = PCA(0).fit(X)
    assert model.components_.shape == (0, 5)
    assert model.transform(X).shape == (40, 0)
    assert model.noise_variance_ == pytest.approx(np.trace(np.cov(X.T)) / 5, rel=1e-12)


@pytest.mark.parametrize("noise", [1e-9, 1e-10])
def test_a_noise_variance_far_below_the_components_keeps_its_digits(noise):
    """What a component leaves is a mean over those that are left out; small is one of them."""
    rng = np.random.default_rng(0)
    variances = np.r_[1.0, 0.5, np.full(58, noise)]
    U = orthonormal(rng, 3000, 60, away_from=np.ones((3000, 1)))
    X = (U * np.sqrt(variances * 2999)) @ orthonormal(rng, 60, 60).T
    # The construction has singular values of 1e-5 of the largest to 1e-11; squared, twice that.
    assert PCA(2).fit(X).noise_variance_ / noise == pytest.approx(1, rel=1e-10)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("p", [2, 3, 4])
def test_signs_do_not_depend_on_how_rows_are_split(seed, p):
    """Loadings of equal size tie: the first of them is positive, whatever rounding says."""
    rng = np.random.default_rng([seed, p])
    X = rng.standard_normal((40, p)) @ rng.standard_normal((p, p))
    # Columns that are sums and differences of two have components with loadings ±1/√2.
    X = np.concatenate([X, X[:, ::-1]])
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    whole = PCA().fit(X)
    parts = PCA()
    for part in np.array_split(X, 3):
        parts.partial_fit(part)
    cuts = np.sort(rng.integers(1, 79, 4))
    stream = RowStream(lambda: iter(np.split(X, np.unique(cuts))))
    scatter = PCA(solver="eigh").partial_fit(X[:33]).partial_fit(X[33:])
    fits = [whole, parts, scatter, PCA().fit(stream), PCA().fit(X[::-1])]
    fits += [PCA(solver="deflation", random_state=seed).fit(X)]
    for model in fits:
        # Variances differ by more than 1e-4 of the largest in these data: 1e-12 / 1e-4.
        np.testing.assert_allclose(model.components_, whole.components_, atol=1e-8)
        sizes = np.abs(model.components_)
        first = (sizes > sizes.max(axis=1, keepdims=True) - 1e-7).argmax(axis=1)
        assert (model.components_[np.arange(p), first] > 0).all()


def test_axes_without_variance_do_not_depend_on_the_order_of_rows():
    """They are made from coordinates that the others cover least; those tie, too."""
    rng = np.random.default_rng(0)
    for _ in range(30):
        x = rng.standard_normal(30)
        X = np.column_stack([x, -x, x, -x, x])  # five columns that are equally covered
        whole = PCA().fit(X)
        for rows in (X[::-1], X[rng.permutation(30)]):
            # One direction with variance; the others are exact up to a few roundings.
            np.testing.assert_allclose(PCA().fit(rows).components_, whole.components_, atol=1e-14)
