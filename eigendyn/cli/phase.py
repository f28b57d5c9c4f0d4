"""Run `eigendyn phase`: draw the phase portrait of a plane, and list its fixed points."""

from __future__ import annotations

from typing import Any

import click

from eigendyn.cli.asked import asked_for
from eigendyn.cli.config_option import config_option
from eigendyn.cli.interrupt import interruptible
from eigendyn.cli.options import dynamics_options
from eigendyn.cli.parameters import Numbers, numbers_by_name
from eigendyn.cli.run_options import (
    file_option,
    former_option,
    output_options,
    samples_option,
    seed_option,
)
from eigendyn.cli.saving import Output
from eigendyn.cli.subcommand import Subcommand
from eigendyn.settings.choices import PICTURE_SUFFIXES

ANIMATIONS = (".gif", ".mp4")


@click.command("phase", cls=Subcommand)
@dynamics_options
@samples_option
@seed_option("Seed of samples, and of networks.")
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
@file_option(
    "Picture to write: .png, .pdf or .svg; .gif or .mp4 move.",
    "--plot",
    fresh="eigendyn-phase-LOSS.png",
)
@former_option("plot", "-o", "--output")
@output_options
@config_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    starts: tuple[list[float], ...],
    modes: int | None,
    held: tuple[str, ...],
    window: list[float] | None,
    basins: bool,
    descent: int,
    **_: Any,
) -> None:
    """Draw the phase portrait of two modes, or of two states of one mode.

    \b
    Examples:
      eigendyn phase --loss cosine --plot phase.png
      eigendyn phase --loss euclidean --weight-decay 0.1 --basins
      eigendyn phase --loss euclidean --predictor learned --weight-decay 0.1 --predictor-decay 0.1
      eigendyn phase --loss euclidean --target ema --start 0.1,0.5 --plot ema.gif
      eigendyn phase --loss cosine --modes 3 --slice variance3=0.5 --window 1,1
      eigendyn phase --model deep-linear --param c=1.5

    The plane is that of two modes' variances, of p and s with a learned predictor, of encoder and
    target with --target ema; further states are held with --slice. It shows the field, nullclines,
    fixed points (filled if stable, open if unstable, half filled if saddles or half-stable), level
    sets of what is conserved, borders of basins and trajectories. The fixed points are listed with
    the eigenvalues of their Jacobians.
    """  # noqa: D301
    from eigendyn.settings.checks import check_whole

    check_whole("descent", descent, 0)
    asked = asked_for(ctx)
    pictures = (*PICTURE_SUFFIXES, *ANIMATIONS)
    output = Output.asked_for(ctx, result=(), picture=pictures, stem=f"eigendyn-phase-{asked.name}")

    def work() -> Any:
        from eigendyn.show.portrait import draw_portrait

        return draw_portrait(
            output.files["picture"],
            output.force,
            starts=starts,
            with_basins=basins,
            descents=descent,
            modes=modes,
            held=numbers_by_name(held, "--slice variance3=0.5"),
            window=window,
            progress=output.progress,
            settings=asked.settings,
        )

    motion, rests, save = interruptible(work)
    found = (motion, rests)
    from eigendyn.show.report.phase import summary, table

    output.show(lambda: {**summary(found), **output.named}, lambda: table(found))
    output.save(picture=lambda _path, _force: interruptible(save))
