"""Forecast the whole spectrum of a network from one early moment, by the mode theory alone.

A network enters by what is measured of it then: its representations, its predictor, and how far
a drive moves each mode. From there on only the theory speaks; nothing is fitted to what comes
later. Representations follow their modes, z_m(t) = z_m(0) s_m(t)/s_m(0), as in a linear encoder, so
that expectations are those over the network's own pairs, whose modes are no Gaussians.

Source: Halvagal et al. 2023 (arXiv 2212.04858), the modes; Jacot et al. 2018, the tangent kernel;
Saxe et al. 2014, modes of deep linear networks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
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
NO_NOISE = 1e-12  # noise of a mode over its signal, at least, so that it can be divided by
PIECES = 200  # of the time ahead, in each of which the gains stay as they are


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


@dataclass(frozen=True)
class _Modes:
    """Modes that have a variance in the network and in its target, and what moves them.

    Args:
        variance: v_m (modes,).
        target: Their variance in the target.
        gains: κ_m.
        power: Exponent of v_m in κ_m, 1 − 1/L_m.
        noise1: Noise of the first view over the signal.
        noise2: That of the second view.
        predictor: u_mᵀ W_P u_m.
        views: Whitened views x1 and x2 of every pair (pairs, modes).
        decay: Number of layers that weight decay acts on.
    """

    variance: NDArray
    target: NDArray
    gains: NDArray
    power: NDArray
    noise1: NDArray
    noise2: NDArray
    predictor: NDArray
    views: tuple[NDArray, NDArray]
    decay: float


def forecast(
    loss: str | SymbolicLoss,
    now: Measured,
    gains: ArrayLike,
    steps: ArrayLike,
    settings: Siamese,
) -> Forecast:
    r"""Follow the expected descent of every mode from a measured moment on.

        dv_m/dt = 2 κ_m G_m(v, λ, …) − 2 ω L v_m,  κ_m = κ_m(0) (v_m/v_m(0))^(1 − 1/L_m)

    This is the theory of anisotropic data with the gain κ in the place of the signal d; heavy ball,
    a running, direct or learned predictor and an EMA target are those of `simulate`. Gains grow
    with their modes as in a deep linear network of L_m balanced layers, where L_m is how many
    layers weight decay is seen to act on: one for a linear encoder, whose gains stay. One number
    L, the mean of L_m weighted by v_m, stands for all modes in the decay. An EMA momentum that
    follows a schedule is kept at its first value.

    Args:
        loss: Name of the loss, or one of your own.
        now: The network at step 0.
        gains: Its `tangent_gains` κ (modes,); one that is not above zero is the median of others.
        steps: Steps from then on, none negative (steps,).
        settings: Those of the training; its own `steps` do nothing here.

    Returns:
        The spectrum at these steps.

    Raises:
        The errors of `simulate`.

    Source: Halvagal et al. 2023; Saxe et al. 2014.
    """
    asked = np.asarray(steps, int)
    known = (np.asarray(now.variance) > 0) & (np.asarray(now.target_variance) > 0)
    spectra = np.full((len(known), len(asked)), np.nan)
    if not known.any():
        return Forecast(spectra, "no mode has a variance")
    modes = _modes(now, np.asarray(gains, float), known)
    given = {one.name: getattr(settings, one.name) for one in fields(Siamese)}
    for name in ("loss", "sigma1", "sigma2"):  # the noises are those of the pairs
        del given[name]
    given |= {
        **{name: tuple(each.tolist()) for name, each in _data(modes, modes.gains).items()},
        "weight_decay": settings.weight_decay * modes.decay,
        "ema_schedule": "constant",
        "steps": max(1, int(asked.max())),
        "closure": "sampled",
        "method": "steps",
    }
    system = equations(loss, given)
    start = starting_states(system.program, modes.variance, system.chosen)
    measured = {"target_value": np.sqrt(modes.target), "predictor_value": modes.predictor}
    for row, name in enumerate(system.program.states):
        start[row] = measured.get(name, start[row])
    parameters = field_parameters(system.program, system.chosen, system.numbers)
    run = OneRun(system, start, np.zeros(1, int), parameters)
    nodes = _own_pairs(modes, system.program.node_names)
    stops = np.union1d(asked, np.linspace(0, asked.max(), PIECES + 1).round().astype(int))
    reached = dict(_pieces(run, modes, nodes, stops))
    for place, step in enumerate(asked.tolist()):
        if step in reached:
            spectra[: known.sum(), place] = np.sort(reached[step])[::-1]
    return Forecast(spectra, "completed" if len(reached) == len(stops) else "diverged")


def _modes(now: Measured, gains: NDArray, known: NDArray) -> _Modes:
    def of(values: Any) -> NDArray:
        return np.asarray(values)[..., known]

    variance, target, gains, layers = (
        of(each) for each in (now.variance, now.target_variance, gains, now.layers)
    )
    noise1, noise2 = of(now.noise1) / variance, of(now.noise2) / target
    return _Modes(
        variance=variance,
        target=target,
        gains=usable(gains),
        power=1 - 1 / np.maximum(layers, 1),
        noise1=np.maximum(noise1, NO_NOISE),
        noise2=np.maximum(noise2, NO_NOISE),
        predictor=of(now.predictor_eigenvalue),
        views=(of(now.first) / np.sqrt(variance), of(now.second) / np.sqrt(target)),
        decay=max(0.0, float(np.average(layers, weights=variance))),
    )


def _data(modes: _Modes, gains: NDArray) -> dict[str, NDArray]:
    """Signal and noises of anisotropic data in whose linear encoder drives move modes as far."""
    return {"signal": gains, "noise1": gains * modes.noise1, "noise2": gains * modes.noise2}


def _pieces(
    run: OneRun, modes: _Modes, nodes: Nodes, stops: NDArray
) -> Iterable[tuple[int, NDArray]]:
    """Step and variances (modes,) at every stop, until they are not finite."""
    at, states, variance = 0, run.start, run.start[0] ** 2
    for stop in stops.tolist():
        if stop > at:
            grown = (variance / modes.variance) ** modes.power
            data = _data(modes, modes.gains * grown)
            own = {name: each[None] for name, each in data.items() if name in run.parameters}
            piece = replace(
                run,
                start=states,
                steps=np.array([0, stop - at]),
                parameters={**run.parameters, **own},
            )
            found = follower("steps", piece)(nodes)
            if found.status != "completed":
                return
            at, states = stop, np.asarray(found.values[..., -1], float)
            with np.errstate(over="ignore"):
                variance = states[0] ** 2
            if not np.isfinite(variance).all():
                return
        yield stop, variance


def _own_pairs(modes: _Modes, names: Iterable[str]) -> Nodes:
    """Samples ξ of the closure, x1 = ξ0 + σ1 ξ1 and x2 = ξ0 + σ2 ξ2, that give these views."""
    x1, x2 = modes.views
    middle = (x1 + x2) / 2
    values = {
        "xi0": middle,
        "xi1": (x1 - middle) / np.sqrt(modes.noise1),
        "xi2": (x2 - middle) / np.sqrt(modes.noise2),
    }
    return Nodes(np.full(len(x1), 1 / len(x1)), {name: values[name] for name in names})


def usable(gains: NDArray) -> NDArray:
    """Gains (modes,), those that are not above zero replaced by the median of the others."""
    known = np.isfinite(gains) & (gains > 0)
    return np.where(known, gains, np.median(gains[known]) if known.any() else 1.0)


def shared_gain(now: Measured, gains: NDArray) -> NDArray:
    """One gain for all modes (modes,): the median of those of modes that are told from none.

    Gains of small modes are noisy, and modes of a network share its layers: one gain foretells
    networks better than one for each mode, which linear encoders have.
    """
    known = gains[: matter(now)]
    known = known[np.isfinite(known) & (known > 0)]
    return np.full_like(gains, np.median(known) if known.size else 1.0)


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
    return float(1 - np.sum((told - true)[known] ** 2) / changed) if changed > 0 else float("nan")


def matter(now: Measured) -> int:
    """Number of leading modes whose variance is told from none by the pairs."""
    told = np.asarray(now.variance) > MATTER * np.asarray(now.variance_error)
    return int(np.argmin(np.append(told, False)))
