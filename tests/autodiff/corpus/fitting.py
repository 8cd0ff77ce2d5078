"""Regression, splines, kernels, mixtures, factorisations and attention, fitted to data."""

from types import SimpleNamespace

import numpy as np
import scipy
import scipy.linalg
import scipy.optimize
import scipy.special as sp
from numpy.polynomial import legendre

from tests.autodiff.corpus.programs import program

rng = np.random.RandomState(13)
X = rng.normal(size=(12, 3))
Y = X @ np.array([1.0, -0.5, 0.2]) + 0.3 * rng.normal(size=12)
LABELS = (Y > 0).astype(int)
R = rng.uniform(1, 5, size=(5, 4))
SEEN = rng.uniform(size=(5, 4)) < 0.7


@program(0.3 * rng.normal(size=6), "hessian")
def gaussian_mixture_1d(theta):
    """A mixture with a softmax of weights, as one logsumexp written out."""
    w, mu, log_s = np.split(theta, 3)
    log_w = w - np.log(np.sum(np.exp(w)))
    z = (Y[:, None] - mu) / np.exp(log_s)
    parts = log_w - log_s - 0.5 * z**2 - 0.5 * np.log(2 * np.pi)
    m = np.max(parts, axis=1, keepdims=True)
    return -np.sum(m[:, 0] + np.log(np.sum(np.exp(parts - m), axis=1)))


@program(0.3 * rng.normal(size=8), "grad")
def mixture_density_network(theta):
    """A network whose outputs are the parameters of a mixture."""
    out = np.tanh(X[:, :1] @ theta[None, :2] + 0.1) @ theta[2:8].reshape(2, 3)
    out = np.concatenate([out, -out[:, ::-1]], axis=1)
    logits, mus, log_sigmas = np.array_split(out, 3, axis=1)
    log_pi = logits - sp.logsumexp(logits, axis=1, keepdims=True)
    lp = log_pi - 0.5 * ((Y[:, None] - mus) / np.exp(log_sigmas)) ** 2 - log_sigmas
    return -np.mean(sp.logsumexp(lp, axis=1))


@program(0.3 * rng.normal(size=5), "hessian")
def student_robust_regression(theta):
    """Student's t errors with all parameters free."""
    beta, log_s, log_nu = theta[:3], theta[3], theta[4]
    nu = 2 + np.exp(log_nu)
    z = (Y - X @ beta) / np.exp(log_s)
    return -np.sum(
        sp.gammaln((nu + 1) / 2)
        - sp.gammaln(nu / 2)
        - 0.5 * np.log(nu * np.pi)
        - log_s
        - (nu + 1) / 2 * np.log1p(z**2 / nu)
    )


@program(0.3 * rng.normal(size=3), "hessian")
def huber_piecewise(beta):
    """Huber's loss by np.piecewise's cousin, np.select."""
    r = Y - X @ beta
    a = np.abs(r)
    return np.sum(np.select([a <= 0.4], [0.5 * r**2], default=0.4 * (a - 0.2)))


@program(0.3 * rng.normal(size=3), "grad")
def welsch_cauchy_and_fair(beta):
    """Three redescending losses, with a MAD scale."""
    r = Y - X @ beta
    s = 1.4826 * np.median(np.abs(r - np.median(r)))
    u = r / s
    welsch = 1 - np.exp(-(u**2) / 2)
    cauchy = np.log1p(u**2)
    fair = np.abs(u) - np.log1p(np.abs(u))
    return np.sum(welsch + cauchy + fair)


@program(0.3 * rng.normal(size=7), "grad")
def cubic_spline_truncated_powers(coef):
    """A truncated power basis by np.maximum and np.column_stack."""
    knots = np.array([-0.7, 0.0, 0.8])
    x = X[:, 0]
    basis = np.column_stack(
        [np.ones_like(x), x, x**2, x**3, np.maximum(x[:, None] - knots, 0) ** 3]
    )
    resid = Y - basis.dot(coef)
    return resid.dot(resid) + 0.1 * np.sum(np.diff(coef, n=2) ** 2)


@program(np.sort(rng.uniform(-1.5, 1.5, size=3)), "grad", step=0.001)
def free_knots_by_lstsq(knots):
    """Knots as parameters: least squares inside, residual returned."""
    x = X[:, 1]
    basis = np.vstack([np.ones(len(x)), x, *[np.maximum(0.0, x - k) for k in knots]]).T
    coef, *_ = np.linalg.lstsq(basis, Y, rcond=None)
    return np.sum((Y - basis @ coef) ** 2)


