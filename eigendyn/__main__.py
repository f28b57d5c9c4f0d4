"""`python -m eigendyn` is the command `eigendyn`."""

from eigendyn.cli.main import main

main()
