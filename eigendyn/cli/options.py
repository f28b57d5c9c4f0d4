"""Define the options of subcommands, in groups, with the defaults of `Settings`."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import click

from eigendyn.cli.parameters import Name, Numbers
from eigendyn.cli.subcommand import LOSS_ARGUMENT
from eigendyn.errors import UnreadableFile
from eigendyn.settings import choices
from eigendyn.settings.choices import check_choice
from eigendyn.settings.engines import METHODS
from eigendyn.settings.parameters import PARAMETERS
from eigendyn.settings.run_settings import TOLERANCES, Settings

FILE = click.Path(path_type=Path)


def stack(*options: Callable) -> Callable:
    """Join options into one decorator, in the order in which the help shows them."""

    def decorate(command: Callable) -> Callable:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def number_option(name: str) -> Callable:
    """The option of a number of the theory, with what stands for it where it is not given."""
    row = PARAMETERS[name]
    choice = row.part[0] if row.part else ""
    follows = [f"{value:g} with --{choice} {kind}" for kind, value in row.assumed.items()]
    usual = "; ".join([row.unset, *follows] if row.unset else follows)
    return click.option(
        f"--{name.replace('_', '-')}",
        type=Numbers("2,1,0.5") if row.per_mode else float,
        default=row.default,
        show_default=usual or True,
        help=row.help,
    )


predictor_option = stack(
    click.option(
        "--predictor",
        type=Name("predictor", choices.PREDICTORS),
        default=Settings.predictor,
        help="From the weights (direct), normalised and lifted (copy, DirectCopy), from a running "
        "average (running, DirectPred), learned (BYOL, SimSiam), or none.",
    ),
    click.option(
        "--no-predictor",
        "predictor",
        flag_value="none",
        help="The same as --predictor none: λ = 1.",
    ),
)
stop_gradient_option = click.option(
    "--no-stop-gradient",
    "stop_gradient",
    flag_value=False,
    default=True,
    show_default=False,
    help="Let the gradient flow through the target branch.",
)
beta_option = number_option("beta")
variant_options = stack(
    predictor_option,
    stop_gradient_option,
    beta_option,
    click.option(
        "--closure",
        type=Name("closure", choices.CLOSURES),
        default=Settings.closure,
        help="How expectations are taken.",
    ),
)


def loss_options(default: str | None, text: str) -> Callable:
    """The name of a loss, as an option or as an argument; `Subcommand` makes one of the two."""
    kind = Name("loss", choices.LOSS_NAMES)
    return stack(
        click.option("--loss", type=kind, default=default, help=text),
        click.argument(LOSS_ARGUMENT, type=kind, metavar="[LOSS]", required=False),
    )


def param_option(uses: str) -> Callable:
    """The option of numbers by name, for names that something uses."""
    text = f"A number for a name that {uses}; may be given several times."
    return click.option("--param", "parameters", multiple=True, metavar="NAME=NUMBER", help=text)


loss_option = loss_options(Settings.loss, "Loss that is descended; also without --loss.")
written_loss_options = stack(
    click.option(
        "--loss-expr",
        metavar="TEXT",
        help="A loss of your own, as in 'sum((lam*z1 - sg(z2))**2)/2', in the place of --loss.",
    ),
    click.option("--loss-file", type=FILE, help="The same, read from a text file."),
    param_option("--loss-expr or a model uses"),
)
model_option = click.option(
    "--model",
    type=Name("model", choices.MODEL_NAMES),
    help="Dynamics of modes that need no loss, in its place; --param gives their numbers.",
)
start_options = stack(
    click.option(
        "--embeddings",
        type=FILE,
        help="Start from embeddings (samples × dimensions): .npy, .npz, .pt, .csv, .tsv or .txt.",
    ),
    click.option(
        "--center",
        is_flag=True,
        help="Subtract the mean of the embeddings first: the spectrum of their covariance.",
    ),
    click.option(
        "--weights",
        type=FILE,
        help="Start from a linear encoder (modes × inputs): files as for --embeddings.",
    ),
    click.option(
        "--variances",
        type=Numbers("0.05,0.3,1,2"),
        help="Start from a list, as in 0.05,0.3,1,2.",
    ),
    click.option(
        "--data",
        type=FILE,
        help="Start along the components of measured data, with their signal and noise: a file of "
        "eigendyn data. --modes says how many (10), --weights what encoder.",
    ),
    click.option(
        "--scale",
        type=float,
        show_default="0.3",
        help="Singular value of every mode along the components of --data.",
    ),
    click.option("--modes", type=int, help="Start from a random encoder with so many modes …"),
    click.option("--inputs", type=int, help="… and so many inputs; entries are N(0, 1/16)."),
)
function_options = stack(
    number_option("epsilon"),
    click.option(
        "--epsilon-placement",
        type=Name("placement", choices.EPSILON_PLACEMENTS),
        default=Settings.epsilon_placement,
        help="ε inside the power, (c/max c + ε)^α, or outside, (c/max c)^α + ε.",
    ),
    click.option(
        "--normalize",
        is_flag=True,
        help="Divide the predictor's eigenvalues by the largest, (max c)^α.",
    ),
)
average_options = stack(
    number_option("correlation_momentum"),
    click.option(
        "--correlation-order",
        type=Name("order", choices.CORRELATION_ORDERS),
        default=Settings.correlation_order,
        help="Whether a descent step uses the running correlation with its own batch in it, or as "
        "the step before left it.",
    ),
)
learned_options = stack(
    number_option("predictor_rate"),
    number_option("predictor_decay"),
    number_option("predictor_start"),
)
target_options = stack(
    click.option(
        "--target",
        type=Name("target", choices.TARGETS),
        default=Settings.target,
        help="Shares the encoder's weights, or averages them (BYOL).",
    ),
    number_option("ema"),
    click.option(
        "--ema-schedule",
        type=Name("schedule", choices.EMA_SCHEDULES),
        default=Settings.ema_schedule,
        help="Keeps that momentum, or raises it to 1 along a half cosine (BYOL).",
    ),
)
architecture_options = stack(
    function_options,
    click.option(
        "--correlation",
        type=Name("correlation", choices.CORRELATIONS),
        show_default="clean; first-view where it is a running average",
        help="What the predictor's correlation is of: clean representations, s² d; the noisy "
        "first view, s² (d + a1); the weights alone, s².",
    ),
    average_options,
    learned_options,
    target_options,
    number_option("momentum"),
    number_option("signal"),
    number_option("noise1"),
    number_option("noise2"),
)
physics_options = stack(
    number_option("alpha"),
    architecture_options,
    number_option("sigma1"),
    number_option("sigma2"),
    number_option("weight_decay"),
    number_option("learning_rate"),
    click.option("--steps", type=int, default=Settings.steps, help="Number of training steps."),
)
preset_option = click.option(
    "--preset",
    type=Name("preset", choices.PRESETS),
    help="A source's settings, where options are not given: the paper's toy network (published), "
    "or a method.",
)
# What every command takes that follows dynamics: of a loss, or of a model too.
network_options = stack(
    loss_option, written_loss_options, preset_option, variant_options, physics_options
)
dynamics_options = stack(
    loss_option,
    written_loss_options,
    model_option,
    preset_option,
    variant_options,
    physics_options,
)
samples_option = click.option(
    "--samples",
    type=int,
    default=Settings.samples,
    help="Number of samples of the sampled closure.",
)
_rtol, _atol = (" or ".join(f"{t[i]:g}" for t in TOLERANCES.values()) for i in (0, 1))
engine_options = stack(
    click.option(
        "--method",
        type=Name("method", METHODS),
        default=Settings.method,
        help="Gradient flow in machine code (compiled), by LSODA, which turns implicit where the "
        "dynamics are stiff (implicit), or in JAX (flow); expected descent steps (steps); exact "
        "solutions (closed-form). auto takes a closed form if there is one, else machine code, "
        "then implicit where that fails; flow with --solver stiff, on a GPU, in float32; steps "
        "with --momentum, unless --rtol, --atol or --solver asks for a flow.",
    ),
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


def _read_config(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    """Let a file's values stand where options are not given."""
    if path is None:
        return
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"--config must name a readable TOML file, not {path} ({error})."
        raise UnreadableFile(message) from error
    options = [one for one in ctx.command.params if isinstance(one, click.Option)]
    former = {one.opts[-1].strip("-"): str(one.name) for one in options if one.hidden}
    known = [str(one.name) for one in options]
    ctx.default_map = {  # as text, so that 1.5 steps are refused and not cut to 1
        check_choice("setting", former.get(key, key), known): (
            value if isinstance(value, list) else str(value)
        )
        for key, value in values.items()
    }


config_option = click.option(
    "--config",
    type=FILE,
    is_eager=True,
    expose_value=False,
    callback=_read_config,
    help="TOML file of settings, by their Python names (learning_rate = 0.05); options override.",
)
