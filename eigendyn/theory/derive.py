"""Derive the dynamics of every mode from a loss, with their moments still open."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from eigendyn.errors import InvalidSetting
from eigendyn.settings.keywords import strict, takes
from eigendyn.settings.siamese import PLAIN, Architecture
from eigendyn.theory import symbols as sym
from eigendyn.theory.losses import SymbolicLoss, as_loss, check_finite
from eigendyn.theory.symbols import Expectation, lam, z1, z2

# Of two noisy whitened views: (u11, u12, u22) with the same noise in every direction, and with a
# signal d and noises a1, a2 of every mode's own.
COVARIANCE = (1 + sym.sigma1**2, sp.S.One, 1 + sym.sigma2**2)
ANISOTROPIC = (1 + sym.noise1 / sym.signal, sp.S.One, 1 + sym.noise2 / sym.signal)


@strict
@dataclass(frozen=True)
class ModeDynamics:
    """One right-hand side per state of a mode; the same expression serves every mode.

    They follow from a loss (see `mode_dynamics`), or are written by hand, as a model. Singular
    values have ds_m/dt = f(s_m, …, sums over modes) with the same f for every m, and v_m = s_m².

    Args:
        name: What to call them in results and captions; that of the loss if they follow from one.
        states: Per-mode states, symbols of `symbols.STATES`, the singular value first;
            without momentum, the gradient step is the Euler step on each of them.
        rates: d state/dt for each state, t = learning rate × step. Open as long as an
            `Expectation` is left in them; a closure takes those.
        parameters: Names of their own numbers, with their values; rates have them as
            `symbols.loss_parameter(name)`. All other numbers are settings of the same names.
        predictor: The predictor's eigenvalue λ as a function of the states; 1 without predictor.
        scales: Factor r of each view: z1 = r1·x1, z2 = r2·x2 with x the whitened views.
        covariance: (u11, u12, u22) of the whitened views (x1, x2).
        definitions: What stands for the auxiliary symbols of a closed rate, in the order in
            which to substitute them.
        closure: "open", or the name of the closure that took the moments; "none" where none were
            open.

    Source: Halvagal et al. 2023, eigenspace dynamics.

    Examples:
        >>> from eigendyn.theory.symbols import singular_value as s
        >>> rate = s * (1 - s**2) / 2
        >>> logistic = eigendyn.theory.ModeDynamics("logistic", (s,), (rate,), closure="none")
        >>> run = eigendyn.simulate(logistic, [0.01, 0.1])
        >>> run.variance.isel(time=-1).values.round(3).tolist()
        [1.0, 1.0]
    """

    name: str
    states: tuple[sp.Symbol, ...]
    rates: tuple[sp.Expr, ...]
    parameters: tuple[tuple[str, float], ...] = ()
    predictor: sp.Expr = sp.S.One
    scales: tuple[sp.Expr, sp.Expr] = (sym.singular_value, sym.singular_value)
    covariance: tuple[sp.Expr, sp.Expr, sp.Expr] = COVARIANCE
    definitions: tuple[tuple[sp.Symbol, sp.Expr], ...] = ()
    closure: str = "open"

    @property
    def is_open(self) -> bool:
        """Whether a moment is still open."""
        return any(rate.has(Expectation) for rate in self.rates)


def descent_directions(loss: SymbolicLoss) -> tuple[sp.Expr, sp.Expr]:
    r"""Negative gradient of the per-sample loss with respect to mode m of each view.

    δ1_m = −∂ℓ/∂z1_m, δ2_m = −∂ℓ/∂z2_m. Stopped branches are constants while differentiating,
    then rejoin their states; λ is a constant always.

    Args:
        loss: Per-sample loss in the predictor's eigenbasis.

    Returns:
        δ1 and δ2 [1/√variance × loss], canonical, with per-mode symbols meaning mode m.

    Raises:
        InvalidSetting: They divide by what is zero for every sample.

    Source: Halvagal et al. 2023, derivation of the Euclidean and cosine dynamics.
    """
    first, second = (sym.canonical(sym.release(-loss.expression.diff(view))) for view in (z1, z2))
    check_finite(loss.name, first + second)
    return first, second


def predictor_direction(loss: SymbolicLoss) -> sp.Expr:
    r"""Negative gradient of the per-sample loss with respect to a learned predictor's λ_m.

    δλ_m = −∂ℓ/∂λ_m, with stopped branches constant; λ_m δλ_m = z1_m δ1_m wherever the loss has λ
    in the product λ z1 alone.

    Source: Tian, Chen, Ganguli 2021, eq. 11, dynamics of a linear predictor.
    """
    return sym.canonical(sym.release(-loss.expression.diff(lam)))


def predictor_eigenvalue(
    correlation: sp.Expr, alpha: sp.Expr, architecture: Architecture
) -> sp.Expr:
    r"""Eigenvalue λ of a predictor that is a function of a correlation with eigenvalues c.

    λ = c^α; with ε or normalisation (c/max c + ε)^α or (c/max c)^α + ε, times (max c)^α unless
    it is normalised.

    Source: DirectPred, Tian et al. 2021, eq. 18; DirectCopy, Wang et al. 2021.
    """
    if not (architecture.has_epsilon or architecture.normalize):
        return correlation**alpha
    epsilon = sym.epsilon if architecture.has_epsilon else sp.S.Zero
    largest = sym.ModeMaximum(correlation)
    share = correlation / largest
    inside = architecture.epsilon_placement == "inside"
    shape = (share + epsilon) ** alpha if inside else share**alpha + epsilon
    return shape if architecture.normalize else largest**alpha * shape


def correlation_share(architecture: Architecture) -> sp.Expr:
    """What eigenvalues of the predictor's correlation are over clean variances v = s² d.

    Clean representations have c = v, the noisy first view c = s² (d + a1), the weights c = s².
    """
    if not architecture.is_anisotropic:
        return COVARIANCE[0] if architecture.correlated == "first-view" else sp.S.One
    shares = {"clean": sp.S.One, "first-view": ANISOTROPIC[0], "weights": 1 / sym.signal}
    return shares[architecture.correlated]


@takes()
def mode_dynamics(
    loss: SymbolicLoss | str, alpha: sp.Expr | float = 1, architecture: Architecture = PLAIN
) -> ModeDynamics:
    r"""Descend a loss in continuous time, mode by mode.

    ds_m/dt = D_m = E[δ1_m z1_m]/s_m + E[δ2_m z2_m]/s_m − ω s_m, exact for isotropic Gaussian inputs
    and a loss that does not change when a mode changes sign in both views. Where inputs and noises
    share an eigenbasis, along which the encoder stands, that holds with variances d, a1 and a2 per
    mode, and E[z²] of the views s²(d + a1) and s²(d + a2). The state is then s√d, the root of the
    clean variance, and its rate d (E[δ1 z1] + E[δ2 z2])/(s√d) − ω s√d: the signal d is a mode's
    learning-rate multiplier, and noise counts relative to it. Further states are::

        target        z2_m = ξ_m x2_m, dξ_m/dt = (1 − μ_ξ)(s_m − ξ_m)/η
        correlation   dc_m/dt = (1 − μ_c)(E[z1_m²] − c_m)/η, λ a function of c
        predictor     dp_m/dt = κ E[δλ_m] − ω_p p_m, λ_m = p_m
        momentum      ds_m/dt = u_m, η(1 + μ)/2 du_m/dt = D_m − (1 − μ) u_m, and for p_m likewise

    Without momentum, a step of training is the Euler step of length η on every state, each in its
    turn: the target's from the new s_m (see `simulation.engines.in_jax.steps`). With it, a step is
    u ← μ u + D, s ← s + η u, that is (s_{k+1} − s_k) − μ (s_k − s_{k−1}) = η D; both differences to
    second order in η give η(1 + μ)/2 d²s/dt² + (1 − μ) ds/dt = D.

    Args:
        loss: Per-sample loss in the predictor's eigenbasis, or the name of a built-in one.
        alpha: Exponent α of the predictor; a symbol stays a symbol.
        architecture: Predictor, target, momentum, and whether modes have data of their own.

    Returns:
        Dynamics of the singular value of every mode and of its other states, moments open; all
        numbers but α are symbols.

    Raises:
        UnknownName: No loss has this name.
        InvalidSetting: An EMA target for a loss without stop-gradient; a learned predictor that
            the loss's gradient does not reach.

    Source: Halvagal et al. 2023, eigenspace dynamics; learned predictor and running correlation,
    Tian et al. 2021; EMA target and its schedule, Grill et al. 2020 (BYOL); modified equation of
    heavy ball, Kovachki and Stuart 2021.

    Examples:
        >>> dynamics = eigendyn.theory.mode_dynamics("euclidean")
        >>> dynamics.closure, [str(state) for state in dynamics.states]
        ('open', ['singular_value'])
        >>> eigendyn.theory.close(dynamics).rates[0]
        -lam**2*singular_value*u11 + lam*singular_value*u12 - singular_value*weight_decay
    """
    loss = as_loss(loss)
    s, eta = sym.singular_value, sym.learning_rate
    apart = architecture.target == "ema"
    if apart and not loss.has_stop_gradient:
        message = (
            "The gradient cannot flow through a target that is an average of past weights. "
            "Leave out `target='ema'`, or stop the gradient there: without "
            "`stop_gradient=False`, or with sg(z2) in a written loss."
        )
        raise InvalidSetting(message)
    alpha = sp.nsimplify(alpha, rational=True)
    drive = [
        Expectation(sp.expand(delta * view / s))
        for delta, view in zip(descent_directions(loss), (z1, z2), strict=True)
        if delta != 0
    ]
    pace = sym.signal if architecture.is_anisotropic else sp.S.One
    drives = [(s, sym.velocity, pace * sp.Add(*drive) - sym.weight_decay * s)]
    averages = []
    predictor = sp.S.One
    if loss.has_predictor and architecture.predictor == "learned":
        predictor = sym.predictor_value
        drives.append((predictor, sym.predictor_velocity, _predictor_drive(loss)))
    elif loss.has_predictor and architecture.predictor == "running":
        c = sym.correlation_value
        kept = sym.correlation_momentum
        averages.append((c, (1 - kept) * (s**2 * correlation_share(architecture) - c) / eta))
        predictor = predictor_eigenvalue(c, alpha, architecture)
    elif loss.has_predictor:
        predictor = predictor_eigenvalue(
            s**2 * correlation_share(architecture), alpha, architecture
        )
    if apart:
        xi = sym.target_value
        averages.append((xi, (1 - _target_momentum(architecture)) * (s - xi) / eta))
    equations = [*_descend(drives, architecture), *averages]
    return ModeDynamics(
        name=loss.name,
        states=tuple(state for state, _ in equations),
        rates=tuple(rate for _, rate in equations),
        parameters=loss.parameters,
        predictor=predictor,
        scales=(s, sym.target_value if apart else s),
        covariance=ANISOTROPIC if architecture.is_anisotropic else COVARIANCE,
    )


def substitute(expression: sp.Expr, dynamics: ModeDynamics) -> sp.Expr:
    """Put in the definitions of auxiliary symbols and the predictor's eigenvalue."""
    for symbol, meaning in dynamics.definitions:
        expression = expression.xreplace({symbol: meaning})
    return expression.xreplace({sym.lam: dynamics.predictor})


