"""Run `eigendyn derive`: print the mode dynamics of a loss, line by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from eigendyn.cli.options import (
    architecture_options,
    loss_options,
    variant_options,
    written_loss_options,
)
from eigendyn.cli.subcommand import Subcommand
from eigendyn.cli.written import loss_text, written_loss
from eigendyn.errors import InvalidSetting
from eigendyn.settings.choices import LOSS_NAMES
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.siamese import architecture


@click.command("derive", cls=Subcommand)
@loss_options(None, "Loss to derive from; also without --loss.")
@written_loss_options
@variant_options
@architecture_options
@click.option(
    "--alpha",
    type=float,
    show_default="a symbol",
    help="Exponent α of the predictor, λ = v^α.",
)
@click.option("--latex", is_flag=True, help="Print LaTeX, one equation a line.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    loss: str | None,
    loss_expr: str | None,
    parameters: tuple[str, ...],
    loss_file: Path | None,
    stop_gradient: bool,
    beta: float | None,
    alpha: float | None,
    latex: bool,
    as_json: bool,
    **structure: Any,
) -> None:
    """Derive the mode dynamics of a loss, line by line.

    \b
    Examples:
      eigendyn derive cosine
      eigendyn derive euclidean --no-stop-gradient --latex
      eigendyn derive --loss-expr "sum((lam*z1 - sg(z2))**2)/2"

    LOSS is one of those that `eigendyn losses` lists. Quantities of this mode carry the index
    m; t is learning rate × step. Numbers stay symbols; of options such as --ema or --epsilon it
    matters whether they are given.
    """  # noqa: D301
    if latex and as_json:
        message = "--latex and --json exclude each other: the JSON object holds the LaTeX too."
        raise InvalidSetting(message)
    loss_expr = loss_text(loss_expr, loss_file)
    if loss is None and loss_expr is None:
        message = (
            "LOSS is missing. Name one, as in eigendyn derive cosine, or write one with "
            f"--loss-expr. Known: {', '.join(LOSS_NAMES)}."
        )
        raise InvalidSetting(message)
    written = written_loss(loss_expr, parameters, named=loss is not None)
    if written is not None and not (stop_gradient and beta is None):
        message = (
            "A written loss brings its β and stop-gradient with it. Leave out --beta and "
            "--no-stop-gradient, and write them into --loss-expr."
        )
        raise InvalidSetting(message)
    chosen = Settings(
        loss=loss or Settings.loss,
        stop_gradient=stop_gradient,
        beta=beta,
        alpha=Settings.alpha if alpha is None else alpha,
        **structure,
    )
    from eigendyn.theory.formula import derivation
    from eigendyn.theory.losses import named_loss, without_predictor

    symbolic = written or named_loss(loss or "", beta=beta, stop_gradient=stop_gradient)
    if chosen.predictor == "none":
        symbolic = without_predictor(symbolic)
    exponent = {} if alpha is None else {"alpha": alpha}
    equations = derivation(
        symbolic, closure=chosen.closure, architecture=architecture(chosen), **exponent
    )
    if as_json:
        lines = [{"name": e.name, "text": e.text, "latex": e.latex} for e in equations]
        click.echo(json.dumps({"schema_version": 1, "loss": symbolic.name, "equations": lines}))
        return
    layout = "% {0.name}\n{0.latex}" if latex else "{0.name}\n    {0.text}"
    click.echo("\n".join(layout.format(equation) for equation in equations))
