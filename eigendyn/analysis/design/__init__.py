"""Design a loss whose modes grow at a wanted rate."""

from eigendyn.analysis.design.backwards import Design, design_loss, design_multiplier

__all__ = ["Design", "design_loss", "design_multiplier"]
