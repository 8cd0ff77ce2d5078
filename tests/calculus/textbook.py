"""What textbooks print: expression, first derivative and Hessian of every identity by name."""

from __future__ import annotations

# Judged by eye against the books that the catalogue names. Change a line only where a book has it.
FORMULAS = {
    # Linear and quadratic forms
    "linear form": ("aᵀx", "a", "0"),
    "quadratic form": ("xᵀAx", "(A + Aᵀ)x", "A + Aᵀ"),
    "quadratic form of a symmetric matrix": ("xᵀSx", "2Sx", "2S"),
    "squared norm": ("‖x‖²", "2x", "2I"),
    "norm": ("‖x‖", "x/‖x‖", "I/‖x‖ − xxᵀ/‖x‖³"),
    "squared distance from b": ("‖Ax − b‖²", "2Aᵀ(Ax − b)", "2AᵀA"),
    "Mahalanobis distance in x": ("(x − μ)ᵀΣ⁻¹(x − μ)", "2Σ⁻¹(x − μ)", "2Σ⁻¹"),
    "Mahalanobis distance in μ": ("(x − μ)ᵀΣ⁻¹(x − μ)", "−2Σ⁻¹(x − μ)", "2Σ⁻¹"),
    "Mahalanobis distance in Σ": (
        "(x − μ)ᵀΣ⁻¹(x − μ)",
        "−Σ⁻¹(x − μ)(x − μ)ᵀΣ⁻¹",
        "Σ⁻¹(x − μ)(x − μ)ᵀΣ⁻¹ ⊗ Σ⁻¹ + Σ⁻¹ ⊗ Σ⁻¹(x − μ)(x − μ)ᵀΣ⁻¹",
    ),
    # Traces
    "tr(AX)": ("tr(AX)", "Aᵀ", "0"),
    "tr(XᵀA)": ("tr(XᵀA)", "A", "0"),
    "tr(AXB)": ("tr(AXB)", "AᵀBᵀ", "0"),
    "tr(XᵀAX)": ("tr(XᵀAX)", "(A + Aᵀ)X", "I ⊗ (A + Aᵀ)"),
    "tr(AXBXᵀC)": ("tr(AXBXᵀC)", "AᵀCᵀXBᵀ + CAXB", "B ⊗ AᵀCᵀ + Bᵀ ⊗ CA"),
    "tr(X³)": ("tr(X³)", "3(X²)ᵀ", "3Kₙₙ(Xᵀ ⊗ I + I ⊗ X)"),
    "tr(Xᵏ)": ("tr(Xᵏ)", "k(Xᵏ⁻¹)ᵀ"),
    "tr(A) + tr(A²)": ("tr(A) + tr(A²)", "I + 2Aᵀ", "2Kₙₙ"),
    "trace of a squared difference": ("tr((I − A)²)", "−2(I − A)ᵀ", "2Kₙₙ"),
    "squared trace of a difference": ("tr(I − A)²", "−2 tr(I − A) I", "2 vec(I) vec(I)ᵀ"),
    "square root of tr(AᵀA)": (
        "√tr(AᵀA)",
        "A/√tr(AᵀA)",
        "I/√tr(AᵀA) − vec(A) vec(A)ᵀ/tr(AᵀA)^(3/2)",
    ),
    # Forms in a matrix
    "aᵀXb": ("aᵀXb", "abᵀ", "0"),
    "aᵀXᵀXb": ("aᵀXᵀXb", "X(abᵀ + baᵀ)", "(abᵀ + baᵀ) ⊗ I"),
    "aᵀSb of a symmetric matrix": ("aᵀSb", "½(abᵀ + baᵀ)", "0"),
    "squared Frobenius norm": ("‖X‖_F²", "2X", "2I"),
    "entry of a matrix": ("A[0,0]", "e₀e₀ᵀ", "0"),
    # Inverses and determinants
    "tr(X⁻¹A)": ("tr(X⁻¹A)", "−X⁻ᵀAᵀX⁻ᵀ", "Kₙₙ(X⁻ᵀ ⊗ X⁻¹AX⁻¹ + X⁻ᵀAᵀX⁻ᵀ ⊗ X⁻¹)"),
    "aᵀX⁻¹b": ("aᵀX⁻¹b", "−X⁻ᵀabᵀX⁻ᵀ", "Kₙₙ(X⁻ᵀ ⊗ X⁻¹baᵀX⁻¹ + X⁻ᵀabᵀX⁻ᵀ ⊗ X⁻¹)"),
    "determinant": ("det(X)", "det(X) X⁻ᵀ", "det(X) (vec(X⁻ᵀ) vec(X⁻ᵀ)ᵀ − Kₙₙ(X⁻ᵀ ⊗ X⁻¹))"),
    "det(AXB)": ("det(AXB)", "det(AXB) X⁻ᵀ", "det(AXB) (vec(X⁻ᵀ) vec(X⁻ᵀ)ᵀ − Kₙₙ(X⁻ᵀ ⊗ X⁻¹))"),
    "log determinant": ("log|det X|", "X⁻ᵀ", "−Kₙₙ(X⁻ᵀ ⊗ X⁻¹)"),
    "log determinant of a positive definite matrix": ("log|det S|", "S⁻¹", "−S⁻¹ ⊗ S⁻¹"),
    "log det(XᵀX)": (
        "log|det(XᵀX)|",
        "2X(XᵀX)⁻¹",
        "2((XᵀX)⁻¹ ⊗ (I − X(XᵀX)⁻¹Xᵀ)) − 2Kₖₙ(X(XᵀX)⁻¹ ⊗ (XᵀX)⁻¹Xᵀ)",
    ),
    "log det S + tr(S⁻¹A)": (
        "log|det S| + tr(S⁻¹A)",
        "S⁻¹ − S⁻¹AS⁻¹",
        "S⁻¹AS⁻¹ ⊗ S⁻¹ − S⁻¹ ⊗ S⁻¹ + S⁻¹ ⊗ S⁻¹AS⁻¹",
    ),
    # Rules of differentials
    "differential of a sum": ("A + B", "dA + dB"),
    "differential of a scalar multiple": ("αA", "dα A + α dA"),
    "differential of a product": ("AB", "dA B + A dB"),
    "differential of a transpose": ("Xᵀ", "(dX)ᵀ"),
    "differential of a trace": ("tr(X)", "tr(dX)"),
    "differential of an inverse": ("X⁻¹", "−X⁻¹ dX X⁻¹"),
    "differential of a determinant": ("det(X)", "det(X) tr(X⁻¹ dX)"),
    "differential of a log determinant": ("log|det X|", "tr(X⁻¹ dX)"),
    "differential of an elementwise product": ("A ∘ B", "dA ∘ B + A ∘ dB"),
    "differential of a Kronecker product": ("A ⊗ B", "dA ⊗ B + A ⊗ dB"),
    "differential of an elementwise function": ("exp(A)", "exp(A) ∘ dA"),
    "differential of vec": ("vec(A)", "vec(dA)"),
    # Jacobians
    "Ax": ("Ax", "A"),
    "shift by b": ("x + b", "I"),
    "elementwise exponential": ("exp(x)", "diag(exp(x))"),
    "elementwise hyperbolic tangent": ("tanh(x)", "diag(1 − tanh(x)^∘2)"),
    "elementwise sigmoid": ("σ(x)", "diag(σ(x) ∘ (1 − σ(x)))"),
    "softmax": ("softmax(z)", "diag(softmax(z)) − softmax(z) softmax(z)ᵀ"),
    "composite σ(Ax)": ("σ(Ax)", "diag(σ(Ax) ∘ (1 − σ(Ax))) A"),
    "AXB": ("AXB", "Bᵀ ⊗ A"),
    "transpose": ("Xᵀ", "Kₘₙ"),
    "inverse": ("X⁻¹", "−X⁻ᵀ ⊗ X⁻¹"),
    "Gram matrix XᵀX": ("XᵀX", "(I + Kₙₙ)(I ⊗ Xᵀ)"),
    # Chain rules
    "one path, f(z) with z = Ax": ("sum(exp(Ax))", "Aᵀ exp(Ax)", "Aᵀ diag(exp(Ax)) A"),
    "one path, f(z) with z = tanh(Ax)": (
        "‖tanh(Ax)‖²",
        "2Aᵀ((1 − tanh(Ax)^∘2) ∘ tanh(Ax))",
        "2Aᵀ diag((1 − tanh(Ax)^∘2) ∘ (1 − 3 tanh(Ax)^∘2)) A",
    ),
    "one path through a scalar, f(z) with z = xᵀSx": (
        "log(1 + xᵀSx)",
        "2Sx/(1 + xᵀSx)",
        "2S/(1 + xᵀSx) − 4SxxᵀS/(1 + xᵀSx)²",
    ),
    "two paths, uᵀv with u = Ax, v = Bx": ("xᵀAᵀBx", "(AᵀB + BᵀA)x", "AᵀB + BᵀA"),
    "two paths, uᵀv with u = exp(x), v = sin(x)": (
        "exp(x)ᵀ sin(x)",
        "exp(x) ∘ (sin(x) + cos(x))",
        "2 diag(exp(x) ∘ cos(x))",
    ),
    "two paths, uᵀv with u = σ(Ax), v = tanh(Bx)": (
        "σ(Ax)ᵀ tanh(Bx)",
        "Aᵀ(σ(Ax) ∘ (1 − σ(Ax)) ∘ tanh(Bx)) + Bᵀ((1 − tanh(Bx)^∘2) ∘ σ(Ax))",
    ),
    # Linear regression
    "least squares": ("‖Xw − y‖²", "2Xᵀ(Xw − y)", "2XᵀX"),
    "least squares for several targets": ("‖XW − Y‖_F²", "2Xᵀ(XW − Y)", "2(I ⊗ XᵀX)"),
    "ridge regression": ("‖Xw − y‖² + λ‖w‖²", "2Xᵀ(Xw − y) + 2λw", "2(XᵀX + λI)"),
    "ridge regression as traces": (
        "tr((XW − Y)ᵀ(XW − Y)) + λ tr(WᵀW)",
        "2Xᵀ(XW − Y) + 2λW",
        "2(I ⊗ XᵀX + λI)",
    ),
    # Classification
    "logistic loss": (
        "sum(softplus(Xw)) − yᵀXw",
        "Xᵀ(σ(Xw) − y)",
        "Xᵀ diag(σ(Xw) ∘ (1 − σ(Xw))) X",
    ),
    "logistic loss as a likelihood": (
        "−sum(y ∘ log(σ(Xw)) + (1 − y) ∘ log(1 − σ(Xw)))",
        "Xᵀ(σ(Xw) − y)",
        "Xᵀ diag(σ(Xw) ∘ (1 − σ(Xw))) X",
    ),
    "penalised logistic loss": (
        "sum(softplus(Xw)) − yᵀXw + ½λ‖w‖²",
        "Xᵀ(σ(Xw) − y) + λw",
        "Xᵀ diag(σ(Xw) ∘ (1 − σ(Xw))) X + λI",
    ),
    "log-sum-exp": ("logsumexp(z)", "softmax(z)", "diag(softmax(z)) − softmax(z) softmax(z)ᵀ"),
    "softmax cross-entropy": (
        "logsumexp(z) − yᵀz",
        "softmax(z) − y",
        "diag(softmax(z)) − softmax(z) softmax(z)ᵀ",
    ),
    "softmax cross-entropy as a likelihood": (
        "−yᵀ log(softmax(z))",
        "softmax(z) − y",
        "diag(softmax(z)) − softmax(z) softmax(z)ᵀ",
    ),
    "multinomial logistic loss": (
        "sum(logsumexp_rows(XW)) − tr(YᵀXW)",
        "Xᵀ(P − Y)",
        "(I ⊗ Xᵀ)(diag(vec(P)) − diag(vec(P)) (1_(k×k) ⊗ I) diag(vec(P)))(I ⊗ X)",
    ),
    # Matrix factorisation
    "matrix factorisation in U": ("‖T − UVᵀ‖_F²", "−2(T − UVᵀ)V", "2(VᵀV ⊗ I)"),
    "matrix factorisation in V": ("‖T − UVᵀ‖_F²", "−2(T − UVᵀ)ᵀU", "2(UᵀU ⊗ I)"),
    "penalised factorisation as traces, in U": (
        "tr((T − UVᵀ)ᵀ(T − UVᵀ)) + λ(tr(UᵀU) + tr(VᵀV))",
        "2λU − 2(T − UVᵀ)V",
        "2(VᵀV ⊗ I + λI)",
    ),
    "penalised factorisation as traces, in V": (
        "tr((T − UVᵀ)ᵀ(T − UVᵀ)) + λ(tr(UᵀU) + tr(VᵀV))",
        "2λV − 2(T − UVᵀ)ᵀU",
        "2(UᵀU ⊗ I + λI)",
    ),
    # Multivariate Gaussian
    "Gaussian log-likelihood in μ": ("−½ log|det Σ| − ½(x − μ)ᵀΣ⁻¹(x − μ)", "Σ⁻¹(x − μ)", "−Σ⁻¹"),
    "Gaussian log-likelihood in Σ": (
        "−½ log|det Σ| − ½(x − μ)ᵀΣ⁻¹(x − μ)",
        "½(Σ⁻¹(x − μ)(x − μ)ᵀΣ⁻¹ − Σ⁻¹)",
        "½(Σ⁻¹ ⊗ Σ⁻¹ − Σ⁻¹(x − μ)(x − μ)ᵀΣ⁻¹ ⊗ Σ⁻¹ − Σ⁻¹ ⊗ Σ⁻¹(x − μ)(x − μ)ᵀΣ⁻¹)",
    ),
    "Gaussian log-likelihood of n rows in μ": (
        "−½n log|det Σ| − ½ tr((X − 1μᵀ)Σ⁻¹(X − 1μᵀ)ᵀ)",
        "Σ⁻¹(X − 1μᵀ)ᵀ1ₙ",
        "−nΣ⁻¹",
    ),
    "Gaussian log-likelihood of n rows in Σ": (
        "−½n log|det Σ| − ½ tr(ZΣ⁻¹Zᵀ)",
        "½(Σ⁻¹ZᵀZΣ⁻¹ − nΣ⁻¹)",
        "½(n(Σ⁻¹ ⊗ Σ⁻¹) − Σ⁻¹ZᵀZΣ⁻¹ ⊗ Σ⁻¹ − Σ⁻¹ ⊗ Σ⁻¹ZᵀZΣ⁻¹)",
    ),
    # Eigenvalue problems
    "Lagrangian of principal components in v": ("vᵀSv − λ(vᵀv − 1)", "2Sv − 2λv", "2(S − λI)"),
    "Lagrangian of principal components in λ": ("vᵀSv − λ(vᵀv − 1)", "1 − vᵀv", "0"),
    "Rayleigh quotient": (
        "wᵀSw/(wᵀw)",
        "2Sw/(wᵀw) − 2(wᵀSw)w/(wᵀw)²",
        "2S/(wᵀw) − 4(Swwᵀ + wwᵀS)/(wᵀw)² + 8(wᵀSw)wwᵀ/(wᵀw)³ − 2(wᵀSw)I/(wᵀw)²",
    ),
    "Rayleigh quotient as traces": (
        "wᵀAw/(wᵀw)",
        "(A + Aᵀ)w/(wᵀw) − 2(wᵀAw)w/(wᵀw)²",
        "(A + Aᵀ)/(wᵀw) − 2((A + Aᵀ)wwᵀ + wwᵀ(A + Aᵀ))/(wᵀw)²"
        " + 8(wᵀAw)wwᵀ/(wᵀw)³ − 2(wᵀAw)I/(wᵀw)²",
    ),
    "Rayleigh quotient of a matrix": (
        "tr(WᵀSW)/tr(WᵀW)",
        "2SW/tr(WᵀW) − 2 tr(WᵀSW) W/tr(WᵀW)²",
        "2(I ⊗ S)/tr(WᵀW) − 4(vec(SW) vec(W)ᵀ + vec(W) vec(SW)ᵀ)/tr(WᵀW)²"
        " + 8 tr(WᵀSW) vec(W) vec(W)ᵀ/tr(WᵀW)³ − 2 tr(WᵀSW) I/tr(WᵀW)²",
    ),
    # Dense layer
    "dense layer in W": ("δᵀ(Wx + b)", "δxᵀ", "0"),
    "dense layer in x": ("δᵀ(Wx + b)", "Wᵀδ", "0"),
    "dense layer in b": ("δᵀ(Wx + b)", "δ", "0"),
    # Two-layer network
    "squared loss of a network, in W₂": ("½‖W₂h + b₂ − y‖²", "(W₂h + b₂ − y)hᵀ", "hhᵀ ⊗ I"),
    "squared loss of a network, in b₂": ("½‖W₂h + b₂ − y‖²", "W₂h + b₂ − y", "I"),
    "squared loss of a network, in W₁": (
        "½‖W₂h + b₂ − y‖²",
        "((1 − h^∘2) ∘ W₂ᵀ(W₂h + b₂ − y))xᵀ",
        "xxᵀ ⊗ (diag(1 − h^∘2) W₂ᵀW₂ diag(1 − h^∘2) − 2 diag(h ∘ (1 − h^∘2) ∘ W₂ᵀ(W₂h + b₂ − y)))",
    ),
    "squared loss of a network, in b₁": (
        "½‖W₂h + b₂ − y‖²",
        "(1 − h^∘2) ∘ W₂ᵀ(W₂h + b₂ − y)",
        "diag(1 − h^∘2) W₂ᵀW₂ diag(1 − h^∘2) − 2 diag(h ∘ (1 − h^∘2) ∘ W₂ᵀ(W₂h + b₂ − y))",
    ),
    "squared loss of a network, in x": (
        "½‖W₂h + b₂ − y‖²",
        "W₁ᵀ((1 − h^∘2) ∘ W₂ᵀ(W₂h + b₂ − y))",
        "W₁ᵀ(diag(1 − h^∘2) W₂ᵀW₂ diag(1 − h^∘2) − 2 diag(h ∘ (1 − h^∘2) ∘ W₂ᵀ(W₂h + b₂ − y)))W₁",
    ),
    "cross-entropy of a network, in W₂": (
        "logsumexp(W₂h + b₂) − yᵀ(W₂h + b₂)",
        "(p − y)hᵀ",
        "hhᵀ ⊗ (diag(p) − ppᵀ)",
    ),
    "cross-entropy of a network, in b₂": (
        "logsumexp(W₂h + b₂) − yᵀ(W₂h + b₂)",
        "p − y",
        "diag(p) − ppᵀ",
    ),
    "cross-entropy of a network, in W₁": (
        "logsumexp(W₂h + b₂) − yᵀ(W₂h + b₂)",
        "((1 − h^∘2) ∘ W₂ᵀ(p − y))xᵀ",
        "xxᵀ ⊗ (diag(1 − h^∘2) W₂ᵀ(diag(p) − ppᵀ)W₂ diag(1 − h^∘2)"
        " − 2 diag(h ∘ (1 − h^∘2) ∘ W₂ᵀ(p − y)))",
    ),
    "cross-entropy of a network, in b₁": (
        "logsumexp(W₂h + b₂) − yᵀ(W₂h + b₂)",
        "(1 − h^∘2) ∘ W₂ᵀ(p − y)",
        "diag(1 − h^∘2) W₂ᵀ(diag(p) − ppᵀ)W₂ diag(1 − h^∘2) − 2 diag(h ∘ (1 − h^∘2) ∘ W₂ᵀ(p − y))",
    ),
    "cross-entropy of a network, in x": (
        "logsumexp(W₂h + b₂) − yᵀ(W₂h + b₂)",
        "W₁ᵀ((1 − h^∘2) ∘ W₂ᵀ(p − y))",
        "W₁ᵀ(diag(1 − h^∘2) W₂ᵀ(diag(p) − ppᵀ)W₂ diag(1 − h^∘2)"
        " − 2 diag(h ∘ (1 − h^∘2) ∘ W₂ᵀ(p − y)))W₁",
    ),
    # Newton's method
    "quadratic model": ("f + gᵀs + ½sᵀHs", "g + Hs", "H"),
    "decrease predicted by Newton's step": ("−½gᵀH⁻¹g", "−H⁻¹g", "−H⁻¹"),
}
LETTERS = {
    "multinomial logistic loss": "P = softmax_rows(XW)",
    "Gaussian log-likelihood of n rows in Σ": "Z = X − 1μᵀ",
    "squared loss of a network, in W₂": "h = tanh(W₁x + b₁)",
    "squared loss of a network, in b₂": "h = tanh(W₁x + b₁)",
    "squared loss of a network, in W₁": "h = tanh(W₁x + b₁)",
    "squared loss of a network, in b₁": "h = tanh(W₁x + b₁)",
    "squared loss of a network, in x": "h = tanh(W₁x + b₁)",
    "cross-entropy of a network, in W₂": "h = tanh(W₁x + b₁), p = softmax(W₂h + b₂)",
    "cross-entropy of a network, in b₂": "h = tanh(W₁x + b₁), p = softmax(W₂h + b₂)",
    "cross-entropy of a network, in W₁": "h = tanh(W₁x + b₁), p = softmax(W₂h + b₂)",
    "cross-entropy of a network, in b₁": "h = tanh(W₁x + b₁), p = softmax(W₂h + b₂)",
    "cross-entropy of a network, in x": "h = tanh(W₁x + b₁), p = softmax(W₂h + b₂)",
}
