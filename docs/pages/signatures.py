"""Set what docstrings hold: short names of types in signatures, equations as they stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike, NDArray
from sphinx.util.typing import stringify_annotation

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ARRAYS = {
    stringify_annotation(kind, "smart"): name
    for kind, name in ((ArrayLike, "ArrayLike"), (NDArray, "NDArray"))
}
SECTION = re.compile(r"(Args|Attributes|Returns|Yields|Raises|Examples|Source):")
INDENT = "    "
SETTINGS = re.compile(r"\bsettings(: ~typing\.Unpack\[[^\]]*\])? ?= ?None")


def setup(app: Sphinx) -> dict[str, bool]:
    """Go over every signature and docstring, before sections are told apart."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-signature", _shorten)
    app.connect("autodoc-process-docstring", _set_equations, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _shorten(*found: Any) -> tuple[str | None, str | None]:
    arguments, returned = found[-2:]
    return _known(arguments), _known(returned)


def _known(text: str | None) -> str | None:
    if text is None:
        return None
    for expanded, name in ARRAYS.items():
        text = text.replace(expanded, name)
    text = SETTINGS.sub("settings: Settings | None = None", text)
    return text.replace("<function <lambda>>", "...")


def _set_equations(*found: Any) -> None:
    """Keep the lines of what is indented ahead of all sections."""
    lines: list[str] = found[-1]
    kept: list[str] = []
    for place, line in enumerate(lines):
        if SECTION.match(line):
            kept += lines[place:]
            break
        before = [earlier for earlier in lines[:place] if earlier.strip()]
        begins = line.startswith(INDENT) and not (before and before[-1].startswith(INDENT))
        if begins and not lines[place - 1].strip() and not before[-1].endswith("::"):
            kept += ["::", ""]
        kept.append(line)
    lines[:] = kept
