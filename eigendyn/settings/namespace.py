"""Let a module give names that it loads when they are first asked for. Standard library only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def namespace(
    module: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Make a module's `__getattr__` and `__dir__`.

    Args:
        module: Its name.
        homes: For each name that it gives, where that stands: a module of eigendyn, a colon, and
            the name there.
    """

    def load(name: str) -> object:
        if name not in homes:
            message = f"module {module!r} has no attribute {name!r}"
            raise AttributeError(message)
        home, _, there = homes[name].partition(":")
        value = getattr(import_module(f"eigendyn.{home}"), there)
        setattr(sys.modules[module], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[module]), *homes})

    return load, names
