"""Networks and training loops as people write them, with parameters in dicts, lists and classes."""

# Idioms as people write them.
# ruff: noqa: B007, B905, RUF007

import copy
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tests.autodiff.corpus.programs import program

rng = np.random.RandomState(7)
X = rng.randn(6, 4)
T = np.array([0, 2, 1, 1, 0, 2])
IMAGE = rng.randn(2, 6, 6)
TOKENS = np.array([3, 1, 4, 1, 5])


def as_params(flat, shapes):
    params, start = {}, 0
    for name, shape in shapes.items():
        size = int(np.prod(shape))
        params[name] = flat[start : start + size].reshape(shape)
        start += size
    return params


def softmax(z, axis=-1):
    z = z - np.max(z, axis=axis, keepdims=True)
    e = np.exp(z)
    return e / np.sum(e, axis=axis, keepdims=True)


@program(0.4 * rng.randn(35), "grad", step=0.003)
def two_layers_in_a_dict(flat):
    """Cross-entropy with an L2 penalty over all values of a dict."""
    p = as_params(flat, {"W1": (4, 4), "b1": (4,), "W2": (4, 3), "b2": (3,)})
    h = np.maximum(0, X @ p["W1"] + p["b1"])
    probs = softmax(h @ p["W2"] + p["b2"])
    nll = -np.mean(np.log(probs[range(6), T] + 1e-12))
    return nll + 0.01 * sum(np.sum(v**2) for k, v in p.items() if k.startswith("W"))


@program(0.3 * rng.randn(6), "grad")
def unrolled_sgd_with_momentum(w):
    """Meta-learning: momentum over minibatches, the start is what is learnt."""
    params = {"w": w[:4], "b": w[4]}
    velocity = {k: np.zeros_like(v) for k, v in params.items()}
    lr = np.exp(w[5] - 2)
    for epoch in range(3):
        for i in range(0, 6, 2):
            xb, tb = X[i : i + 2], T[i : i + 2]
            err = xb @ params["w"] + params["b"] - tb
            grads = {"w": xb.T @ err / len(tb), "b": err.mean()}
            for k in params:
                velocity[k] = 0.9 * velocity[k] + grads[k]
                params[k] = params[k] - lr * velocity[k]
    return np.mean((X @ params["w"] + params["b"] - T) ** 2)


@program(0.3 * rng.randn(4), "grad")
def unrolled_adam(w):
    """Adam with its moments as arrays that are updated in place."""
    m = np.zeros_like(w)
    v = np.zeros_like(w)
    w = w.copy()
    for t in range(1, 5):
        g = 2 * X.T @ (X @ w - T) / len(T)
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        mhat = m / (1 - 0.9**t)
        vhat = v / (1 - 0.999**t)
        w -= 0.1 * mhat / (np.sqrt(vhat) + 1e-8)
    return np.sum((X @ w - T) ** 2)


@program(0.4 * rng.randn(12), "grad")
def adam_on_lists_in_place(flat):
    """Updates `param -= …` of a list of layers that was copied before."""
    layers = [flat[:4].reshape(4, 1), flat[4:8].reshape(1, 4), flat[8:].reshape(4, 1)]
    moved = copy.deepcopy(layers)
    for _ in range(2):
        h = np.tanh(X @ moved[0])
        out = h @ moved[1] @ moved[2]
        delta = (out - T[:, None]) / len(T)
        g2 = (h @ moved[1]).T @ delta
        g1 = h.T @ (delta @ moved[2].T)
        for param, g in zip(moved[1:], [g1, g2]):
            param -= 0.1 * g
    return np.sum(np.tanh(X @ moved[0]) @ moved[1] @ moved[2])


@program(0.3 * rng.randn(48), "grad")
def causal_self_attention(flat):
    """Masked by -inf above the diagonal."""
    E = X[:5]
    Wq, Wk, Wv = flat.reshape(3, 4, 4)
    q, k, v = E @ Wq, E @ Wk, E @ Wv
    scores = q @ k.T / np.sqrt(k.shape[-1])
    mask = np.triu(np.ones(scores.shape, dtype=bool), k=1)
    scores = np.where(mask, -np.inf, scores)
    return np.sum(softmax(scores) @ v)


@program(0.3 * rng.randn(32), "grad")
def multi_head_by_reshape(flat):
    """Two heads by reshape and transpose, with an additive mask."""
    Wqkv = flat[:24].reshape(4, 6)
    q, k, v = np.split(X @ Wqkv, 3, axis=-1)
    q, k, v = (a.reshape(6, 2, 1).transpose(1, 0, 2) for a in (q, k, v))
    att = softmax(q @ np.swapaxes(k, -1, -2) + np.tril(np.ones((6, 6))) * 0.5)
    out = (att @ v).transpose(1, 0, 2).reshape(6, -1)
    return np.sum((out @ flat[24:].reshape(2, 4)) ** 2)


@program(0.3 * rng.randn(16), "grad")
def rotary_embedding(flat):
    """Rotations of pairs of features, written into even and odd columns."""
    q = flat.reshape(4, 4)
    pos = np.arange(4)[:, None]
    freq = 1 / 10000 ** (np.arange(0, 4, 2) / 4)
    c, s = np.cos(pos * freq), np.sin(pos * freq)
    out = np.empty_like(q)
    out[:, 0::2] = q[:, 0::2] * c - q[:, 1::2] * s
    out[:, 1::2] = q[:, 0::2] * s + q[:, 1::2] * c
    return np.sum(np.tanh(out @ out.T))


