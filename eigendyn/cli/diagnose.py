"""`eigendyn diagnose`: options enter; which modes collapse, and what would save them, leave."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from eigendyn.cli.asked import asked_for
from eigendyn.cli.interrupt import interruptible
from eigendyn.cli.options import (
    config_option,
    loss_option,
    physics_options,
    preset_option,
    start_options,
    variant_options,
    written_loss_options,
)
from eigendyn.cli.starts import Start


@click.command("diagnose", context_settings={"show_default": True})
@loss_option
@written_loss_options
@preset_option
@start_options
@variant_options
@physics_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, no table.")
@config_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    loss_expr: str | None,
    loss_file: Path | None,
    preset: str | None,
    parameters: tuple[str, ...],
    as_json: bool,
    **settings: Any,
) -> None:
    """Say which modes are recruited and which collapse, and what would change that.

    \b
    Examples:
      eigendyn diagnose --loss euclidean --weight-decay 0.02
      eigendyn diagnose --loss cosine --embeddings z.npy --weight-decay 0.005
      eigendyn diagnose --preset simsiam

    A mode is lost if it has collapsed, or is small and does not grow, at the end of the run; the
    end is --steps. Every other run changes one setting and keeps the rest.
    """  # noqa: D301
    chosen = Start.taken_from(settings)
    asked = asked_for(
        ctx,
        settings,
        preset=preset,
        loss_expr=loss_expr,
        loss_file=loss_file,
        parameters=parameters,
    )
    start = chosen.spectrum(asked.chosen.seed)

    def work() -> Any:
        from eigendyn.analysis.collapse import diagnose

        return diagnose(variances=start, progress=sys.stderr.isatty(), **asked.settings)

    diagnosis = interruptible(work)
    from eigendyn.report.collapse import summary, table

    click.echo(json.dumps(summary(diagnosis), allow_nan=False) if as_json else table(diagnosis))
