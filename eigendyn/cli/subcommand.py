"""Let a subcommand take the loss as an argument too, and show its options in groups."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

from eigendyn.errors import InvalidSetting

LOSS_ARGUMENT = "loss_argument"
GROUPS = {  # heading of the help → names of parameters; all others stand under the command's name
    "Loss": (
        *("loss", "loss_expr", "loss_file", "model", "parameters"),
        *("preset", "stop_gradient", "beta"),
    ),
    "Start": (
        *("embeddings", "center", "weights", "variances", "data", "scale", "modes", "inputs"),
        "from_run",
    ),
    "Network": (
        *("network", "embedding"),
        *("predictor", "alpha", "epsilon", "epsilon_placement", "normalize"),
        *("correlation", "correlation_momentum", "correlation_order"),
        *("predictor_rate", "predictor_decay", "predictor_start", "target", "ema", "ema_schedule"),
        *("sigma1", "sigma2", "signal", "noise1", "noise2"),
    ),
    "Descent": ("weight_decay", "momentum", "learning_rate", "steps", "epochs"),
    "Engine": (
        *("method", "closure", "samples", "closure_accuracy", "solver", "rtol", "atol"),
        *("dtype", "device", "seed"),
    ),
    "Output": ("output", "plot", "saves", "latex", "out", "kind", "force", "as_json", "quiet"),
    "Other": ("config", "_click_default_help"),
}
_GROUP_OF = {name: heading for heading, names in GROUPS.items() for name in names}


class Subcommand(click.Command):
    """A subcommand: `eigendyn NAME cosine` is `eigendyn NAME --loss cosine`."""

    def __init__(self, *args: Any, **extra: Any) -> None:
        """Show defaults."""
        super().__init__(*args, context_settings={"show_default": True}, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, then let the argument stand for the option.

        Raises:
            InvalidSetting: The argument and the option name different losses.
        """
        rest = super().parse_args(ctx, args)
        named = ctx.params.pop(LOSS_ARGUMENT, None)
        if named is None:
            return rest
        other = ctx.params["loss"]
        is_option = ctx.get_parameter_source("loss") is ParameterSource.COMMANDLINE
        if is_option and other != named:
            message = (
                f"A loss is named once, as {named} or as --loss {other}. Leave out one of the two."
            )
            raise InvalidSetting(message)
        ctx.params["loss"] = named
        ctx.set_parameter_source("loss", ParameterSource.COMMANDLINE)
        return rest

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under the headings of `GROUPS`, the command's own ones first."""
        own = (ctx.info_name or "own").capitalize()
        groups: dict[str, list[tuple[str, str]]] = {heading: [] for heading in (own, *GROUPS)}
        for option in self.get_params(ctx):
            shown = option.get_help_record(ctx)
            if shown is not None and isinstance(option, click.Option):
                groups[_GROUP_OF.get(str(option.name), own)].append(shown)
        for heading, rows in groups.items():
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)
