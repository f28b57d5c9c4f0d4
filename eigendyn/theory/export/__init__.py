"""Export a loss as the source of a function that computes it on batches.

The function is self-contained: it imports one library, and nothing of this package.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import sympy as sp

from eigendyn.errors import InvalidSetting
from eigendyn.settings.choices import BACKENDS, check_choice
from eigendyn.settings.keywords import takes
from eigendyn.theory.export.backends import BACKEND, Backend
from eigendyn.theory.export.form import batch_form
from eigendyn.theory.export.function import RESERVED, Function, gradient_body, value_body
from eigendyn.theory.export.source import free_name
from eigendyn.theory.export.units import Lengths
from eigendyn.theory.export.words import (
    WIDEST,
    function_name,
    gradient_docstring,
    value_docstring,
)
from eigendyn.theory.loss_text import check_parameters
from eigendyn.theory.loss_writer import in_decimals, write_loss
from eigendyn.theory.losses import SymbolicLoss, as_loss
from eigendyn.theory.symbols import loss_parameter, z1, z2


@takes()
def export_loss(loss: SymbolicLoss | str, backend: str) -> str:
    """Write a loss as a function of batches of representations, in their own basis.

    Rows are samples. The function takes predictions p, target projections z, and z1 where the loss
    has that beside p; or, if the loss has another power of λ or sums that are not quadratic, z1, z
    and the predictor's matrix. It returns the mean over the batch. For NumPy, which has no
    automatic differentiation, a function of the gradient follows.

    It computes in float32, or in float64 where its arguments are: half precision is widened first,
    automatic casting or not. Norms that are divided by are at least its argument `eps`, so that
    with a positive one a row of zeros gives a finite loss and gradient.

    Args:
        loss: Per-sample loss in the predictor's eigenbasis, or the name of a built-in one.
        backend: One of `choices.BACKENDS`.

    Returns:
        Source of a Python module.

    Raises:
        UnknownName: There is no such backend, or no loss of this name.
        InvalidExpression: The loss has something that the language of losses has no words for, as
            a symbol that needs a number; or a parameter's name is no name.
        InvalidSetting: The loss depends on no representation.

    Source: the change of basis is of our own: sums over modes of products of two representations
    are the same in every basis, with p = W_P z1 in the place of λ z1.

    Examples:
        >>> source = eigendyn.export_loss("cosine", "torch")
        >>> print(next(line for line in source.splitlines() if line.startswith("def ")))
        def cosine_loss(p: torch.Tensor, z: torch.Tensor, *, eps: float = 0.0) -> torch.Tensor:
    """
    loss = as_loss(loss)
    library = BACKEND[check_choice("backend", backend, BACKENDS)]
    exact = replace(loss, expression=in_decimals(loss.expression))
    write_loss(exact.expression)  # refuses what has no words
    numbers = check_parameters(dict(loss.parameters))
    if exact.expression.free_symbols.isdisjoint({z1, z2}):
        message = f"A loss must depend on z1 or z2 to be exported; {loss.name!r} does not."
        raise InvalidSetting(message)
    renamed: dict[sp.Symbol, str] = {}
    for name in numbers:
        others = {*RESERVED, *renamed.values(), *numbers.keys() - {name}}
        renamed[loss_parameter(name)] = free_name(name, others)
    function, name = Function(batch_form(exact), library, renamed), function_name(loss)
    values = [
        f"{renamed[loss_parameter(key)]}: float = {value!r}" for key, value in numbers.items()
    ]
    scalar = "np.floating" if backend == "numpy" else library.array

    def least(lengths: Lengths) -> list[str]:
        return ["eps: float = 0.0"] * bool(lengths.norms)

    parts = [
        "\n".join(library.imports),
        _definition(
            _heading(name, function.arrays, [*values, *least(function.value)], library, scalar),
            value_docstring(function, exact),
            value_body(function),
        ),
    ]
    if not library.differentiates:
        several = f"tuple[{', '.join([library.array] * 2)}]"
        returned = library.array if len(function.form.gradients) == 1 else several
        parts.append(
            _definition(
                _heading(
                    f"{name}_gradient",
                    function.gradient_arrays,
                    [*values, *least(function.gradients)],
                    library,
                    returned,
                ),
                gradient_docstring(function, name),
                gradient_body(function),
            )
        )
    return "\n\n\n".join(parts) + "\n"


def _heading(
    name: str, arrays: Iterable[str], numbers: Iterable[str], library: Backend, returned: str
) -> str:
    arguments = [f"{array}: {library.array}" for array in arrays]
    told = ", ".join([*arguments, *(["*", *numbers] if numbers else [])])
    line = f"def {name}({told}) -> {returned}:"
    return line if len(line) <= WIDEST else f"def {name}(\n    {told}\n) -> {returned}:"


def _definition(heading: str, docstring: Iterable[str], body: Iterable[str]) -> str:
    lines = [f"    {line}" if line else "" for line in (*docstring, *body)]
    return "\n".join([heading, *lines])
