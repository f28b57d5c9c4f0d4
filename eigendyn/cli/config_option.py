"""Read settings from a TOML file that --config names."""

from __future__ import annotations

import tomllib
from pathlib import Path

import click

from eigendyn.cli.options import FILE
from eigendyn.errors import UnreadableFile
from eigendyn.settings.choices import check_choice


def _read_config(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    """Let a file's values stand where options are not given."""
    if path is None:
        return
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"--config must name a readable TOML file, not {path} ({error})."
        raise UnreadableFile(message) from error
    options = [one for one in ctx.command.params if isinstance(one, click.Option)]
    former = {one.opts[-1].strip("-"): str(one.name) for one in options if one.hidden}
    known = [str(one.name) for one in options]
    ctx.default_map = {  # as text, so that 1.5 steps are refused and not cut to 1
        check_choice("setting", former.get(key, key), known): (
            value if isinstance(value, list) else str(value)
        )
        for key, value in values.items()
    }


config_option = click.option(
    "--config",
    type=FILE,
    is_eager=True,
    expose_value=False,
    callback=_read_config,
    help="TOML file of settings, by their Python names (learning_rate = 0.05); options override.",
)
