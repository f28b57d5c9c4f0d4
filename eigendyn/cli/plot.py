"""Run `eigendyn plot`: draw what result files hold, each alone or several in one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from eigendyn.cli.interrupt import interruptible
from eigendyn.cli.options import FILE
from eigendyn.cli.parameters import Numbers
from eigendyn.cli.run_options import file_option, output_options
from eigendyn.cli.saving import Output
from eigendyn.cli.subcommand import Subcommand
from eigendyn.errors import InvalidSetting
from eigendyn.recording.reading import read_record
from eigendyn.results.files import load
from eigendyn.settings.matrix_files import ARRAYS, TABLES


@click.command("plot", cls=Subcommand)
@click.argument("files", type=FILE, nargs=-1, required=True, metavar="FILE…")
@click.option("--x", metavar="NAME", help="Dimension or quantity along the horizontal axis.")
@click.option(
    "--y",
    metavar="NAME",
    help="The same along the vertical one; a map where both are dimensions.",
)
@click.option(
    "--color",
    metavar="NAME",
    help="What lines are coloured by: run, mode, another dimension, or a quantity of each line.",
)
@click.option("--facet", metavar="NAME", help="What has axes of its own, likewise.")
@click.option(
    "--quantity", metavar="NAME", help="What is drawn: the height of lines, the colour of a map."
)
@click.option("--mode", "modes", type=Numbers("0,9"), help="Modes that are drawn, as in 0,9.")
@click.option(
    "--slice",
    "held",
    multiple=True,
    metavar="NAME=VALUE",
    help="Cut a dimension at the value nearest to this one; may be given several times.",
)
@file_option(
    "Picture to write: .png, .pdf or .svg.", "-o", "--output", "plot", fresh="picture beside FILE"
)
@output_options
@click.pass_context
def command(
    ctx: click.Context,
    *,
    files: tuple[Path, ...],
    modes: list[float] | None,
    held: tuple[str, ...],
    **names: Any,
) -> None:
    """Draw saved results, whatever they are.

    \b
    Examples:
      eigendyn plot eigendyn-cosine.nc
      eigendyn plot cosine.nc euclidean.nc --mode 0
      eigendyn plot cosine.nc euclidean.nc --facet mode
      eigendyn plot run.nc --quantity effective_rank
      eigendyn plot runs.nc --x weight_decay --y final_variance --color mode
      eigendyn plot sweep.zarr --x weight_decay --y sigma1 --quantity outcome --mode 0

    FILE is what a command has written with -o, or eigendyn.save in Python, as netCDF (.nc): a run
    of simulate, an ensemble, a cross-check, measured data, a diagnosis, branches of a bifurcation,
    a training on images, a recorded spectrum, a fit, or the numbers of a figure; or the folder of
    a sweep (.zarr). A plain table of times × eigenvalues (.csv, .npy, .npz) is drawn as a recorded
    spectrum. Several files are drawn in one picture, each named by the settings in which they
    differ. Names are those of the file's dimensions, coordinates and quantities, and with them
    initial_variance and final_variance.
    """  # noqa: D301
    first = files[0]
    output = Output.asked_for(ctx, result=(), stem=str(first.with_suffix("")))
    results = [_read(file) for file in files]
    show = {name: names[name] for name in ("x", "y", "color", "facet", "quantity")}

    def known() -> Any:
        from eigendyn.show.plot.shown import shown
        from eigendyn.show.saved import kind_of

        return shown(**show, mode=_whole(modes), held=_by_name(held)), list(map(kind_of, results))

    asked, kinds = interruptible(known)

    def draw(path: Path, force: bool) -> None:
        from eigendyn.show.plot.runs import save_results_picture

        if len(files) == 1 and asked.is_usual:
            kinds[0].draw(results[0], path, force)
        else:
            save_results_picture(results, asked, [one.stem for one in files], path, force)

    lines = [f"{one} is {kind.words}." for one, kind in zip(files, kinds, strict=True)]
    words = [kind.words for kind in kinds]
    output.show(
        lambda: {"kind": words[0] if len(words) == 1 else words, "files": output.named},
        lambda: "\n".join(lines),
    )
    output.save(picture=lambda path, force: interruptible(lambda: draw(path, force)))


def _read(file: Path) -> Any:
    """A result, or a table that is read as a recorded spectrum."""
    return read_record(file) if file.name.lower().endswith((*ARRAYS, *TABLES)) else load(file)


def _whole(modes: list[float] | None) -> list[Any] | None:
    """Numbers of modes, whole where they are."""
    return None if modes is None else [int(one) if one == int(one) else one for one in modes]


def _by_name(held: tuple[str, ...]) -> dict[str, str]:
    """Values by dimension, numbers or names.

    Raises:
        InvalidSetting: One is no NAME=VALUE, or is given twice.
    """
    found: dict[str, str] = {}
    for text in held:
        name, sign, value = text.partition("=")
        if not (name and sign and value) or name in found:
            twice = f"is given twice for {name}"
            what = twice if name in found else f"must be NAME=VALUE, not {text!r}"
            message = f"--slice {what}. Try --slice sigma1=0.3."
            raise InvalidSetting(message)
        found[name.strip().replace("-", "_")] = value.strip()
    return found
