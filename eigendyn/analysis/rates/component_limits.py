"""Say in closed form which components of data the Euclidean losses learn, how far, and when."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigendyn.errors import NoClosedForm
from eigendyn.program.in_numpy import quantities
from eigendyn.results.outcome_words import NEAR
from eigendyn.settings.choices import LOSS_ROWS, given_name
from eigendyn.settings.given import GivenSettings
from eigendyn.settings.keywords import takes
from eigendyn.settings.parameters import PER_MODE, component
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.spectrum import check_modes, check_variances
from eigendyn.simulation.equations import Equations, equations
from eigendyn.simulation.initial import field_parameters

if TYPE_CHECKING:
    import xarray

LOSSES = ("euclidean", "iso-euclidean")
PARTS = ("predictor", "stop_gradient", "epsilon", "normalize", "target", "momentum")


@takes(Settings)
def component_limits(
    loss: str = "euclidean", variances: ArrayLike | None = None, **settings: Unpack[GivenSettings]
) -> xarray.Dataset:
    r"""What becomes of every component under a Euclidean loss, as a function of signal and noise.

    The predictor's eigenvalue λ = c^α of a component with signal d and first-view noise a obeys::

        plain      dλ/dt = 2αλ [λd − λ²(d + a) − ω]
        isotropic  dλ/dt = 2αλ [d − λ(d + a) − ω]

    whatever α and whichever correlation c it is a function of. So it comes to rest at::

        plain      λ± = [d ± √(d² − 4ω(d + a))]/(2(d + a)), both there iff ω ≤ d²/(4(d + a))
        isotropic  λ* = (d − ω)/(d + a), there iff ω < d

    the upper one stable, d/(d + a) without decay: a Wiener filter. Below λ₋ a component is
    forgotten; the isotropic loss forgets none that it can learn. Clean variances are v = λ^{1/α}/r
    with r = 1, 1 + a/d or 1/d where the correlation is that of clean representations, of the first
    view or of the weights. From λ₀ to λ₁, with D = √(d² − 4ω(d + a))::

        isotropic  t = ln[λ₁(λ* − λ₀)/(λ₀(λ* − λ₁))]/(2α(d − ω)) ≈ ln(λ*/λ₀)/(2α(d − ω))
        plain      t = {h(λ₀) − h(λ₁) + ln[λ₁(λ₊ − λ₀)/(λ₀(λ₊ − λ₁))]/λ₊}/(2αD) ≈ h(λ₀)/(2αD)

    where h(λ) = −ln(1 − λ₋/λ)/λ₋, which is 1/λ without decay: the plain loss takes 1/(2αdλ₀).
    The approximations are the leading terms for a small start, λ₀ ≪ λ*; the plain one holds beside
    λ₋ too, where time diverges. A component is recruited as in a run: when its variance is within
    5 % of its end.

    Args:
        loss: "euclidean" or "iso-euclidean".
        variances: Clean variances at the start (components,); None leaves out what depends on it.
        settings: Fields of `Settings`, signal and noises of data among them, as
            `eigendyn.data.start(data)` gives them. The second view's noise does nothing here, as
            its branch is stopped, and steps have the same fixed points as the flow.

    Returns:
        Dataset over component: `signal`, `noise1`; `predictor_eigenvalue` and `variance`, where it
        comes to rest, and `threshold_eigenvalue` and `threshold_variance`, above which it must
        start, NaN if it cannot live; `largest_weight_decay` with which it can. With a start also
        `initial_variance`; `learned`, whether it comes to rest alive;
        `largest_weight_decay_of_start` below which it does, λ₀d − λ₀²(d + a) under the plain loss
        if λ₀ is below d/(2(d + a)); `recruitment_time` and `small_start_time`, its leading term,
        NaN if it is not learned, the latter also from above.

    Raises:
        NoClosedForm: Another loss, or a part of the network that has other dynamics.
        UnknownName, InvalidSetting, InvalidSpectrum: As `simulate`.

    Source: derivations/components.py.

    Examples:
        >>> components = {"signal": [1.0, 0.5], "noise1": [0.25, 0.125]}
        >>> found = eigendyn.analysis.component_limits("euclidean", **components)
        >>> found.predictor_eigenvalue.values.round(3).tolist()
        [0.8, 0.8]
        >>> found.largest_weight_decay.values.round(3).tolist()
        [0.2, 0.1]
    """
    system = equations(loss, settings)
    chosen = system.chosen
    _check(system)
    start = None if variances is None else check_variances(variances) + 0.0
    given = {name: getattr(chosen, name) for name in PER_MODE}
    sizes = [len(one) for one in given.values() if isinstance(one, tuple)]
    count = len(start) if start is not None else max(sizes, default=1)
    for name, one in given.items():
        if isinstance(one, tuple):
            check_modes(name, one, count)
    d, a = (
        np.broadcast_to(np.asarray(component(n, partial(getattr, chosen)), float), count)
        for n in PER_MODE[:2]
    )
    of = _Rest(d, a, chosen.weight_decay, chosen.alpha, _is_isotropic(chosen))
    share = _share(system, count)
    found = {
        "signal": _column(d, "signal of the component", "variance"),
        "noise1": _column(a, "noise of the first view along the component", "variance"),
    }
    for name, rest, words in (
        ("", of.upper, "where it comes to rest"),
        ("threshold_", of.lower, "above which it must start"),
    ):
        eigenvalue = "threshold_eigenvalue" if name else "predictor_eigenvalue"
        found[eigenvalue] = _column(rest, f"eigenvalue of the predictor {words}", "variance^α")
        found[f"{name}variance"] = _column(
            (rest / share) ** (1 / chosen.alpha), f"variance of the mode {words}", "variance"
        )
    words = "weight decay with which the component can live"
    found["largest_weight_decay"] = _column(of.limit, f"largest {words}", "1/time")
    if start is not None:
        found |= _of_start(of, start, share * start**chosen.alpha)
    import xarray

    numbers = ("component", np.arange(count), {"long_name": "component", "units": "1"})
    attrs = {"loss": system.title, "alpha": chosen.alpha, "weight_decay": chosen.weight_decay}
    return xarray.Dataset(found, {"component": numbers}, attrs)


@dataclass(frozen=True)
class _Rest:
    """Fixed points of the predictor's eigenvalue, and times between them; all (components,).

    Args:
        d: Signal.
        a: Noise of the first view.
        decay: Weight decay ω.
        alpha: Exponent α.
        isotropic: Whether the loss is the isotropic one.
    """

    d: NDArray
    a: NDArray
    decay: float
    alpha: float
    isotropic: bool

    @property
    def limit(self) -> NDArray:
        """Largest weight decay with which there is a fixed point beside zero."""
        return self.d if self.isotropic else self.d**2 / (4 * (self.d + self.a))

    @property
    def pace(self) -> NDArray:
        """The d − ω of the isotropic loss, √(d² − 4ω(d + a)) of the plain one; NaN at no rest."""
        if self.isotropic:
            return np.where(self.decay < self.d, self.d - self.decay, np.nan)
        inside = self.d**2 - 4 * self.decay * (self.d + self.a)
        return np.sqrt(np.where(inside >= 0, inside, np.nan))

    @property
    def upper(self) -> NDArray:
        """Stable fixed point."""
        top = self.pace if self.isotropic else (self.d + self.pace) / 2
        return top / (self.d + self.a)

    @property
    def lower(self) -> NDArray:
        """Unstable fixed point: 0 of the isotropic loss; of the plain one λ₋λ₊ = ω/(d + a)."""
        return self.upper * 0 if self.isotropic else self.decay / ((self.d + self.a) * self.upper)

    def limit_from(self, first: NDArray) -> NDArray:
        """Weight decay below which this start comes to rest alive."""
        if self.isotropic:
            return np.where(first > 0, self.limit, 0.0)
        growth = first * (self.d - first * (self.d + self.a))
        return np.where(first < self.d / (2 * (self.d + self.a)), growth, self.limit)

    def slowness(self, at: NDArray) -> NDArray:
        """The h of the plain loss: −ln(1 − λ₋/λ)/λ₋, without weight decay 1/λ."""
        lower = self.lower
        return np.where(lower > 0, -np.log1p(-lower / at) / lower, 1 / at)

    def time(self, first: NDArray, last: NDArray) -> NDArray:
        """Time from one eigenvalue to another on the same side of the upper fixed point."""
        upper = self.upper
        ratio = np.log(last / first) + np.log((upper - first) / (upper - last))
        if not self.isotropic:
            ratio = self.slowness(first) - self.slowness(last) + ratio / upper
        return ratio / (2 * self.alpha * self.pace)

    def small_start_time(self, first: NDArray) -> NDArray:
        """Leading term of the time to the upper fixed point for a small start."""
        part = np.log(self.upper / first) if self.isotropic else self.slowness(first)
        return part / (2 * self.alpha * self.pace)


@np.errstate(all="ignore")
def _of_start(of: _Rest, variances: NDArray, first: NDArray) -> dict[str, Any]:
    """What follows from where a component starts, at a variance and its eigenvalue."""
    alive = (first > 0) & (of.decay < of.limit_from(first))
    above = first > of.upper
    edge = of.upper * np.where(above, 1 + NEAR, 1 - NEAR) ** of.alpha
    arrived = np.where(above, first <= edge, first >= edge)
    exact = np.where(arrived, 0.0, of.time(first, np.where(arrived, first, edge)))
    unit = "learning rate × step"
    exactly = "first time within 5 % of the end value"
    leading = "leading term of the recruitment time for a small start"
    words = "largest weight decay below which the component lives from its start"
    return {
        "initial_variance": _column(variances, "variance at the start", "variance"),
        "learned": _column(alive, "whether the component comes to rest alive", ""),
        "largest_weight_decay_of_start": _column(of.limit_from(first), words, "1/time"),
        "recruitment_time": _column(np.where(alive, exact, np.nan), exactly, unit),
        "small_start_time": _column(
            np.where(alive & ~above, of.small_start_time(first), np.nan), leading, unit
        ),
    }


def _is_isotropic(chosen: Settings) -> bool:
    return (LOSS_ROWS[chosen.loss].beta if chosen.beta is None else chosen.beta) == 1


def _share(system: Equations, count: int) -> NDArray:
    """Predictor's eigenvalue of a mode of variance one: r^α."""
    program = system.program
    ones = np.ones((len(program.states), count, 1))
    numbers = field_parameters(program, system.chosen, {})
    (eigenvalue,) = quantities(program, [program.predictor], ones, numbers)
    return np.broadcast_to(eigenvalue, (count, 1))[:, 0]


def _check(system: Equations) -> None:
    chosen, given = system.chosen, system.given
    usual = {name: getattr(Settings, name) for name in PARTS}
    numbers = {name: getattr(chosen, name) for name in PARTS}
    wrong = [f"`{n}={one!r}`" for n, one in numbers.items() if (one or 0) != (usual[n] or 0)]
    if chosen.beta not in (None, 0, 1):
        wrong.append(f"`beta={chosen.beta:g}`")
    if not isinstance(given, str) or given not in LOSSES:
        wrong.append(f"the loss {given_name(given)!r}")
    if wrong:
        message = (
            "What becomes of components has a closed form for 'euclidean' and 'iso-euclidean' "
            "with a direct predictor, a stopped and shared target and plain descent; with "
            f"{wrong[0]} it has none here. Try eigendyn.simulate."
        )
        raise NoClosedForm(message)


def _column(values: NDArray, long_name: str, units: str) -> tuple[str, NDArray, dict[str, str]]:
    return "component", values, {"long_name": long_name, "units": units}
