"""Define the options of what is asked about, in groups, with the defaults of `Settings`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from eigendyn.cli.parameters import Name, Numbers
from eigendyn.cli.subcommand import LOSS_ARGUMENT
from eigendyn.settings import choices
from eigendyn.settings.parameters import PARAMETERS
from eigendyn.settings.run_settings import Settings

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
correlation_option = click.option(
    "--correlation",
    type=Name("correlation", choices.CORRELATIONS),
    show_default="clean; first-view where it is a running average",
    help="What the predictor's correlation is of: clean representations, s² d; the noisy "
    "first view, s² (d + a1); the weights alone, s².",
)
architecture_options = stack(
    function_options,
    correlation_option,
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
