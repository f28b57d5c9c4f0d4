"""Keep training on disk, so that it goes on where it was interrupted, to the same numbers."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting, UnreadableFile
from eigendyn.results.files import check_output, write_atomically

SUFFIX = ".npz"
FORMAT = 2  # of the file

Records = dict[str, NDArray]  # by name, what was measured, over (times, …), or said at the end


@dataclass(frozen=True)
class Progress:
    """How far training has come.

    Args:
        done: What was measured of the networks of finished seeds.
        seed: Number of the seed under way, from 0.
        epoch: Epochs that its network has been trained for.
        records: What was measured of it so far.
        leaves: Its state, all arrays in their order; none where it has not begun.
    """

    done: tuple[Records, ...] = ()
    seed: int = 0
    epoch: int = 0
    records: Records | None = None
    leaves: tuple[NDArray, ...] = ()


def check_checkpoint(path: str | Path) -> Path:
    """Check, before any work is done, that a checkpoint can be written, or is there.

    Raises:
        InvalidSetting, OutputExists: As `check_output`.
    """
    return check_output(path, (SUFFIX,), force=True)


def write_checkpoint(path: Path, told: Mapping[str, Any], progress: Progress) -> None:
    """Write a checkpoint in the place of an earlier one, as a whole or not at all."""
    every = [*progress.done, *([] if progress.records is None else [progress.records])]
    arrays = {
        f"record{seed}_{name}": values
        for seed, records in enumerate(every)
        for name, values in records.items()
    }
    arrays |= {f"leaf{place}": leaf for place, leaf in enumerate(progress.leaves)}
    about = {
        "format": FORMAT,
        "told": dict(told),
        "done": len(progress.done),
        "seed": progress.seed,
        "epoch": progress.epoch,
        "leaves": len(progress.leaves),
    }
    arrays["about"] = np.array(json.dumps(about, ensure_ascii=False))

    def write(part: Path) -> None:
        with part.open("wb") as file:
            np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]

    write_atomically(path, True, write)


def read_checkpoint(path: Path, told: Mapping[str, Any]) -> Progress:
    """Read a checkpoint; of a file that does not exist, that nothing is done yet.

    Args:
        path: The file.
        told: What training was asked for; that of the checkpoint must be the same.

    Raises:
        UnreadableFile: It is no checkpoint.
        InvalidSetting: It is one of training with other settings; the message names them.
    """
    if not path.exists():
        return Progress()
    try:
        # opened here, since numpy leaves a file open that is no archive
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            if about["format"] != FORMAT:
                raise KeyError(about["format"])
            arrays = {name: file[name] for name in file.files}
            leaves = tuple(arrays[f"leaf{place}"] for place in range(about["leaves"]))
            done, seed, epoch, written = (about[key] for key in ("done", "seed", "epoch", "told"))
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        raise no_checkpoint(path) from error
    _check_same(path, written, told)
    records = [_of_seed(arrays, number) for number in range(done + bool(leaves))]
    return Progress(tuple(records[:done]), seed, epoch, records[done] if leaves else None, leaves)


def no_checkpoint(path: Path) -> UnreadableFile:
    """Say that a file is no checkpoint, or not one that is of use."""
    return UnreadableFile(
        f"{path} must be a checkpoint that `eigendyn train` has written, and it is not, or not "
        "whole. Choose another name, or remove it to begin anew."
    )


def _of_seed(arrays: Mapping[str, NDArray], number: int) -> Records:
    start = f"record{number}_"
    return {
        name.removeprefix(start): values
        for name, values in arrays.items()
        if name.startswith(start)
    }


def _check_same(path: Path, written: Mapping[str, Any], told: Mapping[str, Any]) -> None:
    """Refuse to go on with other settings."""
    now = json.loads(json.dumps(dict(told)))  # as a file has them: tuples are lists
    differing = [
        f"{name} is {written.get(name)!r} there and {now.get(name)!r} here"
        for name in dict.fromkeys([*written, *now])
        if written.get(name) != now.get(name)
    ]
    if differing:
        message = (
            f"{path} is a checkpoint of training with other settings: {'; '.join(differing)}. "
            "Give the same ones, choose another name, or remove it to begin anew."
        )
        raise InvalidSetting(message)


def stacked(rows: Sequence[Mapping[str, Any]], once: Collection[str]) -> Records:
    """Measures of several times as arrays (times, …), and what the last row alone has to say.

    Args:
        rows: What was measured, in order.
        once: Names of what is kept of the last row only.
    """
    each = [name for name in rows[0] if name not in once]
    measured = {name: np.stack([np.asarray(row[name]) for row in rows]) for name in each}
    return measured | {name: np.asarray(rows[-1][name]) for name in once}


def unstacked(records: Records, once: Collection[str]) -> list[dict[str, Any]]:
    """The rows that `stacked` was given, but for what only the last one has."""
    each = [name for name in records if name not in once]
    rows = [dict(zip(each, row, strict=True)) for row in zip(*map(records.get, each), strict=True)]
    rows[-1] |= {name: records[name][()] for name in once}
    return rows
