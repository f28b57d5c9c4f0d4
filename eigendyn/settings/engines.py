"""List the engines, one row each: whom they serve, what they follow, where they run.

Standard library only; `simulation.engines.task` loads the module that follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

EVERY_DTYPE = ("float64", "float32")
PROCESSOR, ANYWHERE = ("auto", "cpu"), ("auto", "cpu", "cuda")  # values of `device`


@dataclass(frozen=True)
class Engine:
    """One way to follow mode dynamics.

    Args:
        name: Of `method` for one spectrum, of `engine` for many.
        module: In `simulation.engines`, with its functions `follow_one` and `follow_many`.
        follows: "flow", the gradient flow with adaptive steps; "steps" of descent; or "solution",
            in closed form.
        serves_one: Whether it follows one spectrum.
        serves_many: Whether it follows ensembles.
        devices: Where it runs.
        dtypes: In which precisions.
        has_solver: Whether it lets one choose its solver.
        reduces: Values of `keep` that it reduces a trajectory to by itself.
        approximation: What it takes for the equations, beyond its tolerances; empty if nothing.
    """

    name: str
    module: str
    follows: str
    serves_one: bool
    serves_many: bool
    devices: tuple[str, ...] = PROCESSOR
    dtypes: tuple[str, ...] = EVERY_DTYPE
    has_solver: bool = False
    reduces: tuple[str, ...] = ()
    approximation: str = ""


_ROWS = (
    Engine("compiled", "lanes.follow", "flow", serves_one=True, serves_many=True),
    Engine("shifted", "shifted.follow", "flow", serves_one=False, serves_many=True),
    Engine(
        *("implicit", "implicit.follow", "flow"),
        serves_one=True,
        serves_many=True,
        dtypes=("float64",),
        approximation="forces under a loss without a scale act at most 1e8 times in a unit of "
        "time, and not at all once they cancel to round-off in every mode",
    ),
    Engine(
        *("kernel", "gpu.follow", "flow"),
        serves_one=False,
        serves_many=True,
        devices=ANYWHERE,
        reduces=("extrema",),
    ),
    Engine(
        *("flow", "in_jax.follow_flow", "flow"),
        serves_one=True,
        serves_many=True,
        devices=ANYWHERE,
        has_solver=True,
    ),
    Engine(
        *("steps", "in_jax.follow_steps", "steps"),
        serves_one=True,
        serves_many=False,
        devices=ANYWHERE,
    ),
    Engine(
        *("closed-form", "closed_form.follow", "solution"),
        serves_one=True,
        serves_many=False,
        devices=ANYWHERE,
    ),
)
ENGINES: Mapping[str, Engine] = MappingProxyType({row.name: row for row in _ROWS})
METHODS = ("auto", *(row.name for row in _ROWS if row.serves_one))
ENSEMBLE_ENGINES = ("auto", *(row.name for row in _ROWS if row.serves_many))
