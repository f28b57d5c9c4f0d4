"""Read a table of measurements from text: .csv, .tsv, .txt, also gzipped.

Delimiter and decimal sign are those under which the rows have as many cells each, and most of them
are numbers. The first row is a heading if none of its cells above numbers is a number, or if these
count upwards in whole numbers: 0,1,2,… as pandas names columns, or any above numbers that all have
fractions. Which columns were measured is decided in `columns`.
"""

from __future__ import annotations

import csv
import gzip
import re
from dataclasses import dataclass
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from numpy.typing import NDArray

from eigendyn.errors import UnreadableFile
from eigendyn.settings.columns import Misplaced, every_number, measurements

if TYPE_CHECKING:
    import pandas as pd

DELIMITERS = ("\t", ";", ",", " ")
SEEN = 20  # rows that show how the table is written
COMMENT = ("#", "%")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
WHOLE = re.compile(r"[+-]?\d+")
MISSING = {"na", "n/a", "nan", "-nan", "null", "none", "inf", "-inf", "+inf", "infinity"}


@dataclass(frozen=True)
class Table:
    """Measurements as they were written.

    Args:
        values: Measurements (rows, columns), float64.
        cells: Their text in the first rows, with decimal points.
        left_out: Heading and columns that are no measurements, in words.
        remark: How the numbers are written, where that is unusual; else empty.
        names: The columns' names; none where there is no heading.
    """

    values: NDArray
    cells: list[str]
    left_out: tuple[str, ...]
    remark: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Form:
    """How a table is written: what stands between cells, and between units and tenths."""

    delimiter: str
    decimal: str

    def cells(self, line: str) -> list[str]:
        """Split a line into its cells, without quotes and outer spaces."""
        if self.delimiter == " ":
            line = " ".join(line.split())
        if '"' not in line:  # csv has a limit on the length of cells
            return [cell.strip() for cell in line.split(self.delimiter)]
        (row,) = csv.reader([line], delimiter=self.delimiter, skipinitialspace=True)
        return [cell.strip() for cell in row]

    def pointed(self, cell: str) -> str:
        """The cell with a decimal point; a point that is no decimal sign makes it no number."""
        return cell.translate({ord("."): "'", ord(","): "."}) if self.decimal == "," else cell

    def is_number(self, cell: str) -> bool:
        """Whether a cell holds a finite number."""
        return bool(NUMBER.fullmatch(self.pointed(cell)))


def read_table(path: Path, samples: bool, everything: bool = False) -> Table:
    """Read the measurements of a text file.

    Args:
        path: The file.
        samples: Whether its rows are samples, which may have labels.
        everything: Whether to keep every column of numbers, also what looks like an index, with
            NaN where a cell is missing.

    Returns:
        The table.

    Raises:
        UnreadableFile: It holds no rows of numbers, rows of different lengths, or a cell without a
            number among numbers.
    """
    lines, comment = _lines(path)
    texts = [text for _, text in lines]
    form = _form(texts)
    seen = [form.cells(text) for text in texts[: SEEN + 1]]
    names = _heading(seen, form)
    body = lines if names is None else lines[1:]
    seen = seen if names is None else seen[1:]
    if names is None and comment is not None:  # as numpy.savetxt writes headings
        cells = form.cells(comment.lstrip("".join(COMMENT)))
        names = cells if len(cells) == len(seen[0]) else None
    frame = _parse(path, body, form)
    try:
        chosen = every_number(frame) if everything else measurements(frame, names, samples)
    except Misplaced as misplaced:
        raise _refusal(path, body, form, names, misplaced) from None
    values, places, left_out = chosen
    if not places:
        message = (
            f"{path} must hold a matrix of numbers; none of its columns holds measurements"
            f"{' (left out: ' + ', '.join(left_out) + ')' if left_out else ''}. Try saving it with "
            "numpy.save."
        )
        raise UnreadableFile(message)
    return Table(
        values=values,
        cells=[form.pointed(row[place]) for row in seen for place in places if place < len(row)],
        left_out=(*(["header"] if names else []), *left_out),
        remark="decimal commas" if form.decimal == "," else "",
        names=tuple(names[place].strip() for place in places) if names else (),
    )


