"""Define the per-sample losses in the predictor's eigenbasis, and their ablations.

How to add a loss: write one function that returns a `SymbolicLoss` whose expression uses the
alphabet of `symbols` only (`z1`, `z2`, `lam`, `mode_sum`, `norm`, `stop_gradient`), and enter it in
`LOSSES`, and what else is known of it in `choices.LOSS_ROWS`. The predictor's eigenvalue `lam` is a
constant for differentiation, always.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

import sympy as sp

from eigendyn.errors import InvalidSetting, UndeclaredSymbol
from eigendyn.settings.checks import one_spelling
from eigendyn.settings.choices import LOSS_NAMES, check_choice, loss_name, no_family
from eigendyn.settings.keywords import strict, takes
from eigendyn.settings.siamese import Siamese
from eigendyn.theory import symbols as sym
from eigendyn.theory.symbols import lam, mode_sum, norm, stop_gradient, z1, z2

ALPHABET = frozenset({z1, z2, lam, sym.beta, sym.modes})


@strict
@dataclass(frozen=True)
class SymbolicLoss:
    """A per-sample loss ℓ(z1, z2, λ), a scalar.

    Modes follow its descent directions δ1_m = −∂ℓ/∂z1_m and δ2_m = −∂ℓ/∂z2_m, in which λ and
    stopped branches are constants. As ℓ must not change if a mode changes sign in both views, δ_m
    is odd in mode m, so that E[δ_m z_k] = 0 for k ≠ m: no gradient mixes modes.

    Args:
        name: What to call it in results and captions.
        expression: ℓ in the alphabet of `symbols`; every representation stands inside a sum.
        beta: Exponent of the family δ/λ^β that the loss belongs to.
        has_predictor: False if λ = 1.
        has_stop_gradient: False if the gradient flows through both branches.
        parameters: Names of the loss's own numbers, with their values; the expression has them as
            `symbols.loss_parameter(name)`, so that dynamics can be differentiated by them.

    Raises:
        UndeclaredSymbol: The expression uses a symbol outside the alphabet.
        InvalidSetting: The expression has a representation outside a sum over modes, so it is
            not a scalar; or it changes when a mode changes sign in both views.

    Source: Halvagal et al. 2023, losses in the predictor's eigenbasis; the condition on signs is of
    our own.

    Examples:
        >>> loss = eigendyn.parse_loss("sum((lam*z1 - sg(z2))**2)")
        >>> half = eigendyn.SymbolicLoss("half", loss.expression / 2)
        >>> eigendyn.simulate(half, [0.1, 0.5], sigma1=0).outcome.values.tolist()
        ['recruited', 'relaxed']
    """

    name: str
    expression: sp.Expr
    beta: sp.Expr = sp.S.Zero
    has_predictor: bool = True
    has_stop_gradient: bool = True
    parameters: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        """Check the alphabet, that the loss is a scalar, and its symmetry."""
        known = ALPHABET | {sym.loss_parameter(name) for name, _ in self.parameters}
        unknown = sorted(str(s) for s in self.expression.free_symbols - known)
        if unknown:
            message = (
                f"A loss may use {', '.join(sorted(map(str, known)))} and sums over modes; "
                f"{self.name!r} uses {', '.join(unknown)}. Take the symbols "
                "from eigendyn.theory.symbols."
            )
            raise UndeclaredSymbol(message)
        if sym.is_local(self.expression):
            message = (
                f"A loss must be a scalar: {self.name!r} has a per-mode symbol outside any sum. "
                "Sum it over the modes."
            )
            raise InvalidSetting(message)
        flip = {z1: -z1, z2: -z2}
        value = sym.canonical(sym.release(self.expression))
        check_finite(self.name, value)
        sums = value.atoms(sym.ModeSum)
        flipped = {total.args[0]: total.args[0].xreplace(flip) for total in sums}
        if not all(old == new or sym.equal(old, new) for old, new in flipped.items()):
            message = (
                f"The loss {self.name!r} changes when a mode changes sign in both views, so that "
                "its gradient mixes the modes. Use products and squares of representations."
            )
            raise InvalidSetting(message)


def check_finite(name: str, expression: sp.Expr) -> None:
    """Check that a loss, or its gradient, does not divide by what is zero for every sample.

    Raises:
        InvalidSetting: It does.
    """
    if expression.has(sp.zoo, sp.nan, sp.oo):
        message = (
            f"A loss and its gradient must not divide by zero: {name!r} has a denominator, or a "
            "root, of what vanishes for every sample. Leave it out."
        )
        raise InvalidSetting(message)


def euclidean(beta: sp.Expr | float = 0) -> SymbolicLoss:
    r"""Squared error between prediction and target.

    ℓ = ½ Σ (λ z1 − SG z2)²; for β ≠ 0 the member of the family whose descent direction is
    δ/λ^β: ℓ = ½ Σ (z1 − SG(z1 + λ^{1−β}(z2 − λ z1)))².

    Args:
        beta: Exponent of the family (0 plain, 1 isotropic).

    Source: Halvagal et al. 2023, Euclidean loss; the family interpolates to their IsoLoss.
    """
    beta = _exponent(beta)
    if beta == 0:
        error = lam * z1 - stop_gradient(z2)
    else:
        error = z1 - stop_gradient(z1 + lam ** (1 - beta) * (z2 - lam * z1))
    return SymbolicLoss("euclidean", mode_sum(error**2) / 2, beta)


def cosine(beta: sp.Expr | float = 0) -> SymbolicLoss:
    r"""Negative cosine similarity of prediction and target.

    ℓ = − Σ λ z1 SG(z2) / (‖λ z1‖ ‖SG z2‖); for β ≠ 0 the member of the family whose descent
    direction is δ/λ^β: ℓ = − Σ z1 SG[λ^{1−β} (z2/(‖λz1‖‖z2‖) − (Σ λ z1 z2) λ z1/(‖λz1‖³‖z2‖))].

    Args:
        beta: Exponent of the family (0 plain, 1 isotropic).

    Source: Halvagal et al. 2023, cosine loss; the family interpolates to their IsoLoss.
    """
    beta = _exponent(beta)
    if beta == 0:
        overlap = mode_sum(lam * z1 * stop_gradient(z2))
        loss = -overlap / (norm(lam * z1) * norm(stop_gradient(z2)))
    else:
        prediction, target = norm(lam * z1), norm(z2)
        overlap = mode_sum(lam * z1 * z2)
        direction = z2 / (prediction * target) - overlap * lam * z1 / (prediction**3 * target)
        loss = -mode_sum(z1 * stop_gradient(lam ** (1 - beta) * direction))
    return SymbolicLoss("cosine", loss, beta)


def iso_euclidean() -> SymbolicLoss:
    """Isotropic Euclidean loss: the family at β = 1, ℓ = ½ Σ (z1 − SG(z2 + z1 − λ z1))².

    Source: Halvagal et al. 2023, IsoLoss.
    """
    return replace(euclidean(1), name="iso-euclidean")


def iso_cosine() -> SymbolicLoss:
    """Isotropic cosine loss: the family at β = 1.

    ℓ = − Σ z1 · SG[z2/(‖λz1‖‖z2‖) − (Σ λ z1 z2) λ z1/(‖λz1‖³‖z2‖)].

    Source: Halvagal et al. 2023, IsoLoss.
    """
    return replace(cosine(1), name="iso-cosine")


@takes()
def without_predictor(loss: SymbolicLoss | str) -> SymbolicLoss:
    """Replace the predictor of a loss, one's own or a named one, by the identity: λ → 1.

    Args:
        loss: A loss, or the name of a built-in one.

    Returns:
        The loss with λ = 1; its name says so.

    Raises:
        UnknownName: No loss has this name.

    Source: Halvagal et al. 2023, ablation without predictor.

    Examples:
        >>> eigendyn.theory.without_predictor("cosine").name
        'cosine, no predictor'
    """
    loss = as_loss(loss)
    return replace(
        loss,
        name=f"{loss.name}, no predictor",
        expression=loss.expression.xreplace({lam: sp.S.One}),
        beta=sp.S.Zero,
        has_predictor=False,
    )


@takes()
def without_stop_gradient(loss: SymbolicLoss | str) -> SymbolicLoss:
    """Let the gradient flow through both branches: SG(x) → x, with λ still a constant.

    Args:
        loss: A loss, or the name of a built-in one.

    Returns:
        The loss without stop-gradient; its name says so.

    Raises:
        UnknownName: No loss has this name.

    Source: Halvagal et al. 2023, ablation without stop-gradient.

    Examples:
        >>> loss = eigendyn.theory.without_stop_gradient("euclidean")
        >>> eigendyn.simulate(loss, [0.1, 0.5]).outcome.values.tolist()
        ['collapsed', 'collapsed']
    """
    loss = as_loss(loss)
    return replace(
        loss,
        name=f"{loss.name}, no stop-gradient",
        expression=sym.release(loss.expression),
        has_stop_gradient=False,
    )


# The built-in losses by name; each value makes the loss.
_BUILDERS: dict[str, Callable[..., SymbolicLoss]] = {
    "euclidean": euclidean,
    "cosine": cosine,
    "iso-euclidean": iso_euclidean,
    "iso-cosine": iso_cosine,
}
LOSSES: Mapping[str, Callable[..., SymbolicLoss]] = MappingProxyType(_BUILDERS)


@takes()
def named_loss(
    name: str,
    *,
    beta: sp.Expr | float | None = None,
    predictor: bool = True,
    stop_gradient: bool = True,
) -> SymbolicLoss:
    """Build a loss from its name and the parts that are switched off.

    The four are::

        euclidean      ℓ = ½ Σ (λ z1 − SG z2)²
        cosine         ℓ = −Σ λ z1 SG(z2) / (‖λ z1‖ ‖SG z2‖)
        iso-euclidean  ℓ = ½ Σ (z1 − SG(z2 + z1 − λ z1))²
        iso-cosine     ℓ = −Σ z1 SG[z2/(‖λz1‖‖z2‖) − (Σ λ z1 z2) λ z1/(‖λz1‖³‖z2‖)]

    The isotropic ones are members β = 1 of the plain ones' families, which descend along δ/λ^β.
    Without predictor λ is 1, without stop-gradient SG(x) is x.

    Args:
        name: One of `choices.LOSS_NAMES`.
        beta: Exponent of the family δ/λ^β; None keeps the one that the name implies.
        predictor: False replaces the predictor by the identity.
        stop_gradient: False lets the gradient flow through the target branch.

    Returns:
        The loss; its name says what is switched off.

    Raises:
        UnknownName: No loss has this name.
        InvalidSetting: An exponent for a loss that has its own.

    Source: Halvagal et al. 2023, losses, IsoLoss and ablations.

    Examples:
        >>> eigendyn.named_loss("euclidean", stop_gradient=False).name
        'euclidean, no stop-gradient'
    """
    build = LOSSES[check_choice("loss", name, LOSS_NAMES)]
    without = None if beta is None else no_family(name, f"named_loss('{{}}', beta={beta})")
    if without is not None:
        raise InvalidSetting(without)
    loss = build() if beta is None else build(beta)
    if not predictor:
        loss = without_predictor(loss)
    return loss if stop_gradient else without_stop_gradient(loss)


def as_loss(loss: SymbolicLoss | str) -> SymbolicLoss:
    """Take a loss, or the name of a built-in one.

    Raises:
        InvalidSetting: It is neither.
        UnknownName: No loss has this name.
        InvalidSetting: It is no loss.
    """
    return loss if isinstance(loss, SymbolicLoss) else named_loss(loss_name(loss))


def chosen_loss(loss: SymbolicLoss | str, chosen: Siamese) -> SymbolicLoss:
    """A loss, or the one of that name, without what the settings switch off.

    Raises:
        UnknownName: No loss has this name.
        InvalidSetting: Loss and settings do not fit.
    """
    if isinstance(loss, str):
        return _named(loss, chosen.beta, chosen.predictor != "none", chosen.stop_gradient)
    if chosen.beta is not None or not chosen.stop_gradient:
        message = (
            "A loss of your own brings its β and stop-gradient with it; beta and stop_gradient "
            "belong to names. Try `without_stop_gradient(loss)`."
        )
        raise InvalidSetting(message)
    if not loss.has_predictor and chosen.predictor not in ("direct", "none"):
        message = (
            f"The loss {loss.name!r} has no lam, so that a {chosen.predictor} predictor does "
            "nothing. Leave it out, or write lam*z1 in the place of z1."
        )
        raise InvalidSetting(message)
    return without_predictor(loss) if chosen.predictor == "none" else loss


@lru_cache(maxsize=64)
def _named(loss: str, beta: float | None, predictor: bool, stop_gradient: bool) -> SymbolicLoss:
    return named_loss(loss, beta=beta, predictor=predictor, stop_gradient=stop_gradient)


def own_loss(
    name: str, expression: sp.Expr, parameters: Mapping[str, float] | None = None
) -> SymbolicLoss:
    """A loss of one's own, with what it has read off its expression.

    Args:
        name: What to call it.
        expression: ℓ in the alphabet of `symbols`, and `symbols.loss_parameter` of each parameter.
        parameters: Numbers by the names that the expression uses for them.

    Raises:
        UndeclaredSymbol, InvalidSetting: As `SymbolicLoss`.
    """
    return SymbolicLoss(
        name,
        expression,
        has_predictor=lam in expression.free_symbols,
        has_stop_gradient=expression.has(sym.StopGradient),
        parameters=tuple((parameters or {}).items()),
    )


@takes()
def loss_from_function(
    function: Callable[..., sp.Expr], parameters: Mapping[str, float] | None = None
) -> SymbolicLoss:
    """Make a loss of a Python function over the symbols of this package.

    As in::

        def loss(z1, z2, lam, gamma):
            return mode_sum((lam * z1 - gamma * stop_gradient(z2)) ** 2)

    Args:
        function: Takes z1, z2, λ, and each parameter by its name; returns ℓ, made with `mode_sum`,
            `norm` and `stop_gradient` of `eigendyn.theory.symbols`. Its name is the loss's.
        parameters: Numbers by the names of the parameters.

    Returns:
        The loss; its parameters stay symbols, with these numbers.

    Raises:
        UndeclaredSymbol: The expression has a symbol that is not in `eigendyn.theory.symbols`.
        InvalidSetting: The function does not take or return these, or what it returns is no scalar.

    Source: the alphabet, Halvagal et al. 2023, losses in the predictor's eigenbasis.

    Examples:
        >>> from eigendyn.theory.symbols import mode_sum, stop_gradient
        >>> def pulled(z1, z2, lam, gamma):
        ...     return mode_sum((lam * z1 - gamma * stop_gradient(z2)) ** 2) / 2
        >>> loss = eigendyn.theory.loss_from_function(pulled, {"gamma": 0.8})
        >>> run = eigendyn.simulate(loss, [0.1, 0.5], sigma1=0)
        >>> run.variance.isel(time=-1).values.round(3).tolist()
        [0.8, 0.8]
    """
    parameters = {one_spelling(name): value for name, value in (parameters or {}).items()}
    numbers = {name: sym.loss_parameter(name) for name in parameters}
    try:
        expression = sp.S.Zero + function(z1, z2, lam, **numbers)
    except TypeError as error:
        message = (
            "A loss's function must take z1, z2, lam and its parameters by name, and return an "
            f"expression; this one fails: {error}. Try parameters={{'gamma': 0.5}} for a gamma."
        )
        raise InvalidSetting(message) from error
    return own_loss(getattr(function, "__name__", "loss"), expression, parameters)


def _exponent(beta: sp.Expr | float) -> sp.Expr:
    """An exact number for a float that is one (0.5 → 1/2), so that equal powers combine."""
    return sp.nsimplify(beta, rational=True) if isinstance(beta, int | float) else beta
