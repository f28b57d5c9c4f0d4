r"""Weight decay picks components of data by their signal and noise, under the Euclidean losses.

Inputs and noises share an eigenbasis, along which the encoder stands: the views of a component have
the covariance (s²(d + a1), s²d, s²(d + a2)), with signal d and noises a1, a2. In whitened
coordinates s√d the signal is a learning-rate multiplier, and noise counts relative to it. With a
predictor λ = c^α of clean representations, c = s²d, of the first view, s²(d + a1), or of the
weights, s², all the same,

    Euclidean       dλ/dt = 2αλ [λd − λ²(d + a1) − ω]
    iso-Euclidean   dλ/dt = 2αλ [d − λ(d + a1) − ω]

Without decay both end at the Wiener filter λ* = d/(d + a1), the λ that is best at making z2 out of
z1. With it a component can live iff ω < d²/(4(d + a1)) under the plain loss (saddle-node), and iff
ω < d under the isotropic one (transcritical), and small starts are recruited after

    Euclidean       −ln(1 − λ₋/λ₀)/(2α√(d² − 4ω(d + a1)) λ₋),   1/(2αdλ₀) without decay
    iso-Euclidean   ln(λ*/λ₀)/(2α(d − ω))

Wang, Chen, Du and Tian (2021) find for DirectSet(α) that weight decay is a threshold, which
discards features of high variance under augmentation. With white inputs, of which augmentation
disturbs some directions by a noise of variance σ² and leaves the others alone, that is the window
1/(4(1 + σ²)) < ω < 1/4 in which the others alone survive.

Symbols of this page: b = d + a1, the variance of the first view; the start λ₀ and the end λ₁ of a
stretch of time; the fixed points λ₋ < λ₊, the upper one λ* of the isotropic loss.

Source: derived here; the setting of the window as in Wang et al. 2021, arXiv 2110.04947.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import sympy as sp

import eigendyn
from derivations.page import Line, show
from eigendyn.settings.choices import CORRELATIONS
from eigendyn.settings.siamese import Architecture
from eigendyn.simulation.engines.shifted.power_sum import growth_rate
from eigendyn.theory.closure import close
from eigendyn.theory.derive import correlation_share, mode_dynamics, substitute
from eigendyn.theory.losses import SymbolicLoss, euclidean, iso_euclidean, without_stop_gradient
from eigendyn.theory.symbols import alpha, lam, noise1, noise2, signal, variance, weight_decay
from eigendyn.theory.symbols import sigma1 as sigma
from eigendyn.theory.symbols import singular_value as s

b, l0, l1 = sp.symbols("b lambda_0 lambda_1", positive=True)
below, above = sp.symbols("lambda_- lambda_+", positive=True)
VIEW = {noise1: b - signal}
PLAIN = {signal: b * (below + above), weight_decay: b * below * above}  # d and ω by the rests
ISOTROPIC = {signal: weight_decay + b * above}
EXAMPLE = {signal: 2, b: 3, weight_decay: sp.Rational(1, 4)}  # where both λ± are there


def hand_plain_growth() -> sp.Expr:
    """Write (1/v) dv/dt of the plain loss by hand."""
    return 2 * (lam * signal - lam**2 * b - weight_decay)


def hand_isotropic_growth() -> sp.Expr:
    """Write (1/v) dv/dt of the isotropic loss by hand."""
    return 2 * (signal - lam * b - weight_decay)


def hand_wiener_filter() -> sp.Expr:
    """Write the fixed point without decay by hand."""
    return signal / b


def hand_upper() -> sp.Expr:
    """Write λ₊ by hand."""
    return (signal + sp.sqrt(signal**2 - 4 * weight_decay * b)) / (2 * b)


def hand_lower() -> sp.Expr:
    """Write λ₋ by hand."""
    return (signal - sp.sqrt(signal**2 - 4 * weight_decay * b)) / (2 * b)


def hand_plain_limit() -> sp.Expr:
    """Write the weight decay of the saddle-node by hand."""
    return signal**2 / (4 * b)


def hand_isotropic_rest() -> sp.Expr:
    """Write λ* of the isotropic loss by hand."""
    return (signal - weight_decay) / b


def hand_isotropic_limit() -> sp.Expr:
    """Write the weight decay of the transcritical point by hand."""
    return signal


def hand_limit_of_start() -> sp.Expr:
    """Write the weight decay below which a start λ₀ below λ₊/2 grows, by hand."""
    return l0 * signal - l0**2 * b


def hand_plain_time() -> sp.Expr:
    """Write the time from λ₀ to λ₁ under the plain loss by hand, in λ±."""
    ends = sp.log(l1 * (above - l0) / (l0 * (above - l1))) / above
    start = (sp.log(1 - below / l1) - sp.log(1 - below / l0)) / below
    return (start + ends) / (2 * alpha * b * (above - below))


def hand_isotropic_time() -> sp.Expr:
    """Write the time from λ₀ to λ₁ under the isotropic loss by hand, in λ* = λ₊."""
    return sp.log(l1 * (above - l0) / (l0 * (above - l1))) / (2 * alpha * b * above)


def hand_plain_small_start() -> sp.Expr:
    """Write the leading order of the plain time for small λ₀ without decay by hand."""
    return 1 / (2 * alpha * signal * l0)


def hand_isotropic_small_start() -> sp.Expr:
    """Write the leading order of the isotropic time for small λ₀ by hand."""
    return sp.log(above / l0) / (2 * alpha * b * above)


def hand_window() -> sp.Expr:
    """Write the lower edge of DirectSet's window by hand; the upper one is that of σ = 0."""
    return 1 / (4 * (1 + sigma**2))


