"""Solve the ensembles with what a user would pick: one peer a file, two functions each.

    is_installed() -> bool
    solve(problem, starts, times, rtol, atol) -> values

`problem` is "E", "C" or "X" of `problems`, those in the file's PROBLEMS; starts (trajectories,
modes); values (trajectories, modes, times), in main memory, λ or what gives λ when raised to the
file's POWER. The first call of a shape may compile,
later ones are warm. Each is as fast as we could make it with that tool.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any


@dataclass(frozen=True)
class Peer:
    """One row of the tables.

    Args:
        label: What it is called there.
        module: File in this folder.
        options: Arguments of its `solve` that choose a variant.
        most_modes: Largest number of modes that it can be asked for.
        environment: Variables that its process needs.
    """

    label: str
    module: str
    options: dict[str, Any] = field(default_factory=dict)
    most_modes: int = 10**6
    environment: dict[str, str] = field(default_factory=dict)

    def load(self) -> tuple[Callable, tuple[str, ...], int]:
        """Its `solve`, the problems that it solves, and the power of its values that λ is."""
        module = import_module(f"peers.{self.module}")
        power = getattr(module, "POWER", 1)
        return partial(module.solve, **self.options), module.PROBLEMS, power

    @property
    def is_installed(self) -> bool:
        """Whether its tool is here."""
        return import_module(f"peers.{self.module}").is_installed()


TWO_DEVICES = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
PEERS = {
    "eigendyn": Peer("eigendyn", "eigendyn_engine"),
    "eigendyn-flow": Peer("eigendyn, flow under vmap", "eigendyn_flow"),
    "numba": Peer("numba, Dormand–Prince by hand", "numba_kernel"),
    "heyoka": Peer("heyoka, Taylor batches", "heyoka_taylor", most_modes=1000),
    "diffrax": Peer("diffrax, Tsit5 under vmap", "diffrax_vmap"),
    "diffrax-chunks": Peer(
        "diffrax, Tsit5, chunks on 2 devices", "diffrax_chunks", environment=TWO_DEVICES
    ),
    "scipy-rk45": Peer("SciPy RK45, a loop", "scipy_loop", {"method": "RK45"}),
    "scipy-dop853": Peer("SciPy DOP853, a loop", "scipy_loop", {"method": "DOP853"}),
    "scipy-lsoda": Peer("SciPy LSODA, a loop", "scipy_loop", {"method": "LSODA"}, 1000),
    "scipy-system": Peer("SciPy DOP853, one system", "scipy_system"),
    "torchdiffeq": Peer("torchdiffeq, dopri5", "torchdiffeq_dopri5"),
    "torchode": Peer("torchode, tsit5", "torchode_tsit5"),
    "writing": Peer("writing the output once", "writing"),
}


def has(*packages: str) -> bool:
    """Whether all the packages can be imported."""
    return all(find_spec(package) is not None for package in packages)
