"""Cross-check a theory with the gradient descent of networks, and say what that would have caught.

The theory is the "steps" engine, the exact expected gradient step, so that the finite learning
rate is on both sides.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any, Unpack

import jax
import numpy as np
import xarray
from numpy.typing import ArrayLike, NDArray

from eigendyn.crosschecks.power import with_smallest_changes
from eigendyn.crosschecks.verdict import FALSE_ALARM, agreement
from eigendyn.errors import InvalidSetting
from eigendyn.network.descent import Descent, descend
from eigendyn.network.network import Network
from eigendyn.results.provenance import provenance
from eigendyn.settings.checks import SHARE, check_real, check_whole
from eigendyn.settings.choices import loss_name
from eigendyn.settings.device import find_device
from eigendyn.settings.given import GivenSettings
from eigendyn.settings.keywords import takes
from eigendyn.settings.presets import preset_settings
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.spectrum import check_weights, published_weights
from eigendyn.simulation.initial import signals, states_of
from eigendyn.simulation.simulate import simulate, vector_field
from eigendyn.simulation.stability import stable_learning_rate
from eigendyn.theory.loss_writer import write_loss
from eigendyn.theory.losses import SymbolicLoss

DEFAULTS = {"batch": 5_000, "saves": 61}
DEFAULT_SEEDS = 8
SMALLER = 4  # the second group's batch is smaller by this factor
SMALLEST_BATCH = 2 * SMALLER
DRAWS = 8  # of samples, where the closure is sampled
HORIZON = 100.0  # time over which the flow is asked where steps are stable
MEASURES = (
    "singular_value",
    "eigenvalue",
    "alignment",
    "commutator",
    "off_mode_share",
    "loss",
    "effective_rank",
    "participation_ratio",
    "standard_deviation",
)
UNITS = {"singular_value": "√variance", "eigenvalue": "variance", "standard_deviation": "√variance"}


@takes(Settings)
def crosscheck(
    loss: str | SymbolicLoss | None = None,
    weights: ArrayLike | None = None,
    *,
    batch: int | None = None,
    seeds: int = DEFAULT_SEEDS,
    false_alarm: float = FALSE_ALARM,
    preset: str | None = None,
    progress: bool = False,
    **settings: Unpack[GivenSettings],
) -> xarray.DataTree:
    r"""Train linear Siamese networks, run the theory beside them, and say whether they agree.

    Pairs of networks are extrapolated to an infinite batch, x = (4 x_B − x_{B/4})/3. Of their mean
    x̄ and standard deviation d over R pairs the deviation is (x̄ − theory)/(d/√R), in standard
    errors.

    Args:
        loss: Name of a loss (see `choices.LOSS_NAMES`), or a loss of your own; None takes that of
            the preset, or "cosine".
        weights: First weights W (modes, inputs) of every network; None takes the published ones.
            Where modes have a signal and noises of their own, these belong to the singular vectors
            of W, that of the largest singular value first, along which inputs are independent.
        batch: Samples drawn for every step of the first group of networks, and a quarter of them
            for the second; None takes that of the preset, or 5,000.
        seeds: Number of networks in each group.
        false_alarm: Probability with which a true theory is called wrong.
        preset: One of `choices.PRESETS`, a source's settings where none are given.
        progress: Show a progress bar on standard error.
        settings: Fields of `Settings`, but for the method.

    Returns:
        Tree with `/theory` (as `simulate` returns it), `/descent` (over seed, mode, time: singular
        values; what the theory assumes, that is alignment, commutator, share outside the modes;
        loss and collapse metrics) and `/agreement` (over mode, time: networks, difference,
        standard error, deviation; over parameter, if both sides agree: the smallest relative change
        that would have been called wrong). The verdict is `tree["agreement"].attrs["verdict"]`:
        "agrees", "disagrees", or "diverged" if a side did not complete.

    Raises:
        UnknownName, InvalidSetting, InvalidSpectrum, NoExactClosure, DeviceUnavailable: As
            `simulate`; a batch below 8, fewer than 2 seeds, or weights that are no finite matrix
            with as many inputs as modes.

    Source: Halvagal et al. 2023, their linear network; verdict: Student's t for every mode and
    time, Bonferroni over them.

    Examples:
        >>> tree = eigendyn.crosscheck("euclidean", steps=100, batch=1000)
        >>> tree["agreement"].attrs["verdict"]
        'agrees'
    """
    if "method" in settings:
        message = "A cross-check compares with the expected steps; leave out the method."
        raise InvalidSetting(message)
    first = check_weights(published_weights() if weights is None else weights)
    check_whole("seeds", seeds, 2)
    false_alarm = check_real("false_alarm", false_alarm, SHARE, "Try 0.01.")
    given = {"batch": batch} if batch is not None else {}
    name = None if loss is None else loss_name(loss)
    source = preset_settings(preset, name, settings.get("predictor"), settings.get("target"))
    known: dict[str, Any] = {"loss": Settings.loss} | DEFAULTS | source | given
    known |= {} if name is None else {"loss": name}
    batch = check_whole("batch", known.pop("batch"), SMALLEST_BATCH)
    chosen = Settings(**{"method": "steps", **known, **settings})
    own = loss if isinstance(loss, SymbolicLoss) else None
    spectrum = signals(chosen) * np.linalg.svd(first, compute_uv=False) ** 2
    theory = _simulate(chosen, own, spectrum, progress)
    descents = _train(first, chosen, own, batch, seeds, progress)
    if descents.attrs["status"] != "completed":
        limit = _stability_limit(chosen, own, spectrum)
        descents.attrs["message"] += (
            f" Along the gradient flow from this start, expected steps are stable up to a learning "
            f"rate of {limit:.3g}."
            if np.isfinite(limit)
            else ""
        ) + " Try a smaller `learning_rate`."
    compared = agreement(theory, descents, false_alarm)
    if compared.attrs["verdict"] == "agrees":
        compared = with_smallest_changes(compared, theory, chosen, own)
    root = xarray.Dataset(
        attrs={
            "title": f"{theory.attrs['loss']}: theory against gradient descent",
            **provenance(theory.attrs["device"], chosen.dtype),
        }
    )
    groups = {"/": root, "/theory": theory, "/descent": descents, "/agreement": compared}
    return xarray.DataTree.from_dict(groups)


def _simulate(
    chosen: Settings, own: SymbolicLoss | None, spectrum: NDArray, progress: bool
) -> xarray.Dataset:
    """The theory; the mean of several draws, with its standard error, where it is sampled."""
    settings = _to_simulate(chosen, own)
    theory = simulate(**settings, variances=spectrum, progress=progress)
    if theory.attrs["closure"] != "sampled":
        return theory
    seeds = [chosen.seed + draw for draw in range(1, DRAWS)]
    others = []
    for seed in seeds:
        settings["seed"] = seed
        others.append(simulate(**settings, variances=spectrum))
    times = min(one.sizes["time"] for one in (theory, *others))
    drawn = np.stack([one["singular_value"].values[:, :times] for one in (theory, *others)])
    cut = theory.isel(time=slice(times))
    error = drawn.std(axis=0, ddof=1) / np.sqrt(DRAWS)
    label = _attrs(f"standard error of the mean of {DRAWS} draws of samples", "√variance")
    return cut.assign(
        singular_value=cut["singular_value"].copy(data=drawn.mean(axis=0)),
        singular_value_error=(("mode", "time"), error, label),
    )


def _to_simulate(chosen: Settings, own: SymbolicLoss | None) -> dict[str, Any]:
    return asdict(chosen) | ({} if own is None else {"loss": own})


def _train(
    first: NDArray,
    chosen: Settings,
    own: SymbolicLoss | None,
    batch: int,
    seeds: int,
    progress: bool,
) -> xarray.Dataset:
    """Train as many networks with a quarter of the batch as with the batch itself."""
    if chosen.is_anisotropic:
        first = _along_components(first)
    planned = np.unique(np.linspace(0, chosen.steps, chosen.saves).round().astype(int))
    with jax.default_device(find_device(chosen.device)):
        groups = [
            descend(
                first,
                network_of(chosen, own, size),
                planned,
                seeds=seeds,
                seed=2 * chosen.seed + number,
                measures=MEASURES,
                progress=progress,
            )
            for number, size in enumerate((batch, batch // SMALLER))
        ]
    return together(groups, chosen)


def together(groups: list[Descent], chosen: Settings) -> xarray.Dataset:
    """Label groups of networks of different batches, up to the first step at which one failed."""
    first_to_fail = min(groups, key=lambda group: len(group.steps))
    common = slice(len(first_to_fail.steps))
    labelled = [_label(group, chosen).isel(time=common) for group in groups]
    descents = xarray.concat(labelled, dim="seed")
    return descents.assign_attrs(status=first_to_fail.status, message=first_to_fail.message)


def _along_components(weights: NDArray) -> NDArray:
    """The same weights, of inputs that are coordinates along their right singular vectors.

    There are as many of these as modes: other directions have no signal that anybody knows.
    """
    left, singular, _ = np.linalg.svd(weights, full_matrices=False)
    return left * singular


def network_of(chosen: Settings, own: SymbolicLoss | None, batch: int) -> Network:
    """The network that the settings of a simulation describe; a loss of one's own as text."""
    shared = {field.name for field in fields(Network)} & {field.name for field in fields(Settings)}
    values: dict[str, Any] = {name: getattr(chosen, name) for name in shared}
    if own is not None:
        values |= {"loss": write_loss(own.expression), "parameters": own.parameters}
    return Network(**values, batch=batch)