@program(0.3 * rng.randn(24), "grad")
def rms_norm_and_swiglu(flat):
    """A gated block of a language model."""
    x = X / np.sqrt(np.mean(X**2, axis=-1, keepdims=True) + 1e-6) * flat[:4]
    W, V = flat[4:].reshape(2, 10)[:, :8].reshape(2, 4, 2)
    a = x @ W
    return np.sum((a / (1 + np.exp(-a))) * (x @ V))


@program(0.3 * rng.randn(24), "grad")
def char_rnn_one_hot(flat):
    """A recurrent network over tokens, one-hot by np.eye."""
    Wx, Wh = flat[:12].reshape(6, 2), flat[12:16].reshape(2, 2)
    Wy = flat[16:].reshape(2, 4)
    eye = np.eye(6)
    h, loss = np.zeros((1, 2)), 0
    for a, b in zip(TOKENS[:-1], TOKENS[1:]):
        h = np.tanh(eye[a][None] @ Wx + h @ Wh)
        o = h @ Wy
        p = np.exp(o) / np.exp(o).sum()
        loss += -np.log(p[0, b % 4])
    return loss


@program(0.3 * rng.randn(9), "grad")
def conv2d_by_windows(k):
    """A convolution by sliding windows and einsum, and average pooling."""
    patches = sliding_window_view(IMAGE, (3, 3), axis=(1, 2))
    z = np.einsum("bijkl,kl->bij", patches, k.reshape(3, 3))
    a = np.where(z > 0, z, 0.01 * z)
    return (a.reshape(2, 2, 2, 2, 2).mean(axis=(2, 4)) ** 2).sum()


@program(0.3 * rng.randn(16), "grad")
def conv2d_of_traced_image(flat):
    """Windows of the image that is differentiated."""
    patches = sliding_window_view(flat.reshape(4, 4), (2, 2))
    k = np.array([[1.0, -1.0], [0.5, 2.0]])
    return np.tanh((patches * k).sum(axis=(-1, -2))).sum()


@program(0.3 * rng.randn(16), "grad")
def im2col_by_index(flat):
    """Patches by index arrays."""
    img = np.pad(flat.reshape(4, 4), 1, mode="constant")
    i = np.repeat(np.arange(3), 3)[:, None] + np.repeat(np.arange(4), 4)
    j = np.tile(np.arange(3), 3)[:, None] + np.tile(np.arange(4), 4)
    cols = img[i, j]
    return np.sum(np.maximum(np.linspace(-1, 1, 9) @ cols, 0))


@dataclass
class Layer:
    """Weights and an activation."""

    W: object
    b: object
    act: object = np.tanh

    def __call__(self, x):
        return self.act(x @ self.W + self.b)


@program(0.3 * rng.randn(20), "hvp", step=0.03)
def network_of_dataclasses(flat):
    """Layers as objects that are called."""
    net = [
        Layer(flat[:8].reshape(4, 2), flat[8:10]),
        Layer(flat[10:14].reshape(2, 2), flat[14:16], act=lambda z: np.log1p(np.exp(z))),
        Layer(flat[16:20].reshape(2, 2), 0.0, act=np.sin),
    ]
    out = X
    for layer in net:
        out = layer(out)
    return out.sum()


@program(0.3 * rng.randn(10), "grad")
def dropout_and_label_smoothing(w):
    """A fixed dropout mask, smoothed targets."""
    keep = np.random.RandomState(0).rand(*X.shape) < 0.8
    h = X * keep / 0.8
    logits = h[:, :3] * w[:3] + h @ w[3:7][:, None] + w[7:]
    logp = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
    target = 0.9 * np.eye(3)[T] + 0.1 / 3
    return -(target * logp).sum() / len(T)


@program(0.3 * rng.randn(8), "grad")
def policy_gradient_returns(theta):
    """Discounted returns backwards, and a clipped ratio."""
    rewards = [1.0, 0.0, 2.0, -1.0]
    G, returns = 0.0, []
    for r in rewards[::-1]:
        G = r + 0.9 * G
        returns.append(G)
    returns = np.array(returns[::-1])
    adv = (returns - returns.mean()) / (returns.std() + 1e-8)
    logits = X[:4] @ theta.reshape(4, 2)
    logp = logits - np.logaddexp.reduce(logits, axis=1)[:, None]
    ratio = np.exp(logp[np.arange(4), [0, 1, 1, 0]] + np.log(2))
    return -np.minimum(ratio * adv, np.clip(ratio, 0.8, 1.2) * adv).mean()


@program(0.3 * rng.randn(12), "grad")
def contrastive_cosine(flat):
    """Cosine similarities, with the diagonal masked by fill_diagonal."""
    Z = flat.reshape(4, 3)
    Z = Z / np.linalg.norm(Z, axis=1, keepdims=True)
    S = Z @ Z.T / 0.5
    np.fill_diagonal(S, -1e9)
    pos = S[np.arange(4), [1, 0, 3, 2]]
    return -np.mean(pos - np.log(np.exp(S).sum(axis=1)))


@program(0.3 * rng.randn(6), "grad")
def tree_ensemble_soft(theta):
    """A soft decision tree, written by recursion."""

    def node(i, x):
        if i >= 3:
            return theta[i % 3 + 3]
        p = 1 / (1 + np.exp(-(x[i] - theta[i]) * 2))
        return p * node(2 * i + 1, x) + (1 - p) * node(2 * i + 2, x)

    return sum((node(0, x) - t) ** 2 for x, t in zip(X, T)) / len(X)
