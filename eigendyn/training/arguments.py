"""Pass settings of a training to compiled code: numbers as arguments, choices as what is compiled.

Trainings that differ in numbers only share compiled code. Which numbers there are, and whether the
descent has momentum and the predictor an ε, decides what is compiled; so do numbers
that compiled code rounds otherwise where they are arguments: α, and those of a target's schedule.
What no step reads, such as the seed, is left out.
"""

from __future__ import annotations

import jax

from eigendyn.settings.training import Training

NUMBERS = (
    "correlation_momentum",
    "ema",
    "epsilon",
    "learning_rate",
    "momentum",
    "predictor_decay",
    "predictor_rate",
    "predictor_start",
    "steps",
    "weight_decay",
)
CHOICES = (
    "alpha",
    "correlation_order",
    "dtype",
    "embedding",
    "ema_schedule",
    "epsilon_placement",
    "normalize",
    "predictor",
    "target",
)
PARTS = ("has_epsilon", "has_momentum")  # told before their numbers are traced
SCHEDULE = ("ema", "steps")  # numbers that a schedule joins into one


def _numbers(chosen: Training) -> tuple[tuple, tuple]:
    """Numbers, of which those that are None are none; their names, and what is compiled."""
    joined = () if chosen.ema_schedule == "constant" else SCHEDULE
    traced = tuple(name for name in NUMBERS if name not in joined)
    compiled = tuple((name, getattr(chosen, name)) for name in (*CHOICES, *PARTS, *joined))
    return tuple(getattr(chosen, name) for name in traced), (traced, compiled)


def _training(structure: tuple, numbers: tuple) -> Training:
    """The same settings, as far as a step reads them; their numbers, checked before, may be traced.

    What is left out has no attribute here, so that reading it fails.
    """
    traced, compiled = structure
    chosen = object.__new__(Training)
    chosen.__dict__.update(zip(traced, numbers, strict=True))
    chosen.__dict__.update(compiled)
    return chosen


jax.tree_util.register_pytree_node(Training, _numbers, _training)
