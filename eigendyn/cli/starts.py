"""Find the start that the options choose, and say what was read from its file."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eigendyn.errors import InvalidSetting
from eigendyn.settings.parameters import PER_MODE

if TYPE_CHECKING:
    import xarray
    from numpy.typing import NDArray

    from eigendyn.settings.matrices import Matrix

RECORDED = "eigendyn.start"  # in the context of a command: variances of a run that --config names
GAUSSIAN = "gaussian:"  # begins the name of a file whose moments alone are taken
DOMINATES = 0.5  # share of the mean in all variance from which it is said


@dataclass(frozen=True)
class Start:
    """The options of a start, by their names on the command line.

    Raises:
        InvalidSetting: There is more than one start, half of a random one, or a mean of nothing.
    """

    embeddings: Path | None
    center: bool
    weights: Path | None
    variances: list[float] | None
    modes: int | None
    inputs: int | None
    data: Path | None
    scale: float | None
    recorded: NDArray | None = None  # of a saved run, where no option says more

    @classmethod
    def asked_for(cls, ctx: click.Context) -> Start:
        """Take the options of a start from those of a command."""
        given = {one.name: ctx.params[one.name] for one in fields(cls) if one.name in ctx.params}
        return cls(**given, recorded=ctx.meta.get(RECORDED))

    def __post_init__(self) -> None:
        given = {
            "--embeddings": self.embeddings is not None,
            "--weights": self.weights is not None,
            "--variances": self.variances is not None,
            "--modes with --inputs": self.modes is not None or self.inputs is not None,
        }
        if self.data is not None:
            given = {"--data": True, "--embeddings": given["--embeddings"]} | {
                "--variances": given["--variances"],
                "--inputs": self.inputs is not None,
            }
        named = [flag for flag, is_given in given.items() if is_given]
        if self.scale is not None and (self.data is None or self.weights is not None):
            message = (
                "`scale` is the singular value of modes along the components of data. Add --data, "
                "without --weights, or leave it out."
            )
            raise InvalidSetting(message)
        if len(named) > 1:
            message = f"There must be one start, not {len(named)}: choose {' or '.join(named)}."
            raise InvalidSetting(message)
        if self.data is None and (self.modes is None) != (self.inputs is None):
            message = "A random start needs both --modes and --inputs. Try --modes 10 --inputs 15."
            raise InvalidSetting(message)
        if self.center and self.embeddings is None:
            message = (
                "--center subtracts the mean of embeddings, and none are given. Add --embeddings, "
                "or leave out --center."
            )
            raise InvalidSetting(message)

    def with_settings(
        self, seed: int, settings: dict[str, Any], quiet: bool = False
    ) -> tuple[NDArray, dict[str, Any]]:
        """Variances of the start, and the settings, with the signal and noises of data."""
        if self.data is None:
            return self.spectrum(seed, quiet), settings
        for name in PER_MODE:
            if name in settings:
                message = (
                    f"The data of {self.data} bring the {name} of every mode with them, and "
                    f"`{name}` is another one. Leave out one of the two."
                )
                raise InvalidSetting(message)
        from eigendyn.data.starting import SCALE, start

        scale = SCALE if self.scale is None else self.scale
        found = start(_read_data(self.data), self.modes, scale=scale, weights=self.read_weights())
        if not quiet:
            what = f"a scale of {scale:g}" if self.weights is None else str(self.weights)
            line = f"start along the {len(found['signal'])} leading components of {self.data}"
            click.echo(f"{line}, from {what}", err=True)
        return found.pop("variances"), settings | found

    def read_weights(self) -> Matrix | None:
        """Weights from their file, if one is given."""
        from eigendyn.settings.matrix_files import read_matrix

        return None if self.weights is None else read_matrix(self.weights, "weights")

    def read_views(self) -> tuple[xarray.Dataset, bool]:
        """Measured data, and whether Gaussian views of their moments are asked for."""
        assert self.data is not None
        name = str(self.data)
        is_gaussian = name.startswith(GAUSSIAN)
        return _read_data(Path(name.removeprefix(GAUSSIAN))), is_gaussian

    def spectrum(self, seed: int, quiet: bool = False) -> NDArray:
        """Variances (modes,) of the start that was chosen; the published one if none was."""
        from eigendyn.settings import spectrum
        from eigendyn.settings.matrix_files import read_matrix

        if self.embeddings is not None:
            matrix = read_matrix(self.embeddings, "embeddings")
            found = spectrum.variances_from_embeddings(matrix, center=self.center)
            remarks = [*_about_mean(matrix, self.center), *_about_rank(matrix, found)]
            say_read(self.embeddings, matrix, ("samples", "dimensions"), remarks, quiet)
            return found
        if self.weights is not None:
            matrix = read_matrix(self.weights, "weights")
            found = spectrum.variances_from_weights(matrix)
            say_read(self.weights, matrix, ("modes", "inputs"), _about_rank(matrix, found), quiet)
            return found
        if self.variances is not None:
            return spectrum.check_variances(self.variances)
        if self.modes is not None and self.inputs is not None:
            return spectrum.random_variances(self.modes, self.inputs, seed)
        if self.recorded is not None:
            return self.recorded
        return spectrum.published_variances()

    def encoder(
        self, seed: int, settings: dict[str, Any], quiet: bool = False
    ) -> tuple[NDArray, dict[str, Any]]:
        """Weights (modes, inputs) of the start, diagonal where it is a spectrum.

        With them come the settings, in the order of their modes.
        """
        from eigendyn.settings import spectrum
        from eigendyn.settings.matrix_files import read_matrix

        if self.data is not None:
            return spectrum.start_of_variances(*self.with_settings(seed, settings, quiet))
        if self.weights is not None:
            matrix = read_matrix(self.weights, "weights")
            found = spectrum.check_weights(matrix)
            say_read(self.weights, matrix, ("modes", "inputs"), [], quiet)
            return found, settings
        if self.modes is not None and self.inputs is not None:
            return spectrum.random_weights(self.modes, self.inputs, seed), settings
        if self.embeddings is None and self.variances is None and self.recorded is None:
            return spectrum.published_weights(), settings
        return spectrum.start_of_variances(self.spectrum(seed, quiet), settings)


def _read_data(path: Path) -> xarray.Dataset:
    """Measured data from their file.

    Raises:
        UnreadableFile, InvalidSetting: There is none, or it holds something else.
    """
    from eigendyn.results.files import load
    from eigendyn.results.labelled import check_data

    found: Any = load(path)
    check_data(found)
    return found


def _about_mean(matrix: Matrix, center: bool) -> list[str]:
    """What the mean of embeddings makes of their spectrum."""
    import numpy as np

    mean = matrix.values.mean(axis=0)
    share = float(mean @ mean / np.square(matrix.values).mean(axis=0).sum())
    if center:
        return [f"mean subtracted, {share:.0%} of all variance"]
    if share > DOMINATES:
        return [f"the mean makes {share:.0%} of all variance, --center subtracts it"]
    return []


def _about_rank(matrix: Matrix, variances: NDArray) -> list[str]:
    """Why some modes have no variance."""
    rows, columns = matrix.values.shape
    modes, empty = len(variances), int((variances == 0).sum())
    fewer = "samples than dimensions" if modes == columns else "inputs than modes"
    remarks = [f"fewer {fewer}"] if min(rows, columns) < modes else []
    if empty:
        remarks.append(
            f"{empty} of {modes} modes have no variance beyond the rounding of {matrix.stored}"
        )
    return remarks


def say_read(
    path: Path, matrix: Matrix, names: tuple[str, str], remarks: list[str], quiet: bool
) -> None:
    """Say on one line of standard error what was read."""
    if quiet:
        return
    rows, columns = matrix.values.shape
    aside = [f"{_listed(matrix.left_out)} left out"] if matrix.left_out else []
    aside += [matrix.remark] if matrix.remark else []
    line = f"read {rows} {names[0]} × {columns} {names[1]} from {path}"
    line += f" ({'; '.join(aside)})" if aside else ""
    click.echo("; ".join([line, *remarks]), err=True)


def _listed(names: tuple[str, ...]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
