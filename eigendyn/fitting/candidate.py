"""Prepare a loss to be fitted: its dynamics with numbers left open, and which of them are free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting
from eigendyn.fitting.micro_steps import micro_steps
from eigendyn.fitting.numbers import (
    ALPHA,
    DECAY,
    NOISE1,
    NOISE2,
    NUMBERS,
    PROCESS,
    READING,
    TIME_SCALE,
    box,
)
from eigendyn.fitting.readings import Seen
from eigendyn.settings.choices import LOSS_ROWS, OWN_LOSS
from eigendyn.settings.run_settings import DEFAULT_CLOSURE_ACCURACY, with_closure_accuracy
from eigendyn.simulation.equations import Equations, compiled_field, equations
from eigendyn.simulation.initial import field_parameters

if TYPE_CHECKING:
    from eigendyn.fitting.likelihood import Likelihood
    from eigendyn.theory.losses import SymbolicLoss

ACCURACY = 1e-3  # of quadratures, below the noise of any record
SERVED = 12  # recordings that nodes are chosen for
NOISES = (0.0, 0.6)  # σ1 that they are chosen for
MEAN_FIELD = {"closure": "mean-field", "closure_accuracy": DEFAULT_CLOSURE_ACCURACY}
GIVEN = {  # setting that holds a number fast
    "alpha": ALPHA,
    "weight_decay": DECAY,
    "sigma1": NOISE1,
    "sigma2": NOISE2,
}


@dataclass(frozen=True)
class Candidate:
    """A loss whose numbers are looked for.

    Args:
        system: Its equations under the settings that were given.
        free: Which numbers are looked for (7,).
        fixed: Values of the others (7,).
    """

    system: Equations
    free: NDArray
    fixed: NDArray

    @property
    def title(self) -> str:
        """What it is called."""
        return self.system.title

    def likelihood(self, seen: Seen, *, finer: int = 1, rough: bool = False) -> Likelihood:
        """The likelihood of a record under it.

        Args:
            seen: The record.
            finer: How many times as many micro-steps as are thought enough.
            rough: Whether coupled modes are followed by the mean field of their loss.
        """
        from eigendyn.fitting.likelihood import Likelihood
        from eigendyn.fitting.transition import Dynamics, Kind, Readings
        from eigendyn.theory import symbols

        system, chosen = self.system, self.system.chosen
        alpha = symbols.parameters["alpha"]
        quick = field = compiled_field(system.source, chosen, alpha)
        if self.is_averaged:
            quick = compiled_field(system.source, replace(chosen, **MEAN_FIELD), alpha)
            field = quick if rough else replace(field, nodes=self._nodes(seen))
        own = field_parameters(field, chosen, system.numbers)
        low, high = box(seen.rate)
        beta = LOSS_ROWS.get(chosen.loss, OWN_LOSS).beta if chosen.beta is None else chosen.beta
        return Likelihood(
            loss=Dynamics(field, quick, {n: own[n] for n in own.keys() - GIVEN.keys()}),
            kind=Kind(
                is_coupled=system.program.is_coupled,
                is_scale_free=system.scale_free,
                beta=float(beta),
                takes_steps=bool((seen.eta > 0).any()) and chosen.momentum == 0,
            ),
            readings=Readings(**micro_steps(seen, finer)),
            low=low,
            high=high,
        )

    @property
    def is_averaged(self) -> bool:
        """Whether its moments are averages over nodes."""
        return self.system.program.closure == "exact quadrature"

    def _nodes(self, seen: Seen) -> Any:
        """Nodes of an exact quadrature that serve the whole record."""
        from eigendyn.simulation.nodes import fit_nodes

        program, chosen = self.system.program, self.system.chosen
        full = np.flatnonzero(np.isfinite(seen.log_variance).all(axis=0))
        looked = full[np.linspace(0, len(full) - 1, min(SERVED, len(full))).astype(int)]
        states = np.exp(seen.log_variance[:, looked].T / 2)[:, None]
        numbers = field_parameters(program, chosen, self.system.numbers)
        points = {
            name: np.repeat(NOISES if name == "sigma1" else [value] * len(NOISES), len(states))
            for name, value in numbers.items()
        }
        found = fit_nodes(program, np.tile(states, (len(NOISES), 1, 1)), points, ACCURACY)
        return found.nodes


def candidate(loss: str | SymbolicLoss, settings: Mapping[str, Any]) -> Candidate:
    """Take a loss with settings: those that are given hold numbers fast, others are looked for.

    Args:
        loss: Name of a loss, or one of your own.
        settings: Fields of `Settings`.

    Raises:
        InvalidSetting: Settings with states that no record holds: a learned or running predictor,
            or an EMA target.
        The errors of `simulate`.
    """
    system = equations(loss, with_closure_accuracy({"sigma2": 0.0, **settings}, ACCURACY))
    if len(system.program.states) > 1:
        message = (
            "A fit follows variances alone: a closed-form predictor and a shared target. A learned "
            "or running predictor or an EMA target is followed by no recorded variance; leave it "
            "out, and the fit says how far that describes the record."
        )
        raise InvalidSetting(message)
    if system.program.closure == "sampled":
        message = (
            f"{system.title} has no closure but samples, whose noise hides what a fit looks for. "
            "Try `closure='mean-field'`."
        )
        raise InvalidSetting(message)
    chosen = system.chosen
    fixed = np.ones(len(NUMBERS))
    fixed[[NOISE1, NOISE2]] = 1 + chosen.sigma1**2, 1 + chosen.sigma2**2
    fixed[DECAY], fixed[ALPHA] = chosen.weight_decay, chosen.alpha
    free = np.zeros(len(NUMBERS), bool)
    free[[TIME_SCALE, NOISE1, DECAY, ALPHA, PROCESS, READING]] = True
    free[NOISE2] = not chosen.stop_gradient
    free[[place for name, place in GIVEN.items() if name in settings]] = False
    if chosen.predictor in ("none", "copy"):
        free[ALPHA] = False
    return Candidate(system, free, fixed)
