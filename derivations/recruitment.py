r"""How long a vanishing mode takes to be recruited, from its growth rate (1/v) dv/dt.

Without noise and decay, among n ≥ 3 equal modes with v*, λ* = v*^α, to leading order in λ:

    cosine          2λ/((n−2) λ* v*):  hyperbolic growth, time (n−2) λ* v*/(2αλ₀)
    iso-cosine      2/((n−2) λ* v*):   exponential growth, time ≈ (n−2) λ* v* ln(1/λ₀)/(2α)
    Euclidean       2λ:  time ≈ 1/(2αλ₀)
    iso-Euclidean   2:   time ≈ ln(1/λ₀)/(2α)

For n ≤ 2 the integral over the tilts diverges as the mode vanishes, and the power law is another.

Symbols of this page: n, the others' variance v*, the start λ₀ and the end λ₁ < 1 of the
recruitment; the alphabet has none.

Source: derived here.
"""

import jax.numpy as jnp
import sympy as sp

import eigendyn
from derivations.dirichlet import integrate_tilts
from derivations.page import Line, show
from derivations.rates import NOISELESS, UNDISTURBED
from derivations.tilted_gaussian import over_a_and_b
from eigendyn.simulation.engines.shifted.power_sum import growth_rate
from eigendyn.theory import symbols as sym
from eigendyn.theory.closure import close
from eigendyn.theory.derive import mode_dynamics
from eigendyn.theory.losses import SymbolicLoss, cosine, euclidean, iso_cosine, iso_euclidean
from eigendyn.theory.symbols import ModeSum, alpha, determinant, lam, variance

n = sp.Symbol("n", positive=True, integer=True)
w, l0, l1 = sp.symbols("v^* lambda_0 lambda_1", positive=True)


def hand_growth() -> sp.Expr:
    """Write the growth rate by hand: over λ in the cosine loss, as it is in the isotropic one."""
    return 2 / ((n - 2) * w**alpha * w)


def hand_cosine_time() -> sp.Expr:
    """Write the time at which the hyperbolic growth would diverge, by hand."""
    return (n - 2) * w ** (1 + alpha) / (2 * alpha * l0)


def hand_euclidean_time() -> sp.Expr:
    """Write the leading order for small λ₀ by hand."""
    return 1 / (2 * alpha * l0)


def hand_iso_euclidean_time() -> sp.Expr:
    """Write the leading order for small λ₀ by hand."""
    return sp.log(1 / l0) / (2 * alpha)


def vanishing_growth(loss: SymbolicLoss) -> sp.Expr:
    """Derive lim (1/v) dv/dt / λ^{1−β} for v → 0 of one mode among n others of variance w."""
    dynamics = close(mode_dynamics(loss, alpha))
    (average,) = dynamics.rates[0].atoms(sym.Average)
    integrand = over_a_and_b(average, dynamics)[0].xreplace(NOISELESS)
    growth = sp.expand(2 * integrand / (variance * lam ** (1 - loss.beta)))
    local, sums = sym.detach(growth, ModeSum)
    vanishing = local.xreplace({determinant: sp.S.One}).subs(lam, 0)
    others = {}
    for name, total in sums.items():
        (summand,) = total.args
        assert summand.xreplace({determinant: sp.S.One}).subs(variance, 0) == 0  # its own share
        others[name] = n * summand.xreplace({lam: w**alpha, variance: w})
    integrand = vanishing.xreplace(others)
    return sp.simplify(integrate_tilts(integrand, 2 * w ** (2 * alpha + 1), 2 * w))


def duration(loss: SymbolicLoss) -> sp.Expr:
    """Derive ∫ dλ/(dλ/dt) from l0 to l1 for a loss whose modes are independent."""
    growth = growth_rate(close(mode_dynamics(loss, alpha))).xreplace(UNDISTURBED)
    rate = sp.expand(alpha * lam * growth.subs(variance, lam ** (1 / alpha)))
    partial = sp.apart(1 / sp.factor(rate / alpha), lam) / alpha
    time = sum(sp.integrate(term, (lam, l0, l1)) for term in sp.Add.make_args(partial))
    return time.subs({sp.log(x - 1): sp.log(1 - x) for x in (l0, l1)})  # the same in differences


def vanishing_modes_grow_by_the_others() -> list[Line]:
    """For every n ≥ 3, by the Dirichlet integral; the cosine rate has one more factor λ."""
    plain, iso = vanishing_growth(cosine()), vanishing_growth(iso_cosine())
    assert sp.simplify(plain / hand_growth()) == 1
    assert sp.simplify(iso / hand_growth()) == 1
    time = sp.integrate(1 / (alpha * plain * lam**2), (lam, l0, sp.oo))
    assert sp.simplify(time / hand_cosine_time()) == 1
    return [
        ("cosine", r"\frac{1}{v_m} \frac{dv_m}{dt}", lam * plain),
        ("cosine, hyperbolic growth until", "t", time),
        ("iso-cosine", r"\frac{1}{v_m} \frac{dv_m}{dt}", iso),
    ]


def euclidean_modes_need_their_own_eigenvalue() -> list[Line]:
    """The time from λ₀ to any λ₁ < 1, for λ₀ → 0."""
    lines = []
    times = (hand_euclidean_time(), hand_iso_euclidean_time())
    for loss, by_hand in zip((euclidean(), iso_euclidean()), times, strict=True):
        time = duration(loss)
        slope = growth_rate(close(mode_dynamics(loss, alpha))).xreplace(UNDISTURBED)
        speed = alpha * l1 * slope.subs(variance, l1 ** (1 / alpha))
        assert sp.simplify(time.diff(l1) * speed) == 1
        assert sp.limit(time / by_hand, l0, 0, "+") == 1
        lines.append((f"{loss.name}, exactly", "t", sp.simplify(time)))
        lines.append((f"{loss.name}, small start", "t", by_hand))
    return lines


def the_compiled_field_has_these_rates() -> list[Line]:
    """The exact closure at a variance of 1e-10 and n = 6, to 1e-8."""
    lines, small, at = [], 1e-10, 0.8
    by_hand = float(hand_growth().subs({n: 6, w: at, alpha: 1}))
    for name, factor in (("cosine", small), ("iso-cosine", 1.0)):
        start = [small, *[at] * 6]
        field, states, numbers = eigendyn.vector_field(name, start, sigma2=0.0)
        growth = float(2 * field(0.0, jnp.asarray(states), numbers)[0, 0] / states[0, 0]) / factor
        assert abs(growth - by_hand) < 1e-8
        lines.append((f"{name}, compiled, n = 6, v* = {at}", "k", sp.Float(growth)))
    return lines


CLAIMS = (
    vanishing_modes_grow_by_the_others,
    euclidean_modes_need_their_own_eigenvalue,
    the_compiled_field_has_these_rates,
)

if __name__ == "__main__":
    show(__doc__, CLAIMS)
