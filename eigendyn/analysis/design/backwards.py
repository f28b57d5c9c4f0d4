r"""Construct a stop-gradient loss from the growth rate that its modes shall have.

Any direction δ is the descent direction of ℓ = ½ Σ (z1 − SG(z1 + δ))². So the rate is put into δ,
and derived back from the loss to check that nothing was lost on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import sympy as sp
from numpy.typing import NDArray
from tqdm.auto import tqdm

from eigendyn.analysis.design.consequences import gives_up
from eigendyn.analysis.design.rate import Numbers, check_rate, evaluate, random_spectra
from eigendyn.analysis.rates.growth_rates import growth_rates
from eigendyn.errors import InvalidExpression, InvalidSetting
from eigendyn.settings.keywords import takes
from eigendyn.settings.run_settings import Settings
from eigendyn.theory import symbols as sym
from eigendyn.theory.closure import close
from eigendyn.theory.derive import descent_directions, mode_dynamics
from eigendyn.theory.loss_text import parse_loss, parse_rate
from eigendyn.theory.loss_writer import write_loss
from eigendyn.theory.losses import SymbolicLoss, named_loss, own_loss
from eigendyn.theory.symbols import Average, lam, mode_sum, stop_gradient, z1, z2

MODES = (2, 5)  # of the spectra that the check looks at
PARTS = len(MODES) + 6  # of the work: those, the derivation, and what comes with a loss
PATIENCE = 2.0  # seconds of work without a word


@dataclass(frozen=True)
class Design:
    """A loss and the growth rate that it was designed for, (1/s) ds/dt.

    Args:
        loss: The loss; as text, `write_loss(loss.expression)`.
        wanted: The rate that was asked for, in λ and sums over modes.
        derived: The rate that the exact closure derives from the loss, at the stated noise.
        deviation: Largest difference of the two on random spectra, relative to the spectrum's
            largest rate.
        compared: Eigenvalue, rate asked for and rate derived, of each mode of one of them.
        gives_up: What comes with the loss, a sentence each: conserved quantities, fixed points,
            scale, noise.
    """

    loss: SymbolicLoss
    wanted: sp.Expr
    derived: sp.Expr
    deviation: float
    compared: tuple[tuple[float, float, float], ...]
    gives_up: tuple[str, ...]


@takes()
def design_loss(
    rate: str,
    parameters: Mapping[str, float] | None = None,
    *,
    sigma1: float = 0.0,
    progress: bool = False,
) -> Design:
    r"""Design a loss whose modes grow at a wanted rate.

    With the terms of r = g − h sorted by their sign,

        ℓ = ½ Σ (z1 − SG(z1 + g z2 − h z1/(1 + σ1²)))²,  so that  E[z1 δ] = (g − h) v:

    the terms of g pull towards the target z2, those of h shrink z1. 1 − λ gives iso-Euclidean.

    Args:
        rate: (1/s) ds/dt as text in lam and sums over modes, as in "1 - lam"; with λ = v^α then
            dλ/dt = 2αλ r.
        parameters: Numbers by the names that the text uses for them.
        sigma1: Noise of the first view [same unit as the input], which the shrinking allows for.
        progress: Show a progress bar on standard error, if it takes more than two seconds.

    Returns:
        The loss, and the check that it has this rate.

    Raises:
        InvalidExpression: The text is no rate.
        InvalidSetting: The rate is zero, or not finite for some positive eigenvalues, or its loss
            too long to be read from text.

    Source: The form follows IsoLoss, Halvagal et al. 2023.

    Examples:
        >>> design = eigendyn.design_loss("1 - lam**2")
        >>> run = eigendyn.simulate(design.loss, [0.1, 0.5])
        >>> run.variance.isel(time=-1).values.round(3).tolist()
        [1.0, 1.0]
    """
    noise = _exactly(Settings(sigma1=sigma1).sigma1)
    wanted, numbers = parse_rate(rate, parameters)
    wanted = sym.canonical(wanted)
    check_rate(rate, wanted, numbers)
    terms = sp.Add.make_args(wanted)
    growing = sp.Add(*[term for term in terms if not term.could_extract_minus_sign()])
    pulled = z1 + growing * z2 - (growing - wanted) * z1 / (1 + noise**2)
    loss = _designed(f"rate {rate}", pulled, numbers)
    return _checked(
        loss, wanted, lambda spectra: evaluate(wanted, numbers, spectra), sigma1, progress
    )


@takes()
def design_multiplier(
    loss: str,
    multiplier: str,
    parameters: Mapping[str, float] | None = None,
    *,
    sigma1: float = 0.0,
    progress: bool = False,
) -> Design:
    r"""Give the modes of a known loss another learning-rate multiplier.

    Every mode of a plain loss has its λ as the multiplier of its learning rate; m takes its place,

        ℓ = ½ Σ (z1 − SG(z1 + m δ/λ))²,

    with the descent direction δ of the plain loss. m = 1 gives the isotropic loss: equal rates.

    Args:
        loss: One of `choices.LOSS_NAMES`.
        multiplier: m as text in lam and sums over modes, as in "1" or "lam**0.5".
        parameters: Numbers by the names that the text uses for them.
        sigma1: Noise of the first view [unit of the input] at which the rate is checked.
        progress: Show a progress bar on standard error, if it takes more than two seconds.

    Returns:
        The loss, and the check that it has this rate.

    Raises:
        UnknownName: No loss has this name.
        InvalidExpression: The text is no multiplier.
        InvalidSetting: The multiplier is zero, or not finite for some positive eigenvalues, or its
            loss too long to be read from text.

    Source: Halvagal et al. 2023, eigenvalues as learning-rate multipliers, and IsoLoss.

    Examples:
        >>> eigendyn.analysis.design_multiplier("euclidean", "1").derived
        1 - lam
    """
    plain = named_loss(loss)
    factor, numbers = parse_rate(multiplier, parameters)
    check_rate(multiplier, factor, numbers)
    direction = factor * sp.expand(descent_directions(plain)[0] / lam)
    designed = _designed(f"{loss}, multiplier {multiplier}", z1 + direction, numbers)
    coefficient, power = (factor / lam).as_coeff_exponent(lam)
    if not coefficient.has(lam):
        designed = replace(designed, beta=-power)  # of the family δ/λ^β

    def rates(spectra: NDArray) -> NDArray:
        of_plain = growth_rates(plain, spectra, sigma1=sigma1) / 2
        return of_plain * evaluate(factor / lam, numbers, spectra)

    wanted = sym.canonical(growth_of(plain, sigma1) * factor / lam)
    return _checked(designed, wanted, rates, sigma1, progress)


def _designed(name: str, pulled: sp.Expr, numbers: Numbers) -> SymbolicLoss:
    """The loss whose representations are pulled to a stopped target, if it can be read from text.

    Raises:
        InvalidSetting: Its text is too long, or takes too long to derive from.
    """
    expression = mode_sum((z1 - stop_gradient(pulled)) ** 2) / 2
    try:
        parse_loss(write_loss(expression), dict(numbers))
    except InvalidExpression as error:
        message = (
            "A design must have a loss that can be read from its text, and this one is too large "
            "for that. Ask for a shorter rate or multiplier, such as 1 - lam."
        )
        raise InvalidSetting(message) from error
    return own_loss(name, expression, dict(numbers))


def growth_of(loss: SymbolicLoss, sigma1: float) -> sp.Expr:
    """Derive (1/s) ds/dt by the exact closure, as a function of λ or an average over nodes."""
    dynamics = close(mode_dynamics(loss, 1), "exact")
    rate = dynamics.rates[0].xreplace({sym.weight_decay: sp.S.Zero})
    if not rate.has(Average):
        for symbol, meaning in dynamics.definitions:
            rate = rate.xreplace({symbol: meaning})
    return sym.canonical(rate.xreplace({sym.sigma1: _exactly(sigma1)}) / sym.singular_value)


def _exactly(number: float) -> sp.Rational:
    """The decimal number that Python shows."""
    return sp.Rational(repr(float(number)))


def _checked(
    loss: SymbolicLoss,
    wanted: sp.Expr,
    rates: Callable[[NDArray], NDArray],
    sigma1: float,
    progress: bool,
) -> Design:
    """Compare what the closure derives from the loss with what was asked for."""
    deviation, compared = 0.0, ()
    with tqdm(total=PARTS, delay=PATIENCE, leave=False, unit="part", disable=not progress) as bar:
        for modes in MODES:
            spectra = random_spectra(modes)
            expected = rates(spectra)
            found = growth_rates(loss, spectra, closure="exact", sigma1=sigma1) / 2
            largest = np.abs(expected).max(axis=1, keepdims=True)
            off = np.abs(found - expected)[largest[:, 0] > 0] / largest[largest > 0][:, None]
            deviation = max(deviation, float(off.max(initial=0)))
            first = np.stack([spectra[0], expected[0], found[0]], axis=1)
            compared = tuple(map(tuple, first[np.argsort(spectra[0])].tolist()))
            bar.update()
        off, sums = sym.detach(growth_of(loss, sigma1) - wanted, sp.Function)
        derived = wanted + sp.cancel(off).xreplace(sums)
        bar.update()
        told = []
        for sentence in gives_up(loss, sigma1):
            told.append(sentence)
            bar.update()
    return Design(loss, wanted, derived, deviation, compared, tuple(told))
