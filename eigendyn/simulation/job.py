"""Check what an ensemble is asked for, and prepare what an engine needs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.errors import InvalidSetting, InvalidSpectrum, UnknownName
from eigendyn.program.averaging import NO_NODES
from eigendyn.results.events import watched
from eigendyn.results.trajectory import of_rows
from eigendyn.settings.checks import check_whole
from eigendyn.settings.choices import KEEPS, check_choice
from eigendyn.settings.device import find_platform
from eigendyn.settings.engines import ENSEMBLE_ENGINES
from eigendyn.settings.given import GivenSettings
from eigendyn.settings.keywords import takes
from eigendyn.settings.parameters import PER_MODE
from eigendyn.settings.run_settings import Settings
from eigendyn.simulation.engine import WATCHED
from eigendyn.simulation.engines.task import ManyRuns
from eigendyn.simulation.equations import equations
from eigendyn.simulation.initial import field_parameters, starting_states
from eigendyn.simulation.nodes import Fit
from eigendyn.simulation.nodes_of_many import by_width, nodes_for

if TYPE_CHECKING:
    from eigendyn.theory.derive import ModeDynamics
    from eigendyn.theory.losses import SymbolicLoss


@dataclass(frozen=True)
class Job:
    """What there is to do, checked.

    Args:
        loss: Name of the loss.
        run: What an engine does.
        engine: Its name, as asked for.
        starts: States (trajectories, states, modes).
        parameters: By name, a number, or one for each trajectory.
        swept: Names of those that differ.
        group: Which of the nodes serve each trajectory (trajectories,).
        fits: By group, nodes of the closure, and how accurate they are.
        skips_start: Whether the start is no time to save.
        progress: Whether to show a progress bar.
    """

    loss: str
    run: ManyRuns
    engine: str
    starts: NDArray
    parameters: dict[str, float | NDArray]
    swept: frozenset[str]
    group: NDArray
    fits: dict[int, Fit]
    skips_start: bool
    progress: bool

    @property
    def bytes_each(self) -> int:
        """Bytes of the states of one trajectory while it is followed."""
        saved = 1 if self.run.keep == "final" else len(self.run.times)
        return math.prod(self.starts.shape[1:]) * self.starts.itemsize * (saved + 1)

    def part(self, rows: slice | NDArray) -> dict[str, float | NDArray]:
        """Parameters of some trajectories."""
        return of_rows(self.parameters, rows)


@takes(Settings)
def prepare_job(
    loss: str | SymbolicLoss | ModeDynamics,
    variances: ArrayLike,
    *,
    times: ArrayLike | None = None,
    engine: str = "auto",
    keep: str = "trajectory",
    sweep: Mapping[str, ArrayLike] | None = None,
    threads: int | None = None,
    progress: bool = False,
    **settings: Unpack[GivenSettings],
) -> Job:
    """Check everything and choose nodes; arguments are those of `stream_ensemble`."""
    check_choice("engine", engine, ENSEMBLE_ENGINES)
    check_choice("keep", keep, KEEPS)
    system = equations(loss, settings)
    chosen, program = system.chosen, system.program
    if threads is not None:
        threads = check_whole("threads", threads, 1)
    find_platform(chosen.device)  # or say that there is none
    table = _table(variances)
    numbers = field_parameters(program, chosen, system.numbers)
    parameters = numbers | _swept(sweep or {}, numbers, table.shape)
    each = {n: p if np.ndim(p) == 2 else np.reshape(p, (-1, 1)) for n, p in parameters.items()}
    with np.errstate(invalid="ignore"):  # negative variances become starts that are skipped
        states = starting_states(program, table, chosen, each)
    starts = np.ascontiguousarray(np.moveaxis(states, 0, 1))
    group = by_width(program, starts)
    groups = {int(one): group == one for one in (np.unique(group) if len(group) else [0])}
    fits = {
        one: nodes_for(program, starts[rows], of_rows(parameters, rows), chosen)
        for one, rows in groups.items()
    }
    with np.errstate(over="ignore"):  # starts that are not finite are skipped
        states = starts.astype(chosen.dtype)
    if program.closure == "exact quadrature":  # a mode that is lost might have come back
        states[((states == 0) & (starts != 0)).any(axis=(1, 2))] = np.nan
    run = ManyRuns(
        system=system,
        nodes=NO_NODES,
        times=_looked_at(_from_zero(times, chosen), keep),
        keep=keep,
        threads=threads,
        whole=states,
    )
    return Job(
        loss=system.title,
        run=run,
        engine=engine,
        starts=states,
        parameters=parameters,
        swept=frozenset(sweep or ()),
        group=group,
        fits=fits,
        skips_start=keep == "trajectory" and times is not None and np.ravel(times)[0] > 0,
        progress=progress,
    )


def _table(variances: ArrayLike) -> NDArray:
    try:
        table = np.asarray(variances, float)
    except (TypeError, ValueError) as error:
        message = "Variances must be a table of numbers (trajectories, modes). Try an array."
        raise InvalidSpectrum(message) from error
    if table.ndim != 2 or table.shape[1] == 0:
        message = (
            "Variances must be a table (trajectories, modes) with at least one mode; these have "
            f"the shape {table.shape}. Try np.atleast_2d."
        )
        raise InvalidSpectrum(message)
    return table + 0.0  # no zero with a sign, whose root would have one


def _swept(
    sweep: Mapping[str, ArrayLike], numbers: Mapping[str, float], shape: tuple[int, ...]
) -> dict[str, NDArray]:
    values, (count, modes) = {}, shape
    for name, given in sweep.items():
        if name not in numbers:
            kind = "parameter of these dynamics"
            raise UnknownName(kind, name, numbers)
        found = np.asarray(given, float)
        several = name in PER_MODE
        if found.shape != (count,) and not (several and found.shape == (count, modes)):
            table = f", or one for each and its {modes} modes" if several else ""
            message = (
                f"A sweep needs one {name} for each of {count} trajectories{table}, not an array "
                f"of the shape {found.shape}."
            )
            raise InvalidSetting(message)
        values[name] = found.reshape(count, -1) if several else found
    return values


def _looked_at(saved: NDArray, keep: str) -> NDArray:
    """Times at which an engine stops by: recruitment does not depend on those to save."""
    return saved[-1] * watched(1, 1, WATCHED) if keep == "recruitment" and saved[-1] else saved


def _from_zero(times: ArrayLike | None, chosen: Settings) -> NDArray:
    """Times to save, after zero if that is not among them: there every trajectory starts."""
    if times is None:
        steps = np.unique(np.linspace(0, chosen.steps, chosen.saves).round())
        return chosen.learning_rate * steps
    saved = np.asarray(times, float)
    increases = saved.ndim == 1 and saved.size and saved[0] >= 0 and (saved[1:] > saved[:-1]).all()
    if not (increases and np.isfinite(saved).all()):
        message = (
            "Times must be finite and increase, from 0 or later. Try times=np.linspace(0, 60, 101)."
        )
        raise InvalidSetting(message)
    return saved if saved[0] == 0 else np.concatenate([[0.0], saved])
