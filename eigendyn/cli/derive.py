"""`eigendyn derive`: the name of a loss enters; its mode dynamics, as derived, leave."""

from __future__ import annotations

import json

import click

from eigendyn.choices import LOSS_NAMES
from eigendyn.cli.options import variant_options, written_loss_options
from eigendyn.cli.parameters import Name
from eigendyn.cli.written import written_loss
from eigendyn.errors import InvalidSetting
from eigendyn.settings import Settings


@click.command("derive", context_settings={"show_default": True})
@click.argument("loss", type=Name("loss", LOSS_NAMES), metavar="[LOSS]", required=False)
@written_loss_options
@variant_options
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
    predictor: bool,
    stop_gradient: bool,
    beta: float | None,
    closure: str,
    alpha: float | None,
    latex: bool,
    as_json: bool,
) -> None:
    """Derive the mode dynamics of a loss, line by line.

    \b
    Examples:
      eigendyn derive cosine
      eigendyn derive euclidean --no-stop-gradient --latex
      eigendyn derive --loss-expr "sum((lam*z1 - sg(z2))**2)/2"

    LOSS is euclidean, cosine, iso-euclidean or iso-cosine. Quantities of this mode carry the index
    m; t is learning rate × step.
    """  # noqa: D301
    if latex and as_json:
        message = "--latex and --json exclude each other: the JSON object holds the LaTeX too."
        raise InvalidSetting(message)
    if loss is None and loss_expr is None:
        message = (
            "LOSS is missing. Name one, as in eigendyn derive cosine, or write one with "
            f"--loss-expr. Known: {', '.join(LOSS_NAMES)}."
        )
        raise InvalidSetting(message)
    written = written_loss(loss_expr, parameters, named=loss is not None)
    if written is not None and not (predictor and stop_gradient and beta is None):
        message = (
            "A written loss brings its β, predictor and stop-gradient with it. Leave out --beta, "
            "--no-predictor and --no-stop-gradient, and write them into --loss-expr."
        )
        raise InvalidSetting(message)
    Settings(
        loss=loss or Settings.loss,
        predictor=predictor,
        stop_gradient=stop_gradient,
        beta=beta,
        closure=closure,
        alpha=Settings.alpha if alpha is None else alpha,
    )
    from eigendyn.formula import derivation
    from eigendyn.losses import named_loss

    symbolic = written or named_loss(
        loss or Settings.loss, beta=beta, predictor=predictor, stop_gradient=stop_gradient
    )
    exponent = {} if alpha is None else {"alpha": alpha}
    equations = derivation(symbolic, closure=closure, **exponent)
    if as_json:
        lines = [{"name": e.name, "text": e.text, "latex": e.latex} for e in equations]
        click.echo(json.dumps({"schema_version": 1, "loss": symbolic.name, "equations": lines}))
        return
    layout = "% {0.name}\n{0.latex}" if latex else "{0.name}\n    {0.text}"
    click.echo("\n".join(layout.format(equation) for equation in equations))
