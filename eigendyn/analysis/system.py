"""Build the dynamical system of a few modes from a loss and its architecture, or from a model."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Unpack

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from eigendyn.analysis.fixed_points.newton import rates_at
from eigendyn.errors import InvalidSetting
from eigendyn.program import Program
from eigendyn.program.derivation import program_of
from eigendyn.program.in_jax import VectorField, compile_expressions
from eigendyn.settings.checks import check_whole
from eigendyn.settings.given import GivenSettings
from eigendyn.settings.keywords import takes
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.wording import short, told
from eigendyn.simulation.equations import closed_dynamics, conserved, decays, understand
from eigendyn.simulation.simulate import vector_field
from eigendyn.theory import symbols as sym
from eigendyn.theory.conservation import Conserved
from eigendyn.theory.derive import ModeDynamics
from eigendyn.theory.losses import SymbolicLoss

LARGEST = 2.0  # variance up to which the closure's nodes are chosen
SMALLEST = 1e-3  # of the largest
MOST_PATTERNS = 6
STILL = 1e-6  # rate of singular values of about one that is none


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class Rates:
    """What compiled code sees of a dynamical system: its rates, whose numbers are arguments.

    Systems that differ in numbers only, those of a loss among them, share compiled code.
    """

    vector_field: VectorField
    parameters: Mapping[str, float]
    names: tuple[str, ...] = field(metadata={"static": True})
    modes: int = field(metadata={"static": True})

    def __call__(self, x: Array, **parameters: Array | float) -> Array:
        """Rate of change of every coordinate (coordinates,); parameters by name override."""
        states = jnp.reshape(x, (-1, self.modes))
        return self.vector_field(0.0, states, {**self.parameters, **parameters}).ravel()


@dataclass(frozen=True, eq=False)
class DynamicalSystem:
    """Autonomous dynamics dx/dt = f(x) of the states of a few modes.

    The coordinates x are the states as the mode dynamics have them, all modes of the first, then of
    the second: singular values s_m, not variances, since there the dynamics are smooth at zero.
    A pytree, of which a function under `jax.jit` gets the `Rates`.

    Args:
        vector_field: The field, with nodes.
        parameters: Numbers by name that a call takes unless it is given others.
        names: Name of every coordinate, such as "singular_value_0".
        modes: Number of modes.
        loss: The loss; None of a model.
        settings: Everything else that was chosen.
        dynamics: The closed mode dynamics, in symbols.
        conserved: By name, functions of x that stay constant along trajectories.
    """

    vector_field: VectorField
    parameters: Mapping[str, float]
    names: tuple[str, ...]
    modes: int
    loss: SymbolicLoss | None
    settings: Settings
    dynamics: ModeDynamics = field(repr=False)
    conserved: Mapping[str, Callable[[Array], Array]]

    def __call__(self, x: Array, **parameters: Array | float) -> Array:
        """Rate of change of every coordinate (coordinates,); parameters by name override."""
        return self.rates(x, **parameters)

    @property
    def rates(self) -> Rates:
        """What compiled code sees of it."""
        return Rates(self.vector_field, self.parameters, self.names, self.modes)

    @property
    def kind(self) -> str:
        """What it comes from: "loss" or "model"."""
        return "model" if self.loss is None else "loss"

    @property
    def name(self) -> str:
        """Name of the loss, with what was switched off, or of the model."""
        return self.dynamics.name

    def title(
        self, parameters: Mapping[str, float], without: Collection[str] = (), holding: str = ""
    ) -> str:
        """Say in words which system it is: its name, and every number that is not the usual one.

        Args:
            parameters: Numbers by name, in the place of its own.
            without: Names of those that are not said.
            holding: What else is said after the name.
        """
        numbers = {**self.parameters, **parameters}
        own = {n: numbers[n] for n, _ in self.dynamics.parameters if n not in without}
        said = {**asdict(self.settings), **parameters}
        if self.loss is None:
            said |= {"model": self.name, "parameters": own}
        return told(", ".join(filter(None, [short(self.name), holding])), said, without)

    @cached_property
    def program(self) -> Program:
        """The mode dynamics as a program.

        Raises:
            NoProgram: The loss uses a function that programs do not know.
        """
        return program_of(self.dynamics)


jax.tree_util.register_pytree_node(  # what it is called and comes from, compiled code never sees
    DynamicalSystem,
    lambda system: ((system.rates,), None),
    lambda _, parts: parts[0],  # pyright: ignore[reportArgumentType]
)


@takes(Settings)
def dynamical_system(
    loss: str | SymbolicLoss | ModeDynamics = "cosine",
    modes: int = 2,
    *,
    largest_variance: float = LARGEST,
    **settings: Unpack[GivenSettings],
) -> DynamicalSystem:
    """Build the dynamical system dx/dt = f(x) of the states of a few modes.

    f is the right-hand side of `eigendyn.theory.mode_dynamics`, moments closed: of singular values
    ds_m/dt = (E[z1_m δ1_m] + E[z2_m δ2_m])/s_m − ω s_m.

    Args:
        loss: Name of a loss or model, or one of your own.
        modes: Number of modes M.
        largest_variance: Variance up to which the nodes of an exact closure are chosen; they serve
            spectra down to a thousandth of it.
        settings: Fields of `Settings`; those of an engine do nothing here.

    Returns:
        The system; its coordinates x (states × modes,) are all modes of the first state, then of
        the second, with singular values s_m = √v_m, not variances.

    Raises:
        InvalidSetting: Fewer than one mode, or a scheduled target, whose dynamics change in time.
        The errors of `simulate` otherwise.

    Source: Halvagal et al. 2023, eigenspace dynamics; further states, as `theory.mode_dynamics`.

    Examples:
        >>> system = eigendyn.dynamical_system("euclidean", 1, weight_decay=0.16, sigma1=0)
        >>> system(np.array([1.0])).round(3).tolist()
        [-0.16]
    """
    modes = check_whole("modes", modes, 1)
    source, chosen = understand(loss, settings)
    if chosen.ema_schedule != "constant":
        message = (
            f"The dynamics of a target with a {chosen.ema_schedule} schedule change in time, so "
            "that there are no fixed points. Try `ema_schedule='constant'`."
        )
        raise InvalidSetting(message)
    spectra = largest_variance * _patterns(modes)
    compiled, _, parameters = vector_field(loss, spectra, **settings)
    # with decay, what is conserved changes in time
    kept = conserved(source, chosen) if decays(chosen) == "nothing" else ()
    return DynamicalSystem(
        vector_field=compiled,
        parameters=parameters,
        names=tuple(f"{name}_{mode}" for name in compiled.states for mode in range(modes)),
        modes=modes,
        loss=source if isinstance(source, SymbolicLoss) else None,
        settings=chosen,
        dynamics=closed_dynamics(source, chosen),
        conserved={
            name: jax.tree_util.Partial(quantity, chosen.predictor_rate or 1.0)
            for name, quantity in _conserved(kept, compiled.states, modes).items()
        },
    )


def check_motion(system: DynamicalSystem) -> None:
    """Check that encoders learn: under a scale-free loss, a single mode never moves.

    Raises:
        InvalidSetting: No singular value moves, decay aside.
    """
    without = {name: 0.0 for name in ("weight_decay",) if name in system.parameters}
    points = np.random.default_rng(0).uniform(0.2, 1.2, (8, len(system.names)))
    if np.abs(rates_at(system, points, without)[:, : system.modes]).max() < STILL:
        message = (
            f"A mode must learn, and with {system.modes} of them none does: the loss "
            f"{system.name!r} does not see its scale. Try `modes={system.modes + 1}`, "
            "or `loss='euclidean'`."
        )
        raise InvalidSetting(message)


def _patterns(modes: int) -> NDArray:
    """Spectra, relative to the largest variance, that span what the nodes must serve."""
    equal = np.ones((1, modes))
    if modes == 1:
        return equal
    small = 1 - (1 - SMALLEST) * np.tri(modes)[: min(modes - 1, MOST_PATTERNS)]
    middle = 1 - 0.7 * np.tri(modes)[: min(modes - 1, MOST_PATTERNS)]
    return np.concatenate([equal, small, small[:, ::-1], middle])


@lru_cache(maxsize=64)
def _conserved(
    found: tuple[Conserved, ...], states: tuple[str, ...], modes: int
) -> Mapping[str, Callable[[Array | float, Array], Array]]:
    """Functions of κ and x; the same for the same equations, so that nothing is compiled again."""
    arguments = [*(sym.STATES[name] for name in states), sym.predictor_rate]

    def of(one: Conserved) -> Callable[[Array | float, Array], Array]:
        function = compile_expressions(arguments, [one.expression])
        return lambda predictor_rate, x: function(*jnp.reshape(x, (-1, modes)), predictor_rate)[0]

    return MappingProxyType({one.name: of(one) for one in found})
