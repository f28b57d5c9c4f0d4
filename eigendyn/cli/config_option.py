"""Read settings from a TOML file, or from a saved run, that --config names."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import click

from eigendyn.cli.onward import options_of
from eigendyn.cli.options import FILE
from eigendyn.cli.starts import RECORDED
from eigendyn.errors import UnreadableFile
from eigendyn.settings.choices import TREE_SUFFIXES, check_choice


def _read_config(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    """Let a file's values stand where options are not given."""
    if path is None:
        return
    if path.suffix.lower() in TREE_SUFFIXES:
        values, ctx.meta[RECORDED] = options_of(path)
    else:
        values = _read_toml(path)
    options = [one for one in ctx.command.params if isinstance(one, click.Option)]
    former = {one.opts[-1].strip("-"): str(one.name) for one in options if one.hidden}
    known = [str(one.name) for one in options]
    ctx.default_map = {  # as text, so that 1.5 steps are refused and not cut to 1
        check_choice("setting", former.get(key, key), known): (
            value if isinstance(value, list) else str(value)
        )
        for key, value in values.items()
    }


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = (
            f"--config must name a readable TOML file, or a saved run (.nc), not {path} ({error})."
        )
        raise UnreadableFile(message) from error


config_option = click.option(
    "--config",
    type=FILE,
    is_eager=True,
    expose_value=False,
    callback=_read_config,
    help="TOML file of settings, by their Python names (learning_rate = 0.05), or a saved run "
    "(.nc), whose start it takes too; options override.",
)
