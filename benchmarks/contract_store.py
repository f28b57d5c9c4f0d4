"""Numbers of groups enter; their reference values leave, computed on all cores, kept in a folder.

They do not depend on the engines, and take most of the time: kept, they judge every later engine.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from contract_problems import Group, draw
from contract_reference import checked, reference
from numpy.typing import NDArray

CHECK_EVERY = 25  # groups


@dataclass(frozen=True)
class Known:
    """What is known of a group.

    Args:
        group: Its problems.
        truth: States (problems, states, modes, times); NaN where no reference was found.
        again: The first problem a second time, by another method (states, modes, times), NaN
            where that was not asked for.
    """

    group: Group
    truth: NDArray
    again: NDArray


def references(
    folder: Path, seed: int, size: int, numbers: Sequence[int]
) -> Iterator[tuple[int, Known]]:
    """Compute what the folder does not hold, in order."""
    folder.mkdir(parents=True, exist_ok=True)
    one = partial(_known, folder, seed, size)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        yield from zip(numbers, pool.map(one, numbers), strict=True)


def _known(folder: Path, seed: int, size: int, number: int) -> Known:
    group = draw(seed, number, size)
    path = folder / f"{seed}-{size}-{number}.npz"
    if path.exists():
        with np.load(path) as stored:
            return Known(group, stored["truth"], stored["again"])
    truth, rates = reference(group)
    again = np.full(truth.shape[1:], np.nan)
    if number % CHECK_EVERY == 0 and np.isfinite(truth[0]).all():
        again = checked(group, rates, truth[0, ..., 0])
    part = path.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as file:
        np.savez(file, truth=truth, again=again)
    part.replace(path)
    return Known(group, truth, again)
