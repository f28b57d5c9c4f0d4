"""Follow a vector field with SciPy's DOP853, as a reference that shares nothing but the rates."""

from itertools import pairwise

import jax
import numpy as np
from scipy.integrate import DOP853

import eigendyn
from eigendyn.settings.states import STATES

NODES = 1e-12  # relative error of averages, whose nodes serve the start and what is passed later
TIGHT, ROUGH = 1e-12, 1e-5  # relative tolerances: of what is compared, and of what nodes serve


def followed(loss, variances, *, learning_rate=0.1, steps, saves, **settings):
    """States by name (modes, times) at the ends of steps: what lies between errs far more."""
    if settings.get("closure", "auto") in ("auto", "exact"):
        settings = {"closure_accuracy": NODES} | settings
    settings |= {"learning_rate": learning_rate, "steps": steps}
    times = learning_rate * np.linspace(0, steps, saves)
    field, start, parameters = eigendyn.vector_field(loss, variances, **settings)
    if len(field.nodes.weights) > 1:
        passed = _follow(field, start, parameters, times[:: max(1, saves // 4)], ROUGH)
        served = passed[field.states.index("singular_value")] ** 2
        served = np.stack([np.asarray(variances), *served.T[1:]])
        field, _, _ = eigendyn.vector_field(loss, served, **settings)
    values = _follow(field, start, parameters, times, TIGHT)
    # of modes with a signal d the field knows s√d, results the singular value s of the encoder
    roots = np.sqrt(np.broadcast_to(settings.get("signal") or 1.0, len(variances)))[:, None]
    found = dict(zip(field.states, values, strict=True))
    return {name: one / (roots if STATES[name].odd else 1.0) for name, one in found.items()}


@jax.jit
def _rates(field, time, states, parameters):
    """Take nodes as arguments, not as constants, which XLA would fold while it compiles."""
    return field(time, states, parameters)


def _follow(field, start, parameters, times, rtol):
    found, step = [start.ravel()], None
    for begin, end in pairwise(times):
        solver = DOP853(
            lambda t, x: np.asarray(_rates(field, t, x.reshape(start.shape), parameters)).ravel(),
            *(begin, found[-1], end),
            rtol=rtol,
            atol=rtol / 100,
            first_step=None if step is None else min(step, end - begin),
        )
        while solver.status == "running":
            step = solver.h_abs
            assert solver.step() is None, solver.status
        found.append(solver.y)
    return np.stack(found, axis=-1).reshape(*start.shape, len(times))
