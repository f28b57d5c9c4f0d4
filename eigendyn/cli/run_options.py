"""Define the options of how dynamics are computed, and of what is written and printed."""

from __future__ import annotations

from collections.abc import Callable

import click

from eigendyn.cli.options import FILE, stack
from eigendyn.cli.parameters import Name
from eigendyn.settings import choices
from eigendyn.settings.engines import METHODS
from eigendyn.settings.run_settings import TOLERANCES, Settings

samples_option = click.option(
    "--samples",
    type=int,
    default=Settings.samples,
    help="Number of samples of the sampled closure.",
)
_rtol, _atol = (" or ".join(f"{t[i]:g}" for t in TOLERANCES.values()) for i in (0, 1))
method_option = click.option(
    "--method",
    type=Name("method", METHODS),
    default=Settings.method,
    help="Gradient flow in machine code (compiled), by LSODA, which turns implicit where the "
    "dynamics are stiff (implicit), or in JAX (flow); expected descent steps (steps); exact "
    "solutions (closed-form). auto takes a closed form if there is one, else machine code, "
    "then implicit where that fails; flow with --solver stiff, on a GPU, in float32; steps "
    "with --momentum, unless --rtol, --atol or --solver asks for a flow.",
)
accuracy_options = stack(
    samples_option,
    click.option(
        "--closure-accuracy",
        type=float,
        default=Settings.closure_accuracy,
        help="Relative error allowed to the exact closure.",
    ),
    click.option(
        "--solver",
        type=Name("solver", choices.SOLVERS),
        default=Settings.solver,
        help="Solver of the flow in JAX; stiff is an implicit method.",
    ),
    click.option(
        "--rtol",
        type=float,
        show_default=f"{_rtol}, by dtype; with samples, their standard error",
        help="Relative error allowed in a step of the flow.",
    ),
    click.option(
        "--atol",
        type=float,
        show_default=f"{_atol}, by dtype",
        help="Absolute error allowed in a step of the flow.",
    ),
)
engine_options = stack(method_option, accuracy_options)


def seed_option(text: str) -> Callable:
    """The option of the seed, of what is drawn with it."""
    return click.option("--seed", type=int, default=Settings.seed, help=text)


device_options = stack(
    click.option(
        "--dtype",
        type=Name("dtype", choices.DTYPES),
        default=Settings.dtype,
        help="Precision of the engine.",
    ),
    click.option(
        "--device",
        type=Name("device", choices.DEVICES),
        default=Settings.device,
        help="Where to run.",
    ),
)
run_options = stack(
    device_options,
    seed_option("Seed of the random start and of samples."),
)


def saves_option(default: int) -> Callable:
    """The option of how many times to save."""
    return click.option("--saves", type=int, default=default, help="Largest number of saved times.")


def file_option(text: str, *flags: str, fresh: str | None = None) -> Callable:
    """The option of a file to write, and what its name is where none is given."""
    shown = False if fresh is None else f"a fresh {fresh}"
    return click.option(*flags, type=FILE, show_default=shown, help=text)


def former_option(name: str, *flags: str) -> Callable:
    """Flags that a file had before, and still may have; the help does not show them."""
    return click.option(*flags, name, type=FILE, hidden=True)


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
force_option = click.option("--force", is_flag=True, help="Overwrite existing files.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No notes and no progress.")
output_options = stack(force_option, json_option, quiet_option)
