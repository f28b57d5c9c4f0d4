"""Run `eigendyn plot`: draw what a result file holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from eigendyn.cli.interrupt import interruptible
from eigendyn.cli.options import FILE
from eigendyn.cli.run_options import file_option, output_options
from eigendyn.cli.saving import Output
from eigendyn.cli.subcommand import Subcommand
from eigendyn.recording.reading import read_record
from eigendyn.results.files import load
from eigendyn.settings.matrix_files import ARRAYS, TABLES

if TYPE_CHECKING:
    from pathlib import Path


@click.command("plot", cls=Subcommand)
@click.argument("file", type=FILE)
@file_option(
    "Picture to write: .png, .pdf or .svg.", "-o", "--output", "plot", fresh="picture beside FILE"
)
@output_options
@click.pass_context
def command(ctx: click.Context, *, file: Path, **_: Any) -> None:
    """Draw a saved result, whatever it is.

    \b
    Examples:
      eigendyn plot eigendyn-cosine.nc
      eigendyn plot check.nc -o check.pdf

    FILE is what a command has written with -o, or eigendyn.save in Python, as netCDF (.nc): a run
    of simulate, an ensemble, a cross-check, measured data, a diagnosis, branches of a bifurcation,
    a training on images, a recorded spectrum, a fit, or the numbers of a figure. A plain table of
    times × eigenvalues (.csv, .npy, .npz) is drawn as a recorded spectrum.
    """  # noqa: D301
    output = Output.asked_for(ctx, result=(), stem=str(file.with_suffix("")))
    result = read_record(file) if file.name.lower().endswith((*ARRAYS, *TABLES)) else load(file)

    def known() -> Any:
        from eigendyn.show.saved import kind_of

        return kind_of(result)

    kind = interruptible(known)
    output.show(
        lambda: {"kind": kind.words, "files": output.named}, lambda: f"{file} is {kind.words}."
    )
    output.save(
        picture=lambda path, force: interruptible(lambda: kind.draw(result, path, force)),
    )
