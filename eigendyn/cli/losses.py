"""Run `eigendyn losses`: print the table of losses."""

from __future__ import annotations

import json

import click

from eigendyn.cli.run_options import json_option
from eigendyn.cli.subcommand import Subcommand


@click.command("losses", cls=Subcommand)
@json_option
def command(as_json: bool) -> None:
    """List the losses: per-sample, in the eigenbasis of the predictor.

    z1 and z2 are the representations of the two views, λ the eigenvalues of the predictor, SG the
    stop-gradient. `eigendyn derive NAME` shows what follows from one.
    """
    from eigendyn.theory.conservation import conserved_quantities
    from eigendyn.theory.formula import latex, text
    from eigendyn.theory.losses import LOSSES

    losses = [
        {
            "name": loss.name,
            "text": text(loss.expression),
            "latex": latex(loss.expression),
            "conserved": [quantity.name for quantity in conserved_quantities(loss)],
        }
        for loss in (build() for build in LOSSES.values())
    ]
    if as_json:
        click.echo(json.dumps({"schema_version": 1, "losses": losses}))
        return
    for loss in losses:
        click.echo(f"{loss['name']}\n    ℓ = {loss['text']}")
        click.echo(f"    conserves {' and '.join(loss['conserved']) or 'nothing'}")
