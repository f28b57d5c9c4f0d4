"""Check that the libraries of an extra are installed. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import NamedTuple

from eigendyn.errors import NotInstalled


class Extra(NamedTuple):
    """What an extra of the package is for.

    Args:
        words: What takes its libraries, as the beginning of a sentence.
        needed: Names of the libraries, as they are imported.
    """

    words: str
    needed: tuple[str, ...]


EXTRAS: Mapping[str, Extra] = MappingProxyType(
    {
        "sweep": Extra("A sweep", ("zarr", "dask", "distributed")),
        "train": Extra("Training", ("equinox", "optax")),
    }
)


def check_installed(name: str) -> None:
    """Check that what an extra brings is there.

    Args:
        name: Of the extra, one of `EXTRAS`.

    Raises:
        NotInstalled: A library is missing.
    """
    words, needed = EXTRAS[name]
    missing = [library for library in needed if find_spec(library) is None]
    if missing:
        message = (
            f"{words} takes {', '.join(needed[:-1])} and {needed[-1]}; not installed: "
            f'{", ".join(missing)}. Try pip install "eigendyn[{name}]".'
        )
        raise NotInstalled(message)