def _lines(path: Path) -> tuple[list[tuple[int, str]], str | None]:
    """Numbered lines with cells, and the last line of comment before them."""
    content = path.read_bytes()
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    numbered = enumerate(_decoded(content).replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1)
    lines: list[tuple[int, str]] = []
    comment = None
    for number, line in numbered:
        if line.lstrip().startswith(COMMENT):
            comment = comment if lines else line.lstrip()
        elif line.strip(" \t;,") and not re.fullmatch(r"sep=.", line):  # Excel's own first line
            lines.append((number, line))
    if not lines:
        message = f"{path} must hold a matrix of numbers; it holds no rows. Check what wrote it."
        raise UnreadableFile(message)
    return lines, comment


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):  # Excel's "Unicode text"
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")  # Excel in Western Europe


def _form(texts: list[str]) -> Form:
    """The way of writing under which rows have equally many cells, and most of them are numbers."""
    sample = texts[: SEEN + 1]

    def fit(form: Form) -> tuple[bool, bool, float, int]:
        rows = [form.cells(text) for text in sample]
        count = sum(map(len, rows))
        numbers = sum(form.is_number(cell) for row in rows for cell in row)
        widths = {len(row) for row in rows[1:]}  # a heading may be shorter
        return count > len(rows) and numbers > 0, len(widths) == 1, numbers / count, count

    forms = [Form(a, b) for b in ".," for a in DELIMITERS if a != b]
    return max(forms, key=fit)  # the first of equals


def _heading(rows: list[list[str]], form: Form) -> list[str] | None:
    """Names of the columns, if the first row holds them."""
    first, body = rows[0], rows[1:]
    if not body:
        return None
    width = len(body[0])
    if len(first) == width - 1:  # R has no name for row names; or rows end in a delimiter
        first = [*first, ""] if all(row[-1] == "" for row in body) else ["", *first]
    elif len(first) == width + 1 and first[-1] == "":
        first = first[:-1]
    over = [
        place
        for place in range(width)
        if any(form.is_number(row[place]) for row in body if place < len(row))
    ]
    if len(first) != width or not over:
        return None
    named = [
        place
        for place in over
        if not form.is_number(first[place]) and first[place].lower() not in MISSING
    ]
    if named == over:
        return first
    counted = [place for place in over if place not in named]  # beside names of index and labels
    below = [row[place] for row in body for place in counted if place < len(row)]
    return first if _count_upwards([first[place] for place in counted], below) else None


def _count_upwards(cells: list[str], below: list[str]) -> bool:
    """Whether cells are names like 0, 1, 2, … rather than a first row of numbers."""
    if not all(cell.isascii() and cell.isdigit() for cell in cells):
        return False
    counts = [int(cell) for cell in cells]
    if counts == list(range(len(counts))):
        return len(counts) >= 3 or (len(counts) == 2 and not any(map(WHOLE.fullmatch, below)))
    is_rising = len(counts) >= 3 and all(a < b for a, b in pairwise(counts))
    return is_rising and not any(map(WHOLE.fullmatch, below))


def _parse(path: Path, body: list[tuple[int, str]], form: Form) -> pd.DataFrame:
    import pandas as pd

    try:
        frame = pd.read_csv(
            StringIO("\n".join(text for _, text in body)),
            header=None,
            sep=r"\s+" if form.delimiter == " " else form.delimiter,
            decimal=form.decimal,
            skipinitialspace=True,
            low_memory=False,
        )
    except pd.errors.ParserError as error:
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        if found is None:
            raise
        expected, line, saw = map(int, found.groups())
        message = (
            f"{path} must hold a matrix of numbers, every row as long as the first; line "
            f"{body[line - 1][0]} has {saw} cells instead of {expected}. Correct that line."
        )
        raise UnreadableFile(message) from error
    if form.decimal == ",":  # pandas leaves a column as it is if one cell is no number
        for place in frame.select_dtypes(exclude=["number", "bool"]):
            frame[place] = frame[place].astype(object).map(form.pointed, na_action="ignore")
    return frame


def _refusal(path, body, form: Form, names, misplaced: Misplaced) -> UnreadableFile:
    number, text = body[misplaced.row]
    cells = form.cells(text)
    cell = cells[misplaced.column] if misplaced.column < len(cells) else ""
    name = names[misplaced.column] if names else ""
    column = repr(name) if name else str(misplaced.column + 1)
    message = (
        f"{path} must hold a matrix of numbers; line {number}, column {column} "
        f"{f'is {cell!r}' if cell else 'is empty'}. Correct it, or leave out that row or column."
    )
    return UnreadableFile(message)
