r"""A learned linear predictor is balanced with its encoder by weight decay, and can collapse.

Euclidean loss, c = 1 + σ1². Predictor and encoder decay alike, ω_p = ω, and the target ξ = τ s of
every mode keeps its ratio τ to the encoder: exact with τ = 1 for a shared target, an approximation
for a moving average, which has dτ/dt = (1−μ_ξ)(1−τ)/η − τ (p(τ−cp) − ω) and τ = 1 at rest.

    dp/dt = κ s²(τ−cp) − ωp,  ds²/dt = 2p s²(τ−cp) − 2ωs²
    (s² − p²/κ) e^{2ωt} is constant, for every loss with λ in λ z1 alone
    On the parabola s² = p²/κ:  dp/dt = p (p(τ−cp) − ω), at rest at p = 0 and
    p± = (τ ± √(τ²−4ωc))/(2c), a node and a saddle, both with an eigenvalue −2ω towards the parabola
    Beyond the saddle-node ω = τ²/(4c) every start collapses, on the parabola and off it.
    Without decay p ends at τ/c with s² = s0² + (τ²/c² − p0²)/κ, or, where that is not positive,
    at s = 0; a start p0 < 0 ends at s = 0 already for p0² ≥ κ s0².

Erratum: as s² = p²/κ + C e^{−2ωt} the conserved quantity has C = s0² − p0²/κ. The constant with the
opposite sign, p0²/κ − s0², is found beside the same equation, and is a slip: it would let a start
inside the parabola end outside of it.

Symbols of this page: τ; p₋ and p₊ with c(p₋+p₊) = τ and c p₋ p₊ = ω, Δ = p₊ − p₋; the starts p0 and
s0; q = √(p0² − κ s0²), where a predictor stops whose encoder has collapsed.

Source: Tian, Chen, Ganguli 2021, arXiv 2102.06810, eqs. 11–13 (per mode, their s_j is s², their η
is ω) and 16 (on the parabola); derived here.
"""

import sympy as sp

from derivations.page import Line, show
from eigendyn.settings.siamese import Architecture
from eigendyn.theory import symbols as sym
from eigendyn.theory.closure import close
from eigendyn.theory.conservation import conserved_quantities
from eigendyn.theory.derive import (
    descent_directions,
    mode_dynamics,
    predictor_direction,
    substitute,
)
from eigendyn.theory.formula import in_variances
from eigendyn.theory.losses import cosine, euclidean, without_stop_gradient
from eigendyn.theory.symbols import Expectation, lam, sigma1, time, variance, weight_decay, z1
from eigendyn.theory.symbols import predictor_rate as kappa
from eigendyn.theory.symbols import predictor_value as p
from eigendyn.theory.symbols import singular_value as s

C = 1 + sigma1**2
SHARED = Architecture(predictor="learned")
APART = Architecture(predictor="learned", target="ema")
ALIKE = {sym.predictor_decay: weight_decay}

tau = sp.Symbol("tau", positive=True)
saddle, node, gap = sp.symbols("p_- p_+ Delta", positive=True)
p0, s0 = sp.Symbol("p_0", real=True), sp.Symbol("s_0", positive=True)
q = sp.Symbol("q", positive=True)
BY_ROOTS = {tau: C * (saddle + node), weight_decay: C * saddle * node}
ORDERED = {node: saddle + gap}


def hand_predictor_rate() -> sp.Expr:
    """Write dp/dt by hand."""
    return kappa * variance * (tau - C * p) - weight_decay * p


def hand_variance_rate() -> sp.Expr:
    """Write ds²/dt by hand."""
    return 2 * p * variance * (tau - C * p) - 2 * weight_decay * variance


def hand_ratio_rate() -> sp.Expr:
    """Write dτ/dt of a moving average by hand: what holding τ neglects."""
    approach = (1 - sym.ema) * (1 - tau) / sym.learning_rate
    return approach - tau * (p * (tau - C * p) - weight_decay)


def hand_conserved() -> sp.Expr:
    """Write what a mode conserves by hand."""
    return (variance - p**2 / kappa) * sp.exp(2 * weight_decay * time)


def hand_rate_on_the_parabola() -> sp.Expr:
    """Write dp/dt on s² = p²/κ by hand."""
    return p * (p * (tau - C * p) - weight_decay)


