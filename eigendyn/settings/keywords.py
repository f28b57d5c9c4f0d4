"""Refuse a keyword that a function does not take, and say which one was meant.

Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import wraps
from inspect import Parameter, signature
from typing import Any, ParamSpec, TypeVar

from eigendyn.errors import UnknownName
from eigendyn.settings.other_names import in_python, meant

Given = ParamSpec("Given")
Result = TypeVar("Result")
Noun = TypeVar("Noun")
NEAR = 0.8  # likeness of a name from which a slip of the hand is more likely than another tool


def takes(
    *others: Callable[..., Any] | str,
) -> Callable[[Callable[Given, Result]], Callable[Given, Result]]:
    """Let a function refuse keywords that neither it nor those that it hands them to take.

    Args:
        others: Functions and classes to which it hands its keywords on, or names of keywords.

    Returns:
        A decorator; the function then raises `UnknownName`.
    """

    def decorate(verb: Callable[Given, Result]) -> Callable[Given, Result]:
        known = list(keywords_of(verb))
        for other in others:
            known += [other] if isinstance(other, str) else keywords_of(other)

        @wraps(verb)
        def checked(*args: Given.args, **given: Given.kwargs) -> Result:
            check_keywords("keyword", given, known)
            return verb(*args, **given)

        return checked

    return decorate


def strict(noun: type[Noun]) -> type[Noun]:
    """Let a dataclass refuse keywords that are none of its fields with `UnknownName`."""
    made, known = noun.__init__, keywords_of(noun)

    @wraps(made)
    def checked(self: Noun, *args: Any, **given: Any) -> None:
        check_keywords("keyword", given, known)
        made(self, *args, **given)

    noun.__init__ = checked
    return noun


def keywords_of(verb: Callable[..., Any]) -> list[str]:
    """Names of what a function or class takes by keyword."""
    by_name = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    return [name for name, one in signature(verb).parameters.items() if one.kind in by_name]


def check_keywords(kind: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Check that keywords are known.

    Args:
        kind: What they are, such as "keyword".
        given: The keywords given.
        known: The keywords there are.

    Raises:
        UnknownName: One is not; the message says what was meant, by the names of other tools and of
            options too.
    """
    names = list(dict.fromkeys(known))
    for name in given:
        if name not in names:
            raise UnknownName(kind, name, names, _hint(name, names))


def _hint(given: str, names: list[str]) -> str | None:
    """What was meant, in a sentence; None if that is not known."""
    name = meant("setting", given) or given.lower().replace("-", "_")
    near = [name] if name in names else get_close_matches(name, names, n=1, cutoff=NEAR)
    return f"Did you mean {near[0]!r}?" if near else in_python(name)
