"""Observe a network after an epoch: spectrum, readouts, the theory's forecast, and warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from jax import Array
from numpy.typing import NDArray

from eigendyn.errors import EigendynError
from eigendyn.settings.training import Training
from eigendyn.training.course import Course
from eigendyn.training.foretell import forecast, matter, shared_gain
from eigendyn.training.measured import Measured, decayed_layers, measure, tangent_gains
from eigendyn.training.networks import Encoder, embedded
from eigendyn.training.readout import readouts
from eigendyn.training.step import State, present_predictor
from eigendyn.training.warning import collapse_warning, own_growth

GAIN_PAIRS = 512  # of views, at most, for gains, which take a backward pass for each mode
MOVED = ("gain", "layers")  # what a network has to be differentiated for
LARGE = ("vectors", "first", "second")  # what is measured and not kept
ONCE = ("stopped", "forecast", "forecast_status", "warned", "warning")  # in the last row stand all
KEPT = tuple(one.name for one in fields(Measured) if one.name not in LARGE)

Row = dict[str, Any]  # what is kept of one epoch


def observe(
    course: Course,
    state: State,
    pairs: tuple[NDArray, NDArray],
    earlier: Sequence[Row],
    epoch: int,
    loss: float,
) -> Row:
    """Measure a network, and say what the theory foretells.

    What moves its modes, their gains and layers, is measured at the start and where the forecast
    is made, and taken to stay until it is measured again.

    Args:
        course: What is trained.
        state: Where training is.
        pairs: Views on which is measured.
        earlier: Rows of earlier epochs.
        epoch: Epochs so far.
        loss: Mean loss of the last epoch's batches.

    Returns:
        A row, by names: fields of `Measured`; "growth_rate" (modes,); "forecast" (modes, times)
        over the saved epochs, NaN until it is made, and its "forecast_status"; "warned", the
        epoch of the first warning or −1, and "warning"; readouts where there are labels.
    """
    chosen = course.chosen
    online, target = (_embedded(each, pairs) for each in (state.online, state.target))
    assert online is not None
    predictor = present_predictor(chosen, state, online[0])
    foretells = epoch == course.forecast_epoch < chosen.epochs
    now = measure(online, target, predictor, course.loss)
    moved = {name: earlier[-1][name] for name in MOVED} if earlier else {}
    if foretells or not earlier:
        moved = _moved(course, state, pairs, now)
    now = replace(now, **moved)
    row: Row = {"epoch": epoch, "loss": loss, "stopped": -1}
    row |= {name: np.asarray(getattr(now, name)) for name in KEPT}
    speed = 1 / (1 - chosen.momentum)
    row["growth_rate"] = speed * own_growth(now, chosen.weight_decay)
    last = earlier[-1] if earlier else _nothing_foretold(course)
    row |= {name: last[name] for name in _nothing_foretold(course)}
    if foretells:
        row |= _foretold(course, now, epoch)
    if row["warned"] < 0:
        history = [as_measured(one) for one in (*earlier, row)]
        time = chosen.learning_rate * course.steps_per_epoch * speed
        said = collapse_warning(history, time, chosen.weight_decay)
        row |= {} if said is None else {"warned": epoch, "warning": said}
    images = course.images
    if images.train_labels is not None:
        row |= readouts(lambda part: embedded(state.online, course.views.centred(part))[0], images)
    return row


def _embedded(
    encoder: Encoder | None, pairs: tuple[NDArray, NDArray]
) -> tuple[NDArray, NDArray] | None:
    """Embeddings of both views."""
    if encoder is None:
        return None
    first, second = (embedded(encoder, part)[1] for part in pairs)
    return first, second


def _moved(
    course: Course, state: State, pairs: tuple[NDArray, NDArray], now: Measured
) -> dict[str, NDArray]:
    """Gains and layers (modes,); one gain for all modes of a network that has layers."""
    is_linear = course.chosen.network == "linear"
    few = (part[:GAIN_PAIRS] for part in pairs)
    count = len(now.variance) if is_linear else matter(now)
    gains = np.asarray(tangent_gains(_embed, state.online, *few, now.vectors, count))
    return {
        "gain": gains if is_linear else shared_gain(now, gains),
        "layers": np.asarray(decayed_layers(_embed, state.online, *pairs, now.vectors)),
    }


def _nothing_foretold(course: Course) -> Row:
    shape = (course.chosen.embedding, len(course.saved))
    return {
        "forecast": np.full(shape, np.nan),
        "forecast_status": "none",
        "warned": -1,
        "warning": "",
    }


def _foretold(course: Course, now: Measured, epoch: int) -> Row:
    saved = np.array(course.saved)
    steps = (saved[saved >= epoch] - epoch) * course.steps_per_epoch
    values = _nothing_foretold(course)["forecast"]
    try:
        found = forecast(course.given, now, now.gain, steps, _in_theory(course.chosen))
    except EigendynError as error:  # as of a loss that the theory has no dynamics of
        return {"forecast": values, "forecast_status": str(error)}
    values[:, saved >= epoch] = found.variance
    return {"forecast": values, "forecast_status": found.status}


def _in_theory(chosen: Training) -> Training:
    """Settings whose predictor is that of the training: of the first view, as in its batches."""
    is_of_batch = chosen.uses_correlation and not chosen.averages
    return replace(chosen, correlation="first-view") if is_of_batch else chosen


def as_measured(row: Mapping[str, Any]) -> Measured:
    """What was measured, out of a row."""
    nothing: Any = np.zeros((0, 0))
    kept = {name: row[name] for name in KEPT}
    return Measured(**kept, vectors=nothing, first=nothing, second=nothing)


def _embed(online: Encoder, x: Array) -> Array:
    return online(x)
