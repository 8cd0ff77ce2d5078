"""Batches that a thread reads while the last ones are used."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator
from typing import TypeVar

__all__ = ["read_ahead"]

Item = TypeVar("Item")

# How often a thread whose items nobody takes looks whether they are still wanted, in seconds.
_PATIENCE = 0.1


def read_ahead(items: Generator[Item], depth: int) -> Generator[Item]:
    """The same items, made by a thread of their own up to ``depth`` and one more ahead.

    An error of the generator is raised after the items before it. When the result is closed, the
    thread ends, and the generator is closed.
    """
    # A list of one item, and no error; of none at the end, maybe with an error.
    made: queue.Queue[tuple[list[Item], BaseException | None]] = queue.Queue(depth)
    unwanted = threading.Event()

    def put(item: list[Item], error: BaseException | None = None) -> bool:
        while not unwanted.is_set():
            with contextlib.suppress(queue.Full):
                made.put((item, error), timeout=_PATIENCE)
                return True
        return False

    def work() -> None:
        try:
            with contextlib.closing(items):
                for item in items:
                    if not put([item]):
                        return
        except BaseException as error:
            put([], error)
        else:
            put([])

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            item, error = made.get()
            if error is not None:
                raise error
            if not item:
                return
            yield item.pop()
    finally:
        unwanted.set()
        thread.join()
