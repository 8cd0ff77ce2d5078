"""A cluster here whose traffic is counted where it is written: at the sockets of every process."""

import contextlib
import pickle
import statistics
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import cloudpickle
import dask
import dask.array as da
import numpy as np
from dask_formulas import Pass
from distributed import Client, LocalCluster, WorkerPlugin, wait
from distributed.comm.tcp import TCP
from distributed.utils import key_split

from mcmodels.tables import dask_parts
from mcmodels.tables.dask_parts import DaskParts
from mcmodels.tables.dask_stream import DaskStream

# A setting with which the scheduler holds a transfer for dear, so that it moves no rows.
ROWS_STAY = {
    "distributed.scheduler.bandwidth": "10 kB",
    "distributed.scheduler.work-stealing": False,
}


class Traffic(WorkerPlugin):
    """Counts what this process writes, by both addresses and what it is."""

    name = "traffic"

    def __init__(self) -> None:
        self.written: Counter[tuple[str, str, str]] = Counter()

    def setup(self, worker: Any) -> None:
        """Begin to count."""
        self.start()

    def start(self) -> None:
        """Begin to count."""
        original, written = TCP.write, self.written

        async def write(comm: Any, msg: Any, **options: Any) -> int:
            count = await original(comm, msg, **options)
            shares = _shares(msg)
            for kind, share in shares.items():
                written[comm.local_address, comm.peer_address, kind] += count * share
            return count

        TCP.write = write


def _shares(message: Any) -> dict[str, float]:
    """Which share of a message is of results of which kind of task."""
    data = message.get("data") if isinstance(message, dict) else None
    if not isinstance(data, dict) or not data:
        return {"": 1.0}
    sizes: Counter[str] = Counter()
    for key, value in data.items():
        sizes[key_split(key)] += len(cloudpickle.dumps(getattr(value, "data", value)))
    return {kind: size / sizes.total() for kind, size in sizes.items()}


def _written_by_worker(dask_worker: Any) -> Any:
    return dict(dask_worker.plugins["traffic"].written)


class Measured:
    """A cluster whose traffic is counted.

    Parameters
    ----------
    workers : int
        How many.
    settings : dict
        Settings of Dask.
    """

    def __init__(self, workers: int, settings: dict[str, Any]) -> None:
        with dask.config.set(settings):
            self.cluster = LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=None
            )
            self.client = Client(self.cluster)
        self._here = Traffic()
        self._original = TCP.write
        self._here.start()
        self.client.register_plugin(Traffic())
        self.workers = sorted(self.client.scheduler_info(n_workers=-1)["workers"])

    def __enter__(self) -> "Measured":
        return self

    def __exit__(self, *_: object) -> None:
        TCP.write = self._original
        self.client.close()
        self.cluster.close()

    def links(self) -> Counter[str]:
        """Bytes written so far: between workers by kind of task, and on all other links."""
        time.sleep(0.3)
        by_process = [dict(self._here.written), *self.client.run(_written_by_worker).values()]
        here, *theirs = by_process
        # Those of connections that a worker has made to another one.
        of_workers = {a for of in theirs for a, b, _ in of if b in self.workers}
        found: Counter[str] = Counter({"others": sum(here.values())})
        for of in theirs:
            for (local, peer, kind), count in of.items():
                among = peer in of_workers or (peer in self.workers and local in of_workers)
                found[f"workers:{kind}" if among else "others"] += count
        return found

    def rows(self, n: int, p: int, classes: int, partitions: int, *, turns: bool) -> Any:
        """X and y in partitions with known homes: contiguous ones, or by turns."""
        height, W = n // partitions, len(self.workers)
        homes = [k % W if turns else k * W // partitions for k in range(partitions)]
        tables = [
            self.client.submit(
                table_of, k, height, p, classes, workers=self.workers[home], pure=False
            )
            for k, home in enumerate(homes)
        ]
        X, y = (
            [
                self.client.submit(_part, table, part, workers=self.workers[home], pure=False)
                for table, home in zip(tables, homes, strict=True)
            ]
            for part in range(2)
        )
        wait(X + y)
        # As persist() makes them.
        lengths, name = (height,) * partitions, str(uuid.uuid4())
        blocks = {(f"X-{name}", k, 0): future for k, future in enumerate(X)}
        labels = {(f"y-{name}", k): future for k, future in enumerate(y)}
        return (
            da.Array(blocks, f"X-{name}", (lengths, (p,)), dtype=float),
            da.Array(labels, f"y-{name}", (lengths,), dtype=int),
            homes,
        )

    @contextlib.contextmanager
    def passes(self) -> Iterator[list[Pass]]:
        """The passes of what is done meanwhile."""
        found: list[Pass] = []
        original = DaskParts.sum

        def watched(parts: DaskParts, function: Any) -> Any:
            job = len(cloudpickle.dumps(dask_parts._Job(parts._open, function)))
            before, start = self.links(), time.perf_counter()
            result = original(parts, function)
            seconds = time.perf_counter() - start
            moved = self.links()
            moved.subtract(before)
            others = moved.pop("others")
            sums = sum(moved.pop(f"workers:{kind}", 0.0) for kind in ("summed", "added", "Job", ""))
            size = len(pickle.dumps(result))
            name = "first pass" if "Look" in type(function).__name__ else "later pass"
            rows = float(sum(moved.values()))
            found.append(Pass(name, job, size, sums, rows, others, seconds))
            return result

        DaskParts.sum = watched  # type: ignore[method-assign]
        try:
            yield found
        finally:
            DaskParts.sum = original  # type: ignore[method-assign]

    def messages(self, X: Any, y: Any) -> tuple[float, float, float]:
        """Of a pass that does nothing, for each partition: bytes, seconds, and those of processor.

        The time of the processor is that of client and scheduler, which are this process.
        """
        parts, busy = DaskStream(X, y).parts, []
        with self.passes() as found:
            for _ in range(3):
                parts.sum(_one)
        for _ in range(3):
            start = time.process_time()
            parts.sum(_one)
            busy.append(time.process_time() - start)
        others = statistics.median(of.others for of in found)
        seconds = statistics.median(of.seconds for of in found)
        messages = others - 2 * found[0].job
        return tuple(x / parts.count for x in (messages, seconds, statistics.median(busy)))

    def transfer_rate(self) -> float:
        """Bytes a second between two workers here, of an array of 64 MB."""
        here, there = self.workers[:2]
        times = []
        for _ in range(5):
            array = self.client.submit(np.ones, 2**23, workers=here, pure=False)
            wait(array)
            start = time.perf_counter()
            wait(self.client.submit(len, array, workers=there, pure=False))
            times.append(time.perf_counter() - start)
        return 2**26 / statistics.median(times)


def _one(_: Any) -> int:
    return 1


def table_of(k: int, height: int, p: int, classes: int) -> Any:
    rng = np.random.default_rng([p, k])
    X = rng.standard_normal((height, p))
    shares = np.random.default_rng(p).standard_normal((p, classes)) / np.sqrt(p)
    return X, (X @ shares + rng.gumbel(size=(height, classes))).argmax(axis=1)


def _part(table: Any, part: int) -> Any:
    return table[part]
