"""Work out from options, preset, written loss and model what a command is asked for."""

from __future__ import annotations

from dataclasses import dataclass, fields
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


def given_settings(ctx: click.Context, *others: str) -> dict[str, Any]:
    """Fields of `Settings`, and others, that the user has given as options."""
    names = [*(field.name for field in fields(Settings)), *others]
    return {name: ctx.params[name] for name in names if name in ctx.params and is_given(ctx, name)}


def asked_for(ctx: click.Context) -> Asked:
    """Take what was given over what a preset brings, and a written loss or model over a named loss.

    Raises:
        UnknownName, InvalidSetting, InvalidExpression, UnreadableFile: As the options deserve.
    """
    options, given = ctx.params, given_settings(ctx)
    preset, model, parameters = options["preset"], options.get("model"), options["parameters"]
    written = {f"--loss-{kind}": options[f"loss_{kind}"] for kind in ("expr", "file")}
    if model is not None:
        others = {"--loss": "loss" in given, **written, "--preset": preset}
        named = chosen_model(model, parameters, others)
        # without numbers by its name: one of them may be the signal of data
        return Asked(model, Settings(**given), given | {"loss": named if parameters else model})
    source = preset_settings(preset, *(given.get(p) for p in ("loss", "predictor", "target")))
    source.pop("batch", None)  # of networks
    chosen = Settings(**(source | given))
    own = written_loss(loss_text(*written.values()), parameters, named="loss" in given)
    return Asked(
        name=chosen.loss if own is None else "written",
        chosen=chosen,
        settings=source | given | {"loss": chosen.loss if own is None else own},
    )
