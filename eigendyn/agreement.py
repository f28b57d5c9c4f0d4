"""A loss and weights enter; theory, gradient descent of networks, and the verdict on them leave.

The theory is the "steps" engine, the exact expected gradient step, so that the finite learning
rate is on both sides. What is compared are the singular values u_mᵀ W r_m along the singular
vectors of the first weights: the eigenvalues of a sampled network repel one another where they are
nearly equal, which biases each of them by the noise itself, while these are linear in W.

A finite batch moves the mean of the networks by O(1/batch), since the dynamics are not linear. So
as many networks again are trained with a quarter of the batch, and the means extrapolated to an
infinite one, x̄ = (4 x̄_B − x̄_{B/4})/3, which leaves O(1/batch²).
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

import jax
import numpy as np
import xarray
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from eigendyn.analysis.stability import stable_learning_rate
from eigendyn.checks import check_real, check_whole
from eigendyn.device import find_device
from eigendyn.errors import InvalidSetting
from eigendyn.network.descent import Descent, check_weights, descend
from eigendyn.network.settings import Network
from eigendyn.presets import preset_settings
from eigendyn.result import provenance
from eigendyn.settings import Settings
from eigendyn.simulation import simulate, vector_field
from eigendyn.start import published_weights

DEFAULTS = {"batch": 5_000, "saves": 61}
DEFAULT_SEEDS = 8
FALSE_ALARM = 0.01
SMALLER = 4  # the second group's batch is smaller by this factor
SMALLEST_BATCH = 2 * SMALLER
RESOLUTION = {"float64": 1e-8, "float32": 1e-4}  # of the largest singular value: round-off, closure
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


def crosscheck(
    loss: str = "cosine",
    weights: ArrayLike | None = None,
    *,
    batch: int | None = None,
    seeds: int = DEFAULT_SEEDS,
    false_alarm: float = FALSE_ALARM,
    preset: str | None = None,
    progress: bool = False,
    **settings: Any,
) -> xarray.DataTree:
    r"""Train linear Siamese networks, run the theory beside them, and say whether they agree.

    Args:
        loss: Name of a loss (see `choices.LOSS_NAMES`).
        weights: First weights W (modes, inputs) of every network; None takes the published ones.
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
        standard error, deviation). The verdict is `tree["agreement"].attrs["verdict"]`: "agrees",
        "disagrees", or "diverged" if a side did not complete.

    Raises:
        UnknownName, InvalidSetting, InvalidSpectrum, NoExactClosure, DeviceUnavailable: As
            `simulate`; a batch below 8, fewer than 2 seeds, or weights that are no finite matrix
            with as many inputs as modes.

    Source: Halvagal et al. 2023, their linear network; verdict: Student's t for every mode and
    time, Bonferroni over them.
    """
    if "method" in settings:
        message = "A cross-check compares with the expected steps; leave out the method."
        raise InvalidSetting(message)
    first = check_weights(published_weights() if weights is None else weights)
    check_whole("seeds", seeds, 2)
    rule = (lambda x: 0 < x < 1, "between 0 and 1", "Try 0.01.")
    false_alarm = check_real("false_alarm", false_alarm, rule)
    given = {"batch": batch} if batch is not None else {}
    known = DEFAULTS | preset_settings(preset, loss, settings.get("predictor", True)) | given
    batch = check_whole("batch", known.pop("batch"), SMALLEST_BATCH)
    chosen = Settings(loss=loss, method="steps", **known | settings)
    spectrum = np.linalg.svd(first, compute_uv=False) ** 2
    theory = simulate(variances=spectrum, progress=progress, **asdict(chosen))
    planned = np.unique(np.linspace(0, chosen.steps, chosen.saves).round().astype(int))
    with jax.default_device(find_device(chosen.device)):
        groups = [
            descend(
                first,
                _network(chosen, size),
                planned,
                seeds=seeds,
                seed=chosen.seed + number,
                measures=MEASURES,
                progress=progress,
            )
            for number, size in enumerate((batch, batch // SMALLER))
        ]
    descents = xarray.concat([_label(group, chosen) for group in groups], dim="seed")
    for failed in (group for group in groups if group.status != "completed"):
        limit = _stability_limit(chosen, spectrum)
        descents.attrs["status"] = failed.status
        descents.attrs["message"] = (
            f"{failed.message} Along the gradient flow from this start, expected steps are stable "
            f"up to a learning rate of {limit:.3g}. Try a smaller --learning-rate."
        )
        break
    compared = agreement(theory, descents, false_alarm)
    root = xarray.Dataset(
        attrs={
            "title": f"{theory.attrs['loss']}: theory against gradient descent",
            **provenance(theory.attrs["device"], chosen.dtype),
        }
    )
    groups = {"/": root, "/theory": theory, "/descent": descents, "/agreement": compared}
    return xarray.DataTree.from_dict(groups)


def agreement(
    theory: xarray.Dataset, descent: xarray.Dataset, false_alarm: float = FALSE_ALARM
) -> xarray.Dataset:
    r"""Judge whether the mean of several networks is what the theory says.

    Networks are paired, one of each batch, and each pair is extrapolated to an infinite batch.
    With the mean x̄ and standard deviation d of R pairs, (x̄ − theory)/(d/√R) follows Student's
    distribution with R − 1 degrees of freedom. The deviation is the normal quantile of the same
    probability, that is "standard errors" corrected for the uncertainty of the standard error
    itself. They disagree if any of the K = modes × times deviations has a probability below
    false_alarm/K (Bonferroni).

    Args:
        theory: Dataset with singular_value (mode, time).
        descent: Dataset with singular_value (seed, mode, time) at the same steps, and batch (seed),
            of one or two sizes.
        false_alarm: Probability with which a true theory is called wrong, at most.

    Returns:
        Over mode and time: networks (their extrapolated mean), difference, standard_error,
        deviation. Attributes: verdict,
        largest_deviation, allowed_deviation, comparisons, false_alarm, and
        median_relative_deviation (of variances).
    """
    times = min(theory.sizes["time"], descent.sizes["time"])
    expected = theory["singular_value"].values[:, :times]
    sampled = _extrapolate(descent["singular_value"].values[..., :times], descent["batch"].values)
    mean = sampled.mean(axis=0)
    difference = mean - expected
    error = sampled.std(axis=0, ddof=1) / np.sqrt(len(sampled))
    error = np.hypot(error, RESOLUTION[descent.attrs["dtype"]] * np.abs(expected).max())
    tail = stats.t.sf(np.abs(difference) / error, len(sampled) - 1)
    deviation = np.sign(difference) * stats.norm.isf(np.maximum(tail, 1e-300))
    comparisons = deviation[:, 1:].size  # all agree at the start
    allowed = float(stats.norm.isf(false_alarm / comparisons / 2)) if comparisons else np.inf
    largest = float(np.abs(deviation).max())
    completed = theory.attrs["status"] == descent.attrs["status"] == "completed"
    verdict = "diverged"
    if completed:
        verdict = "agrees" if largest <= allowed else "disagrees"
    compared = np.where(expected != 0, expected, np.nan)[:, 1:]
    relative = np.abs((mean[:, 1:] / compared) ** 2 - 1)
    over = ("mode", "time")
    return xarray.Dataset(
        {
            "networks": (over, mean, _attrs("singular value of the networks", "√variance")),
            "difference": (over, difference, _attrs("networks − theory", "√variance")),
            "standard_error": (over, error, _attrs("standard error of the networks", "√variance")),
            "deviation": (over, deviation, _attrs("difference in standard errors", "1")),
        },
        coords={name: theory.coords[name][..., :times] for name in ("time", "step")}
        | {"mode": theory.coords["mode"]},
        attrs={
            "verdict": verdict,
            "largest_deviation": largest,
            "allowed_deviation": allowed,
            "comparisons": comparisons,
            "false_alarm": false_alarm,
            "median_relative_deviation": float(np.median(relative[np.isfinite(relative)]))
            if np.isfinite(relative).any()
            else float("nan"),
        },
    )


def _extrapolate(values: NDArray, batches: NDArray) -> NDArray:
    """Pair networks of both batches B > b, and extrapolate each pair to an infinite batch.

    (B x_B − b x_b)/(B − b) has no O(1/batch). The pairs are independent and alike, so that their
    mean over its standard error follows Student's distribution exactly for Gaussian noise.

    Args:
        values: Measured (seeds, modes, times).
        batches: Batch of each network (seeds,), as many of one size as of the other.

    Returns:
        Extrapolated values (pairs, modes, times); the values themselves if there is one size only.
    """
    sizes = np.unique(batches)
    if len(sizes) == 1:
        return values
    small, large = sizes
    pairs = zip(values[batches == large], values[batches == small], strict=True)
    return np.stack([(large * x - small * y) / (large - small) for x, y in pairs])


def _network(chosen: Settings, batch: int) -> Network:
    """The network that the settings of a simulation describe."""
    shared = {field.name for field in fields(Network)} & {field.name for field in fields(Settings)}
    values = {name: getattr(chosen, name) for name in shared}
    return Network(**values | {"predictor": "direct" if chosen.predictor else "none"}, batch=batch)


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
            "status": descent.status,
            "message": descent.message,
        },
    )


def _stability_limit(chosen: Settings, spectrum: NDArray) -> float:
    """The learning rate up to which steps along the flow are stable."""
    steps = max(1, round(min(chosen.steps, HORIZON / chosen.learning_rate)))
    settings = asdict(chosen) | {"method": "flow", "steps": steps, "saves": 21}
    flow = simulate(variances=spectrum, **settings)
    field, _, parameters = vector_field(variances=spectrum, **settings)
    states = np.moveaxis(flow["singular_value"].values, -1, 0)[:, None]
    return stable_learning_rate(field, states, parameters)


def _attrs(long_name: str, units: str) -> dict[str, str]:
    return {"long_name": long_name, "units": units}
