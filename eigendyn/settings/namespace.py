"""Let a module give names that it loads when they are first asked for. Standard library only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from warnings import warn


def namespace(
    module: str,
    homes: Mapping[str, str],
    moved: Mapping[str, str] | None = None,
    modules: Collection[str] = (),
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Make a module's `__getattr__` and `__dir__`.

    Args:
        module: Its name.
        homes: For each name that it gives, where that stands: a module of eigendyn, a colon, and
            the name there.
        moved: Names that it had, which go with the release after this, and where they stand now.
        modules: Namespaces in it, which are loaded likewise.
    """
    former = moved or {}

    def load(name: str) -> object:
        if name in modules:
            return import_module(f"{module}.{name}")
        if name in former:
            place, _, there = former[name].rpartition(".")
            warn(
                f"{module}.{name} is eigendyn.{former[name]} now; the old name goes with the next "
                "release.",
                DeprecationWarning,
                stacklevel=2,
            )
            return getattr(import_module(f"eigendyn.{place}"), there)
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
