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
    SPREADS,
    TIME_SCALE,
    box,
)
from eigendyn.fitting.readings import Seen
from eigendyn.settings.choices import LOSS_ROWS, OWN_LOSS
from eigendyn.settings.run_settings import DEFAULT_CLOSURE_ACCURACY, with_closure_accuracy
from eigendyn.simulation.equations import Equations, compiled_field, equations
from eigendyn.simulation.initial import field_parameters, signals

if TYPE_CHECKING:
    from eigendyn.fitting.likelihood import Likelihood
    from eigendyn.theory.losses import SymbolicLoss

ACCURACY = 1e-3  # of quadratures, below the noise of any record
SERVED = 12  # recordings that nodes are chosen for
NOISES = (0.0, 0.36)  # noise of the first view over the signal, that they are chosen for
MEAN_FIELD = {"closure": "mean-field", "closure_accuracy": DEFAULT_CLOSURE_ACCURACY}
GIVEN = {  # setting that holds a number fast
    "alpha": ALPHA,
    "weight_decay": DECAY,
    "sigma1": NOISE1,
    "sigma2": NOISE2,
    "noise1": NOISE1,
    "noise2": NOISE2,
}
VIEWS = (NOISE1, NOISE2)


@dataclass(frozen=True)
class Candidate:
    """A loss whose numbers are looked for.

    Args:
        system: Its equations under the settings that were given, with data of every mode's own.
        free: Which numbers are looked for (numbers,).
        fixed: Values of the others (numbers,).
        modal: Which numbers every mode has for itself.
        recorded: Whose noise is the recorded one, of `VIEWS`.
    """

    system: Equations
    free: NDArray
    fixed: NDArray
    modal: tuple[int, ...] = ()
    recorded: tuple[int, ...] = ()

    @property
    def shared(self) -> Candidate:
        """The same with all numbers shared by all modes."""
        free = self.free.copy()
        free[list(SPREADS.values())] = False
        return replace(self, free=free, modal=())

    @property
    def title(self) -> str:
        """What it is called."""
        return self.system.title

    def likelihood(
        self,
        seen: Seen,
        around: NDArray | None = None,
        *,
        finer: int = 1,
        rough: bool = False,
    ) -> Likelihood:
        """The likelihood of a record under it.

        Args:
            seen: The record.
            around: Logarithms of numbers per mode (modal numbers, modes) around which everything is
                linear; None where there are none.
            finer: How many times as many micro-steps as are thought enough.
            rough: Whether coupled modes are followed by the mean field of their loss.
        """
        from eigendyn.fitting.likelihood import Likelihood
        from eigendyn.fitting.motion import Dynamics, Kind
        from eigendyn.theory import symbols

        system, chosen = self.system, self.system.chosen
        alpha = symbols.parameters["alpha"]
        quick = field = compiled_field(system.source, chosen, alpha)
        if self.is_averaged:
            quick = compiled_field(system.source, replace(chosen, **MEAN_FIELD), alpha)
            field = quick if rough else replace(field, nodes=self._nodes(seen))
        numbers = field_parameters(field, chosen, system.numbers)
        own = {name: numbers[name] for name in numbers.keys() - GIVEN.keys()}
        own["signal"] = _of_modes(signals(chosen), seen)
        low, high = box(seen.rate)
        beta = LOSS_ROWS.get(chosen.loss, OWN_LOSS).beta if chosen.beta is None else chosen.beta
        return Likelihood(
            loss=Dynamics(field, quick, own),
            kind=Kind(
                is_coupled=system.program.is_coupled,
                is_scale_free=system.scale_free,
                beta=float(beta),
                takes_steps=bool((seen.eta > 0).any()) and chosen.momentum == 0,
                modal=self.modal,
            ),
            readings=micro_steps(seen, self.seconds(seen), around, finer),
            batch_noise=seen.batch_noise,
            low=low,
            high=high,
        )

    def seconds(self, seen: Seen) -> NDArray:
        """c₁ and c₂ of every mode (2, modes, times), where they are given or recorded; else NaN."""
        found = np.full((2, *seen.log_variance.shape), np.nan)
        for view, row in enumerate(VIEWS):
            if row in self.recorded:
                found[view] = seen.seconds[view]
            elif (noise := getattr(self.system.chosen, f"noise{view + 1}")) is not None:
                ratio = np.asarray(noise, float) / signals(self.system.chosen)
                found[view] = 1 + _of_modes(ratio, seen)[:, None]
        return found

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
        numbers: dict[str, Any] = field_parameters(program, chosen, self.system.numbers)
        numbers["signal"] = signal = _of_modes(signals(chosen), seen)[None]
        seconds = np.tile(np.moveaxis(self.seconds(seen)[..., looked], 2, 0), (len(NOISES), 1, 1))
        own = (np.repeat(NOISES, len(states))[:, None], chosen.sigma2**2)
        for view, noise in enumerate(own):
            given = seconds[:, view] - 1
            numbers[f"noise{view + 1}"] = signal * np.where(np.isnan(given), noise, given)
        numbers = {name: numbers[name] for name in program.parameters}
        found = fit_nodes(program, np.tile(states, (len(NOISES), 1, 1)), numbers, ACCURACY)
        return found.nodes


def _of_modes(values: Any, seen: Seen) -> NDArray:
    """Of what is given for every mode of a record, or once for all, that of the modes seen."""
    values = np.asarray(values, float)
    return values[seen.mode] if values.ndim else np.full(seen.modes, float(values))


def candidate(
    loss: str | SymbolicLoss,
    settings: Mapping[str, Any],
    modal: tuple[int, ...] = (),
    recorded: tuple[int, ...] = (),
) -> Candidate:
    """Take a loss with settings: those that are given hold numbers fast, others are looked for.

    Args:
        loss: Name of a loss, or one of your own.
        settings: Fields of `Settings`.
        modal: Numbers that every mode has for itself, if they are looked for.
        recorded: Views whose noise is recorded, which is taken where nothing else is given.

    Raises:
        InvalidSetting: Settings with states that no record holds: a learned or running predictor,
            or an EMA target; or a number per mode that is given.
        The errors of `simulate`.
    """
    own = {"sigma2": 0.0, "signal": 1.0}
    system = equations(loss, with_closure_accuracy({**own, **settings}, ACCURACY))
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
    given = {place for name, place in GIVEN.items() if settings.get(name) is not None}
    recorded = tuple(row for row in recorded if row not in given and row not in modal)
    free[[*given, *recorded]] = False
    if chosen.predictor in ("none", "copy"):
        free[ALPHA] = False
    for row in modal:
        if not free[row]:
            message = (
                f"{NUMBERS[row].name!r} is given, so that it cannot be looked for in every mode. "
                "Leave out one or the other."
            )
            raise InvalidSetting(message)
    free[[SPREADS[row] for row in modal]] = True
    return Candidate(system, free, fixed, modal, recorded)
