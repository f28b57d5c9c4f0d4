"""Read the reference of a group from a folder, or compute it and keep it there.

References do not depend on the engines, and take most of the time: kept, they judge every later
engine. A file is written at once, or not at all, so that a run may be cut off and go on.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import numpy as np
from contract_problems import Group
from contract_reference import Reference, reference

CHECK_EVERY = 25  # groups


def kept(folder: Path, group: Group, number: int) -> Reference | None:
    """The reference of a group, or None if the folder does not hold that of the same problems."""
    path = _path(folder, number)
    if not path.exists():
        return None
    with np.load(path) as file:
        if str(file["key"]) != _key(group):
            return None
        row = int(file["row"])
        again = None if row < 0 else (row, file["again"])
        return Reference(file["values"], file["ends"], file["doubt"], again)


def stored(folder: Path, group: Group, number: int) -> Reference:
    """The reference of a group, computed and kept if the folder does not hold it."""
    found = kept(folder, group, number)
    if found is not None:
        return found
    found = reference(group, check=number % CHECK_EVERY == 0)
    row, again = found.again or (-1, np.zeros(0))
    folder.mkdir(parents=True, exist_ok=True)
    path = _path(folder, number)
    part = path.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as file:
        arrays = {"values": found.values, "ends": found.ends, "doubt": found.doubt}
        np.savez(file, key=_key(group), row=row, again=again, **arrays)
    part.replace(path)
    return found


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:05}.npz"


def _key(group: Group) -> str:
    """A digest of everything that defines the problems."""
    digest = sha256(repr((group.settings, group.rtol, group.atol, sorted(group.sweep))).encode())
    for array in (
        group.variances,
        group.times,
        *(group.sweep[name] for name in sorted(group.sweep)),
    ):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
