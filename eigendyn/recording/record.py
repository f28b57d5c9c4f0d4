"""Hold a recorded spectrum in one form, whatever it was recorded by.

A record is a dataset over (mode, time). A log of your own training, a run of `simulate`, a network
trained by `train` and a plain table of eigenvalues become one by `as_record`; what reads the loss,
fits the theory or foretells the rest takes records only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.errors import InvalidSetting
from eigendyn.settings.checks import check_is
from eigendyn.settings.keywords import takes

if TYPE_CHECKING:
    import xarray

KIND = "recorded spectrum"
LARGEST = 1e100  # variance whose powers still have numbers
LATEST = 1e50  # time whose powers have, and over which gaps have
HISTORY, MOMENT = ("mode", "time"), ("time",)


class Measure(NamedTuple):
    """One row of the table of what a record may hold.

    Args:
        dims: Over modes and times, or over times.
        words: What it is.
        units: Its unit.
    """

    dims: tuple[str, ...]
    words: str
    units: str


# C12 is the symmetric part of E[z1 z2ᵀ], C11 = E[z1 z1ᵀ]; both are centred, u are eigenvectors of
# C12, Z1 is the first view's batch, σ are singular values, λ eigenvalues.
MEASURES = {
    "variance": Measure(HISTORY, "variance that both views share, uᵀ C12 u", "variance"),
    "variance_error": Measure(HISTORY, "standard error of that variance", "variance"),
    "share_error": Measure(HISTORY, "standard error of v/Σv, the mode's share", "1"),
    "noise1": Measure(HISTORY, "noise of the mode in the first view, uᵀ(C11 − C12)u", "variance"),
    "noise2": Measure(HISTORY, "noise of the mode in the second view, uᵀ(C22 − C12)u", "variance"),
    "target_variance": Measure(
        HISTORY,
        "variance of the mode in the target, whose noise is noise2",
        "variance",
    ),
    "signal_share": Measure(HISTORY, "shared variance over the whole, κ", "1"),
    "predictor_eigenvalue": Measure(HISTORY, "predictor along the mode, uᵀ W_P u", "variance^α"),
    "mixed_variance": Measure(
        HISTORY,
        "variance that the predictor mixes into the mode, uᵀ(W_Pᵀ C11 W_P)u − (uᵀ W_P u)² uᵀ C11 u",
        "variance^(1+2α)",
    ),
    "mixed_shared": Measure(
        HISTORY,
        "shared variance that an asymmetric predictor mixes in, uᵀ W_Pᵀ(C − Cᵀ)u/2, C = E[z1 z2ᵀ]",
        "variance^(1+α)",
    ),
    "commutator": Measure(HISTORY, "‖(W_P C12 − C12 W_P)u‖ over ‖W_P‖ ‖C12‖", "1"),
    "overlap": Measure(HISTORY, "overlap of the mode with itself when last told apart", "1"),
    "loss": Measure(MOMENT, "loss as it was given, mean since the last recording", ""),
    "samples": Measure(MOMENT, "samples that the moments were taken of", "1"),
    "batch_size": Measure(MOMENT, "samples of a training step, where every step was seen", "1"),
    "learning_rate": Measure(MOMENT, "learning rate", "1"),
    "mean_first": Measure(MOMENT, "‖E z1‖², the mean of the first view as a mode", "variance"),
    "mean_second": Measure(MOMENT, "‖E z2‖², the mean of the second view as a mode", "variance"),
    "mean_shared": Measure(MOMENT, "E z1 · E z2, what both means share", "variance"),
    "mean_predictor": Measure(MOMENT, "predictor along the mean", "variance^α"),
    "mean_predicted": Measure(MOMENT, "‖E p‖², p = z1 W_P the prediction", "variance^(1+2α)"),
    "mean_predicted_shared": Measure(
        MOMENT, "E p · E z2, what mean prediction and target share", "variance^(1+α)"
    ),
    "mean_share": Measure(MOMENT, "‖E z1‖² / E‖z1‖², 1 of a constant representation", "1"),
    "total_variance": Measure(MOMENT, "centred variance of the first view, tr C11", "variance"),
    "shared_variance_error": Measure(MOMENT, "standard error of Σv over all modes", "variance"),
    "effective_rank_error": Measure(
        MOMENT, "standard error of the effective rank of shared variance", "1"
    ),
    "dimensions_per_sample": Measure(
        MOMENT,
        "γ = dimensions/samples: equal eigenvalues are found between (1 ± √γ)² of their value",
        "1",
    ),
    "noise_floor": Measure(
        MOMENT, "shared variance up to which sampling makes modes out of noise", "variance"
    ),
    "told_apart": Measure(
        MOMENT, "modes whose eigenvectors are told apart by so many samples", "1"
    ),
    "crossings": Measure(MOMENT, "modes that changed their place in the order of variances", "1"),
    "rankme_of_uncentred_singular_values": Measure(
        MOMENT, "exp(−Σ p ln p), p = σ/Σσ of Z1, its mean left in (Garrido et al. 2023)", "1"
    ),
    "rankme_of_centred_eigenvalues": Measure(
        MOMENT, "exp(−Σ p ln p), p = λ/Σλ of C11; 0 of a constant", "1"
    ),
    "effective_rank_of_shared_variance": Measure(
        MOMENT, "exp(−Σ q ln q), q = v/Σv of C12 (Roy & Vetterli 2007); 0 of a constant", "1"
    ),
    "participation_ratio_of_centred_eigenvalues": Measure(
        MOMENT, "(Σλ)²/Σλ² of C11, at most the number of samples; 0 of a constant", "1"
    ),
    "participation_ratio_less_sampling": Measure(
        MOMENT, "the same of the population: unbiased (Σλ)² and Σλ² of Gaussian samples", "1"
    ),
    "alpha_req_of_centred_eigenvalues": Measure(
        MOMENT,
        "α of λ ∝ rank^−α, least squares in logarithms weighted by 1/rank, over ranks 11 to 100, "
        "or all of fewer than 30 dimensions (Agrawal et al. 2022)",
        "1",
    ),
    "lidar_of_two_views": Measure(
        MOMENT,
        "exp(−Σ p ln p), p the shares of eigenvalues of Σw^−½ Σb Σw^−½ with two views of a sample "
        "as a class, Σw + 1e-4 (Thilak et al. 2023)",
        "1",
    ),
    "deviation_of_normalised": Measure(
        MOMENT, "standard deviation of z1/‖z1‖, mean over dimensions, × √d (Chen & He 2021)", "1"
    ),
}


def record(
    measures: Mapping[str, ArrayLike],
    time: ArrayLike,
    step: ArrayLike,
    *,
    title: str,
    more: Mapping[str, Measure] | None = None,
    in_steps: bool = False,
    **attrs: Any,
) -> xarray.Dataset:
    """Label measures of a spectrum.

    Args:
        measures: By name, arrays (modes, times) or (times,); "variance" at least.
        time: Training time ∫η dt (times,), increasing; in steps where no learning rate is known.
        step: Training steps (times,).
        title: What was recorded.
        more: Rows of measures that the table of all records does not have.
        in_steps: Whether time is in steps, as no learning rate is known.
        attrs: Further attributes.

    Raises:
        InvalidSetting: Times that do not increase, or whose powers have no number.
    """
    import xarray

    times = np.asarray(time, np.float64)
    if not (np.diff(times) > 0).all():
        place = int(np.argmin(np.diff(times) > 0))
        message = (
            f"The times of a record must increase; {times[place]:g} is followed by "
            f"{times[place + 1]:g}. Sort the rows, and keep one of each time."
        )
        raise InvalidSetting(message)
    if not (np.diff(times) > 1 / LATEST).all() or not (np.abs(times) < LATEST).all():
        message = (
            f"The times of a record must lie {1 / LATEST:g} apart at least and below {LATEST:g}; "
            f"they go from {times[0]:g} to {times[-1]:g}. Give them in other units."
        )
        raise InvalidSetting(message)
    table = {**MEASURES, **(more or {})}
    variance = np.asarray(measures["variance"])
    return xarray.Dataset(
        {
            name: (
                table[name].dims,
                np.asarray(values, np.float64),
                {"long_name": table[name].words, "units": table[name].units},
            )
            for name, values in measures.items()
        },
        {
            "mode": ("mode", np.arange(len(variance)), {"long_name": "mode", "units": "1"}),
            "time": (
                "time",
                times,
                {
                    "long_name": "training time",
                    "units": "steps" if in_steps else "learning rate × step",
                },
            ),
            "step": (
                "time",
                np.asarray(step, np.float64),
                {"long_name": "training step", "units": "steps"},
            ),
        },
        {"title": title, "kind": KIND, **attrs},
    )


@takes()
def as_record(result: Any, seed: int = 0) -> xarray.Dataset:
    """Take the spectrum out of whatever holds one over time.

    Args:
        result: A record; a run of `simulate`; a training on images, or another dataset with a
            variance over mode and time.
        seed: Which network of a training.

    Returns:
        The record, a dataset over (mode, time).

    Raises:
        InvalidSetting: It holds no spectrum over time, or not that network.

    Examples:
        >>> run = eigendyn.simulate("euclidean", [0.01, 0.3, 1.0], weight_decay=0.05)
        >>> record = eigendyn.recording.as_record(run)
        >>> record.sizes["mode"], record.attrs["kind"]
        (3, 'recorded spectrum')
    """
    held = getattr(result, "variables", {})
    has_history = "variance" in held and {"mode", "time"} <= set(held["variance"].dims)
    has_history &= "step" in held  # a fit has variances over time too
    check_is("result", result, has_history, "a record, a run of simulate or of train")
    if result.attrs.get("kind") == KIND:
        return result
    if "seed" in result.dims:
        seeds = result["seed"].values.tolist()
        check_is("seed", seed, seed in seeds, f"one of {', '.join(map(str, seeds))}")
        result = result.sel(seed=seed)
    lasting = np.isfinite(result["variance"].transpose(*HISTORY).values).all(axis=0)
    result = result.isel(time=np.flatnonzero(lasting))
    measures = {
        name: result[name].transpose(*row.dims).values
        for name, row in MEASURES.items()
        if name in result.variables and set(result[name].dims) == set(row.dims)
    }
    measures |= _of_simulated(result)
    told: dict[str, Any] = {
        name: str(result.attrs[name]) for name in ("settings", "loss") if name in result.attrs
    }
    return record(
        measures,
        result["time"].values,
        result["step"].values,
        title=str(result.attrs.get("title", "spectrum")),
        origin=str(result.attrs.get("kind", "a run of simulate")),
        **told,
    )


def _of_simulated(run: xarray.Dataset) -> dict[str, NDArray]:
    """What a run of `simulate` calls otherwise: its loss, its target, noises along data."""
    found = {}
    if "expected_loss" in run.variables:
        found["loss"] = run["expected_loss"].values
    if "target_value" in run.variables:
        signal = run["signal"] if "signal" in run.coords else 1.0
        found["target_variance"] = (run["target_value"] ** 2 * signal).transpose(*HISTORY).values
    if "signal" in run.coords:
        own = run["variance"].transpose(*HISTORY).values
        views = {"noise1": own, "noise2": found.get("target_variance", own)}
        for name, variance in views.items():
            found[name] = variance * (run[name] / run["signal"]).values[:, None]
    return found
