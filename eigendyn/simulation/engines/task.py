"""Say what an engine has to follow, one spectrum or many, and load the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from numpy.typing import NDArray

from eigendyn.program.averaging import Nodes
from eigendyn.results.trajectory import Trajectory
from eigendyn.settings.engines import ENGINES
from eigendyn.settings.run_settings import Settings
from eigendyn.simulation.equations import Equations

if TYPE_CHECKING:
    from eigendyn.program.in_jax import VectorField

Follow = Callable[[Nodes], Trajectory]  # one spectrum, with averages at these nodes


def load_engine(name: str) -> ModuleType:
    """The module of an engine, whose functions are those that its row says it has.

    `follow_one(run: OneRun)` gives a `Follow`; `follow_many(run: ManyRuns, starts, parameters)`
    takes states (trajectories, states, modes) and `Numbers`, and gives a `Batch`.
    """
    return import_module(f"eigendyn.simulation.engines.{ENGINES[name].module}")


@dataclass(frozen=True)
class OneRun:
    """One spectrum to follow.

    Args:
        system: The equations, with the settings that they follow from.
        start: States at the first step (states, modes).
        steps: Increasing steps to save (steps,); in between, too, for a flow.
        parameters: One number for each of the program's parameters.
        progress: Whether to show a progress bar.
    """

    system: Equations
    start: NDArray
    steps: NDArray
    parameters: Mapping[str, float]
    progress: bool = False

    @property
    def chosen(self) -> Settings:
        """The settings."""
        return self.system.chosen

    @property
    def times(self) -> NDArray:
        """Learning rate × steps."""
        return self.chosen.learning_rate * self.steps

    def field(self, nodes: Nodes) -> VectorField:
        """The equations as a vector field with these nodes."""
        return replace(self.system.field, nodes=nodes.in_precision(self.chosen.dtype))


@dataclass(frozen=True)
class ManyRuns:
    """What an engine does with every chunk of an ensemble.

    Args:
        system: The equations, with the settings that they follow from: accuracies, precision, …
        nodes: Where their averages are taken.
        times: Increasing times to save (times,), or at which to look for recruitment.
        keep: One of `choices.KEEPS`.
        threads: Threads to use; None takes one for each core.
        whole: Starts of the whole ensemble (trajectories, states, modes).
    """

    system: Equations
    nodes: Nodes
    times: NDArray
    keep: str
    threads: int | None
    whole: NDArray

    @property
    def chosen(self) -> Settings:
        """The settings."""
        return self.system.chosen

    @property
    def field(self) -> VectorField:
        """The equations as a vector field, with nodes."""
        return replace(self.system.field, nodes=self.nodes)

    @property
    def saved(self) -> str:
        """Which times an engine gives: the "final" one, or those of the whole "trajectory"."""
        return "final" if self.keep == "final" else "trajectory"

    @cached_property
    def span(self) -> tuple[float, float]:
        """Smallest and largest start of the whole ensemble that moves."""
        from eigendyn.simulation.engines.shifted.ensemble import moving_range

        return moving_range(self.whole)

    def with_steps(self, steps: int) -> ManyRuns:
        """The same, with so many adaptive steps at most."""
        if steps == self.chosen.max_solver_steps:
            return self
        limited = replace(self.chosen, max_solver_steps=steps)
        return replace(self, system=replace(self.system, chosen=limited))
