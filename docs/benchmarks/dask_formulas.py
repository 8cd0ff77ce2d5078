"""What a pass of a fit to Dask collections moves, by formula, and how long it takes, by simulation.

docs/scale.md explains both.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

FAN_IN = 8


def job_bytes(p: int, classes: int, partitions: int, start_bytes: int = 5) -> float:
    """J, what a Newton step sends to each worker once: parameters, sums of the columns, starts.

    The rest is code, settings and names, and was measured: 4 kB. So was the size of a start, which
    is 5 bytes up to 2³¹ rows, and 7 above.
    """
    outputs = 1 if classes == 2 else classes
    return 4000 + 8 * (outputs * (p + 1) + (classes + 2) * p) + start_bytes * partitions


# What a result has beside numbers, measured: the names of what it is.
NAMES = 900


def check_numbers(p: int, targets: int, *, first: bool = False) -> int:
    """The sums by which a pass is compared with the first, and the mixtures that they are of."""
    return (4 if first else 2) * (p + targets + 1) + 3 * (p + targets)


def newton_bytes(p: int, classes: int) -> int:
    """R, the result of a Newton step: value, gradient, the distinct blocks of the Hessian."""
    outputs, blocks = (1, 1) if classes == 2 else (classes, classes * (classes - 1) // 2)
    numbers = blocks * (p * p + p + 1) + outputs * (p + 1) + 1 + check_numbers(p, 1)
    return NAMES + 8 * numbers


def first_pass_bytes(p: int, held_rows: int, *, linear: bool) -> int:
    """R, the result of the first pass: a sample of the rows; moments for a linear fit."""
    numbers = held_rows * (p + 1) + check_numbers(p, 1, first=True)
    return NAMES + 8 * (numbers + ((p + 1) ** 2 + 2 * (p + 1) if linear else 0))


def crossings(homes: Sequence[int], fan_in: int = FAN_IN) -> Counter[int]:
    """E, the results that cross to the home of most terms of a sum, by the partitions in them.

    Of several such homes, it is the one with the fewest sums so far.
    """
    crossed, sums = Counter[int](), Counter[int]()
    level = [(home, 1) for home in homes]
    while len(level) > 1:
        groups = [level[k : k + fan_in] for k in range(0, len(level), fan_in)]
        level = []
        for group in groups:
            places = [home for home, _ in group]
            home = max(places, key=lambda at: (places.count(at), -sums[at]))
            sums[home] += 1
            crossed.update(count for at, count in group if at != home)
            level.append((home, sum(count for _, count in group)))
    return crossed


@dataclass(frozen=True)
class Pass:
    """What one pass moves, in bytes.

    Parameters
    ----------
    name : str
        Which pass.
    job, result : float
        Sizes of J and R.
    between_workers : float
        Of jobs and results.
    rows : float
        Of rows that the scheduler moved between workers.
    others : float
        Between client and scheduler, and scheduler and workers.
    seconds : float
        Time of the pass.
    """

    name: str
    job: float
    result: float
    between_workers: float
    rows: float
    others: float
    seconds: float


def formula(
    name: str,
    job: float,
    result_of: Callable[[int], float],
    homes: Sequence[int],
    messages: float,
) -> Pass:
    """A pass by the formulas, of J, R of so many partitions, their homes, and all messages.

    Workers get the job from one another, all but the first. Client, scheduler and a worker pass on
    the job and the last result.
    """
    last = result_of(len(homes))
    between = (len(set(homes)) - 1) * job
    between += sum(times * result_of(count) for count, times in crossings(homes).items())
    return Pass(name, job, last, between, 0.0, 2 * job + 2 * last + messages, math.nan)


def held_rows(height: int, p: int, count: int, partitions: int, most: int) -> int:
    """Rows of the sample in the sum of so many of the partitions: every k-th, k a power of two.

    ``height`` is the number of rows of a partition. ``most`` is 2¹⁶, and 2¹³ for a linear fit; no
    more than 2²¹ numbers are held.
    """
    share = max(min(max(most // partitions, 64), 2**21 // p), 64)
    every = 1
    while math.ceil(height / every) > share:
        every *= 2
    most = max(min(share * count, 2**16, 2**21 // p), 64)
    while True:
        held = count * math.ceil(height / every) if every < height else count * height // every
        if held <= most:
            return held
        every *= 2


@dataclass(frozen=True)
class Rates:
    """What a simulation is made of: rows, transfers, sums, and a partition in the scheduler."""

    row: float
    transfer: float
    add: float
    partition: float


def simulated(
    n: float, workers: int, partitions: int, job: float, result: float, rates: Rates
) -> float:
    """Seconds of a pass: one scheduler, and workers of one thread that receive one at a time.

    Partitions are at home in order, and stay. The scheduler takes the same time for a sum of sums
    as for a partition.
    """
    homes = [k * workers // partitions for k in range(partitions)]
    arrived = math.ceil(math.log2(workers + 1)) * job / rates.transfer
    scheduler, free = 0.0, [arrived] * workers
    level: list[tuple[float, int]] = []
    for home in homes:
        scheduler += rates.partition
        free[home] = max(free[home], scheduler) + n / partitions * rates.row
        level.append((free[home], home))
    while len(level) > 1:
        groups = [level[k : k + FAN_IN] for k in range(0, len(level), FAN_IN)]
        level = []
        for group in sorted(groups, key=max):
            places = [home for _, home in group]
            home = max(places, key=places.count)
            scheduler = max(scheduler, max(group)[0]) + rates.partition
            moved = (len(group) - places.count(home)) * result / rates.transfer
            free[home] = max(free[home], scheduler) + moved + len(group) * result / rates.add
            level.append((free[home], home))
        level.sort(key=lambda of: of[1])
    return level[0][0] + 2 * result / rates.transfer
