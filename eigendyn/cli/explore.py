"""Run `eigendyn explore`: write a page on which the dynamics can be explored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from eigendyn.cli.asked import asked_for
from eigendyn.cli.config_option import config_option
from eigendyn.cli.interrupt import interruptible
from eigendyn.cli.options import network_options
from eigendyn.cli.run_options import file_option, force_option, quiet_option, seed_option
from eigendyn.cli.subcommand import Subcommand

SUFFIXES = (".html",)


@click.command("explore", cls=Subcommand)
@network_options
@click.option(
    "--samples",
    type=int,
    show_default="2048",
    help="Number of samples of the sampled closure, at most 4096.",
)
@seed_option("Seed of the samples.")
@file_option("The page: .html.", "-o", "--output", fresh="eigendyn-LOSS.html")
@force_option
@quiet_option
@config_option
@click.pass_context
def command(ctx: click.Context, *, output: Path | None, force: bool, quiet: bool, **_: Any) -> None:
    """Write a page on which the dynamics can be explored by hand.

    \b
    Examples:
      eigendyn explore --loss cosine -o explorer.html
      eigendyn explore --loss euclidean --predictor learned --weight-decay 0.05
      eigendyn explore --loss-expr "sum((lam*z1 - g*sg(z2))**2)" --param g=0.8

    The page is one file that any browser opens, without a server or a network: a plane with its
    field, nullclines and fixed points, a slider for every number, and trajectories by click or key.
    The plane is that of two modes' variances, of p and s with a learned predictor, of encoder and
    target with --target ema. Its path is printed on standard output.
    """  # noqa: D301
    asked = asked_for(ctx)
    from eigendyn.results.files import check_output, fresh_path, write_atomically

    path = output or fresh_path(f"eigendyn-{asked.name}", ".html")
    check_output(path, SUFFIXES, force)

    def work() -> str:
        from eigendyn.show.page.page import explorer_page

        return explorer_page(**asked.settings)

    page = interruptible(work)
    write_atomically(path, force, lambda part: part.write_text(page, encoding="utf-8"))
    click.echo(str(path))
    if not quiet:
        kilobytes = len(page.encode()) / 1000
        click.echo(f"Saved {path}, {kilobytes:.0f} kB; open it in a browser.", err=True)
