"""Neural networks and their losses."""

import numpy as np
from scipy.special import erf, expit, log_softmax, logsumexp, softmax

from tests.autodiff.corpus.programs import program

rng = np.random.default_rng(2)
X = rng.standard_normal((5, 3))
LABELS = np.array([0, 2, 1, 1, 0])
ONE_HOT = np.eye(3)[LABELS]
T = np.array([0.0, 1.0, 1.0, 0.0, 1.0])
W9 = 0.3 * rng.standard_normal(9)
W12 = 0.3 * rng.standard_normal(12)
TOKENS = rng.standard_normal((4, 2))


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


@program(W12, "grad")
def mlp_tanh(w):
    W1, b1, w2 = w[:6].reshape(3, 2), w[6:8], w[8:10]
    h = np.tanh(X @ W1 + b1)
    p = sigmoid(h @ w2 + w[10])
    return -np.mean(T * np.log(p) + (1 - T) * np.log(1 - p)) + 0.01 * np.sum(w**2)


@program(W9, "hessian", step=0.03)
def softmax_cross_entropy(w):
    z = X.dot(w.reshape(3, 3))
    z = z - np.max(z, axis=1, keepdims=True)
    logp = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    return -np.sum(ONE_HOT * logp)


@program(W9, "grad")
def softmax_scipy(w):
    p = softmax(X @ w.reshape(3, 3), axis=1)
    return -np.mean(np.log(p[np.arange(5), LABELS]))


@program(W9, "grad")
def log_softmax_scipy(w):
    return -log_softmax(X @ w.reshape(3, 3), axis=1)[np.arange(5), LABELS].mean()


@program(W9[:3], "hvp", step=0.03)
def logistic_logaddexp(w):
    m = (2 * T - 1) * (X @ w)
    return np.logaddexp(0, -m).sum() + 0.5 * w @ w


@program(W9[:3], "hessian", step=0.03)
def logistic_expit(w):
    p = expit(X @ w)
    return -np.sum(np.log(np.where(T == 1, p, 1 - p)))


@program(W12, "grad")
def attention(w):
    """One head of scaled dot-product attention, with a causal mask."""
    Q, K, V = (TOKENS @ w[4 * k : 4 * k + 4].reshape(2, 2) for k in range(3))
    scores = Q @ K.T / np.sqrt(2)
    scores = np.where(np.tril(np.ones((4, 4))) > 0, scores, -1e9)
    a = np.exp(scores - scores.max(axis=-1, keepdims=True))
    a = a / a.sum(axis=-1, keepdims=True)
    return np.sum((a @ V) ** 2)


@program(W12, "grad")
def attention_heads_einsum(w):
    P = w.reshape(3, 2, 2)
    q, k, v = np.einsum("td,pde->pte", TOKENS, P)
    s = np.einsum("te,se->ts", q, k)
    a = np.exp(s) / np.sum(np.exp(s), axis=-1, keepdims=True)
    return np.mean(np.einsum("ts,se->te", a, v) ** 2)


