"""A long computation enters; its value leaves, or Ctrl-C ends the program at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Thread
from typing import TypeVar

import click

INTERRUPTED = 130
T = TypeVar("T")


def interruptible(
    function: Callable[[], T], left: Callable[[], str] = lambda: "nothing was saved."
) -> T:
    """Run in a thread, since Ctrl-C is not heard while the main one is in compiled code.

    Args:
        function: What to run.
        left: Says, after Ctrl-C, what was saved and how to go on.
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
    try:
        while worker.is_alive():
            worker.join(0.1)
    except KeyboardInterrupt:
        import multiprocessing

        click.echo(f"Error: interrupted; {left()}", err=True)
        for process in multiprocessing.active_children():
            process.kill()
        os._exit(INTERRUPTED)  # compiled code cannot be stopped, only left
    if failures:
        raise failures[0]
    return results[0]
