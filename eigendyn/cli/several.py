"""Read from options what is swept: ranges start:stop:count, lists of numbers, names or files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from eigendyn.cli.parameters import Name, Numbers, meant
from eigendyn.errors import InvalidSetting
from eigendyn.sweeping.ranges import EXAMPLE, read_range


class SeveralNames(click.ParamType):
    """A known name, or several, separated by commas."""

    def __init__(self, one: Name) -> None:
        """Remember what one of them is."""
        self.one = one
        self.name = one.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Take known names, or raise `UnknownName`."""
        given = value.split(",") if isinstance(value, str) else list(value)
        found = [self.one.convert(part, param, ctx) for part in given]
        return found[0] if isinstance(value, str) and len(found) == 1 else found

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Show the known names in the help."""
        return f"{self.one.get_metavar(param, ctx)},…"


class SeveralNumbers(click.ParamType):
    """A number, a range start:stop:count, or numbers separated by commas."""

    name = "range"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Take them, or raise `InvalidSetting`."""
        del ctx
        if not isinstance(value, str):
            return value
        name = str(param.name) if param else self.name
        return numbers(name, value)


class RangeOrList(Numbers):
    """A range start:stop:count, or numbers that belong together, one for each mode."""

    name = "range"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Take them, or raise `InvalidSetting`."""
        name = str(param.name) if param else self.name
        if not isinstance(value, str) or ":" not in value:
            return super().convert(value, param, ctx)
        return read_range(name, value)


class SeveralFiles(click.ParamType):
    """A file, or several, separated by commas."""

    name = "files"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Split at the commas, unless there is a file of that name."""
        del param, ctx
        if not isinstance(value, str):
            return [Path(one) for one in value] if isinstance(value, list) else value
        return [Path(value)] if Path(value).exists() else [Path(one) for one in value.split(",")]


def numbers(name: str, text: str) -> Any:
    """A number, a range, or a list of numbers.

    Raises:
        InvalidSetting: The text is none of these.
    """
    found = read_range(name, text)
    if found is not None:
        return found
    parts = text.split(",")
    try:
        values = [float(part) for part in parts]
    except ValueError as error:
        guess = [meant(part) for part in parts]
        tried = EXAMPLE if None in guess else ",".join(map(str, guess))
        message = (
            f"`{name}` must be a number, numbers separated by commas, or a range, not {text!r}. "
            f"Try {tried}."
        )
        raise InvalidSetting(message) from error
    return values[0] if len(values) == 1 else values
