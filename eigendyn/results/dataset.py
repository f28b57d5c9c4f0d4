"""Label a trajectory, with its provenance, as one self-describing dataset."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.results.events import Course
from eigendyn.results.labelled import Column, Labelled
from eigendyn.results.outcome_words import UNKNOWN
from eigendyn.results.outcomes import outcomes
from eigendyn.results.provenance import provenance
from eigendyn.results.trajectory import BATCH_STATUSES, Batch, Trajectory
from eigendyn.settings.engines import ENGINES
from eigendyn.settings.parameters import PARAMETERS
from eigendyn.settings.states import STATES

if TYPE_CHECKING:
    import xarray

CONSERVED = "conserved_"  # begins the names of conserved quantities

HEAVY_BALL = "heavy ball to second order in the learning rate (its modified equation)"


def labelled(
    trajectory: Trajectory,
    course: Course,
    *,
    predictor_eigenvalue: NDArray | None,
    conserved: Mapping[str, tuple[NDArray, float]],
    settings: Mapping[str, Any],
    closure: Mapping[str, Any],
    method: str,
    loss: str,
    device: str,
    scale_free: bool,
    kind: str = "loss",
    data: Mapping[str, NDArray] = MappingProxyType({}),
    measures: Mapping[str, Column] = MappingProxyType({}),
) -> Labelled:
    """Label a trajectory with what it is, how it was made and what happened to every mode.

    Args:
        trajectory: States of every mode, the singular value first.
        course: What the modes did, whatever was saved.
        predictor_eigenvalue: λ (modes, times) [variance^α]; None of a model.
        conserved: By name, the conserved quantities (times,), each with its largest relative drift
            in the run itself.
        settings: Every setting of the run, "learning_rate" among them; stored as JSON.
        closure: "name" of the closure, "error" (a number) and "error_meaning" (what it measures).
        method: The engine that ran.
        loss: The loss, with what was switched off; or the model.
        device: Where it ran.
        scale_free: Whether the loss does not depend on the common scale of the representations.
        kind: "loss" or "model", under which its name stands among the attributes.
        data: "signal", "noise1" and "noise2" of every mode (modes,), where it has its own.
        measures: By name, further arrays over time, or mode and time.

    Returns:
        Arrays over (mode, time) in float64; modes keep their input order. What is conserved are
        arrays over time, "conserved_1" and on: without an axis of their own, so that a table of the
        whole has one row for each mode and time.
    """
    times = np.asarray(trajectory.times, np.float64)
    singular = np.asarray(trajectory.values[0], np.float64)  # (modes, times)
    with np.errstate(over="ignore"):  # an infinite variance is what a diverged run has
        variance = singular**2
    # Weight decay leaves variances no end value where the loss has no scale, but their shares.
    # Rounded since time / learning rate is a whole number up to round-off.
    step = np.round(times / settings["learning_rate"], 6)
    history, per_mode = ("mode", "time"), ("mode",)
    signals = data["signal"][:, None] if data else None
    return Labelled(
        {
            **{
                name: Column(history, _unwhitened(name, _floats(values), signals), _label_of(name))
                for name, values in zip(trajectory.states, trajectory.values, strict=True)
            },
            "variance": Column(history, variance, _label("variance of the mode", "variance")),
            **_predictor(predictor_eigenvalue),
            **measures,
            "recruitment_time": Column(
                per_mode,
                course.recruitment_time,
                _label("first time within 5 % of the end value", "learning rate × step")
                | {
                    "size": _size(scale_free),
                    "found": "in the run itself, whatever times are saved",
                },
            ),
            "outcome": Column(
                per_mode,
                _outcomes(trajectory.status, course.times, course.variance, scale_free),
                _label("what became of the mode", "") | {"size": _size(scale_free)},
            ),
            **_numbered(conserved),
        },
        coords={
            "time": Column(("time",), times, _label("training time", "learning rate × step")),
            "step": Column(("time",), step, _label("training step", "steps")),
            "mode": Column(
                ("mode",), np.arange(len(variance)), _label("mode, in input order", "1")
            ),
            **{
                name: Column(per_mode, values, _label(PARAMETERS[name].label, "input²"))
                for name, values in data.items()
            },
        },
        attrs={
            **_origin({kind: loss, "method": method}, closure, settings),
            "status": trajectory.status,
            "message": trajectory.message,
            "settings": json.dumps(dict(settings), ensure_ascii=False),
            **provenance(device, str(settings["dtype"])),
        },
    )


def _floats(values: NDArray) -> NDArray:
    return np.asarray(values, np.float64)


def _origin(made: dict[str, str], closure: Mapping[str, Any], settings: Mapping[str, Any]) -> dict:
    """Attributes that say of what, and how, a result was made: a loss or model, then an engine."""
    loss, engine = made.values()
    parts = (loss, closure["name"], engine)
    return {
        "title": ", ".join(part for part in parts if part != "none"),  # no closure
        **made,
        "approximation": _approximation(engine, settings),
        "closure": closure["name"],
        "closure_error": float(closure["error"]),
        "closure_error_meaning": closure["error_meaning"],
    }


def _predictor(eigenvalue: NDArray | None) -> dict[str, Column]:
    if eigenvalue is None:
        return {}
    label = _label("eigenvalue of the predictor", "variance^α")
    column = Column(("mode", "time"), np.asarray(eigenvalue, np.float64), label)
    return {"predictor_eigenvalue": column}


def named(attrs: Mapping[str, Any]) -> tuple[str, str]:
    """What a result is of, "loss" or "model", and its name."""
    kind = "model" if "model" in attrs else "loss"
    return kind, str(attrs[kind])


def _approximation(method: str, settings: Mapping[str, Any]) -> str:
    """What the engines that a method names take for the equations, and a flow for momentum."""
    rows = [row for row in ENGINES.values() if row.name in method]
    taken = [row.approximation for row in rows if row.approximation]
    if settings.get("momentum") and any(row.follows == "flow" for row in rows):
        taken.append(HEAVY_BALL)
    return "; ".join(taken)


def _numbered(conserved: Mapping[str, tuple[NDArray, float]]) -> dict[str, Column]:
    return {
        f"{CONSERVED}{number}": Column(
            ("time",),
            np.asarray(values, np.float64),
            _label(name, "")
            | {"relative_drift": drift, "relative_drift_meaning": "largest |q(t) − q(0)| / |q(0)|"},
        )
        for number, (name, (values, drift)) in enumerate(conserved.items(), 1)
    }


def kept_quantities(run: xarray.Dataset | Labelled) -> dict[str, Column]:
    """What a run conserves, by its name, over time.

    The attribute `relative_drift` is the largest in the run itself, whatever times are saved.
    """
    return {
        one.attrs["long_name"]: Column(("time",), one.values, one.attrs)
        for name, one in run.variables.items()
        if str(name).startswith(CONSERVED)
    }


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
    kind: str = "loss",
    signals: NDArray | None = None,
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
        loss: The loss, with what was switched off; or the model.
        device: Where it ran.
        kind: "loss" or "model", under which its name stands among the attributes.
        signals: Signal of each mode (1 or trajectories, modes, 1), if that is not one.

    Returns:
        Dataset over (trajectory, mode, time), or (trajectory, mode, extremum), or
        (trajectory, mode), that shares its memory with the batch.
    """
    last = {"extrema": ("extremum",), "recruitment": ()}.get(keep, ("time",))
    times = np.asarray(batch.times, np.float64).tobytes()
    names = ("recruitment_time",) if keep == "recruitment" else states
    found = _unfilled(names, first, len(batch.status), batch.values.shape[2], last, times).copy(
        data={
            **{
                name: _unwhitened(name, batch.values[:, place], signals)
                if last
                else batch.values[:, place, :, 0]
                for place, name in enumerate(names)
            },
            "status": np.array(BATCH_STATUSES)[batch.status],
            "steps": batch.steps,
        }
    )
    found.attrs = {
        **_origin({kind: loss, "engine": engine}, closure, settings),
        "closure_reached": int(closure["reached"]),
        "settings": json.dumps(dict(settings), ensure_ascii=False),
        **provenance(device, str(settings["dtype"])),
    }
    if not sweep:
        return found
    axes = {name: ("trajectory", "mode")[: np.ndim(values)] for name, values in sweep.items()}
    return found.assign_coords({name: (axes[name], values) for name, values in sweep.items()})


