"""SciPy's convolutions and filters, and sums with weights."""

from __future__ import annotations

import numpy as np

from mcmodels.autodiff import signal
from mcmodels.autodiff.tables import call
from tests.autodiff.cases.complex_numbers import parts, turned
from tests.autodiff.cases.drawing import any_, case

case(
    "combination",
    "two",
    lambda x, y: call("combination", x, y, weights=(2.0, -0.5)),
    any_(3),
    any_(3),
)
case(
    "combination", "complex",
    lambda x: parts(call("combination", turned(x), x, weights=(2.0, -0.5))), any_(3),
)  # fmt: skip
for key in ("convolve_nd", signal.convolve):
    for mode in ("full", "valid", "same"):
        for first, second in (((5,), (3,)), ((2,), (4,)), ((4, 3), (2, 2)), ((2, 3, 2), (1, 2, 2))):
            case(
                key, f"signal {mode}-{first}-{second}",
                lambda a, v, m=mode: signal.convolve(a, v, m), any_(*first), any_(*second),
                exact=False,
            )  # fmt: skip
case("convolve_nd", "complex", lambda a, v: parts(signal.convolve(turned(a), v)), any_(3), any_(2))
for mode in ("full", "valid", "same"):
    case(
        signal.correlate, f"signal {mode}", lambda a, v, m=mode: signal.correlate(a, v, m),
        any_(5, 4), any_(2, 3), exact=False,
    )  # fmt: skip
    case(
        signal.correlate, f"shorter first {mode}", lambda a, v, m=mode: signal.correlate(a, v, m),
        any_(2), any_(5), exact=False,
    )  # fmt: skip
    case(
        signal.fftconvolve, mode, lambda a, v, m=mode: signal.fftconvolve(a, v, m, axes=(0, 1)),
        any_(4, 5), any_(3, 2), exact=False,
    )  # fmt: skip
    for boundary in ("fill", "wrap", "symm"):
        for f in (signal.convolve2d, signal.correlate2d):
            for shape in ((3, 2), (2, 3)):
                case(
                    f, f"{mode} {boundary} {shape}",
                    lambda a, v, f=f, m=mode, b=boundary: f(a, v, m, b), any_(5, 4), any_(*shape),
                    exact=False,
                )  # fmt: skip
case(
    signal.convolve2d, "filled with a number",
    lambda a, v: signal.convolve2d(a, v, "same", "fill", 0.7), any_(3, 3), any_(2, 3), exact=False,
)  # fmt: skip
for key in ("lfilter", signal.lfilter):
    for label, sizes in {"moving average": (3, 1), "recursive": (1, 3), "both": (2, 4)}.items():
        first = np.zeros(sizes[1])
        first[0] = 2.5
        case(
            key, label,
            lambda b, a, x, first=first: signal.lfilter(b, 0.3 * a + first, x),
            any_(sizes[0]), any_(sizes[1]), any_(2, 6), exact=False,
        )  # fmt: skip
    case(
        key, "axis", lambda b, x: signal.lfilter(b, [1.0, -0.4], x, axis=0), any_(2), any_(5, 2),
        exact=False,
    )  # fmt: skip
    case(
        key, "longer than the signal", lambda b, a, x: signal.lfilter(b, a + 2.0, x),
        any_(4), np.array([0.3, 0.2, -0.4]), any_(2), exact=False,
    )  # fmt: skip
case(
    "lfilter", "complex",
    lambda x: parts(signal.lfilter([1.0, 0.5j], [1.0, -0.3 + 0.2j], turned(x))),
    any_(5),
)  # fmt: skip
