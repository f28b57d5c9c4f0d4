"""Run `eigendyn audit`: check an update rule against its loss."""

from __future__ import annotations

import json
from typing import Any

import click

from eigendyn.cli.flags import say
from eigendyn.cli.options import beta_option, loss_option, number_option, stop_gradient_option
from eigendyn.cli.parameters import Name
from eigendyn.cli.run_options import json_option, seed_option
from eigendyn.cli.subcommand import Subcommand
from eigendyn.settings import choices
from eigendyn.settings.run_settings import Settings

FAILED = 3


@click.command("audit", cls=Subcommand)
@loss_option
@click.option(
    "--update",
    type=Name("update", choices.UPDATES),
    default="derived",
    help="Update rule: as derived here, or that of the published notebook for the cosine loss "
    "without stop-gradient.",
)
@click.option(
    "--no-predictor",
    "predictor",
    flag_value="none",
    default="direct",
    show_default=False,
    help="Replace the predictor by the identity, λ = 1.",
)
@stop_gradient_option
@beta_option
@number_option("alpha")
@seed_option("Seed of all draws.")
@json_option
def command(*, loss: str, update: str, as_json: bool, **settings: Any) -> None:
    """Audit an update rule: is it the gradient of the loss?

    \b
    Examples:
      eigendyn audit --loss iso-cosine
      eigendyn audit --loss cosine --no-stop-gradient --update published-no-stop-gradient

    On random weights and views, the update is compared with automatic differentiation, branch by
    branch; then whether it depends on scale, and conserves what the loss conserves. From Python,
    `eigendyn.audit(loss, rule)` takes any function. Exit code 0: passed; 2: refused; 3: failed.
    """  # noqa: D301
    Settings(loss=loss, **settings)
    from eigendyn.crosschecks.audit import audit
    from eigendyn.show.report.audit import summary, table

    found = audit(loss, update, **settings)
    say(json.dumps(summary(found), allow_nan=False) if as_json else table(found))
    if not found.passed:
        click.get_current_context().exit(FAILED)
