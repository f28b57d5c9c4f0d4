"""Keep a sweep in a zarr store: one chunk of every variable for each task, then its mark.

A chunk is marked once its data are on the disk, in a chunk of its own, so that a machine that stops
at any time leaves chunks that are whole and marked, or not marked and followed again.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting, OutputExists, UnreadableFile
from eigendyn.sweeping.labels import coordinates, root_attributes, variables
from eigendyn.sweeping.plan import Plan

if TYPE_CHECKING:
    import zarr

SUFFIX = ".zarr"
MARKS = "chunks/done"  # one number for each chunk of the grid: 1 where it is done
LOCK = "chunks/done/.lock"  # which nothing else opens or lists


@dataclass(frozen=True)
class Store:
    """A store that was made for a plan, or found to hold the same sweep.

    Args:
        path: The folder.
    """

    path: Path

    @cached_property
    def group(self) -> zarr.Group:
        """All of it."""
        import zarr

        return zarr.open_group(self.path, mode="r+", use_consolidated=False)

    @property
    def configuration(self) -> dict[str, Any]:
        """What tells its sweep apart from others."""
        return json.loads(str(self.group.attrs["configuration"]))

    def marks(self) -> NDArray:
        """Whether each chunk is done, in the order of their numbers (chunks,)."""
        return np.asarray(self._array(MARKS)[...]).reshape(-1) == 1

    def write(self, place: tuple[int, ...], found: Mapping[str, NDArray]) -> None:
        """Write the data of a chunk, see them on the disk, and mark it.

        Raises:
            OSError: They could not be written; the chunk is not marked.
        """
        try:
            for name, values in found.items():
                self._put(name, place, values)
            self._put(MARKS, place, np.ones((1,) * len(place), np.uint8))
        except OSError as error:
            message = (
                f"{self.path} could not be written: {error.strerror or error}. All chunks that "
                "are done are kept: make room, and give the same line again."
            )
            raise OSError(message) from error

    def read(self, name: str, place: tuple[int, ...]) -> NDArray:
        """A variable in one chunk."""
        array = self._array(name)
        return np.asarray(array.blocks[(*place, *(0,) * (array.ndim - len(place)))])

    def values(self, name: str) -> NDArray:
        """Values along an axis."""
        return np.asarray(self._array(name)[...])

    def grid(self, name: str) -> tuple[tuple[int, ...], tuple[int, ...], tuple[str, ...]]:
        """Points of a variable along every axis, those of a chunk, and the names of the axes."""
        array = self._array(name)
        names = getattr(array.metadata, "dimension_names", None) or ()
        return array.shape, array.chunks, tuple(map(str, names))

    def words(self, name: str) -> dict[int, str]:
        """What the numbers of a variable stand for."""
        attributes: dict[str, Any] = dict(self._array(name).attrs)
        return dict(
            zip(attributes["flag_values"], attributes["flag_meanings"].split(), strict=True)
        )

    def tidy(self, mine: Collection[int], grid: tuple[int, ...]) -> None:
        """Remove what killed processes have left of chunks while they wrote them.

        Args:
            mine: Numbers of the chunks that nobody else writes.
            grid: Number of chunks along each axis.
        """
        alone = len(mine) == np.prod(grid)
        for part in self.path.rglob("c/**/*.partial"):
            parts = part.relative_to(self.path).parts
            folders = parts[len(parts) - parts[::-1].index("c") : -1]
            place = [int(one) for one in (*folders, part.name.partition(".")[0])][: len(grid)]
            # what a design draws for all other axes has a place along its own alone
            is_mine = len(place) == len(grid) and np.ravel_multi_index(place, grid) in mine
            if alone or is_mine:
                part.unlink(missing_ok=True)

    def _array(self, name: str) -> zarr.Array:
        import zarr

        found = self.group[name]
        assert isinstance(found, zarr.Array)
        return found

    def _put(self, name: str, place: tuple[int, ...], values: NDArray) -> None:
        array = self._array(name)
        if array.ndim == 1 < len(place):  # drawn along the last axis alone
            place = place[-1:]
        modes = (0,) * (array.ndim - len(place))
        array.blocks[(*place, *modes)] = values
        _to_disk(self._file(name, place))

    def _file(self, name: str, place: tuple[int, ...]) -> Path:
        array = self._array(name)
        if array.ndim == 1 < len(place):
            place = place[-1:]
        key = array.metadata.encode_chunk_key((*place, *(0,) * (array.ndim - len(place))))
        return self.path / name / key


def _to_disk(file: Path) -> None:
    """Wait until a file, and its name in its folder, would survive a loss of power."""
    if not file.exists():  # nothing but the value that stands for no data
        return
    for path in (file, file.parent):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def open_store(path: Path, plan: Plan) -> Store:
    """Open the store of a sweep, or make it.

    Args:
        path: The folder; made if there is none.
        plan: The sweep.

    Raises:
        OutputExists: It cannot be made, or something else stands there.
        InvalidSetting: It holds another sweep, or one of another version.
    """
    if not path.exists():
        _make(path, plan)
    store = read_store(path)
    there, here = store.configuration, plan.configuration()
    differing = list(_differences(there, here))
    if differing:
        # chunks follow from axes and memory: told where nothing else differs
        differing = [one for one in differing if not one.startswith("chunks ")] or differing
        message = (
            f"{path} holds another sweep: {'; '.join(differing)}. Give the same settings, choose "
            "another name, or remove it to begin anew."
        )
        raise InvalidSetting(message)
    return store


def read_store(path: Path) -> Store:
    """Open a store that exists.

    Raises:
        UnreadableFile: It is none, or something else.
    """
    store = Store(path)
    try:
        assert store.configuration["format"]
        store.marks()
    except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
        message = (
            f"{path} must be a store that `eigendyn sweep` has written, and it "
            f"{'is something else' if path.exists() else 'does not exist'}. Choose another name."
        )
        raise UnreadableFile(message) from error
    return store


def _differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    """Where two configurations differ, in words."""
    for name in dict.fromkeys([*there, *here]):
        old, new = there.get(name), here.get(name)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _differences(old, new)
        else:
            yield f"{name} is {_short(old)} there and {_short(new)} here"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if value is not None else "not given"
    return text if len(text) < 100 else f"{text[:97]}…"


def _make(path: Path, plan: Plan) -> None:
    """Make an empty store beside, then give it its name: all or nothing."""
    if path.suffix.lower() != SUFFIX:
        message = (
            f"A sweep is stored in a folder that ends in {SUFFIX}; {str(path)!r} does not. "
            f"Try {str(path.with_suffix(SUFFIX))!r}."
        )
        raise OutputExists(message)
    if not path.parent.is_dir():
        message = f"The folder of {path} must exist; {path.parent} does not. Make it first."
        raise OutputExists(message)
    try:
        with _folder_beside(path) as part:
            _write_empty(part, plan)
            os.replace(part, path)
    except OSError as error:
        if path.exists():  # another process was faster, and its store will be compared
            return
        message = f"{path} cannot be written: {error.strerror}. Choose another folder or name."
        raise OutputExists(message) from error


@contextmanager
def _folder_beside(path: Path) -> Iterator[Path]:
    """A new folder, gone in the end, with those that processes which were killed have left."""
    start = f".{path.name}-{platform.node()}-"
    for left in path.parent.glob(f"{start}*"):
        if not _is_alive(left.name.removeprefix(start)):
            shutil.rmtree(left, ignore_errors=True)
    part = path.parent / f"{start}{os.getpid()}"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _is_alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True


def _write_empty(path: Path, plan: Plan) -> None:
    import zarr

    group = zarr.open_group(path, mode="w", zarr_format=3, attributes=root_attributes(plan))
    for name, one in {**coordinates(plan), **variables(plan)}.items():
        array = group.create_array(
            name,
            shape=one.shape,
            chunks=one.chunks,
            dtype=one.dtype,
            dimension_names=one.dims,
            fill_value=one.fill,
            attributes=one.attributes,
        )
        if one.values is not None:
            array[...] = one.values
    grid = plan.layout.grid
    marks = group.create_group("chunks").create_array(
        "done", shape=grid, chunks=(1,) * len(grid), dtype="uint8", fill_value=0
    )
    assert marks.path == MARKS
    (path / LOCK).touch()
