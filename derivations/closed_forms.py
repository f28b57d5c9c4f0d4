r"""Where modes do not couple and weights do not decay, their equation has an explicit solution.

With c = 1 + σ1² and rates derived from the losses:

    Euclidean       dλ/dt = 2αλ²(1−cλ):  u + ln u = u₀ + ln u₀ − 2αt/c with u = 1/(cλ) − 1,
                    so λ = 1/(c (1 + ω(u₀ + ln u₀ − 2αt/c))), ω the Wright omega function;
                    above the fixed point u ∈ (−1, 0), and W₀(u e^u) is the same solution
    iso-Euclidean   dλ/dt = 2αλ(1−cλ):  λ = 1/(c + (1/λ₀ − c) e^{−2αt})
    no predictor    dv/dt = −2σ1²v:  v = v₀ e^{−2σ1²t}

Symbols of this page: u, and the starts u₀, λ₀ and v₀; the alphabet has none.

Source: Corless and Jeffrey 2002, the Wright ω function; the logistic equation, standard.
"""

import sympy as sp

from derivations.page import Line, show
from eigendyn.program.derivation import program_of
from eigendyn.simulation.engines.closed_form.closed_form import match_closed_form
from eigendyn.simulation.engines.closed_form.powers import growth_powers
from eigendyn.simulation.engines.shifted.power_sum import growth_rate
from eigendyn.theory import symbols as sym
from eigendyn.theory.closure import close
from eigendyn.theory.derive import mode_dynamics
from eigendyn.theory.losses import SymbolicLoss, euclidean, iso_euclidean, without_predictor
from eigendyn.theory.symbols import alpha, lam, sigma1, time, variance

u, l0, v0 = sp.symbols("u lambda_0 v_0", positive=True)
u0 = sp.Symbol("u_0", real=True)
C = 1 + sigma1**2


def hand_implicit() -> sp.Expr:
    """Write what grows by −2αt/c in the Euclidean solution, by hand."""
    return u + sp.log(u)


def hand_euclidean() -> sp.Expr:
    """Write the Euclidean solution by hand, on the principal branch; u0 = 1/(cλ₀) − 1 > −1."""
    return 1 / (C * (1 + sp.LambertW(u0 * sp.exp(u0 - 2 * alpha * time / C))))


def hand_logistic() -> sp.Expr:
    """Write the isotropic Euclidean solution by hand."""
    return 1 / (C + (1 / l0 - C) * sp.exp(-2 * alpha * time))


def hand_exponential() -> sp.Expr:
    """Write the solution without predictor by hand."""
    return v0 * sp.exp(-2 * sigma1**2 * time)


def undecayed_growth(loss: SymbolicLoss) -> sp.Expr:
    """Derive (1/v) dv/dt without weight decay."""
    return growth_rate(close(mode_dynamics(loss, alpha))).xreplace({sym.weight_decay: sp.S.Zero})


def pattern(loss: SymbolicLoss) -> str:
    """Find the solution that a simulation takes, without weight decay."""
    numbers = {"alpha": 0.7, "sigma1": 0.3, "weight_decay": 0.0}
    program = program_of(close(mode_dynamics(loss, alpha)))
    return match_closed_form(growth_powers(program, numbers, modes=1)).pattern


def eigenvalue_rate(loss: SymbolicLoss) -> sp.Expr:
    """Derive dλ/dt without weight decay."""
    growth = undecayed_growth(loss).subs(variance, lam ** (1 / alpha))
    return sp.factor(sp.powdenest(alpha * lam * growth, force=True))


def euclidean_modes_follow_the_wright_omega_function() -> list[Line]:
    """The residual of the implicit and of the explicit solution is zero; λ(0) = λ₀."""
    rate = eigenvalue_rate(euclidean())
    by_eigenvalue = 1 / (C * lam) - 1
    speed = (by_eigenvalue.diff(lam) * rate).subs(lam, 1 / (C * (1 + u)))  # du/dt
    assert sp.simplify(hand_implicit().diff(u) * speed + 2 * alpha / C) == 0
    solution = hand_euclidean()
    assert sp.simplify(solution.diff(time) - rate.subs(lam, solution)) == 0
    for start in (sp.Rational(1, 20), sp.Rational(7, 10), sp.Integer(3)):  # λ₀, also above 1/c
        initial = solution.subs({time: 0, u0: by_eigenvalue.subs(lam, start)})
        assert abs(initial.subs(sigma1, sp.Rational(1, 2)).evalf(30) - start) < 1e-25
    assert pattern(euclidean()) == "omega"
    return [
        ("derived", r"\frac{d\lambda}{dt}", rate),
        ("solved by u = 1/(cλ) − 1", r"u_0 + \ln u_0 - \frac{2 \alpha t}{c}", hand_implicit()),
        ("that is", r"\lambda(t)", solution),
    ]


def isotropic_modes_follow_the_logistic_function() -> list[Line]:
    """The residual is zero, and λ(0) = λ₀."""
    rate, solution = eigenvalue_rate(iso_euclidean()), hand_logistic()
    assert sp.simplify(solution.diff(time) - rate.subs(lam, solution)) == 0
    assert sp.simplify(solution.subs(time, 0) - l0) == 0
    assert pattern(iso_euclidean()) == "bernoulli"
    return [("derived", r"\frac{d\lambda}{dt}", rate), ("solved by", r"\lambda(t)", solution)]


def modes_without_predictor_decay_exponentially() -> list[Line]:
    """The residual is zero, and v(0) = v₀."""
    growth, solution = undecayed_growth(without_predictor(euclidean())), hand_exponential()
    assert sp.simplify(solution.diff(time) - growth * solution) == 0
    assert solution.subs(time, 0) == v0
    assert pattern(without_predictor(euclidean())) == "exponential"
    return [("derived", r"\frac{dv}{dt}", growth * variance), ("solved by", "v(t)", solution)]


CLAIMS = (
    euclidean_modes_follow_the_wright_omega_function,
    isotropic_modes_follow_the_logistic_function,
    modes_without_predictor_decay_exponentially,
)

if __name__ == "__main__":
    show(__doc__, CLAIMS)
