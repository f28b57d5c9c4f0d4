"""Judge whether trained networks do what a theory says.

What is compared are the singular values u_mᵀ W r_m along the singular vectors of the first weights:
the eigenvalues of a sampled network repel one another where they are nearly equal, which biases
each of them by the noise itself, while these are linear in W.

A finite batch moves the mean of the networks by O(1/batch), since the dynamics are not linear. So
as many networks again are trained with a quarter of the batch, and pairs of them extrapolated to
an infinite one, x = (4 x_B − x_{B/4})/3, which leaves O(1/batch²).
"""

from __future__ import annotations

import numpy as np
import xarray
from numpy.typing import NDArray

FALSE_ALARM = 0.01
RESOLUTION = {"float64": 1e-8, "float32": 1e-4}  # of the largest singular value: round-off, closure


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
        theory: Dataset with singular_value (mode, time), and singular_value_error likewise where
            its closure is sampled.
        descent: Dataset with singular_value (seed, mode, time) at the same steps, and batch (seed),
            of one or two sizes.
        false_alarm: Probability with which a true theory is called wrong, at most.

    Returns:
        Over mode and time: networks (their extrapolated mean), its variance, difference,
        standard_error, deviation. Attributes: verdict, largest_deviation, allowed_deviation,
        comparisons, pairs, false_alarm; median_relative_deviation and largest_relative_deviation,
        of the variances of modes that have not vanished (that is, above RESOLUTION); extrapolated,
        by how much the extrapolation moves a singular value, at most and relative to the largest.
    """
    from scipy import stats  # takes as long to import as a figure to draw that has no networks

    times = min(theory.sizes["time"], descent.sizes["time"])
    expected = theory["singular_value"].values[:, :times]
    trained = descent["singular_value"].values[..., :times]
    sampled = _extrapolate(trained, descent["batch"].values)
    largest_batch = trained[descent["batch"].values == descent["batch"].values.max()]
    mean = sampled.mean(axis=0)
    difference = mean - expected
    error = sampled.std(axis=0, ddof=1) / np.sqrt(len(sampled))
    resolution = RESOLUTION[descent.attrs["dtype"]] * np.abs(expected).max()
    if "singular_value_error" in theory:
        error = np.hypot(error, theory["singular_value_error"].values[:, :times])
    error = np.hypot(error, resolution)
    tail = stats.t.sf(np.abs(difference) / error, len(sampled) - 1)
    deviation = np.sign(difference) * stats.norm.isf(np.maximum(tail, 1e-300))
    comparisons = deviation[:, 1:].size  # all agree at the start
    allowed = float(stats.norm.isf(false_alarm / comparisons / 2)) if comparisons else np.inf
    largest = float(np.abs(deviation).max())
    completed = theory.attrs["status"] == descent.attrs["status"] == "completed"
    verdict = "diverged"
    if completed:
        verdict = "agrees" if largest <= allowed else "disagrees"
    compared = (np.abs(expected) > resolution) & (np.arange(times) > 0)
    relative = np.abs((mean[compared] / expected[compared]) ** 2 - 1)
    correction = np.abs(mean - largest_batch.mean(axis=0)).max() / np.abs(expected).max()
    signal = theory["signal"].values[:, None] if "signal" in theory.coords else 1.0
    over = ("mode", "time")
    return xarray.Dataset(
        {
            "networks": (over, mean, _attrs("singular value of the networks", "√variance")),
            "variance": (over, signal * mean**2, _attrs("variance of the networks", "variance")),
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
            "pairs": len(sampled),
            "false_alarm": false_alarm,
            "median_relative_deviation": float(np.median(relative)) if relative.size else np.nan,
            "largest_relative_deviation": float(relative.max()) if relative.size else np.nan,
            "extrapolated": float(correction),
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


def _attrs(long_name: str, units: str) -> dict[str, str]:
    return {"long_name": long_name, "units": units}
