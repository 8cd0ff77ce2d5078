"""Survival analysis, regression models, and estimating equations."""

import numpy as np
from scipy import stats
from scipy.special import erfc, gammainc, gammaincc, log_ndtr

from tests.autodiff.corpus.programs import program

rng = np.random.default_rng(6)
Z = rng.normal(size=(8, 2))
TIME = np.array([0.5, 1.2, 0.9, 2.2, 1.7, 0.4, 3.0, 1.2])
DEAD = np.array([1, 1, 0, 1, 0, 1, 1, 1])
GROUP = np.array([0, 0, 1, 1, 2, 2, 2, 0])


@program([0.3, -0.2], "hessian", step=0.03)
def cox_efron_ties(beta):
    """Efron's correction, a loop over the distinct times."""
    risk = np.exp(Z @ beta)
    ll = 0.0
    for t in np.unique(TIME[DEAD == 1]):
        tied = (TIME == t) & (DEAD == 1)
        at_risk = TIME >= t
        d = tied.sum()
        ll += np.sum((Z @ beta)[tied])
        for k in range(d):
            ll -= np.log(risk[at_risk].sum() - k / d * risk[tied].sum())
    return ll


@program([0.3, -0.2], "grad")
def cox_by_sorted_logcumsumexp(beta):
    """The risk set by logaddexp.accumulate over sorted times."""
    order = np.argsort(-TIME, kind="stable")
    eta = (Z @ beta)[order]
    return np.sum(DEAD[order] * (eta - np.logaddexp.accumulate(eta)))


@program([0.1, 0.2, -0.3, 0.4], "grad")
def piecewise_exponential(theta):
    """Hazards by pieces, exposures by clip."""
    cuts = np.array([0.0, 1.0, 2.0, np.inf])
    hazard = np.exp(theta[:3])
    exposure = np.clip(TIME[:, None] - cuts[:-1], 0, np.diff(cuts))
    piece = np.digitize(TIME, cuts) - 1
    eta = theta[3] * Z[:, 0]
    return np.sum(DEAD * (np.log(hazard)[piece] + eta) - np.exp(eta) * (exposure @ hazard))


@program([0.4, 0.1, 0.2], "hessian", step=0.02)
def gompertz_and_log_logistic(theta):
    """Two parametric hazards with censoring."""
    a, b = np.exp(theta[:2])
    gomp = DEAD * (np.log(a) + b * TIME) - a / b * np.expm1(b * TIME)
    k = np.exp(theta[2])
    u = (TIME / a) ** k
    loglog = DEAD * (np.log(k / a) + (k - 1) * np.log(TIME / a)) - (1 + DEAD) * np.log1p(u)
    return gomp.sum() + loglog.sum()


@program([0.6, 0.3], "grad")
def gamma_survival(theta):
    """Censored gamma lifetimes by the incomplete gamma function."""
    k, s = np.exp(theta)
    dens = (k - 1) * np.log(TIME) - TIME / s - k * np.log(s)
    surv = np.log(gammaincc(k, TIME / s))
    return np.where(DEAD == 1, dens, surv).sum() + gammainc(k, 2.0)


@program([0.4, 0.2, -0.1], "grad")
def cure_model(theta):
    """A share that is cured, and Weibull lifetimes of the others."""
    pi = 1 / (1 + np.exp(-theta[0]))
    k, lam = np.exp(theta[1]), np.exp(theta[2])
    S = np.exp(-((TIME / lam) ** k))
    f = k / lam * (TIME / lam) ** (k - 1) * S
    lik = np.empty(len(TIME))
    dead = DEAD.astype(bool)
    lik[dead] = ((1 - pi) * f)[dead]
    lik[~dead] = (pi + (1 - pi) * S)[~dead]
    return np.sum(np.log(lik))


@program([0.4, 0.2], "grad")
def competing_risks_integral(theta):
    """A cumulative incidence by the trapezoid rule on a grid."""
    t = np.linspace(0, 3, 61)
    h1, h2 = np.exp(theta[0]) * t, np.exp(theta[1]) * np.ones_like(t)
    H = np.concatenate([[0], np.cumsum((h1 + h2)[1:] + (h1 + h2)[:-1]) * 0.025])
    return np.trapezoid(h1 * np.exp(-H), t)


