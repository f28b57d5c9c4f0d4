"""A trajectory and what produced it enter; one labelled, self-describing dataset leaves."""

from __future__ import annotations

import json
import platform
import shlex
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import eigendyn
from eigendyn.labelled import Column, Labelled
from eigendyn.trajectory import BATCH_STATUSES, Batch, Trajectory

if TYPE_CHECKING:
    import xarray

NEAR = 0.05  # a mode has arrived when it is this near its end value, as a fraction of it
NEGLIGIBLE = 0.01  # share of the reference variance that counts as none
COMPARABLE = 0.5  # share of the largest variance that counts as taking part
END = 0.95  # fraction of the run after which changes count as changes at the end
STATE_LABELS = {
    "target_value": ("singular value of the target", "√variance"),
    "correlation_value": ("eigenvalue of the running correlation", "variance"),
    "predictor_value": ("eigenvalue of the learned predictor", "1"),
    "velocity": ("velocity of the singular value", "√variance/time"),
    "predictor_velocity": ("velocity of the learned predictor's eigenvalue", "1/time"),
}
PACKAGES = ("jax", "jaxlib", "diffrax", "numpy", "xarray")
BLOCK = 2**22  # numbers in one intermediate array


def labelled(
    trajectory: Trajectory,
    *,
    predictor_eigenvalue: NDArray,
    conserved: Mapping[str, NDArray],
    settings: Mapping[str, Any],
    closure: Mapping[str, Any],
    method: str,
    loss: str,
    device: str,
) -> Labelled:
    """Label a trajectory with what it is, how it was made and what happened to every mode.

    Args:
        trajectory: States of every mode, the singular value first.
        predictor_eigenvalue: λ (modes, times) [variance^α].
        conserved: By name, the conserved quantities (times,).
        settings: Every setting of the run, "learning_rate" among them; stored as JSON.
        closure: "name" of the closure, "error" (a number) and "error_meaning" (what it measures).
        method: The engine that ran.
        loss: The loss, with what was switched off.
        device: Where it ran.

    Returns:
        Arrays over (mode, time) in float64; modes keep their input order. Only where something is
        conserved there are arrays over (quantity, time) too: an axis without positions would leave
        a table of the whole without rows.
    """
    times = np.asarray(trajectory.times, np.float64)
    singular = np.asarray(trajectory.values[0], np.float64)  # (modes, times)
    with np.errstate(over="ignore"):  # an infinite variance is what a diverged run has
        variance = singular**2
    # Rounded since time / learning rate is a whole number up to round-off.
    step = np.round(times / settings["learning_rate"], 6)
    history, per_mode = ("mode", "time"), ("mode",)
    return Labelled(
        {
            "singular_value": Column(history, singular, _label("singular value", "√variance")),
            **{
                name: Column(history, np.asarray(values, np.float64), _label(*STATE_LABELS[name]))
                for name, values in zip(trajectory.states[1:], trajectory.values[1:], strict=True)
            },
            "variance": Column(history, variance, _label("variance of the mode", "variance")),
            "predictor_eigenvalue": Column(
                history,
                np.asarray(predictor_eigenvalue, np.float64),
                _label("eigenvalue of the predictor", "variance^α"),
            ),
            "recruitment_time": Column(
                per_mode,
                recruitment_times(times, variance),
                _label("first time within 5 % of the end value", "learning rate × step")
                | {"interpolation": "log|variance/end − 1| linear in time between saved times"},
            ),
            "outcome": Column(
                per_mode, outcomes(times, variance), _label("what became of the mode", "")
            ),
            **(_quantities(conserved) if conserved else {}),
        },
        coords={
            "time": Column(("time",), times, _label("training time", "learning rate × step")),
            "step": Column(("time",), step, _label("training step", "steps")),
            "mode": Column(
                ("mode",), np.arange(len(variance)), _label("mode, in input order", "1")
            ),
            **(_quantity_names(conserved) if conserved else {}),
        },
        attrs={
            "title": f"{loss}, {closure['name']}, {method}",
            "loss": loss,
            "method": method,
            "closure": closure["name"],
            "closure_error": float(closure["error"]),
            "closure_error_meaning": closure["error_meaning"],
            "status": trajectory.status,
            "message": trajectory.message,
            "settings": json.dumps(dict(settings), ensure_ascii=False),
            **provenance(device, str(settings["dtype"])),
        },
    )


