"""Save a result as a whole file or not at all, and load it again."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from eigendyn.errors import NotInstalled, OutputExists, UnreadableFile
from eigendyn.results.labelled import Labelled
from eigendyn.settings.checks import check_is
from eigendyn.settings.choices import RESULT_SUFFIXES, TREE_SUFFIXES
from eigendyn.settings.keywords import takes

if TYPE_CHECKING:
    import xarray


NETCDF_ONLY = "netcdf_only"  # attribute of arrays that a table would repeat in every row


@takes()
def save(
    result: Labelled | xarray.Dataset | xarray.DataTree, path: str | Path, force: bool = False
) -> Path:
    """Write a result: netCDF (.nc), a long table (.csv) or JSON (.json), by the suffix.

    Args:
        result: A result over (mode, time); or a tree of them, or measured data, which only netCDF
            can hold.
        path: Where to; the folder must exist.
        force: Whether an existing file may be replaced.

    Returns:
        The path written.

    Raises:
        InvalidSetting: It is no result, or the path is none.
        OutputExists: The file exists, its suffix is unknown, or it cannot be written.

    Examples:
        >>> run = eigendyn.simulate("euclidean", [0.3, 1.0], steps=20)
        >>> eigendyn.save(run, "run.csv").name
        'run.csv'
    """
    is_result = hasattr(result, "to_netcdf") or isinstance(result, Labelled)
    check_is("result", result, is_result, "what eigendyn.simulate(loss) or another function gives")
    writers = {".nc": _write_netcdf, ".csv": _write_csv, ".json": _write_json}
    is_data = "component" in getattr(result, "dims", ())  # a table of it would repeat each sample
    suffixes = TREE_SUFFIXES if is_data or hasattr(result, "children") else RESULT_SUFFIXES
    target = check_output(path, suffixes, force)
    write = writers[target.suffix.lower()]
    if write is not _write_netcdf:
        result = result.to_xarray() if isinstance(result, Labelled) else result
        held = result.variables.items()
        result = result.drop_vars([name for name, one in held if NETCDF_ONLY in one.attrs])
    return write_atomically(target, force, lambda part: write(result, part))


@takes()
def load(path: str | Path) -> xarray.Dataset | xarray.DataTree:
    """Read a result that was saved as netCDF, or the store of a sweep.

    Args:
        path: The file, as `save` has written it (.nc), or the folder of a sweep (.zarr).

    Returns:
        A dataset over (mode, time), or a tree of them if the file has groups; of a sweep a dataset
        whose arrays are read when they are asked for.

    Raises:
        InvalidSetting: The path is none.
        UnreadableFile: Missing, or not netCDF.
        NotInstalled: It is a store, and the library that reads it is missing.

    Examples:
        >>> run = eigendyn.simulate("euclidean", [0.3, 1.0], steps=20)
        >>> path = eigendyn.save(run, "run.nc")
        >>> eigendyn.load(path).variance.equals(run.variance)
        True
    """
    import xarray

    path = as_path(path)
    if (path / "zarr.json").is_file():
        return _open_store(path)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        message = f"A result must be a file; {path} {what}. Check the path."
        raise UnreadableFile(message)
    try:
        with xarray.open_datatree(path, engine="h5netcdf") as stored:
            result = stored.load()
        return result if result.children else result.to_dataset()
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        message = (
            f"{path} must be a result saved as .nc; it could not be read: {reason}. "
            "Save it again with -o result.nc."
        )
        raise UnreadableFile(message) from error


def _open_store(path: Path) -> xarray.Dataset:
    """A store of zarr, whose arrays stay where they are."""
    import xarray

    try:
        return xarray.open_zarr(path, consolidated=False)
    except ImportError as error:
        message = 'A store of zarr is read with its library. Try pip install "eigendyn[sweep]".'
        raise NotInstalled(message) from error
    except (OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())
        message = f"{path} must be the store of a sweep; it could not be read: {reason}."
        raise UnreadableFile(message) from error


def check_output(path: str | Path, suffixes: Iterable[str], force: bool = False) -> Path:
    """Check, before any work is done, that a file can be written there.

    Args:
        path: Where to write.
        suffixes: Kinds of file that can be written.
        force: Whether an existing file may be replaced.

    Raises:
        InvalidSetting: The path is neither text nor a Path.
        OutputExists: It exists and may not be replaced, is a folder, its folder does not exist, no
            file can be made there, or its suffix is unknown, or its name impossible.
    """
    path, known = as_path(path), tuple(suffixes)
    try:
        path.exists()
    except OSError as error:
        message = (
            f"The name of an output file must be one that can be written; {str(path)[:60]}… is "
            f"not: {error.strerror}. Choose another name."
        )
        raise OutputExists(message) from error
    if path.suffix.lower() not in known:
        message = (
            f"An output file must end in {', '.join(known)}; {str(path)!r} does not. "
            f"Try {str(path.with_suffix(known[0])) if path.name else known[0]!r}."
        )
        raise OutputExists(message)
    if not path.parent.is_dir():
        message = f"The folder of {path} must exist; {path.parent} does not. Make it first."
        raise OutputExists(message)
    if path.is_dir():
        message = f"{path} must be a file; it is a folder. Choose another name."
        raise OutputExists(message)
    if path.exists() and not force:
        message = f"{path} exists and is not overwritten. Choose another name, or add `force=True`."
        raise OutputExists(message)
    _empty_file_beside(path).unlink()  # permissions alone do not say whether it can be made
    return path


def as_path(path: str | Path) -> Path:
    """A path from text, or one.

    Raises:
        InvalidSetting: It is neither.
    """
    check_is("path", path, isinstance(path, str | os.PathLike), "text or a Path, as 'run.nc'")
    return Path(path)


def fresh_path(stem: str, suffix: str) -> Path:
    """The first of stem.suffix, stem-2.suffix, stem-3.suffix, … that does not exist here."""
    paths = (Path(f"{stem}{'' if i == 1 else f'-{i}'}{suffix}") for i in count(1))
    return next(path for path in paths if not path.exists())


def write_atomically(path: Path, force: bool, write: Callable[[Path], object]) -> Path:
    """Write to a temporary file beside the target, then rename it: all or nothing.

    Args:
        path: The target.
        force: Whether an existing target may be replaced.
        write: Writes everything to the path that it is given; the suffix is the target's.

    Raises:
        OutputExists: The target came into being meanwhile, or the folder cannot be written to.
        OSError: Writing failed, as on a full disk.
    """
    part = _empty_file_beside(path)
    try:
        write(part)
        part.chmod(0o666 & ~_umask())  # mkstemp makes it private
        check_output(path, (path.suffix.lower(),), force)
        os.replace(part, path)
    except (OSError, RuntimeError) as error:  # h5py raises either
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        message = f"{path} could not be written: {reason}. Nothing is left of it."
        raise OSError(message) from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _empty_file_beside(path: Path) -> Path:
    """Make an empty file of another name in the folder of a file that shall be written.

    Raises:
        OutputExists: None can be made there.
    """
    try:
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix
        )
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}. Choose another folder or name."
        raise OutputExists(message) from error
    os.close(handle)
    return Path(name)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _write_netcdf(result: Labelled | xarray.Dataset | xarray.DataTree, path: Path) -> None:
    """Write to memory, then to the file: HDF5 ends the program where a disk is full."""
    image = BytesIO()
    if isinstance(result, Labelled):
        _write_labelled(result, image)
    else:
        result.to_netcdf(image, engine="h5netcdf")
    path.write_bytes(image.getbuffer())


NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable. {:10d}"  # by its standard


def _write_labelled(result: Labelled, image: BytesIO) -> None:
    """Write what netCDF asks of an HDF5 file by ourselves, as h5netcdf takes five times as long.

    Every axis is a dimension scale, the array of its name or an empty one, to which arrays refer.
    """
    import numpy as np
    from h5py import File, string_dtype

    every = {**result.variables, **result.coords}
    with File(image, "w", track_order=True) as file:
        file.attrs.update(result.attrs)
        for name, column in every.items():
            is_text = column.values.dtype.kind == "U"
            kind = string_dtype() if is_text else column.values.dtype
            values = column.values.astype(kind)
            written = file.create_dataset(name, data=values, dtype=kind, track_order=True)
            if kind == np.float64:
                written.attrs["_FillValue"] = np.nan
            written.attrs.update(column.attrs)
            beside = [c for c in result.coords if c not in result[c].dims]
            beside = [c for c in beside if set(result[c].dims) <= set(column.dims)]
            if name in result.variables and beside:
                written.attrs["coordinates"] = " ".join(beside)
            if column.dims == (name,):
                written.make_scale(name)
        for name, column in every.items():
            for axis, (dim, length) in enumerate(
                zip(column.dims, column.values.shape, strict=True)
            ):
                if dim not in file:
                    file.create_dataset(dim, (length,), "i1").make_scale(NO_VARIABLE.format(length))
                if dim != name:
                    file[name].dims[axis].attach_scale(file[dim])


def _write_csv(dataset: xarray.Dataset, path: Path) -> None:
    """One row per mode and time; what has no time is repeated, attributes stand in comments."""
    table = dataset.to_dataframe().reset_index()
    with path.open("w", encoding="utf-8", newline="") as file:
        for key, value in dataset.attrs.items():
            file.write(f"# {key}: {' '.join(str(value).split())}\n")
        table.to_csv(file, index=False)


def _write_json(dataset: xarray.Dataset, path: Path) -> None:
    path.write_text(json.dumps(_without_nan(dataset.to_dict()), ensure_ascii=False) + "\n", "utf-8")


def _without_nan(value: object) -> object:
    """Numbers that JSON cannot hold become null."""
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    if isinstance(value, float) and value - value != 0:
        return None
    return value