@program([0.4, -0.2, 0.3], "grad")
def frailty_by_quadrature(theta):
    """A shared random effect integrated by Gauss and Hermite, groups by np.add.at."""
    nodes, weights = np.polynomial.hermite.hermgauss(9)
    eta = (Z @ theta[:2])[:, None] + np.sqrt(2) * np.exp(theta[2]) * nodes
    ll = DEAD[:, None] * eta - TIME[:, None] * np.exp(eta)
    per_group = np.zeros((3, 9))
    np.add.at(per_group, GROUP, ll)
    return np.sum(np.log(np.exp(per_group) @ weights / np.sqrt(np.pi)))


@program([0.4, -0.2, 0.3], "hessian", step=0.03)
def random_intercepts_by_blocks(theta):
    """A linear mixed model, one group after the other."""
    beta, tau = theta[:2], np.exp(theta[2])
    out = 0.0
    for g in np.unique(GROUP):
        rows = np.flatnonzero(GROUP == g)
        V = np.eye(rows.size) + tau * np.ones((rows.size, rows.size))
        r = TIME[rows] - Z[rows] @ beta
        L = np.linalg.cholesky(V)
        a = np.linalg.solve(L, r)
        out += 0.5 * np.dot(a, a) + np.log(np.diagonal(L)).sum()
    return out


@program([0.2, -0.3, 0.1, 0.4], "grad")
def multinomial_with_reference(theta):
    """Class 0 as the reference: a column of zeros beside the scores."""
    scores = np.column_stack((np.zeros(8), Z @ theta.reshape(2, 2)))
    scores -= scores.max(axis=1)[:, None]
    logp = scores - np.log(np.exp(scores).sum(axis=1))[:, None]
    return -logp[np.arange(8), GROUP].mean()


@program([0.2, -0.3], "hessian", step=0.03)
def inverse_gaussian_and_tweedie(b):
    """Deviances of two exponential families."""
    mu = np.exp(Z @ b)
    ig = (TIME - mu) ** 2 / (TIME * mu**2)
    p = 1.5
    tw = 2 * (
        TIME ** (2 - p) / ((1 - p) * (2 - p))
        - TIME * mu ** (1 - p) / (1 - p)
        + mu ** (2 - p) / (2 - p)
    )
    return np.average(ig + tw, weights=TIME)


@program([0.2, -0.3], "grad")
def probit_with_signs(b):
    """Probit by the sign of the response."""
    return -log_ndtr((2 * DEAD - 1) * (Z @ b)).sum()


@program([0.2, -0.3, 0.1], "grad")
def heckman_selection(t):
    """A selection model with a correlation."""
    rho = np.tanh(t[2])
    sel = Z @ t[:2]
    r = TIME - 1
    z = (sel + rho * r) / np.sqrt(1 - rho**2)
    ll1 = stats.norm.logpdf(r) + stats.norm.logcdf(z)
    ll0 = stats.norm.logcdf(-sel)
    return np.sum(np.where(DEAD, ll1, ll0))


@program([0.5, -0.2], "grad")
def gee_sandwich_trace(b):
    """A sandwich covariance with clusters."""
    mu = np.exp(Z @ b)
    bread = np.linalg.inv((Z.T * mu) @ Z)
    meat = sum(
        np.outer(s, s) for s in (((TIME - mu)[GROUP == g] @ Z[GROUP == g]) for g in range(3))
    )
    return np.trace(bread @ meat @ bread)


@program([0.4, 0.1], "jacobian")
def gmm_moments(theta):
    """Two-step moments with an efficient weight."""
    m = np.stack(
        [TIME - np.exp(theta[0]), (TIME - np.exp(theta[0])) ** 2 - np.exp(theta[1])], axis=1
    )
    g = m.mean(0)
    W = np.linalg.inv(np.cov(m.T))
    return np.hstack([g, g @ W @ g])


@program([0.3, 0.2], "grad")
def exponentially_modified_gaussian(t):
    """By erfc."""
    lam, s = np.exp(t)
    x = TIME - 1
    return np.sum(
        np.log(lam / 2)
        + lam / 2 * (lam * s**2 - 2 * x)
        + np.log(erfc((lam * s**2 - x) / (np.sqrt(2) * s)))
    )