def _quantities(conserved: Mapping[str, NDArray]) -> dict[str, Column]:
    values = np.array(list(conserved.values()), np.float64)
    return {
        "conserved": Column(("quantity", "time"), values, _label("conserved quantity", "")),
        "conserved_drift": Column(
            ("quantity",), relative_drift(values), _label("largest |q(t) − q(0)| / |q(0)|", "1")
        ),
    }


def _quantity_names(conserved: Mapping[str, NDArray]) -> dict[str, Column]:
    names = np.array(list(conserved), dtype=str)
    return {"quantity": Column(("quantity",), names, _label("conserved quantity", ""))}


def ensemble_dataset(
    batch: Batch,
    *,
    states: tuple[str, ...],
    keep: str,
    first: int,
    sweep: Mapping[str, NDArray],
    settings: Mapping[str, Any],
    closure: Mapping[str, Any],
    engine: str,
    loss: str,
    device: str,
) -> xarray.Dataset:
    """Label many trajectories with what they are, and how they were made.

    Args:
        batch: States of all trajectories, or what was kept of them.
        states: Name of each state, the singular value first.
        keep: What was kept, one of `choices.KEEPS`.
        first: Number of the first trajectory.
        sweep: By name, parameters that differ (trajectories,).
        settings: Every setting; stored as JSON.
        closure: "name", "error" (a number), "error_meaning", and "reached".
        engine: The engine that ran.
        loss: The loss, with what was switched off.
        device: Where it ran.

    Returns:
        Dataset over (trajectory, mode, time), or (trajectory, mode, extremum), or
        (trajectory, mode), that shares its memory with the batch.
    """
    import xarray

    labels = {"singular_value": ("singular value", "√variance")} | STATE_LABELS
    last = {"extrema": ("extremum",), "recruitment": ()}.get(keep, ("time",))
    over = ("trajectory", "mode", *last)
    if keep == "recruitment":
        label = _label("first time within 5 % of the end value", "learning rate × step")
        variables = {"recruitment_time": (over, batch.values[:, 0, :, 0], label)}
    else:
        variables = {
            name: (over, batch.values[:, place], _label(*labels[name]))
            for place, name in enumerate(states)
        }
    coordinates: dict[str, Any] = {
        "trajectory": np.arange(first, first + len(batch.status)),
        "mode": ("mode", np.arange(batch.values.shape[2]), _label("mode, in input order", "1")),
        **{name: ("trajectory", values) for name, values in sweep.items()},
    }
    if last == ("time",):
        label = _label("training time", "learning rate × step")
        coordinates["time"] = ("time", np.asarray(batch.times, np.float64), label)
    elif last:
        coordinates["extremum"] = ["smallest", "largest"]
    status = np.array(BATCH_STATUSES)[batch.status]
    return xarray.Dataset(
        {
            **variables,
            "status": ("trajectory", status, _label("how the trajectory ended", "")),
            "steps": ("trajectory", batch.steps, _label("adaptive steps taken", "1")),
        },
        coords=coordinates,
        attrs={
            "title": f"{loss}, {closure['name']}, {engine}",
            "loss": loss,
            "engine": engine,
            "closure": closure["name"],
            "closure_error": float(closure["error"]),
            "closure_error_meaning": closure["error_meaning"],
            "closure_reached": int(closure["reached"]),
            "settings": json.dumps(dict(settings), ensure_ascii=False),
            **provenance(device, str(settings["dtype"])),
        },
    )