def _label(descent: Descent, chosen: Settings) -> xarray.Dataset:
    """Label what was measured along the descent."""
    axes = {1: ("seed", "time"), 2: ("seed", "mode", "time")}
    variables = {
        name: (axes[values.ndim - 1], values, _attrs(name.replace("_", " "), UNITS.get(name, "1")))
        for name, values in descent.measures.items()
    }
    times = chosen.learning_rate * descent.steps
    seeds, modes, _ = descent.measures["singular_value"].shape
    return xarray.Dataset(
        variables,
        coords={
            "time": ("time", times, _attrs("training time", "learning rate × step")),
            "step": ("time", descent.steps, _attrs("training step", "steps")),
            "mode": ("mode", np.arange(modes), _attrs("mode, largest initial variance first", "1")),
            "batch": ("seed", np.full(seeds, descent.network.batch), _attrs("batch", "samples")),
        },
        attrs={
            "title": "gradient descent of networks",
            "settings": json.dumps(asdict(descent.network), ensure_ascii=False),
            "seed": chosen.seed,
            "dtype": chosen.dtype,
        },
    )


def _stability_limit(chosen: Settings, own: SymbolicLoss | None, spectrum: NDArray) -> float:
    """The learning rate up to which steps along the flow are stable; infinite if not known.

    With momentum or averages a step is not the Euler step of one field at every learning rate.
    """
    steps = max(1, round(min(chosen.steps, HORIZON / chosen.learning_rate)))
    settings = _to_simulate(chosen, own) | {"method": "flow", "steps": steps, "saves": 21}
    field, _, parameters = vector_field(variances=spectrum, **settings)
    if "learning_rate" in field.parameters:
        return np.inf
    flow = simulate(variances=spectrum, **settings)
    states = np.moveaxis(states_of(flow, field.states, chosen), -1, 0)
    return stable_learning_rate(field, states, parameters)


def _attrs(long_name: str, units: str) -> dict[str, str]:
    return {"long_name": long_name, "units": units}