def _unwhitened(name: str, values: NDArray, signals: NDArray | None) -> NDArray:
    """A state (…, modes, times) of an encoder, from that of whitened components, which is s√d."""
    of_encoder = name in STATES and STATES[name].odd
    return values if signals is None or not of_encoder else values / np.sqrt(signals)


@lru_cache(maxsize=8)
def _unfilled(
    names: tuple[str, ...],
    first: int,
    trajectories: int,
    modes: int,
    last: tuple[str, ...],
    times: bytes,
) -> xarray.Dataset:
    """A dataset of many trajectories without their numbers, which takes no memory for these.

    Most of a short call's time would go into its labels and indexes.
    """
    import xarray

    axes: dict[str, Any] = {
        "trajectory": np.arange(first, first + trajectories),
        "mode": ("mode", np.arange(modes), _label("mode, in input order", "1")),
    }
    if last == ("time",):
        label = _label("training time", "learning rate × step")
        axes["time"] = ("time", np.frombuffer(times), label)
    elif last:
        axes["extremum"] = ["smallest", "largest"]
    over = ("trajectory", "mode", *last)
    count = {"time": len(times) // 8, "extremum": 2}
    shape = (trajectories, modes, *(count[name] for name in last))
    arrival = _label("first time within 5 % of the end value", "learning rate × step")
    nothing, each = np.broadcast_to(np.nan, shape), np.broadcast_to(0, trajectories)
    variables = {
        name: (over, nothing, _label_of(name) if name in STATES else arrival) for name in names
    }
    variables |= {
        "status": ("trajectory", each, _label("how the trajectory ended", "")),
        "steps": ("trajectory", each, _label("adaptive steps taken", "1")),
    }
    return xarray.Dataset(variables, axes)


def _size(of_share: bool) -> str:
    return "share of the total variance" if of_share else "variance"


def _outcomes(status: str, times: NDArray, variance: NDArray, scale_free: bool) -> NDArray:
    if status != "completed":
        return np.full(len(variance), UNKNOWN)
    return outcomes(times, variance, scale_free)


def relative_drift(quantity: NDArray) -> float:
    """Largest departure of a quantity (times,) from its start, relative to it."""
    start = quantity[0]
    with np.errstate(invalid="ignore"):
        change = np.abs(quantity - start) / (np.abs(start) if start else 1.0)
    return float(np.where(quantity == start, 0.0, change).max())  # −∞, the logarithm of 0, stays


def _label_of(state: str) -> dict[str, str]:
    return _label(STATES[state].label, STATES[state].unit)


def _label(long_name: str, units: str) -> dict[str, str]:
    return {"long_name": long_name, "units": units}
