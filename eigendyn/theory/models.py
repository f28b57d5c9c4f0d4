"""Define dynamics of modes that need no Siamese loss: named models, one row of a table each.

How to add a model: one row in `MODELS`, and its name in `choices.MODEL_NAMES`. Its dynamics are
those of a mode with the singular value s, the variance v = s² and, if it has them, further states
of `symbols.STATES`; every number of its own is a symbol, `symbols.loss_parameter(name)`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from types import MappingProxyType

import sympy as sp

from eigendyn.errors import InvalidSetting, UnknownName
from eigendyn.settings.checks import one_spelling
from eigendyn.settings.choices import MODEL_NAMES, check_choice
from eigendyn.theory import symbols as sym
from eigendyn.theory.derive import ModeDynamics
from eigendyn.theory.losses import SymbolicLoss, as_loss

s = sym.singular_value
gamma, c, tau = map(sym.loss_parameter, ("gamma", "c", "tau"))


@dataclass(frozen=True)
class Model:
    """A row of the table.

    Args:
        rates: d state/dt by state, the singular value first, t = learning rate × step.
        parameters: The model's own numbers by name, with their defaults; all of them are positive.
        source: Where the dynamics come from.
        signal: The one among them that is the signal d of a component, where modes stand along
            components of data; empty if there is no such number.
    """

    rates: Mapping[sp.Symbol, sp.Expr]
    parameters: Mapping[str, float]
    source: str
    signal: str = ""


MODELS: Mapping[str, Model] = MappingProxyType(
    {
        # The loss ‖C − 1‖² of a linear encoder W with C = W Γ Wᵀ; Γ is the correlation between two
        # views of the data, γ one of its eigenvalues, s a singular value of W. From a small start,
        # v = 1/(γ + (1/v₀ − γ) e^{−8γt}) rises in a step that ends near −ln(γ v₀)/(8γ). Of data, Γ
        # is Σ₁₂, which noise of the views has no part in.
        "barlow-twins": Model(
            rates={s: 4 * gamma * s * (1 - gamma * s**2)},
            parameters={"gamma": 1.0},
            source="Simon et al. 2023, On the stepwise nature of self-supervised learning, "
            "arXiv 2303.15438",
            signal="gamma",
        ),
        # Supervised learning by a linear network of two layers that are balanced: both have the
        # singular value s, their product the mode strength a = s² = v, with τ da/dt = 2a(c − a);
        # c is a singular value of the correlation between inputs and outputs.
        "deep-linear": Model(
            rates={s: s * (c - s**2) / tau},
            parameters={"c": 1.0, "tau": 1.0},
            source="Saxe, McClelland & Ganguli 2014, Exact solutions to the nonlinear dynamics of "
            "learning in deep linear neural networks, arXiv 1312.6120",
        ),
    }
)


def named_model(name: str, /, **parameters: float) -> ModeDynamics:
    """Take the dynamics of a named model.

    They are::

        barlow-twins   ds/dt = 4γ s (1 − γ s²),  γ of the correlation between two views
        deep-linear    ds/dt = s (c − s²)/τ,  c of that between inputs and outputs, s² the strength

    Args:
        name: One of `choices.MODEL_NAMES`.
        parameters: Numbers of the model by name; those left out keep their defaults.

    Returns:
        Its closed dynamics, which every verb takes in the place of a loss.

    Raises:
        UnknownName: There is no such model, or it has no such parameter.
        InvalidSetting: A parameter that is not finite and positive.

    Source: Simon et al. 2023, arXiv 2303.15438 (barlow-twins); Saxe, McClelland and Ganguli 2014,
    arXiv 1312.6120 (deep-linear).

    Examples:
        >>> model = eigendyn.theory.named_model("barlow-twins", gamma=0.5)
        >>> run = eigendyn.simulate(model, [1e-4, 0.01])
        >>> run.variance.isel(time=-1).values.round(3).tolist()
        [2.0, 2.0]
    """
    row = MODELS[check_choice("model", name, MODEL_NAMES)]
    given = {one_spelling(key): value for key, value in parameters.items()}
    for key, value in given.items():
        if key not in row.parameters:
            kind = f"parameter of {name}"
            raise UnknownName(kind, key, row.parameters)
        if not (isinstance(value, Real) and 0 < value < math.inf):
            message = f"{key} of {name} must be finite and > 0, not {value!r}. Try {key}=1."
            raise InvalidSetting(message)
    numbers = {key: float(given.get(key, usual)) for key, usual in row.parameters.items()}
    return ModeDynamics(name, tuple(row.rates), tuple(row.rates.values()), tuple(numbers.items()))


def component_model(name: str) -> ModeDynamics:
    """Take a named model whose modes stand along components of data, each with a signal of its own.

    As those of losses, its states are those of whitened components, s√d in the place of s, and
    d/dt s√d = √d f(s) where ds/dt = f(s) with d for the number that is the signal.

    Args:
        name: One of `choices.MODEL_NAMES`, with such a number.
    """
    row = MODELS[name]
    of = {s: s / sp.sqrt(sym.signal), sym.loss_parameter(row.signal): sym.signal}
    rates = {
        state: sp.expand((sp.sqrt(sym.signal) if state == s else 1) * rate.xreplace(of))
        for state, rate in row.rates.items()
    }
    others = tuple((key, value) for key, value in row.parameters.items() if key != row.signal)
    return ModeDynamics(name, tuple(rates), tuple(rates.values()), others)


def as_given(loss: SymbolicLoss | ModeDynamics | str) -> SymbolicLoss | ModeDynamics:
    """Take a loss or a model, one's own or the name of a built-in one.

    Raises:
        UnknownName: No loss and no model has this name.
    """
    if isinstance(loss, ModeDynamics):
        return loss
    if isinstance(loss, str) and loss in MODEL_NAMES:
        return named_model(loss)
    return as_loss(loss)
