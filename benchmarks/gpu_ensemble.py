"""Time the ensemble kernel on a GPU beside diffrax vmapped on the same GPU, at equal error.

    pip install "jax[cuda13]"
    python benchmarks/gpu_ensemble.py
    python benchmarks/gpu_ensemble.py --device cpu --trajectories 8    # a rehearsal, interpreted

prints the table, and on a GPU writes benchmarks/gpu_ensemble.md. Cosine loss, mean-field closure,
10 modes, 10⁶ trajectories, time 60, the final state only. Both engines run at several tolerances;
the error is measured against the flow at a relative 1e-12, on a sample of the trajectories, and the
fastest run of each that errs by less than the target is compared. The arithmetic of a step is
counted by XLA on the plain step, for the steps that were taken; the peak is that of the vendor's
data sheet without tensor cores. Trajectories that wait for the slowest of their block are not
counted as work.
"""

import argparse
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

import eigendyn
from eigendyn.errors import DeviceUnavailable
from eigendyn.program.in_jax import Modes
from eigendyn.settings.device import find_device
from eigendyn.simulation.engines.gpu import stepping
from eigendyn.simulation.engines.gpu.ensemble import kernel_ensemble
from eigendyn.simulation.engines.in_jax.flow import flow

MODES, END, ROUNDS, SAMPLE = 10, 60.0, 3, 64
TARGET = {"float64": 1e-6, "float32": 1e-4}  # largest error relative to 1e-3 + |y|
FLOOR = 1e-3
TOLERANCES = {"float64": (1e-4, 1e-5, 1e-6, 1e-7, 1e-8), "float32": (1e-3, 1e-4, 1e-5, 1e-6)}
PEAK = {  # TFLOP/s in float64 and float32, vendor's data sheets
    "H100 PCIe": (26, 51),
    "H100": (34, 67),
    "H200": (34, 67),
    "A100": (9.7, 19.5),
    "V100": (7.8, 15.7),
    "L40S": (1.4, 91.6),
}


def problem(trajectories: int, dtype: str) -> tuple:
    """The field, starts (trajectories, 1, modes) and parameters."""
    draws = np.random.default_rng(0).uniform(np.log(1e-2), np.log(3), (trajectories, MODES))
    field, _, parameters = eigendyn.vector_field("cosine", closure="mean-field", dtype=dtype)
    return field, np.sqrt(np.exp(draws))[:, None].astype(dtype), parameters


def kernel(field, starts, parameters, device, rtol: float) -> tuple:
    """Final states and steps of the ensemble kernel, transfers included."""
    batch = kernel_ensemble(
        *(field, starts, np.array([0.0, END]), parameters),
        **{"rtol": rtol, "atol": rtol * FLOOR, "keep": "final", "device": device},
        memory=2**33,
    )
    return batch.values[..., 0], batch.steps


def vmapped(field, starts, parameters, device, rtol: float) -> tuple:
    """Final states and steps of diffrax's Tsit5, transfers included."""
    ys, steps = _vmapped(field, jax.device_put(starts, find_device(device)), parameters, rtol)
    return np.asarray(ys), np.asarray(steps)


@partial(jax.jit, static_argnames="rtol")
def _vmapped(field, starts, parameters, rtol):
    def one(start):
        solution = diffrax.diffeqsolve(
            *(diffrax.ODETerm(field), diffrax.Tsit5()),
            *(0.0, END, None, start, parameters),
            saveat=diffrax.SaveAt(t1=True),
            stepsize_controller=diffrax.PIDController(rtol=rtol, atol=rtol * FLOOR),
            max_steps=100_000,
            throw=False,
        )
        return solution.ys[0], solution.stats["num_steps"]

    return jax.vmap(one)(starts)


def reference(trajectories: int) -> np.ndarray:
    """Final states of a sample at a relative 1e-12, in float64 (sample, states, modes)."""
    field, starts, parameters = problem(trajectories, "float64")
    times = jnp.array([0.0, END])

    @jax.jit
    @jax.vmap
    def run(start):
        return flow(field, start, times, parameters, rtol=1e-12, atol=1e-15).ys[-1]

    return np.asarray(run(starts[:SAMPLE]))


