"""Run `eigendyn figures`: make figures, with their numbers and captions."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from eigendyn.cli.interrupt import interruptible
from eigendyn.cli.parameters import Name
from eigendyn.cli.subcommand import Subcommand
from eigendyn.errors import InvalidSetting, OutputExists
from eigendyn.results.files import check_output
from eigendyn.settings import choices
from eigendyn.settings.choices import check_choice
from eigendyn.show.paper import FIGURES, NETWORKS_ONLY, OF_DEEP, outputs


@click.command("figures", cls=Subcommand)
@click.argument("names", nargs=-1, metavar="[NAME …|all]")
@click.option("--list", "listing", is_flag=True, help="Say what figures there are.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("figures"),
    help="Folder to write into; made if it does not exist.",
)
@click.option(
    "--format",
    "kind",
    type=Name("format", choices.PICTURE_FORMATS),
    default="png",
    help="Format of the pictures.",
)
@click.option(
    "--networks",
    type=Name("networks", choices.FIGURE_NETWORKS),
    default="linear",
    help="The theory's figures, of linear networks; or those of deep networks trained on digits, "
    "3, 4, 7 and 8.",
)
@click.option(
    "--descent",
    type=Name("descent", choices.DESCENTS),
    show_default="none; full with --networks deep",
    help="Gradient descent of networks over the theory: none, quick, or the published size. Of "
    "deep networks, 2 seeds and 10 epochs (quick), or 5 seeds and 200 epochs.",
)
@click.option("--force", is_flag=True, help="Overwrite existing files.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, no paths.")
def command(
    *,
    names: tuple[str, ...],
    listing: bool,
    out: Path,
    kind: str,
    networks: str,
    descent: str | None,
    force: bool,
    quiet: bool,
) -> None:
    """Draw the figures of the paper, of theory and of networks, with the numbers behind them.

    \b
    Examples:
      eigendyn figures --list
      eigendyn figures 2b --descent quick
      eigendyn figures all --format pdf --out supplement
      eigendyn figures 3 --networks deep

    Each figure is a picture, its numbers (netCDF: every line that is drawn, with its settings) and
    a caption. With --descent full, finished parts are kept in the folder parts, so that the same
    command goes on where it was interrupted; so it is with --networks deep.
    """  # noqa: D301
    if listing:
        named = {_as_asked(name): title for name, (_, title) in FIGURES.items()}
        width = max(map(len, named))
        for name, title in named.items():
            click.echo(f"{name:<{width}}  {title}")
        return
    effort = descent or ("full" if networks == "deep" else "none")
    wanted = _wanted(names, networks, effort)
    _check_folder(out)
    for name in wanted:
        for path in outputs(name, out, kind).values():
            check_output(path, (path.suffix,), force)
    progress = not quiet and sys.stderr.isatty()
    rest = list(wanted)

    def make_all() -> None:
        for name, paths in _make(wanted, out, kind, effort, force, progress):
            rest.remove(name)
            if not quiet:
                click.echo(f"{name}: {', '.join(map(str, paths.values()))}", err=True)

    def go_on() -> str:
        left = " ".join(name.removeprefix(OF_DEEP) for name in rest)
        again = f"eigendyn figures {left} --out {out} --format {kind}"
        of = f"--networks {networks} --descent {effort}"
        return f"go on with {again} {of}{' --force' * force}"

    start = time.perf_counter()
    interruptible(make_all, go_on)
    if not quiet:
        count = f"{len(wanted)} figures" if len(wanted) > 1 else "1 figure"
        click.echo(f"Saved {count} in {time.perf_counter() - start:.1f} s.", err=True)


def _as_asked(name: str) -> str:
    """How a figure is asked for on the command line."""
    return f"{name.removeprefix(OF_DEEP)} --networks deep" if name.startswith(OF_DEEP) else name


def _wanted(names: tuple[str, ...], networks: str, descent: str) -> list[str]:
    """Names of figures; "2" means 2a and 2b, "all" those that the effort allows."""
    is_deep = networks == "deep"
    if is_deep and descent == "none":
        message = "Figures of deep networks need networks that are trained. Try --descent quick."
        raise InvalidSetting(message)
    known = {
        name.removeprefix(OF_DEEP): name for name in FIGURES if name.startswith(OF_DEEP) == is_deep
    }
    if not names or "all" in names:
        return [name for name in known.values() if descent != "none" or name not in NETWORKS_ONLY]
    wanted: list[str] = []
    for given in names:
        parts = [
            name for short, name in known.items() if short in (given, f"{given}a", f"{given}b")
        ]
        if not parts and f"{OF_DEEP}{given}" in FIGURES:
            message = f"Figure {given} is one of deep networks. Add --networks deep."
            raise InvalidSetting(message)
        wanted += parts or [check_choice("figure", given, known)]
    lacking = [name for name in wanted if name in NETWORKS_ONLY and descent == "none"]
    if lacking:
        message = (
            f"Figure {lacking[0]} has networks only: no mode theory covers a ReLU encoder. "
            "Try --descent quick."
        )
        raise InvalidSetting(message)
    return list(dict.fromkeys(wanted))


def _check_folder(out: Path) -> None:
    """Make the folder if there is none, or refuse."""
    if out.exists() and not out.is_dir():
        message = f"--out must be a folder; {out} is a file. Choose another name."
        raise OutputExists(message)
    if not out.exists() and not out.parent.is_dir():
        message = f"The folder of {out} must exist; {out.parent} does not. Make it first."
        raise OutputExists(message)
    try:
        out.mkdir(exist_ok=True)
    except OSError as error:
        message = f"The folder {out} cannot be made: {error.strerror}. Choose another --out."
        raise OutputExists(message) from error


def _make(
    names: list[str], out: Path, kind: str, descent: str, force: bool, progress: bool
) -> Iterator[tuple[str, dict[str, Path]]]:
    from eigendyn.show.paper.gallery import make_figures

    return make_figures(names, out, kind=kind, descent=descent, force=force, progress=progress)
