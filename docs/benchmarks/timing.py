"""Time several callables interleaved: round robin, in rotating order, after a warm-up each."""

import gc
import math
import signal
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


class GaveUp(BaseException):
    """A run took longer than anybody would wait; not an Exception, so that no library eats it."""


# Threads of BLAS and OpenMP spin for a while after their last task, and take a core from whoever
# comes next: every run starts when they have stopped.
SETTLE = 0.15
AT_LEAST = 0.03  # seconds of one timed run; quicker functions are called several times in it


@dataclass
class Timing:
    """Seconds of every timed run, what the first run returned, and what is to be said of it."""

    seconds: list[float] = field(default_factory=list)
    result: Any = None
    notes: list[str] = field(default_factory=list)
    error: str = ""

    @property
    def median(self) -> float:
        """Median of the timed runs."""
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class Patience:
    """How often a run is repeated, and when it is not."""

    repeats: int = 5
    once_above: float = 20.0
    give_up: float = 240.0


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Interrupt what runs for longer (as soon as it comes back to Python)."""

    def stop(*_: object) -> None:
        raise GaveUp

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _warm_up(run: Callable[[], Any], read: Callable[[Any], Any], patience: Patience) -> Timing:
    """The first run: untimed if it is quick, the only one if it is not."""
    timing = Timing()
    took = 0.0
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with at_most(patience.give_up):
                start = time.perf_counter()
                result = run()
                took = time.perf_counter() - start
            timing.result = read(result)
        except GaveUp:
            timing.error = f"gave up after {patience.give_up:.0f} s"
        except Exception as error:
            timing.error = f"{type(error).__name__}: {error}".splitlines()[0]
    if any("Convergence" in entry.category.__name__ for entry in caught):
        timing.notes.append("did not converge")
    if took > patience.once_above and not timing.error:
        timing.seconds.append(took)
        timing.notes.append("one run")
    return timing


def interleave(
    runs: dict[str, Callable[[], Any]],
    reads: dict[str, Callable[[Any], Any]],
    patience: Patience,
) -> dict[str, Timing]:
    """Run everything once per round, ``patience.repeats`` rounds, each starting one further on."""
    nothing: Callable[[Any], Any] = lambda result: None  # noqa: E731
    timings = {
        name: _warm_up(run, reads.get(name, nothing), patience) for name, run in runs.items()
    }
    quick = [name for name, timing in timings.items() if not timing.error and not timing.seconds]
    gc.collect()
    gc.freeze()  # what was imported need not be searched before every run
    for turn in range(patience.repeats):
        shift = turn % max(1, len(quick))
        for name in quick[shift:] + quick[:shift]:
            gc.collect()
            time.sleep(SETTLE)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                start = time.perf_counter()
                result = runs[name]()
                timings[name].seconds.append(time.perf_counter() - start)
                del result
    gc.unfreeze()
    return timings


def repeated(function: Callable[..., Any]) -> tuple[Callable[..., Any], int]:
    """The function, called so often that the clock is no matter."""
    function()
    start = time.perf_counter()
    function()
    took = time.perf_counter() - start
    times = max(1, math.ceil(AT_LEAST / max(took, 1e-7)))
    if times == 1:
        return function, 1

    def run() -> None:
        for _ in range(times):
            function()

    return run, times


def in_units(seconds: float) -> str:
    """Seconds, as one reads them."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:,.0f} µs"
    return f"{seconds * 1e3:,.1f} ms" if seconds < 1 else f"{seconds:,.2f} s"
