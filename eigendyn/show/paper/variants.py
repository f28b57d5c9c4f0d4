"""List the losses and variants of the published figures: two rows of four panels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eigendyn.settings.choices import LOSS_ROWS, isotropic
from eigendyn.settings.presets import preset_settings
from eigendyn.show.plot.style import loss_symbol
from eigendyn.theory.losses import SymbolicLoss
from eigendyn.theory.symbols import lam, mode_sum, norm, stop_gradient, z1, z2

FAMILIES = ("euclidean", "cosine")
NOISE: dict[str, Any] = {"sigma1": 0.0, "sigma2": 0.1}


@dataclass(frozen=True)
class Panel:
    """One panel: a loss with what is switched off.

    Args:
        row: 0 for the Euclidean family, 1 for the cosine one.
        column: 0 … 3 from no stop-gradient to isotropic; -1 for the published update.
        loss: Name of the loss.
        predictor: Whether there is a predictor.
        stop_gradient: Whether the target branch is stopped.
        as_published: Whether the published update takes the place of the loss's gradient.
    """

    row: int
    column: int
    loss: str
    predictor: bool = True
    stop_gradient: bool = True
    as_published: bool = False

    @property
    def name(self) -> str:
        """Name of the panel's group and part."""
        off = "-no-predictor" * (not self.predictor)
        off += "-no-stop-gradient" * (not self.stop_gradient)
        return self.loss + off + "-as-published" * self.as_published

    @property
    def symbol(self) -> str:
        """How the paper writes it."""
        if self.as_published:
            return "as published*"
        return loss_symbol(self.loss, predictor=self.predictor, stop_gradient=self.stop_gradient)

    @property
    def colour(self) -> str:
        """Colour of its lines."""
        return "0.45" if self.as_published else LOSS_ROWS[self.loss].colour

    @property
    def variant(self) -> dict[str, Any]:
        """What is switched off, as settings."""
        return {
            "predictor": "direct" if self.predictor else "none",
            "stop_gradient": self.stop_gradient,
        }

    @property
    def published(self) -> dict[str, Any]:
        """Learning rate and number of steps that the published eigenvalue panels took."""
        settings = preset_settings("published", self.loss, "direct" if self.predictor else "none")
        return {name: settings[name] for name in ("learning_rate", "steps")}


def panels() -> list[Panel]:
    """The eight panels, row by row."""
    return [
        panel
        for row, family in enumerate(FAMILIES)
        for panel in (
            Panel(row, 0, family, stop_gradient=False),
            Panel(row, 1, family, predictor=False),
            Panel(row, 2, family),
            Panel(row, 3, isotropic(family)),
        )
    ]


AS_PUBLISHED = Panel(1, -1, "cosine", stop_gradient=False, as_published=True)
NOT_THE_GRADIENT = "*not the loss's\ngradient"


def published_update() -> SymbolicLoss:
    """A loss whose descent is the published update for the cosine loss without stop-gradient.

    That update is not the gradient of the loss: its target branch is divided by ‖λz1‖³‖z2‖ where
    the gradient has ‖λz1‖‖z2‖³, and multiplies the first view. See `crosschecks.audit`.

    Source: the update rule of the notebook published with Halvagal et al. 2023.
    """
    p, t = norm(lam * z1), norm(z2)
    overlap = mode_sum(lam * z1 * z2)
    online = lam * (z2 / (p * t) - overlap * lam * z1 / (p**3 * t))
    target = lam * z1 / (p * t) - overlap * z2 / (p**3 * t)
    return SymbolicLoss(
        "cosine, no stop-gradient, as published", -mode_sum(z1 * stop_gradient(online + target))
    )
