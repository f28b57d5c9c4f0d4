"""The text of an option enters; a known name or numbers leave, or a refusal that suggests one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from eigendyn.choices import check_choice
from eigendyn.errors import InvalidSetting


def is_given(ctx: click.Context, name: str) -> bool:
    """Whether a parameter comes from the user, and not from its default."""
    return ctx.get_parameter_source(name) is not ParameterSource.DEFAULT


def numbers_by_name(texts: Iterable[str], example: str) -> dict[str, float]:
    """Take numbers by name, from texts such as NAME=NUMBER.

    Raises:
        InvalidSetting: One is no NAME=NUMBER, or is given twice.
    """
    flag = example.split()[0]
    found: dict[str, float] = {}
    for text in texts:
        name, _, written = text.partition("=")
        try:
            value = float(written)
        except ValueError as error:
            message = f"{flag} must be NAME=NUMBER, not {text!r}. Try {example}."
            raise InvalidSetting(message) from error
        if name.strip() in found:
            message = f"{flag} {name.strip()} is given twice. Keep one."
            raise InvalidSetting(message)
        found[name.strip()] = value
    return found


class Name(click.ParamType):
    """One of a few known names; anything else is refused with the nearest one."""

    def __init__(self, kind: str, known: tuple[str, ...]) -> None:
        """Remember what is named, and the known names."""
        self.name = kind
        self.known = known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Take a known name, or raise `UnknownName`."""
        del param, ctx
        return check_choice(self.name, value, self.known)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Show the known names in the help."""
        del param, ctx
        return "[" + "|".join(self.known) + "]"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete to the known names."""
        del ctx, param
        return [CompletionItem(name) for name in self.known if name.startswith(incomplete)]


class Numbers(click.ParamType):
    """Numbers separated by commas."""

    name = "numbers"

    def __init__(self, example: str) -> None:
        """Remember what a refusal says to try."""
        self.example = example

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> list[float]:
        """Split at the commas, or raise `InvalidSetting`."""
        del ctx
        if not isinstance(value, str):
            return value
        try:
            return [float(part) for part in value.split(",")]
        except ValueError as error:
            flag = param.opts[0] if param else self.name
            message = (
                f"{flag} must be numbers separated by commas, not {value!r}. "
                f"Try {flag} {self.example}."
            )
            raise InvalidSetting(message) from error


class Names(click.ParamType):
    """Names of parameters separated by commas, with dashes or underscores."""

    name = "names"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Split at the commas."""
        del param, ctx
        if not isinstance(value, str):
            return tuple(value)
        return tuple(part.strip().replace("-", "_") for part in value.split(","))