def recruitment_times(times: NDArray, variance: NDArray) -> NDArray:
    """Find the first time at which each mode is within 5 % of its end value.

    The first t with |x(t)| ≤ 0.05, where x = v/v_end − 1. Between two saved times log|x| is taken
    as linear, which is exact for exponential relaxation, or x itself where its sign changes or it
    vanishes; either errs by second order in the distance of the saved times.

    Args:
        times: Saved times (times,), learning rate × step.
        variance: Variance (modes, times).

    Returns:
        Recruitment times (modes,) [learning rate × step]; NaN where the mode ends at zero or
        not finite, so that a fraction of its end value means nothing.
    """
    blocks = np.array_split(variance, 1 + variance.size // BLOCK)
    return np.concatenate([_recruitment_times(times, block) for block in blocks])


def _recruitment_times(times: NDArray, variance: NDArray) -> NDArray:
    end = variance[:, -1]
    defined = (end > 0) & np.isfinite(end)
    with np.errstate(over="ignore"):
        ratio = variance / np.where(defined, end, 1.0)[:, None]
    distance = np.minimum(ratio - 1, 1e200)  # so that ratios of distances stay finite
    inside = np.abs(distance) <= NEAR
    above = distance > 0
    inside[:, 1:] |= above[:, :-1] != above[:, 1:]  # through the band between two saved times
    arrived = inside.argmax(axis=1)
    before = np.maximum(arrived - 1, 0)
    rows = np.arange(len(variance))
    start, stop = distance[rows, before], distance[rows, arrived]
    crossed = defined & (np.abs(start) > NEAR)
    start, stop = np.where(crossed, start, 2.0), np.where(crossed, stop, 1.0)
    edge = np.copysign(NEAR, start)
    same_side = np.sign(start) == np.sign(stop)
    relaxing = np.log(start / edge) / np.log(start / np.where(same_side, stop, start / 2))
    fraction = np.where(same_side, relaxing, (start - edge) / (start - stop))
    found = times[before] + np.where(crossed, fraction, 0.0) * (times[arrived] - times[before])
    return np.where(defined, found, np.nan)


def outcomes(times: NDArray, variance: NDArray) -> NDArray:
    """Say what became of each mode, by its variance and its change at the end of the run.

    The reference is the largest final variance or, as long as that mode is not at rest, the mean
    initial one if that is larger, so that a spectrum that vanishes as a whole has collapsed too.
    The change at the end is that since the last saved time within the first 95 % of the run.
    Then, in this order,

        collapsed   less than 1 % of the reference, and not growing;
        recruited   at least half of the largest final variance, and grown by less than 5 % at
                    the end;
        stationary  at rest below that: another run as long, at the pace of the end, would leave
                    it within 5 %;
        growing, shrinking   otherwise: it is still on its way, by the sign of the change.

    So a mode that never had variance has collapsed, a small one that grows, however slowly, is
    growing, and modes that share the variance stay recruited while all of them shrink together.

    Args:
        times: Saved times (times,).
        variance: Variance (modes, times).

    Returns:
        "collapsed", "recruited", "stationary", "shrinking" or "growing" for each mode (modes,).
    """
    final = variance[:, -1]
    late = np.searchsorted(times, END * times[-1], side="right") - 1
    with np.errstate(invalid="ignore"):  # infinite variances of a diverged run
        change = final - variance[:, min(late, max(len(times) - 2, 0))]
    arrived = (final >= COMPARABLE * final.max()) & (change < NEAR * final)
    at_rest = np.abs(change) < NEAR * (1 - END) * final
    before = 0.0 if at_rest[final.argmax()] else variance[:, 0].mean()
    small = final < NEGLIGIBLE * max(final.max(), before)
    rules = [small & (change <= 0), arrived, at_rest, change < 0]
    return np.select(rules, ["collapsed", "recruited", "stationary", "shrinking"], "growing")


def relative_drift(quantities: NDArray) -> NDArray:
    """Largest departure of each quantity (quantities, times) from its start, relative to it."""
    start = quantities[:, :1]
    scale = np.where(start == 0, 1.0, np.abs(start))
    with np.errstate(invalid="ignore"):  # a mode without variance has an infinite logarithm
        return (np.abs(quantities - start) / scale).max(axis=1, initial=0.0)


def provenance(device: str, dtype: str) -> dict[str, str]:
    """Say when, where and with what a result was made, in attributes that netCDF can hold."""
    program = Path(sys.argv[0])
    name = program.parent.name if program.stem == "__main__" else program.name  # no folders of ours
    command = shlex.join([name, *sys.argv[1:]]).encode(errors="backslashreplace").decode()
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "versions": _versions(),
        "device": device,
        "dtype": dtype,
    }


@cache
def _versions() -> str:
    versions = {"eigendyn": eigendyn.__version__, "python": platform.python_version()}
    return json.dumps(versions | {package: version(package) for package in PACKAGES})


def _label(long_name: str, units: str) -> dict[str, str]:
    return {"long_name": long_name, "units": units}
