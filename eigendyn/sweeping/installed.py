"""Check that the libraries of the extra `sweep` are installed. Standard library only."""

from __future__ import annotations

from importlib.util import find_spec

from eigendyn.errors import NotInstalled

NEEDED = ("zarr", "dask", "distributed")


def check_installed() -> None:
    """Check that sweeps can be stored, and spread over processes.

    Raises:
        NotInstalled: A library is missing.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        message = (
            f"A sweep takes {', '.join(NEEDED[:-1])} and {NEEDED[-1]}; not installed: "
            f'{", ".join(missing)}. Try pip install "eigendyn[sweep]".'
        )
        raise NotInstalled(message)