@program(0.3 * rng.normal(size=4), "hessian")
def legendre_series(c):
    """A series of numpy.polynomial.legendre."""
    t = np.tanh(X[:, 0])
    return np.sum((legendre.legval(t, c) - Y) ** 2)


@program(np.array([0.1, -0.3, 0.2]), "hessian")
def gp_hyperparameters_ard(theta):
    """Log marginal likelihood of a Gaussian process, cho_factor and cho_solve."""
    scaled = X / np.exp(theta)
    sq = np.sum(scaled**2, 1)
    D = sq[:, None] + sq[None, :] - 2 * scaled @ scaled.T
    K = np.exp(-0.5 * D) + 0.2 * np.eye(len(X))
    L = scipy.linalg.cho_factor(K, lower=True)
    alpha = scipy.linalg.cho_solve(L, Y)
    return 0.5 * Y @ alpha + np.sum(np.log(np.diag(L[0])))


@program(np.array([0.1, 0.2, -0.5]), "grad")
def gp_sparse_inducing(theta):
    """The collapsed bound with inducing points, Woodbury by hand."""
    Zi = X[::3]

    def k(a, b):
        return np.exp(theta[1]) * np.exp(
            -0.5 * ((a[:, None] - b[None]) ** 2).sum(-1) / np.exp(2 * theta[0])
        )

    Kuu = k(Zi, Zi) + 1e-4 * np.eye(len(Zi))
    Kuf = k(Zi, X)
    s2 = np.exp(theta[2])
    L = np.linalg.cholesky(Kuu)
    A = np.linalg.solve(L, Kuf) / np.sqrt(s2)
    B = np.eye(len(Zi)) + A @ A.T
    LB = np.linalg.cholesky(B)
    c = np.linalg.solve(LB, A @ Y) / np.sqrt(s2)
    trace = (len(X) * np.exp(theta[1]) - s2 * np.trace(A @ A.T)) / s2
    return np.log(np.diag(LB)).sum() + 0.5 * (Y @ Y / s2 - c @ c + trace + len(X) * theta[2])


@program(np.array([0.3, -0.2]), "hessian")
def kernel_ridge_loocv(theta):
    """The leave-one-out error of kernel ridge in closed form."""
    g, lam = np.exp(theta)
    sq = np.square(X[:, None, :] - X[None, :, :]).sum(axis=2)
    K = np.exp(-g * sq)
    H = K @ np.linalg.inv(K + lam * np.identity(len(X)))
    return np.mean(((Y - H @ Y) / (1 - np.diagonal(H))) ** 2)


@program(np.array([0.2]), "hessian")
def mmd_unbiased(theta):
    """Maximum mean discrepancy between data and shifted data."""
    P, Q = X[:6], X[6:] + theta[0]

    def gram(A, B):
        return np.exp(-(np.linalg.norm(A[:, None] - B[None, :], axis=-1) ** 2))

    n = len(P)
    Kpp, Kqq = gram(P, P), gram(Q, Q)
    within = (Kpp.sum() - np.trace(Kpp) + Kqq.sum() - np.trace(Kqq)) / (n * (n - 1))
    return within - 2 * gram(P, Q).mean()


@program(0.3 * rng.normal(size=18), "hvp")
def matrix_factorisation_masked(theta):
    """Ratings with biases; unseen entries by np.nan and np.nansum."""
    U, V = theta[:10].reshape(5, 2), theta[10:].reshape(4, 2)
    ratings = np.where(SEEN, R, np.nan)
    err = ratings - np.nanmean(ratings) - U @ V.T
    return np.nansum(err**2) + 0.1 * (np.sum(U**2) + np.sum(V**2))


@program(0.2 * rng.normal(size=10), "grad")
def nmf_by_softplus_kl(theta):
    """Poisson factorisation with softplus factors, xlogy in the divergence."""
    W = np.log1p(np.exp(theta[:5])).reshape(5, 1)
    H = np.log1p(np.exp(theta[5:9])).reshape(1, 4)
    V = W @ H + np.exp(theta[9])
    return np.sum(sp.xlogy(R, R / V) - R + V)


@program(0.4 * rng.normal(size=(4, 3)), "grad")
def orthogonal_by_qr_and_polar(A):
    """Projection on orthonormal columns, two ways."""
    Q, _ = np.linalg.qr(A)
    U, _, Vt = np.linalg.svd(A, full_matrices=False)
    return np.sum(Q[:, :1] * A[:, :1]) + np.trace((U @ Vt).T @ np.ones((4, 3)))


