"""Likelihoods and posteriors: mixtures, regression, survival, copulas."""

import numpy as np
from scipy import stats
from scipy.special import betaln, digamma, gammaln, logsumexp, multigammaln, ndtr, ndtri
from scipy.stats import norm

from tests.autodiff.corpus.programs import program

rng = np.random.default_rng(3)
x_ = np.array([-1.2, -0.8, 0.1, 0.9, 1.4, 2.2])
X = np.column_stack([np.ones(6), x_, x_**2 / 2])
COUNTS = np.array([0, 1, 1, 3, 4, 7])
TIMES = np.array([5.0, 3.2, 2.5, 1.9, 1.1, 0.4])
EVENTS = np.array([1, 0, 1, 1, 0, 1])


@program([-1.0, 1.0, 0.1, -0.2, 0.3], "hessian", step=0.03)
def gaussian_mixture(p):
    mu, sd = p[:2], np.exp(p[2:4])
    w = 1 / (1 + np.exp(-p[4]))
    logs = np.stack([
        np.log(w) - 0.5 * ((x_ - mu[0]) / sd[0]) ** 2 - np.log(sd[0]),
        np.log(1 - w) - 0.5 * ((x_ - mu[1]) / sd[1]) ** 2 - np.log(sd[1]),
    ])  # fmt: skip
    return np.sum(np.logaddexp(logs[0], logs[1]))


@program([-1.0, 1.0, 0.1, -0.2, 0.3, 0.0], "grad")
def mixture_scipy(p):
    logw = p[4:] - logsumexp(p[4:])
    return np.sum(logsumexp(logw + norm.logpdf(x_[:, None], p[:2], np.exp(p[2:4])), axis=1))


@program([0.3, 0.2], "grad")
def normal_logpdf(p):
    return norm.logpdf(x_, loc=p[0], scale=np.exp(p[1])).sum()


@program([0.3, 0.2, 1.5], "grad")
def student_t_logpdf(p):
    return stats.t.logpdf(x_, np.exp(p[2]), p[0], np.exp(p[1])).sum()


@program([0.3, 0.2, 1.5], "hessian", step=0.03)
def student_t_by_hand(p):
    z, nu = (x_ - p[0]) / np.exp(p[1]), np.exp(p[2])
    c = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi) - p[1]
    return np.sum(c - (nu + 1) / 2 * np.log1p(z**2 / nu))


@program([0.3, 0.2, 0.1], "hessian", step=0.03)
def poisson_regression(b):
    eta = X @ b
    return np.sum(np.exp(eta) - COUNTS * eta + gammaln(COUNTS + 1))


@program([0.3, 0.2, 0.1], "grad")
def poisson_scipy(b):
    return -stats.poisson.logpmf(COUNTS, np.exp(X @ b)).sum()


@program([0.3, 0.2, 0.1, 0.5], "hessian", step=0.03)
def negative_binomial(p):
    mu, r = np.exp(X @ p[:3]), np.exp(p[3])
    ll = gammaln(COUNTS + r) - gammaln(r) - gammaln(COUNTS + 1)
    ll += r * np.log(r / (r + mu)) + COUNTS * np.log(mu / (r + mu))
    return -ll.sum()


@program([0.3, 0.2, 0.1, 0.5], "grad")
def zero_inflated_poisson(p):
    lam, pi = np.exp(X @ p[:3]), 1 / (1 + np.exp(-p[3]))
    ll = np.where(
        COUNTS == 0,
        np.log(pi + (1 - pi) * np.exp(-lam)),
        np.log(1 - pi) - lam + COUNTS * np.log(lam) - gammaln(COUNTS + 1),
    )
    return -np.sum(ll)


@program([0.3, 0.2], "hessian", step=0.03)
def probit(b):
    q = 2 * (COUNTS > 1) - 1
    return -np.sum(np.log(ndtr(q * (X[:, :2] @ b))))


@program([0.3, 0.2], "grad")
def probit_norm_cdf(b):
    p = norm.cdf(X[:, :2] @ b)
    return -np.sum(np.where(COUNTS > 1, np.log(p), np.log1p(-p)))


@program([-0.5, 0.3, 0.8], "grad")
def ordered_logit(p):
    """Thresholds by a cumulative sum of exponentials; cells by np.diff."""
    cuts = np.cumsum(np.concatenate([p[:1], np.exp(p[1:2])]))
    F = 1 / (1 + np.exp(-(cuts[None, :] - p[2] * x_[:, None])))
    P = np.diff(np.hstack([np.zeros((6, 1)), F, np.ones((6, 1))]), axis=1)
    return -np.sum(np.log(P[np.arange(6), [0, 0, 1, 1, 2, 2]]))


@program([0.3, 0.2], "hessian", step=0.03)
def cox_partial_likelihood(b):
    """Breslow, with times in descending order: risk sets by a cumulative sum."""
    eta = X[:, 1:] @ b
    return -np.sum(EVENTS * (eta - np.log(np.cumsum(np.exp(eta)))))


@program([0.3, 0.2], "grad")
def cox_accumulate(b):
    eta = X[:, 1:] @ b
    return -np.sum(EVENTS * (eta - np.logaddexp.accumulate(eta)))


@program([0.3, 0.2], "hessian", step=0.03)
def weibull_censored(p):
    k, lam = np.exp(p)
    z = (TIMES / lam) ** k
    return -np.sum(EVENTS * (np.log(k / lam) + (k - 1) * np.log(TIMES / lam)) - z)


