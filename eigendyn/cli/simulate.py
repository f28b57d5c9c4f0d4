"""Run `eigendyn simulate`: follow the modes; print, save and draw the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from eigendyn.cli.asked import asked_for
from eigendyn.cli.config_option import config_option
from eigendyn.cli.glossary import GLOSSARY
from eigendyn.cli.interrupt import interruptible
from eigendyn.cli.onward import from_option, gone_on
from eigendyn.cli.options import dynamics_options, start_options
from eigendyn.cli.run_options import (
    engine_options,
    file_option,
    output_options,
    run_options,
    saves_option,
)
from eigendyn.cli.saving import Output
from eigendyn.cli.starts import Start
from eigendyn.cli.subcommand import Subcommand
from eigendyn.settings.run_settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from eigendyn.results.labelled import Labelled

NOT_COMPLETED = 3


@click.command("simulate", cls=Subcommand, epilog=GLOSSARY)
@dynamics_options
@start_options
@from_option
@engine_options
@saves_option(Settings.saves)
@run_options
@file_option("Result file: .nc, .csv or .json.", "-o", "--output", fresh="eigendyn-LOSS.nc")
@file_option(
    "Picture of the spectrum over time: .png, .pdf or .svg.", "--plot", fresh="eigendyn-LOSS.png"
)
@output_options
@config_option
@click.pass_context
def command(ctx: click.Context, *, from_run: Path | None, **_: Any) -> None:
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
      eigendyn simulate --from run.nc --steps 3000
      eigendyn simulate --config run.nc --weight-decay 0.01

    Without a start, the published one with 10 modes is taken. The table (or JSON) goes to standard
    output, everything else to standard error. Exit code 0: completed; 2: refused, nothing was run;
    3: not completed, and the result says how far it came.
    """  # noqa: D301
    if from_run is None:
        chosen, asked = Start.asked_for(ctx), asked_for(ctx)
        output = Output.asked_for(ctx, stem=f"eigendyn-{asked.name}")
        start, settings = chosen.with_settings(asked.chosen.seed, asked.settings, output.quiet)
    else:
        name, settings = gone_on(ctx, from_run)
        start = None
        output = Output.asked_for(ctx, stem=f"eigendyn-{name}")
    dataset = interruptible(
        lambda: _simulate(start, settings, output.progress), clock=output.progress
    )
    from eigendyn.show.report.run import summary, table

    output.show(lambda: {**summary(dataset), "files": output.named}, lambda: table(dataset))
    from eigendyn.results.files import save
    from eigendyn.show.plot.undocumented import skip_docstrings

    skip_docstrings()
    from eigendyn.show.plot.spectrum import save_picture

    output.save(
        result=lambda path, force: save(dataset, path, force),
        picture=lambda path, force: save_picture(dataset, path, force),
    )
    if dataset.attrs["status"] != "completed":
        ctx.exit(NOT_COMPLETED)


def _simulate(start: NDArray | None, settings: dict[str, Any], progress: bool) -> Labelled:
    from eigendyn.simulation.simulate import simulated

    return simulated(variances=start, progress=progress, **settings)
