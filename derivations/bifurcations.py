r"""Weight decay makes the Euclidean loss forget small modes, the isotropic one only beyond ω = 1.

With c = 1 + σ1² and growth rates (1/v) dv/dt = 2g derived from the losses:

    Euclidean       g = λ(1−cλ) − ω:  fixed points λ± = (1 ± √(1−4cω))/(2c) merge in a saddle-node
                    at ω = 1/(4c); modes below λ₋ collapse, and beyond it all do
    iso-Euclidean   g = 1 − cλ − ω:   λ* = (1−ω)/c exchanges stability with λ = 0 at ω = 1
                    (transcritical); below, no mode collapses

Source: derived here.
"""

import sympy as sp

from derivations.page import Line, show
from eigendyn.simulation.engines.shifted.power_sum import growth_rate
from eigendyn.theory.closure import close
from eigendyn.theory.derive import mode_dynamics
from eigendyn.theory.losses import SymbolicLoss, euclidean, iso_euclidean
from eigendyn.theory.symbols import alpha, lam, sigma1, variance, weight_decay

C = 1 + sigma1**2
EXAMPLE = {sigma1: 0, weight_decay: sp.Rational(1, 8)}  # below the saddle-node


def hand_saddle_node() -> sp.Expr:
    """Write the weight decay of the saddle-node by hand."""
    return 1 / (4 * C)


def hand_threshold() -> sp.Expr:
    """Write λ₋ by hand."""
    return (1 - sp.sqrt(1 - 4 * C * weight_decay)) / (2 * C)


def hand_iso_fixed_point() -> sp.Expr:
    """Write the fixed point of the isotropic loss by hand."""
    return (1 - weight_decay) / C


def growth(loss: SymbolicLoss) -> sp.Expr:
    """Derive g = (1/v) dv/dt/2 as a function of λ."""
    rate = growth_rate(close(mode_dynamics(loss, alpha))) / 2
    return sp.expand(rate.subs(variance, lam ** (1 / alpha)))


def euclidean_modes_below_the_saddle_collapse() -> list[Line]:
    """The growth rate vanishes at λ±; its slope decides; both vanish at the saddle-node."""
    g = growth(euclidean())
    x = sp.Symbol("x", real=True)  # λ without its sign
    roots = sp.solve(g.subs(lam, x), x)
    threshold, attractor = sorted(roots, key=lambda root: root.subs(EXAMPLE))
    ((where, critical),) = sp.solve([g.subs(lam, x), g.subs(lam, x).diff(x)], [x, weight_decay])
    below = sp.Symbol("y", positive=True)  # ω below the saddle-node: 4cω = 1 − y²
    at = {weight_decay: (1 - below**2) / (4 * C)}
    slopes = [sp.simplify(g.diff(lam).subs(lam, hand).subs(at)) for hand in (threshold, attractor)]
    assert sp.simplify(threshold - hand_threshold()) == 0
    assert sp.simplify(critical - hand_saddle_node()) == 0
    assert slopes[0].is_positive  # repels: modes below it decay
    assert slopes[1].is_negative
    assert g.subs(lam, 0) == -weight_decay  # a vanished mode stays so
    assert g.diff(lam, 2).is_negative  # non-degenerate: a true saddle-node
    assert g.diff(weight_decay) == -1
    return [
        ("growth rate", "g", g),
        ("modes below it collapse", r"\lambda_-", sp.simplify(threshold)),
        ("attractor", r"\lambda_+", sp.simplify(attractor)),
        ("saddle-node", r"\omega", sp.simplify(critical)),
        ("there", r"\lambda", sp.simplify(where)),
    ]


def isotropic_modes_collapse_only_beyond_one() -> list[Line]:
    """λ = 0 grows at g(0) = 1 − ω, perturbations of λ* at λ* g'(λ*) = −(1 − ω)."""
    g = growth(iso_euclidean())
    (fixed_point,) = sp.solve(g.subs(lam, sp.Symbol("x")), sp.Symbol("x"))
    at_zero = g.subs(lam, 0)
    at_fixed_point = sp.simplify(fixed_point * g.diff(lam))
    assert sp.simplify(fixed_point - hand_iso_fixed_point()) == 0
    assert sp.simplify(at_zero + at_fixed_point) == 0  # exchange of stability
    (critical,) = sp.solve(at_zero, weight_decay)
    assert critical == 1
    return [
        ("growth rate", "g", g),
        ("fixed point", r"\lambda^*", sp.factor(fixed_point)),
        ("growth of a vanishing mode", "g(0)", at_zero),
        ("transcritical", r"\omega", critical),
    ]


CLAIMS = (euclidean_modes_below_the_saddle_collapse, isotropic_modes_collapse_only_beyond_one)

if __name__ == "__main__":
    show(__doc__, CLAIMS)
