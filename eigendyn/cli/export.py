"""Run `eigendyn export`: write a loss as source for a training loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from eigendyn.cli.options import (
    FILE,
    beta_option,
    loss_options,
    stop_gradient_option,
    written_loss_options,
)
from eigendyn.cli.parameters import Name
from eigendyn.cli.run_options import force_option
from eigendyn.cli.subcommand import Subcommand
from eigendyn.cli.written import lone_loss, loss_text
from eigendyn.settings.choices import BACKENDS

SUFFIXES = (".py",)


@click.command("export", cls=Subcommand)
@loss_options(None, "Loss to write; also without --loss.")
@click.option(
    "--backend",
    type=Name("backend", BACKENDS),
    default="torch",
    help="Library to write for.",
)
@written_loss_options
@stop_gradient_option
@beta_option
@click.option(
    "-o", "--output", type=FILE, show_default="standard output", help="Python file to write."
)
@force_option
def command(
    loss: str | None,
    backend: str,
    loss_expr: str | None,
    loss_file: Path | None,
    parameters: tuple[str, ...],
    stop_gradient: bool,
    beta: float | None,
    output: Path | None,
    force: bool,
) -> None:
    """Write a loss as a function for JAX, PyTorch or NumPy.

    \b
    Examples:
      eigendyn export iso-cosine
      eigendyn export euclidean --backend jax -o euclidean.py
      eigendyn export --loss-expr "sum((z1 - sg(z1 + z2 - lam*z1))**2)/2"

    The function takes batches of representations, samples × dimensions, as a training loop has
    them: predictions p, target projections z, and what else the loss needs. It imports the library
    and nothing else. LOSS is one of those that `eigendyn losses` lists.
    """  # noqa: D301
    from eigendyn.results.files import check_output, write_atomically

    if output is not None:
        check_output(output, SUFFIXES, force)
    text = loss_text(loss_expr, loss_file)
    variant: Any = {"stop_gradient": stop_gradient, "beta": beta}
    written = lone_loss("export iso-cosine", loss, text, parameters, **variant)
    from eigendyn.theory.export import export_loss
    from eigendyn.theory.losses import named_loss

    named = written or named_loss(loss or "", **variant)
    source = export_loss(named, backend)
    if output is None:
        click.echo(source, nl=False)
        return
    write_atomically(output, force, lambda part: part.write_text(source, encoding="utf-8"))
    click.echo(f"Saved {output}.", err=True)
