"""Write signatures as a reader of the code knows them: short names of types, no anonymous code."""

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
SETTINGS = re.compile(r"\bsettings(: ~typing\.Unpack\[[^\]]*\])? ?= ?None")


def setup(app: Sphinx) -> dict[str, bool]:
    """Go over every signature."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-signature", _shorten)
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
