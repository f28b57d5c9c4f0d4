"""Compute how long a small mode takes to be recruited, over its initial variance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from eigendyn.analysis.rates.growth_rates import growth_rates
from eigendyn.errors import InvalidSpectrum
from eigendyn.results.outcome_words import NEAR
from eigendyn.simulation.simulate import conserved_values
from eigendyn.theory.losses import SymbolicLoss

POINTS_PER_UNIT = 25  # of ln(v/(end − v)), in which the integrand is smooth at both ends
BISECTIONS = 60  # down to round-off


def orbit(
    loss: str | SymbolicLoss, initial: ArrayLike, modes: int, end: float = 1.0, **settings: Any
) -> NDArray:
    """Spectra (spectra, modes) with one mode, the first, at given variances, and all others equal.

    The others keep what the loss conserves as if all modes were to end at the same variance; where
    it conserves nothing, they are there already. So all these spectra lie on one orbit.

    Arguments are those of `recruitment_curve`, and initial variances at most that at the end.
    """
    starts = np.asarray(initial, float)
    if starts.ndim != 1 or not ((starts > 0) & (starts <= end)).all():
        message = f"Initial variances must lie above 0 and at most at the end, {end:g}."
        raise InvalidSpectrum(message)

    rests = np.full(len(starts), end)

    def spectra() -> NDArray:
        return np.column_stack([starts, *[rests] * (modes - 1)])

    def kept(variances: NDArray) -> NDArray | None:
        values = conserved_values(loss, variances, **settings)
        return next(iter(values.values()), None)

    whole = kept(np.full((1, modes), end))
    if whole is None:
        return spectra()
    low, high = rests.copy(), np.full(len(starts), end * modes / (modes - 1))
    for _ in range(BISECTIONS):
        rests = (low + high) / 2
        too_much = np.asarray(kept(spectra())) > whole
        low, high = np.where(too_much, low, rests), np.where(too_much, rests, high)
    return spectra()


def recruitment_curve(
    loss: str | SymbolicLoss, initial: ArrayLike, modes: int, end: float = 1.0, **settings: Any
) -> NDArray:
    r"""Time until one small mode among equal ones is within 5 % of its end value.

    On an orbit the mode's growth rate r is a function of its own variance, so that
    t = ∫ d(ln v)/r(v) from the initial variance to 0.95 of the end, taken over
    x = ln(v/(end − v)), in which the integrand (1 − v/end)/r stays smooth.

    Args:
        loss: Name of a loss, or a loss of your own.
        initial: Initial variances of the mode, above 0 and below 0.95 of the end (starts,).
        modes: Number of modes.
        end: Variance at which all modes end: any for the cosine losses, 1/(1 + σ₁²) for α = 1 and
            the Euclidean ones.
        settings: Fields of `Settings`.

    Returns:
        Recruitment times (starts,) [learning rate × step], from a cubic spline through 25 points
        per unit of x.

    Raises:
        InvalidSpectrum: Initial variances out of range, or a mode that does not grow all the way.

    Source: Halvagal et al. 2023 for the rates; the time is their quadrature.
    """
    starts = np.asarray(initial, float)
    last = (1 - NEAR) * end
    if starts.ndim != 1 or not ((starts > 0) & (starts < last)).all():
        message = f"Initial variances must lie above 0 and below {last:g}, 0.95 of the end."
        raise InvalidSpectrum(message)
    low, high = _logit(starts.min() / end), _logit(1 - NEAR)
    grid = np.linspace(low, high, max(8, int(np.ceil(POINTS_PER_UNIT * (high - low)))))
    points = end / (1 + np.exp(-grid))
    spectra = orbit(loss, points, modes, end, **settings)
    rates = growth_rates(loss, spectra, **settings)[:, 0]
    if not (rates > 0).all():
        stuck = points[np.argmax(rates <= 0)]
        message = (
            f"The mode must grow all the way to {last:g}, and at {stuck:.3g} it does not. Try "
            "another end, less weight decay or a larger initial variance."
        )
        raise InvalidSpectrum(message)
    elapsed = CubicSpline(grid, (1 - points / end) / rates).antiderivative()
    return elapsed(high) - elapsed(_logit(starts / end))


def _logit(share: ArrayLike) -> NDArray:
    return np.log(share) - np.log1p(-np.asarray(share))
