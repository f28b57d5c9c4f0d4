r"""A predictor that follows a running correlation reaches its fixed point in damped oscillations.

Euclidean loss, c = 1 + σ1², λ = C^α of the running correlation C (printed c_m), which follows
that of the first view, c v, within T = η/(1−μ_c):

    (1/v) dv/dt = 2(λ − cλ² − ω),  dC/dt = (c v − C)/T
    At rest without decay: λ = 1/c, C = c^{−1/α}, v = c^{−1/α}/c; the direct predictor, which does
    not see the noise, rests at v = c^{−1/α}
    Rates there: T μ² + μ + r = 0 with r = 2α/c, with decay r = 2αλ(2cλ−1):  always stable, and
    oscillating at the angular frequency √(4rT−1)/(2T) for T > 1/(4r) = c/(8α)
    T → 0: C = c v, and c v follows the equation of the direct predictor's v.

Symbols of this page: T, and the logarithms ℓ = ln v and L = ln C.

Source: the running correlation, Tian, Chen, Ganguli 2021 (DirectPred), eq. 19; derived here.
"""

import sympy as sp

from derivations.page import Line, show
from eigendyn.settings.siamese import Architecture
from eigendyn.simulation.engines.shifted.power_sum import growth_rate
from eigendyn.theory import symbols as sym
from eigendyn.theory.closure import close
from eigendyn.theory.derive import mode_dynamics, substitute
from eigendyn.theory.formula import in_variances
from eigendyn.theory.losses import euclidean
from eigendyn.theory.symbols import alpha, lam, sigma1, variance, weight_decay
from eigendyn.theory.symbols import correlation_value as correlation
from eigendyn.theory.symbols import singular_value as s

C = 1 + sigma1**2
T = sp.Symbol("T", positive=True)
log_v, log_c = sp.symbols("ell L", real=True)


def hand_growth() -> sp.Expr:
    """Write (1/v) dv/dt as a function of λ by hand."""
    return 2 * (lam - C * lam**2 - weight_decay)


def hand_correlation_rate() -> sp.Expr:
    """Write dC/dt by hand."""
    return (C * variance - correlation) / T


def hand_variance() -> sp.Expr:
    """Write the variance at rest, without decay, by hand."""
    return C ** (-1 / alpha) / C


def hand_rate() -> sp.Expr:
    """Write r, the rate of the relaxation as T → 0, by hand."""
    return 2 * alpha * lam * (2 * C * lam - 1)


def hand_frequency() -> sp.Expr:
    """Write the angular frequency without decay by hand."""
    return sp.sqrt(8 * alpha * T / C - 1) / (2 * T)


def hand_longest_time() -> sp.Expr:
    """Write the T up to which nothing oscillates, without decay, by hand."""
    return C / (8 * alpha)


def rates() -> tuple[sp.Expr, sp.Expr]:
    """Derive (1/v) dv/dt as a function of λ = C^α, and dC/dt."""
    dynamics = close(mode_dynamics(euclidean(), alpha, Architecture(predictor="running")))
    assert dynamics.states == (s, correlation)
    assert dynamics.predictor == correlation**alpha
    encoder, average = (substitute(rate, dynamics) for rate in dynamics.rates)
    growth = sp.expand(2 * encoder / s).subs(dynamics.predictor, lam)
    kept = 1 - sym.learning_rate / T
    return growth, in_variances(average.subs(sym.correlation_momentum, kept))


def jacobian() -> sp.Matrix:
    """Derive the Jacobian in ln v and ln C at rest, ω being λ(1−cλ) there."""
    growth, average = rates()
    powers = {lam: sp.exp(alpha * log_c)}
    logarithms = {variance: sp.exp(log_v), correlation: sp.exp(log_c)}
    field = [growth.subs(powers), average.subs(logarithms) / sp.exp(log_c)]
    at = sp.Matrix(field).jacobian([log_v, log_c]).subs(log_v, log_c - sp.log(C))
    return sp.simplify(at).subs(log_c, sp.log(lam) / alpha).applyfunc(sp.simplify)


