"""Run `eigendyn crosscheck`: compare theory and networks, and judge the verdict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eigendyn.cli.asked import given_settings
from eigendyn.cli.config_option import config_option
from eigendyn.cli.interrupt import interruptible
from eigendyn.cli.options import network_options, start_options
from eigendyn.cli.parameters import is_given
from eigendyn.cli.run_options import file_option, output_options, run_options, saves_option
from eigendyn.cli.saving import Output
from eigendyn.cli.starts import Start
from eigendyn.cli.subcommand import Subcommand
from eigendyn.cli.written import loss_text, written_loss
from eigendyn.errors import InvalidSetting
from eigendyn.results.files import save
from eigendyn.settings.choices import TREE_SUFFIXES

if TYPE_CHECKING:
    import xarray

DISAGREES = 3
OF_NETWORKS = ("batch", "seeds", "preset", "false_alarm")  # settings that a theory has not
FOR_ALL = ("batch", "seeds", "steps", "false_alarm", "seed")  # what --all can be combined with


@click.command("crosscheck", cls=Subcommand)
@network_options
@click.option(
    "--all", "every", is_flag=True, help="Every loss, variant and exponent, in one table."
)
@click.option(
    "--batch",
    type=int,
    show_default="5000; 2000 with --all, 256 with --data",
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
@saves_option(61)
@run_options
@file_option("Result file with both sides: .nc.", "-o", "--output")
@file_option("Theory as lines, networks as dots: .png, .pdf or .svg.", "--plot")
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
    batch: int | None,
    seed: int,
    **_: Any,
) -> None:
    """Compare the theory with gradient descent of real networks.

    \b
    Examples:
      eigendyn crosscheck --loss cosine --plot check.png
      eigendyn crosscheck --loss euclidean --preset published -o check.nc
      eigendyn crosscheck --loss euclidean --data digits.nc --learning-rate 0.2 --plot data.png
      eigendyn crosscheck --loss cosine --data gaussian:digits.nc
      eigendyn crosscheck --all

    Linear Siamese networks are trained from the same weights on batches of their own, with losses
    written apart from the theory and differentiated automatically. Their mean, extrapolated to an
    infinite batch, is compared with the expected steps of the mode dynamics, for every mode and
    time, in standard errors. For every number of the theory the smallest error is said that would
    have been called wrong. Without a start, the published one with 10 modes is taken.

    With --data, networks are trained on views of the data themselves, by batches of 256, or with
    gaussian:FILE on Gaussian views of the same second moments; beside them stand aligned modes,
    which leave out what noise is off the diagonal, and for Euclidean losses the whole matrix, which
    is exact.

    Exit code 0: they agree, with --data the last theory of the table; 2: refused, nothing was run;
    3: they disagree, or a side diverged.
    """  # noqa: D301
    chosen = Start.asked_for(ctx)
    output = Output.asked_for(ctx, result=TREE_SUFFIXES)
    given = given_settings(ctx, *OF_NETWORKS)
    result: Any
    if every:
        _refuse_beside_all(ctx)
        result = interruptible(lambda: _crosscheck_all(given, output.progress))
        agrees = bool((result["verdict"] == "agrees").all())
    elif chosen.data is not None:
        own = written_loss(loss_text(loss_expr, loss_file), parameters, named="loss" in given)
        result = _crosscheck_data(chosen, own, given, output)
        # the last theory is the one that leaves nothing out
        agrees = result["agreement"]["verdict"].values[-1] == "agrees"
    else:
        own = written_loss(loss_text(loss_expr, loss_file), parameters, named="loss" in given)
        _check(5_000 if batch is None else batch, given)
        if own is not None:
            given["loss"] = own
        start, given = chosen.encoder(seed, given, output.quiet)
        result = interruptible(lambda: _crosscheck(start, given, output.progress))
        agrees = result["agreement"].attrs["verdict"] == "agrees"
    from eigendyn.show.report import agreement, agreement_on_data

    report: Any = agreement if chosen.data is None else agreement_on_data
    summary = report.grid_summary if every else report.summary
    table = report.grid_table if every else report.table
    output.show(lambda: {**summary(result), "files": output.named}, lambda: table(result))
    output.save(
        result=lambda path, force: save(result, path, force),
        picture=lambda path, force: _draw(result, path, force),
    )
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


def _check(batch: int, given: dict[str, Any]) -> None:
    """Refuse what can be refused before anything heavy is loaded."""
    from eigendyn.network.network import Network
    from eigendyn.settings.presets import preset_settings
    from eigendyn.settings.run_settings import Settings

    wanted = (given.get(part) for part in ("loss", "predictor", "target"))
    source = preset_settings(given.get("preset"), *wanted)
    wanted = source | given
    Settings(**{name: value for name, value in wanted.items() if name not in OF_NETWORKS})
    Network(batch=batch)


def _crosscheck(start, given: dict[str, Any], progress: bool):
    from eigendyn.crosschecks.crosscheck import crosscheck

    return crosscheck(weights=start, progress=progress, **given)


def _crosscheck_data(
    chosen: Start, own: Any, given: dict[str, Any], output: Output
) -> xarray.DataTree:
    from eigendyn.data.starting import SCALE
    from eigendyn.settings.presets import preset_settings
    from eigendyn.settings.run_settings import Settings

    parts = (given.get(part) for part in ("loss", "predictor", "target"))
    wanted: dict[str, Any] = preset_settings(given.pop("preset", None), *parts) | given
    loss = wanted.pop("loss", Settings.loss)
    data, gaussian = chosen.read_views()
    weights = chosen.read_weights()

    def work() -> xarray.DataTree:
        from eigendyn.crosschecks.on_data import crosscheck_data

        return crosscheck_data(
            loss if own is None else own,
            data,
            weights,
            modes=chosen.modes,
            scale=SCALE if chosen.scale is None else chosen.scale,
            gaussian=gaussian,
            progress=output.progress,
            **wanted,
        )

    return interruptible(work)


def _crosscheck_all(given: dict[str, Any], progress: bool):
    from eigendyn.crosschecks.systems import crosscheck_all

    return crosscheck_all(progress=progress, **given)


def _draw(result, path: Path, force: bool) -> None:
    if "aligned" in result.children:
        from eigendyn.show.plot.agreement_on_data import save_data_picture

        save_data_picture(result, path, force)
        return
    from eigendyn.show.plot.agreement import save_agreement_picture

    save_agreement_picture(result, path, force)