def hand_saddle() -> sp.Expr:
    """Write p₋ by hand."""
    return (tau - sp.sqrt(tau**2 - 4 * weight_decay * C)) / (2 * C)


def hand_node() -> sp.Expr:
    """Write p₊ by hand."""
    return (tau + sp.sqrt(tau**2 - 4 * weight_decay * C)) / (2 * C)


def hand_critical_decay() -> sp.Expr:
    """Write the weight decay of the saddle-node by hand."""
    return tau**2 / (4 * C)


def hand_shrinking() -> sp.Expr:
    """Write (1/s²) ds²/dt by hand as a square and what is left of it."""
    return 2 * (tau**2 / (4 * C) - weight_decay) - 2 * C * (p - tau / (2 * C)) ** 2


def hand_eigenvalue_across() -> sp.Expr:
    """Write the eigenvalue of the relaxation to the parabola by hand."""
    return -2 * weight_decay


def hand_eigenvalue_along() -> sp.Expr:
    """Write the eigenvalue along the parabola, at p = p±, by hand."""
    return p * (tau - 2 * C * p)


def hand_boundary_slope() -> sp.Expr:
    """Write the slope ds²/dp of the boundary of the basin at p₋ by hand."""
    return -(saddle / kappa) * (1 - saddle / node)


def hand_final_variance() -> sp.Expr:
    """Write the variance at the end, without decay, by hand."""
    return s0**2 + (tau**2 / C**2 - p0**2) / kappa


def hand_largest_start() -> sp.Expr:
    """Write the p0² from which on a positive predictor collapses without decay by hand."""
    return kappa * s0**2 + tau**2 / C**2


def plane(architecture: Architecture = APART) -> sp.Matrix:
    """Derive (ds/dt, dp/dt) at ω_p = ω and, where the target is apart, at ξ = τ s."""
    dynamics = close(mode_dynamics(euclidean(), sym.alpha, architecture))
    held = {sym.target_value: tau * s} | ALIKE
    rates = dict(zip(dynamics.states, dynamics.rates, strict=True))
    return sp.Matrix([substitute(rates[x], dynamics).xreplace(held) for x in (s, p)])


def on_the_parabola() -> sp.Expr:
    """Derive dp/dt on s² = p²/κ."""
    return plane()[1].subs(s, p / sp.sqrt(kappa))


def the_engine_has_these_equations() -> list[Line]:
    """Singular value and predictor at ξ = τ s; a shared target is τ = 1; a moving one changes τ."""
    variance_rate, predictor_rate = (
        in_variances(rate) for rate in (2 * s * plane()[0], plane()[1])
    )
    assert sp.expand(predictor_rate - hand_predictor_rate()) == 0
    assert sp.expand(variance_rate - hand_variance_rate()) == 0
    assert (plane(SHARED) - plane().subs(tau, 1)).expand().is_zero_matrix
    dynamics = close(mode_dynamics(euclidean(), sym.alpha, APART))
    target_rate = dynamics.rates[dynamics.states.index(sym.target_value)]
    ratio_rate = target_rate.xreplace({sym.target_value: tau * s}) / s - tau * plane()[0] / s
    assert sp.expand(ratio_rate - hand_ratio_rate()) == 0
    assert sp.solve(target_rate, sym.target_value) == [s]
    return [
        ("predictor", r"\frac{dp_m}{dt}", hand_predictor_rate()),
        ("encoder", r"\frac{ds_m^2}{dt}", hand_variance_rate()),
        ("neglected for a moving average", r"\frac{d\tau}{dt}", hand_ratio_rate()),
    ]


def encoder_and_predictor_become_balanced() -> list[Line]:
    """λ δλ = z1 δ1 for every sample, so s² − p²/κ of every mode decays as exp(−2ωt)."""
    lines = []
    growth = sp.exp(2 * weight_decay * time)
    conserved = hand_conserved().xreplace({variance: s**2})
    for loss in (euclidean(), cosine()):
        first, _ = descent_directions(loss)
        assert sym.equal(lam * predictor_direction(loss), z1 * first)
        for architecture in (SHARED, APART):
            found = conserved_quantities(loss, sym.alpha, decays=True, architecture=architecture)
            balanced = sym.mode_sum(s**2 - p**2 / kappa) * growth
            assert any(sym.equal(one.expression, balanced) for one in found)
            dynamics = mode_dynamics(loss, sym.alpha, architecture)
            change = sum(
                conserved.diff(state) * rate.xreplace(ALIKE)
                for state, rate in zip(dynamics.states, dynamics.rates, strict=True)
            )
            sample = (change + conserved.diff(time)).replace(Expectation, lambda moment: moment)
            assert sym.equal(sample.xreplace({p: lam}) / growth, sp.S.Zero)
        assert sym.equal(conserved / growth, s**2 - p**2 / kappa)
        lines.append((loss.name, r"\mathrm{constant}", hand_conserved()))
    pulled = without_stop_gradient(euclidean())  # the second view would move s as well
    assert conserved_quantities(pulled, decays=True, architecture=SHARED) == ()
    return lines


