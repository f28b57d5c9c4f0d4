"""Pass a network to compiled code: its numbers as arguments, all else as what is compiled.

Networks that differ in numbers only share compiled code. Which numbers there are, and whether the
views have noise, the loss a family and the predictor an ε, decides what is compiled.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import jax
import numpy as np

from eigendyn.network.network import Network
from eigendyn.settings.parameters import PARAMETERS

NUMBERS = (*PARAMETERS, "steps", "batch")
PARTS = ("has_noise", "has_family", "has_epsilon")  # told before their numbers are traced
CHOICES = tuple(f.name for f in fields(Network) if f.name not in (*NUMBERS, "parameters"))


def _numbers(network: Network) -> tuple[tuple, tuple]:
    """Numbers, of which those that are None are none; and everything else."""
    names, own = tuple(zip(*network.parameters, strict=True)) or ((), ())
    numbers = tuple(_arrays(getattr(network, name)) for name in NUMBERS)
    return (numbers, own), (tuple(getattr(network, name) for name in CHOICES + PARTS), names)


def _arrays(value: Any) -> Any:
    return np.asarray(value) if isinstance(value, tuple) else value


def _network(structure: tuple, numbers: tuple) -> Network:
    """The same network, whose numbers may be traced: they were checked before."""
    network = object.__new__(Network)
    network.__dict__.update(zip(NUMBERS, numbers[0], strict=True))
    network.__dict__.update(zip(CHOICES + PARTS, structure[0], strict=True))
    network.__dict__["parameters"] = tuple(zip(structure[1], numbers[1], strict=True))
    return network


jax.tree_util.register_pytree_node(Network, _numbers, _network)
