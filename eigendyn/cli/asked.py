"""Work out from options, preset and written loss what a command is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from eigendyn.cli.parameters import is_given
from eigendyn.cli.written import loss_text, written_loss
from eigendyn.settings.presets import preset_settings
from eigendyn.settings.run_settings import Settings


@dataclass(frozen=True)
class Asked:
    """What a command shall work on.

    Args:
        name: What files are named after.
        chosen: Every setting.
        settings: Settings that were given or that a preset brings, and "loss", a name or a loss.
    """

    name: str
    chosen: Settings
    settings: dict[str, Any]


def asked_for(
    ctx: click.Context,
    options: Mapping[str, Any],
    *,
    preset: str | None,
    loss_expr: str | None,
    loss_file: Path | None,
    parameters: tuple[str, ...],
) -> Asked:
    """Take what was given over what a preset brings, and a written loss over a named one.

    Raises:
        UnknownName, InvalidSetting, InvalidExpression, UnreadableFile: As the options deserve.
    """
    given = {name: value for name, value in options.items() if is_given(ctx, name)}
    source = preset_settings(preset, *(given.get(p) for p in ("loss", "predictor", "target")))
    source.pop("batch", None)  # of networks
    chosen = Settings(**(source | given))
    written = written_loss(loss_text(loss_expr, loss_file), parameters, named="loss" in given)
    loss = chosen.loss if written is None else written
    return Asked(
        name=chosen.loss if written is None else "written",
        chosen=chosen,
        settings=source | given | {"loss": loss},
    )