def hand_window_end() -> sp.Expr:
    """Write the singular value at which undisturbed directions end in the window by hand."""
    return ((1 + sp.sqrt(1 - 4 * weight_decay)) / 2) ** (1 / (2 * alpha))


@cache
def growth(loss: SymbolicLoss, correlation: str) -> sp.Expr:
    """Derive (1/v) dv/dt of a component as a function of λ."""
    of = Architecture(is_anisotropic=True, correlation=correlation)
    root = lam ** (1 / alpha) / correlation_share(of)
    rate = growth_rate(close(mode_dynamics(loss, alpha, of)))
    return sp.expand(sp.powdenest(sp.simplify(rate.subs(variance, root)), force=True).subs(VIEW))


def whitening_turns_signals_into_learning_rates() -> list[Line]:
    """The encoder's own equation, in s√d, is that of white inputs with d before what drives it."""
    lines = []
    white = Architecture(is_anisotropic=True)
    for loss in (euclidean(), iso_euclidean(), without_stop_gradient(euclidean())):
        encoder = replace(  # ds/dt with the views' covariances as they are
            mode_dynamics(loss, alpha),
            covariance=(signal + noise1, signal, signal + noise2),
            predictor=(s**2 * signal) ** alpha,
        )
        own, whitened = (
            substitute(one.rates[0], one)
            for one in (close(encoder), close(mode_dynamics(loss, alpha, white)))
        )
        moved = sp.sqrt(signal) * own.xreplace({s: s / sp.sqrt(signal)})  # d/dt of s√d
        assert sp.simplify(moved - whitened) == 0
        lines.append(
            (f"{loss.name}, of the encoder", r"\frac{ds}{dt}", sp.collect(sp.expand(own), s))
        )
    return lines


def the_predictors_correlation_only_rescales_variances() -> list[Line]:
    """Growth as a function of λ is the same for every exponent and every correlation."""
    lines = []
    for loss, hand in (
        (euclidean(), hand_plain_growth()),
        (iso_euclidean(), hand_isotropic_growth()),
    ):
        for correlation in CORRELATIONS:
            found = growth(loss, correlation)
            assert sp.expand(found - hand) == 0
            assert not found.has(alpha, noise2)
        lines.append((loss.name, r"\frac{1}{v} \frac{dv}{dt}", found))
    return lines


def without_decay_both_losses_end_at_the_wiener_filter() -> list[Line]:
    """The λ that minimises E(λ z1 − z2)² of any two views with these covariances."""
    for hand in (hand_plain_growth(), hand_isotropic_growth()):
        (rest,) = sp.solve(hand.subs(weight_decay, 0), lam)
        assert sp.simplify(rest - hand_wiener_filter()) == 0
    error = lam**2 * b - 2 * lam * signal + signal + noise2  # in units of s²
    (best,) = sp.solve(error.diff(lam), lam)
    assert sp.simplify(best - hand_wiener_filter()) == 0
    return [("Wiener filter", r"\lambda^*", best)]


def weight_decay_kills_by_signal_and_noise() -> list[Line]:
    """A saddle-node under the plain loss, a transcritical point under the isotropic one."""
    x = sp.Symbol("x", real=True)  # λ without its sign
    plain, isotropic = (
        hand.subs(lam, x) / 2 for hand in (hand_plain_growth(), hand_isotropic_growth())
    )
    lower, upper = sorted(sp.solve(plain, x), key=lambda root: root.subs(EXAMPLE))
    assert sp.simplify(lower - hand_lower()) == 0
    assert sp.simplify(upper - hand_upper()) == 0
    assert plain.diff(x).subs(x, lower).subs(EXAMPLE) > 0  # repels
    assert plain.diff(x).subs(x, upper).subs(EXAMPLE) < 0
    ((_, limit),) = sp.solve([plain, plain.diff(x)], [x, weight_decay])
    assert sp.simplify(limit - hand_plain_limit()) == 0
    (of_start,) = sp.solve(plain.subs(x, l0), weight_decay)
    assert sp.expand(of_start - hand_limit_of_start()) == 0
    (rest,) = sp.solve(isotropic, x)
    assert sp.simplify(rest - hand_isotropic_rest()) == 0
    (zero,) = sp.solve(isotropic.subs(x, 0), weight_decay)
    assert zero == hand_isotropic_limit()
    return [
        ("plain: attractor", r"\lambda_+", upper),
        ("plain: components below it are forgotten", r"\lambda_-", lower),
        ("plain: saddle-node", r"\omega", limit),
        ("plain: a small start grows below", r"\omega", of_start),
        ("isotropic: attractor", r"\lambda^*", rest),
        ("isotropic: transcritical", r"\omega", zero),
    ]


