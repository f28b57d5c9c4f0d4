"""Run `eigendyn design`: find a loss whose modes grow at a wanted rate."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from eigendyn.cli.options import loss_options, number_option, param_option
from eigendyn.cli.parameters import numbers_by_name
from eigendyn.cli.run_options import json_option
from eigendyn.cli.subcommand import Subcommand
from eigendyn.errors import InvalidSetting

if TYPE_CHECKING:
    from eigendyn.analysis.design import Design

INDENT = "\n  "
COMPARED = ("eigenvalue", "wanted", "derived")


@click.command("design", cls=Subcommand)
@click.option("--rate", metavar="TEXT", help="Wanted (1/s) ds/dt, as in '1 - lam'.")
@loss_options(None, "Or keep the dynamics of a loss …")
@click.option(
    "--multiplier",
    metavar="TEXT",
    help="… and change the learning-rate multiplier of its modes, as in '1'.",
)
@param_option("the text uses")
@number_option("sigma1")
@json_option
def command(
    rate: str | None,
    loss: str | None,
    multiplier: str | None,
    parameters: tuple[str, ...],
    sigma1: float,
    as_json: bool,
) -> None:
    """Design a loss from the growth rate that its modes shall have.

    \b
    Examples:
      eigendyn design --rate "1 - lam"
      eigendyn design --rate "sum(lam)/sum(1) - lam"
      eigendyn design --loss cosine --multiplier 1

    The text may use lam, the predictor's eigenvalue of the mode, sums over modes as sum(lam**2),
    numbers and + - * / **. The printed loss goes into --loss-expr of every other command.
    """  # noqa: D301
    if (rate is None) == (loss is None or multiplier is None) or (rate and (loss or multiplier)):
        message = (
            "A design needs --rate, or --loss with --multiplier, and not both. "
            "Try eigendyn design --rate 1-lam."
        )
        raise InvalidSetting(message)
    from eigendyn.analysis.design import design_loss, design_multiplier
    from eigendyn.theory.formula import text
    from eigendyn.theory.loss_writer import write_loss
    from eigendyn.theory.symbols import Average

    numbers = numbers_by_name(parameters, "--param gamma=0.5")
    check: dict[str, Any] = {"sigma1": sigma1, "progress": sys.stderr.isatty()}
    if rate is not None:
        design = design_loss(rate, numbers, **check)
    else:
        design = design_multiplier(loss or "", multiplier or "", numbers, **check)
    written = write_loss(design.loss.expression)
    is_average = design.derived.has(Average)
    if is_average:
        wanted = f"that of {loss}, times ({multiplier})/λ_m"
        derived = "an average over inputs, by quadrature; for one spectrum"
    else:
        wanted, derived = text(design.wanted), text(design.derived)
    if as_json:
        report = {
            "schema_version": 1,
            "loss_expr": written,
            "parameters": dict(design.loss.parameters),
            "wanted": wanted,
            "derived": derived,
            "deviation": design.deviation,
            "compared": [dict(zip(COMPARED, row, strict=True)) for row in design.compared],
            "gives_up": design.gives_up,
        }
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    click.echo(f"loss       {written}")
    click.echo(f"formula    {text(design.loss.expression)}")
    click.echo(f"wanted     (1/s) ds/dt = {wanted}")
    click.echo(f"derived    (1/s) ds/dt = {derived}")
    if is_average:
        click.echo(_comparison(design))
    click.echo(f"deviation  {design.deviation:.1e} of the largest rate, on random spectra")
    click.echo(INDENT.join(["comes with", *design.gives_up]))


def _comparison(design: Design) -> str:
    """Both rates of every mode of one spectrum, one row each."""
    columns = zip(COMPARED, zip(*design.compared, strict=True), strict=True)
    return "\n".join(
        f"           {name:10}" + "".join(f"{number:>13.6g}" for number in numbers)
        for name, numbers in columns
    )
