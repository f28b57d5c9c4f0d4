"""Keep recordings in memory and in their file, and take them up again after a restart."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eigendyn.errors import InvalidSetting, OutputExists
from eigendyn.recording.clock import number
from eigendyn.recording.measured import Modes, Row
from eigendyn.recording.record import HISTORY, MEASURES, record
from eigendyn.results.files import NETCDF_ONLY, check_output, load, save
from eigendyn.results.labelled import Column, Labelled
from eigendyn.settings.choices import TREE_SUFFIXES

if TYPE_CHECKING:
    import xarray

ORIGIN = "SpectrumLog"
KNOWN = "known_vectors"  # by which modes are followed: what a restart needs
FOLLOWED = "overlap of eigenvectors; by order where so few samples do not tell them apart"


@dataclass
class History:
    """Recordings so far.

    Args:
        rows: What was measured, each by names.
        steps: Training step of each.
        times: Training time of each.
        modes: What modes are known by.
    """

    rows: list[Row] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    modes: Modes | None = None

    @property
    def dims(self) -> int | None:
        """Dimensions of what is recorded; None before the first recording."""
        return None if self.modes is None else len(self.modes.known)

    def add(self, row: Row, step: float, time: float, modes: Modes) -> None:
        """Take in a recording."""
        self.rows.append(row)
        self.steps.append(step)
        self.times.append(time)
        self.modes = modes

    def cut(self, path: Path, step: Any) -> None:
        """Leave out recordings of steps that are done again.

        Raises:
            OutputExists: Nothing would be left: this is another run.
        """
        begins = np.inf if step is None else number("step", step)
        keep = int((np.array(self.steps) < begins).sum())
        if keep == 0:
            message = (
                f"{path} is resumed at a step after its first recording, {self.steps[0]:g}; this "
                f"run begins at {begins:g}. Choose another name for it, or replace the file by "
                "`force=True`."
            )
            raise OutputExists(message)
        del self.rows[keep:], self.steps[keep:], self.times[keep:]


def check_place(path: str | Path, resume: bool, force: bool) -> Path:
    """Check, before training, that a log can be written.

    Raises:
        InvalidSetting: The path is none; both to resume and to replace.
        OutputExists: The file exists, or cannot be written.
    """
    if resume and force:
        message = "A log is either resumed or replaced; leave out `resume=True` or `force=True`."
        raise InvalidSetting(message)
    checked = check_output(path, TREE_SUFFIXES, force=True)
    if checked.exists() and not (resume or force):
        message = (
            f"{checked} exists and is not overwritten. Go on with it by `resume=True`, choose "
            "another name, or replace it by `force=True`."
        )
        raise OutputExists(message)
    for part in checked.parent.glob(f".{escape(checked.stem)}-????????{checked.suffix}"):
        part.unlink(missing_ok=True)  # what a run that was killed was writing
    return checked


def history_of(history: History, tensor: str, every: int) -> xarray.Dataset:
    """Label recordings, with what a restart needs.

    Args:
        history: One recording at least.
        tensor: What is read.
        every: Steps between recordings.
    """
    import xarray

    assert history.modes is not None
    known = history.modes.known.astype(np.float32)
    nothing = np.full(known.shape[1], np.nan)
    measures = {}
    for name, measure in MEASURES.items():
        if any(name in row for row in history.rows):
            missing = nothing if measure.dims == HISTORY else np.nan
            values = [row.get(name, missing) for row in history.rows]
            measures[name] = np.stack(values, axis=-1)
    in_steps = "learning_rate" not in measures
    labelled = record(
        measures,
        history.times,
        history.steps,
        title=f"spectrum of {tensor}",
        in_steps=in_steps,
        origin=ORIGIN,
        tensor=tensor,
        every=every,
        dimensions=len(known),
        time_taken_from="steps, as no learning rate was given" if in_steps else "∫ η d step",
        modes_followed=FOLLOWED,
    )
    about = {
        "long_name": "eigenvectors by which modes are followed from here on",
        "units": "1",
        NETCDF_ONLY: "a restart needs them",
    }
    return labelled.assign({KNOWN: xarray.Variable(("dimension", "mode"), known, about)})


def write(dataset: xarray.Dataset, path: Path, force: bool) -> None:
    """Write a record, by the writer that takes a fifth of the time of xarray's.

    Raises:
        OutputExists: It exists and may not be replaced.
    """

    def columns(names: Iterable[Hashable]) -> dict[str, Column]:
        arrays = {str(name): dataset[name] for name in names}
        return {
            name: Column(tuple(map(str, array.dims)), array.values, array.attrs)
            for name, array in arrays.items()
        }

    save(Labelled(columns(dataset.data_vars), columns(dataset.coords), dataset.attrs), path, force)


def read_history(path: Path, tensor: str) -> History:
    """Take up the recordings of a file.

    Raises:
        InvalidSetting: It is no log of that tensor.
        UnreadableFile: It cannot be read.
    """
    stored: Any = load(path)
    if stored.attrs.get("origin") != ORIGIN or stored.attrs.get("tensor") != tensor:
        message = (
            f"{path} must be a log of {tensor!r} to be resumed; it holds "
            f"{stored.attrs.get('title', 'something else')}. Choose another name."
        )
        raise InvalidSetting(message)
    names = [name for name in MEASURES if name in stored]
    columns = {name: stored[name].transpose(*MEASURES[name].dims).values for name in names}
    count = stored.sizes["time"]
    rows: list[Row] = [
        {name: values[..., i] for name, values in columns.items()} for i in range(count)
    ]
    order = np.argsort(np.argsort(-columns["variance"][:, -1], kind="stable"))
    modes = Modes(np.asarray(stored[KNOWN].data, np.float64), order)
    steps, times = (np.asarray(stored[name].data).tolist() for name in ("step", "time"))
    return History(rows, steps, times, modes)
