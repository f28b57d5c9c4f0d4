"""Forecast the whole spectrum of a network from one early moment, by the mode theory alone.

A network enters by what is measured of it then: its representations, its predictor, and how far
a drive moves each mode. From there on only the theory speaks; nothing is fitted to what comes
later. Representations follow their modes, z_m(t) = z_m(0) s_m(t)/s_m(0), as in a linear encoder, so
that expectations are those over the network's own pairs, whose modes are no Gaussians.

Source: Halvagal et al. 2023 (arXiv 2212.04858); Jacot et al. 2018, the tangent kernel.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.program.averaging import Nodes
from eigendyn.settings.siamese import Siamese
from eigendyn.simulation.engines.task import OneRun
from eigendyn.simulation.equations import equations
from eigendyn.simulation.initial import field_parameters, starting_states
from eigendyn.simulation.still import follower

if TYPE_CHECKING:
    from eigendyn.theory.losses import SymbolicLoss
    from eigendyn.training.measured import Measured

FORECAST_SHARE = 0.1  # of the epochs, after which a forecast is made: the first transients are over
MATTER = 3.0  # standard errors of its variance beyond which a mode is told from none
NO_NOISE = 1e-12  # noise of a mode over its signal, so that what is divided by it is a number


@dataclass(frozen=True)
class Forecast:
    """What the theory foretells.

    Args:
        variance: v_m at the steps asked for (modes, steps), largest first; NaN of modes that had
            no variance, and from where the theory's own run was no longer finite.
        status: "completed" or "diverged".
    """

    variance: NDArray
    status: str


def forecast(
    loss: str | SymbolicLoss,
    now: Measured,
    gains: ArrayLike,
    steps: ArrayLike,
    settings: Siamese,
) -> Forecast:
    r"""Follow the expected descent of every mode from a measured moment on.

        dv_m/dt = 2 κ_m G_m(v, λ, …) − 2 ω L v_m

    which is the theory of anisotropic data with the measured gain κ in the place of the signal d:
    heavy ball, a running, direct or learned predictor and an EMA target are those of `simulate`.
    One number L, the mean of L_m weighted by v_m, stands for how many layers weight decay acts on.

    Args:
        loss: Name of the loss, or one of your own.
        now: The network at step 0.
        gains: Its `tangent_gains` κ (modes,).
        steps: Steps from then on, increasing, none negative (steps,).
        settings: Those of the training; its own steps do nothing here.

    Returns:
        The spectrum at these steps.

    Raises:
        The errors of `simulate`.

    Source: Halvagal et al. 2023; anisotropic data as in derivations of the mode equations.
    """
    asked = np.asarray(steps, int)
    variance, target = np.asarray(now.variance), np.asarray(now.target_variance)
    alive = (variance > 0) & (target > 0)
    v, target = variance[alive], target[alive]
    gain = np.asarray(gains, float)[alive]
    noise1, noise2 = (
        gain * np.maximum(np.asarray(noise)[alive] / signal, NO_NOISE)
        for noise, signal in ((now.noise1, v), (now.noise2, target))
    )
    given = {one.name: getattr(settings, one.name) for one in fields(Siamese)}
    given |= {
        "signal": tuple(gain.tolist()),
        "noise1": tuple(noise1.tolist()),
        "noise2": tuple(noise2.tolist()),
        "weight_decay": settings.weight_decay * _layers(now, alive),
        "steps": max(1, int(asked.max())),
        "closure": "sampled",
        "method": "steps",
    }
    for name in ("loss", "sigma1", "sigma2"):  # the noises are those of the pairs
        del given[name]
    system = equations(loss, given)
    states = starting_states(system.program, v, system.chosen)
    measured = {
        "target_value": np.sqrt(target),
        "predictor_value": np.asarray(now.predictor)[alive],
    }
    for row, name in enumerate(system.program.states):
        states[row] = measured.get(name, states[row])
    parameters = field_parameters(system.program, system.chosen, system.numbers)
    wanted = np.union1d([0], asked)
    whitened = (
        np.asarray(now.first)[:, alive] / np.sqrt(v),
        now.second[:, alive] / np.sqrt(target),
    )
    nodes = _own_pairs(*whitened, noise1 / gain, noise2 / gain, system.program.node_names)
    found = follower("steps", OneRun(system, states, wanted, parameters))(nodes)
    spectra = np.full((len(variance), len(wanted)), np.nan)
    spectra[: len(v), : len(found.times)] = np.sort(found.values[0] ** 2, axis=0)[::-1]
    return Forecast(spectra[:, np.searchsorted(wanted, asked)], found.status)


def explained(foretold: ArrayLike, seen: ArrayLike, now: Measured) -> float:
    """Share of the change of ln v that a forecast explains.

    1 − Σ (ln v_foretold − ln v)²/Σ (ln v(0) − ln v)² over all steps and the modes whose variance
    is beyond `MATTER` of its standard errors at the start: of the others not even the start is
    known. 1 is all of it, 0 as good as saying that nothing changes, negative worse; NaN where
    nothing is foretold or changes.

    Args:
        foretold: Variances (modes, steps).
        seen: The network's own (modes, steps).
        now: The network when the forecast was made.
    """
    count = matter(now)
    first = np.log(np.asarray(now.variance)[:count, None])
    with np.errstate(invalid="ignore", divide="ignore"):
        told, true = np.log(np.asarray(foretold)[:count]), np.log(np.asarray(seen)[:count])
    known = np.isfinite(told) & np.isfinite(true)
    changed = np.sum((first - true)[known] ** 2)
    return float(1 - np.sum((told - true)[known] ** 2) / changed) if changed > 0 else np.nan


def matter(now: Measured) -> int:
    """Number of leading modes whose variance is told from none by the pairs."""
    told = np.asarray(now.variance) > MATTER * np.asarray(now.variance_error)
    return int(np.argmin(np.append(told, False)))


def _layers(now: Measured, alive: NDArray) -> float:
    v, layers = np.asarray(now.variance)[alive], np.asarray(now.layers)[alive]
    return max(0.0, float(np.sum(v * layers) / np.sum(v)))


def _own_pairs(x1: NDArray, x2: NDArray, noise1: NDArray, noise2: NDArray, names: Any) -> Nodes:
    """Samples ξ of the closure, x1 = ξ0 + σ1 ξ1 and x2 = ξ0 + σ2 ξ2, that give these views."""
    middle = (x1 + x2) / 2
    values = {
        "xi0": middle,
        "xi1": (x1 - middle) / np.sqrt(noise1),
        "xi2": (x2 - middle) / np.sqrt(noise2),
    }
    return Nodes(np.full(len(x1), 1 / len(x1)), {name: values[name] for name in names})
