"""Take from a saved run what a command needs: its settings as options, or all of it, to go on."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eigendyn.cli.asked import given_settings
from eigendyn.cli.options import FILE
from eigendyn.cli.parameters import is_given
from eigendyn.cli.starts import Start
from eigendyn.cli.written import chosen_model, loss_text, written_loss
from eigendyn.errors import InvalidSetting
from eigendyn.settings.choices import LOSS_NAMES, MODEL_NAMES

if TYPE_CHECKING:
    import xarray

from_option = click.option(
    "--from",
    "from_run",
    type=FILE,
    help="Go on from the end of a saved run, with its settings, up to --steps from its beginning.",
)


def gone_on(ctx: click.Context, path: Path) -> tuple[str, dict[str, Any]]:
    """What `simulate` takes to go on from a run, and what files are named after.

    Raises:
        InvalidSetting, UnreadableFile: It is no run, or there is a start beside it.
    """
    options = ctx.params
    starts = [one.name for one in fields(Start) if one.name in options and is_given(ctx, one.name)]
    if starts:
        flag = f"--{starts[0].replace('_', '-')}"
        message = f"--from brings the last state of {path} with it. Leave out {flag}."
        raise InvalidSetting(message)
    run = read_run(path)
    given, parameters = given_settings(ctx), options["parameters"]
    written = {f"--loss-{kind}": options[f"loss_{kind}"] for kind in ("expr", "file")}
    name = run.attrs.get("model", json.loads(run.attrs["settings"]).get("loss"))
    if options["model"] is not None:
        others = {"--loss": "loss" in given, **written}
        given["loss"] = chosen_model(options["model"], parameters, others)
        name = options["model"]
    own = None
    if any(written.values()) or (parameters and options["model"] is None):
        own = written_loss(loss_text(*written.values()), parameters, named="loss" in given)
    if own is not None:
        given["loss"] = own
    name = name if name in (*LOSS_NAMES, *MODEL_NAMES) else "written"
    return name, {**given, "start": run, "preset": options["preset"]}


def read_run(path: Path) -> xarray.Dataset:
    """A run from its file.

    Raises:
        UnreadableFile, InvalidSetting: There is none, or it holds something else.
    """
    from eigendyn.results.files import load
    from eigendyn.results.labelled import check_run

    found: Any = load(path)
    check_run(found)
    if "settings" not in found.attrs:
        message = f"{path} must be a run of simulate, which carries its settings."
        raise InvalidSetting(message)
    return found


def options_of(path: Path) -> tuple[dict[str, Any], Any]:
    """Options that give back a saved run, by their Python names, and its initial variances.

    Raises:
        UnreadableFile, InvalidSetting: It is no run that begins at its first step, or its loss is
            one of the user's own that no text says.
    """
    from eigendyn.simulation.onward import EXPRESSION, settings_of

    run = read_run(path)
    if run["step"].values[0] != 0:
        message = (
            f"{path} goes on from another run, at step {run['step'].values[0]:g}, and no options "
            "give that back. Try --from with the first one."
        )
        raise InvalidSetting(message)
    held = json.loads(run.attrs["settings"])
    _, settings = settings_of(run)
    found: dict[str, Any] = {
        name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()
    }
    kind = "model" if "model" in held else "loss"
    if EXPRESSION in held:
        found["loss_expr"] = held[EXPRESSION]
    elif held[kind] in (*LOSS_NAMES, *MODEL_NAMES):
        found[kind] = held[kind]
    else:
        message = f"The {kind} of {path} is one of your own, and no option gives it back."
        raise InvalidSetting(message)
    numbers = held.get("parameters", {})
    if numbers:
        found["parameters"] = [f"{name}={value!r}" for name, value in numbers.items()]
    return found, run["variance"].values[:, 0]
