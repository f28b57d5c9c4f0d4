"""Find the quantities that the mode dynamics of a loss conserve."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import sympy as sp

from eigendyn.settings.keywords import takes
from eigendyn.settings.siamese import PLAIN, Architecture
from eigendyn.theory import symbols as sym
from eigendyn.theory.derive import correlation_share, descent_directions, predictor_direction
from eigendyn.theory.losses import SymbolicLoss, as_loss
from eigendyn.theory.symbols import ModeSum, lam, z1, z2


@dataclass(frozen=True)
class Conserved:
    """A function of the states and time that stays as it starts.

    Args:
        name: What it is called in results.
        expression: In the states, `time` and `weight_decay`.
    """

    name: str
    expression: sp.Expr


def is_scale_free(loss: SymbolicLoss) -> bool:
    r"""Whether descent does not see the common scale of the representations.

    z1·δ1 and z2·δ2 stay the same when all z1 and z2 are scaled together, at given λ, as they do
    if the loss does. So dv_m/dt = 2(E[z1_m δ1_m] + E[z2_m δ2_m]) says how variance moves between
    modes whatever there is of it, and weight decay takes the same share of all of them.

    Args:
        loss: Per-sample loss in the predictor's eigenbasis.
    """
    twice = {z1: 2 * z1, z2: 2 * z2}
    directions = descent_directions(loss)
    is_driven = any(d != 0 for d in directions)
    return is_driven and all(sym.equal(2 * d.xreplace(twice), d) for d in directions)


@takes()
def conserved_quantities(
    loss: SymbolicLoss | str,
    alpha: sp.Expr | float = 1,
    *,
    decays: bool = False,
    alike: bool = True,
    architecture: Architecture = PLAIN,
) -> tuple[Conserved, ...]:
    r"""Find the conserved sums over modes by derivation.

    If Σ_m λ_m^k (z1_m δ1_m + z2_m δ2_m) = 0 for every sample, then with q = 1 + αk and λ = v^α

        Σ_m v_m^q · exp(2 ω q t) is constant,

    since dv_m/dt = 2(G1_m + G2_m − ω v_m). k = 0 is invariance of the loss when all
    representations are scaled; k = β the same for the family δ/λ^β, where λ is a power of v up to
    a factor that all modes share. At q = 0 it is Σ_m ln v_m + 2ωt, the limit of the powers.

    A learned predictor has dp_m²/dt = 2κ E[λ_m δλ_m] − 2 ω_p p_m². Where λ_m δλ_m = z1_m δ1_m and
    z2 is stopped, v_m − p_m²/κ is conserved, up to exp(2ωt) if both decay alike; and Σ_m p_m² where
    Σ_m λ_m δλ_m = 0. Heavy-ball momentum conserves none of these. Where modes have signals d_m, and
    λ = (r_m v)^α, variances count with weights r_m^{αk}/d_m, as dv/dt = 2d (G1 + G2) − 2ω v.

    Args:
        loss: Per-sample loss in the predictor's eigenbasis, or the name of a built-in one.
        alpha: Exponent of the predictor.
        decays: Whether weight decay is on; without it the exponentials are one and left out.
        alike: Whether the encoder and a learned predictor decay at the same rate.
        architecture: Predictor, target and momentum.

    Returns:
        The conserved quantities; empty if there are none.

    Raises:
        UnknownName: No loss has this name.

    Source: Halvagal et al. 2023 for the cosine loss; the isotropic one follows likewise. Tian et
    al. 2021 for the learned predictor.

    Examples:
        >>> [quantity.name for quantity in eigendyn.theory.conserved_quantities("cosine")]
        ['sum of variances']
    """
    loss = as_loss(loss)
    delta1, delta2 = descent_directions(loss)
    if (delta1 == 0 and delta2 == 0) or architecture.has_momentum:
        return ()
    alpha = sp.nsimplify(alpha, rational=True)
    is_power = architecture.predictor == "direct" and not architecture.has_epsilon
    exponents = [sp.S.Zero, loss.beta] if is_power or not loss.has_predictor else [sp.S.Zero]
    found = []
    signal = sym.signal if architecture.is_anisotropic else sp.S.One
    share = correlation_share(architecture) if architecture.is_anisotropic else sp.S.One
    for k in dict.fromkeys(exponents):
        if sym.equal(ModeSum(lam**k * (z1 * delta1 + z2 * delta2)), sp.S.Zero):
            exponent = sp.expand(1 + alpha * k) if loss.has_predictor else sp.S.One
            weight = share ** (alpha * k) / signal
            of = _sum_of_logarithms if exponent == 0 else partial(_sum, exponent)
            found.append(of(weight, decays))
    if loss.has_predictor and architecture.predictor == "learned":
        found += _with_learned_predictor(loss, delta1, delta2, decays, alike, signal)
    return tuple(found)


def _with_learned_predictor(
    loss: SymbolicLoss,
    delta1: sp.Expr,
    delta2: sp.Expr,
    decays: bool,
    alike: bool,
    signal: sp.Expr,
) -> list[Conserved]:
    direction = predictor_direction(loss)
    square, kappa, time = sym.predictor_value**2, sym.predictor_rate, sym.time
    found = []
    if sym.equal(ModeSum(lam * direction), sp.S.Zero):
        growth = sp.exp(2 * sym.predictor_decay * time) if decays else sp.S.One
        name = "sum of predictor eigenvalue²" + " × exp(2·ω_p·t)" * decays
        found.append(Conserved(name, ModeSum(square) * growth))
    if alike and delta2 == 0 and sym.equal(lam * direction, z1 * delta1):
        difference = ModeSum(sym.singular_value**2 / signal - square / kappa)
        growth = sp.exp(2 * sym.weight_decay * time) if decays else sp.S.One
        variance = "variance" if signal == 1 else "variance/signal"
        name = f"sum of ({variance} − predictor eigenvalue²/κ)" + " × exp(2ωt)" * decays
        found.append(Conserved(name, difference * growth))
    return found


def _sum(exponent: sp.Expr, weight: sp.Expr, decays: bool) -> Conserved:
    power = (sym.singular_value**2) ** exponent
    growth = sp.exp(2 * sym.weight_decay * exponent * sym.time) if decays else sp.S.One
    power_name = f"{exponent}" if exponent.is_Integer else f"({exponent})"
    name = "sum of variances" if exponent == 1 else f"sum of variance^{power_name}"
    name = _weighted(name, weight)
    suffix = " × exp(2ωt)" if exponent == 1 else f" × exp(2·{power_name}·ωt)"
    return Conserved(name + suffix * decays, ModeSum(weight * power) * growth)


def _sum_of_logarithms(weight: sp.Expr, decays: bool) -> Conserved:
    growth = 2 * sym.weight_decay * sym.time if decays else sp.S.Zero
    name = "sum of (log variance + 2ωt)" if decays else "sum of log variance"
    logarithm = sp.log(sym.singular_value**2) + growth
    return Conserved(_weighted(name, weight), ModeSum(weight * logarithm))


def _weighted(name: str, weight: sp.Expr) -> str:
    if weight == 1:
        return name
    return f"{name}, each times {weight}"
