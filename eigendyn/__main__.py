"""`python -m eigendyn` is the command `eigendyn`."""

from eigendyn.cli.main import cli

cli(prog_name="eigendyn")
