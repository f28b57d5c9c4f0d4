"""Run `eigendyn bifurcation`: follow fixed points over a parameter, and draw them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from eigendyn.cli.asked import asked_for
from eigendyn.cli.config_option import config_option
from eigendyn.cli.flags import say
from eigendyn.cli.interrupt import interruptible
from eigendyn.cli.options import dynamics_options
from eigendyn.cli.parameters import Names, Numbers, is_given
from eigendyn.cli.run_options import file_option, output_options, samples_option, seed_option
from eigendyn.cli.saving import Output
from eigendyn.cli.subcommand import Subcommand
from eigendyn.errors import InvalidSetting
from eigendyn.settings.choices import PICTURE_SUFFIXES, TREE_SUFFIXES
from eigendyn.settings.run_settings import with_closure_accuracy

PARTIAL = 3
ACCURACY = 1e-6  # of an exact closure's quadrature


@click.command("bifurcation", cls=Subcommand)
@dynamics_options
@click.option(
    "--parameter",
    "driven",
    type=Names(),
    default="weight-decay",
    metavar="NAME",
    help="Parameter that changes; several that change together, as in "
    "weight-decay,predictor-decay.",
)
@click.option(
    "--range",
    "between",
    type=Numbers("0,0.4"),
    default="0,0.4",
    metavar="LOW,HIGH",
    help="Its smallest and largest value.",
)
@click.option(
    "--second-parameter",
    "second",
    type=Names(),
    metavar="NAME",
    help="Follow the saddle-nodes as this one changes too.",
)
@click.option(
    "--second-range",
    "second_between",
    type=Numbers("0,1"),
    default="0,1",
    metavar="LOW,HIGH",
    help="Its smallest and largest value.",
)
@click.option("--modes", type=int, default=1, help="Number of modes.")
@samples_option
@seed_option("Seed of samples, and of the search.")
@click.option(
    "--slices",
    type=int,
    show_default="5",
    help="Values of the parameter at which fixed points are sought; a search over the whole range "
    "follows.",
)
@file_option("File of branches and special points: .nc.", "-o", "--output")
@file_option(
    "Picture to write: .png, .pdf or .svg.",
    "--plot",
    fresh="eigendyn-bifurcation-LOSS.png, without --output",
)
@output_options
@config_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    driven: tuple[str, ...],
    between: list[float],
    second: tuple[str, ...] | None,
    second_between: list[float],
    modes: int,
    slices: int | None,
    output: Path | None,
    **_: Any,
) -> None:
    """Follow fixed points as a parameter changes, and draw where they turn, cross or oscillate.

    \b
    Examples:
      eigendyn bifurcation --loss euclidean --parameter weight-decay --range 0,0.4
      eigendyn bifurcation --loss euclidean --second-parameter sigma1 --second-range 0,1
      eigendyn bifurcation --loss euclidean -o branches.nc
      eigendyn bifurcation --model barlow-twins --parameter gamma --range 0.5,3
      eigendyn bifurcation --loss euclidean --predictor learned \\
          --parameter weight-decay,predictor-decay

    Branches are solid where stable, dashed where unstable; saddle-node, transcritical and Hopf
    points are marked, and listed with the bracket in which they were found and their eigenvalues.
    """  # noqa: D301
    from eigendyn.settings.checks import check_whole

    if slices is not None:
        check_whole("slices", slices, 1)
    asked = asked_for(ctx)
    stem = f"eigendyn-bifurcation-{asked.name}"
    both = (*PICTURE_SUFFIXES, *TREE_SUFFIXES)  # a picture went to --output before there was --plot
    files = (
        Output.asked_for(ctx, result=(), stem=stem)
        if output is None
        else Output.asked_for(ctx, result=both)
    )
    if second is None and is_given(ctx, "second_between"):
        message = "--second-range belongs to --second-parameter, and there is none. Add it."
        raise InvalidSetting(message)

    def work() -> Any:
        from eigendyn.analysis.bifurcations.continuation import SLICES, continue_fixed_points
        from eigendyn.analysis.bifurcations.folds import fold_curve
        from eigendyn.analysis.system import check_motion, dynamical_system

        settings = with_closure_accuracy(asked.settings, ACCURACY)
        system = dynamical_system(modes=modes, **settings)
        check_motion(system)
        diagram = continue_fixed_points(
            system,
            driven,
            between,
            slices=slices or SLICES,
            seed=asked.chosen.seed,
            progress=files.progress,
        )
        curves = ()
        if second is not None:
            folds = diagram.special_points
            curves = fold_curve(system, driven, between, second, second_between, folds=folds)
        return system, diagram, curves

    def save_data(path: Path, force: bool) -> None:
        from eigendyn.analysis.bifurcations.diagram_data import diagram_data
        from eigendyn.results.files import save
        from eigendyn.results.provenance import provenance

        made = {**named, **provenance("cpu", "float64")}
        save(diagram_data(diagram, curves, **made), path, force)

    def save_picture(path: Path, force: bool) -> None:
        from eigendyn.show.plot.bifurcation import bifurcation_figure
        from eigendyn.show.plot.picture import save_figure

        value = system.parameters[second[0]] if second else None
        beside = second_between if curves else None
        save_figure(bifurcation_figure(diagram, curves, beside, value), path, force)

    def save(path: Path, force: bool) -> None:
        write = save_picture if path.suffix.lower() in PICTURE_SUFFIXES else save_data
        interruptible(lambda: write(path, force))

    system, diagram, curves = interruptible(work)
    named = {system.kind: system.name}
    from eigendyn.show.report.bifurcation import summary, table

    first = next(iter(reversed(files.named.values())))  # the picture, if there is one
    files.show(
        lambda: {**summary(named, diagram, curves), "picture": first, "files": files.named},
        lambda: table(diagram, curves),
    )
    if second is not None and not curves and not files.as_json:
        say(f"\nNo saddle-node was found that could be followed along {' = '.join(second)}.")
    files.save(result=save, picture=save)
    if diagram.partial or any(curve.partial for curve in curves):
        ctx.exit(PARTIAL)
