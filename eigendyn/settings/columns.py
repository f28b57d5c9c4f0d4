"""Tell the measurements of a table from its index, its labels and its text, column by column.

The rules, in this order; the first that fits decides, and what is left out is said:

1. A column without any cell is left out.
2. A column named as an index is ("id", "index", "…_id", "timestamp", …), or the first one beside
   a heading that has no name for it, as pandas and R write it, is the index.
3. A column of text, dates or truth values is left out; one of numbers with some text is refused.
4. A column of whole numbers with the name of a label ("label", "target", "class", "y", …) is one.
5. A first column that counts the rows, from 0 or 1, is an index, whatever its name.
6. In ten samples or more, a column of whole numbers is left out if most others have fractions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

INDEX = re.compile(
    r"index|id|idx|uid|uuid|row|rowid|rownames|sample|nr|no|#|.*_id|unnamed: \d+"
    r"|_?timestamp|_?runtime|wall[ _]?time"
)
LABEL = re.compile(r"labels?|targets?|class(es)?|y|y_true|category|cluster|digit|species")
COUNTED = 3  # rows below which a column that counts them is as likely a measurement
GUESSED = 10  # samples below which a column may hold whole numbers by chance


@dataclass  # not frozen: Python notes on an exception where it was raised
class Misplaced(Exception):
    """A cell that holds no number in a column of numbers; rows and columns count from 0."""

    row: int
    column: int


def every_number(frame: pd.DataFrame) -> tuple[NDArray, list[int], list[str]]:
    """Keep all columns of numbers, whatever they count or name; NaN where a cell is missing.

    Args:
        frame: Cells, as pandas reads them without a heading.

    Returns:
        As `measurements`.

    Raises:
        Misplaced: A column of numbers has a cell of text.
    """
    found = {place: _numbers(frame[place], place) for place in range(frame.shape[1])}
    kept = {
        place: numbers
        for place, numbers in found.items()
        if numbers is not None and not np.isnan(numbers).all()
    }
    values = np.column_stack(list(kept.values())) if kept else np.empty((len(frame), 0))
    left_out = [f"column {place + 1}" for place in found if place not in kept]
    return values, list(kept), left_out


def measurements(
    frame: pd.DataFrame, names: list[str] | None, samples: bool
) -> tuple[NDArray, list[int], list[str]]:
    """Keep the columns that were measured.

    Args:
        frame: Cells, as pandas reads them without a heading.
        names: The heading; None if there is none.
        samples: Whether rows are samples, which may have labels.

    Returns:
        Measurements (rows, kept), the places of the columns kept, and what was left out, in words.

    Raises:
        Misplaced: A column of numbers has a cell that holds none.
    """
    kept: dict[int, NDArray] = {}
    left_out: list[str] = []
    for place in range(frame.shape[1]):
        name = names[place].strip() if names else ""
        column, word = frame[place], f"{name!r}" if name else f"{place + 1}"
        unnamed_first = names is not None and place == 0 and not name
        if bool(column.isna().all()) and not name:
            left_out.append("empty column")
        elif unnamed_first or INDEX.fullmatch(name.lower()):
            left_out.append("index column" if unnamed_first else f"index column {word}")
        elif (numbers := _numbers(column, place)) is None:
            left_out.append(f"text column {word}")
        elif samples and LABEL.fullmatch(name.lower()) and _whole(numbers):
            left_out.append(f"label column {word}")
        elif place == 0 and frame.shape[1] > 1 and _counts(numbers):
            left_out.append("first column of row numbers")
        else:
            kept[place] = numbers
    whole = [place for place, numbers in kept.items() if _whole(numbers)]
    if samples and len(frame) >= GUESSED and len(whole) < len(kept) / 2:
        for place in whole:
            if np.ptp(kept[place]):  # a constant may be a unit that is always silent
                word = f"{names[place]!r}" if names else f"{place + 1}"
                left_out.append(f"whole-number column {word}")
                del kept[place]
    for place, numbers in kept.items():
        if len(rows := np.flatnonzero(~np.isfinite(numbers))):
            raise Misplaced(int(rows[0]), place)
    values = np.column_stack(list(kept.values())) if kept else np.empty((len(frame), 0))
    return values, list(kept), left_out


def _numbers(column: pd.Series, place: int) -> NDArray | None:
    """The numbers of a column, NaN where a cell is missing; None where it is no column of numbers.

    Raises:
        Misplaced: At least half of the cells are numbers, and one is something else.
    """
    import pandas as pd

    if pd.api.types.is_bool_dtype(column):
        return None
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(np.float64)
    numbers = pd.to_numeric(column.astype(str), errors="coerce").to_numpy(np.float64)
    is_other = np.isnan(numbers) & column.notna().to_numpy()
    if 2 * is_other.sum() > column.notna().sum():
        return None
    if is_other.any():
        raise Misplaced(int(np.flatnonzero(is_other)[0]), place)
    return numbers


def _whole(numbers: NDArray) -> bool:
    return bool((np.isfinite(numbers) & (numbers == np.rint(numbers))).all())


def _counts(numbers: NDArray) -> bool:
    count = np.arange(len(numbers)) + numbers[0]
    return len(numbers) >= COUNTED and numbers[0] in (0, 1) and np.array_equal(numbers, count)
