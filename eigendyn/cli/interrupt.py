"""Run a long computation so that Ctrl-C ends the program at once."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from threading import Thread
from typing import TypeVar

import click

INTERRUPTED = 130
PATIENCE = 2  # seconds for which nothing is said
T = TypeVar("T")


def interruptible(
    function: Callable[[], T],
    left: Callable[[], str] = lambda: "nothing was saved.",
    clock: bool = False,
) -> T:
    """Run in a thread, since Ctrl-C is not heard while the main one is in compiled code.

    Args:
        function: What to run.
        left: Says, after Ctrl-C, what was saved and how to go on.
        clock: Show on standard error how long it takes, from 2 s on, until a bar of tqdm says more.
    """
    results: list[T] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            results.append(function())
        except BaseException as failure:
            failures.append(failure)

    worker = Thread(target=work, daemon=True)
    worker.start()
    start, seconds = time.monotonic(), 0.0
    try:
        while worker.is_alive():
            worker.join(0.1)
            seconds = time.monotonic() - start
            if clock and seconds > PATIENCE:
                _tell(f"{seconds:.0f} s")
    except KeyboardInterrupt:
        import multiprocessing

        click.echo(f"Error: interrupted; {left()}", err=True)
        for process in multiprocessing.active_children():
            process.kill()
        os._exit(INTERRUPTED)  # compiled code cannot be stopped, only left
    if clock and seconds > PATIENCE:
        _tell("")
    if failures:
        raise failures[0]
    return results[0]


def _tell(text: str) -> None:
    """Write over what was written before, unless there is a bar."""
    if "tqdm" not in sys.modules:  # read by whoever draws a bar, and by nobody else
        click.echo(f"\r{text:8}\r", nl=False, err=True)
