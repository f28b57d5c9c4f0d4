"""A loss enters, the dynamics of every mode leave, with their moments still open."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from eigendyn import symbols as sym
from eigendyn.choices import TARGETS, check_choice
from eigendyn.errors import InvalidSetting
from eigendyn.losses import SymbolicLoss
from eigendyn.symbols import Expectation, z1, z2


@dataclass(frozen=True)
class ModeDynamics:
    """One right-hand side per state of a mode; the same expression serves every mode.

    Args:
        loss: The loss that is descended.
        states: Per-mode states; the gradient step is the Euler step on each of them.
        rates: d state/dt for each state, t = learning rate × step. Open as long as an
            `Expectation` is left in them; a closure takes those.
        predictor: The predictor's eigenvalue λ as a function of the states.
        scales: Factor r of each view: z1 = r1·x1, z2 = r2·x2 with x the whitened views.
        covariance: (u11, u12, u22) of the whitened views (x1, x2).
        definitions: What stands for the auxiliary symbols of a closed rate, in the order in
            which to substitute them.
        closure: "open", or the name of the closure that took the moments.
    """

    loss: SymbolicLoss
    states: tuple[sp.Symbol, ...]
    rates: tuple[sp.Expr, ...]
    predictor: sp.Expr
    scales: tuple[sp.Expr, sp.Expr]
    covariance: tuple[sp.Expr, sp.Expr, sp.Expr]
    definitions: tuple[tuple[sp.Symbol, sp.Expr], ...] = ()
    closure: str = "open"


def descent_directions(loss: SymbolicLoss) -> tuple[sp.Expr, sp.Expr]:
    r"""Negative gradient of the per-sample loss with respect to mode m of each view.

    δ1_m = −∂ℓ/∂z1_m, δ2_m = −∂ℓ/∂z2_m. Stopped branches are constants while differentiating,
    then rejoin their states; λ is a constant always.

    Args:
        loss: Per-sample loss in the predictor's eigenbasis.

    Returns:
        δ1 and δ2 [1/√variance × loss], canonical, with per-mode symbols meaning mode m.

    Source: Halvagal et al. 2023, derivation of the Euclidean and cosine dynamics.
    """
    first, second = (sym.canonical(sym.release(-loss.expression.diff(view))) for view in (z1, z2))
    return first, second


def mode_dynamics(
    loss: SymbolicLoss, alpha: sp.Expr | float = 1, target: str = "shared"
) -> ModeDynamics:
    r"""Descend a loss in continuous time, mode by mode.

    ds_m/dt = E[δ1_m z1_m]/s_m + E[δ2_m z2_m]/s_m − ω s_m, exact for isotropic Gaussian inputs
    and a loss that does not change when a mode changes sign in both views. The predictor has
    eigenvalues λ_m = v_m^α = s_m^{2α}. With an EMA target, z2_m = ξ_m x2_m and
    dξ_m/dt = (s_m − ξ_m)/τ.

    Args:
        loss: Per-sample loss in the predictor's eigenbasis.
        alpha: Exponent α of the predictor; a symbol stays a symbol.
        target: "shared", or "ema", an exponential moving average of the encoder.

    Returns:
        Dynamics of the singular value of every mode, and of its target's, moments open; σ₁, σ₂, ω
        and τ are symbols.

    Raises:
        UnknownName: There is no such target.
        InvalidSetting: An EMA target for a loss without stop-gradient.

    Source: Halvagal et al. 2023, eigenspace dynamics; DirectPred's exponent, Tian et al. 2021;
    EMA target, Grill et al. 2020 (BYOL).
    """
    s, xi = sym.singular_value, sym.target_value
    apart = check_choice("target", target, TARGETS) == "ema"
    if apart and not loss.has_stop_gradient:
        message = (
            "The gradient cannot flow through a target that is an average of past weights. "
            "Leave out one of --target ema and --no-stop-gradient."
        )
        raise InvalidSetting(message)
    alpha = sp.nsimplify(alpha, rational=True)
    drive = [
        Expectation(sp.expand(delta * view / s))
        for delta, view in zip(descent_directions(loss), (z1, z2), strict=True)
        if delta != 0
    ]
    online = sp.Add(*drive) - sym.weight_decay * s
    predictor = (s**2) ** alpha if loss.has_predictor else sp.S.One
    return ModeDynamics(
        loss=loss,
        states=(s, xi) if apart else (s,),
        rates=(online, (s - xi) / sym.target_time) if apart else (online,),
        predictor=predictor,
        scales=(s, xi if apart else s),
        covariance=(1 + sym.sigma1**2, sp.S.One, 1 + sym.sigma2**2),
    )
