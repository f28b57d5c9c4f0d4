"""Close any loss by sampling: average over drawn inputs and noises."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from eigendyn.theory import symbols as sym
from eigendyn.theory.closure.exact import whiten
from eigendyn.theory.derive import ModeDynamics
from eigendyn.theory.symbols import Average, Expectation


def close_by_samples(dynamics: ModeDynamics) -> ModeDynamics:
    """Take every open moment as an average over samples of the whitened views.

    x1 = ξ0 + σ1 ξ1, x2 = ξ0 + σ2 ξ2 with ξ ~ N(0, 1) independently for every mode, and σ² = a/d
    where modes have a signal and noises of their own.

    Args:
        dynamics: Dynamics with open moments.

    Returns:
        Closed dynamics, closure "sampled".
    """
    moments = {
        node: Average(whiten(node.args[0], dynamics))
        for rate in dynamics.rates
        for node in rate.atoms(Expectation)
    }
    first, shared, second = dynamics.covariance
    views = (
        (sym.x1, sym.xi0 + sp.sqrt(first - shared) * sym.xi1),
        (sym.x2, sym.xi0 + sp.sqrt(second - shared) * sym.xi2),
    )
    return replace(
        dynamics,
        rates=tuple(rate.xreplace(moments) for rate in dynamics.rates),
        definitions=views,
        closure="sampled",
    )