def on_the_parabola_two_states_attract() -> list[Line]:
    """The rate is a cubic with roots 0 < p₋ < p₊; its slope there is −, +, −."""
    rate = on_the_parabola()
    slope = rate.diff(p).xreplace(BY_ROOTS).xreplace(ORDERED)
    assert sp.expand(rate - hand_rate_on_the_parabola()) == 0
    assert sp.expand(rate.xreplace(BY_ROOTS) + C * p * (p - saddle) * (p - node)) == 0
    for by_hand, root in ((hand_saddle(), saddle), (hand_node(), saddle + gap)):
        assert sp.simplify(by_hand.xreplace(BY_ROOTS).xreplace(ORDERED) - root) == 0
    assert sp.factor(slope.subs(p, 0)).is_negative
    assert sp.factor(slope.subs(p, saddle)).is_positive
    assert sp.factor(slope.subs(p, saddle + gap)).is_negative
    return [
        ("on the parabola", r"\frac{dp_m}{dt}", hand_rate_on_the_parabola()),
        ("repels along it", "p_-", hand_saddle()),
        ("attracts", "p_+", hand_node()),
    ]


def beyond_a_critical_decay_everything_collapses() -> list[Line]:
    """p₋ and p₊ merge; beyond that s² decays at least as exp(−2(ω−τ²/4c)t) from every start."""
    relative = sp.expand(on_the_parabola() / p)
    ((where, critical),) = sp.solve([relative, relative.diff(p)], [p, weight_decay])
    shrinking = in_variances(2 * s * plane()[0]) / variance
    assert sp.simplify(critical - hand_critical_decay()) == 0
    assert relative.diff(p, 2).is_negative  # non-degenerate: a true saddle-node
    assert relative.diff(weight_decay) == -1
    assert sp.simplify(shrinking - hand_shrinking()) == 0
    excess = sp.Symbol("x", positive=True)  # of the decay beyond the critical one
    largest = hand_shrinking().subs({p: where, weight_decay: critical + excess})
    assert sp.simplify(largest + 2 * excess) == 0
    assert plane()[1].subs(s, 0) == -weight_decay * p  # the predictor follows the encoder
    return [
        ("saddle-node", r"\omega", sp.simplify(critical)),
        ("there", "p_m", where),
        ("of every start", r"\frac{1}{s_m^2} \frac{ds_m^2}{dt}", hand_shrinking()),
    ]


def the_saddle_bounds_the_basin_of_collapse() -> list[Line]:
    """One eigenvalue at p± is −2ω, the other has the sign of ∓1; the origin has −ω twice."""
    jacobian = plane().jacobian([s, p])
    lines = []
    for root, written in ((saddle, "-"), (node, "+")):
        here = {s: root / sp.sqrt(kappa), p: root}
        at = sp.simplify(jacobian.xreplace(BY_ROOTS).subs(here))
        across, along = (
            hand.xreplace(BY_ROOTS).subs(p, root)
            for hand in (hand_eigenvalue_across(), hand_eigenvalue_along())
        )
        assert sp.simplify(at.trace() - across - along) == 0
        assert sp.simplify(at.det() - across * along) == 0
        assert sp.factor(at.trace().xreplace(ORDERED)).is_negative
        determinant = sp.factor(at.det().xreplace(ORDERED))
        assert determinant.is_negative if root == saddle else determinant.is_positive
        tangent = sp.Matrix([1 / sp.sqrt(kappa), 1])  # of the parabola
        assert sp.simplify(at * tangent - along * tangent).is_zero_matrix
        lines.append((f"trace at p{written}", r"\mathrm{tr}", sp.factor(at.trace())))
        lines.append((f"determinant at p{written}", r"\det", sp.factor(at.det())))
        if root == saddle:
            stable = sp.Matrix([hand_boundary_slope() * sp.sqrt(kappa) / (2 * root), 1])
            assert sp.simplify(at * stable - across * stable).is_zero_matrix
    origin = jacobian.subs({s: 0, p: 0})
    assert origin == -weight_decay * sp.eye(2)
    return [
        ("across the parabola", r"\mu_1", hand_eigenvalue_across()),
        ("along it, at p±", r"\mu_2", hand_eigenvalue_along()),
        *lines,
        ("boundary of the basin at p₋", r"\frac{ds^2}{dp}", hand_boundary_slope()),
        *_example(jacobian),
    ]


