"""Read a matrix from a file of arrays, tensors or text, as exporters write it; never a pickle."""

from __future__ import annotations

import os
from codecs import getincrementaldecoder
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import EigendynError, UnreadableFile
from eigendyn.settings.matrices import Matrix, as_matrix, stored_matrix, written_matrix
from eigendyn.settings.tables import Table, read_table

ARRAYS, TENSORS = (".npy", ".npz"), (".pt", ".pth")
TABLES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
MATRIX_SUFFIXES = (*ARRAYS, *TENSORS, *TABLES)
BEGINNINGS = {  # of files that are no text
    b"\x93NUMPY": "a NumPy array; name it .npy",
    b"PK\x03\x04": "an archive; name it .npz or .pt if it is one, or save it from Excel as .csv",
    b"\x80": "a pickle; save the matrix with numpy.save",
    b"\x89HDF": "an HDF5 file; save the matrix with numpy.save",
}
SAMPLES = ("embeddings", "inputs", "views")  # what has a sample in every row
IMAGES = ("inputs", "views")  # what may be samples × height × width
LISTED = 10  # numbers or names that a message repeats
Found = TypeVar("Found")
NEVER = "it holds Python objects, which are never loaded"


def read_matrix(path: str | Path, name: str) -> Matrix:
    """Read a matrix of numbers from a file; never a pickle.

    Args:
        path: .npy; .npz, .pt or .pth with one matrix, or one called `name`; or a table as
            `read_table` reads it, .csv, .tsv or .txt, also gzipped.
        name: What the matrix is: "embeddings", "weights", "inputs" or "views". The last two may
            be images, samples × height × width, in files of arrays and tensors.

    Returns:
        The matrix, with what else was in the file.

    Raises:
        UnreadableFile: Missing, a folder, of another kind, malformed, or not a numeric matrix; or
            embeddings of one sample or of one dimension.
        InvalidSpectrum: Not finite.
    """
    path = Path(path)
    matrix = _opened(path, name, MATRIX_SUFFIXES, lambda kind: _reader(kind)(path, name))
    if name == "embeddings" and 1 in matrix.values.shape:
        raise _list_refused(path, matrix.values)
    return matrix


def read_arrays(path: str | Path, name: str) -> dict[str, NDArray | None]:
    """Read every array of a .npz, or the one of a .npy; never a pickle.

    Args:
        path: The file.
        name: What is wanted of it, for messages; also what the array of a .npy is called.

    Returns:
        Arrays by their names; None in the place of Python objects, which are not loaded.

    Raises:
        UnreadableFile: Missing, a folder, of another kind, or malformed.
    """
    path = Path(path)
    return _opened(path, name, ARRAYS, lambda _: _arrays(path, name))


def read_columns(path: str | Path, name: str) -> Table:
    """Read every column of numbers of a table of text, with its name.

    Args:
        path: .csv, .tsv or .txt, also gzipped.
        name: What is wanted of it, for messages.

    Raises:
        UnreadableFile: Missing, a folder, of another kind, or malformed.
    """
    path = Path(path)
    return _opened(path, name, TABLES, lambda _: read_table(path, samples=False, everything=True))


def _opened(
    path: Path, name: str, suffixes: tuple[str, ...], read: Callable[[str], Found]
) -> Found:
    """Read a file, given its suffix; all that is wrong with it is refused in one sentence."""
    suffix = next((s for s in suffixes if path.name.lower().endswith(s)), None)
    if suffix is None:
        message = (
            f"{name.capitalize()} are read from {', '.join(suffixes)}; {path} is none of "
            "these. Save it with numpy.save."
        )
        raise UnreadableFile(message)
    if not os.path.isfile(path):  # unlike Path.is_file, answers for names too long to exist
        what = "is a folder" if os.path.isdir(path) else "does not exist"
        message = f"{name.capitalize()} must be a file; {path} {what}. Check the path."
        raise UnreadableFile(message)
    try:
        _check_beginning(path, suffix)
        return read(suffix)
    except EigendynError:
        raise
    except Exception as error:  # whatever a malformed file makes numpy, pandas or torch raise
        message = (
            f"{path} must hold a matrix of numbers; it could not be read: {_reason(error)}. "
            "Try saving it with numpy.save."
        )
        raise UnreadableFile(message) from error


def _reader(suffix: str) -> Callable[[Path, str], Matrix]:
    if suffix in TABLES:
        return _read_table
    return _read_numpy if suffix in ARRAYS else _read_torch


def _check_beginning(path: Path, suffix: str) -> None:
    """Refuse a file that is named as another kind than it is."""
    with path.open("rb") as file:
        beginning = file.read(1024)
    if not beginning:
        message = f"{path} must hold a matrix of numbers; it is empty. Check what wrote it."
        raise UnreadableFile(message)
    kind = None
    if suffix in TABLES:
        kind = next(
            (kind for start, kind in BEGINNINGS.items() if beginning.startswith(start)), None
        )
    elif _is_text(beginning):
        kind = f"text; name it {path.stem}.csv"
    if kind is not None:
        wanted = "a table of text" if suffix in TABLES else f"a {suffix} file"
        message = f"{path} must be {wanted}; it is {kind}."
        raise UnreadableFile(message)


def _is_text(beginning: bytes) -> bool:
    try:
        text = getincrementaldecoder("utf-8-sig")().decode(beginning)  # may end within a sign
    except UnicodeDecodeError:
        return False
    return all(sign.isprintable() or sign in "\r\n\t" for sign in text)