@program(0.3 * rng.standard_normal(20), "grad")
def lstm(w):
    """A cell with gates cut by np.split."""
    U, b = w[:16].reshape(4, 4), w[16:]
    h, c, loss = np.zeros(1), np.zeros(1), 0.0
    for t in range(4):
        z = np.concatenate([TOKENS[t], h, c]) @ U + b
        i, f, o, g = np.split(z, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        loss = loss + np.sum((h - 0.5) ** 2)
    return loss


@program(W9, "grad")
def rnn_states_in_array(w):
    """Hidden states filled into an array."""
    Wx, Wh, b = w[:4].reshape(2, 2), w[4:8].reshape(2, 2), w[8]
    h = np.zeros((5, 2))
    for t in range(4):
        h[t + 1] = np.tanh(TOKENS[t] @ Wx + h[t] @ Wh + b)
    return np.sum(h[1:] ** 2)


@program(W12[:9], "grad")
def gru(w):
    h = np.zeros(1)
    for x in TOKENS:
        v = np.hstack([x, h])
        z, r = sigmoid(np.dot(w[:3], v)), sigmoid(np.dot(w[3:6], v))
        h = (1 - z) * h + z * np.tanh(np.dot(w[6:9], np.hstack([x, r * h])))
    return h[0]


@program(W9[:6], "grad")
def vae_loss(w):
    """Reparametrised bound; noise from a fixed generator."""
    eps = np.random.RandomState(0).randn(5, 2)
    mu, logvar = X[:, :2] * w[0] + w[1], w[2:4] * np.ones((5, 2))
    z = mu + eps * np.exp(0.5 * logvar)
    recon = np.sum((X[:, :2] - (w[4] * z + w[5])) ** 2)
    kl = -0.5 * np.sum(1 + logvar - np.square(mu) - np.exp(logvar))
    return recon + kl


@program(W9, "grad")
def gelu_erf(w):
    z = X @ w.reshape(3, 3)
    return np.mean(0.5 * z * (1 + erf(z / np.sqrt(2))))


@program(W9, "grad", step=1e-3)
def relu_maximum(w):
    return np.sum(np.maximum(0, X @ w.reshape(3, 3)) ** 2)


@program(W9, "grad", step=1e-3)
def leaky_relu_mask(w):
    z = X @ w.reshape(3, 3)
    return np.sum(np.where(z > 0, z, 0.01 * z))


@program(W9, "grad")
def layer_norm(w):
    z = X @ w.reshape(3, 3)
    mu, var = z.mean(axis=-1, keepdims=True), z.var(axis=-1, keepdims=True)
    return np.sum(((z - mu) / np.sqrt(var + 1e-3)) ** 3)


@program(W9, "grad", step=0.003)
def batch_norm_std(w):
    z = X @ w.reshape(3, 3)
    return np.sum(np.tanh((z - np.mean(z, 0)) / (np.std(z, 0) + 1e-2)))


@program(W12[:4], "grad")
def convolution_loops(w):
    """A 2×2 convolution, filled pixel by pixel."""
    k, image = w.reshape(2, 2), np.outer(np.arange(4.0), [1.0, 0.5, -1.0, 2.0]) / 4
    out = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            out[i, j] = np.sum(image[i : i + 2, j : j + 2] * k)
    return np.sum(np.tanh(out))


@program(W12[:3], "grad")
def convolution_1d(w):
    return np.sum(np.tanh(np.convolve(X[:, 0], w, mode="valid")))


@program(W12, "grad", step=1e-3)
def max_pool_reshape(w):
    return np.sum(w.reshape(3, 2, 2).max(axis=2) ** 2)


@program(W12[:6], "grad")
def padded_window(w):
    p = np.pad(w, 1)
    return np.sum((p[2:] - p[:-2]) ** 2)


@program(W12[:6], "grad")
def contrastive_infonce(w):
    z = X[:, :2] @ w[:4].reshape(2, 2)
    z = z / np.linalg.norm(z, axis=1, keepdims=True)
    s = z @ z.T / 0.5
    return np.mean(logsumexp(s, axis=1) - np.diag(s))


@program(W12[:6], "grad", step=1e-3)
def triplet_hinge(w):
    z = X @ w.reshape(3, 2)
    d = lambda a, b: np.sum((a - b) ** 2)  # noqa: E731
    return max(0.0, d(z[0], z[1]) - d(z[0], z[2]) + 1.0)


@program(W12[:8], "grad")
def embedding_lookup(w):
    E = w.reshape(4, 2)
    return np.sum(np.prod(E[[0, 2, 2, 3]] + 1.0, axis=0))


@program(W9, "grad")
def list_of_layers(w):
    """Parameters unpacked to a list, activations in a list."""
    layers = [(w[:6].reshape(3, 2), w[6]), (w[7:9].reshape(2, 1), 0.1)]
    acts = [X]
    for A, b in layers:
        acts.append(np.tanh(np.dot(acts[-1], A) + b))
    return np.mean([np.mean(a**2) for a in acts[1:]])


@program(W12[:6], "grad")
def normalizing_flow(w):
    """Planar flow: log-density of the base minus log-determinant."""
    z, logdet = X[:, :2], 0.0
    u, v, b = w[:2], w[2:4], w[4]
    a = np.tanh(z @ v + b)
    psi = (1 - a**2)[:, None] * v
    logdet = np.log(np.abs(1 + psi @ u))
    z = z + np.outer(a, u)
    return np.sum(0.5 * z**2) - np.sum(logdet)


@program(W12[:6], "jacobian")
def graph_convolution(w):
    A = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=float)
    A = A + np.eye(3)
    D = np.diag(1 / np.sqrt(A.sum(axis=1)))
    return np.tanh(D @ A @ D @ X[:3] @ w.reshape(3, 2))
