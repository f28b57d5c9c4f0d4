"""Close mode dynamics: take their open moments, and record the assumption made."""

from __future__ import annotations

from dataclasses import replace

from eigendyn.errors import NoExactClosure
from eigendyn.settings.checks import check_is
from eigendyn.settings.choices import CLOSURES, check_choice
from eigendyn.settings.keywords import takes
from eigendyn.theory.closure.exact import close_exactly
from eigendyn.theory.closure.mean_field import close_by_mean_field
from eigendyn.theory.closure.sampled import close_by_samples
from eigendyn.theory.derive import ModeDynamics


@takes()
def close(dynamics: ModeDynamics, closure: str = "exact") -> ModeDynamics:
    """Take the open moments of mode dynamics.

    Moments of polynomials follow from c11 = E[z1²], c12 = E[z1 z2] and c22 = E[z2²] of every mode
    by pairs (Wick). A power of a quadratic form F becomes an integral, under which a Gaussian stays
    one:

        F^{−p} = ∫ a^{p−1} e^{−aF} da/Γ(p),  a from 0 to ∞

    In mean field F is its own mean, to leading order in 1/M; "sampled" averages over draws.

    Args:
        dynamics: Dynamics with open moments.
        closure: "exact" (Gaussian moments of polynomials, quadrature for ratios of quadratic
            forms), "mean-field", "sampled", or "auto": exact where the loss allows it, else
            sampled.

    Returns:
        Closed dynamics that name their closure.

    Raises:
        UnknownName: There is no such closure.
        NoExactClosure: "exact" was asked of a loss that is neither polynomial nor such a ratio.

    Source: derivations/tilted_gaussian.py for the quadrature of ratios; Halvagal et al. 2023 for
    many modes.

    Examples:
        >>> dynamics = eigendyn.theory.mode_dynamics("euclidean")
        >>> eigendyn.theory.close(dynamics).closure
        'exact moments'
    """
    is_open = isinstance(dynamics, ModeDynamics)
    check_is("dynamics", dynamics, is_open, "what eigendyn.theory.mode_dynamics(loss) gives")
    return _CLOSERS[check_choice("closure", closure, CLOSURES)](dynamics)


def close_model(dynamics: ModeDynamics, closure: str = "auto") -> ModeDynamics:
    """Take the open moments of a model, if it has any; most are written closed, closure "none".

    Args:
        dynamics: Dynamics that were written by hand, or derived and maybe closed already.
        closure: How moments are taken that are open.

    Raises:
        UnknownName, NoExactClosure: As `close`.
    """
    if dynamics.is_open:
        return close(dynamics, closure)
    return replace(dynamics, closure="none") if dynamics.closure == "open" else dynamics


def _close_as_possible(dynamics: ModeDynamics) -> ModeDynamics:
    try:
        return close_exactly(dynamics)
    except NoExactClosure:
        return close_by_samples(dynamics)


_CLOSERS = {
    "auto": _close_as_possible,
    "exact": close_exactly,
    "mean-field": close_by_mean_field,
    "sampled": close_by_samples,
}
