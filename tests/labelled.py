"""Build results of made-up trajectories, for tests of what happens to results."""

import numpy as np

from eigendyn.results.arrivals import recruitment_times
from eigendyn.results.dataset import labelled, relative_drift
from eigendyn.results.events import Course
from eigendyn.results.trajectory import Trajectory


def label(
    variance,
    times,
    *,
    conserved=None,
    learning_rate=0.1,
    weight_decay=0.0,
    scale_free=False,
    **more,
):
    """Make a result out of variances (modes, times)."""
    trajectory = Trajectory(times, np.sqrt(variance)[None], ("singular_value",), **more)
    return labelled(
        trajectory,
        Course(times, trajectory.values, recruitment_times(times, variance)),
        predictor_eigenvalue=variance,
        conserved={
            name: (values, relative_drift(values)) for name, values in (conserved or {}).items()
        },
        settings={
            "loss": "cosine",
            "learning_rate": learning_rate,
            "weight_decay": weight_decay,
            "dtype": "float64",
        },
        closure={"name": "exact moments", "error": 0.0, "error_meaning": "exact"},
        method="flow",
        loss="cosine",
        device="cpu",
        scale_free=scale_free,
    ).to_xarray()


def logistic(start, times):
    """Solve dv/dt = v(1 − v)."""
    start = np.asarray(start)[:, None]
    return 1 / (1 + (1 / start - 1) * np.exp(-times))
