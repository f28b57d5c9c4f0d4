"""Open moments enter, closed mode dynamics leave, with the assumption recorded in them."""

from __future__ import annotations

from eigendyn.choices import CLOSURES, check_choice
from eigendyn.closure.exact import close_exactly
from eigendyn.closure.mean_field import close_by_mean_field
from eigendyn.closure.sampled import close_by_samples
from eigendyn.derive import ModeDynamics


def close(dynamics: ModeDynamics, closure: str = "exact") -> ModeDynamics:
    """Take the open moments of mode dynamics.

    Args:
        dynamics: Dynamics with open moments.
        closure: "exact" (Gaussian moments of polynomials, quadrature for ratios of quadratic
            forms), "mean-field", or "sampled".

    Returns:
        Closed dynamics that name their closure.

    Raises:
        UnknownName: There is no such closure.
        NoExactClosure: "exact" was asked of a loss that is neither polynomial nor such a ratio.
    """
    return _CLOSERS[check_choice("closure", closure, CLOSURES)](dynamics)


_CLOSERS = {
    "exact": close_exactly,
    "mean-field": close_by_mean_field,
    "sampled": close_by_samples,
}
