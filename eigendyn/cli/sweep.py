"""Run `eigendyn sweep`: follow the modes over a grid of settings, into a store that goes on."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eigendyn.cli.asked import given_settings
from eigendyn.cli.config_option import config_option
from eigendyn.cli.flags import say
from eigendyn.cli.interrupt import interruptible
from eigendyn.cli.options import FILE, dynamics_options, start_options
from eigendyn.cli.parameters import Name, Names
from eigendyn.cli.run_options import accuracy_options, json_option, quiet_option, run_options
from eigendyn.cli.several import RangeOrList, SeveralFiles, SeveralNames, SeveralNumbers, numbers
from eigendyn.cli.starts import Start
from eigendyn.cli.subcommand import LOSS_ARGUMENT, Subcommand
from eigendyn.cli.written import chosen_model, loss_text, written_loss
from eigendyn.errors import InvalidSetting
from eigendyn.settings.parameters import PARAMETERS, PER_MODE
from eigendyn.settings.run_settings import Settings

if TYPE_CHECKING:
    from eigendyn.sweeping.plan import Plan, Question
    from eigendyn.sweeping.work import Estimate

NOT_COMPLETED = 3
PATIENCE = 60  # seconds that a sweep may take without being asked for again
LISTED = (LOSS_ARGUMENT, "loss", "model", "preset", "predictor", "target")
FILES = ("data", "embeddings", "weights")


@click.command("sweep", cls=Subcommand)
@dynamics_options
@start_options
@click.option(
    "--tie",
    "ties",
    type=Names(),
    multiple=True,
    metavar="NAME,NAME",
    help="Settings that change together, as weight-decay,predictor-decay; may be given several "
    "times. Those without a range take that of the first.",
)
@click.option(
    "--design",
    metavar="sobol:COUNT",
    help="Draw so many points from all ranges, which are then start:stop or start:stop:log.",
)
@click.option(
    "--keep",
    type=Names(),
    show_default="final,recruitment,outcome,recruited,rank",
    help="What to keep of each trajectory; extrema, the smallest and largest variances, too.",
)
@accuracy_options
@run_options
@click.option(
    "-o",
    "--output",
    "store",
    type=FILE,
    default="sweep.zarr",
    help="Store of the sweep, a folder; the same line goes on with it.",
)
@click.option("--shard", metavar="PART/PARTS", help="One part of the work, as 3/16.")
@click.option("--workers", type=int, help="Processes of dask to start here.")
@click.option("--scheduler", metavar="ADDRESS", help="A dask scheduler, as tcp://host:8786.")
@click.option("--status", "asked_status", type=FILE, help="Say what is missing in a store.")
@json_option
@quiet_option
@config_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    store: Path,
    shard: str | None,
    workers: int | None,
    scheduler: str | None,
    asked_status: Path | None,
    as_json: bool,
    quiet: bool,
    **_: Any,
) -> None:
    """Follow the modes over a grid of settings, and keep a few numbers of each trajectory.

    \b
    Examples:
      eigendyn sweep --loss euclidean --weight-decay 0:0.3:200 --sigma1 0:1:100 -o sweep.zarr
      eigendyn sweep --loss euclidean,iso-euclidean --variances 1e-3:1:50log --sigma1 0,0.5,1
      eigendyn sweep --predictor learned --weight-decay 0:0.1:20 --tie weight-decay,predictor-decay
      eigendyn sweep --loss cosine --sigma1 0:1 --sigma2 0:1 --design sobol:4096
      eigendyn sweep --status sweep.zarr

    A range is start:stop:count, or start:stop:COUNTlog by a factor; names, files and numbers are
    lists with commas. Each is an axis of the grid. A range of --variances is one of starts with a
    single mode; a list is one start. A sweep that was interrupted goes on with the same line, to
    the same bits. Exit code 0: completed; 2: refused; 3: some trajectories were not completed, or
    chunks are missing with --status.
    """  # noqa: D301
    from eigendyn.settings.installed import check_installed

    check_installed("sweep")
    if asked_status is None:
        _run(ctx, store, shard, workers, scheduler, quiet)
    from eigendyn.show.report.sweep import summary, table
    from eigendyn.sweeping.status import status

    found = status(store if asked_status is None else asked_status)
    say(json.dumps(summary(found), allow_nan=False) if as_json else table(found))
    if asked_status is None and not quiet:
        click.echo(f"Saved {store}.", err=True)
    failed = set(found.counts["status"]) - {"completed"}
    if failed or (asked_status is not None and found.missing):
        ctx.exit(NOT_COMPLETED)


def _run(
    ctx: click.Context,
    store: Path,
    shard: str | None,
    workers: int | None,
    scheduler: str | None,
    quiet: bool,
) -> None:
    """Follow what is not done yet, and say before what it will take."""
    from eigendyn.sweeping.cluster import hired
    from eigendyn.sweeping.work import shard_of, work

    plan, part = _planned(ctx, quiet), shard_of(shard)
    progress = not quiet and sys.stderr.isatty()

    def tell(estimate: Estimate) -> None:
        if not quiet:
            click.echo(_in_words(estimate), err=True)
        if estimate.seconds > PATIENCE and sys.stdin.isatty():
            click.confirm("Go on?", default=True, abort=True, err=True)

    def follow() -> None:
        with hired(workers, scheduler) as crew:
            work(plan, store, shard=part, crew=crew, progress=progress, tell=tell)

    again = shlex.join(["eigendyn", *sys.argv[1:]])
    interruptible(follow, lambda: f"what is done is kept: go on with {again}", clock=progress)


def _in_words(estimate: Estimate) -> str:
    size = estimate.bytes
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            break
        size /= 1000
    chunks = "one chunk" if estimate.chunks == 1 else f"{estimate.chunks} chunks"
    return (
        f"{estimate.trajectories} trajectories in {chunks}: {size:.3g} {unit} at most, about "
        f"{estimate.seconds:.0f} s more"
    )


def _planned(ctx: click.Context, quiet: bool) -> Plan:
    from eigendyn.sweeping.planning import planned

    return planned(_question(ctx, quiet), ctx.params["keep"])


def _question(ctx: click.Context, quiet: bool) -> Question:
    """What is swept, from the options."""
    from eigendyn.sweeping.asked import question

    options, given = ctx.params, given_settings(ctx, "preset")
    fixed, swept = _parameters(options["parameters"])
    models = options["model"]
    own = written_loss(
        loss_text(options["loss_expr"], options["loss_file"]),
        () if models else fixed,
        named="loss" in given,
    )
    if models:
        others = {"--loss": "loss" in given, "--preset": "preset" in given}
        others |= {f"--loss-{kind}": options[f"loss_{kind}"] for kind in ("expr", "file")}
        named = models if isinstance(models, list) else [models]
        taken = [chosen_model(name, fixed, others) for name in named]
        chosen = taken if fixed else named
        given["loss"] = chosen if isinstance(models, list) else chosen[0]
    elif own is not None:
        given["loss"] = own
    from eigendyn.sweeping.ranges import Range

    variances = options["variances"]
    start: dict[str, Any] = {"variances": None, "variance": None, "starts": None}
    if isinstance(variances, Range):
        start["variance"] = variances
    else:
        start |= _starts(ctx, given, quiet)
    return question(given, parameters=swept, tie=options["ties"], design=options["design"], **start)


def _parameters(texts: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """What is given as --param: numbers, as they are, and ranges or lists by name."""
    fixed, swept = [], {}
    for text in texts:
        name, _, value = text.partition("=")
        if ":" in value or "," in value:
            swept[name.strip()] = numbers(name.strip(), value)
        else:
            fixed.append(text)
    return tuple(fixed), swept


def _starts(ctx: click.Context, given: dict[str, Any], quiet: bool) -> dict[str, Any]:
    """The start, or several from files."""
    several = {name: ctx.params[name] for name in FILES if ctx.params[name] is not None}
    longest = max(several.values(), key=len, default=[])
    seed = given.get("seed", Settings.seed)
    files = {name: paths[0] for name, paths in several.items()}
    ctx.params |= files
    first = Start.asked_for(ctx)
    if len(longest) < 2:
        variances, settings = first.with_settings(seed, given, quiet)
        given |= {name: one for name, one in settings.items() if name in PER_MODE}
        return {"variances": variances}
    if len([paths for paths in several.values() if len(paths) > 1]) > 1:
        message = "A sweep lists files of one kind of start: --data, --embeddings or --weights."
        raise InvalidSetting(message)
    kind = next(name for name, paths in several.items() if paths is longest)
    found = {}
    for path in longest:
        variances, settings = replace(first, **{kind: path}).with_settings(seed, given, quiet)
        beside = {name: one for name, one in settings.items() if name in PER_MODE}
        found[str(path)] = {"variances": variances, **beside}
    return {"starts": found}


for _option in command.params:
    if isinstance(_option.type, Name) and _option.name in LISTED:
        _option.type = SeveralNames(_option.type)
    elif _option.name in (*PER_MODE, "variances"):
        _option.type = RangeOrList("2,1,0.5")
    elif _option.name in PARAMETERS:
        _option.type = SeveralNumbers()
    elif _option.name in FILES:
        _option.type = SeveralFiles()
