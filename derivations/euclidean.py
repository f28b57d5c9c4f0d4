r"""With the Euclidean loss every mode learns alone, at a speed set by its own eigenvalue.

    δ_m = λ_m (z2_m − λ_m z1_m),   so at σ = 0: δ_m = λ_m (1 − λ_m) z_m
    dv_m/dt = 2 v_m [λ_m (1 − (1+σ1²) λ_m) − ω]
    dλ_m/dt = 2α λ_m [λ_m (1 − (1+σ1²) λ_m) − ω],   λ_m = v_m^α

The noise of the target drops out; that of the input moves the fixed point from λ = 1 to
λ = 1/(1+σ1²).

Source: Halvagal et al. 2023, Euclidean dynamics (there σ = ω = 0).
"""

import sympy as sp

from derivations.page import Line, show
from eigendyn.simulation.engines.shifted.power_sum import growth_rate
from eigendyn.theory import symbols as sym
from eigendyn.theory.closure import close
from eigendyn.theory.derive import descent_directions, mode_dynamics
from eigendyn.theory.losses import euclidean
from eigendyn.theory.symbols import alpha, lam, sigma1, variance, weight_decay, z1, z2


def hand_direction() -> sp.Expr:
    """Write δ_m by hand."""
    return lam * (z2 - lam * z1)


def hand_direction_without_noise() -> sp.Expr:
    """Write δ_m of two equal views by hand."""
    return lam * (1 - lam) * z1


def hand_variance_rate() -> sp.Expr:
    """Write dv/dt = 2(G1 − ωv), G1 = λ c12 − λ² c11, by hand."""
    c11, c12 = variance * (1 + sigma1**2), variance
    eigenvalue = variance**alpha
    return 2 * (eigenvalue * c12 - eigenvalue**2 * c11 - weight_decay * variance)


def hand_eigenvalue_rate() -> sp.Expr:
    """Write dλ/dt by hand."""
    return 2 * alpha * lam * (lam * (1 - (1 + sigma1**2) * lam) - weight_decay)


def every_sample_pulls_each_mode_by_itself() -> list[Line]:
    """The descent direction of a mode has no sum over modes."""
    direction, stopped = descent_directions(euclidean())
    without_noise = direction.xreplace({z2: z1})
    assert stopped == 0
    assert not direction.has(sym.ModeSum)
    assert sym.equal(direction, hand_direction())
    assert sym.equal(without_noise, hand_direction_without_noise())
    return [
        ("loss", r"\ell", euclidean().expression),
        ("descent direction", r"\delta_m", sp.factor(direction)),
        ("equal views", r"\delta_m", sp.factor(without_noise)),
    ]


def modes_evolve_independently() -> list[Line]:
    """Expected over inputs and noises, dv/dt and dλ/dt close on the mode's own variance."""
    growth = growth_rate(close(mode_dynamics(euclidean(), alpha)))
    variance_rate = sp.expand(variance * growth)
    through_variance = (variance**alpha).diff(variance) * variance_rate
    eigenvalue_rate = sp.expand(through_variance).subs(variance, lam ** (1 / alpha))
    assert sp.simplify(variance_rate - hand_variance_rate()) == 0
    assert sp.simplify(eigenvalue_rate - hand_eigenvalue_rate()) == 0
    return [
        ("variance of a mode", r"\frac{dv_m}{dt}", sp.powsimp(variance_rate)),
        ("its eigenvalue", r"\frac{d\lambda_m}{dt}", sp.factor(sp.simplify(eigenvalue_rate))),
    ]


CLAIMS = (every_sample_pulls_each_mode_by_itself, modes_evolve_independently)

if __name__ == "__main__":
    show(__doc__, CLAIMS)
