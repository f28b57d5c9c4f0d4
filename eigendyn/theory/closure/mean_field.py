"""Close by mean field: replace sums over modes by their means before taking moments.

Leading order in 1/M only; at M = 2…10 the cosine family is wrong by tens of percent.
"""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from eigendyn.theory import symbols as sym
from eigendyn.theory.closure.exact import whiten
from eigendyn.theory.closure.gaussian import expectation
from eigendyn.theory.derive import ModeDynamics
from eigendyn.theory.symbols import Expectation, ModeSum


def close_by_mean_field(dynamics: ModeDynamics) -> ModeDynamics:
    """Take every open moment as if sums over modes did not fluctuate.

    E[f(x_m) g(S)] ≈ E[f(x_m)] g(E[S]) for sums S over modes.

    Args:
        dynamics: Dynamics with open moments.

    Returns:
        Closed dynamics, closure "mean field".

    Source: Halvagal et al. 2023, approximation of the cosine dynamics for many modes.
    """
    moments = {
        node: _mean_field_moment(whiten(node.args[0], dynamics))
        for rate in dynamics.rates
        for node in rate.atoms(Expectation)
    }
    covariance = zip((sym.u11, sym.u12, sym.u22), dynamics.covariance, strict=True)
    return replace(
        dynamics,
        rates=tuple(rate.xreplace(moments) for rate in dynamics.rates),
        definitions=tuple(covariance),
        closure="mean field",
    )


def _mean_field_moment(expression: sp.Expr) -> sp.Expr:
    local, sums = sym.detach(expression, ModeSum)
    means = {name: expectation(total) for name, total in sums.items()}
    return expectation(local).xreplace(means)
