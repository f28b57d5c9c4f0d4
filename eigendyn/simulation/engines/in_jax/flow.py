"""Integrate the gradient flow of one start adaptively, in JAX."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from eigendyn.program.in_jax import VectorField
from eigendyn.results.trajectory import Trajectory, finite_times
from eigendyn.settings.checks import check_is
from eigendyn.settings.choices import check_choice
from eigendyn.settings.keywords import takes

SHORTEST = 1e-30  # step as a fraction of the time, where rates that are not finite end the run
FORWARD = diffrax.ForwardMode()
SOLVERS = {"explicit": diffrax.Dopri8, "stiff": diffrax.Kvaerno5}


@takes()
def flow(
    field: VectorField,
    start: Array,
    times: Array,
    parameters: Mapping[str, Array | float],
    *,
    solver: str = "explicit",
    rtol: float = 1e-10,
    atol: float = 1e-12,
    max_steps: int = 100_000,
    progress: bool = False,
) -> diffrax.Solution:
    """Integrate ds/dt = field(s) as a plain JAX function: can be jitted, vmapped, differentiated.

    Steps end at the saved times, so that what is saved is as accurate as a step; the solvers' dense
    output would be a thousand times less so.

    Args:
        field: Rates of change of the states.
        start: States at the first time (states, modes).
        times: Increasing times to save (times,), learning rate × step.
        parameters: One number for each of the field's parameters.
        solver: "explicit" (Dormand–Prince 8) or "stiff" (Kvaerno 5, a Jacobian of states × modes).
        rtol: Error allowed in a step, relative to the state.
        atol: Error allowed in a step, absolute.
        max_steps: Adaptive steps after which to give up.
        progress: Show a progress bar on standard error.

    Raises:
        InvalidSetting: The field is no function.
        UnknownName: There is no such solver.

    Returns:
        diffrax's solution: `ys` (times, states, modes), infinite where not reached, and `result`.

    Source: Prince and Dormand 1981, the explicit method; Kværnø 2004, the stiff one; both as
    diffrax has them, Kidger 2021.

    Examples:
        >>> field, start, parameters = eigendyn.vector_field("euclidean", [0.25, 1.0], sigma1=0)
        >>> times = np.array([0.0, 5.0, 10.0])
        >>> found = eigendyn.simulation.flow(field, start, times, parameters)
        >>> (found.ys[-1, 0] ** 2).round(3).tolist()
        [1.0, 1.0]
    """
    check_is("field", field, callable(field), "what eigendyn.vector_field(loss) gives")
    check_choice("solver", solver, SOLVERS)
    return integrate(
        *(field, start, times, parameters),
        solver=solver,
        rtol=rtol,
        atol=atol,
        max_steps=max_steps,
        progress=progress,
        adjoint=diffrax.RecursiveCheckpointAdjoint(),
    )


def integrate(
    field: VectorField,
    start: Array,
    times: Array,
    parameters: Mapping[str, Array | float],
    *,
    solver: str = "explicit",
    rtol: float = 1e-10,
    atol: float = 1e-12,
    max_steps: int = 100_000,
    progress: bool = False,
    adjoint: diffrax.AbstractAdjoint = FORWARD,
) -> diffrax.Solution:
    """As `flow`, with checked arguments; not in reverse mode, so that it compiles sooner."""
    return diffrax.diffeqsolve(
        diffrax.ODETerm(field),  # pyright: ignore[reportArgumentType]
        SOLVERS[solver](),
        t0=times[0],
        t1=times[-1],
        dt0=None,
        y0=start,
        args=parameters,
        saveat=diffrax.SaveAt(ts=times),
        stepsize_controller=diffrax.ClipStepSizeController(
            diffrax.PIDController(
                rtol=rtol, atol=atol, dtmin=SHORTEST * (times[-1] - times[0]), force_dtmin=False
            ),
            step_ts=times,
        ),
        max_steps=max_steps,
        throw=False,
        adjoint=adjoint,
        progress_meter=diffrax.TqdmProgressMeter() if progress else diffrax.NoProgressMeter(),
    )


def gradient_flow(
    field: VectorField,
    start: NDArray,
    times: NDArray,
    parameters: Mapping[str, float],
    **options: object,
) -> Trajectory:
    """Integrate the gradient flow and judge how it ended.

    Arguments are those of `flow`.

    Returns:
        States at the saved times, cut before the first that was not reached; status "diverged" or
        "out-of-steps" says why.
    """
    solution = _flow(
        field, jnp.asarray(start), jnp.asarray(times, start.dtype), parameters, **options
    )
    values = np.moveaxis(np.asarray(solution.ys), 0, -1).copy()
    values[..., 0] = start  # which is saved only if a step succeeds
    count = finite_times(values)
    status, message = _verdict(solution.result, float(times[count - 1]))
    return Trajectory(
        times=np.asarray(times)[:count],
        values=values[..., :count],
        states=field.states,
        status=status,
        message=message,
    )


_flow = partial(jax.jit, static_argnames=("solver", "max_steps", "progress"))(integrate)


def _verdict(result: diffrax.RESULTS, last: float) -> tuple[str, str]:
    if result == diffrax.RESULTS.successful:
        return "completed", ""
    if result == diffrax.RESULTS.max_steps_reached:
        return (
            "out-of-steps",
            f"The flow ran out of adaptive steps after time {last:.6g}. "
            "Try `solver='stiff'`, or larger `rtol` and `atol`.",
        )
    if result == diffrax.RESULTS.dt_min_reached:
        return (
            "diverged",
            f"The rates are not finite after time {last:.6g}: the loss takes a root, or divides, "
            "where it has no value. Try another loss or start.",
        )
    reason = diffrax.RESULTS[result]  # pyright: ignore[reportInvalidTypeArguments]
    return (
        "diverged",
        f"The flow did not converge after time {last:.6g}: {reason} "
        "Try `solver='stiff'`, or a smaller `weight_decay`.",
    )
