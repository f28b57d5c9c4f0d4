"""Say where long names may be broken, and keep options whole, on a screen as narrow as a hand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from docutils import nodes
from pygments.lexers.shell import BashLexer
from pygments.token import Name, Text
from sphinx import addnodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

SHORT = 12  # letters of a word of code that needs no break
JOINT = re.compile(r"(?<=\w[_/-])(?=\w)")  # within names of files, settings and options
CHOICE = re.compile(r"(?<=\|)")
OPTION = re.compile(r"((?<!\S)--?[a-z][\w-]*)")
NAME = re.compile(r"[\w.]+")


def setup(app: Sphinx) -> dict[str, bool]:
    """Go over every page once it is read, and over the links at its end."""
    app.add_lexer("sh", Commands)
    app.connect("doctree-read", _read, priority=600)  # after words were measured
    app.connect("html-page-context", _link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class Commands(BashLexer):
    """Commands in which an option is one word: browsers break lines behind its dashes."""

    def get_tokens_unprocessed(self, *given: Any) -> Iterator[tuple[int, Any, str]]:
        """Take options out of what the shell has no name for."""
        for place, kind, text in super().get_tokens_unprocessed(*given):
            if kind is not Text:
                yield place, kind, text
                continue
            for part in OPTION.split(text):
                yield place, Name.Attribute if OPTION.fullmatch(part) else kind, part
                place += len(part)


def _read(_app: Sphinx, page: nodes.document) -> None:
    for cell in page.findall(nodes.entry):
        for code in cell.findall(nodes.literal):
            if max(map(len, code.astext().split()), default=0) > SHORT:
                _open(code, JOINT)
    for choices in page.findall(addnodes.desc_addname):
        _open(choices, CHOICE)


def _open(code: nodes.Element, joint: re.Pattern[str]) -> None:
    """Let a line end at the joints of a name; nothing is added to what a reader copies."""
    for text in list(code.findall(nodes.Text)):
        broken: list[nodes.Node] = []
        for word in re.split(r"(\s+)", text):
            first, *others = joint.split(word)
            parts: list[nodes.Node] = [nodes.Text(first)]
            for part in others:
                parts += [_html("<wbr>"), nodes.Text(part)]
            broken += [_html('<span class="name">'), *parts, _html("</span>")] if others else parts
        text.parent.replace(text, broken)


def _html(text: str) -> nodes.raw:
    return nodes.raw("", text, format="html")


def _link(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
    """Break the name of a module at its dots, where the pages before and after are linked."""
    for way in ("prev", "next"):
        link = context.get(way)
        if link and NAME.fullmatch(link["title"]):
            context[way] = {**link, "title": link["title"].replace(".", ".<wbr>")}
