"""Run the command `eigendyn` as `python -m eigendyn`."""

from eigendyn.cli.main import main

main()