def _read_table(path: Path, name: str) -> Matrix:
    table = read_table(path, samples=name in SAMPLES)
    return written_matrix(table.values, table.cells, table.left_out, table.remark)


def _arrays(path: Path, name: str) -> dict[str, NDArray | None]:
    """Every array of a file by its name; None where they are Python objects."""
    with path.open("rb") as file:
        loaded = np.load(file, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {name: loaded}
        arrays: dict[str, NDArray | None] = {}
        for key in loaded.files:
            try:
                arrays[key] = loaded[key]
            except ValueError as error:  # Python objects, such as labels of text
                if _reason(error) != NEVER:
                    raise
                arrays[key] = None
    return arrays


def _read_numpy(path: Path, name: str) -> Matrix:
    every = _arrays(path, name)
    arrays = {key: array for key, array in every.items() if array is not None}
    if len(every) == 1 > len(arrays) or (name in every and name not in arrays):
        raise ValueError(NEVER)
    found = _chosen(path, name, arrays, _is_real)
    others = tuple(f"array {key!r}" for key in every if key != found)
    return _from_array(path, name, arrays[found], others)


def _from_array(path: Path, name: str, array: NDArray, others: tuple[str, ...] = ()) -> Matrix:
    if not _is_real(array):
        message = f"{path} must hold real numbers, not {array.dtype}. Convert it to float64."
        raise UnreadableFile(message)
    _check_shape(path, name, array)
    matrix = as_matrix(_as_rows(array), str(path), "rows × columns")
    return replace(matrix, left_out=others, image=_image(array))


def _is_real(array: NDArray) -> bool:
    return np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer)


def _read_torch(path: Path, name: str) -> Matrix:
    try:
        import torch  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        message = (
            f"{path} is read with PyTorch, which is not installed. Install torch, or save the "
            "matrix with numpy.save."
        )
        raise UnreadableFile(message) from error
    loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    if isinstance(loaded, list | tuple):
        loaded = {str(place): value for place, value in enumerate(loaded)}
    if isinstance(loaded, torch.Tensor):
        loaded = {name: loaded}
    if not isinstance(loaded, Mapping):
        message = (
            f"{path} must hold a tensor, or a dictionary of tensors, not {type(loaded).__name__}. "
            "Save the tensor alone."
        )
        raise UnreadableFile(message)
    tensors = {str(key): value for key, value in loaded.items() if torch.is_tensor(value)}

    def is_real(tensor: Any) -> bool:
        return not tensor.is_complex() and tensor.dtype != torch.bool

    found = _chosen(path, name, tensors, is_real)
    tensor = tensors[found].detach()
    if not is_real(tensor):
        message = f"{path} must hold real numbers, not {tensor.dtype}. Convert it to float64."
        raise UnreadableFile(message)
    _check_shape(path, name, tensor)
    array = tensor.to(torch.float64).numpy()
    matrix = as_matrix(_as_rows(array), str(path), "rows × columns")
    others = tuple(f"{key!r}" for key in loaded if str(key) != found)
    matrix = stored_matrix(matrix.values, str(tensor.dtype).removeprefix("torch."), others)
    return replace(matrix, image=_image(array))


def _chosen(path: Path, name: str, arrays: Mapping[str, Any], is_real: Callable) -> str:
    """The array of that name, or the only one, or the only matrix of real numbers."""
    if name in arrays:
        return name
    matrices = [
        key for key, array in arrays.items() if array.ndim in _axes(name) and is_real(array)
    ]
    for keys in (list(arrays), matrices):
        if len(keys) == 1:
            return keys[0]
    names = ", ".join(list(arrays)[:LISTED]) + (", …" if len(arrays) > LISTED else "")
    message = (
        f"{path} must hold one array, or one called {name!r}; it holds {names or 'none'}. "
        "Save only that one."
    )
    raise UnreadableFile(message)


def _check_shape(path: Path, name: str, array: Any) -> None:
    if array.ndim == 1 and name == "embeddings" and len(array):
        raise _list_refused(path, np.asarray(array, np.float64))
    if array.ndim not in _axes(name) or 0 in array.shape:
        kind = "a matrix with rows and columns"
        kind += ", or grey images, samples × height × width" if name in IMAGES else ""
        message = (
            f"{path} must hold {kind}; its shape is {tuple(array.shape)}. "
            "Reshape it to two dimensions."
        )
        raise UnreadableFile(message)


def _axes(name: str) -> tuple[int, ...]:
    """How many axes an array of that name may have."""
    return (2, 3) if name in IMAGES else (2,)


def _as_rows(array: NDArray) -> NDArray:
    return array.reshape(len(array), -1)


def _image(array: NDArray) -> tuple[int, int] | None:
    """Height and width, where every sample is an image."""
    return None if array.ndim == 2 else array.shape[1:]


def _list_refused(path: Path, values: NDArray) -> UnreadableFile:
    numbers = values.ravel()
    is_column = values.ndim == 2 and values.shape[1] == 1
    what = "one dimension" if is_column else "one line of numbers"
    is_short = len(numbers) <= LISTED and (numbers >= 0).all()
    listed = ",".join(f"{number:.15g}" for number in numbers) if is_short else "0.05,0.3,1,2"
    message = (
        f"Embeddings must have several samples and dimensions; {path} holds {what} "
        f"({len(numbers)} in all). If they are variances of modes, try `variances=[{listed}]`."
    )
    return UnreadableFile(message)


def _reason(error: Exception) -> str:
    reason = " ".join(str(error).split())
    if "allow_pickle" in reason or "weights_only" in reason:  # would advise loading all the same
        return NEVER
    return reason[:200].rstrip(".") or type(error).__name__
