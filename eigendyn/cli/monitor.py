"""Run `eigendyn monitor`: say whether a recorded training is all right, once or as it goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eigendyn.cli.flags import say
from eigendyn.cli.interrupt import INTERRUPTED, interruptible
from eigendyn.cli.options import FILE
from eigendyn.cli.parameters import Name
from eigendyn.cli.run_options import file_option, output_options, seed_option
from eigendyn.cli.saving import Output
from eigendyn.cli.subcommand import Subcommand
from eigendyn.errors import EigendynError, InvalidSetting
from eigendyn.recording.reading import read_record
from eigendyn.results.files import load, save
from eigendyn.settings.choices import LOSS_NAMES, TREE_SUFFIXES

if TYPE_CHECKING:
    from eigendyn.analysis.rates.diagnosis import Diagnosis
    from eigendyn.fitting.monitor import Reading

UNHEALTHY = 3
PAUSE = 1.0  # seconds between two looks at a file
NEVER = (-1, -1)  # stamp of no file
DYING = ("collapse", "losing modes", "constant output")  # which the theory can say the remedy of


@click.command("monitor", cls=Subcommand)
@click.argument("file", type=FILE)
@click.option(
    "--loss",
    type=Name("loss", LOSS_NAMES),
    show_default="that of the record",
    help="Loss that the spectrum is asked for.",
)
@click.option(
    "--alpha",
    type=float,
    show_default="the recorded eigenvalues",
    help="Exponent α of the predictor, λ = v^α; 0 where there is none.",
)
@click.option(
    "--fit",
    "fitted",
    type=FILE,
    help="A result of eigendyn fit of the same run (.nc): where modes die, the theory that it "
    "ranks first says what would change that.",
)
@seed_option("Which network, of a training of several.")
@click.option(
    "--follow",
    is_flag=True,
    help="Read the file again whenever it grows, a line for every recording, until Ctrl-C.",
)
@file_option("File of the record with what was read: .nc.", "-o", "--output")
@file_option("Picture of spectrum, losses and verdicts: .png, .pdf or .svg.", "--plot")
@output_options
@click.pass_context
def command(ctx: click.Context, *, file: Path, follow: bool, fitted: Path | None, **_: Any) -> None:
    """Say whether a recorded training is all right, and what moves its loss.

    \b
    Examples:
      eigendyn monitor run.nc
      eigendyn monitor run.nc --loss cosine --alpha 0.5 --plot run.png
      eigendyn monitor run.nc --follow --json
      eigendyn fit run.nc -o fit.nc && eigendyn monitor run.nc --fit fit.nc

    FILE holds a spectrum over training time: a record of your own training, a result of simulate or
    train (.nc), or a plain table of times × eigenvalues (.csv, .npz). The loss that its variances,
    noises and predictor imply stands beside the one that was measured. Where modes die, and the
    record tells its settings or --fit the theory, that says which of them would change it.
    Exit code 3: the training is not all right.
    """  # noqa: D301
    output = Output.asked_for(ctx, result=TREE_SUFFIXES)
    if follow:
        if output.files:
            message = "--follow prints lines, and writes no files. Leave out -o and --plot."
            raise InvalidSetting(message)
        if fitted is not None:
            message = "--follow prints lines, in which there is no room for --fit. Leave it out."
            raise InvalidSetting(message)
        try:
            _follow(file, ctx.params, output.as_json)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
    fit = None if fitted is None else load(fitted)
    reading, changes = interruptible(
        lambda: _with_changes(_read(file, ctx.params), fit, output.progress), clock=output.progress
    )
    from eigendyn.show.report.monitor import summary, table

    output.show(lambda: summary(reading, changes), lambda: table(reading, changes))

    def save_picture(path: Path, force: bool) -> None:
        from eigendyn.show.plot.record import save_record_picture

        save_record_picture(reading.to_xarray(), path, force)

    output.save(
        result=lambda path, force: save(reading.to_xarray(), path, force), picture=save_picture
    )
    if reading.check is not None and reading.check.healthy is False:
        ctx.exit(UNHEALTHY)


def _read(file: Path, given: dict[str, Any]) -> Reading:
    from eigendyn.fitting.monitor import monitor

    record = read_record(file, given["seed"])
    return monitor(record, given["loss"], alpha=given["alpha"])


def _with_changes(reading: Reading, fit: Any, progress: bool) -> tuple[Reading, Diagnosis | None]:
    """The same with what other settings would change, where modes die and that can be told."""
    check = reading.check
    loss, theory = str(reading.loss).partition(",")[0], None
    if fit is not None:
        from eigendyn.fitting.changes import fitted_settings

        loss, theory = fitted_settings(fit, reading.record)
    if check is None or check.verdict not in DYING or (fit is None and reading.loss is None):
        return reading, None
    from eigendyn.fitting.changes import changed

    with suppress(EigendynError):  # settings that the theory has no run of
        return reading, changed(reading.record, loss, theory=theory, progress=progress)
    return reading, None


def _follow(file: Path, given: dict[str, Any], as_json: bool) -> None:
    """Print a line for every recording that a file gets, for ever.

    A file that cannot be read may be one that is being written; one that stays so is told of.
    """
    from eigendyn.show.report.monitor import line, row

    told: Callable[[Reading], str] = (lambda one: json.dumps(line(one))) if as_json else row
    _read(file, given)  # refuses what is no record
    last, seen, failed = None, NEVER, NEVER
    while True:
        stamp = _stamp(file)
        if stamp != seen:
            try:
                reading = _read(file, given)
            except (EigendynError, OSError) as error:
                if stamp == failed:
                    seen = stamp
                    say(f"{error} This waits until the file changes.", err=True)
                failed = stamp
            else:
                seen, count = stamp, reading.record.sizes["time"]
                if count != last:
                    say(told(reading))
                    last = count
        time.sleep(PAUSE)


def _stamp(file: Path) -> tuple[int, int] | None:
    """When a file was last written, and how long it is; None where it is not there."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