def _example(jacobian: sp.Matrix) -> list[Line]:
    """Eigenvalues at p₋ and p₊ for numbers of simulations."""
    numbers = {tau: 1, kappa: 2, sigma1: sp.Rational(1, 5), weight_decay: sp.Rational(3, 20)}
    lines = []
    for by_hand, signs in ((hand_saddle(), [-1, 1]), (hand_node(), [-1, -1])):
        root = by_hand.subs(numbers)
        at = jacobian.subs(numbers).subs({s: root / sp.sqrt(2), p: root}).evalf(20)
        found = sorted((sp.re(value) for value in at.eigenvals()), key=float)
        along = hand_eigenvalue_along().subs(numbers).subs(p, root)
        expected = sorted((hand_eigenvalue_across().subs(numbers), along), key=float)
        assert all(abs(x - y) < 1e-15 for x, y in zip(found, expected, strict=True))
        assert [sp.sign(x) for x in found] == signs
        label = f"eigenvalues at τ = 1, κ = 2, σ1 = 0.2, ω = 0.15, p = {float(root):.4f}"
        lines.append((label, r"\mu", sp.Tuple(*(sp.Float(x, 5) for x in found))))
    return lines


def without_decay_the_start_decides() -> list[Line]:
    """As s² − p²/κ stays, p moves from p0 to the next root of a cubic, s = 0 being the others."""
    rate = in_variances(plane()[1].xreplace({weight_decay: sp.S.Zero}))
    kept = hand_conserved().xreplace({weight_decay: sp.S.Zero})
    (v,) = sp.solve(kept - kept.xreplace({variance: s0**2, p: p0}), variance)
    rate = rate.xreplace({variance: v})
    end = tau / C
    assert sp.simplify(v.subs(p, end) - hand_final_variance()) == 0
    assert sp.simplify(hand_final_variance().subs(p0, sp.sqrt(hand_largest_start()))) == 0
    # A start with p0² < κ s0²: p = τ/c is the only root.
    x = sp.Symbol("x", positive=True)
    single = rate.subs(s0, sp.sqrt((p0**2 + x) / kappa))
    assert sp.expand(single - (p**2 + x) * (tau - C * p)) == 0
    # Other starts begin outside of ±q: left of both roots, or right of q. −q attracts
    # always; q and τ/c exchange stability where they meet, at the largest start.
    cubic = rate.subs(s0, sp.sqrt((p0**2 - q**2) / kappa))
    assert sp.expand(cubic - (p**2 - q**2) * (tau - C * p)) == 0
    slopes = {root: sp.factor(cubic.diff(p).subs(p, root)) for root in (-q, q, end)}
    before, beyond = {tau: C * (q + x)}, {q: end + x}
    assert sp.expand(slopes[-q]).is_negative
    assert sp.factor(slopes[q].subs(before)).is_positive
    assert sp.factor(slopes[end].subs(before)).is_negative
    assert sp.factor(slopes[q].subs(beyond)).is_negative
    assert sp.factor(slopes[end].subs(beyond)).is_positive
    return [
        ("fixed line", "p_m", end),
        ("ends at, if positive", "s_m^2", hand_final_variance()),
        ("collapses from here on, p0 > 0", "p_0^2", hand_largest_start()),
        ("stops at, where s collapses", "q", sp.sqrt(p0**2 - kappa * s0**2)),
    ]


CLAIMS = (
    the_engine_has_these_equations,
    encoder_and_predictor_become_balanced,
    on_the_parabola_two_states_attract,
    beyond_a_critical_decay_everything_collapses,
    the_saddle_bounds_the_basin_of_collapse,
    without_decay_the_start_decides,
)

if __name__ == "__main__":
    show(__doc__, CLAIMS)
