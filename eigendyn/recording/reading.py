"""Read a record from whatever file holds a spectrum over time: netCDF, arrays, tables of text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from eigendyn.errors import InvalidSetting, UnreadableFile
from eigendyn.recording.plain import from_arrays, from_columns
from eigendyn.recording.record import as_record
from eigendyn.results.files import load
from eigendyn.settings.checks import check_is
from eigendyn.settings.keywords import takes
from eigendyn.settings.matrix_files import ARRAYS, TABLES, read_arrays, read_columns

if TYPE_CHECKING:
    import xarray

RECORD_SUFFIXES = (".nc", *ARRAYS, *TABLES)


@takes()
def read_record(path: str | Path, seed: int = 0) -> xarray.Dataset:
    """Read the spectrum that a file holds over time.

    Args:
        path: .nc, as `SpectrumLog` or `save` has written it; a table of times × eigenvalues, .csv,
            .tsv or .txt, also gzipped, or .npy; or .npz with such a matrix and, by their names,
            times or steps, and other measures of a record. In a table a column called "time" or
            "step" says when; else the first column, if it increases; else rows are counted, and the
            record says so. A long table with the columns "mode", "time" and "variance" is read too.
        seed: Which network of a training.

    Returns:
        The record, a dataset over (mode, time).

    Raises:
        UnreadableFile: Missing, of another kind, or malformed.
        InvalidSetting: No spectrum over time: one recording, one mode, numbers that are not finite,
            times that do not increase; or not that network.

    Examples:
        >>> run = eigendyn.simulate("euclidean", [0.05, 0.3], steps=100)
        >>> path = eigendyn.save(run, "spectrum.csv")
        >>> record = eigendyn.recording.read_record(path)
        >>> record.variance.isel(time=-1).values.round(2).tolist()
        [0.4, 1.0]
    """
    check_is("path", path, isinstance(path, str | Path), "text or a Path, as 'run.nc'")
    path = Path(path)
    name = path.name.lower()
    if not name.endswith(RECORD_SUFFIXES):
        message = (
            f"A recorded spectrum is read from {', '.join(RECORD_SUFFIXES)}; {path} is none of "
            "these. Save times × eigenvalues as .csv."
        )
        raise UnreadableFile(message)
    if name.endswith(TABLES):
        table = read_columns(path, "spectra")
        return from_columns(table.values, table.names, str(path))
    if name.endswith(ARRAYS):
        return from_arrays(read_arrays(path, "variance"), str(path))
    result = load(path)
    try:
        return as_record(result, seed)
    except InvalidSetting as error:
        message = f"{path} holds no record: {error}"
        raise InvalidSetting(message) from error
