"""Follow the modes of many spectra under one loss or model, chunk by chunk."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.errors import InvalidSetting, InvalidSpectrum, UnknownName
from eigendyn.program.averaging import NO_NODES
from eigendyn.results.dataset import ensemble_dataset
from eigendyn.results.events import watched
from eigendyn.results.trajectory import Batch, of_rows
from eigendyn.settings.checks import check_whole
from eigendyn.settings.choices import KEEPS, check_choice
from eigendyn.settings.device import find_device, find_platform
from eigendyn.settings.engines import ENSEMBLE_ENGINES
from eigendyn.settings.given import GivenEnsemble, GivenSettings
from eigendyn.settings.keywords import takes
from eigendyn.settings.parameters import PER_MODE
from eigendyn.settings.run_settings import Settings
from eigendyn.simulation.engine import STATES, WATCHED, follow
from eigendyn.simulation.engines.task import ManyRuns
from eigendyn.simulation.equations import equations
from eigendyn.simulation.initial import field_parameters, signals, starting_states
from eigendyn.simulation.nodes import Fit
from eigendyn.simulation.nodes_of_many import by_width, judged, nodes_for
from eigendyn.simulation.simulate import ERROR_MEANINGS, used_settings

if TYPE_CHECKING:
    import xarray

    from eigendyn.theory.derive import ModeDynamics
    from eigendyn.theory.losses import SymbolicLoss

MEMORY = 8 * 2**30  # bytes of states that are held at once, if not said otherwise
JUDGED = {  # where on the way the closure's error is known, if not all along it
    "final": ", at start and end",
    "extrema": ", at the start",
    "recruitment": ", at the start",
}
PIECES = 50  # chunks at least while progress is shown


@takes(Settings)
def _prepare(
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
) -> _Job:
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
    return _Job(
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


@takes(_prepare)
def ensemble(
    loss: str | SymbolicLoss | ModeDynamics = "cosine",
    variances: ArrayLike = (),
    *,
    memory: int = MEMORY,
    **options: Unpack[GivenEnsemble],
) -> xarray.Dataset:
    """Follow the modes of many spectra as `simulate` does, each with its own step size.

    Args:
        loss: Name of a loss or model, or one of your own.
        variances: Initial variances (trajectories, modes).
        memory: Bytes that the result may take.
        options: Those of `stream_ensemble`, which says the rest.

    Returns:
        Dataset over (trajectory, mode, time): every state, and how each trajectory ended.

    Raises:
        InvalidSetting: The result does not fit into the memory.
        The errors of `stream_ensemble` otherwise.
    """
    import xarray

    job = _prepare(loss, variances, **options)
    whole = job.bytes_each * max(1, len(job.starts))
    if whole > memory:
        message = (
            f"The states of {len(job.starts)} trajectories take {whole:.3g} bytes, more than the "
            f"memory of {memory:.3g}. Try keep='final', fewer times, or stream_ensemble, which "
            "gives them in chunks."
        )
        raise InvalidSetting(message)
    chunks = list(_chunks(job, memory))
    return chunks[0] if len(chunks) == 1 else xarray.concat(chunks, "trajectory", join="exact")


@takes(_prepare)
def stream_ensemble(
    loss: str | SymbolicLoss | ModeDynamics = "cosine",
    variances: ArrayLike = (),
    *,
    memory: int = MEMORY,
    **options: Unpack[GivenEnsemble],
) -> Iterator[xarray.Dataset]:
    r"""Follow the modes of many spectra, and give what was found in chunks that fit into a memory.

    Engines: "compiled", machine code made from the dynamics, one trajectory in every lane of the
    processor's registers; "shifted", for uncoupled modes, whose trajectories are one
    curve shifted in time; "flow", the engine of `simulate` in JAX, on any device, the only one that
    can be differentiated (see `flow`); "implicit", LSODA, one trajectory after the other; "kernel",
    experimental, one GPU kernel with the state in registers, checked on a processor and never run
    on a GPU. "auto" takes the fastest on a processor, and follows what that leaves undone by the
    implicit engine; the attribute `engine` says how many. On a GPU it takes "flow".
    The true error of a trajectory that is "completed" stays below 10 (atol + rtol |s|) at every
    saved time; the quadrature of one that is "closure-inaccurate" errs by more than
    closure_accuracy somewhere along it.

    Args:
        loss: Name of a loss or model, or one of your own.
        variances: Initial variances (trajectories, modes). A trajectory with one that is negative
            or not finite is skipped: its status is "invalid-start".
        memory: Bytes that the states of one chunk may take.
        options: times: increasing times to save (times,), None takes those of `simulate`.
            engine: one of `engines.ENSEMBLE_ENGINES`. keep: "trajectory"; "final", the last time
            alone; "extrema", smallest and largest state over the saved times; "recruitment", the
            time at which each mode is recruited, on the way to the last of the saved times,
            whatever the others are. sweep: by name, values of parameters, one for each
            trajectory (trajectories,). threads: None takes one for each core. progress: show a
            progress bar. The others are fields of `Settings`.

    Yields:
        Datasets over (trajectory, mode, time), trajectories in the order given.

    Raises:
        InvalidSetting: A memory too small for one trajectory, times that do not increase, a sweep
            of another length, or what `simulate` refuses.
        InvalidSpectrum: Variances that are no table.
        UnknownName: An engine, a `keep`, or a swept parameter that does not exist.
        NotDecoupled: The engine "shifted" for modes that interact.
        DeviceUnavailable: There is no such device.
    """
    yield from _chunks(_prepare(loss, variances, **options), memory)


@dataclass(frozen=True)
class _Job:
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


def _chunks(job: _Job, memory: int) -> Iterator[xarray.Dataset]:
    count = len(job.starts)
    rows = int(memory // job.bytes_each)
    if rows < 1:
        message = (
            f"One trajectory takes {job.bytes_each} bytes, more than the memory of {memory:.3g}. "
            "Try a larger memory, keep='final', or fewer times."
        )
        raise InvalidSetting(message)
    if job.progress:
        rows = min(rows, max(1, -(-count // PIECES)))
    with _progress(job) as advance:
        for first in range(0, max(count, 1), rows):
            chunk = slice(first, min(first + rows, count))
            name, batch, fit = _followed(job, chunk)
            if job.skips_start:
                batch = replace(batch, times=batch.times[1:], values=batch.values[..., 1:])
            yield _label(job, chunk, name, batch, fit)
            advance(chunk.stop - chunk.start)


def _followed(job: _Job, chunk: slice) -> tuple[str, Batch, Fit]:
    """Follow some trajectories, those of each group with its own nodes, and judge these."""
    group = job.group[chunk]
    parts = []
    for one, fit in job.fits.items():
        rows = np.flatnonzero(group == one)
        if not len(rows) and len(group):
            continue
        whole = slice(None) if len(rows) == len(group) else rows  # a slice copies nothing
        starts, numbers = job.starts[chunk][whole], of_rows(job.part(chunk), whole)
        run = replace(job.run, nodes=fit.nodes.in_precision(job.run.chosen.dtype))
        name, batch = follow(job.engine, run, starts, numbers)
        parts.append((rows, name, *_judged(run, fit, starts, batch, numbers)))
    if len(parts) == 1:
        return parts[0][1:]
    _, name, first, fit = parts[0]
    values = np.empty((len(group), *first.values.shape[1:]), first.values.dtype)
    status, steps = np.empty(len(group), np.int8), np.empty(len(group), np.int32)
    for rows, _, batch, _ in parts:
        values[rows], status[rows], steps[rows] = batch.values, batch.status, batch.steps
    fits = [fit for *_, fit in parts]
    worst = replace(
        fit, error=max(each.error for each in fits), reached=all(each.reached for each in fits)
    )
    return name, Batch(first.times, values, status, steps), worst


def _judged(
    run: ManyRuns, fit: Fit, starts: NDArray, batch: Batch, numbers: dict[str, float | NDArray]
) -> tuple[Batch, Fit]:
    """Mark what the nodes have not served."""
    seen = batch if run.keep in STATES else replace(batch, values=batch.values[..., :0])
    program, chosen = run.system.program, run.chosen
    fit, seen = judged(program, fit, starts.astype(float), seen, numbers, chosen)
    return replace(batch, status=seen.status), fit


@contextmanager
def _progress(job: _Job) -> Iterator[Callable[[int], object]]:
    """A function that is told how many trajectories more are done, and shows it if asked to."""
    if not job.progress:
        yield lambda _: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=len(job.starts), unit="trajectory") as bar:
        yield bar.update


def _label(job: _Job, chunk: slice, engine: str, batch: Batch, fit: Fit) -> xarray.Dataset:
    run, numbers = job.run, job.part(chunk)
    program, chosen = run.system.program, run.chosen
    settings = used_settings(run.system) | {"keep": run.keep}
    return ensemble_dataset(
        batch,
        states=program.states,
        keep=run.keep,
        first=chunk.start,
        sweep={name: np.asarray(numbers[name]) for name in job.swept},
        signals=_signals(numbers, chosen),
        settings=settings,
        closure={
            "name": program.closure,
            "error": fit.error,
            "error_meaning": ERROR_MEANINGS[program.closure]
            + JUDGED.get(run.keep, "")
            + (", of some trajectories" if program.closure == "sampled" else ""),
            "reached": fit.reached,
        },
        engine=engine,
        loss=job.loss,
        kind=run.system.kind,
        device=str(find_device(chosen.device)) if engine in ("kernel", "flow") else "cpu",
    )


def _signals(numbers: Mapping[str, float | NDArray], chosen: Settings) -> NDArray | None:
    """Signal d (1 or trajectories, modes, 1), if modes have one that is not 1."""
    if not chosen.is_anisotropic:
        return None
    return np.atleast_2d(numbers.get("signal", signals(chosen)))[..., None]


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