@program([0.3, 0.2], "grad")
def lognormal_survival(p):
    z = (np.log(TIMES) - p[0]) / np.exp(p[1])
    return -np.sum(EVENTS * norm.logpdf(z) + (1 - EVENTS) * norm.logsf(z))


@program([0.3, 0.2, -0.4], "grad")
def kaplan_hazards(p):
    """Discrete hazards; survival by np.cumprod."""
    h = 1 / (1 + np.exp(-p))
    S = np.cumprod(1 - h)
    return np.sum(np.log(S)) + np.log(h[1])


@program([0.4], "grad")
def gaussian_copula(p):
    rho = np.tanh(p[0])
    u = np.array([[0.2, 0.3], [0.7, 0.6], [0.5, 0.9]])
    z = ndtri(u)
    q = (rho**2 * (z[:, 0] ** 2 + z[:, 1] ** 2) - 2 * rho * z[:, 0] * z[:, 1]) / (1 - rho**2)
    return np.sum(-0.5 * np.log(1 - rho**2) - 0.5 * q)


@program([0.4, 0.1, -0.2], "grad")
def copula_matrix(p):
    """A correlation matrix filled by index."""
    R = np.eye(3)
    k = 0
    for i in range(3):
        for j in range(i):
            R[i, j] = R[j, i] = np.tanh(p[k])
            k += 1
    z = np.array([0.3, -0.5, 0.9])
    return -0.5 * np.log(np.linalg.det(R)) - 0.5 * z @ (np.linalg.inv(R) - np.eye(3)) @ z


@program([1.3], "hessian", step=0.03)
def clayton_copula(p):
    t = p[0]
    u, v = np.array([0.2, 0.7, 0.5]), np.array([0.3, 0.6, 0.9])
    return np.sum(np.log1p(t) - (1 + t) * np.log(u * v) - (2 + 1 / t) * np.log(u**-t + v**-t - 1))


@program([0.5, 0.7, 1.1], "grad")
def dirichlet_multinomial(p):
    a = np.exp(p)
    n = np.array([3, 1, 4])
    return gammaln(a.sum()) - gammaln(a.sum() + 8) + np.sum(gammaln(a + n) - gammaln(a))


@program([0.5, 0.7], "hessian", step=0.03)
def beta_binomial(p):
    a, b = np.exp(p)
    return np.sum(betaln(COUNTS + a, 8 - COUNTS + b) - betaln(a, b))


@program([0.5, 0.7], "grad")
def beta_logpdf(p):
    return stats.beta.logpdf(np.array([0.2, 0.4, 0.9]), np.exp(p[0]), np.exp(p[1])).sum()


@program([0.5, 0.7], "grad")
def gamma_logpdf(p):
    return stats.gamma.logpdf(TIMES, np.exp(p[0]), scale=np.exp(p[1])).sum()


@program([0.5], "grad")
def wishart_normaliser(p):
    nu = 3 + np.exp(p[0])
    return multigammaln(nu / 2, 2) + digamma(nu)


@program([0.5, 0.2, 0.4, -0.1, 0.3], "grad")
def elbo_mean_field(p):
    """Variational bound of a linear regression with fixed noise."""
    m, s = p[:2], np.exp(p[2:4])
    z = np.array([[0.3, -1.1], [1.2, 0.4], [-0.5, 0.7]])
    theta = m + s * z
    ll = -0.5 * np.sum((x_[None, :] * theta[:, 1:] + theta[:, :1] - COUNTS) ** 2, axis=1)
    return np.mean(ll * np.exp(-p[4])) + np.sum(np.log(s))


@program([0.5, 0.2, 0.4], "hvp", step=0.03)
def eight_schools(p):
    """A hierarchical target of MCMC, non-centred."""
    y, se = np.array([28.0, 8.0]), np.array([15.0, 10.0])
    theta = p[0] * 10 + np.exp(p[1]) * np.array([p[2], -p[2]])
    return np.sum(-0.5 * ((y - theta) / se) ** 2) - 0.5 * np.sum(p**2)


@program([0.5, 0.2, 0.4], "grad")
def neal_funnel(p):
    return -0.5 * p[0] ** 2 / 9 - 0.5 * np.sum(p[1:] ** 2) * np.exp(-p[0]) - p[0]


@program([0.3, 0.2, 0.1], "grad")
def heteroscedastic(p):
    mu, s = np.polyval(p[:2], x_), np.exp(p[2] * x_)
    return np.sum(0.5 * ((COUNTS - mu) / s) ** 2 + np.log(s))


@program(x_, "grad")
def correlation_of_ranked(x):
    return np.corrcoef(x, COUNTS)[0, 1]


@program(x_, "grad")
def skewness_and_kurtosis(x):
    z = (x - np.mean(x)) / np.std(x, ddof=1)
    return np.mean(z**3) + np.mean(z**4)


@program(x_, "grad")
def median_absolute(x):
    return np.median(np.abs(x - 0.3)) + np.percentile(x, 80)


@program([0.3, 0.9], "grad")
def truncated_normal(p):
    a = norm.cdf(-p[0] / np.exp(p[1]))
    pos = x_[x_ > 0]
    return np.sum(norm.logpdf(pos, p[0], np.exp(p[1])) - np.log(1 - a))


@program([0.3, 0.2], "grad")
def tobit(p):
    mu, s = p[0] + 0.1 * x_, np.exp(p[1])
    ll = np.zeros(6)
    cens = x_ < 0
    ll[cens] = np.log(ndtr((0 - mu[cens]) / s))
    ll[~cens] = -0.5 * ((x_[~cens] - mu[~cens]) / s) ** 2 - np.log(s)
    return ll.sum()
