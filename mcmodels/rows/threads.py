"""Threads over parts of the rows: as many as the user allows, with single-threaded BLAS inside.

The number of threads is that of NumPy's BLAS, so that threadpoolctl, OMP_NUM_THREADS and the limits
that joblib sets in its workers all hold here. While rows are walked BLAS itself runs in one thread;
afterwards it is as it was.
"""

from __future__ import annotations

import contextvars
import functools
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import joblib
from threadpoolctl import ThreadpoolController

Result = TypeVar("Result")


@functools.cache
def _blas_libraries() -> list[Any]:
    return ThreadpoolController().select(user_api="blas").lib_controllers


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
                    library.set_num_threads(1)
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
                    library.set_num_threads(before)


_blas = _SingleThreadedBlas()


@contextmanager
def single_threaded_blas() -> Iterator[int]:
    """Run BLAS in one thread for the duration; yields the number of threads for blocks.

    It makes results independent of the number of threads: BLAS sums in another order in each.
    """
    blas_threads = _blas.enter()
    try:
        yield max(1, min(blas_threads, joblib.cpu_count()))
    finally:
        _blas.leave()


def ordered_map(tasks: Sequence[Callable[[], Result]], n_threads: int) -> Iterator[Result]:
    """Results of the tasks in their order, computed by threads that run only a little ahead."""
    n_threads = min(n_threads, len(tasks))
    if n_threads <= 1:
        yield from (task() for task in tasks)
        return
    waiting = iter(enumerate(tasks))
    ahead = threading.Semaphore(2 * n_threads + 1)
    finished: queue.SimpleQueue[tuple[int, Result | None, BaseException | None]]
    finished = queue.SimpleQueue()
    stop = False

    def work() -> None:
        while not stop:
            ahead.acquire()
            with lock:
                index, task = next(waiting, (-1, None))
            if task is None:
                ahead.release()
                return
            try:
                finished.put((index, task(), None))
            except BaseException as error:
                finished.put((index, None, error))
                return

    lock = threading.Lock()
    # NumPy's error state belongs to the context of the calling thread.
    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True)
        for _ in range(n_threads)
    ]
    for thread in threads:
        thread.start()
    try:
        early: dict[int, Result] = {}
        for index in range(len(tasks)):
            while index not in early:
                position, result, error = finished.get()
                if error is not None:
                    raise error
                early[position] = cast(Result, result)
            ahead.release()
            yield early.pop(index)
    finally:
        stop = True
        for _ in threads:
            ahead.release()
        for thread in threads:
            thread.join()
