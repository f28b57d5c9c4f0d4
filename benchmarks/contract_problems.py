"""Draw groups of random problems: loss, variant, spectra, times and tolerances.

The problems of a group share a structure, saved times and tolerances; every problem has a spectrum
and numbers (noises, decays, momenta) of its own. Some groups are extreme: exponents, noises,
decays, rates, momenta and variances that nobody would train with. Some are crowded: the predictor
is divided by its largest eigenvalue, and modes begin so close together that another one becomes
the largest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting
from eigendyn.settings.choices import LOSS_NAMES
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.siamese import architecture
from eigendyn.simulation.equations import understand
from eigendyn.theory.closure import close
from eigendyn.theory.derive import ModeDynamics, mode_dynamics

MOST_MODES, DECADES = 50, 6
SEED, SIZE = 1, 20  # of the drawing, and problems of a group
QUADRATURE = {"share": 0.03, "modes": 8}  # exact ratios are slow
KINDS = {"plain": 0.7, "extreme": 0.22, "crowded": 0.08}  # shares of groups
SINGLE = 0.25  # share of extreme groups in float32


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

    @property
    def has_nodes(self) -> bool:
        """Whether averages are taken over nodes."""
        return "cosine" in self.settings["loss"] and self.settings["closure"] == "exact"

    def dynamics(self) -> ModeDynamics:
        """Closed dynamics of a mode."""
        rest = dict(self.settings)
        loss, chosen = understand(rest.pop("loss"), rest)
        return close(mode_dynamics(loss, chosen.alpha, architecture(chosen)), chosen.closure)

    def numbers(self) -> dict[str, NDArray]:
        """Every number that a field may ask for, by name (problems,)."""
        count = len(self.variances)
        fixed = {
            name: np.full(count, np.dtype(self.chosen.dtype).type(value), float)
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
        found = np.stack([known.get(name, np.zeros_like(v)) for name in states], axis=1)
        return found.astype(self.chosen.dtype).astype(float)


def groups(problems: int) -> Iterator[tuple[int, Group]]:
    """Numbers and groups that hold so many problems in all."""
    drawn, number = 0, 0
    while drawn < problems:
        group = draw(SEED, number, SIZE)
        yield number, group
        drawn, number = drawn + len(group.variances), number + 1


def draw(seed: int, number: int, size: int) -> Group:
    """One group, always the same for the same seed and number."""
    rng = np.random.default_rng([seed, number])
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    settings = _settings(rng, kind)
    is_extreme = kind == "extreme"
    ratio = "cosine" in settings["loss"] and settings["closure"] == "exact"
    modes = int(rng.integers(1, QUADRATURE["modes"] if ratio else MOST_MODES, endpoint=True))
    most = 10.0 if is_extreme else 1.0
    top = rng.uniform(0, 4 if is_extreme else 2)  # decades above 1 of the largest variance
    spread = (4 * DECADES if is_extreme else DECADES) + np.zeros((size, 1))
    if kind == "crowded":
        spread = 10 ** rng.uniform(-5, 0, (size, 1))
    end = settings["learning_rate"] * settings["steps"]
    inner = np.sort(rng.uniform(0, end, int(rng.integers(1, 40))))
    sweep = {
        "sigma1": _some(rng, size) * rng.uniform(0, most, size),
        "sigma2": rng.uniform(0, most, size),
        "weight_decay": _some(rng, size) * rng.uniform(0, 0.5 * most, size),
    }
    if settings.get("predictor") == "learned":
        wide = 2.0 if is_extreme else 0.5
        sweep["predictor_rate"] = 10 ** rng.uniform(-wide, wide, size)
        sweep["predictor_decay"] = _some(rng, size) * rng.uniform(0, 0.5 * most, size)
    if settings.get("target") == "ema":
        low, high = (0.0, 0.9999) if is_extreme else (0.5, 0.999)
        sweep["ema"] = rng.uniform(low, high, size)
    is_single = settings.get("dtype") == "float32"
    rtol = 10 ** (rng.uniform(-5, -3) if is_single else rng.uniform(-9, -4))
    number_type = np.float32 if is_single else np.float64
    return Group(
        settings=settings,
        sweep={name: values.astype(number_type).astype(float) for name, values in sweep.items()},
        variances=10 ** (top - spread * rng.uniform(0, 1, (size, modes))),
        times=np.unique(np.array([0.0, *inner, end], number_type)).astype(float),
        rtol=rtol,
        atol=rtol * 10 ** rng.uniform(-4, -1),
    )


def _some(rng: np.random.Generator, count: int) -> NDArray:
    """Zeros for some problems, ones for the others."""
    return rng.integers(0, 2, count).astype(float)


def _settings(rng: np.random.Generator, kind: str) -> dict[str, Any]:
    """Draw until the parts do not contradict each other."""
    is_extreme = kind == "extreme"
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
        if rng.uniform() < (1 if kind == "crowded" else 0.2):
            drawn["normalize"] = True
        if rng.uniform() < 0.15:
            drawn["momentum"] = 0.99 if is_extreme else 0.9
        if drawn["target"] == "ema" and rng.uniform() < 0.5:
            drawn["ema_schedule"] = "cosine"
        if is_extreme and rng.uniform() < SINGLE:
            drawn["dtype"] = "float32"
        try:
            rest = dict(drawn)
            understand(rest.pop("loss"), rest)
        except InvalidSetting:
            continue
        return drawn
