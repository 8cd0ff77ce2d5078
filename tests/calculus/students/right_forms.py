"""Right gradients in unusual forms: other algebra, NumPy, loops, einsum; none may be accused."""

import numpy as np
from scipy import special, stats

from mcmodels.calculus import parse

_ROWS = (
    (
        "X=n,p w=p y=n",
        "norm(X@w - y)**2",
        "w",
        lambda X, w, y: np.einsum("ij,i->j", X, 2 * (X @ w - y)),
    ),
    (
        "X=n,p w=p y=n",
        "norm(X@w - y)**2",
        "w",
        lambda X, w, y: sum(2 * (X[i] @ w - y[i]) * X[i] for i in range(len(y))),
    ),
    ("X=n,p w=p y=n", "norm(X@w - y)**2", "w", "2*X.T@X@w - 2*X.T@y"),
    ("X=n,p w=p y=n", "norm(X@w - y)**2", "w", "sum(2*(X[i].T@w - y[i])*X[i], i)"),
    (
        "X=n,p w=p y=n lam=scalar",
        "norm(X@w - y)**2 + lam*norm(w)**2",
        "w",
        "2*(X.T@X + lam*eye(p))@w - 2*X.T@y",
    ),
    (
        "X=n,p w=p y=n",
        "sum(softplus(X@w) - y*(X@w))",
        "w",
        lambda X, w, y: (
            X.T
            @ (
                np.where(
                    X @ w >= 0,
                    1 / (1 + np.exp(-np.abs(X @ w))),
                    np.exp(-np.abs(X @ w)) / (1 + np.exp(-np.abs(X @ w))),
                )
                - y
            )
        ),
    ),
    (
        "X=n,p w=p y=n",
        "sum(softplus(X@w) - y*(X@w))",
        "w",
        lambda X, w, y: X.T @ (0.5 * (1 + np.tanh(X @ w / 2)) - y),
    ),
    ("X=n,p w=p y=n", "sum(softplus(X@w) - y*(X@w))", "w", "X.T@(1/(1+exp(-X@w)) - y)"),
    ("X=n,p w=p y=n", "sum(log(1+exp(-y*(X@w))))", "w", "-X.T@(y/(1+exp(y*(X@w))))"),
    (
        "z=k t=k:probability",
        "logsumexp(z) - t.T@z",
        "z",
        lambda z, t: np.exp(z - z.max()) / np.exp(z - z.max()).sum() - t,
    ),
    (
        "X=n,p W=p,k T=n,k",
        "sum(logsumexp(X@W, axis=1)) - trace(T.T@X@W)",
        "W",
        lambda X, W, T: sum(
            np.outer(X[i], np.exp(X[i] @ W) / np.exp(X[i] @ W).sum() - T[i]) for i in range(len(X))
        ),
    ),
    ("z=k t=k:probability", "-t.T@log(softmax(z))", "z", "sum(t)*softmax(z) - t"),
    (
        "z=k t=k",
        "-t.T@log(softmax(z))",
        "z",
        "-(diag(softmax(z)) - softmax(z)@softmax(z).T)@(t/softmax(z))",
    ),
    ("A=n,n", "log(det(A))", "A", lambda A: np.linalg.inv(A.T)),
    ("A=n,n", "det(A)", "A", lambda A: np.linalg.det(A) * np.linalg.inv(A).T),
    ("x=n A=n,n", "x.T@A@x", "x", lambda x, A: A @ x + x @ A),
    (
        "x=n mu=n S=n,n:positive_definite",
        "-logdet(S)/2 - (x-mu).T@inv(S)@(x-mu)/2",
        "S",
        lambda x, mu, S: (
            0.5
            * (np.outer(np.linalg.solve(S, x - mu), np.linalg.solve(S, x - mu)) - np.linalg.inv(S))
        ),
    ),
    (
        "x=n mu=n S=n,n:positive_definite",
        "-logdet(S)/2 - (x-mu).T@inv(S)@(x-mu)/2",
        "S",
        "inv(S)@((x-mu)@(x-mu).T - S)@inv(S)/2",
    ),
    (
        "A=n,n X=n,m B=m,m",
        "trace(A@X@B@X.T)",
        "X",
        lambda A, X, B: np.einsum("ij,jk,kl->il", A, X, B) + np.einsum("ji,jk,lk->il", A, X, B),
    ),
    ("X=n,p V=p,k", "norm(X - X@V@V.T)**2", "V", "-4*X.T@X@V + 2*X.T@X@V@V.T@V + 2*V@V.T@X.T@X@V"),
    ("v=n S=n,n:symmetric", "v.T@S@v/(v.T@v)", "v", "2/(v.T@v)*(S@v - (v.T@S@v)/(v.T@v)*v)"),
    ("x=n c=n", "norm(x - c)", "x", lambda x, c: (x - c) / np.linalg.norm(x - c)),
    ("x=n c=n", "norm(x - c)", "x", "(x-c)/sqrt((x-c).T@(x-c))"),
    ("x=n", "mean((x - mean(x))**2)", "x", "2*(x - mean(x))/n"),
    (
        "A=m,h B=h,n x=n y=m",
        "norm(A@tanh(B@x) - y)**2",
        "B",
        lambda A, B, x, y: 2 * np.outer((A.T @ (A @ np.tanh(B @ x) - y)) / np.cosh(B @ x) ** 2, x),
    ),
    (
        "A=m,h B=h,n x=n y=m",
        "norm(A@tanh(B@x) - y)**2",
        "B",
        "2*diag(1 - tanh(B@x)**2)@A.T@(A@tanh(B@x) - y)@x.T",
    ),
    (
        "A=m,h B=h,n x=n y=m",
        "norm(A@relu(B@x) - y)**2",
        "B",
        lambda A, B, x, y: (
            2 * ((A.T @ (A @ np.maximum(B @ x, 0) - y)) * (B @ x > 0))[:, None] * x[None, :]
        ),
    ),
    (
        "X=n,p w=p y=n lam=scalar",
        "sum(relu(1 - y*(X@w))) + lam*norm(w)**2/2",
        "w",
        lambda X, w, y, lam: (
            lam * w - sum(y[i] * X[i] for i in range(len(y)) if y[i] * (X[i] @ w) < 1)
        ),
    ),
    ("X=n,p w=p y=n", "sum(exp(X@w) - y*(X@w))", "w", "sum((exp(X[i].T@w) - y[i])*X[i], i)"),
    (
        "X=n,p w=p y=n",
        "-sum(y*log(norm_cdf(X@w)) + (1-y)*log(1-norm_cdf(X@w)))",
        "w",
        lambda X, w, y: (
            -X.T
            @ (
                stats.norm.pdf(X @ w)
                * (y - stats.norm.cdf(X @ w))
                / (stats.norm.cdf(X @ w) * (1 - stats.norm.cdf(X @ w)))
            )
        ),
    ),
    ("p=n", "-sum(p*log(p))", "p", lambda p: -np.log(p * np.e)),
    (
        "p=n q=n",
        "sum(p*log(p/q))",
        "q",
        lambda p, q: np.array([-a / b for a, b in zip(p, q, strict=True)]),
    ),
    (
        "a=n b=n",
        "a.T@b/(norm(a)*norm(b))",
        "a",
        "(b/norm(b) - (a.T@b/(norm(a)*norm(b)))*a/norm(a))/norm(a)",
    ),
    (
        "R=n,m U=n,k V=m,k",
        "norm(R - U@V.T)**2",
        "U",
        lambda R, U, V: -2 * np.einsum("ij,jk->ik", R - np.einsum("ik,jk->ij", U, V), V),
    ),
    ("R=n,m M=n,m U=n,k V=m,k", "norm(M*(R - U@V.T))**2", "U", "2*(M*M*(U@V.T - R))@V"),
    (
        "Q=n,d K=n,d V=n,m Y=n,m",
        "norm(softmax(Q@K.T, axis=1)@V - Y)**2",
        "V",
        "2*softmax(K@Q.T, axis=0)@(softmax(Q@K.T, axis=1)@V - Y)",
    ),
    ("x=n", "log(sum(exp(x)))", "x", lambda x: 1 / np.exp(x[None, :] - x[:, None]).sum(axis=1)),
    (
        "x=n c=n",
        "sum(c*(x - mean(x))/sqrt(mean((x - mean(x))**2)))",
        "x",
        lambda x, c: (
            (c - c.mean() - (x - x.mean()) / x.std() * np.mean(c * (x - x.mean()) / x.std()))
            / x.std()
        ),
    ),
    ("x=scalar", "x/(1+x**2)", "x", "(1-x)*(1+x)/(1+x**2)**2"),
    ("x=scalar", "2**x", "x", lambda x: np.log(2) * 2**x),
    ("x=scalar a=scalar", "exp(-a*x**2)", "x", "-2*a*x/exp(a*x**2)"),
    (
        "X=n,p w=p y=n",
        "sum(log(1 + (X@w - y)**2))",
        "w",
        lambda X, w, y: X.T @ (2 * (X @ w - y) / (1 + (X @ w - y) ** 2)),
    ),
    (
        "X=n,p w=p y=n",
        "sum(log(cosh(X@w - y)))",
        "w",
        "X.T@((exp(X@w-y) - exp(y-X@w))/(exp(X@w-y) + exp(y-X@w)))",
    ),
    ("A=m,m X=n,n", "trace(kron(A, X))", "X", "trace(A)*eye(n)"),
    (
        "A=n,n a=n b=n",
        "a.T@inv(A)@b",
        "A",
        lambda A, a, b: -np.outer(np.linalg.solve(A.T, a), np.linalg.solve(A, b)),
    ),
    (
        "y=n phi=scalar",
        "sum((y[1:] - phi*y[:-1])**2)",
        "phi",
        lambda y, phi: (
            2 * phi * np.einsum("i,i", y[:-1], y[:-1])
            - 2 * sum(a * b for a, b in zip(y[1:], y[:-1], strict=True))
        ),
    ),
    ("D=m,n x=n", "norm(D@x)**2", "x", "D.T@D@x + (x.T@D.T@D).T"),
    (
        "x=n W=n,n:symmetric",
        "x.T@(diag(W@ones(n)) - W)@x",
        "x",
        lambda x, W: np.array(
            [2 * sum(W[i, j] * (x[i] - x[j]) for j in range(len(x))) for i in range(len(x))]
        ),
    ),
    (
        "K=n,n:positive_definite y=n s=scalar",
        "logdet(K + s*eye(n)) + y.T@inv(K + s*eye(n))@y",
        "s",
        lambda K, y, s: (lambda u, V: np.sum(1 / (u + s)) - np.sum((V.T @ y) ** 2 / (u + s) ** 2))(
            *np.linalg.eigh(K)
        ),
    ),
    (
        "K=n,n:positive_definite y=n s=scalar",
        "logdet(K + s*eye(n)) + y.T@inv(K + s*eye(n))@y",
        "K",
        lambda K, y, s: (
            np.linalg.inv(K + s * np.eye(len(y)))
            - np.outer(
                np.linalg.solve(K + s * np.eye(len(y)), y),
                np.linalg.solve(K + s * np.eye(len(y)), y),
            )
        ),
    ),
    (
        "x=n z=n l=scalar",
        "exp(-norm(x-z)**2/(2*l**2))",
        "x",
        "(z-x)/(l**2*exp((x-z).T@(x-z)/(2*l**2)))",
    ),
    (
        "x=n a=scalar b=scalar p=scalar",
        "sum(log(p*exp(-(x-a)**2/2) + (1-p)*exp(-(x-b)**2/2)))",
        "a",
        lambda x, a, b, p: np.sum(
            (x - a) / (1 + (1 - p) / p * np.exp((x - a) ** 2 / 2 - (x - b) ** 2 / 2))
        ),
    ),
    (
        "X=n,p w=p y=n",
        "sum(where(abs(X@w-y) <= 1, (X@w-y)**2/2, abs(X@w-y) - 0.5))",
        "w",
        lambda X, w, y: X.T @ np.clip(X @ w - y, -1, 1),
    ),
    (
        "X=n,p w=p y=n",
        "sum(where(abs(X@w-y) <= 1, (X@w-y)**2/2, abs(X@w-y) - 0.5))",
        "w",
        "X.T@(maximum(X@w-y, -1) - relu(X@w-y-1))",
    ),
    (
        "X=n,p w=p y=n t=scalar",
        "sum(maximum(t*(y - X@w), (t-1)*(y - X@w)))",
        "w",
        lambda X, w, y, t: X.T @ ((y < X @ w) * 1.0 - t),
    ),
    (
        "w=p B=p,p:symmetric S=p,p:positive_definite",
        "w.T@B@w/(w.T@S@w)",
        "w",
        "2*(B - (w.T@B@w)/(w.T@S@w)*S)@w/(w.T@S@w)",
    ),
    (
        "x=n z=n M=k,n",
        "(x-z).T@M.T@M@(x-z)",
        "M",
        lambda x, z, M: 2 * np.einsum("ki,i,j->kj", M, x - z, x - z),
    ),
    (
        "a=n p=n q=n m=scalar",
        "relu(norm(a-p)**2 - norm(a-q)**2 + m)",
        "a",
        lambda a, p, q, m: 2 * (q - p) if (a - p) @ (a - p) + m > (a - q) @ (a - q) else 0 * a,
    ),
    (
        "u=p v=p N=k,p",
        "-log(sigmoid(u.T@v)) - sum(log(sigmoid(-(N@v))))",
        "v",
        "-sigmoid(-(u.T@v))*u + N.T@(1 - sigmoid(-(N@v)))",
    ),
    ("c=n x=n", "sum(c*(x - mean(x)))", "x", "(eye(n) - ones(n,n)/n)@c"),
    ("W=m,r H=r,n V=m,n", "sum(W@H - V*log(W@H))", "H", "W.T@((W@H - V)/(W@H))"),
    (
        "mu=n w=n S=n,n:positive_definite",
        "mu.T@w/sqrt(w.T@S@w)",
        "w",
        "((w.T@S@w)*mu - (mu.T@w)*S@w)/(w.T@S@w)**1.5",
    ),
    (
        "x=n k=scalar c=scalar",
        "n*log(k) - n*k*log(c) + (k-1)*sum(log(x)) - sum((x/c)**k)",
        "k",
        lambda x, k, c: len(x) / k + np.sum(np.log(x / c) * (1 - (x / c) ** k)),
    ),
    (
        "x=n a=scalar b=scalar",
        "sum(gammaln(a) - a*log(b) - (a-1)*log(x) + b*x)",
        "a",
        lambda x, a, b: np.sum(special.digamma(a) - np.log(b * x)),
    ),
    (
        "x=n m=scalar v=scalar",
        "(v+1)/2*sum(log(1+(x-m)**2/v))",
        "m",
        "sum((v+1)/(v+(x-m)**2)*(m-x))",
    ),
    (
        "z=scalar g=scalar",
        "-(1-sigmoid(z))**g*log(sigmoid(z))",
        "z",
        "(1-sigmoid(z))**g*(g*sigmoid(z)*log(sigmoid(z)) + sigmoid(z) - 1)",
    ),
    (
        "p=n t=n",
        "1 - 2*(p.T@t)/(sum(p)+sum(t))",
        "p",
        lambda p, t: 2 * (p @ t - t * (p.sum() + t.sum())) / (p.sum() + t.sum()) ** 2,
    ),
    (
        "z=k",
        "-softmax(z).T@log(softmax(z))",
        "z",
        "-softmax(z)*(log(softmax(z)) - softmax(z).T@log(softmax(z)))",
    ),
    (
        "A=m,n X=n,p B=p,q C=m,q",
        "norm(A@X@B - C)**2",
        "X",
        lambda A, X, B, C: (2 * np.kron(B, A.T) @ (A @ X @ B - C).reshape(-1, order="F")).reshape(
            X.shape, order="F"
        ),
    ),
    ("x=scalar", "tan(x)", "x", "1 + tan(x)**2"),
    (
        "S=n,n:symmetric Q=n,n:positive_definite",
        "trace(S@Q) - logdet(Q)",
        "Q",
        "inv(Q)@(Q@S@Q - Q)@inv(Q)",
    ),
    ("x=n", "sum(abs(x))", "x", "x/abs(x)"),
    ("X=n,p w=p y=n", "sum(abs(X@w-y))", "w", lambda X, w, y: X.T @ np.where(X @ w > y, 1, -1)),
    (
        "X=n,p w=p y=n lam=scalar",
        "norm(X@w-y)**2/(2*n) + lam/2*norm(w)**2",
        "w",
        lambda X, w, y, lam: (
            sum((X[i] @ w - y[i]) * X[i] for i in range(len(y))) / len(y) + lam * w
        ),
    ),
    (
        "z=k",
        "softmax(z)",
        "z",
        lambda z: (
            np.diag(np.exp(z) / np.exp(z).sum())
            - np.outer(np.exp(z), np.exp(z)) / np.exp(z).sum() ** 2
        ),
    ),
    ("W=m,n x=n", "sigmoid(W@x)", "x", lambda W, x: (1 / (2 + 2 * np.cosh(W @ x)))[:, None] * W),
    ("x=n", "x/norm(x)", "x", "(eye(n) - x@x.T/(x.T@x))/norm(x)"),
    (
        "X=n,p w=p y=n",
        "sum(log(1+exp(-y*(X@w))))",
        "w",
        lambda X, w, y: np.sum(
            [-yi * xi / (1 + np.exp(yi * (xi @ w))) for xi, yi in zip(X, y, strict=True)], axis=0
        ),
    ),
    ("y=n p=n", "-sum(y*log(p) + (1-y)*log(1-p))", "p", "(p-y)/(p - p**2)"),
    ("X=n,p", "logdet(X.T@X)", "X", lambda X: 2 * np.linalg.pinv(X).T),
    ("X=n,n", "det(X)**3", "X", "3*det(X)**3*inv(X).T"),
    ("X=n,n", "trace(inv(X))", "X", lambda X: -np.linalg.matrix_power(np.linalg.inv(X), 2).T),
    ("x=n c=scalar", "c*logsumexp(x/c)", "c", "logsumexp(x/c) - softmax(x/c).T@x/c"),
    (
        "Q=n,d K=m,d V=m,e Y=n,e",
        "norm(softmax(Q@K.T, axis=1)@V - Y)**2",
        "Q",
        lambda Q, K, V, Y: (
            lambda P: (lambda G: (P * (G - (P * G).sum(axis=1, keepdims=True))) @ K)(
                2 * (P @ V - Y) @ V.T
            )
        )(np.exp(Q @ K.T) / np.exp(Q @ K.T).sum(axis=1, keepdims=True)),
    ),
    ("A=m,n B=n,p", "sum(A@B)", "A", lambda A, B: np.tile(B.sum(axis=1), (len(A), 1))),
    (
        "a=scalar b=scalar",
        "gammaln(a) + gammaln(b) - gammaln(a+b)",
        "a",
        lambda a, b: special.psi(a) - special.psi(a + b),
    ),
    ("x=n c=n b=n", "norm(x*c - b)**2", "x", lambda x, c, b: 2 * c**2 * x - 2 * c * b),
    ("x=scalar", "exp(x**2)", "x", "2*x*exp(x)**x"),
    (
        "v=n S=n,n:symmetric",
        "v.T@S@v/(v.T@v)",
        "v",
        lambda v, S: (S + S.T) @ v / (v @ v) - 2 * v * (v @ S @ v) / (v @ v) ** 2,
    ),
    ("x=n z=n", "norm(x/norm(x) - z)**2", "x", "-2/norm(x)*(z - (x.T@z)*x/(x.T@x))"),
    (
        "p=k m=k x=scalar",
        "log(sum(p*exp(-(x-m)**2/2)))",
        "m",
        lambda p, m, x: (lambda r: r / r.sum() * (x - m))(p * np.exp(-((x - m) ** 2) / 2)),
    ),
    ("y=n mu=n", "sum(log(mu) + y/mu)", "mu", "(mu-y)/mu**2"),
    (
        "X=n,p a=p c=scalar",
        "a.T@inv(X.T@X + c*eye(p))@a",
        "c",
        lambda X, a, c: -np.sum(np.linalg.solve(X.T @ X + c * np.eye(len(a)), a) ** 2),
    ),
    ("x=scalar", "x/sqrt(1+x**2)", "x", "(1+x**2)**(-1.5)"),
    ("x=scalar a=scalar b=scalar", "x**a*(1-x)**b", "x", "x**(a-1)*(1-x)**(b-1)*(a - (a+b)*x)"),
    (
        "u=p v=p N=k,p c=scalar",
        "-log(exp(u.T@v/c)/(exp(u.T@v/c) + sum(exp(N@v/c))))",
        "v",
        lambda u, v, N, c: (lambda P: (P[0] * u + N.T @ P[1:] - u) / c)(
            (lambda s: np.exp(s) / np.exp(s).sum())(np.r_[u @ v, N @ v] / c)
        ),
    ),
    (
        "A=m,n x=n",
        "logdet(A@diag(x)@A.T)",
        "x",
        lambda A, x: np.einsum("ij,ij->j", A, np.linalg.solve(A @ np.diag(x) @ A.T, A)),
    ),
    (
        "X=n,p mu=p",
        "norm(X - ones(n)@mu.T)**2",
        "mu",
        lambda X, mu: 2 * len(X) * (mu - X.mean(axis=0)),
    ),
    (
        "X=n,p w=p y=n d=scalar",
        "sum(sqrt((X@w-y)**2 + d**2))",
        "w",
        lambda X, w, y, d: X.T @ ((X @ w - y) / np.hypot(X @ w - y, d)),
    ),
    ("X=n,n A=n,n B=n,n", "trace(X@A@X@B)", "X", "(A@X@B + B@X@A).T"),
    ("x=scalar", "exp(sin(x))", "x", "exp(sin(x))*sin(x + pi/2)"),
)


def _entry(declared, f, x, claimed):
    shapes = dict(part.split("=") for part in declared.split())
    claim = parse(claimed, **shapes) if isinstance(claimed, str) else claimed
    return (f"{f} by {x}", parse(f, **shapes), x, claim)


RIGHT_FORMS = tuple(_entry(*row) for row in _ROWS)
