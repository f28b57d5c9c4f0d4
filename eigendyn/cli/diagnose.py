"""Run `eigendyn diagnose`: say which modes collapse, and what would save them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from eigendyn.cli.asked import asked_for
from eigendyn.cli.flags import say
from eigendyn.cli.glossary import GLOSSARY
from eigendyn.cli.interrupt import interruptible
from eigendyn.cli.options import (
    FILE,
    config_option,
    loss_option,
    output_options,
    physics_options,
    preset_option,
    start_options,
    variant_options,
    written_loss_options,
)
from eigendyn.cli.saving import saving
from eigendyn.cli.starts import Start
from eigendyn.cli.subcommand import Subcommand
from eigendyn.settings import choices

NOT_COMPLETED = 3


@click.command("diagnose", cls=Subcommand, epilog=GLOSSARY)
@loss_option
@written_loss_options
@preset_option
@start_options
@variant_options
@physics_options
@click.option(
    "-o",
    "--output",
    type=FILE,
    show_default=False,
    help="File of the verdicts: .nc, .csv or .json.",
)
@click.option(
    "--plot",
    type=FILE,
    show_default=False,
    help="Picture of the spectrum over time and of the verdicts: .png, .pdf or .svg.",
)
@output_options
@config_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    loss_expr: str | None,
    loss_file: Path | None,
    preset: str | None,
    parameters: tuple[str, ...],
    output: Path | None,
    plot: Path | None,
    force: bool,
    as_json: bool,
    quiet: bool,
    **settings: Any,
) -> None:
    """Say which modes are recruited and which collapse, and what would change that.

    \b
    Examples:
      eigendyn diagnose --loss euclidean --weight-decay 0.02
      eigendyn diagnose --loss cosine --embeddings z.npy --weight-decay 0.005
      eigendyn diagnose --preset simsiam

    A mode is lost if it has collapsed, is small and at rest with less than it began with, or falls
    at the end, that is after --steps. Every other run changes one setting and keeps all others and
    the training time.
    Exit code 3: the run that was asked for did not complete, so that its verdict is not known.
    """  # noqa: D301
    chosen = Start.taken_from(settings)
    asked = asked_for(
        ctx,
        settings,
        preset=preset,
        loss_expr=loss_expr,
        loss_file=loss_file,
        parameters=parameters,
    )
    from eigendyn.results.files import check_output, save

    if output is not None:
        check_output(output, choices.RESULT_SUFFIXES, force)
    if plot is not None:
        check_output(plot, choices.PICTURE_SUFFIXES, force)
    start = chosen.spectrum(asked.chosen.seed)

    def work() -> Any:
        from eigendyn.analysis.rates.diagnosis import diagnose

        progress = not quiet and sys.stderr.isatty()
        return diagnose(variances=start, progress=progress, **asked.settings)

    diagnosis = interruptible(work)
    from eigendyn.show.report.collapse import summary, table

    say(json.dumps(summary(diagnosis), allow_nan=False) if as_json else table(diagnosis))
    with saving():
        if output is not None:
            save(diagnosis.to_xarray(), output, force)
        if plot is not None:
            from eigendyn.show.plot.collapse import save_diagnosis

            save_diagnosis(diagnosis, plot, force)
    written = " and ".join(str(path) for path in (output, plot) if path is not None)
    if written and not quiet:
        click.echo(f"Saved {written}.", err=True)
    if diagnosis.lost is None:
        ctx.exit(NOT_COMPLETED)
