"""Run `eigendyn derive`: print the mode dynamics of a loss or model, line by line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eigendyn.cli.options import (
    architecture_options,
    loss_options,
    model_option,
    variant_options,
    written_loss_options,
)
from eigendyn.cli.run_options import json_option
from eigendyn.cli.subcommand import Subcommand
from eigendyn.cli.written import chosen_model, lone_loss, loss_text
from eigendyn.errors import InvalidSetting
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.siamese import architecture

if TYPE_CHECKING:
    from eigendyn.theory.derive import ModeDynamics
    from eigendyn.theory.formula import Equation


@click.command("derive", cls=Subcommand)
@loss_options(None, "Loss to derive from; also without --loss.")
@written_loss_options
@model_option
@variant_options
@architecture_options
@click.option(
    "--alpha",
    type=float,
    show_default="a symbol",
    help="Exponent α of the predictor, λ = v^α.",
)
@click.option("--latex", is_flag=True, help="Print LaTeX, one equation a line.")
@json_option
def command(
    loss: str | None,
    loss_expr: str | None,
    parameters: tuple[str, ...],
    loss_file: Path | None,
    model: str | None,
    stop_gradient: bool,
    beta: float | None,
    alpha: float | None,
    latex: bool,
    as_json: bool,
    **structure: Any,
) -> None:
    """Derive the mode dynamics of a loss, line by line; or write those of a model.

    \b
    Examples:
      eigendyn derive cosine
      eigendyn derive euclidean --no-stop-gradient --latex
      eigendyn derive --loss-expr "sum((lam*z1 - sg(z2))**2)/2"
      eigendyn derive --model barlow-twins

    LOSS is one of those that `eigendyn losses` lists. Quantities of this mode carry the index
    m; t is learning rate × step. Numbers stay symbols; of options such as --ema or --epsilon it
    matters whether they are given.
    """  # noqa: D301
    if latex and as_json:
        message = "--latex and --json exclude each other: the JSON object holds the LaTeX too."
        raise InvalidSetting(message)
    variant: Any = {"stop_gradient": stop_gradient, "beta": beta}
    exponent: Any = {} if alpha is None else {"alpha": alpha}
    form = "json" if as_json else "latex" if latex else "text"
    if model is not None:
        others = {"--loss": loss, "--loss-expr": loss_expr, "--loss-file": loss_file}
        dynamics = chosen_model(model, parameters, others)
        _derive_model(dynamics, {**variant, **structure, **exponent}, form)
        return
    text = loss_text(loss_expr, loss_file)
    written = lone_loss("derive cosine", loss, text, parameters, **variant)
    chosen = Settings(loss=loss or Settings.loss, **variant, **structure, **exponent)
    from eigendyn.theory.formula import derivation
    from eigendyn.theory.losses import named_loss, without_predictor

    symbolic = written or named_loss(loss or "", **variant)
    if chosen.predictor == "none":
        symbolic = without_predictor(symbolic)
    equations = derivation(
        symbolic, closure=chosen.closure, architecture=architecture(chosen), **exponent
    )
    _print({"loss": symbolic.name}, equations, form)


def _derive_model(dynamics: ModeDynamics, settings: Mapping[str, Any], form: str) -> None:
    """Print the dynamics of a model, and where they come from."""
    from eigendyn.simulation.equations import understand
    from eigendyn.theory.formula import derivation
    from eigendyn.theory.models import MODELS

    understand(dynamics, settings)  # or refuse what belongs to networks
    source = MODELS[dynamics.name].source
    _print({"model": dynamics.name, "source": source}, derivation(dynamics), form)
    if form == "text":
        click.echo(f"source\n    {source}")


def _print(named: Mapping[str, str], equations: Sequence[Equation], form: str) -> None:
    """Print equations as text, LaTeX, or JSON beside what they are of."""
    if form == "json":
        lines = [{"name": e.name, "text": e.text, "latex": e.latex} for e in equations]
        click.echo(json.dumps({"schema_version": 1, **named, "equations": lines}))
        return
    layout = "% {0.name}\n{0.latex}" if form == "latex" else "{0.name}\n    {0.text}"
    click.echo("\n".join(layout.format(equation) for equation in equations))