@program(0.4 * rng.normal(size=24), "grad")
def cross_attention_masked(theta):
    """Attention with -inf masks, heads by einsum with an ellipsis."""
    q, k, v = theta.reshape(3, 2, 2, 2)
    scores = np.einsum("...qd,...kd->...qk", q, k) / np.sqrt(2)
    mask = np.tril(np.ones((2, 2), dtype=bool))
    scores = np.where(mask, scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = weights / weights.sum(axis=-1, keepdims=True)
    return np.sum((weights @ v) ** 2)


@program(0.4 * rng.normal(size=17), "hessian")
def batchnorm_network_namespace(theta):
    """Layers kept in a namespace, activations swish, batch statistics."""
    p = SimpleNamespace(W1=theta[:9].reshape(3, 3), g=theta[9:12], b=theta[12:15], w2=theta[15:17])
    h = X @ p.W1
    h = (h - h.mean(0)) / np.sqrt(h.var(0) + 1e-5) * p.g + p.b
    h = h * (1 / (1 + np.exp(-h)))
    logits = h[:, :2] @ p.w2
    return np.mean(np.logaddexp(0, -(2 * LABELS - 1) * logits))


@program(0.4 * rng.normal(size=6), "hessian")
def multinomial_take_along_axis(theta):
    """Cross-entropy of integer labels by take_along_axis."""
    logits = X @ theta.reshape(3, 2)
    logp = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    picked = np.take_along_axis(logp, LABELS[:, None], axis=1)
    return -picked.mean()


@program(0.3 * rng.normal(size=3), "grad")
def pairwise_ranking_auc(beta):
    """A smooth AUC over pairs, by subtract.outer."""
    s = X @ beta
    diff = np.subtract.outer(s[LABELS == 1], s[LABELS == 0])
    return np.mean(1 / (1 + np.exp(-diff / 0.1)))


@program(0.3 * rng.normal(size=3), "grad")
def soft_ranks_spearman(beta):
    """Spearman's correlation with soft ranks."""
    s = X @ beta
    ranks = 1 + np.sum(sp.expit((s[:, None] - s[None, :]) / 0.5), axis=1)
    true = np.argsort(np.argsort(Y)) + 1.0
    return np.corrcoef(ranks, true)[0, 1]


@program(np.array([0.5, 0.2, 0.1]), "grad")
def quantile_crossing_penalty(theta):
    """Three quantile lines, their pinball losses and crossings."""
    taus = [0.1, 0.5, 0.9]
    total = 0
    preds = [t + theta * X[:, 0].mean() for t in taus]
    for tau, q in zip(taus, np.array(preds).T, strict=True):
        u = Y[:, None] - q
        total = total + np.mean(np.where(u >= 0, tau * u, (tau - 1) * u))
    return total


@program(0.3 * rng.normal(size=6), "hessian")
def ppca_marginal_likelihood(theta):
    """Probabilistic PCA: slogdet and solve of WWᵀ + σ²I."""
    W = theta[:3].reshape(3, 1)
    s2 = np.exp(theta[3])
    mu = 0.1 * theta[4:].sum()
    C = W @ W.T + s2 * np.eye(3)
    S = np.cov(X, rowvar=False) + mu**2
    _, logdet = np.linalg.slogdet(C)
    return 0.5 * len(X) * (logdet + np.trace(np.linalg.solve(C, S)))


@program(np.array([0.3, -0.1]), "grad")
def inner_optimum_by_minimize(theta):
    """A bilevel problem with scipy.optimize inside."""
    best = scipy.optimize.minimize(
        lambda b: np.sum((Y - X[:, 0] * b) ** 2) + np.exp(theta[0]) * b**2, 0.0
    )
    return best.x[0] * theta[1]


@program(np.array([0.2, 0.4, -0.3]), "hessian")
def wasserstein_of_gaussians(theta):
    """Bures distance: the trace of a matrix square root by eigh."""
    A = np.cov(X.T) + np.exp(theta[0]) * np.eye(3)
    B = np.diag(np.exp(theta))
    w, V = np.linalg.eigh(A)
    root = V @ np.diag(np.sqrt(w)) @ V.T
    cross = np.linalg.eigvalsh(root @ B @ root)
    return np.trace(A) + np.trace(B) - 2 * np.sum(np.sqrt(cross))


@program(0.3 * rng.normal(size=4), "jacobian")
def soft_decision_split(theta):
    """A soft split and its weighted leaf means."""
    gate = sp.expit(X @ theta[:3] - theta[3])
    left = np.average(Y, weights=1 - gate)
    right = np.average(Y, weights=gate)
    return np.array([left, right, gate.std()])
