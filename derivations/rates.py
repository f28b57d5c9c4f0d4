r"""Near the isotropic point deviations decay at rates that only cosine makes depend on M.

Without noise and decay, at equal variances v*:

    Euclidean   2α  (2α/c with c = 1 + σ1²),   iso-Euclidean  2α
    cosine      2α/((M+2) v*) exactly,         mean field     2α/(M v*)
    iso-cosine  2α/((M+2) v*^{1+α})

The cosine ones are special cases of 2α/((M+2) v*^{1+αβ}) for δ/λ^β. They hold for every deviation
that keeps Σ v; a common change of all variances meets no force. Such a deviation changes no sum
over modes to first order, as all modes weigh the same there: it is enough to differentiate with
respect to the mode's own variance. M stays a symbol.

Source: derived here; the mean-field rate is the leading order in 1/M.
"""

import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp

import eigendyn
from derivations.dirichlet import integrate_tilts
from derivations.page import Line, show
from derivations.tilted_gaussian import over_a_and_b
from eigendyn.simulation.engines.shifted.power_sum import growth_rate
from eigendyn.theory import symbols as sym
from eigendyn.theory.closure import close
from eigendyn.theory.derive import mode_dynamics, substitute
from eigendyn.theory.losses import SymbolicLoss, cosine, euclidean, iso_cosine, iso_euclidean
from eigendyn.theory.symbols import ModeSum, alpha, beta, determinant, lam, modes, variance

NOISELESS = {sym.n11: sp.S.One, sym.n12: sp.S.One, sym.n22: sp.S.One, sym.n_determinant: sp.S.Zero}
UNDISTURBED = {s: sp.S.Zero for s in (sym.sigma1, sym.sigma2, sym.weight_decay)}


def hand_euclidean() -> sp.Expr:
    """Write the rate of the Euclidean loss, without decay but with noise, by hand."""
    return 2 * alpha / (1 + sym.sigma1**2)


def hand_iso_euclidean() -> sp.Expr:
    """Write the rate of the isotropic Euclidean loss by hand."""
    return 2 * alpha


def hand_cosine() -> sp.Expr:
    """Write the exact rate of the family δ/λ^β of the cosine loss by hand."""
    return 2 * alpha / ((modes + 2) * variance ** (1 + alpha * beta))


def hand_mean_field() -> sp.Expr:
    """Write the rate of the cosine loss in mean field by hand."""
    return 2 * alpha / (modes * variance)


def own_derivative(rate: sp.Expr, delta: sp.Expr) -> sp.Expr:
    """Derive d rate/dv of one mode at equal modes, its sums over modes held constant."""
    local, sums = sym.detach(rate, ModeSum)
    eigenvalue, delta = variance**alpha, delta.xreplace({lam: variance**alpha})
    local = local.xreplace({lam: eigenvalue})
    change = local.diff(variance) + local.diff(determinant) * delta.diff(variance)
    equal = {
        name: modes * total.args[0].xreplace({lam: eigenvalue}) for name, total in sums.items()
    }
    return sp.expand(sp.powdenest(change.xreplace(equal), force=True))


def exact_rate(loss: SymbolicLoss) -> sp.Expr:
    """Derive the rate from the integrand over tilted Gaussians."""
    dynamics = close(mode_dynamics(loss, alpha))
    (average,) = dynamics.rates[0].atoms(sym.Average)
    integrand, delta = (e.xreplace(NOISELESS) for e in over_a_and_b(average, dynamics))
    change = own_derivative(2 * integrand, delta)
    first, second = 2 * variance ** (2 * alpha + 1), 2 * variance  # Δ = 1 + 2λ²v a + 2v b
    return sp.simplify(-integrate_tilts(change, first, second))


def euclidean_modes_relax_alone() -> list[Line]:
    """The slope of dλ/dt at its fixed point."""
    lines = []
    for loss, by_hand in ((euclidean(), hand_euclidean()), (iso_euclidean(), hand_iso_euclidean())):
        growth = growth_rate(close(mode_dynamics(loss, alpha))).subs(sym.weight_decay, 0)
        rate = alpha * lam * growth.subs(variance, lam ** (1 / alpha))
        fixed_point = 1 / (1 + sym.sigma1**2)
        assert sp.simplify(rate.subs(lam, fixed_point)) == 0
        relaxation = sp.simplify(-rate.diff(lam).subs(lam, fixed_point))
        assert sp.simplify(relaxation - by_hand) == 0
        lines.append((loss.name, "r", relaxation))
    return lines


def cosine_modes_relax_slower_the_more_there_are() -> list[Line]:
    """Exact for every M, by the Dirichlet integral."""
    rate = exact_rate(cosine(beta))
    assert sp.simplify(rate / hand_cosine()) == 1
    assert sp.simplify(exact_rate(cosine()) / rate.subs(beta, 0)) == 1
    assert sp.simplify(exact_rate(iso_cosine()) / rate.subs(beta, 1)) == 1
    return [
        ("cosine, family", "r", rate),
        ("cosine", "r", rate.subs(beta, 0)),
        ("iso-cosine", "r", rate.subs(beta, 1)),
    ]


def mean_field_is_its_leading_order() -> list[Line]:
    """The same linearisation of the mean-field closure."""
    dynamics = close(mode_dynamics(cosine(), alpha), "mean-field")
    s = sym.singular_value
    moment = sym.canonical(2 * s * substitute(dynamics.rates[0], dynamics).xreplace(UNDISTURBED))
    rate = -own_derivative(moment.xreplace({s: sp.sqrt(variance)}), sp.S.One)
    assert sp.simplify(rate / hand_mean_field()) == 1
    assert sp.limit(hand_mean_field() / hand_cosine().subs(beta, 0), modes, sp.oo) == 1
    return [("cosine, mean field", "r", sp.simplify(rate))]


def the_compiled_field_has_these_rates() -> list[Line]:
    """Eigenvalues of the Jacobian of the exact closure: 0 once, −r otherwise, to 1e-8."""
    lines, at, power = [], 0.8, 0.5
    for name, family, count in (("cosine", 0, 3), ("cosine", 0, 8), ("iso-cosine", 1, 3)):
        settings = {"sigma2": 0.0, "alpha": power}
        field, states, numbers = eigendyn.vector_field(name, np.full(count, at), **settings)
        slope = jax.jit(jax.jacfwd(lambda s, f=field, n=numbers: f(0.0, s[None], n)[0]))
        rates = np.sort(-np.linalg.eigvals(np.asarray(slope(jnp.asarray(states[0])))).real)
        point = {modes: count, alpha: power, beta: family, variance: at}
        expected = float(hand_cosine().subs(point))
        assert abs(rates[0]) < 1e-8
        assert np.abs(rates[1:] - expected).max() < 1e-8
        lines.append((f"{name}, compiled, M = {count}, v* = {at}, α = ½", "r", sp.Float(rates[-1])))
    return lines


CLAIMS = (
    euclidean_modes_relax_alone,
    cosine_modes_relax_slower_the_more_there_are,
    mean_field_is_its_leading_order,
    the_compiled_field_has_these_rates,
)

if __name__ == "__main__":
    show(__doc__, CLAIMS)
