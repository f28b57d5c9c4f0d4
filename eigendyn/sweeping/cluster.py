"""Spread chunks over the workers of dask.distributed, on this machine or on a cluster."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eigendyn.errors import InvalidSetting
from eigendyn.settings.checks import check_whole
from eigendyn.sweeping.plan import Plan

if TYPE_CHECKING:
    from distributed import Client

RETRIES = 3  # of a task that fails, or whose worker dies
PATIENCE = 10  # seconds to find a scheduler


@dataclass(frozen=True)
class Crew:
    """Workers of dask.

    Args:
        client: What submits to them.
        size: How many there are.
    """

    client: Client
    size: int


@contextmanager
def hired(workers: int | None, scheduler: str | None) -> Iterator[Crew | None]:
    """Start workers here, or find those of a scheduler; None where neither is asked for.

    Args:
        workers: Processes to start, with one thread each.
        scheduler: Address of a scheduler, as "tcp://host:8786".

    Raises:
        InvalidSetting: Both are asked for; there is no scheduler at the address, or it has no
            workers.
    """
    if workers is not None and scheduler is not None:
        message = "`workers` start here, and those of a `scheduler` elsewhere. Leave out one."
        raise InvalidSetting(message)
    if workers is not None:
        with _started(check_whole("workers", workers, 1)) as crew:
            yield crew
    elif scheduler is not None:
        with _found(scheduler) as crew:
            yield crew
    else:
        yield None


@contextmanager
def _started(workers: int) -> Iterator[Crew]:
    from dask.config import set as configured
    from distributed import Client, LocalCluster

    spawned = {"distributed.worker.multiprocessing-method": "spawn"}
    with (
        configured(spawned),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,  # pyright: ignore[reportArgumentType]
            memory_limit=None,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield Crew(client, workers)


@contextmanager
def _found(scheduler: str) -> Iterator[Crew]:
    from distributed import Client

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = Client(scheduler, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        message = (
            f"`scheduler` must be the address of a dask scheduler that answers; {scheduler} does "
            "not. Start one with `dask scheduler`, and workers with `dask worker ADDRESS`."
        )
        raise InvalidSetting(message) from error
    with client:
        size = len(client.scheduler_info(n_workers=-1)["workers"])
        if not size:
            message = f"The scheduler at {scheduler} has no workers. Try dask worker {scheduler}."
            raise InvalidSetting(message)
        yield Crew(client, size)


def spread(
    crew: Crew,
    do: Callable[[Plan, Path, int], Any],
    plan: Plan,
    path: Path,
    numbers: Sequence[int],
) -> Iterator[int]:
    """Let workers do every chunk; gives the numbers of chunks as they are done.

    Args:
        crew: The workers, which see the same folder as this process.
        do: Does one chunk; what it does twice is the same.
        plan: The sweep.
        path: Its store.
        numbers: Chunks to do.
    """
    from distributed import as_completed

    known = crew.client.scatter(plan, broadcast=True)
    tasks = [
        crew.client.submit(do, known, path.resolve(), number, retries=RETRIES, pure=False)
        for number in numbers
    ]
    for task in as_completed(tasks):
        yield task.result()
