"""A wanted growth rate of every mode enters; a loss with exactly these dynamics leaves."""

from eigendyn.design.backwards import Design, design_loss, design_multiplier

__all__ = ["Design", "design_loss", "design_multiplier"]