def _predictor_drive(loss: SymbolicLoss) -> sp.Expr:
    direction = predictor_direction(loss)
    if direction == 0:
        message = (
            f"No gradient of the loss {loss.name!r} reaches a learned predictor, since λ stands "
            "behind a stop-gradient. Try `predictor='direct'`, or the plain loss."
        )
        raise InvalidSetting(message)
    decay = sym.predictor_decay * sym.predictor_value
    return sym.predictor_rate * Expectation(sp.expand(direction)) - decay


def _target_momentum(architecture: Architecture) -> sp.Expr:
    if architecture.ema_schedule == "constant":
        return sym.ema
    return 1 - (1 - sym.ema) * (1 + sp.cos(sp.pi * sym.time / sym.duration)) / 2


def _descend(
    drives: list[tuple[sp.Symbol, sp.Symbol, sp.Expr]], architecture: Architecture
) -> list[tuple[sp.Symbol, sp.Expr]]:
    """Equations of the states that descend, the states first, then their velocities."""
    if not architecture.has_momentum:
        return [(state, drive) for state, _, drive in drives]
    mu, eta = sym.momentum, sym.learning_rate
    moved = [(state, velocity) for state, velocity, _ in drives]
    return moved + [
        (velocity, 2 * (drive - (1 - mu) * velocity) / (eta * (1 + mu)))
        for _, velocity, drive in drives
    ]
