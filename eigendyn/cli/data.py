"""Run `eigendyn data`: measure inputs under augmentations; print, save and draw what they leave."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eigendyn.cli.interrupt import interruptible
from eigendyn.cli.options import FILE
from eigendyn.cli.parameters import Name, Numbers, is_given
from eigendyn.cli.run_options import file_option, output_options
from eigendyn.cli.saving import Output
from eigendyn.cli.starts import say_read
from eigendyn.cli.subcommand import Subcommand
from eigendyn.errors import InvalidSetting
from eigendyn.settings.checks import check_whole
from eigendyn.settings.choices import AUGMENT, DATA_SOURCES, TREE_SUFFIXES

if TYPE_CHECKING:
    import xarray

    from eigendyn.settings.matrices import Matrix


@click.command("data", cls=Subcommand)
@click.argument(
    "source", required=False, metavar="[digits]", type=Name("source of data", DATA_SOURCES)
)
@click.option(
    "--inputs",
    "inputs_file",
    type=FILE,
    help="File of samples × dimensions, or samples × height × width: .npy, .npz, .pt, .csv, …",
)
@click.option(
    "--views",
    "views_files",
    type=FILE,
    nargs=2,
    metavar="FILE1 FILE2",
    help="Files of both views of the same samples, from a pipeline of your own.",
)
@click.option(
    "--shape",
    type=Numbers("8,8"),
    metavar="HEIGHT,WIDTH",
    help="Of images that are stored as vectors.",
)
@click.option(
    "--augment",
    default=AUGMENT,
    metavar="NAME:NUMBER,…",
    help="Augmentations, one after the other: shift:pixels, flip, rotate:degrees, crop:smallest "
    "share of each side, brightness:change, contrast:relative change, noise:standard deviation, "
    "mask:probability.",
)
@click.option(
    "--augment2",
    metavar="NAME:NUMBER,…",
    help="Those of the second view, where they are others.",
)
@click.option(
    "--modes", "shown", type=int, default=10, help="How many components are printed and drawn."
)
@file_option("File of the moments and inputs: .nc.", "-o", "--output", fresh="eigendyn-data.nc")
@file_option(
    "Picture of signal, noise and components: .png, .pdf or .svg.",
    "--plot",
    fresh="eigendyn-data.png",
)
@output_options
@click.pass_context
def command(ctx: click.Context, **_: Any) -> None:
    """Measure the signal and noise that augmentations leave of real inputs, by component.

    \b
    Examples:
      eigendyn data digits --augment shift:1,noise:0.05 -o digits.nc
      eigendyn data --inputs images.npy --augment flip,crop:0.8,mask:0.1
      eigendyn data --inputs pixels.csv --shape 28,28 --augment rotate:10
      eigendyn data --views view1.npy view2.npy

    Components are the eigenvectors of Σ₁₂ = E[x₁x₂ᵀ], signal their eigenvalues, noise what Σ₁₁ and
    Σ₂₂ have beyond the signal along them; all about the mean of the inputs, which is subtracted
    before they are augmented. Errors are standard errors over samples.
    """  # noqa: D301
    given = ctx.params
    check_whole("modes", given["shown"], 1)
    _check_one_source(ctx)
    output = Output.asked_for(ctx, result=TREE_SUFFIXES, stem="eigendyn-data")
    data = interruptible(lambda: _measured(given, output.quiet), clock=output.progress)
    from eigendyn.show.report.data import summary, table

    output.show(
        lambda: {**summary(data), "files": output.named}, lambda: table(data, given["shown"])
    )
    from eigendyn.results.files import save
    from eigendyn.show.plot.components import save_components

    output.save(
        result=lambda path, force: save(data, path, force),
        picture=lambda path, force: save_components(data, path, force, given["shown"]),
    )


def _check_one_source(ctx: click.Context) -> None:
    """Check that there is one source of data, and nothing that it cannot take.

    Raises:
        InvalidSetting: There is none, or another.
    """
    given = ctx.params
    flags = {"source": f"eigendyn data {given['source']}", "inputs_file": "--inputs"}
    flags["views_files"] = "--views"
    named = [flag for name, flag in flags.items() if given[name]]
    if len(named) != 1:
        tried = " or ".join(named) or "eigendyn data digits, --inputs FILE or --views FILE1 FILE2"
        message = f"There must be one source of data, not {len(named)}: choose {tried}."
        raise InvalidSetting(message)
    if given["views_files"] and (is_given(ctx, "augment") or given["augment2"] is not None):
        message = (
            "`views` are augmented already, by the pipeline that made them. Leave out --augment "
            "and --augment2, or give `inputs`."
        )
        raise InvalidSetting(message)
    if given["source"] and given["shape"] is not None:
        message = f"{given['source']} are images already, and take no `shape`. Leave it out."
        raise InvalidSetting(message)


def _measured(given: dict[str, Any], quiet: bool) -> xarray.Dataset:
    from eigendyn.data.measure import digits, from_inputs, from_views

    how = {"augment": given["augment"], "augment2": given["augment2"]}
    if given["source"]:
        return digits(**how)
    if given["inputs_file"]:
        return from_inputs(
            _read(given["inputs_file"], "inputs", quiet), shape=given["shape"], **how
        )
    first, second = (_read(path, "views", quiet) for path in given["views_files"])
    return from_views(first, second, shape=given["shape"])


def _read(path: Path, name: str, quiet: bool) -> Matrix:
    from eigendyn.settings.matrix_files import read_matrix

    matrix = read_matrix(path, name)
    if matrix.image is None:
        say_read(path, matrix, ("samples", "dimensions"), [], quiet)
    else:
        say_read(
            path, matrix, ("images", f"pixels, {matrix.image[0]} × {matrix.image[1]},"), [], quiet
        )
    return matrix
