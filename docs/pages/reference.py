"""Write the reference: every public name, the tables of the theory's numbers, every command."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from types import ModuleType

import eigendyn
from pages.places import contents, write

NAMESPACES = tuple(name for name in eigendyn.__all__ if inspect.ismodule(getattr(eigendyn, name)))
HEAD = """# Reference

Here you find every public name with its shapes, units, errors and source, every command with its
options, and the tables that both are made from.

"""
READY = "Examples begin after `import eigendyn` and `import numpy as np`."


def write_reference() -> None:
    """Write its pages."""
    own = [name for name in eigendyn.__all__ if name not in NAMESPACES]
    head = "# eigendyn\n\nLook up here what you use most."
    write("reference/eigendyn.md", _page(head, eigendyn, own))
    for name in NAMESPACES:
        module = getattr(eigendyn, name)
        says = inspect.getdoc(module).splitlines()[0]
        head = f"# eigendyn.{name}\n\nLook up here what `eigendyn.{name}` is for: {says}"
        write(f"reference/{name}.md", _page(head, module, module.__all__))
    write("reference/commands.md", COMMANDS)
    pages = ("commands", "tables", "../formats", "eigendyn", *NAMESPACES, "../changelog")
    write("reference/index.md", HEAD + contents(*pages))


COMMANDS = """# The command line

Look up here every command and its options; `eigendyn COMMAND --help` says the same.

```{eval-rst}
.. click:: eigendyn.cli.main:cli
   :prog: eigendyn
   :nested: full
```
"""


def _page(head: str, module: ModuleType, names: Iterable[str]) -> str:
    return "\n\n".join([head, READY, *(_entry(module, name) for name in names)]) + "\n"


def _entry(module: ModuleType, name: str) -> str:
    value, whole = getattr(module, name), f"{module.__name__}.{name}"
    if not callable(value):
        return f"`{whole}` is one of the [tables](tables.md)."
    kind, options = ("class", "   :members:\n") if inspect.isclass(value) else ("function", "")
    return f"```{{eval-rst}}\n.. auto{kind}:: {whole}\n{options}```"
