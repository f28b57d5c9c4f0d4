"""Print what the library says, with the options of the command line for its parameters.

Messages of the library name parameters as Python does, in backquotes: `alpha`, `target='ema'`,
`loss='cosine', beta=0.5`.
"""

from __future__ import annotations

import re

import click

NAMED = re.compile(r"`([a-z][a-z0-9_]*(?:=[^`]*)?)`")
NEXT = re.compile(r", (?=[a-z][a-z0-9_]*=)")
ELSEWISE = {
    "held": "slice",
    "parameters": "param",
    "start": "from",
    "starts": "start",
    "descents": "descent",
    "images": "data",
}


def say(text: str, err: bool = False) -> None:
    """Print a text of the library."""
    click.echo(as_options(text), err=err)


def as_options(text: str) -> str:
    """Write options for parameters in backquotes: --alpha, --target ema, --no-stop-gradient."""
    return NAMED.sub(lambda found: " ".join(map(_option, NEXT.split(found[1]))), text)


def _option(parameter: str) -> str:
    name, _, value = parameter.partition("=")
    flag = "--" + ELSEWISE.get(name, name).replace("_", "-")
    if value in ("", "True"):
        return flag
    if value == "False":
        return flag.replace("--", "--no-", 1)
    if (name, value) == ("predictor", "'none'"):
        return "--no-predictor"
    plain = value.replace("': ", "=").strip("{[()]}'").replace("'", "").replace(", ", ",")
    return f"{flag} {plain}"
