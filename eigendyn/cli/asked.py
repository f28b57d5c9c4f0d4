"""Work out from options, preset, written loss and model what a command is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from eigendyn.cli.parameters import is_given
from eigendyn.cli.written import chosen_model, loss_text, written_loss
from eigendyn.settings.presets import preset_settings
from eigendyn.settings.run_settings import Settings


@dataclass(frozen=True)
class Asked:
    """What a command shall work on.

    Args:
        name: What files are named after.
        chosen: Every setting.
        settings: Settings that were given or that a preset brings, and "loss", a name, a loss or a
            model.
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
    model: str | None = None,
) -> Asked:
    """Take what was given over what a preset brings, and a written loss or model over a named loss.

    Raises:
        UnknownName, InvalidSetting, InvalidExpression, UnreadableFile: As the options deserve.
    """
    given = {name: value for name, value in options.items() if is_given(ctx, name)}
    if model is not None:
        others = {"--loss": "loss" in given, "--loss-expr": loss_expr, "--loss-file": loss_file}
        named = chosen_model(model, parameters, others | {"--preset": preset})
        return Asked(model, Settings(**given), given | {"loss": named})
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
