"""Cross-check theories on measured data: aligned modes and the whole matrix, against networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import jax
import jax.numpy as jnp
import numpy as np
import xarray
from numpy.random import Generator
from numpy.typing import NDArray

from eigendyn.crosschecks.crosscheck import SMALLER, SMALLEST_BATCH, network_of, together
from eigendyn.crosschecks.verdict import FALSE_ALARM, agreement, extrapolate
from eigendyn.data.joint import gaussian_views
from eigendyn.data.starting import SCALE, start
from eigendyn.data.trust import end_gap
from eigendyn.data.views import draw_pairs
from eigendyn.errors import InvalidSetting
from eigendyn.network.on_views import descend_on_views
from eigendyn.network.views import Population
from eigendyn.results.labelled import check_data
from eigendyn.results.provenance import provenance
from eigendyn.settings.checks import SHARE, check_real, check_whole
from eigendyn.settings.choices import LOSS_ROWS, check_choice, loss_name
from eigendyn.settings.device import find_device
from eigendyn.settings.given import GivenSettings
from eigendyn.settings.keywords import takes
from eigendyn.settings.run_settings import Settings
from eigendyn.simulation.initial import saved_steps
from eigendyn.simulation.matrix.matrix_flow import first_weights, matrix_flow
from eigendyn.simulation.simulate import simulate
from eigendyn.theory.losses import SymbolicLoss

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from eigendyn.network.network import Network
    from eigendyn.settings.matrices import Matrix

DEFAULTS = {"batch": 256, "seeds": 8, "saves": 61}
RECRUITED = 0.5  # of the largest eigenvalue at the end, and of an eigenvalue's own end value
ALIGNED, MATRIX = "aligned", "matrix"


@takes(Settings)
def crosscheck_data(
    loss: str | SymbolicLoss,
    data: xarray.Dataset,
    weights: ArrayLike | Matrix | None = None,
    *,
    modes: int | None = None,
    scale: float = SCALE,
    batch: int = DEFAULTS["batch"],
    seeds: int = DEFAULTS["seeds"],
    gaussian: bool = False,
    false_alarm: float = FALSE_ALARM,
    progress: bool = False,
    **settings: Unpack[GivenSettings],
) -> xarray.DataTree:
    r"""Train linear networks on views of data, and say which theory holds how far.

    The theories are aligned modes, which leave out whatever noise is off the diagonal in the basis
    of the components, and for Euclidean losses the whole matrix (`matrix_flow`), which leaves out
    nothing. Both take expected steps at the same learning rate. What is compared are the
    eigenvalues of W Σ₁₂ Wᵀ, extrapolated to an infinite batch.

    Args:
        loss: Name of a loss, or a loss of your own.
        data: A result of `eigendyn.data`, also loaded from its file.
        weights: First weights (modes, inputs); None takes `scale` times the leading components.
            Aligned modes take of them what `eigendyn.data.start` does.
        modes: Number of leading components along which the encoder starts; None takes ten.
        scale: Singular value of every mode at the start.
        batch: Pairs of views for every step of the first group of networks, and a quarter of them
            for the second.
        seeds: Number of networks in each group.
        gaussian: Whether views are Gaussian ones with the joint second moments of the data, which
            tells what is due to other moments from what is due to misalignment.
        false_alarm: Probability with which a true theory is called wrong.
        progress: Show a progress bar on standard error.
        settings: Fields of `Settings`, but for the method and what the data have.

    Returns:
        Tree with `/aligned` (as of `simulate`), `/matrix` (as of `matrix_flow`; Euclidean losses),
        `/descent` (over seed, mode, time: eigenvalues and singular values) and `/agreement`: over
        theory, mode and time the difference, standard error and deviation; over theory the verdict,
        largest and allowed deviation and the share of deviations within one standard error, which
        is 0.68 of a true theory; over mode, `end_gap`, which says how far aligned modes can be
        trusted (see `data.trust`), and recruitment times of the networks, and over theory and
        mode those predicted.

    Raises:
        UnknownName, InvalidSetting, InvalidSpectrum, DeviceUnavailable: As `simulate`,
            `eigendyn.data.start` and `matrix_flow`; a batch below 8, or fewer than 2 seeds.

    Source: Halvagal et al. 2023, their linear network; verdict as of `crosscheck`.

    Examples:
        >>> x = np.random.default_rng(0).normal(size=(500, 3)) * [2.0, 1.0, 0.5]
        >>> data = eigendyn.data.from_inputs(x, "noise:0.5")
        >>> tree = eigendyn.crosschecks.crosscheck_data("euclidean", data, modes=2, steps=100)
        >>> tree["agreement"].verdict.values.tolist()
        ['agrees', 'agrees']
    """
    check_data(data)
    name = loss_name(loss)
    own = loss if isinstance(loss, SymbolicLoss) else None
    if own is None:
        check_choice("loss", name, LOSS_ROWS)
    check_whole("seeds", seeds, 2)
    batch = check_whole("batch", batch, SMALLEST_BATCH)
    false_alarm = check_real("false_alarm", false_alarm, SHARE, "Try 0.01.")
    if "method" in settings:
        message = "A cross-check compares with the expected steps; leave out the method."
        raise InvalidSetting(message)
    given: dict[str, Any] = {"saves": DEFAULTS["saves"], **settings, "method": "steps"}
    begun = start(data, modes, scale=scale, weights=weights)
    modes = len(begun["signal"])
    chosen = Settings(loss=name, **given)
    theories = {ALIGNED: _aligned(own or name, begun, given)}
    if own is None and LOSS_ROWS[name].is_quadratic:
        theories[MATRIX] = matrix_flow(name, data, weights, modes=modes, scale=scale, **given)
    first = first_weights(data, weights, modes, scale)
    networks = tuple(network_of(chosen, own, size) for size in (batch, batch // SMALLER))
    descents = _train(first, data, chosen, networks, seeds, gaussian, progress)
    root = xarray.Dataset(
        attrs={
            "title": f"{theories[ALIGNED].attrs['loss']}: theories against descent on "
            + ("Gaussian views with the moments of the data" if gaussian else "views of the data"),
            "data": data.attrs.get("title", "data"),
            "augment": data.attrs.get("augment", ""),
            "views": "gaussian" if gaussian else "drawn from the data",
            "modes": modes,
            **provenance(str(find_device(chosen.device)), chosen.dtype),
        }
    )
    compared = _compared(theories, descents, false_alarm)
    gaps = end_gap(*(data[key].values for key in ("covariance_12", "covariance_11", "components")))
    label = {"long_name": "share by which aligned modes end too low in the long run", "units": "1"}
    compared["end_gap"] = ("mode", gaps[:modes], label)
    groups = {f"/{key}": one for key, one in theories.items()}
    return xarray.DataTree.from_dict(
        {"/": root, **groups, "/descent": descents, "/agreement": compared}
    )


def _aligned(
    loss: str | SymbolicLoss, begun: Mapping[str, Any], settings: Mapping[str, Any]
) -> xarray.Dataset:
    """Aligned modes along the leading components, with their variances sorted at every time."""
    found = simulate(loss, **begun, **settings)
    label = {"long_name": "variance of the modes, largest first", "units": "variance"}
    ordered = np.sort(found["variance"].values, axis=0)[::-1]
    return found.assign(eigenvalue=(("mode", "time"), ordered, label))


def _train(
    first: NDArray,
    data: xarray.Dataset,
    chosen: Settings,
    networks: tuple[Network, ...],
    seeds: int,
    gaussian: bool,
    progress: bool,
) -> xarray.Dataset:
    """Train as many networks of each kind, which differ in their batch."""

    def from_data(count: int, rng: Generator) -> tuple[NDArray, NDArray]:
        return draw_pairs(data, count, rng)

    with jax.default_device(find_device(chosen.device)):
        moments = (data[f"covariance_{pair}"].values for pair in ("12", "11"))
        population = Population(*(jnp.asarray(one, chosen.dtype) for one in moments))
        groups = [
            descend_on_views(
                first,
                network,
                gaussian_views(data) if gaussian else from_data,
                population,
                saved_steps(chosen),
                seeds=seeds,
                seed=2 * chosen.seed + number,
                progress=progress,
            )
            for number, network in enumerate(networks)
        ]
        return together(groups, chosen)


def _compared(
    theories: Mapping[str, xarray.Dataset], descents: xarray.Dataset, false_alarm: float
) -> xarray.Dataset:
    """Judge every theory, and compare recruitment times."""
    found = [agreement(one, descents, false_alarm, "eigenvalue") for one in theories.values()]
    times = min(one.sizes["time"] for one in found)
    cut = [one.isel(time=slice(times)) for one in found]
    per_theory = ("difference", "standard_error", "deviation")
    joined = cut[0].drop_vars(per_theory).assign_coords(theory=list(theories))
    for key in per_theory:
        values = np.stack([one[key].values for one in cut])
        joined[key] = (("theory", "mode", "time"), values, cut[0][key].attrs)
    for key in ("verdict", "largest_deviation", "allowed_deviation", "median_relative_deviation"):
        joined[key] = ("theory", np.array([one.attrs[key] for one in found]))
    # Where all agree, at the start, there is nothing to compare.
    within = [float((np.abs(one["deviation"].values[:, 1:]) <= 1).mean()) for one in found]
    label = {"long_name": "share of deviations within one standard error", "units": "1"}
    joined["within_one"] = ("theory", within, label)
    networks = recruitment_times(descents["eigenvalue"].values, descents["time"].values)
    pairs = extrapolate(networks, descents["batch"].values)
    unit = "learning rate × step"
    label = {"long_name": "time at which half of the end value is reached", "units": unit}
    joined["recruitment_time"] = ("mode", pairs.mean(axis=0), label)
    joined["recruitment_time_error"] = (
        "mode",
        pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs)),
        {"long_name": "its standard error", "units": unit},
    )
    predicted = [
        recruitment_times(one["eigenvalue"].values, one["time"].values) for one in theories.values()
    ]
    joined["predicted_time"] = (("theory", "mode"), np.stack(predicted), label)
    shared = ("pairs", "false_alarm", "extrapolated", "comparisons")
    joined.attrs = {key: found[0].attrs[key] for key in shared}
    return joined


def recruitment_times(eigenvalues: NDArray, times: NDArray) -> NDArray:
    """When eigenvalues reach half of their end value, between saved times on a straight line of ln.

    Args:
        eigenvalues: Over (…, modes, times), the largest first.
        times: Saved times (times,).

    Returns:
        Times (…, modes); NaN of those that begin above it, or end below half of the largest, which
        are not recruited.
    """
    half = RECRUITED * eigenvalues[..., -1:]
    above = eigenvalues >= half
    after = above.argmax(axis=-1)
    before = np.maximum(after - 1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(np.maximum(eigenvalues, 0) / half)

        def at(place: NDArray) -> NDArray:
            return np.take_along_axis(logs, place[..., None], -1)[..., 0]

        share = at(before) / (at(before) - at(after))
        found = times[before] + share * (times[after] - times[before])
    largest = eigenvalues[..., :1, -1]
    is_recruited = (after > 0) & (eigenvalues[..., -1] >= RECRUITED * largest)
    return np.where(is_recruited, found, np.nan)
