"""Take the expected value of a loss itself, which a training loop prints, by the same closures."""

from __future__ import annotations

from dataclasses import replace

from eigendyn.errors import NoExactClosure
from eigendyn.theory.closure import close
from eigendyn.theory.derive import ModeDynamics
from eigendyn.theory.losses import SymbolicLoss
from eigendyn.theory.symbols import Expectation, release


def close_value(loss: SymbolicLoss, dynamics: ModeDynamics, closure: str = "exact") -> ModeDynamics:
    """Take E[ℓ] of the loss as it is written: a stopped branch has the value of what it stops.

    Args:
        loss: The loss.
        dynamics: The dynamics that follow from it, with open moments.
        closure: One of `choices.CLOSURES`. Where the value has no exact expectation it is sampled,
            whatever the dynamics have.

    Returns:
        The same states, with E[ℓ] as their only rate.

    Raises:
        UnknownName: There is no such closure.
    """
    value = replace(dynamics, rates=(Expectation(release(loss.expression)),))
    try:
        return close(value, closure)
    except NoExactClosure:
        return close(value, "sampled")
