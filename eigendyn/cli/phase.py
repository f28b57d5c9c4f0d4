"""Run `eigendyn phase`: draw the phase portrait of a plane, and list its fixed points."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from eigendyn.cli.asked import asked_for
from eigendyn.cli.flags import say
from eigendyn.cli.interrupt import interruptible
from eigendyn.cli.options import (
    FILE,
    config_option,
    loss_option,
    model_option,
    output_options,
    physics_options,
    preset_option,
    variant_options,
    written_loss_options,
)
from eigendyn.cli.parameters import Numbers, numbers_by_name
from eigendyn.cli.saving import saving
from eigendyn.cli.subcommand import Subcommand
from eigendyn.settings import choices
from eigendyn.settings.run_settings import Settings

ANIMATIONS = (".gif", ".mp4")


@click.command("phase", cls=Subcommand)
@loss_option
@written_loss_options
@model_option
@preset_option
@variant_options
@physics_options
@click.option(
    "--samples", type=int, default=Settings.samples, help="Samples of the sampled closure."
)
@click.option("--seed", type=int, default=Settings.seed, help="Seed of these, and of networks.")
@click.option(
    "--start",
    "starts",
    type=Numbers("0.3,1"),
    multiple=True,
    metavar="X,Y",
    show_default="three of them",
    help="Where a trajectory starts on the plane; may be given several times.",
)
@click.option("--modes", type=int, show_default="2, or 1 with several states", help="Modes M.")
@click.option(
    "--slice",
    "held",
    multiple=True,
    metavar="STATE=VALUE",
    help="Hold a state, so that two are left: variance3, target, predictor, correlation, velocity; "
    "with several modes followed by the number of one.",
)
@click.option(
    "--window",
    type=Numbers("2,2"),
    metavar="X,Y",
    show_default="2 for variances",
    help="Where the axis across, and the one up, end.",
)
@click.option("--basins", is_flag=True, help="Shade the plane by where training ends.")
@click.option(
    "--descent",
    type=int,
    default=0,
    help="Train so many networks from every start, and draw them over the theory.",
)
@click.option(
    "-o",
    "--output",
    type=FILE,
    show_default="a fresh eigendyn-phase-LOSS.png",
    help="Picture to write: .png, .pdf or .svg; .gif or .mp4 move.",
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
    parameters: tuple[str, ...],
    preset: str | None,
    starts: tuple[list[float], ...],
    modes: int | None,
    held: tuple[str, ...],
    window: list[float] | None,
    basins: bool,
    descent: int,
    output: Path | None,
    force: bool,
    as_json: bool,
    quiet: bool,
    **settings: Any,
) -> None:
    """Draw the phase portrait of two modes, or of two states of one mode.

    \b
    Examples:
      eigendyn phase --loss cosine -o phase.png
      eigendyn phase --loss euclidean --weight-decay 0.1 --basins
      eigendyn phase --loss euclidean --predictor learned --weight-decay 0.1 --predictor-decay 0.1
      eigendyn phase --loss euclidean --target ema --start 0.1,0.5 -o ema.gif
      eigendyn phase --loss cosine --modes 3 --slice variance3=0.5 --window 1,1
      eigendyn phase --model deep-linear --param c=1.5

    The plane is that of two modes' variances, of p and s with a learned predictor, of encoder and
    target with --target ema; further states are held with --slice. It shows the field, nullclines,
    fixed points (filled if stable, open if unstable, half filled if saddles or half-stable), level
    sets of what is conserved, borders of basins and trajectories. The fixed points are listed with
    the eigenvalues of their Jacobians.
    """  # noqa: D301
    from eigendyn.results.files import check_output, fresh_path
    from eigendyn.settings.checks import check_whole

    check_whole("descent", descent, 0)
    asked = asked_for(
        ctx,
        settings,
        preset=preset,
        loss_expr=loss_expr,
        loss_file=loss_file,
        parameters=parameters,
        model=model,
    )
    path = output or fresh_path(f"eigendyn-phase-{asked.name}", ".png")
    check_output(path, (*choices.PICTURE_SUFFIXES, *ANIMATIONS), force)

    def work() -> Any:
        from eigendyn.show.portrait import draw_portrait

        return draw_portrait(
            path,
            force,
            starts=starts,
            with_basins=basins,
            descents=descent,
            modes=modes,
            held=numbers_by_name(held, "--slice variance3=0.5"),
            window=window,
            progress=not quiet and sys.stderr.isatty(),
            settings=asked.settings,
        )

    motion, rests, save = interruptible(work)
    found = (motion, rests)
    from eigendyn.show.report.phase import summary, table

    if as_json:
        say(json.dumps({**summary(found), "picture": str(path)}, allow_nan=False))
    else:
        say(table(found))
    with saving():
        interruptible(save)
    if not quiet:
        click.echo(f"Saved {path}.", err=True)
