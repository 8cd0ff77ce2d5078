"""Threads over parts of the rows: as many as the user allows, with single-threaded BLAS inside.

The number of threads is that of NumPy's BLAS. So the limits set by threadpoolctl, OMP_NUM_THREADS
and joblib hold here, too. During a walk over rows, BLAS itself runs in one thread. Afterwards it
has as many threads as before.

``concurrent.futures`` was tried in place of our own threads. Each part costs about 12 µs more then:
LinearRegression on 2,000,000 rows took 15 to 30 % more processor time with one or two features, and
5 % with ten. Also, its pools refuse work when the main thread has ended, while a fit in another
thread may go on.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import math
import operator
import os
import threading
import time
import weakref
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import joblib
from threadpoolctl import ThreadpoolController

Sum = TypeVar("Sum")


@functools.cache
def _blas_libraries() -> list[Any]:
    return ThreadpoolController().select(user_api="blas").lib_controllers


def _set_threads(libraries: Iterable[tuple[Any, int]]) -> None:
    """Set the number of threads of each library, whichever thread has set it before.

    In threadpoolctl 3.8 the first thread that sets the number becomes the only one that may, of all
    libraries of its kind. So the claim of another thread is cleared first where it is in the way,
    and ours afterwards.
    """
    claims = {}
    for library, n_threads in libraries:
        library.set_num_threads(n_threads)
        if not hasattr(library, "clear_controlling_thread"):
            continue
        if library.get_num_threads() != n_threads:
            library.clear_controlling_thread(force=True)
            library.set_num_threads(n_threads)
        claims[type(library)] = library
    for library in claims.values():
        library.clear_controlling_thread()


class _SingleThreadedBlas:
    """Knows the fits that run; fits in several threads may enter and leave in any order."""

    def __init__(self) -> None:
        # What an interrupted fit leaves is collected at any allocation, and so inside the lock.
        self._lock = threading.RLock()
        self._fits: dict[int, weakref.ref[object]] = {}
        self._before: list[int] = []

    def enter(self, fit: object) -> int:
        """Make BLAS single-threaded; return how many threads it had.

        A fit that never calls :meth:`leave` has left when the object is gone.
        """
        key = id(fit)
        with self._lock:
            self._fits[key] = weakref.ref(fit, lambda _: self._leave(key))
            if not self._before:
                self._before = [library.get_num_threads() for library in _blas_libraries()]
                _set_threads((library, 1) for library in _blas_libraries())
            return min(self._before, default=1)

    def leave(self, fit: object) -> None:
        """Restore the number of BLAS threads when the last fit has ended; a second time, nothing.

        So it may be called again after it was interrupted, or before ``enter`` has ended.
        """
        self._leave(id(fit))

    def _leave(self, key: int) -> None:
        with self._lock:
            self._fits.pop(key, None)
            if self._fits or not self._before:
                return
            # Another number was set by the user meanwhile, and stays.
            _set_threads(
                (library, before)
                for library, before in zip(_blas_libraries(), self._before, strict=True)
                if before > 1 and library.get_num_threads() == 1
            )
            self._before = []


# Threads that a walk may take; a task that runs beside another has its own.
_most_threads: contextvars.ContextVar[float] = contextvars.ContextVar("threads", default=math.inf)


@contextmanager
def in_one_thread() -> Iterator[None]:
    """Walks inside start no threads, because others run at the same time."""
    before = _most_threads.set(1)
    try:
        yield
    finally:
        _most_threads.reset(before)


# A caller waits long for a task when that is more than this share of the task's own time.
_LONG_WAIT = 1 / 4

_blas = _SingleThreadedBlas()
if hasattr(os, "register_at_fork"):
    # A thread that holds the lock does not exist in the child, so the child needs a new lock.
    os.register_at_fork(after_in_child=_blas.__init__)  # type: ignore[misc]


class single_threaded_blas:
    """Run BLAS in one thread inside the context; its value is the number of threads before.

    BLAS sums in an order that depends on its number of threads. With one thread, results do not
    depend on how many the user allows.

    A class, because fits of a few rows enter several of them one inside another, and a generator
    takes twice as long. Ctrl-C may come at the very start of ``__exit__``, before any of its code;
    so the context ends with this object, at the latest. A ``__del__`` would swallow Ctrl-C.
    """

    def __enter__(self) -> int:
        try:
            return _blas.enter(self)
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *raised: object) -> None:
        try:
            _blas.leave(self)
        finally:
            _blas.leave(self)  # Ctrl-C may have interrupted the first


def ordered_sum(
    parts: Sequence[Callable[[], Sum | None]], n_threads: int, *, short: bool = False
) -> Sum | None:
    """The sum of what the parts return, in their order and in place; None adds nothing.

    Threads compute the parts while the caller waits. They run only a few parts ahead of the sum, so
    that few results are in memory at once. Of ``short`` parts the caller's thread computes some,
    too, because to start one more takes 0.1 ms; walks over many rows took a tenth longer so.
    """
    n_threads = int(min(n_threads, len(parts), _most_threads.get()))
    if n_threads > 1:
        n_threads = min(n_threads, joblib.cpu_count())
    if n_threads <= 1:
        total = None
        for part in parts:
            total = in_place_sum(total, part())
        return total
    shared = _SharedSum(parts, ahead=2 * n_threads)
    # The context holds NumPy's error state: np.errstate of the caller holds in the threads, too.
    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(shared.work,), daemon=True)
        for _ in range(n_threads - short)
    ]
    try:
        for thread in threads:
            thread.start()
        if short:
            shared.work()
        for thread in threads:
            thread.join()
    except BaseException as interruption:
        shared.stop(-1, interruption)
        for thread in threads:
            if thread.ident is not None:
                thread.join()
        raise
    if shared.errors:
        raise shared.errors[min(shared.errors)]
    return shared.total


def sum_behind(
    tasks: Generator[tuple[Callable[[], Sum | None], bool]], *, alone: bool = True
) -> Sum | None:
    """The sum of what tasks return, in their order; while one runs, the caller gets the next.

    The caller's thread alone advances the generator, because what reads rows may belong to it: a
    connection to SQLite refuses other threads. BLAS has one thread all the while, so that what the
    generator computes does not depend on whether a task runs. A task that runs while the caller
    reads takes one thread, because more would take turns with the caller's. Where reading is the
    quicker of both, the tasks take all threads.

    Parameters
    ----------
    tasks : generator of (callable, bool)
        Each task, and whether it may run in another thread while the next one is prepared.
    alone : bool, default=True
        Whether tasks take one thread at first.
    """
    total: Sum | None = None
    running: _Task[Sum] | None = None
    with single_threaded_blas() as n_threads, contextlib.closing(tasks):
        try:
            for task, may_run_behind in tasks:
                if running is not None:
                    total = in_place_sum(total, running.result())
                    alone = alone and running.waited <= _LONG_WAIT * running.took
                    running = None
                if may_run_behind and n_threads > 1:
                    running = _Task(task, 1 if alone else n_threads)
                    running.thread.start()
                else:
                    total = in_place_sum(total, task())
            return total if running is None else in_place_sum(total, running.result())
        except BaseException as error:
            if running is not None and running.thread.ident is not None:
                running.thread.join()  # it ends soon, and its rows are still there
                if isinstance(error, Exception):
                    running.result()  # an error of these rows comes before one of the next
            raise


class _Task(Generic[Sum]):
    """A call in a thread of its own, which takes at most some threads for its walk.

    Attributes
    ----------
    took, waited : float
        How long the call took, and how long :meth:`result` waited for it, in seconds.
    """

    def __init__(self, call: Callable[[], Sum | None], n_threads: int) -> None:
        self._call, self._n_threads = call, n_threads
        self._value: Sum | None = None
        self._error: BaseException | None = None
        self.took = self.waited = 0.0
        run = contextvars.copy_context().run
        self.thread = threading.Thread(target=run, args=(self._run,), daemon=True)

    def _run(self) -> None:
        start = time.perf_counter()
        _most_threads.set(self._n_threads)
        try:
            self._value = self._call()
        except BaseException as error:
            self._error = error
        self.took = time.perf_counter() - start

    def result(self) -> Sum | None:
        """What the call has returned or raised, as soon as it has."""
        start = time.perf_counter()
        self.thread.join()
        self.waited = time.perf_counter() - start
        if self._error is not None:
            raise self._error
        return self._value


def in_place_sum(total: Sum | None, part: Sum | None) -> Sum | None:
    """``total += part``; None adds nothing."""
    if total is None or part is None:
        return total if part is None else part
    return operator.iadd(total, part)


class _SharedSum(Generic[Sum]):
    """Parts that several threads compute, and their sum in order."""

    def __init__(self, parts: Sequence[Callable[[], Sum | None]], *, ahead: int) -> None:
        self.parts = parts
        self.ahead = ahead
        self.total: Sum | None = None
        self.errors: dict[int, BaseException] = {}
        self._taken = 0
        self._summed = 0
        self._early: dict[int, Sum | None] = {}
        self._progress = threading.Condition()

    def work(self) -> None:
        """Compute parts until none is left or an error has occurred."""
        while True:
            with self._progress:
                index = self._taken
                if index == len(self.parts) or self.errors:
                    return
                self._taken += 1
                while index - self._summed > self.ahead and not self.errors:
                    self._progress.wait()
            try:
                self._add(index, self.parts[index]())
            except BaseException as error:
                self.stop(index, error)
                return

    def stop(self, index: int, error: BaseException) -> None:
        """Record the error of a part; no thread starts another part."""
        with self._progress:
            self.errors[index] = error
            self._progress.notify_all()

    def _add(self, index: int, part: Sum | None) -> None:
        with self._progress:
            self._early[index] = part
            while self._summed in self._early:
                self.total = in_place_sum(self.total, self._early.pop(self._summed))
                self._summed += 1
            self._progress.notify_all()
