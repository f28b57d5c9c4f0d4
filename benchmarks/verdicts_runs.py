"""List the runs of the benchmark of verdicts, with what the theory says becomes of them.

Labels follow from the settings alone, and were written down before any verdict was looked at: a
Euclidean loss lives where ω < 1/(4c), its isotropic one where ω < 1, c = 1 + σ₁²; a loss without
stop-gradient, or a Euclidean one without predictor, loses its variance under noise; steps of
descent longer than 2 over the slope of the flow swing about its fixed point; without a rate, or
from a start so small that 1/(2λ) exceeds the run, nothing moves.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import xarray

from eigendyn import SpectrumLog
from eigendyn.network import Network, descend
from eigendyn.recording.measured import measure
from eigendyn.recording.moments import Window
from eigendyn.recording.record import record
from eigendyn.settings.training import Training
from eigendyn.training.course import course_of
from eigendyn.training.images import digits_images
from eigendyn.training.networks import build, embedded
from eigendyn.training.step import first_state, take_steps

LOGGED = 2  # steps from one recording of a network on digits to the next
SAMPLES = 1024  # pairs on which networks are recorded
INPUTS, MODES = 15, 10
WIDE = tuple(np.geomspace(1e-3, 2, MODES))
NEAR = tuple(np.geomspace(0.3, 0.9, MODES))
LARGE = tuple(np.geomspace(2, 6, MODES))
SMALL = tuple(np.geomspace(1e-3, 0.1, MODES))
NOISY: dict[str, Any] = {"sigma1": 0.3, "sigma2": 0.3, "batch": 256}
CONV: dict[str, Any] = {"embedding": 16, "epochs": 40}
SLOWLY: dict[str, Any] = {"learning_rate": 2e-4}  # else a collapse is over within two epochs
FAST: dict[str, Any] = {"learning_rate": 5e-3}
MLP: dict[str, Any] = {"network": "mlp", "learning_rate": 5e-4}
HEALTHY, COLLAPSING, FROZEN, OSCILLATING = "healthy", "collapsing", "frozen", "oscillating"


class Run(NamedTuple):
    """One labelled run.

    Args:
        name: What it is.
        label: What becomes of it.
        chosen: Settings of the network.
        start: First variances (modes,) of a linear network; None trains a conv network on digits.
        time: Learning rate × steps of a linear one.
    """

    name: str
    label: str
    chosen: dict[str, Any]
    start: tuple[float, ...] | None = None
    time: float = 0.0


def _linear(label, name, loss, start, time, learning_rate=0.05, **more):
    chosen = {"loss": loss, "learning_rate": learning_rate, **NOISY, **more}
    return Run(f"linear: {name}", label, chosen, start, time)


def _conv(label, name, loss, **more):
    return Run(f"conv: {name}", label, {"loss": loss, **CONV, **more})


SLOW: dict[str, Any] = {"predictor": "running", "correlation_momentum": 0.9998}
RUNS = (
    _linear(HEALTHY, "euclidean, recruiting", "euclidean", WIDE, 25),
    _linear(HEALTHY, "euclidean, ω = 0.02", "euclidean", WIDE, 40, weight_decay=0.02),
    _linear(
        HEALTHY, "euclidean, α = ½, ω = 0.05", "euclidean", WIDE, 20, alpha=0.5, weight_decay=0.05
    ),
    _linear(HEALTHY, "euclidean, from above", "euclidean", LARGE, 6, 0.01),
    _linear(HEALTHY, "iso-euclidean", "iso-euclidean", WIDE, 12),
    _linear(
        HEALTHY,
        "iso-euclidean, ω = 0.1, from above",
        "iso-euclidean",
        LARGE,
        6,
        0.02,
        weight_decay=0.1,
    ),
    _linear(HEALTHY, "cosine", "cosine", WIDE, 60, 0.1),
    _linear(
        HEALTHY, "cosine, ω = 0.01: the scale falls", "cosine", NEAR, 120, 0.1, weight_decay=0.01
    ),
    _linear(HEALTHY, "iso-cosine", "iso-cosine", WIDE, 60, 0.1),
    _linear(
        HEALTHY,
        "euclidean, learned predictor",
        "euclidean",
        NEAR,
        30,
        predictor="learned",
        predictor_rate=4.0,
        weight_decay=0.01,
        predictor_decay=0.01,
    ),
    _linear(COLLAPSING, "euclidean, ω = 0.24", "euclidean", NEAR, 50, weight_decay=0.24),
    _linear(COLLAPSING, "euclidean, ω = 0.4", "euclidean", NEAR, 8, weight_decay=0.4),
    _linear(COLLAPSING, "iso-euclidean, ω = 1.2", "iso-euclidean", SMALL, 10, weight_decay=1.2),
    _linear(
        COLLAPSING, "euclidean, no stop-gradient", "euclidean", NEAR, 15, 0.02, stop_gradient=False
    ),
    _linear(COLLAPSING, "cosine, no stop-gradient", "cosine", NEAR, 200, 0.2, stop_gradient=False),
    _linear(COLLAPSING, "euclidean, no predictor", "euclidean", NEAR, 25, predictor="none"),
    _linear(
        FROZEN, "euclidean, from 1e-5", "euclidean", tuple(np.geomspace(1e-6, 1e-5, MODES)), 10
    ),
    _linear(FROZEN, "cosine, learning rate 1e-6", "cosine", NEAR, 1e-3, 1e-6),
    _linear(OSCILLATING, "euclidean, predictor of a slow average", "euclidean", NEAR, 700, **SLOW),
    _linear(OSCILLATING, "iso-euclidean, the same", "iso-euclidean", NEAR, 700, **SLOW),
    _linear(OSCILLATING, "euclidean, the same, α = ½", "euclidean", NEAR, 700, alpha=0.5, **SLOW),
    _conv(HEALTHY, "euclidean", "euclidean"),
    _conv(HEALTHY, "iso-euclidean", "iso-euclidean"),
    _conv(HEALTHY, "cosine", "cosine"),
    _conv(HEALTHY, "iso-cosine", "iso-cosine"),
    _conv(HEALTHY, "euclidean, EMA target", "euclidean", target="ema"),
    _conv(HEALTHY, "iso-euclidean, EMA target", "iso-euclidean", target="ema"),
    _conv(HEALTHY, "cosine, EMA target", "cosine", target="ema"),
    _conv(HEALTHY, "iso-cosine, direct predictor", "iso-cosine", predictor="direct"),
    _conv(HEALTHY, "mlp, iso-euclidean", "iso-euclidean", network="mlp"),
    _conv(HEALTHY, "linear encoder, iso-euclidean", "iso-euclidean", network="linear"),
    _conv(COLLAPSING, "euclidean, ω = 0.1", "euclidean", weight_decay=0.1, learning_rate=5e-4),
    _conv(COLLAPSING, "iso-euclidean, ω = 0.3", "iso-euclidean", weight_decay=0.3, **SLOWLY),
    _conv(COLLAPSING, "mlp, euclidean, ω = 0.1", "euclidean", weight_decay=0.1, **MLP),
    _conv(COLLAPSING, "cosine, no stop-gradient", "cosine", stop_gradient=False, **FAST),
    _conv(COLLAPSING, "euclidean, no stop-gradient", "euclidean", stop_gradient=False, **FAST),
    _conv(COLLAPSING, "mlp, no stop-gradient", "euclidean", stop_gradient=False, **FAST | MLP),
    _conv(COLLAPSING, "euclidean, no predictor", "euclidean", predictor="none", **FAST),
    _conv(FROZEN, "euclidean, learning rate 1e-8", "euclidean", learning_rate=1e-8),
    _conv(FROZEN, "cosine, learning rate 1e-8", "cosine", learning_rate=1e-8),
)


def recorded(run: Run, seed: int) -> list[xarray.Dataset]:
    """Train one network, and record its spectrum on the same views all the time.

    That of a network on digits is recorded a second time, on the batches that it is trained on.
    """
    return _logged(run, seed) if run.start is None else [_recorded_linear(run, seed)]


def _logged(run: Run, seed: int) -> list[xarray.Dataset]:
    """Train step by step beside two logs, as anybody does with a network."""
    course = course_of(Training(**run.chosen), run.chosen["loss"], digits_images())
    chosen, views, rng = course.chosen, course.views, np.random.default_rng(seed)
    same = views.pairs(np.arange(SAMPLES), rng)
    key, shape = jax.random.key(seed), course.images.shape
    online = build(chosen.network, shape, chosen.embedding, key, chosen.dtype)
    state = first_state(chosen, online, same[0])
    batches = (
        pair
        for _ in range(chosen.epochs)
        for several in views.epoch(chosen.batch, rng)  # (steps, batch, pixels) of both views
        for pair in zip(*several, strict=True)
    )
    with tempfile.TemporaryDirectory() as folder:
        logs = [SpectrumLog(Path(folder) / f"{name}.nc", LOGGED) for name in ("same", "batches")]
        for step, pair in enumerate(batches):
            before = state
            state, (loss,) = take_steps(chosen, course.loss, state, *(one[None] for one in pair))
            for log, (x1, x2) in zip(logs, (same, pair), strict=True):
                if log is logs[1] or step % LOGGED == 0:
                    z1 = embedded(before.online, x1)[1]
                    z2 = embedded(before.target or before.online, x2)[1]
                    log.observe(z1, z2, None, step, chosen.learning_rate, loss)
        return [log.record for log in logs]


def _recorded_linear(run: Run, seed: int, recordings: int = 201) -> xarray.Dataset:
    rng = np.random.default_rng(seed)
    network = Network(**run.chosen)
    left, _ = np.linalg.qr(rng.normal(size=(MODES, MODES)))
    right, _ = np.linalg.qr(rng.normal(size=(INPUTS, MODES)))
    first = (left * np.sqrt(np.asarray(run.start))) @ right.T
    x = rng.normal(size=(INPUTS, SAMPLES))
    views = [x + s * rng.normal(size=x.shape) for s in (network.sigma1, network.sigma2)]
    count = max(recordings - 1, round(run.time / network.learning_rate))
    steps = np.unique(np.linspace(0, count, recordings).round().astype(int))
    kept = ("representation", "loss")
    found = descend(first, network, steps, seed=seed, measures=kept, samples=np.hstack(views))
    z = found.measures["representation"][0].T  # (times, both views, dimensions)
    rows, modes = [], None
    for both in z:
        window = Window(both[:SAMPLES], both[SAMPLES:])
        window.add(both[:SAMPLES], both[SAMPLES:])
        row, modes = measure(window.moments(), None, modes)
        rows.append(row)
    measures = {name: np.stack([row[name] for row in rows], axis=-1) for name in rows[0]}
    return record(
        measures | {"loss": found.measures["loss"][0]},
        found.steps * network.learning_rate,
        found.steps,
        title=run.name,
        loss=str(run.chosen["loss"]),
    )
