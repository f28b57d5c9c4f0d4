"""The text of an option enters; a known name or numbers leave, or a refusal that suggests one."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from eigendyn.choices import check_choice
from eigendyn.errors import InvalidSpectrum


def is_given(ctx: click.Context, name: str) -> bool:
    """Whether a parameter comes from the user, and not from its default."""
    return ctx.get_parameter_source(name) is not ParameterSource.DEFAULT


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

    def __init__(self, flag: str = "--variances", example: str = "0.05,0.3,1,2") -> None:
        """Remember what a refusal says."""
        self.flag = flag
        self.example = example

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> list[float]:
        """Split at the commas, or raise `InvalidSpectrum`."""
        del param, ctx
        if not isinstance(value, str):
            return value
        try:
            return [float(part) for part in value.split(",")]
        except ValueError as error:
            message = (
                f"{self.flag} must be numbers separated by commas, not {value!r}. "
                f"Try {self.flag} {self.example}."
            )
            raise InvalidSpectrum(message) from error


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
