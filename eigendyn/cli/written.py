"""Read a loss of the user's own, or a model, and its parameters, from text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from eigendyn.cli.parameters import numbers_by_name
from eigendyn.errors import InvalidSetting, UnreadableFile
from eigendyn.settings.choices import LOSS_NAMES

if TYPE_CHECKING:
    from eigendyn.theory.derive import ModeDynamics
    from eigendyn.theory.losses import SymbolicLoss

LARGEST_FILE = 10_000  # bytes


def loss_text(expression: str | None, file: Path | None) -> str | None:
    """Text of a loss, given itself or as a file; None if there is none.

    Raises:
        InvalidSetting: Both are given.
        UnreadableFile: The file is missing, too large, or no text.
    """
    if file is None:
        return expression
    if expression is not None:
        message = "A loss is given as --loss-expr or as --loss-file. Leave out one of the two."
        raise InvalidSetting(message)
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)  # a device has no size, and no end
        text = content.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        message = f"--loss-file must name a readable text file, not {file} ({error})."
        raise UnreadableFile(message) from error
    if len(content) > LARGEST_FILE:
        message = f"--loss-file must have at most {LARGEST_FILE} bytes; {file} has more."
        raise UnreadableFile(message)
    return text


def written_loss(text: str | None, parameters: tuple[str, ...], named: bool) -> SymbolicLoss | None:
    """Read a loss of the user's own.

    Args:
        text: What was given as --loss-expr or --loss-file; None if nothing was.
        parameters: What was given as --param, NAME=NUMBER each.
        named: Whether a loss was named too.

    Returns:
        The loss; None if none was written.

    Raises:
        InvalidExpression: Text that is no loss, or parameters that are no numbers or not in it.
        InvalidSetting: A loss both named and written, or parameters without a text.
    """
    if text is None:
        if parameters:
            message = (
                f"--param {parameters[0]} belongs to --loss-expr or --model, and there is none. "
                "Add it."
            )
            raise InvalidSetting(message)
        return None
    if named:
        message = "A loss is either named or written with --loss-expr. Leave out one of the two."
        raise InvalidSetting(message)
    from eigendyn.theory.loss_text import parse_loss

    loss = parse_loss(text, numbers_by_name(parameters, "--param gamma=0.5"))
    known = {symbol.name for symbol in loss.expression.free_symbols}
    for name in (name for name, _ in loss.parameters if name not in known):
        message = f"The loss {text.strip()[:60]!r} does not depend on {name!r}. Leave out --param."
        raise InvalidSetting(message)
    return loss


def lone_loss(
    command: str,
    loss: str | None,
    text: str | None,
    parameters: tuple[str, ...],
    *,
    stop_gradient: bool,
    beta: float | None,
) -> SymbolicLoss | None:
    """The written loss of a command that takes a loss alone, and has no usual one.

    Args:
        command: An example of it for the refusal, such as "derive cosine".
        loss: Name of a loss; None if none is named.
        text: As for `written_loss`; likewise `parameters`.
        parameters: See there.
        stop_gradient: What only a named loss can be told.
        beta: Likewise.

    Returns:
        The loss; None if one is named.

    Raises:
        InvalidExpression: As `written_loss`.
        InvalidSetting: There is no loss, or a written one is told what stands in its text.
    """
    if loss is None and text is None:
        message = (
            f"LOSS is missing. Name one, as in eigendyn {command}, or write one with "
            f"--loss-expr. Known: {', '.join(LOSS_NAMES)}."
        )
        raise InvalidSetting(message)
    written = written_loss(text, parameters, named=loss is not None)
    if written is not None and not (stop_gradient and beta is None):
        message = (
            "A written loss brings its β and stop-gradient with it. Leave out --beta and "
            "--no-stop-gradient, and write them into --loss-expr."
        )
        raise InvalidSetting(message)
    return written


def chosen_model(
    name: str, parameters: tuple[str, ...], others: Mapping[str, object]
) -> ModeDynamics:
    """Take a model by its name.

    Args:
        name: What was given as --model.
        parameters: What was given as --param, NAME=NUMBER each.
        others: By option that a model excludes, what was given.

    Raises:
        UnknownName: The model has no such parameter.
        InvalidSetting: A loss or preset beside the model, or parameters that are no numbers.
    """
    for flag in (flag for flag, given in others.items() if given):
        message = f"--model {name} stands in the place of a loss. Leave out {flag}, or --model."
        raise InvalidSetting(message)
    numbers = numbers_by_name(parameters, "--param gamma=0.5")
    from eigendyn.theory.models import named_model

    return named_model(name, **numbers)
