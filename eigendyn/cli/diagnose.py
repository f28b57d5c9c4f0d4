"""Run `eigendyn diagnose`: say which modes collapse, and what would save them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from eigendyn.cli.asked import asked_for
from eigendyn.cli.config_option import config_option
from eigendyn.cli.glossary import GLOSSARY
from eigendyn.cli.interrupt import interruptible
from eigendyn.cli.options import FILE, network_options, start_options
from eigendyn.cli.parameters import is_given
from eigendyn.cli.run_options import file_option, output_options
from eigendyn.cli.saving import Output
from eigendyn.cli.starts import Start
from eigendyn.cli.subcommand import Subcommand
from eigendyn.errors import InvalidSetting
from eigendyn.results.files import load, save

NOT_COMPLETED = 3


@click.command("diagnose", cls=Subcommand, epilog=GLOSSARY)
@click.option(
    "--training",
    type=FILE,
    help="A result of eigendyn train (.nc), in the place of loss and start: say which of its modes "
    "were learned, and why others were not.",
)
@network_options
@start_options
@file_option("File of the verdicts: .nc, .csv or .json.", "-o", "--output")
@file_option("Picture of the spectrum over time and of the verdicts: .png, .pdf or .svg.", "--plot")
@output_options
@config_option
@click.pass_context
def command(ctx: click.Context, *, training: Path | None, **_: Any) -> None:
    """Say which modes are recruited and which collapse, and what would change that.

    \b
    Examples:
      eigendyn diagnose --loss euclidean --weight-decay 0.02
      eigendyn diagnose --loss cosine --embeddings z.npy --weight-decay 0.005
      eigendyn diagnose --preset simsiam
      eigendyn diagnose --training run.nc

    A mode is lost if it has collapsed, is small and at rest with less than it began with, or falls
    at the end, that is after --steps. Every other run changes one setting and keeps all others and
    the training time.
    Exit code 3: the run that was asked for did not complete, so that its verdict is not known.
    """  # noqa: D301
    if training is not None:
        _diagnose_training(ctx, training)
        return
    chosen = Start.asked_for(ctx)
    asked = asked_for(ctx)
    output = Output.asked_for(ctx)
    start, settings = chosen.with_settings(asked.chosen.seed, asked.settings, output.quiet)

    def work() -> Any:
        from eigendyn.analysis.rates.diagnosis import diagnose

        return diagnose(variances=start, progress=output.progress, **settings)

    diagnosis = interruptible(work)
    from eigendyn.show.report.collapse import summary, table

    output.show(lambda: summary(diagnosis), lambda: table(diagnosis))

    def save_data(path: Path, force: bool) -> None:
        save(diagnosis.to_xarray(), path, force)

    def save_picture(path: Path, force: bool) -> None:
        from eigendyn.show.plot.collapse import save_diagnosis

        save_diagnosis(diagnosis, path, force)

    output.save(result=save_data, picture=save_picture)
    if diagnosis.lost is None:
        ctx.exit(NOT_COMPLETED)


def _diagnose_training(ctx: click.Context, path: Path) -> None:
    """Say of networks that were trained on images which modes they learned."""
    free = {"training", "as_json", "quiet"}
    for option in ctx.command.params:
        if option.name not in free and is_given(ctx, str(option.name)):
            message = (
                f"--training has its loss and start in the file; {option.opts[-1]} steers a run of "
                "the theory. Leave out one of the two."
            )
            raise InvalidSetting(message)
    result: Any = load(path)
    from eigendyn.show.report.training_modes import summary, table

    output = Output.asked_for(ctx, result=())
    output.show(lambda: summary(result), lambda: table(result))