def operations(field, starts, parameters) -> float:
    """Floating-point operations of a step of one trajectory, a root or power as one."""
    modes = Modes(MODES)

    def step(state, first, length):
        def rates(at, states):
            return tuple(field.rates(at, states, parameters, modes))

        reached, stages = stepping.attempt(rates, 0 * length, (state,), (first,), length)

        def norm(values):
            return jnp.sqrt(sum(modes.total(v * v) for v in values) / MODES)

        ratio = stepping.error_ratio(norm, (state,), reached, stages, length, (1e-6, 1e-9))
        return reached, stages[-1], stepping.next_step(length, ratio)

    row = jax.ShapeDtypeStruct((1, MODES), starts.dtype)
    one = jax.ShapeDtypeStruct((1, 1), starts.dtype)
    cost = jax.jit(step).lower(row, row, one).cost_analysis()  # before fusion repeats any of it
    return cost["flops"] + cost["transcendentals"]


def best(engine: Callable, target: float, tolerances, expected, *given) -> tuple:
    """Seconds, error, tolerance and steps of the fastest run that errs by less than the target."""
    for rtol in tolerances:
        ends, steps = engine(*given, rtol)
        sample = ends[: len(expected)]
        error = float(np.max(np.abs(sample - expected) / (FLOOR + np.abs(expected))))
        if not error <= target:
            continue
        seconds = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            engine(*given, rtol)
            seconds.append(time.perf_counter() - start)
        return min(seconds), error, rtol, int(np.sum(steps, dtype=np.int64))
    return np.inf, np.nan, np.nan, 0


def peak(device, dtype: str) -> float:
    """Arithmetic peak of the device [FLOP/s]; NaN if it is not in the table."""
    for name, both in PEAK.items():
        if name in device.device_kind:
            return 1e12 * both[dtype == "float32"]
    return np.nan


def table(device: str, trajectories: int):
    """Rows of seconds, errors and steps, with the ratio and the fraction of the peak."""
    where = find_device(device)
    expected = reference(trajectories)
    yield "| dtype | engine | s | measured error | rtol | mean steps | ratio | of the peak |"
    yield "|---|---|---|---|---|---|---|---|"
    for dtype, target in TARGET.items():
        field, starts, parameters = problem(trajectories, dtype)
        each = operations(field, starts, parameters)
        own = None
        for name, engine in (("eigendyn kernel", kernel), ("diffrax Tsit5, vmap", vmapped)):
            given = (TOLERANCES[dtype], expected, field, starts, parameters, device)
            seconds, error, rtol, steps = best(engine, target, *given)
            own = seconds if own is None else own
            share = steps * each / seconds / peak(where, dtype)
            shown = f"{share:.2%}" if np.isfinite(share) else "–"
            yield (
                f"| {dtype} | {name} | {seconds:.4g} | {error:.1e} | {rtol:g} | "
                f"{steps / trajectories:.1f} | {seconds / own:.1f} | {shown} |"
            )
        yield f"| {dtype} | one step is {each:.0f} operations | | | | | | |"


def main() -> None:
    """Print the table; on a GPU write it with what it was measured with."""
    parser = argparse.ArgumentParser(description="The ensemble kernel beside diffrax, on a GPU.")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--trajectories", type=int, default=10**6)
    asked = parser.parse_args()
    try:
        where = find_device(asked.device)
    except DeviceUnavailable as error:
        print(f"There is no GPU here, so nothing was measured. {error}")
        return
    lines = [f"# The ensemble kernel, {MODES} modes, {asked.trajectories:,} trajectories", ""]
    for row in table(asked.device, asked.trajectories):
        print(row, flush=True)
        lines.append(row)
    versions = ", ".join(f"{name} {version(name)}" for name in ("jax", "diffrax"))
    lines += ["", f"{datetime.now(UTC):%Y-%m-%d}, {where.device_kind}, {versions}."]
    if where.platform != "cpu":
        Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
