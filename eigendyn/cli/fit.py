"""Run `eigendyn fit`: fit the theory to a recorded spectrum, foretell the rest, say which fits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from eigendyn.cli.asked import given_settings
from eigendyn.cli.config_option import config_option
from eigendyn.cli.interrupt import interruptible
from eigendyn.cli.options import (
    FILE,
    Name,
    correlation_option,
    function_options,
    number_option,
    predictor_option,
    stop_gradient_option,
)
from eigendyn.cli.run_options import file_option, output_options, seed_option
from eigendyn.cli.saving import Output
from eigendyn.cli.subcommand import Subcommand
from eigendyn.errors import InvalidSetting
from eigendyn.fitting.numbers import NOISES, modal_numbers
from eigendyn.recording.reading import read_record
from eigendyn.settings.choices import LOSS_NAMES, check_choice
from eigendyn.settings.run_settings import Settings

NOT_CONVERGED = 3
OTHERWISE = {  # what holds where these are not given
    **dict.fromkeys(("alpha", "sigma1", "sigma2", "weight_decay"), "looked for"),
    "correlation": "as was recorded, or clean",
}


class Share(click.ParamType):
    """A share, as 20% or 0.2."""

    name = "share"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:  # noqa: ARG002
        """Read it.

        Raises:
            InvalidSetting: It is no number.
        """
        if isinstance(value, float):
            return value
        try:
            return float(value[:-1]) / 100 if value.endswith("%") else float(value)
        except ValueError as error:
            message = f"--until must be a share, as 20% or 0.2, not {value!r}."
            raise InvalidSetting(message) from error


@click.command("fit", cls=Subcommand)
@click.argument("file", type=FILE)
@click.option(
    "--loss",
    "losses",
    default=",".join(LOSS_NAMES),
    metavar="NAME,…",
    help="Losses to fit, ranked by the error of their forecasts.",
)
@click.option(
    "--until",
    type=Share(),
    default="50%",
    help="Share of the recorded time that is fitted; the rest judges the forecast.",
)
@click.option(
    "--horizon",
    type=float,
    show_default="the end of the record; twice that with --until 100%",
    help="Time until which is foretold.",
)
@click.option(
    "--per-mode",
    default="",
    metavar="NAME,…",
    show_default=False,
    help="Numbers that every mode has for itself: time-scale, noise1, or both.",
)
@click.option(
    "--noises",
    type=Name("source of noises", NOISES),
    default=NOISES[0],
    help="Noises of modes as the record has them, if it has; or looked for like other numbers.",
)
@predictor_option
@stop_gradient_option
@number_option("alpha")
@function_options
@correlation_option
@number_option("sigma1")
@number_option("sigma2")
@number_option("weight_decay")
@seed_option("Seed of the noise in the band.")
@file_option("File of the fit: .nc.", "-o", "--output")
@file_option("Picture of record, fit and forecast: .png, .pdf or .svg.", "--plot")
@output_options
@config_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    file: Path,
    losses: str,
    until: float,
    horizon: float | None,
    per_mode: str,
    noises: str,
    **_: Any,
) -> None:
    """Fit the theory to a recorded spectrum, and foretell the rest of the training.

    \b
    Examples:
      eigendyn fit run.nc
      eigendyn fit run.nc --loss euclidean,iso-euclidean --until 20% --alpha 0.5 --plot fit.png
      eigendyn fit run.nc --loss euclidean --per-mode time-scale
      eigendyn fit eigenvalues.csv --until 100% --horizon 200 -o fit.nc

    FILE is a record, a run of simulate or train (.nc), or a table of times × eigenvalues (.csv,
    .npz, …). Time scale, noise, weight decay and α are looked for unless they are given; what
    cannot be told apart is reported as a combination. Noises that the record has of every mode are
    taken as they are, and a predictor of the first view's correlation is known by its eigenvalues.

    Exit code 0: fitted; 2: refused, nothing was run; 3: the search did not converge.
    """  # noqa: D301
    output = Output.asked_for(ctx, result=(".nc",))
    names = [check_choice("loss", name.strip(), LOSS_NAMES) for name in losses.split(",")]
    modal = [name.strip().replace("-", "_") for name in per_mode.split(",") if name.strip()]
    modal_numbers(modal)
    settings = given_settings(ctx)
    Settings(loss=names[0], **settings)
    record = read_record(file)

    def work() -> Any:
        from eigendyn.fitting.fit import fit

        return fit(
            record,
            names,
            until=until,
            horizon=horizon,
            per_mode=modal,
            noises=noises,
            **settings,
        )

    result = interruptible(work)
    from eigendyn.results.files import save
    from eigendyn.show.report.fit import summary, table

    output.show(lambda: {**summary(result), "files": output.named}, lambda: table(result))

    def save_picture(path: Path, force: bool) -> None:
        from eigendyn.show.plot.fit import save_fit_picture

        save_fit_picture(result, path, force)

    output.save(result=lambda path, force: save(result, path, force), picture=save_picture)
    if result.attrs["status"] != "completed":
        ctx.exit(NOT_CONVERGED)


for option in command.params:
    if isinstance(option, click.Option) and option.name in OTHERWISE:
        option.show_default = OTHERWISE[option.name]
