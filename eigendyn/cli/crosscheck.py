"""Run `eigendyn crosscheck`: compare theory and networks, and judge the verdict."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from eigendyn.cli.flags import say
from eigendyn.cli.interrupt import interruptible
from eigendyn.cli.options import (
    FILE,
    config_option,
    loss_option,
    output_options,
    physics_options,
    preset_option,
    run_options,
    saves_option,
    start_options,
    variant_options,
    written_loss_options,
)
from eigendyn.cli.parameters import is_given
from eigendyn.cli.saving import saving
from eigendyn.cli.starts import Start
from eigendyn.cli.subcommand import Subcommand
from eigendyn.cli.written import loss_text, written_loss
from eigendyn.errors import InvalidSetting
from eigendyn.results.files import check_output
from eigendyn.settings import choices

DISAGREES = 3
FOR_ALL = ("batch", "seeds", "steps", "false_alarm", "seed")  # what --all can be combined with


@click.command("crosscheck", cls=Subcommand)
@loss_option
@written_loss_options
@click.option(
    "--all", "every", is_flag=True, help="Every loss, variant and exponent, in one table."
)
@preset_option
@click.option(
    "--batch",
    type=int,
    show_default="5000; 2000 with --all",
    help="Samples drawn for every step; as many networks again draw a quarter.",
)
@click.option("--seeds", type=int, default=8, help="Number of networks.")
@click.option(
    "--false-alarm",
    type=float,
    default=0.01,
    help="Probability with which a true theory is called wrong.",
)
@start_options
@variant_options
@physics_options
@saves_option(61)
@run_options
@click.option("-o", "--output", type=FILE, help="Result file with both sides: .nc.")
@click.option("--plot", type=FILE, help="Theory as lines, networks as dots: .png, .pdf or .svg.")
@output_options
@config_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    every: bool,
    loss_expr: str | None,
    loss_file: Path | None,
    parameters: tuple[str, ...],
    output: Path | None,
    plot: Path | None,
    force: bool,
    as_json: bool,
    quiet: bool,
    **settings: Any,
) -> None:
    """Compare the theory with gradient descent of real networks.

    \b
    Examples:
      eigendyn crosscheck --loss cosine --plot check.png
      eigendyn crosscheck --loss euclidean --preset published -o check.nc
      eigendyn crosscheck --all

    Linear Siamese networks are trained from the same weights on batches of their own, with losses
    written apart from the theory and differentiated automatically. Their mean, extrapolated to an
    infinite batch, is compared with the expected steps of the mode dynamics, for every mode and
    time, in standard errors. For every number of the theory the smallest error is said that would
    have been called wrong. Without a start, the published one with 10 modes is taken. Exit code 0:
    they agree; 2: refused, nothing was run; 3: they disagree, or a side diverged.
    """  # noqa: D301
    chosen = Start.taken_from(settings)
    if output is not None:
        check_output(output, choices.TREE_SUFFIXES, force)
    if plot is not None:
        check_output(plot, choices.PICTURE_SUFFIXES, force)
    given = {name: value for name, value in settings.items() if is_given(ctx, name)}
    progress = not quiet and sys.stderr.isatty()
    if every:
        _refuse_beside_all(ctx)
        result = interruptible(lambda: _crosscheck_all(given, progress))
        agrees = bool((result["verdict"] == "agrees").all())
    else:
        own = written_loss(loss_text(loss_expr, loss_file), parameters, named="loss" in given)
        _check(settings, given)
        if own is not None:
            given["loss"] = own
        start = chosen.encoder(settings["seed"], quiet)
        result = interruptible(lambda: _crosscheck(start, given, progress))
        agrees = result["agreement"].attrs["verdict"] == "agrees"
    named = {"result": output, "picture": plot}
    files = {kind: str(path) for kind, path in named.items() if path is not None}
    _print(result, every, files, as_json)
    with saving():
        _save(result, output, plot, force)
    if files and not quiet:
        click.echo(f"Saved {' and '.join(files.values())}.", err=True)
    if not agrees:
        ctx.exit(DISAGREES)


def _refuse_beside_all(ctx: click.Context) -> None:
    free = {*FOR_ALL, "every", "output", "force", "as_json", "quiet", "config"}
    for option in ctx.command.params:
        name = str(option.name)
        if name not in free and is_given(ctx, name):
            message = (
                f"--all has systems of its own; {option.opts[-1]} steers a single one. Leave out "
                "one of the two."
            )
            raise InvalidSetting(message)


def _check(settings: dict[str, Any], given: dict[str, Any]) -> None:
    """Refuse what can be refused before anything heavy is loaded."""
    from eigendyn.network.network import Network
    from eigendyn.settings.presets import preset_settings
    from eigendyn.settings.run_settings import Settings

    both = {"batch", "seeds", "preset", "false_alarm"}
    wanted = (given.get(part) for part in ("loss", "predictor", "target"))
    source = preset_settings(given.get("preset"), *wanted)
    wanted = source | given
    Settings(**{name: value for name, value in wanted.items() if name not in both})
    Network(batch=5_000 if settings["batch"] is None else settings["batch"])


def _crosscheck(start, given: dict[str, Any], progress: bool):
    from eigendyn.crosschecks.crosscheck import crosscheck

    return crosscheck(weights=start, progress=progress, **given)


def _crosscheck_all(given: dict[str, Any], progress: bool):
    from eigendyn.crosschecks.systems import crosscheck_all

    return crosscheck_all(progress=progress, **given)


def _save(result, output: Path | None, plot: Path | None, force: bool) -> None:
    if output is not None:
        from eigendyn.results.files import save

        save(result, output, force)
    if plot is not None:
        from eigendyn.show.plot.agreement import save_agreement_picture

        save_agreement_picture(result, plot, force)


def _print(result, every: bool, files: dict[str, str], as_json: bool) -> None:
    from eigendyn.show.report import agreement

    if as_json:
        summarise = agreement.grid_summary if every else agreement.summary
        say(json.dumps({**summarise(result), "files": files}, allow_nan=False))
    else:
        say(agreement.grid_table(result) if every else agreement.table(result))
