"""Follow the modes of many spectra under one loss or model, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.errors import InvalidSetting
from eigendyn.results.dataset import ensemble_dataset
from eigendyn.results.trajectory import Batch, of_rows
from eigendyn.settings.device import find_device
from eigendyn.settings.given import GivenEnsemble
from eigendyn.settings.keywords import takes
from eigendyn.settings.run_settings import Settings
from eigendyn.simulation.engine import STATES, follow
from eigendyn.simulation.engines.task import ManyRuns
from eigendyn.simulation.initial import signals
from eigendyn.simulation.job import Job, prepare_job
from eigendyn.simulation.nodes import Fit
from eigendyn.simulation.nodes_of_many import judged
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


@takes(prepare_job)
def ensemble(
    loss: str | SymbolicLoss | ModeDynamics = "cosine",
    variances: ArrayLike = (),
    *,
    memory: int = MEMORY,
    **options: Unpack[GivenEnsemble],
) -> xarray.Dataset:
    """Follow the modes of many spectra as `simulate` does, each with its own step size.

    ds_m/dt = (E[z1_m δ1_m] + E[z2_m δ2_m])/s_m − ω s_m with v_m = s_m² in every trajectory.

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

    Source: Halvagal et al. 2023, eigenspace dynamics; engines, as `stream_ensemble`.

    Examples:
        >>> starts = np.random.default_rng(0).uniform(0.1, 1, size=(100, 3))
        >>> runs = eigendyn.ensemble("euclidean", starts, weight_decay=0.16, sigma1=0)
        >>> last = runs.singular_value.isel(time=-1).values ** 2
        >>> np.unique(last.round(2)).tolist()
        [0.0, 0.8]
    """
    import xarray

    job = prepare_job(loss, variances, **options)
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


@takes(prepare_job)
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
    The true error of a trajectory that is "completed" stays below `10 (atol + rtol |s|)` at every
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

    Source: Halvagal et al. 2023, eigenspace dynamics. "compiled": Tsitouras 2011 and Hairer,
    Nørsett, Wanner 1993 (DOP853), the steps; Sommeijer, Shampine, Verwer 1998 (RKC), those that
    stability limits. "shifted": of our own; its curve under the Euclidean loss is that of
    derivations/closed_forms.py. "implicit": Petzold 1983 (LSODA). "flow": as `simulation.flow`.

    Examples:
        >>> starts = np.random.default_rng(0).uniform(0.1, 1, size=(100, 3))
        >>> small = {"keep": "final", "memory": 1000}
        >>> chunks = eigendyn.simulation.stream_ensemble("euclidean", starts, **small)
        >>> sum(chunk.sizes["trajectory"] for chunk in chunks)
        100
    """
    yield from _chunks(prepare_job(loss, variances, **options), memory)


def _chunks(job: Job, memory: int) -> Iterator[xarray.Dataset]:
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
            name, batch, fit = _together(list(followed(job, chunk)), chunk.stop - chunk.start)
            if job.skips_start:
                batch = replace(batch, times=batch.times[1:], values=batch.values[..., 1:])
            yield _label(job, chunk, name, batch, fit)
            advance(chunk.stop - chunk.start)


@dataclass(frozen=True)
class Followed:
    """What has become of trajectories that the same nodes serve.

    Args:
        rows: Which of a chunk they are (trajectories,).
        run: What the engine did, with these nodes.
        parameters: By name, a number, or one for each trajectory (trajectories,).
        engine: Name of the engine.
        batch: What it has found.
        fit: The nodes, judged.
    """

    rows: NDArray
    run: ManyRuns
    parameters: dict[str, float | NDArray]
    engine: str
    batch: Batch
    fit: Fit


def followed(job: Job, chunk: slice) -> Iterator[Followed]:
    """Follow some trajectories, those of each group with its own nodes, and judge these."""
    group = job.group[chunk]
    for one, fit in job.fits.items():
        rows = np.flatnonzero(group == one)
        if not len(rows) and len(group):
            continue
        whole = slice(None) if len(rows) == len(group) else rows  # a slice copies nothing
        starts, numbers = job.starts[chunk][whole], of_rows(job.part(chunk), whole)
        run = replace(job.run, nodes=fit.nodes.in_precision(job.run.chosen.dtype))
        name, batch = follow(job.engine, run, starts, numbers)
        yield Followed(rows, run, numbers, name, *_judged(run, fit, starts, batch, numbers))


def _together(parts: list[Followed], count: int) -> tuple[str, Batch, Fit]:
    """All trajectories of a chunk, and the nodes that are judged worst."""
    first = parts[0]
    if len(parts) == 1:
        return first.engine, first.batch, first.fit
    shape, kind = first.batch.values.shape[1:], first.batch.values.dtype
    values = np.empty((count, *shape), kind)
    status, steps = np.empty(count, np.int8), np.empty(count, np.int32)
    for part in parts:
        values[part.rows] = part.batch.values
        status[part.rows], steps[part.rows] = part.batch.status, part.batch.steps
    fits = [part.fit for part in parts]
    worst = replace(
        fits[-1], error=max(each.error for each in fits), reached=all(each.reached for each in fits)
    )
    return first.engine, Batch(first.batch.times, values, status, steps), worst


def _judged(
    run: ManyRuns, fit: Fit, starts: NDArray, batch: Batch, numbers: dict[str, float | NDArray]
) -> tuple[Batch, Fit]:
    """Mark what the nodes have not served."""
    seen = batch if run.keep in STATES else replace(batch, values=batch.values[..., :0])
    program, chosen = run.system.program, run.chosen
    fit, seen = judged(program, fit, starts.astype(float), seen, numbers, chosen)
    return replace(batch, status=seen.status), fit


@contextmanager
def _progress(job: Job) -> Iterator[Callable[[int], object]]:
    """A function that is told how many trajectories more are done, and shows it if asked to."""
    if not job.progress:
        yield lambda _: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=len(job.starts), unit="trajectory") as bar:
        yield bar.update


def _label(job: Job, chunk: slice, engine: str, batch: Batch, fit: Fit) -> xarray.Dataset:
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
