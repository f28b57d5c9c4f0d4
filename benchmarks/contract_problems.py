"""A seed enters; groups of random problems leave: a loss, its variant, spectra, times, tolerances.

The problems of a group share a structure, saved times and tolerances; every problem has a spectrum
and numbers (noises, decays, momenta) of its own. A share of the groups is extreme: exponents,
noises, decays, rates and momenta that nobody would train with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.architecture import architecture
from eigendyn.choices import LOSS_NAMES
from eigendyn.closure import close
from eigendyn.derive import ModeDynamics, mode_dynamics
from eigendyn.equations import understand
from eigendyn.errors import InvalidSetting
from eigendyn.settings import Settings

MOST_MODES, DECADES = 50, 6
QUADRATURE = {"share": 0.03, "modes": 8, "problems": 10}  # exact ratios are slow
EXTREME = 0.2  # share of groups


@dataclass(frozen=True)
class Group:
    """Problems that differ in numbers only.

    Args:
        settings: Loss, parts, exponents and closure, as of `eigendyn.simulate`.
        sweep: By name, one number for each problem (problems,).
        variances: Spectra (problems, modes).
        times: Saved times (times,), the first 0.
        rtol: Relative tolerance.
        atol: Absolute tolerance.
    """

    settings: dict[str, Any]
    sweep: dict[str, NDArray]
    variances: NDArray
    times: NDArray
    rtol: float
    atol: float

    @property
    def chosen(self) -> Settings:
        """All settings, filled in."""
        rest = dict(self.settings)
        return understand(rest.pop("loss"), rest)[1]

    def dynamics(self) -> ModeDynamics:
        """Closed dynamics of a mode."""
        rest = dict(self.settings)
        loss, chosen = understand(rest.pop("loss"), rest)
        return close(mode_dynamics(loss, chosen.alpha, architecture(chosen)), chosen.closure)

    def numbers(self) -> dict[str, NDArray]:
        """Every number that a field may ask for, by name (problems,)."""
        count = len(self.variances)
        fixed = {
            name: np.full(count, float(value))
            for name, value in vars(self.chosen).items()
            if isinstance(value, (int, float)) and not isinstance(value, bool)
        }
        return {**fixed, "duration": np.full(count, self.chosen.duration), **self.sweep}

    def starts(self, states: tuple[str, ...]) -> NDArray:
        """Initial values (problems, states, modes)."""
        v, numbers = self.variances, self.numbers()
        known = {
            "singular_value": np.sqrt(v),
            "target_value": np.sqrt(v),
            "correlation_value": (1 + numbers["sigma1"][:, None] ** 2) * v,
        }
        if "predictor_start" in numbers:
            known["predictor_value"] = np.repeat(
                numbers["predictor_start"][:, None], v.shape[1], axis=1
            )
        return np.stack([known.get(name, np.zeros_like(v)) for name in states], axis=1)


def draw(seed: int, number: int, size: int) -> Group:
    """One group, always the same for the same seed and number."""
    rng = np.random.default_rng([seed, number])
    is_extreme = bool(rng.uniform() < EXTREME)
    settings = _settings(rng, is_extreme)
    ratio = "cosine" in settings["loss"] and settings["closure"] == "exact"
    count = min(size, QUADRATURE["problems"]) if ratio else size
    modes = int(rng.integers(1, QUADRATURE["modes"] if ratio else MOST_MODES, endpoint=True))
    most = 10.0 if is_extreme else 1.0
    top = rng.uniform(0, 4 if is_extreme else 2)  # decades above 1 of the largest variance
    decades = 2 * DECADES if is_extreme else DECADES
    end = settings["learning_rate"] * settings["steps"]
    inner = np.sort(rng.uniform(0, end, int(rng.integers(1, 40))))
    sweep = {
        "sigma1": _some(rng, count) * rng.uniform(0, most, count),
        "sigma2": rng.uniform(0, most, count),
        "weight_decay": _some(rng, count) * rng.uniform(0, 0.5 * most, count),
    }
    if settings.get("predictor") == "learned":
        wide = 2.0 if is_extreme else 0.5
        sweep["predictor_rate"] = 10 ** rng.uniform(-wide, wide, count)
        sweep["predictor_decay"] = _some(rng, count) * rng.uniform(0, 0.5 * most, count)
    if settings.get("target") == "ema":
        low, high = (0.0, 0.9999) if is_extreme else (0.5, 0.999)
        sweep["ema"] = rng.uniform(low, high, count)
    rtol = 10 ** rng.uniform(-9, -4)
    return Group(
        settings=settings,
        sweep=sweep,
        variances=10 ** rng.uniform(top - decades, top, (count, modes)),
        times=np.concatenate([[0.0], inner, [end]]),
        rtol=rtol,
        atol=rtol * 10 ** rng.uniform(-4, -1),
    )


def _some(rng: np.random.Generator, count: int) -> NDArray:
    """Zeros for some problems, ones for the others."""
    return rng.integers(0, 2, count).astype(float)


def _settings(rng: np.random.Generator, is_extreme: bool) -> dict[str, Any]:
    """Draw until the parts do not contradict each other."""
    while True:
        loss = str(rng.choice(LOSS_NAMES))
        exact = "cosine" not in loss or rng.uniform() < QUADRATURE["share"]
        drawn: dict[str, Any] = {
            "loss": loss,
            "closure": "exact" if exact and rng.uniform() < 0.9 else "mean-field",
            "predictor": str(rng.choice(("direct", "copy", "running", "learned", "none"))),
            "target": str(rng.choice(("shared", "ema"))),
            "stop_gradient": bool(rng.uniform() < 0.8),
            "learning_rate": float(rng.choice((0.02, 0.1, 0.5))),
        }
        drawn["steps"] = round(10 ** rng.uniform(0, 1.8) / drawn["learning_rate"]) + 1
        if rng.uniform() < 0.7:
            low, high = (0.1, 4) if is_extreme else (0.3, 2)
            drawn["alpha"] = round(float(rng.uniform(low, high)), 2)
        if rng.uniform() < 0.3:
            drawn["beta"] = float(rng.choice((0.25, 0.5, 1.0)))
        if rng.uniform() < 0.2:
            drawn["epsilon"] = 0.1
            drawn["epsilon_placement"] = str(rng.choice(("inside", "outside")))
        if rng.uniform() < 0.2:
            drawn["normalize"] = True
        if rng.uniform() < 0.15:
            drawn["momentum"] = 0.99 if is_extreme else 0.9
        if drawn["target"] == "ema" and rng.uniform() < 0.5:
            drawn["ema_schedule"] = "cosine"
        try:
            rest = dict(drawn)
            understand(rest.pop("loss"), rest)
        except InvalidSetting:
            continue
        return drawn
