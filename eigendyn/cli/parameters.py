"""Read names and numbers from the text of options, or suggest what was meant."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from eigendyn.errors import InvalidSetting
from eigendyn.settings.checks import one_spelling
from eigendyn.settings.choices import check_choice
from eigendyn.settings.other_names import meant as meant_name


def is_given(ctx: click.Context, name: str) -> bool:
    """Whether a parameter comes from the user, and not from its default."""
    return ctx.get_parameter_source(name) is not ParameterSource.DEFAULT


def meant(text: str) -> str | None:
    """The number that a text such as 5%, 0,02 or 1e3 was meant to be, as Python writes it."""
    plain = text.strip().replace("−", "-").replace(",", ".")
    is_share = plain.endswith("%")
    try:
        number = Decimal(plain.removesuffix("%").strip()) / (100 if is_share else 1)
    except InvalidOperation:
        return None
    return f"{number:f}" if number.is_finite() and abs(number.adjusted()) < 20 else None


def explained(refusal: click.ClickException) -> str:
    """What click says of a wrong value or option, with what was meant."""
    if isinstance(refusal, click.NoSuchOption):
        return _no_such_option(refusal)
    said = refusal.format_message().rstrip(".")
    wrong = re.search(r"'([^']*)' is not a valid (float|integer)", said)
    if wrong is None:
        return said
    text, kind = wrong.groups()
    number = meant(re.sub(r",(?=\d{3}\b)", "", text) if kind == "integer" else text)
    if number is not None and kind == "integer":
        whole, _, rest = number.partition(".")
        number = None if rest.strip("0") else whole
    return said if number is None else f"{said}. Try {number}"


def _no_such_option(refusal: click.NoSuchOption) -> str:
    """An option that a command has not, with the one that was meant."""
    known = refusal.ctx.command.params if refusal.ctx else []
    name = meant_name("setting", refusal.option_name)
    flags = {one.name: one.opts[-1] for one in known if isinstance(one, click.Option)}
    if "epochs" in flags and (name or refusal.option_name) in ("steps", "--steps"):
        name = "epochs"  # which steps follow from
    near = [flags[name]] if name in flags else []
    near = list(refusal.possibilities or ()) if name is None else near
    said = f"There is no option {refusal.option_name}"
    if not near and name == "batch":
        near = ["eigendyn crosscheck --batch"]  # the theory is of expectations
    return f"{said}. Try {near[0]}" if near else said


def numbers_by_name(texts: Iterable[str], example: str) -> dict[str, float]:
    """Take numbers by name, from texts such as NAME=NUMBER.

    Raises:
        InvalidSetting: One is no NAME=NUMBER, or is given twice.
    """
    flag = example.split()[0]
    found: dict[str, float] = {}
    for text in texts:
        name, _, written = text.partition("=")
        name = one_spelling(name)
        try:
            value = float(written)
        except ValueError as error:
            number = meant(written)
            tried = f"{flag} {name}={number}" if name and number else example
            message = f"{flag} must be NAME=NUMBER, not {text!r}. Try {tried}."
            raise InvalidSetting(message) from error
        if name in found:
            message = f"{flag} {name} is given twice. Keep one."
            raise InvalidSetting(message)
        found[name] = value
    return found


class Name(click.ParamType):
    """One of a few known names; anything else is refused with the nearest one."""

    def __init__(self, kind: str, known: Collection[str]) -> None:
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
        parts = value.split(",")
        flag = param.opts[0] if param else self.name
        try:
            numbers = [float(part) for part in parts]
        except ValueError as error:
            apart = [meant(part) for part in re.split(r"[;\s]\s*", value.strip().strip(";"))]
            percents = [meant(part) for part in parts]
            known = next((x for x in (apart, percents) if None not in x), None)
            tried = self.example if known is None else ",".join(map(str, known))
            message = (
                f"{flag} must be numbers separated by commas, not {value!r}. Try {flag} {tried}."
            )
            raise InvalidSetting(message) from error
        if any(re.fullmatch(r"\s*0\d+\s*", part) for part in parts):
            message = (
                f"{flag} takes decimals with a point and commas between numbers; {value!r} has "
                f"a number that begins with 0. Try {flag} {self.example}."
            )
            raise InvalidSetting(message)
        return numbers


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
        return tuple(one_spelling(part).replace("-", "_") for part in value.split(","))
