"""A loss enters; the quantities that its mode dynamics conserve leave."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from eigendyn import symbols as sym
from eigendyn.derive import descent_directions
from eigendyn.losses import SymbolicLoss
from eigendyn.symbols import ModeSum, lam, z1, z2


@dataclass(frozen=True)
class Conserved:
    """A function of the states and time that stays as it starts.

    Args:
        name: What it is called in results.
        expression: In the states, `time` and `weight_decay`.
    """

    name: str
    expression: sp.Expr


def conserved_quantities(
    loss: SymbolicLoss, alpha: sp.Expr | float = 1, *, decays: bool = False
) -> tuple[Conserved, ...]:
    r"""Find the conserved sums over modes by derivation.

    If Σ_m λ_m^k (z1_m δ1_m + z2_m δ2_m) = 0 for every sample, then with q = 1 + αk and λ = v^α

        Σ_m v_m^q · exp(2 ω q t) is constant,

    since dv_m/dt = 2(G1_m + G2_m − ω v_m). k = 0 is invariance of the loss when all
    representations are scaled; k = β the same for the family δ/λ^β. At q = 0 it is
    Σ_m ln v_m + 2ωt, the limit of the powers.

    Args:
        loss: Per-sample loss in the predictor's eigenbasis.
        alpha: Exponent of the predictor.
        decays: Whether weight decay is on; without it the exponential is one and left out.

    Returns:
        The conserved quantities among k = 0 and k = β; empty if there are none.

    Source: Halvagal et al. 2023 for the cosine loss; the isotropic one follows likewise.
    """
    delta1, delta2 = descent_directions(loss)
    if delta1 == 0 and delta2 == 0:
        return ()
    alpha = sp.nsimplify(alpha, rational=True)
    found = []
    for k in dict.fromkeys([sp.S.Zero, loss.beta]):
        if sym.equal(ModeSum(lam**k * (z1 * delta1 + z2 * delta2)), sp.S.Zero):
            exponent = sp.expand(1 + alpha * k) if loss.has_predictor else sp.S.One
            found.append(_sum_of_logarithms(decays) if exponent == 0 else _sum(exponent, decays))
    return tuple(found)


def _sum(exponent: sp.Expr, decays: bool) -> Conserved:
    power = (sym.singular_value**2) ** exponent
    growth = sp.exp(2 * sym.weight_decay * exponent * sym.time) if decays else sp.S.One
    power_name = f"{exponent}" if exponent.is_Integer else f"({exponent})"
    name = "sum of variances" if exponent == 1 else f"sum of variance^{power_name}"
    suffix = " × exp(2ωt)" if exponent == 1 else f" × exp(2·{power_name}·ωt)"
    return Conserved(name + suffix * decays, ModeSum(power) * growth)


def _sum_of_logarithms(decays: bool) -> Conserved:
    growth = 2 * sym.weight_decay * sym.time if decays else sp.S.Zero
    name = "sum of (log variance + 2ωt)" if decays else "sum of log variance"
    return Conserved(name, ModeSum(sp.log(sym.singular_value**2) + growth))
