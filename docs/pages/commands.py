"""Set the help of commands: examples as code, options with what they may be and their defaults."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sphinx.application import Sphinx

BAR = "| "  # begins a line that sphinx-click keeps as a line
EVEN = r"(?![^`]*`(?:[^`]*`[^`]*`)*[^`]*$)"  # outside of code
CODE = re.compile(rf"(?<![^\s(])(--[a-z][\w-]*|tcp://[\w:]+)(?=[\s.,;:)\]]|$){EVEN}")
SIGN = re.compile(rf"([*_|]){EVEN}")


def setup(app: Sphinx) -> dict[str, bool]:
    """Set what sphinx-click has read of a command."""
    app.connect("sphinx-click-process-description", _describe)
    app.connect("sphinx-click-process-options", _list)
    app.connect("sphinx-click-process-arguments", _join)
    app.connect("sphinx-click-process-epilog", _close)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _describe(_app: Sphinx, _ctx: click.Context, lines: list[str]) -> None:
    """Set examples, one below the other, as one block of code."""
    found: list[str] = []
    in_code = False
    for line in lines:
        said = line.removeprefix(BAR)
        starts = said.lstrip().startswith("eigendyn ")
        if line.startswith(BAR) and (starts or in_code):
            found += [] if in_code else ["", ".. code-block:: sh", ""]
            found.append(f"   {said.strip()}" if starts else f"     {said.strip()}")
            in_code = True
        elif in_code and not said.strip():
            continue
        else:
            found += ["", _escaped(said)] if in_code else [_escaped(said)]
            in_code = False
    lines[:] = [*found, ""]


def _list(_app: Sphinx, ctx: click.Context, lines: list[str]) -> None:
    """Write every option as the command line's own help does, which names choices and defaults."""
    ctx.show_default = True  # as the command line does
    found: list[str] = []
    for option in ctx.command.params:
        told = option.get_help_record(ctx) if isinstance(option, click.Option) else None
        if told:
            words = re.sub(r"\[default: \((.*)\)\]", r"[default: \1]", " ".join(told[1].split()))
            found += [f".. option:: {told[0]}", "", f"   {_escaped(words)}", ""]
    lines[:] = found


def _join(_app: Sphinx, _ctx: click.Context, lines: list[str]) -> None:
    """Write an argument as one word, of which the index keeps the whole."""
    lines[:] = [line.replace(" …", "…") for line in lines]


def _close(_app: Sphinx, _ctx: click.Context, lines: list[str]) -> None:
    """Write what stands in columns below the options as words and what they mean."""
    found: list[str] = []
    for line in lines:
        words = _escaped(line.removeprefix(BAR))
        in_columns = re.sub(r"(?<=\S) {2,}(?=\S)", ": ", words)
        found.append(BAR + in_columns if line.startswith(BAR) else words)
    lines[:] = found


def _escaped(text: str) -> str:
    """Write options and addresses as code, and signs of reStructuredText as they stand."""
    return SIGN.sub(r"\\\1", CODE.sub(r"`\1`", text))
