"""Check that the libraries of the extra `train` are installed. Standard library only."""

from __future__ import annotations

from importlib.util import find_spec

from eigendyn.errors import NotInstalled

NEEDED = ("equinox", "optax")


def check_installed() -> None:
    """Check that training can be done here.

    Raises:
        NotInstalled: A library is missing.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        message = (
            f"Training takes {' and '.join(NEEDED)}; not installed: {', '.join(missing)}. Try pip "
            'install "eigendyn[train]".'
        )
        raise NotInstalled(message)
