"""Audit an update rule against its loss: gradient, stop-gradient, scale, conservation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

import eigendyn.network.arguments  # noqa: F401
from eigendyn.errors import InvalidSetting
from eigendyn.network.losses import sample_losses
from eigendyn.network.network import Network
from eigendyn.network.predictors import matrix_power
from eigendyn.program.in_jax import compile_expressions
from eigendyn.settings.checks import SHARE, check_real
from eigendyn.settings.choices import LOSS_ROWS, UPDATES, check_choice, loss_name
from eigendyn.settings.keywords import takes
from eigendyn.settings.parameters import PARAMETERS
from eigendyn.theory import symbols as sym
from eigendyn.theory.derive import descent_directions
from eigendyn.theory.losses import named_loss

# weights (modes, inputs), x1 and x2 (inputs, samples), W_P (modes, modes) → −∂ℓ/∂W (modes, inputs)
Update = Callable[[Array, Array, Array, Array], Array]

TOLERANCE = 1e-9  # relative error that counts as none: a thousand times what float64 rounds off
MODES, INPUTS, SAMPLES, DRAWS = 4, 6, 20, 5
NOISE = 0.5  # standard deviation of both views' noises: large, so that the views can be told apart
NOTHING = 1e-12  # a gradient below it is round-off: weights and views are of order one
SCALE = 1.7  # by which weights are multiplied to see what depends on their scale


@dataclass(frozen=True)
class Check:
    """One property of an update rule.

    Args:
        name: The property.
        passed: Whether the rule has it as the loss demands.
        error: What was measured: a relative error, the largest over all draws.
        finding: One sentence on what the loss demands and what the rule does.
    """

    name: str
    passed: bool
    error: float
    finding: str


@dataclass(frozen=True)
class Audit:
    """What an update rule does, against what its loss demands.

    Args:
        loss: The loss, with what was switched off.
        update: Name of the update rule.
        checks: One for each property.
    """

    loss: str
    update: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)


@dataclass(frozen=True)
class _Case:
    """One draw of weights and views, with the true gradient by automatic differentiation."""

    network: Network
    weights: Array  # (modes, inputs)
    x1: Array  # (inputs, samples)
    x2: Array  # (inputs, samples)
    predictor: Array  # (modes, modes)

    @property
    def loss(self) -> float:
        """Mean loss."""
        return float(_loss(self.weights, self.weights, self.network, *self._given))

    def branches(self) -> tuple[NDArray, NDArray]:
        """Negative gradients through the online and the target branch (modes, inputs)."""
        online, target = _gradients(self.weights, self.weights, self.network, *self._given)
        return -np.asarray(online), -np.asarray(target)

    def direction(self) -> NDArray:
        """Negative gradient (modes, inputs)."""
        return np.add(*self.branches())

    def scaled(self) -> _Case:
        """The same with larger weights and the same predictor."""
        return replace(self, weights=SCALE * self.weights)

    @property
    def _given(self) -> tuple[Array, Array, Array]:
        return self.x1, self.x2, self.predictor


@jax.jit
def _loss(
    weights: Array, target: Array, network: Network, x1: Array, x2: Array, predictor: Array
) -> Array:
    """Mean loss with online weights and target weights apart; W_P stays constant."""
    family = None
    if network.has_family:
        assert network.beta is not None
        family = matrix_power(predictor, -network.beta)
    views = weights @ x1, target @ x2
    return sample_losses(network.loss, *views, predictor, family, network.stop_gradient).mean()


_gradients = jax.jit(jax.grad(_loss, argnums=(0, 1)))


@takes()
def audit(
    loss: str = "cosine",
    update: str | Update = "derived",
    *,
    predictor: str = "direct",
    stop_gradient: bool = True,
    alpha: float = 1.0,
    beta: float | None = None,
    tolerance: float = TOLERANCE,
    seed: int = 0,
) -> Audit:
    r"""Audit an update rule: is it the gradient of this loss, and does it do what the loss does?

    On random weights W, views x1 and x2 and the predictor W_P = (W Wᵀ)^α:

    - gradient: the update is −∂ℓ/∂W by automatic differentiation, with W_P constant;
    - online and target branch: for one sample, −∂ℓ/∂W = δ1 x1ᵀ + δ2 x2ᵀ has one decomposition, so
      that what the update sends through each view can be told; δ2 = 0 under stop-gradient;
    - scale: if ℓ(cW) = ℓ(W), the update at cW is 1/c of that at W;
    - conservation: if ⟨W_P^k W, ∂ℓ/∂W⟩ = 0, so that a sum over modes is conserved, for the update
      too.

    Args:
        loss: Name of a loss (see `choices.LOSS_NAMES`).
        update: One of `choices.UPDATES`, or a function of weights (modes, inputs), first and
            second views (inputs, samples) and W_P (modes, modes) that returns the mean descent
            direction (modes, inputs), before any learning rate.
        predictor: "direct", or "none", which replaces W_P by the identity.
        stop_gradient: False lets the gradient flow through the target branch.
        alpha: Exponent α of the predictor.
        beta: Exponent β of the family δ/λ^β; None keeps the loss as its name says.
        tolerance: Relative error that counts as none.
        seed: Seed of all draws.

    Returns:
        One check for each property, and whether all of them passed.

    Raises:
        UnknownName: A loss or an update rule that does not exist.
        InvalidSetting: A number without meaning, settings that contradict each other, or an update
            of the wrong shape.

    Source: both branches, the chain rule; scale and conservation, derivations/conservation.py; an
    update that fails, the notebook published with Halvagal et al. 2023.

    Examples:
        >>> eigendyn.audit("cosine").passed
        True
    """
    tolerance = check_real("tolerance", tolerance, SHARE, "Try 1e-9.")
    alpha = PARAMETERS["alpha"].check(alpha)
    network = Network(
        loss=check_choice("loss", loss_name(loss), LOSS_ROWS),
        predictor=check_choice("predictor", predictor, ("direct", "none")),
        stop_gradient=stop_gradient,
        alpha=alpha,
        beta=beta,
        sigma1=NOISE,
        sigma2=NOISE,
    )
    symbolic = named_loss(
        loss, beta=beta, predictor=predictor != "none", stop_gradient=stop_gradient
    )
    name = update if isinstance(update, str) else getattr(update, "__name__", "update")
    if isinstance(update, str):
        check_choice("update", update, UPDATES)
        published = jax.jit(published_no_stop_gradient)
        update = published if update != "derived" else _derived(symbolic)
    batches = [_draw(network, SAMPLES, seed + i) for i in range(DRAWS)]
    singles = [_draw(network, 1, seed + DRAWS + i) for i in range(DRAWS)]
    checks = (
        _check_gradient(update, batches, tolerance),
        *_check_branches(update, singles, tolerance),
        _check_scale(update, batches, tolerance),
        *_check_conservation(update, batches, tolerance),
    )
    return Audit(symbolic.name, name, checks)


def published_no_stop_gradient(weights: Array, x1: Array, x2: Array, predictor: Array) -> Array:
    """The published notebook's update for the cosine loss without stop-gradient.

    Its target branch, p/(‖p‖‖z2‖) − (p·z2) z2/(‖p‖³‖z2‖), divides by ‖p‖³‖z2‖ where the gradient
    has ‖p‖‖z2‖³, and multiplies x1 instead of x2. Kept so that it can be audited, and the panel
    drawn from it understood: its expected steps end where that panel does.

    Source: the update rule of the notebook published with Halvagal et al. 2023.
    """
    z1, z2 = weights @ x1, weights @ x2
    p = predictor @ z1
    overlap, length = jnp.sum(p * z2, 0), jnp.sqrt(jnp.sum(p**2, 0))
    norms = length**3 * jnp.sqrt(jnp.sum(z2**2, 0))
    online = predictor @ (length**2 * z2 - overlap * p) / norms
    target = (length**2 * p - overlap * z2) / norms
    return (online + target) @ x1.T / x1.shape[1]


def _derived(symbolic) -> Update:
    """The update that the symbolic side derives from the loss: U (δ1 x1ᵀ + δ2 x2ᵀ)."""
    arguments = [sym.z1, sym.z2, sym.lam, sym.modes]
    directions = compile_expressions(arguments, list(descent_directions(symbolic)))

    def derived(weights: Array, x1: Array, x2: Array, predictor: Array) -> Array:
        eigenvalues, vectors = jnp.linalg.eigh(predictor)
        z1, z2 = ((vectors.T @ weights @ x).T for x in (x1, x2))  # (samples, modes)
        d1, d2 = (
            jnp.broadcast_to(d, z1.shape) for d in directions(z1, z2, eigenvalues, len(weights))
        )
        return vectors @ (d1.T @ x1.T + d2.T @ x2.T) / x1.shape[1]

    return jax.jit(derived)


def _draw(network: Network, samples: int, seed: int) -> _Case:
    rng = np.random.default_rng(seed)
    weights = jnp.asarray(rng.normal(size=(MODES, INPUTS)) / 2)
    x = rng.normal(size=(INPUTS, samples))
    x1, x2 = (jnp.asarray(x + NOISE * rng.normal(size=x.shape)) for _ in range(2))
    predictor = jnp.eye(MODES)
    if network.predictor == "direct":
        predictor = matrix_power(weights @ weights.T, network.alpha)
    return _Case(network, weights, x1, x2, predictor)


def _apply(update: Update, case: _Case) -> NDArray:
    direction = np.asarray(update(case.weights, case.x1, case.x2, case.predictor))
    if direction.shape != case.weights.shape:
        message = (
            f"An update must have the shape of the weights, {case.weights.shape}; this one has "
            f"{direction.shape}. Return its mean over the samples."
        )
        raise InvalidSetting(message)
    return direction


def _ratio(part: float, whole: float) -> float:
    """part/whole, or the part itself if the whole is nothing; infinite if not finite."""
    ratio = part / (whole if whole > NOTHING else 1.0)
    return float(ratio) if np.isfinite(ratio) else np.inf


def _relative(value: NDArray, reference: NDArray, scale: NDArray | None = None) -> float:
    """‖value − reference‖ over ‖scale‖."""
    size = np.linalg.norm(reference if scale is None else scale)
    return _ratio(float(np.linalg.norm(value - reference)), float(size))


def _check_gradient(update: Update, cases: list[_Case], tolerance: float) -> Check:
    error = max(_relative(_apply(update, case), case.direction()) for case in cases)
    found = "is" if error <= tolerance else "is not"
    finding = f"The update {found} the gradient of the loss: relative error {error:.1e}."
    return Check("gradient", error <= tolerance, error, finding)


def _check_branches(update: Update, cases: list[_Case], tolerance: float) -> Iterator[Check]:
    """Tell what the update sends through each view, one sample at a time."""
    errors, shares, demanded = np.zeros((2, len(cases))), 0.0, 0.0
    for i, case in enumerate(cases):
        views = np.concatenate([case.x1, case.x2], axis=1)  # (inputs, 2)
        direction = _apply(update, case)
        through = direction @ np.linalg.pinv(views).T  # δ1 and δ2 (modes, 2)
        parts = [np.outer(through[:, view], views[:, view]) for view in (0, 1)]
        true = case.branches()
        whole = np.concatenate(true)
        errors[:, i] = [
            _relative(part, branch, whole) for part, branch in zip(parts, true, strict=True)
        ]
        sizes = [float(np.linalg.norm(part)) for part in parts]
        shares = max(shares, _ratio(sizes[1], sum(sizes)))
        demanded = max(
            demanded, _ratio(*(float(np.linalg.norm(part)) for part in (true[1], whole)))
        )
    for name, error in zip(("online branch", "target branch"), errors.max(axis=1), strict=True):
        passed = bool(error <= tolerance)
        if name == "online branch":
            finding = "The first view gets what the loss sends there."
        elif demanded <= tolerance:
            finding = "The target branch is stopped, and gets nothing."
        else:
            finding = "The gradient flows through the target branch as the loss demands."
        if not passed:
            finding = _fault(name, error, shares, demanded, tolerance)
        yield Check(name, passed, float(error), finding)


def _fault(name: str, error: float, share: float, demanded: float, tolerance: float) -> str:
    if name == "online branch":
        return f"The first view gets something else than the loss sends there: error {error:.1e}."
    if demanded <= tolerance:
        return f"The loss stops the target branch, and yet it gets {share:.0%} of the update."
    if share <= tolerance:
        return "Nothing reaches the target branch, though the loss does not stop it."
    return f"The second view gets something else than the loss sends there: error {error:.1e}."


def _check_scale(update: Update, cases: list[_Case], tolerance: float) -> Check:
    def value(case: _Case) -> NDArray:
        return np.asarray(case.loss)

    if max(_relative(value(case.scaled()), value(case)) for case in cases) > tolerance:
        return Check("scale", True, 0.0, "The loss depends on the scale of W; nothing to keep.")
    error = max(
        _relative(SCALE * _apply(update, case.scaled()), _apply(update, case)) for case in cases
    )
    found = "shrinks as W grows" if error <= tolerance else "does not shrink as W grows"
    finding = f"The loss does not depend on the scale of W, and the update {found}."
    return Check("scale", error <= tolerance, error, finding)


def _check_conservation(update: Update, cases: list[_Case], tolerance: float) -> Iterator[Check]:
    """Find which sums over modes the loss conserves, and ask the same of the update."""
    network = cases[0].network
    exponents = {"sum of variances": 0.0}
    if network.predictor == "direct":
        beta = LOSS_ROWS[network.loss].beta or network.beta or 0.0
        if beta:
            exponents[f"sum of variance^{1 + network.alpha * beta:g}"] = beta

    def change(case: _Case, direction: NDArray, exponent: float) -> float:
        normal = np.asarray(matrix_power(case.predictor, exponent) @ case.weights)
        sizes = np.linalg.norm(normal) * np.linalg.norm(direction)
        return _ratio(abs(float((normal * direction).sum())), float(sizes))

    kept = {
        name: exponent
        for name, exponent in exponents.items()
        if max(change(case, case.direction(), exponent) for case in cases) <= tolerance
    }
    if not kept:
        yield Check("conservation", True, 0.0, "The loss conserves no sum; nothing to keep.")
    for name, exponent in kept.items():
        error = max(change(case, _apply(update, case), exponent) for case in cases)
        found = "keeps it" if error <= tolerance else "does not"
        finding = f"The loss conserves the {name}, and the update {found}."
        yield Check("conservation", error <= tolerance, error, finding)
