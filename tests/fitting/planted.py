"""Records of planted numbers, by equations that are written here by hand."""

from functools import cache

import numpy as np
from scipy.integrate import solve_ivp

import eigendyn
from eigendyn.recording.record import record

A, C, DECAY, ALPHA = 0.8, 1.25, 0.03, 0.5


def log_variance(start, times, *, isotropic=False, a=A, c=C, decay=DECAY, alpha=ALPHA):
    """Give ln v (modes, times) of the Euclidean losses, from dv/dt = 2v (A λ^(1−β)(1 − cλ) − ω)."""

    def rate(_, x):
        eigenvalue = np.exp(alpha * x)
        return 2 * (a * (1 if isotropic else eigenvalue) * (1 - c * eigenvalue) - decay)

    return solve_ivp(rate, (0, times[-1]), np.log(start), t_eval=times, rtol=1e-9, atol=1e-9).y


def planted(modes=3, count=24, last=12.0, noise=0.01, seed=0, start_times=1.0, **given):
    """Record them with errors of this relative size."""
    times = np.linspace(0, last, count)
    x = log_variance(start_times * np.geomspace(0.01, 0.3, modes), times, **given)
    x += noise * np.random.default_rng(seed).normal(size=x.shape)
    return record({"variance": np.exp(x)}, times, times, title="planted")


@cache
def euclidean_fit():
    """Fit both Euclidean losses to one record."""
    return eigendyn.fit(planted(), ["iso-euclidean", "euclidean"], alpha=ALPHA)
