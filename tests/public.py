"""List the names that eigendyn shows: its own, and those of its namespaces."""

from importlib import import_module

import eigendyn

NAMESPACES = eigendyn._NAMESPACES


def public_names():
    """Names as one writes them after `eigendyn.`."""
    yield from (name for name in eigendyn.__all__ if name not in NAMESPACES)
    for space in NAMESPACES:
        yield from (f"{space}.{name}" for name in import_module(f"eigendyn.{space}").__all__)
