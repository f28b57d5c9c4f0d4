"""Follow the chunks of a sweep that are not done yet: here, or on the workers of a cluster."""

from __future__ import annotations

import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eigendyn.errors import InvalidSetting
from eigendyn.sweeping.chunk import followed_chunk
from eigendyn.sweeping.cluster import Crew, spread
from eigendyn.sweeping.lock import locked
from eigendyn.sweeping.plan import Plan
from eigendyn.sweeping.store import LOCK, Store, open_store

TIMED = 2  # chunks until it is told what the others take: the first one has to be compiled


@dataclass(frozen=True)
class Estimate:
    """What is left of a sweep will take.

    Args:
        trajectories: To follow, those of the first chunks among them.
        bytes: Of what is kept of them, before it is compressed.
        seconds: Until the others are followed, as long as they take what the first ones took.
        chunks: To follow.
    """

    trajectories: int
    bytes: int
    seconds: float
    chunks: int


Tell = Callable[[Estimate], object]


def shard_of(text: str | None) -> tuple[int, int]:
    """Which part of how many, from "3/16"; None is the only one.

    Raises:
        InvalidSetting: It is none.
    """
    if text is None:
        return 1, 1
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    part, parts = (int(one) for one in found.groups()) if found else (0, 0)
    if not 1 <= part <= parts:
        message = f"`shard` must be one part of several, from 1/16 to 16/16, not {text!r}."
        raise InvalidSetting(message)
    return part, parts


def work(
    plan: Plan,
    path: Path,
    *,
    shard: tuple[int, int] = (1, 1),
    crew: Crew | None = None,
    progress: bool = False,
    tell: Tell | None = None,
) -> None:
    """Follow all chunks of a sweep, or of one shard of it, that are not marked as done.

    Args:
        plan: The sweep.
        path: Its store; made if there is none.
        shard: Which part of how many: every so many chunks.
        crew: Workers of dask; None follows all here, on every core.
        progress: Show a progress bar on standard error.
        tell: Told what is left once the first chunks are done; it may raise.

    Raises:
        OutputExists, UnreadableFile, InvalidSetting: The store is another one, or in use; there is
            no scheduler.
        OSError: The disk is full.
    """
    store = open_store(path, plan)
    part, parts = shard
    mine = range(part - 1, plan.layout.count, parts)
    with locked(path / LOCK, mine, path):
        marks = store.marks()
        left = [number for number in mine if not marks[number]]
        if not left:
            return
        store.tidy(mine, plan.layout.grid)
        threads = (os.cpu_count() or 1) if crew is None else 1
        begun = left[:TIMED]
        seconds = 0.0
        for number in begun:
            start = time.perf_counter()
            do_chunk(plan, path, number, threads)
            seconds = time.perf_counter() - start
        if tell is not None:
            tell(_estimate(plan, left, seconds / (1 if crew is None else crew.size)))
        rest = left[TIMED:]
        if crew is None:
            done = _here(plan, path, rest, threads)
        else:
            done = spread(crew, do_chunk, plan, path, rest)
        with _bar(plan, left, progress) as advance:
            for number in done:
                advance(number)


def _estimate(plan: Plan, left: list[int], seconds: float) -> Estimate:
    """What is left will take, if the last chunk of those begun took so long, the others as long."""
    points = [plan.layout.points(number) for number in left]
    begun = points[:TIMED]
    return Estimate(
        trajectories=sum(points),
        bytes=sum(points) * plan.bytes_each,
        seconds=seconds * sum(points[TIMED:]) / begun[-1],
        chunks=len(left),
    )


def _here(plan: Plan, path: Path, numbers: list[int], threads: int) -> Iterator[int]:
    """Follow chunks side by side, one on every core; of few chunks each has several cores."""
    each = max(1, threads // max(1, len(numbers)))
    with ThreadPoolExecutor(threads) as pool:
        begun: deque[Future[int]] = deque()
        for number in numbers:
            begun.append(pool.submit(do_chunk, plan, path, number, each))
            if len(begun) > threads:  # few are begun, so that what fails or is stopped ends soon
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()


def do_chunk(plan: Plan, path: Path, number: int, threads: int = 1) -> int:
    """Follow one chunk, and write it; gives its number."""
    Store(path).write(plan.layout.place(number), followed_chunk(plan, number, threads))
    return number


@contextmanager
def _bar(plan: Plan, left: list[int], progress: bool) -> Iterator[Callable[[int], object]]:
    """A function that is told which chunk is done, and shows it if asked to."""
    if not progress:
        yield lambda _: None
        return
    from tqdm.auto import tqdm

    points = plan.layout.points
    total = sum(map(points, left))
    unit: dict[str, Any] = {"unit": "trajectory", "unit_scale": True}
    with tqdm(total=total, initial=sum(map(points, left[:TIMED])), **unit) as bar:
        yield lambda number: bar.update(points(number))
