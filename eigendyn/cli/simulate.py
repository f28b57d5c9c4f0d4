"""Run `eigendyn simulate`: follow the modes; print, save and draw the result."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import click

from eigendyn.cli.asked import asked_for
from eigendyn.cli.flags import say
from eigendyn.cli.glossary import GLOSSARY
from eigendyn.cli.interrupt import interruptible
from eigendyn.cli.options import (
    FILE,
    config_option,
    engine_options,
    loss_option,
    model_option,
    output_options,
    physics_options,
    preset_option,
    run_options,
    saves_option,
    start_options,
    variant_options,
    written_loss_options,
)
from eigendyn.cli.saving import saving
from eigendyn.cli.starts import Start
from eigendyn.cli.subcommand import Subcommand
from eigendyn.settings import choices
from eigendyn.settings.run_settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from eigendyn.results.labelled import Labelled

NOT_COMPLETED = 3


@click.command("simulate", cls=Subcommand, epilog=GLOSSARY)
@loss_option
@written_loss_options
@model_option
@preset_option
@start_options
@variant_options
@physics_options
@engine_options
@saves_option(Settings.saves)
@run_options
@click.option(
    "-o",
    "--output",
    type=FILE,
    show_default="a fresh eigendyn-LOSS.nc",
    help="Result file: .nc, .csv or .json.",
)
@click.option(
    "--plot",
    type=FILE,
    show_default="a fresh eigendyn-LOSS.png",
    help="Picture of the spectrum over time: .png, .pdf or .svg.",
)
@output_options
@config_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    loss_expr: str | None,
    loss_file: Path | None,
    model: str | None,
    preset: str | None,
    parameters: tuple[str, ...],
    output: Path | None,
    plot: Path | None,
    force: bool,
    as_json: bool,
    quiet: bool,
    **settings: Any,
) -> None:
    """Follow the variance of every mode while a loss is descended, or as a model says.

    \b
    Examples:
      eigendyn simulate --loss cosine
      eigendyn simulate --loss iso-cosine --embeddings z.npy --weight-decay 0.01
      eigendyn simulate --loss euclidean --variances 0.05,0.3,1,2 --json
      eigendyn simulate --loss-expr "sum((lam*z1 - sg(z2))**2) / norm(sg(z2))"
      eigendyn simulate --preset byol --steps 5000
      eigendyn simulate --model barlow-twins --param gamma=0.5
      eigendyn simulate --loss euclidean --predictor learned --weight-decay 0.1

    Without a start, the published one with 10 modes is taken. The table (or JSON) goes to standard
    output, everything else to standard error. Exit code 0: completed; 2: refused, nothing was run;
    3: not completed, and the result says how far it came.
    """  # noqa: D301
    chosen = Start.taken_from(settings)
    asked = asked_for(
        ctx,
        settings,
        preset=preset,
        loss_expr=loss_expr,
        loss_file=loss_file,
        parameters=parameters,
        model=model,
    )
    output, plot = _outputs(asked.name, output, plot, force)
    start = chosen.spectrum(asked.chosen.seed, quiet)
    Thread(target=_read_ahead, daemon=True).start()
    progress = not quiet and sys.stderr.isatty()
    dataset = interruptible(
        lambda: _simulate(start, asked.settings, progress=progress), clock=progress
    )
    _print(dataset, output, plot, as_json)
    with saving():
        _save(dataset, output, plot, force)
    if not quiet:
        click.echo(f"Saved {output} and {plot}.", err=True)
    if dataset.attrs["status"] != "completed":
        ctx.exit(NOT_COMPLETED)


def _read_ahead() -> None:
    """Read what the picture needs while machine code is compiled and run."""
    import eigendyn.show.plot.spectrum  # noqa: F401


def _outputs(loss: str, output: Path | None, plot: Path | None, force: bool) -> tuple[Path, Path]:
    """Refuse files that cannot be written, before any work; name fresh ones if none are given."""
    from eigendyn.results.files import check_output, fresh_path

    stem = f"eigendyn-{loss}"
    result, picture = output or fresh_path(stem, ".nc"), plot or fresh_path(stem, ".png")
    check_output(result, choices.RESULT_SUFFIXES, force)
    check_output(picture, choices.PICTURE_SUFFIXES, force)
    return result, picture


def _simulate(start: NDArray, settings: dict[str, Any], progress: bool) -> Labelled:
    from eigendyn.simulation.simulate import simulated

    return simulated(variances=start, progress=progress, **settings)


def _save(dataset: Labelled, output: Path, plot: Path, force: bool) -> None:
    from eigendyn.results.files import save
    from eigendyn.show.plot.spectrum import save_picture

    save(dataset, output, force)
    save_picture(dataset, plot, force)


def _print(dataset: Labelled, output: Path, plot: Path, as_json: bool) -> None:
    from eigendyn.show.report.run import summary, table

    if as_json:
        files = {"result": str(output), "picture": str(plot)}
        say(json.dumps({**summary(dataset), "files": files}, allow_nan=False))
    else:
        say(table(dataset))