def the_predictor_sees_the_noise_of_the_first_view() -> list[Line]:
    """λ rests where that of the direct predictor does, hence c v where its v does."""
    growth, average = rates()
    assert sp.expand(growth - hand_growth()) == 0
    assert sp.simplify(average - hand_correlation_rate()) == 0
    still = growth.subs(weight_decay, 0)
    assert sp.expand(still.subs(lam, 1 / C)).simplify() == 0
    at_rest = {correlation: C ** (-1 / alpha), variance: hand_variance()}
    assert sp.simplify(average.subs(at_rest)) == 0
    assert sp.simplify(at_rest[correlation] ** alpha * C) == 1
    direct = growth_rate(close(mode_dynamics(euclidean(), alpha)))
    assert sp.expand(direct.subs(variance, lam ** (1 / alpha)) - growth) == 0
    return [
        ("encoder", r"\frac{1}{v_m} \frac{dv_m}{dt}", hand_growth()),
        ("running correlation", r"\frac{dc_m}{dt}", hand_correlation_rate()),
        ("at rest", "v_m", hand_variance()),
        ("at rest with the direct predictor", "v_m", C ** (-1 / alpha)),
    ]


def a_slow_correlation_oscillates() -> list[Line]:
    """The characteristic polynomial is T μ² + μ + r: stable for r > 0, complex for 4rT > 1."""
    at = jacobian()
    mu, r = sp.Symbol("mu"), sp.Symbol("r", positive=True)
    polynomial = sp.expand(T * at.charpoly(mu).as_expr())
    assert sp.simplify(polynomial - (T * mu**2 + mu + hand_rate())) == 0
    roots = sp.solve(T * mu**2 + mu + r, mu)
    assert sp.simplify(sum(roots) + 1 / T) == 0  # damping: half of it each
    assert sp.simplify(sp.Mul(*roots) - r / T) == 0
    (longest,) = sp.solve(sp.discriminant(T * mu**2 + mu + r, mu), T)
    undecayed = hand_rate().subs(lam, 1 / C)
    assert sp.simplify(undecayed - 2 * alpha / C) == 0
    assert sp.simplify(longest.subs(r, undecayed) - hand_longest_time()) == 0
    frequency = (roots[0] - roots[1]) / (2 * sp.I)
    assert sp.simplify(frequency.subs(r, undecayed) ** 2 - hand_frequency() ** 2) == 0
    return [
        ("characteristic polynomial", "0", sp.collect(T * mu**2 + mu + hand_rate(), mu)),
        ("oscillates beyond", "T", longest),
        ("without decay", "T", hand_longest_time()),
        ("its angular frequency", r"\Omega", hand_frequency()),
    ]


def a_fast_correlation_is_a_direct_predictor() -> list[Line]:
    """T dC/dt = 0 makes λ = (c v)^α; r is what one of the rates becomes, −1/T the other."""
    growth, average = rates()
    (settled,) = sp.solve(average * T, correlation)
    limit = growth.subs(lam, settled**alpha)
    direct = growth_rate(close(mode_dynamics(euclidean(), alpha)))
    difference = limit - direct.subs(variance, C * variance)  # of d ln(c v)/dt
    assert sp.simplify(sp.expand(sp.powdenest(difference, force=True))) == 0
    r = sp.Symbol("r", positive=True)
    slow, fast = ((-1 + sign * sp.sqrt(1 - 4 * r * T)) / (2 * T) for sign in (1, -1))
    assert sp.limit(slow, T, 0) == -r
    assert sp.limit(fast * T, T, 0) == -1
    relaxation = (variance * limit.diff(variance)).subs(variance, lam ** (1 / alpha) / C)
    assert sp.simplify(sp.powdenest(relaxation, force=True) + hand_rate()) == 0
    return [
        ("predictor", r"\lambda_m", settled**alpha),
        ("rate of relaxation", "r", hand_rate()),
    ]


CLAIMS = (
    the_predictor_sees_the_noise_of_the_first_view,
    a_slow_correlation_oscillates,
    a_fast_correlation_is_a_direct_predictor,
)

if __name__ == "__main__":
    show(__doc__, CLAIMS)
