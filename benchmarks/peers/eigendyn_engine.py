"""Solve with eigendyn's ensembles; the one place here that calls them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

PROBLEMS = ("E", "C", "X")
POWER = 2  # the state is s, and λ = s²
NO_NOISE = {"sigma1": 0.0, "sigma2": 0.0}
SETTINGS: dict[str, dict[str, Any]] = {
    "E": {"loss": "euclidean", **NO_NOISE},
    "C": {"loss": "cosine", "closure": "mean-field", **NO_NOISE},
    "X": {"loss": "cosine", "closure": "exact", **NO_NOISE},
}


def is_installed() -> bool:
    """Whether this eigendyn has ensembles."""
    import eigendyn

    return hasattr(eigendyn, "ensemble")


def solve(
    problem: str,
    starts: NDArray,
    times: NDArray,
    rtol: float,
    atol: float,
    engine: str = "auto",
) -> NDArray:
    """Singular values (trajectories, modes, times); NaN in those that did not complete.

    Tolerances are of the state s = √v: dv/v = 2 ds/s.
    """
    accuracy = {"closure_accuracy": min(0.1, max(rtol, 1e-13))} if problem == "X" else {}
    found = ensemble(
        starts,
        times,
        engine=engine,
        rtol=max(rtol, 1e-14),
        atol=atol,
        **SETTINGS[problem],
        **accuracy,
    )
    return found.singular_value.transpose("trajectory", "mode", "time").to_numpy()


def ensemble(variances: NDArray, times: NDArray, **settings: Any):
    """An xarray.Dataset over (trajectory, state…, mode, time), with each trajectory's status.

    Raises:
        RuntimeError: This eigendyn has no ensembles.
    """
    import eigendyn

    if not is_installed():
        message = (
            "The benchmark of ensembles needs eigendyn.ensemble, which this eigendyn does not "
            "have. Try the stand-in, --peers eigendyn-flow."
        )
        raise RuntimeError(message)
    return eigendyn.ensemble(
        settings.pop("loss"), np.asarray(variances), times=np.asarray(times), **settings
    )
