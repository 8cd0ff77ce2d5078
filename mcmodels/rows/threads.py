"""Threads over parts of the rows: as many as the user allows, with single-threaded BLAS inside.

The number of threads is that of NumPy's BLAS, so that threadpoolctl, OMP_NUM_THREADS and the limits
that joblib sets in its workers all hold here. While rows are walked BLAS itself runs in one thread;
afterwards it is as it was.
"""

from __future__ import annotations

import contextvars
import functools
import operator
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import joblib
from threadpoolctl import ThreadpoolController

Sum = TypeVar("Sum")


@functools.cache
def _blas_libraries() -> list[Any]:
    return ThreadpoolController().select(user_api="blas").lib_controllers


def _set_threads(library: Any, n_threads: int) -> None:
    """Set the threads of a library, whichever thread has set them last.

    threadpoolctl 3.8 lets one thread do so, until it has ended or is cleared; a fit does not stay
    that one.
    """
    library.set_num_threads(n_threads)
    if not hasattr(library, "clear_controlling_thread"):
        return
    if library.get_num_threads() != n_threads:
        library.clear_controlling_thread(force=True)
        library.set_num_threads(n_threads)
    library.clear_controlling_thread()


class _SingleThreadedBlas:
    """The state of BLAS while fits run: fits in several threads enter and leave it in any order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0
        self._before: list[int] = []

    def enter(self) -> int:
        """Make BLAS single-threaded; return the threads that it had."""
        with self._lock:
            if self._depth == 0:
                self._before = [library.get_num_threads() for library in _blas_libraries()]
                for library in _blas_libraries():
                    _set_threads(library, 1)
            self._depth += 1
            return min(self._before, default=1)

    def leave(self) -> None:
        """Give BLAS its threads back when the last fit has left."""
        with self._lock:
            self._depth -= 1
            if self._depth > 0:
                return
            for library, before in zip(_blas_libraries(), self._before, strict=True):
                # A number that somebody else has set meanwhile is theirs.
                if library.get_num_threads() == 1:
                    _set_threads(library, before)


_blas = _SingleThreadedBlas()
if hasattr(os, "register_at_fork"):
    # A child has none of the threads that may have held the lock.
    os.register_at_fork(after_in_child=_blas.__init__)  # type: ignore[misc]


@contextmanager
def single_threaded_blas() -> Iterator[int]:
    """Run BLAS in one thread for the duration; yields the number of threads that it had.

    It makes results independent of the number of threads: BLAS sums in another order in each.
    """
    blas_threads = _blas.enter()
    try:
        yield blas_threads
    finally:
        _blas.leave()


def ordered_sum(parts: Sequence[Callable[[], Sum | None]], n_threads: int) -> Sum | None:
    """The sum of what the parts return, in their order and in place; None adds nothing.

    The parts are computed by threads, which run only a little ahead of the sum; the caller sleeps.
    """
    n_threads = min(n_threads, len(parts))
    if n_threads > 1:
        n_threads = min(n_threads, joblib.cpu_count())
    if n_threads <= 1:
        total = None
        for part in parts:
            total = in_place_sum(total, part())
        return total
    shared = _SharedSum(parts, ahead=2 * n_threads)
    # NumPy's error state belongs to the context of the calling thread.
    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(shared.work,), daemon=True)
        for _ in range(n_threads)
    ]
    try:
        for thread in threads:
            thread.start()
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


def in_place_sum(total: Sum | None, part: Sum | None) -> Sum | None:
    """``total += part``; None adds nothing."""
    if total is None or part is None:
        return total if part is None else part
    return operator.iadd(total, part)


class _SharedSum(Generic[Sum]):
    """Parts that are taken by several threads, and their sum in order."""

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
        """Compute parts until none is left."""
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
        """Let no thread take another part, because of what happened in this one."""
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
