r"""Take the loss that a recorded spectrum implies, and what its change comes from, mode by mode.

Of every mode a record has the moments of both views, c11 = v + a1, c22 = v + a2, c12 = v, and the
predictor's eigenvalue λ. With the modes Gaussian the loss has an expectation: of Euclidean ones

    E[ℓ] = ½ Σ [λ² c11 − 2 λ c12 + c22],

which needs no Gaussian, of cosine ones by the quadrature of the exact closure. The sum goes over
the mean too, and c11 and c12 are those of the prediction (`second_moments`): so it is, of a log,
the mean loss of the pairs of a recording under the predictor that was recorded with them.

Source: Halvagal et al. 2023 (arXiv 2212.04858), the losses in the predictor's eigenbasis.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.fitting.second_moments import FIELDS, MEAN, Moments
from eigendyn.settings.run_settings import Settings
from eigendyn.simulation.measures import expected_loss

if TYPE_CHECKING:
    from eigendyn.program import Program
    from eigendyn.theory.losses import SymbolicLoss

OTHERS = -2  # what stands in the place of the numbers of many modes
LISTED = 32  # modes whose contributions are told apart
ACCURACY = 1e-6  # of the quadrature: records are noisier
LEAST = 1e-12  # of c12 over both variances; a smaller one counts as this
TINIEST = float(np.finfo(float).tiny)


def implied_loss(loss: SymbolicLoss | str, of: Moments) -> tuple[NDArray, float]:
    """E[ℓ] of a loss as it is written, at every recording (times,), and its error.

    Args:
        loss: Name of a loss, or a loss of your own.
        of: The moments.

    Returns:
        The loss, not a number where a moment is none; the error is that of the quadrature.

    Raises:
        UnknownName, InvalidSetting: It is no loss.

    Source: Halvagal et al. 2023, the losses; derivations/tilted_gaussian.py, the quadrature.
    """
    from eigendyn.theory.losses import as_loss

    given = as_loss(loss)
    usable = np.all([np.isfinite(getattr(of, name)).all(axis=0) for name in FIELDS], axis=0)
    found = np.full(len(usable), np.nan)
    if not usable.any():
        return found, np.nan
    here = of.at(usable)
    program = _value(replace(given, name="", parameters=_unnumbered(given)))
    states, numbers = _as_states(here)
    numbers |= dict(given.parameters)
    chosen = Settings(closure_accuracy=ACCURACY)
    times = np.arange(float(usable.sum()))
    found[usable], error = expected_loss(program, states, times, numbers, chosen)
    return found, error


def contributions(loss: SymbolicLoss | str, of: Moments, begin: int, end: int) -> dict[int, float]:
    """What each mode adds to the change of the implied loss between two recordings.

    Modes go one after another from what they were to what they are, in order and in the reverse
    order; a mode's contribution is the mean of both changes that it makes. They sum to the whole
    change. Of a loss that is a sum over modes they do not depend on the order.

    Args:
        loss: Name of a loss, or a loss of your own.
        of: The moments.
        begin: The earlier recording.
        end: The later one.

    Returns:
        By mode, `MEAN` for the mean and `OTHERS` for all but the `LISTED` largest modes together.
    """
    variance = np.nan_to_num(of.shared[:, [begin, end]]).max(axis=1)
    numbers = np.unique(of.mode[of.mode >= 0])
    largest = np.sort(numbers[np.argsort(-variance[numbers], kind="stable")][:LISTED])
    group = np.where(np.isin(of.mode, largest) | (of.mode == MEAN), of.mode, OTHERS)
    names = [*largest.tolist(), *(n for n in (OTHERS, MEAN) if (group == n).any())]
    place = np.array([names.index(one) for one in group])
    count = len(names)
    forward = place[:, None] < np.arange(count + 1)  # which rows have changed (modes, points)
    backward = place[:, None] >= count - np.arange(count + 1)
    changed = np.concatenate([forward, backward], axis=1)
    between = {
        name: np.where(changed, getattr(of, name)[:, [end]], getattr(of, name)[:, [begin]])
        for name in FIELDS
    }
    value, _ = implied_loss(loss, replace(of, **between))
    one, other = np.diff(value[: count + 1]), np.diff(value[count + 1 :])[::-1]
    return dict(zip(names, ((one + other) / 2).tolist(), strict=True))


def _unnumbered(loss: SymbolicLoss) -> tuple[tuple[str, float], ...]:
    return tuple((name, 0.0) for name, _ in loss.parameters)


def _as_states(of: Moments) -> tuple[NDArray, dict[str, Any]]:
    """States and parameters of `_value` that have these moments: c12 = s ξ, c11 = s² (1 + a1)."""
    shared = np.abs(of.shared)
    shared = np.maximum(shared, LEAST * (of.first + of.second) + TINIEST)
    root = np.sqrt(shared)
    states = np.stack([root, of.predictor, np.copysign(root, of.shared)])
    noises = {"noise1": of.first / shared - 1, "noise2": of.second / shared - 1}
    return states, {"signal": 1.0} | {name: noise.T for name, noise in noises.items()}


@lru_cache(maxsize=16)
def _value(loss: SymbolicLoss) -> Program:
    """The value of a loss, of modes whose moments and predictor can be any.

    A learned predictor is a state, and so is an EMA target, whose sign makes c12 negative, as it
    may be of few samples.
    """
    from eigendyn.program.derivation import program_of
    from eigendyn.settings.siamese import Architecture
    from eigendyn.theory.closure.value import close_value
    from eigendyn.theory.derive import mode_dynamics
    from eigendyn.theory.losses import named_loss

    own = Architecture(predictor="learned", target="ema", is_anisotropic=True)
    states = mode_dynamics(named_loss("euclidean"), 1.0, own)
    return program_of(close_value(loss, replace(states, parameters=loss.parameters), "auto"))
