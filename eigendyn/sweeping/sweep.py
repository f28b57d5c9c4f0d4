"""Sweep parameters over a grid or a design, into a store that a killed process can go on with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from numpy.typing import ArrayLike

from eigendyn.settings.given import GivenSweep
from eigendyn.settings.installed import check_installed
from eigendyn.settings.keywords import takes
from eigendyn.settings.run_settings import Settings

if TYPE_CHECKING:
    import xarray

    from eigendyn.theory.derive import ModeDynamics
    from eigendyn.theory.losses import SymbolicLoss

    Loss = str | SymbolicLoss | ModeDynamics


@takes(Settings)
def sweep(
    loss: Loss | Sequence[Loss] | None = None,
    variances: ArrayLike | None = None,
    *,
    store: str | Path,
    preset: str | Sequence[str] | None = None,
    variance: ArrayLike | str | None = None,
    starts: Mapping[str, Mapping[str, Any]] | None = None,
    parameters: Mapping[str, ArrayLike | str] | None = None,
    tie: Sequence[Sequence[str]] = (),
    design: str | None = None,
    keep: Sequence[str] | None = None,
    shard: str | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    memory: int | None = None,
    progress: bool = False,
    **settings: Unpack[GivenSweep],
) -> xarray.Dataset:
    r"""Follow every mode over a grid of settings, and keep a few numbers of each trajectory.

    Each point of the grid is a run of ds_m/dt = (E[z1_m δ1_m] + E[z2_m δ2_m])/s_m − ω s_m, as
    `simulate` follows it.

    Whatever is given several times is an axis of the grid. What a killed sweep has done is kept:
    the same call goes on where it stopped, and gives the same bits. One call of an engine follows
    all trajectories of a chunk; `shard` and dask share chunks out, without a say in what comes out.

    Args:
        loss: Name of a loss or model, or one of your own, or a list of them: the axis "loss".
        variances: Start (modes,), or starts (starts, modes): the axis "start". None takes the
            published start.
        store: Folder of the store, which ends in .zarr; made if there is none.
        preset: One of `choices.PRESETS`, or a list of them.
        variance: Variances of starts with a single mode each: the axis "variance".
        starts: By name, settings of starts: "variances", and what goes with them, as
            `eigendyn.data.start` gives them; the axis "start".
        parameters: By name, values of numbers that a model or a loss of your own has.
        tie: Names of settings that change together, along one axis; those without values of their
            own take those of the first.
        design: "sobol:COUNT" draws so many points (the axis "sample") from ranges without a
            count, "0:0.3" or "1e-3:1:log".
        keep: What to keep: "final" variances, "recruitment" times, "outcome" of every mode, how
            many were "recruited", effective "rank", "extrema" of variances. None keeps all but the
            last.
        shard: "3/16" follows every sixteenth chunk, so that sixteen processes share the work.
        workers: Processes of dask to start here. A script that does must guard its own lines by
            `if __name__ == "__main__"`.
        scheduler: Address of a dask scheduler, whose workers see the same folder.
        memory: Bytes that what is kept of a chunk may take; None takes 64 MB.
        progress: Show a progress bar on standard error.
        settings: Fields of `Settings`; of numbers also arrays of them, or ranges as text,
            "0:0.3:200" and "1e-3:1:50log"; of the predictor and the target also lists. A parameter
            per mode takes a range, or an array (points, modes).

    Returns:
        Dataset over the axes, and "mode", that reads its store when it is asked for numbers.

    Raises:
        UnknownName, InvalidSetting, InvalidSpectrum: What cannot be swept, or the store holds
            another sweep, or is in use; no scheduler answers.
        OutputExists, UnreadableFile: The store cannot be made, or is something else.
        NotInstalled: A library of the extra `sweep` is missing.
        OSError: The disk is full.

    Source: the dynamics, as `simulate`; "sobol" points, Sobol 1967, scrambled by SciPy; thresholds
    to compare with, derivations/bifurcations.py.

    Examples:
        >>> decays = np.linspace(0, 0.3, 4)
        >>> swept = eigendyn.sweep("euclidean", [0.3, 1.0], weight_decay=decays, store="decay.zarr")
        >>> swept.recruited.values.tolist()
        [1, 1, 1, 0]
    """
    check_installed("sweep")
    from eigendyn.results.files import as_path
    from eigendyn.sweeping.asked import question
    from eigendyn.sweeping.cluster import hired
    from eigendyn.sweeping.planning import MEMORY, planned
    from eigendyn.sweeping.work import shard_of, work

    named = {"loss": loss, "preset": preset}
    asked = question(
        {name: one for name, one in named.items() if one is not None} | settings,
        variances=variances,
        variance=variance,
        starts=starts,
        parameters=parameters or {},
        tie=tie,
        design=design,
    )
    plan = planned(asked, None if keep is None else tuple(keep), memory or MEMORY)
    path, part = as_path(store), shard_of(shard)
    with hired(workers, scheduler) as crew:
        work(plan, path, shard=part, crew=crew, progress=progress)
    return read_sweep(path)


def read_sweep(path: Path) -> xarray.Dataset:
    """The store of a sweep as a dataset, which reads numbers when it is asked for them."""
    import xarray

    return xarray.open_zarr(path, consolidated=False)
