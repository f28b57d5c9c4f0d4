"""Load and run the subcommand that is called, and turn how it ends into an exit code."""

from __future__ import annotations

import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import click

from eigendyn.cli.flags import say
from eigendyn.cli.interrupt import INTERRUPTED
from eigendyn.cli.parameters import explained
from eigendyn.errors import EigendynError
from eigendyn.settings.choices import check_choice

COMMANDS = {  # name, also of the module that holds the command → short help
    "simulate": "Follow the variance of every mode while a loss is descended.",
    "sweep": "Follow the modes over a grid of settings, resumably.",
    "data": "Measure the signal and noise that augmentations leave of real inputs.",
    "crosscheck": "Compare the theory with gradient descent of real networks.",
    "train": "Train networks on real images, and foretell their spectrum.",
    "monitor": "Say whether a recorded training is all right, and what moves its loss.",
    "fit": "Fit the theory to a recorded spectrum, and foretell the rest.",
    "audit": "Audit an update rule: is it the gradient of the loss?",
    "plot": "Draw a saved result, whatever it is.",
    "figures": "Draw the figures of the paper, of theory and of networks, with their numbers.",
    "derive": "Derive the mode dynamics of a loss, line by line.",
    "losses": "List the losses.",
    "phase": "Draw the phase portrait of two modes or two states.",
    "bifurcation": "Follow fixed points as a parameter changes.",
    "export": "Write a loss as a function for JAX, PyTorch or NumPy.",
    "explore": "Write a page on which the dynamics can be explored by hand.",
    "diagnose": "Say which modes collapse, and what would save them.",
    "design": "Design a loss from the growth rate that its modes shall have.",
}
USAGE_ERROR = 2


class LazyGroup(click.Group):
    """Subcommands are imported when they are called; every refusal is one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names of the subcommands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand."""
        if cmd_name.startswith("-"):
            return super().get_command(ctx, cmd_name)
        check_choice("command", cmd_name, tuple(COMMANDS))
        return import_module(f"eigendyn.cli.{cmd_name}").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run, and turn every way to end into an exit code."""
        if not standalone_mode:
            return super().main(*args, standalone_mode=False, **extra)
        try:
            code = super().main(*args, standalone_mode=False, **extra)
        except click.Abort:
            _complain("interrupted.")
            code = INTERRUPTED
        except click.exceptions.NoArgsIsHelpError as help_text:
            help_text.show()
            code = USAGE_ERROR
        except click.ClickException as refusal:
            ctx = getattr(refusal, "ctx", None)
            command = ctx.command_path if ctx else "eigendyn"
            _complain(f"{explained(refusal)}. See {command} -h.")
            code = refusal.exit_code
        except EigendynError as refusal:
            _complain(str(refusal))
            code = USAGE_ERROR
        except (OSError, MemoryError) as failure:
            _complain(str(failure) or "out of memory.")
            code = 1
        sys.exit(code or 0)


def _complain(sentence: str) -> None:
    say(f"Error: {sentence}", err=True)


SHAPE = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=LazyGroup, context_settings=SHAPE)
@click.version_option(package_name="eigendyn", message="%(prog)s %(version)s")
def cli() -> None:
    """Learning dynamics of self-supervised losses, mode by mode.

    \b
    Example:
      eigendyn simulate --loss cosine
    """  # noqa: D301
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Greek shows "?" instead


def main() -> None:
    """Run the command line, and exit."""
    cli(prog_name="eigendyn")