def components_are_recruited_one_after_another() -> list[Line]:
    """Times that are zero from a point to itself, and whose slope is 1/(dλ/dt)."""
    lines = []
    for name, hand, rests, time in (
        ("plain", hand_plain_growth(), PLAIN, hand_plain_time()),
        ("isotropic", hand_isotropic_growth(), ISOTROPIC, hand_isotropic_time()),
    ):
        speed = alpha * l1 * hand.subs(rests).subs(lam, l1)
        assert sp.simplify(time.diff(l1) * speed) == 1
        assert sp.simplify(time.subs(l0, l1)) == 0
        lines.append((f"{name}, exactly", "t", time))
    without = sp.limit(hand_plain_time(), below, 0, "+")
    by_signal = without.subs(above, signal / b)
    assert sp.limit(sp.simplify(by_signal / hand_plain_small_start()), l0, 0, "+") == 1
    assert sp.limit(hand_isotropic_time() / hand_isotropic_small_start(), l0, 0, "+") == 1
    return [
        *lines,
        ("plain, without decay", "t", without),
        ("plain, without decay, small start", "t", hand_plain_small_start()),
        ("isotropic, small start", "t", hand_isotropic_small_start()),
    ]


def directset_keeps_what_augmentation_leaves_alone() -> list[Line]:
    """Below, within and beyond the window, for two exponents, and for α = 1 with an EMA target."""
    undisturbed, disturbed = {signal: 1, b: 1}, {signal: 1, b: 1 + sigma**2}
    lower, upper = (hand_plain_limit().subs(one) for one in (disturbed, undisturbed))
    assert sp.simplify(lower - hand_window()) == 0
    assert upper == hand_window().subs(sigma, 0)
    end = (hand_upper().subs(undisturbed)) ** (1 / (2 * alpha))
    assert sp.simplify(end / hand_window_end()) == 1
    noises, edge = [0.0, 0.5], float(hand_window().subs(sigma, sp.sqrt(0.5)))
    assert edge < 0.25
    survivors = {0.9 * edge: [True, True], 1.1 * edge: [True, False], 0.26: [False, False]}
    settings = {"signal": 1.0, "noise1": noises, "noise2": noises}
    settings |= {"learning_rate": 1.0, "steps": 2000, "method": "compiled"}
    for decay, alive in survivors.items():
        for more in ({"alpha": 0.5}, {"alpha": 2.0}, {"target": "ema", "ema": 0.9}):
            run = eigendyn.simulate("euclidean", [1.0, 1.0], weight_decay=decay, **settings, **more)
            found = run["singular_value"].values[:, -1]
            assert (found > 1e-3).tolist() == alive
            at = {weight_decay: decay, alpha: more.get("alpha", 1.0)}
            if alive[0]:
                assert abs(found[0] / float(hand_window_end().subs(at)) - 1) < 1e-6
    return [
        ("lower edge of the window", r"\omega", lower),
        ("upper edge", r"\omega", upper),
        ("singular value of undisturbed directions", "s", end),
    ]


def simulated_components_obey_these_forms() -> list[Line]:
    """End values and recruitment times of runs of the flow, to 1e-8 and 1e-6."""
    d, a = np.array([2.0, 1.0, 0.5]), np.array([0.05, 0.4, 0.02])
    settings = {"signal": d, "noise1": a, "noise2": 0.1, "weight_decay": 0.01, "alpha": 2.0}
    start, lines = np.full(3, 0.3), []
    for loss, rest, time in (
        ("euclidean", hand_upper(), hand_plain_time()),
        ("iso-euclidean", hand_isotropic_rest(), hand_isotropic_time()),
    ):
        run = eigendyn.simulate(
            loss, start, method="compiled", learning_rate=1.0, steps=2000, **settings
        )
        for mode in range(3):
            at = {signal: d[mode], b: d[mode] + a[mode], weight_decay: 0.01, alpha: 2}
            top, bottom = float(rest.subs(at)), float(hand_lower().subs(at))
            assert abs(run["variance"].values[mode, -1] / top**0.5 - 1) < 1e-8
            passed = {above: top, below: bottom, l0: start[mode] ** 2, l1: 0.95**2 * top}
            arrived = float(time.subs(at).subs(passed))
            assert abs(run["recruitment_time"].values[mode] / arrived - 1) < 1e-6
        lines.append((f"{loss}, recruitment of the last one", "t", sp.Float(arrived, 6)))
    return lines


CLAIMS = (
    whitening_turns_signals_into_learning_rates,
    the_predictors_correlation_only_rescales_variances,
    without_decay_both_losses_end_at_the_wiener_filter,
    weight_decay_kills_by_signal_and_noise,
    components_are_recruited_one_after_another,
    directset_keeps_what_augmentation_leaves_alone,
    simulated_components_obey_these_forms,
)

if __name__ == "__main__":
    show(__doc__, CLAIMS)
