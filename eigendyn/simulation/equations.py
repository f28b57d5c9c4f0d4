"""Find the closed mode dynamics of a loss, or of a model, under given settings.

Those of the built-in losses are prepared: read from a file, without sympy. All others are derived,
and so is whatever a run turns out to need in symbols.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from eigendyn.program import Program, Quantities
from eigendyn.program.prepared import decays, prepared
from eigendyn.settings.choices import LOSS_NAMES, MODEL_NAMES, check_choice, given_name, is_model
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.siamese import Architecture, architecture
from eigendyn.simulation.model_settings import check_model, check_numbers

if TYPE_CHECKING:
    from eigendyn.program.in_jax import VectorField
    from eigendyn.theory.conservation import Conserved
    from eigendyn.theory.derive import ModeDynamics
    from eigendyn.theory.losses import SymbolicLoss

    Given = SymbolicLoss | ModeDynamics | str


@dataclass(frozen=True)
class Equations:
    """What follows from a loss for its modes, or what a model says of them.

    Args:
        title: The loss, with what was switched off; or the model.
        numbers: Own parameters of the loss or model.
        program: The closed mode dynamics.
        conserved: What they conserve, as functions of states and time.
        chosen: The settings that they follow from.
        given: The loss or model: one's own, or a name.
        scale_free: Whether descent does not see the common scale of the representations.
        prepared_value: Program of the expected loss, if it was written ahead.
    """

    title: str
    numbers: Mapping[str, float]
    program: Program
    conserved: Quantities
    chosen: Settings
    given: Given
    scale_free: bool
    prepared_value: Program | None = None

    @cached_property
    def value(self) -> Program | None:
        """The expected loss, as the only rate of a program; None of a model, which has no loss."""
        return self.prepared_value or _value(self.source, self.chosen)

    @property
    def kind(self) -> str:
        """What they come from: "loss" or "model"."""
        return "model" if is_model(self.given) else "loss"

    @cached_property
    def source(self) -> SymbolicLoss | ModeDynamics:
        """The loss or model in symbols."""
        return symbolic(self.given, self.chosen)

    @property
    def dynamics(self) -> ModeDynamics:
        """The closed mode dynamics in symbols."""
        return closed_dynamics(self.source, self.chosen)

    @property
    def field(self) -> VectorField:
        """The closed mode dynamics in JAX, without nodes."""
        return compiled_field(self.source, self.chosen)


def equations(loss: Given, settings: Mapping[str, Any]) -> Equations:
    """Find the equations of a loss or model: prepared ones, or derive them; once for each name.

    Args:
        loss: Name of a loss or model, or one of your own.
        settings: Fields of `Settings`.

    Raises:
        UnknownName: There is no such loss.
        InvalidSetting: Loss and settings do not fit, or a number of a model is missing.
        NoExactClosure: The exact closure was asked of a loss that has none.
        NoProgram: The loss uses a function that programs do not know.
    """
    told = tuple((name, type(value), value) for name, value in settings.items())
    try:
        hash(told)
    except TypeError:
        return _equations(loss, settings)
    return _named_equations(loss, told) if isinstance(loss, str) else _equations(loss, settings)


@lru_cache(maxsize=64)
def _named_equations(loss: str, told: tuple[tuple[str, type, Any], ...]) -> Equations:
    return _equations(loss, {name: value for name, _, value in told})


def _equations(loss: Given, settings: Mapping[str, Any]) -> Equations:
    chosen = Settings(loss=given_name(loss), **settings)
    if isinstance(loss, str) and not is_model(loss):
        check_choice("loss", loss, (*LOSS_NAMES, *MODEL_NAMES))
        found = prepared(chosen)
        if found is not None:
            return Equations(
                *(found.title, {}, found.program, found.conserved, chosen, loss),
                *(found.scale_free, found.value),
            )
    own = symbolic(loss, chosen)
    program = _program(_anonymous(closed_dynamics(own, chosen)))
    quantities = _quantities(program.states, conserved(own, chosen))
    return Equations(
        *(own.name, dict(own.parameters), program, quantities, chosen, loss), _scale_free(own)
    )


def understand(
    loss: Given, settings: Mapping[str, Any]
) -> tuple[SymbolicLoss | ModeDynamics, Settings]:
    """Take a loss or model, named or one's own, and settings, and check that they fit.

    Raises:
        UnknownName, InvalidSetting: They do not.
    """
    chosen = Settings(loss=given_name(loss), **settings)
    return symbolic(loss, chosen), chosen


def symbolic(loss: Given, chosen: Settings) -> SymbolicLoss | ModeDynamics:
    """A loss in symbols, without what the settings switch off; or a model.

    Raises:
        UnknownName, InvalidSetting: Loss or model and settings do not fit.
    """
    from eigendyn.theory.derive import ModeDynamics
    from eigendyn.theory.losses import chosen_loss
    from eigendyn.theory.models import MODELS, component_model, named_model

    if isinstance(loss, str) and is_model(loss):
        is_of_data = chosen.signal is not None and MODELS[loss].signal
        loss = component_model(loss) if is_of_data else named_model(loss)
    if isinstance(loss, ModeDynamics):
        check_model(loss)
        program = _program(_anonymous(closed_dynamics(loss, chosen)))
        check_numbers(loss, program.parameters, chosen)
        return loss
    return chosen_loss(loss, chosen)


def closed_dynamics(
    loss: SymbolicLoss | ModeDynamics, chosen: Settings, alpha: Any = None
) -> ModeDynamics:
    """Mode dynamics of a loss or model, their moments taken by the chosen closure.

    A symbol `alpha` may stand in the place of the chosen exponent.
    """
    exponent = chosen.alpha if alpha is None else alpha
    return _closed(loss, exponent, architecture(chosen), chosen.closure)


def compiled_field(
    loss: SymbolicLoss | ModeDynamics, chosen: Settings, alpha: Any = None
) -> VectorField:
    """The same as a vector field without nodes."""
    return _field(_anonymous(closed_dynamics(loss, chosen, alpha)))


def conserved(loss: SymbolicLoss | ModeDynamics, chosen: Settings) -> tuple[Conserved, ...]:
    """What a loss conserves, in symbols; of a model nothing is known."""
    return _conserved(loss, chosen.alpha, decays(chosen), architecture(chosen))


def _anonymous(dynamics: ModeDynamics) -> ModeDynamics:
    """The same for all names and all numbers of a parameter."""
    parameters = tuple((name, 0.0) for name, _ in dynamics.parameters)
    return replace(dynamics, name="", parameters=parameters)


@lru_cache(maxsize=64)
def _closed(
    loss: SymbolicLoss | ModeDynamics, alpha: Any, structure: Architecture, closure: str
) -> ModeDynamics:
    from eigendyn.theory.closure import close, close_model
    from eigendyn.theory.derive import ModeDynamics, mode_dynamics

    if isinstance(loss, ModeDynamics):
        return close_model(loss, closure)
    return close(mode_dynamics(loss, alpha, structure), closure)


@lru_cache(maxsize=64)
def _field(dynamics: ModeDynamics) -> VectorField:
    from eigendyn.program.in_jax import compile_field

    return compile_field(dynamics)


@lru_cache(maxsize=64)
def _program(dynamics: ModeDynamics) -> Program:
    from eigendyn.program.derivation import program_of

    return program_of(dynamics)


def _value(loss: SymbolicLoss | ModeDynamics, chosen: Settings) -> Program | None:
    from eigendyn.theory.derive import ModeDynamics

    if isinstance(loss, ModeDynamics):
        return None
    numbers = tuple((name, 0.0) for name, _ in loss.parameters)
    plain = replace(loss, name="", parameters=numbers)
    return _value_program(plain, chosen.alpha, architecture(chosen), chosen.closure)


@lru_cache(maxsize=64)
def _value_program(
    loss: SymbolicLoss, alpha: float, structure: Architecture, closure: str
) -> Program:
    from eigendyn.program.derivation import program_of
    from eigendyn.theory.closure.value import close_value
    from eigendyn.theory.derive import mode_dynamics

    return program_of(close_value(loss, mode_dynamics(loss, alpha, structure), closure))


@lru_cache(maxsize=64)
def _conserved(
    loss: SymbolicLoss | ModeDynamics, alpha: float, decaying: str, structure: Architecture
) -> tuple[Conserved, ...]:
    from eigendyn.theory.conservation import conserved_quantities
    from eigendyn.theory.derive import ModeDynamics

    if isinstance(loss, ModeDynamics):
        return ()
    return conserved_quantities(
        loss,
        alpha,
        decays=decaying != "nothing",
        alike=decaying != "some",
        architecture=structure,
    )


@lru_cache(maxsize=64)
def _quantities(states: tuple[str, ...], found: tuple[Conserved, ...]) -> Quantities:
    from eigendyn.program.derivation import quantities_of

    return quantities_of(states, {one.name: one.expression for one in found})


@lru_cache(maxsize=64)
def _scale_free(loss: SymbolicLoss | ModeDynamics) -> bool:
    from eigendyn.theory.conservation import is_scale_free
    from eigendyn.theory.derive import ModeDynamics

    return not isinstance(loss, ModeDynamics) and is_scale_free(loss)
