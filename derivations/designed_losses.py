r"""A loss can be read backwards: any growth rate of the modes is that of some stop-gradient loss.

    ℓ = ½ Σ (z1 − SG(z1 + δ))² has the descent direction δ, whatever δ is
    δ = g z2 − h z1/(1 + σ1²)  gives  ds_m/dt = s_m (g − h),  dλ_m/dt = 2α λ_m (g − h)

with g and h functions of λ_m and of sums over modes, which are constants for differentiation. The
isotropic losses are the designs in which no mode is multiplied: g = 1, h = λ for the Euclidean one,
and δ/λ in the place of δ for the cosine.

Source: The form follows Halvagal et al. 2023, IsoLoss.
"""

import sympy as sp

from derivations.page import Line, show
from eigendyn.analysis.design.backwards import design_loss, design_multiplier
from eigendyn.theory import symbols as sym
from eigendyn.theory.closure import close
from eigendyn.theory.derive import descent_directions, mode_dynamics
from eigendyn.theory.losses import iso_cosine, iso_euclidean, own_loss
from eigendyn.theory.symbols import mode_sum, sigma1, singular_value, stop_gradient, z1, z2

g, h = (sym.loss_parameter(name) for name in "gh")


def hand_direction() -> sp.Expr:
    """Write δ by hand."""
    return g * z2 - h * z1 / (1 + sigma1**2)


def hand_rate() -> sp.Expr:
    """Write ds/dt by hand, without weight decay."""
    return singular_value * (g - h)


def any_rate_has_a_loss() -> list[Line]:
    """Put g on the target z2 and h on z1 itself: then modes grow at the rate g − h."""
    noise = sym.loss_parameter("noise")
    pulled = z1 + g * z2 - h * z1 / (1 + noise**2)
    numbers = {"g": 1.0, "h": 1.0, "noise": 0.0}
    loss = own_loss("designed", mode_sum((z1 - stop_gradient(pulled)) ** 2) / 2, numbers)
    direction = descent_directions(loss)[0].xreplace({noise: sigma1})
    assert sym.equal(direction, hand_direction())
    dynamics = close(mode_dynamics(loss))
    rate = dynamics.rates[0].xreplace({sym.weight_decay: sp.S.Zero, noise: sigma1})
    for symbol, meaning in dynamics.definitions:
        rate = rate.xreplace({symbol: meaning})
    assert sp.simplify(rate - hand_rate()) == 0
    return [
        ("descent direction", r"\delta_m", direction),
        ("singular value", r"\frac{ds_m}{dt}", sp.factor(sp.simplify(rate))),
    ]


def equal_rates_give_the_isotropic_losses() -> list[Line]:
    """1 − λ is iso-Euclidean, and the cosine loss with the multiplier 1 is iso-cosine."""
    euclidean, cosine = design_loss("1 - lam").loss, design_multiplier("cosine", "1").loss
    lines = []
    for name, design, iso in (
        ("iso-Euclidean", euclidean, iso_euclidean()),
        ("iso-cosine", cosine, iso_cosine()),
    ):
        direction = descent_directions(design)[0]
        assert sym.equal(direction, descent_directions(iso)[0])
        lines.append((name, r"\delta_m", direction))
    return lines


def sums_over_modes_can_stand_in_a_rate() -> list[Line]:
    """The mean eigenvalue minus one's own makes all equal, and leaves Σ ln λ as it is."""
    design = design_loss("sum(lam)/sum(1) - lam")
    assert sym.equal(design.derived, design.wanted)
    total = sym.canonical(mode_sum(design.derived)).subs(mode_sum(sp.S.One), sym.modes)
    assert sp.simplify(total) == 0
    return [("growth rate", r"\frac{1}{s_m}\frac{ds_m}{dt}", design.derived)]


CLAIMS = (
    any_rate_has_a_loss,
    equal_rates_give_the_isotropic_losses,
    sums_over_modes_can_stand_in_a_rate,
)

if __name__ == "__main__":
    show(__doc__, CLAIMS)
